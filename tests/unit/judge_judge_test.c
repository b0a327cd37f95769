/* Judgement: the table that the program carries, on records as they come from the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "judge/judge.h"
#include "judge/shipped.h"
#include "judge/table.h"
#include "judge_record.h"

static struct judge *judge;

static int
open_judge(void **state)
{
	(void)state;
	char error[JUDGE_ERROR] = "";
	struct judge_config shipped = {.policies = NULL};
	judge = judge_new();
	if (judge == NULL || !judge_load(judge, &shipped, error))
		fail_msg("%s", error);
	return 0;
}

static int
close_judge(void **state)
{
	(void)state;
	judge_free(judge);
	return 0;
}

static void
expect_level(const char *level)
{
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_LEVEL), level);
	assert_int_equal(level_of(&record), level_by_name(level, strlen(level)));
}

static void
levels_follow_exposure_and_path(void **state)
{
	(void)state;
	static const struct {
		const char *direction;
		uint64_t port;
		const char *reason;
		const char *const *exposed;
		const char *shows; /* NULL: no login */
		const char *level;
	} cases[] = {
	    {"outbound", 587, "not-offered", CREDENTIALS, "password", "critical"},
	    {"inbound", 25, "not-offered", CREDENTIALS, "password", "critical"},
	    {"external", 587, "not-requested", CREDENTIALS, "token", "critical"},
	    {"internal", 25, "not-offered", CREDENTIALS, "password", "high"},
	    {"outbound", 587, "not-offered", CREDENTIALS, "digest", "high"},
	    {"internal", 25, "not-offered", CREDENTIALS, "digest", "medium"},
	    {"outbound", 587, "not-offered", CREDENTIALS, "unknown", "high"},
	    {"outbound", 587, "not-offered", CREDENTIALS, "account", "low"},
	    {"outbound", 25, "not-offered", BODY, NULL, "high"},
	    {"outbound", 25, "not-requested", BODY, NULL, "high"},
	    {"external", 25, "tls-failed", BODY, NULL, "high"},
	    {"unknown", 25, "not-visible", BODY, NULL, "high"},
	    {"inbound", 587, "not-requested", BODY, NULL, "high"},
	    {"internal", 25, "not-offered", BODY, NULL, "medium"},
	    {"inbound", 25, "not-requested", BODY, NULL, "informational"},
	    {"inbound", 25, "not-asked", BODY, NULL, "informational"},
	    {"inbound", 25, "not-offered", BODY, NULL, "medium"},
	    {"inbound", 25, "not-offered", ENVELOPE, NULL, "informational"},
	    {"outbound", 25, "refused", ENVELOPE, NULL, "low"},
	    {"internal", 25, "refused", ENVELOPE, NULL, "low"},
	    {"outbound", 25, "stripped", BODY, NULL, "critical"},
	    {"internal", 25, "stripped", BODY, NULL, "high"},
	    {"outbound", 25, "stripped", ENVELOPE, NULL, "high"},
	    {NULL, 25, "not-offered", BODY, NULL, "high"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(RECORD_SESSION, cases[i].direction, cases[i].port, cases[i].reason);
		put_exposed(cases[i].exposed);
		record_put_word(&record, FIELD_AUTH_SHOWS, cases[i].shows);
		expect_level(cases[i].level);
	}
}

static void
loopback_is_no_alarm(void **state)
{
	(void)state;
	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_NETWORK_PROTOCOL, "smtp");
	record_put_word(&record, FIELD_NETWORK_DIRECTION, "internal");
	put_ip(FIELD_SOURCE_IP, "::1");
	put_ip(FIELD_DESTINATION_IP, "::1");
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
	put_exposed(ALL);
	record_put_word(&record, FIELD_AUTH, "PLAIN");
	expect_level("");
	assert_string_equal(value_of(FIELD_ADVICE),
	    "The connection never left the machine; there is nothing to change.");
}

static void
an_encrypted_body_weighs_less(void **state)
{
	(void)state;
	static const struct {
		const char *direction, *protection, *level;
	} cases[] = {
	    {"outbound", "pgp", "medium"},
	    {"outbound", "smime", "medium"},
	    {"outbound", "none", "high"},
	    {"outbound", "unknown", "high"},
	    {"internal", "smime", "low"},
	    {"internal", "none", "medium"},
	    {"inbound", "pgp", "informational"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(RECORD_MESSAGE, cases[i].direction, 25, "not-requested");
		put_exposed(BODY);
		record_put_word(&record, FIELD_BODY_PROTECTION, cases[i].protection);
		expect_level(cases[i].level);
	}
}

static void
only_what_was_readable_is_judged(void **state)
{
	(void)state;
	static const char *const outcomes[] = {"encrypted", "no-mail", "unknown"};
	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
		record_begin(&record, RECORD_SESSION);
		record_put_word(&record, FIELD_OUTCOME, outcomes[i]);
		uint32_t len = record.len;
		judge_push(judge, &record);
		assert_int_equal(record.len, len);
	}
	record_begin(&record, RECORD_SUMMARY);
	record_put_word(&record, FIELD_OUTCOME, "cleartext");
	uint32_t len = record.len;
	judge_push(judge, &record);
	assert_int_equal(record.len, len);

	/* TLS that failed is a rule's matter, too */
	record_begin(&record, RECORD_SESSION);
	record_put_word(&record, FIELD_OUTCOME, "tls-failed");
	expect_level("low");
	assert_non_null(strstr(value_of(FIELD_MESSAGE), "was tried on port 0 and failed"));

	record_begin(&record, RECORD_MESSAGE); /* has its words, whatever the rules say */
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "an unknown host gave an unknown host the sender and recipients of a mail in "
	    "the clear for a reason that is not known.");
}

static void
sentences_are_plain(void **state)
{
	(void)state;
	begin(RECORD_MESSAGE, "outbound", 25, "not-offered");
	put_exposed(BODY);
	record_put_word(&record, FIELD_HELO, "printer.example.net");
	record_put_word(&record, FIELD_GREETING, "220 mx.example.com ESMTP Postfix");
	record_put_u64(&record, FIELD_RECIPIENTS, 4); /* one of them was refused */
	for (int i = 0; i < 3; i++)
		record_put_word(&record, FIELD_EMAIL_TO, "bob@example.com");
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "10.0.0.9 (printer.example.net) sent 1 mail for 3 recipients to 192.0.2.1 "
	    "(mx.example.com) in the clear because the server never offered TLS.");

	begin(RECORD_SESSION, "outbound", 25, "refused");
	put_exposed(BODY);
	record_put_u64(&record, FIELD_MESSAGES, 1234);
	record_put_u64(&record, FIELD_STARTTLS_REPLY, 454);
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "10.0.0.9 sent 1,234 mails to 192.0.2.1 in the clear because the server "
	    "refused TLS when the client asked for it (reply: 454).");

	begin(RECORD_SESSION, "internal", 587, "not-requested");
	put_exposed(ALL);
	record_put_u64(&record, FIELD_MESSAGES, 1);
	record_put_word(&record, FIELD_AUTH, "PLAIN");
	record_put_word(&record, FIELD_AUTH, "LOGIN");
	record_put_word(&record, FIELD_AUTH, "cram-md5");
	record_put_word(&record, FIELD_AUTH_SHOWS, "digest");
	record_put_word(&record, FIELD_AUTH_SHOWS, "password");
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "10.0.0.9 sent a password (PLAIN, LOGIN and CRAM-MD5) and 1 mail to "
	    "192.0.2.1 in the clear "
	    "because the client did not use the TLS that the server offered.");

	begin(RECORD_SESSION, "internal", 587, "not-requested");
	put_exposed(CREDENTIALS);
	record_put_word(&record, FIELD_AUTH, "LOGIN");
	record_put_word(&record, FIELD_AUTH_SHOWS, "account");
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "10.0.0.9 gave 192.0.2.1 the name of an account (LOGIN) in the clear "
	    "because the client did not use the TLS that the server offered.");

	begin(RECORD_SESSION, "internal", 25, "tls-failed");
	put_exposed(ENVELOPE);
	record_put_u64(&record, FIELD_ENVELOPES, 2);
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_MESSAGE),
	    "10.0.0.9 gave 192.0.2.1 the sender and recipients of 2 mails in the clear "
	    "because TLS could not be set up and the client went on without it.");
}

/* Where not all recipients are kept by name, their number is that of the commands. */
static void
many_recipients_are_counted(void **state)
{
	(void)state;
	for (unsigned n = LIMIT_RECIPIENTS - 1; n <= LIMIT_RECIPIENTS; n++) {
		begin(RECORD_MESSAGE, "outbound", 25, "not-offered");
		put_exposed(BODY);
		for (unsigned i = 0; i < n; i++)
			record_put_word(&record, FIELD_EMAIL_TO, "bob@example.com");
		record_put_u64(&record, FIELD_RECIPIENTS, 12345);
		judge_push(judge, &record);
		assert_non_null(strstr(value_of(FIELD_MESSAGE),
		    n < LIMIT_RECIPIENTS ? " 1 mail for 499 recipients "
					 : " 1 mail for 12,345 recipients "));
	}
}

static void
advice_knows_the_software(void **state)
{
	(void)state;
	static const struct {
		const char *direction, *reason, *greeting, *part;
		const char *const *exposed;
	} cases[] = {
	    {"internal", "not-offered", "mail.example.net ESMTP Postfix (Debian)",
		"smtpd_tls_security_level = may", BODY},
	    {"inbound", "not-offered", "mail.example.net ESMTP Exim 4.96", "tls_advertise_hosts",
		BODY},
	    {"internal", "not-offered", "mx ESMTP OpenSMTPD", "listen on ... tls pki", BODY},
	    {"inbound", "not-offered", "x Microsoft ESMTP MAIL Service ready", "Enable-Exchange",
		BODY},
	    {"outbound", "not-asked", "***************", "allow-tls", BODY},
	    {"outbound", "stripped", NULL, "allow-tls", BODY},
	    {"inbound", "not-requested", NULL, "reject_plaintext_session", BODY},
	    {"outbound", "not-requested", NULL, "smtp_tls_security_level = may", BODY},
	    {"internal", "not-asked", NULL, "printer", BODY},
	    {"internal", "not-offered", "mail ESMTP Postfix", "smtpd_tls_auth_only", CREDENTIALS},
	    {"internal", "not-offered", "mail ESMTP Exim",
		"'auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}'", CREDENTIALS},
	    {"outbound", "tls-failed", NULL, "log of 10.0.0.9 why TLS with 192.0.2.1", BODY},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(RECORD_SESSION, cases[i].direction, 25, cases[i].reason);
		put_exposed(cases[i].exposed);
		record_put_word(&record, FIELD_GREETING, cases[i].greeting);
		judge_push(judge, &record);
		const char *advice = value_of(FIELD_ADVICE);
		if (strstr(advice, cases[i].part) == NULL)
			fail_msg("case %zu: no '%s' in: %s", i, cases[i].part, advice);
	}
}

/* What the client seems to be chooses the advice, and nothing else. */
static void
advice_knows_the_client(void **state)
{
	(void)state;
	static const struct {
		const char *direction, *reason, *software, *class, *part;
	} cases[] = {
	    {"outbound", "not-requested", "Postfix", "mta", "On the Postfix at 10.0.0.9 set"},
	    {"internal", "not-requested", "Postfix", "mta", "On the Postfix at 10.0.0.9 set"},
	    {"outbound", "tls-failed", "Postfix", "mta", "smtp_tls_loglevel"},
	    {"outbound", "not-requested", "Exim", "mta", "hosts_avoid_tls"},
	    {"outbound", "tls-failed", "Exim", "mta", "tls_tempfail_tryclear = false"},
	    {"outbound", "not-requested", "OpenSMTPD", "mta", "smtp+notls://"},
	    {"outbound", "tls-failed", "OpenSMTPD", "mta", "smtp+tls://"},
	    {"outbound", "not-requested", "Exchange Online", "mta", "-IgnoreSTARTTLS $false"},
	    {"outbound", "tls-failed", "Exchange", "mta", "-RequireTLS $true"},
	    {"outbound", "not-requested", "sendmail", "mta", "Try_TLS"},
	    {"internal", "not-requested", "Ricoh", "printer", "mail settings of the device"},
	    {"internal", "not-asked", NULL, "printer", "relay on its own link"},
	    {"internal", "tls-failed", NULL, "printer", "firmware"},
	    {"outbound", "not-offered", NULL, "printer", "relay of your own"},
	    {"internal", "not-requested", "PHPMailer", "application", "is a program"},
	    {"internal", "not-asked", NULL, "application", "is a program"},
	    {"outbound", "not-requested", "Thunderbird", "mail-client", "Set the mail program"},
	    /* what the other side has to mend is not told to the client */
	    {"outbound", "not-offered", "Postfix", "mta", "The other side has to turn TLS on"},
	    {"inbound", "not-requested", "Postfix", "mta", "reject_plaintext_session"},
	    {"inbound", "not-requested", NULL, "printer", "reject_plaintext_session"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *levels[2];
		for (unsigned known = 0; known < 2; known++) {
			begin(RECORD_SESSION, cases[i].direction, 25, cases[i].reason);
			put_exposed(BODY);
			if (known) {
				record_put_word(&record, FIELD_CLIENT_SOFTWARE, cases[i].software);
				record_put_word(&record, FIELD_CLIENT_CLASS, cases[i].class);
			}
			judge_push(judge, &record);
			levels[known] = level_name(level_of(&record));
		}
		const char *advice = value_of(FIELD_ADVICE);
		if (strstr(advice, cases[i].part) == NULL)
			fail_msg("case %zu: no '%s' in: %s", i, cases[i].part, advice);
		assert_string_equal(levels[0], levels[1]);
	}
}

/* Nothing that peers say of themselves is repeated unless it is a plain host name. */
static void
no_person_is_named(void **state)
{
	(void)state;
	static const char *const names[] = {
	    "alice@example.com",
	    "alice",
	    "220 alice@example.com ESMTP",
	    "[alice.example]",
	    "alice.example\x1b[2J",
	    "alice.\xe2\x80\xae"
	    "example",
	    ".alice.example",
	    "alice.example.",
	    "alice_x.example",
	    "alice.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		begin(RECORD_SESSION, "outbound", 25, "not-offered");
		put_exposed(ALL);
		record_put_word(&record, FIELD_HELO, names[i]);
		record_put_word(&record, FIELD_GREETING, names[i]);
		record_put_word(&record, FIELD_AUTH, "alice");
		record_put_word(&record, FIELD_EMAIL_FROM, "alice@example.com");
		record_put_word(&record, FIELD_EMAIL_TO, "alice@example.net");
		record_put_word(&record, FIELD_EMAIL_SUBJECT, "alice");
		judge_push(judge, &record);
		assert_null(strstr(value_of(FIELD_MESSAGE), "alice"));
		assert_null(strstr(value_of(FIELD_ADVICE), "alice"));
		assert_non_null(strstr(value_of(FIELD_MESSAGE), "another mechanism"));
	}
}

static bool
row_matches_words(const struct row *row, const struct facts *f)
{
	for (unsigned k = 0; k < KEYS; k++) {
		if (row->words[k] != 0 && (row->words[k] & f->words[k]) == 0)
			return false;
	}
	const char *const text[PARTS] = {f->greeting, f->software[0], f->software[1]};
	for (unsigned part = 0; part < PARTS; part++) {
		if (row->parts[part][0] != NULL &&
		    (text[part] == NULL || strcmp(text[part], row->parts[part][0]) != 0))
			return false;
	}
	return true;
}

/* Counts the words of a key. */
static unsigned
words_of(enum key k)
{
	unsigned n = 0;
	while (n < KEY_WORDS && key_table[k].words[n] != NULL)
		n++;
	return n;
}

/* Every row is the first to match for some record: none is dead. */
static void
every_row_is_reached(void **state)
{
	(void)state;
	static bool hit[LISTS][LIMIT_ADVICE_ROWS];
	static const uint32_t exposed[] = {0, 1, 3, 7, 16, 31};
	static const struct {
		const char *greeting, *client;
		uint32_t class;
	} sides[] = {{NULL, NULL, 0}, {"Postfix", NULL, 0}, {"Exim", NULL, 0},
	    {"OpenSMTPD", NULL, 0}, {"Microsoft ESMTP", NULL, 0}, {"Dovecot", NULL, 0},
	    {"*****", NULL, 0}, {NULL, "Postfix", 8}, {NULL, "Exim", 8}, {NULL, "OpenSMTPD", 8},
	    {NULL, "Exchange", 8}, {NULL, "sendmail", 8}, {NULL, NULL, 1}, {NULL, NULL, 2},
	    {NULL, NULL, 4}};
	static const size_t SIDES = sizeof sides / sizeof *sides;
	struct table t;
	char error[JUDGE_ERROR];
	size_t i[6];
	const struct shipped *texts = shipped_find(SHIPPED_TEXTS);
	assert_true(table_read(&t, texts->text, texts->len, texts->name, error));
	struct facts f = {0};
	for (i[0] = 0; i[0] < 2 * 4; i[0]++) { /* record and protocol */
		f.words[KEY_RECORD] = 1u << i[0] % 2;
		f.words[KEY_PROTOCOL] = 1u << i[0] / 2;
		for (i[1] = 0; i[1] < words_of(KEY_PORT) * 6u; i[1]++) {
			f.words[KEY_PORT] = 1u << i[1] / 6;
			f.words[KEY_REPLY] = 1u << i[1] / 6 % 2;
			f.words[KEY_EXPOSED] = exposed[i[1] % 6];
			f.words[KEY_CONTENT] = (exposed[i[1] % 6] & 14) != 0 ? 2 : 1;
			for (i[2] = 0; i[2] < 9 * 4; i[2]++) { /* the ninth reason: none */
				f.words[KEY_REASON] = i[2] / 4 < 8 ? 1u << i[2] / 4 : 0;
				f.words[KEY_SECRET] = 1u << i[2] % 4;
				for (i[3] = 0; i[3] < 6 * SIDES * 2; i[3]++) {
					f.words[KEY_DIRECTION] = 1u << i[3] % 6;
					f.greeting = sides[i[3] / 6 % SIDES].greeting;
					f.software[0] = sides[i[3] / 6 % SIDES].client;
					f.words[KEY_CLASS] = sides[i[3] / 6 % SIDES].class;
					f.words[KEY_PROTECTION] = i[3] / (6 * SIDES) == 0 ? 1 : 2;
					for (unsigned l = 0; l < LISTS; l++) {
						size_t r = 0;
						while (!row_matches_words(&t.rows[l][r], &f))
							r++;
						hit[l][r] = true;
					}
				}
			}
		}
	}
	for (unsigned l = 0; l < LISTS; l++) {
		for (size_t r = 0; r < t.count[l]; r++) {
			if (!hit[l][r])
				fail_msg("row %zu of list %u is never reached", r + 1, l);
		}
	}
	table_free(&t);
}

/* Every text is a sentence of bearable length with all its values filled in; and nobody is told to
 * require TLS on a public mail server (RFC 3207). */
static void
every_text_reads_well(void **state)
{
	(void)state;
	static const char *const *const exposed[] = {ENVELOPE, BODY, CREDENTIALS, ALL};
	static const char *const protocols[] = {"smtp", "lmtp", "imap", "pop3"};
	static const uint64_t ports[] = {25, 587, 465, 143, 2525};
	static const char *const greetings[] = {NULL, "mx Postfix", "mx Exim", "mx OpenSMTPD",
	    "*****"};
	static const char *const clients[][2] = {{NULL, NULL}, {"Postfix", "mta"}, {"Exim", "mta"},
	    {"OpenSMTPD", "mta"}, {"Exchange", "mta"}, {"sendmail", "mta"}, {"Ricoh", "printer"},
	    {NULL, "application"}, {NULL, "mail-client"}};
	for (unsigned i = 0; i < 8 * 6 * 4 * 4 * 5 * 5 * 9; i++) {
		unsigned n = i;
		const char *reason = key_table[KEY_REASON].words[n % 8];
		const char *direction = key_table[KEY_DIRECTION].words[(n /= 8) % 6];
		begin(i % 2 == 0 ? RECORD_SESSION : RECORD_MESSAGE, direction, ports[(n /= 6) % 5],
		    reason);
		uint64_t port = ports[n % 5];
		const char *const *words = exposed[(n /= 5) % 4];
		put_exposed(words);
		record.data[4 + 2] = 'm'; /* network.protocol is the first field: smtp or lmtp */
		const char *protocol = protocols[(n /= 4) % 4];
		memcpy(record.data + 4, protocol, 4);
		record_put_word(&record, FIELD_GREETING, greetings[(n /= 4) % 5]);
		record_put_word(&record, FIELD_CLIENT_SOFTWARE, clients[(n /= 5) % 9][0]);
		record_put_word(&record, FIELD_CLIENT_CLASS, clients[n % 9][1]);
		record_put_word(&record, FIELD_AUTH, "PLAIN");
		record_put_word(&record, FIELD_AUTH_SHOWS, i % 3 == 0 ? "account" : "password");
		record_put_u64(&record, FIELD_MESSAGES, 1);
		judge_push(judge, &record);
		const char *why = value_of(FIELD_MESSAGE), *advice = value_of(FIELD_ADVICE);
		assert_non_null(strstr(why, "10.0.0.9"));
		assert_non_null(strstr(why, "192.0.2.1"));
		assert_int_equal(why[strlen(why) - 1], '.');
		assert_int_equal(advice[strlen(advice) - 1], '.');
		assert_true(strlen(why) < 300 && strlen(advice) < 480);
		for (unsigned v = 0; v < VALUES; v++) {
			char brace[32];
			struct text t = text_in(brace, sizeof brace);
			text_printf(&t, "{%s}", value_names[v]);
			assert_null(strstr(why, brace));
			assert_null(strstr(advice, brace));
		}
		if (strcmp(direction, "inbound") == 0 && port == 25 && words == BODY &&
		    strcmp(protocol, "smtp") == 0 && strcmp(reason, "stripped") != 0 &&
		    strcmp(reason, "null-cipher") != 0 && strstr(advice, "masked greeting") == NULL)
			assert_non_null(strstr(advice, "RFC 3207"));
	}
}

/* A full record takes no more, and nothing breaks. */
static void
a_full_record_stays_whole(void **state)
{
	(void)state;
	begin(RECORD_MESSAGE, "outbound", 25, "not-offered");
	put_exposed(BODY);
	while (record.cut == 0) /* lists leave room for what single values have to say */
		record_put_word(&record, FIELD_EMAIL_TO, "someone@recipients.example");
	judge_push(judge, &record);
	assert_string_equal(value_of(FIELD_LEVEL), "high");
	assert_string_not_equal(value_of(FIELD_MESSAGE), "");
	assert_string_not_equal(value_of(FIELD_ADVICE), "");
	static struct record alert;
	while (judge_next(judge, &alert))
		assert_true(record_is(&alert, FIELD_EVENT_KIND, "alert"));
}

static void
levels_have_names(void **state)
{
	(void)state;
	assert_null(level_name(LEVEL_NONE));
	assert_null(level_name(LEVELS));
	for (enum level l = LEVEL_INFORMATIONAL; l < LEVELS; l++)
		assert_int_equal(level_by_name(level_name(l), strlen(level_name(l))), l);
	assert_int_equal(level_by_name("hig", 3), LEVEL_NONE);
	assert_int_equal(level_by_name("highx", 5), LEVEL_NONE);
	assert_int_equal(level_by_name("", 0), LEVEL_NONE);
	record_begin(&record, RECORD_SESSION);
	assert_int_equal(level_of(&record), LEVEL_NONE);
}

/* Nobody reads them: a brief judge leaves words out, and nothing else. */
static void
words_that_nobody_reads(void **state)
{
	(void)state;
	static struct record alert;
	struct record_value v;
	assert_true(judge_reads_who(judge));
	judge_be_brief(judge);
	assert_false(judge_reads_who(judge)); /* no shipped rule asks */
	for (unsigned wanted = 0; wanted < 2; wanted++) {
		judge_want_words(judge, wanted != 0);
		begin(RECORD_MESSAGE, "outbound", 25, "not-offered");
		put_exposed(BODY);
		judge_push(judge, &record);
		assert_string_equal(value_of(FIELD_LEVEL), "high");
		assert_int_equal(record_find(&record, FIELD_MESSAGE, &v), wanted != 0);
		assert_int_equal(record_find(&record, FIELD_ADVICE, &v), wanted != 0);
		while (judge_next(judge, &alert))
			assert_false(record_has(&alert, FIELD_MESSAGE));
	}
}

/* A judge that has the rules of a folder. */
static struct judge *
judge_of_folder(void)
{
	const char *const from[] = {folder};
	const struct judge_config c = {.from = {.rules = from, .rules_count = 1}};
	char error[JUDGE_ERROR] = "";
	struct judge *j = judge_new();
	if (j == NULL || !judge_load(j, &c, error))
		fail_msg("%s", error);
	return j;
}

#define OWN_RULE(service, more)                              \
	"title: own\nname: own\ntaxonomy: ecs\nlevel: low\n" \
	"logsource: {product: postcard, service: " service "}\ndetection: " more

/* Values of which the record knows nothing, and lists of one to five words. */
static void
words_of_own_rules(void **state)
{
	(void)state;
	write_text("a.yml",
	    OWN_RULE("session",
		"{s: {postcard.outcome: cleartext}, condition: s}\n"
		"postcard: {message: '{protocol}: {exposed}; {domain}; {baseline}'}\n"));
	struct judge *own = judge_of_folder();
	static const struct {
		const char *const *exposed;
		const char *protocol, *says;
	} rows[] = {
	    {ENVELOPE, NULL, "mail: envelope; the peer; this server was not seen before"},
	    {CREDENTIALS, "tls", "mail: credentials; the peer; this server was not seen before"},
	    {ENVELOPE + 1, "pop3", "POP3: ; the peer; this server was not seen before"},
	    {BODY, "lmtp",
		"LMTP: envelope, headers and body; the peer; this server was not seen before"},
	    {ALL, "imap",
		"IMAP: envelope, headers, body, attachments and credentials; the peer; this server "
		"was not seen before"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		record_begin(&record, RECORD_SESSION);
		record_put_word(&record, FIELD_NETWORK_PROTOCOL, rows[i].protocol);
		record_put_word(&record, FIELD_OUTCOME, "cleartext");
		put_exposed(rows[i].exposed);
		judge_push(own, &record);
		assert_string_equal(value_of(FIELD_MESSAGE), rows[i].says);
	}
	judge_free(own);
}

static void
a_rule_that_asks_who(void **state)
{
	(void)state;
	for (unsigned asks = 0; asks < 2; asks++) {
		write_text("a.yml",
		    asks ? OWN_RULE("session", "{s: {postcard.client.vendor: x}, condition: s}\n")
			 : OWN_RULE("session", "{s: {postcard.helo: x}, condition: s}\n"));
		struct judge *own = judge_of_folder();
		judge_be_brief(own);
		assert_int_equal(judge_reads_who(own), asks);
		judge_free(own);
	}
}

/* What happened to the sensor may be accepted, too. */
static void
an_exception_for_the_sensor(void **state)
{
	(void)state;
	static struct record alert;
	write_text("a.yml",
	    OWN_RULE("sensor", "{s: {postcard.sensor.loss|gte: 5}, condition: s}\n"));
	make_dir("exceptions");
	write_text("exceptions/b.yml",
	    "title: old switch\npostcard: {owner: Ann, reason: it drops, expires: 2199-01-01}\n"
	    "taxonomy: ecs\nlogsource: {product: postcard, service: sensor}\n"
	    "filter: {rules: any, a: {observer.ingress.interface.name: eth1}, condition: not a}\n");
	struct judge *own = judge_of_folder();
	for (unsigned i = 0; i < 2; i++) {
		record_begin(&record, RECORD_SENSOR);
		record_put_word(&record, FIELD_SENSOR_INTERFACE, i == 0 ? "eth0" : "eth1");
		record_put_u64(&record, FIELD_SENSOR_LOSS, 7);
		judge_push(own, &record);
		assert_string_equal(value_of(FIELD_LEVEL), i == 0 ? "low" : "informational");
		assert_string_equal(value_of(FIELD_ACCEPTED_TITLE), i == 0 ? "" : "old switch");
		assert_string_equal(value_of(FIELD_ACCEPTED_OWNER), i == 0 ? "" : "Ann");
		assert_int_equal(judge_next(own, &alert), i == 0);
		assert_false(judge_next(own, &alert));
	}
	judge_free(own);
}

/* Each once, in one spelling, and none of an address that has none. */
static void
domains_of_recipients(void **state)
{
	(void)state;
	static const char *const to[] = {"a@One.example", "root", "b@two.example", "d@",
	    "c@ONE.EXAMPLE", "\"e@f\"@three.example", ""};
	static const char *const domains[] = {"one.example", "two.example", "three.example"};
	char longest[300];
	struct record_value v;
	uint32_t at = 0;
	begin(RECORD_MESSAGE, "outbound", 25, "not-offered");
	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		record_put_str(&record, FIELD_EMAIL_TO, to[i], strlen(to[i]));
	memset(longest, 'x', sizeof longest); /* more than a domain can be */
	longest[0] = '@';
	record_put_str(&record, FIELD_EMAIL_TO, longest, sizeof longest);
	judge_push(judge, &record);
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		assert_true(record_each(&record, FIELD_TO_DOMAIN, &at, &v));
		assert_int_equal(v.len, strlen(domains[i]));
		assert_memory_equal(v.str, domains[i], v.len);
	}
	assert_false(record_each(&record, FIELD_TO_DOMAIN, &at, &v));
}

/* The level that `j` finds for a record that differs from others by what `n` says, without words.
 */
static void
level_without_words(struct judge *j, unsigned n, char level[32])
{
	static const char *const *const exposed[] = {ENVELOPE, BODY, CREDENTIALS};
	static const char *const shows[] = {"password", "account", "digest"};
	static struct record alert;
	begin(n % 2 == 0 ? RECORD_SESSION : RECORD_MESSAGE,
	    key_table[KEY_DIRECTION].words[n / 2 % 3], n / 6 % 2 == 0 ? 25 : 587, "not-offered");
	if (n / 12 % 2 == 1) { /* both sides are this machine */
		record_remove(&record, FIELD_SOURCE_IP);
		record_remove(&record, FIELD_DESTINATION_IP);
		put_ip(FIELD_SOURCE_IP, "127.0.0.1");
		put_ip(FIELD_DESTINATION_IP, "127.0.0.2");
	}
	put_exposed(exposed[n / 24 % 3]);
	record_put_word(&record, FIELD_AUTH_SHOWS, shows[n / 72 % 3]);
	record_put_word(&record, FIELD_GREETING, n / 216 % 2 == 0 ? "mx Postfix" : "mx Exim");
	judge_want_words(j, false);
	judge_push(j, &record);
	while (judge_next(j, &alert))
		continue;
	snprintf(level, 32, "%s", value_of(FIELD_LEVEL));
}

/* Levels are kept for records that are alike: those of a judge that keeps none, since its rules are
 * read again before each record, are the same; also where a level rests on the greeting. */
static void
levels_are_kept(void **state)
{
	(void)state;
	static const char *const own[] = {folder};
	write_text("a.yml", OWN_RULE("session", "{s: {postcard.helo: x}, condition: s}\n"));
	make_dir("texts");
	write_text("texts/advice.yml",
	    "levels:\n  - when: {greeting: Exim}\n    level: high\n"
	    "  - when: {direction: loopback}\n    level: none\n  - level: medium\n"
	    "why:\n  - text: a\nbecause:\n  - text: b\nadvice:\n  - text: c\n");
	for (unsigned table = 0; table < 2; table++) {
		const struct judge_config c = {.from = {.extra = own, .extra_count = table}};
		char error[JUDGE_ERROR] = "", kept[32], anew[32];
		struct judge *keeps = judge_new(), *reads = judge_new();
		if (!judge_load(keeps, &c, error) || !judge_load(reads, &c, error))
			fail_msg("%s", error);
		judge_be_brief(keeps);
		judge_be_brief(reads);
		for (unsigned n = 0; n < 2 * 432; n++) {
			unsigned which = n * 5 % 432;
			level_without_words(keeps, which, kept);
			assert_true(n < 432 || judge_load(reads, &c, error));
			level_without_words(reads, which, anew);
			assert_string_equal(kept, anew);
		}
		judge_free(keeps);
		judge_free(reads);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(levels_follow_exposure_and_path),
	    cmocka_unit_test(loopback_is_no_alarm),
	    FOLDER_TEST(levels_are_kept),
	    cmocka_unit_test(an_encrypted_body_weighs_less),
	    cmocka_unit_test(only_what_was_readable_is_judged),
	    cmocka_unit_test(sentences_are_plain),
	    cmocka_unit_test(many_recipients_are_counted),
	    cmocka_unit_test(advice_knows_the_software),
	    cmocka_unit_test(advice_knows_the_client),
	    cmocka_unit_test(no_person_is_named),
	    cmocka_unit_test(every_row_is_reached),
	    cmocka_unit_test(every_text_reads_well),
	    cmocka_unit_test(a_full_record_stays_whole),
	    cmocka_unit_test(levels_have_names),
	    cmocka_unit_test(words_that_nobody_reads),
	    FOLDER_TEST(words_of_own_rules),
	    FOLDER_TEST(a_rule_that_asks_who),
	    FOLDER_TEST(an_exception_for_the_sensor),
	    cmocka_unit_test(domains_of_recipients),
	};
	return cmocka_run_group_tests_name("judge/judge", tests, open_judge, close_judge);
}
