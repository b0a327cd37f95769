/* The life of alerts: said at once, rolled up, raised, resolved; bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "judge/alerts_internal.h"
#include "record_build.h"

#define SECOND 1000000000ll
#define HOUR   (3600 * SECOND)

static struct record record, out;
static struct alerts *alerts;
static int64_t now;

static struct rule rule = {.kind = RULE_DETECTION,
    .level = LEVEL_MEDIUM,
    .id = "5a7e0c0c-5b3f-4c55-9d3f-1f0b6f3f8f10",
    .name = "",
    .title = "readable"};
static struct rule other = {.kind = RULE_DETECTION,
    .id = "",
    .name = "",
    .title = "other",
    .number = 1};

/* An event, from first to last. */
static struct alert_report
push_event(struct alerts *a, const struct rule *which, enum level level, const struct record *r,
    int64_t now_ns)
{
	const struct alert_place at = alerts_expect(a, which, r);
	return alerts_event(a, &at, which, level, r, now_ns);
}

static int
begin(void **state)
{
	(void)state;
	alerts = alerts_new();
	now = 0;
	return alerts != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	alerts_free(alerts);
	return 0;
}

/* One event at `seconds` after the epoch of the tests; its state, and *count. */
static enum alert_state
event_of(const struct rule *r, enum level level, double seconds, const char *line, uint64_t *count)
{
	char with_time[2048];
	assert_true((size_t)snprintf(with_time, sizeof with_time, "{at: %.9f, %s", seconds,
			line + 1) < sizeof with_time);
	build_record_of(&record, with_time);
	now = BUILD_EPOCH_NS + (int64_t)(seconds * 1e9);
	record_remove(&record, FIELD_TIMESTAMP);
	record_remove(&record, FIELD_EVENT_END);
	record_put_time(&record, FIELD_TIMESTAMP, now);
	record_put_time(&record, FIELD_EVENT_END, now);
	struct alert_report report = push_event(alerts, r, level, &record, now);
	if (report.state != ALERT_SILENT && report.alert != NULL)
		alerts_keep(alerts, report.alert, &record);
	*count = report.count;
	return report.state;
}

static void
expect(double seconds, const char *line, enum alert_state state, uint64_t count)
{
	uint64_t n;
	assert_int_equal(event_of(&rule, LEVEL_MEDIUM, seconds, line, &n), state);
	if (state != ALERT_SILENT)
		assert_int_equal(n, count);
}

/* What is due `seconds` after the epoch: "repeated 3 " and the like. */
static const char *
due(double seconds, bool all)
{
	static char text[4096];
	struct record_value v;
	text[0] = '\0';
	now = BUILD_EPOCH_NS + (int64_t)(seconds * 1e9);
	while (alerts_due(alerts, now, all, &out)) {
		assert_int_equal(out.kind, RECORD_ALERT);
		assert_true(record_find(&out, FIELD_ALERT_STATE, &v));
		strncat(text, v.str, v.len);
		assert_true(record_find(&out, FIELD_COUNT, &v));
		snprintf(text + strlen(text), 32, " %llu ", (unsigned long long)v.u64);
	}
	return text;
}

#define PRINTER                                                                    \
	"{source.ip: 192.0.2.9, destination.ip: 192.0.2.25, destination.port: 25," \
	" postcard.outcome: cleartext, postcard.reason: not-offered, email.subject: secret"
#define SESSION PRINTER "}"
#define SEALED                                                                     \
	"{source.ip: 192.0.2.9, destination.ip: 192.0.2.25, destination.port: 25," \
	" postcard.outcome: encrypted}"

static void
the_first_at_once_then_rolled_up(void **state)
{
	(void)state;
	expect(0, SESSION, ALERT_NEW, 1);
	for (int i = 1; i <= 1000; i++)
		expect(i, SESSION, ALERT_SILENT, 0);
	assert_string_equal(due(3599, false), "");
	assert_string_equal(due(3600, false), "repeated 1000 ");
	assert_string_equal(due(3601, false), "");
	/* quiet for more than a window: the next is said at once */
	expect(10000, SESSION, ALERT_REPEATED, 1);
	expect(10001, SESSION, ALERT_SILENT, 0);
	assert_string_equal(due(10002, true), "repeated 1 ");
	assert_string_equal(due(10002, true), "");
}

static void
what_is_kept_names_nobody(void **state)
{
	(void)state;
	struct record_value v;
	expect(0, SESSION, ALERT_NEW, 1);
	expect(1, SESSION, ALERT_SILENT, 0);
	now = BUILD_EPOCH_NS + 2 * SECOND;
	assert_true(alerts_due(alerts, now, true, &out));
	assert_true(record_find(&out, FIELD_SOURCE_IP, &v));
	assert_false(record_find(&out, FIELD_EMAIL_SUBJECT, &v));
	assert_true(record_find(&out, FIELD_ALERT_FIRST, &v));
	assert_int_equal(v.ns, BUILD_EPOCH_NS);
	assert_true(record_find(&out, FIELD_TIMESTAMP, &v));
	assert_int_equal(v.ns, BUILD_EPOCH_NS + SECOND);
}

static void
fingerprints(void **state)
{
	(void)state;
	uint64_t n;
	expect(0, SESSION, ALERT_NEW, 1);
	expect(0,
	    "{source.ip: 192.0.2.10, destination.ip: 192.0.2.25, postcard.reason: not-offered}",
	    ALERT_NEW, 1);
	expect(0,
	    "{source.ip: 192.0.2.9, destination.ip: 192.0.2.26, postcard.reason: not-offered}",
	    ALERT_NEW, 1);
	expect(0, "{source.ip: 192.0.2.9, destination.ip: 192.0.2.25, postcard.reason: refused}",
	    ALERT_NEW, 1);
	/* the port is not of the key */
	expect(0,
	    "{source.ip: 192.0.2.9, destination.ip: 192.0.2.25, destination.port: 587,"
	    " postcard.reason: not-offered}",
	    ALERT_SILENT, 0);
	assert_int_equal(event_of(&other, LEVEL_LOW, 0, SESSION, &n), ALERT_NEW);
	/* a key of the rule's own */
	struct rule keyed = rule;
	keyed.id = "x";
	keyed.keys = 1;
	keyed.key[0] = FIELD_DESTINATION_IP;
	assert_int_equal(event_of(&keyed, LEVEL_LOW, 0, SESSION, &n), ALERT_NEW);
	assert_int_equal(event_of(&keyed, LEVEL_LOW, 0,
			     "{source.ip: 10.0.0.1, destination.ip: 192.0.2.25}", &n),
	    ALERT_SILENT);
	keyed.id = "z";
	keyed.key[0] = FIELD_EVENT_START; /* a time, 8 octets as a number */
	assert_int_equal(event_of(&keyed, LEVEL_LOW, 0, "{event.start: 1}", &n), ALERT_NEW);
	assert_int_equal(event_of(&keyed, LEVEL_LOW, 0, "{event.start: 2}", &n), ALERT_NEW);
	assert_int_equal(event_of(&keyed, LEVEL_LOW, 0, "{event.start: 1}", &n), ALERT_SILENT);
	struct rule single = rule;
	single.id = "y";
	single.single = true;
	assert_int_equal(event_of(&single, LEVEL_LOW, 0, SESSION, &n), ALERT_NEW);
	assert_int_equal(event_of(&single, LEVEL_LOW, 0, "{source.ip: 10.0.0.1}", &n),
	    ALERT_SILENT);
}

static void
a_rise_is_said_at_once(void **state)
{
	(void)state;
	uint64_t n;
	expect(0, SESSION, ALERT_NEW, 1);
	expect(1, SESSION, ALERT_SILENT, 0);
	assert_int_equal(event_of(&rule, LEVEL_CRITICAL, 2, SESSION, &n), ALERT_RAISED);
	assert_int_equal(n, 2);
	expect(3, SESSION, ALERT_SILENT, 0); /* lower than what was said */
	assert_string_equal(due(4, true), "repeated 1 ");
}

/* The record of a connection comes behind those of its mails: it is counted with them. */
static void
a_connection_is_not_counted_behind_its_mails(void **state)
{
	(void)state;
	static const char *const id = ", network.community_id: '1:abc'";
	char mail[512], session[512];
	snprintf(mail, sizeof mail, "%s%s, kind: message}", PRINTER, id);
	snprintf(session, sizeof session, "%s%s}", PRINTER, id);
	expect(0, mail, ALERT_NEW, 1);
	expect(1, mail, ALERT_SILENT, 0);
	expect(2, session, ALERT_SILENT, 0);
	assert_string_equal(due(3, true), "repeated 1 ");
	/* the same four numbers later: another connection, without mails */
	expect(4, session, ALERT_SILENT, 0);
	assert_string_equal(due(5, true), "repeated 1 ");
}

static void
sealed_connections_resolve(void **state)
{
	(void)state;
	uint64_t n;
	expect(0, SESSION, ALERT_NEW, 1);
	expect(1, SESSION, ALERT_SILENT, 0);
	build_record_of(&record, SEALED);
	for (unsigned i = 0; i < LIMIT_ALERT_SEALED - 1; i++)
		alerts_sealed(alerts, &record, now);
	expect(2, SESSION, ALERT_SILENT, 0); /* it is not mended: count anew */
	build_record_of(&record, SEALED);
	for (unsigned i = 0; i < LIMIT_ALERT_SEALED - 1; i++)
		alerts_sealed(alerts, &record, now);
	assert_string_equal(due(3, false), "");
	alerts_sealed(alerts, &record, now);
	/* what was counted is said first */
	assert_string_equal(due(4, false), "repeated 2 resolved 3 ");
	assert_string_equal(due(5, true), "");
	expect(6, SESSION, ALERT_NEW, 1);
	/* alerts about sealed mail do not end so */
	assert_int_equal(event_of(&other, LEVEL_LOW, 7, SEALED, &n), ALERT_NEW);
	for (unsigned i = 0; i < 2 * LIMIT_ALERT_SEALED; i++)
		alerts_sealed(alerts, &record, now);
	assert_string_equal(due(8, true), "resolved 3 ");
	assert_int_equal(event_of(&other, LEVEL_LOW, 9, SEALED, &n), ALERT_SILENT);
}

static void
a_window_of_the_rule(void **state)
{
	(void)state;
	uint64_t n;
	struct rule r = rule;
	r.window_ns = 60 * SECOND;
	assert_int_equal(event_of(&r, LEVEL_LOW, 0, SESSION, &n), ALERT_NEW);
	assert_int_equal(event_of(&r, LEVEL_LOW, 1, SESSION, &n), ALERT_SILENT);
	assert_string_equal(due(59, false), "");
	assert_string_equal(due(60, false), "repeated 1 ");
}

static void
more_than_there_is_room_for(void **state)
{
	(void)state;
	uint64_t n;
	struct addr a = {.family = 4, .b = {10}};
	for (unsigned i = 0; i < 3 * LIMIT_ALERTS; i++) {
		record_begin(&record, RECORD_SESSION);
		a.b[1] = (uint8_t)(i >> 16);
		a.b[2] = (uint8_t)(i >> 8);
		a.b[3] = (uint8_t)i;
		record_put_ip(&record, FIELD_SOURCE_IP, &a);
		record_put_word(&record, FIELD_OUTCOME, "cleartext");
		now = BUILD_EPOCH_NS + i;
		struct alert_report report = push_event(alerts, &rule, LEVEL_LOW, &record, now);
		assert_int_equal(report.state, ALERT_NEW);
		alerts_keep(alerts, report.alert, &record);
	}
	/* the newest is known still, the oldest is not */
	assert_int_equal(event_of(&rule, LEVEL_LOW, 1, "{source.ip: 10.0.0.0}", &n), ALERT_NEW);
	record_begin(&record, RECORD_SESSION);
	record_put_ip(&record, FIELD_SOURCE_IP, &a);
	assert_int_equal(push_event(alerts, &rule, LEVEL_LOW, &record, now).state, ALERT_SILENT);
}

/* The `i`th mail, or the record of its connection, which is counted where the mail is forgotten. */
static void
push_numbered(enum record_kind kind, unsigned i)
{
	char id[16];
	snprintf(id, sizeof id, "1:%u", i);
	record_begin(&record, kind);
	record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, id);
	push_event(alerts, &rule, LEVEL_LOW, &record, now);
}

static void
more_mails_than_are_remembered(void **state)
{
	(void)state;
	const unsigned mails = 2 * LIMIT_ALERT_EVENTS + 10;
	now = BUILD_EPOCH_NS;
	for (unsigned i = 0; i < mails; i++)
		push_numbered(RECORD_MESSAGE, i);
	assert_string_not_equal(due(0, true), "");
	for (unsigned i = mails - LIMIT_ALERT_EVENTS; i < mails; i++)
		push_numbered(RECORD_SESSION, i);
	assert_string_equal(due(1, true), "");
	for (unsigned i = 0; i < 10; i++)
		push_numbered(RECORD_SESSION, i);
	assert_string_equal(due(2, true), "repeated 10 ");
}

/* What a state file has of an alert that ends while the program does. */
static void
one_that_is_resolved_across_runs(void **state)
{
	(void)state;
	static struct alert_row row;
	const void *key;
	void *x;
	uint32_t at = 0;
	expect(0, SESSION, ALERT_NEW, 1);
	build_record_of(&record, SEALED);
	for (unsigned i = 0; i < LIMIT_ALERT_SEALED + 2; i++)
		alerts_sealed(alerts, &record, now);
	alerts_note_sealed(alerts);
	assert_true(map_next(alerts_map(alerts), &at, &key, &x));
	alerts_row(alerts, x, &row);
	assert_int_equal(row.alert.sealed, LIMIT_ALERT_SEALED);
	assert_true(alert_is_sound(&row));
	const struct fingerprint f = *(const struct fingerprint *)key;
	alerts_free(alerts);
	alerts = alerts_new();
	assert_true(alerts_take(alerts, &f, &row));
	assert_false(alerts_take(alerts, &f, &row)); /* it is there */
	assert_string_equal(due(1, false), "resolved 3 ");
	assert_string_equal(due(2, true), "");
}

static void
more_of_an_earlier_run_than_there_is_room_for(void **state)
{
	(void)state;
	static const struct alert_row row = {.alert = {.level = LEVEL_LOW, .window_ns = 1}};
	struct fingerprint f = {{0}};
	for (unsigned i = 0; i < LIMIT_ALERTS + 10; i++) { /* the newest come first */
		memcpy(f.octets, &i, sizeof i);
		assert_true(alerts_take(alerts, &f, &row));
		assert_int_equal(map_find(alerts_map(alerts), &f) != NULL, i < LIMIT_ALERTS);
	}
	assert_int_equal(map_count(alerts_map(alerts)), LIMIT_ALERTS);
}

/* Is the record accepted, where exception `by` (NULL: none) matches it? */
static const struct rule *
accepted(const char *line, const struct rule *by)
{
	build_record_of(&record, line);
	return alerts_accepted(alerts, &rule, &record, by);
}

/* A mail and the record of its connection are one matter. */
static void
accepted_mails_make_an_accepted_session(void **state)
{
	(void)state;
	static const struct rule exception = {.title = "old printer"};
	uint64_t n;
#define ONE   "{kind: message, network.community_id: '1:a', source.ip: 10.0.0.1}"
#define WHOLE "{network.community_id: '1:a', source.ip: 10.0.0.1}"
	assert_null(accepted(WHOLE, NULL));
	assert_ptr_equal(accepted(ONE, &exception), &exception);
	assert_ptr_equal(accepted(ONE, &exception), &exception);
	assert_ptr_equal(accepted(WHOLE, NULL), &exception);
	assert_null(accepted(WHOLE, NULL)); /* another connection, later */
	/* one of the mails is not accepted: it is told, and the session is no event of its own */
	for (unsigned first = 0; first < 2; first++) {
		for (unsigned i = 0; i < 2; i++) {
			if (i == first)
				assert_ptr_equal(accepted(ONE, &exception), &exception);
			else
				assert_int_not_equal(event_of(&rule, LEVEL_LOW, first, ONE, &n), 9);
		}
		assert_null(accepted(WHOLE, NULL));
		assert_int_equal(event_of(&rule, LEVEL_LOW, first, WHOLE, &n), ALERT_SILENT);
	}
	/* other rules: those of before mean nothing */
	assert_ptr_equal(accepted(ONE, &exception), &exception);
	alerts_forget_rules(alerts);
	assert_null(accepted(WHOLE, NULL));
}

static void
forgotten_after_silence(void **state)
{
	(void)state;
	expect(0, SESSION, ALERT_NEW, 1);
	assert_string_equal(due(29 * 86400.0, false), "");
	expect(29 * 86400.0, SESSION, ALERT_REPEATED, 1);
	assert_string_equal(due(60 * 86400.0, false), "");
	expect(60 * 86400.0, SESSION, ALERT_NEW, 1);
}

#define ALERT_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ALERT_TEST(the_first_at_once_then_rolled_up),
	    ALERT_TEST(what_is_kept_names_nobody),
	    ALERT_TEST(fingerprints),
	    ALERT_TEST(a_rise_is_said_at_once),
	    ALERT_TEST(a_connection_is_not_counted_behind_its_mails),
	    ALERT_TEST(sealed_connections_resolve),
	    ALERT_TEST(a_window_of_the_rule),
	    ALERT_TEST(more_than_there_is_room_for),
	    ALERT_TEST(more_mails_than_are_remembered),
	    ALERT_TEST(one_that_is_resolved_across_runs),
	    ALERT_TEST(more_of_an_earlier_run_than_there_is_room_for),
	    ALERT_TEST(accepted_mails_make_an_accepted_session),
	    ALERT_TEST(forgotten_after_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
