/*
 * The TLS machine up to TLS 1.2, where more of a handshake can be read: key exchanges, tickets,
 * ChangeCipherSpec, certificates of both sides, warnings, SSL 3.0 and hellos as of SSL 2.0.
 */
#include "tls_script.h"

#include <stdio.h>

/* The parameters of older key exchanges: curves, primes by their size, hints before them. */
static void
test_key_exchange(void **state)
{
	static const struct {
		unsigned cipher;
		size_t prime; /* octets of a prime that begins with 0x00 0x1f; 0 for a curve */
		unsigned hint, curve;
		const char *want;
	} cases[] = {
	    {0xc02f, 0, 0, 0x0018, "\nS key secp384r1 0"},
	    {0xc018, 0, 0, 0x001d, "\nS key x25519 0"},	   /* ECDH_anon */
	    {0xc035, 0, 9, 0x0017, "\nS key secp256r1 0"}, /* ECDHE_PSK: a hint before */
	    {0x009e, 257, 0, 0, "\nS key - 2045"},
	    {0x006c, 129, 0, 0, "\nS key - 1021"},   /* DH_anon */
	    {0x00aa, 257, 300, 0, "\nS key - 2045"}, /* DHE_PSK */
	    {0x009e, 1, 0, 0, ""},		     /* a prime of no bits */
	    {0x002f, 0, 0, 0x0018, ""},		     /* RSA has none */
	    {0xc02f, 0, 0, 0, ""},
	};
	static uint8_t fill[300] = {0, 0x1f, 0xff};
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char want[300];
		struct hello h = hello_12;
		struct script *s = script_new();
		client_hello(b, h);
		flush(s, C, b, 16384);
		h.cipher = cases[i].cipher;
		h.id = 9;
		server_hello(b, h);
		size_t at = begin_message(b, 12);
		if (cases[i].hint > 0) {
			put_n(b, cases[i].hint, 2);
			put(b, fill, cases[i].hint);
		}
		if (cases[i].prime > 0) {
			put_n(b, cases[i].prime, 2);
			put(b, fill, cases[i].prime);
			put(b, "\0\1\2\0\1\7", 6);
		} else {
			put_n(b, 3, 1);
			put_n(b, cases[i].curve, 2);
			put(b, "\1\4", 2);
		}
		close_n(b, at, 3);
		message(b, 14, 0);
		flush(s, S, b, 100);
		snprintf(want, sizeof want, CLIENT_LINE "\nS hello 1.2 %s -%s",
		    tls_cipher_name((uint16_t)cases[i].cipher), cases[i].want);
		check(s, want);
	}
	/* an explicit curve; one that is cut; one of the client; one before the hello */
	static const char *const bad[] = {"\1\0\x18", "\3\0", "", "\3"};
	for (size_t i = 0; i < 4; i++) {
		struct script *s = script_new();
		server_hello(b, hello_12);
		size_t at = begin_message(b, 12);
		put(b, bad[i], i == 0 ? 3 : i == 3 ? 1 : strlen(bad[i]));
		close_n(b, at, 3);
		flush(s, S, b, 16384);
		check(s, SERVER_12);
	}
	struct script *s = script_new();
	size_t at = begin_message(b, 12);
	put(b, "\3\0\x18\1\4", 5);
	close_n(b, at, 3);
	flush(s, S, b, 16384);
	check(s, "");
	free(b);
}

/* A ticket that the server takes without echoing an identifier: RFC 5077 section 3.4. */
static void
test_ticket(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_12;
	(void)state;
	for (int full = 0; full < 4; full++) {
		struct script *s = script_new();
		h.id = 0;
		client_hello(b, h);
		flush(s, C, b, 16384);
		server_hello(b, h);
		if (full == 1)
			message(b, 14, 0);
		message(b, 4, 150); /* NewSessionTicket */
		if (full == 3)	    /* what is not whole may be a Certificate */
			put(b, "\x0b\0", 2);
		flush(s, S, b, 60);
		if (full == 2) {
			ccs(s, C);
			noise(s, C, 22, 40);
		}
		ccs(s, S);
		noise(s, S, 22, 40);
		if (full != 2) {
			ccs(s, C);
			noise(s, C, 22, 40);
		}
		check(s,
		    full == 2	    ? CLIENT_LINE SERVER_12 "\nS resumed\nS established"
			: full == 0 ? CLIENT_LINE SERVER_12 "\nS resumed\nC established"
				    : CLIENT_LINE SERVER_12 "\nC established");
	}
	free(b);
}

/* Up to TLS 1.2 nothing is protected before a ChangeCipherSpec, nor what has no room for a MAC. */
static void
test_no_keys(void **state)
{
	static const struct {
		bool server, client; /* who says its CCS */
		size_t len;	     /* of the records behind */
		bool up;
	} cases[] = {{true, true, 40, true}, {true, false, 40, false}, {false, true, 40, false},
	    {false, false, 40, false}, {true, true, 15, false}, {true, true, 16, true},
	    {true, true, 0, false}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script *s = script_new();
		begin_12(s, 0xc02f, 16384);
		if (cases[i].client)
			ccs(s, C);
		noise(s, C, 23, cases[i].len);
		if (cases[i].server)
			ccs(s, S);
		noise(s, S, 23, cases[i].len);
		check(s,
		    cases[i].up ? CLIENT_LINE SERVER_12 CERTIFICATE_12 "\nS established"
				: CLIENT_LINE SERVER_12 CERTIFICATE_12);
	}
	/* the same where the client's records come to us first */
	for (int keyed = 0; keyed < 2; keyed++) {
		struct script *s = script_new();
		struct bytes *b = calloc(1, sizeof *b);
		struct hello h = hello_12;
		client_hello(b, h);
		flush(s, C, b, 16384);
		if (keyed)
			ccs(s, C);
		noise(s, C, 23, 60);
		h.id = 9;
		server_hello(b, h);
		message(b, 14, 0);
		flush(s, S, b, 16384);
		ccs(s, S);
		noise(s, S, 22, 40);
		check(s, keyed ? CLIENT_LINE SERVER_12 "\nS established" : CLIENT_LINE SERVER_12);
		free(b);
	}
	/* where the CCS may be what was lost, the records count */
	struct script *s = script_new();
	begin_12(s, 0xc02f, 16384);
	ccs(s, C);
	noise(s, C, 22, 40);
	lose(s, S, 51);
	noise(s, S, 23, 60);
	noise(s, S, 23, 61);
	struct run *r = run_whole(s, 2);
	assert_true(tls_is_sealed(&r->tls));
	free(r);
	free(s);
}

/*
 * TLS 1.2 with all that may stand in it: a client's certificate, which is not the server's; records
 * without octets; several messages in one record and one over many; renegotiation, and a
 * close_notify at the end.
 */
static void
test_everything_12(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	for (size_t most = 3; most < 1000; most += 331) {
		struct script *s = script_new();
		client_hello(b, hello_12);
		flush(s, C, b, 16384);
		record(s, S, 22, "", 0);
		struct hello h = hello_12;
		h.id = 9;
		server_hello(b, h);
		certificate(b, 300);
		message(b, 22, 90);
		message(b, 12, 120);
		message(b, 13, 40); /* CertificateRequest */
		message(b, 14, 0);
		flush(s, S, b, most);
		record(s, C, 22, "", 0);
		certificate(b, 200);
		message(b, 16, 66);
		message(b, 15, 70);
		flush(s, C, b, most);
		ccs(s, C);
		noise(s, C, 22, 40);
		message(b, 4, 150);
		flush(s, S, b, most);
		ccs(s, S);
		noise(s, S, 22, 40);
		noise(s, S, 22, 28); /* HelloRequest */
		noise(s, C, 22, 250);
		ccs(s, C);
		noise(s, C, 22, 40);
		ccs(s, S);
		noise(s, S, 22, 40);
		record(s, C, 23, "", 0);
		noise(s, C, 21, 26);
		check(s, CLIENT_LINE SERVER_12 CERTIFICATE_12 "\nS established");
	}
	/* an empty list, as clients have it and servers must not */
	struct script *s = script_new();
	server_hello(b, hello_12);
	put(b, "\x0b\0\0\3\0\0\0", 7);
	put(b, "\x0b\0\0\0", 4);
	put(b, "\x0b\0\0\6\0\0\3\0\0\0", 10);
	message(b, 14, 0);
	flush(s, S, b, 16384);
	check(s, SERVER_12);
	free(b);
}

/* Warnings end nothing; SSL 3.0 has them, too. */
static void
test_warnings(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = {.version = 0x0300, .cipher = 0x0035, .id = 9};
	(void)state;
	struct script *s = script_new();
	client_hello(b, hello_12);
	flush(s, C, b, 16384);
	alert(s, S, 1, 112); /* unrecognized_name */
	h.id = 9;
	server_hello(b, h);
	message(b, 13, 40);
	message(b, 14, 0);
	flush(s, S, b, 16384);
	alert(s, C, 1, 41); /* no_certificate: RFC 6101 section 5.4.2 */
	ccs(s, C);
	noise(s, C, 22, 64);
	ccs(s, S);
	noise(s, S, 22, 64);
	noise(s, C, 21, 32);
	check(s,
	    CLIENT_LINE "\nS alert 1 unrecognized_name"
			"\nS hello SSLv3 TLS_RSA_WITH_AES_256_CBC_SHA -"
			"\nC alert 1 no_certificate\nS established");

	s = script_new(); /* nothing but a goodbye */
	client_hello(b, hello_12);
	flush(s, C, b, 16384);
	alert(s, C, 1, 0);
	check(s, CLIENT_LINE "\nC alert 1 close_notify");
	free(b);
}

static void
test_tls_12_resumed(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	struct script *s = script_new();
	client_hello(b, hello_12);
	flush(s, C, b, 16384);
	server_hello(b, hello_12); /* echoes the identifier */
	flush(s, S, b, 16384);
	ccs(s, S);
	noise(s, S, 22, 40);
	ccs(s, C);
	noise(s, C, 22, 40);
	check(s, CLIENT_LINE SERVER_12 " resumed\nC established");

	s = script_new(); /* no identifier at all: nothing to resume */
	struct hello h = hello_12;
	h.id = 0;
	client_hello(b, h);
	flush(s, C, b, 16384);
	server_hello(b, h);
	flush(s, S, b, 16384);
	check(s, CLIENT_LINE SERVER_12);
	free(b);
}

static void
test_ssl2_hello(void **state)
{
	uint8_t hello[48] = {0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16};
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = {.version = 0x0301, .cipher = 5, .id = 3};
	(void)state;
	struct script *s = script_new();
	say(s, C, hello, sizeof hello);
	server_hello(b, h);
	flush(s, S, b, 16384);
	ccs(s, C);
	noise(s, C, 22, 36);
	ccs(s, S);
	noise(s, S, 22, 36);
	check(s,
	    "\nC hello 1.0 sni= alpn= fp=no/\nS hello 1.0 TLS_RSA_WITH_RC4_128_SHA -"
	    "\nS resumed\nS established");
	s = script_new(); /* not from a server */
	say(s, S, hello, sizeof hello);
	check(s, "\nS garbage");
	s = script_new(); /* nor behind a record */
	ccs(s, C);
	say(s, C, hello, sizeof hello);
	check(s, "\nC garbage");
	s = script_new(); /* SSL 2.0 itself is not spoken here */
	hello[3] = 0;
	say(s, C, hello, sizeof hello);
	check(s, "\nC garbage");
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key_exchange),
	    cmocka_unit_test(test_ticket),
	    cmocka_unit_test(test_no_keys),
	    cmocka_unit_test(test_everything_12),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_tls_12_resumed),
	    cmocka_unit_test(test_ssl2_hello),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
