/* Frames by hand through every link type and layer; each prefix of each is decoded from a buffer of
 * its own size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "decode/decode.h"

/* A frame under construction. */
struct build {
	uint8_t b[4096];
	uint32_t len;
};

static void
put(struct build *f, const void *octets, uint32_t len)
{
	memcpy(f->b + f->len, octets, len);
	f->len += len;
}

static void
put16(struct build *f, unsigned v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	put(f, b, 2);
}

static void
put32(struct build *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

static void
ether(struct build *f, unsigned type)
{
	put(f, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	put16(f, type);
}

/* An IPv4 header with `options` octets of options, for `payload` octets behind it. */
static void
ip4(struct build *f, uint32_t options, unsigned total, unsigned fragment, uint8_t proto)
{
	uint8_t h[60] = {(uint8_t)(0x40 | (5 + options / 4))};
	h[2] = (uint8_t)(total >> 8);
	h[3] = (uint8_t)total;
	h[6] = (uint8_t)(fragment >> 8);
	h[7] = (uint8_t)fragment;
	h[8] = 64;
	h[9] = proto;
	memcpy(h + 12, "\xc0\0\x02\x09\xc0\0\x02\x19", 8);
	put(f, h, 20 + options);
}

static void
ip6(struct build *f, unsigned len, uint8_t next)
{
	uint8_t h[40] = {0x60};
	h[4] = (uint8_t)(len >> 8);
	h[5] = (uint8_t)len;
	h[6] = next;
	h[7] = 64;
	h[8] = 0x20;
	h[23] = 9;
	h[24] = 0x20;
	h[39] = 0x19;
	put(f, h, 40);
}

/* A TCP header of 20 octets plus options, and a payload. */
static void
tcp(struct build *f, uint32_t options, const char *payload)
{
	put16(f, 40000);
	put16(f, 25);
	put32(f, 1000);
	put32(f, 2000);
	put16(f, (5 + options / 4) << 12 | TCP_ACK | TCP_PSH);
	put16(f, 512);
	put32(f, 0);
	for (uint32_t i = 0; i < options; i++)
		put(f, "\x01", 1);
	put(f, payload, (uint32_t)strlen(payload));
}

/* Decodes from a buffer that is exactly as large as what was captured. */
static enum decode_result
decode(const struct build *f, uint32_t link, uint32_t caplen, uint32_t wirelen, struct segment *out,
    uint8_t **copy)
{
	*copy = malloc(caplen > 0 ? caplen : 1);
	memcpy(*copy, f->b, caplen);
	memset(out, 0, sizeof *out);
	return decode_frame(link, *copy, caplen, wirelen, out);
}

/* The whole frame holds "hello"; no prefix of it, cut by the capture or damaged, is read past its
 * end or says more. */
static void
expect_hello(const struct build *f, uint32_t link, uint32_t trailer, uint32_t family)
{
	struct segment seg;
	uint8_t *copy;
	assert_int_equal(decode(f, link, f->len, f->len, &seg, &copy), DECODE_TCP);
	assert_int_equal(seg.ends.family, family);
	assert_int_equal(seg.ends.port[0], 40000);
	assert_int_equal(seg.ends.port[1], 25);
	assert_int_equal(seg.seq, 1000);
	assert_int_equal(seg.ack, 2000);
	assert_int_equal(seg.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(seg.wire_len, 5);
	assert_int_equal(seg.len, 5);
	assert_memory_equal(seg.payload, "hello", 5);
	assert_int_equal(seg.ends.ip[1][family == 4 ? 3 : 15], 0x19);
	free(copy);
	for (uint32_t n = 0; n < f->len; n++) {
		enum decode_result r = decode(f, link, n, f->len, &seg, &copy);
		if (r == DECODE_TCP && !seg.headless) {
			assert_int_equal(seg.wire_len, 5);
			uint32_t there = n + trailer + 5 > f->len ? n + trailer + 5 - f->len : 0;
			assert_int_equal(seg.len, there < 5 ? there : 5);
		}
		free(copy);
		r = decode(f, link, n, n, &seg,
		    &copy); /* not cut by the capture: short on the wire */
		assert_true(r == DECODE_TCP || r == DECODE_DAMAGED || r == DECODE_OTHER);
		if (r == DECODE_TCP)
			assert_true(seg.len <= seg.wire_len);
		free(copy);
	}
}

static void
links(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		const char *head;
		uint32_t len;
	} rows[] = {
	    {101, "", 0},
	    {12, "", 0},
	    {14, "", 0},
	    {228, "", 0},
	    {0, "\x02\0\0\0", 4},
	    {0, "\0\0\0\x02", 4},
	    {108, "\0\0\0\x02", 4},
	    {113, "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\0", 16},
	    {276, "\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0", 20},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x81\0\0\x07\x08\0", 18},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xa8\0\x07\x81\0\0\x08\x08\0", 22},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		put(&f, rows[i].head, rows[i].len);
		ip4(&f, 0, 45, 0x4000, 6);
		tcp(&f, 0, "hello");
		expect_hello(&f, rows[i].type, 0, 4);
	}
}

static void
the_outermost_tag_and_the_addresses_are_kept(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x88a8);
	put16(&f, 0x2007);
	put16(&f, 0x8100);
	put16(&f, 0x0008);
	put16(&f, 0x0800);
	ip4(&f, 0, 45, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(1, f.b, f.len, f.len, &seg), DECODE_TCP);
	assert_int_equal(seg.vlan, 7);
	assert_int_equal(seg.mac[0][5], 2); /* source */
	assert_int_equal(seg.mac[1][5], 1);
}

static void
ipv4_odds(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 24, 24 + 45 + 12, 0, 6);
	tcp(&f, 12, "hello");
	expect_hello(&f, 1, 0, 4);
	put(&f, "\0\0\0\0\0\0", 6); /* Ethernet pads to 60 octets */
	expect_hello(&f, 1, 6, 4);

	struct build tso = {.len = 0}; /* total length 0: the frame's counts */
	ether(&tso, 0x0800);
	ip4(&tso, 0, 0, 0, 6);
	tcp(&tso, 0, "hello");
	expect_hello(&tso, 1, 0, 4);

	static const unsigned fragments[] = {0x2000, 0x0001, 0x2001};
	for (size_t i = 0; i < 3; i++) {
		struct build frag = {.len = 0};
		ether(&frag, 0x0800);
		ip4(&frag, 0, 45, fragments[i], 6);
		tcp(&frag, 0, "hello");
		assert_int_equal(decode_frame(1, frag.b, frag.len, frag.len, &seg),
		    DECODE_FRAGMENT);
	}
	struct build udp = {.len = 0};
	ether(&udp, 0x0800);
	ip4(&udp, 0, 45, 0, 17);
	tcp(&udp, 0, "hello");
	assert_int_equal(decode_frame(1, udp.b, udp.len, udp.len, &seg), DECODE_OTHER);
}

static void
ipv6_extensions(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	ether(&f, 0x86dd);
	ip6(&f, 8 + 16 + 8 + 25, 0);
	put(&f, "\x2b\0\0\0\0\0\0\0", 8);		     /* hop-by-hop */
	put(&f, "\x2c\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* routing */
	put(&f, "\x06\0\0\0\0\0\0\x01", 8);		     /* an atomic fragment */
	tcp(&f, 0, "hello");
	expect_hello(&f, 1, 0, 6);

	struct build frag = {.len = 0};
	struct segment seg;
	ether(&frag, 0x86dd);
	ip6(&frag, 8 + 25, 44);
	put(&frag, "\x06\0\0\x01\0\0\0\x01", 8);
	tcp(&frag, 0, "hello");
	assert_int_equal(decode_frame(1, frag.b, frag.len, frag.len, &seg), DECODE_FRAGMENT);

	struct build endless = {.len = 0};
	ether(&endless, 0x86dd);
	ip6(&endless, 8 * 200, 60);
	for (int i = 0; i < 200; i++)
		put(&endless, "\x3c\0\0\0\0\0\0\0", 8);
	assert_int_equal(decode_frame(1, endless.b, endless.len, endless.len, &seg),
	    DECODE_DAMAGED);
}

static void
a_cut_payload_keeps_its_length(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 0, 1500, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(1, f.b, f.len, 1514, &seg), DECODE_TCP);
	assert_int_equal(seg.len, 5);
	assert_int_equal(seg.wire_len, 1460);
}

static void
a_cut_header_names_the_ends(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 0, 45, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(1, f.b, 14 + 20 + 8, f.len, &seg), DECODE_TCP);
	assert_true(seg.headless);
	assert_int_equal(seg.ends.port[1], 25);
	assert_int_equal(seg.wire_len, 0);
	assert_int_equal(decode_frame(1, f.b, 14 + 20 + 8, 14 + 20 + 8, &seg),
	    DECODE_TCP); /* IP says more was sent */
	assert_int_equal(decode_frame(1, f.b, 14 + 20 + 3, f.len, &seg), DECODE_DAMAGED);
}

static void
lies_are_damage(void **state)
{
	(void)state;
	struct segment seg;
	static const struct {
		uint32_t at;
		uint8_t value;
	} lies[] = {{14, 0x44}, {14, 0x55}, {14, 0x4f}, {14 + 3, 19}, {14 + 20 + 12, 0x40},
	    {14 + 20 + 12, 0xf0}};
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct build f = {.len = 0};
		ether(&f, 0x0800);
		ip4(&f, 0, 45, 0, 6);
		tcp(&f, 0, "hello");
		f.b[lies[i].at] = lies[i].value;
		assert_int_equal(decode_frame(1, f.b, f.len, f.len, &seg), DECODE_DAMAGED);
	}
	struct build tags = {.len = 0}; /* tags without end */
	ether(&tags, 0x8100);
	for (int i = 0; i < 500; i++)
		put(&tags, "\0\x01\x81\0", 4);
	assert_int_equal(decode_frame(1, tags.b, tags.len, tags.len, &seg), DECODE_DAMAGED);
	assert_int_equal(decode_frame(9999, tags.b, tags.len, tags.len, &seg), DECODE_UNKNOWN_LINK);
	assert_int_equal(decode_frame(1, tags.b, 0, 0, &seg), DECODE_DAMAGED);
}

static void
garbage_is_survived(void **state)
{
	(void)state;
	static const uint32_t types[] = {0, 1, 12, 101, 108, 113, 228, 229, 276};
	srand(7);
	for (int i = 0; i < 200000; i++) {
		uint32_t len = (uint32_t)rand() % 120, wire = len + (uint32_t)rand() % 3 * 50;
		uint8_t *b = malloc(len > 0 ? len : 1);
		struct segment seg;
		for (uint32_t k = 0; k < len; k++)
			b[k] = (uint8_t)rand();
		if (len > 15 && rand() % 2)
			memcpy(b + 12, "\x08\0\x45", 3);
		if (decode_frame(types[rand() % 9], b, len, wire, &seg) == DECODE_TCP &&
		    seg.len > 0) {
			assert_true(seg.payload >= b && seg.payload + seg.len <= b + len);
			assert_true(seg.len <= seg.wire_len);
		}
		free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(links),
	    cmocka_unit_test(the_outermost_tag_and_the_addresses_are_kept),
	    cmocka_unit_test(ipv4_odds),
	    cmocka_unit_test(ipv6_extensions),
	    cmocka_unit_test(a_cut_payload_keeps_its_length),
	    cmocka_unit_test(a_cut_header_names_the_ends),
	    cmocka_unit_test(lies_are_damage),
	    cmocka_unit_test(garbage_is_survived),
	};
	return cmocka_run_group_tests_name("decode/decode", tests, NULL, NULL);
}
