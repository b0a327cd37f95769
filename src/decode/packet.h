/*
 * Private to src/decode: a packet on its way through the layers.
 *
 * Each layer takes its header off the cursor and names the next one.  The walk is a loop in
 * decode.c, bounded by LIMIT_LAYERS, so a new tag or tunnel is one function and one case.
 */
#ifndef POSTCARD_DECODE_PACKET_H
#define POSTCARD_DECODE_PACKET_H

#include "base/cursor.h"
#include "decode/segment.h"

enum layer {
	LAYER_DONE,  /* the segment is complete */
	LAYER_ETHER, /* an Ethernet frame */
	LAYER_TYPE,  /* what packet.ethertype says */
	LAYER_LLC,   /* IEEE 802.2 */
	LAYER_PPP,
	LAYER_MPLS, /* a stack of labels */
	LAYER_IP,   /* IPv4 or IPv6, by its first nibble */
	LAYER_GRE,
	LAYER_UDP,
	LAYER_TCP,
	LAYER_OTHER,	/* another protocol: end of the walk */
	LAYER_FRAGMENT, /* a fragment, in packet.fragment */
	LAYER_DAMAGED,	/* end of the walk */
};

/* A piece of an IP datagram; the cursor stands at its octets, segment.ends has its addresses. */
struct fragment {
	uint32_t id;	 /* identification */
	uint16_t offset; /* octets before it in the datagram */
	uint8_t proto;	 /* protocol of the datagram (IPv6: of its first fragment) */
	bool more;	 /* it is not the last one */
};

struct packet {
	struct cursor c; /* octets not yet decoded, as captured */
	uint32_t
	    missing; /* octets of the frame that followed them on the wire but were not captured */
	uint16_t ethertype; /* for LAYER_TYPE */
	struct segment *seg;
	struct fragment fragment; /* for LAYER_FRAGMENT */
};

#define ETHERTYPE_MAX_LENGTH 1500u /* an ethertype up to here is an IEEE 802.3 length */

#define LINKTYPE_ETHERNET 1u

/* One row for each link type. */
struct link_row {
	uint32_t link_type;
	enum layer (*decode)(struct packet *p);
};

/* The decoder of a link type; NULL where there is none. */
const struct link_row *link_find(uint32_t link_type);

enum layer link_ether(struct packet *p);

/* Layers above the link. */
enum layer network_type(struct packet *p); /* by ethertype */
enum layer network_ip(struct packet *p);
/* What IP says comes next, in a packet or in a datagram that was put together; takes IPv6
 * extension headers off. */
enum layer network_protocol(struct packet *p, uint8_t proto);
enum layer transport_tcp(struct packet *p);

/* shim.c: what stands between the link and IP. */
enum layer shim_vlan(struct packet *p);
enum layer shim_pppoe(struct packet *p);
enum layer shim_ppp(struct packet *p);
enum layer shim_llc(struct packet *p);
enum layer shim_mpls(struct packet *p);

/* wireless.c: IEEE 802.11, with and without radiotap. */
enum layer wireless_radiotap(struct packet *p);
enum layer wireless_80211(struct packet *p);

/* tunnel.c: what carries packets inside of IP.  Notes the tunnel and gives its `next` layer;
 * LAYER_OTHER where there are too many of them. */
enum layer tunnel_enter(struct packet *p, enum tunnel_kind kind, enum layer next);
enum layer tunnel_gre(struct packet *p);
enum layer tunnel_etherip(struct packet *p);
enum layer tunnel_udp(struct packet *p);

/* Octets on the wire from the cursor on. */
static inline uint32_t
packet_wire_left(const struct packet *p)
{
	return (uint32_t)cursor_left(&p->c) + p->missing;
}

/* An inner length says that the packet ends after `len` octets: what follows is padding or a
 * trailer.  What it promises and the capture does not hold was cut, by whomever. */
static inline void
packet_trim(struct packet *p, uint32_t len)
{
	size_t here = cursor_left(&p->c);
	if (len < here) {
		p->c.end = p->c.p + len;
		p->missing = 0;
	} else {
		p->missing = len - (uint32_t)here;
	}
}

/* An IPv4 address where `ends` has it, in words: they can be read as such at once, where octets are
 * waited for (flow_key_of). */
static inline void
packet_put_ipv4(uint8_t to[16], const uint8_t *from)
{
	uint64_t words[2] = {0, 0};
	memcpy(words, from, 4);
	memcpy(to, words, sizeof words);
}

#endif
