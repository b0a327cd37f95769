/* For the tests of the share and of the kernel filter: packets by hand, of several links. */
#ifndef POSTCARD_TESTS_CAPTURE_PACKETS_H
#define POSTCARD_TESTS_CAPTURE_PACKETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/frame.h"

#define ETHERNET 1u
#define RAW	 101u
#define SLL	 113u
#define RAW4	 228u
#define RAW6	 229u
#define SLL2	 276u

static const uint32_t all_links[] = {ETHERNET, RAW, SLL, SLL2, RAW4, RAW6};

#define LINKS (sizeof all_links / sizeof all_links[0])

struct packet {
	uint8_t b[512];
	uint32_t len;
	uint32_t link_type;
};

__attribute__((unused)) static void
add(struct packet *p, const void *octets, uint32_t len)
{
	assert_true(p->len + len <= sizeof p->b);
	memcpy(p->b + p->len, octets, len);
	p->len += len;
}

__attribute__((unused)) static void
add16(struct packet *p, unsigned v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	add(p, b, 2);
}

/* A link's header that announces `type`, then `tags` VLAN tags. */
__attribute__((unused)) static void
add_link(struct packet *p, uint32_t link_type, unsigned type, unsigned tags)
{
	static const unsigned tag[] = {0x8100, 0x88a8, 0x9100, 0x9200};
	static const uint8_t zero[20];
	p->len = 0;
	p->link_type = link_type;
	unsigned first = tags > 0 ? tag[tags % 4] : type;
	if (link_type == ETHERNET) {
		add(p, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
		add16(p, first);
	} else if (link_type == SLL) {
		add(p, zero, 14);
		add16(p, first);
	} else if (link_type == SLL2) {
		add16(p, first);
		add(p, zero, 18);
	}
	for (unsigned i = tags; i > 0; i--) {
		add16(p, 100 + i);
		add16(p, i > 1 ? tag[(i - 1) % 4] : type);
	}
}

/* An IPv4 header of `options` octets more than the least; the last octets of its addresses. */
__attribute__((unused)) static void
add_ip4(struct packet *p, unsigned options, unsigned fragment, unsigned proto, uint8_t from,
    uint8_t to)
{
	uint8_t h[60] = {(uint8_t)(0x45 + options / 4), [3] = 60, [8] = 64};
	h[6] = (uint8_t)(fragment >> 8);
	h[7] = (uint8_t)fragment;
	h[9] = (uint8_t)proto;
	memcpy(h + 12, "\xc0\0\2", 3);
	memcpy(h + 16, "\xc6\x33\x64", 3);
	h[15] = from;
	h[19] = to;
	add(p, h, 20 + options);
}

__attribute__((unused)) static void
add_ip6(struct packet *p, unsigned next, uint8_t from, uint8_t to)
{
	uint8_t h[40] = {0x60, [5] = 20, [7] = 64, [8] = 0x20, 1, 0xd, 0xb8, [24] = 0x20, 2, 0xd,
	    0xb9};
	h[6] = (uint8_t)next;
	h[23] = from;
	h[39] = to;
	add(p, h, 40);
}

/* The ports of TCP or UDP, and 16 octets. */
__attribute__((unused)) static void
add_ports(struct packet *p, unsigned from, unsigned to)
{
	static const uint8_t rest[16] = {[8] = 0x50};
	add16(p, from);
	add16(p, to);
	add(p, rest, sizeof rest);
}

static inline struct frame
frame_of(const struct packet *p)
{
	return (struct frame){.data = p->b,
	    .caplen = p->len,
	    .wirelen = p->len,
	    .link_type = p->link_type};
}

/* A number that looks random, the same in each run. */
__attribute__((unused)) static uint32_t
next_number(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* The link types that have an ethertype. */
static inline bool
has_type(uint32_t link_type)
{
	return link_type == ETHERNET || link_type == SLL || link_type == SLL2;
}

#endif
