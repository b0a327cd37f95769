/* The workers of a run, started, watched and started again: of files, and of the interface "lo". */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/workers.h"
#include "base/now.h"
#include "folder.h"

#define OFFICE "pcaps/office.pcap"

static struct spawn spawn;
static struct workers *workers;
static struct record record;
static struct workers_word word;

static void
begin(const char *const *files, size_t count, const char *const *interface, unsigned n)
{
	static const char *const usual[] = {"nobody", NULL};
	struct capture_error why;
	char error[256] = "";
	memset(&spawn, 0, sizeof spawn);
	spawn.workers = n;
	spawn.engine = (struct engine_config){.memory = ENGINE_MEMORY_MIN, .no_ndpi = true};
	assert_true(identity_find(&spawn.sandbox.identity, NULL, usual, error));
	if (interface != NULL) {
		spawn.live = (struct live_config){.interfaces = interface, .count = 1, .shares = 1};
	} else {
		spawn.standard_input = strcmp(files[0], "-") == 0;
		spawn.files = capture_open_files(files, count, NULL, &why);
		assert_non_null(spawn.files);
	}
	workers = workers_open(&spawn, error);
	if (workers == NULL)
		fail_msg("%s", error);
}

static void
finish(void)
{
	workers_close(workers);
	capture_close(spawn.files);
}

/* Waits for the next word but records, `ms` at most; *records counts those. */
static enum workers_said
next_but_records(unsigned *records, int64_t ms)
{
	int64_t until = now_monotonic_ms() + ms;
	while (now_monotonic_ms() < until) {
		struct pollfd p[LIMIT_WORKERS + 1];
		enum workers_said s;
		workers_hear(workers);
		while ((s = workers_next(workers, &record, &word)) == WORKERS_RECORD)
			++*records;
		if (s != WORKERS_NOTHING && s != WORKERS_SANDBOX)
			return s;
		int timeout = workers_timeout(workers);
		unsigned n = workers_poll(workers, p);
		(void)poll(p, n, timeout < 0 || timeout > 100 ? 100 : timeout);
	}
	return WORKERS_NOTHING;
}

/* The worker processes: children of `parent`. */
static unsigned
children_of(pid_t parent, pid_t pids[8])
{
	unsigned n = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;
	assert_non_null(d);
	while ((e = readdir(d)) != NULL && n < 8) {
		char path[300], line[512];
		int of;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		FILE *f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (f == NULL)
			continue;
		if (fgets(line, sizeof line, f) != NULL && strrchr(line, ')') != NULL &&
		    sscanf(strrchr(line, ')') + 1, " %*c %d", &of) == 1 && of == parent)
			pids[n++] = atoi(e->d_name);
		fclose(f);
	}
	closedir(d);
	return n;
}

static void
expect_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- files ---- */

static void
files_to_their_end(void **state)
{
	(void)state;
	static const char *const files[] = {OFFICE};
	unsigned first = 0;
	for (unsigned n = 1; n <= 4; n++) {
		unsigned records = 0;
		struct feed_report r;
		begin(files, 1, NULL, n);
		assert_int_equal(next_but_records(&records, 60000), WORKERS_END);
		workers_report(workers, &r);
		assert_int_equal(r.packets, 348);
		assert_int_equal(r.engine.frames, 348);
		first = n == 1 ? records : first;
		assert_int_equal(records, first);
		assert_int_equal(workers_restarts(workers), 0);
		finish();
		expect_no_children();
	}
	assert_true(first > 20);
}

static void
damage_is_told_once(void **state)
{
	(void)state;
	static uint8_t octets[20000];
	const char *files[1];
	unsigned records = 0;
	FILE *f = fopen(OFFICE, "rb");
	assert_non_null(f);
	assert_int_equal(fread(octets, 1, sizeof octets, f), sizeof octets);
	fclose(f);
	write_octets("cut.pcap", octets, sizeof octets - 1);
	files[0] = path_of("cut.pcap");
	begin(files, 1, NULL, 3);
	assert_int_equal(next_but_records(&records, 60000), WORKERS_FAULT);
	assert_non_null(strstr(word.text, "cut.pcap"));
	assert_int_equal(next_but_records(&records, 60000), WORKERS_END);
	finish();
}

/* Standard input is a pipe that stays open: a worker waits, and is told to end or dies. */
static int
open_stdin(int *saved)
{
	static uint8_t octets[200000];
	int ends[2];
	FILE *f = fopen(OFFICE, "rb");
	assert_non_null(f);
	size_t n = fread(octets, 1, sizeof octets, f);
	fclose(f);
	*saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(ends), 0);
	(void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	assert_int_equal(write(ends[1], octets, n), n);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	return ends[1];
}

static void
close_stdin(int saved, int end)
{
	close(end);
	(void)dup2(saved, STDIN_FILENO);
	close(saved);
}

static void
a_worker_of_standard_input_dies(void **state)
{
	(void)state;
	static const char *const files[] = {"-"};
	static const int numbers[] = {SIGKILL, SIGABRT, SIGTERM};
	for (unsigned k = 0; k < 3; k++) {
		unsigned records = 0;
		pid_t pids[8];
		int saved, end = open_stdin(&saved);
		char text[32];
		begin(files, 1, NULL, 1);
		assert_int_equal(next_but_records(&records, 400), WORKERS_NOTHING);
		assert_int_equal(children_of(getpid(), pids), 1);
		assert_int_equal(kill(pids[0], numbers[k]), 0);
		assert_int_equal(next_but_records(&records, 60000), WORKERS_DIED);
		assert_int_equal(word.worker, 0);
		snprintf(text, sizeof text, "signal %d (", numbers[k]);
		assert_non_null(strstr(word.text, text));
		assert_int_equal(next_but_records(&records, 60000), WORKERS_END);
		assert_int_equal(workers_restarts(workers), 0);
		finish();
		expect_no_children();
		close_stdin(saved, end);
	}
}

static void
a_worker_of_standard_input_stops(void **state)
{
	(void)state;
	static const char *const files[] = {"-"};
	for (unsigned k = 0; k < 20; k++) {
		unsigned records = 0;
		int saved, end = open_stdin(&saved);
		begin(files, 1, NULL, 1);
		if (k > 0)
			usleep(k * 1000);
		workers_stop(workers); /* at any moment of its life */
		assert_int_equal(next_but_records(&records, 20000), WORKERS_END);
		finish();
		expect_no_children();
		close_stdin(saved, end);
	}
}

/* ---- live ---- */

static bool
can_capture(void)
{
	static const char *const lo[] = {"lo"};
	const struct live_config c = {.interfaces = lo, .count = 1, .shares = 1};
	struct capture_error error;
	struct live *l = geteuid() == 0 ? live_open(&c, &error) : NULL;
	live_close(l);
	return l != NULL;
}

static void
an_interface_that_does_not_exist(void **state)
{
	(void)state;
	static const char *const none[] = {"no-such-if0"};
	unsigned records = 0;
	begin(NULL, 0, none, 2);
	assert_int_equal(next_but_records(&records, 20000), WORKERS_FAILED);
	assert_non_null(strstr(word.text, "no-such-if0"));
	assert_int_equal(next_but_records(&records, 20000), WORKERS_END);
	finish();
	expect_no_children();
}

/* `n` workers run, none of them `gone`, and have said what they count. */
static void
wait_for_tables(pid_t keeper, unsigned n, pid_t gone, pid_t pids[8])
{
	unsigned records = 0;
	bool all = false;
	for (unsigned i = 0; i < 100 && !all; i++) {
		assert_int_equal(next_but_records(&records, 50), WORKERS_NOTHING);
		all = children_of(keeper, pids) == n;
		for (unsigned k = 0; k < n; k++)
			all &= pids[k] != gone;
	}
	assert_true(all);
	assert_int_equal(next_but_records(&records, 500), WORKERS_NOTHING);
}

static void
live_workers_are_started_again(void **state)
{
	(void)state;
	static const char *const lo[] = {"lo"};
	static const struct {
		int number;
		enum workers_said said;
		const char *text;
	} cases[] = {
	    {SIGKILL, WORKERS_DIED, "signal 9"},
	    {SIGABRT, WORKERS_DIED, "signal 6"},
	    {SIGTERM, WORKERS_DIED, "signal 15"},
	    {SIGSTOP, WORKERS_HUNG, "did not move"},
	};
	pid_t keeper[8], before[8], after[8];
	unsigned records = 0;
	if (!can_capture())
		skip();
	begin(NULL, 0, lo, 2);
	assert_int_equal(children_of(getpid(), keeper), 1);
	for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
		wait_for_tables(keeper[0], 2, 0, before);
		int64_t begun = now_monotonic_ms();
		assert_int_equal(kill(before[1], cases[k].number), 0);
		assert_int_equal(next_but_records(&records, 20000), cases[k].said);
		assert_non_null(strstr(word.text, cases[k].text));
		assert_true(now_monotonic_ms() - begun < 2000);
		assert_int_equal(workers_restarts(workers), k + 1);
		wait_for_tables(keeper[0], 2, before[1], after);
		assert_int_equal(after[0], before[0]); /* the other goes on */
		assert_int_not_equal(after[1], before[1]);
	}
	workers_stop(workers);
	assert_int_equal(next_but_records(&records, 20000), WORKERS_END);
	finish();
	expect_no_children();
}

static void
a_keeper_that_dies(void **state)
{
	(void)state;
	static const char *const lo[] = {"lo"};
	pid_t keeper[8], pids[8];
	unsigned records = 0;
	if (!can_capture())
		skip();
	begin(NULL, 0, lo, 1);
	assert_int_equal(children_of(getpid(), keeper), 1);
	wait_for_tables(keeper[0], 1, 0, pids);
	assert_int_equal(kill(keeper[0], SIGKILL), 0);
	assert_int_equal(next_but_records(&records, 20000), WORKERS_FAILED);
	assert_non_null(strstr(word.text, "has died"));
	assert_int_equal(next_but_records(&records, 20000), WORKERS_END);
	for (unsigned i = 0; i < 500 && kill(pids[0], 0) == 0; i++)
		usleep(10000);
	assert_int_equal(kill(pids[0], 0), -1);
	finish();
	expect_no_children();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_to_their_end),
	    FOLDER_TEST(damage_is_told_once),
	    cmocka_unit_test(a_worker_of_standard_input_dies),
	    cmocka_unit_test(a_worker_of_standard_input_stops),
	    cmocka_unit_test(an_interface_that_does_not_exist),
	    cmocka_unit_test(live_workers_are_started_again),
	    cmocka_unit_test(a_keeper_that_dies),
	};
	return cmocka_run_group_tests_name("app/workers", tests, NULL, NULL);
}
