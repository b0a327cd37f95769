/*
 * The hellos: see tls_hello.h.  Fingerprints: JA3 and JA3S (Althouse, Atkinson, Atkins: MD5 of
 * the decimal lists), JA4 (FoxIO, the TLS client part: SHA-256 of sorted hexadecimal lists). GREASE
 * values (RFC 8701) are left out of all of them.
 */
#include "mail/tls_hello.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/text.h"

#define EXT_SERVER_NAME	       0u
#define EXT_GROUPS	       10u
#define EXT_POINT_FORMATS      11u
#define EXT_SIGNATURES	       13u
#define EXT_ALPN	       16u
#define EXT_PRE_SHARED_KEY     41u
#define EXT_SUPPORTED_VERSIONS 43u
#define EXT_KEY_SHARE	       51u

#define LIST_MAX 256u /* values of one list that are kept for the fingerprints */

struct list {
	uint16_t v[LIST_MAX];
	unsigned n;
};

struct lists {
	struct list ciphers, extensions, groups, formats, signatures;
	uint16_t highest; /* of supported_versions */
	bool sni;
	char alpn_ends[2];
};

static bool
is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

static void
list_add(struct list *l, uint16_t v)
{
	if (!is_grease(v) && l->n < LIST_MAX)
		l->v[l->n++] = v;
}

static void
list_read16(struct list *l, struct cursor c)
{
	while (cursor_left(&c) >= 2)
		list_add(l, cursor_be16(&c));
}

static int
compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Adds the values joined by `sep`, in decimal or as four hexadecimal digits. */
static void
list_print(struct text *t, const struct list *l, const char *sep, bool hex)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (i > 0)
			text_puts(t, sep);
		text_printf(t, hex ? "%04x" : "%u", (unsigned)l->v[i]);
	}
}

/* The first `digits` hexadecimal digits of a digest over the text; out takes them and a NUL. */
static void
digest(const struct text *t, const EVP_MD *md, size_t digits, char *out)
{
	uint8_t d[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	static const char hex[] = "0123456789abcdef";
	out[0] = '\0';
	if (EVP_Digest(t->buf, t->len, d, &len, md, NULL) != 1 || len * 2 < digits)
		return;
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[(i % 2 == 0 ? d[i / 2] >> 4 : d[i / 2]) & 0xf];
	out[digits] = '\0';
}

static uint32_t
id_hash(const uint8_t *id, size_t len)
{
	uint32_t h = 2166136261u; /* FNV-1a: told apart, not kept secret */
	for (size_t i = 0; i < len; i++)
		h = (h ^ id[i]) * 16777619u;
	return h;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* The first protocol of an ALPN list. */
static void
read_alpn(struct cursor c, struct lists *l, struct tls_event *ev)
{
	struct cursor names = cursor_sub(&c, cursor_be16(&c));
	size_t len = cursor_u8(&names);
	const char *name = (const char *)cursor_take(&names, len);
	struct text t = text_in(ev->alpn, sizeof ev->alpn);
	if (name == NULL || len == 0)
		return;
	text_add_wire(&t, name, len);
	if (is_alnum(name[0]) && is_alnum(name[len - 1])) {
		l->alpn_ends[0] = name[0];
		l->alpn_ends[1] = name[len - 1];
	} else {
		static const char hex[] = "0123456789abcdef";
		l->alpn_ends[0] = hex[(uint8_t)name[0] >> 4];
		l->alpn_ends[1] = hex[(uint8_t)name[len - 1] & 0xf];
	}
}

static void
read_sni(struct cursor c, struct tls_event *ev)
{
	struct cursor names = cursor_sub(&c, cursor_be16(&c));
	struct text t = text_in(ev->sni, sizeof ev->sni);
	while (cursor_left(&names) >= 3) {
		uint8_t type = cursor_u8(&names);
		size_t len = cursor_be16(&names);
		const uint8_t *name = cursor_take(&names, len);
		if (name != NULL && type == 0) {
			text_add_wire(&t, name, len);
			return;
		}
	}
}

static void
client_extension(uint16_t type, struct cursor c, struct lists *l, struct tls_event *ev)
{
	struct cursor in;
	switch (type) {
	case EXT_SERVER_NAME:
		l->sni = true;
		read_sni(c, ev);
		break;
	case EXT_ALPN: read_alpn(c, l, ev); break;
	case EXT_GROUPS:
		in = cursor_sub(&c, cursor_be16(&c));
		list_read16(&l->groups, in);
		break;
	case EXT_SIGNATURES:
		in = cursor_sub(&c, cursor_be16(&c));
		list_read16(&l->signatures, in);
		break;
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

static void
ja3(uint16_t version, const struct lists *l, struct tls_event *ev)
{
	char buf[8192];
	struct text t = text_in(buf, sizeof buf);
	text_printf(&t, "%u,", (unsigned)version);
	list_print(&t, &l->ciphers, "-", false);
	text_putc(&t, ',');
	list_print(&t, &l->extensions, "-", false);
	text_putc(&t, ',');
	list_print(&t, &l->groups, "-", false);
	text_putc(&t, ',');
	list_print(&t, &l->formats, "-", false);
	digest(&t, EVP_md5(), 32, ev->ja3);
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
	default: return "00";
	}
}

static void
ja4(struct lists *l, struct tls_event *ev)
{
	char buf[4096], part[2][13];
	struct text t = text_in(buf, sizeof buf), out = text_in(ev->ja4, sizeof ev->ja4);
	unsigned ciphers = l->ciphers.n < 99 ? l->ciphers.n : 99,
		 extensions = l->extensions.n < 99 ? l->extensions.n : 99;
	qsort(l->ciphers.v, l->ciphers.n, sizeof l->ciphers.v[0], compare);
	list_print(&t, &l->ciphers, ",", true);
	digest(&t, EVP_sha256(), 12, part[0]);
	struct list rest = {.n = 0};
	for (unsigned i = 0; i < l->extensions.n; i++) {
		if (l->extensions.v[i] != EXT_SERVER_NAME && l->extensions.v[i] != EXT_ALPN)
			list_add(&rest, l->extensions.v[i]);
	}
	qsort(rest.v, rest.n, sizeof rest.v[0], compare);
	t = text_in(buf, sizeof buf);
	list_print(&t, &rest, ",", true);
	if (l->signatures.n > 0) {
		text_putc(&t, '_');
		list_print(&t, &l->signatures, ",", true);
	}
	digest(&t, EVP_sha256(), 12, part[1]);
	text_printf(&out, "t%s%c%02u%02u%c%c_%s_%s", ja4_version(ev->version), l->sni ? 'd' : 'i',
		    ciphers, extensions, l->alpn_ends[0], l->alpn_ends[1],
		    l->ciphers.n > 0 ? part[0] : "000000000000",
		    rest.n > 0 ? part[1] : "000000000000");
}

void
tls_client_hello(const uint8_t *body, size_t len, struct tls_hello *h, struct tls_event *ev)
{
	struct cursor c = cursor_of(body, len);
	struct lists l = {.alpn_ends = {'0', '0'}};
	memset(h, 0, sizeof *h);
	uint16_t legacy = cursor_be16(&c);
	cursor_skip(&c, 32); /* random */
	size_t id_len = cursor_u8(&c);
	const uint8_t *id = cursor_take(&c, id_len);
	if (id != NULL && id_len > 0 && id_len <= 32) {
		h->session_id_len = (uint8_t)id_len;
		h->session_id_hash = id_hash(id, id_len);
	}
	list_read16(&l.ciphers, cursor_sub(&c, cursor_be16(&c)));
	cursor_skip(&c, cursor_u8(&c)); /* compression methods */
	struct cursor extensions = cursor_sub(&c, cursor_be16(&c));
	while (cursor_left(&extensions) >= 4) {
		uint16_t type = cursor_be16(&extensions);
		struct cursor data = cursor_sub(&extensions, cursor_be16(&extensions));
		if (extensions.bad)
			break;
		list_add(&l.extensions, type);
		client_extension(type, data, &l, ev);
	}
	ev->version = l.highest != 0 ? l.highest : legacy;
	ja3(legacy, &l, ev);
	ja4(&l, ev);
}

bool
tls_server_hello(const uint8_t *body, size_t len, struct tls_hello *h, struct tls_event *ev)
{
	/* SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3) */
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
					  0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
					  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
					  0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct cursor c = cursor_of(body, len);
	struct lists l = {.sni = false};
	char buf[2048];
	struct text t = text_in(buf, sizeof buf);
	memset(h, 0, sizeof *h);
	uint16_t legacy = cursor_be16(&c);
	const uint8_t *random = cursor_take(&c, 32);
	size_t id_len = cursor_u8(&c);
	const uint8_t *id = cursor_take(&c, id_len);
	uint16_t cipher = cursor_be16(&c);
	cursor_skip(&c, 1); /* compression method */
	if (c.bad)
		return false;
	h->retry = memcmp(random, retry, sizeof retry) == 0;
	if (id_len > 0 && id_len <= 32) {
		h->session_id_len = (uint8_t)id_len;
		h->session_id_hash = id_hash(id, id_len);
	}
	ev->version = legacy;
	ev->cipher = cipher;
	struct cursor extensions = cursor_sub(&c, cursor_be16(&c));
	while (cursor_left(&extensions) >= 4) {
		uint16_t type = cursor_be16(&extensions);
		struct cursor data = cursor_sub(&extensions, cursor_be16(&extensions));
		if (extensions.bad)
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
	text_printf(&t, "%u,%u,", (unsigned)legacy, (unsigned)cipher);
	list_print(&t, &l.extensions, "-", false);
	digest(&t, EVP_md5(), 32, ev->ja3);
	return true;
}
