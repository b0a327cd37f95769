/* The string store: each length and class, full classes, and that a dropped string is gone. */
#include "base/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t
octet(size_t len, size_t at)
{
	return (uint8_t)(len * 31 + at * 7);
}

/* All lengths at once, each from a buffer of just its size; nobody's octets touch another's. */
static void
each_length(void **state)
{
	(void)state;
	struct strings s;
	uint32_t *handle = calloc(STRINGS_MAX + 1, sizeof *handle);
	assert_true(strings_init(&s, 4u << 20));
	for (size_t len = 1; len <= STRINGS_MAX; len++) {
		uint8_t *in = malloc(len);
		for (size_t i = 0; i < len; i++)
			in[i] = octet(len, i);
		handle[len] = strings_put(&s, in, len);
		assert_int_not_equal(handle[len], 0);
		free(in);
	}
	for (size_t len = 1; len <= STRINGS_MAX; len++) {
		size_t n;
		const char *p = strings_get(&s, handle[len], &n);
		assert_int_equal(n, len);
		for (size_t i = 0; i < len; i++)
			assert_true((uint8_t)p[i] == octet(len, i));
	}
	for (size_t len = 1; len <= STRINGS_MAX; len++)
		strings_drop(&s, handle[len]);
	for (int c = 0; c < STRINGS_CLASSES; c++)
		assert_int_equal(s.cls[c].used, 0);
	strings_free_all(&s);
	free(handle);
}

static void
the_smallest_class_that_holds_it(void **state)
{
	(void)state;
	struct strings s;
	char in[STRINGS_MAX] = {0};
	assert_true(strings_init(&s, 1u << 20));
	for (uint32_t c = 0; c < STRINGS_CLASSES; c++) {
		size_t most = (16u << c) - 2;
		assert_int_not_equal(strings_put(&s, in, most), 0);
		assert_int_equal(s.cls[c].used, c == 0 ? 1 : 2);
		if (c + 1 < STRINGS_CLASSES) {
			assert_int_not_equal(strings_put(&s, in, most + 1), 0);
			assert_int_equal(s.cls[c + 1].used, 1);
		}
	}
	strings_free_all(&s);
}

static void
nothing_and_too_much(void **state)
{
	(void)state;
	struct strings s;
	size_t n = 9;
	assert_true(strings_init(&s, 1u << 16));
	assert_int_equal(strings_put(&s, "", 0), 0);
	assert_int_equal(strings_put(&s, NULL, 0), 0);
	assert_string_equal(strings_get(&s, 0, &n), "");
	assert_int_equal(n, 0);
	strings_drop(&s, 0);

	char *in = malloc(STRINGS_MAX + 100);
	memset(in, 'x', STRINGS_MAX + 100);
	in[STRINGS_MAX - 1] = 'y';
	uint32_t h = strings_put(&s, in, STRINGS_MAX + 100);
	const char *p = strings_get(&s, h, &n);
	assert_int_equal(n, STRINGS_MAX);
	assert_memory_equal(p, in, STRINGS_MAX);
	free(in);
	strings_free_all(&s);
	strings_free_all(&s);
}

static void
a_full_class_refuses(void **state)
{
	(void)state;
	struct strings s;
	uint32_t h[4];
	size_t n;
	assert_true(strings_init(&s, 64)); /* four of 16, two of 32, one of 64, none above */
	for (int i = 0; i < 4; i++) {
		h[i] = strings_put(&s, &"abcd"[i], 1);
		assert_int_not_equal(h[i], 0);
	}
	assert_int_equal(strings_put(&s, "e", 1), 0);
	assert_int_equal(s.cls[0].refused, 1);
	char longer[100] = "longer";
	assert_int_not_equal(strings_put(&s, longer, 30), 0); /* other classes have room still */
	assert_int_equal(strings_put(&s, longer, 63), 0);
	assert_int_equal(s.cls[3].refused, 1);
	strings_drop(&s, h[2]);
	h[2] = strings_put(&s, "C", 1);
	assert_int_not_equal(h[2], 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(*strings_get(&s, h[i], &n), "abCd"[i]);
	strings_free_all(&s);
}

static void
changed_in_place_and_dropped(void **state)
{
	(void)state;
	static const char secret[] = "AUTH PLAIN secret";
	struct strings s;
	size_t n;
	assert_true(strings_init(&s, 4096));
	uint32_t h = strings_put(&s, secret, sizeof secret);
	char *p = strings_edit(&s, h, &n);
	assert_int_equal(n, sizeof secret);
	p[0] = 'a';
	assert_string_equal(strings_get(&s, h, &n), "aUTH PLAIN secret");
	strings_drop(&s, h);
	for (size_t i = 2; i < sizeof secret; i++) /* the pool's list takes the cell's first four */
		assert_int_equal(p[i], 0);
	strings_free_all(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_length),
	    cmocka_unit_test(the_smallest_class_that_holds_it),
	    cmocka_unit_test(nothing_and_too_much),
	    cmocka_unit_test(a_full_class_refuses),
	    cmocka_unit_test(changed_in_place_and_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
