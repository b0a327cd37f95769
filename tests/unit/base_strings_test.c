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

static uint32_t
cells(const struct strings *s)
{
	uint32_t used = 0;
	for (int c = 0; c < STRINGS_CLASSES; c++)
		used += s->cls[c].used;
	return used;
}

static void
equal_ones_are_shared(void **state)
{
	(void)state;
	struct strings s;
	size_t n;
	assert_true(strings_init(&s, 1u << 16));
	uint32_t a = strings_share(&s, "mx ESMTP", 8), b = strings_share(&s, "mx ESMTP ", 9);
	uint32_t c = strings_put(&s, "mx ESMTP", 8);
	assert_int_not_equal(a, b);
	assert_int_not_equal(a, c); /* who may change his own has his own */
	assert_int_equal(strings_share(&s, "mx ESMTP", 8), a);
	assert_int_equal(cells(&s), 3);
	assert_memory_equal(strings_get(&s, a, &n), "mx ESMTP", 8);
	assert_int_equal(n, 8);
	strings_drop(&s, a);
	assert_memory_equal(strings_get(&s, a, &n), "mx ESMTP", 8); /* one user is left */
	strings_drop(&s, a);
	assert_int_equal(cells(&s), 2);
	a = strings_share(&s, "mx ESMTP", 8); /* anew */
	strings_drop(&s, a);
	strings_drop(&s, b);
	strings_drop(&s, c);
	assert_int_equal(cells(&s), 0);
	assert_int_equal(strings_share(&s, "", 0), 0);
	strings_free_all(&s);
}

/* Of each length, and of more than there are buckets at first. */
static void
many_shared(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	struct strings s;
	uint32_t *handle = calloc(MANY, sizeof *handle);
	char in[STRINGS_MAX + 1] = {0};
	size_t n;
	assert_true(strings_init(&s, 8u << 20));
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			memcpy(in, &i, sizeof i);
			uint32_t h = strings_share(&s, in, 4 + i % 40);
			assert_int_not_equal(h, 0);
			assert_true(round == 0 || h == handle[i]);
			handle[i] = h;
		}
	}
	assert_int_equal(cells(&s), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(in, &i, sizeof i);
		assert_memory_equal(strings_get(&s, handle[i], &n), in, 4 + i % 40);
		assert_int_equal(n, 4 + i % 40);
		strings_drop(&s, handle[i]);
		strings_drop(&s, handle[i]);
	}
	assert_int_equal(cells(&s), 0);
	for (size_t len = 1; len <= STRINGS_MAX; len++) {
		uint32_t h = strings_share(&s, in, len);
		(void)strings_get(&s, h, &n);
		assert_int_equal(n, len);
		strings_drop(&s, h);
	}
	assert_int_equal(cells(&s), 0);
	strings_free_all(&s);
	free(handle);
}

/* What is there already is shared by a full store too. */
static void
shared_in_a_full_store(void **state)
{
	(void)state;
	struct strings s;
	assert_true(strings_init(&s, 32)); /* two of 16, one of 32, none above */
	uint32_t a = strings_share(&s, "a", 1), b = strings_share(&s, "b", 1);
	assert_true(a != 0 && b != 0);
	assert_int_equal(strings_share(&s, "c", 1), 0);
	assert_int_equal(strings_share(&s, "a", 1), a);
	strings_drop(&s, b);
	assert_int_not_equal(strings_share(&s, "c", 1), 0);
	assert_int_equal(strings_share(&s, "b", 1), 0);
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
	    cmocka_unit_test(equal_ones_are_shared),
	    cmocka_unit_test(many_shared),
	    cmocka_unit_test(shared_in_a_full_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
