/* Certificates: see cert.h. */
#include "mail/cert.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"

static void
print_name(const X509_NAME *name, char *out, size_t cap)
{
	struct text t = text_in(out, cap);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0,
			       (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)) >= 0) {
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
	return s > INT64_MAX / 1000000000 ? INT64_MAX : s < 0 ? 0 : s * 1000000000;
}

/* Appends a name of the certificate where it fits and holds no octet that would end it early. */
static void
add_name(struct cert_info *c, size_t *at, const ASN1_STRING *s)
{
	const unsigned char *data = ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);
	if (len <= 0 || (size_t)len + 2 > sizeof c->names - *at ||
	    memchr(data, '\0', (size_t)len) != NULL)
		return;
	memcpy(c->names + *at, data, (size_t)len);
	*at += (size_t)len + 1;
}

static void
read_names(X509 *x, struct cert_info *c)
{
	size_t at = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		if (n->type == GEN_DNS)
			add_name(c, &at, n->d.dNSName);
	}
	GENERAL_NAMES_free(names);
	const X509_NAME *subject = X509_get_subject_name(x);
	int cn = at == 0 ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	if (cn >= 0)
		add_name(c, &at, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, cn)));
}

bool
cert_parse(const uint8_t *der, size_t len, struct cert_info *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	const unsigned char *at = der;
	memset(out, 0, sizeof *out);
	if (len == 0 || len > LONG_MAX)
		return false;
	X509 *x = d2i_X509(NULL, &at, (long)len);
	if (x == NULL)
		return false;
	print_name(X509_get_subject_name(x), out->subject, sizeof out->subject);
	print_name(X509_get_issuer_name(x), out->issuer, sizeof out->issuer);
	out->not_before_ns = time_ns(X509_get0_notBefore(x));
	out->not_after_ns = time_ns(X509_get0_notAfter(x));
	out->self_signed = X509_self_signed(x, 0) == 1;
	read_names(x, out);
	if (EVP_Digest(der, (size_t)(at - der), digest, &digest_len, EVP_sha256(), NULL) == 1) {
		for (unsigned i = 0; i < 32 && i < digest_len; i++) {
			out->sha256[2 * i] = hex[digest[i] >> 4];
			out->sha256[2 * i + 1] = hex[digest[i] & 0xf];
		}
	}
	X509_free(x);
	return true;
}

bool
cert_matches(const struct cert_info *c, const char *host)
{
	size_t host_len = strlen(host);
	if (host_len > 0 && host[host_len - 1] == '.')
		host_len--;
	for (const char *n = c->names; *n != '\0'; n += strlen(n) + 1) {
		if (ascii_is(host, host_len, n))
			return true;
		const char *dot = memchr(host, '.', host_len);
		if (n[0] == '*' && n[1] == '.' && dot != NULL && dot > host &&
		    strchr(n + 2, '.') != NULL &&
		    ascii_is(dot + 1, host_len - (size_t)(dot + 1 - host), n + 2))
			return true;
	}
	return false;
}
