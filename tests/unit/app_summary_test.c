/* The tallies of a run, and the record that they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/summary.h"

static struct record record;

static void
session(struct tally *t, const char *outcome, const char *level)
{
	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_OUTCOME, outcome);
	record_put_word(&record, FIELD_LEVEL, level);
	tally_add(t, &record);
}

static void
records_are_counted(void **state)
{
	(void)state;
	struct tally t = {0};
	session(&t, "encrypted", NULL);
	session(&t, "encrypted", NULL);
	session(&t, "tls-failed", NULL);
	session(&t, "no-mail", NULL);
	session(&t, "unknown", NULL);
	session(&t, NULL, NULL);      /* without an outcome: not clean */
	session(&t, "strange", NULL); /* nor one that is not known */
	assert_false(t.cleartext);
	assert_int_equal(t.worst, LEVEL_NONE);
	session(&t, "cleartext", "medium");
	session(&t, "cleartext", "low");
	assert_true(t.cleartext);
	assert_int_equal(t.worst, LEVEL_MEDIUM);
	assert_int_equal(t.sessions, 9);
	assert_int_equal(t.outcomes[OUTCOME_ENCRYPTED], 2);
	assert_int_equal(t.outcomes[OUTCOME_CLEARTEXT], 2);
	assert_int_equal(t.outcomes[OUTCOME_TLS_FAILED], 1);
	assert_int_equal(t.outcomes[OUTCOME_NO_MAIL], 1);
	assert_int_equal(t.outcomes[OUTCOME_UNKNOWN], 3);

	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_OUTCOME, "unknown");
	record_put_word(&record, FIELD_EXPOSED, "envelope");
	record_put_word(&record, FIELD_EXPOSED, "credentials");
	record_put_u64(&record, FIELD_GAP_BYTES, 100);
	record_put_word(&record, FIELD_VISIBILITY, "client-only");
	record_put_bool(&record, FIELD_MIDSTREAM, true);
	tally_add(&t, &record);
	record_begin(&record, RECORD_SESSION);
	record_put_u64(&record, FIELD_GAP_BYTES, 0);
	record_put_word(&record, FIELD_VISIBILITY, "both");
	record_put_bool(&record, FIELD_MIDSTREAM, false);
	tally_add(&t, &record);
	record_begin(&record, RECORD_SESSION);
	record_put_u64(&record, FIELD_GAP_BYTES, 11);
	record_put_u64(&record, FIELD_MESSAGES, 2);
	record_put_u64(&record, FIELD_ENVELOPES, 5);
	record_put_word(&record, FIELD_VISIBILITY, "server-only");
	tally_add(&t, &record);
	assert_int_equal(t.credentials, 1);
	assert_int_equal(t.messages, 2);
	assert_int_equal(t.envelopes, 3);
	assert_int_equal(t.gap_sessions, 2);
	assert_int_equal(t.gap_bytes, 111);
	assert_int_equal(t.one_sided, 2);
	assert_int_equal(t.midstream, 1);
}

static void
a_message_is_cleartext(void **state)
{
	(void)state;
	struct tally t = {0};
	record_begin(&record, RECORD_MESSAGE);
	record_put_word(&record, FIELD_LEVEL, "critical");
	tally_add(&t, &record);
	assert_int_equal(t.messages, 0); /* its session counts it */
	assert_int_equal(t.sessions, 0);
	assert_true(t.cleartext);
	assert_int_equal(t.worst, LEVEL_CRITICAL);
}

static uint64_t
number_of(enum field f)
{
	struct record_value v;
	assert_true(record_find(&record, f, &v));
	return v.u64;
}

static void
the_summary_has_everything(void **state)
{
	(void)state;
	struct tally t = {.sessions = 15,
	    .outcomes = {1, 2, 3, 4, 5},
	    .messages = 6,
	    .envelopes = 12,
	    .credentials = 7,
	    .gap_sessions = 8,
	    .gap_bytes = 9,
	    .one_sided = 10,
	    .midstream = 11,
	    .alerts = 13,
	    .resolved = 14};
	struct judge_stats j = {.accepted = 15};
	struct capture_stats c = {.frames = 20,
	    .captured = 21,
	    .cut = 22,
	    .filtered = 23,
	    .first_ns = 1000,
	    .last_ns = 5000,
	    .steps_back = 24,
	    .dropped = 25,
	    .files = 26};
	struct engine_stats e = {.tcp = 30,
	    .not_tcp = 31,
	    .undecoded = 32,
	    .fragments = 33,
	    .flows = 34,
	    .evicted = 35};
	struct feed_report f = {.waits = 41,
	    .last_ns = 4000,
	    .capture.interface_dropped = 42,
	    .tables = 2,
	    .table = {{.max = 43, .used = 44, .peak = 45, .refused = 46}, {.max = 47}}};
	summary_compose(&record, &t, &c, &e, &j);
	summary_add_sensor(&record, &f, 48, 49, 4050);
	assert_int_equal(record.kind, RECORD_SUMMARY);
	assert_int_equal(record.cut, 0);
	assert_true(record_is(&record, FIELD_EVENT_KIND, "metric"));
	assert_true(record_is(&record, FIELD_EVENT_DATASET, "postcard.summary"));
	static const struct {
		enum field field;
		uint64_t value;
	} cases[] = {
	    {FIELD_SUM_FILES, 26},
	    {FIELD_SUM_FRAMES, 20},
	    {FIELD_SUM_BYTES, 21},
	    {FIELD_SUM_FILTERED, 23},
	    {FIELD_SUM_TCP, 30},
	    {FIELD_SUM_NOT_TCP, 31},
	    {FIELD_SUM_UNDECODED, 32},
	    {FIELD_SUM_FRAGMENTS, 33},
	    {FIELD_SUM_CUT, 22},
	    {FIELD_SUM_CLOCK_STEPS, 24},
	    {FIELD_SUM_DROPS, 25},
	    {FIELD_SUM_FLOWS, 34},
	    {FIELD_SUM_SESSIONS, 15},
	    {FIELD_SUM_ENCRYPTED, 1},
	    {FIELD_SUM_CLEARTEXT, 2},
	    {FIELD_SUM_TLS_FAILED, 3},
	    {FIELD_SUM_NO_MAIL, 4},
	    {FIELD_SUM_UNKNOWN, 5},
	    {FIELD_SUM_MESSAGES, 6},
	    {FIELD_SUM_CREDENTIALS, 7},
	    {FIELD_SUM_GAP_SESSIONS, 8},
	    {FIELD_SUM_GAP_BYTES, 9},
	    {FIELD_SUM_ONE_SIDED, 10},
	    {FIELD_SUM_MIDSTREAM, 11},
	    {FIELD_SUM_ALERTS, 13},
	    {FIELD_SUM_RESOLVED, 14},
	    {FIELD_SUM_ACCEPTED, 15},
	    {FIELD_SUM_EVICTED, 35},
	    {FIELD_SUM_WORKERS, 48},
	    {FIELD_SUM_RESTARTS, 49},
	    {FIELD_SUM_WAITS, 41},
	    {FIELD_SUM_INTERFACE_DROPS, 42},
	    {FIELD_SUM_LAG, 50},
	    {FIELD_SUM_POOL_MAX, 43},
	    {FIELD_SUM_POOL_USED, 44},
	    {FIELD_SUM_POOL_PEAK, 45},
	    {FIELD_SUM_POOL_FULL, 46},
	    {FIELD_EVENT_DURATION, 4000},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(number_of(cases[i].field), cases[i].value);
	/* each number of the table is there; outputs and the lines about damage are the caller's */
	struct record_value v;
	for (enum field field = FIELD_SUM_FILES; field < FIELD_SUM_OUTPUT; field++) {
		if (field_table[field].type != TYPE_ITEM)
			assert_true(record_find(&record, field, &v));
	}
	assert_true(record_find(&record, FIELD_TIMESTAMP, &v));
	assert_int_equal(v.ns, 5000);
}

/* No packets: no time, rather than 1970. */
static void
no_packets_no_time(void **state)
{
	(void)state;
	struct tally t = {0};
	struct capture_stats c = {.files = 1};
	struct engine_stats e = {0};
	struct judge_stats j = {0};
	struct record_value v;
	summary_compose(&record, &t, &c, &e, &j);
	assert_false(record_find(&record, FIELD_TIMESTAMP, &v));
	assert_false(record_find(&record, FIELD_EVENT_START, &v));
	assert_false(record_find(&record, FIELD_EVENT_DURATION, &v));
	assert_int_equal(number_of(FIELD_SUM_FRAMES), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_counted),
	    cmocka_unit_test(a_message_is_cleartext),
	    cmocka_unit_test(the_summary_has_everything),
	    cmocka_unit_test(no_packets_no_time),
	};
	return cmocka_run_group_tests_name("app/summary", tests, NULL, NULL);
}
