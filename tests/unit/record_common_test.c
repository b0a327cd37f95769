/* What all records of connections have: its constants need not cross the wire, and nothing that
 * crosses can change them; its values cross at their places or not at all. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/common.h"
#include "record/read.h"

static struct record r, taken;

static const enum record_kind kinds[] = {RECORD_SESSION, RECORD_MESSAGE};

/* The record's octets behind what is common, as they cross the wire. */
static bool
take(const struct record *of, size_t len)
{
	return record_take_common(&taken, (enum record_kind)of->kind,
	    of->data + record_constants((enum record_kind)of->kind), len);
}

static bool
has_constants(const struct record *x, enum record_kind kind)
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

static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 1};

static void
set_values(struct record *x)
{
	static const uint8_t four[16] = {192, 0, 2, 1};
	record_set_time(x, FIELD_TIMESTAMP, INT64_MIN);
	record_set_time(x, FIELD_EVENT_START, 1);
	record_set_time(x, FIELD_EVENT_END, 2);
	record_set_u64(x, FIELD_EVENT_DURATION, 3);
	record_set(x, FIELD_NETWORK_TYPE, TYPE_STR, "ipv6", 4);
	record_set_ip(x, FIELD_SOURCE_IP, 6, six);
	record_set_ip(x, FIELD_DESTINATION_IP, 4, four);
	record_set_u64(x, FIELD_SOURCE_PORT, 4);
	record_set_u64(x, FIELD_SOURCE_BYTES, 5);
	record_set_u64(x, FIELD_SOURCE_PACKETS, 6);
	record_set_u64(x, FIELD_DESTINATION_PORT, 7);
	record_set_u64(x, FIELD_DESTINATION_BYTES, 8);
	record_set_u64(x, FIELD_DESTINATION_PACKETS, 9);
	record_set_bool(x, FIELD_MIDSTREAM, true);
	record_set_u64(x, FIELD_GAP_BYTES, UINT64_MAX);
}

static bool
has_values(const struct record *x)
{
	struct addr source = record_ip(x, FIELD_SOURCE_IP),
		    dest = record_ip(x, FIELD_DESTINATION_IP);
	return record_time(x, FIELD_TIMESTAMP, 0) == INT64_MIN &&
	    record_time(x, FIELD_EVENT_START, 0) == 1 && record_time(x, FIELD_EVENT_END, 0) == 2 &&
	    record_u64(x, FIELD_EVENT_DURATION, 0) == 3 &&
	    record_is(x, FIELD_NETWORK_TYPE, "ipv6") && source.family == 6 &&
	    memcmp(source.b, six, sizeof six) == 0 && dest.family == 4 && dest.b[0] == 192 &&
	    record_u64(x, FIELD_SOURCE_PORT, 0) == 4 && record_u64(x, FIELD_SOURCE_BYTES, 0) == 5 &&
	    record_u64(x, FIELD_SOURCE_PACKETS, 0) == 6 &&
	    record_u64(x, FIELD_DESTINATION_PORT, 0) == 7 &&
	    record_u64(x, FIELD_DESTINATION_BYTES, 0) == 8 &&
	    record_u64(x, FIELD_DESTINATION_PACKETS, 0) == 9 && record_true(x, FIELD_MIDSTREAM) &&
	    record_u64(x, FIELD_GAP_BYTES, 0) == UINT64_MAX;
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
		assert_true(has_constants(&r, kinds[k]));
		for (uint32_t at = 0; record_next(&r, &at, &v); n++)
			assert_true(
			    n != 10 || v.field == FIELD_TIMESTAMP); /* behind the constants */
		assert_int_equal(n, 25);
		set_values(&r);
		assert_true(has_constants(&r, kinds[k]) && has_values(&r));
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
		const uint32_t constants = record_constants(kinds[k]);
		record_begin_common(&r, kinds[k]);
		set_values(&r);
		const uint32_t common = r.len;
		record_put_word(&r, FIELD_EXPOSED, "body");
		const uint32_t second = r.len;
		record_put_word(&r, FIELD_EXPOSED, "headers");
		assert_true(take(&r, r.len - constants));
		assert_alike(&taken, &r);
		assert_true(has_constants(&taken, kinds[k]) && has_values(&taken));
		for (uint32_t len = 0; len < r.len - constants; len++) { /* cut off */
			const uint32_t end = constants + len;
			const uint32_t whole = end < common ? 0 : end < second ? common : second;
			assert_int_equal(take(&r, len), end == whole);
			assert_int_equal(taken.len, whole);
			assert_true(
			    whole == 0 || (has_constants(&taken, kinds[k]) && has_values(&taken)));
		}
	}
}

/* Each octet of the values, damaged: the heads and the families of addresses must be as they are,
 * and what is a value otherwise is taken as it is. */
static void
values_have_their_places(void **state)
{
	(void)state;
	struct record_value v;
	const uint32_t constants = record_constants(RECORD_SESSION);
	record_begin_common(&r, RECORD_SESSION);
	set_values(&r);
	for (uint32_t begin = constants, at = constants; begin < r.len; begin = at) {
		assert_true(record_next(&r, &at, &v));
		for (uint32_t i = begin; i < at; i++) {
			const uint8_t was = r.data[i];
			const bool head = i < begin + RECORD_HEAD;
			const bool family =
			    field_table[v.field].type == TYPE_IP && i == begin + RECORD_HEAD;
			for (unsigned octet = 0; octet < 256; octet++) {
				r.data[i] = (uint8_t)octet;
				const bool good = octet == was || !(head || family) ||
				    (family && (octet == 4 || octet == 6));
				assert_int_equal(take(&r, r.len - constants), good);
				if (good)
					assert_alike(&taken, &r);
				else
					assert_int_equal(taken.len, 0);
			}
			r.data[i] = was;
		}
	}
}

static void
nothing_of_it_is_said_otherwise(void **state)
{
	(void)state;
	static const enum field once[] = {FIELD_EVENT_KIND, FIELD_EVENT_DATASET,
	    FIELD_OBSERVER_TYPE, FIELD_OBSERVER_PRODUCT, FIELD_OBSERVER_VERSION,
	    FIELD_NETWORK_TRANSPORT, FIELD_NETWORK_TYPE};
	const uint32_t constants = record_constants(RECORD_MESSAGE);
	for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
		record_begin_common(&r, RECORD_MESSAGE);
		record_put_word(&r, FIELD_HELO, "name");
		const uint32_t good = r.len;
		record_put_word(&r, once[i], "another");
		assert_false(take(&r, r.len - constants));
		assert_int_equal(taken.len, good);
		assert_true(has_constants(&taken, RECORD_MESSAGE));
		assert_false(record_is(&taken, once[i], "another"));
	}
	record_begin_common(&r, RECORD_MESSAGE);
	record_put_u64(&r, FIELD_SOURCE_PORT, 25);
	assert_false(take(&r, r.len - constants));
	/* a list may become longer */
	record_begin_common(&r, RECORD_MESSAGE);
	record_put_word(&r, FIELD_EVENT_CATEGORY, "another");
	assert_true(take(&r, r.len - constants));
	assert_alike(&taken, &r);
	assert_true(record_is(&taken, FIELD_EVENT_CATEGORY, "another"));
}

static void
no_more_than_there_is_room_for(void **state)
{
	(void)state;
	static uint8_t octets[LIMIT_RECORD];
	const uint32_t constants = record_constants(RECORD_SESSION);
	const uint32_t most = LIMIT_RECORD - constants;
	record_begin_common(&r, RECORD_SESSION);
	const uint32_t common = r.len;
	const struct record_head head = {FIELD_HELO,
	    (uint16_t)(LIMIT_RECORD - common - RECORD_HEAD)};
	memcpy(octets, r.data + constants, common - constants);
	memcpy(octets + common - constants, &head, sizeof head);
	assert_true(record_take_common(&taken, RECORD_SESSION, octets, most));
	assert_int_equal(taken.len, LIMIT_RECORD);
	for (uint32_t more = 1; more <= constants; more++) {
		assert_false(record_take_common(&taken, RECORD_SESSION, octets, most + more));
		assert_int_equal(taken.len, 0);
	}
	/* what says that it is longer than any is not looked at */
	assert_false(record_take_common(&taken, RECORD_SESSION, NULL, SIZE_MAX));
	assert_int_equal(taken.len, 0);
}

static struct record changing;
static _Atomic bool over;

/* A worker that somebody took over writes into what it has sent: the family of an address. */
static void *
write_on(void *family)
{
	while (!over) {
		*(volatile uint8_t *)family = 99;
		*(volatile uint8_t *)family = 6;
	}
	return NULL;
}

static void
what_changes_meanwhile(void **state)
{
	(void)state;
	pthread_t thread;
	unsigned good = 0;
	record_begin_common(&changing, RECORD_SESSION);
	set_values(&changing);
	const uint32_t from = record_constants(RECORD_SESSION);
	uint8_t *family = changing.data + changing.first[FIELD_SOURCE_IP] + RECORD_HEAD;
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, write_on, family), 0);
	for (unsigned i = 0; i < 300000; i++) {
		struct record_value v;
		if (!record_take_common(&taken, RECORD_SESSION, changing.data + from,
			changing.len - from))
			continue;
		good++;
		assert_true(record_find(&taken, FIELD_SOURCE_IP, &v));
		assert_int_equal(v.ip.family, 6);
	}
	over = true;
	pthread_join(thread, NULL);
	assert_true(good > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_stands_first),
	    cmocka_unit_test(the_rest_is_taken),
	    cmocka_unit_test(values_have_their_places),
	    cmocka_unit_test(nothing_of_it_is_said_otherwise),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	    cmocka_unit_test(what_changes_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
