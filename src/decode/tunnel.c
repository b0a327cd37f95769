/*
 * Tunnels: what carries packets inside of IP, and what mirror ports and clouds wrap copies in.
 *
 * GRE (RFC 2784, 2890; version 1 of PPTP RFC 2637) with IP, MPLS, PPP, bridged Ethernet and ERSPAN
 * (I, II, III) inside; EtherIP (RFC 3378); over UDP, by port: VXLAN (RFC 7348), VXLAN-GPE, GENEVE
 * (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), MPLS (RFC 7510).  What only looks like one
 * by its port is another protocol, not damage.
 */
#include <string.h>

#include "base/limits.h"
#include "decode/packet.h"

#define PORT_GTP_U	2152u
#define PORT_TEREDO	3544u
#define PORT_VXLAN	4789u
#define PORT_VXLAN_GPE	4790u
#define PORT_GENEVE	6081u
#define PORT_MPLS_UDP	6635u
#define PORT_VXLAN_KERN 8472u /* of Linux, before the number was assigned */

#define TYPE_ERSPAN	0x88beu
#define TYPE_ERSPAN_III 0x22ebu

#define GRE_CHECKSUM 0x8000u
#define GRE_ROUTING  0x4000u
#define GRE_KEY	     0x2000u
#define GRE_SEQUENCE 0x1000u
#define GRE_ACK	     0x0080u
#define GRE_VERSION  0x0007u

enum layer
tunnel_enter(struct packet *p, enum tunnel_kind kind, enum layer next)
{
	struct tunnel *t = &p->seg->tunnel;
	if (t->depth == LIMIT_TUNNELS)
		return LAYER_OTHER;
	if (t->depth == 0) {
		t->family = (uint8_t)p->seg->ends.family;
		t->has_id = false;
		memcpy(t->ip, p->seg->ends.ip, sizeof t->ip);
	}
	t->kind[t->depth++] = (uint8_t)kind;
	p->seg->mac[0] = p->seg->mac[1] = NULL; /* the tunnel's, not the connection's */
	p->seg->vlan = -1;
	return next;
}

static enum layer
enter_id(struct packet *p, enum tunnel_kind kind, uint32_t id, enum layer next)
{
	next = tunnel_enter(p, kind, next);
	if (next != LAYER_OTHER) {
		p->seg->tunnel.has_id = true;
		p->seg->tunnel.id = id;
	}
	return next;
}

/* ---- GRE ---- */

/* Type I has no header (and GRE no sequence number), II has 8 octets, III 12 and perhaps 8 more. */
static enum layer
erspan(struct packet *p, uint16_t type, bool sequence)
{
	if (type == TYPE_ERSPAN && !sequence)
		return tunnel_enter(p, TUNNEL_ERSPAN, LAYER_ETHER);
	const uint8_t *h = cursor_take(&p->c, type == TYPE_ERSPAN ? 8 : 12);
	if (h == NULL)
		return LAYER_DAMAGED;
	if (type == TYPE_ERSPAN_III && h[11] & 1)
		cursor_skip(&p->c, 8);
	bool ip = type == TYPE_ERSPAN_III && (h[10] >> 2 & 0x1f) == 2; /* the frame type */
	return enter_id(p, TUNNEL_ERSPAN, load_be16(h + 2) & 0x03ffu, ip ? LAYER_IP : LAYER_ETHER);
}

enum layer
tunnel_gre(struct packet *p)
{
	uint16_t flags = cursor_be16(&p->c), version = flags & GRE_VERSION;
	uint32_t key = 0;
	p->ethertype = cursor_be16(&p->c);
	if (version > 1 || (version == 0 && flags & GRE_ROUTING))
		return LAYER_OTHER;
	if (version == 0 && flags & GRE_CHECKSUM)
		cursor_skip(&p->c, 4);
	if (flags & GRE_KEY)
		key = cursor_be32(&p->c);
	if (flags & GRE_SEQUENCE)
		cursor_skip(&p->c, 4);
	if (version == 1 && flags & GRE_ACK)
		cursor_skip(&p->c, 4);
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (cursor_left(&p->c) == 0 && p->missing == 0)
		return LAYER_OTHER; /* a keep-alive, or PPTP's acknowledgement alone */
	if (p->ethertype == TYPE_ERSPAN || p->ethertype == TYPE_ERSPAN_III)
		return erspan(p, p->ethertype, (flags & GRE_SEQUENCE) != 0);
	if (flags & GRE_KEY)
		return enter_id(p, TUNNEL_GRE, version == 1 ? key & 0xffffu : key, LAYER_TYPE);
	return tunnel_enter(p, TUNNEL_GRE, LAYER_TYPE);
}

enum layer
tunnel_etherip(struct packet *p)
{
	uint16_t h = cursor_be16(&p->c);
	if (p->c.bad)
		return LAYER_DAMAGED;
	return h == 0x3000 ? tunnel_enter(p, TUNNEL_ETHERIP, LAYER_ETHER) : LAYER_OTHER;
}

/* ---- over UDP ---- */

static enum layer
vxlan(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	if (h == NULL || !(h[0] & 0x08)) /* reserved fields are to be ignored */
		return LAYER_OTHER;
	return enter_id(p, TUNNEL_VXLAN, load_be32(h + 4) >> 8, LAYER_ETHER);
}

static enum layer
vxlan_gpe(struct packet *p)
{
	static const enum layer inside[] = {LAYER_OTHER, LAYER_IP, LAYER_IP, LAYER_ETHER,
	    LAYER_OTHER, LAYER_MPLS};
	const uint8_t *h = cursor_take(&p->c, 8);
	if (h == NULL || !(h[0] & 0x08))
		return LAYER_OTHER;
	unsigned next = h[0] & 0x04 ? h[3] : 3;
	if (next >= sizeof inside / sizeof inside[0] || inside[next] == LAYER_OTHER)
		return LAYER_OTHER;
	return enter_id(p, TUNNEL_VXLAN_GPE, load_be32(h + 4) >> 8, inside[next]);
}

static enum layer
geneve(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	if (h == NULL || h[0] >> 6 != 0)
		return LAYER_OTHER;
	cursor_skip(&p->c, (h[0] & 0x3fu) * 4u);
	if (p->c.bad)
		return LAYER_OTHER;
	p->ethertype = load_be16(h + 2);
	return enter_id(p, TUNNEL_GENEVE, load_be32(h + 4) >> 8, LAYER_TYPE);
}

/* Version 1, message G-PDU; extension headers chain by a type behind each. */
static enum layer
gtp_u(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	if (h == NULL || (h[0] & 0xf0) != 0x30 || h[1] != 255)
		return LAYER_OTHER;
	if (h[0] & 0x07) {
		const uint8_t *option = cursor_take(&p->c, 4);
		uint8_t next = option != NULL && h[0] & 0x04 ? option[3] : 0;
		for (unsigned i = 0; next != 0 && i < LIMIT_IPV6_EXTS; i++) {
			uint32_t len = cursor_left(&p->c) > 0 ? p->c.p[0] * 4u : 0;
			const uint8_t *e = len > 0 ? cursor_take(&p->c, len) : NULL;
			if (e == NULL)
				return LAYER_OTHER;
			next = e[len - 1];
		}
	}
	return p->c.bad ? LAYER_OTHER : enter_id(p, TUNNEL_GTP, load_be32(h + 4), LAYER_IP);
}

/* Authentication and origin indications may stand before the packet (RFC 4380 section 5.1.1). */
static enum layer
teredo(struct packet *p)
{
	if (cursor_left(&p->c) >= 4 && load_be16(p->c.p) == 1)
		cursor_skip(&p->c, 4u + p->c.p[2] + p->c.p[3] + 9u);
	if (!p->c.bad && cursor_left(&p->c) >= 8 && load_be16(p->c.p) == 0)
		cursor_skip(&p->c, 8);
	if (p->c.bad || cursor_left(&p->c) < 40 || p->c.p[0] >> 4 != 6)
		return LAYER_OTHER;
	return tunnel_enter(p, TUNNEL_TEREDO, LAYER_IP);
}

enum layer
tunnel_udp(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	if (h == NULL)
		return LAYER_OTHER;
	uint16_t len = load_be16(h + 4);
	if (len >= 8) /* 0 in frames larger than the field can say */
		packet_trim(p, len - 8u);
	switch (load_be16(h + 2)) {
	case PORT_VXLAN:
	case PORT_VXLAN_KERN: return vxlan(p);
	case PORT_VXLAN_GPE: return vxlan_gpe(p);
	case PORT_GENEVE: return geneve(p);
	case PORT_GTP_U: return gtp_u(p);
	case PORT_TEREDO: return teredo(p);
	case PORT_MPLS_UDP: return tunnel_enter(p, TUNNEL_MPLS, LAYER_MPLS);
	}
	return load_be16(h) == PORT_TEREDO ? teredo(p) : LAYER_OTHER;
}

const char *
tunnel_name(enum tunnel_kind kind)
{
	static const char *const names[TUNNELS] = {"ip", "gre", "erspan", "etherip", "mpls",
	    "vxlan", "vxlan-gpe", "geneve", "gtp-u", "teredo"};
	return kind < TUNNELS ? names[kind] : NULL;
}
