/*
 * Drawing a live view: see view_draw.h.
 *
 * From the top: what it is and since when; how many connections were sealed, beside what comes in
 * now; what the capture suffered; the last alerts; who sent in clear; the keys.  Rows of fixed
 * meaning stand where they stand however much goes on.  Short screens lose the senders first, then
 * alerts; narrow ones put the numbers of now into one line.  Colour means: sealed, in clear, grave,
 * lost.
 */
#include "sink/view_draw.h"

#include <string.h>

#include "base/text.h"
#include "sink/draw.h"

#define LEFT	  1u  /* column at which lines begin */
#define WIDE	  70u /* columns from which totals and rates stand side by side */
#define TALL	  20u /* lines from which empty ones part the sections */
#define HIGH	  34u /* lines from which alerts have a second one, what happened */
#define BLOCK	  29u /* columns of the rates beside the totals */
#define HOSTS	  60u /* columns from which rows have room for two hosts */
#define ROW	  20u /* column at which an alert's own words begin (view_alert.c) */
#define LAG_NS	  2000000000u
#define QUALITY_1 14u /* lines up to which one line tells the quality, two, three */
#define QUALITY_2 24u
#define QUALITY_3 36u

/* Puts s so that it ends at column `end`. */
static void
put_right(struct page *p, enum style style, unsigned end, const char *s)
{
	unsigned width = page_width(s, strlen(s));
	page_tab(p, end > width ? end - width : 0);
	page_put(p, style, s);
}

static void
add_word(struct text *t, const struct record *r, enum field field)
{
	struct record_value v;
	if (record_find(r, field, &v))
		text_add_wire(t, v.str, v.len);
}

static void
add_interfaces(struct text *t, const struct record *r)
{
	struct record_value v;
	unsigned n = 0;
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		if (v.field != FIELD_SENSOR_INTERFACE)
			continue;
		text_puts(t, n++ == 0 ? " on " : ", ");
		text_add_wire(t, v.str, v.len);
	}
}

static void
draw_title(struct page *p, const struct view_model *m, const struct view_look *look)
{
	char version[32], on[200], now[80];
	struct text v = text_in(version, sizeof version), o = text_in(on, sizeof on),
		    n = text_in(now, sizeof now);
	unsigned columns = p->columns;
	text_putc(&v, ' ');
	add_word(&v, m->summary.last, FIELD_OBSERVER_VERSION);
	add_interfaces(&o, m->summary.last);
	if (columns >= HOSTS) {
		text_puts(&n, "for ");
		words_duration(&n, look->run_ns);
		text_puts(&n, "   ");
	}
	if (look->paused)
		text_puts(&n, "PAUSED at ");
	words_clock(&n, look->now_ns);
	text_puts(&n, " UTC");
	unsigned left = columns > n.len + 3 ? columns - (unsigned)n.len - 3 : 0;
	page_tab(p, LEFT);
	p->columns = left > LEFT ? left : columns; /* what is left of the time ends before it */
	page_put(p, STYLE_BOLD, "postcard");
	page_put(p, STYLE_DIM, v.len > 1 ? version : "");
	page_put(p, STYLE_PLAIN, on);
	p->columns = columns;
	put_right(p, look->paused ? STYLE_YELLOW : STYLE_DIM, columns, now);
	page_line(p);
}

/* ----------------------------------------------------------------- totals, and what comes in */

static uint64_t
add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A row of totals; the bar and the share only where there is a `whole`. */
static void
draw_total(struct page *p, const char *label, enum style style, uint64_t n, uint64_t whole,
    unsigned until)
{
	bool wide = p->columns >= WIDE;
	unsigned end = wide ? 22 : 19, bar = end + 8;
	page_tab(p, LEFT);
	page_put(p, style, label);
	draw_count(p, end, n);
	if (whole == 0)
		return;
	char share[16];
	struct text t = text_in(share, sizeof share);
	words_percent(&t, n, whole);
	put_right(p, STYLE_PLAIN, end + 6, share);
	page_tab(p, bar);
	if (until > bar)
		page_bar(p, style, (double)n / (double)whole, until - bar);
}

struct now {
	bool rated;
	struct view_rates rates;
	uint64_t lost, workers, restarts;
};

static uint64_t
rounded(double n)
{
	return n < 1e18 ? (uint64_t)(n + 0.5) : (uint64_t)1e18;
}

/* The row `i` of what stands beside the totals. */
static void
draw_now(struct page *p, unsigned i, const struct now *now)
{
	static const char *const labels[] = {"Packets/s", "Octets/s", "Mail connections/min",
	    "Packets lost", "Workers"};
	char value[64];
	struct text t = text_in(value, sizeof value);
	enum style style = STYLE_PLAIN;
	page_tab(p, p->columns - BLOCK);
	page_put(p, STYLE_DIM, labels[i]);
	if (i < 3 && !now->rated) {
		text_putc(&t, '-');
		style = STYLE_DIM;
	} else if (i == 0) {
		text_add_count(&t, rounded(now->rates.packets));
	} else if (i == 1) {
		words_size(&t, rounded(now->rates.octets));
	} else if (i == 2) {
		text_add_count(&t, rounded(now->rates.sessions));
	} else if (i == 3) {
		text_add_count(&t, now->lost);
		style = now->lost > 0 ? STYLE_YELLOW : STYLE_PLAIN;
	} else {
		text_add_count(&t, now->workers);
		if (now->restarts > 0) {
			text_puts(&t, ", ");
			text_add_count(&t, now->restarts);
			text_puts(&t, " restarted");
			style = STYLE_YELLOW;
		}
	}
	put_right(p, style, p->columns, value);
}

static void
draw_wide(struct page *p, const uint64_t outcomes[OUTCOMES], const struct now *now)
{
	static const struct {
		const char *label;
		int outcome;
	} rows[OUTCOMES] = {{"Sealed", OUTCOME_ENCRYPTED}, {"In clear", OUTCOME_CLEARTEXT},
	    {"TLS failed", OUTCOME_TLS_FAILED}, {"No mail", OUTCOME_NO_MAIL},
	    {"Not known", OUTCOME_UNKNOWN}};
	/* the share is of those that carried mail, so that scans of a port do not count for it */
	uint64_t whole = add_up(outcomes[OUTCOME_ENCRYPTED], outcomes[OUTCOME_CLEARTEXT]);
	for (unsigned i = 0; i < OUTCOMES; i++) {
		uint64_t n = outcomes[rows[i].outcome];
		enum style style = n == 0 ? STYLE_DIM
		    : i < 2		  ? words_outcome_style(rows[i].outcome)
					  : STYLE_PLAIN;
		draw_total(p, rows[i].label, style, n, i < 2 ? whole : 0, p->columns - BLOCK - 3);
		draw_now(p, i, now);
		page_line(p);
	}
}

static void
draw_narrow(struct page *p, const uint64_t outcomes[OUTCOMES], const struct now *now)
{
	uint64_t whole = add_up(outcomes[OUTCOME_ENCRYPTED], outcomes[OUTCOME_CLEARTEXT]);
	char line[160];
	struct text t = text_in(line, sizeof line);
	draw_total(p, "Sealed", words_outcome_style(OUTCOME_ENCRYPTED), outcomes[OUTCOME_ENCRYPTED],
	    whole, p->columns);
	page_line(p);
	draw_total(p, "In clear", words_outcome_style(OUTCOME_CLEARTEXT),
	    outcomes[OUTCOME_CLEARTEXT], whole, p->columns);
	page_line(p);
	text_add_count(&t, outcomes[OUTCOME_UNKNOWN]);
	text_puts(&t, " not known, ");
	text_add_count(&t, outcomes[OUTCOME_TLS_FAILED]);
	text_puts(&t, " TLS failed, ");
	text_add_count(&t, outcomes[OUTCOME_NO_MAIL]);
	text_puts(&t, " no mail");
	page_tab(p, LEFT);
	page_put(p, STYLE_PLAIN, line);
	page_line(p);
	t = text_in(line, sizeof line);
	if (now->rated) {
		text_add_count(&t, rounded(now->rates.packets));
		text_puts(&t, " packets/s, ");
		words_size(&t, rounded(now->rates.octets));
		text_puts(&t, "/s, ");
		text_add_count(&t, rounded(now->rates.sessions));
		text_puts(&t, " conn./min");
	}
	page_tab(p, LEFT);
	page_put(p, STYLE_DIM, line);
	page_line(p);
}

static void
draw_totals(struct page *p, const struct view_model *m)
{
	uint64_t outcomes[OUTCOMES];
	struct now now = {
	    .lost = add_up(summary_number(&m->summary, FIELD_SUM_DROPS, 0),
		summary_number(&m->summary, FIELD_SUM_INTERFACE_DROPS, 0)),
	    .workers = summary_number(&m->summary, FIELD_SUM_WORKERS, 1),
	    .restarts = summary_number(&m->summary, FIELD_SUM_RESTARTS, 0),
	};
	now.rated = view_model_rates(m, &now.rates);
	summary_outcomes(&m->summary, outcomes);
	if (p->columns >= WIDE)
		draw_wide(p, outcomes, &now);
	else
		draw_narrow(p, outcomes, &now);
}

/* ---------------------------------------------------------------------------------- quality */

static unsigned
quality_lines(unsigned rows)
{
	return rows < QUALITY_1 ? 1 : rows < QUALITY_2 ? 2 : rows < QUALITY_3 ? 3 : 6;
}

/* A line of it, in front of "+3 more" where those found no room. */
static void
draw_flaw(struct page *p, const char *line, unsigned more)
{
	unsigned columns = p->columns;
	char rest[32];
	struct text t = text_in(rest, sizeof rest);
	page_tab(p, LEFT);
	page_put(p, STYLE_YELLOW, "!");
	page_tab(p, p->column + 1);
	if (more > 0 && columns > 30) {
		text_puts(&t, "+");
		text_add_count(&t, more);
		text_puts(&t, " more");
		p->columns = columns - (unsigned)t.len - 2; /* what is left of it ends before it */
		page_put(p, STYLE_PLAIN, line);
		p->columns = columns;
		put_right(p, STYLE_DIM, columns, rest);
	} else {
		page_put(p, STYLE_PLAIN, line);
	}
	page_line(p);
}

static void
draw_quality(struct page *p, const struct view_model *m, const struct view_look *look)
{
	struct flaws f;
	char line[2][500];
	const char *shown[SUMMARY_FLAWS + 2];
	unsigned n = 0, room = quality_lines(look->rows);
	uint64_t lag = summary_number(&m->summary, FIELD_SUM_LAG, 0);
	struct text t = text_in(line[0], sizeof line[0]), l = text_in(line[1], sizeof line[1]);
	summary_flaws(&m->summary, &f);
	if (look->notice[0] != '\0') {
		text_add_wire(&t, look->notice, strlen(look->notice));
		shown[n++] = line[0];
	}
	if (lag > LAG_NS) {
		text_puts(&l, "judged ");
		words_duration(&l, lag);
		text_puts(&l, " behind the clock");
		shown[n++] = line[1];
	}
	for (unsigned i = 0; i < f.n; i++)
		shown[n++] = f.line[i];
	if (n == 0) {
		page_tab(p, LEFT);
		page_put(p, STYLE_DIM,
		    m->samples > 0 ? "Nothing lost, cut or damaged" : "Nothing read yet");
		page_line(p);
	}
	for (unsigned i = 0; i < n && i < room; i++)
		draw_flaw(p, shown[i], i + 1 == room ? n - room : 0);
}

/* --------------------------------------------------------------------------------- sections */

static void
draw_section(struct page *p, const char *title)
{
	page_tab(p, LEFT);
	page_put(p, STYLE_BOLD, title);
}

static unsigned
about_width(const struct view_alert *a, unsigned most)
{
	unsigned width = page_width(a->about, strlen(a->about));
	return width < most ? width : most;
}

/* Alerts in at most `rows` lines, each in two on a high screen.  Hosts stand in line where there is
 * room. */
static void
draw_alerts(struct page *p, const struct view_model *m, const struct view_look *look, unsigned rows)
{
	char count[64];
	struct text t = text_in(count, sizeof count);
	bool second = look->rows >= HIGH && p->columns >= HOSTS;
	unsigned most = (rows - 1) / (1 + second), n = m->alerts < most ? m->alerts : most;
	unsigned widest = 0, room = p->columns > ROW ? (p->columns - ROW) / 2 : 0;
	draw_section(p, "Last alerts");
	if (m->alerts == 0) {
		put_right(p, STYLE_DIM, p->columns, "none so far");
	} else if (p->columns >= 40) {
		text_add_count(&t, m->raised);
		text_puts(&t, " so far");
		put_right(p, STYLE_DIM, p->columns, count);
	}
	page_line(p);
	bool aligned = p->columns >= HOSTS;
	for (unsigned i = 0; i < n; i++) {
		unsigned width = about_width(&m->alert[i], aligned ? room : 2 * room);
		widest = width > widest ? width : widest;
	}
	for (unsigned i = 0; i < n; i++) {
		page_tab(p, LEFT);
		view_alert_row(p, &m->alert[i], look->now_ns,
		    aligned ? widest : about_width(&m->alert[i], 2 * room));
		page_line(p);
		if (!second)
			continue;
		page_tab(p, ROW);
		page_put(p, STYLE_DIM, m->alert[i].sentence);
		page_line(p);
	}
}

static void
draw_senders(struct page *p, const struct view_model *m, unsigned rows)
{
	const struct view_sender *best[LIMIT_TOP];
	unsigned n = view_top_best(&m->top, best), widest = 0;
	unsigned end = p->columns, mails = end - 9, conns = mails - 9;
	n = n < rows - 1 ? n : rows - 1;
	draw_section(p, "Top senders in clear");
	draw_heading(p, conns, "conns");
	draw_heading(p, mails, "mails");
	draw_heading(p, end, "logins");
	page_line(p);
	for (unsigned i = 0; i < n; i++) {
		char a[ADDR_TEXT];
		unsigned width = (unsigned)strlen(addr_print(&best[i]->addr, a));
		widest = width > widest && width < 20 ? width : widest;
	}
	for (unsigned i = 0; i < n; i++) {
		char a[ADDR_TEXT];
		unsigned width = (unsigned)strlen(addr_print(&best[i]->addr, a));
		unsigned name = LEFT + 2 + (width > widest ? width : widest);
		unsigned room = conns - 9;
		page_tab(p, LEFT);
		page_put_middle(p, STYLE_PLAIN, a, room - LEFT);
		if (name + 8 < room) {
			page_tab(p, name);
			page_put_middle(p, STYLE_DIM, best[i]->name, room - name);
		}
		draw_count(p, conns, best[i]->connections - best[i]->error);
		draw_count(p, mails, best[i]->mails);
		draw_count(p, end, best[i]->logins);
		page_line(p);
	}
}

static void
draw_keys(struct page *p, const struct view_look *look)
{
	static const char *const keys[][2] = {{"q", " quit"}, {"p", " pause"}, {"^L", " redraw"}};
	page_tab(p, LEFT);
	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
		page_put(p, STYLE_PLAIN, keys[i][0]);
		page_put(p, STYLE_DIM, i == 1 && look->paused ? " go on" : keys[i][1]);
		page_tab(p, p->column + 3);
	}
	page_line(p);
}

void
view_draw(struct page *p, const struct view_model *m, const struct view_look *look)
{
	bool tall = look->rows >= TALL;
	unsigned last = look->keys && look->rows > 6 ? look->rows - 1 : look->rows;
	draw_title(p, m, look);
	if (tall)
		page_line(p);
	draw_totals(p, m);
	if (tall)
		page_line(p);
	draw_quality(p, m, look);
	if (tall)
		page_line(p);
	unsigned room = last > p->lines ? last - p->lines : 0, senders = 0;
	if (tall)
		room--; /* above the keys */
	if (room >= 8 && p->columns >= 50 && m->top.n > 0) {
		senders = m->top.n < LIMIT_TOP ? m->top.n : LIMIT_TOP;
		senders = 1 + (senders < room / 3 ? senders : room / 3) + tall;
	}
	if (room > senders)
		draw_alerts(p, m, look, room - senders);
	if (senders > 0) {
		if (tall)
			page_line(p);
		draw_senders(p, m, senders - tall);
	}
	while (p->lines < last)
		page_line(p);
	if (last < look->rows)
		draw_keys(p, look);
}
