/*
 * Scripts for tests of the TLS machine: what both sides say, in turns.
 *
 * check() runs a script whole, octet by octet, cut in two at every place, and cut short at every
 * place; it must tell the same events each time.  Each push lies in a buffer of its own size, so
 * that a read past its end is caught.  Protected octets are noise: what counts is their records'
 * types and lengths.
 */
#ifndef POSTCARD_TESTS_TLS_SCRIPT_H
#define POSTCARD_TESTS_TLS_SCRIPT_H

#include "base/limits.h"
#include "base/text.h"
#include "mail/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

/* ---- making octets ---- */

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

struct hello {
	unsigned version;  /* legacy */
	unsigned id;	   /* first octet of a session identifier of 32; 0 for none */
	unsigned cipher;   /* of a server */
	unsigned selected; /* supported_versions of a server; 0 for none */
	bool psk, retry;
	size_t padding; /* octets of a padding extension; 0 for none */
};

static inline void
put_head(struct bytes *b, const struct hello *h)
{
	static const char retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8"
				    "\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8"
				    "\x33\x9c";
	uint8_t random[32] = {0x17, 0x03, 0x03}, id[32] = {(uint8_t)h->id, 1, 2};
	put_n(b, h->version, 2);
	put(b, h->retry ? (const void *)retry : random, 32);
	put_n(b, h->id != 0 ? 32 : 0, 1);
	put(b, id, h->id != 0 ? 32 : 0);
}

static inline size_t
begin_message(struct bytes *b, unsigned type)
{
	put_n(b, type, 1);
	return open_n(b, 3);
}

/* A ClientHello of two ciphers, for mail.example. */
static inline void
client_hello(struct bytes *b, struct hello h)
{
	static const uint16_t ciphers[] = {0x1301, 0xc02f};
	static uint8_t padding[65000];
	size_t at = begin_message(b, 1), list;
	put_head(b, &h);
	put_list(b, ciphers, 2);
	put(b, "\1\0", 2);
	list = open_n(b, 2);
	put_extension(b, 0, "\0\x0f\0\0\x0cMail.Example", 17);
	if (h.padding > 0)
		put_extension(b, 21, padding, h.padding);
	put_extension(b, 43, "\4\3\4\3\3", 5);
	close_n(b, list, 2);
	close_n(b, at, 3);
}

static inline void
server_hello(struct bytes *b, struct hello h)
{
	size_t at = begin_message(b, 2), list;
	uint8_t v[2] = {(uint8_t)(h.selected >> 8), (uint8_t)h.selected};
	put_head(b, &h);
	put_n(b, h.cipher, 2);
	put_n(b, 0, 1);
	list = open_n(b, 2);
	if (h.selected != 0) {
		put_extension(b, 43, v, 2);
		put_extension(b, 51, "\x11\xec\0\2ab", 6);
	} else {
		put_extension(b, 65281, "\0", 1);
	}
	if (h.psk)
		put_extension(b, 41, "\0\0", 2);
	close_n(b, list, 2);
	close_n(b, at, 3);
}

/* A Certificate message of two certificates, of which the first is "DER:" and noise. */
static inline void
certificate(struct bytes *b, size_t len)
{
	static uint8_t fill[65000];
	size_t at = begin_message(b, 11), list = open_n(b, 3);
	memset(fill, 0x0b, sizeof fill);
	put_n(b, len, 3);
	put(b, "DER:", 4);
	put(b, fill, len - 4);
	put_n(b, 40, 3);
	put(b, fill, 40);
	close_n(b, list, 3);
	close_n(b, at, 3);
}

static inline void
message(struct bytes *b, unsigned type, size_t len)
{
	uint8_t fill[300] = {0};
	size_t at = begin_message(b, type);
	put(b, fill, len);
	close_n(b, at, 3);
}

/* Says the messages in records of at most `most` octets, and forgets them. */
static inline void
flush(struct script *s, enum tls_side side, struct bytes *b, size_t most)
{
	for (size_t at = 0; at < b->len; at += most)
		record(s, side, 22, b->b + at, b->len - at < most ? b->len - at : most);
	b->len = 0;
}

static const struct hello hello_12 = {.version = 0x0303, .id = 7, .cipher = 0xc02f};
static const struct hello hello_13 = {.version = 0x0303,
    .id = 7,
    .cipher = 0x1301,
    .selected = 0x0304};

/* Both hellos of TLS 1.3, the server's CCS and its flight of protected records. */
static inline void
begin_13(struct script *s)
{
	struct bytes *b = calloc(1, sizeof *b);
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	ccs(s, S);
	noise(s, S, 23, 23);
	noise(s, S, 23, 900);
	noise(s, S, 23, 53);
	free(b);
}

/* TLS 1.2 up to the server's ServerHelloDone, in records of at most `most` octets. */
static inline void
begin_12(struct script *s, unsigned cipher, size_t most)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_12;
	client_hello(b, h);
	flush(s, C, b, most);
	h.cipher = cipher;
	h.id = 9;
	server_hello(b, h);
	certificate(b, 300);
	message(b, 12, 120);
	message(b, 14, 0);
	flush(s, S, b, most);
	message(b, 16, 66);
	flush(s, C, b, most);
	free(b);
}

/* ---- running ---- */

struct run {
	struct tls_pools pools;
	struct tls tls;
	char buf[16384]; /* a line for each event */
	struct text out;
	int plain; /* the side whose PLAIN event the last one was; -1 for none */
};

static inline void
print_event(struct run *r, const struct tls_event *ev)
{
	struct text *t = &r->out;
	const char *version = tls_version_name(ev->version), *cipher = tls_cipher_name(ev->cipher);
	const char *group = tls_group_name(ev->group), *name = tls_alert_name(ev->alert);
	if (ev->kind == TLS_EVENT_PLAIN && r->plain == (int)ev->side) {
		text_add_wire(t, ev->data, ev->len);
		return;
	}
	text_printf(t, "\n%c ", ev->side == C ? 'C' : 'S');
	r->plain = -1;
	switch (ev->kind) {
	case TLS_EVENT_CLIENT_HELLO:
		text_printf(t, "hello %s sni=%s alpn=%s", version, ev->sni, ev->alpn);
		text_printf(t, " fp=%s/%s", ev->ja3[0] != '\0' ? "yes" : "no", ev->ja4);
		break;
	case TLS_EVENT_SERVER_HELLO:
		text_printf(t, "hello %s %s %s%s", version, cipher, group != NULL ? group : "-",
		    ev->resumed ? " resumed" : "");
		break;
	case TLS_EVENT_CERTIFICATE:
		assert_true(ev->len >= 4 && memcmp(ev->data, "DER:", 4) == 0);
		for (size_t i = 4; i < ev->len; i++)
			assert_int_equal(ev->data[i], 0x0b);
		text_printf(t, "certificate %zu", ev->len);
		break;
	case TLS_EVENT_ALERT: text_printf(t, "alert %u %s", ev->alert_level, name); break;
	case TLS_EVENT_ESTABLISHED: text_puts(t, "established"); break;
	case TLS_EVENT_MIDSTREAM: text_puts(t, "midstream"); break;
	case TLS_EVENT_GARBAGE: text_puts(t, "garbage"); break;
	case TLS_EVENT_PLAIN:
		r->plain = (int)ev->side;
		text_puts(t, "plain ");
		text_add_wire(t, ev->data, ev->len);
		break;
	}
}

static inline void
push(struct run *r, enum tls_side side, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct tls_event ev;
	memcpy(copy, data, len);
	struct tls_input in = {copy, len, side};
	while (tls_next(&r->pools, &r->tls, &in, &ev)) {
		size_t used = (size_t)(in.data - copy);
		assert_true(used + in.len == len);
		if (ev.kind == TLS_EVENT_GARBAGE)
			assert_true(ev.data + ev.len == copy + len && in.len == 0);
		print_event(r, &ev);
	}
	assert_true(in.len == 0 && in.data == copy + len);
	free(copy);
}

/* Runs the first `end` octets; a turn's octets in pieces of `step`, and cut at `cut` too. */
static inline void
run(struct run *r, const struct script *s, uint32_t buffers, size_t step, size_t cut, size_t end)
{
	memset(r, 0, sizeof *r);
	r->out = text_in(r->buf, sizeof r->buf);
	r->plain = -1;
	assert_true(tls_pools_init(&r->pools, buffers));
	for (unsigned i = 0; i < s->n; i++) {
		const struct turn *t = &s->turn[i];
		size_t last = t->at + t->len < end ? t->at + t->len : end;
		if (t->gap && t->at < end)
			tls_gap(&r->pools, &r->tls, t->side, t->len);
		if (t->gap)
			continue;
		for (size_t at = t->at, n; at < last; at += n) {
			n = last - at < step ? last - at : step;
			if (at < cut && cut < at + n)
				n = cut - at;
			push(r, t->side, s->b + at, n);
		}
	}
	tls_end(&r->pools, &r->tls);
	assert_int_equal(r->pools.handshakes.used, 0);
	tls_pools_free(&r->pools);
	assert_false(r->out.cut);
}

/* The script must tell `want`, however it is cut; frees it. */
static inline void
check(struct script *s, const char *want)
{
	struct run *a = malloc(sizeof *a), *b = malloc(sizeof *b);
	size_t stride = s->len > 4000 ? s->len / 60 : 1;
	run(a, s, 2, SIZE_MAX, 0, s->len);
	assert_string_equal(a->buf, want);
	run(b, s, 2, 1, 0, s->len);
	assert_string_equal(b->buf, want);
	for (size_t cut = 1; cut < s->len; cut += stride) {
		run(b, s, 2, SIZE_MAX, cut, s->len);
		assert_string_equal(b->buf, want);
		assert_int_equal(a->tls.flags, b->tls.flags);
		for (int side = 0; side < 2; side++) {
			assert_int_equal(a->tls.half[side].flags, b->tls.half[side].flags);
			assert_int_equal(a->tls.half[side].protected_records,
			    b->tls.half[side].protected_records);
		}
	}
	for (size_t end = 0; end < s->len; end += stride) {
		run(a, s, 2, SIZE_MAX, 0, end);
		assert_true(strncmp(a->buf, want, a->out.len) == 0);
		if (end % (s->len / 64 + 1) == 0) { /* octet by octet at some */
			run(b, s, 2, 1, 0, end);
			assert_string_equal(a->buf, b->buf);
		}
	}
	free(a);
	free(b);
	free(s);
}

/* Runs it in one piece, with a state to look at; the caller frees both. */
static inline struct run *
run_whole(const struct script *s, uint32_t buffers)
{
	struct run *r = malloc(sizeof *r);
	run(r, s, buffers, SIZE_MAX, 0, s->len);
	return r;
}

#endif
