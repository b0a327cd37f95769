/* The classic pcap format: every variant of it, every way to be cut or damaged. */
#include "capture_read.h"

#include "base/limits.h"

static struct reading *
take(struct octets *o)
{
	struct reading *r = read_octets(o->p, o->len, NULL);
	octets_free(o);
	return r;
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
reads_all_magic_variants(void **state)
{
	static const struct {
		uint32_t magic;
		int64_t first_ns, second_ns;
	} variants[] = {
	    {MICRO, 1700000000000005000LL, 1700000001999999000LL},
	    {NANO, 1700000000000000005LL, 1700000001000999999LL},
	    {MODIFIED, 1700000000000005000LL, 1700000001999999000LL},
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int big = 0; big < 2; big++) {
			struct octets o = {.big = big};
			pcap_header(&o, variants[i].magic, 4, 113);
			uint32_t fraction[] = {5, 999999};
			for (uint32_t k = 0; k < 2; k++) {
				put32(&o, 1700000000 + k);
				put32(&o, fraction[k]);
				put32(&o, 6);
				put32(&o, k == 0 ? 6 : 60);
				if (variants[i].magic == MODIFIED)
					put_fill(&o, 0xee, 8);
				put_fill(&o, 0xa0 + (int)k, 6);
			}
			struct reading *r = take(&o);
			assert_string_equal(r->error, "");
			assert_int_equal(r->faults, 0);
			assert_int_equal(r->count, 2);
			assert_frame(&r->seen[0], variants[i].first_ns, 6, 6, 113, 0xa0);
			assert_frame(&r->seen[1], variants[i].second_ns, 6, 60, 113, 0xa1);
			assert_int_equal(r->seen[0].number, 1);
			assert_int_equal(r->seen[1].number, 2);
			assert_int_equal(r->stats.cut, 1);
			assert_int_equal(r->stats.captured, 12);
			assert_int_equal(r->stats.wire, 66);
			assert_int_equal(r->stats.first_ns, variants[i].first_ns);
			assert_int_equal(r->stats.last_ns, variants[i].second_ns);
			assert_int_equal(r->octets_read, r->octets_total);
			free(r);
		}
	}
}

static void
swaps_lengths_of_old_versions(void **state)
{
	(void)state;
	for (uint32_t minor = 0; minor <= 4; minor++) {
		struct octets o = {0};
		pcap_header(&o, MICRO, minor, 1);
		put32(&o, 1);
		put32(&o, 0);
		put32(&o, minor < 4 ? 9 : 3); /* before 2.3 the length on the wire came first */
		put32(&o, minor < 4 ? 3 : 9);
		put_fill(&o, 7, 3);
		struct reading *r = take(&o);
		assert_int_equal(r->count, 1);
		assert_frame(&r->seen[0], 1000000000, 3, 9, 1, 7);
		free(r);
	}
}

/* Before 2.3 the order is known; in 2.3 it is guessed from which is the longer. */
static void
guesses_no_more_than_it_must(void **state)
{
	(void)state;
	for (uint32_t minor = 2; minor <= 3; minor++) {
		struct octets o = {0};
		pcap_header(&o, MICRO, minor, 1);
		put32(&o, 1);
		put32(&o, 0);
		put32(&o, 3);
		put32(&o, 9);
		put_fill(&o, 7, minor == 2 ? 9 : 3);
		struct reading *r = take(&o);
		assert_int_equal(r->count, 1);
		assert_int_equal(r->faults, 0);
		assert_frame(&r->seen[0], 1000000000, minor == 2 ? 9 : 3, 9, 1, 7);
		free(r);
	}
}

static void
refuses_other_versions(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 5, 1);
	struct reading *r = take(&o);
	assert_string_equal(r->error,
	    "FILE: is a pcap file of version 2.5; versions 2.0 to 2.4 can be read");
	free(r);
}

static void
takes_odd_values(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 0xf4000001u); /* with a frame check sequence of 4 octets */
	pcap_packet(&o, 10, 3500000, 4, 2, 1);	/* 3.5 s of fraction, longer than the wire */
	pcap_packet(&o, 0xffffffffu, 0xffffffffu, 0, 0, 0);
	pcap_packet(&o, 5, 0, 2, 2, 3); /* the clock steps back */
	struct reading *r = take(&o);
	assert_int_equal(r->count, 3);
	assert_frame(&r->seen[0], 13500000000, 4, 4, 1, 1);
	assert_frame(&r->seen[1], 4294967295000000000 + 4294967295000, 0, 0, 1, -1);
	assert_frame(&r->seen[2], 5000000000, 2, 2, 1, 3);
	assert_int_equal(r->stats.steps_back, 1);
	assert_int_equal(r->stats.first_ns, 5000000000);
	free(r);
}

static void
holds_no_frames(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, NANO, 4, 1);
	struct reading *r = take(&o);
	assert_string_equal(r->error, "");
	assert_int_equal(r->count, 0);
	assert_int_equal(r->faults, 0);
	assert_int_equal(r->stats.first_ns, 0);
	free(r);
}

/* Each prefix gives the packets that it holds in whole, and says where it is cut. */
static void
reads_every_prefix(void **state)
{
	(void)state;
	struct octets o = {.big = true};
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 5, 5, 1);
	pcap_packet(&o, 2, 0, 0, 0, 2);
	pcap_packet(&o, 3, 0, 9, 9, 3);
	static const size_t ends[] = {24, 45, 61, 86};
	assert_int_equal(o.len, ends[3]);
	for (size_t len = 1; len <= o.len; len++) {
		struct reading *r = read_octets(o.p, len, NULL);
		size_t whole = 0;
		char said[CAPTURE_TEXT] = "";
		while (whole < 3 && ends[whole + 1] <= len)
			whole++;
		if (len < 4) {
			assert_string_equal(r->error, "FILE: not a pcap or pcapng capture");
		} else if (len < 24) {
			snprintf(said, sizeof said,
			    "FILE: cut short at octet %zu, inside the pcap file header: "
			    "not a capture (any more)",
			    len);
			assert_string_equal(r->error, said);
		} else {
			assert_string_equal(r->error, "");
			assert_int_equal(r->count, whole);
			if (len != ends[whole])
				snprintf(said, sizeof said,
				    "FILE: cut short at octet %zu, in the %s packet %zu", len,
				    len - ends[whole] < 16 ? "header of" : "middle of", whole + 1);
			assert_int_equal(r->faults, said[0] != '\0');
			assert_int_equal(r->stats.files_damaged, r->faults);
			assert_string_equal(r->fault[0], said);
		}
		free(r);
	}
	assert_splits(&o);
	octets_free(&o);
}

static void
stops_at_an_absurd_length(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 4, 4, 1);
	put32(&o, 2);
	put32(&o, 0);
	put32(&o, LIMIT_FRAME + 1);
	put32(&o, LIMIT_FRAME + 1);
	put_fill(&o, 0, 64);
	struct reading *r = take(&o);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->faults, 1);
	assert_string_equal(r->fault[0],
	    "FILE: damaged at octet 44: packet 2 claims 4194305 "
	    "octets; the rest of the file is not read");
	assert_int_equal(r->octets_read, r->octets_total);
	free(r);
}

/* The buffer grows to the longest frame there may be. */
static void
reads_the_longest_frame(void **state)
{
	(void)state;
	struct octets o = {0};
	pcap_header(&o, MICRO, 4, 1);
	pcap_packet(&o, 1, 0, 4, 4, 1);
	pcap_packet(&o, 1, 0, LIMIT_FRAME, LIMIT_FRAME, 2);
	pcap_packet(&o, 1, 0, 4, 4, 3);
	struct reading *r = take(&o);
	assert_int_equal(r->count, 3);
	assert_frame(&r->seen[1], 1000000000, LIMIT_FRAME, LIMIT_FRAME, 1, 2);
	assert_frame(&r->seen[2], 1000000000, 4, 4, 1, 3);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_all_magic_variants),
	    cmocka_unit_test(swaps_lengths_of_old_versions),
	    cmocka_unit_test(guesses_no_more_than_it_must),
	    cmocka_unit_test(refuses_other_versions),
	    cmocka_unit_test(takes_odd_values),
	    cmocka_unit_test(holds_no_frames),
	    cmocka_unit_test(reads_every_prefix),
	    cmocka_unit_test(stops_at_an_absurd_length),
	    cmocka_unit_test(reads_the_longest_frame),
	};
	return cmocka_run_group_tests_name("capture_pcapfile", tests, NULL, NULL);
}
