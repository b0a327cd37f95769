/* Runs of values: a record that one was put into is the same as one whose values were put singly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/run.h"

#define F FIELD_CAPABILITIES

static struct record a, b;
static struct record_run run;

static void
put_words(struct record *r, unsigned n)
{
	static const char *const words[] = {"STARTTLS", "SIZE", "", "PIPELINING"};
	for (unsigned i = 0; i < n; i++)
		record_put_word(r, F, words[i % 4]);
}

static void
it_puts_what_was_put(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 20; n++) {
		record_begin(&a, RECORD_SESSION);
		record_put_u64(&a, FIELD_MESSAGES, n);
		uint32_t from = a.len;
		put_words(&a, n);
		record_run_keep(&run, &a, F, from);
		assert_int_equal(run.len, a.len - from);
		record_begin(&b, RECORD_SESSION);
		record_put_u64(&b, FIELD_MESSAGES, n);
		assert_true(record_put_run(&b, F, &run));
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_memory_equal(a.has, b.has, sizeof a.has);
		assert_true(a.first[F] == b.first[F] && a.last[F] == b.last[F]);
	}
}

static void
it_keeps_no_more_than_it_has_room_for(void **state)
{
	(void)state;
	char word[RECORD_RUN + 1];
	memset(word, 'x', sizeof word);
	for (size_t len = sizeof word - RECORD_HEAD; len > sizeof word - 9; len--) {
		record_begin(&a, RECORD_SESSION);
		record_run_keep(&run, &a, F, 0);
		assert_int_equal(run.len, 0);
		record_put_str(&a, F, word, len);
		record_run_keep(&run, &a, F, 0);
		assert_int_equal(run.len, len + RECORD_HEAD > RECORD_RUN ? 0 : len + RECORD_HEAD);
	}
}

static void
a_record_that_is_nearly_full_takes_none(void **state)
{
	(void)state;
	static char text[4096];
	record_begin(&a, RECORD_SESSION);
	put_words(&a, 3);
	record_run_keep(&run, &a, F, 0);
	record_begin(&b, RECORD_SESSION);
	while (b.cut == 0) {
		uint32_t had = b.len;
		assert_true(record_put_run(&b, F, &run) == (had <= RECORD_AMPLE - RECORD_RUN));
		b.len = had;
		record_put_str(&b, FIELD_ANOMALIES, text, sizeof text);
	}
	record_run_keep(&run, &b, F, 0); /* one that was cut is no example */
	assert_int_equal(run.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_puts_what_was_put),
	    cmocka_unit_test(it_keeps_no_more_than_it_has_room_for),
	    cmocka_unit_test(a_record_that_is_nearly_full_takes_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
