/*
 * The section `correlation` of a Sigma document.
 *
 * Specification: "Sigma Correlation Rules", version 2.1.0.  A condition that only bounds a count
 * from above would be met by silence, which no event shows: it is refused.
 */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "judge/rule_correlation.h"

static const char *const kind_names[CORRELATIONS] = {"event_count", "value_count", "temporal",
    "temporal_ordered", "value_sum", "value_avg", "value_min", "value_max", "value_median",
    "value_percentile"};

/* Where the parts of the section stand; 0 for none. */
struct parts {
	int type, rules, group_by, timespan, condition, field, aliases, generate, percentile;
};

static bool
no_memory(struct rule_reader *r)
{
	return yaml_fail(r->yaml, 0, "no memory");
}

static bool
is_temporal(const struct correlation *c)
{
	return c->kind == CORRELATION_TEMPORAL || c->kind == CORRELATION_ORDERED;
}

static bool
find_parts(struct rule_reader *r, int map, struct parts *p)
{
	static const char *const names[] = {"type", "rules", "group-by", "timespan", "condition",
	    "field", "aliases", "generate", "percentile"};
	int *const where[] = {&p->type, &p->rules, &p->group_by, &p->timespan, &p->condition,
	    &p->field, &p->aliases, &p->generate, &p->percentile};
	struct yaml *y = r->yaml;
	const size_t n = sizeof names / sizeof *names;
	if (!yaml_need_map(y, map, "'correlation', with type, rules and timespan,"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key;
		int key_node, value;
		size_t k = 0;
		if (!yaml_pair(y, map, i, &key, &key_node, &value))
			return false;
		while (k < n && strcmp(names[k], key) != 0)
			k++;
		if (k == n)
			return yaml_unknown(y, key_node, key, "part of a correlation", names, n);
		*where[k] = value;
	}
	if (p->type == 0)
		return yaml_fail(y, map, "'type' is missing");
	if (p->rules == 0)
		return yaml_fail(y, map, "'rules' is missing");
	return p->timespan != 0 || yaml_fail(y, map, "'timespan' is missing");
}

static bool
read_kind(struct rule_reader *r, struct correlation *c, int node)
{
	const char *s;
	if (!yaml_need_text(r->yaml, node, &s))
		return false;
	for (unsigned k = 0; k < CORRELATIONS; k++) {
		if (strcmp(kind_names[k], s) == 0) {
			c->kind = (uint8_t)k;
			return true;
		}
	}
	return yaml_unknown(r->yaml, node, s, "type of correlation", kind_names, CORRELATIONS);
}

static bool
read_rules(struct rule_reader *r, struct correlation *c, int node)
{
	struct yaml *y = r->yaml;
	size_t count = yaml_texts(y, node);
	if (count == 0)
		return yaml_fail(y, node, "the names or ids of rules are expected here");
	if (count > CORRELATION_RULES)
		return yaml_fail(y, node, "more than %u rules", CORRELATION_RULES);
	for (size_t i = 0; i < count; i++) {
		const char *s = yaml_text_at(y, node, i);
		if (s == NULL)
			return false;
		for (size_t k = 0; k < i; k++) {
			if (strcmp(c->rule_name[k], s) == 0)
				return yaml_fail(y, node, "'%.64s' stands there twice", s);
		}
		c->rule_name[i] = arena_copy(&r->set->arena, s, strlen(s));
		if (c->rule_name[i] == NULL)
			return no_memory(r);
		c->rule_place[i] =
		    yaml_place(y, yaml_kind(y, node) == YAML_LIST ? yaml_item(y, node, i) : node);
	}
	c->rules = (unsigned)count;
	return true;
}

/* The position of a rule among those of the correlation; false with a message. */
static bool
rule_position(struct rule_reader *r, const struct correlation *c, const char *name, int node,
    unsigned *out)
{
	for (unsigned i = 0; i < c->rules; i++) {
		if (strcmp(c->rule_name[i], name) == 0) {
			*out = i;
			return true;
		}
	}
	return yaml_unknown(r->yaml, node, name, "rule of this correlation", c->rule_name,
	    c->rules);
}

/* What one alias is in the events of each rule. */
static bool
read_alias(struct rule_reader *r, struct correlation *c, unsigned key, int map)
{
	struct yaml *y = r->yaml;
	bool known[CORRELATION_RULES] = {false};
	if (!yaml_need_map(y, map, "the rules and their fields, one each,"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *name, *field;
		int name_node, value;
		unsigned at = 0;
		if (!yaml_pair(y, map, i, &name, &name_node, &value) ||
		    !rule_position(r, c, name, name_node, &at) ||
		    !yaml_need_text(y, value, &field) ||
		    !rule_field_read(r, field, value, &c->key[key][at]))
			return false;
		known[at] = true;
	}
	for (unsigned i = 0; i < c->rules; i++) {
		if (!known[i])
			return yaml_fail(y, map, "the alias has no field for the rule '%.64s'",
			    c->rule_name[i]);
	}
	return true;
}

static bool
read_keys(struct rule_reader *r, struct correlation *c, const struct parts *p)
{
	struct yaml *y = r->yaml;
	size_t count = yaml_texts(y, p->group_by), aliases = yaml_count(y, p->aliases), used = 0;
	if (p->aliases != 0 && !yaml_need_map(y, p->aliases, "'aliases'"))
		return false;
	if (p->group_by != 0 && count == 0)
		return yaml_fail(y, p->group_by, "fields are expected here");
	if (count > CORRELATION_KEYS)
		return yaml_fail(y, p->group_by, "more than %u fields", CORRELATION_KEYS);
	for (size_t i = 0; i < count; i++) {
		const char *s = yaml_text_at(y, p->group_by, i);
		if (s == NULL)
			return false;
		int alias = p->aliases != 0 ? yaml_get(y, p->aliases, s) : 0;
		uint16_t field;
		if (alias != 0) {
			used++;
			if (!read_alias(r, c, (unsigned)i, alias))
				return false;
			continue;
		}
		if (!rule_field_read(r, s, p->group_by, &field))
			return false;
		for (unsigned k = 0; k < c->rules; k++)
			c->key[i][k] = field;
	}
	c->keys = (unsigned)count;
	return used == aliases || yaml_fail(y, p->aliases, "an alias that 'group-by' does not use");
}

/*
 * `field` stands among the bounds, as the specification's text has it, or beside `condition`, as
 * its schema has it: both are taken, and need to be the same.
 */
static bool
take_field(struct yaml *y, struct parts *p, int node)
{
	const char *here, *there;
	if (p->field != 0) {
		if (!yaml_need_text(y, node, &here) || !yaml_need_text(y, p->field, &there))
			return false;
		if (strcmp(here, there) != 0)
			return yaml_fail(y, node,
			    "'field' says '%.64s' here and '%.64s' in line %u", here, there,
			    yaml_line(y, p->field));
	}
	p->field = node;
	return true;
}

/* Is there a number that keeps to all the bounds? */
static bool
can_be_met(const struct correlation *c)
{
	int64_t low = 0, high = INT64_MAX;
	for (unsigned i = 0; i < c->bounds; i++) {
		const struct bound *b = &c->bound[i];
		int64_t from = b->compare == COMPARE_GT			    ? b->number + 1
		    : b->compare == COMPARE_GTE || b->compare == COMPARE_EQ ? b->number
									    : 0;
		int64_t to = b->compare == COMPARE_LT			    ? b->number - 1
		    : b->compare == COMPARE_LTE || b->compare == COMPARE_EQ ? b->number
									    : INT64_MAX;
		low = from > low ? from : low;
		high = to < high ? to : high;
	}
	return low <= high;
}

/* Bounds of a count: {gte: 10}, {gt: 3, lt: 10}; `field` may stand among them. */
static bool
read_bounds(struct rule_reader *r, struct correlation *c, struct parts *p)
{
	static const char *const names[] = {"eq", "lt", "lte", "gt", "gte", "field"};
	struct yaml *y = r->yaml;
	bool lower = false;
	uint64_t most = 0;
	for (size_t i = 0; i < yaml_count(y, p->condition); i++) {
		const char *key;
		int key_node, value;
		unsigned k = 0;
		uint64_t n;
		if (!yaml_pair(y, p->condition, i, &key, &key_node, &value))
			return false;
		while (k < 6 && strcmp(names[k], key) != 0)
			k++;
		if (k == 6)
			return yaml_unknown(y, key_node, key, "comparison", names, 6);
		if (k == 5) {
			if (!take_field(y, p, value))
				return false;
			continue;
		}
		if (!yaml_need_u64(y, value, &n))
			return false;
		if (c->bounds == 2)
			return yaml_fail(y, key_node, "more than two comparisons");
		c->bound[c->bounds++] = (struct bound){(uint8_t)(COMPARE_EQ + k), (int64_t)n};
		lower |= k == 0 ? n > 0 : k == 3 || (k == 4 && n > 0);
		most = n > most ? n : most;
	}
	if (c->bounds == 0)
		return yaml_fail(y, p->condition, "a comparison is expected, as {gte: 10}");
	if (!can_be_met(c))
		return yaml_fail(y, p->condition, "no number keeps to both");
	bool counts = c->kind == CORRELATION_EVENT_COUNT || c->kind == CORRELATION_VALUE_COUNT ||
	    is_temporal(c);
	if (counts && !lower)
		return yaml_fail(y, p->condition,
		    "a count that is only bounded from above is met where nothing happens, which "
		    "no record shows: give a lower bound (gt, gte, eq)");
	if (counts && most >= LIMIT_WINDOW)
		return yaml_fail(y, p->condition, "counts end at %u", LIMIT_WINDOW - 1);
	c->window = counts ? (unsigned)most + 1 : LIMIT_WINDOW_VALUES;
	if (is_temporal(c)) {
		if (c->bounds != 1 || c->bound[0].compare != COMPARE_GTE || most > c->rules)
			return yaml_fail(y, p->condition,
			    "of a temporal correlation only 'gte' with at most the number of its "
			    "rules is known");
		c->least = (unsigned)most;
	}
	return true;
}

/* Only "and" between rules: their order is that of `rules`. */
static bool
is_conjunction(const struct node *n)
{
	if (n->kind == NODE_ATOM)
		return true;
	for (uint32_t i = 0; n->kind == NODE_AND && i < n->count; i++) {
		if (n->child[i]->kind != NODE_ATOM)
			return false;
	}
	return n->kind == NODE_AND;
}

static bool
has_not(const struct node *n)
{
	if (n->kind == NODE_NOT)
		return true;
	for (uint32_t i = 0; i < n->count; i++) {
		if (has_not(n->child[i]))
			return true;
	}
	return false;
}

/* A condition over the names of the rules. */
static bool
read_expression(struct rule_reader *r, struct correlation *c, int node)
{
	struct identifier ids[CORRELATION_RULES];
	if (!is_temporal(c))
		return yaml_fail(r->yaml, node, "a map of comparisons is expected, as {gte: 10}");
	for (unsigned i = 0; i < c->rules; i++) {
		struct node *n = rule_node(r->set, NODE_ATOM, 0);
		if (n == NULL)
			return no_memory(r);
		n->atom = i;
		ids[i] = (struct identifier){c->rule_name[i], n, false};
	}
	c->condition = rule_condition_read(r, node, ids, c->rules);
	if (c->condition == NULL)
		return yaml_fail(r->yaml, node, "no memory");
	if (has_not(c->condition))
		return yaml_fail(r->yaml, node,
		    "'not' would be met where nothing happens, which no record shows");
	if (c->kind == CORRELATION_ORDERED && !is_conjunction(c->condition))
		return yaml_fail(r->yaml, node,
		    "where the order counts, a condition joins rules by 'and' only");
	for (unsigned i = 0; i < c->rules; i++) {
		if (!ids[i].used)
			return yaml_fail(r->yaml, node, "'%.64s' is not used by the condition",
			    ids[i].name);
	}
	return true;
}

static bool
read_condition(struct rule_reader *r, struct correlation *c, struct parts *p)
{
	struct yaml *y = r->yaml;
	c->window = 1;
	if (p->condition == 0)
		return is_temporal(c) || yaml_fail(y, p->type, "'condition' is missing");
	if (yaml_kind(y, p->condition) == YAML_MAP)
		return read_bounds(r, c, p);
	return read_expression(r, c, p->condition);
}

static bool
read_field(struct rule_reader *r, struct correlation *c, const struct parts *p)
{
	struct yaml *y = r->yaml;
	const char *s;
	bool wants = !is_temporal(c) && c->kind != CORRELATION_EVENT_COUNT;
	if (wants != (p->field != 0))
		return yaml_fail(y, wants ? p->type : p->field,
		    wants ? "'field' is missing: whose values?"
			  : "'field' does not go with this type");
	if (!wants)
		return true;
	if (!yaml_need_text(y, p->field, &s) || !rule_field_read(r, s, p->field, &c->field))
		return false;
	uint8_t type = field_table[c->field].type;
	if (c->kind != CORRELATION_VALUE_COUNT && type != TYPE_U64)
		return yaml_fail(y, p->field, "'%.64s' is no number", s);
	return type != TYPE_ITEM || yaml_fail(y, p->field, "'%.64s' has no values", s);
}

static bool
read_percentile(struct rule_reader *r, struct correlation *c, const struct parts *p)
{
	int node = p->percentile;
	uint64_t n = 50;
	if ((c->kind == CORRELATION_PERCENTILE) != (node != 0))
		return yaml_fail(r->yaml, node != 0 ? node : p->type,
		    node != 0 ? "'percentile' does not go with this type"
			      : "'percentile' is missing: which one, from 1 to 99?");
	if (node != 0 && !yaml_need_u64(r->yaml, node, &n))
		return false;
	c->percentile = (unsigned)n;
	return (n >= 1 && n <= 99) || yaml_fail(r->yaml, node, "from 1 to 99");
}

bool
rule_correlation_read(struct rule_reader *r, int map)
{
	struct parts p = {0};
	struct correlation *c = arena_take(&r->set->arena, sizeof *c);
	if (c == NULL)
		return no_memory(r);
	r->rule->body->correlation = c;
	return find_parts(r, map, &p) && read_kind(r, c, p.type) && read_rules(r, c, p.rules) &&
	    read_keys(r, c, &p) && rule_timespan_read(r, p.timespan, &c->timespan_ns) &&
	    read_condition(r, c, &p) && read_field(r, c, &p) && read_percentile(r, c, &p) &&
	    (p.generate == 0 || yaml_need_bool(r->yaml, p.generate, &c->generate));
}
