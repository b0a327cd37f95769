/* The pcapng format: sections, interfaces, clocks, all kinds of packets, and damage. */
#include "capture_read.h"

#include "base/limits.h"

static struct reading *
take(struct octets *o)
{
	struct reading *r = read_octets(o->p, o->len, NULL);
	octets_free(o);
	return r;
}

/* A packet block of the obsolete kind, with `lost` packets before it. */
static void
obsolete(struct octets *o, uint32_t id, uint32_t lost, uint32_t low, uint32_t caplen, int fill)
{
	struct octets b = {.big = o->big};
	put16(&b, id);
	put16(&b, lost);
	put32(&b, 0);
	put32(&b, low);
	put32(&b, caplen);
	put32(&b, caplen);
	put_fill(&b, fill, caplen);
	block(o, 2, &b);
	octets_free(&b);
}

static void
simple(struct octets *o, uint32_t wirelen, uint32_t held, int fill)
{
	struct octets b = {.big = o->big};
	put32(&b, wirelen);
	put_fill(&b, fill, held);
	block(o, 3, &b);
	octets_free(&b);
}

static void
statistics(struct octets *o, uint32_t id, uint64_t ifdrop, uint64_t osdrop)
{
	struct octets b = {.big = o->big};
	put32(&b, id);
	put32(&b, 0);
	put32(&b, 0);
	option64(&b, 4, 1000); /* received: not counted */
	option64(&b, 5, ifdrop);
	option64(&b, 7, osdrop);
	block(o, 5, &b);
	octets_free(&b);
}

static void
unknown_block(struct octets *o, uint32_t type, size_t len)
{
	struct octets b = {.big = o->big};
	put_fill(&b, 0x55, len);
	block(o, type, &b);
	octets_free(&b);
}

static void
assert_frame(const struct seen *s, int64_t ts_ns, uint32_t caplen, uint32_t wirelen,
    uint32_t link_type, int first)
{
	assert_int_equal(s->ts_ns, ts_ns);
	assert_int_equal(s->caplen, caplen);
	assert_int_equal(s->wirelen, wirelen);
	assert_int_equal(s->link_type, link_type);
	assert_int_equal(s->first, first);
	assert_true(s->even);
}

static void
two_interfaces(struct octets *o, bool big)
{
	section(o, big);
	interface(o, 1, 0, -1, 0);
	unknown_block(o, 4, 20); /* names */
	interface(o, 113, 7, 9, 0);
	enhanced(o, 0, 1700000000000005, 5, 9, 1);
	unknown_block(o, 0xbad, 8);
	enhanced(o, 1, 1700000000000006000, 6, 6, 2);
	obsolete(o, 1, 3, 77, 3, 3);
	simple(o, 11, 11, 4);
	statistics(o, 0, 2, 5);
	statistics(o, 0, 20, 5); /* replaces the one before */
	statistics(o, 9, 1, 1);	 /* of no interface */
}

static void
reads_both_byte_orders(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct octets o = {0};
		two_interfaces(&o, big);
		struct reading *r = take(&o);
		assert_string_equal(r->error, "");
		assert_string_equal(r->fault[0], "");
		assert_int_equal(r->count, 4);
		assert_frame(&r->seen[0], 1700000000000005000, 5, 9, 1, 1);
		assert_frame(&r->seen[1], 1700000000000006000, 6, 6, 113, 2);
		assert_frame(&r->seen[2], 77, 3, 3, 113, 3);
		assert_frame(&r->seen[3], 77, 11, 11, 1, 4);
		assert_int_equal(r->stats.dropped, 28);
		assert_int_equal(r->stats.steps_back, 1);
		assert_int_equal(r->stats.cut, 1);
		free(r);
	}
}

static void
reads_several_sections(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);
	interface(&o, 1, 0, 9, 0);
	enhanced(&o, 0, 10, 4, 4, 1);
	statistics(&o, 0, 1, 0);
	section(&o, true);
	interface(&o, 228, 0, 9, 0);
	enhanced(&o, 0, 20, 4, 4, 2);
	statistics(&o, 0, 2, 0);
	section(&o, false);
	enhanced(&o, 0, 30, 4, 4, 3); /* its interface was of another section */
	struct reading *r = take(&o);
	assert_int_equal(r->count, 2);
	assert_frame(&r->seen[0], 10, 4, 4, 1, 1);
	assert_frame(&r->seen[1], 20, 4, 4, 228, 2);
	assert_int_equal(r->stats.dropped, 3);
	assert_string_equal(r->fault[0],
	    "FILE: damaged at octet 356, after packet 2: a packet of an interface "
	    "that was not described; the rest of the file is not read");
	free(r);
}

static void
knows_all_resolutions(void **state)
{
	(void)state;
	static const struct {
		int tsresol;
		int64_t offset_s;
		uint64_t units;
		int64_t ts_ns;
	} rows[] = {
	    {-1, 0, 1700000000123456, 1700000000123456000},
	    {6, 5, 1700000000123456, 1700000005123456000},
	    {6, -1700000000, 1700000000123456, 123456000},
	    {0, 0, 1700000000, 1700000000000000000},
	    {3, 0, 1700000000123, 1700000000123000000},
	    {9, 0, 1700000000123456789, 1700000000123456789},
	    {12, 0, 1700000000123456789, 1700000000123456},
	    {28, 0, UINT64_MAX, 1},
	    {29, 0, UINT64_MAX, 0},
	    {127, 7, UINT64_MAX, 7000000000},
	    {0x80, 0, 1700000000, 1700000000000000000},
	    {0x81, 0, 3, 1500000000},
	    {0x80 | 32, 0, 1ULL << 31, 500000000},
	    {0x80 | 63, 0, 1ULL << 62, 500000000},
	    {0x80 | 127, 0, UINT64_MAX, 0},
	    {0, 0, UINT64_MAX, INT64_MAX},
	    {9, 0, UINT64_MAX, INT64_MAX},
	    {9, INT64_MIN, 5, INT64_MIN},
	    {9, INT64_MAX, 5, INT64_MAX},
	    {9, -1, 5, -999999995},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int big = 0; big < 2; big++) {
			struct octets o = {0};
			section(&o, big);
			interface(&o, 1, 0, rows[i].tsresol, rows[i].offset_s);
			enhanced(&o, 0, rows[i].units, 1, 1, 0);
			struct reading *r = take(&o);
			assert_int_equal(r->count, 1);
			assert_int_equal(r->seen[0].ts_ns, rows[i].ts_ns);
			free(r);
		}
	}
}

static void
cuts_simple_packets_at_the_snap_length(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);
	interface(&o, 1, 6, -1, 0);
	simple(&o, 60, 8, 1); /* 6 octets and padding */
	simple(&o, 3, 3, 2);
	struct reading *r = take(&o);
	assert_int_equal(r->count, 2);
	assert_frame(&r->seen[0], 0, 6, 60, 1, 1);
	assert_frame(&r->seen[1], 0, 3, 3, 1, 2);
	free(r);
}

static void
reads_every_prefix(void **state)
{
	(void)state;
	struct octets o = {0};
	size_t ends[8], frames[] = {0, 0, 0, 1, 1, 2, 3, 3};
	section(&o, true);
	ends[0] = o.len;
	interface(&o, 1, 0, 9, 0);
	ends[1] = o.len;
	unknown_block(&o, 0x40000bad, 12);
	ends[2] = o.len;
	enhanced(&o, 0, 1, 5, 5, 1);
	ends[3] = o.len;
	section(&o, false);
	interface(&o, 1, 0, 9, 0);
	ends[4] = o.len;
	obsolete(&o, 0, 0xffff, 2, 6, 2);
	ends[5] = o.len;
	simple(&o, 7, 7, 3);
	ends[6] = o.len;
	statistics(&o, 0, 1, 1);
	ends[7] = o.len;
	const size_t section_end = ends[3] + ends[0];
	for (size_t len = 1; len <= o.len; len++) {
		struct reading *r = read_octets(o.p, len, NULL);
		size_t whole = 0;
		if (len < ends[0]) {
			assert_true(r->error[0] != '\0');
			free(r);
			continue;
		}
		while (whole < 7 && ends[whole + 1] <= len)
			whole++;
		assert_string_equal(r->error, "");
		assert_int_equal(r->count, frames[whole]);
		bool sound = len == ends[whole] || len == section_end;
		assert_int_equal(r->faults, !sound);
		if (!sound) {
			char begin[64];
			int n =
			    snprintf(begin, sizeof begin, "FILE: cut short at octet %zu, ", len);
			assert_memory_equal(r->fault[0], begin, (size_t)n);
		}
		free(r);
	}
	assert_splits(&o);
	octets_free(&o);
}

static void
names_what_was_cut(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);	     /* 28 octets */
	interface(&o, 1, 0, 9, 0);   /* 40 octets */
	enhanced(&o, 0, 1, 8, 8, 1); /* 40 octets */
	static const struct {
		size_t len;
		const char *said;
	} rows[] = {
	    {3, "FILE: not a pcap or pcapng capture"},
	    {10,
		"FILE: cut short at octet 10, inside the pcapng section header: not a capture "
		"(any more)"},
	    {30, "FILE: cut short at octet 30, in the middle of a block after packet 0"},
	    {60, "FILE: cut short at octet 60, in the middle of a block after packet 0"},
	    {100, "FILE: cut short at octet 100, in the middle of packet 1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reading *r = read_octets(o.p, rows[i].len, NULL);
		assert_string_equal(r->error[0] != '\0' ? r->error : r->fault[0], rows[i].said);
		free(r);
	}
	octets_free(&o);
}

/* One good packet (at octets 68 to 107), then one block that is damaged: what is said, and that
 * the good one is handed out. */
static void
stops_at_damage(void **state)
{
	(void)state;
	static const struct {
		uint32_t words[10]; /* of the block at octet 108 */
		size_t count;
		const char *said;
	} rows[] = {
	    {{6, 8, 8}, 3, "a block claims 8 octets"},
	    {{6, 34, 0, 0, 0, 0, 0, 0, 34, 34}, 10, "a block claims 34 octets"},
	    {{6, 0xfffffff0u}, 2, "a block claims 4294967280 octets"},
	    {{0x55, LIMIT_BLOCK + 4}, 2, "a block claims 16777220 octets"},
	    {{6, 40, 0, 0, 1, 8, 8, 1, 1, 44}, 10, "a block whose two lengths differ"},
	    {{0x55, 16, 0, 12}, 4, ""},
	    {{6, 16, 0, 16}, 4, "a packet block that is too short"},
	    {{2, 28, 0, 0, 0, 0, 28}, 7, "a packet block that is too short"},
	    {{3, 12, 12}, 3, "a packet block that is too short"},
	    {{6, 40, 1, 0, 1, 8, 8, 1, 1, 40}, 10,
		"a packet of an interface that was not described"},
	    {{2, 40, 0xffff, 0, 1, 8, 8, 1, 1, 40}, 10,
		"a packet of an interface that was not described"},
	    {{6, 40, 0, 0, 1, 9, 9, 1, 1, 40}, 10, "a packet longer than its block"},
	    {{6, 40, 0, 0, 1, 0xffffffffu, 9, 1, 1, 40}, 10, "a packet longer than its block"},
	    {{3, 20, 5, 0, 20}, 5, "a packet longer than its block"},
	    {{1, 16, 1, 16}, 4, "an interface description that is too short"},
	    {{1, 28, 1, 0, 2 | 8 << 16, 0, 28}, 7,
		"an option longer than its interface description"},
	    {{1, 28, 1, 0, 9 | 2 << 16, 0, 28}, 7, "an option of a wrong length in an interface"},
	    {{1, 28, 1, 0, 14 | 4 << 16, 0, 28}, 7, "an option of a wrong length in an interface"},
	    {{0x0a0d0d0a, 28, 0x12345678}, 3, "a section without its byte-order magic"},
	    {{0x0a0d0d0a, 24, 0x1a2b3c4d, 1, 0, 24}, 6, "a section header of an impossible length"},
	    {{0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, 0, 32}, 7,
		"a section header whose two lengths differ"},
	    {{0x0a0d0d0a, 36, 0x1a2b3c4d, 1, 0, 0, 2 | 5 << 16, 0, 36}, 9,
		"an option longer than the section header"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct octets o = {0};
		section(&o, false);
		interface(&o, 1, 0, 9, 0);
		enhanced(&o, 0, 1, 8, 8, 1);
		assert_int_equal(o.len, 108);
		for (size_t k = 0; k < rows[i].count; k++)
			put32(&o, rows[i].words[k]);
		struct reading *r = take(&o);
		char said[CAPTURE_TEXT];
		snprintf(said, sizeof said,
		    "FILE: damaged at octet 108, after packet 1: %s; the rest of the file is "
		    "not read",
		    rows[i].said);
		assert_string_equal(r->error, "");
		assert_int_equal(r->count, 1);
		assert_int_equal(r->faults, 1);
		if (rows[i].said[0] != '\0')
			assert_string_equal(r->fault[0], said);
		else /* found only at the end of the block */
			assert_string_equal(r->fault[0],
			    "FILE: damaged at octet 120, after packet 1: the end "
			    "of a block whose two lengths differ; the rest of the "
			    "file is not read");
		free(r);
	}
}

static void
refuses_versions_and_damaged_beginnings(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);
	o.p[12] = 2;
	struct reading *r = take(&o);
	assert_string_equal(r->error,
	    "FILE: damaged at octet 0: pcapng version 2.0; version 1.0 can be read");
	free(r);
	section(&o, false);
	o.p[24] = 29;
	r = take(&o);
	assert_string_equal(r->error,
	    "FILE: damaged at octet 0: a section header whose two "
	    "lengths differ; not a capture (any more)");
	free(r);
}

static void
bounds_interfaces(void **state)
{
	(void)state;
	struct octets o = {0};
	section(&o, false);
	for (uint32_t i = 0; i < LIMIT_INTERFACES; i++)
		interface(&o, 1, 0, -1, 0);
	enhanced(&o, LIMIT_INTERFACES - 1, 1, 8, 8, 1);
	interface(&o, 1, 0, -1, 0);
	enhanced(&o, 0, 1, 8, 8, 1);
	struct reading *r = take(&o);
	assert_int_equal(r->count, 1);
	assert_non_null(strstr(r->fault[0], "more interfaces than can be"));
	free(r);
}

/* A block of no interest may be as long as any block; so may a packet with its options. */
static void
reads_the_longest_blocks(void **state)
{
	(void)state;
	struct octets o = {0}, b = {0};
	section(&o, false);
	interface(&o, 1, 0, 9, 0);
	unknown_block(&o, 0x77, LIMIT_BLOCK - 12);
	put32(&b, 0);
	put32(&b, 0);
	put32(&b, 9);
	put32(&b, LIMIT_FRAME);
	put32(&b, LIMIT_FRAME);
	put_fill(&b, 6, LIMIT_FRAME);
	put_fill(&b, 7, LIMIT_BLOCK - 12 - b.len);
	block(&o, 6, &b);
	octets_free(&b);
	enhanced(&o, 0, 10, LIMIT_FRAME + 1, LIMIT_FRAME + 1, 8);
	struct reading *r = take(&o);
	assert_int_equal(r->count, 1);
	assert_frame(&r->seen[0], 9, LIMIT_FRAME, LIMIT_FRAME, 1, 6);
	assert_non_null(strstr(r->fault[0], "a packet longer than any can be"));
	free(r);
}

/* Any octet replaced by any of a few values: never a crash, and the time stays sane. */
static void
survives_changed_octets(void **state)
{
	(void)state;
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct octets o = {0};
	two_interfaces(&o, false);
	for (size_t i = 0; i < o.len; i++) {
		for (size_t k = 0; k < sizeof values; k++) {
			uint8_t was = o.p[i];
			o.p[i] = values[k];
			struct reading *r = read_octets(o.p, o.len, NULL);
			assert_true(r->error[0] != '\0' || r->count <= 4);
			free(r);
			o.p[i] = was;
		}
	}
	octets_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_both_byte_orders),
	    cmocka_unit_test(reads_several_sections),
	    cmocka_unit_test(knows_all_resolutions),
	    cmocka_unit_test(cuts_simple_packets_at_the_snap_length),
	    cmocka_unit_test(reads_every_prefix),
	    cmocka_unit_test(names_what_was_cut),
	    cmocka_unit_test(stops_at_damage),
	    cmocka_unit_test(refuses_versions_and_damaged_beginnings),
	    cmocka_unit_test(bounds_interfaces),
	    cmocka_unit_test(reads_the_longest_blocks),
	    cmocka_unit_test(survives_changed_octets),
	};
	return cmocka_run_group_tests_name("capture_pcapng", tests, NULL, NULL);
}
