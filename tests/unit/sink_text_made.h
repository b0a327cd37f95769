/* For the tests of the text sink: records that are made up. */
#ifndef POSTCARD_TESTS_SINK_TEXT_MADE_H
#define POSTCARD_TESTS_SINK_TEXT_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sink/sink.h"

#define MONDAY 1795438800000000000 /* 2026-11-23 13:00:00 UTC */
#define SECOND 1000000000ll

/* --- made-up records -----------------------------------------------------------------------------
 */

struct made {
	const char *client, *server, *helo, *greeting, *outcome, *reason, *level, *auth;
	const char *from, *to, *subject, *file, *message, *advice;
	unsigned client_port, port, mails, at_s;
	const char *protocol, *visibility;
	const char *owner, *wants; /* of an exception; of a policy that is violated */
};

static void
put_connection(struct record *r, const struct made *m)
{
	struct addr a;
	record_put_time(r, FIELD_EVENT_START, MONDAY + m->at_s * SECOND);
	record_put_time(r, FIELD_EVENT_END, MONDAY + (m->at_s + 2) * SECOND);
	record_put_word(r, FIELD_NETWORK_PROTOCOL, m->protocol != NULL ? m->protocol : "smtp");
	if (addr_parse(m->client, &a))
		record_put_ip(r, FIELD_SOURCE_IP, &a);
	record_put_u64(r, FIELD_SOURCE_PORT, m->client_port);
	if (addr_parse(m->server, &a))
		record_put_ip(r, FIELD_DESTINATION_IP, &a);
	record_put_u64(r, FIELD_DESTINATION_PORT, m->port);
	if (m->server[0] != '1' && m->server[0] != '2') {
		record_put_word(r, FIELD_DESTINATION_GEO_COUNTRY, "NL");
		record_put_u64(r, FIELD_DESTINATION_AS_NUMBER, 64496);
		record_put_word(r, FIELD_DESTINATION_AS_NAME,
		    "Example Transit Documentation Network B.V.");
	}
	record_put_word(r, FIELD_HELO, m->helo);
	record_put_word(r, FIELD_GREETING, m->greeting);
	record_put_word(r, FIELD_REASON, m->reason);
	record_put_word(r, FIELD_LEVEL, m->level);
	record_put_word(r, FIELD_MESSAGE, m->message);
	record_put_word(r, FIELD_ADVICE, m->advice);
	record_put_word(r, FIELD_VISIBILITY, m->visibility != NULL ? m->visibility : "both");
	if (m->owner != NULL) {
		record_put_word(r, FIELD_ACCEPTED_TITLE, "Old printer\x1b[2J");
		record_put_word(r, FIELD_ACCEPTED_OWNER, m->owner);
		record_put_word(r, FIELD_ACCEPTED_REASON, "no TLS in it");
		record_put_time(r, FIELD_ACCEPTED_EXPIRES, 1798761600 * SECOND); /* 2027 begins */
	}
	if (m->wants != NULL) {
		record_put_word(r, FIELD_POLICY_DOMAIN, "partner.example");
		record_put_word(r, FIELD_POLICY_DOMAIN, "example.net");
		record_put_word(r, FIELD_POLICY_WANTS, m->wants);
		record_put_word(r, FIELD_POLICY_VERDICT, "violated");
		record_put_word(r, FIELD_POLICY_SOURCE, "mta-sts");
	}
}

static void
put_exposed(struct record *r, const struct made *m)
{
	if (m->from != NULL)
		record_put_word(r, FIELD_EXPOSED, "envelope");
	if (m->subject != NULL) {
		record_put_word(r, FIELD_EXPOSED, "headers");
		record_put_word(r, FIELD_EXPOSED, "body");
	}
	if (m->file != NULL)
		record_put_word(r, FIELD_EXPOSED, "attachments");
}

static void
make_mail(struct record *r, const struct made *m)
{
	record_begin(r, RECORD_MESSAGE);
	put_connection(r, m);
	put_exposed(r, m);
	record_put_word(r, FIELD_EMAIL_FROM, m->from);
	record_put_word(r, FIELD_EMAIL_TO, m->to);
	record_put_word(r, FIELD_EMAIL_SUBJECT, m->subject);
	if (m->file != NULL) {
		record_put_item(r, FIELD_EMAIL_ATTACHMENT);
		record_put_word(r, FIELD_EMAIL_ATTACHMENT_NAME, m->file);
		record_put_word(r, FIELD_EMAIL_ATTACHMENT_TYPE, "application/pdf");
		record_put_u64(r, FIELD_EMAIL_ATTACHMENT_SIZE, 1234567);
	}
	record_put_word(r, FIELD_DELIVERED, "accepted");
	record_put_u64(r, FIELD_RECIPIENTS, 1);
}

static void
make_session(struct record *r, const struct made *m)
{
	record_begin(r, RECORD_SESSION);
	put_connection(r, m);
	record_put_word(r, FIELD_OUTCOME, m->outcome);
	if (strcmp(m->outcome, "cleartext") == 0)
		put_exposed(r, m);
	if (m->auth != NULL) {
		record_put_word(r, FIELD_EXPOSED, "credentials");
		record_put_word(r, FIELD_AUTH, m->auth);
		record_put_bool(r, FIELD_AUTH_ACCEPTED, true);
	}
	record_put_u64(r, FIELD_MESSAGES, m->mails);
}

static void
push(struct sink *s, const struct made *m)
{
	static struct record r;
	for (unsigned i = 0; i < m->mails && m->from != NULL; i++) {
		make_mail(&r, m);
		assert_true(sink_push(s, &r));
	}
	make_session(&r, m);
	assert_true(sink_push(s, &r));
}

static void
push_summary(struct sink *s, bool flawed)
{
	static struct record r;
	record_begin(&r, RECORD_SUMMARY);
	record_put_time(&r, FIELD_EVENT_START, MONDAY - 3 * SECOND);
	record_put_time(&r, FIELD_EVENT_END, MONDAY + 4000 * SECOND);
	record_put_u64(&r, FIELD_SUM_FILES, 2);
	record_put_u64(&r, FIELD_SUM_FRAMES, 1234567);
	record_put_u64(&r, FIELD_SUM_BYTES, 987654321);
	record_put_u64(&r, FIELD_SUM_FLOWS, 4711);
	if (flawed) {
		record_put_u64(&r, FIELD_SUM_DROPS, 12);
		record_put_u64(&r, FIELD_SUM_GAP_SESSIONS, 1);
		record_put_u64(&r, FIELD_SUM_GAP_BYTES, 4380);
		record_put_u64(&r, FIELD_SUM_ONE_SIDED, 3);
		record_put_word(&r, FIELD_SUM_FAULTS,
		    "monday.pcap: at 12,345,678: a packet of 3,405,691,582 octets; the "
		    "rest of the file is not read");
	}
	assert_true(sink_push(s, &r));
}

#define OFFER                                                                \
	"Give the server a certificate and let it offer STARTTLS (Postfix: " \
	"smtpd_tls_security_level = may)."

#endif
