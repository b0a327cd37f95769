/* The wire from a worker: whole messages out of a ring that is told of in any pieces, or holds
 * none.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire_pair.h"

static struct wire_out out;
static struct wire_in in;
static uint8_t big[LIMIT_RECORD];

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
	assert_true(wire_put(&out, (enum wire_kind)(n % WIRE_SKIP), (uint16_t)n, n, big, len));
}

static void
expect(uint64_t n, size_t len)
{
	struct wire_message m;
	assert_true(wire_peek(&in, &m));
	assert_int_equal(m.head.len, len);
	assert_int_equal(m.head.kind, n % WIRE_SKIP);
	assert_int_equal(m.head.detail, (uint16_t)n);
	assert_int_equal(m.head.order, n);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(m.body[i], octet(n, i));
	wire_take(&in);
}

/* The worker tells of all before `upto`, rightly or not. */
static void
tell(uint32_t upto)
{
	atomic_store(&out.ring->head, upto);
}

static void
any_split(void **state)
{
	(void)state;
	static const size_t lens[] = {0, 1, 5, 0, 33, 17};
	const size_t count = sizeof lens / sizeof *lens;
	struct wire_message m;
	size_t upto[sizeof lens / sizeof *lens];
	wire_pair_open(&out, &in);
	for (size_t n = 0; n < count; n++) {
		put(n, lens[n]);
		upto[n] = out.head;
		assert_int_equal(out.head % WIRE_ALIGN, 0);
	}
	for (uint32_t cut = 0; cut <= out.head; cut++) {
		size_t done = 0;
		in = (struct wire_in){.ring = in.ring, .bell = in.bell};
		tell(cut);
		assert_int_equal(wire_fill(&in), cut > 0);
		for (; done < count && upto[done] <= cut; done++)
			expect(done, lens[done]);
		assert_false(wire_peek(&in, &m));
		tell(out.head);
		assert_int_equal(wire_fill(&in), cut < out.head);
		for (; done < count; done++)
			expect(done, lens[done]);
		assert_false(wire_peek(&in, &m));
		assert_false(wire_fill(&in));
		assert_false(in.broken || in.closed);
		assert_int_equal(atomic_load(&in.ring->tail), out.head);
	}
	/* and an octet at a time */
	size_t done = 0;
	in = (struct wire_in){.ring = in.ring, .bell = in.bell};
	for (uint32_t i = 1; i <= out.head; i++) {
		tell(i);
		assert_true(wire_fill(&in));
		if (wire_peek(&in, &m)) {
			expect(done, lens[done]);
			done++;
		}
	}
	assert_int_equal(done, count);
	wire_pair_close(&out, &in);
}

static void
a_closed_pipe(void **state)
{
	(void)state;
	struct wire_message m;
	wire_pair_open(&out, &in);
	put(1, 100);
	wire_pair_force(&out, "half", 4);
	assert_true(wire_fill(&in));
	assert_false(in.closed);
	wire_pair_hang_up(&out);
	assert_false(wire_fill(&in));
	assert_true(in.closed);
	expect(1, 100); /* what came is not lost */
	assert_false(wire_peek(&in, &m));
	assert_false(in.broken);
	assert_false(wire_fill(&in));
	wire_pair_close(&out, &in);
}

/* What was put before the pipe was closed is seen together with its end. */
static void
last_words(void **state)
{
	(void)state;
	wire_pair_open(&out, &in);
	put(1, 100);
	assert_true(wire_flush(&out));
	wire_pair_hang_up(&out);
	while (!in.closed)
		(void)wire_fill(&in);
	expect(1, 100);
	wire_pair_close(&out, &in);
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
	    {LIMIT_RECORD + 1, WIRE_SKIP, false},
	    {0, WIRE_END, true},
	    {0, WIRE_KINDS, false},
	    {0, UINT16_MAX, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire_message m;
		const struct wire_head h = {.len = cases[i].len, .kind = cases[i].kind};
		wire_pair_open(&out, &in);
		wire_pair_force(&out, &h, sizeof h);
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
		wire_pair_close(&out, &in);
	}
}

/* Near the end of the ring: `in` has read all but `left` octets of it. */
static void
go_near_the_end(uint32_t left)
{
	out.head = out.told = out.tail = in.at = in.told = in.end = WIRE_ROOM - left;
	tell(out.head);
	atomic_store(&in.ring->tail, out.head);
}

static void
over_the_end(void **state)
{
	(void)state;
	static const uint32_t lens[] = {0, 1, 15, 16, 17, 100, 1000, LIMIT_RECORD};
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		for (uint32_t left = WIRE_ALIGN; left <= 256; left += WIRE_ALIGN) {
			struct wire_message m;
			wire_pair_open(&out, &in);
			go_near_the_end(left);
			put(1, lens[i]);
			put(2, 3);
			assert_true(wire_flush(&out));
			assert_true(wire_fill(&in));
			expect(1, lens[i]);
			expect(2, 3);
			assert_false(wire_peek(&in, &m));
			assert_false(in.broken);
			wire_pair_close(&out, &in);
		}
	}
	/* one that says it goes over it */
	struct wire_message m;
	const struct wire_head h = {.len = 100, .kind = WIRE_RECORD};
	wire_pair_open(&out, &in);
	go_near_the_end(112);
	wire_pair_force(&out, &h, sizeof h);
	wire_pair_force(&out, big, 100);
	assert_true(wire_fill(&in));
	assert_false(wire_peek(&in, &m));
	assert_true(in.broken);
	wire_pair_close(&out, &in);
}

/* How far it is can be told wrongly, too. */
static void
positions_of_an_attacker(void **state)
{
	(void)state;
	static const struct {
		uint32_t step; /* from where it was */
		bool good;
	} cases[] = {{0, true}, {1, true}, {WIRE_ROOM - 32, true}, {WIRE_ROOM - 31, false},
	    {WIRE_ROOM, false}, {UINT32_MAX, false}, {0u - 32, false}, {0x80000000u, false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		wire_pair_open(&out, &in);
		put(1, 16);
		assert_true(wire_flush(&out));
		assert_true(wire_fill(&in));
		tell(in.end + cases[i].step);
		assert_int_equal(wire_fill(&in), cases[i].good && cases[i].step > 0);
		assert_int_equal(in.broken, !cases[i].good);
		wire_pair_close(&out, &in);
	}
}

/* Who writes over what was sent changes nothing of what was looked at. */
static void
a_head_that_changes(void **state)
{
	(void)state;
	struct wire_message m;
	const struct wire_head h = {.len = UINT32_MAX, .kind = UINT16_MAX};
	wire_pair_open(&out, &in);
	put(1, 40);
	put(2, 3);
	assert_true(wire_flush(&out));
	assert_true(wire_fill(&in));
	assert_true(wire_peek(&in, &m));
	memcpy(out.ring->octets, &h, sizeof h);
	expect(1, 40);
	expect(2, 3);
	assert_false(in.broken);
	wire_pair_close(&out, &in);
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
	while (atomic_load(&in.ring->waits) == 0) /* all of it is more than the ring has room for */
		usleep(2000);
	while (!in.closed) {
		usleep(2000);
		(void)wire_fill(&in);
		while (wire_peek(&in, &m)) {
			bool good = m.head.order == r->messages;
			for (size_t i = 0; i < m.head.len; i++)
				good &= m.body[i] == octet(m.head.order, i);
			if (!good)
				return NULL;
			wire_take(&in);
			r->messages++;
		}
	}
	return r;
}

static void
all_sizes_through_a_full_ring(void **state)
{
	(void)state;
	struct reader r = {0};
	pthread_t thread;
	void *good = NULL;
	size_t n = 0;
	wire_pair_open(&out, &in);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &r), 0);
	for (size_t len = 0; len <= LIMIT_RECORD; len += len < 300 ? 1 : 997, n++)
		put(n, len);
	put(n++, LIMIT_RECORD);
	assert_true(wire_flush(&out));
	wire_pair_hang_up(&out);
	assert_int_equal(pthread_join(thread, &good), 0);
	assert_non_null(good);
	assert_int_equal(r.messages, n);
	assert_true(out.waits > 0);
	assert_int_equal(atomic_load(&out.ring->waits), 0);
	assert_false(out.broken || in.broken);
	wire_pair_close(&out, &in);
}

/* Waits for the tail to move from where it is; NULL where nobody woke it. */
static void *
wait_for_the_tail(void *argument)
{
	const struct timespec far = {.tv_sec = 5};
	const uint32_t tail = atomic_load(&out.ring->tail);
	if (syscall(SYS_futex, &out.ring->tail, FUTEX_WAIT, tail, &far, NULL, 0) != 0 &&
	    errno == ETIMEDOUT)
		return NULL;
	return argument;
}

/* A worker said that it waits, and saw a tail that did not move far enough, before the parent came
 * to wake whoever waits: it is woken when the tail moves again. */
static void
a_tail_that_was_seen_before(void **state)
{
	(void)state;
	pthread_t thread;
	void *woken = NULL;
	wire_pair_open(&out, &in);
	atomic_store(&out.ring->waits, 1);
	for (uint64_t n = 1; n <= 2; n++) {
		put(n, 100);
		assert_true(wire_flush(&out) && wire_fill(&in));
		expect(n, 100);
		assert_int_equal(atomic_load(&in.ring->tail), out.head);
		if (n == 1)
			assert_int_equal(pthread_create(&thread, NULL, wait_for_the_tail, &in), 0);
		usleep(50000);
	}
	assert_int_equal(pthread_join(thread, &woken), 0);
	assert_non_null(woken);
	wire_pair_close(&out, &in);
}

static void
a_reader_that_is_gone(void **state)
{
	(void)state;
	wire_pair_open(&out, &in);
	close(in.bell);
	put(1, 10); /* only put */
	assert_false(wire_flush(&out));
	assert_true(out.broken);
	assert_false(wire_flush(&out));
	const uint32_t head = out.head;
	for (unsigned n = 0; n < 10; n++)
		assert_false(wire_put(&out, WIRE_RECORD, 0, n, big, sizeof big));
	assert_int_equal(out.head, head);
	wire_pair_hang_up(&out);
	wire_ring_free(out.ring);
}

/* Puts until that is refused. */
static void *
put_for_ever(void *argument)
{
	while (wire_put(&out, WIRE_RECORD, 0, 0, big, sizeof big))
		;
	return argument;
}

/* It goes while the worker waits for it. */
static void
a_reader_that_goes(void **state)
{
	(void)state;
	pthread_t thread;
	wire_pair_open(&out, &in);
	assert_int_equal(pthread_create(&thread, NULL, put_for_ever, NULL), 0);
	while (atomic_load(&out.ring->waits) == 0)
		usleep(1000);
	close(in.bell);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(out.broken);
	assert_int_equal(out.waits, 1);
	wire_pair_hang_up(&out);
	wire_ring_free(out.ring);
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
		wire_pair_open(&out, &in);
		go_near_the_end(round % 3 == 0 ? 256 : WIRE_ROOM);
		for (size_t at = 0; at < len;) {
			size_t part = 1 + (size_t)rand_r(&seed) % (len - at);
			wire_pair_force(&out, noise + at, part);
			at += part;
			(void)wire_fill(&in);
			while (wire_peek(&in, &m)) {
				assert_false(broken);
				assert_true(m.head.len <= LIMIT_RECORD);
				assert_true(m.body >= in.ring->octets &&
				    m.body + m.head.len <= in.ring->octets + WIRE_ROOM);
				wire_take(&in);
			}
			assert_true(!broken || in.broken);
			broken = in.broken;
		}
		wire_pair_close(&out, &in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_split),
	    cmocka_unit_test(a_closed_pipe),
	    cmocka_unit_test(last_words),
	    cmocka_unit_test(heads_of_an_attacker),
	    cmocka_unit_test(over_the_end),
	    cmocka_unit_test(positions_of_an_attacker),
	    cmocka_unit_test(a_head_that_changes),
	    cmocka_unit_test(all_sizes_through_a_full_ring),
	    cmocka_unit_test(a_tail_that_was_seen_before),
	    cmocka_unit_test(a_reader_that_is_gone),
	    cmocka_unit_test(a_reader_that_goes),
	    cmocka_unit_test(nothing_but_noise),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("engine/wire", tests, NULL, NULL);
}
