/* The hash map, against an array that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void
against_an_array(void **state)
{
	(void)state;
	enum { KEYS = 200, MOST = 100 };
	struct map m;
	bool there[KEYS] = {false};
	uint64_t values[KEYS] = {0}, seed = 7;
	uint32_t count = 0;
	assert_true(map_init(&m, "test", 7, sizeof(uint64_t), MOST));
	for (int step = 0; step < 200000; step++) {
		uint32_t k = next_random(&seed) % KEYS;
		char key[7] = {0};
		memcpy(key, &k, sizeof k);
		uint64_t *v = map_find(&m, key);
		assert_true((v != NULL) == there[k]);
		if (v != NULL)
			assert_true(*v == values[k]);
		uint64_t hash = map_expect(&m, key);
		map_expect_value(&m, hash);
		assert_ptr_equal(map_find_hashed(&m, key, hash), v);
		if (next_random(&seed) % 3 == 0) {
			if (v != NULL && step % 2 == 0)
				map_remove_value(&m, v);
			else
				map_remove(&m, key);
			count -= there[k];
			there[k] = false;
		} else {
			bool fresh;
			v = map_put(&m, key, &fresh);
			assert_true((v != NULL) == (there[k] || count < MOST));
			if (v != NULL) {
				assert_true(fresh == !there[k]);
				assert_true(!fresh || *v == 0);
				count += fresh;
				there[k] = true;
				*v = values[k] = (uint64_t)step;
			}
		}
		assert_int_equal(map_count(&m), count);
	}
	const void *key;
	void *value;
	uint32_t walked = 0;
	for (uint32_t at = 0; map_next(&m, &at, &key, &value); walked++) {
		uint32_t k;
		memcpy(&k, key, sizeof k);
		assert_true(there[k] && *(uint64_t *)value == values[k]);
		map_remove(&m, key);
	}
	assert_int_equal(walked, count);
	assert_int_equal(map_count(&m), 0);
	map_free_all(&m);
}

/* Slots double while entries come and go: each is found before and after, by its hash as well. */
static void
grows(void **state)
{
	(void)state;
	enum { MOST = 20000 };
	struct map m;
	bool fresh;
	assert_true(map_init(&m, "test", sizeof(uint32_t), sizeof(uint32_t), MOST));
	for (uint32_t i = 0; i < MOST; i++) {
		uint32_t gone = i / 2, *v = map_put_hashed(&m, &i, map_expect(&m, &i), &fresh);
		assert_true(v != NULL && fresh && *v == 0);
		*v = ~i;
		if (i % 2 == 1)
			map_remove(&m, &gone);
		assert_int_equal(map_count(&m), i + 1 - (i + 1) / 2);
	}
	for (uint32_t i = 0; i < MOST; i++) {
		uint32_t *v = map_find_hashed(&m, &i, map_expect(&m, &i));
		assert_ptr_equal(v, map_find(&m, &i));
		assert_true((v != NULL) == (i >= MOST / 2));
		assert_true(v == NULL || *v == ~i);
	}
	map_free_all(&m);
}

static void
walked_in_the_order_put(void **state)
{
	(void)state;
	struct map m;
	const void *key;
	void *value;
	uint32_t n = 0;
	assert_true(map_init(&m, "test", sizeof n, 0, 1000));
	for (uint32_t i = 0; i < 1000; i++)
		assert_non_null(map_put(&m, &i, NULL));
	for (uint32_t at = 0; map_next(&m, &at, &key, &value); n++)
		assert_memory_equal(key, &n, sizeof n);
	assert_int_equal(n, 1000);
	assert_null(map_put(&m, &n, NULL));
	assert_null(map_find(&m, &n));
	map_free_all(&m);
	map_free_all(&m);
}

static void
keys_of_all_sizes(void **state)
{
	(void)state;
	for (size_t size = 1; size < 70; size++) {
		struct map m;
		uint8_t *key = calloc(1, size);
		assert_true(map_init(&m, "test", size, 1, 300));
		for (size_t i = 0; i < size; i++) {
			key[i] = 1;
			*(uint8_t *)map_put(&m, key, NULL) = (uint8_t)i;
		}
		assert_int_equal(map_count(&m), size);
		memset(key, 0, size);
		assert_null(map_find(&m, key));
		for (size_t i = 0; i < size; i++) {
			key[i] = 1;
			assert_int_equal(*(uint8_t *)map_find(&m, key), i);
		}
		free(key);
		map_free_all(&m);
	}
}

/* What is given up is the oldest of those looked at, and in the end all old ones are gone while
 * most of the new ones, and all that came last, are there. */
static void
the_stalest_goes(void **state)
{
	(void)state;
	enum { MOST = 200 };
	struct {
		uint64_t other;
		int64_t used_ns;
	} * v;
	struct map m;
	void *value;
	uint32_t at = 0;
	assert_true(map_init(&m, "test", sizeof(uint32_t), sizeof *v, MOST));
	assert_null(map_stalest(&m, &at, 8, &value));
	for (uint32_t i = 0; i < MOST; i++) {
		v = map_put(&m, &i, NULL);
		v->used_ns = i % 4 == 0 ? -(int64_t)i : 1000; /* a quarter is old */
	}
	unsigned old = MOST / 4, new = 0;
	for (uint32_t i = 0; old > 0; i++) {
		const void *key = map_stalest(&m, &at, 8, &value);
		uint32_t k;
		assert_non_null(key);
		memcpy(&k, key, sizeof k);
		assert_ptr_equal(map_find(&m, key), value);
		v = value;
		old -= v->used_ns <= 0;
		new += v->used_ns > 0;
		if (i < MOST / 16)
			assert_int_equal(k % 16, 12); /* of 16, the one that is oldest */
		map_remove(&m, key);
		k = MOST + i;
		v = map_put(&m, &k, NULL);
		v->used_ns = 1000 + i;
	}
	assert_true(new < MOST / 2);
	assert_int_equal(map_count(&m), MOST);
	map_free_all(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(against_an_array),
	    cmocka_unit_test(grows),
	    cmocka_unit_test(walked_in_the_order_put),
	    cmocka_unit_test(keys_of_all_sizes),
	    cmocka_unit_test(the_stalest_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
