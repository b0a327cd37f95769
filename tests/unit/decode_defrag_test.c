/*
 * Datagrams out of fragments, against a model that keeps for each octet who wrote it first.  `seed`
 * as argument repeats a run.
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
#include "decode/defrag.h"

#define S 1000000000ll

static unsigned seed;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

static bool
push_cut(struct defrag *d, uint32_t family, uint32_t id, uint32_t offset, const uint8_t *data,
    uint32_t len, uint32_t wire_len, bool more, struct datagram_view *out)
{
	struct ends ends = {.family = family, .ip = {{10, 0, 0, 1}, {10, 0, 0, 2}}, .port = {7, 9}};
	struct fragment_key key = {&ends, id, 6};
	uint8_t *copy = malloc(len > 0 ? len : 1); /* of its own size */
	memcpy(copy, data, len);
	struct fragment_piece piece = {copy, len, wire_len, (uint16_t)offset, more};
	bool whole = defrag_push(d, &key, &piece, out);
	free(copy);
	return whole;
}

static bool
push(struct defrag *d, uint32_t id, uint32_t offset, const char *text, bool more,
    struct datagram_view *out)
{
	uint32_t n = (uint32_t)strlen(text);
	defrag_begin(d);
	return push_cut(d, 4, id, offset, (const uint8_t *)text, n, n, more, out);
}

static void
setup(struct defrag *d, uint32_t max)
{
	assert_true(defrag_init(d, max));
	d->now_ns = S;
}

static void
in_any_order(void **state)
{
	(void)state;
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	assert_false(push(&d, 1, 8, "bbbbbbbb", true, &v));
	assert_false(push(&d, 1, 16, "c", false, &v));
	assert_true(push(&d, 1, 0, "aaaaaaaa", true, &v));
	assert_int_equal(v.len, 17);
	assert_int_equal(v.wire_len, 17);
	assert_memory_equal(v.payload, "aaaaaaaabbbbbbbbc", 17);
	assert_int_equal(v.proto, 6);
	assert_int_equal(v.ip_len, 37);
	assert_int_equal(v.ip[0], 0x45);
	assert_int_equal(v.ip[3], 37);
	assert_false(v.conflict);
	/* another identification is another datagram */
	assert_false(push(&d, 2, 8, "b", false, &v));
	assert_false(push(&d, 3, 0, "aaaaaaaa", true, &v));
	assert_true(push(&d, 2, 0, "aaaaaaaa", true, &v));
	assert_int_equal(d.stats.joined, 2);
	defrag_free(&d);
}

static void
the_first_wins(void **state)
{
	(void)state;
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	assert_false(push(&d, 1, 0, "aaaaaaaa", true, &v));
	assert_false(push(&d, 1, 0, "xxxxxxxxbbbbbbbb", true, &v));
	assert_true(push(&d, 1, 8, "yyyyyyyyc", false, &v));
	assert_memory_equal(v.payload, "aaaaaaaabbbbbbbbc", 17);
	assert_true(v.conflict);
	assert_int_equal(d.stats.conflicts, 2);
	defrag_free(&d);
}

static void
ipv6_takes_no_overlap(void **state)
{
	(void)state;
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	const uint8_t *a = (const uint8_t *)"aaaaaaaabbbbbbbb";
	/* an exact repeat is none */
	assert_false(push_cut(&d, 6, 1, 0, a, 8, 8, true, &v));
	assert_false(push_cut(&d, 6, 1, 0, a, 8, 8, true, &v));
	assert_true(push_cut(&d, 6, 1, 8, a + 8, 8, 8, false, &v));
	assert_int_equal(v.ip[0], 0x60);
	assert_int_equal(v.ip_len, 56);
	defrag_begin(&d);
	assert_false(push_cut(&d, 6, 2, 0, a, 8, 8, true, &v));
	assert_false(push_cut(&d, 6, 2, 0, a, 16, 16, false, &v)); /* dead from here on */
	assert_false(push_cut(&d, 6, 2, 8, a + 8, 8, 8, false, &v));
	assert_int_equal(d.stats.damaged, 1);
	defrag_free(&d);
}

static void
lies(void **state)
{
	(void)state;
	static uint8_t big[70000];
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	assert_false(push(&d, 1, 8, "odd length, more", true, &v));
	uint64_t before = d.stats.damaged;
	assert_false(push(&d, 1, 16, "nine octets", true, &v));		 /* no multiple of eight */
	assert_false(push_cut(&d, 4, 1, 65528, big, 16, 16, false, &v)); /* past 64 KiB */
	assert_false(push_cut(&d, 4, 1, 32, big, 0, 0, true, &v));
	/* the length of a frame, which a file may make as long as it likes, is no sum */
	assert_false(push_cut(&d, 4, 1, 1024, big, 8, UINT32_MAX - 1015, true, &v));
	assert_int_equal(d.stats.damaged, before + 4);
	assert_false(push(&d, 2, 8, "b", false, &v));
	assert_false(push(&d, 2, 16, "behind", false, &v));  /* another end */
	assert_false(push(&d, 2, 16, "cccccccc", true, &v)); /* behind the end */
	assert_true(push(&d, 2, 0, "aaaaaaaa", true, &v));
	assert_int_equal(v.len, 9);
	assert_false(push(&d, 3, 8, "bbbbbbbb", true, &v));
	assert_false(push(&d, 3, 8, "b", false, &v)); /* an end before what was seen */
	defrag_free(&d);
}

static void
what_was_cut_is_missing(void **state)
{
	(void)state;
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	const uint8_t *a = (const uint8_t *)"aaaaaaaabbbbbbbb";
	assert_false(push_cut(&d, 4, 1, 0, a, 5, 16, true, &v)); /* snap length */
	assert_true(push_cut(&d, 4, 1, 16, a, 8, 8, false, &v));
	assert_int_equal(v.len, 5);
	assert_int_equal(v.wire_len, 24);
	defrag_free(&d);
}

static void
bounds(void **state)
{
	(void)state;
	struct defrag d;
	struct datagram_view v;
	setup(&d, 8);
	for (uint32_t i = 0; i < 100; i++)
		assert_false(push(&d, i, 8, "b", false, &v));
	assert_int_equal(d.datagrams.used, 8);
	assert_int_equal(d.stats.evicted, 92);
	assert_false(push(&d, 91, 0, "aaaaaaaa", true, &v)); /* the oldest went first */
	assert_true(push(&d, 99, 0, "aaaaaaaa", true, &v));
	assert_false(push(&d, 98, 64, "x", true, &v)); /* another that waits: time runs out */
	d.now_ns += (LIMIT_FRAGMENT_S + 1) * S;
	assert_false(push(&d, 97, 0, "aaaaaaaa", true, &v));
	assert_true(d.stats.expired > 0);
	assert_int_equal(d.datagrams.used, 1);
	/* nothing is left when two are handed out in one frame and a third comes */
	defrag_free(&d);
}

struct model {
	uint8_t octet[65536];
	bool known[65536];
	uint32_t size;
	uint32_t cuts[512]; /* ends of the pieces */
	unsigned pieces;
};

/* Random datagrams, cut at random, shuffled among each other, with repeats and overlaps. */
static void
oracle(void **state)
{
	static struct model m[6];
	(void)state;
	struct defrag d;
	setup(&d, 16);
	for (unsigned round = 0; round < 400; round++) {
		uint32_t left[6];
		bool done[6] = {false};
		for (unsigned k = 0; k < 6; k++) {
			memset(m[k].known, 0, sizeof m[k].known);
			m[k].size = 9 + (below(8) == 0 ? below(65000) : below(3000));
			m[k].pieces = 0;
			for (uint32_t at = 0; at < m[k].size && m[k].pieces < 511;) {
				at += 8 * (1 + below(1 + m[k].size / 64));
				m[k].cuts[m[k].pieces++] = at < m[k].size ? at : m[k].size;
			}
			m[k].cuts[m[k].pieces - 1] = m[k].size;
			left[k] = 4000;
		}
		for (;;) {
			unsigned k = below(6), tries = 0;
			while (done[k] && tries++ < 6)
				k = (k + 1) % 6;
			if (done[k] || left[k]-- == 0)
				break;
			/* a piece, or two neighbours as one (an overlap), with its own octets */
			unsigned p = below(m[k].pieces),
				 q = p + (below(4) == 0 && p + 1 < m[k].pieces);
			uint32_t from = p > 0 ? m[k].cuts[p - 1] : 0, to = m[k].cuts[q];
			uint8_t *data = malloc(to - from);
			bool clash = below(3) == 0;
			for (uint32_t i = from; i < to; i++)
				data[i - from] = (uint8_t)(i * 7 + k + (clash ? below(2) : 0));
			/* the model: by whole blocks of eight, the first wins */
			for (uint32_t i = from; i < to; i++) {
				if (!m[k].known[i])
					m[k].octet[i] = data[i - from];
				m[k].known[i] = true;
			}
			struct datagram_view v;
			defrag_begin(&d);
			bool whole = push_cut(&d, 4, round * 6 + k, from, data, to - from,
			    to - from, to < m[k].size, &v);
			free(data);
			bool all = true;
			for (uint32_t i = 0; i < m[k].size && all; i++)
				all = m[k].known[i];
			assert_int_equal(whole, all);
			if (whole) {
				assert_int_equal(v.len, m[k].size);
				assert_memory_equal(v.payload, m[k].octet, v.len);
				done[k] = true;
			}
		}
		d.now_ns += (LIMIT_FRAGMENT_S + 1) * S; /* what is left is dropped */
	}
	assert_true(d.stats.joined > 1000);
	defrag_free(&d);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_any_order),
	    cmocka_unit_test(the_first_wins),
	    cmocka_unit_test(ipv6_takes_no_overlap),
	    cmocka_unit_test(lies),
	    cmocka_unit_test(what_was_cut_is_missing),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(oracle),
	};
	seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)time(NULL);
	printf("# seed %u\n", seed);
	int failed = cmocka_run_group_tests_name("decode/defrag", tests, NULL, NULL);
	if (argc > 1)
		return failed;
	seed = 1; /* and always the same */
	return failed | cmocka_run_group_tests_name("decode/defrag, seed 1", tests, NULL, NULL);
}
