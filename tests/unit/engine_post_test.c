/* The loop of a worker: what it says over the wire, in a process of its own. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/post.h"
#include "record/common.h"
#include "wire_pair.h"

#define OFFICE "pcaps/office.pcap"

static struct wire_in in;
static pid_t child;

/* Starts a worker over a capture; its exit status is whether it could say all. */
static void
begin(uint64_t limit, unsigned shares, sig_atomic_t stop_at_once, bool read_it)
{
	static struct wire_out out;
	wire_pair_open(&out, &in);
	if (!read_it) { /* before the worker can say anything */
		close(in.bell);
		in.bell = -1;
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct engine_config config = {.memory = ENGINE_MEMORY_MIN, .no_ndpi = true};
		const char *path = OFFICE;
		struct capture_error error;
		char text[256];
		volatile sig_atomic_t stop = stop_at_once;
		struct feed feed = {.files = capture_open_files(&path, 1, NULL, &error),
		    .engine = engine_new(&config, text),
		    .limit = limit,
		    .shares = shares};
		if (in.bell >= 0)
			close(in.bell);
		if (feed.files == NULL || feed.engine == NULL)
			_exit(9);
		_exit(post_run(&feed, &out, &stop) ? 0 : 1);
	}
	wire_pair_hang_up(&out);
}

/* Reads all of it: messages of each kind, and the last status and end. */
static void
read_all(unsigned count[WIRE_KINDS], struct feed_report *report, struct wire_head *last)
{
	static struct record record;
	struct wire_message m;
	uint64_t order = 0;
	memset(count, 0, WIRE_KINDS * sizeof *count);
	memset(last, 0, sizeof *last);
	while (!in.closed) {
		struct pollfd p = {.fd = in.bell, .events = POLLIN};
		assert_int_equal(poll(&p, 1, 60000), 1);
		(void)wire_fill(&in);
		while (wire_peek(&in, &m)) {
			assert_int_not_equal(last->kind, WIRE_END); /* nothing behind it */
			assert_true(m.head.order >= order);
			order = m.head.order;
			count[m.head.kind]++;
			if (m.head.kind == WIRE_RECORD)
				assert_true(record_take_common(&record,
				    (enum record_kind)m.head.detail, m.body, m.head.len));
			if (m.head.kind == WIRE_STATUS) {
				assert_int_equal(m.head.len, sizeof *report);
				memcpy(report, m.body, sizeof *report);
			}
			*last = m.head;
			wire_take(&in);
		}
	}
	assert_false(in.broken);
	close(in.bell);
}

static void
finish(int code)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
	wire_ring_free(in.ring);
}

static void
all_is_said_in_order(void **state)
{
	(void)state;
	unsigned count[WIRE_KINDS];
	struct feed_report report;
	struct wire_head last;
	begin(0, 1, 0, true);
	read_all(count, &report, &last);
	finish(0);
	assert_true(count[WIRE_RECORD] > 20);
	assert_int_equal(count[WIRE_MARK], 0); /* nobody waits for it */
	assert_true(count[WIRE_STATUS] >= 2);  /* that it is at work, and the last */
	assert_int_equal(count[WIRE_END], 1);
	assert_int_equal(last.kind, WIRE_END);
	assert_int_equal(last.detail, FEED_END_INPUT);
	assert_int_equal(last.order, 349);
	assert_int_equal(report.packets, 348);
}

static void
others_wait_for_its_marks(void **state)
{
	(void)state;
	unsigned count[WIRE_KINDS];
	struct feed_report report;
	struct wire_head last;
	begin(100, 2, 0, true);
	read_all(count, &report, &last);
	finish(0);
	assert_true(count[WIRE_MARK] > 0);
	assert_int_equal(last.detail, FEED_END_INPUT);
	assert_int_equal(last.order, 101);
	assert_int_equal(report.packets, 100);
}

static void
a_signal_stops_it(void **state)
{
	(void)state;
	unsigned count[WIRE_KINDS];
	struct feed_report report;
	struct wire_head last;
	begin(0, 1, SIGTERM, true);
	read_all(count, &report, &last);
	finish(0);
	assert_int_equal(last.kind, WIRE_END);
	assert_int_equal(last.detail, FEED_END_STOP);
	assert_true(report.packets <= ENGINE_AHEAD); /* those that were read together */
}

static void
nobody_reads(void **state)
{
	(void)state;
	begin(0, 1, 0, false);
	finish(1);
	begin(0, 3, 0, false);
	finish(1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_said_in_order),
	    cmocka_unit_test(others_wait_for_its_marks),
	    cmocka_unit_test(a_signal_stops_it),
	    cmocka_unit_test(nobody_reads),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("engine/post", tests, NULL, NULL);
}
