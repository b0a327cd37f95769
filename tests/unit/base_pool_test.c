/* Pools: exhaustion, reuse, zeroed objects that do not overlap, and misuse that ends the process.
 */
#include "base/pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool
is_filled(const uint8_t *p, size_t len, int octet)
{
	size_t i = 0;
	while (i < len && p[i] == octet)
		i++;
	return i == len;
}

static void
objects_of_all_sizes(void **state)
{
	(void)state;
	enum { MOST = 7 };
	for (size_t size = 1; size <= 70; size++) {
		struct pool p;
		assert_true(pool_init(&p, "test", size, MOST));
		assert_true(p.size >= size && p.size % 8 == 0);
		for (int round = 0; round < 2; round++) {
			uint32_t id[MOST];
			for (int i = 0; i < MOST; i++) {
				id[i] = pool_take(&p);
				assert_in_range(id[i], 1, MOST);
				uint8_t *at = pool_at(&p, id[i]);
				assert_int_equal((uintptr_t)at % 8, 0);
				assert_true(is_filled(at, p.size, 0));
				memset(at, i + 1, p.size);
			}
			for (int i = 0; i < MOST; i++)
				assert_true(is_filled(pool_at(&p, id[i]), p.size, i + 1));
			for (int i = 0; i < MOST; i++)
				pool_give(&p, id[i]);
		}
		pool_free_all(&p);
	}
}

static void
exhausted_and_used_again(void **state)
{
	(void)state;
	struct pool p;
	assert_true(pool_init(&p, "test", 4, 3));
	assert_string_equal(p.name, "test");
	uint32_t a = pool_take(&p), b = pool_take(&p), c = pool_take(&p);
	assert_true(a != 0 && b != 0 && c != 0 && a != b && b != c && a != c);
	assert_int_equal(p.refused, 0);
	assert_int_equal(pool_take(&p), 0);
	assert_int_equal(pool_take(&p), 0);
	assert_int_equal(p.refused, 2);
	assert_int_equal(p.used, 3);
	pool_give(&p, b);
	assert_int_equal(p.used, 2);
	assert_int_equal(pool_take(&p), b);
	assert_int_equal(pool_take(&p), 0);
	pool_give(&p, a);
	pool_give(&p, c);
	pool_give(&p, 0);
	assert_int_equal(p.used, 1);
	assert_int_equal(p.peak, 3);
	assert_int_equal(pool_take(&p), c); /* the newest first */
	assert_int_equal(pool_take(&p), a);
	assert_int_equal(p.refused, 3);
	assert_int_equal(p.peak, 3);
	pool_free_all(&p);
	pool_free_all(&p);
}

static void
no_objects_at_all(void **state)
{
	(void)state;
	struct pool p;
	assert_true(pool_init(&p, "test", 8, 0));
	assert_int_equal(pool_take(&p), 0);
	assert_int_equal(p.refused, 1);
	pool_free_all(&p);
	assert_false(pool_init(&p, "test", UINT32_MAX - 8, UINT32_MAX - 1)); /* 2^64 octets */
	pool_free_all(&p);
	p = (struct pool){0};
	pool_free_all(&p);
}

/* Random taking and giving, against an array that says which ids are out. */
static void
against_an_array(void **state)
{
	(void)state;
	enum { MOST = 50 };
	struct pool p;
	bool out[MOST + 1] = {false};
	uint32_t used = 0, peak = 0, seed = 3;
	assert_true(pool_init(&p, "test", sizeof(uint32_t), MOST));
	for (int step = 0; step < 100000; step++) {
		seed = seed * 1664525u + 1013904223u;
		uint32_t id = 1 + (seed >> 8) % MOST;
		if ((seed >> 20) % 5 < 2) {
			if (out[id]) {
				assert_int_equal(*(uint32_t *)pool_at(&p, id), id);
				pool_give(&p, id);
				out[id] = false;
				used--;
			}
		} else if ((id = pool_take(&p)) != 0) {
			assert_true(id <= MOST && !out[id]);
			assert_int_equal(*(uint32_t *)pool_at(&p, id), 0);
			*(uint32_t *)pool_at(&p, id) = id;
			out[id] = true;
			used++;
		} else {
			assert_int_equal(used, MOST);
		}
		peak = used > peak ? used : peak;
		assert_int_equal(p.used, used);
		assert_int_equal(p.peak, peak);
	}
	pool_free_all(&p);
}

enum misuse { AT_NONE, AT_FRESH, GIVE_FRESH, GIVE_TWICE, MISUSES };

static void
misuse_ends_the_process(void **state)
{
	(void)state;
	for (enum misuse what = 0; what < MISUSES; what++) {
		struct pool p;
		int status;
		assert_true(pool_init(&p, "test", 8, 4));
		uint32_t id = pool_take(&p);
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			close(STDERR_FILENO);
			if (what == AT_NONE || what == AT_FRESH)
				_exit(pool_at(&p, what == AT_NONE ? 0 : id + 1) == NULL);
			pool_give(&p, what == GIVE_FRESH ? id + 1 : id);
			pool_give(&p, id);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("misuse %d passed", (int)what);
		pool_free_all(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_of_all_sizes),
	    cmocka_unit_test(exhausted_and_used_again),
	    cmocka_unit_test(no_objects_at_all),
	    cmocka_unit_test(against_an_array),
	    cmocka_unit_test(misuse_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
