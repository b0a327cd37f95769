/*
 * Fingerprints: see tls_print.h.
 *
 * JA3 and JA3S (Althouse, Atkinson, Atkins: MD5 of lists of decimal numbers), JA4 (FoxIO, the TLS
 * client part: SHA-256 of sorted lists of hexadecimal numbers).  GREASE values (RFC 8701) are left
 * out of all of them.  A list longer than TLS_LIST_MAX, which is more than IANA has numbers to
 * offer, has no fingerprint: that of its start would be another client's.
 */
#include "mail/tls_print.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#define EXT_SERVER_NAME 0u
#define EXT_ALPN	16u

#define DIGITS_MAX (5u * TLS_LIST_MAX * 6u) /* octets of five lists, "65535-" each */

static const char hex[] = "0123456789abcdef";

/* A line of numbers that is to be hashed.  It has room for five lists. */
struct line {
	char s[DIGITS_MAX];
	size_t len;
};

static void
line_begin(struct line *t)
{
	t->len = 0;
}

/* Shell's sort: qsort may call malloc. */
static void
list_sort(struct tls_list *l)
{
	static const unsigned steps[] = {301, 132, 57, 23, 10, 4, 1};
	for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
		unsigned step = steps[s];
		for (unsigned i = step; i < l->n; i++) {
			uint16_t v = l->v[i];
			unsigned at = i;
			for (; at >= step && l->v[at - step] > v; at -= step)
				l->v[at] = l->v[at - step];
			l->v[at] = v;
		}
	}
}

static void
line_putc(struct line *t, char c)
{
	if (t->len < sizeof t->s)
		t->s[t->len++] = c;
}

static void
line_put(struct line *t, uint16_t v)
{
	char digits[5];
	int n = 0;
	do {
		digits[n++] = (char)('0' + v % 10);
		v = (uint16_t)(v / 10);
	} while (v > 0);
	while (n > 0)
		line_putc(t, digits[--n]);
}

/* "4-5-6" */
static void
line_put_decimal(struct line *t, const struct tls_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (i > 0)
			line_putc(t, '-');
		line_put(t, l->v[i]);
	}
}

/* "0004,0005,0006" */
static void
line_put_hex(struct line *t, const struct tls_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (i > 0)
			line_putc(t, ',');
		for (int shift = 12; shift >= 0; shift -= 4)
			line_putc(t, hex[l->v[i] >> shift & 0xf]);
	}
}

/* The first `digits` hexadecimal digits of a digest over the line; out takes them and a NUL. */
static void
line_digest(const struct line *t, enum digest_kind kind, size_t digits, char *out)
{
	uint8_t d[DIGEST_MAX];
	out[0] = '\0';
	if (digest(kind, t->s, t->len, d) * 2 < digits)
		return;
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[(i % 2 == 0 ? d[i / 2] >> 4 : d[i / 2]) & 0xf];
	out[digits] = '\0';
}

static void
put_ja3(uint16_t version, const struct tls_lists *l, struct tls_event *ev)
{
	struct line t;
	line_begin(&t);
	line_put(&t, version);
	line_putc(&t, ',');
	line_put_decimal(&t, &l->ciphers);
	line_putc(&t, ',');
	line_put_decimal(&t, &l->extensions);
	line_putc(&t, ',');
	line_put_decimal(&t, &l->groups);
	line_putc(&t, ',');
	line_put_decimal(&t, &l->formats);
	line_digest(&t, DIGEST_MD5, 32, ev->ja3);
}

static void
put_ja3s(uint16_t legacy, const struct tls_list *extensions, struct tls_event *ev)
{
	struct line t;
	line_begin(&t);
	line_put(&t, legacy);
	line_putc(&t, ',');
	line_put(&t, ev->cipher);
	line_putc(&t, ',');
	line_put_decimal(&t, extensions);
	line_digest(&t, DIGEST_MD5, 32, ev->ja3);
}

static const char *
ja4_version(uint16_t v)
{
	switch (v) {
	case 0x0304: return "13";
	case 0x0303: return "12";
	case 0x0302: return "11";
	case 0x0301: return "10";
	case 0x0300: return "s3";
	case 0x0002: return "s2";
	default: return "00";
	}
}

static void
put_ja4(struct tls_lists *l, struct tls_event *ev)
{
	char ciphers[13] = "000000000000", extensions[13] = "000000000000";
	struct text out = text_in(ev->ja4, sizeof ev->ja4);
	struct tls_list rest; /* those that do not depend on where the client connects to */
	struct line t;
	rest.n = 0;
	line_begin(&t);
	for (unsigned i = 0; i < l->extensions.n; i++) {
		if (l->extensions.v[i] != EXT_SERVER_NAME && l->extensions.v[i] != EXT_ALPN)
			rest.v[rest.n++] = l->extensions.v[i];
	}
	list_sort(&l->ciphers);
	list_sort(&rest);
	line_put_hex(&t, &l->ciphers);
	if (l->ciphers.n > 0)
		line_digest(&t, DIGEST_SHA256, 12, ciphers);
	t.len = 0;
	line_put_hex(&t, &rest);
	if (l->signatures.n > 0) {
		line_putc(&t, '_');
		line_put_hex(&t, &l->signatures);
	}
	if (rest.n > 0)
		line_digest(&t, DIGEST_SHA256, 12, extensions);
	text_printf(&out, "t%s%c%02u%02u%c%c_%s_%s", ja4_version(ev->version), l->sni ? 'd' : 'i',
	    l->ciphers.n < 99 ? l->ciphers.n : 99, l->extensions.n < 99 ? l->extensions.n : 99,
	    l->alpn_ends[0], l->alpn_ends[1], ciphers, extensions);
}

/* ---- those that are known ---- */

/* All that the fingerprints of a hello are made of. */
struct key {
	uint16_t v[TLS_PRINT_KEY];
	unsigned n;
	bool cut; /* there is more */
};

static void
key_add(struct key *k, const uint16_t *v, unsigned n)
{
	if (k->cut || n > TLS_PRINT_KEY - k->n) {
		k->cut = true;
		return;
	}
	memcpy(k->v + k->n, v, n * sizeof *v);
	k->n += n;
}

static void
key_add_list(struct key *k, const struct tls_list *l)
{
	const uint16_t n = (uint16_t)l->n;
	key_add(k, &n, 1);
	key_add(k, l->v, l->n);
}

/* Where the fingerprints of the hello are, or are to be kept; NULL where it says too much. */
static struct tls_print *
place_of(struct tls_print known[TLS_PRINTS], const struct key *k)
{
	uint32_t h = 2166136261u; /* FNV-1a; who makes two alike has them made anew each time */
	for (unsigned i = 0; i < k->n; i++)
		h = (h ^ k->v[i]) * 16777619u;
	return k->cut ? NULL : &known[(h ^ h >> 16) % TLS_PRINTS];
}

/* Sets them where they are known. */
static bool
recall(const struct tls_print *p, const struct key *k, struct tls_event *ev)
{
	if (p == NULL || p->n != k->n || memcmp(p->key, k->v, k->n * sizeof *k->v) != 0)
		return false;
	memcpy(ev->ja3, p->ja3, sizeof ev->ja3);
	memcpy(ev->ja4, p->ja4, sizeof ev->ja4);
	return true;
}

static void
keep(struct tls_print *p, const struct key *k, const struct tls_event *ev)
{
	if (p == NULL)
		return;
	p->n = (uint16_t)k->n;
	memcpy(p->key, k->v, k->n * sizeof *k->v);
	memcpy(p->ja3, ev->ja3, sizeof p->ja3);
	memcpy(p->ja4, ev->ja4, sizeof p->ja4);
}

void
tls_print_client(struct tls_print known[TLS_PRINTS], uint16_t legacy, struct tls_lists *l,
    struct tls_event *ev)
{
	const uint16_t rest[] = {TLS_CLIENT, legacy, ev->version, l->sni, (uint8_t)l->alpn_ends[0],
	    (uint8_t)l->alpn_ends[1]};
	/* cppcheck-suppress uninitvar ; of v no more is read than was written */
	struct key k;
	k.n = 0;
	k.cut = false;
	key_add(&k, rest, sizeof rest / sizeof *rest);
	key_add_list(&k, &l->ciphers);
	key_add_list(&k, &l->extensions);
	key_add_list(&k, &l->groups);
	key_add_list(&k, &l->formats);
	key_add_list(&k, &l->signatures);
	struct tls_print *p = place_of(known, &k);
	if (recall(p, &k, ev))
		return;
	put_ja3(legacy, l, ev);
	put_ja4(l, ev);
	keep(p, &k, ev);
}

void
tls_print_server(struct tls_print known[TLS_PRINTS], uint16_t legacy,
    const struct tls_list *extensions, struct tls_event *ev)
{
	const uint16_t rest[] = {TLS_SERVER, legacy, ev->cipher};
	struct key k;
	k.n = 0;
	k.cut = false;
	key_add(&k, rest, sizeof rest / sizeof *rest);
	key_add_list(&k, extensions);
	struct tls_print *p = place_of(known, &k);
	if (recall(p, &k, ev))
		return;
	put_ja3s(legacy, extensions, ev);
	keep(p, &k, ev);
}
