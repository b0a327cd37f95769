/* Addresses and networks: what is read, what is refused, how it prints, what a prefix holds. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct addr
addr_of(const char *s)
{
	struct addr a;
	if (!addr_parse(s, &a))
		fail_msg("%s is refused", s);
	return a;
}

static void
printed_as_rfc5952(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	    {"2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one field is not shortened */
	    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},	       /* the longest run is */
	    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     /* or else the first */
	    {"0:0:0:0:0:0:0:0", "::"},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char out[ADDR_TEXT];
		struct addr a = addr_of(pairs[i][0]);
		assert_ptr_equal(addr_print(&a, out), out);
		assert_string_equal(out, pairs[i][1]);
		assert_int_equal(a.family, strchr(pairs[i][0], ':') != NULL ? 6 : 4);
	}
	struct addr none = {0};
	char out[ADDR_TEXT] = "x";
	assert_string_equal(addr_print(&none, out), "");
}

/* All patterns of words that are 0, with others of one to four digits, against the C library. */
static void
printed_as_the_library_does(void **state)
{
	(void)state;
	static const uint8_t others[][2] = {{0, 1}, {0, 0xab}, {0x0d, 0xb8}, {0xff, 0xff},
	    {0x10, 0}};
	for (unsigned zeros = 0; zeros < 256; zeros++) {
		for (unsigned turn = 0; turn < 25; turn++) {
			char out[ADDR_TEXT], expected[ADDR_TEXT];
			struct addr a = {.family = 6};
			for (unsigned i = 0; i < 8; i++) {
				if ((zeros >> i & 1) == 0)
					memcpy(a.b + 2 * i, others[(turn + i * (turn / 5)) % 5], 2);
			}
			inet_ntop(AF_INET6, a.b, expected, sizeof expected);
			assert_string_equal(addr_print(&a, out), expected);
		}
	}
}

static void
made_of_octets(void **state)
{
	(void)state;
	static const uint8_t v4[4] = {192, 0, 2, 1}, v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	struct addr a = addr_v4(v4), b = addr_v6(v6), a2 = addr_of("192.0.2.1"),
		    b2 = addr_of("2001:db8::1");
	assert_memory_equal(&a, &a2, sizeof a); /* the octets that are not used are zero */
	assert_memory_equal(&b, &b2, sizeof b);
}

static void
bad_ones_are_refused(void **state)
{
	(void)state;
	static const char *const addrs[] = {"", " ", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4 ",
	    " 1.2.3.4", "0x1.2.3.4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	    "12345::", "fe80::1%lo", "[::1]", "::1.2.3", "host.example"};
	static const char *const nets[] = {"/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
	    "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/0x8",
	    "10.0.0.0/255.0.0.0", "10.0.0.0/4294967304", "10.0.0.0/18446744073709551624", "10/8",
	    "::/129", "::/256", "::/a", "1234567890123456789012345678901234567890123456/8"};
	struct addr a;
	struct network n, untouched;
	memset(&n, 0x5a, sizeof n);
	untouched = n;
	for (size_t i = 0; i < sizeof addrs / sizeof addrs[0]; i++) {
		if (addr_parse(addrs[i], &a) || network_parse(addrs[i], &n))
			fail_msg("'%s' is read", addrs[i]);
	}
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		if (network_parse(nets[i], &n))
			fail_msg("'%s' is read", nets[i]);
	}
	assert_memory_equal(&n, &untouched, sizeof n);
}

static bool
has(const char *network, const char *addr)
{
	struct network n;
	struct addr a = addr_of(addr);
	if (!network_parse(network, &n))
		fail_msg("%s is refused", network);
	return network_has(&n, &a);
}

static void
what_a_network_holds(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.255.255"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("192.0.2.77/24", "192.0.2.1")); /* the host's bits do not count */
	assert_true(has("192.0.2.0/23", "192.0.3.255"));
	assert_false(has("192.0.2.0/23", "192.0.4.0"));
	assert_true(has("0.0.0.0/0", "255.255.255.255"));
	assert_true(has("192.0.2.1", "192.0.2.1"));
	assert_false(has("192.0.2.1/32", "192.0.2.0"));
	assert_true(has("192.0.2.1/31", "192.0.2.0"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::"));
	assert_true(has("::1/128", "::1"));
	assert_false(has("::1", "::"));
	assert_false(has("::/0", "0.0.0.0")); /* never across the families */
	assert_false(has("0.0.0.0/0", "::ffff:192.0.2.1"));
}

/* Every prefix length: one flipped bit is seen inside the prefix, and nowhere else. */
static void
any_of_several(void **state)
{
	(void)state;
	struct network n[2];
	struct addr in = addr_of("192.0.2.9"), out = addr_of("198.51.100.9"), none = {0};
	assert_true(network_parse("2001:db8::/32", &n[0]));
	assert_true(network_parse("192.0.2.0/24", &n[1]));
	assert_true(networks_have(n, 2, &in));
	assert_false(networks_have(n, 1, &in));
	assert_false(networks_have(n, 0, &in));
	assert_false(networks_have(n, 2, &out));
	assert_false(networks_have(n, 2, &none));
}

static void
each_bit_of_each_prefix(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		unsigned most = family == 4 ? 32 : 128;
		struct network n = {.addr.family = (uint8_t)family};
		memset(n.addr.b, 0xa5, most / 8);
		for (unsigned bits = 0; bits <= most; bits++) {
			n.bits = (uint8_t)bits;
			for (unsigned flip = 0; flip < most; flip++) {
				struct addr a = n.addr;
				a.b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
				assert_true(network_has(&n, &a) == (flip >= bits));
			}
		}
	}
}

static void
loopback(void **state)
{
	(void)state;
	static const char *const yes[] = {"127.0.0.0", "127.255.255.255", "::1"};
	static const char *const no[] = {"126.255.255.255", "128.0.0.0", "::", "::2", "1::1",
	    "7f00::"};
	struct addr a;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		a = addr_of(yes[i]);
		assert_true(addr_is_loopback(&a));
	}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
		a = addr_of(no[i]);
		assert_false(addr_is_loopback(&a));
	}
	a = (struct addr){.b = {127, [15] = 1}};
	assert_false(addr_is_loopback(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(printed_as_rfc5952),
	    cmocka_unit_test(printed_as_the_library_does),
	    cmocka_unit_test(made_of_octets),
	    cmocka_unit_test(bad_ones_are_refused),
	    cmocka_unit_test(what_a_network_holds),
	    cmocka_unit_test(any_of_several),
	    cmocka_unit_test(each_bit_of_each_prefix),
	    cmocka_unit_test(loopback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
