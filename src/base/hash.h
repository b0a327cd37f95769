/*
 * A keyed hash for tables: fast on the fixed-size keys of a flow table, and not predictable for
 * who sends the packets, because the key is drawn at start (base/random of the kernel).
 * Nothing that is printed depends on it.  The mixing step is the folded 64x64->128 multiplication
 * of wyhash (Wang Yi); a hash value is no secret and no checksum.
 */
#ifndef POSTCARD_BASE_HASH_H
#define POSTCARD_BASE_HASH_H

#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

struct hash_key {
	uint64_t k[4]; /* odd, random */
};

/* Draws a key from the kernel; aborts the process where the kernel has none to give. */
void hash_key_draw(struct hash_key *key);

static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Up to 16 octets as two numbers; how many were taken. */
static inline size_t
hash_pair(const uint8_t *p, size_t len, uint64_t w[2])
{
	if (len >= 16) {
		memcpy(w, p, 16);
		return 16;
	}
	w[0] = load_word(p, len);
	w[1] = len > 8 ? load_word(p + 8, len - 8) : 0;
	return len;
}

/* Hash of five words: two addresses of two, and the ports and the family in one. */
static inline uint64_t
hash_words(const struct hash_key *key, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
    uint64_t w4)
{
	uint64_t a = hash_fold(w0 ^ key->k[0], w1 ^ key->k[1]);
	uint64_t b = hash_fold(w2 ^ key->k[2], w3 ^ key->k[3]);
	return hash_fold(a ^ w4 ^ key->k[1], b ^ key->k[0]);
}

/* The same of 40 octets. */
static inline uint64_t
hash_40(const struct hash_key *key, const void *data)
{
	uint64_t w[5];
	memcpy(w, data, sizeof w);
	return hash_words(key, w[0], w[1], w[2], w[3], w[4]);
}

/*
 * Hash of any octets, 128 bits, to tell things apart by.  Who does not know the key cannot foresee
 * it; it is no cryptographic hash: who knows the key can make two that collide.  `out` takes 16
 * octets.
 */
static inline void
hash_octets(const struct hash_key *key, const void *octets, size_t len, uint8_t out[16])
{
	const uint8_t *p = octets;
	uint64_t a = key->k[0] ^ len, b = key->k[1];
	for (size_t n; len > 0; p += n, len -= n) {
		uint64_t w[2];
		n = hash_pair(p, len, w);
		a = hash_fold(a ^ w[0] ^ key->k[2], w[1] ^ key->k[3]);
		b = hash_fold(b ^ w[1] ^ key->k[0], w[0] ^ a ^ key->k[1]);
	}
	uint64_t sum[2] = {hash_fold(a ^ key->k[1], b ^ key->k[2]),
	    hash_fold(b ^ key->k[3], a ^ key->k[0])};
	memcpy(out, sum, sizeof sum);
}

#endif
