/*
 * The network layer: ethertypes, VLAN tags, IPv4 (RFC 791), IPv6 with extension headers (RFC 8200).
 *
 * Checksums are not verified: network cards fill them in behind the capture.  A total length of 0
 * is that of a frame larger than the field can say (TSO, BIG TCP): the frame's own length counts
 * then.
 */
#include <string.h>

#include "base/limits.h"
#include "decode/packet.h"

#define TYPE_IPV4    0x0800u
#define TYPE_IPV6    0x86ddu
#define TYPE_VLAN    0x8100u
#define TYPE_QINQ    0x88a8u
#define TYPE_QINQ_91 0x9100u /* before 802.1ad */
#define TYPE_QINQ_92 0x9200u

#define PROTO_HOPOPTS  0u
#define PROTO_TCP      6u
#define PROTO_ROUTING  43u
#define PROTO_FRAGMENT 44u
#define PROTO_AH       51u
#define PROTO_DSTOPTS  60u
#define PROTO_MOBILITY 135u
#define PROTO_HIP      139u
#define PROTO_SHIM6    140u

#define IPV4_MORE   0x2000u
#define IPV4_OFFSET 0x1fffu

enum layer
network_type(struct packet *p)
{
	switch (p->ethertype) {
	case TYPE_IPV4:
	case TYPE_IPV6: return LAYER_IP;
	case TYPE_VLAN:
	case TYPE_QINQ:
	case TYPE_QINQ_91:
	case TYPE_QINQ_92: {
		uint16_t tag = cursor_be16(&p->c);
		p->ethertype = cursor_be16(&p->c);
		if (p->c.bad)
			return LAYER_DAMAGED;
		if (p->seg->vlan < 0)
			p->seg->vlan = tag & 0x0fff;
		return LAYER_TYPE;
	}
	default: return LAYER_OTHER;
	}
}

static enum layer
protocol(uint8_t proto)
{
	return proto == PROTO_TCP ? LAYER_TCP : LAYER_OTHER;
}

static enum layer
ipv4(struct packet *p)
{
	const uint8_t *h = p->c.p;
	uint32_t wire = packet_wire_left(p);
	if (cursor_left(&p->c) < 20)
		return LAYER_DAMAGED;
	uint32_t header = (h[0] & 0x0fu) * 4u, total = load_be16(h + 2);
	uint16_t fragment = load_be16(h + 6);
	if (header < 20 || cursor_left(&p->c) < header)
		return LAYER_DAMAGED;
	if (total == 0)
		total = wire;
	if (total < header)
		return LAYER_DAMAGED;
	p->seg->ip = h;
	packet_trim(p, total);
	p->seg->ip_len = (uint32_t)cursor_left(&p->c);
	memset(&p->seg->ends, 0, sizeof p->seg->ends);
	memcpy(p->seg->ends.ip[0], h + 12, 4);
	memcpy(p->seg->ends.ip[1], h + 16, 4);
	p->seg->ends.family = 4;
	cursor_skip(&p->c, header);
	if (fragment & (IPV4_MORE | IPV4_OFFSET))
		return LAYER_FRAGMENT;
	return protocol(h[9]);
}

static enum layer
ipv6(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 40);
	if (h == NULL)
		return LAYER_DAMAGED;
	uint32_t len = load_be16(h + 4);
	uint8_t next = h[6];
	p->seg->ip = h;
	if (len > 0) /* 0: a jumbogram (RFC 2675) or TSO; the frame's length counts */
		packet_trim(p, len);
	p->seg->ip_len = (uint32_t)cursor_left(&p->c) + 40;
	memcpy(p->seg->ends.ip[0], h + 8, 16);
	memcpy(p->seg->ends.ip[1], h + 24, 16);
	p->seg->ends.family = 6;
	for (unsigned i = 0; i < LIMIT_IPV6_EXTS; i++) {
		uint32_t ext;
		const uint8_t *e = p->c.p;
		switch (next) {
		case PROTO_HOPOPTS:
		case PROTO_ROUTING:
		case PROTO_DSTOPTS:
		case PROTO_MOBILITY:
		case PROTO_HIP:
		case PROTO_SHIM6:
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			ext = (e[1] + 1u) * 8u;
			break;
		case PROTO_AH:
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			ext = (e[1] + 2u) * 4u;
			break;
		case PROTO_FRAGMENT:
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			if ((load_be16(e + 2) & 0xfff9u) !=
			    0) /* an atomic fragment is whole (RFC 6946) */
				return LAYER_FRAGMENT;
			ext = 8;
			break;
		default: return protocol(next);
		}
		next = e[0];
		cursor_skip(&p->c, ext);
		if (p->c.bad)
			return LAYER_DAMAGED;
	}
	return LAYER_DAMAGED;
}

enum layer
network_ip(struct packet *p)
{
	if (cursor_left(&p->c) < 1)
		return LAYER_DAMAGED;
	switch (p->c.p[0] >> 4) {
	case 4: return ipv4(p);
	case 6: return ipv6(p);
	default: return LAYER_DAMAGED;
	}
}
