/* What happens at the bounds of src/mail: longest lines in one piece, pools that are empty, too
 * many commands under way. */
#include "mail_script.h"

#include "base/limits.h"
#include "base/text.h"

static struct script_run r;

static void
begin(enum mail_protocol p, uint32_t lines, uint32_t tls_states)
{
	memset(&r, 0, sizeof r);
	const struct mail_sizes sizes = {.lines = lines,
	    .queues = 8,
	    .tls_states = tls_states,
	    .handshakes = 8,
	    .inflates = 2,
	    .mailboxes = 8};
	assert_true(mail_init(&r.m, &sizes));
	mail_begin(&r.m, &r.s, p, 0);
	script_take(&r);
}

static void
say(enum mail_side side, const char *text, size_t len)
{
	mail_push(&r.m, &r.s, side, text, len);
	script_take(&r);
}

static void
end(void)
{
	mail_end(&r.m, &r.s);
	script_take(&r);
	mail_release(&r.m, &r.s);
}

/* The same events, whether it comes in one piece or in several. */
static void
a_line_that_is_too_long(void **state)
{
	(void)state;
	static char line[3 * LIMIT_LINE];
	char first[sizeof r.out];
	memset(line, 'x', sizeof line);
	memcpy(line, "EHLO ", 5);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	for (size_t cut = 0; cut < sizeof line; cut += 97) {
		begin(MAIL_SMTP, 8, 8);
		say(MAIL_SERVER, "220 mx ESMTP\r\n", 14);
		if (cut > 0)
			say(MAIL_CLIENT, line, cut);
		say(MAIL_CLIENT, line + cut, sizeof line - cut);
		say(MAIL_SERVER, "250 mx\r\n", 8);
		end();
		if (cut == 0)
			strcpy(first, r.out);
		assert_string_equal(r.out, first);
		assert_non_null(strstr(r.out, " odd:"));
		assert_non_null(strstr(r.out, " helo+(xxx"));
		assert_non_null(strstr(r.out, " offer"));
		mail_free(&r.m);
	}
}

/* A line that cannot be held is lost, and said to be; lines that come whole need no memory. */
static void
no_memory_for_a_line(void **state)
{
	(void)state;
	begin(MAIL_SMTP, 1, 8);
	assert_int_not_equal(pool_take(&r.m.lines), 0); /* another connection's */
	say(MAIL_SERVER, "220 mx ESMTP\r\n", 14);
	say(MAIL_CLIENT, "EHLO me\r\n", 9);
	assert_non_null(strstr(r.out, "helo+(me)"));
	say(MAIL_SERVER, "250-mx\r\n250 ST", 14);
	say(MAIL_SERVER, "ARTTLS\r\n", 8);
	assert_null(strstr(r.out, "offer+"));
	say(MAIL_CLIENT, "MAIL FROM:<a@b>\r\n", 17);
	assert_non_null(strstr(r.out, "from(a@b)"));
	end();
	mail_free(&r.m);
}

/* What becomes of TLS that cannot be followed is not known, which is said. */
static void
no_memory_for_tls(void **state)
{
	(void)state;
	static const char hello[] = "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03";
	begin(MAIL_SMTP, 8, 1);
	assert_int_not_equal(pool_take(&r.m.tls_states), 0);
	say(MAIL_SERVER, "220 mx ESMTP\r\n", 14);
	say(MAIL_CLIENT, "EHLO me\r\n", 9);
	say(MAIL_SERVER, "250-mx\r\n250 STARTTLS\r\n", 22);
	say(MAIL_CLIENT, "STARTTLS\r\n", 10);
	say(MAIL_SERVER, "220 Go\r\n", 8);
	assert_null(strstr(r.out, " lost"));
	say(MAIL_CLIENT, hello, sizeof hello - 1);
	assert_non_null(strstr(r.out, " lost"));
	mail_gap(&r.m, &r.s, MAIL_CLIENT, 100); /* of what is not read, nothing more is said */
	script_take(&r);
	say(MAIL_CLIENT, "MAIL FROM:<a@b>\r\n", 17);
	assert_null(strstr(r.out, " from"));
	end();
	mail_free(&r.m);
}

/* A session that cannot be followed says so at once, and nothing of it is read. */
static void
no_memory_for_a_mailbox(void **state)
{
	(void)state;
	static const enum mail_protocol protocols[] = {MAIL_IMAP, MAIL_POP3};
	begin(MAIL_SMTP, 8, 8);
	while (pool_take(&r.m.mailboxes) != 0)
		continue;
	end();
	for (unsigned i = 0; i < 400; i++) { /* one after the other, as nobody ever has memory */
		r.s = (struct mail_session){0};
		r.len = 0;
		mail_begin(&r.m, &r.s, protocols[i % 2], 0);
		script_take(&r);
		mail_resync(&r.m, &r.s, MAIL_CLIENT);
		say(MAIL_SERVER, "* OK hi\r\n+OK hi\r\n", 18);
		say(MAIL_CLIENT, "a LOGIN joe secret\r\nUSER joe\r\n", 30);
		mail_gap(&r.m, &r.s, MAIL_CLIENT, 100);
		end();
		assert_string_equal(r.out, " lost lost");
	}
	mail_free(&r.m);
}

/* Behind a loss octets wait that may become a command, but not those that answer a challenge. */
static void
no_answer_waits(void **state)
{
	(void)state;
	for (unsigned challenge = 0; challenge < 2; challenge++) {
		begin(MAIL_IMAP, 8, 8);
		say(MAIL_SERVER, "* OK hi\r\n", 9);
		say(MAIL_CLIENT, "b AUTHENTICATE LOGIN\r\n", 22);
		mail_gap(&r.m, &r.s, MAIL_CLIENT, 5);
		script_take(&r);
		if (challenge)
			say(MAIL_SERVER, "+ VXNl\r\n", 8);
		say(MAIL_CLIENT, "c NO", 4);
		assert_int_equal(r.m.lines.used, challenge ? 0 : 1);
		end();
		mail_free(&r.m);
	}
}

/* Of a line of IMAP that is too long its end tells what the literal behind it is. */
static void
the_end_of_a_long_answer(void **state)
{
	(void)state;
	static const struct {
		const char *end, *events;
	} rows[] = {
	    {" BODY[HEADER.FIELDS (A B)] {3}", " exposed:1"},
	    {" X-A X-B X-C X-D X-E X-F X-G X-H X-I X-J X-K X-L X-M X-N X-O X-P)] {3}",
		" exposed:1"}, /* names of fields alone fill it */
	    {" BODY[]<5> {3}", " exposed:1"},
	    {" BODY[TEXT] {3}", " exposed:2"},
	    {" BODY[] {3}", " begin [abc] end+ result:0"},
	    {" X-SIZE {3}", ""},
	};
	static char line[3 * LIMIT_LINE];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct text t = text_in(line, sizeof line);
		text_puts(&t, "* 1 FETCH (FLAGS (");
		while (t.len < sizeof line / 2)
			text_puts(&t, "x ");
		text_printf(&t, ") X-Y BODY[HEADER.FIELDS (A%s\r\nabc)\r\n", rows[i].end);
		if (strstr(rows[i].end, "X-A") == NULL) { /* nothing is open */
			char *open = strstr(line, "BODY[HEADER.FIELDS (A");
			memset(open, 'x', 21);
		}
		for (size_t cut = 1; cut < t.len; cut += 61) {
			begin(MAIL_IMAP, 8, 8);
			say(MAIL_SERVER, "* OK hi\r\n", 9);
			say(MAIL_CLIENT, "a NOOP\r\n", 8);
			r.len = 0;
			say(MAIL_SERVER, line, cut);
			say(MAIL_SERVER, line + cut, t.len - cut);
			end();
			const char *got =
			    strncmp(r.out, " odd:", 5) == 0 ? strchr(r.out + 1, ' ') : "none";
			assert_string_equal(got != NULL ? got : "", rows[i].events);
			mail_free(&r.m);
		}
	}
}

/* Commands without a reply in sight: what is under way is forgotten once, and told. */
static void
too_many_commands(void **state)
{
	(void)state;
	static const struct {
		enum mail_protocol protocol;
		const char *greeting, *commands[2];
	} rows[] = {
	    {MAIL_SMTP, "220 mx ESMTP\r\n", {"RSET\r\n", "NOOP\r\n"}},
	    {MAIL_POP3, "+OK hi\r\n", {"NOOP\r\n", "STAT\r\n"}},
	    {MAIL_IMAP, "* OK hi\r\n", {"a NOOP\r\n", "b SELECT x\r\n"}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(rows[i].protocol, 8, 8);
		say(MAIL_SERVER, rows[i].greeting, strlen(rows[i].greeting));
		for (unsigned k = 0; k < 200; k++)
			say(MAIL_CLIENT, rows[i].commands[k % 2], strlen(rows[i].commands[k % 2]));
		if (rows[i].protocol != MAIL_IMAP) /* of which only some are waited for */
			assert_non_null(strstr(r.out, "odd:"));
		end();
		mail_free(&r.m);
	}
}

/* Commands that are none, and replies that are none. */
static void
near_misses(void **state)
{
	(void)state;
	script_expect_of(MAIL_SMTP, 0,
	    "S 220 mx ESMTP\nC EHLO me\nS 250 mx\nC MAIL <a@b>\nS 501 No\nC RCPT <a@b>\nS 501 No\n"
	    "C BDAT x\nS 501 No\nC NOOP\nS what\nS 250 Ok\nC QUIT\nS 221 Bye\n",
	    NULL, "greeting(mx ESMTP) sure helo+(me) offer");
	script_expect_of(MAIL_POP3, 0, "S +OK hi\nC RETR\nS -ERR\nC TOP\nS -ERR\nC QUIT\nS +OK\n",
	    NULL, "greeting(hi) sure");
}

/* Content goes the short way in the midst of a line, where no line follows that may mean anything.
 */
static void
the_short_way(void **state)
{
	(void)state;
	static const uint8_t body[] = "and so on\r\nmore\r\n.\r\n";
	struct mail_event ev;
	begin(MAIL_SMTP, 8, 8);
	say(MAIL_SERVER, "220 mx ESMTP\r\n", 14);
	say(MAIL_CLIENT, "MAIL FROM:<a@b>\r\n", 17);
	say(MAIL_SERVER, "250 Ok\r\n", 8);
	assert_false(mail_may_pass(&r.s, MAIL_CLIENT));
	say(MAIL_CLIENT, "DATA\r\n", 6);
	say(MAIL_SERVER, "354 Go\r\n", 8);
	assert_true(mail_may_pass(&r.s, MAIL_CLIENT));
	assert_int_equal(mail_pass(&r.m, &r.s, MAIL_CLIENT, body, 9, &ev), MAIL_PASSED_NOT);
	say(MAIL_CLIENT, "Subject: x", 10);
	assert_int_equal(mail_pass(&r.m, &r.s, MAIL_CLIENT, body, sizeof body - 1, &ev),
	    MAIL_PASSED_NOT); /* the end is in it */
	assert_int_equal(mail_pass(&r.m, &r.s, MAIL_CLIENT, body, 11, &ev), MAIL_PASSED_NOT);
	assert_int_equal(mail_pass(&r.m, &r.s, MAIL_CLIENT, body, 16, &ev), MAIL_PASSED_CONTENT);
	assert_int_equal(ev.kind, MAIL_CONTENT);
	assert_true(ev.flag && ev.len == 16 && ev.text == (const char *)body);
	assert_false(mail_next(&r.m, &r.s, &ev));
	say(MAIL_CLIENT, "\n.\r\n", 4); /* behind the CR that passed */
	say(MAIL_SERVER, "250 Ok\r\n", 8);
	assert_non_null(strstr(r.out, " end+ "));
	end();
	mail_free(&r.m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_that_is_too_long),
	    cmocka_unit_test(no_memory_for_a_line),
	    cmocka_unit_test(no_memory_for_tls),
	    cmocka_unit_test(no_memory_for_a_mailbox),
	    cmocka_unit_test(no_answer_waits),
	    cmocka_unit_test(the_end_of_a_long_answer),
	    cmocka_unit_test(too_many_commands),
	    cmocka_unit_test(near_misses),
	    cmocka_unit_test(the_short_way),
	};
	return cmocka_run_group_tests_name("mail/limits", tests, NULL, NULL);
}
