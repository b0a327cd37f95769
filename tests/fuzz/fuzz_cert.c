/*
 * Fuzz target: certificates and the names that they are compared with.
 *
 * The input is an octet of length, a host name of so many octets, and DER.  What is read of it must
 * keep its bounds, hold nothing that could move a cursor, and be the same when it is read again,
 * out of the cache too; a certificate is for each host name that stands in it as it is.
 */
#include "base/limits.h"
#include "mail/cert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool so)
{
	if (!so)
		abort();
}

/* A text of at most `cap` octets with its NUL, in which no control stands. */
static void
check_text(const char *s, size_t cap)
{
	size_t len = strnlen(s, cap);
	must(len < cap);
	for (size_t i = 0; i < len; i++)
		must((uint8_t)s[i] >= 0x20 && s[i] != 0x7f);
}

static void
check_names(const struct cert_info *c)
{
	size_t at = 0;
	while (c->names[at] != '\0') {
		size_t len = strnlen(c->names + at, sizeof c->names - at);
		must(at + len + 1 < sizeof c->names);
		char *host = malloc(len + 1);
		memcpy(host, c->names + at, len + 1);
		/* but one that begins with a dot, or ends in one that a host name is looked at
		 * without */
		if (host[0] != '.' && host[len - 1] != '.')
			must(cert_matches(c, host));
		free(host);
		at += len + 1;
	}
	unsigned shown = 0;
	must(c->shown_len <= sizeof c->shown);
	for (at = 0; at < c->shown_len; shown++) {
		size_t len = strnlen(c->shown + at, c->shown_len - at);
		must(len > 0 && at + len < c->shown_len && len <= LIMIT_TEXT);
		check_text(c->shown + at, c->shown_len - at);
		at += len + 1;
	}
	must(shown <= LIMIT_ALT_NAMES);
}

static bool
same(const struct cert_info *a, const struct cert_info *b)
{
	return strcmp(a->subject, b->subject) == 0 && strcmp(a->issuer, b->issuer) == 0 &&
	    strcmp(a->sha256, b->sha256) == 0 && strcmp(a->key_type, b->key_type) == 0 &&
	    strcmp(a->signature, b->signature) == 0 && a->key_bits == b->key_bits &&
	    a->not_before_ns == b->not_before_ns && a->not_after_ns == b->not_after_ns &&
	    a->self_signed == b->self_signed && a->weak == b->weak &&
	    a->names_cut == b->names_cut && memcmp(a->names, b->names, sizeof a->names) == 0 &&
	    a->shown_len == b->shown_len && memcmp(a->shown, b->shown, sizeof a->shown) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cert_cache cache; /* made once */
	static struct cert_info one, two;
	if (cache.entry == NULL)
		must(cert_cache_init(&cache));
	if (size < 1 || data[0] > size - 1)
		return 0;
	size_t host_len = data[0];
	char *host = malloc(host_len + 1);
	memcpy(host, data + 1, host_len);
	host[host_len] = '\0';
	const uint8_t *der = data + 1 + host_len;
	size_t len = size - 1 - host_len;
	if (cert_parse(der, len, &one)) {
		check_text(one.subject, sizeof one.subject);
		check_text(one.issuer, sizeof one.issuer);
		check_text(one.key_type, sizeof one.key_type);
		check_text(one.signature, sizeof one.signature);
		must(strlen(one.sha256) == 64 && one.not_before_ns >= 0 && one.not_after_ns >= 0);
		check_names(&one);
		bool match = cert_matches(&one, host);
		must(cert_parse(der, len, &two) && same(&one, &two));
		const struct cert_info *kept = cert_read(&cache, der, len);
		must(kept != NULL && same(&one, kept));
		must(cert_matches(kept, host) == match);
	} else {
		must(cert_read(&cache, der, len) == NULL);
	}
	free(host);
	return 0;
}
