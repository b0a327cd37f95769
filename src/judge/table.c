/*
 * The table of levels and advice: see table.h.
 *
 * Read strictly: a key or a word that is not known is an error that names its line and column,
 * since a row that never matches would go unseen.
 */
#include "judge/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static const char *const list_names[LISTS] = {
    [LIST_LEVELS] = "levels",
    [LIST_WHY] = "why",
    [LIST_BECAUSE] = "because",
    [LIST_ADVICE] = "advice",
};

static const char *const part_names[PARTS] = {
    [PART_GREETING] = "greeting",
    [PART_CLIENT] = "client",
    [PART_SERVER] = "server",
};

/* ----------------------------------------------------------------------------- reading */

static bool
read_word(struct yaml *y, struct row *row, enum key key, int node)
{
	const struct key_info *info = &key_table[key];
	const char *word = yaml_text(y, node);
	if (word == NULL)
		return yaml_fail(y, node, "a word is expected here");
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
	return yaml_fail(y, node, "'%.32s' is no %s (%s)", word, info->name, known);
}

/* Behind the keys stand the texts: KEYS + enum part. */
static bool
is_guess(unsigned key)
{
	return key == KEY_CLASS || key == KEYS + PART_CLIENT || key == KEYS + PART_SERVER;
}

static bool
read_part(struct yaml *y, struct row *row, unsigned part, int node)
{
	const char *word = yaml_text(y, node);
	size_t at = 0;
	if (word == NULL || word[0] == '\0')
		return yaml_fail(y, node, "a part of the %s is expected here", part_names[part]);
	while (at < ROW_PARTS && row->parts[part][at] != NULL)
		at++;
	if (at == ROW_PARTS)
		return yaml_fail(y, node, "a row has room for %u of them", ROW_PARTS);
	row->parts[part][at] = strdup(word);
	return row->parts[part][at] != NULL || yaml_fail(y, node, "no memory");
}

/* `key` is KEYS, or more, for the parts of a text. */
static bool
read_condition(struct yaml *y, struct row *row, unsigned key, int node)
{
	bool list = yaml_kind(y, node) == YAML_LIST;
	size_t count = list ? yaml_count(y, node) : 1;
	if (count == 0)
		return yaml_fail(y, node, "an empty list matches nothing");
	for (size_t i = 0; i < count; i++) {
		int n = list ? yaml_item(y, node, i) : node;
		if (!(key >= KEYS ? read_part(y, row, key - KEYS, n)
				  : read_word(y, row, (enum key)key, n)))
			return false;
	}
	return true;
}

static bool
read_when(struct yaml *y, struct row *row, enum list list, int when)
{
	if (yaml_kind(y, when) != YAML_MAP)
		return yaml_fail(y, when, "'when' is a list of conditions, {key: word, ...}");
	for (size_t i = 0; i < yaml_count(y, when); i++) {
		const char *name;
		int name_node, value;
		unsigned key = 0;
		if (!yaml_pair(y, when, i, &name, &name_node, &value))
			return false;
		while (key < KEYS && strcmp(key_table[key].name, name) != 0)
			key++;
		while (
		    key >= KEYS && key < KEYS + PARTS && strcmp(part_names[key - KEYS], name) != 0)
			key++;
		if (key == KEYS + PARTS)
			return yaml_fail(y, name_node,
			    "'%.32s' is no condition (record, protocol, port, reason, "
			    "exposed, content, secret, direction, protection, reply, greeting, "
			    "client, server, class)",
			    name);
		if (list == LIST_LEVELS && is_guess(key))
			return yaml_fail(y, name_node, "'%.32s' is a guess: no level rests on it",
			    name);
		if (!read_condition(y, row, key, value))
			return false;
	}
	row->condition = condition_of(row->words);
	return true;
}

/* The value that the word in braces at `s` names; VALUES where it is none, as the name of a field.
 * *len: octets with the braces, 1 for a brace of its own right, as in Exim's configuration. */
static enum value
value_at(const char *s, size_t *len)
{
	size_t n = 0;
	while (
	    (s[1 + n] >= 'a' && s[1 + n] <= 'z') || s[1 + n] == '_' || (n > 0 && s[1 + n] == '.'))
		n++;
	*len = n > 0 && s[1 + n] == '}' ? n + 2 : 1;
	for (unsigned v = 0; *len > 1 && v < VALUES; v++) {
		if (value_names[v][0] == s[1] && strncmp(value_names[v], s + 1, n) == 0 &&
		    value_names[v][n] == '\0')
			return (enum value)v;
	}
	return VALUES;
}

const char *
table_wrong_value(const char *text, size_t *len)
{
	for (const char *s = strchr(text, '{'); s != NULL; s = strchr(s + 1, '{')) {
		if (value_at(s, len) == VALUES && *len > 1)
			return s;
	}
	return NULL;
}

static bool
read_result(struct yaml *y, struct row *row, enum list list, int node)
{
	const char *s = yaml_text(y, node);
	size_t len;
	if (s == NULL || s[0] == '\0')
		return yaml_fail(y, node, "a text is expected here");
	if (list == LIST_LEVELS) {
		row->level = level_by_name(s, strlen(s));
		return row->level != LEVEL_NONE || strcmp(s, "none") == 0 ||
		    yaml_fail(y, node,
			"'%.32s' is no level (none, informational, low, medium, high, critical)",
			s);
	}
	row->text = strdup(s);
	if (row->text == NULL)
		return yaml_fail(y, node, "no memory");
	const char *wrong = table_wrong_value(s, &len);
	if (wrong != NULL)
		return yaml_fail(y, node, "%.*s is no value", (int)len, wrong);
	return list == LIST_WHY || strstr(s, "{because}") == NULL ||
	    yaml_fail(y, node, "{because} has its place in 'why' only");
}

static bool
read_row(struct yaml *y, struct row *row, enum list list, int node, bool last)
{
	const char *result = list == LIST_LEVELS ? "level" : "text";
	bool has_when = false, has_result = false;
	if (yaml_kind(y, node) != YAML_MAP)
		return yaml_fail(y, node, "a row has 'when' and '%s'", result);
	for (size_t i = 0; i < yaml_count(y, node); i++) {
		const char *name;
		int name_node, value;
		if (!yaml_pair(y, node, i, &name, &name_node, &value))
			return false;
		if (strcmp(name, "when") == 0) {
			has_when = true;
			if (!read_when(y, row, list, value))
				return false;
		} else if (strcmp(name, result) == 0) {
			has_result = true;
			if (!read_result(y, row, list, value))
				return false;
		} else {
			return yaml_fail(y, name_node,
			    "'%.32s' is not known; a row has 'when' and '%s'", name, result);
		}
	}
	if (!has_result)
		return yaml_fail(y, node, "the row has no '%s'", result);
	if (last && has_when)
		return yaml_fail(y, node,
		    "the last row of '%s' must have no 'when', so that one always matches",
		    list_names[list]);
	return last || has_when || yaml_fail(y, node, "only the last row may have no 'when'");
}

static bool
read_list(struct yaml *y, struct table *t, enum list list, int node)
{
	size_t count = yaml_count(y, node);
	if (yaml_kind(y, node) != YAML_LIST || count == 0)
		return yaml_fail(y, node, "'%s' is a list of rows", list_names[list]);
	if (count > LIMIT_ADVICE_ROWS)
		return yaml_fail(y, node, "more than %u rows", LIMIT_ADVICE_ROWS);
	t->rows[list] = calloc(count, sizeof *t->rows[list]);
	if (t->rows[list] == NULL)
		return yaml_fail(y, node, "no memory");
	t->count[list] = count;
	for (size_t i = 0; i < count; i++) {
		if (!read_row(y, &t->rows[list][i], list, yaml_item(y, node, i), i == count - 1))
			return false;
	}
	return true;
}

static bool
read_lists(struct yaml *y, struct table *t)
{
	int root = yaml_root(y);
	if (yaml_kind(y, root) != YAML_MAP)
		return yaml_fail(y, root,
		    "the lists 'levels', 'why', 'because' and 'advice' are expected");
	for (size_t i = 0; i < yaml_count(y, root); i++) {
		const char *name;
		int name_node, value;
		unsigned list = 0;
		if (!yaml_pair(y, root, i, &name, &name_node, &value))
			return false;
		while (list < LISTS && strcmp(list_names[list], name) != 0)
			list++;
		if (list == LISTS)
			return yaml_fail(y, name_node,
			    "'%.32s' is no list (levels, why, because, advice)", name);
		if (!read_list(y, t, (enum list)list, value))
			return false;
	}
	for (unsigned list = 0; list < LISTS; list++) {
		if (t->count[list] == 0)
			return yaml_fail(y, root, "the list '%s' is missing", list_names[list]);
	}
	return true;
}

bool
table_read(struct table *t, const char *yaml, size_t len, const char *name, char *error)
{
	memset(t, 0, sizeof *t);
	struct yaml *y = yaml_open(yaml, len, name, error);
	if (y == NULL)
		return false;
	bool good = yaml_next(y) ||
	    yaml_fail(y, 0, "the lists 'levels', 'why', 'because' and 'advice' are expected");
	good = good && read_lists(y, t);
	if (good && yaml_next(y))
		good = yaml_fail(y, yaml_root(y), "one document is expected, not two");
	good = good && error[0] == '\0';
	yaml_close(y);
	return good;
}

void
table_free(struct table *t)
{
	for (unsigned list = 0; list < LISTS; list++) {
		for (size_t i = 0; i < t->count[list]; i++) {
			struct row *row = &t->rows[list][i];
			for (unsigned part = 0; part < PARTS; part++) {
				for (size_t k = 0; k < ROW_PARTS; k++)
					free(row->parts[part][k]);
			}
			free(row->text);
		}
		free(t->rows[list]);
	}
	memset(t, 0, sizeof *t);
}

/* ----------------------------------------------------------------------------- looking */

static bool
has_part(char *const parts[ROW_PARTS], const char *s, size_t len)
{
	if (parts[0] == NULL)
		return true;
	for (size_t i = 0; i < ROW_PARTS && parts[i] != NULL; i++) {
		if (len > 0 && ascii_find(s, len, parts[i]) != NULL)
			return true;
	}
	return false;
}

static bool
has_parts(const struct row *row, const struct facts *f)
{
	return has_part(row->parts[PART_GREETING], f->greeting, f->greeting_len) &&
	    has_part(row->parts[PART_CLIENT], f->software[0], f->software_len[0]) &&
	    has_part(row->parts[PART_SERVER], f->software[1], f->software_len[1]);
}

static const struct row *
find_row(const struct table *t, enum list list, const struct facts *f)
{
	const struct row *row = t->rows[list];
	while (!condition_holds(&row->condition, f) ||
	    !has_parts(row, f)) /* table_read saw to the last */
		row++;
	return row;
}

enum level
table_level(const struct table *t, const struct facts *f)
{
	return find_row(t, LIST_LEVELS, f)->level;
}

const uint16_t table_level_fields[TABLE_LEVEL_FIELDS] = {FIELD_NETWORK_PROTOCOL,
    FIELD_NETWORK_DIRECTION, FIELD_DESTINATION_PORT, FIELD_REASON, FIELD_EXPOSED, FIELD_AUTH_SHOWS,
    FIELD_BODY_PROTECTION, FIELD_STARTTLS_REPLY, FIELD_STARTTLS_REPLY_WORD};

bool
table_level_asks_text(const struct table *t)
{
	for (size_t i = 0; i < t->count[LIST_LEVELS]; i++) {
		for (unsigned part = 0; part < PARTS; part++) {
			if (t->rows[LIST_LEVELS][i].parts[part][0] != NULL)
				return true;
		}
	}
	return false;
}

bool
table_asks_who(const struct table *t)
{
	for (size_t i = 0; i < t->count[LIST_BECAUSE]; i++) {
		const struct row *row = &t->rows[LIST_BECAUSE][i];
		if (row->words[KEY_CLASS] != 0 || row->parts[PART_CLIENT][0] != NULL ||
		    row->parts[PART_SERVER][0] != NULL)
			return true;
	}
	return false;
}

void
table_add(struct text *out, const struct table *t, enum list list, struct facts *f)
{
	table_fill_in(out, t, find_row(t, list, f)->text, f);
}

void
table_fill_in(struct text *out, const struct table *t, const char *text, struct facts *f)
{
	while (*text != '\0') {
		size_t plain = (size_t)(strchrnul(text, '{') - text), len = 1;
		text_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		enum value v = value_at(text, &len);
		if (v == VALUES)
			text_add(out, text, len);
		else if (v == VALUE_BECAUSE) /* which holds no {because} itself */
			table_fill_in(out, t, find_row(t, LIST_BECAUSE, f)->text, f);
		else
			facts_add(out, f, v);
		text += len;
	}
}
