/* For the tests of src/decode: frames by hand. */
#ifndef POSTCARD_TESTS_FRAME_BUILD_H
#define POSTCARD_TESTS_FRAME_BUILD_H

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

__attribute__((unused)) static void
put(struct build *f, const void *octets, uint32_t len)
{
	memcpy(f->b + f->len, octets, len);
	f->len += len;
}

__attribute__((unused)) static void
put16(struct build *f, unsigned v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	put(f, b, 2);
}

__attribute__((unused)) static void
put32(struct build *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

__attribute__((unused)) static void
ether(struct build *f, unsigned type)
{
	put(f, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	put16(f, type);
}

/* An IPv4 header with `options` octets of options, for `payload` octets behind it. */
__attribute__((unused)) static void
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

__attribute__((unused)) static void
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
__attribute__((unused)) static void
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
	return decode_frame(NULL, link, *copy, caplen, wirelen, out);
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

#endif
