/* The alerts of a run: see alert_list.h. */
#include "sink/alert_list.h"

#include <string.h>

#include "base/text.h"
#include "record/read.h"
#include "sink/draw.h"
#include "sink/words.h"

static void
copy(char *to, size_t cap, const struct record *r, enum field field)
{
	struct record_value v;
	struct text t = text_in(to, cap);
	if (record_find(r, field, &v))
		text_add_wire(&t, v.str, v.len);
}

/* The row of that title: one that is there, a free one, or the last where there is no room. */
static struct listed *
row_of(struct listed rows[LIMIT_LISTED_RULES], const struct record *r, enum field field)
{
	char title[sizeof rows[0].title];
	size_t len;
	const char *raw = record_str(r, field, &len);
	for (unsigned i = 0; i < LIMIT_LISTED_RULES && raw != NULL && rows[i].title[0] != '\0';
	     i++) {
		if (len < sizeof title && memcmp(rows[i].title, raw, len) == 0 &&
		    rows[i].title[len] == '\0')
			return &rows[i]; /* what was made safe to show stays as it is */
	}
	copy(title, sizeof title, r, field);
	for (unsigned i = 0; i < LIMIT_LISTED_RULES; i++) {
		if (rows[i].title[0] == '\0')
			memcpy(rows[i].title, title, sizeof title);
		if (strcmp(rows[i].title, title) == 0)
			return &rows[i];
	}
	struct listed *last = &rows[LIMIT_LISTED_RULES - 1];
	struct text t = text_in(last->title, sizeof last->title);
	text_puts(&t, "others");
	return last;
}

/* The hosts that an alert is about: those of the first, and that others came. */
static void
take_hosts(struct listed *x, const struct record *r)
{
	char about[sizeof x->detail];
	struct text t = text_in(about, sizeof about);
	words_about(&t, r, " to ", false);
	if (x->detail[0] != '\0') {
		x->others = t.len > 0 && strcmp(about, x->detail) != 0;
		return;
	}
	memcpy(x->detail, about, sizeof about);
	if (!record_is(r, FIELD_OUTCOME, "cleartext")) /* that has a card */
		copy(x->sentence, sizeof x->sentence, r, FIELD_MESSAGE);
}

static void
take_alert(struct alert_list *l, const struct record *r)
{
	size_t len;
	const char *word = record_str(r, FIELD_ALERT_STATE, &len);
	bool resolved = word_is(word, len, "resolved"), repeated = word_is(word, len, "repeated");
	struct listed *x = row_of(resolved ? l->resolved : l->rule, r, FIELD_RULE_NAME);
	word = record_str(r, FIELD_LEVEL, &len);
	int level = word != NULL ? words_level(word, len) : LEVEL_NONE;
	if (level > x->level)
		x->level = level;
	if (!x->others)
		take_hosts(x, r);
	x->alerts += !repeated;
	x->events += resolved ? 1 : record_u64(r, FIELD_COUNT, 0);
}

/* Of what an exception accepts, mails and logins count, and connections of which it accepted
 * neither: the records of mails come before that of their connection. */
static bool
is_one_more(struct alert_list *l, const struct record *r, unsigned row)
{
	size_t len;
	const char *id = record_str(r, FIELD_NETWORK_COMMUNITY_ID, &len);
	uint32_t hash = row + 1; /* of no connection that is known by it: 0 */
	for (size_t i = 0; id != NULL && i < len; i++)
		hash = hash * 31 + (uint8_t)id[i];
	hash = id != NULL ? hash : 0;
	if (r->kind == RECORD_MESSAGE) {
		l->recent[l->next] = hash;
		l->next = (l->next + 1) % LISTED_RECENT;
		return true;
	}
	if (hash == 0 || record_is(r, FIELD_EXPOSED, "credentials"))
		return true;
	for (unsigned i = 0; i < LISTED_RECENT; i++) {
		if (l->recent[i] == hash)
			return false;
	}
	return true;
}

void
alert_list_take(struct alert_list *l, const struct record *r)
{
	if (r->kind == RECORD_ALERT) {
		take_alert(l, r);
	} else if (record_has(r, FIELD_ACCEPTED_TITLE)) {
		struct listed *x = row_of(l->accepted, r, FIELD_ACCEPTED_TITLE);
		struct text t = text_in(x->detail, sizeof x->detail);
		words_acceptance(&t, r);
		x->events += is_one_more(l, r, (unsigned)(x - l->accepted));
	}
}

static void
draw_headings(struct page *p, const char *label, const char *left, const char *right)
{
	page_tab(p, DRAW_LABEL);
	page_put(p, STYLE_DIM, label);
	if (left != NULL)
		draw_heading(p, p->columns - 8, left);
	draw_heading(p, p->columns, right);
	page_line(p);
}

/* A row: level, title, hosts where there is room, numbers. */
static void
draw_row_of(struct page *p, const struct listed *x, bool levels, bool alerts)
{
	unsigned title = DRAW_LABEL + 2 + (levels ? 10 : 0), end = p->columns - (alerts ? 16 : 8);
	unsigned width = page_width(x->title, strlen(x->title));
	page_tab(p, DRAW_LABEL + 2);
	if (levels) {
		enum style style = words_level_style(x->level);
		page_put(p, style == STYLE_ALARM ? STYLE_RED : style, words_level_name(x->level));
		page_tab(p, title);
	}
	page_put_middle(p, STYLE_PLAIN, x->title, end - title);
	const char *more = x->others ? " and others" : "";
	unsigned detail = page_width(x->detail, strlen(x->detail)) + (unsigned)strlen(more);
	bool fits = title + width + 2 + detail <= end;
	if (fits) {
		page_tab(p, title + width + 2);
		page_put(p, STYLE_DIM, x->detail);
		page_put(p, STYLE_DIM, more);
	}
	if (alerts)
		draw_count(p, p->columns - 8, x->alerts);
	draw_count(p, p->columns, x->events);
	page_line(p);
	/* what else there is to say goes below; hosts of many alerts are in the lists that follow
	 */
	const char *below = x->sentence[0] != '\0' ? x->sentence : fits || levels ? "" : x->detail;
	if (below[0] != '\0') {
		char whole[sizeof x->sentence + 16];
		struct text t = text_in(whole, sizeof whole);
		text_puts(&t, below);
		text_puts(&t, x->others && below == x->sentence ? " And others." : more);
		page_tab(p, title);
		page_wrap(p, STYLE_DIM, title, whole);
		page_line(p);
	}
}

static void
draw_section(struct page *p, const char *label, const struct listed *rows, bool levels,
    const char *left, const char *right)
{
	if (rows[0].title[0] == '\0')
		return;
	draw_headings(p, label, left, right);
	for (int level = levels ? LEVELS - 1 : LEVEL_NONE; level >= LEVEL_NONE; level--) {
		for (unsigned i = 0; i < LIMIT_LISTED_RULES && rows[i].title[0] != '\0'; i++) {
			if (!levels || rows[i].level == level)
				draw_row_of(p, &rows[i], levels, left != NULL);
		}
	}
	page_line(p);
}

void
alert_list_draw(const struct alert_list *l, struct page *p)
{
	if (p->columns < 50)
		return;
	draw_section(p, "Alerts", l->rule, true, "alerts", "events");
	draw_section(p, "Accepted", l->accepted, false, NULL, "times");
	draw_section(p, "Resolved", l->resolved, false, NULL, "alerts");
}
