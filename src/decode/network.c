/*
 * The network layer: ethertypes, IPv4 (RFC 791), IPv6 with extension headers (RFC 8200).
 *
 * Checksums are not verified: network cards fill them in behind the capture.  A total length of 0
 * is that of a frame larger than the field can say (TSO, BIG TCP): the frame's own length counts
 * then.
 */
#include <string.h>

#include "base/limits.h"
#include "decode/packet.h"

#define TYPE_IPV4	   0x0800u
#define TYPE_TRANS_BRIDGE  0x6558u /* Ethernet in GRE or GENEVE */
#define TYPE_VLAN	   0x8100u
#define TYPE_IPV6	   0x86ddu
#define TYPE_PPP	   0x880bu
#define TYPE_MPLS	   0x8847u
#define TYPE_MPLS_MULTI	   0x8848u
#define TYPE_PPPOE_SESSION 0x8864u
#define TYPE_JUMBO_LLC	   0x8870u
#define TYPE_QINQ	   0x88a8u /* IEEE 802.1ad */
#define TYPE_QINQ_91	   0x9100u /* before it */
#define TYPE_QINQ_92	   0x9200u

#define PROTO_HOPOPTS  0u
#define PROTO_IPIP     4u
#define PROTO_TCP      6u
#define PROTO_UDP      17u
#define PROTO_IPV6     41u
#define PROTO_ROUTING  43u
#define PROTO_FRAGMENT 44u
#define PROTO_GRE      47u
#define PROTO_AH       51u
#define PROTO_DSTOPTS  60u
#define PROTO_ETHERIP  97u
#define PROTO_MOBILITY 135u
#define PROTO_MPLS     137u
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
	case TYPE_QINQ_92: return shim_vlan(p);
	case TYPE_MPLS:
	case TYPE_MPLS_MULTI: return LAYER_MPLS;
	case TYPE_PPPOE_SESSION: return shim_pppoe(p);
	case TYPE_PPP: return LAYER_PPP;
	case TYPE_JUMBO_LLC: return LAYER_LLC;
	case TYPE_TRANS_BRIDGE: return LAYER_ETHER;
	default: return LAYER_OTHER;
	}
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
	packet_put_ipv4(p->seg->ends.ip[0], h + 12);
	packet_put_ipv4(p->seg->ends.ip[1], h + 16);
	p->seg->ends.family = 4;
	p->seg->ttl = h[8];
	cursor_skip(&p->c, header);
	if (fragment & (IPV4_MORE | IPV4_OFFSET)) {
		p->fragment = (struct fragment){load_be16(h + 4),
		    (uint16_t)((fragment & IPV4_OFFSET) * 8u), h[9], (fragment & IPV4_MORE) != 0};
		return LAYER_FRAGMENT;
	}
	return network_protocol(p, h[9]);
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
	p->seg->ttl = h[7];
	return network_protocol(p, next);
}

enum layer
network_protocol(struct packet *p, uint8_t next)
{
	for (unsigned i = 0; i < LIMIT_IPV6_EXTS; i++) {
		uint32_t ext;
		const uint8_t *e = p->c.p;
		switch (next) {
		case PROTO_TCP: return LAYER_TCP;
		case PROTO_UDP: return LAYER_UDP;
		case PROTO_IPIP:
		case PROTO_IPV6: return tunnel_enter(p, TUNNEL_IP, LAYER_IP);
		case PROTO_GRE: return LAYER_GRE;
		case PROTO_ETHERIP: return tunnel_etherip(p);
		case PROTO_MPLS: return tunnel_enter(p, TUNNEL_MPLS, LAYER_MPLS);
		case PROTO_HOPOPTS:
		case PROTO_ROUTING:
		case PROTO_DSTOPTS:
		case PROTO_MOBILITY:
		case PROTO_HIP:
		case PROTO_SHIM6:
			if (p->seg->ends.family != 6)
				return LAYER_OTHER;
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			ext = (e[1] + 1u) * 8u;
			break;
		case PROTO_AH: /* it signs and does not encrypt (RFC 4302) */
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			ext = (e[1] + 2u) * 4u;
			break;
		case PROTO_FRAGMENT:
			if (p->seg->ends.family != 6)
				return LAYER_OTHER;
			if (cursor_left(&p->c) < 8)
				return LAYER_DAMAGED;
			ext = 8;
			if ((load_be16(e + 2) & 0xfff9u) == 0)
				break; /* an atomic fragment is whole (RFC 6946) */
			p->fragment = (struct fragment){load_be32(e + 4),
			    load_be16(e + 2) & 0xfff8u, e[0], (e[3] & 1u) != 0};
			cursor_skip(&p->c, 8);
			return LAYER_FRAGMENT;
		default: return LAYER_OTHER;
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
