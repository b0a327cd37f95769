/* What all records of connections have alike: it need not cross the pipe, and nothing that crosses
 * can change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/common.h"

static struct record r, taken;

static const enum record_kind kinds[] = {RECORD_SESSION, RECORD_MESSAGE};

/* The record's octets behind what is common, as they cross the pipe. */
static bool
take(const struct record *of, size_t len)
{
	return record_take_common(&taken, (enum record_kind)of->kind,
	    of->data + record_common_len((enum record_kind)of->kind), len);
}

static bool
is_common(const struct record *x, enum record_kind kind)
{
	const bool session = kind == RECORD_SESSION;
	return record_is(x, FIELD_EVENT_KIND, "event") &&
	    record_is(x, FIELD_EVENT_CATEGORY, "network") &&
	    record_is(x, FIELD_EVENT_CATEGORY, "email") &&
	    record_is(x, FIELD_EVENT_TYPE, "protocol") &&
	    record_is(x, FIELD_EVENT_TYPE, session ? "connection" : "info") &&
	    record_is(x, FIELD_EVENT_DATASET, session ? "postcard.session" : "postcard.message") &&
	    record_is(x, FIELD_OBSERVER_TYPE, "sensor") &&
	    record_is(x, FIELD_OBSERVER_PRODUCT, "postcard") &&
	    record_is(x, FIELD_OBSERVER_VERSION, POSTCARD_VERSION) &&
	    record_is(x, FIELD_NETWORK_TRANSPORT, "tcp");
}

/* The same octets, and an index that finds the same in them. */
static void
assert_alike(const struct record *a, const struct record *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
	assert_memory_equal(a->has, b->has, sizeof a->has);
	for (unsigned f = 0; f < FIELDS; f++) {
		if (!record_has(a, (enum field)f))
			continue;
		assert_int_equal(a->first[f], b->first[f]);
		assert_int_equal(a->last[f], b->last[f]);
	}
}

static void
it_stands_first(void **state)
{
	(void)state;
	struct record_value v;
	for (unsigned k = 0; k < 2; k++) {
		unsigned n = 0;
		record_begin_common(&r, kinds[k]);
		assert_int_equal(r.len, record_common_len(kinds[k]));
		assert_true(is_common(&r, kinds[k]));
		for (uint32_t at = 0; record_next(&r, &at, &v);)
			n++;
		assert_int_equal(n, 10);
		assert_true(
		    record_take(&taken, kinds[k], r.data, r.len)); /* a record like others */
		assert_alike(&taken, &r);
	}
}

static void
the_rest_is_taken(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		record_begin_common(&r, kinds[k]);
		const uint32_t common = r.len;
		record_put_time(&r, FIELD_TIMESTAMP, 1);
		const uint32_t first = r.len;
		record_put_word(&r, FIELD_EXPOSED, "body");
		const uint32_t second = r.len;
		record_put_word(&r, FIELD_EXPOSED, "headers");
		assert_true(take(&r, r.len - common));
		assert_alike(&taken, &r);
		for (uint32_t len = 0; len < r.len - common; len++) { /* cut off */
			const uint32_t end = common + len;
			const uint32_t whole = end < first ? common : end < second ? first : second;
			assert_int_equal(take(&r, len), end == whole);
			assert_int_equal(taken.len, whole);
			assert_true(is_common(&taken, kinds[k]));
		}
	}
}

static void
nothing_of_it_is_said_otherwise(void **state)
{
	(void)state;
	static const enum field once[] = {FIELD_EVENT_KIND, FIELD_EVENT_DATASET,
	    FIELD_OBSERVER_TYPE, FIELD_OBSERVER_PRODUCT, FIELD_OBSERVER_VERSION,
	    FIELD_NETWORK_TRANSPORT};
	for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
		record_begin_common(&r, RECORD_MESSAGE);
		const uint32_t common = r.len;
		record_put_word(&r, FIELD_HELO, "name");
		const uint32_t good = r.len;
		record_put_word(&r, once[i], "another");
		assert_false(take(&r, r.len - common));
		assert_int_equal(taken.len, good);
		assert_true(is_common(&taken, RECORD_MESSAGE));
		assert_false(record_is(&taken, once[i], "another"));
	}
	/* a list may become longer */
	record_begin_common(&r, RECORD_MESSAGE);
	const uint32_t common = r.len;
	record_put_word(&r, FIELD_EVENT_CATEGORY, "another");
	assert_true(take(&r, r.len - common));
	assert_alike(&taken, &r);
	assert_true(record_is(&taken, FIELD_EVENT_CATEGORY, "another"));
}

static void
no_more_than_there_is_room_for(void **state)
{
	(void)state;
	static uint8_t octets[LIMIT_RECORD];
	const uint32_t common = record_common_len(RECORD_SESSION);
	struct record_head head = {FIELD_HELO,
	    (uint16_t)(LIMIT_RECORD - common - sizeof(struct record_head))};
	memcpy(octets, &head, sizeof head);
	assert_true(record_take_common(&taken, RECORD_SESSION, octets, LIMIT_RECORD - common));
	assert_int_equal(taken.len, LIMIT_RECORD);
	for (size_t more = 1; more <= common; more++) {
		assert_false(record_take_common(&taken, RECORD_SESSION, octets,
		    LIMIT_RECORD - common + more));
		assert_int_equal(taken.len, common);
	}
	assert_false(record_take_common(&taken, RECORD_SESSION, octets, SIZE_MAX));
	assert_int_equal(taken.len, common);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_stands_first),
	    cmocka_unit_test(the_rest_is_taken),
	    cmocka_unit_test(nothing_of_it_is_said_otherwise),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
