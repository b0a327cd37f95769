/* The keyed hash: its key, that each bit counts, and that like keys of a flow table spread. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key fixed = {
    {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 0xd6e8feb86659fd93u}};

static void
a_key_is_odd_and_new(void **state)
{
	(void)state;
	struct hash_key a = {{0}}, b = {{0}};
	hash_key_draw(&a);
	hash_key_draw(&b);
	for (int i = 0; i < 4; i++) {
		assert_true((a.k[i] & 1) == 1 && (b.k[i] & 1) == 1);
		assert_true(a.k[i] != b.k[i]); /* equal once in 2^63 */
		assert_true(a.k[i] != a.k[(i + 1) % 4]);
	}
}

static void
folded(void **state)
{
	(void)state;
	assert_true(hash_fold(0, UINT64_MAX) == 0);
	assert_true(hash_fold(3, 5) == 15);
	assert_true(hash_fold(UINT64_MAX, UINT64_MAX) == (1 ^ (UINT64_MAX - 1)));
	assert_true(hash_fold(1ull << 63, 6) == 3); /* what overflows comes back */
}

/* 40 octets of just that size at any alignment; the same value wherever they lie. */
static void
wherever_it_lies(void **state)
{
	(void)state;
	uint8_t in[40];
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 37);
	uint64_t want = hash_40(&fixed, in);
	for (size_t align = 0; align < 8; align++) {
		uint8_t *mem = malloc(align + sizeof in);
		memcpy(mem + align, in, sizeof in);
		assert_true(hash_40(&fixed, mem + align) == want);
		free(mem);
	}
}

static void
each_bit_counts(void **state)
{
	(void)state;
	uint8_t in[40] = {0};
	uint64_t was = hash_40(&fixed, in);
	unsigned sum = 0;
	for (unsigned bit = 0; bit < 320; bit++) {
		in[bit / 8] ^= (uint8_t)(1u << bit % 8);
		unsigned changed = (unsigned)__builtin_popcountll(hash_40(&fixed, in) ^ was);
		assert_in_range(changed, 8, 56);
		sum += changed;
		in[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_in_range(sum / 320, 28, 36); /* about half of 64 */
	for (unsigned bit = 0; bit < 256; bit++) {
		struct hash_key key = fixed;
		key.k[bit / 64] ^= 1ull << bit % 64;
		assert_true(hash_40(&key, in) != was);
	}
}

/* The connections of one client: all ports, then many addresses, into twice as many buckets. */
static void
like_keys_spread(void **state)
{
	(void)state;
	enum { KEYS = 1 << 16, BUCKETS = 2 * KEYS };
	for (unsigned at = 0; at < 40; at += 3) {
		uint8_t in[40] = {0};
		uint16_t *bucket = calloc(BUCKETS, sizeof *bucket);
		unsigned taken = 0, most = 0;
		for (unsigned i = 0; i < KEYS; i++) {
			in[at] = (uint8_t)i;
			in[at < 39 ? at + 1 : 0] = (uint8_t)(i >> 8);
			unsigned n = ++bucket[hash_40(&fixed, in) & (BUCKETS - 1)];
			taken += n == 1;
			most = n > most ? n : most;
		}
		free(bucket);
		/* chance takes 2 * (1 - e^-1/2) = 0.787 of KEYS, and puts 7 or so in the fullest */
		assert_in_range(taken, KEYS * 77 / 100, KEYS);
		assert_in_range(most, 1, 14);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_is_odd_and_new),
	    cmocka_unit_test(folded),
	    cmocka_unit_test(wherever_it_lies),
	    cmocka_unit_test(each_bit_counts),
	    cmocka_unit_test(like_keys_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
