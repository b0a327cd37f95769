/* The syslog sink against servers of the test's own: framing, outages, resets, slowness, the end.
 */
#include "sink/syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "folder.h"

static struct record record;
static unsigned said;	   /* lines on standard error */
static char got[16 << 20]; /* what a server read */
static size_t got_len;
static unsigned pushed; /* number of the last record */

static void
count_said(void)
{
	said++;
}

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A socket bound to a port of 127.0.0.1 (*port 0: any), listening where it is a stream. */
static int
listen_at(int type, uint16_t *port)
{
	int on = 1, fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t len = sizeof a;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static int
listen_local(int type, const char *path)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	(void)unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static struct sink *
open_sink(bool spool, const char *fmt, ...)
{
	char url[300], error[SINK_ERROR];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(url, sizeof url, fmt, ap);
	va_end(ap);
	struct sink_config config = {.kind = "syslog",
	    .url = url,
	    .spool = spool ? path_of("spool") : NULL};
	struct sink *s = sink_open(&config, error);
	if (s == NULL)
		fail_msg("%s: %s", url, error);
	pushed = 0;
	got_len = 0;
	said = 0;
	return s;
}

static void
push(struct sink *s, unsigned n)
{
	char text[32];
	while (n-- > 0) {
		snprintf(text, sizeof text, "alert %06u.", ++pushed);
		record_begin(&record, RECORD_ALERT);
		record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910000);
		record_put_word(&record, FIELD_MESSAGE, text);
		record_put_word(&record, FIELD_LEVEL, "low");
		int64_t begun = now_ms();
		assert_true(sink_push(s, &record));
		assert_true(now_ms() - begun < 500); /* never waits for the network */
	}
}

static struct sink_counts
counts(const struct sink *s)
{
	struct sink_counts c;
	assert_true(sink_counts(s, &c));
	assert_int_equal(c.sent + c.waiting + c.dropped, pushed);
	return c;
}

static void
read_more(int fd)
{
	ssize_t n;
	while (fd >= 0 && got_len < sizeof got - 1 &&
	    (n = recv(fd, got + got_len, sizeof got - 1 - got_len, MSG_DONTWAIT)) > 0)
		got_len += (size_t)n;
	got[got_len] = '\0';
}

/* Runs the sink as a main loop would, and the server that reads from `fd` (-1: none). */
static void
run(struct sink *s, int fd, int64_t ms)
{
	int64_t end = now_ms() + ms;
	do {
		struct sink_wait w;
		assert_true(sink_tick(s));
		sink_wait(s, &w);
		struct pollfd p[] = {{.fd = w.fd, .events = w.events},
		    {.fd = fd, .events = POLLIN}};
		int most = (int)(end - now_ms() < 10 ? 1 : 10);
		(void)poll(p, 2, w.timeout_ms >= 0 && w.timeout_ms < most ? w.timeout_ms : most);
		read_more(fd);
	} while (now_ms() < end);
}

/* The same until nothing waits. */
static void
drain(struct sink *s, int fd)
{
	int64_t end = now_ms() + 8000;
	while (counts(s).waiting > 0 && now_ms() < end)
		run(s, fd, 5);
	read_more(fd);
	assert_int_equal(counts(s).waiting, 0);
}

static int
accept_one(struct sink *s, int listening)
{
	int64_t end = now_ms() + 8000;
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0)
			return fd;
		assert_true(now_ms() < end);
		run(s, -1, 5);
	}
}

/* The numbers in what was read begin with `from` and go on to `to`; where `doubles`, some may have
 * come twice. */
static void
check_numbers(unsigned from, unsigned to, bool doubles)
{
	unsigned next = from;
	/* not strstr: a sanitizer measures all that is left, each time */
	for (const char *p = got; (p = memchr(p, 'a', got_len - (size_t)(p - got))) != NULL; p++) {
		if (strncmp(p, "alert ", 6) != 0 || p[6] < '0' || p[6] > '9')
			continue;
		unsigned n = 0;
		for (const char *s = p + 6; *s >= '0' && *s <= '9'; s++)
			n = 10 * n + (unsigned)(*s - '0');
		if (doubles && n < next)
			continue;
		assert_int_equal(n, next);
		next++;
	}
	assert_int_equal(next, to + 1);
}

static void
close_with_reset(int fd)
{
	struct linger l = {1, 0};
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	close(fd);
}

static void
framing(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(false, "tcp://127.0.0.1:%u", port);
	push(s, 2);
	int fd = accept_one(s, l);
	drain(s, fd);
	char *end;
	const char *p = got;
	for (int i = 0; i < 2; i++) {
		size_t len = strtoul(p, &end, 10);
		assert_true(*end == ' ' && strncmp(end + 1, "<21>1 2026-11-23T", 17) == 0);
		p = end + 1 + len;
		assert_int_equal(p[-1], '.');
	}
	assert_int_equal(*p, '\0');
	assert_true(counts(s).up);
	char name[40];
	snprintf(name, sizeof name, "tcp://127.0.0.1:%u", port);
	assert_string_equal(counts(s).name, name);
	assert_true(sink_close(s));
	close(fd);
	s = open_sink(false, "tcp://127.0.0.1:%u?framing=lf", port);
	push(s, 3);
	fd = accept_one(s, l);
	drain(s, fd);
	assert_memory_equal(got, "<21>1 ", 6);
	assert_non_null(strstr(got, "alert 000001.\n<21>1 "));
	assert_memory_equal(got + got_len - 14, "alert 000003.\n", 14);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

static void
connects_later(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	close(l);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	push(s, 10);
	run(s, -1, 100);
	assert_false(counts(s).up);
	assert_int_equal(counts(s).spooled, 10);
	assert_int_equal(said, 1);
	push(s, 10);
	run(s, -1, 700);
	assert_int_equal(said, 1); /* not each time */
	l = listen_at(SOCK_STREAM, &port);
	int fd = accept_one(s, l);
	drain(s, fd);
	assert_int_equal(said, 2);
	check_numbers(1, 20, false);
	push(s, 1);
	drain(s, fd);
	assert_int_equal(counts(s).spooled, 20); /* in memory again */
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

/* In due form: only what was not acknowledged comes again. */
static void
closed_by_the_server(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	int fd = accept_one(s, l);
	push(s, 500);
	drain(s, fd);
	close(fd);
	run(s, -1, 50);
	assert_false(counts(s).up);
	push(s, 500);
	run(s, -1, 50);
	assert_int_equal(counts(s).waiting, 500);
	fd = accept_one(s, l);
	drain(s, fd);
	check_numbers(1, 1000, false);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

/* What the server's kernel had acknowledged and the server had not read comes again. */
static void
reset_by_the_server(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	int fd = accept_one(s, l);
	push(s, 100);
	drain(s, fd);
	push(s, 100);
	drain(s, -1); /* acknowledged, nobody reads it */
	assert_int_equal(counts(s).sent, 200);
	close(fd); /* with unread octets: a reset */
	run(s, -1, 50);
	assert_false(counts(s).up);
	push(s, 100);
	fd = accept_one(s, l);
	drain(s, fd);
	check_numbers(1, 300, true);
	assert_int_equal(counts(s).sent, 300); /* each counted once */
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

static void
many_resets(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	size_t whole = 0;
	for (int round = 0; round < 4; round++) {
		push(s, 3000);
		int fd = accept_one(s, l);
		run(s, fd, 20);
		push(s, 1000);
		run(s, -1, 20); /* and does not read */
		close_with_reset(fd);
		/* a line that was cut in two is no line */
		while (got_len > whole && got[got_len - 1] != '.')
			got_len--;
		whole = got_len;
	}
	int fd = accept_one(s, l);
	drain(s, fd);
	run(s, fd, 500); /* what was acknowledged and comes again waits no more */
	check_numbers(1, 16000, true);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

static void
a_server_that_does_not_read(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	int fd = accept_one(s, l), small = 300000; /* more than a segment */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	push(s, 40000);
	run(s, -1, 100);
	assert_true(counts(s).waiting > 10000);
	assert_true(counts(s).spooled > 10000); /* more than memory holds */
	assert_true(counts(s).up);
	struct sink_wait w;
	int turns = 0;
	for (int64_t end = now_ms() + 200; now_ms() < end; turns++) { /* no busy waiting */
		assert_true(sink_tick(s));
		sink_wait(s, &w);
		struct pollfd p = {.fd = w.fd, .events = w.events};
		(void)poll(&p, 1, w.timeout_ms >= 0 && w.timeout_ms < 100 ? w.timeout_ms : 100);
	}
	assert_true(turns < 40);
	drain(s, fd);
	check_numbers(1, 40000, false);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

/* A server that takes messages and does not read them on: they are on the disk before long. */
static void
a_server_that_is_stuck(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tls://127.0.0.1:%u", port);
	push(s, 5);
	int fd = accept_one(s, l); /* no answer to the ClientHello */
	run(s, -1, 300);
	assert_int_equal(counts(s).spooled, 0);
	run(s, -1, 1000);
	assert_int_equal(counts(s).spooled, 5);
	push(s, 1);
	assert_int_equal(counts(s).spooled, 6);
	assert_int_equal(said, 0);
	assert_true(sink_close(s));
	close(fd);
	s = open_sink(true, "tcp://127.0.0.1:%u", port);
	fd = accept_one(s, l);
	int small = 300000;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	push(s, 5000); /* less than memory takes, more than the sockets do */
	run(s, -1, 300);
	uint64_t before = counts(s).spooled;
	run(s, -1, 1500);
	assert_true(counts(s).waiting > 100);
	assert_true(counts(s).spooled > before + 100);
	drain(s, fd);
	push(s, 10);
	before = counts(s).spooled;
	drain(s, fd);
	assert_int_equal(counts(s).spooled, before);
	check_numbers(1, 5010, false);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

static void
closing_is_bounded(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	int fd = accept_one(s, l), small = 4096;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	push(s, 40000);
	int64_t begun = now_ms();
	assert_true(sink_close(s));
	assert_in_range(now_ms() - begun, 900, 3000);
	close_with_reset(fd);
	/* the next run goes on where this one ended */
	s = open_sink(true, "tcp://127.0.0.1:%u", port);
	struct sink_counts c;
	assert_true(sink_counts(s, &c));
	assert_true(c.waiting > 1000 && c.waiting < 40000);
	pushed = (unsigned)c.waiting;
	fd = accept_one(s, l);
	drain(s, fd);
	check_numbers(40001 - pushed, 40000, false);
	assert_true(sink_close(s));
	close(fd);
	/* nobody there: no waiting at all, and without a folder all is lost and said */
	close(l);
	s = open_sink(false, "tcp://127.0.0.1:%u", port);
	push(s, 5);
	begun = now_ms();
	assert_true(sink_close(s));
	assert_true(now_ms() - begun < 500);
	assert_int_equal(said, 2);
}

static void
closing_delivers(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(false, "tcp://127.0.0.1:%u", port);
	push(s, 50); /* not even connected */
	assert_true(sink_close(s));
	assert_int_equal(said, 0);
	int fd = accept(l, NULL, NULL);
	read_more(fd);
	check_numbers(1, 50, false);
	close(fd);
	close(l);
}

static void
datagrams(void **state)
{
	(void)state;
	uint16_t port = 0;
	int fd = listen_at(SOCK_DGRAM, &port);
	struct sink *s = open_sink(true, "udp://127.0.0.1:%u", port);
	push(s, 50);
	drain(s, fd);
	check_numbers(1, 50, false);
	assert_true(counts(s).up);
	close(fd);
	run(s, -1, 300);
	push(s, 50);
	run(s, -1, 300);
	assert_false(counts(s).up);
	assert_int_equal(counts(s).waiting, 50); /* the ICMP error took none */
	assert_int_equal(said, 1);
	push(s, 10);
	run(s, -1, 1500);
	assert_int_equal(said, 1); /* trying is not being back */
	fd = listen_at(SOCK_DGRAM, &port);
	drain(s, fd);
	check_numbers(1, 110, true);
	assert_int_equal(said, 2);
	push(s, 1);
	assert_true(sink_close(s));
	read_more(fd);
	check_numbers(1, 111, true);
	close(fd);
}

static void
local_datagrams(void **state)
{
	(void)state;
	struct sink *s = open_sink(true, "unix://%s", path_of("log"));
	push(s, 5);
	run(s, -1, 50);
	assert_int_equal(counts(s).spooled, 5);
	int fd = listen_local(SOCK_DGRAM, path_of("log"));
	drain(s, fd);
	check_numbers(1, 5, false);
	assert_memory_equal(got, "<21>Nov 23 ", 11);
	assert_null(strchr(got, '\n'));
	/* many more than its queue takes, read late */
	push(s, 3000);
	run(s, -1, 100);
	assert_true(counts(s).waiting > 2500);
	drain(s, fd);
	check_numbers(1, 3005, false);
	/* what it had not read when it ended is not delivered */
	push(s, 5);
	run(s, -1, 50);
	assert_int_equal(counts(s).waiting, 5);
	close(fd);
	run(s, -1, 50);
	assert_int_equal(counts(s).waiting, 5);
	fd = listen_local(SOCK_DGRAM, path_of("log"));
	drain(s, fd);
	check_numbers(1, 3010, false);
	assert_true(sink_close(s));
	close(fd);
}

static void
local_stream(void **state)
{
	(void)state;
	int l = listen_local(SOCK_STREAM, path_of("log"));
	struct sink *s = open_sink(false, "unix://%s?format=rfc5424", path_of("log"));
	push(s, 100);
	int fd = accept_one(s, l);
	drain(s, fd);
	check_numbers(1, 100, false);
	assert_non_null(strstr(got, "alert 000001.\n<21>1 "));
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

/* localhost has ::1 first, where nobody listens. */
static void
every_address_is_tried(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(false, "tcp://localhost:%u", port);
	push(s, 3);
	int fd = accept_one(s, l);
	drain(s, fd);
	assert_int_equal(said, 0);
	close(fd);
	fd = accept_one(s, l); /* resolved anew, in its thread */
	push(s, 3);
	drain(s, fd);
	check_numbers(1, 6, false);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

static void
a_name_without_address(void **state)
{
	(void)state;
	struct sink *s = open_sink(true, "tcp://nobody.invalid:1");
	push(s, 3);
	run(s, -1, 1500);
	assert_int_equal(counts(s).waiting, 3);
	assert_false(counts(s).up);
	assert_true(sink_close(s));
	s = open_sink(false, "udp://nobody.invalid");
	assert_true(sink_tick(s)); /* perhaps a thread is at it when the sink goes */
	assert_true(sink_close(s));
}

static void
no_tls_at_the_other_end(void **state)
{
	(void)state;
	uint16_t port = 0;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tls://127.0.0.1:%u", port);
	push(s, 3);
	int fd = accept_one(s, l);
	run(s, fd, 50);
	assert_true(got_len > 100 && got[0] == 0x16); /* a ClientHello */
	assert_int_equal(send(fd, "220 mx ESMTP hello there\r\n", 26, MSG_NOSIGNAL), 26);
	run(s, fd, 100);
	assert_int_equal(said, 1);
	assert_int_equal(counts(s).waiting, 3);
	assert_null(memmem(got, got_len, "alert", 5));
	close(fd);
	assert_true(sink_close(s));
	close(l);
}

static void
random_octets_from_the_server(void **state)
{
	(void)state;
	uint16_t port = 0;
	uint32_t seed = 3;
	int l = listen_at(SOCK_STREAM, &port);
	struct sink *s = open_sink(true, "tcp://127.0.0.1:%u", port);
	int fd = accept_one(s, l);
	for (int i = 0; i < 200; i++) {
		char noise[1000];
		for (size_t k = 0; k < sizeof noise; k++) {
			seed = seed * 1664525u + 1013904223u;
			noise[k] = (char)(seed >> 24);
		}
		(void)!send(fd, noise, sizeof noise, MSG_NOSIGNAL | MSG_DONTWAIT);
		push(s, 10);
		run(s, fd, 1);
	}
	drain(s, fd);
	check_numbers(1, 2000, false);
	assert_true(sink_close(s));
	close(fd);
	close(l);
}

/* How a sensor stands goes there at once, then each `heartbeat` seconds, whatever the level. */
static void
heartbeat(void **state)
{
	(void)state;
	static const char *const query[] = {"level=critical&heartbeat=1&framing=lf",
	    "heartbeat=0&framing=lf"};
	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = 0;
		int l = listen_at(SOCK_STREAM, &port);
		struct sink *s = open_sink(false, "tcp://127.0.0.1:%u?%s", port, query[i]);
		int fd = accept_one(s, l);
		for (unsigned k = 0; k < 12;
		     k++) { /* as a run that shows how it stands each 100 ms */
			record_begin(&record, RECORD_SUMMARY);
			record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910000);
			record_put_word(&record, FIELD_MESSAGE, "Watching eth1");
			record_put_u64(&record, FIELD_SUM_SESSIONS, 7);
			sink_status(s, &record);
			run(s, fd, 100);
		}
		pushed = i == 0 ? 2 : 0;
		drain(s, fd);
		const char *first = strstr(got, " status [postcard@32473 ");
		assert_int_equal(first != NULL, i == 0);
		if (first != NULL) {
			assert_non_null(strstr(first, "sessions=\"7\""));
			assert_non_null(strstr(first, "Watching eth1\n"));
			assert_non_null(strstr(first + 10, " status [postcard@32473 "));
		}
		assert_true(sink_close(s));
		close(fd);
		close(l);
	}
}

int
main(void)
{
	log_before(count_said);
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(framing),
	    FOLDER_TEST(heartbeat),
	    FOLDER_TEST(connects_later),
	    FOLDER_TEST(closed_by_the_server),
	    FOLDER_TEST(reset_by_the_server),
	    FOLDER_TEST(many_resets),
	    FOLDER_TEST(a_server_that_does_not_read),
	    FOLDER_TEST(a_server_that_is_stuck),
	    FOLDER_TEST(closing_is_bounded),
	    FOLDER_TEST(closing_delivers),
	    FOLDER_TEST(datagrams),
	    FOLDER_TEST(local_datagrams),
	    FOLDER_TEST(local_stream),
	    FOLDER_TEST(every_address_is_tried),
	    FOLDER_TEST(a_name_without_address),
	    FOLDER_TEST(no_tls_at_the_other_end),
	    FOLDER_TEST(random_octets_from_the_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
