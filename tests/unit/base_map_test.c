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
		if (next_random(&seed) % 3 == 0) {
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(against_an_array),
	    cmocka_unit_test(walked_in_the_order_put),
	    cmocka_unit_test(keys_of_all_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
