/*
 * The server's certificate, as TLS 1.2 and older show it (X.509, RFC 5280), read by OpenSSL.
 *
 * It states facts only: no chain is built and nothing is trusted.  OpenSSL allocates while it
 * reads.
 */
#ifndef POSTCARD_MAIL_CERT_H
#define POSTCARD_MAIL_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERT_NAMES 1024u /* octets of host names kept, NUL-separated */

struct cert_info {
	char subject[512];     /* RFC 2253, UTF-8, cut where it is longer */
	char issuer[512];      /* the same */
	char sha256[65];       /* of the DER, hexadecimal */
	int64_t not_before_ns; /* validity, ns since the epoch */
	int64_t not_after_ns;
	bool self_signed;	/* issuer is subject, and its key made the signature */
	char names[CERT_NAMES]; /* DNS names of subjectAltName, else the common name; each ends in
				   NUL, "" after the last */
};

/* Reads `len` octets of DER; false where they are no certificate. */
bool cert_parse(const uint8_t *der, size_t len, struct cert_info *out);

/* Is the certificate for `host` (RFC 9525: exact, or a wildcard for the leftmost label)? */
bool cert_matches(const struct cert_info *c, const char *host);

#endif
