/*
 * Certificates: see cert.h.  Names are copied out, so that they can be compared without OpenSSL
 * and after its objects are gone; the comparison is that of X509_check_host without its partial
 * wildcards ("w*.example.com"), which RFC 9525 section 6.3 dropped.
 */
#include "mail/cert.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/addr.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

static void
print_name(const X509_NAME *name, char *out, size_t cap)
{
	/* UTF-8 as it is, not as \C3\A4 */
	static const unsigned long form = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	struct text t = text_in(out, cap);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, form) >= 0) {
		long len = BIO_get_mem_data(bio, &data);
		if (len > 0)
			text_add_wire(&t, data, (size_t)len);
	}
	BIO_free(bio);
}

static int64_t
time_ns(const ASN1_TIME *t)
{
	struct tm tm;
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	int64_t s = (int64_t)timegm(&tm);
	if (s > INT64_MAX / 1000000000)
		return INT64_MAX;
	return s <= 0 ? 1 : s * 1000000000;
}

/* Appends a name.  One with a NUL in it would be read as another, shorter one: it is nobody's. */
static void
add_name(struct cert_info *c, size_t *at, const unsigned char *name, int octets)
{
	size_t len = octets > 0 ? (size_t)octets : 0;
	if (len == 0 || memchr(name, '\0', len) != NULL)
		return;
	if (len + 2 > sizeof c->names - *at) {
		c->names_cut = true;
		return;
	}
	memcpy(c->names + *at, name, len);
	*at += len + 1;
}

/* Keeps a name or address of subjectAltName to be shown, where it fits whole. */
static void
show_name(struct cert_info *c, const GENERAL_NAME *n)
{
	char buf[LIMIT_TEXT + 1], address[ADDR_TEXT];
	struct text t = text_in(buf, sizeof buf);
	const ASN1_STRING *s = n->type == GEN_DNS ? n->d.dNSName : n->d.iPAddress;
	const uint8_t *octets = ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);
	if (n->type == GEN_DNS && len > 0) {
		text_add_wire(&t, octets, (size_t)len);
	} else if (n->type == GEN_IPADD && (len == 4 || len == 16)) {
		struct addr a = len == 4 ? addr_v4(octets) : addr_v6(octets);
		text_puts(&t, addr_print(&a, address));
	}
	if (t.len == 0 || t.len + 1 > sizeof c->shown - c->shown_len)
		return;
	memcpy(c->shown + c->shown_len, t.buf, t.len + 1);
	c->shown_len += (uint32_t)t.len + 1;
}

static void
read_names(X509 *x, struct cert_info *c)
{
	size_t at = 0;
	bool any = false;
	unsigned shown = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		if ((n->type == GEN_DNS || n->type == GEN_IPADD) && shown++ < LIMIT_ALT_NAMES)
			show_name(c, n);
		if (n->type != GEN_DNS)
			continue;
		any = true;
		add_name(c, &at, ASN1_STRING_get0_data(n->d.dNSName),
		    ASN1_STRING_length(n->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	if (any)
		return;
	const X509_NAME *subject = X509_get_subject_name(x);
	for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
		unsigned char *utf8 = NULL;
		int n = ASN1_STRING_to_UTF8(&utf8,
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
		add_name(c, &at, utf8, n);
		OPENSSL_free(utf8);
	}
}

static void
read_key(X509 *x, struct cert_info *c)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	struct text t = text_in(c->key_type, sizeof c->key_type);
	const char *name = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;
	if (name != NULL)
		text_add_wire(&t, name, strlen(name));
	c->key_bits = bits > 0 ? (uint32_t)bits : 0;
	switch (key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
	case EVP_PKEY_DSA: c->weak = c->key_bits != 0 && c->key_bits < 2048; break;
	case EVP_PKEY_EC: c->weak = c->key_bits != 0 && c->key_bits < 224; break;
	default: break;
	}
}

/* Nobody verifies what a certificate signs itself with. */
static void
read_signature(X509 *x, struct cert_info *c)
{
	int nid = X509_get_signature_nid(x), hash = NID_undef;
	struct text t = text_in(c->signature, sizeof c->signature);
	if (nid != NID_undef)
		text_puts(&t, OBJ_nid2ln(nid));
	if (!c->self_signed && X509_get_signature_info(x, &hash, NULL, NULL, NULL) == 1 &&
	    (hash == NID_md5 || hash == NID_sha1))
		c->weak = true;
}

bool
cert_parse(const uint8_t *der, size_t len, struct cert_info *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t sum[DIGEST_MAX];
	const unsigned char *at = der;
	memset(out, 0, sizeof *out);
	if (len == 0 || len > LIMIT_TLS_HANDSHAKE)
		return false;
	X509 *x = d2i_X509(NULL, &at, (long)len);
	if (x != NULL) {
		print_name(X509_get_subject_name(x), out->subject, sizeof out->subject);
		print_name(X509_get_issuer_name(x), out->issuer, sizeof out->issuer);
		out->not_before_ns = time_ns(X509_get0_notBefore(x));
		out->not_after_ns = time_ns(X509_get0_notAfter(x));
		out->self_signed = X509_self_signed(x, 0) == 1;
		read_key(x, out);
		read_signature(x, out);
		read_names(x, out);
		size_t n = digest(DIGEST_SHA256, der, (size_t)(at - der), sum);
		for (size_t i = 0; i < n; i++) {
			out->sha256[2 * i] = hex[sum[i] >> 4];
			out->sha256[2 * i + 1] = hex[sum[i] & 0xf];
		}
		X509_free(x);
	}
	ERR_clear_error();
	return x != NULL;
}

struct cert_entry {
	uint8_t sum[DIGEST_MAX]; /* of the octets that were given */
	bool taken;
	struct cert_info info;
};

bool
cert_cache_init(struct cert_cache *c)
{
	c->entry = memory_reserve(LIMIT_CERTS * sizeof *c->entry);
	return c->entry != NULL;
}

void
cert_cache_free(struct cert_cache *c)
{
	memory_release(c->entry, LIMIT_CERTS * sizeof *c->entry);
	c->entry = NULL;
}

const struct cert_info *
cert_read(struct cert_cache *c, const uint8_t *der, size_t len)
{
	uint8_t sum[DIGEST_MAX] = {0};
	if (digest(DIGEST_SHA256, der, len, sum) == 0)
		return NULL;
	struct cert_entry *e = &c->entry[sum[0] % LIMIT_CERTS];
	if (!e->taken || memcmp(e->sum, sum, sizeof sum) != 0) {
		e->taken = cert_parse(der, len, &e->info);
		memcpy(e->sum, sum, sizeof sum);
	}
	return e->taken ? &e->info : NULL;
}

/* Does the name "*.example.com" stand for the host?  "*" is one whole label, and two labels must
 * stand behind it. */
static bool
wildcard_matches(const char *name, const char *host, size_t host_len)
{
	const char *dot = memchr(host, '.', host_len);
	if (name[0] != '*' || name[1] != '.' || strchr(name + 2, '.') == NULL || dot == NULL ||
	    dot == host)
		return false;
	return ascii_is(dot + 1, host_len - (size_t)(dot + 1 - host), name + 2);
}

bool
cert_matches(const struct cert_info *c, const char *host)
{
	size_t host_len = strlen(host);
	if (host_len > 0 && host[host_len - 1] == '.')
		host_len--;
	if (host_len == 0 || host[0] == '.')
		return false;
	for (const char *n = c->names; *n != '\0'; n += strlen(n) + 1) {
		if (ascii_is(host, host_len, n) || wildcard_matches(n, host, host_len))
			return true;
	}
	return false;
}
