/* Files that a thread reads ahead: what comes of them is what comes of them without. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "base/limits.h"
#include "capture/ahead.h"
#include "capture_read.h"

static unsigned seed;

static uint32_t
draw(uint32_t below)
{
	return (uint32_t)rand_r(&seed) % below;
}

/* Some megabytes of frames, of which some are longer than a piece; from second `from` on. */
static void
big_capture(struct octets *o, uint32_t from)
{
	pcap_header(o, MICRO, 4, 1);
	for (uint32_t i = 0; i < 400; i++) {
		uint32_t len = i % 50 == 7 ? 60000 + draw(262144 - 60000) : draw(9000);
		pcap_packet(o, from + i, 0, len, len + draw(2), (int)draw(256));
	}
	assert_true(o->len > 12 * AHEAD_PIECE);
}

static void
assert_alike(const struct reading *a, const struct reading *b)
{
	assert_same(a, b);
	assert_string_equal(a->failure, b->failure);
	assert_int_equal(a->octets_read, b->octets_read);
	assert_int_equal(a->octets_total, b->octets_total);
	assert_int_equal(a->stats.captured, b->stats.captured);
	assert_int_equal(a->stats.wire, b->stats.wire);
	assert_int_equal(a->stats.cut, b->stats.cut);
}

/* Reads octets both ways; how many frames there were. */
static size_t
check(const uint8_t *data, size_t len)
{
	read_by_thread = false;
	struct reading *plain = read_octets(data, len, NULL);
	read_by_thread = true;
	struct reading *ahead = read_octets(data, len, NULL);
	assert_alike(plain, ahead);
	size_t count = plain->count;
	free(plain);
	free(ahead);
	return count;
}

static void
as_without(void **state)
{
	(void)state;
	for (seed = 1; seed <= 20;) {
		struct octets o = {0};
		big_capture(&o, 0);
		assert_int_equal(check(o.p, o.len), 400);
		octets_free(&o);
	}
}

/* Around each end of a piece, and anywhere. */
static void
cut_short(void **state)
{
	(void)state;
	struct octets o = {0};
	seed = 7;
	big_capture(&o, 0);
	for (size_t piece = 1; piece < 12; piece++) {
		for (size_t near = 0; near < 5; near++)
			check(o.p, piece * AHEAD_PIECE / 2 + near * 3 - 6);
	}
	for (unsigned i = 0; i < 50; i++)
		check(o.p, draw((uint32_t)o.len));
	octets_free(&o);
}

static void
damaged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct octets o = {0};
		seed = 100 + i;
		big_capture(&o, 0);
		for (unsigned k = 0; k < 40; k++)
			o.p[draw((uint32_t)o.len)] = (uint8_t)draw(256);
		check(o.p, o.len);
		octets_free(&o);
	}
}

static void
packed(void **state)
{
	(void)state;
	struct octets o = {0}, z = {0};
	seed = 3;
	big_capture(&o, 0);
	/* noise does not pack well: otherwise all of it would fit one piece */
	for (size_t i = 40; i < o.len; i += 2)
		o.p[i] ^= (uint8_t)draw(256);
	for (size_t at = 0, n; at < o.len; at += n) { /* several members */
		n = o.len - at < 900000 ? o.len - at : 900000;
		put_gzip(&z, o.p + at, n);
	}
	assert_true(z.len > 4 * AHEAD_PIECE);
	check(z.p, z.len);
	for (unsigned i = 0; i < 20; i++)
		check(z.p, draw((uint32_t)z.len));
	for (unsigned i = 0; i < 20; i++) {
		size_t at = 100 + draw((uint32_t)z.len - 100);
		uint8_t was = z.p[at];
		z.p[at] ^= 0x55;
		check(z.p, z.len);
		z.p[at] = was;
	}
	octets_free(&z);
	octets_free(&o);
}

static void
of_pcapng(void **state)
{
	(void)state;
	struct octets o = {0};
	seed = 5;
	section(&o, false);
	interface(&o, 1, 0, -1, 0);
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t len = i % 70 == 9 ? 60000 + draw(262144 - 60000) : draw(9000);
		enhanced(&o, 0, i, len, len, (int)draw(256));
	}
	assert_int_equal(check(o.p, o.len), 500);
	for (unsigned i = 0; i < 30; i++)
		check(o.p, draw((uint32_t)o.len));
	octets_free(&o);
}

/* Of files that lie side by side in time one is read ahead, and then the next. */
static void
several_files(void **state)
{
	(void)state;
	char path[3][sizeof TEMP_PATH];
	const char *paths[3];
	static const uint32_t from[][3] = {{0, 0, 0}, {0, 100, 350}, {0, 1000, 2000}};
	for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
		for (size_t i = 0; i < 3; i++) {
			struct octets o = {0};
			seed = (unsigned)i + 1;
			pcap_header(&o, MICRO, 4, 1);
			for (uint32_t n = 0; n < 300; n++)
				pcap_packet(&o, from[k][i] + n, 0, 3000, 3000, (int)draw(256));
			temp_file(path[i], o.p, o.len);
			paths[i] = path[i];
			octets_free(&o);
		}
		read_by_thread = false;
		struct reading *plain = read_files(paths, 3, NULL);
		read_by_thread = true;
		struct reading *ahead = read_files(paths, 3, NULL);
		assert_int_equal(plain->count, 900);
		assert_alike(plain, ahead);
		free(plain);
		free(ahead);
		for (size_t i = 0; i < 3; i++)
			unlink(path[i]);
	}
}

/* The thread is at a read, or waits, when the file is closed, or is cut. */
static void
ended_early(void **state)
{
	(void)state;
	char path[sizeof TEMP_PATH];
	struct octets o = {0};
	struct capture_error err;
	struct frame f;
	seed = 9;
	big_capture(&o, 0);
	for (unsigned n = 0; n < 200; n += 3) {
		temp_file(path, o.p, o.len);
		struct capture *c = capture_open_files((const char *const[]){path}, 1, NULL, &err);
		assert_non_null(c);
		capture_read_ahead(c);
		capture_read_ahead(c); /* once is enough */
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(capture_next(c, &f), CAPTURE_FRAME);
		if (n % 2 == 0) {
			assert_int_equal(truncate(path, 100), 0);
			while (capture_next(c, &f) == CAPTURE_FRAME)
				for (uint32_t i = 0; i < f.caplen; i++) /* or the kernel's zeros */
					assert_true(f.data[i] == 0 || f.data[0] == 0 ||
					    f.data[i] == f.data[0]);
			assert_int_equal(capture_faults(c), 1);
		}
		capture_close(c);
		unlink(path);
	}
	octets_free(&o);
}

static void
on_alarm(int number)
{
	(void)number;
}

/* Signals come to the worker only, and change nothing of what is read. */
static void
signals(void **state)
{
	(void)state;
	struct sigaction a = {.sa_handler = on_alarm};
	const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
	struct octets o = {0};
	seed = 11;
	big_capture(&o, 0);
	sigaction(SIGALRM, &a, NULL);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(check(o.p, o.len), 400);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	octets_free(&o);
}

/* Where the thread has no turn, who waits for it reads. */
static void
without_the_thread(void **state)
{
	(void)state;
	struct rawfile r = {.fd = -1};
	char path[sizeof TEMP_PATH], said[100];
	struct text why = text_in(said, sizeof said);
	static uint8_t got[3 << 20], sent[3 << 20];
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 7 + (i >> 11));
	temp_file(path, sent, sizeof sent);
	for (unsigned round = 0; round < 50; round++) {
		struct rawfile_state s = {.end = RAWFILE_MORE};
		struct ahead *a = ahead_start();
		assert_true(a != NULL && rawfile_open(&r, path, &why));
		rawfile_start(&r);
		assert_true(ahead_begin(a, &r));
		assert_false(ahead_begin(a, &r));
		size_t have = 0;
		while (s.end == RAWFILE_MORE)
			have += ahead_read(a, got + have, sizeof got - have, &s);
		assert_int_equal(s.end, RAWFILE_DONE);
		assert_int_equal(have, sizeof got);
		assert_int_equal(s.used, sizeof got);
		assert_memory_equal(got, sent, sizeof got);
		ahead_end(a);
		ahead_stop(a);
		rawfile_park(&r, true);
	}
	ahead_stop(NULL);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_without),
	    cmocka_unit_test(cut_short),
	    cmocka_unit_test(damaged),
	    cmocka_unit_test(packed),
	    cmocka_unit_test(of_pcapng),
	    cmocka_unit_test(several_files),
	    cmocka_unit_test(ended_early),
	    cmocka_unit_test(signals),
	    cmocka_unit_test(without_the_thread),
	};
	return cmocka_run_group_tests_name("capture/ahead", tests, NULL, NULL);
}
