/* Certificates as tests wish them, made by OpenSSL. */
#ifndef POSTCARD_TESTS_CERT_MADE_H
#define POSTCARD_TESTS_CERT_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

struct der {
	uint8_t *b;
	size_t len;
};

/* What a certificate is to say. */
struct wish {
	const char *cn, *org;	/* of the subject; NULL for none */
	const char *issuer;	/* its common name; NULL: the subject itself */
	const char *names;	/* "DNS:a,IP:192.0.2.1"; NULL for none */
	const char *from, *end; /* ASN.1 time; NULL: 2025 to 2035 */
	EVP_PKEY *key;		/* NULL: a new one on P-256 */
	const EVP_MD *hash;	/* NULL: SHA-256 */
};

static inline void
add_entry(X509_NAME *n, const char *field, const char *value)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8,
			     (const unsigned char *)value, -1, -1, 0),
	    1);
}

static inline X509 *
make(const struct wish *w)
{
	X509 *x = X509_new();
	EVP_PKEY *key = w->key != NULL ? w->key : EVP_EC_gen("P-256");
	X509_NAME *subject = X509_get_subject_name(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	ASN1_TIME_set_string(X509_getm_notBefore(x), w->from ? w->from : "20250101000000Z");
	ASN1_TIME_set_string(X509_getm_notAfter(x), w->end ? w->end : "20350101000000Z");
	if (w->org != NULL)
		add_entry(subject, "O", w->org);
	if (w->cn != NULL)
		add_entry(subject, "CN", w->cn);
	X509_NAME *issuer = X509_NAME_new();
	if (w->issuer != NULL)
		add_entry(issuer, "CN", w->issuer);
	X509_set_issuer_name(x, w->issuer != NULL ? issuer : subject);
	X509_NAME_free(issuer);
	X509_set_pubkey(x, key);
	if (w->names != NULL) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, w->names);
		assert_non_null(e);
		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(x, key, w->hash != NULL ? w->hash : EVP_sha256()) > 0);
	if (w->key == NULL)
		EVP_PKEY_free(key);
	return x;
}

/* The DER of a certificate in a buffer of its own size; frees the certificate. */
static inline struct der
der_of(X509 *x)
{
	int len = i2d_X509(x, NULL);
	assert_true(len > 0);
	struct der d = {malloc((size_t)len), (size_t)len};
	unsigned char *at = d.b;
	i2d_X509(x, &at);
	X509_free(x);
	return d;
}

#endif
