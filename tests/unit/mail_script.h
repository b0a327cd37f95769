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

#include <stdlib.h>

#include "mail_script_events.h"

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
