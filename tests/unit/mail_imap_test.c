/* The IMAP row: dialogues in, events out.  Results: 0 accepted, 2 aborted; exposed: 0 headers, 1
 * body. */
#include "mail_script.h"

#define HI	"S * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n"
#define HI_OUT	"greeting(OK [CAPABILITY IMAP4rev1 STARTTLS] hi) offer+"
#define PLAIN	"S * OK hi\nC a CAPABILITY\nS * CAPABILITY IMAP4rev1 IDLE\nS a OK\n"
#define PLAIN_T "greeting(OK hi) sure asked offer"

static const char secret[] = "hunter2Secret";

static void
expect(const char *script, const char *events)
{
	script_expect_of(MAIL_IMAP, 0, script, secret, events);
}

static void
starttls(void **state)
{
	(void)state;
	expect(HI "C a STARTTLS\nS a OK go\n", HI_OUT " sure upgrade upgrade-reply+(OK)");
	expect(HI "C a STARTTLS\nS a NO later\nC b NOOP\nS b OK\n",
	    HI_OUT " sure upgrade upgrade-reply(NO) evidence(a NO later)");
	expect(HI "C a STARTTLS\nC b NOOP\nS a OK go\n",
	    HI_OUT " sure upgrade upgrade-reply+(OK) odd:0");
	expect(PLAIN, PLAIN_T);
	expect("S * PREAUTH hi\nC a NOOP\nS a OK\n", "greeting(PREAUTH hi) preauth odd:10 sure");
	expect("S * OK hi\nC a CAPABILITY\nS * CAPABILITY IMAP4rev1 XXXXXXXA\nS a OK\n",
	    "greeting(OK hi) sure asked mangled+(XXXXXXXA) offer");
	/* behind a login the list no longer names it: no denial */
	expect(HI "C a LOGIN u hunter2Secret\nS a OK [CAPABILITY IMAP4rev1] in\n",
	    HI_OUT " sure auth(LOGIN-COMMAND) secret auth-reply+");
}

static void
credentials(void **state)
{
	(void)state;
	expect(PLAIN "C b LOGIN joe \"hunter2Secret\"\nS b NO\n",
	    PLAIN_T " auth(LOGIN-COMMAND) secret auth-reply");
	expect(PLAIN "C b LOGIN {3}\nS + go\nC joe {13}\nS + go\nC hunter2Secret\nS b OK\n",
	    PLAIN_T " auth(LOGIN-COMMAND) secret secret auth-reply+");
	expect(PLAIN "C b AUTHENTICATE PLAIN hunter2Secret\nS b OK\n",
	    PLAIN_T " auth(PLAIN) secret auth-reply+");
	expect(PLAIN "C b authenticate LOGIN\nS + VXNl\nC hunter2Secret\nS + UGFz\nC "
		     "hunter2Secret\nS b NO\n",
	    PLAIN_T " auth(LOGIN) secret secret auth-reply");
	expect(PLAIN "C b AUTHENTICATE LOGIN\nS + VXNl\nC *\nS b BAD\n",
	    PLAIN_T " auth(LOGIN) auth-reply*");
	expect(PLAIN "C b AUTHENTICATE EXTERNAL =\nS b OK\n",
	    PLAIN_T " auth(EXTERNAL) auth-reply+");
}

static void
messages(void **state)
{
	(void)state;
	expect(PLAIN "C b FETCH 1 BODY[]\nS * 1 FETCH (BODY[] {6}\nS> hi\\you)\r|S b OK\n",
	    PLAIN_T " begin [hi\\you] end+ result:0");
	expect(PLAIN "C b FETCH 1 RFC822.HEADER\nS * 1 FETCH (RFC822.HEADER {3}\nS> a: )\nS b OK\n",
	    PLAIN_T " exposed:1");
	expect(PLAIN
	    "C b FETCH 1 X\nS * 1 FETCH (FLAGS () BODY[HEADER.FIELDS (A B)] {3}\nS> a: )\n",
	    PLAIN_T " exposed:1");
	expect(PLAIN "C b FETCH 1 X\nS * 1 FETCH (BODY[TEXT] {3}\nS> a: )\n", PLAIN_T " exposed:2");
	expect(PLAIN "C b FETCH 1 ENVELOPE\nS * 1 FETCH (ENVELOPE (NIL \"s\"))\nS b OK\n",
	    PLAIN_T " exposed:1");
	expect(PLAIN "C b APPEND box {4}\nS + go\nC> mail\nC \nS b OK\n",
	    PLAIN_T " begin [mail] end+ result:0");
	/* a literal that looks like a command is none */
	expect(PLAIN "C b SEARCH TEXT {10}\nS + go\nC> a STARTTLS\nC \nS b OK\n", PLAIN_T "");
}

static void
losses(void **state)
{
	(void)state;
	static struct script_run r;
	static const char *const rows[][2] = {
	    {PLAIN "C! 20\nC> word\nC c NOOP\nS c OK\n", PLAIN_T " lost"},
	    /* behind a loss no line of a mail is a reply */
	    {PLAIN "C b FETCH 1 X\nS! 40\nS text\nS * CAPABILITY IMAP4rev1 STARTTLS\nS )\nS b OK\n",
		PLAIN_T " lost"},
	    {PLAIN "C b FETCH 1 X\nS * 1 FETCH (BODY[] {6}\nS> ab\nS! 4\nS )\n",
		PLAIN_T " begin [ab] gap end+ result:0"},
	    {PLAIN "C b FETCH 1 X\nS * 1 FETCH (BODY[] {6}\nS> ab",
		PLAIN_T " begin [ab] end result:2"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(script_read(&r, MAIL_IMAP, 0, rows[i][0], 1000, NULL),
		    rows[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starttls),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(messages),
	    cmocka_unit_test(losses),
	};
	return cmocka_run_group_tests_name("mail/imap", tests, NULL, NULL);
}
