/* An alert as it is shown when it comes: see view_alert.h. */
#include "sink/view_alert.h"

#include <string.h>

#include "base/text.h"
#include "sink/words.h"

#define TAG    10u /* column at which levels begin */
#define TEXT   20u /* column at which the rest begins, in wide pages */
#define INDENT 2u  /* ... in narrow ones, on a line of its own */
#define NARROW 60u /* columns under which a page is narrow */
#define CAUSE  200u
#define DAY_NS 86400000000000ll

#define ARROW	    " \xe2\x86\x92 "
#define ARROW_ASCII " -> "

static void
copy(char *to, size_t cap, const struct record *r, enum field field)
{
	struct record_value v;
	struct text t = text_in(to, cap);
	if (record_find(r, field, &v))
		text_add_wire(&t, v.str, v.len);
}

void
view_alert_take(struct view_alert *a, const struct record *r, bool unicode)
{
	static const char *const states[] =
	    {[VIEW_WORSE] = "raised", [VIEW_REPEATED] = "repeated", [VIEW_RESOLVED] = "resolved"};
	struct record_value v;
	char cause[CAUSE];
	const char *arrow = unicode ? ARROW : ARROW_ASCII;
	memset(a, 0, sizeof *a);
	a->ns = record_find(r, FIELD_TIMESTAMP, &v) ? v.ns : 0;
	a->level = record_find(r, FIELD_LEVEL, &v) ? words_level(v.str, v.len) : LEVEL_NONE;
	a->count = record_find(r, FIELD_COUNT, &v) ? v.u64 : 1;
	for (int s = VIEW_WORSE; s <= VIEW_RESOLVED; s++) {
		if (record_is(r, FIELD_ALERT_STATE, states[s]))
			a->state = (enum view_state)s;
	}
	copy(a->title, sizeof a->title, r, FIELD_RULE_NAME);
	copy(a->sentence, sizeof a->sentence, r, FIELD_MESSAGE);
	copy(a->advice, sizeof a->advice, r, FIELD_ADVICE);
	copy(cause, sizeof cause, r, FIELD_SENSOR_CAUSE);
	struct text about = text_in(a->about, sizeof a->about);
	struct text ports = text_in(a->ports, sizeof a->ports);
	words_about(&about, r, arrow, false);
	words_about(&ports, r, arrow, true);
	if (a->title[0] == '\0')
		memcpy(a->title, "Alert", sizeof "Alert");
	if (a->sentence[0] == '\0') {
		struct text t = text_in(a->sentence, sizeof a->sentence);
		text_printf(&t, "%s%s%s", a->title, cause[0] != '\0' ? ": " : "", cause);
		text_puts(&t, t.len > 0 && t.buf[t.len - 1] == '.' ? "" : ".");
	}
}

bool
view_alert_same(const struct view_alert *a, const struct view_alert *b)
{
	return strcmp(a->title, b->title) == 0 && strcmp(a->about, b->about) == 0;
}

/* Time, or the day where it is not that of `now_ns`, and level or what became of it; the line
 * stands where text begins. */
static void
draw_head(struct page *p, const struct view_alert *a, int64_t now_ns)
{
	char when[40];
	struct text t = text_in(when, sizeof when);
	if (a->ns / DAY_NS == now_ns / DAY_NS) {
		words_clock(&t, a->ns);
		page_put(p, STYLE_DIM, when);
	} else {
		words_time(&t, a->ns);
		when[t.len < 10 ? t.len : 10] = '\0';
		page_put(p, STYLE_DIM, t.len < 10 ? "" : when + 5); /* month and day */
	}
	page_tab(p, TAG);
	if (a->state == VIEW_RESOLVED)
		page_put(p, STYLE_GREEN, "RESOLVED");
	else
		page_put(p, words_level_style(a->level), words_level_name(a->level));
	page_tab(p, TEXT);
}

/* "12 more: " */
static void
add_what(struct text *t, const struct view_alert *a)
{
	if (a->state == VIEW_WORSE)
		text_puts(t, "Worse now: ");
	if (a->state == VIEW_REPEATED) {
		text_add_count(t, a->count);
		text_puts(t, " more: ");
	}
}

void
view_alert_block(struct page *p, const struct view_alert *a)
{
	char line[1000];
	struct text t = text_in(line, sizeof line);
	bool whole = a->state == VIEW_NEW || a->state == VIEW_WORSE;
	unsigned indent = p->columns < NARROW ? INDENT : TEXT;
	draw_head(p, a, a->ns);
	if (indent == INDENT) {
		page_line(p);
		page_tab(p, indent);
	}
	add_what(&t, a);
	if (whole) {
		text_puts(&t, a->sentence);
	} else {
		text_puts(&t, a->title);
		text_printf(&t, "%s%s", a->about[0] != '\0' ? ", " : "", a->about);
	}
	page_wrap(p, STYLE_PLAIN, indent, line);
	page_line(p);
	if (!whole)
		return;
	if (a->ports[0] != '\0') {
		page_tab(p, indent);
		page_wrap(p, STYLE_DIM, indent, a->ports);
		page_line(p);
	}
	if (a->advice[0] != '\0') {
		page_tab(p, indent);
		page_put(p, STYLE_DIM, "To do: ");
		page_wrap(p, STYLE_PLAIN, indent, a->advice);
		page_line(p);
	}
	page_line(p);
}

/* Hosts in so many columns: where they do not fit, each of the two is cut in its middle. */
static void
draw_about(struct page *p, const char *about, unsigned columns)
{
	char side[2][sizeof((struct view_alert *)NULL)->about];
	const char *arrow = p->unicode ? ARROW : ARROW_ASCII, *at = strstr(about, arrow);
	unsigned wide = page_width(arrow, strlen(arrow)),
		 room = columns > wide ? columns - wide : 0;
	if (at == NULL || page_width(about, strlen(about)) <= columns) {
		page_put_middle(p, STYLE_PLAIN, about, columns);
		return;
	}
	struct text from = text_in(side[0], sizeof side[0]), to = text_in(side[1], sizeof side[1]);
	text_add(&from, about, (size_t)(at - about));
	text_puts(&to, at + strlen(arrow));
	unsigned right = page_width(to.buf, to.len), left = page_width(from.buf, from.len);
	if (left <= room / 2)
		right = room - left;
	else if (right > room / 2)
		right = room / 2;
	page_put_middle(p, STYLE_PLAIN, from.buf, room - right);
	page_put(p, STYLE_PLAIN, arrow);
	page_put_middle(p, STYLE_PLAIN, to.buf, right);
}

void
view_alert_row(struct page *p, const struct view_alert *a, int64_t now_ns, unsigned about)
{
	char count[40];
	struct text t = text_in(count, sizeof count);
	unsigned columns = p->columns;
	draw_head(p, a, now_ns);
	if (about > 0) {
		draw_about(p, a->about, about);
		page_tab(p, TEXT + about + 2);
	}
	if (a->count > 1) {
		text_puts(&t, p->unicode ? " \xc3\x97" : " x");
		text_add_count(&t, a->count);
	}
	unsigned width = page_width(count, t.len);
	if (p->column + width < columns)
		p->columns -= width; /* the title is cut, not its number */
	page_put(p, STYLE_PLAIN, a->state == VIEW_WORSE ? "worse: " : "");
	page_put(p, STYLE_PLAIN, a->title);
	p->columns = columns;
	page_put(p, STYLE_DIM, count);
}
