/* The arena and arrays that grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

/* Of all sizes, far more than one chunk: aligned, zeroed, apart from each other. */
static void
takes(void **state)
{
	(void)state;
	enum { TAKES = 3000 };
	static uint8_t *taken[TAKES];
	struct arena a = {0};
	for (size_t i = 0; i < TAKES; i++) {
		size_t size = i % 500 == 499 ? 100000 : i % 97;
		taken[i] = arena_take(&a, size);
		assert_non_null(taken[i]);
		assert_int_equal((uintptr_t)taken[i] % 16, 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(taken[i][k], 0);
		memset(taken[i], (int)(i % 255) + 1, size);
	}
	for (size_t i = 0; i < TAKES; i++) {
		size_t size = i % 500 == 499 ? 100000 : i % 97;
		for (size_t k = 0; k < size; k++)
			assert_int_equal(taken[i][k], i % 255 + 1);
	}
	arena_free_all(&a);
	assert_null(a.chunks);
	arena_free_all(&a); /* an empty one is allowed */
}

static void
copies(void **state)
{
	(void)state;
	struct arena a = {0};
	assert_memory_equal(arena_copy(&a, "a\0b", 3), "a\0b", 4);
	assert_string_equal(arena_copy(&a, NULL, 0), "");
	arena_free_all(&a);
}

static void
arrays(void **state)
{
	(void)state;
	uint64_t *items = NULL;
	for (size_t n = 0; n < 5000; n++) {
		uint64_t *grown = array_room(items, n, sizeof *items);
		assert_non_null(grown);
		items = grown;
		items[n] = n;
	}
	for (size_t n = 0; n < 5000; n++)
		assert_true(items[n] == n);
	assert_null(array_room(items, (size_t)1 << 62, sizeof *items)); /* as it was */
	assert_true(items[4999] == 4999);
	free(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(arrays),
	};
	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
