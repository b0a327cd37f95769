/*
 * The hellos: see tls_hello.h.  Their lists become fingerprints in tls_print.c; GREASE values
 * (RFC 8701) are left out of them.
 */
#include "mail/tls_hello.h"

#include <string.h>

#include "base/text.h"
#include "mail/tls_print.h"

#define EXT_SERVER_NAME	       0u
#define EXT_GROUPS	       10u
#define EXT_POINT_FORMATS      11u
#define EXT_SIGNATURES	       13u
#define EXT_ALPN	       16u
#define EXT_PRE_SHARED_KEY     41u
#define EXT_SUPPORTED_VERSIONS 43u
#define EXT_KEY_SHARE	       51u

/* Their numbers are not zeroed: that was 20 KiB for each hello. */
static void
lists_begin(struct tls_lists *l)
{
	struct tls_list *const all[] = {&l->ciphers, &l->extensions, &l->groups, &l->formats,
	    &l->signatures};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		all[i]->n = 0;
		all[i]->cut = false;
	}
	l->highest = 0;
	l->sni = false;
	l->alpn_ends[0] = l->alpn_ends[1] = '0';
}

static bool
is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

static void
list_add(struct tls_list *l, uint16_t v)
{
	if (is_grease(v))
		return;
	if (l->n < TLS_LIST_MAX)
		l->v[l->n++] = v;
	else
		l->cut = true;
}

static void
list_read16(struct tls_list *l, struct cursor c)
{
	while (cursor_left(&c) >= 2)
		list_add(l, cursor_be16(&c));
}

/* Hash of a session identifier, never 0 (FNV-1a: tells them apart, keeps nothing secret); 0 for
 * none. */
static uint32_t
id_hash(const uint8_t *id, size_t len)
{
	uint32_t h = 2166136261u;
	if (id == NULL || len == 0 || len > 32)
		return 0;
	for (size_t i = 0; i < len; i++)
		h = (h ^ id[i]) * 16777619u;
	return h != 0 ? h : 1;
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The first protocol of an ALPN list (RFC 7301). */
static void
read_alpn(struct cursor c, struct tls_lists *l, struct tls_event *ev)
{
	static const char hex[] = "0123456789abcdef";
	struct cursor names = cursor_sub(&c, cursor_be16(&c));
	size_t len = cursor_u8(&names);
	const uint8_t *name = cursor_take(&names, len);
	struct text t = text_in(ev->alpn, sizeof ev->alpn);
	if (name == NULL || len == 0)
		return;
	text_add_wire(&t, name, len);
	uint8_t first = name[0], last = name[len - 1];
	bool plain = is_alnum(first) && is_alnum(last);
	l->alpn_ends[0] = plain ? (char)first : hex[first >> 4];
	l->alpn_ends[1] = plain ? (char)last : hex[last & 0xf];
}

/* RFC 6066 section 3 */
static void
read_sni(struct cursor c, struct tls_event *ev)
{
	struct cursor names = cursor_sub(&c, cursor_be16(&c));
	struct text t = text_in(ev->sni, sizeof ev->sni);
	while (cursor_left(&names) > 0 && !names.bad) {
		uint8_t type = cursor_u8(&names);
		size_t len = cursor_be16(&names);
		const uint8_t *name = cursor_take(&names, len);
		if (name == NULL || type != 0)
			continue;
		text_add_wire(&t, name, len);
		for (size_t i = 0; i < t.len; i++)
			ev->sni[i] = ascii_lower(ev->sni[i]);
		return;
	}
}

static void
client_extension(uint16_t type, struct cursor c, struct tls_lists *l, struct tls_event *ev)
{
	struct cursor in;
	switch (type) {
	case EXT_SERVER_NAME:
		l->sni = true;
		read_sni(c, ev);
		break;
	case EXT_ALPN: read_alpn(c, l, ev); break;
	case EXT_GROUPS: list_read16(&l->groups, cursor_sub(&c, cursor_be16(&c))); break;
	case EXT_SIGNATURES: list_read16(&l->signatures, cursor_sub(&c, cursor_be16(&c))); break;
	case EXT_POINT_FORMATS:
		in = cursor_sub(&c, cursor_u8(&c));
		while (cursor_left(&in) > 0)
			list_add(&l->formats, cursor_u8(&in));
		break;
	case EXT_SUPPORTED_VERSIONS:
		in = cursor_sub(&c, cursor_u8(&c));
		while (cursor_left(&in) >= 2) {
			uint16_t v = cursor_be16(&in);
			if (!is_grease(v) && v > l->highest)
				l->highest = v;
		}
		break;
	default: break;
	}
}

bool
tls_client_hello(struct tls_print known[TLS_PRINTS], const uint8_t *body, size_t len, bool whole,
    struct tls_hello *h, struct tls_event *ev)
{
	struct cursor c = cursor_of(body, len);
	struct tls_lists l;
	lists_begin(&l);
	memset(h, 0, sizeof *h);
	uint16_t legacy = cursor_be16(&c);
	if (legacy >> 8 != 3)
		return false;
	cursor_skip(&c, 32); /* random */
	size_t id_len = cursor_u8(&c);
	h->session_id = id_hash(cursor_take(&c, id_len), id_len);
	list_read16(&l.ciphers, cursor_sub(&c, cursor_be16(&c)));
	cursor_skip(&c, cursor_u8(&c)); /* compression methods */
	if (!c.bad && cursor_left(&c) > 0) {
		/* where the list is cut, its length is beyond what is here */
		size_t n = cursor_be16(&c), left = cursor_left(&c);
		struct cursor in = cursor_sub(&c, whole || n < left ? n : left);
		while (cursor_left(&in) > 0 && !in.bad) {
			uint16_t type = cursor_be16(&in);
			struct cursor data = cursor_sub(&in, cursor_be16(&in));
			if (in.bad)
				break;
			list_add(&l.extensions, type);
			client_extension(type, data, &l, ev);
		}
		c.bad |= in.bad;
	}
	ev->version = l.highest != 0 ? l.highest : legacy;
	bool cut =
	    l.ciphers.cut || l.extensions.cut || l.groups.cut || l.formats.cut || l.signatures.cut;
	if (whole && !c.bad && !cut)
		tls_print_client(known, legacy, &l, ev);
	return true;
}

bool
tls_server_hello(struct tls_print known[TLS_PRINTS], const uint8_t *body, size_t len, bool whole,
    struct tls_hello *h, struct tls_event *ev)
{
	/* SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3) */
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe,
	    0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c,
	    0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct cursor c = cursor_of(body, len);
	struct tls_lists l;
	lists_begin(&l);
	memset(h, 0, sizeof *h);
	uint16_t legacy = cursor_be16(&c);
	const uint8_t *random = cursor_take(&c, 32);
	size_t id_len = cursor_u8(&c);
	h->session_id = id_hash(cursor_take(&c, id_len), id_len);
	ev->cipher = cursor_be16(&c);
	if (c.bad || legacy >> 8 != 3)
		return false;
	h->retry = memcmp(random, retry, sizeof retry) == 0;
	cursor_skip(&c, 1); /* compression method */
	/* suites of their own (RFC 8446 section B.4), should the extension not be here */
	ev->version = ev->cipher >> 8 == 0x13 && !whole ? 0x0304 : legacy;
	if (!c.bad && cursor_left(&c) > 0) {
		size_t n = cursor_be16(&c), left = cursor_left(&c);
		struct cursor in = cursor_sub(&c, whole || n < left ? n : left);
		while (cursor_left(&in) > 0 && !in.bad) {
			uint16_t type = cursor_be16(&in);
			struct cursor data = cursor_sub(&in, cursor_be16(&in));
			if (in.bad)
				break;
			list_add(&l.extensions, type);
			if (type == EXT_SUPPORTED_VERSIONS && cursor_left(&data) >= 2)
				ev->version = cursor_be16(&data);
			else if (type == EXT_KEY_SHARE && cursor_left(&data) >= 2)
				ev->group = cursor_be16(&data);
			else if (type == EXT_PRE_SHARED_KEY)
				h->pre_shared_key = true;
			else if (type == EXT_ALPN)
				read_alpn(data, &l, ev);
		}
		c.bad |= in.bad;
	}
	if (ev->version < 0x0304)
		ev->group = 0; /* a key share is none of these versions */
	if (whole && !c.bad && !l.extensions.cut)
		tls_print_server(known, legacy, &l.extensions, ev);
	return true;
}

/* Bits of a number in network order. */
static uint32_t
number_bits(struct cursor n)
{
	uint8_t first = 0;
	while (first == 0 && cursor_left(&n) > 0)
		first = cursor_u8(&n);
	uint32_t bits = 8 * (uint32_t)cursor_left(&n);
	for (; first > 0; first >>= 1)
		bits++;
	return bits;
}

bool
tls_key_exchange(uint16_t cipher, const uint8_t *body, size_t len, struct tls_event *ev)
{
	bool psk;
	enum tls_exchange how = tls_cipher_exchange(cipher, &psk);
	struct cursor c = cursor_of(body, len);
	if (psk)
		cursor_skip(&c, cursor_be16(&c));
	if (how == TLS_EXCHANGE_DHE)
		ev->dh_bits = number_bits(cursor_sub(&c, cursor_be16(&c)));
	else if (how == TLS_EXCHANGE_ECDHE && cursor_u8(&c) == 3) /* named_curve */
		ev->group = cursor_be16(&c);
	return !c.bad && (ev->dh_bits != 0 || ev->group != 0);
}
