/* The conductor: frames in, records out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/worker.h"
#include "record_text.h"

#define MS  1000000ll
#define C   0 /* client and server */
#define S   1
#define SYN "S"
#define FIN "F"
#define RST "R"

/* One TCP connection of 10.0.0.1 to 10.0.0.2, and what its two sides have sent so far. */
struct line {
	struct engine *e;
	uint16_t port[2];
	uint32_t next[2]; /* sequence numbers */
	int64_t ts_ns;
	int messages, sessions; /* records so far */
	struct record last;	/* session, or message where there was none yet */
};

static void
take(struct line *l)
{
	static struct record r;
	while (engine_next(l->e, &r)) {
		l->messages += r.kind == RECORD_MESSAGE;
		l->sessions += r.kind == RECORD_SESSION;
		l->last = r;
	}
}

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Sends one segment; flags as in "S", "F", "R"; ACK is set but in a client's SYN. */
static void
send_at(struct line *l, int side, uint32_t seq, const char *flags, const char *text)
{
	size_t n = strlen(text), size = 14 + 20 + 20 + n;
	uint8_t *p = calloc(1, size);
	uint8_t f = (uint8_t)((strchr(flags, 'S') ? 2 : 0) | (strchr(flags, 'F') ? 1 : 0) |
	    (strchr(flags, 'R') ? 4 : 0));
	if (!(f == 2 && side == C))
		f |= 0x10;
	p[12] = 8;
	p[14] = 0x45;
	p[16] = (uint8_t)((size - 14) >> 8);
	p[17] = (uint8_t)(size - 14);
	p[22] = 64;
	p[23] = 6;
	put32(p + 26, 0x0a000001u + (uint32_t)side);
	put32(p + 30, 0x0a000002u - (uint32_t)side);
	for (int i = 0; i < 2; i++) {
		uint16_t port = l->port[i == 0 ? side : !side];
		p[34 + 2 * i] = (uint8_t)(port >> 8);
		p[35 + 2 * i] = (uint8_t)port;
	}
	put32(p + 38, seq);
	put32(p + 42, f & 0x10 ? l->next[!side] : 0);
	p[46] = 0x50;
	p[47] = f;
	memcpy(p + 54, text, n);
	struct frame frame = {.data = p,
	    .caplen = (uint32_t)size,
	    .wirelen = (uint32_t)size,
	    .ts_ns = l->ts_ns,
	    .link_type = 1,
	    .number = 1};
	l->ts_ns += MS;
	engine_push(l->e, &frame);
	take(l);
	free(p);
}

static void
say(struct line *l, int side, const char *flags, const char *text)
{
	uint32_t seq = l->next[side];
	l->next[side] += (uint32_t)strlen(text) + (*flags == 'S' || *flags == 'F');
	send_at(l, side, seq, flags, text);
}

static void
begin(struct line *l, const struct engine_config *config)
{
	char error[256];
	memset(l, 0, sizeof *l);
	l->e = engine_new(config, error);
	assert_non_null(l->e);
	*l = (struct line){.e = l->e,
	    .port = {40000, 25},
	    .next = {0xfffffff0u, 7000},
	    .ts_ns = 1700000000ll * 1000 * MS};
}

static void
shake_hands(struct line *l)
{
	say(l, C, SYN, "");
	say(l, S, SYN, "");
	say(l, C, "", "");
}

static void
greet(struct line *l)
{
	say(l, S, "", "220 mx ESMTP\r\n");
	say(l, C, "", "EHLO me\r\n");
	say(l, S, "", "250 mx\r\n");
}

static void
mail(struct line *l)
{
	say(l, C, "", "MAIL FROM:<a@b>\r\n");
	say(l, S, "", "250 Ok\r\n");
	say(l, C, "", "RCPT TO:<c@d>\r\n");
	say(l, S, "", "250 Ok\r\n");
	say(l, C, "", "DATA\r\n");
	say(l, S, "", "354 Go\r\n");
	say(l, C, "", "Subject: x\r\n\r\nbody\r\n.\r\n");
	say(l, S, "", "250 Ok\r\n");
}

static void
end(struct line *l)
{
	engine_finish(l->e);
	take(l);
	engine_free(l->e);
}

static void
a_connection(void **state)
{
	(void)state;
	struct line l;
	begin(&l, &(struct engine_config){0});
	shake_hands(&l);
	greet(&l);
	mail(&l);
	assert_int_equal(l.messages, 1); /* at once, not at the end */
	record_expect(&l.last,
	    "postcard.outcome=cleartext\npostcard.reason=not-offered\n"
	    "email.from.address=a@b\nemail.to.address=c@d\npostcard.delivered=accepted\n"
	    "source.ip=10.0.0.1\nsource.port=40000\ndestination.port=25\n"
	    "network.protocol=smtp\npostcard.visibility=both\npostcard.midstream=0");
	say(&l, C, FIN, "QUIT\r\n");
	say(&l, S, FIN, "221 Bye\r\n");
	say(&l, C, "", "");
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.closed_by=fin\npostcard.messages=1\npostcard.gap_bytes=0");
	/* late segments of a closed connection begin nothing */
	send_at(&l, S, l.next[S] - 5, "", "Bye\r\n");
	end(&l);
	assert_int_equal(l.sessions, 1);
}

static void
ends(void **state)
{
	(void)state;
	struct line l;
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.closed_by=end of input\npostcard.outcome=no-mail");

	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	say(&l, S, RST, "");
	l.ts_ns += 900 * MS;
	l.port[C]++;
	say(&l, C, SYN, "");
	assert_int_equal(l.sessions, 0); /* it may be false, as long as somebody may go on */
	l.ts_ns += 200 * MS;
	l.port[C]++;
	say(&l, C, SYN, ""); /* another connection tells that time has passed */
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.closed_by=rst");
	end(&l);

	/* the same four numbers again, behind a close and with no close at all */
	for (int closed = 0; closed < 2; closed++) {
		begin(&l, &(struct engine_config){.no_ndpi = true});
		shake_hands(&l);
		greet(&l);
		if (closed)
			say(&l, C, FIN, "");
		l.next[C] = 0x12345678;
		l.next[S] = 0x9abcdef0;
		shake_hands(&l);
		assert_int_equal(l.sessions, 1);
		record_expect(&l.last, "postcard.closed_by=reuse");
		greet(&l);
		mail(&l);
		end(&l);
		assert_int_equal(l.sessions, 2);
		assert_int_equal(l.messages, 1);
		record_expect(&l.last, "postcard.midstream=0\npostcard.gap_bytes=0");
	}
	/* what waited behind a hole when it ended is told */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	l.next[C] += 10;
	say(&l, C, "", "MAIL FROM:<a@b>\r\n");
	l.next[C] += 100000;
	l.next[S] += 200000;
	shake_hands(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last,
	    "postcard.closed_by=reuse\npostcard.envelopes=1\n"
	    "postcard.outcome=cleartext\npostcard.gap_bytes=10");
	end(&l);
	/* a stray SYN that nobody answers changes nothing */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	send_at(&l, C, 0x12345678, SYN, "");
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.messages=1\npostcard.closed_by=end of input");
}

static void
a_hole(void **state)
{
	(void)state;
	struct line l;
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	l.next[C] += 40; /* commands that were not captured */
	say(&l, S, "", "250 Ok\r\n250 Ok\r\n354 Go\r\n");
	say(&l, C, "", "Subject: x\r\n\r\nbody\r\n.\r\n");
	say(&l, S, "", "250 Ok\r\n");
	end(&l);
	record_expect(&l.last,
	    "postcard.outcome=cleartext\npostcard.gap_bytes=40\npostcard.messages=1\n"
	    "!postcard.starttls.requested"); /* that it was not is no longer known */
	/* never "encrypted", and never "no mail", out of nothing */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	l.next[C] += 4000;
	l.next[S] += 4000;
	say(&l, C, FIN, "");
	say(&l, S, FIN, "");
	end(&l);
	record_expect(&l.last, "postcard.outcome=unknown");
}

/* Openings that are not by the book (RFC 9293 section 3.5, RFC 7413). */
static void
odd_openings(void **state)
{
	(void)state;
	struct line l;
	/* both ends open at once */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	say(&l, C, SYN, "");
	l.next[C]--;
	send_at(&l, S, 7000, SYN, "");
	say(&l, C, SYN, "");
	l.next[S]++;
	greet(&l);
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.messages=1\npostcard.gap_bytes=0\nsource.port=40000");
	/* a SYN with data */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	say(&l, C, SYN, "EHLO me\r\n");
	say(&l, S, SYN, "");
	say(&l, S, "", "220 mx ESMTP\r\n250 mx\r\n");
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.messages=1\npostcard.helo=me\npostcard.gap_bytes=0");
	/* FIN with data, and data that is sent again behind it */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	mail(&l);
	uint32_t quit = l.next[C];
	say(&l, C, FIN, "QUIT\r\n");
	send_at(&l, C, quit, FIN, "QUIT\r\n");
	say(&l, S, FIN, "221 Bye\r\n");
	send_at(&l, C, l.next[C], RST, "");
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.closed_by=fin\npostcard.gap_bytes=0");
	/* the server has closed its half, the client goes on */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	say(&l, S, FIN, "");
	say(&l, C, "", "MAIL FROM:<a@b>\r\n");
	say(&l, C, FIN, "");
	end(&l);
	record_expect(&l.last,
	    "postcard.outcome=cleartext\npostcard.envelopes=1\npostcard.closed_by=fin");
	/* a RST that nobody believed */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	send_at(&l, S, l.next[S], RST, "");
	l.ts_ns += 700 * MS;
	mail(&l);
	l.ts_ns += 2000 * MS;
	say(&l, C, FIN, "QUIT\r\n");
	say(&l, S, FIN, "221 Bye\r\n");
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.messages=1\npostcard.closed_by=fin");
	/* a RST far from what is due is not believed, one in the window is */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	greet(&l);
	send_at(&l, S, l.next[S] + (64u << 20), RST, "");
	l.ts_ns += 1000 * MS;
	mail(&l);
	end(&l);
	record_expect(&l.last, "postcard.messages=1\npostcard.closed_by=end of input");
}

/* What a network put into another order: the dialogue is what it was. */
static void
late_segments(void **state)
{
	(void)state;
	static const char hello[] = "EHLO me\r\n", list[] = "250-mx\r\n250 STARTTLS\r\n";
	static const char greeting[] = "220 Greetings\r\n";
	struct line l;
	/* nothing of the client was seen, and what the server answers comes before its greeting */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	uint32_t client = ++l.next[C], server = l.next[S] + 1;
	say(&l, S, SYN, "");
	l.next[C] += sizeof hello - 1;
	send_at(&l, S, server + sizeof greeting - 1, "", list);
	l.next[C] = client;
	send_at(&l, S, server, "", greeting);
	l.next[S] = server + sizeof greeting - 1;
	send_at(&l, C, client, "", hello);
	l.next[C] += sizeof hello - 1;
	l.next[S] += sizeof list - 1;
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.starttls.offered=1\npostcard.reason=not-requested");
	/* the handshake was lost, and what answers STARTTLS comes before it */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	say(&l, S, "", "220 mx ESMTP\r\n");
	client = l.next[C];
	l.next[C] += sizeof hello - 1;
	say(&l, S, "", list);
	l.next[C] += 10;
	say(&l, S, "", "454 No\r\n");
	server = l.next[S];
	l.next[S] -= 8;
	send_at(&l, C, client + sizeof hello - 1, "", "STARTTLS\r\n");
	l.next[S] = server;
	send_at(&l, C, client, "", hello);
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.starttls.reply=454\npostcard.reason=refused");
	/* nDPI is asked what the greeting is, and it is no less what the session began with */
	begin(&l, &(struct engine_config){0});
	l.port[S] = 1224;
	say(&l, C, SYN, "");
	say(&l, S, SYN, "");
	client = l.next[C];
	server = l.next[S];
	l.next[S] += sizeof greeting - 1;
	send_at(&l, C, client, "", hello);
	send_at(&l, S, server, "", greeting);
	l.next[C] += sizeof hello - 1;
	say(&l, S, "", list);
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last,
	    "postcard.greeting=Greetings\n!postcard.anomalies=client-talks-first");
}

/* A side of which nothing came in time is taken for not captured; what it said was lost where it
 * does come. */
static void
a_side_that_comes_late(void **state)
{
	(void)state;
	for (int comes = 0; comes < 3; comes++) {
		struct line l;
		begin(&l, &(struct engine_config){.no_ndpi = true});
		l.next[C]++;
		say(&l, S, SYN, "");
		say(&l, S, "", "220 mx ESMTP\r\n");
		l.next[C] += 9; /* EHLO me */
		say(&l, S, "", "250-mx\r\n250 STARTTLS\r\n");
		l.next[C] += 17; /* MAIL FROM:<a@b> */
		say(&l, S, "", "530 Must issue STARTTLS\r\n");
		l.ts_ns += 900 * MS;
		say(&l, S, "", "421 Bye\r\n");
		l.ts_ns += 900 * MS;
		if (comes == 1)
			say(&l, C, RST, "");
		if (comes == 2)
			say(&l, C, "", "");
		if (comes > 0)
			assert_true(mail_is_idle(&l.e->mail)); /* nothing is left for another */
		end(&l);
		assert_int_equal(l.sessions, 1);
		record_expect(&l.last,
		    comes ? "postcard.gap_bytes=26\npostcard.outcome=unknown\npostcard.visibility="
			    "both"
			  : "postcard.gap_bytes=0\npostcard.outcome=unknown");
	}
}

static void
not_mail(void **state)
{
	(void)state;
	struct line l;
	begin(&l, &(struct engine_config){.no_ndpi = true});
	l.port[S] = 8080;
	shake_hands(&l);
	say(&l, C, "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	say(&l, S, "", "HTTP/1.1 200 OK\r\n\r\n");
	end(&l);
	assert_int_equal(l.sessions, 0);
	/* mail is found there all the same */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	l.port[S] = 8080;
	shake_hands(&l);
	greet(&l);
	mail(&l);
	end(&l);
	assert_int_equal(l.sessions, 1);
	assert_int_equal(l.messages, 1);
	/* and on a mail port something else is a session, and named as odd */
	begin(&l, &(struct engine_config){.no_ndpi = true});
	shake_hands(&l);
	say(&l, C, "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	say(&l, S, "", "HTTP/1.1 200 OK\r\n\r\n");
	end(&l);
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "network.protocol=other\npostcard.anomalies=non-mail-on-mail-port");
}

/* Octets that waited behind a hole to the end of the input are told by no packet: nDPI, which is
 * shown packets, is not asked with one that is gone. */
static void
what_waited_is_shown_to_nobody(void **state)
{
	(void)state;
	struct line l;
	struct engine_stats stats;
	begin(&l, &(struct engine_config){0});
	l.port[S] = 4444;
	shake_hands(&l);
	l.next[C] += 20;
	say(&l, C, "", "hello there what is up\r\nfoo bar baz\r\n");
	engine_finish(l.e);
	take(&l);
	engine_stats_get(l.e, &stats);
	assert_int_equal(stats.ndpi_calls, 0);
	engine_free(l.e);
}

/* A dialogue of which a quarter of the lines is lost (`seed` says which), then a packet of another
 * connection, sent by `who`; what is left then is told at the end. */
static void
lossy(struct line *l, unsigned seed, int who)
{
	static const struct {
		int side;
		const char *text;
	} lines[] = {{S, "220 mx ESMTP\r\n"}, {C, "EHLO me\r\n"}, {S, "250-mx\r\n"},
	    {S, "250 STARTTLS\r\n"}, {C, "STARTTLS\r\n"}, {S, "454 No\r\n"},
	    {C, "MAIL FROM:<a@b>\r\n"}, {S, "250 Ok\r\n"}, {C, "RCPT TO:<c@d>\r\n"},
	    {S, "250 Ok\r\n"}, {C, "DATA\r\n"}, {S, "354 Go\r\n"}, {C, "Subject: x\r\n\r\n"},
	    {C, "x\r\n.\r\n"}, {S, "250 Ok\r\n"}, {C, "QUIT\r\n"}, {S, "221 Bye\r\n"}};
	begin(l, &(struct engine_config){.no_ndpi = true});
	shake_hands(l);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		seed = seed * 1103515245u + 12345u;
		if (seed >> 16 & 3)
			say(l, lines[i].side, "", lines[i].text);
		else
			l->next[lines[i].side] += (uint32_t)strlen(lines[i].text);
	}
	l->port[C] = 50000;
	l->port[S] = 9999;
	send_at(l, who, 1, "", "");
	engine_finish(l->e);
	take(l);
	engine_free(l->e);
}

/* Whoever sent the last packet of another connection: the records are the same. */
static void
others_do_not_order_it(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		struct line a, b;
		lossy(&a, seed, C);
		lossy(&b, seed, S);
		assert_int_equal(a.messages, b.messages);
		assert_int_equal(a.last.len, b.last.len);
		assert_memory_equal(a.last.data, b.last.data, a.last.len);
	}
}

static void
full_pools(void **state)
{
	(void)state;
	/* the table of connections is full first, then that of flows */
	static const struct engine_config sizes[] = {{.flows = 8, .conns = 4, .no_ndpi = true},
	    {.flows = 4, .conns = 8, .no_ndpi = true}};
	struct line l;
	struct engine_stats stats;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		begin(&l, &sizes[k]);
		for (uint16_t i = 0; i < 100; i++) {
			l.port[C] = (uint16_t)(40000 + i);
			shake_hands(&l);
			greet(&l);
			if (l.sessions > 0) /* whether mail followed nobody saw */
				record_expect(&l.last,
				    "postcard.outcome=unknown\npostcard.closed_by=memory");
		}
		engine_stats_get(l.e, &stats);
		assert_in_range(stats.evicted, 90, 100); /* stated, not silent, and each once */
		end(&l);
		assert_int_equal(l.sessions, 100); /* and each has its record */
	}
	struct engine_table t;
	begin(&l, &(struct engine_config){.memory = ENGINE_MEMORY_MIN, .no_ndpi = true});
	uint64_t octets = 0;
	unsigned tables = 0;
	for (; engine_table_get(l.e, tables, &t); tables++)
		octets += t.octets;
	assert_true(tables > 5 && octets > ENGINE_MEMORY_MIN / 4);
	assert_true(octets <= engine_memory(l.e) - ENGINE_MEMORY_REST);
	end(&l);
}

/* Without memory to wait a reset is believed at once; first octets that cannot be held are lost. */
static void
no_memory_to_wait(void **state)
{
	(void)state;
	struct line l;
	begin(&l, &(struct engine_config){.memory = ENGINE_MEMORY_MIN, .no_ndpi = true});
	while (pool_take(&l.e->waits) != 0)
		;
	shake_hands(&l);
	greet(&l);
	l.next[S] += 5; /* the server had sent that, and it was not captured */
	say(&l, S, RST, "");
	assert_int_equal(l.sessions, 1);
	record_expect(&l.last, "postcard.closed_by=rst\npostcard.gap_bytes=5");
	while (pool_take(&l.e->extras) != 0)
		;
	l.port[C]++;
	shake_hands(&l);
	say(&l, S, "", "22");
	say(&l, S, "", "0 mx ESMTP\r\n");
	say(&l, C, "", "EHLO me\r\n");
	end(&l);
	assert_int_equal(l.sessions, 2);
	record_expect(&l.last, "postcard.outcome=unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection),
	    cmocka_unit_test(ends),
	    cmocka_unit_test(a_hole),
	    cmocka_unit_test(odd_openings),
	    cmocka_unit_test(late_segments),
	    cmocka_unit_test(a_side_that_comes_late),
	    cmocka_unit_test(not_mail),
	    cmocka_unit_test(what_waited_is_shown_to_nobody),
	    cmocka_unit_test(others_do_not_order_it),
	    cmocka_unit_test(full_pools),
	    cmocka_unit_test(no_memory_to_wait),
	};
	return cmocka_run_group_tests_name("engine/engine", tests, NULL, NULL);
}
