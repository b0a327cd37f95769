/*
 * The spool and the queue of syslog: order, restarts, kill -9, damage, a full disk, the bound.
 *
 * `sink_syslog_spool_test speed` prints how many messages a second go through the spool.
 */
#include "sink/syslog_queue.h"

#include <dirent.h>
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
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/log.h"
#include "folder.h"

#define URL   "tls://loghost:6514?format=cef"
#define SHOWN "tls://loghost:6514"

static unsigned said; /* lines on standard error */
static struct queue q;

static void
count_said(void)
{
	said++;
}

static struct spool *
open_spool(uint64_t max)
{
	char error[SINK_ERROR];
	struct spool *s = spool_open(folder, URL, SHOWN, max, error);
	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

static void
open_queue(uint64_t max)
{
	queue_init(&q, SHOWN, open_spool(max), max);
}

/* Messages have their number and are `pad` octets long, at least. */
static void
put(unsigned n, int pad)
{
	char text[LIMIT_SYSLOG_MESSAGE + 1];
	int len = snprintf(text, sizeof text, "%08u%*s", n, pad, "");
	queue_put(&q, text, (size_t)len, 1000);
}

static void
put_many(unsigned from, unsigned to, int pad)
{
	for (; from <= to; from++)
		put(from, pad);
}

static unsigned
number_of(const struct message *m)
{
	char digits[9] = "";
	assert_true(m->len >= 8);
	memcpy(digits, m->text, 8);
	return (unsigned)strtoul(digits, NULL, 10);
}

/* Sends and acknowledges messages `from` to `to`. */
static void
deliver(unsigned from, unsigned to)
{
	static uint64_t end;
	for (; from <= to; from++) {
		struct message *m = queue_next(&q);
		assert_non_null(m);
		assert_int_equal(number_of(m), from);
		queue_sent(&q, ++end, 1000);
		queue_acked(&q, end);
		queue_forget(&q, 2000);
	}
}

static const char *
inner_folder(void)
{
	static char path[512];
	struct dirent *e;
	DIR *d = opendir(folder);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
	}
	closedir(d);
	return path;
}

/* How many segments there are; the path of the last one. */
static unsigned
segments(char last[600])
{
	unsigned n = 0;
	char best[64] = "";
	struct dirent *e;
	DIR *d = opendir(inner_folder());
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".spool") == NULL)
			continue;
		n++;
		if (strcmp(e->d_name, best) > 0)
			snprintf(best, sizeof best, "%.60s", e->d_name);
	}
	closedir(d);
	snprintf(last, 600, "%s/%s", inner_folder(), best);
	return n;
}

static void
in_memory_while_all_is_well(void **state)
{
	(void)state;
	char last[600];
	open_queue(1 << 20);
	assert_non_null(strstr(inner_folder(), "/tls-loghost-6514-"));
	put_many(1, 100, 100);
	assert_int_equal(queue_waiting(&q), 100);
	deliver(1, 100);
	assert_int_equal(q.sent, 100);
	assert_int_equal(q.spooled, 0);
	assert_int_equal(queue_waiting(&q), 0);
	assert_null(queue_next(&q));
	queue_settle(&q, true, 1000);
	assert_int_equal(segments(last), 0);
	queue_close(&q, 1000);
}

static void
through_the_spool_in_order(void **state)
{
	(void)state;
	char last[600];
	open_queue(64 << 20);
	put_many(1, 10, 100);
	for (unsigned i = 0; i < 5; i++)
		queue_sent(&q, 100 + i, 1000);
	queue_acked(&q, 102); /* three of them */
	queue_rewind(&q, false);
	queue_set_away(&q, true, 1000);
	assert_int_equal(q.spooled, 7);
	put_many(11, 30000, 100); /* more than the front holds */
	assert_int_equal(queue_waiting(&q), 29997);
	assert_int_equal(q.spooled, 29997);
	queue_set_away(&q, false, 1000);
	deliver(4, 12);
	put_many(30001, 30100, 100);
	deliver(13, 30100);
	assert_int_equal(q.sent, 30100);
	assert_int_equal(q.dropped, 0);
	assert_int_equal(queue_waiting(&q), 0);
	queue_settle(&q, false, 1000);
	assert_int_equal(segments(last), 0);
	put_many(30101, 30110, 100); /* and in memory again */
	deliver(30101, 30110);
	queue_set_away(&q, true, 1000);
	put_many(1, 10, 100);
	deliver(1, 10);
	queue_close(&q, 1000);
	open_queue(64 << 20);
	assert_int_equal(queue_waiting(&q), 0);
	queue_close(&q, 1000);
}

static void
survives_kill(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		open_queue(8 << 20);
		queue_set_away(&q, true, 1000);
		put_many(1, 3000, 500);
		for (unsigned i = 1; i <= 1234; i++) {
			queue_sent(&q, i, 1000);
			if (queue_next(&q) == NULL)
				_exit(1);
		}
		queue_acked(&q, 1200);
		queue_settle(&q, false, 1000);
		queue_acked(&q, 1234); /* not settled: they come again */
		raise(SIGKILL);
		_exit(1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	open_queue(8 << 20);
	assert_int_equal(queue_waiting(&q), 1800);
	put_many(3001, 3010, 500); /* behind what is left */
	deliver(1201, 3010);
	queue_close(&q, 1000);
}

static void
left_at_close(void **state)
{
	(void)state;
	char last[600];
	open_queue(8 << 20);
	put_many(1, 10, 10);
	deliver(1, 2);
	for (unsigned run = 0; run < 4; run++) {
		queue_close(&q, 1000);
		open_queue(8 << 20);
		assert_int_equal(queue_waiting(&q), 8 - run);
		deliver(3 + run, 3 + run);
	}
	queue_close(&q, 1000);
	assert_int_equal(segments(last), 1);
	open_queue(8 << 20);
	deliver(7, 10);
	queue_settle(&q, false, 1000);
	assert_int_equal(segments(last), 0);
	queue_close(&q, 1000);
}

/* Writes to the last segment at `at` (from its end where it is negative). */
static void
damage(off_t at, const void *octets, size_t len)
{
	char last[600];
	assert_true(segments(last) > 0);
	int fd = open(last, O_WRONLY);
	assert_true(fd >= 0);
	if (at < 0)
		at += lseek(fd, 0, SEEK_END);
	if (octets == NULL)
		assert_int_equal(ftruncate(fd, at), 0);
	else
		assert_int_equal(pwrite(fd, octets, len, at), len);
	close(fd);
}

static void
fill_and_close(unsigned n)
{
	open_queue(8 << 20);
	queue_set_away(&q, true, 1000);
	put_many(1, n, 100);
	queue_close(&q, 1000);
}

static void
damaged_tail(void **state)
{
	(void)state;
	for (off_t cut = 1; cut < 116; cut += 19) {
		fill_and_close(10);
		damage(-cut, NULL, 0);
		said = 0;
		open_queue(8 << 20);
		assert_int_equal(said, 2); /* the damage, and what is left */
		assert_int_equal(queue_waiting(&q), 9);
		put(10, 100);
		deliver(1, 10);
		queue_close(&q, 1000);
	}
	fill_and_close(10);
	damage(-50, "X", 1);
	open_queue(8 << 20);
	deliver(1, 9);
	assert_null(queue_next(&q));
	queue_close(&q, 1000);
	/* an entry that says it is huge; a file that is none of ours */
	fill_and_close(10);
	damage(16, "\xff\xff\xff\x7f", 4);
	open_queue(8 << 20);
	assert_int_equal(queue_waiting(&q), 0);
	queue_close(&q, 1000);
	fill_and_close(10);
	damage(0, "postcard spool 2", 16);
	open_queue(8 << 20);
	assert_int_equal(queue_waiting(&q), 0);
	queue_close(&q, 1000);
}

static void
damaged_position(void **state)
{
	(void)state;
	static const char *const junk = "junkjunkjunkjunkjunkjunkjunkjunkjunk";
	char path[600];
	open_queue(8 << 20);
	queue_set_away(&q, true, 1000);
	put_many(1, 10, 100);
	deliver(1, 3);
	queue_settle(&q, false, 1000);
	deliver(4, 5);
	queue_settle(&q, false, 1000);
	queue_close(&q, 1000);
	snprintf(path, sizeof path, "%s/position", inner_folder());
	int fd = open(path, O_WRONLY);
	/* the newer of the slots (turn 2 is in the first): the older one holds */
	assert_int_equal(pwrite(fd, junk, 32, 0), 32);
	open_queue(8 << 20);
	deliver(4, 4);
	queue_close(&q, 1000);
	assert_int_equal(pwrite(fd, junk, 32, 0), 32);
	assert_int_equal(pwrite(fd, junk, 32, 64), 32);
	close(fd);
	open_queue(8 << 20); /* all of it again, rather than less */
	deliver(1, 10);
	queue_close(&q, 1000);
}

static void
damaged_while_it_is_read(void **state)
{
	(void)state;
	open_queue(64 << 20);
	queue_set_away(&q, true, 1000);
	put_many(1, 9000, 500); /* more than the front */
	damage(100000, "XXXX", 4);
	unsigned last = 0;
	uint64_t n = 0, end = 0;
	for (struct message *m; (m = queue_next(&q)) != NULL; n++) {
		assert_true(number_of(m) > last);
		last = number_of(m);
		queue_sent(&q, ++end, 1000);
		queue_acked(&q, end);
		queue_forget(&q, 2000);
	}
	assert_true(q.dropped > 0 && q.dropped < 8800);
	assert_int_equal(q.sent + q.dropped, 9000);
	put(9001, 10);
	deliver(9001, 9001);
	queue_close(&q, 1000);
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
	open_queue(8 << 20);
	queue_set_away(&q, true, 1000);
	put_many(1, 5, 100);
	said = 0;
	set_limit(16 + 116 * 8 + 60); /* eight entries and a part of one */
	put_many(6, 20, 100);
	assert_int_equal(said, 1);
	assert_int_equal(q.spooled, 8);
	assert_int_equal(queue_waiting(&q), 20);
	/* delivery goes on meanwhile */
	deliver(1, 12);
	put_many(21, 4000, 100); /* more than memory takes */
	assert_true(q.dropped == 0 || said == 2);
	put_many(4001, 9000, 100);
	assert_true(q.dropped > 0);
	assert_int_equal(q.sent + queue_waiting(&q) + q.dropped, 9000);
	assert_int_equal(said, 2);
	uint64_t kept = queue_waiting(&q);
	set_limit(RLIM_INFINITY);
	queue_settle(&q, false, 5000);
	assert_int_equal(said, 3); /* it can be written again */
	assert_int_equal(queue_waiting(&q), kept);
	deliver(13, 12 + (unsigned)kept); /* the newest were dropped, order is kept */
	assert_int_equal(queue_waiting(&q), 0);
	queue_close(&q, 1000);
}

static void
the_bound(void **state)
{
	(void)state;
	enum { MAX = 300000 };
	open_queue(MAX);
	queue_set_away(&q, true, 1000);
	said = 0;
	put_many(1, 20000, 92); /* 108 octets each in the spool */
	assert_true(q.spooled * 108 <= MAX && q.spooled * 108 > MAX - 4096);
	assert_true(q.dropped > 10000);
	assert_int_equal(q.dropped + queue_waiting(&q), 20000);
	assert_int_equal(said, 1);
	unsigned kept = (unsigned)queue_waiting(&q);
	deliver(1, kept);
	queue_settle(&q, false, 1000);
	put_many(kept + 1, kept + 100, 92);
	deliver(kept + 1, kept + 100);
	queue_close(&q, 1000);
}

static void
without_a_folder(void **state)
{
	(void)state;
	queue_init(&q, SHOWN, NULL, 20000);
	queue_set_away(&q, true, 1000);
	put_many(1, 1000, 100);
	assert_int_equal(q.spooled, 0);
	unsigned kept = (unsigned)queue_waiting(&q);
	assert_true(kept > 80 && kept < 200);
	assert_int_equal(q.dropped, 1000 - kept);
	deliver(1, kept - 10);
	put_many(kept + 1, kept + 10, 100);
	deliver(kept - 9, kept + 5);
	said = 0;
	queue_close(&q, 1000);
	assert_int_equal(said, 1); /* five are lost */
	assert_int_equal(q.dropped, 1000 - kept + 5);
}

static void
in_doubt(void **state)
{
	(void)state;
	open_queue(8 << 20);
	put_many(1, 10, 100);
	for (unsigned i = 1; i <= 8; i++)
		queue_sent(&q, i, 1000 + i);
	queue_acked(&q, 6);
	queue_forget(&q, 1003); /* 1 and 2 are forgotten */
	assert_int_equal(q.sent, 6);
	queue_rewind(&q, true);
	assert_int_equal(queue_waiting(&q), 4);
	queue_set_away(&q, true, 1000);
	assert_int_equal(q.spooled, 4); /* what was delivered once is not stored */
	for (unsigned i = 3; i <= 8; i++) {
		assert_int_equal(number_of(queue_next(&q)), i);
		queue_sent(&q, i, 1010);
	}
	queue_acked(&q, 7);
	assert_int_equal(q.sent, 7); /* nor counted twice */
	assert_int_equal(queue_waiting(&q), 3);
	queue_rewind(&q, false);
	assert_int_equal(number_of(queue_next(&q)), 8);
	queue_acked(&q, 100);
	assert_int_equal(q.sent, 7); /* nothing was sent */
	queue_close(&q, 1000);
	open_queue(8 << 20);
	deliver(8, 10);
	/* bounded, however long it takes */
	for (unsigned i = 0; i < 20000; i++) {
		put(i, 1000);
		queue_sent(&q, i + 1, 5000);
		queue_acked(&q, i + 1);
		queue_forget(&q, 0);
		assert_true(q.doubt <= LIMIT_SYSLOG_DOUBT);
	}
	assert_true(q.doubt > LIMIT_SYSLOG_DOUBT / 2);
	queue_close(&q, 1000);
}

static void
one_that_cannot_be_sent(void **state)
{
	(void)state;
	open_queue(8 << 20);
	put_many(1, 3, 10);
	queue_refuse(&q, 1000);
	assert_int_equal(q.dropped, 1);
	deliver(2, 3);
	assert_int_equal(queue_waiting(&q), 0);
	queue_close(&q, 1000);
}

static void
one_process_at_a_time(void **state)
{
	(void)state;
	char error[SINK_ERROR];
	open_queue(8 << 20);
	pid_t pid = fork();
	if (pid == 0) {
		bool refused = spool_open(folder, URL, SHOWN, 8 << 20, error) == NULL &&
		    strstr(error, ": another process uses it") != NULL;
		/* another URL has another folder */
		bool other = spool_open(folder, URL "&level=low", SHOWN, 8 << 20, error) != NULL;
		_exit(refused && other ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	queue_close(&q, 1000);
	assert_null(spool_open("/dev/null/x", URL, SHOWN, 8 << 20, error));
	assert_non_null(strstr(error, "spool /dev/null/x/tls-loghost-6514-"));
	assert_non_null(strstr(error, ": Not a directory"));
}

/* Everything at once, against a model: what was put and not dropped comes out once, in order. */
static void
random_walk(void **state)
{
	(void)state;
	uint32_t seed = 5;
	unsigned next = 1, want = 1;
	uint64_t end = 0;
	open_queue(300000);
	for (int step = 0; step < 30000; step++) {
		seed = seed * 1664525u + 1013904223u;
		unsigned n = seed >> 24;
		switch ((seed >> 12) % 16) {
		case 0: queue_set_away(&q, n % 2, 1000); break;
		case 1: queue_rewind(&q, false); break;
		case 2: queue_settle(&q, n % 8 == 0, 1000); break;
		case 3:
			if (n > 40)
				break;
			queue_settle(&q, false, 1000);
			queue_rewind(&q, false);
			queue_close(&q, 1000);
			open_queue(300000);
			break;
		case 4:
			while (queue_next(&q) != NULL && n-- > 0)
				queue_sent(&q, ++end, 1000);
			break;
		case 5:
			while (q.unacked != q.unsent) {
				assert_int_equal(number_of(q.unacked), want++);
				queue_acked(&q, q.unacked->end);
			}
			queue_forget(&q, 2000);
			break;
		default:
			if (queue_waiting(&q) < 1500) /* so that nothing is dropped */
				put(next++, (int)(n % 100));
		}
		assert_int_equal(q.dropped, 0);
		assert_int_equal(queue_waiting(&q), next - want);
	}
	deliver(want, next - 1);
	queue_close(&q, 1000);
}

static void
speed(void)
{
	enum { MESSAGES = 200000 };
	struct timespec a, b, c;
	(void)make_folder(NULL);
	open_queue(256 << 20);
	queue_set_away(&q, true, 1000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	put_many(1, MESSAGES, 692);
	clock_gettime(CLOCK_MONOTONIC, &b);
	deliver(1, MESSAGES);
	clock_gettime(CLOCK_MONOTONIC, &c);
	queue_close(&q, 1000);
	(void)remove_folder(NULL);
	printf("%.0f messages of 700 octets a second in, %.0f out\n",
	    MESSAGES / ((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9),
	    MESSAGES / ((double)(c.tv_sec - b.tv_sec) + (double)(c.tv_nsec - b.tv_nsec) / 1e9));
}

int
main(int argc, char **argv)
{
	log_before(count_said);
	if (argc > 1 && strcmp(argv[1], "speed") == 0) {
		speed();
		return 0;
	}
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(in_memory_while_all_is_well),
	    FOLDER_TEST(through_the_spool_in_order),
	    FOLDER_TEST(survives_kill),
	    FOLDER_TEST(left_at_close),
	    FOLDER_TEST(damaged_tail),
	    FOLDER_TEST(damaged_position),
	    FOLDER_TEST(damaged_while_it_is_read),
	    FOLDER_TEST(full_disk),
	    FOLDER_TEST(the_bound),
	    FOLDER_TEST(without_a_folder),
	    FOLDER_TEST(in_doubt),
	    FOLDER_TEST(one_that_cannot_be_sent),
	    FOLDER_TEST(one_process_at_a_time),
	    FOLDER_TEST(random_walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
