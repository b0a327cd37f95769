/*
 * A read cursor over bytes that somebody else owns, with a sticky error.
 *
 * Parse on, check once: a read past the end returns zero, sets `bad` and moves nothing any more.
 * (The idea is Knot DNS's wire_ctx.)  No other code reads packet bytes by pointer arithmetic.
 */
#ifndef POSTCARD_BASE_CURSOR_H
#define POSTCARD_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *p;   /* next octet */
	const uint8_t *end; /* one past the last */
	bool bad;	    /* a read went past the end */
};

static inline struct cursor
cursor_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	return (struct cursor){p, p + len, false};
}

static inline size_t
cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

/* The next `n` octets, which stay owned by whoever owns the input; NULL and `bad` where they are
 * not there. */
static inline const uint8_t *
cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->p;
	if (c->bad || cursor_left(c) < n) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	return at;
}

static inline void
cursor_skip(struct cursor *c, size_t n)
{
	(void)cursor_take(c, n);
}

/* The next `n` octets as a cursor of their own (an empty bad one where they are not there). */
static inline struct cursor
cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *at = cursor_take(c, n);
	return at != NULL ? cursor_of(at, n) : (struct cursor){c->end, c->end, true};
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 1);
	return b != NULL ? b[0] : 0;
}

/* Up to 8 octets as a number, the first one lowest (on a little-endian machine; any other gets some
 * number of its own, the same for the same octets); without a call to copy them. */
static inline uint64_t
load_word(const void *octets, size_t len)
{
	const uint8_t *p = octets;
	uint64_t w = 0;
	if (len >= 8) {
		memcpy(&w, p, 8);
	} else if (len >= 4) {
		uint32_t first, last; /* some octets twice, where they lie over each other */
		memcpy(&first, p, 4);
		memcpy(&last, p + len - 4, 4);
		w = first | (uint64_t)last << 8 * (len - 4);
	} else if (len > 0) {
		w = p[0] | (uint64_t)p[len / 2] << 8 * (len / 2) |
		    (uint64_t)p[len - 1] << 8 * (len - 1);
	}
	return w;
}

static inline uint16_t
load_be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
load_be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint16_t
load_le16(const uint8_t *b)
{
	return (uint16_t)(b[1] << 8 | b[0]);
}

static inline uint32_t
load_le32(const uint8_t *b)
{
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static inline uint16_t
cursor_be16(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 2);
	return b != NULL ? load_be16(b) : 0;
}

static inline uint32_t
cursor_be24(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 3);
	return b != NULL ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t
cursor_be32(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 4);
	return b != NULL ? load_be32(b) : 0;
}

#endif
