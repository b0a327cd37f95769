/*
 * Sigma documents: what each attribute says, and nothing that is not known.
 *
 * Specification: "Sigma Rules", "Sigma Correlation Rules" and "Sigma Filters", versions 2.0
 * and 2.1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "judge/rule.h"
#include "judge/rule_correlation.h"
#include "judge/table.h"

#define IDENTIFIERS 128u /* names under one `detection` */

static bool
no_memory(struct rule_reader *r)
{
	return yaml_fail(r->yaml, 0, "no memory");
}

/* A text that the set keeps. */
static bool
keep(struct rule_reader *r, int node, size_t max, const char **out)
{
	const char *s;
	if (!yaml_need_text(r->yaml, node, &s))
		return false;
	if (strlen(s) > max)
		return yaml_fail(r->yaml, node, "more than %zu octets", max);
	*out = arena_copy(&r->set->arena, s, strlen(s));
	return *out != NULL || no_memory(r);
}

/* -------------------------------------------------------------------------- detection */

/* A map: all of its lines must hold. */
static const struct node *
read_map(struct rule_reader *r, int map)
{
	size_t count = yaml_count(r->yaml, map);
	struct node *all = rule_node(r->set, NODE_AND, (uint32_t)count);
	if (count == 0)
		yaml_fail(r->yaml, map, "an empty map matches everything");
	if (all == NULL || count == 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *key;
		int key_node, value;
		if (!yaml_pair(r->yaml, map, i, &key, &key_node, &value))
			return NULL;
		all->child[i] = rule_value_read(r, key, key_node, value);
		if (all->child[i] == NULL)
			return NULL;
	}
	return count == 1 ? all->child[0] : all;
}

/* What stands under one name: a map; or a list of maps and keywords, any of which will do. */
static const struct node *
read_identifier(struct rule_reader *r, int node)
{
	struct yaml *y = r->yaml;
	if (yaml_kind(y, node) == YAML_MAP)
		return read_map(r, node);
	if (yaml_kind(y, node) != YAML_LIST) /* one keyword */
		return rule_value_read(r, "", node, node);
	size_t count = yaml_count(y, node);
	struct node *any = rule_node(r->set, NODE_OR, (uint32_t)count);
	if (count == 0)
		yaml_fail(y, node, "an empty list matches nothing");
	if (any == NULL || count == 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		int item = yaml_item(y, node, i);
		if (yaml_kind(y, item) == YAML_LIST)
			yaml_fail(y, item, "a list in a list: a map or a keyword is expected here");
		else
			any->child[i] = yaml_kind(y, item) == YAML_MAP
			    ? read_map(r, item)
			    : rule_value_read(r, "", item, item);
		if (any->child[i] == NULL)
			return NULL;
	}
	return any;
}

/* `condition`: a text, or a list of which any will do. */
static const struct node *
read_condition(struct rule_reader *r, int node, struct identifier *ids, size_t count)
{
	struct yaml *y = r->yaml;
	if (yaml_kind(y, node) != YAML_LIST)
		return rule_condition_read(r, node, ids, count);
	struct node *any = rule_node(r->set, NODE_OR, (uint32_t)yaml_count(y, node));
	if (any == NULL || any->count == 0) {
		yaml_fail(y, node, "a condition is expected here");
		return NULL;
	}
	for (uint32_t i = 0; i < any->count; i++) {
		any->child[i] = rule_condition_read(r, yaml_item(y, node, i), ids, count);
		if (any->child[i] == NULL)
			return NULL;
	}
	return any;
}

static bool
read_targets(struct rule_reader *r, int node)
{
	struct rule_body *b = r->rule->body;
	struct yaml *y = r->yaml;
	const char *only = yaml_text(y, node);
	if (only != NULL && strcmp(only, "any") == 0)
		return true; /* of the same log source: none are named */
	size_t count = yaml_texts(y, node);
	if (count == 0)
		return yaml_fail(y, node,
		    "the rules that the filter is for are expected, or 'any'");
	b->targets = arena_take(&r->set->arena, count * sizeof *b->targets);
	b->target_places = arena_take(&r->set->arena, count * sizeof *b->target_places);
	if (b->targets == NULL || b->target_places == NULL)
		return no_memory(r);
	for (size_t i = 0; i < count; i++) {
		int item = yaml_kind(y, node) == YAML_LIST ? yaml_item(y, node, i) : node;
		if (!keep(r, item, 256, &b->targets[i]))
			return false;
		b->target_places[i] = yaml_place(y, item);
	}
	b->target_count = (unsigned)count;
	return true;
}

/* `detection`, or `filter`, which also names rules. */
static bool
read_detection(struct rule_reader *r, int map, bool filter)
{
	struct identifier ids[IDENTIFIERS];
	struct yaml *y = r->yaml;
	size_t count = 0;
	int condition = 0, rules = 0, nodes[IDENTIFIERS];
	if (!yaml_need_map(y, map,
		filter ? "'filter', with rules, names and a condition,"
		       : "'detection', with names and a condition,"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key;
		int key_node, value;
		if (!yaml_pair(y, map, i, &key, &key_node, &value))
			return false;
		if (strcmp(key, "condition") == 0) {
			condition = value;
		} else if (filter && strcmp(key, "rules") == 0) {
			rules = value;
		} else if (strcmp(key, "timeframe") == 0) {
			return yaml_fail(y, key_node,
			    "'timeframe' is of old Sigma: write a correlation");
		} else if (count == IDENTIFIERS) {
			return yaml_fail(y, key_node, "more than %u names", IDENTIFIERS);
		} else {
			nodes[count] = key_node;
			ids[count].name = key;
			ids[count].used = false;
			ids[count].node = read_identifier(r, value);
			if (ids[count++].node == NULL)
				return yaml_fail(y, value, "no memory");
		}
	}
	if (condition == 0)
		return yaml_fail(y, map, "'condition' is missing");
	if (filter && rules == 0)
		return yaml_fail(y, map,
		    "'rules' is missing: the rules that the filter is for, or 'any'");
	if (filter && !read_targets(r, rules))
		return false;
	r->rule->body->root = read_condition(r, condition, ids, count);
	if (r->rule->body->root == NULL)
		return yaml_fail(y, condition, "no memory");
	for (size_t i = 0; i < count; i++) {
		if (!ids[i].used)
			return yaml_fail(y, nodes[i], "'%.64s' is not used by the condition",
			    ids[i].name);
	}
	return true;
}

/* -------------------------------------------------------------------------- attributes */

static bool
read_logsource(struct rule_reader *r, int map)
{
	struct yaml *y = r->yaml;
	static const char *const keys[] = {"product", "service", "category", "definition"};
	bool product = false;
	if (!yaml_need_map(y, map, "'logsource: {product: postcard}'"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key, *s;
		int key_node, value;
		if (!yaml_pair(y, map, i, &key, &key_node, &value) || !yaml_need_text(y, value, &s))
			return false;
		if (strcmp(key, "product") == 0) {
			if (strcmp(s, "postcard") != 0)
				return yaml_fail(y, value,
				    "the rule is for the logs of '%.64s', not of postcard", s);
			product = true;
		} else if (strcmp(key, "service") == 0) {
			static const char *const services[] = {[RECORD_SESSION] = "session",
			    [RECORD_MESSAGE] = "message",
			    [RECORD_SENSOR] = "sensor"};
			unsigned kind = 0;
			while (kind <= RECORD_SENSOR && strcmp(s, services[kind]) != 0)
				kind++;
			if (kind > RECORD_SENSOR)
				return yaml_fail(y, value,
				    "'%.64s' is no service of postcard (session, message, sensor)",
				    s);
			r->rule->body->kinds = (uint8_t)(1u << kind);
		} else if (strcmp(key, "category") == 0) {
			return yaml_fail(y, key_node,
			    "records of postcard have no category: take 'product: postcard'");
		} else if (strcmp(key, "definition") != 0) {
			return yaml_unknown(y, key_node, key, "part of a log source", keys, 4);
		}
	}
	return product || yaml_fail(y, map, "'product: postcard' is missing");
}

static bool
read_level(struct rule_reader *r, int node)
{
	static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
	const char *s;
	if (!yaml_need_text(r->yaml, node, &s))
		return false;
	r->rule->level = level_by_name(s, strlen(s));
	return r->rule->level != LEVEL_NONE || yaml_unknown(r->yaml, node, s, "level", levels, 5);
}

static bool
read_status(struct rule_reader *r, int node)
{
	static const char *const words[] = {"stable", "test", "experimental", "deprecated",
	    "unsupported"};
	const char *s;
	if (!yaml_need_text(r->yaml, node, &s))
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], s) == 0) {
			r->rule->active = i < 3;
			return true;
		}
	}
	return yaml_unknown(r->yaml, node, s, "status", words, sizeof words / sizeof *words);
}

static bool
add_tag(struct rule_reader *r, int node, const char **list, const char *prefix, const char *rest)
{
	char buf[300];
	struct text t = text_in(buf, sizeof buf);
	unsigned n = 0;
	while (n < RULE_TAGS - 1 && list[n] != NULL)
		n++;
	if (n == RULE_TAGS - 1)
		return yaml_fail(r->yaml, node, "more than %u of this kind", RULE_TAGS - 1);
	text_puts(&t, prefix);
	for (; *rest != '\0'; rest++)
		text_putc(&t, *prefix != '\0' ? ascii_upper(*rest) : *rest);
	list[n] = arena_copy(&r->set->arena, t.buf, t.len);
	return list[n] != NULL || no_memory(r);
}

/* Tags: techniques of ATT&CK and weaknesses of CWE go into alerts, others are for readers. */
static bool
read_tags(struct rule_reader *r, int list)
{
	struct yaml *y = r->yaml;
	if (yaml_kind(y, list) != YAML_LIST)
		return yaml_fail(y, list, "'tags' is a list");
	for (size_t i = 0; i < yaml_count(y, list); i++) {
		int node = yaml_item(y, list, i);
		const char *s;
		if (!yaml_need_text(y, node, &s))
			return false;
		size_t head = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");
		if (head == 0 || s[head] != '.' || s[head + 1] == '\0' ||
		    s[head + 1 + strspn(s + head + 1, "abcdefghijklmnopqrstuvwxyz0123456789._-")] !=
			'\0')
			return yaml_fail(y, node,
			    "'%.64s' is no tag (namespace.name, in lower case)", s);
		bool technique = strncmp(s, "attack.t", 8) == 0 && s[8] >= '0' && s[8] <= '9';
		if (technique && !add_tag(r, node, r->rule->technique, "T", s + 8))
			return false;
		if (strncmp(s, "cwe.", 4) == 0 &&
		    !add_tag(r, node, r->rule->weakness, "CWE-", s + 4))
			return false;
	}
	return true;
}

static bool
read_references(struct rule_reader *r, int list)
{
	struct yaml *y = r->yaml;
	if (yaml_kind(y, list) != YAML_LIST)
		return yaml_fail(y, list, "'references' is a list");
	for (size_t i = 0; i < yaml_count(y, list); i++) {
		const char *s = yaml_text_at(y, list, i);
		if (s == NULL)
			return false;
		if (strlen(s) > 256)
			return yaml_fail(y, list, "a reference of more than 256 octets");
		if (i < RULE_TAGS - 1 && !add_tag(r, list, r->rule->reference, "", s))
			return false;
	}
	return true;
}

/* The end of a day (UTC). */
static bool
read_day_end(struct rule_reader *r, int node, int64_t *out)
{
	if (!yaml_need_day(r->yaml, node, out))
		return false;
	*out += 86400 * 1000000000ll;
	return true;
}

bool
rule_timespan_read(struct rule_reader *r, int node, int64_t *out)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = {1, 60, 3600, 86400};
	const char *s = yaml_text(r->yaml, node), *unit = NULL;
	char *end = NULL;
	unsigned long long n =
	    s != NULL && s[0] >= '0' && s[0] <= '9' && strlen(s) < 9 ? strtoull(s, &end, 10) : 0;
	if (n > 0 && end[0] != '\0' && end[1] == '\0')
		unit = strchr(units, end[0]);
	if (unit == NULL)
		return yaml_fail(r->yaml, node,
		    "a length of time is expected here: a number and s, m, h or d (90m)");
	int64_t length = (int64_t)n * seconds[unit - units];
	if (length > 366 * 86400)
		return yaml_fail(r->yaml, node, "longer than a year");
	*out = length * 1000000000;
	return true;
}

/* A text whose words in braces name values of the record. */
static bool
keep_sentence(struct rule_reader *r, int node, const char **out)
{
	size_t len;
	if (!keep(r, node, LIMIT_RULE_TEXT, out))
		return false;
	const char *wrong = table_wrong_value(*out, &len);
	return wrong == NULL || yaml_fail(r->yaml, node, "%.*s is no value", (int)len, wrong);
}

/* Our own attributes, under `postcard`. */
static bool
read_custom(struct rule_reader *r, int map)
{
	static const char *const keys[] = {"level", "message", "advice", "key", "window", "owner",
	    "reason", "expires"};
	struct yaml *y = r->yaml;
	struct rule *rule = r->rule;
	if (!yaml_need_map(y, map, "'postcard', with attributes of our own,"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key, *s;
		int key_node, v;
		if (!yaml_pair(y, map, i, &key, &key_node, &v))
			return false;
		if (strcmp(key, "level") == 0) {
			s = yaml_text(y, v);
			if (s == NULL || strcmp(s, "by-path") != 0)
				return yaml_fail(y, v,
				    "'by-path' is expected here (other levels are the rule's "
				    "'level')");
			rule->by_path = true;
		} else if (strcmp(key, "message") == 0) {
			if (!keep_sentence(r, v, &rule->message))
				return false;
		} else if (strcmp(key, "advice") == 0) {
			if (!keep_sentence(r, v, &rule->advice))
				return false;
		} else if (strcmp(key, "window") == 0) {
			if (!rule_timespan_read(r, v, &rule->window_ns))
				return false;
		} else if (strcmp(key, "key") == 0) {
			for (size_t k = 0; k < yaml_texts(y, v); k++) {
				s = yaml_text_at(y, v, k);
				if (k == RULE_KEYS)
					return yaml_fail(y, v, "more than %u fields", RULE_KEYS);
				if (s == NULL || !rule_field_read(r, s, v, &rule->key[k]))
					return false;
				rule->keys++;
			}
		} else if (strcmp(key, "owner") == 0) {
			if (!keep(r, v, 256, &rule->owner))
				return false;
		} else if (strcmp(key, "reason") == 0) {
			if (!keep(r, v, 1024, &rule->reason))
				return false;
		} else if (strcmp(key, "expires") == 0) {
			if (!read_day_end(r, v, &rule->expires_ns))
				return false;
		} else {
			return yaml_unknown(y, key_node, key, "attribute of postcard", keys,
			    sizeof keys / sizeof *keys);
		}
	}
	return true;
}

/* --------------------------------------------------------------------------- documents */

enum attribute {
	ATTR_TITLE,
	ATTR_ID,
	ATTR_NAME,
	ATTR_RELATED,
	ATTR_TAXONOMY,
	ATTR_STATUS,
	ATTR_DESCRIPTION,
	ATTR_LICENSE,
	ATTR_AUTHOR,
	ATTR_REFERENCES,
	ATTR_DATE,
	ATTR_MODIFIED,
	ATTR_LOGSOURCE,
	ATTR_DETECTION,
	ATTR_CORRELATION,
	ATTR_FILTER,
	ATTR_FIELDS,
	ATTR_FALSEPOSITIVES,
	ATTR_LEVEL,
	ATTR_TAGS,
	ATTR_SCOPE,
	ATTR_GENERATE,
	ATTR_POSTCARD,
	ATTRIBUTES
};

static const char *const attribute_names[ATTRIBUTES] = {"title", "id", "name", "related",
    "taxonomy", "status", "description", "license", "author", "references", "date", "modified",
    "logsource", "detection", "correlation", "filter", "fields", "falsepositives", "level", "tags",
    "scope", "generate", "postcard"};

static bool
is_uuid(const char *s)
{
	for (unsigned i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = s[i] == '\0' ? '\0' : ascii_lower(s[i]);
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (dash ? c != '-' : !digit)
			return false;
	}
	return s[36] == '\0';
}

static bool
check_date(struct rule_reader *r, int node)
{
	int64_t unused;
	return read_day_end(r, node, &unused);
}

/* Other rules, for readers: each with its id and how it is related. */
static bool
check_related(struct rule_reader *r, int list)
{
	static const char *const words[] = {"derived", "obsolete", "merged", "renamed", "similar"};
	static const char *const keys[] = {"id", "type"};
	const size_t types = sizeof words / sizeof *words;
	struct yaml *y = r->yaml;
	if (yaml_kind(y, list) != YAML_LIST)
		return yaml_fail(y, list, "'related' is a list");
	for (size_t i = 0; i < yaml_count(y, list); i++) {
		const char *key, *s;
		int map = yaml_item(y, list, i), key_node, value;
		if (!yaml_need_map(y, map, "a related rule, with id and type,"))
			return false;
		for (size_t k = 0; k < yaml_count(y, map); k++) {
			size_t t = 0;
			if (!yaml_pair(y, map, k, &key, &key_node, &value) ||
			    !yaml_need_text(y, value, &s))
				return false;
			bool type = strcmp(key, "type") == 0;
			if (!type && strcmp(key, "id") != 0)
				return yaml_unknown(y, key_node, key, "part of a related rule",
				    keys, 2);
			while (type && t < types && strcmp(words[t], s) != 0)
				t++;
			if (type && t == types)
				return yaml_unknown(y, value, s, "type of relation", words, types);
			if (!type && !is_uuid(s))
				return yaml_fail(y, value, "'%.64s' is no UUID", s);
		}
		if (yaml_get(y, map, "id") == 0 || yaml_get(y, map, "type") == 0)
			return yaml_fail(y, map, "'id' and 'type' are expected");
	}
	return true;
}

/* Texts for readers only: well formed, or not taken. */
static bool
check_texts(struct rule_reader *r, int node)
{
	for (size_t i = 0; i < yaml_texts(r->yaml, node); i++) {
		if (yaml_text_at(r->yaml, node, i) == NULL)
			return false;
	}
	return true;
}

static bool
read_attribute(struct rule_reader *r, enum attribute a, int node)
{
	struct yaml *y = r->yaml;
	struct rule *rule = r->rule;
	const char *s;
	uint16_t field;
	switch (a) {
	case ATTR_TITLE: return keep(r, node, 256, &rule->title);
	case ATTR_ID:
		if (!keep(r, node, 64, &rule->id))
			return false;
		return is_uuid(rule->id) || yaml_fail(y, node, "'%.64s' is no UUID", rule->id);
	case ATTR_NAME: return keep(r, node, 256, &rule->name);
	case ATTR_TAXONOMY:
		if (!yaml_need_text(y, node, &s))
			return false;
		return strcmp(s, "ecs") == 0 ||
		    yaml_fail(y, node, "taxonomy '%.32s' has other field names: 'ecs' is expected",
			s);
	case ATTR_STATUS: return read_status(r, node);
	case ATTR_DESCRIPTION: return keep(r, node, 65535, &rule->description);
	case ATTR_DATE:
	case ATTR_MODIFIED: return check_date(r, node);
	case ATTR_LOGSOURCE: return read_logsource(r, node);
	case ATTR_LEVEL: return read_level(r, node);
	case ATTR_TAGS: return read_tags(r, node);
	case ATTR_REFERENCES: return read_references(r, node);
	case ATTR_RELATED: return check_related(r, node);
	case ATTR_POSTCARD: return read_custom(r, node);
	case ATTR_FIELDS:
		for (size_t i = 0; i < yaml_texts(y, node); i++) {
			s = yaml_text_at(y, node, i);
			if (s == NULL || !rule_field_read(r, s, node, &field))
				return false;
		}
		return true;
	case ATTR_LICENSE:
	case ATTR_AUTHOR:
	case ATTR_FALSEPOSITIVES:
	case ATTR_SCOPE: return check_texts(r, node);
	default: return true; /* the sections, read later */
	}
}

static bool
read_section(struct rule_reader *r, const int at[ATTRIBUTES], int root)
{
	struct yaml *y = r->yaml;
	struct rule *rule = r->rule;
	int found =
	    (at[ATTR_DETECTION] != 0) + (at[ATTR_CORRELATION] != 0) + (at[ATTR_FILTER] != 0);
	if (found != 1)
		return yaml_fail(y, root,
		    "one of 'detection', 'correlation' and 'filter' is expected");
	rule->kind = at[ATTR_FILTER] != 0 ? RULE_FILTER
	    : at[ATTR_CORRELATION] != 0	  ? RULE_CORRELATION
					  : RULE_DETECTION;
	if (rule->kind == RULE_CORRELATION)
		return rule_correlation_read(r, at[ATTR_CORRELATION]);
	if (at[ATTR_LOGSOURCE] == 0)
		return yaml_fail(y, root, "'logsource' is missing");
	if (rule->kind == RULE_FILTER)
		return read_detection(r, at[ATTR_FILTER], true);
	if (at[ATTR_TAXONOMY] == 0)
		return yaml_fail(y, root, "'taxonomy: ecs' is missing");
	if (at[ATTR_LEVEL] == 0)
		return yaml_fail(y, root, "'level' is missing");
	return read_detection(r, at[ATTR_DETECTION], false);
}

/* An exception says who answers for it, why, and until when. */
static bool
check_exception(struct rule_reader *r, int root)
{
	struct yaml *y = r->yaml;
	struct rule *rule = r->rule;
	if (rule->kind != RULE_FILTER)
		return yaml_fail(y, root, "only filters are exceptions");
	if (rule->owner == NULL || rule->reason == NULL || rule->expires_ns == 0)
		return yaml_fail(y, root,
		    "an exception needs 'postcard: {owner: ..., reason: ..., expires: "
		    "2027-01-31}'");
	rule->exception = true;
	return true;
}

static bool
read_document(struct rule_reader *r, bool exceptions)
{
	struct yaml *y = r->yaml;
	int root = yaml_root(y), at[ATTRIBUTES] = {0};
	if (!yaml_need_map(y, root, "a Sigma rule"))
		return false;
	for (size_t i = 0; i < yaml_count(y, root); i++) {
		const char *key;
		int key_node, value;
		unsigned a = 0;
		if (!yaml_pair(y, root, i, &key, &key_node, &value))
			return false;
		while (a < ATTRIBUTES && strcmp(attribute_names[a], key) != 0)
			a++;
		if (a == ATTRIBUTES)
			return yaml_unknown(y, key_node, key, "attribute of Sigma", attribute_names,
			    ATTRIBUTES);
		at[a] = value;
		if (!read_attribute(r, (enum attribute)a, value))
			return false;
	}
	if (at[ATTR_TITLE] == 0)
		return yaml_fail(y, root, "'title' is missing");
	if (!read_section(r, at, root))
		return false;
	if (at[ATTR_GENERATE] != 0 && r->rule->kind != RULE_CORRELATION)
		return yaml_fail(y, at[ATTR_GENERATE], "'generate' is for correlations");
	if (at[ATTR_GENERATE] != 0 &&
	    !yaml_need_bool(y, at[ATTR_GENERATE], &r->rule->body->correlation->generate))
		return false;
	bool said = r->rule->owner != NULL || r->rule->expires_ns != 0;
	return exceptions || said ? check_exception(r, root) : true;
}

static struct rule *
new_rule(struct rules *s, const char *name, struct yaml_place at)
{
	struct rule *rule = arena_take(&s->arena, sizeof *rule);
	struct rule **grown = array_room(s->rule, s->rules, sizeof(struct rule *));
	if (grown != NULL)
		s->rule = grown;
	if (rule == NULL || grown == NULL)
		return NULL;
	rule->body = arena_take(&s->arena, sizeof *rule->body);
	rule->file = arena_copy(&s->arena, name, strlen(name));
	if (rule->body == NULL || rule->file == NULL)
		return NULL;
	rule->id = rule->name = rule->title = rule->description = "";
	rule->active = true;
	rule->line = at.line;
	rule->column = at.column;
	rule->number = (uint32_t)s->rules;
	rule->body->kinds = 1u << RECORD_SESSION | 1u << RECORD_MESSAGE;
	s->rule[s->rules++] = rule;
	return rule;
}

bool
rules_read(struct rules *s, const char *text, size_t len, const char *name, bool exceptions,
    char *error)
{
	struct rule_reader r = {.set = s};
	bool good = true;
	r.yaml = yaml_open(text, len, name, error);
	if (r.yaml == NULL)
		return false;
	while (good && yaml_next(r.yaml)) {
		if (s->rules == LIMIT_RULES) {
			good =
			    yaml_fail(r.yaml, yaml_root(r.yaml), "more than %u rules", LIMIT_RULES);
			break;
		}
		r.rule = new_rule(s, name, yaml_place(r.yaml, yaml_root(r.yaml)));
		good = r.rule != NULL ? read_document(&r, exceptions) : no_memory(&r);
	}
	good = good && error[0] == '\0';
	yaml_close(r.yaml);
	return good;
}
