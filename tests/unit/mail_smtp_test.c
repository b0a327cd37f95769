/* The SMTP row: dialogues in, events out.  Results: 0 accepted, 1 rejected, 2 aborted, 3 unknown.
 */
#include "mail_script.h"

#define HI	 "S 220 mx ESMTP\nC EHLO me\nS 250-mx\nS 250 SIZE 9\n"
#define HI_OUT	 "greeting(mx ESMTP) sure helo+(me) offer"
#define MAIL	 "C MAIL FROM:<a@b>\nS 250 Ok\nC RCPT TO:<c@d>\nS 250 Ok\n"
#define MAIL_OUT " from(a@b) from-reply+ to(c@d) to-reply:0+"

static void
expect(const char *script, const char *events)
{
	script_expect_of(MAIL_SMTP, 0, script, NULL, events);
}

static void
a_mail(void **state)
{
	(void)state;
	expect(HI MAIL
	    "C DATA\nS 354 Go\nC Subject: x\nC \nC ..dot\nC .\nS 250 Ok\nC QUIT\nS 221 Bye\n",
	    HI_OUT MAIL_OUT " begin [Subject: x//.dot/] end+ result:0");
	expect(HI "C MAIL FROM:<> SIZE=3\nS 250 Ok\nC rcpt to: x@y\nS 550 No\nC RCPT TO:<@r:\"a "
		  "b\"@d> NOTIFY=NEVER\n"
		  "S 250 Ok\nC DATA\nS 354 Go\nC .\nS 554 No\n",
	    HI_OUT
	    " from from-reply+ to(x@y) to-reply:0 to(\"a b\"@d) used:DSN to-reply:1+ begin end+ "
	    "result:1");
}

static void
pipelining(void **state)
{
	(void)state;
	expect(HI "C MAIL FROM:<a@b>\nC RCPT TO:<c@d>\nC RCPT TO:<e@f>\nC DATA\nS 250 Ok\nS 250 "
		  "Ok\nS 550 No\nS 354 Go\n"
		  "C x\nC .\nC RSET\nC MAIL FROM:<g@h>\nC QUIT\nS 250 Ok\nS 250 Ok\nS 250 Ok\nS "
		  "221 Bye\n",
	    HI_OUT " from(a@b) to(c@d) to(e@f) from-reply+ to-reply:0+ to-reply:1 begin [x/] end+ "
		   "from(g@h) result:0"
		   " from-reply+ result:2");
	/* refused content: whoever gives up then, it was the server that would not have it */
	expect(HI MAIL "C DATA\nS 554 No\nC QUIT\nS 221 Bye\n", HI_OUT MAIL_OUT " result:1");
	expect(HI MAIL "C BDAT 1\nC> xRSET\nC \nS 554 No\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " used:CHUNKING begin [x] result:1");
	expect(HI MAIL "C DATA\nS 554 No\n", HI_OUT MAIL_OUT " result:1");
	expect(HI MAIL "C DATA\nS 451 Later\nC RSET\nS 250 Ok\n" MAIL "C RSET\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " result:1" MAIL_OUT " result:2");
	/* all before any reply */
	expect("C HELO me\nC MAIL FROM:<a@b>\nC RCPT TO:<c@d>\nC DATA\nC x\nC .\nC QUIT\n"
	       "S 220 mx ESMTP\nS 250 Ok\nS 250 Ok\nS 250 Ok\nS 354 Go\nS 250 Ok\nS 221 Bye\n",
	    "odd:12 sure helo(me) from(a@b) to(c@d) begin [x/] end+ greeting(mx ESMTP) from-reply+ "
	    "to-reply:0+ result:0");
}

static void
chunks(void **state)
{
	(void)state;
	expect(HI MAIL
	    "C BDAT 3\nC a\nS 250 Ok\nC BDAT 3 LAST\nC> DAT\nS 250 Ok\nC QUIT\nS 221 Bye\n",
	    HI_OUT MAIL_OUT " used:CHUNKING begin [a/] used:CHUNKING [DAT] end+ result:0");
	expect(HI MAIL "C BDAT 0 LAST\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " used:CHUNKING begin end+ result:0");
	expect(HI MAIL "C BDAT 3\nC a\nS 552 No\nC RSET\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " used:CHUNKING begin [a/] result:1");
	/* content that the server fetches itself does not cross */
	expect(HI MAIL "C BURL imap://u@h/x;urlauth=submit+u:internal:91354a LAST\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " used:BURL result:0");
	expect(HI MAIL "C BDAT 3\nC a\nS 250 Ok\nC BURL imap://h/x\nS 250 Ok\nC BURL "
		       "imap://h/y LAST\nS 554 No\nC BURL\nS 501 No\n" MAIL,
	    HI_OUT MAIL_OUT " used:CHUNKING begin [a/] used:BURL used:BURL end+ result:1" MAIL_OUT
			    " result:4");
	/* LMTP: a reply for each recipient that was accepted, all commands in one go */
	expect("S 220 ready\nC LHLO me\nS 250 mx\nC MAIL FROM:<a@b>\nC RCPT TO:<c@d>\nC RCPT "
	       "TO:<e@f>\nC RCPT TO:<g@h>\nC BDAT 1 LAST\nC> xRSET\n"
	       "C \nS 250 Ok\nS 250 Ok\nS 550 No\nS 250 Ok\nS 450 c\nS 250 g\nS 250 reset\nC "
	       "QUIT\nS 221 Bye\n",
	    "greeting(ready) lmtp sure helo+(me) offer from(a@b) to(c@d) to(e@f) to(g@h) "
	    "used:CHUNKING begin [x] end+ from-reply+ to-reply:0+ to-reply:1 to-reply:2+ "
	    "to-result:0 to-result:1+ result:0");
	/* without a mail begun, or as no command of its own: content crosses, or none */
	expect(HI "C BDAT 3 LAST\nC> abc\nS 503 No\n",
	    HI_OUT " used:CHUNKING begin [abc] end+ result:1");
	expect(HI MAIL "C DATA now\nS 501 No\nC DATA\nS 354 Go\nC x\nC .\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " begin [x/] end+ result:0");
	expect(HI MAIL
	    "C BDAT 5 X\nS 501 No\nC BDAT 99999999999999999999 LAST\nS 501 No\nC QUIT\nS 221 Bye\n",
	    HI_OUT MAIL_OUT " result:2");
}

static void
the_end_of_data(void **state)
{
	(void)state;
	/* a dot alone in a line that ends in bare LF ends it only where the server thinks so */
	expect(HI MAIL "C DATA\nS 354 Go\nC> x|.|\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " begin [x/] odd:8 [/] end+ result:0");
	/* the same of a line before it that ends so; what follows may be more of the mail */
	expect(HI MAIL "C DATA\nS 354 Go\nC x|.\nS 250 Ok\nC QUIT\nS 221 Bye\n",
	    HI_OUT MAIL_OUT " begin [x/] odd:8 [/] end+ result:0");
	expect(HI MAIL "C DATA\nS 354 Go\nC x|.\nC y\nC .\nS 250 Ok\n",
	    HI_OUT MAIL_OUT " begin [x/] odd:8 [/y/] end+ result:0");
	/* a server that says nothing to DATA answers the mail */
	expect(HI MAIL "C DATA\nC x\nC .\nS 250 Ok\n", HI_OUT MAIL_OUT " begin [x/] end+ result:0");
}

static void
starttls(void **state)
{
	(void)state;
#define OFFER	  "S 220 mx ESMTP\nC EHLO me\nS 250-mx\nS 250-PIPELINING\nS 250 STARTTLS\n"
#define OFFER_OUT "greeting(mx ESMTP) sure helo+(me) offer+"
	expect(OFFER "C STARTTLS\nS 454 No\n" MAIL,
	    OFFER_OUT " upgrade upgrade-reply(454) evidence(454 No)" MAIL_OUT " result:4");
	expect(OFFER "C STARTTLS\nS 500 What\n",
	    OFFER_OUT " upgrade upgrade-reply(500) evidence(500 What) odd:6");
	/* 250 is no, unless it answers what was lost: nothing else waits for it then */
	expect(OFFER "C STARTTLS\nS 250 Ok\n" MAIL,
	    OFFER_OUT " upgrade upgrade-reply(250)" MAIL_OUT " result:4");
	expect(OFFER "C STARTTLS\nS 220 Go\nC EHLO me\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:2 tls-over evidence(EHLO) helo+(me)");
	expect(OFFER "C X-ANONYMOUSTLS\nS 220 Go\n", OFFER_OUT " upgrade upgrade-reply+(220)");
	/* injection: client octets behind STARTTLS, server octets behind 220 */
	expect(OFFER "C STARTTLS\nC RSET\nS 220 Go\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:0 evidence(RSET)");
	expect(OFFER "C STARTTLS\nC AUTH PLAIN c2VjcmV0\nC QUIT\nS 220 Go\n",
	    OFFER_OUT " upgrade auth(PLAIN) secret upgrade-reply+(220) odd:0 evidence(AUTH)");
	expect(OFFER "C STARTTLS\nC hello you\nS 220 Go\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:0 evidence((no command))");
	/* not yet a line: octets all the same */
	expect(OFFER "C STARTTLS\nC> RSE\nS 220 Go\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:0 evidence((no command))");
	/* refused: what stood behind is no injection */
	expect(OFFER "C STARTTLS\nC NOOP\nS 454 No\nS 250 Ok\n",
	    OFFER_OUT " upgrade upgrade-reply(454) evidence(454 No)");
	expect(OFFER "C STARTTLS\nS 220 Go\nS 250 injected\nS 235 too\n",
	    OFFER_OUT
	    " upgrade upgrade-reply+(220) odd:1 evidence(250 injected) evidence(235 too)");
	expect(OFFER "C STARTTLS\nS 220 Go\nS> 250 inj\nC> \x16\x03\x01\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:1");
	/* text where TLS was due: of a command the verb alone */
	expect(OFFER "C STARTTLS\nS 220 Go\nC AUTH PLAIN c2VjcmV0\nS 535 No\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:2 tls-over evidence(AUTH) auth(PLAIN) "
		      "secret auth-reply");
	expect(OFFER "C STARTTLS\nS 220 Go\nC> \x16\x03\x01\nS 454 TLS not available\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) odd:3 evidence(454 TLS not available)");
	/* neither records nor text: what a line is, is known when it was answered */
	expect(OFFER "C STARTTLS\nS 220 Go\nC> \x16\x03\x01\nC> \xff\xff\nC> \xfe\n"
		     "C MAIL FROM:<a@b>\nS 500 What\nC MAIL FROM:<c@d>\n",
	    OFFER_OUT " upgrade upgrade-reply+(220) lost tls-over evidence(500 What) "
		      "from(c@d) result:4");
	/* masks */
	expect("S 220 ************************\nC EHLO me\nS 250-mx\nS 250 XXXXXXXA\n",
	    "greeting(************************) odd:5 sure helo+(me) mangled+(XXXXXXXA) offer");
	expect(OFFER "C XXXXXXXX\nS 500 What\n",
	    OFFER_OUT " odd:4 evidence(XXXXXXXX) upgrade upgrade-reply(500) evidence(500 What) "
		      "odd:6");
	expect("S 220 mx ESMTP\nC EHLO me\nS 502 What\nC HELO me\nS 250 Ok\n",
	    "greeting(mx ESMTP) sure helo+(me) no-ehlo evidence(502 What) helo(me)");
	expect("S 220 mx ESMTP\nC XXXX me\nS 500 What\nC HELO me\nS 250 Ok\nC XXXX me\nS 500 "
	       "What\n",
	    "greeting(mx ESMTP) sure odd:4 evidence(XXXX) helo(me)");
	/* a ClientHello that comes early is no injection */
	expect(OFFER "C STARTTLS\nC> \x16\x03\x01\nS 220 Go\n",
	    OFFER_OUT " upgrade upgrade-reply+(220)");
}

static void
credentials(void **state)
{
	(void)state;
	static const char secret[] = "c2VjcmV0U2VjcmV0";
	static const struct {
		const char *script, *events;
	} rows[] = {
	    {HI "C AUTH PLAIN c2VjcmV0U2VjcmV0\nS 235 Ok\n",
		HI_OUT " auth(PLAIN) secret auth-reply+"},
	    {HI "C auth plain\nS 334 \nC c2VjcmV0U2VjcmV0\nS 535 No\n",
		HI_OUT " auth(plain) secret auth-reply"},
	    {HI "C AUTH LOGIN\nS 334 VXNl\nC c2VjcmV0U2VjcmV0\nS 334 UGFz\nC c2VjcmV0U2VjcmV0\nS "
		"235 Ok\n" MAIL,
		HI_OUT " auth(LOGIN) secret secret auth-reply+" MAIL_OUT " result:4"},
	    {HI "C AUTH LOGIN\nS 334 VXNl\nC *\nS 501 No\n", HI_OUT " auth(LOGIN) auth-reply*"},
	    {HI "C AUTH LOGIN c2VjcmV0U2VjcmV0\nS 334 UGFz\nC c2VjcmV0U2VjcmV0\nS 235 Ok\n",
		HI_OUT " auth(LOGIN) secret secret auth-reply+"},
	    {HI "C AUTH LOGIN c2VjcmV0U2VjcmV0\nS 334 UGFz\nC *\nS 535 No\n" MAIL,
		HI_OUT " auth(LOGIN) secret auth-reply*" MAIL_OUT " result:4"},
	    {HI "C AUTH LOGIN\nS 334 VXNl\nC *\n", HI_OUT " auth(LOGIN) auth-reply*"},
	    {HI "C AUTH XOAUTH2 c2VjcmV0U2VjcmV0\nS 334 eyJ9\nC \nS 535 No\n",
		HI_OUT " auth(XOAUTH2) secret auth-reply"},
	    {HI "C AUTH SCRAM-SHA-256 c2VjcmV0U2VjcmV0\nS 334 cj0\nC c2VjcmV0U2VjcmV0\nS 334 "
		"dj0\nC \nS 235 Ok\n",
		HI_OUT " auth(SCRAM-SHA-256) secret secret auth-reply+"},
	    {HI "C AUTH NTLM\nS 334 \nC c2VjcmV0U2VjcmV0\nS 334 dj0\nC c2VjcmV0U2VjcmV0\nS 504 "
		"No\n",
		HI_OUT " auth(NTLM) secret secret auth-reply"},
	    {HI "C AUTH PLAIN c2VjcmV0U2VjcmV0\nS 538 No\nC AUTH CRAM-MD5\nS 334 PDE\nC "
		"c2VjcmV0U2VjcmV0\nS 235 Ok\n",
		HI_OUT " auth(PLAIN) secret auth-reply auth(CRAM-MD5) secret auth-reply+"},
	    {HI "C AUTH EXTERNAL c2VjcmV0U2VjcmV0\nS 454 No\n",
		HI_OUT " auth(EXTERNAL) secret auth-reply"},
	    {HI "C AUTH\nS 501 No\n", HI_OUT " auth-reply"},
	    {HI "C MAIL FROM:<a@b> AUTH=<>\nS 250 Ok\n", HI_OUT " from(a@b) from-reply+ result:4"},
	    /* no command of SMTP, and a secret in any case */
	    {"S 220 ready\nC PASS c2VjcmV0U2VjcmV0\nS 230 In\n", "greeting(ready) denied"},
	    {HI "C  pass  c2VjcmV0U2VjcmV0\nS 500 What\n", HI_OUT},
	    {HI "C AUTH EXTERNAL =\nS 235 Ok\n", HI_OUT " auth(EXTERNAL) auth-reply+"},
	    {HI "C AUTH LOGIN\nS 538 No\nC QUIT\nS 221 Bye\n", HI_OUT " auth(LOGIN) auth-reply"},
	    {HI "C AUTH LOGIN\nC c2VjcmV0U2VjcmV0\nS 334 VXNl\nS 235 Ok\n",
		HI_OUT " auth(LOGIN) secret auth-reply+"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		script_expect_of(MAIL_SMTP, 0, rows[i].script, secret, rows[i].events);
}

static void
extensions(void **state)
{
	(void)state;
	expect(HI "C MAIL FROM:<\xc3\xa9@b> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ REQUIRETLS\nS "
		  "250 Ok\nC RCPT TO:<c@d> ORCPT=rfc822;c@d\nS 250 Ok\n",
	    HI_OUT " from(\xc3\xa9@b) requiretls used:8BITMIME used:SMTPUTF8 used:DSN "
		   "used:REQUIRETLS from-reply+ to(c@d) used:DSN to-reply:0+ result:4");
	expect(HI "C MAIL FROM:<a@b> BODY=7BIT XREQUIRETLS REQUIRETLSX SMTPUTF8=\nS 250 Ok\n",
	    HI_OUT " from(a@b) from-reply+ result:4");
	expect(HI "C MAIL FROM:a@b BODY=BINARYMIME\nS 250 Ok\n",
	    HI_OUT " from(a@b) used:BINARYMIME from-reply+ result:4");
	expect(HI "C ETRN example.org\nS 250 Ok\nC ETRN example.net\nS 459 No\nC VRFY joe\nS 252 "
		  "Perhaps\nC EXPN all\nS 550 No\n",
	    HI_OUT " used:ETRN used:ETRN");
	/* of old, and odd */
	expect(HI "C SOML FROM:<a@b>\nS 250 Ok\nC mail from: <e@f>\nS 250 Ok\nC SAML FROM:g\nS 250 "
		  "Ok\nC SEND FROM:<>\nS 250 Ok\n",
	    HI_OUT " from(a@b) from-reply+ from(e@f) result:2 from-reply+ from(g) result:2 "
		   "from-reply+ from result:2 from-reply+ result:4");
	/* the sides change places: what crosses then is not followed */
	expect(HI "C TURN\nS 250 Ok\nS EHLO mx\nC 250 me\nS MAIL FROM:<a@b>\n", HI_OUT " lost");
	expect(HI "C TURN\nS 502 No\n" MAIL, HI_OUT MAIL_OUT " result:4");
	expect(HI "C ATRN example.org\nS 250 Ok\nS 220 mx\n", HI_OUT " lost");
}

static void
clients_behind(void **state)
{
	(void)state;
	/* XCLIENT is answered by a greeting, and all begins anew */
	expect(HI "C XCLIENT NAME=spike.example ADDR=192.0.2.7 PROTO=ESMTP\nS 220 again ESMTP\nC "
		  "EHLO spike\nS 250-mx\nS 250 STARTTLS\n" MAIL "C QUIT\nS 221 Bye\n",
	    HI_OUT " used:XCLIENT forwarded(192.0.2.7) helo+(spike) offer+" MAIL_OUT " result:2");
	expect(HI "C XCLIENT ADDR=IPV6:2001:db8::1\nS 550 No\n" MAIL,
	    HI_OUT " used:XCLIENT forwarded(2001:db8::1) forwarded" MAIL_OUT " result:4");
	expect(HI "C XFORWARD NAME=x ADDR=192.0.2.9 HELO=y\nC XFORWARD IDENT=1\nC MAIL "
		  "FROM:<a@b>\nS 250 Ok\nS 250 Ok\nS 250 Ok\n",
	    HI_OUT " used:XFORWARD forwarded(192.0.2.9) used:XFORWARD from(a@b) from-reply+ "
		   "result:4");
	/* whether the server believes it is not seen */
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED, "C EHLO me\nC XCLIENT ADDR=192.0.2.7\n",
	    NULL, "sure helo+(me) used:XCLIENT");
	/* a greeting that nobody awaited still answers nothing */
	expect(HI "C NOOP\nS 220 mx ESMTP\nS 250 Ok\n" MAIL, HI_OUT MAIL_OUT " result:4");
}

static void
another_protocol(void **state)
{
	(void)state;
	expect("S 220 ready\nC USER joe\nS 331 Ok\n", "greeting(ready) denied");
	expect("S 220 ready\nC USER joe\nS 500 What\nC EHLO me\nS 250 mx\n",
	    "greeting(ready) sure helo+(me) offer");
	expect("S 220 ready\nC AUTH TLS\nS 234 Go\n",
	    "greeting(ready) auth(TLS) denied auth-reply+");
	expect("S 220 ready\nC LHLO me\nS 250 mx\n" MAIL
	       "C RCPT TO:<e@f>\nS 250 Ok\nC DATA\nS 354 Go\nC .\nS 450 No\nS 250 Ok\n",
	    "greeting(ready) lmtp sure helo+(me) offer" MAIL_OUT
	    " to(e@f) to-reply:1+ begin end+ to-result:0 to-result:1+ result:0");
}

static void
one_direction(void **state)
{
	(void)state;
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "C EHLO me\nC MAIL FROM:<a@b>\nC RCPT TO:<c@d>\nC DATA\nC x\nC .\nC QUIT\n", NULL,
	    "sure helo+(me) from(a@b) to(c@d) begin [x/] end+ result:3");
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "C EHLO me\nC AUTH LOGIN am9l\nC c2VjcmV0U2VjcmV0\nC MAIL FROM:<a@b>\nC am9l\n",
	    "c2VjcmV0U2VjcmV0", "sure helo+(me) auth(LOGIN) secret secret from(a@b) lost result:4");
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "C EHLO me\nC MAIL FROM:<a@b>\nC BURL imap://h/x LAST\nC QUIT\n", NULL,
	    "sure helo+(me) from(a@b) used:BURL result:3");
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "S 220 mx ESMTP\nS 250-mx\nS 250 STARTTLS\nS 250 Ok\nS 250 Ok\nS 354 Go\nS 250 Ok\nS "
	    "221 Bye\n",
	    NULL, "offer+ lost lost lost begin+ end+ result:0");
	/* a server that shuts down says 421 at any time: no proof of a message, nor of none */
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "S 220 mx ESMTP\nS 250-mx\nS 250 STARTTLS\nS 354 Go\nS 421 Bye\n", NULL,
	    "offer+ lost lost result:3");
	script_expect_of(MAIL_SMTP, MAIL_SESSION_ONE_SIDED,
	    "S 220 mx ESMTP\nS 250-mx\nS 250 STARTTLS\nS 221 Bye\n", NULL, "offer+");
}

static void
losses(void **state)
{
	(void)state;
	/* whole only: behind a loss, the first octets that come together tell whether it is a line
	 */
	static struct script_run r;
	static const char *const rows[][2] = {
	    /* commands: what answers them is told by its code, and what follows is no command by
	       chance */
	    {HI "C! 40\nS 250 Ok\nS 250 Ok\nS 354 Go\nC x\nC .\nS 250 Ok\n",
		HI_OUT " lost begin [x/] end+ result:0"},
	    {HI MAIL "C! 6\nC text of a body\nC MAIL FROM:<x@y>\nC STARTTLS\nC .\nS 250 Ok\n",
		HI_OUT MAIL_OUT " lost result:4"},
	    {HI MAIL "C! 99\nC text of a body\nC .\nS 250 Ok\nC MAIL FROM:<x@y>\nS 250 Ok\n",
		HI_OUT MAIL_OUT " lost from(x@y) result:2 from-reply+ result:4"},
	    {HI MAIL "C! 6\nS! 8\nC Subject: x\nC QUIT\nC EHLO you\nC .\nS 250 Ok\n",
		HI_OUT MAIL_OUT " lost lost result:4"},
	    {HI "C! 9\nC MAIL FROM:<x@y>\nS 250 Ok\n",
		HI_OUT " lost from(x@y) from-reply+ result:4"},
	    {HI "C! 9\nC MAIL FROM:<x@y>\nC QUIT\nC .\nS 250 Ok\n", HI_OUT " lost"},
	    /* content: the server's reply shows that its end was lost */
	    {HI MAIL "C DATA\nS 354 Go\nC x\nC! 100\nS 250 Ok\nC QUIT\nS 221 Bye\n",
		HI_OUT MAIL_OUT " begin [x/] gap end+ result:0"},
	    /* DATA was refused, and the reply is what was lost: commands follow, no content */
	    {HI MAIL "C DATA\nS! 20\nC RSET\nS 250 Ok\nC QUIT\nS 221 Bye\n",
		HI_OUT MAIL_OUT " lost result:2"},
	    {HI MAIL "C DATA\nS! 20\nC Subject: x\nC .\nS 250 Ok\n",
		HI_OUT MAIL_OUT " lost begin [Subject: x/] end+ result:0"},
	    /* a capability list: what is not seen is not denied */
	    {"S 220 mx ESMTP\nC EHLO me\nS 250-mx\nS! 20\nS 250 HELP\n" MAIL,
		"greeting(mx ESMTP) sure helo+(me) lost offer-cut" MAIL_OUT " result:4"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(script_read(&r, MAIL_SMTP, 0, rows[i][0], 1000, NULL),
		    rows[i][1]);
}

static void
odds(void **state)
{
	(void)state;
	expect(HI "C \nS 500 What\nC NOOP\nS 250 Ok\nS 421 Too slow\n", HI_OUT);
	expect(HI "C \nC NOOP\nS 250 Ok\n" MAIL,
	    HI_OUT MAIL_OUT " result:4"); /* an empty line that nobody answers */
	expect("S 220-wait\nS 220 mx ESMTP\nC EHLO me\nS 250 mx\n",
	    "greeting(mx ESMTP) sure helo+(me) offer");
	expect("S 554 Go away\n", "greeting(Go away)");
}

/* Commands in the text of a mail are no commands, wherever the capture begins. */
static void
begun_in_the_middle(void **state)
{
	(void)state;
#define MIDDLE(script, events) \
	script_expect_of(MAIL_SMTP, MAIL_SESSION_MIDSTREAM, "?" script, NULL, events)
	MIDDLE("C MAIL FROM:<a@b>\nS 250 Ok\nC RCPT TO:<c@d>\nS 250 Ok\n",
	    "sure from(a@b) from-reply+ to(c@d) to-reply:0+ result:4");
	MIDDLE("C MAIL FROM:<a@b>\nC RCPT TO:<c@d>\nC DATA\nS 250 Ok\nS 250 Ok\nS 354 Go\n",
	    "sure from(a@b) to(c@d) from-reply+ to-reply:0+ result:4");
	MIDDLE("C> MAIL FROM:<a@b>|is what a client says.|\nC .\nS 250 Ok\n", "lost");
	MIDDLE("C MAIL FROM:<a@b>\nC > is what a client says.\nC .\nS 250 Ok\n", "lost");
	MIDDLE("C And:\nC STARTTLS\nC AUTH PLAIN AGEAYg==\nC .\nS 250 Ok\nC QUIT\n", "lost");
	MIDDLE("C AUTH PLAIN AGEAYg==\nS 535 No\n", "auth(PLAIN) secret auth-reply");
	MIDDLE("C MAIL FROM:<a@b>\n", "sure from(a@b) result:4");
	/* the answer to what was held is lost: the next one answers something else */
	MIDDLE("C EHLO me\nS! 90\nC STARTTLS\nS 454 No\n",
	    "sure helo+(me) lost upgrade offer-cut upgrade-reply(454) evidence(454 No)");
#undef MIDDLE
}

/* Without memory for what awaits its reply: no secret is kept, nothing is said that is not so. */
static void
no_memory_to_wait(void **state)
{
	(void)state;
	static const char secret[] = "c2VjcmV0U2VjcmV0";
	script_queues = 0;
	script_expect_of(MAIL_SMTP, 0,
	    HI "C AUTH LOGIN\nS 334 x\nC c2VjcmV0U2VjcmV0\nS 334 y\nC c2VjcmV0U2VjcmV0\nS 235 Ok\n",
	    secret,
	    "lost sure helo+(me) lost lost offer auth(LOGIN) lost secret lost secret lost lost "
	    "secret auth-reply+");
	script_expect_of(MAIL_SMTP, 0, HI "C AUTH LOGIN\nC c2VjcmV0U2VjcmV0\nS 235 Ok\n", secret,
	    "lost sure helo+(me) lost lost offer auth(LOGIN) lost secret lost lost secret "
	    "auth-reply+");
	script_expect_of(MAIL_SMTP, 0, HI MAIL "C DATA\nS 354 Go\nC x\nC .\nS 250 Ok\nC QUIT\n",
	    NULL,
	    "lost sure helo+(me) lost lost offer from(a@b) lost lost to(c@d) lost lost lost begin "
	    "[x/] end+ lost lost lost result:3");
	script_queues = 8;
}

/* What a session says of a reply to EHLO that comes in pieces of `step` octets. */
static void
offer_of(struct mail *m, const char *reply, size_t step, char out[512])
{
	static const char hello[] = "220 mx ESMTP\r\n", ehlo[] = "EHLO me\r\n";
	struct mail_session s = {0};
	struct mail_event ev;
	size_t n = 0;
	mail_begin(m, &s, MAIL_SMTP, 0);
	for (size_t at = 0, len = strlen(reply), turn = 0; at < len; turn++) {
		const char *text = turn == 0 ? hello : turn == 1 ? ehlo : reply + at;
		size_t left = turn < 2 ? strlen(text) : len - at < step ? len - at : step;
		char *copy = malloc(left);
		memcpy(copy, text, left);
		mail_push(m, &s, turn == 1 ? MAIL_CLIENT : MAIL_SERVER, copy, left);
		while (mail_next(m, &s, &ev)) {
			if (turn >= 2)
				n += (size_t)snprintf(out + n, 512 - n, "%u%s %08x %.*s|", ev.kind,
				    ev.flag ? "+" : "", ev.keywords, (int)ev.len, ev.text);
		}
		at += turn < 2 ? 0 : left;
		free(copy);
	}
	mail_release(m, &s);
}

/* A capability list is read alike line by line, at once, and when it is known already. */
static void
lists(void **state)
{
	static const char *const replies[] = {
	    "250-mx\r\n250-PIPELINING\r\n250-SIZE 9\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
	    "250-mx\r\n250-PIPELINING\r\n250-SIZE 9\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n",
	    "250-mx\r\n250-PIPELINING\r\n250-SIZE 8\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
	    "250-mx\n250-starttls\n250-UNHEARD of\n250 help\n",
	    "250-mx\r\n250-STARTTLS\r\n250 DSN\r\n250 more than was asked\r\n",
	    "250-mx\r\n250-SIZE\r\n550-STARTTLS\r\nno reply\r\n250 DSN\r\n",
	    "250-mx\r\n250-\r\n250 \r\n",
	    "250-mx\r\n250 \r\n",
	    "250-mx\r\n250-AUTH PLAIN\r\n\r\n250 ETRN\r\n",
	    "250-mx\r\n250-AUTH PLAIN\r\n",
	};
	struct mail m;
	(void)state;
	assert_true(mail_init(&m, &(struct mail_sizes){8, 8, 8, 8, 2, 1}));
	for (size_t i = 0; i < 3 * sizeof replies / sizeof replies[0]; i++) {
		const char *reply = replies[i % (sizeof replies / sizeof replies[0])];
		char want[512] = "", got[512] = "";
		offer_of(&m, reply, 1, want);
		offer_of(&m, reply, strlen(reply), got);
		assert_string_equal(got, want);
		for (size_t step = 8; step < strlen(reply); step += 3) {
			offer_of(&m, reply, step, got);
			assert_string_equal(got, want);
		}
	}
	mail_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mail),
	    cmocka_unit_test(pipelining),
	    cmocka_unit_test(chunks),
	    cmocka_unit_test(the_end_of_data),
	    cmocka_unit_test(starttls),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(extensions),
	    cmocka_unit_test(clients_behind),
	    cmocka_unit_test(another_protocol),
	    cmocka_unit_test(one_direction),
	    cmocka_unit_test(losses),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(begun_in_the_middle),
	    cmocka_unit_test(odds),
	    cmocka_unit_test(no_memory_to_wait),
	};
	return cmocka_run_group_tests_name("mail/smtp", tests, NULL, NULL);
}
