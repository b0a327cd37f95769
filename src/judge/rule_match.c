/*
 * Asking rules of a record: atoms are answered when they are asked for, once a record; the texts of
 * a field are all looked for in one pass.  A regular expression has a limit of steps, so no rule
 * and no value can make matching take long.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"
#include "judge/rule.h"
#include "record/read.h"

void
rule_view(struct rules *s, const struct record *r)
{
	s->record++;
	s->view = r;
}

bool
rule_has(const struct rules *s, unsigned field)
{
	do {
		if (record_has(s->view, (enum field)field))
			return true;
		field = s->same[field];
	} while (field != 0);
	return false;
}

bool
rule_value(const struct rules *s, struct value_walk *w, struct record_value *v)
{
	for (;;) {
		if (record_each(s->view, (enum field)w->field, &w->at, v))
			return true;
		if (s->same[w->field] == 0)
			return false;
		*w = (struct value_walk){.field = s->same[w->field]};
	}
}

const char *
rule_text(const struct record_value *v, char *buf, size_t *len)
{
	struct text t = text_in(buf, RULE_TEXT);
	switch (field_table[v->field].type) {
	case TYPE_STR: *len = v->len; return v->str;
	case TYPE_U64: text_add_u64(&t, v->u64); break;
	case TYPE_BOOL: text_puts(&t, v->u64 != 0 ? "true" : "false"); break;
	case TYPE_TIME: text_add_time(&t, v->ns); break;
	case TYPE_IP:
		addr_print(&v->ip, buf);
		t.len = strlen(buf);
		break;
	default: break;
	}
	*len = t.len;
	return buf;
}

/* Patterns are matched greedily, going back to the last '*' only: at most the product of the
 * lengths in steps. */
bool
rule_glob(const uint16_t *pattern, size_t n, bool cased, const char *s, size_t len)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
	while (i < len) {
		if (p < n && pattern[p] == WILD_MANY) {
			star = p++;
			mark = i;
		} else if (p < n && pattern[p] == WILD_ONE) {
			size_t c = utf8_char((const uint8_t *)s + i, len - i);
			i += c > 0 ? c : 1;
			p++;
		} else if (p < n && pattern[p] == (uint8_t)(cased ? s[i] : ascii_lower(s[i]))) {
			i++;
			p++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < n && pattern[p] == WILD_MANY)
		p++;
	return p == n;
}

void
rule_answer(struct rules *s, struct atom *a, bool yes)
{
	if (yes && !(a->asked == s->record && a->answer))
		rule_index_mark(s, (uint32_t)(a - s->atom));
	a->asked = s->record;
	a->answer = yes;
}

/* All texts that rules look for in one value. */
static void
search_value(struct rules *s, const struct literals *l, const struct record_value *v)
{
	char buf[RULE_TEXT];
	size_t len, begin, end;
	uint32_t tag;
	const char *text = rule_text(v, buf, &len);
	struct literal_search q = literals_search(l, text, len);
	while (literals_next(&q, &tag, &begin, &end)) {
		struct atom *a = &s->atom[tag];
		if (a->kind != ATOM_LITERAL) { /* a part of it stands there */
			(void)rule_ask(s, a);
			continue;
		}
		bool fits = (!(a->anchors & ANCHOR_START) || begin == 0) &&
		    (!(a->anchors & ANCHOR_END) || end == len) &&
		    (!a->cased || memcmp(text + begin, a->text, a->len) == 0);
		if (fits)
			rule_answer(s, a, true);
	}
}

void
rule_search(struct rules *s, unsigned field)
{
	struct record_value v;
	struct value_walk w = {.field = (uint16_t)field};
	if (s->literals_done[field] == s->record)
		return;
	s->literals_done[field] = s->record;
	if (field == ANY_TEXT) {
		for (uint32_t at = 0; record_next(s->view, &at, &v);) {
			if (field_table[v.field].type == TYPE_STR)
				search_value(s, &s->literals[field], &v);
		}
		return;
	}
	while (rule_value(s, &w, &v))
		search_value(s, &s->literals[field], &v);
}

static bool
regex_matches(struct rules *s, const struct atom *a, const struct record_value *v)
{
	char buf[RULE_TEXT];
	size_t len;
	const char *text = rule_text(v, buf, &len);
	int rc =
	    pcre2_match(a->regex, (PCRE2_SPTR)text, len, 0, 0, s->match_data, s->match_context);
	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
		s->given_up++;
	return rc >= 0;
}

static bool
compares(int64_t x, enum compare how, int64_t y)
{
	switch (how) {
	case COMPARE_LT: return x < y;
	case COMPARE_LTE: return x <= y;
	case COMPARE_GT: return x > y;
	case COMPARE_GTE: return x >= y;
	default: return x == y;
	}
}

static int64_t
part_of(int64_t ns, enum time_part part)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;
	char week[8];
	gmtime_r(&t, &tm);
	switch (part) {
	case PART_MINUTE: return tm.tm_min;
	case PART_HOUR: return tm.tm_hour;
	case PART_DAY: return tm.tm_mday;
	case PART_MONTH: return tm.tm_mon + 1;
	case PART_YEAR: return tm.tm_year + 1900;
	default: /* of ISO 8601 */
		strftime(week, sizeof week, "%V", &tm);
		return strtoll(week, NULL, 10);
	}
}

static int64_t
number_of(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

int64_t
rule_number(const struct record_value *v)
{
	return field_table[v->field].type == TYPE_TIME ? v->ns : number_of(v->u64);
}

static bool
number_matches(const struct atom *a, const struct record_value *v)
{
	uint8_t type = field_table[v->field].type;
	if (type == TYPE_TIME)
		return compares(part_of(v->ns, (enum time_part)a->part), (enum compare)a->compare,
		    a->number);
	return type == TYPE_U64 && compares(rule_number(v), (enum compare)a->compare, a->number);
}

/* Is it asked for a number of a field that has one value?  (So are most that the memo asks for.) */
static bool
asks_one_number(const struct rules *s, const struct atom *a)
{
	return a->kind == ATOM_NUMBER && a->field != ANY_TEXT && s->same[a->field] == 0 &&
	    field_table[a->field].type == TYPE_U64 && field_table[a->field].number == NUMBER_ONE;
}

static bool
one_number_matches(const struct rules *s, const struct atom *a)
{
	uint64_t n;
	size_t len;
	const uint8_t *octets = record_first(s->view, (enum field)a->field, &len);
	if (octets == NULL || len != sizeof n)
		return false;
	memcpy(&n, octets, sizeof n);
	return compares(number_of(n), (enum compare)a->compare, a->number);
}

static bool
text_in_place(const struct atom *a, const char *x, size_t n, const char *y, size_t m)
{
	bool start = a->anchors & ANCHOR_START, end = a->anchors & ANCHOR_END;
	if (m > n || (start && end && m != n))
		return false;
	size_t first = start ? 0 : end ? n - m : 0, last = start ? 0 : n - m;
	for (size_t at = first; at <= last; at++) {
		size_t i = 0;
		while (i < m &&
		    (a->cased ? x[at + i] == y[i] : ascii_lower(x[at + i]) == ascii_lower(y[i])))
			i++;
		if (i == m)
			return true;
	}
	return false;
}

static bool
field_matches(const struct rules *s, const struct atom *a, const struct record_value *v)
{
	char one[RULE_TEXT], two[RULE_TEXT];
	size_t n, m;
	struct record_value other;
	const struct record_value *w = &other;
	struct value_walk walk = {.field = a->other};
	while (rule_value(s, &walk, &other)) {
		if (a->compare != COMPARE_EQ) {
			if (compares(rule_number(v), (enum compare)a->compare, rule_number(w)))
				return true;
			continue;
		}
		const char *x = rule_text(v, one, &n), *y = rule_text(w, two, &m);
		if (text_in_place(a, x, n, y, m))
			return true;
	}
	return false;
}

static bool
value_matches(struct rules *s, const struct atom *a, const struct record_value *v)
{
	char buf[RULE_TEXT];
	size_t len;
	const char *text;
	switch ((enum atom_kind)a->kind) {
	case ATOM_GLOB:
		text = rule_text(v, buf, &len);
		return rule_glob(a->pattern, a->len, a->cased, text, len);
	case ATOM_REGEX: return regex_matches(s, a, v);
	case ATOM_NETWORK: return network_has(&a->network, &v->ip);
	case ATOM_NUMBER: return number_matches(a, v);
	case ATOM_FIELD: return field_matches(s, a, v);
	case ATOM_TRUTH:
		return field_table[v->field].type == TYPE_BOOL && (v->u64 != 0) == a->truth;
	default: return false;
	}
}

bool
rule_ask(struct rules *s, struct atom *a)
{
	struct record_value v;
	struct value_walk w = {.field = a->field};
	if (a->asked == s->record)
		return a->answer;
	if (a->kind == ATOM_LITERAL) {
		rule_search(s, a->field);
		if (a->asked != s->record)
			rule_answer(s, a, false);
		return a->answer;
	}
	bool yes = false;
	if (a->kind == ATOM_EXISTS) {
		yes = rule_has(s, a->field);
	} else if (asks_one_number(s, a)) {
		yes = one_number_matches(s, a);
	} else if (a->field == ANY_TEXT) {
		for (uint32_t at = 0; !yes && record_next(s->view, &at, &v);)
			yes = field_table[v.field].type == TYPE_STR && value_matches(s, a, &v);
	} else {
		while (!yes && rule_value(s, &w, &v))
			yes = value_matches(s, a, &v);
	}
	rule_answer(s, a, yes);
	return yes;
}

bool
rule_holds(struct rules *s, const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case NODE_ATOM: return rule_ask(s, &s->atom[n->atom]);
	case NODE_NOT: return !rule_holds(s, n->child[0]);
	case NODE_AND:
		for (uint32_t i = 0; i < n->count; i++) {
			if (!rule_holds(s, n->child[i]))
				return false;
		}
		return true;
	case NODE_OR:
		for (uint32_t i = 0; i < n->count; i++) {
			if (rule_holds(s, n->child[i]))
				return true;
		}
		return false;
	}
	return false;
}
