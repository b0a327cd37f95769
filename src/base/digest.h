/*
 * Digests by OpenSSL, whose algorithms are looked up once and not for each use: that costs more
 * than digesting a hello does.  One thread a process.
 */
#ifndef POSTCARD_BASE_DIGEST_H
#define POSTCARD_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGESTS };

#define DIGEST_MAX 32u /* octets of the longest */

/* Octets written to out (16, 20 or 32); 0 where OpenSSL has no such digest (MD5 in FIPS mode). */
size_t digest(enum digest_kind kind, const void *octets, size_t len, uint8_t out[DIGEST_MAX]);

/* Looks all of them up now, so that nothing is loaded from the file system later. */
void digest_load(void);

#endif
