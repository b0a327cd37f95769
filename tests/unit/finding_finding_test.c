/* Events of a session in, the record's fields out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "finding/finding.h"
#include "record_text.h"

struct run {
	struct findings F;
	struct finding f;
	struct finding_view v;
	struct record r;
};

static struct run *
start(uint32_t messages)
{
	struct run *x = calloc(1, sizeof *x);
	assert_true(
	    findings_init(&x->F, &(struct findings_sizes){messages, messages, 4, 4, 64, 1u << 20}));
	x->v = (struct finding_view){.ts_ns = 7, .both = true, .payload = true};
	return x;
}

static uint32_t
take(struct run *x, struct mail_event ev, const char *text)
{
	char *copy = malloc(strlen(text) + 1); /* gone when the call is over */
	memcpy(copy, text, strlen(text));
	ev.text = copy;
	if (ev.len == 0)
		ev.len = strlen(text);
	uint32_t id = finding_take(&x->F, &x->f, &ev, &x->v);
	free(copy);
	return id;
}

#define EV(k, ...) ((struct mail_event){.kind = (k), __VA_ARGS__})

static void
finish(struct run *x)
{
	uint32_t id;
	while ((id = finding_next_open(&x->F, &x->f, &x->v)) != 0)
		finding_message_free(&x->F, id);
	finding_release(&x->F, &x->f);
	for (int i = 0; i < STRINGS_CLASSES; i++)
		assert_int_equal(x->F.strings.cls[i].used, 0);
	assert_int_equal(x->F.messages.used, 0);
	assert_int_equal(x->F.facts.used, 0);
	findings_free(&x->F);
	free(x);
}

static void
a_message(void **state)
{
	(void)state;
	struct run *x = start(4);
	take(x, EV(MAIL_GREETING, .code = 220), "mx ESMTP");
	take(x, EV(MAIL_HELO, .flag = true), "client.example");
	take(x, EV(MAIL_HELO, .flag = true), "another");
	take(x, EV(MAIL_OFFER), "");
	take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
	take(x, EV(MAIL_SENDER_REPLY, .tx = 1, .flag = true), "");
	take(x, EV(MAIL_RECIPIENT, .tx = 1), "c@d");
	take(x, EV(MAIL_RECIPIENT, .tx = 1), "e@f");
	take(x, EV(MAIL_RECIPIENT, .tx = 1), "g@h");
	take(x, EV(MAIL_RECIPIENT_REPLY, .tx = 1, .index = 0, .flag = true), "");
	take(x, EV(MAIL_RECIPIENT_REPLY, .tx = 1, .index = 2), ""); /* the reply to e@f was lost */
	take(x, EV(MAIL_CONTENT_BEGIN, .tx = 1), "");
	take(x, EV(MAIL_CONTENT, .tx = 1),
	    "Subject: =?utf-8?q?gr=C3=BCn?=\r\nMessage-ID: <1@x>\r\n");
	take(x, EV(MAIL_CONTENT, .tx = 1), "\r\nbody\r\n");
	take(x, EV(MAIL_CONTENT_END, .tx = 1, .flag = true), "");
	uint32_t id = take(x, EV(MAIL_RESULT, .tx = 1, .index = MAIL_ACCEPTED), "");
	assert_int_not_equal(id, 0);
	assert_int_equal(finding_message_start(&x->F, id), 7);
	record_begin(&x->r, RECORD_MESSAGE);
	finding_put_message(&x->F, &x->f, id, &x->r);
	record_expect(&x->r,
	    "postcard.exposed=envelope\npostcard.exposed=headers\npostcard.exposed=body\n"
	    "email.from.address=a@b\nemail.to.address=c@d\nemail.to.address=e@f\n"
	    "postcard.refused.to=g@h\nemail.subject=gr\xc3\xbcn\nemail.message_id=<1@x>\n"
	    "postcard.delivered=accepted\npostcard.body_protection=none");
	finding_message_free(&x->F, id);
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, finding_outcome(&x->f, &x->v), &x->r);
	record_expect(&x->r,
	    "postcard.outcome=cleartext\npostcard.reason=not-offered\n"
	    "postcard.helo=client.example\npostcard.greeting=mx ESMTP\n"
	    "postcard.starttls.offered=0\npostcard.starttls.requested=0\n"
	    "postcard.messages=1\npostcard.envelopes=1\n!tls.cipher");
	finish(x);
}

static void
the_reason_is_that_of_the_first_exposure(void **state)
{
	(void)state;
	struct run *x = start(4);
	take(x, EV(MAIL_HELO), "me");
	take(x, EV(MAIL_SENDER, .tx = 1), "");
	take(x, EV(MAIL_HELO, .flag = true), "me");
	take(x, EV(MAIL_OFFER), "");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r, "postcard.reason=not-asked");
	finish(x);
}

static void
credentials(void **state)
{
	(void)state;
	static const struct {
		const char *mechanism, *first, *second; /* what one answer shows, and what two */
	} rows[] = {
	    {"PLAIN", "password", "password"},
	    {"plain", "password", "password"},
	    {"LOGIN", "account", "password"},
	    {"LOGIN-COMMAND", "account", "password"},
	    {"USER", "account", "password"},
	    {"XOAUTH2", "token", "token"},
	    {"OAUTHBEARER", "token", "token"},
	    {"CRAM-MD5", "digest", "digest"},
	    {"DIGEST-MD5", "digest", "digest"},
	    {"APOP", "digest", "digest"},
	    {"NTLM", "account", "digest"},
	    {"SCRAM-SHA-1", "account", "digest"},
	    {"SCRAM-SHA-256-PLUS", "account", "digest"},
	    {"X-NEW", "unknown", "unknown"},
	    {"GSS-SPNEGO", "unknown", "unknown"},
	    {"GSSAPI", "nothing", "nothing"},
	    {"EXTERNAL", "nothing", "nothing"},
	    {"ANONYMOUS", "nothing", "nothing"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned answers = 0; answers <= 2; answers++) {
			const char *shown = answers == 2 ? rows[i].second : rows[i].first;
			bool nothing = strcmp(shown, "nothing") == 0;
			char want[128];
			struct run *x = start(4);
			take(x, EV(MAIL_AUTH), rows[i].mechanism);
			assert_int_equal(x->f.exposed, 0); /* named is not given */
			for (unsigned a = 0; a < answers; a++)
				take(x, EV(MAIL_AUTH_SECRET), "");
			take(x, EV(MAIL_AUTH_REPLY, .index = MAIL_AUTH_REFUSED), "");
			assert_int_equal(x->f.exposed,
			    nothing || answers == 0 ? 0 : EXPOSED_CREDENTIALS);
			record_begin(&x->r, RECORD_SESSION);
			finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
			record_expect(&x->r,
			    "postcard.auth_accepted=0\npostcard.auth_result=refused");
			(void)snprintf(want, sizeof want, "postcard.auth_shows=%s%s", shown,
			    nothing ? "" : "\npostcard.exposure=credentials");
			record_expect(&x->r,
			    answers > 0 || nothing ? want
						   : "!postcard.auth_shows\n!postcard.exposure");
			finish(x);
		}
	}
}

static void
attempts_are_told_apart(void **state)
{
	(void)state;
	struct run *x = start(4);
	/* LOGIN given up behind the name, PLAIN accepted, CRAM-MD5 without an answer */
	take(x, EV(MAIL_AUTH), "LOGIN");
	take(x, EV(MAIL_AUTH_SECRET), "");
	take(x, EV(MAIL_AUTH_REPLY, .index = MAIL_AUTH_CANCELLED), "");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r,
	    "postcard.auth_result=cancelled\npostcard.auth_shows=account\n!postcard.auth_accepted");
	take(x, EV(MAIL_AUTH), "PLAIN");
	take(x, EV(MAIL_AUTH_SECRET), "");
	take(x, EV(MAIL_AUTH_REPLY, .index = MAIL_AUTH_ACCEPTED), "");
	take(x, EV(MAIL_AUTH), "CRAM-MD5");
	record_begin(&x->r, RECORD_MESSAGE);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r, "postcard.auth_result=accepted\npostcard.auth_result=cancelled");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r,
	    "postcard.auth_accepted=1\npostcard.auth_result=accepted\n"
	    "postcard.auth_result=cancelled\npostcard.auth_result=unanswered\n"
	    "postcard.auth_shows=password");
	finish(x);
	/* a name at first, and what followed was lost: the answer may be the second */
	x = start(4);
	take(x, EV(MAIL_AUTH), "LOGIN");
	take(x, EV(MAIL_LOST, .side = MAIL_CLIENT), "");
	take(x, EV(MAIL_AUTH_SECRET, .side = MAIL_CLIENT), "");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r, "postcard.auth_shows=password\npostcard.auth_result=unanswered");
	finish(x);
	/* accepted, and which mechanism it was is not known: it may show nothing */
	x = start(4);
	take(x, EV(MAIL_AUTH_SECRET), "");
	take(x, EV(MAIL_AUTH_REPLY, .index = MAIL_AUTH_ACCEPTED), "");
	assert_int_equal(x->f.exposed, 0);
	assert_int_equal(finding_outcome(&x->f, &x->v), OUTCOME_UNKNOWN);
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r,
	    "postcard.auth_shows=unknown\npostcard.auth_result=accepted\n!postcard.auth");
	finish(x);
}

static void
the_ladder(void **state)
{
	(void)state;
	struct run *x = start(4);
	static const struct mail_event steps[] = {
	    EV(MAIL_CONFIRMED),
	    EV(MAIL_HELO),
	    EV(MAIL_SENDER, .tx = 1),
	    EV(MAIL_CONTENT_BEGIN, .tx = 1),
	    EV(MAIL_EXPOSED, .index = MAIL_EXPOSED_BODY),
	    EV(MAIL_EXPOSED, .index = MAIL_EXPOSED_ATTACHMENTS),
	    EV(MAIL_AUTH),
	    EV(MAIL_AUTH_SECRET),
	};
	static const char *const words[] = {"!postcard.exposure", "postcard.exposure=names",
	    "postcard.exposure=envelope", "postcard.exposure=headers", "postcard.exposure=body",
	    "postcard.exposure=attachments", "postcard.exposure=attachments",
	    "postcard.exposure=credentials"};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		take(x, steps[i], "PLAIN");
		record_begin(&x->r, RECORD_SESSION);
		finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
		record_expect(&x->r, words[i]);
	}
	/* the mail's own step is that of its own octets */
	record_begin(&x->r, RECORD_MESSAGE);
	uint32_t id = finding_next_open(&x->F, &x->f, &x->v);
	assert_true(finding_has_content(&x->F, id));
	finding_put_message(&x->F, &x->f, id, &x->r);
	record_expect(&x->r, "postcard.exposure=headers");
	finding_message_free(&x->F, id);
	finish(x);
}

/* A server may repeat what it does not understand; what it is told in a login is secret. */
static void
evidence_repeats_no_secret(void **state)
{
	(void)state;
	struct run *x = start(4);
	size_t len;
	take(x, EV(MAIL_AUTH), "PLAIN");
	take(x, EV(MAIL_EVIDENCE, .side = MAIL_SERVER), "500 What is AGpvZQBodW50ZXIy?");
	assert_memory_equal(strings_get(&x->F.strings, finding_notes(&x->F, &x->f)->evidence, &len),
	    "500", 3);
	assert_int_equal(len, 3);
	finish(x);
}

static void
a_250_to_starttls(void **state)
{
	(void)state;
	for (int gap = 0; gap < 2; gap++) {
		struct run *x = start(4);
		x->v.gap = gap != 0; /* then it may answer what was lost */
		take(x, EV(MAIL_OFFER, .flag = true), "");
		take(x, EV(MAIL_UPGRADE), "");
		take(x, EV(MAIL_UPGRADE_REPLY, .code = 250), "250");
		take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
		assert_int_equal(x->f.reason, gap ? REASON_NOT_VISIBLE : REASON_REFUSED);
		assert_int_equal(x->f.upgrade_reply, gap ? 0 : 250);
		finish(x);
	}
}

static void
the_client_behind(void **state)
{
	(void)state;
	struct run *x = start(4);
	size_t len;
	take(x, EV(MAIL_FORWARDED), "192.0.2.7");
	take(x, EV(MAIL_FORWARDED), "192.0.2.8"); /* of the next mail */
	assert_memory_equal(strings_get(&x->F.strings, finding_notes(&x->F, &x->f)->forwarded,
				&len),
	    "192.0.2.8", 9);
	take(x, EV(MAIL_FORWARDED), ""); /* the server does not believe it */
	assert_int_equal(finding_notes(&x->F, &x->f)->forwarded, 0);
	finish(x);
}

static void
stripping(void **state)
{
	(void)state;
	struct run *x = start(4);
	take(x, EV(MAIL_HELO, .flag = true), "me");
	take(x, EV(MAIL_MANGLED, .flag = true), "XXXXXXXA");
	take(x, EV(MAIL_OFFER), "");
	take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, OUTCOME_CLEARTEXT, &x->r);
	record_expect(&x->r,
	    "postcard.reason=stripped\npostcard.starttls.evidence=XXXXXXXA\n"
	    "postcard.anomalies=keyword-mangled");
	finish(x);
	/* with a real offer beside it nothing was taken away */
	x = start(4);
	take(x, EV(MAIL_HELO, .flag = true), "me");
	take(x, EV(MAIL_MANGLED, .flag = true), "XXXXXXXA");
	take(x, EV(MAIL_OFFER, .flag = true), "");
	take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
	assert_int_equal(x->f.reason, REASON_NOT_REQUESTED);
	finish(x);
}

/* A transaction that went no further: for all that is known, in what was captured. */
static void
what_was_not_captured_may_have_been_its_end(void **state)
{
	(void)state;
	static const struct {
		struct finding_view v;
		enum mail_result said;
		const char *became;
	} cases[] = {
	    {{.both = true}, MAIL_ABORTED, "aborted"},
	    {{.both = true, .gap = true}, MAIL_ABORTED, "unknown"},
	    {{.both = true, .midstream = true}, MAIL_ABORTED, "unknown"},
	    {{.both = true, .headless = true}, MAIL_ABORTED, "unknown"},
	    {{.both = true}, MAIL_ENDED, "unknown"},
	    {{.both = true, .closed = true}, MAIL_ENDED, "aborted"},
	    {{.both = true, .closed = true, .gap = true}, MAIL_ENDED, "unknown"},
	    {{.both = true, .given_up = true}, MAIL_ENDED, "unknown"},
	    {{.both = true, .gap = true}, MAIL_ACCEPTED, "accepted"},
	    {{.both = true, .gap = true}, MAIL_REJECTED, "rejected"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run *x = start(4);
		take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
		x->v = cases[i].v;
		uint32_t id = take(x, EV(MAIL_RESULT, .tx = 1, .index = cases[i].said), "");
		record_begin(&x->r, RECORD_MESSAGE);
		finding_put_message(&x->F, &x->f, id, &x->r);
		char line[64];
		snprintf(line, sizeof line, "postcard.delivered=%s\n", cases[i].became);
		record_expect(&x->r, line);
		finding_message_free(&x->F, id);
		finish(x);
	}
}

static void
refused_recipients_reject_a_mail(void **state)
{
	(void)state;
	struct run *x = start(4);
	take(x, EV(MAIL_SENDER, .tx = 9), "a@b");
	take(x, EV(MAIL_RECIPIENT, .tx = 9), "c@d");
	take(x, EV(MAIL_RECIPIENT_REPLY, .tx = 9, .index = 0), "");
	uint32_t id = take(x, EV(MAIL_RESULT, .tx = 9, .index = MAIL_ABORTED), "");
	record_begin(&x->r, RECORD_MESSAGE);
	finding_put_message(&x->F, &x->f, id, &x->r);
	record_expect(&x->r,
	    "postcard.delivered=rejected\npostcard.refused.to=c@d\n!email.to.address\n"
	    "!postcard.size");
	finding_message_free(&x->F, id);
	finish(x);
}

static void
bounds(void **state)
{
	(void)state;
	struct run *x = start(2);
	/* more recipients than are kept: all are counted */
	take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
	for (int i = 0; i < 2000; i++)
		take(x, EV(MAIL_RECIPIENT, .tx = 1), "someone@somewhere");
	for (unsigned i = 0; i < 2000; i++)
		take(x, EV(MAIL_RECIPIENT_REPLY, .tx = 1, .index = (uint16_t)i, .flag = true), "");
	uint32_t id = take(x, EV(MAIL_RESULT, .tx = 1, .index = MAIL_ACCEPTED), "");
	record_begin(&x->r, RECORD_MESSAGE);
	finding_put_message(&x->F, &x->f, id, &x->r);
	record_expect(&x->r, "postcard.recipients=2000");
	finding_message_free(&x->F, id);
	/* more transactions than the pool holds: refused and counted, and the exposure stands */
	uint64_t lost = x->F.lost;
	for (uint8_t tx = 2; tx < 12; tx++)
		take(x, EV(MAIL_SENDER, .tx = tx), "a@b");
	assert_true(x->F.lost > lost);
	assert_int_equal(x->f.envelopes, 11);
	assert_int_equal(x->f.exposed, EXPOSED_ENVELOPE);
	/* events of a transaction that is not known are nothing */
	take(x, EV(MAIL_RECIPIENT_REPLY, .tx = 200, .index = 3), "");
	take(x, EV(MAIL_CONTENT, .tx = 200), "x");
	take(x, EV(MAIL_CONTENT_GAP, .tx = 200, .len = 5), "");
	take(x, EV(MAIL_CONTENT_END, .tx = 200), "");
	assert_int_equal(take(x, EV(MAIL_RESULT, .tx = 200), ""), 0);
	finish(x);
}

static void
tls(void **state)
{
	(void)state;
	static const struct tls_event hello = {.kind = TLS_EVENT_CLIENT_HELLO, .sni = "mx.example"},
				      answer = {.kind = TLS_EVENT_SERVER_HELLO,
					  .version = 0x0302,
					  .cipher = 0x0005},
				      alert = {.kind = TLS_EVENT_ALERT,
					  .side = TLS_CLIENT,
					  .alert_level = 2,
					  .alert = 42},
				      up = {.kind = TLS_EVENT_ESTABLISHED};
	struct run *x = start(4);
	take(x, EV(MAIL_UPGRADE), "");
	take(x, EV(MAIL_UPGRADE_REPLY, .flag = true, .code = 220), "220");
	take(x, EV(MAIL_TLS, .tls = &hello), "");
	take(x, EV(MAIL_TLS, .tls = &answer), "");
	take(x, EV(MAIL_TLS, .tls = &alert), "");
	record_begin(&x->r, RECORD_SESSION);
	finding_put_session(&x->F, &x->f, &x->v, finding_outcome(&x->f, &x->v), &x->r);
	record_expect(&x->r,
	    "postcard.outcome=tls-failed\ntls.established=0\ntls.client.server_name=mx.example\n"
	    "postcard.starttls.reply=220\npostcard.tls.alert=client: bad_certificate\n"
	    "postcard.anomalies=tls-version-old\npostcard.anomalies=cipher-weak\n!postcard.reason");
	finish(x);
	x = start(4);
	take(x, EV(MAIL_TLS, .tls = &hello), "");
	take(x, EV(MAIL_TLS, .tls = &up), "");
	take(x, EV(MAIL_TLS, .tls = &alert), ""); /* behind it: a close, no failure */
	assert_int_equal(finding_outcome(&x->f, &x->v), OUTCOME_ENCRYPTED);
	finish(x);
}

/* Without memory for what few have, what decides is known all the same. */
static void
no_memory_for_more(void **state)
{
	(void)state;
	struct run *x = start(4);
	while (pool_take(&x->F.notes) != 0 || pool_take(&x->F.contents) != 0)
		;
	take(x, EV(MAIL_AUTH), "GSSAPI");
	take(x, EV(MAIL_AUTH_SECRET), "");
	assert_int_equal(x->f.exposed, 0);
	take(x, EV(MAIL_AUTH), "PLAIN");
	take(x, EV(MAIL_AUTH_SECRET), "");
	assert_int_equal(x->f.exposed, EXPOSED_CREDENTIALS);
	take(x, EV(MAIL_FORWARDED), "192.0.2.1");
	take(x, EV(MAIL_AGENT, .side = MAIL_CLIENT), "mutt");
	take(x, EV(MAIL_EVIDENCE, .side = MAIL_SERVER), "250-XXXXXXXA");
	take(x, EV(MAIL_SENDER, .tx = 1), "a@b");
	take(x, EV(MAIL_CONTENT_BEGIN, .tx = 1), "");
	take(x, EV(MAIL_CONTENT, .tx = 1), "Subject: x\r\n\r\nbody\r\n");
	take(x, EV(MAIL_CONTENT_END, .tx = 1, .flag = true), "");
	uint32_t id = take(x, EV(MAIL_RESULT, .tx = 1, .index = MAIL_ACCEPTED), "");
	assert_int_not_equal(id, 0);
	record_begin(&x->r, RECORD_MESSAGE);
	finding_put_message(&x->F, &x->f, id, &x->r);
	record_expect(&x->r,
	    "email.from.address=a@b\npostcard.exposed=envelope\npostcard.exposed=headers\n"
	    "postcard.delivered=accepted\npostcard.body_protection=unknown\n!postcard.size\n"
	    "!email.subject");
	finding_message_free(&x->F, id);
	finish(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message),
	    cmocka_unit_test(the_reason_is_that_of_the_first_exposure),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(attempts_are_told_apart),
	    cmocka_unit_test(the_ladder),
	    cmocka_unit_test(a_250_to_starttls),
	    cmocka_unit_test(evidence_repeats_no_secret),
	    cmocka_unit_test(the_client_behind),
	    cmocka_unit_test(stripping),
	    cmocka_unit_test(what_was_not_captured_may_have_been_its_end),
	    cmocka_unit_test(refused_recipients_reject_a_mail),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(tls),
	    cmocka_unit_test(no_memory_for_more),
	};
	return cmocka_run_group_tests_name("finding/finding", tests, NULL, NULL);
}
