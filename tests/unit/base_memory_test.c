/* Memory for tables: zeroed, paid for only where touched, refused without harm, given back. */
#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void
zeroed_each_time(void **state)
{
	(void)state;
	for (size_t octets = 1; octets <= 1u << 20; octets = octets * 3 + 1) {
		for (int round = 0; round < 2; round++) {
			uint8_t *mem = memory_reserve(octets);
			assert_non_null(mem);
			for (size_t i = 0; i < octets; i++) {
				assert_true(mem[i] == 0);
				mem[i] = 0xff;
			}
			memory_release(mem, octets);
		}
	}
}

/* Pages of the mapping that hold memory. */
static size_t
pages_held(void *mem, size_t octets, size_t page)
{
	size_t pages = octets / page, held = 0;
	unsigned char *core = calloc(pages, 1);
	assert_int_equal(mincore(mem, octets, core), 0);
	for (size_t i = 0; i < pages; i++)
		held += core[i] & 1;
	free(core);
	return held;
}

static void
paid_where_touched(void **state)
{
	(void)state;
	const size_t octets = (size_t)4 << 30, page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *mem = memory_reserve(octets);
	assert_non_null(mem);
	assert_int_equal((uintptr_t)mem % page, 0);
	assert_int_equal(pages_held(mem, octets, page), 0);
	mem[0] = mem[octets / 2] = mem[octets - 1] = 1;
	size_t held = pages_held(mem, octets, page);
	assert_in_range(held, 3, 3 * ((2u << 20) / page)); /* the kernel may give huge ones */
	memory_release(mem, octets);
}

/* Pages that are forgotten are paid for no longer, and zero when they are used again. */
static void
forgotten(void **state)
{
	(void)state;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), octets = 8 * page;
	uint8_t *mem = memory_reserve(octets);
	assert_non_null(mem);
	memset(mem, 1, octets);
	memory_forget(mem, 2 * page);
	assert_int_equal(pages_held(mem, octets, page), 6);
	assert_true(mem[0] == 0 && mem[2 * page - 1] == 0 && mem[2 * page] == 1);
	memory_release(mem, octets);
}

static void
refused(void **state)
{
	(void)state;
	assert_null(memory_reserve(SIZE_MAX));
	assert_null(memory_reserve((size_t)1 << 62));
	memory_release(NULL, 0);
	memory_release(NULL, 4096);
}

static void
given_back(void **state)
{
	(void)state;
	const size_t octets = 1u << 20;
	unsigned char core[256 + 1];
	void *mem = memory_reserve(octets);
	assert_non_null(mem);
	memset(mem, 1, octets);
	memory_release(mem, octets);
	errno = 0;
	assert_int_equal(mincore(mem, octets, core), -1);
	assert_int_equal(errno, ENOMEM); /* not mapped any more */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeroed_each_time),
	    cmocka_unit_test(paid_where_touched),
	    cmocka_unit_test(forgotten),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
