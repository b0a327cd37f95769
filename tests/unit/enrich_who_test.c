/* Who it is: real texts and near misses, and what of several counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "enrich/who.h"
#include "folder.h"
#include "record_words.h"

static struct record record;
static struct who *who;
static struct vendors *vendors;

static int
open_who(void **state)
{
	char error[ENRICH_ERROR];
	if (make_folder(state) != 0)
		return -1;
	write_text("oui.csv",
	    "Registry,Assignment,Organization Name,Organization Address\n"
	    "MA-L,002673,\"RICOH COMPANY,LTD.\",x\nMA-L,001B63,\"Apple, Inc.\",x\n"
	    "MA-L,000000,XEROX CORPORATION,x\n");
	who = who_new();
	vendors = vendors_open(path_of("oui.csv"), error);
	return who != NULL && vendors != NULL ? 0 : -1;
}

static int
close_who(void **state)
{
	who_free(who);
	who_free(NULL);
	vendors_close(vendors);
	return remove_folder(state);
}

static const char *
value_of(enum field f)
{
	return record_word(&record, f);
}

struct text_case {
	const char *text, *software, *class;
};

/* A record with one text: the software, and the class where it is of the client. */
static void
expect_each(enum field f, const struct text_case *cases, size_t count)
{
	bool server = f == FIELD_GREETING || f == FIELD_CAPABILITIES;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(cases[i].text);
		char *copy = malloc(len); /* of its own size: nothing behind it may be read */
		assert_true(len > 0 && copy != NULL);
		memcpy(copy, cases[i].text, len);
		record_begin(&record,
		    f == FIELD_EMAIL_X_MAILER || f == FIELD_EMAIL_MESSAGE_ID ? RECORD_MESSAGE
									     : RECORD_SESSION);
		record_put_str(&record, f, copy, len);
		free(copy);
		who_apply(who, vendors, &record);
		const char *name = value_of(server ? FIELD_SERVER_SOFTWARE : FIELD_CLIENT_SOFTWARE);
		if (strcmp(name, cases[i].software) != 0)
			fail_msg("%s: '%s' and not '%s'", cases[i].text, name, cases[i].software);
		const char *class = value_of(FIELD_CLIENT_CLASS);
		if (strcmp(class, server ? "" : cases[i].class) != 0)
			fail_msg("%s: '%s' and not '%s'", cases[i].text, class, cases[i].class);
		const char *because =
		    value_of(server ? FIELD_SERVER_BECAUSE : FIELD_CLIENT_BECAUSE);
		bool any = name[0] != '\0' || class[0] != '\0';
		assert_int_equal(because[0] != '\0', any || cases[i].software[0] != '\0');
		assert_null(strchr(because, '@'));
	}
}

#define EXPECT_EACH(f, cases) expect_each(f, cases, sizeof cases / sizeof *(cases))

static void
greetings(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"mx.example.org ESMTP Postfix (Debian/GNU)", "Postfix", ""},
	    {"mail.example.net ESMTP Exim 4.96 Mon, 23 Nov 2026 14:29:01 +0000", "Exim", ""},
	    {"mx ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2; Mon, 23 Nov", "sendmail", ""},
	    {"mx.example.org ESMTP OpenSMTPD", "OpenSMTPD", ""},
	    {"EX01.corp.example Microsoft ESMTP MAIL Service ready at Mon", "Exchange", ""},
	    {"mx Microsoft ESMTP MAIL Service, Version: 6.0.3790.4675 ready", "Exchange", ""},
	    {"DB5EUR01FT009.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready",
		"Exchange", ""},
	    {"mx.google.com ESMTP f5-20020a17si.123 - gsmtp", "Google", ""},
	    {"email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABC", "Amazon SES", ""},
	    {"Dovecot (Debian) ready.", "Dovecot", ""},
	    {"OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE] Dovecot ready.",
		"Dovecot", ""},
	    {"OK [CAPABILITY IMAP4rev1] imap.example.org Cyrus IMAP 3.6.1 server ready", "Cyrus",
		""},
	    {"OK [CAPABILITY IMAP4rev1 UIDPLUS] Courier-IMAP ready. Copyright 1998-2018",
		"Courier-IMAP", ""},
	    {"mx ESMTP Haraka/2.8.28 ready", "Haraka", ""},
	    {"mx.example.org ESMTP MailEnable Service, Version: 10.30--", "MailEnable", ""},
	    {"mx.example.org ESMTP MDaemon 21.0.2; Mon, 23 Nov", "MDaemon", ""},
	    {"mx.example.org Kerio Connect 9.4.1 ESMTP ready", "Kerio Connect", ""},
	    {"mx ESMTP Service (Lotus Domino Release 8.5.3) ready at", "Domino", ""},
	    {"mx SMTP Server (JAMES SMTP Server 2.3.2) ready", "Apache James", ""},
	    {"mx.example.org (PowerMTA(TM) v4.0) ESMTP service ready", "PowerMTA", ""},
	    {"mx ESMTP ecelerity 3.6.9.48312 r(Core:3.6.9.0)", "Momentum", ""},
	    {"mx.example.org Stalwart ESMTP at your service", "Stalwart", ""},
	    {"mx ESMTP chasquid", "chasquid", ""},
	    {"mx0a-00082601.pphosted.com ESMTP mfa-m0109333", "Proofpoint", ""},
	    {"esa.hc1.iphmx.com ESMTP", "Cisco Secure Email (IronPort)", ""},
	    {"host Python SMTP 1.4.4", "Python aiosmtpd", ""},
	    {"gmx.net (mxgmx016) Nemesis ESMTP Service ready", "1&1 Mail & Media", ""},
	    /* names of hosts are no software */
	    {"postfix.example.org ESMTP", "", ""},
	    {"exim.example.org ESMTP Postfix", "Postfix", ""},
	    {"postfix ESMTP Exim 4.96", "Exim", ""},
	    {"dovecot.sendmail.example ESMTP ready", "", ""},
	    /* and these words hold others */
	    {"mx ESMTP Maximus", "", ""},
	    {"mx ESMTP Eximious", "", ""},
	    {"mx.example.org ESMTP", "", ""},
	    {"***************", "", ""},
	    {" ", "", ""},
	};
	EXPECT_EACH(FIELD_GREETING, cases);
}

static void
keywords(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"X-EXPS", "Exchange", ""},
	    {"X-ANONYMOUSTLS", "Exchange", ""},
	    {"STARTTLS", "", ""},
	    {"8BITMIME", "", ""},
	};
	EXPECT_EACH(FIELD_CAPABILITIES, cases);
}

static void
names_of_clients(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"BRN008077AABBCC", "Brother", "printer"},
	    {"brn008077aabbcc.office.example", "Brother", "printer"},
	    {"BRWA86BAD000102", "Brother", "printer"},
	    {"RNP002673AABBCC", "Ricoh", "printer"},
	    {"NPI7A1B2C", "HP", "printer"},
	    {"HP0A1B2C3D4E5F", "HP", "printer"},
	    {"Canon1A2B3C", "Canon", "printer"},
	    {"KMBT34F1A2", "Konica Minolta", "printer"},
	    {"KM1A2B3C", "Kyocera", "printer"},
	    {"XRX9C934E0A1B2C", "Xerox", "printer"},
	    {"ET0021B7012345", "Lexmark", "printer"},
	    {"EPSON1A2B3C", "Epson", "printer"},
	    {"OKI-C532-1A2B3C", "OKI", "printer"},
	    {"SEC0015991A2B3C", "Samsung", "printer"},
	    {"MFP01234567", "Toshiba", "printer"},
	    {"scanner.example.com", "", "printer"},
	    {"og2-drucker.example.com", "", "printer"},
	    {"mfp-hall", "", "printer"},
	    {"ricoh-mp-c3003", "Ricoh", "printer"},
	    {"DiskStation", "Synology", "application"},
	    {"apc1A2B3C", "APC", "application"},
	    {"idrac-4XYZ123", "Dell iDRAC", "application"},
	    {"ILOCZJ1234567", "HPE iLO", "application"},
	    {"axis-00408c123456", "Axis", "application"},
	    {"fritz.box", "FRITZ!Box", "application"},
	    {"EUR05-AM6-obe.outbound.protection.outlook.com", "Exchange Online", "mta"},
	    {"mail-wm1-f41.google.com", "Google", "mta"},
	    {"a8-31.smtp-out.amazonses.com", "Amazon SES", "mta"},
	    {"mx0a-00082601.pphosted.com", "Proofpoint", "mta"},
	    {"mx1.example.com", "", "mta"},
	    {"mailout.example.com", "", "mta"},
	    {"WIN-5JRGI3KDV8M", "Windows", ""},
	    /* near misses */
	    {"BRN008077AABBCCD", "", ""},
	    {"BRN008077AABBC", "", ""},
	    {"BRN008077AABBCG", "", ""},
	    {"XBRN008077AABBCC", "", ""},
	    {"NPI7A1B2", "", ""},
	    {"kmart.example.com", "", ""},
	    {"KM1A2B3CD", "", ""},
	    {"mail.kyocera.com", "", ""}, /* of whom others have mail too */
	    {"relay.scanner.example.com", "", ""},
	    {"druckerei.example.com", "", ""},
	    {"scanners.example.com", "", ""},
	    {"mxyz.example.com", "", ""},
	    {"google.com.example.org", "", ""},
	    {"evilgoogle.com", "", ""},
	    {"[192.0.2.1]", "", ""},
	    {"localhost", "", ""},
	    {".", "", ""},
	    {"client.example.com", "", ""},
	};
	EXPECT_EACH(FIELD_HELO, cases);
}

static void
mailers(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.4.2",
		"Thunderbird", "mail-client"},
	    {"Mozilla Thunderbird", "Thunderbird", "mail-client"},
	    {"Microsoft Outlook 16.0", "Outlook", "mail-client"},
	    {"Microsoft Office Outlook 12.0", "Outlook", "mail-client"},
	    {"Microsoft Outlook Express 6.00.2900.5931", "Outlook Express", "mail-client"},
	    {"Microsoft-MacOutlook/16.66.22101101", "Outlook for Mac", "mail-client"},
	    {"Apple Mail (2.3696.120.41.1.1)", "Apple Mail", "mail-client"},
	    {"iPhone Mail (20B110)", "iPhone Mail", "mail-client"},
	    {"K-9 Mail for Android", "K-9 Mail", "mail-client"},
	    {"Mutt/2.2.9 (2022-11-12)", "mutt", "mail-client"},
	    {"NeoMutt/20220429", "mutt", "mail-client"},
	    {"Evolution 3.46.4-2", "Evolution", "mail-client"},
	    {"KMail/5.22.3 (Linux/6.1; KDE/5.107.0; x86_64; ; )", "KMail", "mail-client"},
	    {"Claws Mail 4.1.1 (GTK 3.24.38; x86_64-pc-linux-gnu)", "Claws Mail", "mail-client"},
	    {"The Bat! (v2.01)", "The Bat!", "mail-client"},
	    {"Lotus Notes Release 5.0.12   February 13, 2003", "Notes", "mail-client"},
	    {"Zimbra 8.8.15_GA_4203 (ZimbraWebClient - GC101 (Win)/8.8.15_GA_4232)", "Zimbra",
		"application"},
	    {"Roundcube Webmail/1.6.1", "Roundcube", "application"},
	    {"SquirrelMail/1.4.23", "SquirrelMail", "application"},
	    {"s-nail v14.9.24", "s-nail", "application"},
	    {"Heirloom mailx 12.5 7/5/10", "mailx", "application"},
	    {"PHPMailer 6.8.0 (https://github.com/PHPMailer/PHPMailer)", "PHPMailer",
		"application"},
	    {"PHP/7.4.33", "PHP", "application"},
	    {"WPMailSMTP/Mailer/smtp 4.0.2", "WordPress", "application"},
	    {"Drupal", "Drupal", "application"},
	    {"Microsoft CDO for Windows 2000", "Microsoft CDO", "application"},
	    {"swaks v20201014.0 jetmore.org/john/code/swaks/", "swaks", "application"},
	    {"git-send-email 2.39.2", "git send-email", "application"},
	    {"sendEmail-1.56", "sendEmail", "application"},
	    {"Canon MFP", "Canon", "printer"},
	    {"Internet FAX, Toshiba", "Toshiba", "printer"},
	    {"Internet FAX, Panasonic", "Panasonic", "printer"},
	    {"Xerox WorkCentre 7845", "Xerox", "printer"},
	    /* near misses */
	    {"Muttley 1.0", "", ""},
	    {"Outlook", "", ""},
	    {"Alpinestars shop", "", ""},
	    {"Brotherhood mailer", "", ""},
	    {"Our own mailer 1.0", "", ""},
	};
	EXPECT_EACH(FIELD_EMAIL_X_MAILER, cases);
}

static void
message_ids(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"<1469110000.12.1700000000000.JavaMail.tomcat@app01>", "JavaMail", "application"},
	    {"<-1469110000.12.1700000000000.JavaMail.tomcat@app01>", "JavaMail", "application"},
	    {"<17591213.1075856378834.JavaMail.evans@thyme>", "JavaMail", "application"},
	    {"<1469110000.1.1700000000000@app01>", "JavaMail", "application"},
	    {"<1234567.89.1700000000000.JavaMail.zimbra@example.org>", "Zimbra", "application"},
	    {"<170123456789.1234.12345678901234567890@host.example.org>", "Python", "application"},
	    {"<JIRA.12345.1234567890000.1234.1234567890123@Atlassian.JIRA>", "Jira", "application"},
	    {"<1700000000123456789.12345678901234567890@alerts>", "Prometheus Alertmanager",
		"application"},
	    {"<20261123142728.000256@client.example.com>", "swaks", "application"},
	    {"<20230101120000.12345-1-ann@example.org>", "git send-email", "application"},
	    {"<20160906155435.pZ7VC%ann@example.org>", "s-nail", "application"},
	    {"<20250219121319.0001.CanonTxNo.0485@example.net.>", "Canon", "printer"},
	    {"<alpine.DEB.2.21.2301011200.1234@example.org>", "Alpine", "mail-client"},
	    {"<20230101120000.GA12345@example.org>", "mutt", "mail-client"},
	    {"<001301d1a2b3$c4d5e6f7$4e81b4e5$@example.com>", "Outlook", "mail-client"},
	    {"<000c01c3f6e5$a1b2c3d4$0100a8c0@example.com>", "Outlook Express", "mail-client"},
	    {"<OF1BAC3D45.00123456-ON86256D3F.00123456-86256D3F.0012@example.com>", "Notes",
		"mail-client"},
	    {"<AM0PR01MB1234A1B2@AM0PR01MB1234.eurprd01.prod.outlook.com>", "Exchange Online",
		"mta"},
	    {"<20261124020617.4634F85@client.example.com>", "Postfix", "mta"},
	    {"<20261123142734.8E58C12E@client.example.com>", "Postfix", "mta"},
	    {"<20240101120000.4T3Zb12Dn1z1xyz@mx.example.org>", "Postfix", "mta"},
	    {"<202401011200.401C0abc012345@mx.example.org>", "sendmail", "mta"},
	    {"<E1xVV1j-0000Eg-1X@client.example.com>", "Exim", "mta"},
	    {"<E1rKZdO-00000002abC-1abc@mx.example.org>", "Exim", "mta"},
	    {"<97627c7a7eedc10d@client.example.com>", "OpenSMTPD", "mta"},
	    /* near misses */
	    {"<20261124020617.4634G85@client.example.com>", "", ""},
	    {"<E1xVV1j-0000Eg-1XY@client.example.com>", "", ""},
	    {"<97627c7a7eedc10@client.example.com>", "", ""},
	    {"<1.2.3.Javamail@example.org>", "", ""},
	    {"<6b1f3a52-8a0e-4d8c-9b6e-1f2a3b4c5d6e@example.org>", "", ""},
	    {"<200979b63aff6fe8a02518588fdc7f02.carol@example.com>", "", ""},
	    {"<>", "", ""},
	    {"<", "", ""},
	    {"ann@example.org", "", ""},
	};
	EXPECT_EACH(FIELD_EMAIL_MESSAGE_ID, cases);
}

static void
agents(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
	    {"Thunderbird 102.4.2", "Thunderbird", "mail-client"},
	    {"Mac OS X Mail", "Apple Mail", "mail-client"},
	    {"iPhone Mail 20B110", "iPhone Mail", "mail-client"},
	    {"Roundcube", "Roundcube", "application"},
	    {"imapsync 2.140", "imapsync", "application"},
	    {"Nobody knows", "", ""},
	};
	EXPECT_EACH(FIELD_CLIENT_AGENT, cases);
}

/* A session as a record has it. */
static void
begin(enum record_kind kind, const char *outcome, const char *helo)
{
	record_begin(&record, kind);
	record_put_word(&record, FIELD_OUTCOME, outcome);
	record_put_word(&record, FIELD_HELO, helo);
}

static void
expect_client(const char *software, const char *class, const char *because)
{
	char all[256];
	size_t n = 0;
	struct record_value v;
	who_apply(who, vendors, &record);
	assert_string_equal(value_of(FIELD_CLIENT_SOFTWARE), software);
	assert_string_equal(value_of(FIELD_CLIENT_CLASS), class);
	all[0] = '\0';
	for (uint32_t at = 0; record_next(&record, &at, &v);) {
		if (v.field == FIELD_CLIENT_BECAUSE)
			n += (size_t)snprintf(all + n, sizeof all - n, "%s%.*s", n > 0 ? "; " : "",
			    (int)v.len, v.str);
	}
	assert_string_equal(all, because);
}

static void
reasons_agree(void **state)
{
	(void)state;
	begin(RECORD_MESSAGE, "cleartext", "scanner.example.com");
	record_put_word(&record, FIELD_SOURCE_MAC, "00-26-73-01-02-03");
	record_put_u64(&record, FIELD_CLIENT_DISTANCE, 0);
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "RICOH Aficio MP C3003");
	expect_client("Ricoh", "printer", "helo: scanner; mailer: Aficio; network card: Ricoh");
	assert_string_equal(value_of(FIELD_CLIENT_VENDOR), "RICOH COMPANY,LTD.");

	/* the heavier one counts, and what speaks against it is no reason */
	begin(RECORD_MESSAGE, "cleartext", "scanner.example.com");
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "PHPMailer 6.8.0");
	expect_client("PHPMailer", "application", "mailer: PHPMailer");

	begin(RECORD_MESSAGE, "cleartext", "WIN-5JRGI3KDV8M");
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "Microsoft CDO for Windows 2000");
	expect_client("Microsoft CDO", "application", "mailer: Microsoft CDO");

	begin(RECORD_MESSAGE, "cleartext", "BRN008077AABBCC");
	expect_client("Brother", "printer", "helo: BRN0080...");

	begin(RECORD_MESSAGE, "cleartext", "a-32.smtp-out.amazonses.com");
	expect_client("Amazon SES", "mta", "helo: *.amazonses.com");

	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_USED, "8BITMIME");
	record_put_word(&record, FIELD_USED, "XFORWARD");
	expect_client("Postfix", "mta", "command: XFORWARD");
}

/* What a relay passes on is not its own. */
static void
relays_are_no_authors(void **state)
{
	(void)state;
	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "PHPMailer 6.8.0");
	record_put_word(&record, FIELD_EMAIL_MESSAGE_ID, "<1.1.1700000000000.JavaMail.x@y>");
	record_put_item(&record, FIELD_HOP);
	record_put_word(&record, FIELD_HOP_WITH, "ESMTP");
	expect_client("", "mta", "received: it passes mail on");

	/* an identifier that a server gave: its own where nobody had the mail before */
	for (unsigned hops = 1; hops < 3; hops++) {
		begin(RECORD_MESSAGE, "cleartext", "client.example.com");
		for (unsigned i = 0; i < hops; i++)
			record_put_item(&record, FIELD_HOP);
		record_put_word(&record, FIELD_EMAIL_MESSAGE_ID, "<20261124020617.4634F85@x>");
		expect_client(hops == 1 ? "Postfix" : "", "mta",
		    hops == 1 ? "received: it passes mail on; message-id: Postfix's shape"
			      : "received: it passes mail on");
	}

	/* who took it from a browser wrote it */
	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_item(&record, FIELD_HOP);
	record_put_word(&record, FIELD_HOP_WITH, "HTTPS");
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "Roundcube Webmail/1.6.1");
	expect_client("Roundcube", "application", "mailer: Roundcube");

	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_item(&record, FIELD_HOP);
	record_put_word(&record, FIELD_HOP_SOFTWARE, "Exchange");
	record_put_item(&record, FIELD_HOP); /* an older one */
	record_put_word(&record, FIELD_HOP_SOFTWARE, "Postfix");
	expect_client("Exchange", "mta", "received: Exchange");

	/* what is fetched was written by others */
	for (unsigned i = 0; i < 2; i++) {
		begin(RECORD_MESSAGE, "cleartext", NULL);
		record_put_word(&record, FIELD_NETWORK_PROTOCOL, i == 0 ? "imap" : "pop3");
		record_put_word(&record, FIELD_CLIENT_AGENT, "Thunderbird 102.4.2");
		record_put_item(&record, FIELD_HOP);
		record_put_word(&record, FIELD_HOP_SOFTWARE, "Postfix");
		record_put_word(&record, FIELD_EMAIL_X_MAILER, "PHPMailer 6.8.0");
		record_put_word(&record, FIELD_EMAIL_MESSAGE_ID,
		    "<1.1.1700000000000.JavaMail.x@y>");
		expect_client("Thunderbird", "mail-client", "agent: Thunderbird");
	}

	/* a member without its hop, as only a broken worker sends it */
	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_HOP_WITH, "HTTP");
	expect_client("", "", "");
}

/* The session says what its mails told, once. */
static void
sessions_know_their_mails(void **state)
{
	(void)state;
	static const char one[] = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", two[] = "1:another";
	for (unsigned i = 0; i < 2; i++) {
		begin(RECORD_MESSAGE, "cleartext", "client.example.com");
		record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, one);
		record_put_word(&record, FIELD_EMAIL_X_MAILER, i == 0 ? "PHPMailer 6.8.0" : "x");
		expect_client(i == 0 ? "PHPMailer" : "", i == 0 ? "application" : "",
		    i == 0 ? "mailer: PHPMailer" : "");
	}
	begin(RECORD_SESSION, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, two);
	expect_client("", "", "");
	begin(RECORD_SESSION, "cleartext", "client.example.com");
	expect_client("", "", "");	   /* without any */
	for (unsigned i = 0; i < 2; i++) { /* the second has the same ports, later */
		begin(RECORD_SESSION, "cleartext", "client.example.com");
		record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, one);
		expect_client(i == 0 ? "PHPMailer" : "", i == 0 ? "application" : "",
		    i == 0 ? "mailer: PHPMailer" : "");
	}
	/* of a session that nobody reads nothing is left for the next one */
	begin(RECORD_MESSAGE, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, one);
	record_put_word(&record, FIELD_EMAIL_X_MAILER, "PHPMailer 6.8.0");
	who_apply(who, vendors, &record);
	for (unsigned i = 0; i < 2; i++) {
		begin(RECORD_SESSION, "cleartext", "client.example.com");
		record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, one);
		who_forget(who, &record);
	}
	expect_client("", "", "");
	/* many at once lose nothing */
	for (unsigned i = 0; i < 2 * 400; i++) {
		char id[32];
		snprintf(id, sizeof id, "1:%u", i % 400);
		begin(i < 400 ? RECORD_MESSAGE : RECORD_SESSION, "cleartext", "client.example.com");
		record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, id);
		record_put_word(&record, FIELD_EMAIL_X_MAILER, i < 400 ? "PHPMailer 6.8.0" : NULL);
		expect_client("PHPMailer", "application", "mailer: PHPMailer");
	}
	for (unsigned i = 0; i < 3 * LIMIT_WHO_OPEN; i++) { /* more than have room */
		char id[32];
		snprintf(id, sizeof id, "1:%u", i);
		begin(RECORD_MESSAGE, "cleartext", "client.example.com");
		record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, id);
		record_put_word(&record, FIELD_EMAIL_X_MAILER, "PHPMailer 6.8.0");
		who_apply(who, vendors, &record);
	}
	begin(RECORD_SESSION, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_NETWORK_COMMUNITY_ID, two);
	expect_client("", "", "");
}

static void
monitors_send_nothing(void **state)
{
	(void)state;
	begin(RECORD_SESSION, "no-mail", "zabbix.example.com");
	expect_client("Zabbix", "monitor", "helo: zabbix");
	begin(RECORD_SESSION, "no-mail", "client.example.com");
	expect_client("", "", "");
	begin(RECORD_SESSION, "encrypted", "zabbix.example.com"); /* what it did is not seen */
	expect_client("Zabbix", "", "helo: zabbix");
	begin(RECORD_MESSAGE, "cleartext", "zabbix.example.com");
	expect_client("Zabbix", "application", "helo: zabbix");
	begin(RECORD_SESSION, "cleartext", "zabbix.example.com");
	record_put_u64(&record, FIELD_ENVELOPES, 1);
	expect_client("Zabbix", "application", "helo: zabbix");
}

static void
cards_count_on_the_link(void **state)
{
	(void)state;
	static const struct {
		const char *mac;
		int distance; /* -1: not known */
		const char *vendor, *class;
	} cases[] = {
	    {"00-26-73-01-02-03", 0, "RICOH COMPANY,LTD.", "printer"},
	    {"00-26-73-01-02-03", 1, "", ""}, /* a router's */
	    {"00-26-73-01-02-03", -1, "", ""},
	    {"00-1B-63-01-02-03", 0, "Apple, Inc.", ""},
	    {"00-00-00-00-00-00", 0, "", ""},
	    {"00-26-73-01-02-0", 0, "", ""},
	    {"00-26-73-01-02-0G", 0, "", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned side = 0; side < 2; side++) {
			begin(RECORD_SESSION, "cleartext", "client.example.com");
			record_put_word(&record,
			    side == 0 ? FIELD_SOURCE_MAC : FIELD_DESTINATION_MAC, cases[i].mac);
			if (cases[i].distance >= 0)
				record_put_u64(&record,
				    side == 0 ? FIELD_CLIENT_DISTANCE : FIELD_SERVER_DISTANCE,
				    (uint64_t)cases[i].distance);
			who_apply(who, vendors, &record);
			assert_string_equal(value_of(side == 0 ? FIELD_CLIENT_VENDOR
							       : FIELD_SERVER_VENDOR),
			    cases[i].vendor);
			assert_string_equal(value_of(FIELD_CLIENT_CLASS),
			    side == 0 ? cases[i].class : "");
		}
	}
	/* the balancer's card is not that of who stands behind it */
	struct addr a;
	assert_true(addr_parse("192.0.2.1", &a));
	begin(RECORD_SESSION, "cleartext", "client.example.com");
	record_put_word(&record, FIELD_SOURCE_MAC, "00-26-73-01-02-03");
	record_put_u64(&record, FIELD_CLIENT_DISTANCE, 0);
	record_put_ip(&record, FIELD_NETWORK_FORWARDED_IP, &a);
	expect_client("", "", "");
	assert_string_equal(value_of(FIELD_CLIENT_VENDOR), "");
}

static void
what_is_there_stays(void **state)
{
	(void)state;
	begin(RECORD_SESSION, "cleartext", "BRN008077AABBCC");
	who_apply(who, vendors, &record);
	uint32_t len = record.len;
	who_apply(who, vendors, &record);
	assert_int_equal(record.len, len);
}

/* Any octets: nothing is read behind them, and a long text costs no more than its beginning. */
static void
any_octets(void **state)
{
	(void)state;
	static const enum field fields[] = {FIELD_HELO, FIELD_GREETING, FIELD_EMAIL_X_MAILER,
	    FIELD_EMAIL_MESSAGE_ID, FIELD_CLIENT_AGENT, FIELD_USED, FIELD_CAPABILITIES};
	static char text[60000];
	uint32_t random = 1;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = i % 40;
		char *copy = malloc(len + 1);
		assert_non_null(copy);
		for (size_t k = 0; k < len; k++) {
			random = random * 1664525u + 1013904223u;
			copy[k] = "BRN0<>[]-._@* PostfixE1$%ffff\0\xff"[random >> 24 & 31];
		}
		record_begin(&record, RECORD_MESSAGE);
		for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
			record_put_str(&record, fields[f], copy, len);
		free(copy);
		who_apply(who, vendors, &record);
	}
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = "Postfi "[k % 7];
	memcpy(text + sizeof text - 9, " Postfix ", 9);
	record_begin(&record, RECORD_MESSAGE);
	record_put_str(&record, FIELD_EMAIL_X_MAILER, text, sizeof text);
	who_apply(who, vendors, &record);
	assert_string_equal(value_of(FIELD_CLIENT_SOFTWARE), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(greetings),
	    cmocka_unit_test(keywords),
	    cmocka_unit_test(names_of_clients),
	    cmocka_unit_test(mailers),
	    cmocka_unit_test(message_ids),
	    cmocka_unit_test(agents),
	    cmocka_unit_test(reasons_agree),
	    cmocka_unit_test(relays_are_no_authors),
	    cmocka_unit_test(sessions_know_their_mails),
	    cmocka_unit_test(monitors_send_nothing),
	    cmocka_unit_test(cards_count_on_the_link),
	    cmocka_unit_test(what_is_there_stays),
	    cmocka_unit_test(any_octets),
	};
	return cmocka_run_group_tests_name("enrich/who", tests, open_who, close_who);
}
