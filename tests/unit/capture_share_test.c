/* The share of a worker: by the outer pair of addresses, whatever is around it. */
#include "capture_packets.h"

#include "capture/share.h"

static unsigned
share(const struct packet *p, unsigned shares)
{
	struct frame f = frame_of(p);
	return share_of(&f, shares);
}

static void
both_directions_are_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct packet a, b;
		uint8_t from = (uint8_t)i, to = (uint8_t)(3 * i + 1);
		add_link(&a, ETHERNET, 0x0800, 0);
		add_ip4(&a, 0, 0, 6, from, to);
		add_link(&b, ETHERNET, 0x0800, 0);
		add_ip4(&b, 0, 0, 17, from, to);
		uint8_t address[4];
		memcpy(address, b.b + 26, 4);
		memcpy(b.b + 26, b.b + 30, 4);
		memcpy(b.b + 30, address, 4);
		assert_int_equal(share(&a, 7), share(&b, 7));
	}
}

/* Tags, options, fragments and the link make no difference; each share is below the number. */
static void
the_pair_alone_counts(void **state)
{
	(void)state;
	struct packet p;
	for (unsigned shares = 1; shares <= 64; shares++) {
		add_link(&p, RAW, 0, 0);
		add_ip4(&p, 0, 0, 6, 9, 25);
		unsigned want = share(&p, shares);
		assert_true(want < shares);
		for (size_t i = 0; i < LINKS; i++) {
			for (unsigned tags = 0; tags <= SHARE_TAGS; tags++) {
				if (tags > 0 && !has_type(all_links[i]))
					continue;
				add_link(&p, all_links[i], 0x0800, tags);
				add_ip4(&p, tags % 2 * 8, tags % 3, 6 + tags, 9, 25);
				add_ports(&p, 1, 2);
				assert_int_equal(share(&p, shares), want);
			}
		}
	}
	add_link(&p, RAW, 0, 0);
	add_ip6(&p, 6, 9, 25);
	unsigned want = share(&p, 61);
	for (size_t i = 0; i < LINKS; i++) {
		add_link(&p, all_links[i], 0x86dd, has_type(all_links[i]) ? 2 : 0);
		add_ip6(&p, 44, 9, 25);
		assert_int_equal(share(&p, 61), want);
	}
}

static void
what_has_no_ip_is_the_first_workers(void **state)
{
	(void)state;
	static const unsigned types[] = {0x0806, 0x8847, 0x8864, 0x0026, 0x88cc, 0};
	struct packet p;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		add_link(&p, ETHERNET, types[i], 0);
		add_ip4(&p, 0, 0, 6, 9, 25);
		assert_int_equal(share(&p, 61), 0);
	}
	add_link(&p, ETHERNET, 0x0800, 0);
	add_ip4(&p, 0, 0, 6, 9, 25);
	assert_int_not_equal(share(&p, 61), 0);
	p.link_type = 105;
	assert_int_equal(share(&p, 61), 0);
	add_link(&p, ETHERNET, 0x0800, SHARE_TAGS + 1);
	add_ip4(&p, 0, 0, 6, 9, 25);
	assert_int_equal(share(&p, 61), 0);
	add_link(&p, ETHERNET, 0x0800, 0);
	add_ip4(&p, 0, 0, 6, 9, 25);
	p.b[14] = 0x55;
	assert_int_equal(share(&p, 61), 0);
}

/* Octets that were not captured are not read (the sanitizers see it), and the cut is worker 0's. */
static void
cut_frames_are_the_first_workers(void **state)
{
	(void)state;
	struct packet p;
	for (size_t i = 0; i < LINKS; i++) {
		for (unsigned six = 0; six < 2; six++) {
			add_link(&p, all_links[i], six ? 0x86dd : 0x0800,
			    has_type(all_links[i]) ? 3 : 0);
			uint32_t link = p.len;
			if (six)
				add_ip6(&p, 6, 9, 25);
			else
				add_ip4(&p, 0, 0, 6, 9, 25);
			unsigned want = share(&p, 61);
			assert_int_not_equal(want, 0);
			for (uint32_t n = 0; n < p.len; n++) {
				uint8_t *copy = malloc(n > 0 ? n : 1);
				assert_non_null(copy);
				memcpy(copy, p.b, n);
				struct frame f = frame_of(&p);
				f.data = copy;
				f.caplen = n;
				assert_int_equal(share_of(&f, 61),
				    n >= link + (six ? 40 : 20) ? want : 0);
				free(copy);
			}
		}
	}
}

/* Clients of one network and one server: no worker has more than twice its part. */
static void
neighbours_are_spread(void **state)
{
	(void)state;
	for (unsigned shares = 2; shares <= 16; shares++) {
		unsigned count[16] = {0};
		for (unsigned i = 0; i < 4096; i++) {
			struct packet p;
			add_link(&p, RAW4, 0, 0);
			add_ip4(&p, 0, 0, 6, (uint8_t)i, 25);
			p.b[14] = (uint8_t)(i >> 8);
			count[share(&p, shares)]++;
		}
		for (unsigned i = 0; i < shares; i++) {
			assert_true(count[i] < 2 * 4096 / shares);
			assert_true(count[i] > 4096 / shares / 2);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_directions_are_one),
	    cmocka_unit_test(the_pair_alone_counts),
	    cmocka_unit_test(what_has_no_ip_is_the_first_workers),
	    cmocka_unit_test(cut_frames_are_the_first_workers),
	    cmocka_unit_test(neighbours_are_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
