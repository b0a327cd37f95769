/*
 * Link layers: the table of link types (LINKTYPE_ values of the pcap file format,
 * tcpdump.org/linktypes).
 */
#include <stddef.h>

#include "decode/packet.h"

#define LINKTYPE_NULL	     0u /* BSD loopback: address family in the capturing host's order */
#define LINKTYPE_PPP	     9u
#define LINKTYPE_RAW_BSD     12u /* raw IP, as some systems write it */
#define LINKTYPE_RAW_OPENBSD 14u
#define LINKTYPE_PPP_HDLC    50u
#define LINKTYPE_PPP_ETHER   51u /* PPPoE without its Ethernet header */
#define LINKTYPE_RAW	     101u
#define LINKTYPE_C_HDLC	     104u
#define LINKTYPE_IEEE802_11  105u
#define LINKTYPE_LOOP	     108u /* OpenBSD loopback: address family in network order */
#define LINKTYPE_LINUX_SLL   113u
#define LINKTYPE_RADIOTAP    127u
#define LINKTYPE_MPLS	     219u
#define LINKTYPE_IPV4	     228u
#define LINKTYPE_IPV6	     229u
#define LINKTYPE_NFLOG	     239u
#define LINKTYPE_LINUX_SLL2  276u

#define ARPHRD_NETLINK 824u
#define NFULA_PAYLOAD  9u

enum layer
link_ether(struct packet *p)
{
	const uint8_t *mac = cursor_take(&p->c, 12);
	p->ethertype = cursor_be16(&p->c);
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (p->seg->mac[0] == NULL) {
		p->seg->mac[0] = mac + 6;
		p->seg->mac[1] = mac;
	}
	if (p->ethertype > ETHERTYPE_MAX_LENGTH)
		return LAYER_TYPE;
	packet_trim(p, p->ethertype);
	return LAYER_LLC;
}

static enum layer
link_ip(struct packet *p)
{
	(void)p;
	return LAYER_IP;
}

/* Four octets of address family, in either order; the IP version tells what it is. */
static enum layer
link_null(struct packet *p)
{
	cursor_skip(&p->c, 4);
	return p->c.bad ? LAYER_DAMAGED : LAYER_IP;
}

/* What both Linux cooked headers end in: the sender's address and an ethertype. */
static enum layer
cooked(struct packet *p, uint16_t hardware, uint16_t addr_len, const uint8_t *addr)
{
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (hardware == ARPHRD_NETLINK)
		return LAYER_OTHER;
	if (addr_len == 6)
		p->seg->mac[0] = addr;
	return p->ethertype > ETHERTYPE_MAX_LENGTH ? LAYER_TYPE : LAYER_LLC;
}

/* packet type (2), ARPHRD (2), address length (2), address (8), protocol (2) */
static enum layer
link_sll(struct packet *p)
{
	cursor_skip(&p->c, 2);
	uint16_t hardware = cursor_be16(&p->c);
	uint16_t addr_len = cursor_be16(&p->c);
	const uint8_t *addr = cursor_take(&p->c, 8);
	p->ethertype = cursor_be16(&p->c);
	return cooked(p, hardware, addr_len, addr);
}

/* protocol (2), reserved (2), interface (4), ARPHRD (2), packet type (1), address length (1),
 * address (8) */
static enum layer
link_sll2(struct packet *p)
{
	p->ethertype = cursor_be16(&p->c);
	cursor_skip(&p->c, 6);
	uint16_t hardware = cursor_be16(&p->c);
	cursor_skip(&p->c, 1);
	uint8_t addr_len = cursor_u8(&p->c);
	const uint8_t *addr = cursor_take(&p->c, 8);
	return cooked(p, hardware, addr_len, addr);
}

static enum layer
link_mpls(struct packet *p)
{
	(void)p;
	return LAYER_MPLS;
}

/* Cisco HDLC: address, control, then an ethertype. */
static enum layer
link_c_hdlc(struct packet *p)
{
	cursor_skip(&p->c, 2);
	p->ethertype = cursor_be16(&p->c);
	return p->c.bad ? LAYER_DAMAGED : LAYER_TYPE;
}

/* Family (1), version (1), resource (2), then attributes of length and type in the order of the
 * host that captured; one of them is the packet. */
static enum layer
link_nflog(struct packet *p)
{
	const uint8_t *h = cursor_take(&p->c, 4);
	if (h == NULL || h[1] != 0)
		return LAYER_DAMAGED;
	while (cursor_left(&p->c) >= 4) {
		uint16_t len = load_le16(p->c.p), type = load_le16(p->c.p + 2);
		if (len < 4 || (type & 0x7fff) > 0xff) { /* the other order */
			len = load_be16(p->c.p);
			type = load_be16(p->c.p + 2);
		}
		if (len < 4)
			return LAYER_DAMAGED;
		if ((type & 0x7fff) == NFULA_PAYLOAD) {
			cursor_skip(&p->c, 4);
			packet_trim(p, len - 4u);
			return LAYER_IP;
		}
		cursor_skip(&p->c, (len + 3u) & ~3u);
		if (p->c.bad)
			return LAYER_DAMAGED;
	}
	return LAYER_OTHER;
}

static const struct link_row links[] = {
    {LINKTYPE_ETHERNET, link_ether},
    {LINKTYPE_LINUX_SLL, link_sll},
    {LINKTYPE_LINUX_SLL2, link_sll2},
    {LINKTYPE_RAW, link_ip},
    {LINKTYPE_RAW_BSD, link_ip},
    {LINKTYPE_RAW_OPENBSD, link_ip},
    {LINKTYPE_IPV4, link_ip},
    {LINKTYPE_IPV6, link_ip},
    {LINKTYPE_NULL, link_null},
    {LINKTYPE_LOOP, link_null},
    {LINKTYPE_PPP, shim_ppp},
    {LINKTYPE_PPP_HDLC, shim_ppp},
    {LINKTYPE_PPP_ETHER, shim_pppoe},
    {LINKTYPE_C_HDLC, link_c_hdlc},
    {LINKTYPE_IEEE802_11, wireless_80211},
    {LINKTYPE_RADIOTAP, wireless_radiotap},
    {LINKTYPE_MPLS, link_mpls},
    {LINKTYPE_NFLOG, link_nflog},
};

const struct link_row *
link_find(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		if (links[i].link_type == link_type)
			return &links[i];
	}
	return NULL;
}
