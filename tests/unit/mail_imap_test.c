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
	/* a list of nothing says nothing */
	expect("S * OK hi\nC a CAPABILITY\nS * CAPABILITY\nS a OK\n", "greeting(OK hi) sure asked");
	expect("S * PREAUTH hi\nC a NOOP\nS a OK\n", "greeting(PREAUTH hi) preauth odd:10 sure");
	expect("S * OK hi\nC a CAPABILITY\nS * CAPABILITY IMAP4rev1 XXXXXXXA\nS a OK\n",
	    "greeting(OK hi) sure asked mangled+(XXXXXXXA) offer");
	/* behind a login the list no longer names it: no denial */
	expect(HI "C a LOGIN u hunter2Secret\nS a OK [CAPABILITY IMAP4rev1] in\n",
	    HI_OUT " sure auth(LOGIN-COMMAND) secret secret auth-reply+");
}

static void
credentials(void **state)
{
	(void)state;
	expect(PLAIN "C b LOGIN joe \"hunter2Secret\"\nS b NO\n",
	    PLAIN_T " auth(LOGIN-COMMAND) secret secret auth-reply");
	expect(PLAIN "C b LOGIN {3}\nS + go\nC joe {13}\nS + go\nC hunter2Secret\nS b OK\n",
	    PLAIN_T " auth(LOGIN-COMMAND) secret secret auth-reply+");
	/* what only ends like a literal */
	expect(PLAIN "C b LOGIN joe x{}\nS b NO\n",
	    PLAIN_T " auth(LOGIN-COMMAND) secret secret auth-reply");
	expect(PLAIN "C b SELECT x}\nS b NO\nC c SELECT 12}\nS c NO\nC d SELECT {1234567890123}\n"
		     "S d NO\n",
	    PLAIN_T);
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

/* ---- more of what is fetched and filed ---- */

#define FETCH PLAIN "C b FETCH 1 X\n"

struct row {
	const char *script, *events; /* the events behind those of PLAIN */
};

static void
expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char events[512];
		(void)snprintf(events, sizeof events, "%s%s", PLAIN_T, rows[i].events);
		expect(rows[i].script, events);
	}
}
#define EXPECT_ROWS(rows) expect_rows(rows, sizeof rows / sizeof rows[0])

static void
fetched(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    /* several items, a literal in the midst, what looks like answers in it */
	    {FETCH "S * 1 FETCH (UID 4 BODY[HEADER] {5}\nS> a: b| BODY[TEXT] {6}|\nS> b OK X)|\n",
		" exposed:1 exposed:2"},
	    {FETCH "S * 1 FETCH (FLAGS (\\Seen) RFC822 {3}\nS> abc UID 3)|\nS b OK\n",
		" begin [abc] end+ result:0"},
	    {FETCH "S * 1 FETCH (RFC822.TEXT {1}\nS> a RFC822.HEADER {1}|\nS> b)|\n",
		" exposed:2 exposed:1"},
	    {FETCH "S * 1 FETCH (BODY[1.2.MIME] {1}\nS> a BODY[2.HEADER] {1}|\nS> b BODY[1.2] "
		   "{1}|\nS> c)|\n",
		" exposed:1 exposed:1 exposed:2"},
	    /* no octets, no exposure */
	    {FETCH "S * 1 FETCH (BODY[] NIL BODY[TEXT] \"\" FLAGS () BINARY.SIZE[1] 5)\n", ""},
	    {FETCH "S * 1 FETCH (BODY[] {0}\nS )\nS b OK\n", ""},
	    {FETCH "S * 1 FETCH (BODY[] \"a\\\"b\")\n", " begin [a\\\"b] end+ result:0"},
	    {FETCH "S * 1 FETCH (BODY[1] \"x\" BODY[1.MIME] \"y\")\n", " exposed:3"},
	    {FETCH "S * 1 FETCH (BINARY[1] ~{2}\nS> \x01\x02)|\n", " exposed:2"},
	    {FETCH "S * 1 FETCH (ENVELOPE (NIL {3}\nS> a|b NIL) BODY[] {1}|\nS> x)|\n",
		" exposed:1 begin [x] end+ result:0"},
	    {FETCH "S * 4000000000 UIDFETCH (BODY[TEXT] {1}\nS> x)|\n", " exposed:2"},
	    {PLAIN "C b URLFETCH x\nS * URLFETCH \"imap://x/;SECTION=1\" {2}\nS> xy|\n",
		" exposed:2"},
	    {FETCH "S * 1 FETCH (PREVIEW \"hello\" UID 4)\nS * 2 FETCH (SNIPPET {1}\nS> x)|\n",
		" exposed:2 exposed:2"},
	    {FETCH "S * 1 FETCH (PREVIEW NIL)\n", ""},
	    /* a section without its end */
	    {FETCH "S * 1 FETCH (BODY[HEADER {3}\nS> a: )\n", " exposed:1"},
	    {FETCH "S * 1 FETCH (BODY[1 {3}\nS> abc)\n", " exposed:2"},
	    /* a second message in one answer, a piece of one: something of it, at least */
	    {FETCH "S * 1 FETCH (BODY[] \"a\" RFC822 \"b\")\n",
		" exposed:1 begin [a] end+ result:0"},
	    {FETCH "S * 1 FETCH (BODY[]<5> \"b\")\n", " exposed:1"},
	    /* other literals show nothing */
	    {PLAIN "C b LIST\nS * LIST () \"/\" {4}\nS> b OK\nS b OK\n", ""},
	    /* a status text ends in no literal */
	    {PLAIN "C b STARTTLS\nS * OK text {4}\nS b NO\n",
		" upgrade upgrade-reply(NO) evidence(b NO)"},
	};
	EXPECT_ROWS(rows);
}

#define STRUCTURE "S * 1 FETCH (BODYSTRUCTURE "
#define PART(n)	  ")\nS * 1 FETCH (BODY[" n "] {1}\nS> x)|\n"
#define MIXED	  "((\"TEXT\" \"PLAIN\")(\"IMAGE\" \"PNG\") \"MIXED\")"
#define PAIR	  "((\"TEXT\" \"A\")(\"TEXT\" \"B\") \"ALTERNATIVE\")"

static void
structures(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {FETCH STRUCTURE MIXED PART("1"), " exposed:1 exposed:2"},
	    {FETCH STRUCTURE MIXED PART("2"), " exposed:1 exposed:4"},
	    {FETCH STRUCTURE MIXED PART("2.MIME"), " exposed:1 exposed:1"},
	    {FETCH STRUCTURE "(" PAIR
			     "(\"TEXT\" \"C\" NIL NIL NIL \"7BIT\" 9 1 NIL (\"ATTACHMENT\" "
			     "NIL)) \"MIXED\" (\"X\" \"Y\"))" PART("2"),
		" exposed:1 exposed:4"},
	    {FETCH STRUCTURE "(" PAIR "(\"TEXT\" \"C\") \"MIXED\" (\"X\" \"Y\"))" PART("1.2"),
		" exposed:1 exposed:2"},
	    {FETCH STRUCTURE "(\"APPLICATION\" \"PDF\" NIL NIL NIL \"BASE64\" 9)" PART("1"),
		" exposed:1 exposed:4"},
	    {FETCH STRUCTURE "(\"TEXT\" \"PLAIN\" (\"NAME\" {3}\nS> a.b) NIL))|\nS * 1 FETCH "
			     "(BODY[1] {1}\nS> x)|\n",
		" exposed:1 exposed:4"},
	    /* of another message, and behind a change of numbers, nothing is known */
	    {FETCH STRUCTURE "(\"IMAGE\" \"PNG\"))\nS * 2 FETCH (BODY[1] {1}\nS> x)|\n",
		" exposed:1 exposed:2"},
	    {FETCH STRUCTURE
		"(\"IMAGE\" \"PNG\"))\nS * 1 EXPUNGE\nS * 1 FETCH (BODY[1] {1}\nS> x)|\n",
		" exposed:1 exposed:2"},
	};
	EXPECT_ROWS(rows);
}

#define FIRST "C b FETCH 1 BODY[]<0.2>\nS * 1 FETCH (BODY[]<0> {2}\nS> ab)|\nS b OK\n"

static void
pieces(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {PLAIN FIRST "C c FETCH 1 BODY[]<2.9>\nS * 1 FETCH (BODY[]<2> {2}\nS> cd)|\nS c OK\n",
		" begin [abcd] end+ result:0"},
	    /* anything else ends it */
	    {PLAIN FIRST "C c NOOP\nS c OK\n", " begin [ab] end+ result:0"},
	    {PLAIN FIRST "C c FETCH 1 BODY[]<9.9>\nS * 1 FETCH (BODY[]<9> {2}\nS> cd)|\nS c OK\n",
		" begin [ab] exposed:1 end+ result:0"},
	    {PLAIN FIRST "C c FETCH 2 BODY[]<2.9>\nS * 2 FETCH (BODY[]<2> {2}\nS> cd)|\nS c OK\n",
		" begin [ab] exposed:1 end+ result:0"},
	    {PLAIN FIRST FIRST, " begin [ab] end+ result:0 begin [ab] end+ result:0"},
	    {PLAIN FIRST "C c FETCH 1 BODY[]<2.9>\nS * 1 FETCH (BODY[]<2> {4}\nS> cd",
		" begin [abcd] end result:4"},
	};
	EXPECT_ROWS(rows);
}

static void
filed(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {PLAIN "C b APPEND x {4}\nS b NO\nC c NOOP\nS c OK\n", ""},
	    {PLAIN "C b APPEND x {4+}\nC> mail\nC \nS b NO\n", " begin [mail] end+ result:1"},
	    {PLAIN "C b APPEND {1+}\nC> x (\\Seen) ~{4+}|\nC> mail\nC \nS b OK\n",
		" begin [mail] end+ result:0"},
	    {PLAIN "C b APPEND x {1+}\nC> 1 {1+}|\nC> 2\nC \nS b OK\n",
		" begin [1] end+ begin [2] end+ result:0 result:0"},
	    /* something else has yet to be answered */
	    {PLAIN "C a CAPABILITY\nC b APPEND x {4+}\nC> mail\nC \nS a OK\nS b OK\n",
		" asked begin [mail] end+ result:0"},
	    /* no more are open at once than can be kept */
	    {PLAIN "C b APPEND x {1+}\nC> 1 {1+}|\nC> 2 {1+}|\nC> 3 {1+}|\nC> 4\nC \nS b OK\n",
		" begin [1] end+ begin [2] end+ begin [3] end+ result:3 begin [4] end+ result:0 "
		"result:0 result:0"},
	    /* nor more commands: the oldest is forgotten, with its messages */
	    {PLAIN "C b APPEND x {1+}\nC> 1 {1+}|\nC> 2\nC \nC c CAPABILITY\nC d CAPABILITY\nC e "
		   "CAPABILITY\nS b OK\n",
		" begin [1] end+ begin [2] end+ asked asked asked odd:9 result:3 result:3"},
	    {PLAIN "C b UID REPLACE 4 x {1+}\nC> 1\nC \nS b OK\n", " begin [1] end+ result:0"},
	    {PLAIN "C b APPEND x CATENATE (TEXT {1+}\nC> 1 TEXT {1+}|\nC> 2)|\nS b OK\n",
		" begin [1] end+ exposed:2 result:0"},
	};
	EXPECT_ROWS(rows);
}

#define NAME_T	" auth(LOGIN-COMMAND) secret"
#define LOGIN_T NAME_T " secret"

static void
attempts(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {PLAIN "C b LOGIN \"j\\\" x\" \"hunter2Secret\"\nS b OK\n", LOGIN_T " auth-reply+"},
	    {PLAIN "C b LOGIN {3+}\nC> joe {13+}|\nC> hunter2Secret\nC \nS b OK\n",
		LOGIN_T " auth-reply+"},
	    {PLAIN "C b LOGIN {3+}\nC> joe hunter2Secret|\nS b OK\n", LOGIN_T " auth-reply+"},
	    {PLAIN "C b LOGIN joe {13x}hunter2Secret\nS b NO\n", LOGIN_T " auth-reply"},
	    {PLAIN "C b LOGIN {9}\nS b NO\nC c NOOP\nS c OK\n", " auth(LOGIN-COMMAND) auth-reply"},
	    {PLAIN "C b LOGIN joe hunter2Secret\nC c LOGIN ann hunter2Secret\nS c OK\nS b NO\n",
		LOGIN_T LOGIN_T " auth-reply+ auth-reply"},
	    {PLAIN "C b AUTHENTICATE PLAIN\nC hunter2SecretAA==\nS b NO\nC c NOOP\nS c OK\n",
		" auth(PLAIN) secret auth-reply"},
	    {PLAIN "C b AUTHENTICATE PLAIN\nC *\nS b BAD\n", " auth(PLAIN) auth-reply*"},
	    {PLAIN "C b AUTHENTICATE PLAIN\nC b2 hunter2Secret x\nS b NO\n",
		" auth(PLAIN) secret auth-reply"},
	    {PLAIN "C b AUTHENTICATE PLAIN {hunter2Secret}\nS b NO\n",
		" auth(PLAIN) secret auth-reply"},
	    {PLAIN "C b AUTHENTICATE PLAIN {1234567890123}\nS b NO\n",
		" auth(PLAIN) secret auth-reply"},
	    {PLAIN "C b AUTHENTICATE PLAIN {13+}\nC> hunter2Secret\nC \nS b OK\n",
		" auth(PLAIN) secret auth-reply+"},
	    {PLAIN "C b AUTHENTICATE PLAIN hunter2Secret\nC c CAPABILITY\nS b NO\nS c BAD\n",
		" auth(PLAIN) secret asked auth-reply no-ehlo"},
	    {PLAIN "C b ID (\"name\" \"Thunder\\\"bird\" \"os\" NIL \"version\" \"115.0\")\n"
		   "S * ID (\"version\" \"2\" \"name\" \"Dovecot\")\nS b OK\n",
		" agent(Thunder\"bird 115.0) agent(Dovecot 2)"},
	    {PLAIN "C b ID NIL\nS * ID NIL\nS b OK\n", ""},
	    /* four that are not answered are more than are kept */
	    {PLAIN "C b LOGIN a\nC c LOGIN a\nC d LOGIN a\nC e LOGIN a\nS e OK\n",
		NAME_T NAME_T NAME_T NAME_T " odd:9 auth-reply+"},
	};
	EXPECT_ROWS(rows);
}

static void
one_sided(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"S * OK hi\nS * CAPABILITY IMAP4rev1\nS a OK\nS * BYE\nS b OK\n",
		"greeting(OK hi) offer-cut"},
	    {"S * OK hi\nS b OK in\nS c OK\n", "greeting(OK hi) lost"},
	    {"S * OK hi\nS * 4 EXISTS\nS c OK\n", "greeting(OK hi) lost"},
	    {"C a FETCH 1 BODY[]\n", "sure lost"},
	    {"C a LOGIN joe hunter2Secret\n", "sure auth(LOGIN-COMMAND) secret secret"},
	    {"C a AUTHENTICATE LOGIN\nC am9l\nC hunter2SecretAA\nC b NOOP\nC x\n",
		"sure auth(LOGIN) secret secret"},
	    {"C a COMPRESS DEFLATE\nC> x", "sure used:COMPRESS lost odd:11 lost odd:11"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		script_expect_of(MAIL_IMAP, MAIL_SESSION_ONE_SIDED, rows[i].script, secret,
		    rows[i].events);
}

static void
before_tls(void **state)
{
	(void)state;
	expect(HI "C a STARTTLS\nS * OK [ALERT] x\nS * 5 EXISTS\nS a OK\n",
	    HI_OUT " sure upgrade odd:1 evidence(* OK [ALERT] x) upgrade-reply+(OK)");
	expect(HI "C a STARTTLS\nS a BAD what\n",
	    HI_OUT " sure upgrade upgrade-reply(BAD) evidence(a BAD what) odd:6");
	expect("S * OK hi\nC a CAPABILITY\nS * CAPABILITY XXXX XXXA STARTTLZ XXXXXXXB\nS a OK\n",
	    "greeting(OK hi) sure asked mangled(XXXX) mangled+(STARTTLZ) offer");
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
		PLAIN_T " lost+"},
	    /* LOGIN with one argument is what is left of AUTHENTICATE LOGIN */
	    {PLAIN "C! 12\nC ATE LOGIN YW5uYQ==\nS +\nC c2VjcmV0\nS b OK\n", PLAIN_T " lost"},
	    {PLAIN "C! 12\nC> ATE LOGIN|C  YW5|C uYQ==\nS +\nC c2VjcmV0\nS b OK\n",
		PLAIN_T " lost"},
	    {PLAIN "C! 12\nC b LOGIN anna sec\nS b OK\n",
		PLAIN_T " lost auth(LOGIN-COMMAND) secret secret auth-reply+"},
	    {PLAIN "C! 12\nC b LOGIN {4}\nS +\nC anna sec\nS b OK\n",
		PLAIN_T " lost auth(LOGIN-COMMAND) secret secret auth-reply+"},
	    {PLAIN "C b FETCH 1 X\nS * 1 FETCH (BODY[] {6}\nS> ab\nS! 4\nS )\n",
		PLAIN_T " begin [ab] gap end+ result:0"},
	    {PLAIN "C b FETCH 1 X\nS * 1 FETCH (BODY[] {6}\nS> ab",
		PLAIN_T " begin [ab] end result:4"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(script_read(&r, MAIL_IMAP, 0, rows[i][0], 1000, NULL),
		    rows[i][1]);
	/* what may become a command, or TLS, and answers a challenge: nothing of it is kept */
	static const char *const answers[] = {"hunter2", "\x16\x03hunter2"};
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		for (size_t step = 1; step < 10; step++) {
			char script[300];
			(void)snprintf(script, sizeof script,
			    PLAIN "C b AUTHENTICATE LOGIN\nC! 5\nS + VXNl\nC %s\nS b NO\nC c "
				  "CAPABILITY\nS c BAD\n",
			    answers[i]);
			assert_string_equal(script_read(&r, MAIL_IMAP, 0, script, step, "unter2"),
			    PLAIN_T " auth(LOGIN) lost auth-reply asked no-ehlo");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starttls),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(messages),
	    cmocka_unit_test(fetched),
	    cmocka_unit_test(structures),
	    cmocka_unit_test(pieces),
	    cmocka_unit_test(filed),
	    cmocka_unit_test(attempts),
	    cmocka_unit_test(one_sided),
	    cmocka_unit_test(before_tls),
	    cmocka_unit_test(losses),
	};
	return cmocka_run_group_tests_name("mail/imap", tests, NULL, NULL);
}
