/*
 * For the tests of src/mail: a script of what both sides said goes in, a text of events comes out.
 *
 * A line of a script is "C text" or "S text" (CRLF is added), "C> text" without the line end, "C!
 * n" for n octets that were lost; | is a bare LF.  A ? in front of all says that the client's first
 * octets may be anything.  Every script is read whole, octet by octet, and with
 * each line split in two at every place, and must give the same events.
 */
#ifndef POSTCARD_TESTS_MAIL_SCRIPT_H
#define POSTCARD_TESTS_MAIL_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mail.h"

struct script_run {
	struct mail m;
	struct mail_session s;
	char out[8192];
	size_t len;
	const char *secret; /* must never stand in the pool of lines; NULL for none */
};

static void
script_say(struct script_run *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(r->out + r->len, sizeof r->out - r->len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && r->len + (size_t)n < sizeof r->out);
	r->len += (size_t)n;
}

static void
script_tell(struct script_run *r, const struct mail_event *ev)
{
	static const char *const names[] = {
	    [MAIL_CONFIRMED] = "sure",
	    [MAIL_DENIED] = "denied",
	    [MAIL_LMTP] = "lmtp",
	    [MAIL_GREETING] = "greeting",
	    [MAIL_PREAUTH] = "preauth",
	    [MAIL_HELO] = "helo",
	    [MAIL_ASKED] = "asked",
	    [MAIL_OFFER] = "offer",
	    [MAIL_OFFER_CUT] = "offer-cut",
	    [MAIL_MANGLED] = "mangled",
	    [MAIL_EHLO_REFUSED] = "no-ehlo",
	    [MAIL_UPGRADE] = "upgrade",
	    [MAIL_UPGRADE_REPLY] = "upgrade-reply",
	    [MAIL_AUTH] = "auth",
	    [MAIL_AUTH_SECRET] = "secret",
	    [MAIL_AUTH_REPLY] = "auth-reply",
	    [MAIL_SENDER] = "from",
	    [MAIL_SENDER_REPLY] = "from-reply",
	    [MAIL_RECIPIENT] = "to",
	    [MAIL_RECIPIENT_REPLY] = "to-reply",
	    [MAIL_RECIPIENT_RESULT] = "to-result",
	    [MAIL_REQUIRETLS] = "requiretls",
	    [MAIL_CONTENT_BEGIN] = "begin",
	    [MAIL_CONTENT_GAP] = "gap",
	    [MAIL_CONTENT_END] = "end",
	    [MAIL_RESULT] = "result",
	    [MAIL_EXPOSED] = "exposed",
	    [MAIL_LOST] = "lost",
	    [MAIL_ODD] = "odd",
	    [MAIL_TLS_OVER] = "tls-over",
	    [MAIL_USED] = "used",
	    [MAIL_FORWARDED] = "forwarded",
	    [MAIL_AGENT] = "agent",
	    [MAIL_EVIDENCE] = "evidence",
	};
	static const char auth_results[][2] = {"+", "", "*"}; /* by enum mail_auth_result */
	if (ev->kind == MAIL_TLS || ev->kind == MAIL_SERVER_NAME)
		return;			/* each EHLO has one; dialogues look at it */
	if (ev->kind == MAIL_CONTENT) { /* pieces are joined */
		if (r->len > 0 && r->out[r->len - 1] == ']')
			r->len--;
		else
			script_say(r, " [");
		for (size_t i = 0; i < ev->len; i++)
			script_say(r,
			    ev->text[i] == '\n'	      ? "/"
				: ev->text[i] == '\r' ? ""
						      : "%c",
			    ev->text[i]);
		script_say(r, "]");
		return;
	}
	script_say(r, " %s", names[ev->kind]);
	if (ev->kind == MAIL_RESULT || ev->kind == MAIL_ODD || ev->kind == MAIL_EXPOSED ||
	    ev->kind == MAIL_RECIPIENT_REPLY || ev->kind == MAIL_RECIPIENT_RESULT)
		script_say(r, ":%u", ev->index);
	if (ev->kind == MAIL_AUTH_REPLY)
		script_say(r, "%s", auth_results[ev->index]);
	if (ev->kind == MAIL_USED)
		script_say(r, ":%s", mail_extension(ev->index));
	if (ev->flag)
		script_say(r, "+");
	if (ev->len > 0 && ev->kind != MAIL_CONTENT_GAP)
		script_say(r, "(%.*s)", (int)ev->len, ev->text);
}

static void
script_take(struct script_run *r)
{
	struct mail_event ev;
	while (mail_next(&r->m, &r->s, &ev))
		script_tell(r, &ev);
	if (r->secret != NULL) {
		size_t size = (size_t)r->m.lines.fresh * r->m.lines.size;
		assert_null(memmem(r->m.lines.mem, size, r->secret, strlen(r->secret)));
	}
}

#define SCRIPT_TWO 1000000u /* and n: the first n octets of a line, then the rest */

/* The short way, where it is open to the octets. */
static bool
script_pass(struct script_run *r, enum mail_side side, const char *octets, size_t len)
{
	struct mail_event ev;
	if (!mail_may_pass(&r->s, side))
		return false;
	enum mail_passed how = mail_pass(&r->m, &r->s, side, (const uint8_t *)octets, len, &ev);
	if (how == MAIL_PASSED_CONTENT)
		script_tell(r, &ev);
	return how != MAIL_PASSED_NOT;
}

/* In pieces of other lengths than an even one they go the short way where they can. */
static void
script_push(struct script_run *r, enum mail_side side, const char *text, size_t len, size_t step)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = step > SCRIPT_TWO ? (at == 0 ? step - SCRIPT_TWO : len) : step;
		n = len - at < n ? len - at : n;
		char *copy = malloc(n); /* exactly sized, and gone afterwards */
		memcpy(copy, text + at, n);
		if (step % 2 == 0 || !script_pass(r, side, copy, n)) {
			mail_push(&r->m, &r->s, side, copy, n);
			script_take(r);
		}
		free(copy);
	}
}

static uint32_t script_queues = 8; /* sessions that may await replies */

/* Reads the script in pieces of `step` octets; returns the events. */
static const char *
script_read(struct script_run *r, enum mail_protocol p, uint8_t flags, const char *script,
    size_t step, const char *secret)
{
	memset(r, 0, sizeof *r);
	r->secret = secret;
	assert_true(mail_init(&r->m, &(struct mail_sizes){8, script_queues, 8, 8, 2, 1}));
	mail_begin(&r->m, &r->s, p, flags);
	script_take(r);
	if (*script == '?')
		mail_resync(&r->m, &r->s, MAIL_CLIENT);
	for (const char *line = script + (*script == '?'); *line != '\0';) {
		const char *end = strchr(line, '\n');
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
		enum mail_side side = line[0] == 'C' ? MAIL_CLIENT : MAIL_SERVER;
		char text[1024];
		if (line[1] == '!') {
			mail_gap(&r->m, &r->s, side, strtoull(line + 3, NULL, 10));
			script_take(r);
		} else {
			size_t skip = line[1] == '>' ? 3 : 2, n = len > skip ? len - skip : 0;
			assert_true(n + 2 < sizeof text);
			memcpy(text, line + skip, n);
			for (size_t i = 0; i < n; i++)
				text[i] = text[i] == '|' ? '\n' : text[i];
			if (line[1] != '>') {
				memcpy(text + n, "\r\n", 2);
				n += 2;
			}
			script_push(r, side, text, n, step);
		}
		line += len + (end != NULL);
	}
	mail_end(&r->m, &r->s);
	script_take(r);
	mail_release(&r->m, &r->s);
	assert_int_equal(r->m.lines.used + r->m.queues.used + r->m.mailboxes.used, 0);
	assert_int_equal(r->m.tls_states.used + r->m.inflates.used, 0);
	mail_free(&r->m);
	return r->len > 0 ? r->out + 1 : r->out;
}

/* The script gives these events, in whatever pieces it comes. */
static void
script_expect_of(enum mail_protocol p, uint8_t flags, const char *script, const char *secret,
    const char *events)
{
	static struct script_run r;
	static const size_t steps[] = {1000, 1, 2, 3, 7};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		const char *got = script_read(&r, p, flags, script, steps[i], secret);
		if (strcmp(got, events) != 0)
			print_error("in pieces of %zu\nwanted: %s\ngot:    %s\n", steps[i], events,
			    got);
		assert_string_equal(got, events);
	}
	for (size_t at = 1; at < 120; at++)
		assert_string_equal(script_read(&r, p, flags, script, SCRIPT_TWO + at, secret),
		    events);
}

#endif
