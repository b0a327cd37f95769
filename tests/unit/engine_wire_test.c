/* The pipe from a worker: whole messages out of octets that come in any pieces, or are no messages.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/wire.h"

static struct wire_out out;
static struct wire_in in;
static uint8_t big[LIMIT_RECORD];

/* A pipe, whose ends are those of `out` and `in`. */
static void
open_pipe(void)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	memset(&out, 0, sizeof out);
	memset(&in, 0, sizeof in);
	in.fd = ends[0];
	out.fd = ends[1];
}

static void
close_pipe(void)
{
	close(in.fd);
	if (out.fd >= 0)
		close(out.fd);
}

/* Octet `i` of the body of message `n`. */
static uint8_t
octet(uint64_t n, size_t i)
{
	return (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

static void
put(uint64_t n, size_t len)
{
	for (size_t i = 0; i < len; i++)
		big[i] = octet(n, i);
	assert_true(wire_put(&out, (enum wire_kind)(n % WIRE_KINDS), (uint16_t)n, n, big, len));
}

static void
expect(uint64_t n, size_t len)
{
	struct wire_message m;
	assert_true(wire_peek(&in, &m));
	assert_int_equal(m.head.len, len);
	assert_int_equal(m.head.kind, n % WIRE_KINDS);
	assert_int_equal(m.head.detail, (uint16_t)n);
	assert_int_equal(m.head.order, n);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(m.body[i], octet(n, i));
	wire_take(&in, &m);
}

static void
any_split(void **state)
{
	(void)state;
	static const size_t lens[] = {0, 1, 5, 0, 33, 17};
	static uint8_t stream[512];
	struct wire_message m;
	open_pipe();
	for (size_t n = 0; n < sizeof lens / sizeof *lens; n++)
		put(n, lens[n]);
	const size_t total = out.used;
	assert_true(total < sizeof stream);
	memcpy(stream, out.buf, total);
	for (size_t cut = 0; cut <= total; cut++) {
		size_t done = 0, upto = 0;
		in.at = in.end = 0;
		if (cut > 0) {
			assert_int_equal(write(out.fd, stream, cut), cut);
			assert_true(wire_fill(&in));
		}
		for (; done < sizeof lens / sizeof *lens; done++) {
			upto += sizeof m.head + lens[done];
			if (upto > cut)
				break;
			expect(done, lens[done]);
		}
		assert_false(wire_peek(&in, &m));
		if (cut < total) {
			assert_int_equal(write(out.fd, stream + cut, total - cut), total - cut);
			assert_true(wire_fill(&in));
		}
		for (; done < sizeof lens / sizeof *lens; done++)
			expect(done, lens[done]);
		assert_false(wire_peek(&in, &m));
		assert_false(wire_fill(&in));
		assert_false(in.broken || in.closed);
	}
	/* and an octet at a time */
	size_t done = 0;
	for (size_t i = 0; i < total; i++) {
		assert_int_equal(write(out.fd, stream + i, 1), 1);
		assert_true(wire_fill(&in));
		if (wire_peek(&in, &m)) {
			expect(done, lens[done]);
			done++;
		}
	}
	assert_int_equal(done, sizeof lens / sizeof *lens);
	close_pipe();
}

static void
a_closed_pipe(void **state)
{
	(void)state;
	struct wire_message m;
	open_pipe();
	put(1, 100);
	assert_true(wire_flush(&out));
	assert_int_equal(write(out.fd, "half", 4), 4);
	close(out.fd);
	out.fd = -1;
	assert_true(wire_fill(&in));
	assert_false(in.closed);
	assert_false(wire_fill(&in));
	assert_true(in.closed);
	expect(1, 100); /* what came is not lost */
	assert_false(wire_peek(&in, &m));
	assert_false(in.broken);
	assert_false(wire_fill(&in));
	close_pipe();
}

static void
heads_of_an_attacker(void **state)
{
	(void)state;
	static const struct {
		uint32_t len;
		uint16_t kind;
		bool good;
	} cases[] = {
	    {LIMIT_RECORD, WIRE_RECORD, true},
	    {LIMIT_RECORD + 1, WIRE_RECORD, false},
	    {UINT32_MAX, WIRE_RECORD, false},
	    {UINT32_MAX - (uint32_t)sizeof(struct wire_head) + 1, WIRE_MARK, false},
	    {0x80000000u, WIRE_STATUS, false},
	    {0, WIRE_END, true},
	    {0, WIRE_KINDS, false},
	    {0, UINT16_MAX, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire_message m;
		const struct wire_head h = {.len = cases[i].len, .kind = cases[i].kind};
		open_pipe();
		assert_int_equal(write(out.fd, &h, sizeof h), sizeof h);
		assert_true(wire_fill(&in));
		assert_int_equal(wire_peek(&in, &m), cases[i].good && cases[i].len == 0);
		assert_int_equal(in.broken, !cases[i].good);
		if (in.broken) { /* for good */
			put(1, 3);
			assert_true(wire_flush(&out));
			assert_false(wire_fill(&in));
			in.at = in.end; /* as if it were past that */
			assert_false(wire_peek(&in, &m));
		}
		close_pipe();
	}
}

struct reader {
	size_t messages;
	unsigned seed;
};

/* Reads slowly until the pipe is closed, and looks at each message. */
static void *
read_slowly(void *argument)
{
	struct reader *r = argument;
	struct wire_message m;
	while (!in.closed) {
		usleep(2000);
		(void)wire_fill(&in);
		while (wire_peek(&in, &m)) {
			bool good = m.head.order == r->messages;
			for (size_t i = 0; i < m.head.len; i++)
				good &= m.body[i] == octet(m.head.order, i);
			if (!good)
				return NULL;
			wire_take(&in, &m);
			r->messages++;
		}
	}
	return r;
}

static void
all_sizes_through_a_full_pipe(void **state)
{
	(void)state;
	struct reader r = {0};
	pthread_t thread;
	void *good = NULL;
	size_t n = 0;
	open_pipe();
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &r), 0);
	for (size_t len = 0; len <= LIMIT_RECORD; len += len < 300 ? 1 : 997, n++)
		put(n, len);
	put(n++, LIMIT_RECORD);
	assert_true(wire_flush(&out));
	close(out.fd);
	out.fd = -1;
	assert_int_equal(pthread_join(thread, &good), 0);
	assert_non_null(good);
	assert_int_equal(r.messages, n);
	assert_true(out.waits > 0);
	assert_false(out.broken || in.broken);
	close_pipe();
}

static void
a_reader_that_is_gone(void **state)
{
	(void)state;
	open_pipe();
	close(in.fd);
	put(1, 10); /* only gathered */
	assert_false(wire_flush(&out));
	assert_true(out.broken);
	assert_false(wire_flush(&out));
	for (unsigned n = 0; n < 10; n++) /* more than is gathered: nothing is kept */
		assert_false(wire_put(&out, WIRE_RECORD, 0, n, big, sizeof big));
	assert_true(out.used <= sizeof out.buf);
	close(out.fd);
}

static void
nothing_but_noise(void **state)
{
	(void)state;
	unsigned seed = 5;
	for (unsigned round = 0; round < 3000; round++) {
		struct wire_message m;
		uint8_t noise[600];
		size_t len = 1 + (size_t)rand_r(&seed) % sizeof noise;
		bool broken = false;
		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)((rand_r(&seed) >> 3) & (round % 2 ? 0xff : 3));
		open_pipe();
		for (size_t at = 0; at < len;) {
			size_t part = 1 + (size_t)rand_r(&seed) % (len - at);
			assert_int_equal(write(out.fd, noise + at, part), part);
			at += part;
			(void)wire_fill(&in);
			while (wire_peek(&in, &m)) {
				assert_false(broken);
				assert_true(m.head.len <= LIMIT_RECORD);
				assert_true(
				    m.body >= in.buf && m.body + m.head.len <= in.buf + in.end);
				wire_take(&in, &m);
			}
			assert_true(!broken || in.broken);
			broken = in.broken;
		}
		close_pipe();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_split),
	    cmocka_unit_test(a_closed_pipe),
	    cmocka_unit_test(heads_of_an_attacker),
	    cmocka_unit_test(all_sizes_through_a_full_pipe),
	    cmocka_unit_test(a_reader_that_is_gone),
	    cmocka_unit_test(nothing_but_noise),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("engine/wire", tests, NULL, NULL);
}
