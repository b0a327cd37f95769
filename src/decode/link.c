/*
 * Link layers: the table of link types (LINKTYPE_ values of the pcap file format,
 * tcpdump.org/linktypes).
 */
#include <stddef.h>

#include "decode/packet.h"

#define LINKTYPE_NULL	     0u /* BSD loopback: address family in the capturing host's order */
#define LINKTYPE_ETHERNET    1u
#define LINKTYPE_RAW_BSD     12u /* raw IP, as some systems write it */
#define LINKTYPE_RAW_OPENBSD 14u
#define LINKTYPE_RAW	     101u
#define LINKTYPE_LOOP	     108u /* OpenBSD loopback: address family in network order */
#define LINKTYPE_LINUX_SLL   113u
#define LINKTYPE_IPV4	     228u
#define LINKTYPE_IPV6	     229u
#define LINKTYPE_LINUX_SLL2  276u

#define ETHERTYPE_MAX_LENGTH 1500u /* an ethertype up to here is an IEEE 802.3 length */
#define ARPHRD_NETLINK	     824u

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
	return LAYER_OTHER; /* IEEE 802.3 with LLC */
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

/* packet type (2), ARPHRD (2), address length (2), address (8), protocol (2) */
static enum layer
link_sll(struct packet *p)
{
	cursor_skip(&p->c, 2);
	uint16_t hardware = cursor_be16(&p->c);
	uint16_t addr_len = cursor_be16(&p->c);
	const uint8_t *addr = cursor_take(&p->c, 8);
	p->ethertype = cursor_be16(&p->c);
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (hardware == ARPHRD_NETLINK)
		return LAYER_OTHER;
	if (addr_len == 6)
		p->seg->mac[0] = addr;
	return p->ethertype > ETHERTYPE_MAX_LENGTH ? LAYER_TYPE : LAYER_OTHER;
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
	if (p->c.bad)
		return LAYER_DAMAGED;
	if (hardware == ARPHRD_NETLINK)
		return LAYER_OTHER;
	if (addr_len == 6)
		p->seg->mac[0] = addr;
	return p->ethertype > ETHERTYPE_MAX_LENGTH ? LAYER_TYPE : LAYER_OTHER;
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
