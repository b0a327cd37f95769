/* The worker's clock: elapsed packet time out of stamps that may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/clock.h"

#define S 1000000000ll

/* Seconds that have passed after these stamps (in seconds). */
static int64_t
elapsed(const int64_t *stamp, size_t n)
{
	struct clock c = {0};
	int64_t last = 0;
	for (size_t i = 0; i < n; i++) {
		clock_move(&c, stamp[i] * S);
		assert_true(c.elapsed_ns >= last); /* never back */
		last = c.elapsed_ns;
	}
	return (c.elapsed_ns - CLOCK_START_NS) / S;
}
#define ELAPSED(...) \
	elapsed((const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void
stamps(void **state)
{
	(void)state;
	assert_int_equal(ELAPSED(1700000000), 0);
	assert_int_equal(ELAPSED(1700000000, 1700000005), 5);
	assert_int_equal(ELAPSED(100, 105, 103, 106), 6); /* small steps back are no time */
	assert_int_equal(ELAPSED(100, 3699), 3599);
	assert_int_equal(ELAPSED(100, 999999, 101), 1); /* one odd stamp moves nothing */
	assert_int_equal(ELAPSED(100, -999999, 101), 1);
	assert_int_equal(ELAPSED(100, 9999, 10000), 3600); /* a silence, or a clock that was set */
	assert_int_equal(ELAPSED(99999, 100, 101, 103), 2);
	assert_int_equal(ELAPSED(100, 9999, 99999, 999999, 101), 1);
}

static void
extremes(void **state)
{
	(void)state;
	static const int64_t worst[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN, INT64_MIN + 1,
	    INT64_MAX, INT64_MAX - 1, -1};
	struct clock c = {0};
	for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++)
		clock_move(&c, worst[i]);
	assert_true(c.elapsed_ns >= CLOCK_START_NS && c.elapsed_ns < 100 * CLOCK_LEAP_NS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stamps), cmocka_unit_test(extremes)};
	return cmocka_run_group_tests_name("engine/clock", tests, NULL, NULL);
}
