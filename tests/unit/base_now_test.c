/* The clocks of the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/now.h"

static void
the_clock_on_the_wall(void **state)
{
	(void)state;
	time_t before = time(NULL);
	int64_t ns = now_real_ns();
	assert_true(ns >= (int64_t)(before - 1) * 1000000000);
	assert_true(ns <= (int64_t)(time(NULL) + 1) * 1000000000);
}

static void
time_that_passes(void **state)
{
	(void)state;
	int64_t begun = now_monotonic_ms(), last = begun;
	for (unsigned i = 0; i < 10000; i++) {
		int64_t now = now_monotonic_ms();
		assert_true(now >= last);
		last = now;
	}
	begun = now_monotonic_ms();
	usleep(20000);
	assert_true(now_monotonic_ms() - begun >= 19);
	assert_true(now_monotonic_ms() - begun < 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_clock_on_the_wall),
	    cmocka_unit_test(time_that_passes),
	};
	return cmocka_run_group_tests_name("base/now", tests, NULL, NULL);
}
