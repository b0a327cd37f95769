/* Scripts for tests of the TLS machine: records of both sides, in turns; lists and lengths. */
#ifndef POSTCARD_TESTS_TLS_OCTETS_H
#define POSTCARD_TESTS_TLS_OCTETS_H

#include "mail/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define C TLS_CLIENT
#define S TLS_SERVER

struct turn {
	enum tls_side side;
	size_t at, len; /* octets in the script; for a gap: how many were lost */
	bool gap;
};

struct script {
	uint8_t b[400000];
	size_t len;
	struct turn turn[64];
	unsigned n;
};

struct bytes {
	uint8_t b[70000];
	size_t len;
};

static inline struct script *
script_new(void)
{
	struct script *s = calloc(1, sizeof *s);
	assert_non_null(s);
	return s;
}

static inline void
say(struct script *s, enum tls_side side, const void *octets, size_t len)
{
	if (s->n == 0 || s->turn[s->n - 1].side != side || s->turn[s->n - 1].gap) {
		assert_true(s->n < 64);
		s->turn[s->n++] = (struct turn){.side = side, .at = s->len};
	}
	assert_true(len <= sizeof s->b - s->len);
	memcpy(s->b + s->len, octets, len);
	s->len += len;
	s->turn[s->n - 1].len += len;
}

static inline void
lose(struct script *s, enum tls_side side, size_t len)
{
	s->turn[s->n++] = (struct turn){.side = side, .at = s->len, .len = len, .gap = true};
}

/* The next octets of the side come in a push of their own. */
static inline void
pause_here(struct script *s)
{
	assert_true(s->n < 64);
	s->turn[s->n] = (struct turn){.side = s->turn[s->n - 1].side, .at = s->len};
	s->n++;
}

static inline void
record_as(struct script *s, enum tls_side side, unsigned type, unsigned version, const void *body,
    size_t len)
{
	uint8_t head[5] = {(uint8_t)type, (uint8_t)(version >> 8), (uint8_t)version,
	    (uint8_t)(len >> 8), (uint8_t)len};
	say(s, side, head, sizeof head);
	say(s, side, body, len);
}

static inline void
record(struct script *s, enum tls_side side, unsigned type, const void *body, size_t len)
{
	record_as(s, side, type, 0x0303, body, len);
}

/* A record that nobody can read. */
static inline void
noise(struct script *s, enum tls_side side, unsigned type, size_t len)
{
	static uint8_t body[20000];
	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(0x9d * (i + 1) ^ len);
	record(s, side, type, body, len);
}

static inline void
ccs(struct script *s, enum tls_side side)
{
	record(s, side, 20, "\1", 1);
}

static inline void
alert(struct script *s, enum tls_side side, unsigned level, unsigned description)
{
	uint8_t b[2] = {(uint8_t)level, (uint8_t)description};
	record(s, side, 21, b, 2);
}

static inline void
put(struct bytes *b, const void *octets, size_t len)
{
	assert_true(len <= sizeof b->b - b->len);
	memcpy(b->b + b->len, octets, len);
	b->len += len;
}

static inline void
put_n(struct bytes *b, unsigned long v, int octets)
{
	for (int i = octets - 1; i >= 0; i--) {
		uint8_t o = (uint8_t)(v >> (8 * i));
		put(b, &o, 1);
	}
}

/* Sets the big-endian length of `octets` at `at` to what was put behind it. */
static inline void
close_n(struct bytes *b, size_t at, int octets)
{
	size_t n = b->len - at - (size_t)octets;
	for (int i = 0; i < octets; i++)
		b->b[at + (size_t)i] = (uint8_t)(n >> (8 * (octets - 1 - i)));
}

static inline size_t
open_n(struct bytes *b, int octets)
{
	size_t at = b->len;
	put_n(b, 0, octets);
	return at;
}

static inline void
put_list(struct bytes *b, const uint16_t *v, size_t n)
{
	size_t at = open_n(b, 2);
	for (size_t i = 0; i < n; i++)
		put_n(b, v[i], 2);
	close_n(b, at, 2);
}

static inline void
put_extension(struct bytes *b, uint16_t type, const void *data, size_t len)
{
	put_n(b, type, 2);
	put_n(b, len, 2);
	put(b, data, len);
}

#endif
