/* The keeper: starts and ends workers, tells of their ends, and ends with its parent. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/keeper.h"
#include "engine/feed.h"
#include "engine/wire.h"

static struct spawn spawn;
static struct wire_in in;
static int keeper = -1;
static pid_t pid;

/* Workers of an interface; "lo" or one that does not exist. */
static void
begin(const char *const *interface, unsigned workers)
{
	static const char *const usual[] = {"nobody", NULL};
	char error[SANDBOX_ERROR];
	memset(&spawn, 0, sizeof spawn);
	spawn.workers = workers;
	spawn.live = (struct live_config){.interfaces = interface, .count = 1, .shares = 1};
	spawn.engine = (struct engine_config){.memory = ENGINE_MEMORY_MIN, .no_ndpi = true};
	assert_true(identity_find(&spawn.sandbox.identity, NULL, usual, error));
	assert_true(spawn_open(&spawn));
	keeper = keeper_fork(&spawn, &pid);
	assert_true(keeper >= 0);
}

static void
expect_end_of(pid_t child)
{
	int status = -1;
	for (unsigned i = 0; i < 1000 && waitpid(child, &status, WNOHANG) == 0; i++)
		usleep(10000);
	assert_int_equal(status, 0);
}

static struct keeper_answer
answer(void)
{
	struct keeper_answer a;
	bool gone = false;
	for (unsigned i = 0; i < 1000; i++) {
		struct pollfd p = {.fd = keeper, .events = POLLIN};
		(void)poll(&p, 1, 10);
		if (keeper_next(keeper, &a, &gone))
			return a;
		assert_false(gone);
	}
	fail_msg("no answer");
	return a;
}

static void
finish(void)
{
	close(keeper);
	expect_end_of(pid);
	spawn_close(&spawn);
}

/* Nothing more comes: it is as the keeper left it. */
static void
expect_silence(void)
{
	struct keeper_answer a;
	bool gone;
	usleep(50000);
	assert_false(keeper_next(keeper, &a, &gone));
	assert_false(gone);
}

static void
an_interface_that_does_not_exist(void **state)
{
	(void)state;
	static const char *const none[] = {"no-such-if0"};
	struct wire_message m;
	bool failed = false, ended = false;
	begin(none, 2);
	assert_true(keeper_start(keeper, 1));
	struct keeper_answer a = answer();
	assert_int_equal(a.word, KEEPER_STARTED);
	assert_int_equal(a.worker, 1);
	assert_true(a.pid > 0);
	assert_true(a.fd >= 0);
	in = (struct wire_in){.ring = spawn.ring[1], .bell = a.fd};
	while (!in.closed) {
		struct pollfd p = {.fd = in.bell, .events = POLLIN};
		assert_int_equal(poll(&p, 1, 20000), 1);
		(void)wire_fill(&in);
		while (wire_peek(&in, &m)) {
			if (m.head.kind == WIRE_EVENT) {
				assert_int_equal(m.head.detail, FEED_EVENT_FAILED);
				assert_non_null(memmem(m.body, m.head.len, "no-such-if0", 11));
				failed = true;
			}
			if (m.head.kind == WIRE_END) {
				assert_int_equal(m.head.detail, FEED_END_FAILED);
				ended = true;
			}
			wire_take(&in);
		}
	}
	close(in.bell);
	assert_true(failed && ended);
	struct keeper_answer last = answer();
	assert_int_equal(last.word, KEEPER_ENDED);
	assert_int_equal(last.worker, 1);
	assert_int_equal(last.pid, a.pid);
	assert_true(WIFEXITED(last.status));
	expect_silence();
	finish();
}

static void
orders_that_mean_nothing(void **state)
{
	(void)state;
	static const char *const none[] = {"no-such-if0"};
	begin(none, 1);
	assert_true(keeper_start(keeper, 1)); /* there is no such worker */
	assert_true(keeper_start(keeper, UINT32_MAX));
	assert_true(keeper_signal(keeper, 0, SIGKILL)); /* it does not run */
	assert_true(keeper_signal(keeper, 77, SIGTERM));
	assert_true(keeper_signal(keeper, 0, SIGSTOP)); /* not its to send */
	expect_silence();
	for (unsigned i = 0; i < 3; i++) { /* it goes on */
		assert_true(keeper_start(keeper, 0));
		struct keeper_answer a = answer();
		assert_int_equal(a.word, KEEPER_STARTED);
		close(a.fd);
		assert_int_equal(answer().word, KEEPER_ENDED);
	}
	finish();
}

/* Does it run?  One that has ended, and is ours by now, is taken. */
static bool
alive(pid_t p)
{
	(void)waitpid(p, NULL, WNOHANG);
	return kill(p, 0) == 0;
}

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
live_workers_are_started_and_ended(void **state)
{
	(void)state;
	static const char *const lo[] = {"lo"};
	if (!can_capture())
		skip();
	begin(lo, 2);
	struct keeper_answer first[2];
	for (unsigned i = 0; i < 2; i++) {
		assert_true(keeper_start(keeper, i));
		first[i] = answer();
		assert_int_equal(first[i].word, KEEPER_STARTED);
	}
	assert_true(keeper_start(keeper, 1)); /* it runs */
	struct keeper_answer a = answer();
	assert_int_equal(a.word, KEEPER_REFUSED);
	assert_int_equal(a.status, EBUSY);
	assert_true(keeper_signal(keeper, 0, SIGKILL));
	a = answer();
	assert_int_equal(a.word, KEEPER_ENDED);
	assert_int_equal(a.worker, 0);
	assert_true(WIFSIGNALED(a.status));
	assert_int_equal(WTERMSIG(a.status), SIGKILL);
	assert_int_equal(kill(first[1].pid, 0), 0);
	finish(); /* the other ends with it */
	for (unsigned i = 0; i < 500 && alive(first[1].pid); i++)
		usleep(10000);
	assert_false(alive(first[1].pid));
	close(first[0].fd);
	close(first[1].fd);
}

/* The keeper ends where its parent does, and a worker where the keeper does, however. */
static void
all_end_with_whom_they_serve(void **state)
{
	(void)state;
	static const char *const lo[] = {"lo"};
	if (!can_capture())
		skip();
	for (unsigned kill_keeper = 0; kill_keeper < 2; kill_keeper++) {
		int ends[2];
		pid_t pids[2];
		assert_int_equal(pipe(ends), 0);
		pid_t parent = fork();
		assert_true(parent >= 0);
		if (parent == 0) {
			begin(lo, 1);
			if (!keeper_start(keeper, 0))
				_exit(1);
			pids[0] = pid;
			pids[1] = answer().pid;
			usleep(300000); /* it is in its sandbox */
			(void)!write(ends[1], pids, sizeof pids);
			pause();
		}
		assert_int_equal(read(ends[0], pids, sizeof pids), sizeof pids);
		kill(kill_keeper ? pids[0] : parent, SIGKILL);
		close(ends[1]);
		if (kill_keeper) /* the parent still holds the pipe's end */
			usleep(200000);
		for (unsigned i = 0; i < 500 && alive(pids[1]); i++)
			usleep(10000);
		assert_false(alive(pids[1]));
		kill(parent, SIGKILL);
		assert_int_equal(waitpid(parent, NULL, 0), parent);
		for (unsigned i = 0; i < 500 && alive(pids[0]); i++)
			usleep(10000);
		assert_false(alive(pids[0]));
		close(ends[0]);
	}
}

static void
a_keeper_that_is_gone(void **state)
{
	(void)state;
	static const char *const none[] = {"no-such-if0"};
	struct keeper_answer a;
	bool gone = false;
	begin(none, 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(keeper_next(keeper, &a, &gone));
	assert_true(gone);
	assert_false(keeper_start(keeper, 0));
	assert_false(keeper_signal(keeper, 0, SIGTERM));
	close(keeper);
	spawn_close(&spawn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_interface_that_does_not_exist),
	    cmocka_unit_test(orders_that_mean_nothing),
	    cmocka_unit_test(live_workers_are_started_and_ended),
	    cmocka_unit_test(all_end_with_whom_they_serve),
	    cmocka_unit_test(a_keeper_that_is_gone),
	};
	/* grandchildren that lose their parent are ours to wait for */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return 1;
	signal(SIGCHLD, SIG_DFL);
	return cmocka_run_group_tests_name("app/keeper", tests, NULL, NULL);
}
