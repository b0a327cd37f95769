/* The POP3 row: dialogues in, events out.  Results: 0 accepted, 2 aborted. */
#include "mail_script.h"

#define HI     "S +OK hi\nC CAPA\nS +OK\nS UIDL\nS STLS\nS .\n"
#define HI_OUT "greeting(hi) sure asked offer+"
#define PLAIN  "S +OK hi\nC CAPA\nS +OK\nS UIDL\nS .\n"
#define OUT    "greeting(hi) sure asked offer"

static const char secret[] = "hunter2Secret";

static void
expect(const char *script, const char *events)
{
	script_expect_of(MAIL_POP3, 0, script, secret, events);
}

static void
stls(void **state)
{
	(void)state;
	expect(HI "C STLS\nS +OK go\n", HI_OUT " upgrade upgrade-reply+(+OK)");
	expect(HI "C stls\nS -ERR no\nC QUIT\nS +OK\n",
	    HI_OUT " upgrade upgrade-reply(-ERR) evidence(-ERR no)");
	expect(HI "C STLS\nC NOOP\nS +OK go\n", HI_OUT " upgrade upgrade-reply+(+OK) odd:0");
	expect(PLAIN, OUT);
	expect("S +OK hi\nC CAPA\nS -ERR what\nC QUIT\nS +OK\n", "greeting(hi) sure asked no-ehlo");
}

static void
credentials(void **state)
{
	(void)state;
	expect(PLAIN "C USER joe\nS +OK\nC PASS hunter2Secret\nS -ERR no\n",
	    OUT " auth(USER) secret auth(USER) secret auth-reply");
	expect(PLAIN "C APOP joe hunter2Secret\nS +OK\n", OUT " auth(APOP) secret auth-reply+");
	expect(PLAIN "C AUTH PLAIN hunter2Secret\nS +OK\n", OUT " auth(PLAIN) secret auth-reply+");
	expect(PLAIN "C AUTH LOGIN\nS + VXNl\nC hunter2Secret\nS + UGFz\nC hunter2Secret\nS +OK\n",
	    OUT " auth(LOGIN) secret secret auth-reply+");
	expect(PLAIN "C AUTH LOGIN\nS + VXNl\nC *\nS -ERR\n", OUT " auth(LOGIN) auth-reply*");
	expect(PLAIN "C AUTH\nS +OK\nS PLAIN\nS .\nC QUIT\nS +OK\n", OUT);
}

static void
messages(void **state)
{
	(void)state;
	expect(PLAIN
	    "C RETR 1\nS +OK 9 octets\nS Subject: x\nS \nS ..y\nS .\nC RETR 2\nS -ERR no\n",
	    OUT " begin [Subject: x//.y/] end+ result:0");
	expect(PLAIN "C TOP 1 0\nS +OK\nS Subject: x\nS .\nC DELE 1\nS +OK\n", OUT " exposed:1");
	/* lists hold no replies */
	expect(PLAIN
	    "C LIST\nC STAT\nS +OK\nS 1 100\nS .\nS +OK 1 100\nC RETR 1\nS +OK\nS x\nS .\n",
	    OUT " begin [x/] end+ result:0");
	expect(PLAIN "C RETR 1\nS +OK\nS x\n", OUT " begin [x/] end result:4");
}

static void
states(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"S +OK hi\nC CAPA\nS +OK\nS TOP\nS SASL X\nS USER\nS UIDL\nS STLX\nS .\n",
		"greeting(hi) sure asked mangled+(STLX) offer"},
	    {"S +OK hi\nC CAPA\nS +OK\nS XXX\nS XXXA\nS .\n",
		"greeting(hi) sure asked mangled(XXX) mangled+(XXXA) offer"},
	    {PLAIN "C USER joe\nS -ERR no\n", OUT " auth(USER) secret auth-reply"},
	    {PLAIN "C PASS hunter2Secret  x hunter2Secret\nS +OK\n",
		OUT " auth(USER) secret auth-reply+"},
	    {PLAIN "C AUTH PLAIN\nS +\nC *\nS -ERR\nC STLS\nS -ERR no\n",
		OUT " auth(PLAIN) auth-reply* upgrade upgrade-reply(-ERR) evidence(-ERR no)"},
	    {PLAIN "C AUTH PLAIN hunter2Secret\nC STAT\nC CAPA\nS -ERR\nS +OK\nS -ERR\n",
		OUT " auth(PLAIN) secret asked auth-reply no-ehlo"},
	    {PLAIN "C AUTH PLAIN\nC hunter2SecretAA==\nS -ERR\n",
		OUT " auth(PLAIN) secret auth-reply"},
	    /* what is no command has an answer, too */
	    {PLAIN "C FOO bar\nC CAPA\nS -ERR what\nS +OK\nS STLS\nS .\n", OUT " asked offer+"},
	    {PLAIN "C AUTH PLAIN =\nS -ERR\n", OUT " auth(PLAIN) auth-reply"},
	    /* lists in their order */
	    {PLAIN "C LANG\nC LANG en\nC UTF8\nC RETR 1\nS +OK\nS en\nS .\nS +OK\nS +OK\nS "
		   "+OK\nS x\nS .\n",
		OUT " begin [x/] end+ result:0"},
	    /* lines of a header may look like replies; a body's show it */
	    {PLAIN "C TOP 1 0\nC NOOP\nS +OK\nS -ERR: x\nS +OK\nS .\nS +OK\nC RETR 1\nS "
		   "+OK\nS x\nS .\n",
		OUT " exposed:1 begin [x/] end+ result:0"},
	    {PLAIN "C TOP 1 00\nS +OK\nS .\n", OUT},
	    {PLAIN "C TOP 1 10\nS +OK\nS a: b\nS \nS x\nS .\n",
		OUT " begin [a: b//x/] end+ result:0"},
	    {PLAIN "C RETR 1\nC RETR 2\nC QUIT\nS -ERR no\nS +OK\nS x\nS .\nS +OK\n",
		OUT " begin [x/] end+ result:0"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(rows[i][0], rows[i][1]);
}

static void
one_sided(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"S +OK hi\nS +OK in\nS +OK\n", "greeting(hi) lost"},
	    {"S +OK hi\n", "greeting(hi)"},
	    {"C RETR 1\n", "sure lost"},
	    {"C AUTH LOGIN\nC am9l\nC hunter2SecretAA==\nC STAT\nC am9l\n",
		"sure auth(LOGIN) secret secret"},
	    {"C AUTH LOGIN am9l\nC hunter2SecretAA==\nC STAT\nC am9l\n",
		"sure auth(LOGIN) secret secret"},
	    {"C AUTH LOGIN\nC *\nC am9l\n", "sure auth(LOGIN) auth-reply*"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		script_expect_of(MAIL_POP3, MAIL_SESSION_ONE_SIDED, rows[i][0], secret, rows[i][1]);
}

static void
losses(void **state)
{
	(void)state;
	static struct script_run r;
	static const char *const rows[][2] = {
	    {PLAIN "C! 9\nS +OK\nC RETR 1\nS +OK\nS x\nS .\n",
		OUT " lost begin [x/] end+ result:0"},
	    /* a command that comes in two pieces, and what becomes none */
	    {PLAIN "C! 9\nC> RE\nC TR 1\nS +OK\nS x\nS .\n", OUT " lost begin [x/] end+ result:0"},
	    {PLAIN "C! 9\nC> xy\nC TR 1\nS +OK\nS x\nS .\n", OUT " lost"},
	    {PLAIN "C RETR 1\nS +OK\nS x\nS! 4\nS y\nS .\n",
		OUT " begin [x/] gap [y/] end+ result:0"},
	    /* behind a loss no line of a mail is a reply */
	    {PLAIN "C RETR 1\nS! 9\nS x\nS +OK\nS .\nC RETR 2\nS +OK\nS y\nS .\n",
		OUT " lost+ begin [y/] end+ result:0"},
	    {"S +OK hi\nC CAPA\nS +OK\nS! 6\nS .\nC QUIT\nS +OK\n",
		"greeting(hi) sure asked lost+ offer-cut"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(script_read(&r, MAIL_POP3, 0, rows[i][0], 1000, NULL),
		    rows[i][1]);
	assert_string_equal(script_read(&r, MAIL_POP3, MAIL_SESSION_ONE_SIDED,
				"S +OK hi\nS +OK 5 octets\nS x\nS .\n", 1000, NULL),
	    "greeting(hi) begin [x/] end+ result:0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stls),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(messages),
	    cmocka_unit_test(states),
	    cmocka_unit_test(one_sided),
	    cmocka_unit_test(losses),
	};
	return cmocka_run_group_tests_name("mail/pop3", tests, NULL, NULL);
}
