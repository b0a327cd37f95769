/*
 * What a correlation remembers: for each group of events a window that slides with packet time.
 *
 * A group is found by a keyed hash (128 bits) of the values that its events share; the state file
 * keeps windows together with the key (rule_keep.c).  A window is as
 * large as the condition can ask for and no larger; where it is full the oldest leaves.  A
 * correlation has LIMIT_WINDOW_OCTETS; where these are used up, a group that was silent for long
 * is given up.  It is complete on the event that makes its condition true, and again when that
 * still holds a timespan later.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "judge/rule_correlation.h"

#define GROUPS_A_RECORD 64u /* that one record may belong to, by fields of several values */

size_t
rule_window_size(const struct correlation *c)
{
	return sizeof(struct group) + c->window * sizeof(struct entry);
}

bool
rule_window_init(struct correlation *c)
{
	unsigned entries = c->window;
	if (c->kind == CORRELATION_TEMPORAL || c->kind == CORRELATION_ORDERED)
		entries = c->rules;
	c->window = entries;
	size_t size = rule_window_size(c);
	size_t groups = LIMIT_WINDOW_OCTETS / size;
	if (groups > LIMIT_GROUPS)
		groups = LIMIT_GROUPS;
	if (c->keys == 0)
		groups = 1;
	return map_init(&c->groups, "groups of a correlation", sizeof(struct group_key), size,
	    (uint32_t)groups);
}

static void
copy_lower(char *to, const char *s, size_t len)
{
	size_t i = 0;
	for (uint64_t w; i + sizeof w <= len; i += sizeof w) {
		memcpy(&w, s + i, sizeof w);
		w = ascii_lower_8(w);
		memcpy(to + i, &w, sizeof w);
	}
	for (; i < len; i++)
		to[i] = ascii_lower(s[i]);
}

/* The hash of `h` and a value as text, blind to case. */
static struct group_key
mix_value(const struct rules *set, struct group_key h, const struct record_value *v)
{
	char text[RULE_TEXT], part[sizeof h + 256];
	size_t len;
	const char *s = rule_text(v, text, &len);
	do { /* part by part: a value may be long */
		size_t n = len < 256 ? len : 256;
		memcpy(part, &h, sizeof h);
		copy_lower(part + sizeof h, s, n);
		hash_octets(&set->key, part, sizeof h + n, h.octets);
		s += n;
		len -= n;
	} while (len > 0);
	return h;
}

/* The groups that the record belongs to as an event of the rule at `position`: one, or more where
 * a field has several values; none where it lacks one. */
static unsigned
groups_of(const struct rules *s, const struct correlation *c, unsigned position,
    struct group_key out[GROUPS_A_RECORD])
{
	unsigned count = 1;
	out[0] = (struct group_key){{1}};
	for (unsigned k = 0; k < c->keys; k++) {
		struct group_key grown[GROUPS_A_RECORD];
		unsigned n = 0;
		uint16_t field = s->canonical[c->key[k][position]];
		for (unsigned g = 0; g < count; g++) {
			struct record_value v;
			struct value_walk w = {.field = field};
			while (n < GROUPS_A_RECORD && rule_value(s, &w, &v))
				grown[n++] = mix_value(s, out[g], &v);
		}
		if (n == 0) /* the field is missing: it belongs to no group */
			return 0;
		memcpy(out, grown, n * sizeof *grown);
		count = n;
	}
	return count;
}

/* Room for one more group: of a few, the one that was silent for the longest time goes. */
static void
give_up_one(struct correlation *c)
{
	void *value;
	if (map_stalest(&c->groups, &c->walk, offsetof(struct group, last_ns), &value) != NULL)
		map_remove_value(&c->groups, value);
}

static struct group *
find_group(struct correlation *c, const struct group_key *key, uint64_t hash)
{
	bool fresh = false;
	struct group *g = map_put_hashed(&c->groups, key, hash, &fresh);
	if (g == NULL) {
		give_up_one(c);
		g = map_put_hashed(&c->groups, key, hash, &fresh);
	}
	if (g != NULL && fresh) {
		g->last_ns = g->fired_ns = NEVER;
		for (unsigned i = 0; i < c->window; i++)
			g->entry[i].ns = NEVER;
	}
	return g;
}

static bool
within(const struct correlation *c, int64_t ns, int64_t now_ns)
{
	return ns != NEVER && now_ns - ns <= c->timespan_ns;
}

static bool
compares(int64_t x, const struct bound *b)
{
	switch ((enum compare)b->compare) {
	case COMPARE_LT: return x < b->number;
	case COMPARE_LTE: return x <= b->number;
	case COMPARE_GT: return x > b->number;
	case COMPARE_GTE: return x >= b->number;
	default: return x == b->number;
	}
}

static bool
in_bounds(const struct correlation *c, int64_t x)
{
	for (unsigned i = 0; i < c->bounds; i++) {
		if (!compares(x, &c->bound[i]))
			return false;
	}
	return true;
}

/* An entry behind the others, which are in the order of their time; the old ones leave. */
static void
append(const struct correlation *c, struct group *g, int64_t now_ns, uint64_t value)
{
	const unsigned window = c->window > 0 ? c->window : 1;
	while (g->count > 0 && !within(c, g->entry[g->head].ns, now_ns)) {
		g->head = (g->head + 1) % window;
		g->count--;
	}
	if (g->count == window) {
		g->head = (g->head + 1) % window;
		g->count--;
	}
	g->entry[(g->head + g->count++) % window] = (struct entry){now_ns, value};
}

/* A value among different ones, in no order. */
static void
insert(const struct correlation *c, struct group *g, int64_t now_ns, uint64_t value)
{
	uint32_t kept = 0, place = UINT32_MAX, oldest = 0;
	for (uint32_t i = 0; i < g->count; i++) {
		if (!within(c, g->entry[i].ns, now_ns))
			continue;
		g->entry[kept] = g->entry[i];
		if (g->entry[kept].value == value)
			place = kept;
		if (g->entry[kept].ns < g->entry[oldest].ns)
			oldest = kept;
		kept++;
	}
	g->count = kept;
	if (place == UINT32_MAX)
		place = kept < c->window ? g->count++ : oldest;
	g->entry[place] = (struct entry){now_ns, value};
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* What the numbers of the window come to. */
static int64_t
compute(const struct correlation *c, const struct group *g)
{
	uint64_t sorted[LIMIT_WINDOW_VALUES];
	__uint128_t sum = 0;
	uint32_t n = g->count;
	for (uint32_t i = 0; i < n; i++) {
		sorted[i] = g->entry[(g->head + i) % c->window].value;
		sum += sorted[i];
	}
	if (c->kind == CORRELATION_AVG)
		sum /= n;
	if (c->kind == CORRELATION_SUM || c->kind == CORRELATION_AVG)
		return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
	qsort(sorted, n, sizeof *sorted, by_size);
	uint32_t at = c->kind == CORRELATION_MIN ? 0
	    : c->kind == CORRELATION_MAX	 ? n - 1
	    : c->kind == CORRELATION_MEDIAN
	    ? (n - 1) / 2
	    : (uint32_t)(((uint64_t)n * c->percentile + 99) / 100) - 1;
	uint64_t value = sorted[at];
	if (c->kind == CORRELATION_MEDIAN && n % 2 == 0)
		value = value / 2 + sorted[at + 1] / 2 + (value & sorted[at + 1] & 1);
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Has each rule that the condition needs an event in the window? */
static bool
temporal_holds(const struct correlation *c, const struct group *g, const struct node *n,
    int64_t now_ns)
{
	if (n->kind == NODE_ATOM)
		return within(c, g->entry[n->atom].ns, now_ns);
	bool any = n->kind == NODE_OR;
	for (uint32_t i = 0; i < n->count; i++) {
		if (temporal_holds(c, g, n->child[i], now_ns) == any)
			return any;
	}
	return !any;
}

static bool
push_temporal(const struct correlation *c, struct group *g, unsigned position, int64_t now_ns)
{
	unsigned count = 0;
	g->entry[position].ns = now_ns;
	if (c->condition != NULL)
		return temporal_holds(c, g, c->condition, now_ns);
	for (unsigned i = 0; i < c->rules; i++)
		count += within(c, g->entry[i].ns, now_ns);
	return count >= (c->least > 0 ? c->least : c->rules);
}

/* An entry holds when the newest chain began that has come as far as its rule. */
static bool
push_ordered(const struct correlation *c, struct group *g, unsigned position, int64_t now_ns)
{
	if (position == 0) {
		g->entry[0].ns = now_ns;
	} else {
		if (!within(c, g->entry[position - 1].ns, now_ns))
			return false;
		g->entry[position].ns = g->entry[position - 1].ns;
	}
	unsigned needed = c->least > 0 ? c->least : c->rules;
	return position + 1 >= needed;
}

/* The condition, after the record at hand became an event of the group. */
static bool
push_event(struct rules *s, const struct correlation *c, struct group *g, unsigned position,
    int64_t now_ns)
{
	struct record_value v;
	struct value_walk w = {.field = s->canonical[c->field]};
	bool any = rule_has(s, w.field);
	switch ((enum correlation_kind)c->kind) {
	case CORRELATION_EVENT_COUNT: append(c, g, now_ns, 0); return in_bounds(c, g->count);
	case CORRELATION_VALUE_COUNT:
		while (rule_value(s, &w, &v)) {
			uint64_t value;
			struct group_key h = mix_value(s, (struct group_key){{2}}, &v);
			memcpy(&value, &h, sizeof value);
			insert(c, g, now_ns, value);
		}
		return any && in_bounds(c, g->count);
	case CORRELATION_TEMPORAL: return push_temporal(c, g, position, now_ns);
	case CORRELATION_ORDERED: return push_ordered(c, g, position, now_ns);
	default:
		while (rule_value(s, &w, &v)) {
			if (field_table[v.field].type == TYPE_U64)
				append(c, g, now_ns, v.u64);
		}
		return any && g->count > 0 && in_bounds(c, compute(c, g));
	}
}

static bool
push_group(struct rules *s, struct correlation *c, const struct group_key *key, uint64_t hash,
    unsigned position, int64_t now_ns)
{
	struct group *g = find_group(c, key, hash);
	if (g == NULL)
		return false;
	if (now_ns < g->last_ns) /* the clock went back: time stands still */
		now_ns = g->last_ns;
	g->last_ns = now_ns;
	g->dirty = true;
	bool holds = push_event(s, c, g, position, now_ns);
	if (c->kind == CORRELATION_ORDERED) { /* each chain once: known by when it began */
		if (!holds || g->entry[position].ns == g->fired_ns)
			return false;
		g->fired_ns = g->entry[position].ns;
		return true;
	}
	if (!holds) {
		g->fired_ns = NEVER;
		return false;
	}
	if (within(c, g->fired_ns, now_ns))
		return false;
	g->fired_ns = now_ns;
	return true;
}

/* Most records are an event of one rule, in one group. */
void
rule_window_expect(struct rules *s, struct correlation *c)
{
	struct group_key keys[GROUPS_A_RECORD];
	unsigned hits = 0, at = 0;
	c->expected_at = 0;
	for (unsigned i = 0; i < c->rules; i++) {
		if (c->rule[i]->kind == RULE_CORRELATION)
			return; /* it is not known yet whether it hits */
		if (c->rule[i]->body->hit) {
			hits++;
			at = i;
		}
	}
	if (hits != 1 || groups_of(s, c, at, keys) != 1)
		return;
	c->expected = keys[0];
	c->expected_at = at + 1;
	c->expected_hash = map_expect(&c->groups, &c->expected);
}

bool
rule_window_push(struct rules *s, struct correlation *c, int64_t now_ns)
{
	struct group_key seen[GROUPS_A_RECORD], keys[GROUPS_A_RECORD];
	unsigned seens = 0;
	bool complete = false;
	if (c->expected_at > 0)
		return push_group(s, c, &c->expected, c->expected_hash, c->expected_at - 1, now_ns);
	bool each = c->kind == CORRELATION_TEMPORAL || c->kind == CORRELATION_ORDERED;
	/* backwards, so that one event is not two steps of a chain */
	for (unsigned position = c->rules; position-- > 0;) {
		if (!c->rule[position]->body->hit)
			continue;
		unsigned n = groups_of(s, c, position, keys);
		for (unsigned i = 0; i < n; i++) {
			unsigned k = 0;
			while (k < seens && memcmp(&seen[k], &keys[i], sizeof *seen) != 0)
				k++;
			if (!each && k < seens)
				continue; /* one record is one event, however many rules it hits */
			if (k == seens && seens < GROUPS_A_RECORD)
				seen[seens++] = keys[i];
			complete |= push_group(s, c, &keys[i], map_expect(&c->groups, &keys[i]),
			    position, now_ns);
		}
	}
	return complete;
}
