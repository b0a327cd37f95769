/* The JSON sink with a file of its own: appended to, reopened, and what a full disk leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/log.h"
#include "folder.h"
#include "sink/sink.h"

static struct record record;
static unsigned said; /* lines on standard error */

static void
count_said(void)
{
	said++;
}

static struct sink *
open_file(const char *name, bool live)
{
	char error[SINK_ERROR];
	struct sink_config config = {.kind = "json", .path = path_of(name), .live = live};
	struct sink *s = sink_open(&config, error);
	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

static void
push(struct sink *s, unsigned n)
{
	record_begin(&record, RECORD_SESSION);
	record_put_u64(&record, FIELD_COUNT, n);
	assert_true(sink_push(s, &record));
}

static char *
content(const char *name)
{
	static char text[100000];
	int fd = open(path_of(name), O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static struct sink_counts
counts(const struct sink *s)
{
	struct sink_counts c;
	assert_true(sink_counts(s, &c));
	return c;
}

#define LINE(n) "{\"postcard\":{\"count\":" #n "}}\n"

static void
appends(void **state)
{
	(void)state;
	struct stat st;
	umask(0);
	struct sink *s = open_file("out", false);
	push(s, 1);
	assert_string_equal(content("out"), "");
	assert_int_equal(counts(s).waiting, 1);
	assert_true(sink_flush(s));
	assert_string_equal(content("out"), LINE(1));
	assert_int_equal(counts(s).sent, 1);
	assert_true(sink_close(s));
	assert_int_equal(stat(path_of("out"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	s = open_file("out", false);
	push(s, 2);
	assert_true(sink_close(s));
	assert_string_equal(content("out"), LINE(1) LINE(2));
}

static void
nothing_is_held_back(void **state)
{
	(void)state;
	struct sink_wait w;
	struct sink *s = open_file("out", true);
	sink_wait(s, &w);
	assert_int_equal(w.timeout_ms, -1);
	push(s, 1);
	push(s, 2);
	sink_wait(s, &w);
	assert_int_equal(w.timeout_ms, 0);
	assert_true(sink_tick(s));
	assert_string_equal(content("out"), LINE(1) LINE(2));
	sink_wait(s, &w);
	assert_int_equal(w.timeout_ms, -1);
	assert_true(sink_close(s));
}

static void
reopened(void **state)
{
	(void)state;
	struct sink *s = open_file("out", false);
	push(s, 1);
	assert_int_equal(rename(path_of("out"), path_of("out.1")), 0);
	push(s, 2);
	sink_reopen(s);
	push(s, 3);
	assert_true(sink_flush(s));
	assert_string_equal(content("out.1"), LINE(1) LINE(2));
	assert_string_equal(content("out"), LINE(3));
	/* where it cannot be opened, the old one is written on */
	assert_int_equal(rename(path_of("out"), path_of("out.1")), 0);
	make_dir("out");
	said = 0;
	sink_reopen(s);
	assert_int_equal(said, 1);
	push(s, 4);
	assert_true(sink_close(s));
	assert_string_equal(content("out.1"), LINE(3) LINE(4));
}

static void
torn_lines_are_ended(void **state)
{
	(void)state;
	write_text("out", LINE(1) "{\"postcard\":{\"cou");
	struct sink *s = open_file("out", false);
	push(s, 2);
	assert_true(sink_close(s));
	assert_string_equal(content("out"), LINE(1) "{\"postcard\":{\"cou\n" LINE(2));
}

/* A limit on the size of files is the full disk of those who may not mount one. */
static void
set_limit(rlim_t octets)
{
	struct rlimit l;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void
full_disk(void **state)
{
	(void)state;
	struct sink *s = open_file("out", false);
	said = 0;
	set_limit(60); /* two lines of 25 octets and a part of the third */
	for (unsigned n = 1; n <= 4; n++)
		push(s, n);
	assert_true(sink_flush(s));
	assert_string_equal(content("out"), LINE(1) LINE(2));
	assert_int_equal(counts(s).sent, 2);
	assert_int_equal(counts(s).dropped, 2);
	assert_false(counts(s).up);
	assert_int_equal(said, 1);
	for (unsigned n = 5; n <= 8; n++) {
		push(s, n);
		assert_true(sink_flush(s));
	}
	assert_int_equal(said, 1);
	assert_int_equal(counts(s).dropped, 6);
	set_limit(RLIM_INFINITY);
	push(s, 9);
	assert_true(sink_flush(s));
	assert_int_equal(said, 2);
	assert_true(counts(s).up);
	assert_string_equal(content("out"), LINE(1) LINE(2) LINE(9));
	assert_true(sink_close(s));
}

static void
a_device_that_takes_nothing(void **state)
{
	(void)state;
	char error[SINK_ERROR];
	struct sink_config config = {.kind = "json", .path = "/dev/full"};
	struct sink *s = sink_open(&config, error);
	if (s == NULL)
		skip();
	said = 0;
	for (unsigned n = 0; n < 3; n++) {
		push(s, n);
		assert_true(sink_flush(s));
	}
	assert_int_equal(counts(s).dropped, 3);
	assert_int_equal(said, 1);
	assert_true(sink_close(s));
}

static void
cannot_be_opened(void **state)
{
	(void)state;
	char error[SINK_ERROR];
	struct sink_config config = {.kind = "json", .path = path_of("none/\nout")};
	assert_null(sink_open(&config, error));
	assert_non_null(strstr(error, "none/\\x0aout: No such file or directory"));
	config = (struct sink_config){.kind = "json", .out = stdout};
	struct sink *s = sink_open(&config, error);
	struct sink_counts c;
	assert_false(sink_counts(s, &c));
	sink_reopen(s);
	assert_true(sink_close(s));
}

/* A folder that takes no files: that is the cause, and not that the file is not there. */
static void
may_not_be_made(void **state)
{
	(void)state;
	char error[SINK_ERROR] = "";
	bool root = geteuid() == 0;
	make_dir("closed");
	assert_int_equal(chmod(path_of("closed"), 0555), 0);
	assert_int_equal(chmod(path_of("."), 0755), 0);
	struct sink_config config = {.kind = "json", .path = path_of("closed/out")};
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	struct sink *s = sink_open(&config, error);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_null(s);
	assert_non_null(strstr(error, "closed/out: Permission denied"));
}

int
main(void)
{
	log_before(count_said);
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(appends),
	    FOLDER_TEST(nothing_is_held_back),
	    FOLDER_TEST(reopened),
	    FOLDER_TEST(torn_lines_are_ended),
	    FOLDER_TEST(full_disk),
	    FOLDER_TEST(a_device_that_takes_nothing),
	    FOLDER_TEST(cannot_be_opened),
	    FOLDER_TEST(may_not_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
