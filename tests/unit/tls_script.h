/*
 * Runs scripts of what both sides of a TLS connection say.
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
#include "tls_messages.h"

/* What the hellos of tls_messages.h tell. */
#define CLIENT_LINE \
	"\nC hello 1.3 sni=mail.example alpn= fp=yes/t13d020200_c1929292aa6b_b9a491fefe05"
#define SERVER_12      "\nS hello 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 -"
#define CERTIFICATE_12 "\nS certificate 300"
#define SERVER_13      "\nS hello 1.3 TLS_AES_128_GCM_SHA256 X25519MLKEM768"

struct run {
	struct tls_pools pools;
	struct tls tls;
	char buf[16384]; /* a line for each event */
	struct text out;
	int plain;   /* the side whose PLAIN event the last one was; -1 for none */
	bool passes; /* what can go the short way does */
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
	case TLS_EVENT_RESUMED: text_puts(t, "resumed"); break;
	case TLS_EVENT_KEY_EXCHANGE:
		text_printf(t, "key %s %u", group != NULL ? group : "-", ev->dh_bits);
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
	if (r->passes && len > 0 && tls_pass(&r->tls, side, copy, len)) {
		free(copy);
		return;
	}
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

/* Runs the first `end` octets; a turn's octets in pieces of `step`, and cut at `cut` too, which
 * then go the short way where there is one. */
static inline void
run(struct run *r, const struct script *s, uint32_t buffers, size_t step, size_t cut, size_t end)
{
	memset(r, 0, sizeof *r);
	r->out = text_in(r->buf, sizeof r->buf);
	r->plain = -1;
	r->passes = step != SIZE_MAX || cut > 0;
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
			assert_int_equal(a->tls.half[side].record_left,
			    b->tls.half[side].record_left);
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
