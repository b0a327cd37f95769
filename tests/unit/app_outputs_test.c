/*
 * The outputs of a run, each in a process of its own.  Kinds that are not built yet are skipped: a
 * file that is not made when it is opened, a kind that nobody knows.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/outputs.h"
#include "base/now.h"
#include "folder.h"

#define NOT_BUILT 77

static struct outputs outputs;
static struct options options;
static struct record record;
static char error[SINK_ERROR];

/* Runs `f` in a child, whose standard output is `to`; its exit status. */
static int
run(int (*f)(void), const char *to)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (freopen(to, "w", stdout) == NULL)
			_exit(90);
		int code = f();
		fflush(stdout);
		_exit(code);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_BUILT)
		skip();
	return WEXITSTATUS(status);
}

static void
slurp(const char *name, char text[65536])
{
	FILE *f = fopen(path_of(name), "r");
	assert_non_null(f);
	text[fread(text, 1, 65535, f)] = '\0';
	fclose(f);
}

static void
session(const char *message)
{
	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_EVENT_DATASET, "postcard.session");
	record_put_word(&record, FIELD_MESSAGE, message);
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
}

/* ---- */

static int
json_and_nothing_else(void)
{
	options = (struct options){.json = true};
	if (!outputs_open(&outputs, &options, false, error) || outputs.count != 1)
		return 1;
	session("one");
	if (!outputs_push(&outputs, &record) || !outputs_flush(&outputs))
		return 2;
	session("two");
	struct pollfd p[OUTPUTS];
	int timeout = 1234;
	if (!outputs_push(&outputs, &record) || outputs_poll(&outputs, p, &timeout) != 0 ||
	    timeout != 1234)
		return 3;
	timeout = -1;
	if (outputs_poll(&outputs, p, &timeout) != 0 || timeout != -1)
		return 4;
	outputs_status(&outputs, &record);
	outputs_reopen(&outputs);
	record_begin(&record, RECORD_SUMMARY);
	outputs_count(&outputs, &record); /* what is written at once counts nothing */
	if (record.len != 0)
		return 5;
	if (!outputs_tick(&outputs) || outputs.ends || outputs.error != 0)
		return 6;
	int64_t begun = now_monotonic_ms();
	if (!outputs_close(&outputs, 5000) || now_monotonic_ms() - begun > 2000 ||
	    outputs.count != 0)
		return 7;
	return outputs_close(&outputs, 0) ? 0 : 8;
}

static void
standard_output_takes_records(void **state)
{
	(void)state;
	static char text[65536];
	assert_int_equal(run(json_and_nothing_else, path_of("out")), 0);
	slurp("out", text);
	char *end = strchr(text, '\n');
	assert_non_null(end);
	assert_non_null(strstr(text, "\"message\":\"one\""));
	assert_non_null(strstr(end, "\"message\":\"two\""));
	assert_non_null(strchr(end + 1, '\n'));
	assert_string_equal(strchr(end + 1, '\n'), "\n");
}

static int
a_report(void)
{
	options = (struct options){.quiet = false};
	if (!outputs_open(&outputs, &options, false, error))
		return 1;
	session("one");
	if (!outputs_push(&outputs, &record))
		return 2;
	record_begin(&record, RECORD_SUMMARY);
	record_put_word(&record, FIELD_EVENT_DATASET, "postcard.summary");
	return outputs_push(&outputs, &record) && outputs_close(&outputs, 0) ? 0 : 3;
}

static void
else_a_report(void **state)
{
	(void)state;
	static char text[65536];
	assert_int_equal(run(a_report, path_of("out")), 0);
	slurp("out", text);
	assert_non_null(strstr(text, "Summary"));
	assert_null(strchr(text, '{'));
}

static int
push_until_it_fails(void)
{
	options = (struct options){.json = true};
	if (!outputs_open(&outputs, &options, false, error))
		return 1;
	bool good = true;
	for (unsigned i = 0; i < 10000 && good; i++) {
		session("a line that is written");
		good = outputs_push(&outputs, &record);
	}
	good &= outputs_flush(&outputs);
	if (good || outputs.error != ENOSPC)
		return 2;
	session("more");
	(void)outputs_push(&outputs, &record);
	(void)outputs_close(&outputs, 0);
	return outputs.error == ENOSPC ? 0 : 3; /* the first cause stays */
}

static void
a_full_disk(void **state)
{
	(void)state;
	assert_int_equal(run(push_until_it_fails, "/dev/full"), 0);
}

static int
fail_at_close(void)
{
	options = (struct options){.json = true};
	if (!outputs_open(&outputs, &options, false, error))
		return 1;
	session("one line");
	(void)outputs_push(&outputs, &record);
	return !outputs_close(&outputs, 0) && outputs.error == ENOSPC ? 0 : 2;
}

static void
a_full_disk_is_seen_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(run(fail_at_close, "/dev/full"), 0);
}

/* ---- what else is named ---- */

static int
bad_ones(void)
{
	options = (struct options){.json = true, .syslog_count = 1, .syslog = {"nonsense"}};
	if (outputs_open(&outputs, &options, false, error) || error[0] == '\0')
		return 1;
	if (outputs.count != 0) /* what was opened before is closed */
		return 2;
	return 0;
}

static void
what_cannot_be_opened(void **state)
{
	(void)state;
	static char text[65536];
	assert_int_equal(run(bad_ones, path_of("out")), 0);
	slurp("out", text);
	assert_string_equal(text, "");
}

static char file[512], moved[512];

static int
a_file_beside(void)
{
	options = (struct options){.json = true, .out = file};
	if (access(file, F_OK) == 0)
		return 1;
	if (!outputs_open(&outputs, &options, false, error) || access(file, F_OK) != 0)
		return NOT_BUILT;
	session("first");
	if (outputs.count != 2 || !outputs_push(&outputs, &record) || !outputs_flush(&outputs))
		return 2;
	if (rename(file, moved) != 0)
		return 3;
	outputs_reopen(&outputs);
	session("second");
	if (!outputs_push(&outputs, &record) || !outputs_close(&outputs, 0))
		return 4;
	return outputs.error == 0 ? 0 : 5;
}

static void
a_file_is_reopened(void **state)
{
	(void)state;
	static char text[65536];
	snprintf(file, sizeof file, "%s", path_of("records"));
	snprintf(moved, sizeof moved, "%s", path_of("records.1"));
	assert_int_equal(run(a_file_beside, path_of("out")), 0);
	slurp("records.1", text);
	assert_non_null(strstr(text, "\"first\""));
	assert_null(strstr(text, "\"second\""));
	slurp("records", text);
	assert_non_null(strstr(text, "\"second\""));
	slurp("out", text);
	assert_non_null(strstr(text, "\"first\""));
	assert_non_null(strstr(text, "\"second\""));
}

static int
metrics(void)
{
	options = (struct options){.json = true, .metrics = file};
	if (!outputs_open(&outputs, &options, true, error))
		return strstr(error, "no output is called") != NULL ? NOT_BUILT : 1;
	record_begin(&record, RECORD_SUMMARY);
	record_put_word(&record, FIELD_EVENT_DATASET, "postcard.summary");
	record_put_u64(&record, FIELD_SUM_FRAMES, 7);
	outputs_status(&outputs, &record);
	(void)outputs_tick(&outputs);
	int code = access(file, F_OK) == 0 ? 0 : 2;
	return outputs_close(&outputs, 0) ? code : 3;
}

static void
metrics_are_a_file(void **state)
{
	(void)state;
	snprintf(file, sizeof file, "%s", path_of("metrics.prom"));
	assert_int_equal(run(metrics, path_of("out")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(standard_output_takes_records),
	    FOLDER_TEST(else_a_report),
	    FOLDER_TEST(a_full_disk),
	    FOLDER_TEST(a_full_disk_is_seen_at_the_end),
	    FOLDER_TEST(what_cannot_be_opened),
	    FOLDER_TEST(a_file_is_reopened),
	    FOLDER_TEST(metrics_are_a_file),
	};
	return cmocka_run_group_tests_name("app/outputs", tests, NULL, NULL);
}
