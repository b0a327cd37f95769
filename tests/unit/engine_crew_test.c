/* The workers as the parent sees them: in which order, and what one of them may not say. */
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

#include "engine/crew.h"
#include "record/common.h"
#include "wire_pair.h"

#define WORKERS 5u
#define SAID	4096u

static struct crew crew;
static struct wire_out wire[WORKERS]; /* their ends; bell -1: closed */
static struct record record;

/* A record as a worker sent it, or as it came out. */
struct said {
	uint64_t order;
	uint64_t id;
	unsigned worker;
};

static void
join(unsigned i, int64_t now_ms)
{
	struct wire_in in;
	wire_ring_free(wire[i].ring); /* of the one before */
	wire_pair_open(&wire[i], &in);
	crew_join(&crew, i, in.ring, in.bell, now_ms);
}

static void
begin(unsigned workers, bool ordered)
{
	crew_init(&crew, workers, ordered);
	for (unsigned i = 0; i < workers; i++)
		join(i, 0);
}

static void
hang_up(unsigned i)
{
	wire_pair_hang_up(&wire[i]);
}

static void
finish(void)
{
	for (unsigned i = 0; i < crew.count; i++)
		hang_up(i);
	crew_free(&crew);
	for (unsigned i = 0; i < WORKERS; i++) {
		wire_ring_free(wire[i].ring);
		wire[i].ring = NULL;
	}
}

static void
send(unsigned i, enum wire_kind kind, unsigned detail, uint64_t order, const void *body, size_t len)
{
	assert_true(wire_put(&wire[i], kind, (uint16_t)detail, order, body, len));
	assert_true(wire_flush(&wire[i]));
}

static void
send_octets(unsigned i, uint64_t order, const struct record *r)
{
	const uint32_t not_sent = record_constants((enum record_kind)r->kind);
	send(i, WIRE_RECORD, r->kind, order, r->data + not_sent, r->len - not_sent);
}

static void
send_record(unsigned i, uint64_t order, uint64_t id)
{
	static struct record r;
	record_begin_common(&r, RECORD_SESSION);
	record_put_u64(&r, FIELD_SUM_FRAMES, id);
	send_octets(i, order, &r);
}

static void
send_report(unsigned i, const struct feed_report *r)
{
	send(i, WIRE_STATUS, 0, 0, r, sizeof *r);
}

static uint64_t
id_of(void)
{
	struct record_value v;
	assert_true(record_find(&record, FIELD_SUM_FRAMES, &v));
	return v.u64;
}

static enum crew_said
next(struct crew_word *word)
{
	return crew_next(&crew, &record, word);
}

static void
expect_id(uint64_t id)
{
	struct crew_word word;
	assert_int_equal(next(&word), CREW_RECORD);
	assert_int_equal(id_of(), id);
}

static void
expect_nothing(void)
{
	struct crew_word word;
	assert_int_equal(next(&word), CREW_NOTHING);
}

/* ---- order ---- */

static int
by_order(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->worker != y->worker)
		return x->worker < y->worker ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static struct said sent[SAID], came[SAID];
static size_t sent_count, came_count;

/* Takes all that may be said now; a worker that ended or died takes its leave. */
static void
drain(void)
{
	struct crew_word word;
	enum crew_said s;
	crew_hear(&crew, 1);
	while ((s = next(&word)) != CREW_NOTHING) {
		assert_true(s == CREW_RECORD || s == CREW_ENDED || s == CREW_LOST);
		if (s != CREW_RECORD)
			crew_leave(&crew, word.worker);
		else
			came[came_count++] = (struct said){.id = id_of(), .worker = word.worker};
	}
}

/* Random workers say random things at random times; some die. */
static void
play(unsigned seed, bool ordered)
{
	uint64_t at[WORKERS] = {0};
	unsigned left = WORKERS;
	sent_count = came_count = 0;
	begin(WORKERS, ordered);
	while (left > 0) {
		unsigned i = (unsigned)rand_r(&seed) % WORKERS;
		int what = rand_r(&seed) % 100;
		if (wire[i].bell < 0)
			continue;
		at[i] += (uint64_t)rand_r(&seed) % 3;
		if (sent_count == SAID || what < 1) {
			if (what % 2 == 0)
				send(i, WIRE_END, FEED_END_INPUT, at[i] + 1, NULL, 0);
			hang_up(i);
			left--;
		} else if (what < 60) {
			sent[sent_count] =
			    (struct said){.order = at[i], .id = sent_count, .worker = i};
			send_record(i, at[i], sent_count++);
		} else if (what < 80) {
			send(i, WIRE_MARK, 0, at[i], NULL, 0);
		} else {
			drain();
		}
	}
	drain();
	crew_hear(&crew, 1); /* the ends of pipes */
	drain();
	assert_int_equal(came_count, sent_count);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(crew_fd(&crew, i), -1);
	finish();
}

static void
in_the_order_of_frames(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		play(seed, true);
		qsort(sent, sent_count, sizeof *sent, by_order);
		for (size_t k = 0; k < sent_count; k++) {
			assert_int_equal(came[k].id, sent[k].id);
			assert_int_equal(came[k].worker, sent[k].worker);
		}
	}
}

static void
each_in_its_own_order(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		uint64_t last[WORKERS] = {0};
		play(seed, false);
		for (size_t k = 0; k < came_count; k++) {
			assert_true(last[came[k].worker] <= came[k].id);
			last[came[k].worker] = came[k].id;
		}
	}
}

static void
who_is_behind_is_waited_for(void **state)
{
	(void)state;
	struct crew_word word;
	begin(3, true);
	send_record(1, 10, 1);
	crew_hear(&crew, 1);
	expect_nothing();
	send(0, WIRE_MARK, 0, 10, NULL, 0); /* it may have more of frame 10, and comes first */
	send(2, WIRE_MARK, 0, 10, NULL, 0); /* it comes behind */
	crew_hear(&crew, 1);
	expect_nothing();
	send_record(0, 10, 2);
	send(0, WIRE_MARK, 0, 11, NULL, 0);
	crew_hear(&crew, 1);
	expect_id(2);
	expect_id(1);
	expect_nothing();
	/* one who dies holds nobody up, nor one who is done */
	send_record(0, 20, 3);
	send_record(0, 30, 4);
	hang_up(1);
	crew_hear(&crew, 1);
	assert_int_equal(next(&word), CREW_LOST);
	assert_int_equal(word.worker, 1);
	crew_leave(&crew, 1);
	expect_nothing();
	send(2, WIRE_END, FEED_END_STOP, 15, NULL, 0);
	crew_hear(&crew, 1);
	expect_id(3);
	expect_id(4);
	expect_nothing();
	hang_up(2);
	crew_hear(&crew, 1);
	assert_int_equal(next(&word), CREW_ENDED);
	assert_int_equal(word.worker, 2);
	assert_int_equal(word.end, FEED_END_STOP);
	finish();
}

/* Each is asked, whoever has something to say; who says much keeps nobody from being heard. */
static void
live_everybody_is_heard(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= WORKERS; n++) {
		begin(n, false);
		for (unsigned round = 0; round < 3; round++) {
			for (unsigned i = 0; i < n; i++) {
				send_record(i, 1, i);
				crew_hear(&crew, 1);
				expect_id(i);
				expect_nothing();
				expect_nothing();
			}
		}
		for (unsigned k = 0; k < 100; k++)
			send_record(0, 1, 0);
		for (unsigned i = 1; i < n; i++)
			send_record(i, 1, i);
		crew_hear(&crew, 1);
		unsigned heard = 0;
		for (unsigned k = 0; k < n; k++) {
			struct crew_word word;
			assert_int_equal(next(&word), CREW_RECORD);
			heard |= 1u << word.worker;
		}
		assert_int_equal(heard, (1u << n) - 1);
		finish();
	}
}

static void
who_is_ahead_waits(void **state)
{
	(void)state;
	static uint8_t noise[60000];
	begin(2, true);
	static struct record r;
	record_begin_common(&r, RECORD_SESSION);
	record_put_str(&r, FIELD_MESSAGE, noise, 50000);
	for (unsigned i = 0; i < 16; i++) {
		send_octets(1, 1 + i, &r);
		crew_hear(&crew, 1 + i);
		expect_nothing();
	}
	assert_false(crew_unread(&crew, 0));
	assert_true(crew_unread(&crew, 1)); /* nobody may think that it hangs */
	int64_t heard_ms = crew.member[1].heard_ms;
	crew_hear(&crew, 100);
	assert_int_equal(crew.member[1].heard_ms, heard_ms);
	assert_int_equal(crew.member[0].heard_ms, 0);
	send(0, WIRE_END, FEED_END_INPUT, 1000, NULL, 0);
	hang_up(0);
	unsigned came_now = 0;
	for (unsigned i = 0; i < 100; i++) {
		struct crew_word word;
		enum crew_said s;
		crew_hear(&crew, 200);
		while ((s = next(&word)) != CREW_NOTHING) {
			if (s == CREW_ENDED)
				crew_leave(&crew, word.worker);
			came_now += s == CREW_RECORD;
		}
	}
	assert_int_equal(came_now, 16);
	finish();
}

/* ---- what is refused ---- */

#define WHOLE UINT32_MAX /* octets of a body: those of a record */

static uint32_t
put_whole(uint8_t *out)
{
	static struct record r;
	record_begin_common(&r, RECORD_MESSAGE);
	const uint32_t not_sent = record_constants(RECORD_MESSAGE);
	memcpy(out, r.data + not_sent, r.len - not_sent);
	return r.len - not_sent;
}

static void
what_no_worker_may_say(void **state)
{
	(void)state;
	static const struct {
		uint16_t kind, detail;
		uint32_t len;
		enum crew_said said;
	} cases[] = {
	    {WIRE_RECORD, RECORD_SESSION, WHOLE, CREW_RECORD},
	    {WIRE_RECORD, RECORD_MESSAGE, WHOLE, CREW_RECORD},
	    {WIRE_RECORD, RECORD_SENSOR, WHOLE, CREW_BROKEN},
	    {WIRE_RECORD, RECORD_SESSION, 0, CREW_BROKEN}, /* without what all have */
	    {WIRE_RECORD, RECORD_MESSAGE, 0, CREW_BROKEN},
	    {WIRE_RECORD, RECORD_SENSOR, 0, CREW_BROKEN},
	    {WIRE_RECORD, RECORD_ALERT, 0, CREW_BROKEN},
	    {WIRE_RECORD, RECORD_SUMMARY, 0, CREW_BROKEN},
	    {WIRE_RECORD, 99, 0, CREW_BROKEN},
	    {WIRE_RECORD, UINT16_MAX, 0, CREW_BROKEN},
	    {WIRE_RECORD, RECORD_SESSION, 3, CREW_BROKEN}, /* zeros: no value */
	    {WIRE_RECORD, RECORD_SESSION, LIMIT_RECORD, CREW_BROKEN},
	    {WIRE_EVENT, FEED_EVENT_FAULT, 20, CREW_EVENT},
	    {WIRE_EVENT, FEED_EVENTS, 0, CREW_BROKEN},
	    {WIRE_EVENT, UINT16_MAX, 0, CREW_BROKEN},
	    {WIRE_STATUS, 0, 0, CREW_BROKEN},
	    {WIRE_STATUS, 0, sizeof(struct feed_report) - 1, CREW_BROKEN},
	    {WIRE_STATUS, 0, sizeof(struct feed_report) + 1, CREW_BROKEN},
	    {WIRE_STATUS, 0, sizeof(struct feed_report), CREW_NOTHING},
	    {WIRE_END, FEED_ENDS, 0, CREW_BROKEN},
	    {WIRE_END, FEED_END_GONE, 0, CREW_NOTHING},
	    {WIRE_KINDS, 0, 0, CREW_BROKEN},
	};
	static uint8_t zeros[LIMIT_RECORD];
	for (unsigned ordered = 0; ordered < 2; ordered++) {
		for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
			struct crew_word word;
			begin(1, ordered);
			uint32_t len = cases[k].len;
			if (len == WHOLE)
				len = put_whole(zeros);
			if (cases[k].said == CREW_EVENT)
				memset(zeros, 'x', len);
			send(0, (enum wire_kind)cases[k].kind, cases[k].detail, 1, zeros, len);
			memset(zeros, 0, sizeof zeros);
			crew_hear(&crew, 1);
			assert_int_equal(next(&word), cases[k].said);
			/* and it is not believed any more */
			send_record(0, 2, 7);
			crew_hear(&crew, 2);
			assert_int_equal(next(&word),
			    cases[k].said == CREW_BROKEN ? CREW_BROKEN : CREW_RECORD);
			assert_int_equal(crew_fd(&crew, 0) < 0, cases[k].said == CREW_BROKEN);
			finish();
		}
	}
}

/* One that sends nonsense holds nobody up. */
static void
a_broken_one_beside_others(void **state)
{
	(void)state;
	struct crew_word word;
	static const uint8_t nonsense[32] = {0xff, 0xff, 0xff, 0xff};
	begin(2, true);
	send_record(1, 5, 1);
	wire_pair_force(&wire[0], nonsense, sizeof nonsense);
	crew_hear(&crew, 1);
	assert_int_equal(next(&word), CREW_BROKEN);
	assert_int_equal(word.worker, 0);
	crew_leave(&crew, 0);
	expect_id(1);
	finish();
}

static void
what_it_says_is_escaped(void **state)
{
	(void)state;
	struct crew_word word;
	static char text[LIMIT_RECORD];
	memset(text, '\x1b', sizeof text);
	text[0] = '\n';
	text[1] = '\0';
	begin(1, false);
	send(0, WIRE_EVENT, FEED_EVENT_FAULT, 0, text, sizeof text);
	crew_hear(&crew, 1);
	assert_int_equal(next(&word), CREW_EVENT);
	assert_int_equal(word.event, FEED_EVENT_FAULT);
	assert_true(strlen(word.text) > 0 && strlen(word.text) < CAPTURE_TEXT);
	for (const char *p = word.text; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20);
	finish();
}

/* ---- counts ---- */

static struct feed_report
report_of(uint64_t n)
{
	struct feed_report r = {.packets = n,
	    .octets_read = 10 * n,
	    .octets_total = 1000,
	    .memory = 7,
	    .waits = n,
	    .last_ns = (int64_t)n,
	    .tables = 2};
	r.capture.frames = n;
	r.capture.dropped = n;
	r.capture.interface_dropped = n;
	r.capture.first_ns = (int64_t)n;
	r.capture.last_ns = (int64_t)n;
	r.capture.files = 3;
	r.engine.frames = r.engine.flows = n;
	r.table[1] = (struct engine_table){NULL, 100, 10, (uint32_t)n, (uint32_t)n, n};
	return r;
}

static void
live_counts_are_summed_and_kept(void **state)
{
	(void)state;
	struct feed_report sum, r;
	begin(2, false);
	crew_report(&crew, &sum);
	assert_int_equal(sum.tables, 0);
	r = report_of(5);
	send_report(0, &r);
	r = report_of(3);
	send_report(1, &r);
	crew_hear(&crew, 1);
	expect_nothing();
	assert_true(crew.member[0].speaks);
	crew_report(&crew, &sum);
	assert_int_equal(sum.packets, 8);
	assert_int_equal(sum.waits, 8);
	assert_int_equal(sum.memory, 14);
	assert_int_equal(sum.last_ns, 5);
	assert_int_equal(sum.capture.frames, 8);
	assert_int_equal(sum.capture.dropped, 8);
	assert_int_equal(sum.capture.interface_dropped, 5); /* the same packets for both */
	assert_int_equal(sum.capture.first_ns, 3);
	assert_int_equal(sum.engine.flows, 8);
	assert_int_equal(sum.tables, 2);
	assert_int_equal(sum.table[1].used, 8);
	assert_int_equal(sum.table[1].refused, 8);
	assert_string_equal(sum.table[1].name, engine_table_name(1));
	/* worker 0 dies, twice, once before it has said anything */
	for (unsigned k = 0; k < 2; k++) {
		hang_up(0);
		crew_leave(&crew, 0);
		crew_leave(&crew, 0); /* once is enough */
		assert_false(crew.member[0].speaks);
		crew_report(&crew, &sum);
		assert_int_equal(sum.packets, 8);
		assert_int_equal(sum.capture.dropped, 8);
		assert_int_equal(sum.memory, 14);
		assert_int_equal(sum.table[1].used, 3);
		assert_int_equal(sum.table[1].refused, 8);
		assert_int_equal(sum.table[1].max, 20);
		join(0, 2);
	}
	r = report_of(1);
	send_report(0, &r);
	crew_hear(&crew, 3);
	expect_nothing();
	crew_report(&crew, &sum);
	assert_int_equal(sum.packets, 9);
	assert_int_equal(sum.memory, 14);
	assert_int_equal(sum.capture.interface_dropped, 6);
	assert_int_equal(sum.engine.flows, 9);
	assert_int_equal(sum.table[1].used, 4);
	assert_int_equal(sum.table[1].refused, 9);
	assert_int_equal(sum.table[1].max, 20);
	finish();
}

static void
of_files_what_each_sees_is_counted_once(void **state)
{
	(void)state;
	struct feed_report sum, r;
	begin(2, true);
	r = report_of(5);
	send_report(0, &r);
	r = report_of(9);
	send_report(1, &r);
	crew_hear(&crew, 1);
	expect_nothing();
	crew_report(&crew, &sum);
	assert_int_equal(sum.packets, 9);
	assert_int_equal(sum.octets_read, 90);
	assert_int_equal(sum.octets_total, 1000);
	assert_int_equal(sum.capture.frames, 9);
	assert_int_equal(sum.capture.files, 3);
	assert_int_equal(sum.engine.frames, 14);
	assert_int_equal(sum.waits, 14);
	/* the first dies: the other has read all the same */
	hang_up(0);
	crew_leave(&crew, 0);
	r = report_of(20);
	send_report(1, &r);
	crew_hear(&crew, 1);
	expect_nothing();
	hang_up(1);
	crew_leave(&crew, 1);
	crew_report(&crew, &sum);
	assert_int_equal(sum.packets, 20);
	assert_int_equal(sum.capture.frames, 20);
	assert_int_equal(sum.octets_read, 200);
	assert_int_equal(sum.last_ns, 20);
	assert_int_equal(sum.engine.frames, 25);
	finish();
}

static void
counts_of_an_attacker(void **state)
{
	(void)state;
	struct feed_report sum, r;
	begin(2, false);
	for (unsigned i = 0; i < 2; i++) {
		memset(&r, 0xff, sizeof r);
		send_report(i, &r);
	}
	crew_hear(&crew, 1);
	expect_nothing();
	crew_report(&crew, &sum);
	assert_true(sum.tables > 0 && sum.tables <= FEED_TABLES);
	for (unsigned i = 0; i < sum.tables; i++)
		assert_string_equal(sum.table[i].name, engine_table_name(i));
	crew_leave(&crew, 0);
	crew_report(&crew, &sum);
	for (unsigned i = 0; i < sum.tables; i++)
		assert_string_equal(sum.table[i].name, engine_table_name(i));
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_the_order_of_frames),
	    cmocka_unit_test(each_in_its_own_order),
	    cmocka_unit_test(who_is_behind_is_waited_for),
	    cmocka_unit_test(live_everybody_is_heard),
	    cmocka_unit_test(who_is_ahead_waits),
	    cmocka_unit_test(what_no_worker_may_say),
	    cmocka_unit_test(a_broken_one_beside_others),
	    cmocka_unit_test(what_it_says_is_escaped),
	    cmocka_unit_test(live_counts_are_summed_and_kept),
	    cmocka_unit_test(of_files_what_each_sees_is_counted_once),
	    cmocka_unit_test(counts_of_an_attacker),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("engine/crew", tests, NULL, NULL);
}
