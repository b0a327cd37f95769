/*
 * Fingerprints and broken hellos.  What is expected was calculated elsewhere: JA3 by tshark and
 * md5sum, JA4 by sha256sum; one JA4 is the example that its authors publish.
 */
#include "tls_script.h"

#include <stdio.h>

static size_t
from_hex(const char *s, uint8_t *out)
{
	size_t n = 0;
	for (; s[0] != '\0'; s += 2) {
		char pair[3] = {s[0], s[1], '\0'};
		out[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static struct tls_event
event_of(struct tls_pools *p, enum tls_side side, const uint8_t *data, size_t len)
{
	struct tls t = {.version = 0};
	struct tls_event ev;
	uint8_t *copy = malloc(len);
	struct tls_input in = {copy, len, side};
	memcpy(copy, data, len);
	assert_true(tls_next(p, &t, &in, &ev));
	tls_end(p, &t);
	free(copy);
	return ev;
}

/* What it tells of a hello, which is the same where the fingerprints are known, and where others'
 * were. */
static struct tls_event
first_event(enum tls_side side, const uint8_t *data, size_t len)
{
	static struct tls_pools kept;
	struct tls_pools p;
	if (kept.handshakes.mem == NULL)
		assert_true(tls_pools_init(&kept, 1));
	assert_true(tls_pools_init(&p, 1));
	struct tls_event ev = event_of(&p, side, data, len);
	for (unsigned i = 0; i < 2; i++) {
		struct tls_event again = event_of(&kept, side, data, len);
		assert_string_equal(again.ja3, ev.ja3);
		assert_string_equal(again.ja4, ev.ja4);
	}
	tls_pools_free(&p);
	return ev;
}

/* The hellos of `openssl s_client` and `s_server` 3.0, on one machine. */
static void
test_real_hellos(void **state)
{
	static const char client[] =
	    "16030101460100014203031231a1df0054ca0aa94247dee6d74ec37362911c83b44225dd7e51c13bb95652"
	    "207b3beb58cd60082f34653f0733ea0ce88174ca8923ce7d7c045859ff626134ae003e130213031301c02c"
	    "c030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d00"
	    "9c003d003c0035002f00ff010000bb00000013001100000e4d582e6578616d706c652e6f7267000b000403"
	    "000102000a00160014001d0017001e00190018010001010102010301040023000000100007000504736d74"
	    "70001600000017000000"
	    "0d002a0028040305030603080708080809080a080b0804080508060401050106010303030103020402"
	    "05020602002b0009080304030303020301002d00020101003300260024001d0020887b10b84eb63ec8e272"
	    "2b9694a4c66b31a0399484f32f9726afd08c30f4d135";
	static const char server[] =
	    "160303007a020000760303935617a8bfbdc1ead098c604598dd95cad9199a9966ae29cf6fa62dc11e3d69b"
	    "207b3beb58cd60082f34653f0733ea0ce88174ca8923ce7d7c045859ff626134ae130200002e002b000203"
	    "0400330024001d00204a28bebabd63d5cf1f4d7406b4d76e1d2854025128f08b4828004d4ea978f83d";
	uint8_t b[512];
	(void)state;
	struct tls_event ev = first_event(C, b, from_hex(client, b));
	assert_int_equal(ev.kind, TLS_EVENT_CLIENT_HELLO);
	assert_int_equal(ev.version, 0x0304);
	assert_string_equal(ev.sni, "mx.example.org");
	assert_string_equal(ev.alpn, "smtp");
	assert_string_equal(ev.ja3, "5a1edc7f170af1014fc65c994878e63c");
	assert_string_equal(ev.ja4, "t13d3111sp_e8f1e7e78f70_1f22a2ca17c4");
	ev = first_event(S, b, from_hex(server, b));
	assert_int_equal(ev.kind, TLS_EVENT_SERVER_HELLO);
	assert_int_equal(ev.version, 0x0304);
	assert_int_equal(ev.cipher, 0x1302);
	assert_string_equal(tls_group_name(ev.group), "x25519");
	assert_string_equal(ev.ja3, "15af977ce25de452b96affa2addb1036");
	assert_false(ev.resumed);
}

/* A ClientHello of these ciphers, and extensions as they stand in `extensions`. */
static struct tls_event
hello_as(unsigned version, const uint16_t *ciphers, size_t n, const struct bytes *extensions)
{
	struct bytes *b = calloc(1, sizeof *b), *r = calloc(1, sizeof *r);
	struct hello h = {.version = version};
	size_t at = begin_message(b, 1);
	put_head(b, &h);
	put_list(b, ciphers, n);
	put(b, "\1\0", 2);
	if (extensions != NULL) {
		put_n(b, extensions->len, 2);
		put(b, extensions->b, extensions->len);
	}
	close_n(b, at, 3);
	put(r, "\x16\3\1", 3);
	put_n(r, b->len, 2);
	put(r, b->b, b->len);
	struct tls_event ev = first_event(C, r->b, r->len);
	free(b);
	free(r);
	return ev;
}

static struct tls_event
hello_of(const uint16_t *ciphers, size_t n, const struct bytes *extensions)
{
	return hello_as(0x0303, ciphers, n, extensions);
}

/* What others published: the two examples of JA3's README, and a Chrome 143 that browserleaks.com
 * saw, GREASE put in where Chrome has it. */
static void
test_published(void **state)
{
	static const uint16_t first[] = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
			      second[] = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99};
	static const uint16_t chrome[] = {0xdada, 4865, 4866, 4867, 49195, 49199, 49196, 49200,
	    52393, 52392, 49171, 49172, 156, 157, 47, 53};
	static const uint16_t order[] = {0x4a4a, 45, 51, 16, 65037, 23, 17613, 0, 11, 10, 43, 65281,
	    35, 18, 5, 13, 27, 0x8a8a};
	static const struct {
		uint16_t type;
		const char *data;
		size_t len;
	} data[] = {
	    {0, "\0\6\0\0\3a.b", 8},
	    {10, "\0\12\x6a\x6a\x11\xec\0\x1d\0\x17\0\x18", 12},
	    {11, "\1\0", 2},
	    {13, "\0\22\x5a\x5a\4\3\x8\4\4\1\5\3\x8\5\5\1\x8\6\6\1", 20},
	    {16, "\0\14\2h2\10http/1.1", 14},
	    {43, "\6\x3a\x3a\3\4\3\3", 7},
	};
	struct bytes *e = calloc(1, sizeof *e);
	(void)state;
	put_extension(e, 0, "\0\6\0\0\3a.b", 8);
	put_extension(e, 10, "\0\6\0\x17\0\x18\0\x19", 8);
	put_extension(e, 11, "\1\0", 2);
	assert_string_equal(hello_as(0x0301, first, 12, e).ja3, "ada70206e40642a3e4461f35503241d5");
	assert_string_equal(hello_as(0x0301, second, 11, NULL).ja3,
	    "de350869b8c85de67a350c8d186f11e6");
	e->len = 0;
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		size_t k = 0;
		while (k < sizeof data / sizeof data[0] && data[k].type != order[i])
			k++;
		if (k < sizeof data / sizeof data[0])
			put_extension(e, order[i], data[k].data, data[k].len);
		else
			put_extension(e, order[i], "", 0);
	}
	struct tls_event ev = hello_of(chrome, 16, e);
	assert_string_equal(ev.ja3, "98487aa16281980e7d1120d399efb6a4");
	assert_string_equal(ev.ja4, "t13d1516h2_8daaf6152771_d8a2da3f94cd");
	free(e);
}

static void
test_fingerprints(void **state)
{
	static const uint16_t ciphers[] = {0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c,
	    0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
	static const uint16_t signatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501,
	    0x0806, 0x0601};
	static const uint16_t empty[] = {0x0005, 0x0012, 0x0015, 0x0017, 0x001b, 0x0023, 0x4469,
	    0xff01};
	struct bytes *e = calloc(1, sizeof *e), *list = calloc(1, sizeof *list);
	(void)state;
	put_extension(e, 0x9a9a, "", 0);
	put_extension(e, 0, "\0\6\0\0\3a.b", 8);
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
		put_extension(e, empty[i], "", 0);
	put_extension(e, 10, "\0\6\x1a\x1a\0\x1d\0\x17", 8);
	put_extension(e, 11, "\1\0", 2);
	put_list(list, signatures, 8);
	put_extension(e, 13, list->b, list->len);
	put_extension(e, 16, "\0\14\2h2\10http/1.1", 14);
	put_extension(e, 43, "\6\xda\xda\3\4\3\3", 7);
	put_extension(e, 45, "\1\1", 2);
	put_extension(e, 51, "\0\0", 2);
	struct tls_event ev = hello_of(ciphers, 16, e);
	assert_string_equal(ev.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	/* 771,4865-...-53,0-5-18-21-23-27-35-17513-65281-10-11-13-16-43-45-51,29-23,0 */
	assert_string_equal(ev.ja3, "65b982effffc3746e702ae76da0b4141");
	assert_string_equal(ev.alpn, "h2");

	/* nothing but ciphers, in the order of SSL 3.0; nothing at all */
	ev = hello_of(ciphers, 2, NULL);
	assert_string_equal(ev.ja3, "ea1e247991e541e39bf918cb7cfa5139"); /* 771,4865,,, */
	assert_string_equal(ev.ja4, "t12i010000_0f2cb44170f4_000000000000");
	ev = hello_of(ciphers, 1, NULL);
	assert_string_equal(ev.ja4, "t12i000000_000000000000_000000000000");
	assert_string_equal(ev.ja3, "bddda940f9963577c41d7c28b1a5f65f"); /* 771,,,, */

	/* ALPN of one character, and of octets that are none */
	e->len = 0;
	put_extension(e, 16, "\0\2\1x", 4);
	assert_memory_equal(hello_of(ciphers, 2, e).ja4, "t12i0101xx_", 11);
	e->len = 0;
	put_extension(e, 16, "\0\3\2\xab\xcd", 5);
	assert_memory_equal(hello_of(ciphers, 2, e).ja4, "t12i0101ad_", 11);
	e->len = 0;
	put_extension(e, 16, "\0\5\4\x30\x31\xab\xcd", 7);
	assert_memory_equal(hello_of(ciphers, 2, e).ja4, "t12i01013d_", 11);

	/* and of none */
	e->len = 0;
	put_extension(e, 16, "\0\1\0", 3);
	ev = hello_of(ciphers, 2, e);
	assert_memory_equal(ev.ja4, "t12i010100_", 11);
	assert_string_equal(ev.alpn, "");

	/* every version that can be named, and one that cannot */
	static const struct {
		const char *list, *shown;
	} versions[] = {{"\2\3\4", "t13"}, {"\2\3\3", "t12"}, {"\2\3\2", "t11"}, {"\2\3\1", "t10"},
	    {"\2\3\0", "ts3"}, {"\2\0\2", "ts2"}, {"\2\7\7", "t00"}};
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		e->len = 0;
		put_extension(e, 43, versions[i].list, 3);
		assert_memory_equal(hello_of(ciphers, 2, e).ja4, versions[i].shown, 3);
	}

	/* more extensions than the count can say, more than a list takes */
	for (unsigned n = 99; n < 600; n = n == 99 ? 130 : n == 130 ? 512 : n + 1) {
		e->len = 0;
		for (unsigned i = 0; i < n; i++)
			put_extension(e, (uint16_t)(0x3000 + i), "", 0);
		ev = hello_of(ciphers, 2, e);
		assert_int_equal(strncmp(ev.ja4, "t12i019900_", 11) == 0, n <= 512);
		assert_int_equal(strlen(ev.ja3), n <= 512 ? 32 : 0);
		if (n > 512)
			break;
	}
	/* counts end at 99, lists at 512 */
	uint16_t many[520];
	for (unsigned i = 0; i < 520; i++)
		many[i] = (uint16_t)(0x2001 + i);
	ev = hello_of(many, 512, NULL);
	assert_memory_equal(ev.ja4, "t12i990000_", 11);
	assert_int_equal(strlen(ev.ja3), 32);
	ev = hello_of(many, 513, NULL);
	assert_string_equal(ev.ja3, "");
	assert_string_equal(ev.ja4, "");
	assert_int_equal(ev.version, 0x0303);
	free(e);
	free(list);
}

/* Up to TLS 1.2 the server says in its hello what it chose of ALPN (RFC 7301). */
static void
test_server_alpn(void **state)
{
	(void)state;
	struct bytes *b = calloc(1, sizeof *b), *r = calloc(1, sizeof *r);
	struct hello h = {.version = 0x0303};
	size_t at = begin_message(b, 2), list;
	put_head(b, &h);
	put(b, "\xc0\x2f\0", 3);
	list = open_n(b, 2);
	put_extension(b, 16, "\0\5\4smtp", 7);
	close_n(b, list, 2);
	close_n(b, at, 3);
	put(r, "\x16\3\3", 3);
	put_n(r, b->len, 2);
	put(r, b->b, b->len);
	struct tls_event ev = first_event(S, r->b, r->len);
	assert_int_equal(ev.kind, TLS_EVENT_SERVER_HELLO);
	assert_int_equal(ev.cipher, 0xc02f);
	assert_string_equal(ev.alpn, "smtp");
	free(b);
	free(r);
}

/* Hellos that lie about their lengths tell what comes before the lie. */
static void
test_broken_hellos(void **state)
{
	static const uint16_t ciphers[] = {0x1301};
	struct bytes *e = calloc(1, sizeof *e);
	(void)state;
	put_extension(e, 0, "\0\6\0\0\3a.b", 8);
	put(e, "\0\x10\xff\xff", 4); /* an ALPN longer than all */
	struct tls_event ev = hello_of(ciphers, 1, e);
	assert_int_equal(ev.kind, TLS_EVENT_CLIENT_HELLO);
	assert_string_equal(ev.sni, "a.b");
	assert_string_equal(ev.ja3, "");
	e->len = 0;
	put_extension(e, 0,
	    "\0\x0a\0\0\7a\0\xff\x1b"
	    "b c",
	    12);
	ev = hello_of(ciphers, 1, e);
	assert_string_equal(ev.sni, "a\\x00\u00ff\\x1bb c");
	e->len = 0;
	put_extension(e, 0,
	    "\0\7\0\xff\xff"
	    "abcd",
	    9); /* a name longer than its list */
	put_extension(e, 43, "\2\3\4", 3);
	ev = hello_of(ciphers, 1, e);
	assert_string_equal(ev.sni, "");
	assert_int_equal(ev.version, 0x0304);
	e->len = 0;
	put_extension(e, 0, "\0\x0b\1\0\2zz\0\0\3a.b", 13); /* another kind of name comes first */
	assert_string_equal(hello_of(ciphers, 1, e).sni, "a.b");
	struct script *s = script_new();
	record(s, C, 22, "\1\0\0\2\3\3", 6);
	check(s, "\nC hello 1.2 sni= alpn= fp=no/");
	s = script_new(); /* no version of TLS: a message as any other */
	record(s, C, 22, "\1\0\0\2\2\0", 6);
	record(s, S, 22, "\2\0\0\2\3\3", 6);
	check(s, "");
	free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_real_hellos),
	    cmocka_unit_test(test_published),
	    cmocka_unit_test(test_fingerprints),
	    cmocka_unit_test(test_server_alpn),
	    cmocka_unit_test(test_broken_hellos),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
