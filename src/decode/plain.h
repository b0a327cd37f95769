/*
 * A short cut for the frames that nearly all traffic consists of: TCP in IPv4 without options, or
 * in IPv6 without extension headers, in Ethernet without tags, with the TCP header captured.
 *
 * What it finds is what the walk of decode.c would, for a fourth of its instructions; all that is
 * out of the ordinary, and all that is damaged, is left to that one.  In a header, so that the one
 * who asks for it calls nobody.
 */
#ifndef POSTCARD_DECODE_PLAIN_H
#define POSTCARD_DECODE_PLAIN_H

#include "decode/packet.h"

#define ETHER	  14u
#define IPV4	  20u
#define IPV6	  40u
#define TCP	  20u
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define PROTO_TCP 6u

#define FRAGMENT 0x3fffu /* more fragments, or an offset */

/* The octets that the IP header says the packet has; 0 where it is not plain.  Sets the ends'
 * addresses and the TTL. */
static inline uint32_t
plain_ip(const uint8_t *frame, uint32_t caplen, uint32_t *header, struct segment *seg)
{
	const uint8_t *ip = frame + ETHER;
	uint16_t type = load_be16(frame + 12);
	if (type == TYPE_IPV4) {
		if (ip[0] != 0x45 || ip[9] != PROTO_TCP || (load_be16(ip + 6) & FRAGMENT) != 0)
			return 0;
		packet_put_ipv4(seg->ends.ip[0], ip + 12);
		packet_put_ipv4(seg->ends.ip[1], ip + 16);
		seg->ends.family = 4;
		seg->ttl = ip[8];
		*header = IPV4;
		return load_be16(ip + 2);
	}
	if (type != TYPE_IPV6 || caplen < ETHER + IPV6 + TCP || ip[0] >> 4 != 6 ||
	    ip[6] != PROTO_TCP || load_be16(ip + 4) == 0)
		return 0;
	memcpy(seg->ends.ip, ip + 8, sizeof seg->ends.ip);
	seg->ends.family = 6;
	seg->ttl = ip[7];
	*header = IPV6;
	return IPV6 + load_be16(ip + 4);
}

/* An Ethernet frame as nearly all are.  False: it is to be walked through. */
static inline bool
decode_plain(const uint8_t *data, uint32_t caplen, struct segment *seg)
{
	uint32_t ip_header = 0;
	if (caplen < ETHER + IPV4 + TCP)
		return false;
	uint32_t total = plain_ip(data, caplen, &ip_header, seg);
	uint32_t here = caplen - ETHER < total ? caplen - ETHER : total;
	if (here < ip_header + TCP || total == 0)
		return false;
	const uint8_t *ip = data + ETHER, *tcp = ip + ip_header;
	uint32_t headers = ip_header + (tcp[12] >> 4) * 4u;
	if (headers < ip_header + TCP || headers > total)
		return false;
	seg->ends.port[0] = load_be16(tcp);
	seg->ends.port[1] = load_be16(tcp + 2);
	seg->seq = load_be32(tcp + 4);
	seg->ack = load_be32(tcp + 8);
	seg->flags = tcp[13] & 0x3fu;
	seg->wire_len = total - headers;
	seg->len = here > headers ? here - headers : 0;
	seg->payload = ip + here - seg->len;
	seg->plain = true;
	seg->headless = seg->conflict = false;
	seg->vlan = -1;
	seg->mac[0] = data + 6;
	seg->mac[1] = data;
	seg->ip = ip;
	seg->ip_len = here;
	seg->tunnel.depth = 0;
	return true;
}

#endif
