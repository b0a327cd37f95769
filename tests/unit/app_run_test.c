/*
 * Runs as a whole, each in a process of its own: exit status, what is printed where, and an end by
 * signal.  The captures hold no mail; what mail gives is for the tests of the whole program.
 */
#include <fcntl.h>
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

#include "app/run.h"
#include "base/text.h"
#include "folder.h"

static char out[65536]; /* what the last run printed */
static char err[4096];

/* Writes a capture of `count` packets of an unknown Ethernet type. */
static void
write_packets(FILE *f, unsigned count)
{
	static const uint32_t head[] = {0xa1b2c3d4, 2 | 4u << 16, 0, 0, 65535, 1};
	uint8_t data[60] = {[12] = 0x88, [13] = 0xb5};
	fwrite(head, sizeof head, 1, f);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t packet[] = {1700000000 + i, 0, sizeof data, sizeof data};
		fwrite(packet, sizeof packet, 1, f);
		fwrite(data, sizeof data, 1, f);
	}
}

static void
write_capture(const char *name, unsigned count, long cut)
{
	FILE *f = fopen(path_of(name), "w");
	assert_non_null(f);
	write_packets(f, count);
	assert_int_equal(fflush(f), 0);
	if (cut > 0)
		assert_int_equal(ftruncate(fileno(f), ftell(f) - cut), 0);
	fclose(f);
}

/* In the child: runs with the streams of the test.  Never returns. */
static void
run_child(const char *line, const char *to)
{
	static char copy[1024];
	char *argv[32] = {"postcard"}, error[OPTIONS_ERROR];
	int argc = 1, status = 99;
	struct options o;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	if (freopen(to, "w", stdout) != NULL && freopen(path_of("err"), "w", stderr) != NULL &&
	    options_parse(&o, argc, argv, error)) {
		struct config c;
		char wrong[YAML_ERROR];
		status = config_read(&c, &o, wrong) ? run_once(&o, &c) : 98;
		config_free(&c);
		options_free(&o);
		fclose(stdout);
		fclose(stderr);
	}
	_exit(status);
}

static void
slurp(const char *name, char *text, size_t cap)
{
	FILE *f = fopen(path_of(name), "r");
	text[0] = '\0';
	if (f == NULL)
		return;
	text[fread(text, 1, cap - 1, f)] = '\0';
	fclose(f);
}

/* The exit status of a run; out and err hold what it printed.  Words begin with '@' for a file of
 * the folder. */
static int
run(const char *words, const char *to)
{
	char line[1024];
	struct text t = text_in(line, sizeof line);
	for (const char *s = words; *s != '\0'; s++) {
		if (*s == '@')
			text_puts(&t, path_of(""));
		else
			text_putc(&t, *s);
	}
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_child(line, to != NULL ? to : path_of("out"));
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	slurp("out", out, sizeof out);
	slurp("err", err, sizeof err);
	unlink(path_of("out"));
	unlink(path_of("err"));
	return WEXITSTATUS(status);
}

static void
expect_packets(unsigned long long n)
{
	char text[64];
	snprintf(text, sizeof text, "\"packets\":%llu,", n);
	assert_non_null(strstr(out, "\"dataset\":\"postcard.summary\""));
	assert_non_null(strstr(out, text));
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1); /* nothing but the summary */
}

static void
a_good_run_is_silent(void **state)
{
	(void)state;
	write_capture("a.pcap", 10, 0);
	assert_int_equal(run("-r @a.pcap --json", NULL), STATUS_DONE);
	assert_string_equal(err, "");
	expect_packets(10);
	assert_int_equal(run("-r @a.pcap --json -c 4", NULL), STATUS_DONE);
	expect_packets(4);
	assert_int_equal(run("-r @a.pcap @a.pcap --json", NULL), STATUS_DONE);
	expect_packets(20);
	assert_int_equal(run("-r @a.pcap --json --fail-on informational", NULL), STATUS_DONE);
	assert_int_equal(run("-r @a.pcap --json --fail-on cleartext", NULL), STATUS_DONE);
	assert_int_equal(run("-r @a.pcap", NULL), STATUS_DONE);
	assert_true(strlen(out) > 0);
	assert_string_equal(err, "");
	write_capture("none.pcap", 0, 0);
	assert_int_equal(run("-r @none.pcap --json", NULL), STATUS_DONE);
	expect_packets(0);
}

static void
damage_is_told(void **state)
{
	(void)state;
	write_capture("a.pcap", 10, 0);
	write_capture("cut.pcap", 10, 5);
	assert_int_equal(run("-r @cut.pcap --json", NULL), STATUS_DAMAGED);
	assert_non_null(strstr(err, "cut.pcap: cut short"));
	assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
	expect_packets(9);
	assert_non_null(strstr(out, "\"faults\":[\""));
	assert_int_equal(run("-r @cut.pcap @a.pcap --json", NULL), STATUS_DAMAGED);
	expect_packets(19);
	/* what lies behind the packets that were asked for was not read */
	assert_int_equal(run("-r @cut.pcap --json -c 3", NULL), STATUS_DONE);
}

static void
a_bad_set_up_prints_one_line(void **state)
{
	(void)state;
	static const char *const cases[] = {
	    "-r @missing.pcap",
	    "-r @",
	    "-r @a.pcap @missing.pcap",
	    "-r @a.pcap nonsense here",
	    "-r @a.pcap nonsense",
	    "-r @a.pcap --geoip @missing",
	    "-r @a.pcap --geoip @a.pcap",
	};
	write_capture("a.pcap", 10, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(run(cases[i], NULL), STATUS_ERROR);
		assert_string_equal(out, "");
		assert_int_equal(strncmp(err, "postcard: ", 10), 0);
		assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
	}
	run("-r @a.pcap nonsense", NULL);
	assert_non_null(strstr(err, "nor is 'nonsense' a file"));
}

static void
a_full_disk_is_told(void **state)
{
	(void)state;
	write_capture("a.pcap", 10, 0);
	static const char *const cases[] = {"-r @a.pcap --json", "-r @a.pcap", "-r @a.pcap -q"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(run(cases[i], "/dev/full"), STATUS_ERROR);
		assert_string_equal(err, "postcard: standard output: No space left on device\n");
	}
}

/* SIGINT in the midst of standard input: what was read is told, and that it is not all. */
static void
a_signal_ends_it_in_order(void **state)
{
	(void)state;
	static const int numbers[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		int pipe_fd[2];
		assert_int_equal(pipe(pipe_fd), 0);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			dup2(pipe_fd[0], STDIN_FILENO);
			close(pipe_fd[0]);
			close(pipe_fd[1]);
			signal(numbers[i], SIG_DFL); /* a shell's background job ignores it */
			run_child("-r - --json", path_of("out"));
		}
		close(pipe_fd[0]);
		FILE *f = fdopen(pipe_fd[1], "w");
		assert_non_null(f);
		/* more than the pipe and all buffers hold: once it is written, the run is on */
		write_packets(f, 100000);
		fflush(f);
		kill(child, numbers[i]);
		fclose(f);
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 128 + numbers[i]);
		slurp("out", out, sizeof out);
		slurp("err", err, sizeof err);
		assert_non_null(strstr(err, "ended by signal"));
		assert_non_null(strstr(out, "\"faults\":[\"ended by signal"));
		unlink(path_of("out"));
		unlink(path_of("err"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_run_is_silent),
	    cmocka_unit_test(damage_is_told),
	    cmocka_unit_test(a_bad_set_up_prints_one_line),
	    cmocka_unit_test(a_full_disk_is_told),
	    cmocka_unit_test(a_signal_ends_it_in_order),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("app/run", tests, make_folder, remove_folder);
}
