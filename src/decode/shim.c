/*
 * What stands between the link and IP: VLAN tags (IEEE 802.1Q, 802.1ad), MPLS labels (RFC 3032,
 * pseudowires RFC 4448), PPPoE (RFC 2516), PPP (RFC 1661, 1662), LLC and SNAP (IEEE 802.2).
 */
#include "base/limits.h"
#include "decode/packet.h"

#define PPP_IPV4       0x0021u
#define PPP_IPV6       0x0057u
#define PPP_MPLS       0x0281u
#define PPP_MPLS_MULTI 0x0283u

enum layer
shim_vlan(struct packet *p)
{
	uint16_t tag = cursor_be16(&p->c);
	p->ethertype = cursor_be16(&p->c);
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (p->seg->vlan < 0)
		p->seg->vlan = tag & 0x0fff;
	return p->ethertype > ETHERTYPE_MAX_LENGTH ? LAYER_TYPE : LAYER_LLC;
}

enum layer
shim_pppoe(struct packet *p)
{
	uint8_t version = cursor_u8(&p->c), code = cursor_u8(&p->c);
	cursor_skip(&p->c, 2);
	uint16_t len = cursor_be16(&p->c);
	if (p->c.bad || version != 0x11)
		return LAYER_DAMAGED;
	if (code != 0)
		return LAYER_OTHER;
	packet_trim(p, len);
	return LAYER_PPP;
}

/* Address and control field are optional, and the protocol is one octet where that one is odd. */
enum layer
shim_ppp(struct packet *p)
{
	if (cursor_left(&p->c) >= 2 && p->c.p[0] == 0xff && p->c.p[1] == 0x03)
		cursor_skip(&p->c, 2);
	uint16_t proto = cursor_u8(&p->c);
	if (!(proto & 1))
		proto = (uint16_t)(proto << 8 | cursor_u8(&p->c));
	if (p->c.bad)
		return LAYER_DAMAGED;
	switch (proto) {
	case PPP_IPV4:
	case PPP_IPV6: return LAYER_IP;
	case PPP_MPLS:
	case PPP_MPLS_MULTI: return LAYER_MPLS;
	default: return LAYER_OTHER;
	}
}

enum layer
shim_llc(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 3);
	if (h == NULL)
		return LAYER_DAMAGED;
	if (h[0] == 0x06 && h[1] == 0x06)
		return LAYER_IP;
	if (h[0] != 0xaa || h[1] != 0xaa || h[2] != 0x03)
		return LAYER_OTHER;
	const uint8_t *snap = cursor_take(&p->c, 5);
	if (snap == NULL)
		return LAYER_DAMAGED;
	if (snap[0] != 0 || snap[1] != 0 || (snap[2] != 0 && snap[2] != 0xf8))
		return LAYER_OTHER; /* another organisation's numbers */
	p->ethertype = load_be16(snap + 3);
	return LAYER_TYPE;
}

/* Does a packet of the version in its first nibble begin at `at`, and fit what is there? */
static bool
is_ip_at(const struct packet *p, size_t at, unsigned version)
{
	const uint8_t *h = p->c.p + at;
	uint32_t wire = packet_wire_left(p) - (uint32_t)at;
	if (cursor_left(&p->c) < at + 20 || h[0] >> 4 != version)
		return false;
	if (version == 4)
		return (h[0] & 0x0f) >= 5 && load_be16(h + 2) <= wire &&
		    (load_be16(h + 2) >= 20 || load_be16(h + 2) == 0);
	return load_be16(h + 4) + 40u <= wire;
}

/*
 * Does an Ethernet frame begin at `at`: is there a type that we know behind two link addresses, or
 * a length and SNAP?  *sure: what the type says follows it.
 */
static bool
is_ether_at(const struct packet *p, size_t at, bool *sure)
{
	static const uint16_t known[] = {0x8100, 0x88a8, 0x9100, 0x9200, 0x8847, 0x8864};
	*sure = false;
	if (cursor_left(&p->c) < at + 14)
		return false;
	const uint8_t *h = p->c.p + at + 12;
	uint16_t type = load_be16(h);
	if (type <= ETHERTYPE_MAX_LENGTH)
		return *sure = cursor_left(&p->c) >= at + 17 && h[2] == 0xaa && h[3] == 0xaa &&
		    h[4] == 0x03;
	if (type == 0x0800 || type == 0x86dd)
		return *sure = is_ip_at(p, at + 14, type == 0x0800 ? 4 : 6);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (type == known[i])
			return true;
	}
	return false;
}

/*
 * Nothing names what a label stack carries; its first nibble tells IP from a pseudowire's control
 * word (RFC 4928), and where that word is left out, link addresses may begin with any.
 */
enum layer
shim_mpls(struct packet *p)
{
	uint32_t label = 0;
	for (unsigned i = 0; i < LIMIT_LABELS && !(label & 0x100u) && !p->c.bad; i++)
		label = cursor_be32(&p->c);
	if (p->c.bad || !(label & 0x100u))
		return LAYER_DAMAGED;
	if (cursor_left(&p->c) < 1)
		return LAYER_DAMAGED;
	unsigned nibble = p->c.p[0] >> 4;
	bool sure, bare = is_ether_at(p, 0, &sure), sure_word;
	if (bare && sure && nibble != 0)
		return LAYER_ETHER; /* of an address that looks like IP */
	if (is_ip_at(p, 0, 4) || is_ip_at(p, 0, 6))
		return LAYER_IP;
	if (nibble == 0 && !(bare && sure) && is_ether_at(p, 4, &sure_word)) {
		cursor_skip(&p->c, 4);
		return LAYER_ETHER;
	}
	if (bare)
		return LAYER_ETHER;
	return nibble == 4 || nibble == 6 ? LAYER_IP : LAYER_OTHER;
}
