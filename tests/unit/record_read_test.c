/* Single fields read without a call give what record_find gives, and nothing of octets that are no
 * record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/read.h"

static struct record r;

static void
what_is_there(void **state)
{
	(void)state;
	size_t len;
	struct addr four, six, a;
	assert_true(addr_parse("192.0.2.1", &four) && addr_parse("2001:db8::1", &six));
	record_begin(&r, RECORD_SESSION);
	assert_null(record_str(&r, FIELD_HELO, &len));
	assert_int_equal(len, 0);
	assert_true(record_u64(&r, FIELD_MESSAGES, 7) == 7);
	assert_true(record_time(&r, FIELD_TIMESTAMP, -1) == -1);
	assert_false(record_true(&r, FIELD_MIDSTREAM));
	assert_int_equal(record_ip(&r, FIELD_SOURCE_IP).family, 0);

	record_put_word(&r, FIELD_HELO, "name");
	record_put_u64(&r, FIELD_MESSAGES, UINT64_MAX);
	record_put_time(&r, FIELD_TIMESTAMP, INT64_MIN);
	record_put_bool(&r, FIELD_MIDSTREAM, true);
	record_put_ip(&r, FIELD_SOURCE_IP, &four);
	record_put_ip(&r, FIELD_DESTINATION_IP, &six);
	record_put_word(&r, FIELD_EXPOSED, "body");
	record_put_word(&r, FIELD_EXPOSED, "headers");
	assert_memory_equal(record_str(&r, FIELD_HELO, &len), "name", 4);
	assert_int_equal(len, 4);
	assert_memory_equal(record_str(&r, FIELD_EXPOSED, &len), "body", 4);
	assert_true(record_u64(&r, FIELD_MESSAGES, 7) == UINT64_MAX);
	assert_true(record_time(&r, FIELD_TIMESTAMP, -1) == INT64_MIN);
	assert_true(record_true(&r, FIELD_MIDSTREAM));
	a = record_ip(&r, FIELD_SOURCE_IP);
	assert_memory_equal(&a, &four, sizeof a);
	a = record_ip(&r, FIELD_DESTINATION_IP);
	assert_memory_equal(&a, &six, sizeof a);
}

static void
what_is_no_value(void **state)
{
	(void)state;
	size_t len;
	struct addr a = {.family = 4, .b = {192, 0, 2, 1, 99}}; /* what follows is not looked at */
	record_begin(&r, RECORD_SESSION);
	record_put_ip(&r, FIELD_SOURCE_IP, &a);
	assert_int_equal(record_ip(&r, FIELD_SOURCE_IP).b[4], 0);
	r.data[4] = 5; /* the family */
	assert_int_equal(record_ip(&r, FIELD_SOURCE_IP).family, 0);

	record_begin(&r, RECORD_SESSION);
	record_put_u64(&r, FIELD_MESSAGES, 3);
	for (unsigned octets = 0; octets < 256; octets++) { /* of another length, or too long */
		r.data[2] = (uint8_t)octets;
		assert_true(record_u64(&r, FIELD_MESSAGES, 7) == (octets == 8 ? 3 : 7));
		assert_int_equal(record_first(&r, FIELD_MESSAGES, &len) != NULL, octets <= 8);
	}
	r.data[2] = 8;
	for (uint32_t cut = 0; cut < 12; cut++) { /* the end is missing */
		r.len = cut;
		assert_null(record_first(&r, FIELD_MESSAGES, &len));
	}
	r.len = LIMIT_RECORD + 1;
	assert_null(record_first(&r, FIELD_MESSAGES, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_there),
	    cmocka_unit_test(what_is_no_value),
	};
	return cmocka_run_group_tests_name("record/read", tests, NULL, NULL);
}
