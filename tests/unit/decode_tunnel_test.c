/*
 * Tags, labels, other links and tunnels: each row is what stands in front of an Ethernet frame, an
 * IPv4 or an IPv6 packet, and each prefix of each frame is decoded from a buffer of its own size.
 */
#include "frame_build.h"

enum inside { IN_ETHER, IN_IP4, IN_IP6 };

static void
inner(struct build *f, enum inside what)
{
	if (what == IN_ETHER)
		ether(f, 0x0800);
	if (what == IN_IP6)
		ip6(f, 25, 6);
	else
		ip4(f, 0, 45, 0, 6);
	tcp(f, 0, "hello");
}

static uint32_t
inner_len(enum inside what)
{
	return what == IN_ETHER ? 59 : what == IN_IP6 ? 65 : 45;
}

/* What is directly on the link. */
static void
shims(void **state)
{
	(void)state;
	static const struct {
		uint32_t link;
		const char *head;
		uint32_t len;
		enum inside inside;
	} rows[] = {
#define MACS			"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define ROW(link, head, inside) {link, head, sizeof head - 1, inside}
	    ROW(1, MACS "\x88\x47\0\0\x01\x40", IN_IP4), /* one label */
	    ROW(1, MACS "\x88\x47\0\0\x10\x40\0\0\x11\x40", IN_IP6),
	    ROW(1, MACS "\x88\x48\0\0\x10\x40\0\0\x11\x40", IN_ETHER), /* without control word */
	    ROW(1, MACS "\x88\x47\0\0\x11\x40\0\0\0\0", IN_ETHER),     /* with it */
	    /* without it, and a link address that might be IP */
	    ROW(1, MACS "\x88\x47\0\0\x11\x40\x48\0\0\x28\0\x01\x40\0\0\0\0\x02\x08\0", IN_IP4),
	    ROW(1, MACS "\x88\x47\0\0\x11\x40\x60\0\0\0\0\x05\x02\0\0\0\0\x02\x08\0", IN_IP4),
	    ROW(1, MACS "\x88\x47\0\0\x11\x40\0\0\0\x01" MACS "\x91\0\0\x07\x81\0\0\x08\x08\0",
		IN_IP4),
	    ROW(1, MACS "\x88\x47\0\0\x11\x40\0\0\0\x01" MACS "\0\x35\xaa\xaa\x03\0\0\0\x08\0",
		IN_IP4),
	    ROW(1, MACS "\x88\x64\x11\0\0\x07\0\x2f\0\x21", IN_IP4), /* PPPoE */
	    ROW(1, MACS "\x88\x64\x11\0\0\x07\0\x43\0\x57", IN_IP6),
	    ROW(1, MACS "\x88\x64\x11\0\0\x07\0\x2e\x21", IN_IP4), /* compressed protocol */
	    ROW(1, MACS "\0\x35\xaa\xaa\x03\0\0\0\x08\0", IN_IP4), /* 802.3, LLC, SNAP */
	    ROW(1, MACS "\0\x30\x06\x06\x03", IN_IP4),
	    ROW(1, MACS "\x81\0\0\x07\0\x35\xaa\xaa\x03\0\0\0\x08\0", IN_IP4),
	    ROW(1, MACS "\x88\xa8\0\x07\x81\0\0\x08\x81\0\0\x09\x91\0\0\x0a\x08\0", IN_IP4),
	    ROW(9, "\xff\x03\0\x21", IN_IP4),
	    ROW(9, "\0\x57", IN_IP6),
	    ROW(50, "\xff\x03\0\x21", IN_IP4),
	    ROW(9, "\x02\x81\0\0\x11\x40", IN_IP4), /* labels in PPP */
	    ROW(9, "\x02\x83\0\0\x11\x40", IN_IP4),
	    ROW(1, MACS "\x88\x70\xaa\xaa\x03\0\0\0\x08\0", IN_IP4), /* LLC in a jumbo frame */
	    ROW(51, "\x11\0\0\x07\0\x2f\0\x21", IN_IP4),
	    ROW(104, "\x0f\0\x08\0", IN_IP4),
	    ROW(219, "\0\0\x11\x40", IN_IP4),
	    ROW(239, "\x02\0\0\0\x05\0\x0a\0x\0\0\0\x31\0\x09\0", IN_IP4), /* NFLOG, both orders */
	    ROW(239, "\x02\0\0\0\0\x05\0\x0ax\0\0\0\0\x31\0\x09", IN_IP4),
#define SNAP "\xaa\xaa\x03\0\0\0\x08\0"
#define WIFI "\0\0" MACS "\x02\0\0\0\0\x03\0\0"
	    ROW(105, "\x08\x01" WIFI SNAP, IN_IP4),				       /* data */
	    ROW(105, "\x88\x02" WIFI "\0\0" SNAP, IN_IP4),			       /* QoS */
	    ROW(105, "\x08\x03" WIFI "\0\0\0\0\0\x04" SNAP, IN_IP4),		       /* WDS */
	    ROW(127, "\0\0\x09\0\x02\0\0\0\x20\x88\x01" WIFI "\0\0\0\0" SNAP, IN_IP4), /* padded */
	    ROW(127, "\0\0\x08\0\0\0\0\0\x08\x01" WIFI SNAP, IN_IP4),
	    /* two words of what is present, a time, and padding */
	    ROW(127,
		"\0\0\x19\0\x03\0\0\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20\x88\x01" WIFI
		"\0\0\0\0" SNAP,
		IN_IP4),
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		put(&f, rows[i].head, rows[i].len);
		inner(&f, rows[i].inside);
		expect_hello(&f, rows[i].link, 0, rows[i].inside == IN_IP6 ? 6 : 4);
	}
}

/* Numbers of another organisation are none of Ethernet, whatever they look like. */
static void
other_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *snap;
		bool mail;
	} rows[] = {{"\0\0\0\x08\0", true}, {"\0\0\xf8\x08\0", true}, {"\0\0\x0c\x08\0", false},
	    {"\x08\0\x07\x08\0", false}, {"\0\x01\0\x08\0", false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		put(&f, MACS "\0\x35\xaa\xaa\x03", 17);
		put(&f, rows[i].snap, 5);
		inner(&f, IN_IP4);
		struct segment seg;
		if (rows[i].mail)
			expect_hello(&f, 1, 0, 4);
		else
			assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg),
			    DECODE_OTHER);
	}
}

/* What is inside of IPv4 (192.0.2.9 to 192.0.2.25) and of IPv6. */
static void
tunnels(void **state)
{
	(void)state;
	static const struct {
		uint8_t proto;
		uint16_t port; /* 0 where it is not UDP */
		const char *head;
		uint32_t len;
		enum inside inside;
		enum tunnel_kind kind;
		int64_t id; /* -1 for none */
	} rows[] = {
#define TUNNEL(proto, port, head, inside, kind, id) \
	{proto, port, head, sizeof head - 1, inside, kind, id}
	    TUNNEL(4, 0, "", IN_IP4, TUNNEL_IP, -1),
	    TUNNEL(41, 0, "", IN_IP6, TUNNEL_IP, -1),
	    TUNNEL(47, 0, "\0\0\x08\0", IN_IP4, TUNNEL_GRE, -1),
	    TUNNEL(47, 0, "\x80\0\x86\xdd\xab\xcd\0\0", IN_IP6, TUNNEL_GRE, -1),
	    TUNNEL(47, 0, "\xb0\0\x65\x58\xab\xcd\0\0\0\0\0\x2a\0\0\0\x01", IN_ETHER, TUNNEL_GRE,
		42),
	    TUNNEL(47, 0, "\x30\x81\x88\x0b\0\x31\0\x07\0\0\0\x01\0\0\0\x02\xff\x03\0\x21", IN_IP4,
		TUNNEL_GRE, 7), /* PPTP */
	    TUNNEL(47, 0, "\0\0\x88\x47\0\0\x11\x40", IN_IP4, TUNNEL_GRE, -1),
	    TUNNEL(47, 0, "\0\0\x88\xbe", IN_ETHER, TUNNEL_ERSPAN, -1),
	    TUNNEL(47, 0, "\x10\0\x88\xbe\0\0\0\x01\x10\x07\0\x64\0\0\0\0", IN_ETHER, TUNNEL_ERSPAN,
		100),
	    TUNNEL(47, 0, "\x10\0\x22\xeb\0\0\0\x01\x20\x07\0\x65\0\0\0\0\0\0\0\0", IN_ETHER,
		TUNNEL_ERSPAN, 101),
	    TUNNEL(47, 0,
		"\x10\0\x22\xeb\0\0\0\x01\x20\x07\0\x65\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0",
		IN_ETHER, TUNNEL_ERSPAN, 101),
	    TUNNEL(47, 0, "\x10\0\x22\xeb\0\0\0\x01\x20\x07\0\x65\0\0\0\0\0\0\x08\0", IN_IP4,
		TUNNEL_ERSPAN, 101), /* IP without its frame */
	    TUNNEL(97, 0, "\x30\0", IN_ETHER, TUNNEL_ETHERIP, -1),
	    TUNNEL(137, 0, "\0\0\x11\x40", IN_IP4, TUNNEL_MPLS, -1),
	    TUNNEL(17, 6635, "\0\0\x11\x40", IN_IP4, TUNNEL_MPLS, -1),
	    TUNNEL(17, 4789, "\x08\0\0\0\0\0\x2b\0", IN_ETHER, TUNNEL_VXLAN, 43),
	    TUNNEL(17, 8472, "\x08\0\0\0\x01\0\0\0", IN_ETHER, TUNNEL_VXLAN, 65536),
	    TUNNEL(17, 4790, "\x0c\0\0\x03\0\0\x2b\0", IN_ETHER, TUNNEL_VXLAN_GPE, 43),
	    TUNNEL(17, 4790, "\x0c\0\0\x01\0\0\x2b\0", IN_IP4, TUNNEL_VXLAN_GPE, 43),
	    TUNNEL(17, 6081, "\0\0\x65\x58\0\0\x2c\0", IN_ETHER, TUNNEL_GENEVE, 44),
	    TUNNEL(17, 6081, "\x02\0\x08\0\0\0\x2c\0\x01\x08\0\x01\0\0\0\0", IN_IP4, TUNNEL_GENEVE,
		44), /* with an option, as clouds send it */
	    TUNNEL(17, 2152, "\x30\xff\0\x2d\0\0\0\x2d", IN_IP4, TUNNEL_GTP, 45),
	    TUNNEL(17, 2152, "\x34\xff\0\x35\0\0\0\x2d\0\0\0\x85\x01\0\x09\0", IN_IP4, TUNNEL_GTP,
		45),
	    TUNNEL(17, 3544, "", IN_IP6, TUNNEL_TEREDO, -1),
	    TUNNEL(17, 3544, "\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", IN_IP6, TUNNEL_TEREDO,
		-1),
	};
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		struct segment seg;
		size_t at = i / 2;
		bool v6 = i % 2;
		uint32_t len = rows[at].len + inner_len(rows[at].inside) + (rows[at].port ? 8 : 0);
		ether(&f, v6 ? 0x86dd : 0x0800);
		if (v6)
			ip6(&f, len, rows[at].proto);
		else
			ip4(&f, 0, 20 + len, 0, rows[at].proto);
		if (rows[at].port != 0) {
			put16(&f, 50000);
			put16(&f, rows[at].port);
			put16(&f, len);
			put16(&f, 0);
		}
		put(&f, rows[at].head, rows[at].len);
		inner(&f, rows[at].inside);
		expect_hello(&f, 1, 0, rows[at].inside == IN_IP6 ? 6 : 4);
		assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg), DECODE_TCP);
		assert_int_equal(seg.tunnel.depth, 1);
		assert_int_equal(seg.tunnel.kind[0], rows[at].kind);
		assert_int_equal(seg.tunnel.family, v6 ? 6 : 4);
		assert_int_equal(seg.tunnel.has_id, rows[at].id >= 0);
		if (rows[at].id >= 0)
			assert_int_equal(seg.tunnel.id, rows[at].id);
		assert_int_equal(seg.tunnel.ip[0][v6 ? 15 : 3], 9);
	}
}

/* What a tunnel's port carries may be anything: no damage, and nothing made of it. */
static void
not_tunnels(void **state)
{
	(void)state;
	static const uint16_t ports[] = {4789, 8472, 4790, 6081, 2152, 3544, 53};
	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		struct build f = {.len = 0};
		struct segment seg;
		ether(&f, 0x0800);
		ip4(&f, 0, 20 + 8 + 40, 0, 17);
		put16(&f, 50000);
		put16(&f, ports[i]);
		put16(&f, 48);
		put16(&f, 0);
		put(&f, "\xffthis is no header of any of these tunnels", 40);
		assert_int_equal(decode_frame(NULL, 1, f.b, f.len, f.len, &seg), DECODE_OTHER);
	}
}

static void
nesting_is_bounded(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth < 10; depth++) {
		struct build f = {.len = 0};
		struct segment seg;
		ether(&f, 0x0800);
		for (unsigned i = 0; i < depth; i++)
			ip4(&f, 0, 45 + 20 * (depth - i), 0, 4);
		inner(&f, IN_IP4);
		enum decode_result r = decode_frame(NULL, 1, f.b, f.len, f.len, &seg);
		assert_int_equal(r, depth <= LIMIT_TUNNELS ? DECODE_TCP : DECODE_OTHER);
		if (r == DECODE_TCP)
			assert_int_equal(seg.tunnel.depth, depth);
	}
}

static void
encrypted_wireless_is_another_protocol(void **state)
{
	(void)state;
	struct build f = {.len = 0};
	struct segment seg;
	put(&f, "\x08\x41" WIFI SNAP, 32);
	inner(&f, IN_IP4);
	assert_int_equal(decode_frame(NULL, 105, f.b, f.len, f.len, &seg), DECODE_OTHER);
	f.b[0] = 0x80; /* a beacon */
	f.b[1] = 0;
	assert_int_equal(decode_frame(NULL, 105, f.b, f.len, f.len, &seg), DECODE_OTHER);
}

/* Each is whole, and carries no TCP that could be found. */
static void
others(void **state)
{
	(void)state;
	static const struct {
		uint32_t link;
		const char *head;
		uint32_t len;
		enum decode_result result;
	} rows[] = {
#define OTHER(link, head) {link, head, sizeof head - 1, DECODE_OTHER}
	    OTHER(1, MACS "\x88\x64\x11\xa7\0\x07\0\0"),	/* PPPoE: the end of it */
	    OTHER(9, "\xc0\x21\x09\0\0\x08\0\0\0\0"),		/* an echo in PPP */
	    OTHER(113, "\0\0\x03\x38\0\0\0\0\0\0\0\0\0\0\0\0"), /* netlink */
	    OTHER(105, "\x88\x01" WIFI "\x80\0" SNAP),		/* A-MSDU */
	    OTHER(1,
		MACS "\x08\0\x45\0\0\x18\0\0\0\0\x40\x2f\0\0" /* GRE: a keep-alive */
		     "\xc0\0\x02\x09\xc0\0\x02\x19\0\0\x08\0"),
	    OTHER(1,
		MACS "\x08\0\x45\0\0\x1c\0\0\0\0\x40\x2c\0\0" /* IPv6's in IPv4 */
		     "\xc0\0\x02\x09\xc0\0\x02\x19\x06\0\0\0\0\0\0\x01"),
	    {239, "\x02\0\0\0\0\0\0\0", 8, DECODE_DAMAGED}, /* NFLOG without a length */
	    {239, "\x02\x01\0\0\x08\0\x09\0", 8, DECODE_DAMAGED},
	    {1, MACS "\x88\x64\x21\0\0\x07\0\x2f\0\x21", 22, DECODE_DAMAGED}, /* no version */
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct build f = {.len = 0};
		struct segment seg;
		put(&f, rows[i].head, rows[i].len);
		assert_int_equal(decode_frame(NULL, rows[i].link, f.b, f.len, f.len, &seg),
		    rows[i].result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shims),
	    cmocka_unit_test(other_numbers),
	    cmocka_unit_test(tunnels),
	    cmocka_unit_test(not_tunnels),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(others),
	    cmocka_unit_test(encrypted_wireless_is_another_protocol),
	};
	return cmocka_run_group_tests_name("decode/tunnel", tests, NULL, NULL);
}
