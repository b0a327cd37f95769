/*
 * A line of a detection: a field, its modifiers and what its value must be.
 *
 *   field|modifier|modifier: value          (or a list of values, any of which will do)
 *
 * Modifiers are applied in the
 * order in which they stand: those that change the text (see rule_pattern.h) give new patterns, the
 * others say how it is compared.  Specification: "Sigma Modifiers", version 2.1.0.
 */
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/nearest.h"
#include "base/text.h"
#include "judge/rule.h"
#include "judge/rule_pattern.h"
#include "record/words.h"

enum modifier {
	MOD_CONTAINS,
	MOD_STARTSWITH,
	MOD_ENDSWITH,
	MOD_ALL,
	MOD_CASED,
	MOD_EXISTS,
	MOD_NEQ,
	MOD_RE,
	MOD_I,
	MOD_M,
	MOD_S,
	MOD_CIDR,
	MOD_LT,
	MOD_LTE,
	MOD_GT,
	MOD_GTE,
	MOD_FIELDREF,
	MOD_BASE64,
	MOD_BASE64OFFSET,
	MOD_UTF16,
	MOD_UTF16LE,
	MOD_UTF16BE,
	MOD_WIDE,
	MOD_WINDASH,
	MOD_EXPAND,
	MOD_MINUTE,
	MOD_HOUR,
	MOD_DAY,
	MOD_WEEK,
	MOD_MONTH,
	MOD_YEAR,
	MODIFIERS
};

static const char *const modifier_names[MODIFIERS] = {"contains", "startswith", "endswith", "all",
    "cased", "exists", "neq", "re", "i", "m", "s", "cidr", "lt", "lte", "gt", "gte", "fieldref",
    "base64", "base64offset", "utf16", "utf16le", "utf16be", "wide", "windash", "expand", "minute",
    "hour", "day", "week", "month", "year"};

#define BIT(m)	   (1ull << (m))
#define MODS_PLACE (BIT(MOD_CONTAINS) | BIT(MOD_STARTSWITH) | BIT(MOD_ENDSWITH))
#define MODS_RE	   (BIT(MOD_I) | BIT(MOD_M) | BIT(MOD_S))
#define MODS_ORDER (BIT(MOD_LT) | BIT(MOD_LTE) | BIT(MOD_GT) | BIT(MOD_GTE))
#define MODS_PART                                                                          \
	(BIT(MOD_MINUTE) | BIT(MOD_HOUR) | BIT(MOD_DAY) | BIT(MOD_WEEK) | BIT(MOD_MONTH) | \
	    BIT(MOD_YEAR))
#define MODS_TEXT                                                                               \
	(BIT(MOD_BASE64) | BIT(MOD_BASE64OFFSET) | BIT(MOD_UTF16) | BIT(MOD_UTF16LE) |          \
	    BIT(MOD_UTF16BE) | BIT(MOD_WIDE) | BIT(MOD_WINDASH) | MODS_PLACE | BIT(MOD_CASED) | \
	    BIT(MOD_EXPAND))

/* A line under way. */
struct line {
	struct rule_reader *r;
	int key_node;
	uint16_t field;	   /* ANY_TEXT for keywords */
	uint8_t type;	   /* enum field_type of it */
	uint64_t mods;	   /* bits of those that stand there */
	uint8_t order[16]; /* in their order */
	unsigned orders;
};

static const struct node *
no_memory(struct rule_reader *r)
{
	if (map_count(&r->set->atom_ids) == LIMIT_RULE_ATOMS)
		yaml_fail(r->yaml, yaml_root(r->yaml), "more than %u different values in the rules",
		    LIMIT_RULE_ATOMS);
	else
		yaml_fail(r->yaml, 0, "no memory");
	return NULL;
}

static const struct node *
finish(struct rule_reader *r, const struct node *n)
{
	return n != NULL ? n : no_memory(r);
}

/* ------------------------------------------------------------------------------ the key */

bool
rule_field_read(struct rule_reader *r, const char *name, int node, uint16_t *out)
{
	enum field f = field_by_name(name);
	if (f != FIELDS) {
		*out = (uint16_t)f;
		return true;
	}
	const char *known[FIELDS];
	for (unsigned i = 0; i < FIELDS; i++)
		known[i] = field_table[i].name;
	size_t best = nearest(name, strlen(name), known, FIELDS);
	if (best < FIELDS)
		return yaml_fail(r->yaml, node,
		    "'%.64s' is no field of the records; did you mean '%s'?", name, known[best]);
	return yaml_fail(r->yaml, node,
	    "'%.64s' is no field of the records (postcard --fields lists them)", name);
}

static bool
read_modifier(struct line *l, const char *name, size_t len)
{
	struct yaml *y = l->r->yaml;
	char word[32];
	struct text t = text_in(word, sizeof word);
	text_add(&t, name, len);
	for (unsigned m = 0; m < MODIFIERS; m++) {
		if (strcmp(modifier_names[m], word) != 0)
			continue;
		if (l->mods & BIT(m))
			return yaml_fail(y, l->key_node, "'|%s' stands there twice", word);
		if (BIT(m) & MODS_RE && !(l->mods & BIT(MOD_RE)))
			return yaml_fail(y, l->key_node, "'|%s' belongs behind '|re'", word);
		if (l->orders == sizeof l->order)
			return yaml_fail(y, l->key_node, "too many modifiers");
		l->mods |= BIT(m);
		l->order[l->orders++] = (uint8_t)m;
		return true;
	}
	return yaml_unknown(y, l->key_node, word, "modifier", modifier_names, MODIFIERS);
}

/* What may stand beside a modifier, besides `all` and `neq`. */
static const struct {
	uint64_t when, with;
	const char *why;
} together[] = {
    {BIT(MOD_EXISTS), BIT(MOD_EXISTS), "'|exists' stands alone"},
    {BIT(MOD_RE), BIT(MOD_RE) | MODS_RE, "'|re' goes with '|i', '|m' and '|s' only"},
    {BIT(MOD_CIDR), BIT(MOD_CIDR) | BIT(MOD_EXPAND), "'|cidr' goes with '|expand' only"},
    {MODS_PART, MODS_PART | MODS_ORDER,
	"a part of a time is a number: only lt, lte, gt and gte go with it"},
    {MODS_ORDER, MODS_ORDER | MODS_PART | BIT(MOD_FIELDREF),
	"a comparison goes with '|fieldref' and parts of a time only"},
    {BIT(MOD_FIELDREF), BIT(MOD_FIELDREF) | MODS_PLACE | BIT(MOD_CASED) | MODS_ORDER,
	"'|fieldref' goes with startswith, endswith, contains, cased, lt, lte, gt and gte only"},
};

/* Which modifiers a type of field takes. */
static const struct {
	uint8_t type; /* enum field_type */
	uint64_t takes;
	const char *why;
} fitting[] = {
    {TYPE_STR, MODS_TEXT | BIT(MOD_RE) | MODS_RE | BIT(MOD_EXISTS) | BIT(MOD_FIELDREF),
	"the field is text: that modifier does not fit it"},
    {TYPE_U64, BIT(MOD_EXISTS) | BIT(MOD_FIELDREF) | MODS_ORDER | BIT(MOD_EXPAND),
	"the field is a number: that modifier does not fit it"},
    {TYPE_BOOL, BIT(MOD_EXISTS), "the field is true or false: that modifier does not fit it"},
    {TYPE_TIME, BIT(MOD_EXISTS) | BIT(MOD_FIELDREF) | MODS_ORDER | MODS_PART,
	"the field is a time: that modifier does not fit it"},
    {TYPE_IP, BIT(MOD_CIDR) | BIT(MOD_EXPAND) | BIT(MOD_EXISTS) | BIT(MOD_FIELDREF) | MODS_PLACE,
	"the field is an address: that modifier does not fit it"},
    {TYPE_ITEM, BIT(MOD_EXISTS), "the field has no value of its own: only '|exists' fits it"},
};

static bool
at_most_one(uint64_t m)
{
	return (m & (m - 1)) == 0;
}

/* Do the modifiers go together, and with the field? */
static bool
check_modifiers(struct line *l)
{
	struct yaml *y = l->r->yaml;
	uint64_t m = l->mods, rest = m & ~(BIT(MOD_ALL) | BIT(MOD_NEQ));
	if (!at_most_one(m & MODS_ORDER) || !at_most_one(m & MODS_PLACE) ||
	    !at_most_one(m & MODS_PART) || (m & BIT(MOD_EXISTS) && m != rest))
		return yaml_fail(y, l->key_node, "these modifiers exclude each other");
	for (size_t i = 0; i < sizeof together / sizeof *together; i++) {
		if (m & together[i].when && rest & ~together[i].with)
			return yaml_fail(y, l->key_node, "%s", together[i].why);
	}
	if (m & BIT(MOD_BASE64OFFSET) && !(m & BIT(MOD_CONTAINS)))
		return yaml_fail(y, l->key_node,
		    "'|base64offset' finds a part of a text: add '|contains'");
	for (size_t i = 0; i < sizeof fitting / sizeof *fitting; i++) {
		if (fitting[i].type == l->type && rest & ~fitting[i].takes)
			return yaml_fail(y, l->key_node, "%s", fitting[i].why);
	}
	if (l->field == ANY_TEXT && rest & ~(MODS_TEXT | BIT(MOD_RE) | MODS_RE))
		return yaml_fail(y, l->key_node, "keywords take texts only");
	return true;
}

/* Is there a field of text that has the same name? */
static bool
also_text(unsigned field)
{
	for (unsigned f = field + 1; f < FIELDS; f++) {
		if (field_table[f].type == TYPE_STR &&
		    strcmp(field_table[f].name, field_table[field].name) == 0)
			return true;
	}
	return false;
}

static bool
read_key(struct line *l, const char *key)
{
	size_t len = strcspn(key, "|");
	char name[128];
	struct text t = text_in(name, sizeof name);
	text_add(&t, key, len);
	l->field = ANY_TEXT;
	l->type = TYPE_STR;
	if (len > 0) {
		if (!rule_field_read(l->r, name, l->key_node, &l->field))
			return false;
		l->type = field_table[l->field].type;
	}
	for (const char *s = key + len; *s == '|'; s += 1 + len) {
		len = strcspn(s + 1, "|");
		if (!read_modifier(l, s + 1, len))
			return false;
	}
	/* postcard.starttls.reply is a number or a word: it is compared as text, or by size */
	if (l->field != ANY_TEXT && l->type != TYPE_STR && !(l->mods & MODS_ORDER) &&
	    also_text(l->field))
		l->type = TYPE_STR;
	return check_modifiers(l);
}

/* ------------------------------------------------------------------------------- atoms */

/* A pattern, compared as text. */
static const struct node *
text_atom(struct line *l, struct pattern *p)
{
	struct rules *s = l->r->set;
	struct atom a = {.field = l->field,
	    .kind = ATOM_LITERAL,
	    .cased = (l->mods & (BIT(MOD_CASED) | BIT(MOD_BASE64) | BIT(MOD_BASE64OFFSET))) != 0,
	    .anchors = ANCHOR_START | ANCHOR_END};
	const uint16_t *u = p->unit;
	size_t n = p->len;
	bool inside = l->field == ANY_TEXT || l->mods & BIT(MOD_CONTAINS);
	if (n == 0 && (inside || l->mods & MODS_PLACE)) {
		yaml_fail(l->r->yaml, l->key_node, "an empty text is in every text");
		return NULL;
	}
	if (inside || l->mods & BIT(MOD_ENDSWITH) || (n > 0 && u[0] == WILD_MANY))
		a.anchors &= (uint8_t)~ANCHOR_START;
	if (inside || l->mods & BIT(MOD_STARTSWITH) || (n > 0 && u[n - 1] == WILD_MANY))
		a.anchors &= (uint8_t)~ANCHOR_END;
	if (n > 0 && u[0] == WILD_MANY)
		u++, n--;
	if (n > 0 && u[n - 1] == WILD_MANY)
		n--;
	if (n == 0 && p->len > 0) { /* "*": anything */
		a = (struct atom){.field = l->field, .kind = ATOM_EXISTS};
		return finish(l->r, rule_node_atom(s, &a));
	}
	uint16_t whole[PATTERN + 2];
	char text[PATTERN];
	size_t w = 0;
	bool wild = false;
	if (!(a.anchors & ANCHOR_START))
		whole[w++] = WILD_MANY;
	for (size_t i = 0; i < n; i++) {
		uint16_t c = u[i];
		if (c < 256 && (!a.cased))
			c = (uint8_t)ascii_lower((char)c);
		wild |= c > 255;
		whole[w++] = c;
		text[i] = (char)c;
	}
	if (!(a.anchors & ANCHOR_END))
		whole[w++] = WILD_MANY;
	if (wild || n == 0) { /* the empty text is no literal */
		a.kind = ATOM_GLOB;
		a.anchors = 0;
		a.len = (uint32_t)w;
		a.pattern = arena_take(&s->arena, (w + 1) * sizeof *whole);
		if (a.pattern == NULL)
			return no_memory(l->r);
		memcpy((uint16_t *)a.pattern, whole, w * sizeof *whole);
	} else {
		a.len = (uint32_t)n;
		a.text = arena_copy(&s->arena, text, n);
		if (a.text == NULL)
			return no_memory(l->r);
	}
	return finish(l->r, rule_node_atom(s, &a));
}

static const struct node *
regex_atom(struct line *l, int node, const char *text)
{
	struct rules *s = l->r->set;
	struct atom a = {.field = l->field, .kind = ATOM_REGEX, .len = (uint32_t)strlen(text)};
	int error = 0;
	PCRE2_SIZE at = 0;
	if (l->mods & BIT(MOD_I))
		a.options |= PCRE2_CASELESS;
	if (l->mods & BIT(MOD_M))
		a.options |= PCRE2_MULTILINE;
	if (l->mods & BIT(MOD_S))
		a.options |= PCRE2_DOTALL;
	if (a.len > PATTERN) {
		yaml_fail(l->r->yaml, node, "an expression of more than %u octets", PATTERN);
		return NULL;
	}
	/* octets that are no UTF-8 match nothing, and do no harm */
	a.options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
	/* compiled here for its errors; rules_link compiles those that the set keeps */
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, a.len, a.options, &error, &at, NULL);
	if (code == NULL) {
		PCRE2_UCHAR why[128] = "";
		pcre2_get_error_message(error, why, sizeof why);
		yaml_fail(l->r->yaml, node, "the expression is wrong at its character %zu: %s",
		    (size_t)at + 1, (const char *)why);
		return NULL;
	}
	pcre2_code_free(code);
	a.text = arena_copy(&s->arena, text, a.len);
	return a.text != NULL ? finish(l->r, rule_node_atom(s, &a)) : no_memory(l->r);
}

static const struct node *
network_atom(struct line *l, int node, const char *text)
{
	struct atom a = {.field = l->field, .kind = ATOM_NETWORK};
	if (!network_parse(text, &a.network)) {
		yaml_fail(l->r->yaml, node, "'%.64s' is no network (192.0.2.0/24) or address",
		    text);
		return NULL;
	}
	return finish(l->r, rule_node_atom(l->r->set, &a));
}

static const struct node *
number_atom(struct line *l, int node, const char *text)
{
	struct atom a = {.field = l->field, .kind = ATOM_NUMBER};
	char *end = NULL;
	a.number = text[0] != '\0' && strlen(text) < 19 ? strtoll(text, &end, 10) : 0;
	if (end == NULL || *end != '\0') {
		yaml_fail(l->r->yaml, node, "'%.64s' is no number", text);
		return NULL;
	}
	a.compare = l->mods & BIT(MOD_LT) ? COMPARE_LT
	    : l->mods & BIT(MOD_LTE)	  ? COMPARE_LTE
	    : l->mods & BIT(MOD_GT)	  ? COMPARE_GT
	    : l->mods & BIT(MOD_GTE)	  ? COMPARE_GTE
					  : COMPARE_EQ;
	for (unsigned m = MOD_MINUTE; m <= MOD_YEAR; m++) {
		if (l->mods & BIT(m))
			a.part = (uint8_t)(PART_MINUTE + (m - MOD_MINUTE));
	}
	return finish(l->r, rule_node_atom(l->r->set, &a));
}

static const struct node *
truth_atom(struct line *l, int node)
{
	struct atom a = {.field = l->field, .kind = ATOM_TRUTH};
	if (!yaml_need_bool(l->r->yaml, node, &a.truth))
		return NULL;
	return finish(l->r, rule_node_atom(l->r->set, &a));
}

static const struct node *
field_atom(struct line *l, int node, const char *text)
{
	struct atom a = {.field = l->field,
	    .kind = ATOM_FIELD,
	    .cased = (l->mods & BIT(MOD_CASED)) != 0,
	    .anchors = ANCHOR_START | ANCHOR_END};
	if (!rule_field_read(l->r, text, node, &a.other))
		return NULL;
	if (l->mods & MODS_ORDER) {
		if (field_table[a.other].type != l->type) {
			yaml_fail(l->r->yaml, node, "'%.64s' is not of the same type", text);
			return NULL;
		}
		a.compare = l->mods & BIT(MOD_LT) ? COMPARE_LT
		    : l->mods & BIT(MOD_LTE)	  ? COMPARE_LTE
		    : l->mods & BIT(MOD_GT)	  ? COMPARE_GT
						  : COMPARE_GTE;
	}
	if (l->mods & (BIT(MOD_CONTAINS) | BIT(MOD_ENDSWITH)))
		a.anchors &= (uint8_t)~ANCHOR_START;
	if (l->mods & (BIT(MOD_CONTAINS) | BIT(MOD_STARTSWITH)))
		a.anchors &= (uint8_t)~ANCHOR_END;
	return finish(l->r, rule_node_atom(l->r->set, &a));
}

static const struct node *
exists_atom(struct line *l, bool exists)
{
	struct atom a = {.field = l->field, .kind = ATOM_EXISTS};
	const struct node *n = rule_node_atom(l->r->set, &a);
	return finish(l->r, n != NULL && !exists ? rule_node_not(l->r->set, n) : n);
}

/* One pattern, by the type of the field. */
static const struct node *
pattern_node(struct line *l, int node, struct pattern *p)
{
	char text[PATTERN + 1];
	bool wild = (l->mods & MODS_PLACE) != 0;
	for (size_t i = 0; i < p->len; i++) {
		wild |= p->unit[i] > 255;
		text[i] = p->unit[i] == WILD_MANY ? '*' : (char)p->unit[i];
	}
	text[p->len] = '\0';
	if (l->mods & BIT(MOD_CIDR) || (l->type == TYPE_IP && !wild))
		return network_atom(l, node, text);
	if (l->type == TYPE_TIME && !(l->mods & MODS_PART)) {
		yaml_fail(l->r->yaml, l->key_node,
		    "of a time only a part can be compared (|minute to |year), or all of it with "
		    "another field");
		return NULL;
	}
	if (l->mods & (MODS_ORDER | MODS_PART) || (l->type == TYPE_U64 && !wild))
		return number_atom(l, node, text);
	if (l->type == TYPE_TIME || l->type == TYPE_ITEM) {
		yaml_fail(l->r->yaml, node, "the field cannot be compared with a text");
		return NULL;
	}
	return text_atom(l, p);
}

/* ------------------------------------------------------------------------------ values */

/* Does one of the patterns fit the word? */
static bool
fits(const struct line *l, const struct patterns *ps, const char *word)
{
	uint16_t whole[PATTERN + 2];
	bool before = (l->mods & (BIT(MOD_CONTAINS) | BIT(MOD_ENDSWITH))) != 0;
	bool behind = (l->mods & (BIT(MOD_CONTAINS) | BIT(MOD_STARTSWITH))) != 0;
	bool cased = (l->mods & BIT(MOD_CASED)) != 0;
	for (size_t i = 0; i < ps->count; i++) {
		const struct pattern *p = &ps->p[i];
		size_t n = 0;
		if (before)
			whole[n++] = WILD_MANY;
		for (size_t k = 0; k < p->len; k++) {
			uint16_t c = p->unit[k];
			whole[n++] = c < 256 && !cased ? (uint8_t)ascii_lower((char)c) : c;
		}
		if (behind)
			whole[n++] = WILD_MANY;
		if (rule_glob(whole, n, cased, word, strlen(word)))
			return true;
	}
	return false;
}

/* Of a field that has one of a few words: does a pattern fit any?  One that does not would never
 * match, and nobody would see that. */
static bool
check_word(struct line *l, int node, const char *text, const struct patterns *ps)
{
	const char *const *words = l->field != ANY_TEXT ? record_words(l->field) : NULL;
	size_t count = 0;
	if (words == NULL)
		return true;
	for (; words[count] != NULL; count++) {
		if (fits(l, ps, words[count]))
			return true;
	}
	return yaml_unknown(l->r->yaml, node, text, field_table[l->field].name, words, count);
}

static const struct node *
value_text(struct line *l, int node, const char *text)
{
	static const int8_t changes[MODIFIERS] = {[MOD_BASE64] = 1 + CHANGE_BASE64,
	    [MOD_BASE64OFFSET] = 1 + CHANGE_BASE64OFFSET,
	    [MOD_UTF16] = 1 + CHANGE_UTF16,
	    [MOD_UTF16LE] = 1 + CHANGE_UTF16LE,
	    [MOD_WIDE] = 1 + CHANGE_UTF16LE,
	    [MOD_UTF16BE] = 1 + CHANGE_UTF16BE,
	    [MOD_WINDASH] = 1 + CHANGE_WINDASH};
	struct patterns ps = {0};
	bool good = patterns_read(l->r, node, text, (l->mods & BIT(MOD_EXPAND)) != 0, &ps);
	for (unsigned i = 0; good && i < l->orders; i++) {
		int change = changes[l->order[i]] - 1;
		if (change >= 0)
			good = patterns_change(l->r, l->key_node, (enum pattern_change)change, &ps);
	}
	good = good && check_word(l, node, text, &ps);
	struct node *any = good ? rule_node(l->r->set, NODE_OR, (uint32_t)ps.count) : NULL;
	if (good && any == NULL)
		no_memory(l->r);
	for (size_t i = 0; any != NULL && i < ps.count; i++) {
		any->child[i] = pattern_node(l, node, &ps.p[i]);
		if (any->child[i] == NULL)
			any = NULL;
	}
	free(ps.p);
	return any != NULL && any->count == 1 ? any->child[0] : any;
}

/* One value. */
static const struct node *
value_node(struct line *l, int node, bool alone)
{
	struct yaml *y = l->r->yaml;
	bool exists;
	if (l->mods & BIT(MOD_EXISTS))
		return alone && yaml_need_bool(y, node, &exists) ? exists_atom(l, exists) : NULL;
	if (yaml_is_null(y, node)) {
		if (!alone)
			yaml_fail(y, node,
			    "null cannot stand in a list: make it a name of its own under "
			    "'detection'");
		else if (l->mods != 0 || l->field == ANY_TEXT)
			yaml_fail(y, node, "null goes with no modifier");
		else
			return exists_atom(l, false);
		return NULL;
	}
	const char *text = yaml_text(y, node);
	if (text == NULL) {
		yaml_fail(y, node, "a text, a number or a list of them is expected here");
		return NULL;
	}
	if (l->type == TYPE_BOOL)
		return truth_atom(l, node);
	if (l->mods & BIT(MOD_FIELDREF))
		return field_atom(l, node, text);
	if (l->mods & BIT(MOD_RE))
		return regex_atom(l, node, text);
	return value_text(l, node, text);
}

const struct node *
rule_value_read(struct rule_reader *r, const char *key, int key_node, int node)
{
	struct line l = {.r = r, .key_node = key_node};
	struct yaml *y = r->yaml;
	if (!read_key(&l, key))
		return NULL;
	bool list = yaml_kind(y, node) == YAML_LIST;
	size_t count = list ? yaml_count(y, node) : 1;
	bool all = (l.mods & BIT(MOD_ALL)) != 0;
	if (yaml_kind(y, node) == YAML_MAP || count == 0) {
		yaml_fail(y, node,
		    count == 0 ? "an empty list matches nothing"
			       : "a value is expected here, not a map");
		return NULL;
	}
	if (all && count < 2) {
		yaml_fail(y, key_node, "'|all' needs a list of at least two values");
		return NULL;
	}
	struct node *n = rule_node(r->set, all ? NODE_AND : NODE_OR, (uint32_t)count);
	if (n == NULL)
		return no_memory(r);
	for (size_t i = 0; i < count; i++) {
		n->child[i] = value_node(&l, list ? yaml_item(y, node, i) : node, !list);
		if (n->child[i] == NULL) {
			yaml_fail(y, node,
			    "a single value is expected here"); /* unless more was said */
			return NULL;
		}
	}
	const struct node *whole = n->count == 1 ? n->child[0] : n;
	return l.mods & BIT(MOD_NEQ) ? finish(r, rule_node_not(r->set, whole)) : whole;
}
