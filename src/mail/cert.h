/*
 * The server's certificate, as TLS 1.2 and older show it (X.509, RFC 5280), read by OpenSSL.
 *
 * It states facts only: no chain is built, no signature is checked and nothing is trusted.
 * OpenSSL allocates while it reads, and gives all of it back; nothing of it is kept.
 */
#ifndef POSTCARD_MAIL_CERT_H
#define POSTCARD_MAIL_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERT_NAMES 4096u /* octets of host names kept, NUL-separated: about 150 names */
#define CERT_SHOWN 2000u /* octets of alternative names kept to be shown: a string of the store */

struct cert_info {
	char subject[512];     /* RFC 2253, UTF-8, control characters escaped; cut where longer */
	char issuer[512];      /* the same */
	char sha256[65];       /* of the DER, hexadecimal */
	char key_type[24];     /* "RSA", "EC", "ED25519", as OpenSSL names them; "" where unknown */
	char signature[48];    /* "sha256WithRSAEncryption", "ecdsa-with-SHA256"; the same */
	uint32_t key_bits;     /* 2048, 256; 0 where unknown */
	int64_t not_before_ns; /* validity, ns since the epoch; 0 where it cannot be read, 1 for all
				  before the epoch */
	int64_t not_after_ns;
	bool self_signed;	/* issuer is subject, and no key identifier says otherwise */
	bool weak;		/* a key of less than 2048 bits (RSA, DSA) or 224 (EC), or signed by
				   another with MD5 or SHA-1: RFC 9325 section 4.5 */
	bool names_cut;		/* there were more names */
	char names[CERT_NAMES]; /* DNS names of subjectAltName, where it has none the common name;
				   each ends in NUL, "" after the last */
	uint32_t shown_len;	/* octets of `shown` */
	char shown[CERT_SHOWN]; /* DNS names and addresses of subjectAltName, escaped, in its order,
				   each ends in NUL: LIMIT_ALT_NAMES, as far as they fit */
};

/* Reads `len` octets of DER into the caller's structure, which holds no pointers; false where they
 * do not begin with a certificate. */
bool cert_parse(const uint8_t *der, size_t len, struct cert_info *out);

/*
 * A server shows the same certificate in every connection, and to read one takes as long as a
 * hundred packets: those of late are remembered, by their SHA-256.
 */
struct cert_cache {
	struct cert_entry *entry; /* LIMIT_CERTS of them */
};

/* False where the address space is refused. */
bool cert_cache_init(struct cert_cache *c);
void cert_cache_free(struct cert_cache *c);

/* As cert_parse; NULL where it is no certificate.  Valid until the next call. */
const struct cert_info *cert_read(struct cert_cache *c, const uint8_t *der, size_t len);

/*
 * Is the certificate for `host` (RFC 9525: the same name in any case, or "*" for its leftmost
 * label)?  A trailing dot does not matter.  Where not all names could be kept (names_cut), "no" is
 * not certain.  Names with letters beyond ASCII are compared in the form that DNS has (xn--...).
 */
bool cert_matches(const struct cert_info *c, const char *host);

#endif
