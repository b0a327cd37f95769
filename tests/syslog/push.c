/*
 * A sensor of which only the syslog sink is left, driven line by line: for tests with real servers.
 *
 *   push [--spool DIR] [--max OCTETS] [--reveal] URL
 *
 * Commands on standard input, one a line; each is answered by a line:
 *
 *   push N     N alerts, numbered on from the last: "alert number 17 ends here"
 *   nasty      an alert whose every text from the wire is made to break logs
 *   drain MS   goes on until nothing waits, MS at most
 *   run MS     goes on for so long
 *   speed N    N alerts as fast as they are delivered: seconds that it took
 *   close      (or end of input) closes the sink and ends
 *
 * The answer: up=1 sent=5 waiting=0 spooled=0 dropped=0.  RLIMIT_FSIZE, where a test sets it, shows
 * as an error (SIGXFSZ is ignored).
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink/sink.h"

static struct record record; /* too large for a stack that one likes */
static unsigned long number; /* of the last alert */

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
make_alert(void)
{
	char sentence[80];
	struct addr a, b;
	(void)addr_parse("192.0.2.31", &a);
	(void)addr_parse("198.51.100.25", &b);
	snprintf(sentence, sizeof sentence, "alert number %lu ends here", ++number);
	record_begin(&record, RECORD_ALERT);
	record_put_time(&record, FIELD_TIMESTAMP, 1795444267061910000);
	record_put_word(&record, FIELD_MESSAGE, sentence);
	record_put_word(&record, FIELD_EVENT_KIND, "alert");
	record_put_word(&record, FIELD_LEVEL, "high");
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
	record_put_word(&record, FIELD_REASON, "not-offered");
	record_put_ip(&record, FIELD_SOURCE_IP, &a);
	record_put_u64(&record, FIELD_SOURCE_PORT, 36878);
	record_put_ip(&record, FIELD_DESTINATION_IP, &b);
	record_put_u64(&record, FIELD_DESTINATION_PORT, 25);
	record_put_word(&record, FIELD_EMAIL_FROM, "scanner@example.com");
	record_put_word(&record, FIELD_RULE_ID, "f7cc3fa4-020b-4fc3-acf2-295f4839223a");
	record_put_word(&record, FIELD_RULE_NAME, "Mail readable: the server has no TLS");
}

static void
make_nasty(void)
{
	static const char octets[] = "x\n<13>1 2026-01-01T00:00:00Z evil su - - - root\r\n\0\x1b[2J"
				     "a\"b]c\\d|e=f\tg\xc0\xaf\xed\xa0\x80\xff\xe2\x80\xae"
				     "\xe2\x80\xa8<0>Jan  1 00:00:00 evil CEF:0|x|y|\xc3\xa4";
	static const uint16_t fields[] = {FIELD_HELO, FIELD_GREETING, FIELD_EMAIL_FROM,
	    FIELD_EMAIL_TO, FIELD_EMAIL_SUBJECT, FIELD_EMAIL_MESSAGE_ID, FIELD_TLS_SNI,
	    FIELD_RULE_NAME};
	make_alert();
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		record_remove(&record, (enum field)fields[i]);
		record_put_str(&record, (enum field)fields[i], octets, sizeof octets - 1);
	}
	record_put_item(&record, FIELD_EMAIL_ATTACHMENT);
	record_put_str(&record, FIELD_EMAIL_ATTACHMENT_NAME, octets, sizeof octets - 1);
}

/* Goes on until `until`, or nothing waits where `empty` says so. */
static void
go_on(struct sink *s, int64_t until, bool empty)
{
	struct sink_counts c;
	for (int64_t now; (now = now_ms()) < until;) {
		struct sink_wait w;
		(void)sink_tick(s);
		if (empty && sink_counts(s, &c) && c.waiting == 0)
			return;
		sink_wait(s, &w);
		int64_t left = until - now;
		if (w.timeout_ms >= 0 && w.timeout_ms < left)
			left = w.timeout_ms;
		struct pollfd p = {.fd = w.fd, .events = w.events};
		(void)poll(&p, 1, (int)left);
	}
}

static void
speed(struct sink *s, unsigned long n)
{
	int64_t begun = now_ms();
	make_alert();
	for (unsigned long i = 0; i < n; i++) {
		(void)sink_push(s, &record);
		if (i % 512 == 511)
			go_on(s, begun + 60000, true);
	}
	go_on(s, begun + 60000, true);
	printf("%.3f s, ", (double)(now_ms() - begun) / 1000);
}

static void
obey(struct sink *s, const char *line)
{
	char verb[16] = "";
	size_t len = strcspn(line, " \n");
	snprintf(verb, sizeof verb, "%.*s", (int)len, line);
	unsigned long n = strtoul(line + len, NULL, 10);
	if (strcmp(verb, "push") == 0) {
		for (; n > 0; n--) {
			make_alert();
			(void)sink_push(s, &record);
		}
	} else if (strcmp(verb, "nasty") == 0) {
		make_nasty();
		(void)sink_push(s, &record);
	} else if (strcmp(verb, "speed") == 0) {
		speed(s, n);
	} else {
		go_on(s, now_ms() + (int64_t)n, strcmp(verb, "drain") == 0);
	}
	struct sink_counts c;
	if (sink_counts(s, &c))
		printf("up=%d sent=%llu waiting=%llu spooled=%llu dropped=%llu\n", c.up,
		    (unsigned long long)c.sent, (unsigned long long)c.waiting,
		    (unsigned long long)c.spooled, (unsigned long long)c.dropped);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	char error[SINK_ERROR], line[64];
	struct sink_config config = {.kind = "syslog"};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--spool") == 0 && i + 1 < argc)
			config.spool = argv[++i];
		else if (strcmp(argv[i], "--max") == 0 && i + 1 < argc)
			config.spool_max = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--reveal") == 0)
			config.reveal = true;
		else
			config.url = argv[i];
	}
	signal(SIGXFSZ, SIG_IGN);
	struct sink *s = sink_open(&config, error);
	if (s == NULL) {
		fprintf(stderr, "push: %s\n", error);
		return 2;
	}
	while (fgets(line, sizeof line, stdin) != NULL && strncmp(line, "close", 5) != 0)
		obey(s, line);
	return sink_close(s) ? 0 : 1;
}
