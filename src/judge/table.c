/*
 * Reads the table of levels and advice from YAML (libyaml), strictly: a key or a word that is not
 * known is an error that names its line and column, since a row that never matches would go unseen.
 */
#include "judge/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_document_t document;
	const char *name; /* of the table, for messages */
	char *error;
};

static const char *const list_names[LISTS] = {
    [LIST_LEVELS] = "levels",
    [LIST_WHY] = "why",
    [LIST_BECAUSE] = "because",
    [LIST_ADVICE] = "advice",
};

static bool
fail(struct reader *r, yaml_mark_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Always false, for `return fail(...)`. */
static bool
fail(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char why[JUDGE_ERROR / 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	struct text t = text_in(r->error, JUDGE_ERROR);
	text_add_wire(&t, r->name, strlen(r->name));
	text_printf(&t, ":%zu:%zu: ", at.line + 1, at.column + 1);
	text_add_wire(&t, why, strlen(why));
	return false;
}

static const char *
scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static size_t
items(const yaml_node_t *list)
{
	return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

static yaml_node_t *
item(struct reader *r, const yaml_node_t *list, size_t i)
{
	return yaml_document_get_node(&r->document, list->data.sequence.items.start[i]);
}

static size_t
pairs(const yaml_node_t *map)
{
	return (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
}

/* The i-th key and value of a mapping.  False where the key is no word, or was there before. */
static bool
pair(struct reader *r, const yaml_node_t *map, size_t i, const char **key, yaml_node_t **key_node,
    yaml_node_t **value)
{
	const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	*key_node = yaml_document_get_node(&r->document, p[i].key);
	*value = yaml_document_get_node(&r->document, p[i].value);
	*key = scalar(*key_node);
	if (*key == NULL)
		return fail(r, (*key_node)->start_mark, "a word is expected here");
	for (size_t k = 0; k < i; k++) {
		const char *other = scalar(yaml_document_get_node(&r->document, p[k].key));
		if (other != NULL && strcmp(other, *key) == 0)
			return fail(r, (*key_node)->start_mark, "'%s' stands here twice", *key);
	}
	return true;
}

static bool
read_word(struct reader *r, struct row *row, enum key key, const yaml_node_t *n)
{
	const struct key_info *info = &key_table[key];
	const char *word = scalar(n);
	if (word == NULL)
		return fail(r, n->start_mark, "a word is expected here");
	for (unsigned i = 0; i < KEY_WORDS && info->words[i] != NULL; i++) {
		if (strcmp(word, info->words[i]) == 0) {
			row->words[key] |= (uint32_t)1 << i;
			return true;
		}
	}
	char known[160];
	struct text t = text_in(known, sizeof known);
	for (unsigned i = 0; i < KEY_WORDS && info->words[i] != NULL; i++)
		text_printf(&t, "%s%s", i > 0 ? ", " : "", info->words[i]);
	return fail(r, n->start_mark, "'%.32s' is no %s (%s)", word, info->name, known);
}

static bool
read_greeting(struct reader *r, struct row *row, const yaml_node_t *n)
{
	const char *word = scalar(n);
	size_t at = 0;
	if (word == NULL || word[0] == '\0')
		return fail(r, n->start_mark, "a part of a greeting is expected here");
	while (at < ROW_GREETINGS && row->greetings[at] != NULL)
		at++;
	if (at == ROW_GREETINGS)
		return fail(r, n->start_mark, "a row has room for %u greetings", ROW_GREETINGS);
	row->greetings[at] = strdup(word);
	return row->greetings[at] != NULL || fail(r, n->start_mark, "no memory");
}

/* `key` is KEYS for the greeting. */
static bool
read_condition(struct reader *r, struct row *row, enum key key, const yaml_node_t *value)
{
	if (value->type != YAML_SEQUENCE_NODE)
		return key == KEYS ? read_greeting(r, row, value) : read_word(r, row, key, value);
	if (items(value) == 0)
		return fail(r, value->start_mark, "an empty list matches nothing");
	for (size_t i = 0; i < items(value); i++) {
		const yaml_node_t *n = item(r, value, i);
		if (!(key == KEYS ? read_greeting(r, row, n) : read_word(r, row, key, n)))
			return false;
	}
	return true;
}

static bool
read_when(struct reader *r, struct row *row, const yaml_node_t *when)
{
	if (when->type != YAML_MAPPING_NODE)
		return fail(r, when->start_mark,
		    "'when' is a list of conditions, {key: word, ...}");
	for (size_t i = 0; i < pairs(when); i++) {
		const char *name;
		yaml_node_t *name_node, *value;
		unsigned key = 0;
		if (!pair(r, when, i, &name, &name_node, &value))
			return false;
		while (key < KEYS && strcmp(key_table[key].name, name) != 0)
			key++;
		if (key == KEYS && strcmp(name, "greeting") != 0)
			return fail(r, name_node->start_mark,
			    "'%.32s' is no condition (record, protocol, port, reason, "
			    "exposed, content, secret, direction, protection, greeting)",
			    name);
		if (!read_condition(r, row, (enum key)key, value))
			return false;
	}
	return true;
}

/* Does each word in braces name a value? */
static bool
check_text(struct reader *r, enum list list, const yaml_node_t *n)
{
	for (const char *s = strchr(scalar(n), '{'); s != NULL; s = strchr(s + 1, '{')) {
		size_t len = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_");
		if (len == 0 || s[1 + len] != '}')
			continue; /* a brace of its own right, as in Exim's configuration */
		unsigned v = 0;
		while (v < VALUES &&
		    (strlen(value_names[v]) != len || memcmp(value_names[v], s + 1, len) != 0))
			v++;
		if (v == VALUES)
			return fail(r, n->start_mark, "{%.*s} is no value", (int)len, s + 1);
		if (v == VALUE_BECAUSE && list != LIST_WHY)
			return fail(r, n->start_mark, "{because} has its place in 'why' only");
	}
	return true;
}

static bool
read_result(struct reader *r, struct row *row, enum list list, const yaml_node_t *value)
{
	const char *s = scalar(value);
	if (s == NULL || s[0] == '\0')
		return fail(r, value->start_mark, "a text is expected here");
	if (list == LIST_LEVELS) {
		row->level = level_by_name(s, strlen(s));
		return row->level != LEVEL_NONE ||
		    fail(r, value->start_mark,
			"'%.32s' is no level (informational, low, medium, high, critical)", s);
	}
	row->text = strdup(s);
	return row->text != NULL ? check_text(r, list, value)
				 : fail(r, value->start_mark, "no memory");
}

static bool
read_row(struct reader *r, struct row *row, enum list list, const yaml_node_t *n, bool last)
{
	const char *result = list == LIST_LEVELS ? "level" : "text";
	bool has_when = false, has_result = false;
	if (n->type != YAML_MAPPING_NODE)
		return fail(r, n->start_mark, "a row has 'when' and '%s'", result);
	for (size_t i = 0; i < pairs(n); i++) {
		const char *name;
		yaml_node_t *name_node, *value;
		if (!pair(r, n, i, &name, &name_node, &value))
			return false;
		if (strcmp(name, "when") == 0) {
			has_when = true;
			if (!read_when(r, row, value))
				return false;
		} else if (strcmp(name, result) == 0) {
			has_result = true;
			if (!read_result(r, row, list, value))
				return false;
		} else {
			return fail(r, name_node->start_mark,
			    "'%.32s' is not known; a row has 'when' and '%s'", name, result);
		}
	}
	if (!has_result)
		return fail(r, n->start_mark, "the row has no '%s'", result);
	if (last && has_when)
		return fail(r, n->start_mark,
		    "the last row of '%s' must have no 'when', so that one always matches",
		    list_names[list]);
	if (!last && !has_when)
		return fail(r, n->start_mark, "only the last row may have no 'when'");
	return true;
}

static bool
read_list(struct reader *r, struct table *t, enum list list, const yaml_node_t *n)
{
	if (n->type != YAML_SEQUENCE_NODE || items(n) == 0)
		return fail(r, n->start_mark, "'%s' is a list of rows", list_names[list]);
	size_t count = items(n);
	if (count > LIMIT_ADVICE_ROWS)
		return fail(r, n->start_mark, "more than %u rows", LIMIT_ADVICE_ROWS);
	t->rows[list] = calloc(count, sizeof *t->rows[list]);
	if (t->rows[list] == NULL)
		return fail(r, n->start_mark, "no memory");
	t->count[list] = count;
	for (size_t i = 0; i < count; i++) {
		if (!read_row(r, &t->rows[list][i], list, item(r, n, i), i == count - 1))
			return false;
	}
	return true;
}

static bool
read_table(struct reader *r, struct table *t)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->document);
	if (root == NULL || root->type != YAML_MAPPING_NODE)
		return fail(r, root != NULL ? root->start_mark : r->document.start_mark,
		    "the lists 'levels', 'why', 'because' and 'advice' are expected");
	for (size_t i = 0; i < pairs(root); i++) {
		const char *name;
		yaml_node_t *name_node, *value;
		unsigned list = 0;
		if (!pair(r, root, i, &name, &name_node, &value))
			return false;
		while (list < LISTS && strcmp(list_names[list], name) != 0)
			list++;
		if (list == LISTS)
			return fail(r, name_node->start_mark,
			    "'%.32s' is no list (levels, why, because, advice)", name);
		if (!read_list(r, t, (enum list)list, value))
			return false;
	}
	for (unsigned list = 0; list < LISTS; list++) {
		if (t->count[list] == 0)
			return fail(r, root->end_mark, "the list '%s' is missing",
			    list_names[list]);
	}
	return true;
}

bool
table_read(struct table *t, const char *yaml, size_t len, const char *name, char error[JUDGE_ERROR])
{
	struct reader r = {.name = name, .error = error};
	yaml_parser_t parser;
	yaml_mark_t start = {0};
	memset(t, 0, sizeof *t);
	if (len > LIMIT_ADVICE_FILE)
		return fail(&r, start, "more than %u octets", LIMIT_ADVICE_FILE);
	if (!yaml_parser_initialize(&parser))
		return fail(&r, start, "no memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, len);
	bool good = yaml_parser_load(&parser, &r.document) != 0;
	if (good) {
		good = read_table(&r, t);
		yaml_document_delete(&r.document);
	} else {
		fail(&r, parser.problem_mark, "%s",
		    parser.problem != NULL ? parser.problem : "cannot be read");
	}
	yaml_parser_delete(&parser);
	return good;
}

void
table_free(struct table *t)
{
	for (unsigned list = 0; list < LISTS; list++) {
		for (size_t i = 0; i < t->count[list]; i++) {
			struct row *row = &t->rows[list][i];
			for (size_t g = 0; g < ROW_GREETINGS; g++)
				free(row->greetings[g]);
			free(row->text);
		}
		free(t->rows[list]);
	}
	memset(t, 0, sizeof *t);
}
