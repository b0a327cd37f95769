/* What happens to the sensor: its records, and what was lost, whatever a worker counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/sensor.h"
#include "base/now.h"
#include "folder.h"

static struct record record;

static void
expect_word(enum field f, const char *word)
{
	assert_true(record_is(&record, f, word));
}

static void
a_dead_worker_is_a_record(void **state)
{
	(void)state;
	struct record_value v;
	const struct sensor_event e = {.action = "worker-died",
	    .text = "worker 3 died",
	    .cause = "signal 11",
	    .worker = 3};
	sensor_compose(&record, &e);
	assert_int_equal(record.kind, RECORD_SENSOR);
	expect_word(FIELD_EVENT_DATASET, "postcard.sensor");
	expect_word(FIELD_EVENT_KIND, "event");
	expect_word(FIELD_EVENT_ACTION, "worker-died");
	expect_word(FIELD_MESSAGE, "worker 3 died");
	expect_word(FIELD_SENSOR_CAUSE, "signal 11");
	assert_true(record_find(&record, FIELD_SENSOR_WORKER, &v));
	assert_int_equal(v.u64, 3);
	assert_false(record_find(&record, FIELD_SENSOR_LOSS, &v));
	assert_true(record_find(&record, FIELD_TIMESTAMP, &v));
	assert_true(now_real_ns() - v.ns >= 0 && now_real_ns() - v.ns < 10000000000);
}

static void
an_event_of_no_worker(void **state)
{
	(void)state;
	struct record_value v;
	const struct sensor_event e = {.action = "packets-lost", .text = "lost", .loss = 5};
	sensor_compose(&record, &e);
	assert_false(record_find(&record, FIELD_SENSOR_WORKER, &v));
	assert_false(record_find(&record, FIELD_SENSOR_CAUSE, &v));
	assert_true(record_find(&record, FIELD_SENSOR_LOSS, &v));
	assert_int_equal(v.u64, 5);
}

static void
loss_of_a_minute(void **state)
{
	(void)state;
	struct sensor s = {0};
	struct sensor_event e;
	struct capture_stats c = {.frames = 1000, .dropped = 500};
	int64_t now = 5;
	assert_false(sensor_loss(&s, &c, now, &e)); /* where it begins */
	c.frames = 1900;
	c.dropped = 600;
	assert_false(sensor_loss(&s, &c, now + SENSOR_LOSS_MS - 1, &e));
	now += SENSOR_LOSS_MS;
	assert_true(sensor_loss(&s, &c, now, &e));
	assert_string_equal(e.action, "packets-lost");
	assert_int_equal(e.loss, 100000); /* 100 of 1000 */
	assert_non_null(strstr(e.text, "100 of 1000 packets"));
	now += SENSOR_LOSS_MS;
	assert_false(sensor_loss(&s, &c, now, &e)); /* nothing new */
	c.interface_dropped = 1;
	c.frames += 10000000;
	now += SENSOR_LOSS_MS;
	assert_true(sensor_loss(&s, &c, now, &e));
	assert_int_equal(e.loss, 1); /* less than one of a million is not none */
	c.dropped += 7;
	now += SENSOR_LOSS_MS;
	assert_true(sensor_loss(&s, &c, now, &e));
	assert_int_equal(e.loss, 1000000); /* all of them */
}

/* Counts come from workers that somebody may have taken over. */
static void
counts_of_an_attacker(void **state)
{
	(void)state;
	static const uint64_t odd[] = {0, 1, 7, 1000, UINT64_MAX / 1000000,
	    UINT64_MAX / 1000000 + 1, UINT64_MAX - 7, UINT64_MAX - 1000, UINT64_MAX - 1,
	    UINT64_MAX};
	const size_t n = sizeof odd / sizeof *odd;
	for (size_t i = 0; i < n * n * n * n; i++) {
		struct sensor s = {0};
		struct sensor_event e;
		struct capture_stats c = {.frames = odd[i % n], .dropped = odd[i / n % n]};
		(void)sensor_loss(&s, &c, 1, &e);
		c.frames = odd[i / n / n % n];
		c.dropped = odd[i / n / n / n];
		for (unsigned k = 2; k < 5; k++) {
			if (sensor_loss(&s, &c, k * SENSOR_LOSS_MS, &e))
				assert_in_range(e.loss, 1, 1000000);
			c.interface_dropped += odd[i % n];
		}
	}
}

static void
counters_are_lines(void **state)
{
	(void)state;
	char text[4096];
	int saved = dup(STDERR_FILENO);
	record_begin(&record, RECORD_SUMMARY);
	record_put_u64(&record, FIELD_SUM_FRAMES, 123);
	record_put_u64(&record, FIELD_SUM_RESTARTS, 4);
	record_put_item(&record, FIELD_SUM_OUTPUT);
	record_put_word(&record, FIELD_SUM_OUTPUT_NAME, "udp://192.0.2.1");
	record_put_u64(&record, FIELD_SUM_OUTPUT_SENT, 9);
	assert_true(saved >= 0);
	fflush(stderr);
	assert_non_null(freopen(path_of("err"), "w", stderr));
	sensor_say(&record);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	FILE *f = fopen(path_of("err"), "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(text, "         123 packets\n"));
	assert_non_null(strstr(text, "           4 workers started again\n"));
	assert_non_null(strstr(text, "output udp://192.0.2.1\n"));
	assert_non_null(strstr(text, "           9 sent\n"));
	assert_null(strstr(text, "mails readable"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dead_worker_is_a_record),
	    cmocka_unit_test(an_event_of_no_worker),
	    cmocka_unit_test(loss_of_a_minute),
	    cmocka_unit_test(counts_of_an_attacker),
	    FOLDER_TEST(counters_are_lines),
	};
	return cmocka_run_group_tests_name("app/sensor", tests, NULL, NULL);
}
