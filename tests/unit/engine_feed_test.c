/* What a worker does, over small captures: where it ends and why, and that shares make a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/feed.h"
#include "folder.h"

#define OFFICE	"pcaps/office.pcap"
#define PACKETS 348u
#define MOST	1024u

static struct feed feed;
static struct record record;

static void
begin(const char *path, uint64_t limit, unsigned share, unsigned shares)
{
	const struct engine_config config = {.memory = ENGINE_MEMORY_MIN, .no_ndpi = true};
	struct capture_error error;
	char text[256];
	memset(&feed, 0, sizeof feed);
	feed.files = capture_open_files(&path, 1, NULL, &error);
	if (feed.files == NULL)
		fail_msg("%s", error.text);
	feed.engine = engine_new(&config, text);
	assert_non_null(feed.engine);
	feed.limit = limit;
	feed.share = share;
	feed.shares = shares;
}

static void
end(void)
{
	engine_free(feed.engine);
	capture_close(feed.files);
}

/* Records until the end; `stop_at`: as many before it is stopped. */
static size_t
run(size_t stop_at)
{
	size_t records = 0;
	uint64_t number = 0;
	enum feed_status s;
	while ((s = feed_next(&feed, &record)) != FEED_END) {
		assert_true(s == FEED_RECORD || s == FEED_MORE);
		assert_true(feed.number >= number);
		number = feed.number;
		if (s == FEED_RECORD && ++records == stop_at) {
			feed_stop(&feed);
			feed_stop(&feed);
		}
	}
	assert_int_equal(feed_next(&feed, &record), FEED_END);
	return records;
}

static uint64_t
packets(void)
{
	struct feed_report r;
	feed_report_get(&feed, &r);
	assert_int_equal(r.capture.frames, r.packets);
	assert_int_equal(r.memory, ENGINE_MEMORY_MIN);
	assert_true(r.tables > 0 && r.tables <= FEED_TABLES);
	assert_true(r.octets_read <= r.octets_total);
	return r.packets;
}

static void
it_ends_with_its_input(void **state)
{
	(void)state;
	char text[CAPTURE_TEXT];
	enum feed_event what;
	begin(OFFICE, 0, 0, 1);
	assert_true(run(0) > 20);
	assert_int_equal(feed.end, FEED_END_INPUT);
	assert_int_equal(packets(), PACKETS);
	assert_false(feed_event(&feed, &what, text));
	feed_stop(&feed); /* changes nothing any more */
	assert_int_equal(feed.end, FEED_END_INPUT);
	end();
}

static void
it_ends_after_so_many_packets(void **state)
{
	(void)state;
	static const uint64_t limits[] = {1, 2, 10, PACKETS - 1, PACKETS, PACKETS + 1};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		for (unsigned share = 0; share < 2; share++) {
			begin(OFFICE, limits[i], share, 2);
			(void)run(0);
			assert_int_equal(feed.end, FEED_END_INPUT);
			assert_int_equal(packets(), limits[i] < PACKETS ? limits[i] : PACKETS);
			end();
		}
	}
}

static void
it_stops_in_order(void **state)
{
	(void)state;
	for (size_t stop_at = 1; stop_at < 20; stop_at++) {
		begin(OFFICE, 0, 0, 1);
		assert_true(run(stop_at) >= stop_at); /* what was open ends */
		assert_int_equal(feed.end, FEED_END_STOP);
		assert_true(packets() < PACKETS);
		end();
	}
	begin(OFFICE, 0, 0, 1);
	feed_stop(&feed);
	assert_int_equal(run(0), 0);
	assert_int_equal(packets(), 0);
	end();
}

static void
damage_is_reported_once(void **state)
{
	(void)state;
	char text[CAPTURE_TEXT];
	enum feed_event what;
	FILE *f = fopen(OFFICE, "rb");
	static uint8_t octets[20000];
	assert_non_null(f);
	assert_int_equal(fread(octets, 1, sizeof octets, f), sizeof octets);
	fclose(f);
	write_octets("cut.pcap", octets, sizeof octets - 1);
	for (unsigned share = 0; share < 2; share++) { /* all of them see it */
		begin(path_of("cut.pcap"), 0, share, 2);
		(void)run(0);
		assert_int_equal(feed.end, FEED_END_INPUT);
		assert_true(feed_event(&feed, &what, text));
		assert_int_equal(what, FEED_EVENT_FAULT);
		assert_non_null(strstr(text, "cut.pcap: cut short"));
		assert_false(feed_event(&feed, &what, text));
		end();
	}
}

/* A record, and whose it was. */
struct kept {
	uint64_t number;
	unsigned share;
	size_t at; /* order of its coming */
	struct record *r;
};

static struct kept whole[MOST], parts[MOST];

static size_t
keep(struct kept *to, size_t n, unsigned share, unsigned shares)
{
	enum feed_status s;
	begin(OFFICE, 0, share, shares);
	while ((s = feed_next(&feed, &record)) != FEED_END) {
		if (s != FEED_RECORD)
			continue;
		assert_true(n < MOST);
		to[n] = (struct kept){feed.number, share, n, malloc(sizeof record)};
		assert_non_null(to[n].r);
		*to[n++].r = record;
	}
	assert_int_equal(packets(), PACKETS);
	end();
	return n;
}

static int
by_number(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->share != y->share)
		return x->share < y->share ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/* Workers of many see connections end at the same frame as the one of one: others' frames move
 * their clocks as their own would. */
static void
shares_make_a_whole(void **state)
{
	(void)state;
	size_t n = keep(whole, 0, 0, 1), open_at_end = 0;
	assert_true(n > 20);
	for (unsigned shares = 2; shares <= 7; shares++) {
		size_t m = 0;
		for (unsigned share = 0; share < shares; share++)
			m = keep(parts, m, share, shares);
		assert_int_equal(m, n);
		qsort(parts, m, sizeof *parts, by_number);
		for (size_t i = 0; i < n; i++) {
			/* at one frame, those of several workers may come in another order */
			size_t k = 0;
			while (k < n &&
			    (parts[k].r == NULL || parts[k].number != whole[i].number ||
				parts[k].r->len != whole[i].r->len ||
				memcmp(parts[k].r->data, whole[i].r->data, whole[i].r->len) != 0))
				k++;
			if (k == n)
				fail_msg("-j %u lacks record %zu, of frame %llu", shares, i,
				    (unsigned long long)whole[i].number);
			open_at_end += whole[i].number == PACKETS + 1;
			free(parts[k].r);
			parts[k].r = NULL;
		}
	}
	for (size_t i = 0; i < n; i++)
		free(whole[i].r);
	assert_true(open_at_end < 6 * n); /* some end in the midst, too */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_ends_with_its_input),
	    cmocka_unit_test(it_ends_after_so_many_packets),
	    cmocka_unit_test(it_stops_in_order),
	    FOLDER_TEST(damage_is_reported_once),
	    cmocka_unit_test(shares_make_a_whole),
	};
	return cmocka_run_group_tests_name("engine/feed", tests, NULL, NULL);
}
