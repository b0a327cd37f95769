/*
 * A short cut for the frames that nearly all traffic consists of: TCP in IPv4 without options, or
 * in IPv6 without extension headers, in Ethernet without tags, with the TCP header captured.
 *
 * What it finds is what the walk of decode.c would, for a fifth of its instructions; all that is
 * out of the ordinary, and all that is damaged, is left to that one.  In a header, so that the one
 * who asks for it calls nobody.
 */
#ifndef POSTCARD_DECODE_PLAIN_H
#define POSTCARD_DECODE_PLAIN_H

#include "decode/packet.h"

#define PLAIN_ETHER 14u
#define PLAIN_IPV4  20u
#define PLAIN_IPV6  40u
#define PLAIN_TCP   20u

/* Type, version and length of the header, in four octets with that of the service; fragment and
 * protocol, in four octets with the TTL. */
#define PLAIN_IPV4_BEGINS	0x08004500u
#define PLAIN_IPV4_BEGINS_MASK	0xffffff00u
#define PLAIN_IPV4_CARRIES	0x00000006u
#define PLAIN_IPV4_CARRIES_MASK 0x3fff00ffu

/* The octets that the IP header says the packet has; 0 where it is not plain.  Sets the ends'
 * addresses. */
static inline __attribute__((always_inline)) uint32_t
plain_ip(const uint8_t *frame, uint32_t caplen, uint32_t *header, struct segment *seg)
{
	const uint8_t *ip = frame + PLAIN_ETHER;
	uint32_t begins = load_be32(frame + 12);
	if ((begins & PLAIN_IPV4_BEGINS_MASK) == PLAIN_IPV4_BEGINS) {
		if ((load_be32(ip + 6) & PLAIN_IPV4_CARRIES_MASK) != PLAIN_IPV4_CARRIES)
			return 0;
		packet_put_ipv4(seg->ends.ip[0], ip + 12);
		packet_put_ipv4(seg->ends.ip[1], ip + 16);
		seg->ends.family = 4;
		*header = PLAIN_IPV4;
		return load_be16(ip + 2);
	}
	if (begins >> 12 != 0x86dd6u || caplen < PLAIN_ETHER + PLAIN_IPV6 + PLAIN_TCP ||
	    ip[6] != 6 || load_be16(ip + 4) == 0)
		return 0;
	memcpy(seg->ends.ip, ip + 8, sizeof seg->ends.ip);
	seg->ends.family = 6;
	*header = PLAIN_IPV6;
	return PLAIN_IPV6 + load_be16(ip + 4);
}

/* An Ethernet frame as nearly all are.  False: it is to be walked through.  What stands around the
 * segment is left out: see decode_plain_around. */
static inline __attribute__((always_inline)) bool
decode_plain(const uint8_t *data, uint32_t caplen, struct segment *seg)
{
	uint32_t ip_header = 0;
	if (caplen < PLAIN_ETHER + PLAIN_IPV4 + PLAIN_TCP)
		return false;
	uint32_t total = plain_ip(data, caplen, &ip_header, seg);
	uint32_t here = caplen - PLAIN_ETHER < total ? caplen - PLAIN_ETHER : total;
	const uint8_t *ip = data + PLAIN_ETHER, *tcp = ip + ip_header;
	uint32_t headers = ip_header + (tcp[12] >> 4) * 4u;
	if (headers < ip_header + PLAIN_TCP || headers > here)
		return false;
	seg->ends.port[0] = load_be16(tcp);
	seg->ends.port[1] = load_be16(tcp + 2);
	seg->seq = load_be32(tcp + 4);
	seg->ack = load_be32(tcp + 8);
	seg->flags = tcp[13] & 0x3fu;
	seg->wire_len = total - headers;
	seg->len = here - headers;
	seg->payload = ip + headers;
	seg->plain = true;
	seg->headless = seg->conflict = false;
	return true;
}

/* The rest of a plain segment, which few ask for. */
static inline void
decode_plain_around(const uint8_t *data, struct segment *seg)
{
	seg->ip = data + PLAIN_ETHER;
	seg->ip_len = (uint32_t)(seg->payload - seg->ip) + seg->len;
	seg->ttl = seg->ip[seg->ends.family == 4 ? 8 : 7];
	seg->mac[0] = data + 6;
	seg->mac[1] = data;
	seg->vlan = -1;
	seg->tunnel.depth = 0;
}

#endif
