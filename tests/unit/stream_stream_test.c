/*
 * Streams: directed cases, and a byte oracle.
 *
 * The oracle knows of each octet which copy came first.  Whatever the stream is given, what it
 * delivers must be those first copies, in order, once, with gaps exactly where nothing was held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/limits.h"
#include "stream/stream.h"

#define MS 1000000 /* ns */

/* Two directions, and the text of what `s` delivered: octets as they are, a gap of n as <n>. */
struct pair {
	struct streams ss;
	struct stream s, peer;
	int64_t now_ns;
	uint64_t need; /* what the next segments had seen of the peer */
	char out[4096];
	size_t len;
};

static void
setup(struct pair *p, uint32_t seq, uint32_t reorders, uint32_t pages)
{
	memset(p, 0, sizeof *p);
	assert_true(streams_init(&p->ss, reorders, pages));
	stream_start(&p->s, seq);
	stream_start(&p->peer, 1);
	p->now_ns = 1000 * MS;
}

static void
take(struct pair *p, struct stream_input *in)
{
	struct stream_chunk c;
	while (stream_next(&p->ss, &p->s, &p->peer, p->now_ns, in, &c)) {
		if (c.data == NULL) {
			p->len += (size_t)snprintf(p->out + p->len, sizeof p->out - p->len,
			    "<%llu>", (unsigned long long)c.len);
		} else {
			assert_true(p->len + c.len < sizeof p->out);
			memcpy(p->out + p->len, c.data, c.len);
			p->len += c.len;
		}
	}
	p->out[p->len] = '\0';
}

/* A segment of text whose end the snap length cut by `cut` octets. */
static void
push_cut(struct pair *p, uint32_t seq, const char *text, uint32_t cut)
{
	struct stream_input in;
	uint32_t n = (uint32_t)strlen(text);
	uint8_t *copy =
	    malloc(n + 1); /* exactly sized, and gone afterwards: nothing may point to it */
	memcpy(copy, text, n);
	stream_push(&p->ss, &p->s, &p->peer, p->need, seq, copy, n, n + cut, p->now_ns, &in);
	take(p, &in);
	assert_int_equal(in.len, 0);
	free(copy);
}

static void
push(struct pair *p, uint32_t seq, const char *text)
{
	push_cut(p, seq, text, 0);
}

static void
ack(struct pair *p, uint32_t seq)
{
	stream_ack(&p->ss, &p->s, seq, p->now_ns);
	take(p, NULL);
}

static void
wait_ms(struct pair *p, int64_t ms)
{
	p->now_ns += ms * MS;
	take(p, NULL);
}

static void
finish(struct pair *p)
{
	stream_finish(&p->s);
	take(p, NULL);
	stream_release(&p->ss, &p->s);
	assert_int_equal(p->ss.pages.used, 0);
	assert_int_equal(p->ss.reorders.used, 0);
	streams_free(&p->ss);
}

static void
in_order_needs_no_memory(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abc");
	push(&p, 103, "def");
	assert_string_equal(p.out, "abcdef");
	assert_int_equal(p.ss.pages.peak, 0);
	assert_int_equal(p.ss.reorders.peak, 0);
	finish(&p);
}

static void
out_of_order_waits(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 103, "def");
	push(&p, 109, "jkl");
	assert_string_equal(p.out, "");
	push(&p, 100, "abc");
	assert_string_equal(p.out, "abcdef");
	push(&p, 106, "ghi");
	assert_string_equal(p.out, "abcdefghijkl");
	assert_int_equal(p.ss.pages.used, 0); /* nothing is held for nobody */
	assert_int_equal(p.ss.reorders.used, 0);
	finish(&p);
}

static void
a_copy_with_other_bounds_adds_nothing(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abcd");
	push(&p, 98, "xxabcd"); /* begins before the stream does */
	push(&p, 102, "cdef");
	push(&p, 100, "abcdefgh");
	assert_string_equal(p.out, "abcdefgh");
	finish(&p);
}

static void
the_first_copy_wins(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 104, "eFgH");
	push(&p, 102, "cdEFGHij");
	assert_true(p.s.flags & STREAM_CONFLICT);
	push(&p, 100, "abXX");
	assert_string_equal(p.out, "abcdeFgHij");
	finish(&p);
}

static void
numbers_wrap(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 0xfffffffdu, 8, 8);
	push(&p, 2, "fgh");
	push(&p, 0xfffffffdu, "abc");
	push(&p, 0, "de");
	assert_string_equal(p.out, "abcdefgh");
	finish(&p);
}

static void
a_keep_alive_is_old(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abc");
	push(&p, 102,
	    "?"); /* the octet before the next one, with any value (RFC 9293 section 3.8.4) */
	push(&p, 103, "d");
	assert_string_equal(p.out, "abcd");
	finish(&p);
}

static void
a_hole_is_a_gap_after_its_acknowledgement_and_a_grace(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 105, "fgh");
	wait_ms(&p, 10000);
	assert_string_equal(p.out, ""); /* nobody says that it arrived */
	ack(&p, 108);
	assert_string_equal(p.out, "");
	assert_int_equal(stream_deadline(&p.ss, &p.s), p.now_ns + LIMIT_GRACE_NS);
	wait_ms(&p, LIMIT_GRACE_NS / MS - 1);
	assert_string_equal(p.out, "");
	wait_ms(&p, 1);
	assert_string_equal(p.out, "<5>fgh");
	assert_int_equal(stream_deadline(&p.ss, &p.s), 0);
	finish(&p);
}

static void
what_comes_within_the_grace_is_no_gap(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 105, "fgh");
	ack(&p, 108);
	wait_ms(&p, 5);
	push(&p, 100, "abcde");
	assert_string_equal(p.out, "abcdefgh");
	wait_ms(&p, 1000);
	assert_string_equal(p.out, "abcdefgh");
	finish(&p);
}

static void
a_lost_end_is_a_gap(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abc");
	ack(&p, 110); /* nothing behind the hole is held */
	wait_ms(&p, LIMIT_GRACE_NS / MS);
	assert_string_equal(p.out, "abc<7>");
	push(&p, 110, "k");
	assert_string_equal(p.out, "abc<7>k");
	stream_fin(&p.s, 115);
	assert_false(stream_is_done(&p.s));
	finish(&p);
	assert_string_equal(p.out, "abc<7>k<4>");
	assert_true(stream_is_done(&p.s));
}

static void
an_absurd_acknowledgement_is_ignored(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abc");
	ack(&p, 100u + 0x40000000u);
	wait_ms(&p, 1000);
	push(&p, 103, "def");
	assert_string_equal(p.out, "abcdef");
	finish(&p);
}

static void
a_cut_packet_is_a_gap_at_once(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push_cut(&p, 100, "abc", 7);
	push(&p, 110, "k");
	assert_string_equal(p.out, "abc<7>k");
	push_cut(&p, 111, "", 9); /* headers only */
	push(&p, 120, "u");
	assert_string_equal(p.out, "abc<7>k<9>u");
	finish(&p);
}

static void
a_full_window_gives_the_oldest_hole_up(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 103, "def");
	push(&p, 100 + LIMIT_OOO_PAGE * LIMIT_OOO_SLOTS, "far");
	char want[64];
	(void)snprintf(want, sizeof want, "<3>def<%u>far", LIMIT_OOO_PAGE * LIMIT_OOO_SLOTS - 6);
	assert_string_equal(p.out, want);
	assert_int_equal(p.ss.pressure, 1);
	finish(&p);
}

static void
empty_pools_degrade(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 1, 1);
	push(&p, 103, "def");
	push(&p, 103 + 2 * LIMIT_OOO_PAGE, "second page"); /* there is but one */
	char want[64];
	(void)snprintf(want, sizeof want, "<3>def<%u>second page", 2 * LIMIT_OOO_PAGE - 3);
	assert_string_equal(p.out, want);
	push(&p, 103 + 2 * LIMIT_OOO_PAGE + 11, "!");
	assert_int_equal(p.out[p.len - 1], '!');
	finish(&p);
}

/* Where even the bookkeeping is used up, what is acknowledged does not wait. */
static void
no_bookkeeping_for_an_acknowledgement(void **state)
{
	(void)state;
	struct pair p;
	struct stream_input in;
	setup(&p, 100, 1, 8);
	stream_push(&p.ss, &p.peer, &p.s, 0, 9, (const uint8_t *)"peer", 4, 4, p.now_ns, &in);
	assert_int_equal(p.ss.reorders.used, 1);
	push(&p, 100, "abc");
	ack(&p, 110);
	assert_string_equal(p.out, "abc<7>");
	assert_int_equal(p.ss.pressure, 1);
	push(&p, 110, "k");
	assert_string_equal(p.out, "abc<7>k");
	stream_release(&p.ss, &p.peer); /* with what it holds */
	assert_int_equal(p.ss.pages.used, 0);
	finish(&p);
}

/* What is held is given back with the stream, in all its pages. */
static void
released_with_what_it_holds(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	for (uint32_t i = 1; i < 4; i++)
		push(&p, 100 + i * LIMIT_OOO_PAGE, "held");
	assert_int_equal(p.ss.pages.used, 3);
	stream_release(&p.ss, &p.s);
	assert_int_equal(p.ss.pages.used, 0);
	assert_int_equal(p.ss.reorders.used, 0);
	stream_release(&p.ss, &p.s); /* nothing is left of it */
	streams_free(&p.ss);
}

/* What is not read is passed over to its end, where that is known. */
static void
passed_over(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	push(&p, 100, "abc");
	stream_skip(&p.s);
	assert_int_equal(p.s.next, 3);
	assert_false(stream_is_done(&p.s));
	stream_fin(&p.s, 150);
	stream_skip(&p.s);
	assert_int_equal(p.s.next, 50);
	assert_true(stream_is_done(&p.s));
	finish(&p);
	assert_string_equal(p.out, "abc");
}

static void
the_effect_waits_for_its_cause(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	/* `s` acknowledges four octets of the peer that were not seen yet */
	stream_ack(&p.ss, &p.peer, 5, p.now_ns);
	p.need = stream_seen(&p.peer, 5);
	assert_int_equal(p.need, 4);
	push(&p, 100, "reply");
	push(&p, 105, " more");
	assert_string_equal(p.out, "");
	p.peer.next = 4; /* they come */
	take(&p, NULL);
	assert_string_equal(p.out, "reply more");
	stream_release(&p.ss, &p.peer);
	finish(&p);
}

static void
a_cause_that_never_comes_is_a_gap(void **state)
{
	(void)state;
	struct pair p;
	struct stream_chunk c;
	setup(&p, 100, 8, 8);
	stream_ack(&p.ss, &p.peer, 5, p.now_ns);
	p.need = 4;
	push(&p, 100, "reply");
	p.now_ns += LIMIT_GRACE_NS;
	assert_true(stream_next(&p.ss, &p.peer, &p.s, p.now_ns, NULL, &c));
	assert_null(c.data);
	assert_int_equal(c.len, 4);
	take(&p, NULL);
	assert_string_equal(p.out, "reply");
	stream_release(&p.ss, &p.peer);
	finish(&p);
}

/* The same where the peer is known not to come: told, and what waits goes on. */
static void
a_cause_that_is_given_up(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	assert_false(stream_unblock(&p.ss, &p.s)); /* nothing waits */
	p.need = 4;
	push(&p, 100, "reply");
	assert_string_equal(p.out, "");
	assert_true(stream_unblock(&p.ss, &p.s));
	assert_false(stream_unblock(&p.ss, &p.s));
	take(&p, NULL);
	assert_string_equal(p.out, "reply");
	finish(&p);
}

static void
an_early_segment_does_not_wait_for_what_a_later_one_saw(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	stream_ack(&p.ss, &p.peer, 9,
	    p.now_ns); /* MAIL, swapped before EHLO, has seen the reply to EHLO */
	p.need = stream_seen(&p.peer, 9);
	push(&p, 104, "MAIL");
	p.need = stream_seen(&p.peer, 1);
	push(&p, 100, "EHLO");
	assert_string_equal(p.out, "EHLO");
	p.peer.next = 8;
	take(&p, NULL);
	assert_string_equal(p.out, "EHLOMAIL");
	stream_release(&p.ss, &p.peer);
	finish(&p);
}

static void
a_copy_does_not_wait_for_what_its_original_had_not_seen(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	stream_ack(&p.ss, &p.peer, 9, p.now_ns);
	p.need = stream_seen(&p.peer, 5);
	push(&p, 104, "MAIL");
	p.need = stream_seen(&p.peer, 9);
	push(&p, 106, "ILRCPT"); /* its first half is a copy */
	p.need = stream_seen(&p.peer, 1);
	push(&p, 100, "EHLO");
	assert_string_equal(p.out, "EHLO");
	p.peer.next = 4;
	take(&p, NULL);
	assert_string_equal(p.out, "EHLOMAIL");
	p.peer.next = 8;
	take(&p, NULL);
	assert_string_equal(p.out, "EHLOMAILRCPT");
	stream_release(&p.ss, &p.peer);
	finish(&p);
}

/* A peer that is not captured: that a segment had heard of it is told with its octets. */
static void
the_turn_of_a_side_alone(void **state)
{
	(void)state;
	struct pair p;
	struct stream_chunk c;
	setup(&p, 100, 8, 8);
	assert_true(stream_turn(&p.ss, &p.s, 100, p.now_ns));
	assert_false(stream_turn(&p.ss, &p.s, 108, p.now_ns));
	push(&p, 104, "textMAIL");
	assert_string_equal(p.out, "");
	p.s.flags |= STREAM_FORCE;
	static const struct {
		uint64_t off;
		bool turn;
	} rows[] = {{0, false}, {4, false}, {8, true}};
	for (size_t i = 0; i < 3; i++) {
		assert_true(stream_next(&p.ss, &p.s, &p.peer, p.now_ns, NULL, &c));
		assert_int_equal(c.off, rows[i].off);
		assert_int_equal(c.len, 4);
		assert_int_equal(c.turn, rows[i].turn);
	}
	finish(&p);
}

/* A segment that is a turn, and waits for what it had seen of a peer that may still come. */
static void
a_turn_that_waits(void **state)
{
	(void)state;
	struct pair p;
	struct stream_chunk c;
	setup(&p, 100, 8, 8);
	assert_false(stream_turn(&p.ss, &p.s, 104, p.now_ns));
	p.need = 20;
	push(&p, 104, "MAIL");
	p.need = 0;
	push(&p, 100, "text");
	assert_string_equal(p.out, "text");
	p.peer.next = 20;
	assert_true(stream_next(&p.ss, &p.s, &p.peer, p.now_ns, NULL, &c));
	assert_int_equal(c.len, 4);
	assert_true(c.turn);
	finish(&p);
}

static void
two_that_wait_for_each_other_go_on_after_a_while(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, 100, 8, 8);
	p.need = 1000; /* whatever a forger says */
	push(&p, 100, "abc");
	assert_string_equal(p.out, "");
	assert_int_equal(stream_deadline(&p.ss, &p.s), p.now_ns + LIMIT_HOLD_NS);
	wait_ms(&p, LIMIT_HOLD_NS / MS);
	assert_string_equal(p.out, "abc");
	finish(&p);
}

/* Input that a push would have held, or trimmed, is no danger where stream_next meets it. */
static void
input_that_was_not_pushed(void **state)
{
	(void)state;
	struct pair p;
	char want[64];
	/* while the stream waits it is held */
	setup(&p, 100, 8, 8);
	p.need = 1000;
	push(&p, 100, "abc");
	struct stream_input in = {(const uint8_t *)"def", 3, 0, 3};
	take(&p, &in);
	assert_int_equal(in.len, 0);
	assert_string_equal(p.out, "");
	stream_unblock(&p.ss, &p.s);
	finish(&p);
	assert_string_equal(p.out, "abcdef");
	/* where there is no page for it the stream waits no longer */
	setup(&p, 100, 8, 1);
	p.need = 1000;
	push(&p, 100, "abc");
	in = (struct stream_input){(const uint8_t *)"far", 3, 0, 2 * LIMIT_OOO_PAGE};
	take(&p, &in);
	(void)snprintf(want, sizeof want, "abc<%u>far", 2 * LIMIT_OOO_PAGE - 3);
	assert_string_equal(p.out, want);
	assert_int_equal(p.ss.pressure, 1);
	finish(&p);
	/* held octets that a loss passes over are given back, and stand in nobody's way */
	setup(&p, 100, 8, 8);
	push(&p, 100 + LIMIT_OOO_PAGE + 10, "held");
	in = (struct stream_input){NULL, 0, 3 * LIMIT_OOO_PAGE, 0};
	take(&p, &in);
	assert_int_equal(p.ss.pages.used, 0);
	push(&p, 100 + 3 * LIMIT_OOO_PAGE, "next");
	(void)snprintf(want, sizeof want, "<%u>next", 3 * LIMIT_OOO_PAGE);
	assert_string_equal(p.out, want);
	finish(&p);
}

/* ---- the oracle ---- */

#define SPAN 40000u /* octets of a round */

struct model {
	uint8_t first[SPAN]; /* value of the first copy */
	bool held[SPAN];     /* a copy came before the stream passed it */
	uint32_t next;	     /* delivered up to here */
	uint64_t octets, gaps;
};

static uint32_t
dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((*seed >> 33) % n);
}

static void
model_take(struct model *m, struct streams *ss, struct stream *s, const struct stream *peer,
    int64_t now_ns, struct stream_input *in)
{
	struct stream_chunk c;
	while (stream_next(ss, s, peer, now_ns, in, &c)) {
		assert_int_equal(c.off, m->next);
		assert_true(c.len > 0 && c.off + c.len <= SPAN);
		for (uint64_t i = 0; i < c.len; i++) {
			uint32_t at = m->next + (uint32_t)i;
			if (c.data == NULL) {
				assert_false(m->held[at]); /* an octet that was there is no gap */
			} else {
				assert_true(m->held[at]);
				assert_int_equal(c.data[i], m->first[at]);
			}
		}
		*(c.data == NULL ? &m->gaps : &m->octets) += c.len;
		m->next += (uint32_t)c.len;
		assert_int_equal(s->next, m->next);
	}
}

static void
oracle_round(uint64_t seed, uint32_t pages)
{
	static struct model m;
	static uint8_t data[SPAN];
	struct streams ss;
	struct stream s = {0}, peer = {0};
	uint64_t r = seed;
	uint32_t base = dice(&r, 3) == 0 ? 0u - dice(&r, SPAN) : dice(&r, UINT32_MAX), front = 0;
	int64_t now_ns = MS;
	memset(&m, 0, sizeof m);
	assert_true(streams_init(&ss, 4, pages));
	stream_start(&s, base);
	for (uint32_t op = 0; op < 400; op++) {
		struct stream_input in;
		uint32_t what = dice(&r, 10);
		now_ns += dice(&r, 4) * MS;
		if (what == 0) { /* an acknowledgement, of what was sent or a little beyond */
			uint32_t to = front + (dice(&r, 5) == 0 ? dice(&r, 50) : 0);
			to = to < SPAN ? to : SPAN;
			stream_ack(&ss, &s, base + to, now_ns);
			model_take(&m, &ss, &s, &peer, now_ns, NULL);
			continue;
		}
		if (what == 1) { /* time */
			now_ns += dice(&r, 3) * LIMIT_GRACE_NS;
			model_take(&m, &ss, &s, &peer, now_ns, NULL);
			continue;
		}
		/* a segment: in order, behind a hole, or again with other bounds and perhaps other
		 * octets */
		uint32_t at = what < 5 ? front
		    : what < 7	       ? front + dice(&r, 3000)
				       : dice(&r, front + 1);
		uint32_t len = dice(&r, dice(&r, 4) == 0 ? 6000 : 200),
			 cut = dice(&r, 20) == 0 ? dice(&r, 30) : 0;
		if (at + len + cut > SPAN)
			continue;
		for (uint32_t i = 0; i < len; i++) {
			data[i] = (uint8_t)(dice(&r, 8) == 0 ? dice(&r, 256) : (at + i) * 31);
			if (!m.held[at + i] && at + i >= m.next) {
				m.held[at + i] = true;
				m.first[at + i] = data[i];
			}
		}
		stream_push(&ss, &s, &peer, 0, base + at, data, len, len + cut, now_ns, &in);
		model_take(&m, &ss, &s, &peer, now_ns, &in);
		assert_int_equal(in.len, 0);
		memset(data, 0xee, len); /* the packet is gone */
		if (at + len > front)
			front = at + len;
		/* in-order octets are never held back */
		assert_true(m.next == SPAN || !m.held[m.next]);
	}
	stream_finish(&s);
	model_take(&m, &ss, &s, &peer, now_ns, NULL);
	for (uint32_t i = m.next; i < SPAN; i++)
		assert_false(m.held[i]); /* all that came was delivered */
	assert_int_equal(m.octets + m.gaps, m.next);
	stream_release(&ss, &s);
	assert_int_equal(ss.pages.used, 0);
	assert_int_equal(ss.reorders.used, 0);
	streams_free(&ss);
}

static void
the_oracle_agrees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++)
		oracle_round(seed, 1u + (uint32_t)(seed % 40));
	uint64_t seed = (uint64_t)time(NULL);
	print_message("random seeds from %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 500; i++)
		oracle_round(seed + i, 1u + i % 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_order_needs_no_memory),
	    cmocka_unit_test(out_of_order_waits),
	    cmocka_unit_test(a_copy_with_other_bounds_adds_nothing),
	    cmocka_unit_test(the_first_copy_wins),
	    cmocka_unit_test(numbers_wrap),
	    cmocka_unit_test(a_keep_alive_is_old),
	    cmocka_unit_test(a_hole_is_a_gap_after_its_acknowledgement_and_a_grace),
	    cmocka_unit_test(what_comes_within_the_grace_is_no_gap),
	    cmocka_unit_test(a_lost_end_is_a_gap),
	    cmocka_unit_test(an_absurd_acknowledgement_is_ignored),
	    cmocka_unit_test(a_cut_packet_is_a_gap_at_once),
	    cmocka_unit_test(a_full_window_gives_the_oldest_hole_up),
	    cmocka_unit_test(empty_pools_degrade),
	    cmocka_unit_test(no_bookkeeping_for_an_acknowledgement),
	    cmocka_unit_test(released_with_what_it_holds),
	    cmocka_unit_test(passed_over),
	    cmocka_unit_test(the_effect_waits_for_its_cause),
	    cmocka_unit_test(a_cause_that_is_given_up),
	    cmocka_unit_test(a_cause_that_never_comes_is_a_gap),
	    cmocka_unit_test(an_early_segment_does_not_wait_for_what_a_later_one_saw),
	    cmocka_unit_test(a_copy_does_not_wait_for_what_its_original_had_not_seen),
	    cmocka_unit_test(the_turn_of_a_side_alone),
	    cmocka_unit_test(a_turn_that_waits),
	    cmocka_unit_test(two_that_wait_for_each_other_go_on_after_a_while),
	    cmocka_unit_test(input_that_was_not_pushed),
	    cmocka_unit_test(the_oracle_agrees),
	};
	return cmocka_run_group_tests_name("stream/stream", tests, NULL, NULL);
}
