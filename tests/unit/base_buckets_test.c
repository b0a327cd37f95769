/* Buckets: each entry is found at every size of the table, and chains stay short. */
#include "base/buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES 5000u

static uint32_t next_of[ENTRIES + 1];

static uint32_t
hash_of(uint32_t id)
{
	return id * 2654435761u;
}

static void
put(struct buckets *b, uint32_t id)
{
	uint32_t *at = buckets_at(b, hash_of(id)), *to, bit;
	next_of[id] = *at;
	*at = id;
	if (!buckets_grow(b, id, &at, &to, &bit))
		return;
	assert_int_equal(*to, 0);
	while (*at != 0) {
		uint32_t moved = *at;
		if (!(hash_of(moved) & bit)) {
			at = &next_of[moved];
			continue;
		}
		*at = next_of[moved];
		next_of[moved] = *to;
		*to = moved;
	}
}

static unsigned
steps_to(const struct buckets *b, uint32_t id)
{
	unsigned steps = 1;
	uint32_t at = *buckets_at(b, hash_of(id));
	for (; at != 0 && at != id; at = next_of[at])
		steps++;
	assert_int_equal(at, id);
	return steps;
}

static void
all_are_found_as_it_grows(void **state)
{
	(void)state;
	struct buckets b;
	unsigned steps = 0;
	assert_true(buckets_init(&b, ENTRIES));
	for (uint32_t id = 1; id <= ENTRIES; id++) {
		put(&b, id);
		for (uint32_t i = 1; id % 97 == 0 && i <= id; i++)
			(void)steps_to(&b, i);
	}
	for (uint32_t id = 1; id <= ENTRIES; id++)
		steps += steps_to(&b, id);
	assert_true(steps < 2 * ENTRIES);
	buckets_free(&b);
}

/* Where there is no room for more buckets, chains get longer, and nothing is lost. */
static void
no_room(void **state)
{
	(void)state;
	struct buckets b;
	assert_true(buckets_init(&b, 16));
	for (uint32_t id = 1; id <= ENTRIES; id++)
		put(&b, id);
	for (uint32_t id = 1; id <= ENTRIES; id++)
		(void)steps_to(&b, id);
	buckets_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_are_found_as_it_grows),
	    cmocka_unit_test(no_room),
	};
	return cmocka_run_group_tests_name("base/buckets", tests, NULL, NULL);
}
