/*
 * The text sink: a report for people, on a terminal or piped.
 *
 * At the end (sink_close) it prints a card for each kind of mail or credentials that crossed
 * readable (cards.h), the worst first, and a summary (summary.h).  With -v each mail connection has
 * a line as well, as its record comes; with -q there is the summary alone.  Nothing is wider than
 * the page.  Cards that no record changes any more are drawn before the end, where there is nothing
 * else to do.
 *
 * Live, an alert is printed when it comes (view_alert.h) and flushed at once, a heading names each
 * new day, and the end has the summary without cards: cards would grow for as long as a sensor
 * runs, and say again what the alerts said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sink/cards.h"
#include "sink/draw.h"
#include "sink/kinds.h"
#include "sink/page.h"
#include "sink/summary.h"
#include "sink/view_alert.h"
#include "sink/words.h"

#define COLUMNS_LEAST 40u
#define COLUMNS_MOST  110u /* longer lines are hard to read */
#define COLUMNS	      80u
#define MARGIN	      1u /* columns left free at the right */
#define DAY_NS	      86400000000000ll
#define EARLY	      8u /* cards that are drawn before the end at a time, in 12 us */

struct text_sink {
	struct page page;
	struct page early; /* of a card that is drawn before the end */
	struct cards cards;
	struct summary summary;
	struct view_alert alert; /* that came last */
	int64_t day;		 /* of the heading above it, since the epoch; -1 for none */
	bool live;		 /* alerts as they come, no cards */
	bool quiet;		 /* the summary only */
	bool lines;		 /* a line for each session */
	bool begun;		 /* a line was printed */
	bool busy;		 /* a record came since text_tick */
	bool taken;		 /* a record was: without any, the run did not even begin */
	int error;		 /* errno of the write that failed; 0 while all is well */
};

void *
text_open(const struct sink_config *config, char error[SINK_ERROR])
{
	struct text_sink *s = calloc(1, sizeof *s);
	if (s == NULL || !cards_init(&s->cards, config->reveal) || !summary_init(&s->summary)) {
		if (s != NULL)
			cards_free_all(&s->cards);
		free(s);
		snprintf(error, SINK_ERROR, "no memory for the report");
		return NULL;
	}
	unsigned columns = config->columns == 0 ? COLUMNS : config->columns;
	columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
	columns = columns > COLUMNS_MOST ? COLUMNS_MOST : columns;
	s->page = (struct page){.out = config->out,
	    .columns = columns - MARGIN,
	    .colour = config->colour,
	    .unicode = config->unicode};
	s->early = s->page;
	s->early.out = NULL;
	s->quiet = config->quiet;
	s->live = config->live;
	s->day = -1;
	s->lines = config->verbose > 0 && !config->quiet;
	return s;
}

/* Notes a failed write; false where there was one, with errno. */
static bool
all_well(struct text_sink *s)
{
	if (s->error == 0 && ferror(s->page.out))
		s->error = errno != 0 ? errno : EIO;
	if (s->error != 0)
		errno = s->error;
	return s->error == 0;
}

/* Nothing that was put waits any longer. */
static void
write_all(struct text_sink *s)
{
	page_write(&s->page);
	(void)fflush(s->page.out);
}

static void
add_end_point(struct text *t, const struct addr *a, uint64_t port)
{
	char address[ADDR_TEXT];
	text_printf(t, a->family == 6 ? "[%s]:%u" : "%s:%u", addr_print(a, address),
	    (unsigned)(port & 0xffff));
}

/* One line: time, outcome, client, server, and why it was in clear, or else the version of TLS or
 * the protocol. */
static void
draw_session(struct page *p, const struct record *r)
{
	struct record_value v;
	struct addr client = {0}, server = {0};
	uint64_t client_port = 0, server_port = 0;
	int64_t when = 0;
	int outcome = OUTCOMES;
	char from[ADDR_TEXT + 10], to[ADDR_TEXT + 10], clock[16], what[32], protocol[32];
	struct text f = text_in(from, sizeof from), t = text_in(to, sizeof to),
		    c = text_in(clock, sizeof clock), w = text_in(what, sizeof what),
		    n = text_in(protocol, sizeof protocol);
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		switch (v.field) {
		case FIELD_SOURCE_IP: client = v.ip; break;
		case FIELD_SOURCE_PORT: client_port = v.u64; break;
		case FIELD_DESTINATION_IP: server = v.ip; break;
		case FIELD_DESTINATION_PORT: server_port = v.u64; break;
		case FIELD_EVENT_START: when = v.ns; break;
		case FIELD_OUTCOME: outcome = words_outcome(v.str, v.len); break;
		case FIELD_REASON: text_add_wire(&w, v.str, v.len); break;
		case FIELD_NETWORK_PROTOCOL: text_add_wire(&n, v.str, v.len); break;
		case FIELD_TLS_VERSION:
			text_puts(&w, w.len == 0 ? "TLS " : ", TLS ");
			text_add_wire(&w, v.str, v.len);
			break;
		default: break;
		}
	}
	add_end_point(&f, &client, client_port);
	add_end_point(&t, &server, server_port);
	words_clock(&c, when);
	unsigned side = (p->columns - 36) / 2;
	page_put(p, STYLE_DIM, clock);
	page_tab(p, 9);
	if (outcome < OUTCOMES)
		page_put(p, words_outcome_style(outcome), words_outcome_name(outcome));
	page_tab(p, 20);
	page_put_middle(p, STYLE_PLAIN, from, side);
	page_tab(p, 21 + side);
	page_put_middle(p, STYLE_PLAIN, to, side);
	page_tab(p, 22 + 2 * side);
	page_put(p, STYLE_DIM, w.len > 0 ? what : protocol);
	page_line(p);
}

/* The day of what follows, where it is another one. */
static void
draw_day(struct text_sink *s, int64_t ns)
{
	char line[11]; /* cuts the time of day off */
	struct text t = text_in(line, sizeof line);
	if (!s->live || ns / DAY_NS == s->day)
		return;
	words_time(&t, ns);
	page_put(&s->page, STYLE_BOLD, line);
	page_put(&s->page, STYLE_DIM, " (UTC)");
	page_line(&s->page);
	page_line(&s->page);
	s->day = ns / DAY_NS;
}

static void
draw_alert(struct text_sink *s, const struct record *r)
{
	view_alert_take(&s->alert, r, s->page.unicode);
	draw_day(s, s->alert.ns);
	view_alert_block(&s->page, &s->alert);
	s->begun = s->alert.state == VIEW_REPEATED || s->alert.state == VIEW_RESOLVED;
	write_all(s);
}

static void
take_session(struct text_sink *s, const struct record *r)
{
	struct record_value v;
	struct clear clear;
	bool in_clear = clear_of_session(&clear, r, s->cards.reveal);
	const struct card *card = s->live ? NULL : cards_take_session(&s->cards, r);
	if (card != NULL)
		clear_of_card(&clear, card);
	summary_take_session(&s->summary, r, in_clear ? &clear : NULL);
	summary_take_alert(&s->summary, r);
	if (!s->lines)
		return;
	draw_day(s, record_find(r, FIELD_EVENT_START, &v) ? v.ns : 0);
	draw_session(&s->page, r);
	page_write(&s->page);
	s->begun = true;
}

/* Cards have them, and there is a number from which on most connections find no room for one. */
bool
text_wants_details(void *state, const struct record *r)
{
	struct text_sink *s = state;
	return s->live || cards_want(&s->cards, r);
}

bool
text_push(void *state, const struct record *r)
{
	struct text_sink *s = state;
	errno = 0;
	s->taken = s->busy = true;
	switch (r->kind) {
	case RECORD_MESSAGE:
		if (!s->live)
			cards_take_mail(&s->cards, r);
		summary_take_alert(&s->summary, r);
		break;
	case RECORD_SESSION: take_session(s, r); break;
	case RECORD_SUMMARY: summary_take_summary(&s->summary, r); break;
	case RECORD_ALERT:
		summary_take_alert(&s->summary, r);
		if (s->live && !s->quiet)
			draw_alert(s, r);
		break;
	default: break;
	}
	return all_well(s);
}

bool
text_flush(void *state)
{
	struct text_sink *s = state;
	errno = 0;
	write_all(s);
	return all_well(s);
}

void
text_wait(const void *state, struct sink_wait *w)
{
	const struct text_sink *s = state;
	if (s->cards.undrawn && !s->quiet)
		w->timeout_ms = 0;
}

static bool
draw_early(struct text_sink *s)
{
	const struct card *c = cards_early(&s->cards);
	if (c == NULL)
		return false;
	s->early.used = 0;
	s->early.over = false;
	draw_card(&s->early, c);
	cards_keep_text(&s->cards, s->early.text, s->early.over ? SIZE_MAX : s->early.used);
	return true;
}

/* Where no record came since the last time, there is time to draw. */
bool
text_tick(void *state)
{
	struct text_sink *s = state;
	for (unsigned i = 0; i < EARLY && !s->busy && !s->quiet && draw_early(s); i++)
		continue;
	s->busy = false;
	return all_well(s);
}

/* What is accepted has a line in the summary, and a card where all connections have one; but
 * credentials always have theirs. */
static void
draw_cards(struct text_sink *s)
{
	size_t n = cards_sort(&s->cards, s->lines);
	for (size_t i = 0; i < n && !s->quiet; i++) {
		size_t len;
		const char *drawn = cards_sorted_text(&s->cards, i, &len);
		draw_number(&s->page, i + 1, n);
		if (drawn != NULL)
			page_put_lines(&s->page, drawn, len);
		else
			draw_card(&s->page, cards_sorted(&s->cards, i));
	}
	if (s->cards.left_out > 0) {
		char line[160];
		struct text t = text_in(line, sizeof line);
		words_count(&t, s->cards.left_out, "connection");
		text_puts(&t, " of other kinds found no room here; --json has them all.");
		page_tab(&s->page, DRAW_LABEL);
		page_wrap(&s->page, STYLE_PLAIN, DRAW_LABEL, line);
		page_line(&s->page);
		page_line(&s->page);
	}
}

bool
text_close(void *state)
{
	struct text_sink *s = state;
	errno = 0;
	if (s->error == 0 && s->taken) {
		if (s->begun)
			page_line(&s->page);
		draw_cards(s);
		summary_draw(&s->summary, &s->page);
		write_all(s);
	}
	bool ok = all_well(s);
	int error = s->error;
	cards_free_all(&s->cards);
	summary_free_all(&s->summary);
	free(s);
	if (!ok)
		errno = error;
	return ok;
}
