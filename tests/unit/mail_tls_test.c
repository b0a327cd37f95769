/*
 * The TLS machine: handshakes that come up, that fail and that cannot be seen whole; losses;
 * bounds.
 */
#include "tls_script.h"

#include <stdio.h>

#define SERVER_LEN ((size_t)81) /* octets of a ServerHello of TLS 1.2 */

/* ---- handshakes ---- */

static void
test_tls_12(void **state)
{
	(void)state;
	struct script *s = script_new();
	begin_12(s, 0xc02f, 16384);
	ccs(s, C);
	noise(s, C, 22, 40);
	ccs(s, S);
	noise(s, S, 22, 40);
	noise(s, C, 23, 60);
	noise(s, S, 23, 700);
	noise(s, C, 21, 26); /* close_notify */
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, TLS_IS_ESTABLISHED);
	assert_true(tls_is_sealed(&r->tls));
	assert_int_equal(r->tls.half[C].protected_records, 3);
	assert_int_equal(r->tls.half[S].protected_records, 2);
	assert_int_equal(r->tls.half[C].flags, TLS_SAW_HELLO | TLS_SAW_CCS | TLS_SAW_APPDATA);
	assert_int_equal(r->tls.version, 0x0303);
	assert_int_equal(r->tls.cipher, 0xc02f);
	free(r);
	check(s, CLIENT_LINE SERVER_12 "\nS certificate 300\nS established");

	/* messages in records of every length */
	for (size_t most = 1; most < 70; most += most < 12 ? 1 : 19) {
		s = script_new();
		begin_12(s, 0xc02f, most);
		ccs(s, C);
		noise(s, C, 22, 40);
		ccs(s, S);
		noise(s, S, 22, 40);
		check(s, CLIENT_LINE SERVER_12 "\nS certificate 300\nS established");
	}
}

static void
test_tls_13(void **state)
{
	(void)state;
	struct script *s = script_new();
	begin_13(s);
	ccs(s, C);
	noise(s, C, 23, 53);
	noise(s, C, 23, 30);
	noise(s, S, 23, 300);
	struct run *r = run_whole(s, 2);
	assert_true(tls_is_sealed(&r->tls));
	assert_int_equal(r->tls.version, 0x0304);
	assert_int_equal(r->tls.half[S].protected_records, 4);
	assert_int_equal(r->tls.half[C].protected_records, 2);
	free(r);
	check(s, CLIENT_LINE SERVER_13 "\nC established");

	/* a client without a certificate of its own says so first, in 25 octets */
	s = script_new();
	begin_13(s);
	ccs(s, C);
	noise(s, C, 23, 25);
	noise(s, C, 23, 69);
	r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, TLS_IS_ESTABLISHED);
	free(r);
	check(s, CLIENT_LINE SERVER_13 "\nC established");

	/* a ticket, and data before the ServerHello */
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_13;
	s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	ccs(s, C);
	noise(s, C, 23, 200);
	h.psk = true;
	server_hello(b, h);
	flush(s, S, b, 16384);
	noise(s, S, 23, 80);
	check(s, CLIENT_LINE SERVER_13 " resumed\nS established");
	free(b);
}

/* What goes the short way, and what does not and changes nothing. */
static void
test_short_way(void **state)
{
	(void)state;
	static const uint8_t records[] = "\x17\3\3\0\2xx\x17\3\3\0\x40yyy";
	struct script *s = script_new();
	begin_13(s);
	ccs(s, C);
	noise(s, C, 23, 53);
	noise(s, S, 23, 300);
	struct run *r = run_whole(s, 2);
	const struct tls before = r->tls;
	assert_true(tls_is_sealed(&r->tls));
	assert_false(tls_pass(&r->tls, S, records, 9)); /* half a header */
	assert_false(
	    tls_pass(&r->tls, S, (const uint8_t *)"\x17\3\3\0\1x\x15\3\3\0\2", 11)); /* an alert */
	assert_false(tls_pass(&r->tls, S, (const uint8_t *)"250 Ok\r\n", 8));
	assert_memory_equal(&before, &r->tls, sizeof before);
	assert_true(tls_pass(&r->tls, S, records, 15));
	assert_int_equal(r->tls.half[S].record_left, 61);
	assert_true(tls_pass(&r->tls, S, records, 1));
	assert_int_equal(r->tls.half[S].record_left, 60);
	free(r);
	free(s);
}

/* The CCS between the two ClientHellos protects nothing (RFC 8446 appendix D.4). */
static void
test_hello_retry(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_13;
	(void)state;
	struct script *s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	h.retry = true;
	server_hello(b, h);
	flush(s, S, b, 16384);
	ccs(s, S);
	ccs(s, C);
	client_hello(b, hello_13);
	flush(s, C, b, 100);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.version, 0);
	assert_int_equal(r->tls.half[C].protected_records, 0);
	assert_int_equal(r->tls.half[S].flags & TLS_SAW_HELLO, 0);
	free(r);
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	noise(s, S, 23, 900);
	noise(s, C, 23, 53);
	check(s, CLIENT_LINE SERVER_13 "\nC established");
	free(b);
}

static void
test_failures(void **state)
{
	(void)state;
	/* TLS 1.3: the client does not like the certificate, and its alert is protected */
	struct script *s = script_new();
	begin_13(s);
	ccs(s, C);
	noise(s, C, 23, 19);
	noise(s, C, 23, 19);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, TLS_IS_FAILED_INFERRED);
	assert_false(tls_is_sealed(&r->tls));
	assert_int_equal(r->tls.half[C].protected_records, 0);
	assert_int_equal(r->tls.half[C].flags & TLS_SAW_APPDATA, TLS_SAW_APPDATA);
	free(r);
	check(s, CLIENT_LINE SERVER_13);

	/* or readable */
	s = script_new();
	begin_13(s);
	alert(s, C, 2, 48);
	check(s, CLIENT_LINE SERVER_13 "\nC alert 2 unknown_ca");
	s = script_new(); /* neither a level nor a description that there is */
	begin_13(s);
	alert(s, C, 3, 48);
	alert(s, C, 2, 47);
	alert(s, C, 2, 200);
	check(s, CLIENT_LINE SERVER_13 "\nC alert 2 illegal_parameter");

	/* no version in common */
	struct bytes *b = calloc(1, sizeof *b);
	s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	alert(s, S, 2, 70);
	check(s, CLIENT_LINE "\nS alert 2 protocol_version");
	free(b);

	/* TLS 1.2: the server answers the client's Finished with an alert */
	s = script_new();
	begin_12(s, 0xc02f, 16384);
	ccs(s, C);
	noise(s, C, 22, 40);
	alert(s, S, 2, 51);
	r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, 0);
	assert_int_equal(r->tls.half[S].flags & TLS_SAW_ALERT, TLS_SAW_ALERT);
	free(r);
	check(s, CLIENT_LINE SERVER_12 "\nS certificate 300\nS alert 2 decrypt_error");

	/* the same behind its CCS: an alert is no Finished, and cannot be read */
	s = script_new();
	begin_12(s, 0xc02f, 16384);
	ccs(s, C);
	noise(s, C, 22, 40);
	ccs(s, S);
	noise(s, S, 21, 26);
	alert(s, S, 2, 51);
	check(s, CLIENT_LINE SERVER_12 "\nS certificate 300");
}

/* Early data before a HelloRetryRequest (RFC 8446 section 4.2.10), and records without a tag. */
static void
test_early_data(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_13;
	(void)state;
	/* refused by a HelloRetryRequest: what the client sends again counts, the rest does not
	 * hurt */
	struct script *s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	ccs(s, C);
	noise(s, C, 23, 300);
	h.retry = true;
	server_hello(b, h);
	flush(s, S, b, 16384);
	ccs(s, S);
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	noise(s, S, 23, 900);
	noise(s, C, 23, 53);
	check(s, CLIENT_LINE SERVER_13 "\nS established");

	/* records too short for a tag protect nothing in TLS 1.3, either */
	s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	noise(s, S, 23, 8);
	noise(s, C, 23, 53);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.half[S].protected_records, 0);
	free(r);
	noise(s, S, 23, 9);
	check(s, CLIENT_LINE SERVER_13 "\nS established");
	free(b);
}

static void
test_null_cipher(void **state)
{
	(void)state;
	struct script *s = script_new();
	char mac[48];
	memset(mac, 'M', sizeof mac);
	begin_12(s, 0xc010, 16384); /* TLS_ECDHE_RSA_WITH_NULL_SHA: a MAC of 20 */
	ccs(s, C);
	noise(s, C, 22, 36);
	ccs(s, S);
	noise(s, S, 22, 36);
	record(s, C, 23, mac, 20);
	record(s, C, 23, "EHLO ", 5); /* too short for a MAC: nothing is handed on */
	for (int i = 0; i < 2; i++) {
		char body[26];
		memcpy(body, i == 0 ? "EHLO a" : "MAIL F", 6);
		memcpy(body + 6, mac, 20);
		record(s, C, 23, body, 26);
	}
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, TLS_IS_ESTABLISHED | TLS_IS_NULL);
	assert_false(tls_is_sealed(&r->tls));
	free(r);
	check(s,
	    CLIENT_LINE "\nS hello 1.2 TLS_ECDHE_RSA_WITH_NULL_SHA -\nS certificate 300"
			"\nS established\nC plain EHLO aMAIL F");

	/* RFC 9150, TLS 1.3: a MAC of 32 behind the true type */
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_13;
	char body[40] = "NOOP\r\n\x17";
	memcpy(body + 7, mac, 32);
	h.cipher = 0xc0b4;
	s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	server_hello(b, h);
	flush(s, S, b, 16384);
	noise(s, S, 23, 500);
	noise(s, C, 23, 69);
	record(s, C, 23, body, 39);
	check(s,
	    CLIENT_LINE "\nS hello 1.3 TLS_SHA256_SHA256 X25519MLKEM768"
			"\nC established\nC plain NOOP\\x0d\\x0a");
	free(b);
}

static void
test_garbage(void **state)
{
	static const char reply[] = "454 4.7.0 TLS not available due to local problem\r\n";
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	struct script *s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	say(s, S, reply, strlen(reply));
	noise(s, S, 23, 100); /* nothing is read any more */
	noise(s, C, 23, 100);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.half[S].flags, TLS_SAW_GARBAGE);
	free(r);
	check(s, CLIENT_LINE "\nS garbage");

	/* each part of a header must be one */
	static const char *const bad[] = {"\x13\3\3\0\1", "\x19\3\3\0\1", "\x16\2\3\0\1",
	    "\x16\3\5\0\1", "\x17\3\3\x48\1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		s = script_new();
		ccs(s, S);
		say(s, S, bad[i], 5);
		say(s, S, "abcdefgh", 8);
		check(s, "\nS garbage");
	}

	/* what an earlier push gave of the false header is kept for the caller */
	s = script_new();
	ccs(s, S);
	say(s, S, "\x17\3", 2);
	pause_here(s);
	say(s, S, "500 what", 8);
	r = run_whole(s, 2);
	assert_string_equal(r->buf, "\nS garbage");
	assert_int_equal(r->tls.half[S].header_len, 2);
	assert_memory_equal(r->tls.half[S].header, "\x17\3", 2);
	free(r);
	free(s);
	free(b);
}

static void
test_midstream(void **state)
{
	(void)state;
	struct script *s = script_new();
	noise(s, S, 23, 100);
	noise(s, C, 23, 60);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, TLS_IS_MIDSTREAM);
	assert_true(tls_is_sealed(&r->tls));
	free(r);
	check(s, "\nC midstream");

	/* two short records may be an alert and a close_notify; three are not */
	s = script_new();
	noise(s, S, 23, 900);
	noise(s, C, 23, 19);
	noise(s, C, 23, 19);
	r = run_whole(s, 2);
	assert_int_equal(r->tls.flags, 0);
	free(r);
	noise(s, C, 23, 23);
	check(s, "\nC midstream");

	/* a cipher that does not encrypt leaves text: that is not sealed */
	s = script_new();
	record(s, S, 23, "250 Ok\r\n and its MAC", 20);
	record(s, C, 23, "MAIL FROM:<a@b>\r\n", 17);
	record(s, C, 23, "\xc3\xbc\xc3\xb6 a body that begins with no ASCII", 30);
	record(s, S, 23, "ok", 2);
	record(s, S, 23, "354 Go\r\n", 8);
	check(s, "");

	/* the ServerHello was not captured */
	struct bytes *b = calloc(1, sizeof *b);
	s = script_new();
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	noise(s, S, 23, 900);
	noise(s, C, 23, 19);
	noise(s, C, 23, 19);
	noise(s, C, 23, 19);
	noise(s, C, 23, 53);
	check(s, CLIENT_LINE "\nC midstream");
	free(b);
}

/* The server's octets come to us only after all of the client's. */
static void
test_one_side_late(void **state)
{
	static const struct {
		bool tls_13;
		size_t client; /* its last record */
		const char *want;
		uint8_t flags;
	} cases[] = {
	    {true, 53, SERVER_13 "\nS established", TLS_IS_ESTABLISHED},
	    {true, 19, SERVER_13, TLS_IS_FAILED_INFERRED},
	    {false, 40, SERVER_12 "\nS certificate 300\nS established", TLS_IS_ESTABLISHED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script *s = script_new();
		struct bytes *b = calloc(1, sizeof *b);
		char want[600];
		client_hello(b, hello_12);
		flush(s, C, b, 16384);
		ccs(s, C);
		noise(s, C, cases[i].tls_13 ? 23 : 22, cases[i].client);
		struct hello h = cases[i].tls_13 ? hello_13 : hello_12;
		h.id = 99;
		server_hello(b, h);
		if (!cases[i].tls_13)
			certificate(b, 300);
		flush(s, S, b, 16384);
		ccs(s, S);
		noise(s, S, cases[i].tls_13 ? 23 : 22, 40);
		struct run *r = run_whole(s, 2);
		assert_int_equal(r->tls.flags & 0x0f, cases[i].flags);
		free(r);
		snprintf(want, sizeof want, CLIENT_LINE "%s", cases[i].want);
		check(s, want);
		free(b);
	}
}

/* ---- losses ---- */

static void
check_whole(struct script *s, const char *want, uint8_t server_flags)
{
	struct run *r = run_whole(s, 2);
	assert_string_equal(r->buf, want);
	assert_int_equal(r->tls.half[S].flags & 0x3f, server_flags);
	free(r);
	free(s);
}

/* Octets are lost in the middle of the server's flight of TLS 1.2 and behind it. */
static void
test_gaps(void **state)
{
	(void)state;
	for (size_t at = 1; at < 480; at++) {
		/* the flight is one record of about 560 octets: its header is seen, so framing goes
		 * on, and the messages before the loss were read */
		struct script *s = script_new(), *all = script_new();
		begin_12(all, 0xc02f, 16384);
		say(s, C, all->b, all->turn[0].len);
		say(s, S, all->b + all->turn[1].at, 5 + at);
		lose(s, S, 60);
		say(s, S, all->b + all->turn[1].at + 5 + at + 60, all->turn[1].len - 65 - at);
		ccs(s, S);
		noise(s, S, 22, 40);
		noise(s, S, 23, 100);
		ccs(s, C);
		noise(s, C, 22, 40);
		noise(s, C, 23, 100);
		struct run *r = run_whole(s, 2);
		bool hello = strstr(r->buf, "\nS hello 1.2") != NULL;
		bool cert = strstr(r->buf, "\nS certificate 300") != NULL;
		assert_int_equal(hello, at >= SERVER_LEN);
		assert_int_equal(cert, at >= SERVER_LEN + 353);
		assert_non_null(strstr(r->buf, hello ? "\nC established" : "\nC midstream"));
		assert_int_equal(r->tls.half[S].flags & TLS_SAW_GAP, 0);
		free(r);
		free(s);
		free(all);
	}

	/* inside protected records nothing is missed */
	struct script *s = script_new();
	begin_13(s);
	say(s, S, "\x17\3\3\4\0abc", 8);
	lose(s, S, 1000);
	say(s, S, "0123456789012345678901", 21);
	noise(s, S, 23, 40);
	noise(s, C, 23, 53);
	check_whole(s, CLIENT_LINE SERVER_13 "\nC established",
	    TLS_SAW_HELLO | TLS_SAW_CCS | TLS_SAW_APPDATA);

	/* beyond a record: only what certainly begins with a header is a record again */
	s = script_new();
	begin_13(s);
	lose(s, S, 3000);
	say(s, S, "500 no such text\r\n", 18);
	pause_here(s);
	say(s, S, "\x17\3\1\0\x20", 5); /* another version than this connection's */
	pause_here(s);
	say(s, S, "\x17\3\3\0\4abcd\x18", 10); /* no header follows */
	pause_here(s);
	say(s, S, "\x14\3\3\0\2xx", 7); /* a CCS has one octet */
	noise(s, C, 23, 53);
	struct run *r = run_whole(s, 2);
	assert_int_equal(r->tls.half[S].protected_records, 3); /* those of begin_13 */
	free(r);
	check_whole(s, CLIENT_LINE SERVER_13 "\nC established",
	    TLS_SAW_HELLO | TLS_SAW_CCS | TLS_SAW_APPDATA | TLS_SAW_GAP);
	s = script_new();
	begin_13(s);
	lose(s, S, 3000);
	noise(s, S, 23, 30);
	noise(s, S, 23, 30);
	say(s, S, "\x17", 1); /* goes on in the next push */
	pause_here(s);
	say(s, S, "\3\3\0\4abcd", 8);
	pause_here(s);
	say(s, S, "text that is no record", 22); /* after a loss, this is no news */
	check_whole(s, CLIENT_LINE SERVER_13,
	    TLS_SAW_HELLO | TLS_SAW_CCS | TLS_SAW_APPDATA | TLS_SAW_GAP);

	/* among the octets that tell whether a record without its hellos is sealed: the rest of it
	 * does not tell any more, the next record does */
	static const uint8_t rest[52] = {0xff, 0xfe};
	for (unsigned records = 1; records <= 2; records++) {
		s = script_new();
		noise(s, C, 23, 60);
		say(s, S,
		    "\x17\3\3\0\x40"
		    "ab",
		    7);
		lose(s, S, 10);
		say(s, S, rest, sizeof rest);
		if (records == 2)
			noise(s, S, 23, 60);
		check_whole(s, records == 2 ? "\nS midstream" : "", TLS_SAW_APPDATA);
	}

	/* a loss at the start: the ServerHello comes whole after it */
	struct bytes *b = calloc(1, sizeof *b);
	s = script_new();
	lose(s, S, 50);
	server_hello(b, hello_12);
	flush(s, S, b, 16384);
	check_whole(s, SERVER_12, TLS_SAW_HELLO);

	/* in a Certificate of two records, up to the end of the first and beyond it */
	for (size_t lost = 50; lost <= 60; lost += 10) {
		s = script_new();
		server_hello(b, hello_12);
		flush(s, S, b, 16384);
		certificate(b, 300);
		record(s, S, 22, b->b, 100);
		s->len -= 50;
		s->turn[s->n - 1].len -= 50;
		lose(s, S, lost);
		record(s, S, 22, b->b + 100, b->len - 100);
		b->len = 0;
		ccs(s, S);
		noise(s, S, 22, 40);
		r = run_whole(s, 2);
		assert_string_equal(r->buf, SERVER_12);
		assert_int_equal(r->tls.half[S].protected_records, 1);
		free(r);
		free(s);
	}
	free(b);
}

/* Which octets of a message were lost decides whether the next message can be told. */
static void
test_gaps_in_messages(void **state)
{
	static const struct {
		size_t said,
		    lost;  /* of the message's 204 octets, 150 of them in the first record */
		bool told; /* is the ServerHello behind it? */
	} cases[] = {
	    {100, 50, true},  /* up to the record's end */
	    {100, 30, true},  /* inside it */
	    {2, 148, false},  /* its length among them */
	    {0, 150, false},  /* and its start */
	    {100, 60, false}, /* and something behind the record */
	    {150, 40, false},
	};
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct script *s = script_new();
		message(b, 22, 200);
		server_hello(b, hello_12);
		record(s, S, 22, b->b, 150);
		size_t left = 150 - cases[i].said;
		s->len -= left;
		s->turn[0].len -= left;
		lose(s, S, cases[i].lost);
		if (cases[i].lost < left)
			say(s, S, b->b + cases[i].said + cases[i].lost, left - cases[i].lost);
		if (cases[i].told)
			record(s, S, 22, b->b + 150, b->len - 150);
		else /* what begins a record need not begin a message */
			record(s, S, 22, b->b + 204, b->len - 204);
		ccs(s, S);
		noise(s, S, 23, 40);
		struct run *r = run_whole(s, 2);
		assert_string_equal(r->buf, cases[i].told ? SERVER_12 : "");
		assert_int_equal(r->tls.half[S].protected_records, 1);
		free(r);
		free(s);
		b->len = 0;
	}
	free(b);
}

/* ---- bounds ---- */

static void
test_too_long(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_13;
	(void)state;
	/* at the limit, and one beyond it */
	static const size_t records[] = {1400, 17000};
	for (size_t i = 0; i < 4; i++) {
		size_t extra = i / 2;
		client_hello(b, hello_13);
		h.padding = LIMIT_TLS_HANDSHAKE - b->len - 4 + extra;
		b->len = 0;
		client_hello(b, h);
		assert_int_equal(b->len, LIMIT_TLS_HANDSHAKE + extra);
		struct script *s = script_new();
		flush(s, C, b, records[i % 2]);
		server_hello(b, hello_12);
		flush(s, S, b, 16384);
		/* what comes behind the padding is not read: the versions */
		check(s,
		    extra == 0 ? "\nC hello 1.3 sni=mail.example alpn= fp=yes/"
				 "t13d020300_c1929292aa6b_7418e7913c75" SERVER_12 " resumed"
			       : "\nC hello 1.2 sni=mail.example alpn= fp=no/" SERVER_12
				 " resumed");
	}

	/* a chain too long to hold still has its first certificate told */
	static uint8_t fill[57000];
	struct script *s = script_new();
	server_hello(b, hello_12);
	flush(s, S, b, 16384);
	certificate(b, 3000);
	put(b, fill, sizeof fill);
	close_n(b, 1, 3);
	close_n(b, 4, 3);
	message(b, 14, 0);
	flush(s, S, b, 16000);
	ccs(s, S);
	noise(s, S, 22, 40);
	check(s, SERVER_12 "\nS certificate 3000");
	free(b);
}

/* With no buffer left a torn message is read as far as it goes, and passed over by its length. */
static void
test_no_buffers(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 560; cut++) {
		struct script *s = script_new();
		begin_12(s, 0xc02f, 16384);
		ccs(s, C);
		noise(s, C, 22, 40);
		ccs(s, S);
		noise(s, S, 22, 40);
		noise(s, C, 23, 60);
		noise(s, S, 23, 60);
		size_t at = s->turn[1].at;
		struct run *r = malloc(sizeof *r);
		run(r, s, 0, SIZE_MAX, at + cut, s->len);
		bool cert = strstr(r->buf, "\nS certificate 300") != NULL;
		bool hello = strstr(r->buf, "\nS hello 1.2 TLS_ECDHE") != NULL;
		/* of a message torn in its head not even the length is known; one torn behind the
		 * cipher, or behind the first certificate, is still told */
		size_t hello_at = 5, cert_at = hello_at + SERVER_LEN;
		bool hello_told = cut <= hello_at || cut >= hello_at + 73;
		bool cert_told = hello_told && (cut <= cert_at || cut >= cert_at + 310);
		assert_int_equal(hello, hello_told);
		assert_int_equal(cert, cert_told);
		assert_non_null(strstr(r->buf, hello ? "established" : "midstream"));
		free(r);
		free(s);
	}
}

/* The suites of TLS 1.3 are its own: they tell the version where its extension is cut off. */
static void
test_server_hello_without_end(void **state)
{
	struct bytes *b = calloc(1, sizeof *b);
	(void)state;
	struct script *s = script_new();
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	struct run *r = malloc(sizeof *r);
	run(r, s, 0, SIZE_MAX, 5 + 80, s->len);
	assert_string_equal(r->buf, "\nS hello 1.3 TLS_AES_128_GCM_SHA256 -");
	free(r);
	free(s);
	free(b);
}

static void
test_looks_like(void **state)
{
	(void)state;
	assert_true(tls_looks_like((const uint8_t *)"\x16\3\1\1\0", 5));
	assert_false(tls_looks_like((const uint8_t *)"\x16\3\1\1", 4));
	assert_true(tls_looks_like((const uint8_t *)"\x14\3\0\x48\0", 5));
	assert_false(tls_looks_like((const uint8_t *)"\x14\3\0\x48\1", 5));
	assert_false(tls_looks_like((const uint8_t *)"\x18\3\3\0\1", 5));
	assert_false(tls_looks_like((const uint8_t *)"\x17\3\5\0\1", 5));
	assert_false(tls_looks_like((const uint8_t *)"\x17\3\3\0\0", 5));
	assert_true(tls_looks_like_hello((const uint8_t *)"\x16\3\1\1\0\1", 6));
	assert_false(tls_looks_like_hello((const uint8_t *)"\x16\3\1\1\0\2", 6));
	assert_false(tls_looks_like_hello((const uint8_t *)"\x17\3\1\1\0\1", 6));
	assert_false(tls_looks_like_hello((const uint8_t *)"\x16\3\1\1\0", 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tls_12),
	    cmocka_unit_test(test_tls_13),
	    cmocka_unit_test(test_short_way),
	    cmocka_unit_test(test_hello_retry),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_early_data),
	    cmocka_unit_test(test_null_cipher),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_midstream),
	    cmocka_unit_test(test_one_side_late),
	    cmocka_unit_test(test_gaps),
	    cmocka_unit_test(test_gaps_in_messages),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_no_buffers),
	    cmocka_unit_test(test_server_hello_without_end),
	    cmocka_unit_test(test_looks_like),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
