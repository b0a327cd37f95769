/* Alerts as they come: the live text output, line by line. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/page.h"
#include "sink_made.h"

static struct sink *
open_live(FILE *out, unsigned columns, bool unicode, bool quiet)
{
	char error[SINK_ERROR] = "";
	struct sink_config config = {.kind = "text",
	    .out = out,
	    .live = true,
	    .columns = columns,
	    .unicode = unicode,
	    .quiet = quiet};
	struct sink *s = sink_open(&config, error);
	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

/* All that is printed. */
static char *
printed(const char *const alerts[], size_t n, unsigned columns, bool unicode, bool quiet)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_live(f, columns, unicode, quiet);
	for (size_t i = 0; i < n; i++)
		assert_true(sink_push(s, make_record(RECORD_ALERT, alerts[i])));
	assert_true(sink_close(s));
	fclose(f);
	return out;
}

static void
expect(const char *const alerts[], size_t n, unsigned columns, bool unicode, const char *want)
{
	char *out = printed(alerts, n, columns, unicode, false);
	char *summary = strstr(out, unicode ? "\n \xe2\x94\x80" : "\n -");
	assert_non_null(summary);
	summary[1] = '\0';
	if (strcmp(out, want) != 0)
		print_error("%s", out);
	assert_string_equal(out, want);
	free(out);
}

#define EXPECT(alerts, columns, unicode, want) \
	expect(alerts, sizeof(alerts) / sizeof *(alerts), columns, unicode, want)

/* clang-format off */

static void
states(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_login, made_repeated, made_worse, made_resolved};
	EXPECT(alerts, 80, true,
	    "2023-11-14 (UTC)\n"
	    "\n"
	    "22:14:20  CRITICAL  192.168.7.15 (laptop.example.org) sent a password (PLAIN)\n"
	    "                    and 1 mail to 203.0.113.25 (mail.example.net) in the clear\n"
	    "                    because the server never offered TLS.\n"
	    "                    192.168.7.15:51544 → 203.0.113.25:587\n"
	    "                    To do: Change the password, since it may be known. Set the\n"
	    "                    client to require TLS.\n"
	    "\n"
	    "23:15:20  MEDIUM    1,233 more: Mail readable: the server offered no TLS,\n"
	    "                    10.1.20.31 → 10.1.0.25\n"
	    "23:16:20  HIGH      Worse now: It went out of the country.\n"
	    "                    10.1.20.31:40000 → 10.1.0.25:25\n"
	    "\n"
	    "2023-11-15 (UTC)\n"
	    "\n"
	    "00:15:00  RESOLVED  Mail readable: the server offered no TLS, 10.1.20.31 →\n"
	    "                    10.1.0.25\n"
	    "\n");
}

/* What happens to the sensor itself has no hosts. */
static void
sensor(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_worker, made_interface};
	EXPECT(alerts, 80, false,
	    "2023-11-15 (UTC)\n"
	    "\n"
	    "00:16:40  HIGH      Worker 2 died of signal 11 (Segmentation fault) and was\n"
	    "                    started anew.\n"
	    "                    worker 2\n"
	    "                    To do: Send the core file.\n"
	    "\n"
	    "22:13:20  CRITICAL  Interface down: the interface is down.\n"
	    "                    eth1\n"
	    "\n");
}

static void
narrow(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_printer, made_six};
	EXPECT(alerts, 40, false,
	    "2023-11-14 (UTC)\n"
	    "\n"
	    "22:15:20  MEDIUM\n"
	    "  10.1.20.31 (MFP-Hallway-3) sent 1\n"
	    "  mail to 10.1.0.25 in the clear.\n"
	    "  10.1.20.31:40000 -> 10.1.0.25:25\n"
	    "  To do: Turn on STARTTLS in the\n"
	    "  printer.\n"
	    "\n"
	    "22:16:20  HIGH\n"
	    "  A mail crossed readable.\n"
	    "  [2001:db8:1234:5678:9a..4:5678]:40001\n"
	    "  -> [2001:db8::25]:25\n"
	    "\n");
}

/* clang-format on */

static void
nothing_is_wider_than_the_page(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_login, made_printer, made_six, made_repeated,
	    made_worse, made_resolved, made_worker, made_interface};
	for (unsigned columns = 40; columns <= 110; columns++) {
		char *out = printed(alerts, 8, columns, columns & 1, false);
		for (const char *s = out; *s != '\0'; s += strcspn(s, "\n") + 1) {
			size_t len = strcspn(s, "\n");
			assert_true(page_width(s, len) < columns);
			assert_true(len == 0 || s[len - 1] != ' ');
		}
		free(out);
	}
}

static void
quiet(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_login};
	char *out = printed(alerts, 1, 80, true, true);
	assert_int_equal(strncmp(out, " \xe2\x94\x80", 4),
	    0); /* the summary, from the first line on */
	assert_null(strstr(out, "To do"));
	free(out);
}

/* An alert can be read at once: nothing waits in a buffer. */
static void
flushed_at_once(void **state)
{
	(void)state;
	int fd[2];
	char buf[4096];
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	FILE *f = fdopen(fd[1], "w");
	struct sink *s = open_live(f, 80, true, false);
	assert_true(read(fd[0], buf, sizeof buf) < 0);
	assert_true(sink_push(s, make_record(RECORD_ALERT, made_printer)));
	ssize_t n = read(fd[0], buf, sizeof buf - 1);
	assert_true(n > 100);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "printer.\n\n"));
	/* its reader goes: that is an error, not a signal's end */
	close(fd[0]);
	assert_false(sink_push(s, make_record(RECORD_ALERT, made_login)));
	assert_int_equal(errno, EPIPE);
	assert_false(sink_close(s));
	fclose(f);
}

/* However many different connections came, the end has no cards. */
static void
no_cards(void **state)
{
	(void)state;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_live(f, 80, true, false);
	for (unsigned i = 0; i < 3 * LIMIT_CARDS; i++)
		assert_true(sink_push(s, make_clear(i, 1, "host.example")));
	assert_true(sink_close(s));
	fclose(f);
	assert_null(strstr(out, "of other kinds"));
	assert_null(strstr(out, "In clear"));
	assert_non_null(strstr(out, "12,288 of 12,288 mail connections could be read"));
	assert_non_null(strstr(out, "Clients in clear"));
	free(out);
}

static void
hostile_octets(void **state)
{
	(void)state;
	static struct record r;
	static const char evil[] = "\x1b[2J\x1b]0;x\x07\r\n\x9b"
				   "5n\xff\xe2\x80\xae %s%n";
	static const enum field fields[] = {FIELD_RULE_NAME, FIELD_MESSAGE, FIELD_ADVICE,
	    FIELD_SENSOR_INTERFACE, FIELD_SENSOR_CAUSE, FIELD_SENSOR_OUTPUT, FIELD_HELO};
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct sink *s = open_live(f, 80, true, false);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const says[] = {"new", "raised", "repeated", "resolved", "odd"};
		record_begin(&r, RECORD_ALERT);
		record_put_time(&r, FIELD_TIMESTAMP, i % 2 == 0 ? INT64_MIN : INT64_MAX);
		record_put_word(&r, FIELD_ALERT_STATE, says[i]);
		record_put_u64(&r, FIELD_COUNT, UINT64_MAX);
		for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
			record_put_str(&r, fields[k], evil, sizeof evil - 1);
		assert_true(sink_push(s, &r));
	}
	assert_true(sink_close(s));
	fclose(f);
	for (size_t i = 0; i < len; i++)
		assert_true((uint8_t)out[i] >= 0x20 || out[i] == '\n');
	assert_null(strstr(out, "\xe2\x80\xae"));
	assert_non_null(strstr(out, "\\x1b[2J"));
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(states),
	    cmocka_unit_test(sensor),
	    cmocka_unit_test(narrow),
	    cmocka_unit_test(nothing_is_wider_than_the_page),
	    cmocka_unit_test(quiet),
	    cmocka_unit_test(flushed_at_once),
	    cmocka_unit_test(no_cards),
	    cmocka_unit_test(hostile_octets),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
