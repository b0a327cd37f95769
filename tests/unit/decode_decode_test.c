/* Frames by hand through every link type and layer; each prefix of each is decoded from a buffer of
 * its own size. */
#include "decode/defrag.h"
#include "frame_build.h"

static void
links(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		const char *head;
		uint32_t len;
	} rows[] = {
	    {101, "", 0},
	    {12, "", 0},
	    {14, "", 0},
	    {228, "", 0},
	    {0, "\x02\0\0\0", 4},
	    {0, "\0\0\0\x02", 4},
	    {108, "\0\0\0\x02", 4},
	    {113, "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\0", 16},
	    {276, "\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0", 20},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x81\0\0\x07\x08\0", 18},
	    {1, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xa8\0\x07\x81\0\0\x08\x08\0", 22},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		put(&f, rows[i].head, rows[i].len);
		ip4(&f, 0, 45, 0x4000, 6);
		tcp(&f, 0, "hello");
		expect_hello(&f, rows[i].type, 0, 4);
	}
}

static void
the_outermost_tag_and_the_addresses_are_kept(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x88a8);
	put16(&f, 0x2007);
	put16(&f, 0x8100);
	put16(&f, 0x0008);
	put16(&f, 0x0800);
	ip4(&f, 0, 45, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg), DECODE_TCP);
	assert_int_equal(seg.vlan, 7);
	assert_int_equal(seg.mac[0][5], 2); /* source */
	assert_int_equal(seg.mac[1][5], 1);
}

/* That of the packet itself, not of what it is wrapped in. */
static void
the_innermost_ttl_is_kept(void **state)
{
	(void)state;
	struct segment seg;
	struct build f = {.len = 0};
	ether(&f, 0x0800);
	ip4(&f, 0, 45, 0, 6);
	f.b[14 + 8] = 61;
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg), DECODE_TCP);
	assert_int_equal(seg.ttl, 61);

	struct build six = {.len = 0};
	ether(&six, 0x86dd);
	ip6(&six, 25, 6);
	six.b[14 + 7] = 253;
	tcp(&six, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, six.b, six.len, six.len, &seg), DECODE_TCP);
	assert_int_equal(seg.ttl, 253);

	struct build in = {.len = 0}; /* IPv6 in IPv4, then IPv4 in IPv6 */
	ether(&in, 0x0800);
	ip4(&in, 0, 20 + 40 + 25, 0, 41);
	ip6(&in, 25, 6);
	in.b[14 + 8] = 9;
	in.b[14 + 20 + 7] = 127;
	tcp(&in, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, in.b, in.len, in.len, &seg), DECODE_TCP);
	assert_int_equal(seg.ttl, 127);

	struct build out = {.len = 0};
	ether(&out, 0x86dd);
	ip6(&out, 45, 4);
	ip4(&out, 0, 45, 0, 6);
	out.b[14 + 7] = 9;
	out.b[14 + 40 + 8] = 128;
	tcp(&out, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, out.b, out.len, out.len, &seg), DECODE_TCP);
	assert_int_equal(seg.ttl, 128);
}

static void
ipv4_odds(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 24, 24 + 45 + 12, 0, 6);
	tcp(&f, 12, "hello");
	expect_hello(&f, 1, 0, 4);
	put(&f, "\0\0\0\0\0\0", 6); /* Ethernet pads to 60 octets */
	expect_hello(&f, 1, 6, 4);

	struct build tso = {.len = 0}; /* total length 0: the frame's counts */
	ether(&tso, 0x0800);
	ip4(&tso, 0, 0, 0, 6);
	tcp(&tso, 0, "hello");
	expect_hello(&tso, 1, 0, 4);
	/* ... but not beyond what a frame can be */
	assert_int_equal(decode_frame(NULL, 1, tso.b, tso.len, UINT32_MAX, &seg), DECODE_TCP);
	assert_int_equal(seg.len, 5);
	assert_int_equal(seg.wire_len, LIMIT_FRAME - 14 - 20 - 20);

	/* which may say anything */
	assert_int_equal(decode_frame(NULL, 1, tso.b, tso.len, UINT32_MAX, &seg), DECODE_TCP);
	assert_int_equal(seg.len, 5);
	assert_int_equal(seg.wire_len, LIMIT_FRAME - 14 - 20 - 20);

	static const unsigned fragments[] = {0x2000, 0x0001, 0x2001};
	for (size_t i = 0; i < 3; i++) {
		struct build frag = {.len = 0};
		ether(&frag, 0x0800);
		ip4(&frag, 0, 45, fragments[i], 6);
		tcp(&frag, 0, "hello");
		assert_int_equal(decode_frame(NULL, 1, frag.b, frag.len, frag.len, &seg),
		    DECODE_FRAGMENT);
	}
	struct build udp = {.len = 0};
	ether(&udp, 0x0800);
	ip4(&udp, 0, 45, 0, 17);
	tcp(&udp, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, udp.b, udp.len, udp.len, &seg), DECODE_OTHER);
}

/* Whichever of them comes last, the datagram is decoded as one that was never cut. */
static void
fragments_are_joined(void **state)
{
	(void)state;
	struct build segment = {.len = 0};
	tcp(&segment, 0, "hello");
	for (unsigned round = 0; round < 4; round++) {
		uint32_t first = round / 2 == 0 ? 8 : 16;
		struct defrag d;
		struct segment seg;
		assert_true(defrag_init(&d, 4));
		d.now_ns = 1000000000;
		for (unsigned i = 0; i < 2; i++) {
			bool begins = (i ^ round) % 2 == 0;
			uint32_t at = begins ? 0 : first, n = begins ? first : segment.len - first;
			struct build f = {.len = 0};
			ether(&f, 0x0800);
			ip4(&f, 0, 20 + n, begins ? 0x2000 : first / 8, 6);
			put(&f, segment.b + at, n);
			assert_int_equal(decode_frame(&d, 1, f.b, f.len, f.len, &seg),
			    i == 0 ? DECODE_FRAGMENT : DECODE_TCP);
		}
		assert_int_equal(seg.seq, 1000);
		assert_int_equal(seg.ends.port[1], 25);
		assert_int_equal(seg.len, 5);
		assert_memory_equal(seg.payload, "hello", 5);
		defrag_free(&d);
	}
}

static void
ipv6_extensions(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	ether(&f, 0x86dd);
	ip6(&f, 8 + 16 + 8 + 25, 0);
	put(&f, "\x2b\0\0\0\0\0\0\0", 8);		     /* hop-by-hop */
	put(&f, "\x2c\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* routing */
	put(&f, "\x06\0\0\0\0\0\0\x01", 8);		     /* an atomic fragment */
	tcp(&f, 0, "hello");
	expect_hello(&f, 1, 0, 6);

	struct build frag = {.len = 0};
	struct segment seg;
	ether(&frag, 0x86dd);
	ip6(&frag, 8 + 25, 44);
	put(&frag, "\x06\0\0\x01\0\0\0\x01", 8);
	tcp(&frag, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, frag.b, frag.len, frag.len, &seg), DECODE_FRAGMENT);

	struct build endless = {.len = 0};
	ether(&endless, 0x86dd);
	ip6(&endless, 8 * 200, 60);
	for (int i = 0; i < 200; i++)
		put(&endless, "\x3c\0\0\0\0\0\0\0", 8);
	assert_int_equal(decode_frame(NULL, 1, endless.b, endless.len, endless.len, &seg),
	    DECODE_DAMAGED);
}

static void
a_cut_payload_keeps_its_length(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 0, 1500, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, f.b, f.len, 1514, &seg), DECODE_TCP);
	assert_int_equal(seg.len, 5);
	assert_int_equal(seg.wire_len, 1460);
}

static void
a_cut_header_names_the_ends(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	ether(&f, 0x0800);
	ip4(&f, 0, 45, 0, 6);
	tcp(&f, 0, "hello");
	assert_int_equal(decode_frame(NULL, 1, f.b, 14 + 20 + 8, f.len, &seg), DECODE_TCP);
	assert_true(seg.headless);
	assert_int_equal(seg.ends.port[1], 25);
	assert_int_equal(seg.wire_len, 0);
	assert_int_equal(decode_frame(NULL, 1, f.b, 14 + 20 + 8, 14 + 20 + 8, &seg),
	    DECODE_TCP); /* IP says more was sent */
	assert_int_equal(decode_frame(NULL, 1, f.b, 14 + 20 + 3, f.len, &seg), DECODE_DAMAGED);
}

static void
lies_are_damage(void **state)
{
	(void)state;
	struct segment seg;
	static const struct {
		uint32_t at;
		uint8_t value;
	} lies[] = {{14, 0x44}, {14, 0x55}, {14, 0x4f}, {14 + 3, 19}, {14 + 20 + 12, 0x40},
	    {14 + 20 + 12, 0xf0}};
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct build f = {.len = 0};
		ether(&f, 0x0800);
		ip4(&f, 0, 45, 0, 6);
		tcp(&f, 0, "hello");
		f.b[lies[i].at] = lies[i].value;
		assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg), DECODE_DAMAGED);
	}
	struct build tags = {.len = 0}; /* tags without end */
	ether(&tags, 0x8100);
	for (int i = 0; i < 500; i++)
		put(&tags, "\0\x01\x81\0", 4);
	assert_int_equal(decode_frame(NULL, 1, tags.b, tags.len, tags.len, &seg), DECODE_DAMAGED);
	assert_int_equal(decode_frame(NULL, 9999, tags.b, tags.len, tags.len, &seg),
	    DECODE_UNKNOWN_LINK);
	assert_int_equal(decode_frame(NULL, 1, tags.b, 0, 0, &seg), DECODE_DAMAGED);
}

/* What the short cut for Ethernet finds is what the walk finds in the IP packet alone. */
static void
short_cuts_change_nothing(void **state)
{
	(void)state;
	size_t plain = 0;
	srand(11);
	for (int i = 0; i < 300000; i++) {
		struct build f = {.len = 0};
		struct segment a = {.len = 0}, b = {.len = 0};
		bool six = rand() % 2;
		ether(&f, six ? 0x86dd : 0x0800);
		if (six)
			ip6(&f, 25 + (uint32_t)rand() % 3 * 4, 6);
		else
			ip4(&f, (uint32_t)rand() % 4 / 3 * 4, 45 + (uint32_t)rand() % 3 * 4, 0, 6);
		tcp(&f, (uint32_t)rand() % 3 * 4, "hello");
		for (int k = rand() % 3; k > 0; k--)
			f.b[14 + (uint32_t)rand() % (f.len - 14)] = (uint8_t)rand();
		uint32_t caplen = rand() % 3 ? f.len : 14 + (uint32_t)rand() % (f.len - 13);
		uint32_t wirelen = f.len + (uint32_t)rand() % 2 * 20;
		enum decode_result r = decode_frame(NULL, 1, f.b, caplen, wirelen, &a);
		assert_int_equal(r,
		    decode_frame(NULL, 101, f.b + 14, caplen - 14, wirelen - 14, &b));
		if (r != DECODE_TCP)
			continue;
		plain++;
		assert_memory_equal(&a.ends, &b.ends, sizeof a.ends);
		assert_true(a.seq == b.seq && a.ack == b.ack && a.flags == b.flags);
		assert_true(a.headless == b.headless && a.conflict == b.conflict);
		assert_true(a.len == b.len && a.wire_len == b.wire_len && a.payload == b.payload);
		assert_true(a.ttl == b.ttl && a.vlan == b.vlan && a.tunnel.depth == b.tunnel.depth);
		assert_true(a.ip == b.ip && a.ip_len == b.ip_len);
		assert_true(a.mac[0] == f.b + 6 && a.mac[1] == f.b);
	}
	assert_true(plain > 100000);
}

static void
garbage_is_survived(void **state)
{
	(void)state;
	static const uint32_t types[] = {0, 1, 12, 101, 108, 113, 228, 229, 276};
	srand(7);
	for (int i = 0; i < 200000; i++) {
		uint32_t len = (uint32_t)rand() % 120, wire = len + (uint32_t)rand() % 3 * 50;
		uint8_t *b = malloc(len > 0 ? len : 1);
		struct segment seg;
		for (uint32_t k = 0; k < len; k++)
			b[k] = (uint8_t)rand();
		if (len > 15 && rand() % 2)
			memcpy(b + 12, "\x08\0\x45", 3);
		if (decode_frame(NULL, types[rand() % 9], b, len, wire, &seg) == DECODE_TCP &&
		    seg.len > 0) {
			assert_true(seg.payload >= b && seg.payload + seg.len <= b + len);
			assert_true(seg.len <= seg.wire_len);
		}
		free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(links),
	    cmocka_unit_test(the_outermost_tag_and_the_addresses_are_kept),
	    cmocka_unit_test(the_innermost_ttl_is_kept),
	    cmocka_unit_test(ipv4_odds),
	    cmocka_unit_test(fragments_are_joined),
	    cmocka_unit_test(ipv6_extensions),
	    cmocka_unit_test(a_cut_payload_keeps_its_length),
	    cmocka_unit_test(a_cut_header_names_the_ends),
	    cmocka_unit_test(lies_are_damage),
	    cmocka_unit_test(short_cuts_change_nothing),
	    cmocka_unit_test(garbage_is_survived),
	};
	return cmocka_run_group_tests_name("decode/decode", tests, NULL, NULL);
}
