/* For mail_script.h: what a run of a script is, and how its events are told. */
#ifndef POSTCARD_TESTS_MAIL_SCRIPT_EVENTS_H
#define POSTCARD_TESTS_MAIL_SCRIPT_EVENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
	    [MAIL_WRAPPED] = "wrapped",
	    [MAIL_ODD] = "odd",
	    [MAIL_TLS_OVER] = "tls-over",
	    [MAIL_USED] = "used",
	    [MAIL_FORWARDED] = "forwarded",
	    [MAIL_AGENT] = "agent",
	    [MAIL_EVIDENCE] = "evidence",
	};
	static const char auth_results[][2] = {"+", "", "*"}; /* by enum mail_auth_result */
	if (ev->kind == MAIL_TLS || ev->kind == MAIL_SERVER_NAME || ev->kind == MAIL_UNREAD)
		return;			/* each EHLO has one, many a loss; dialogues look at it */
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

#endif
