/* Signals of a run, each in a process of its own. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/signals.h"
#include "base/now.h"

static int
status_of(void (*f)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
		for (size_t i = 0; i < 4; i++)
			signal(numbers[i], SIG_DFL);
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
check(bool good, int code)
{
	if (!good)
		_exit(code);
}

static void
catch_all(bool waits)
{
	signals_catch();
	signals_catch_ends(waits);
}

/* A signal to this process in a while. */
static void
send_later(int number)
{
	pid_t self = getpid();
	if (fork() == 0) {
		usleep(100000);
		kill(self, number);
		_exit(0);
	}
}

static void
each_is_noted(void)
{
	catch_all(true);
	check(signals_stop() == 0 && !signals_reload() && !signals_report(), 1);
	raise(SIGHUP);
	raise(SIGHUP);
	raise(SIGUSR1);
	check(signals_reload() && !signals_reload(), 2);
	check(signals_report() && !signals_report(), 3);
	check(signals_stop() == 0, 4);
	raise(SIGTERM);
	check(signals_stop() == SIGTERM && signals_stop() == SIGTERM, 5);
	raise(SIGPIPE); /* is seen by write(2) */
}

static void
the_second_ends_at_once(void)
{
	catch_all(true);
	raise(SIGINT);
	check(signals_stop() == SIGINT, 1);
	raise(SIGINT);
}

/* What waits for the first packet is not to be ended in order. */
static void
before_those_that_end_are_caught(void)
{
	signals_catch();
	raise(SIGHUP);
	check(signals_reload(), 1);
	raise(SIGTERM);
}

static void
what_was_ignored_stays_so(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	catch_all(true);
	raise(SIGINT);
	check(signals_stop() == 0, 1);
	raise(SIGHUP); /* but a service is told to reload whoever started it */
	check(signals_reload(), 2);
}

static void
a_signal_ends_the_wait(void)
{
	int ends[2];
	check(pipe(ends) == 0, 1);
	catch_all(true);
	struct pollfd p = {.fd = ends[0], .events = POLLIN};
	int64_t begun = now_monotonic_ms();
	send_later(SIGUSR1);
	signals_poll(&p, 1, 20000);
	check(signals_report(), 2);
	check(now_monotonic_ms() - begun < 10000, 3);
	begun = now_monotonic_ms();
	signals_poll(&p, 1, 30);
	check(now_monotonic_ms() - begun >= 29, 4);
	check(write(ends[1], "x", 1) == 1, 5);
	signals_poll(&p, 1, -1);
	check(p.revents == POLLIN, 6);
}

/* Output that waits for its reader is neither cut by the first signal nor safe from the second. */
static void
a_full_pipe(void)
{
	int ends[2];
	static char octets[1 << 20];
	check(pipe(ends) == 0, 1);
	catch_all(true);
	pid_t self = getpid();
	if (fork() == 0) {
		close(ends[1]);
		usleep(100000);
		kill(self, SIGINT);
		usleep(100000);
		for (size_t n = 0; n < sizeof octets / 2;)
			n += (size_t)read(ends[0], octets, sizeof octets);
		usleep(100000);
		kill(self, SIGINT);
		_exit(0);
	}
	for (ssize_t n = 0; n >= 0;)
		n = write(ends[1], octets, sizeof octets);
	_exit(2); /* the first of them cuts no write */
}

static void
in_one_process_a_read_ends(void)
{
	int ends[2];
	char c;
	check(pipe(ends) == 0, 1);
	catch_all(false);
	send_later(SIGTERM);
	check(read(ends[0], &c, 1) == -1 && errno == EINTR, 2);
	check(signals_stop() == SIGTERM, 3);
}

static void
signals_of_a_run(void **state)
{
	(void)state;
	assert_int_equal(status_of(each_is_noted), 0);
	assert_int_equal(status_of(what_was_ignored_stays_so), 0);
	assert_int_equal(status_of(a_signal_ends_the_wait), 0);
	assert_int_equal(status_of(in_one_process_a_read_ends), 0);
}

static void
the_second_signal(void **state)
{
	(void)state;
	int status = status_of(the_second_ends_at_once);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	status = status_of(before_those_that_end_are_caught);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	status = status_of(a_full_pipe);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signals_of_a_run),
	    cmocka_unit_test(the_second_signal),
	};
	return cmocka_run_group_tests_name("app/signals", tests, NULL, NULL);
}
