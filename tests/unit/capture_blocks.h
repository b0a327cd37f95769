/* For the tests of src/capture: builds pcapng blocks, and packs files with gzip. */
#ifndef POSTCARD_TESTS_CAPTURE_BLOCKS_H
#define POSTCARD_TESTS_CAPTURE_BLOCKS_H

#include "capture_build.h"

/* --- pcapng --- */

static inline void
block(struct octets *o, uint32_t type, const struct octets *body)
{
	uint32_t padded = ((uint32_t)body->len + 3) / 4 * 4;
	put32(o, type);
	put32(o, padded + 12);
	put(o, body->p, body->len);
	put_fill(o, 0, padded - body->len);
	put32(o, padded + 12);
}

static inline void
section(struct octets *o, bool big)
{
	o->big = big;
	struct octets b = {.big = big};
	put32(&b, 0x1a2b3c4d);
	put16(&b, 1);
	put16(&b, 0);
	put32(&b, 0xffffffff);
	put32(&b, 0xffffffff);
	block(o, 0x0a0d0d0a, &b);
	octets_free(&b);
}

static inline void
option(struct octets *o, uint32_t code, const void *value, size_t len)
{
	put16(o, code);
	put16(o, (uint32_t)len);
	put(o, value, len);
	put_fill(o, 0, (4 - len % 4) % 4);
}

static inline void
option64(struct octets *o, uint32_t code, uint64_t v)
{
	struct octets b = {.big = o->big};
	put32(&b, (uint32_t)(o->big ? v >> 32 : v));
	put32(&b, (uint32_t)(o->big ? v : v >> 32));
	option(o, code, b.p, 8);
	octets_free(&b);
}

/* tsresol < 0: no such option; offset_s 0: no such option. */
static inline void
interface(struct octets *o, uint32_t link_type, uint32_t snaplen, int tsresol, int64_t offset_s)
{
	struct octets b = {.big = o->big};
	put16(&b, link_type);
	put16(&b, 0);
	put32(&b, snaplen);
	option(&b, 2, "eth0", 4);
	if (tsresol >= 0)
		option(&b, 9, &(uint8_t){(uint8_t)tsresol}, 1);
	if (offset_s != 0)
		option64(&b, 14, (uint64_t)offset_s);
	option(&b, 0, NULL, 0);
	block(o, 1, &b);
	octets_free(&b);
}

static inline void
enhanced(struct octets *o, uint32_t id, uint64_t units, uint32_t caplen, uint32_t wirelen, int fill)
{
	struct octets b = {.big = o->big};
	put32(&b, id);
	put32(&b, (uint32_t)(units >> 32));
	put32(&b, (uint32_t)units);
	put32(&b, caplen);
	put32(&b, wirelen);
	put_fill(&b, fill, caplen);
	block(o, 6, &b);
	octets_free(&b);
}

/* --- gzip --- */

static inline void
put_gzip(struct octets *o, const void *data, size_t len)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t cap = deflateBound(&z, len) + 64;
	uint8_t *b = malloc(cap);
	assert_non_null(b);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = b;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	put(o, b, cap - z.avail_out);
	deflateEnd(&z);
	free(b);
}

#endif
