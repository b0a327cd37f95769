/* Reading YAML: see yaml.h.  Documents are composed by libyaml; what is refused beyond its own
 * complaints is looked at in the events of a first pass. */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "base/text.h"

struct yaml {
	yaml_parser_t parser;
	yaml_document_t document;
	bool loaded;	  /* `document` holds one */
	const char *name; /* of the file */
	char *error;	  /* YAML_ERROR octets */
};

static void
complain(struct yaml *y, const yaml_mark_t *at, const char *why)
{
	if (y->error[0] != '\0')
		return; /* the first cause counts */
	struct text t = text_in(y->error, YAML_ERROR);
	text_add_wire(&t, y->name, strlen(y->name));
	if (at != NULL)
		text_printf(&t, ":%zu:%zu", at->line + 1, at->column + 1);
	text_puts(&t, ": ");
	text_add_wire(&t, why, strlen(why));
}

static yaml_node_t *
node_at(const struct yaml *y, int node)
{
	return yaml_document_get_node((yaml_document_t *)&y->document, node);
}

bool
yaml_fail(struct yaml *y, int node, const char *fmt, ...)
{
	char why[YAML_ERROR - 128];
	const yaml_node_t *n = node != 0 ? node_at(y, node) : NULL;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	complain(y, n != NULL ? &n->start_mark : NULL, why);
	return false;
}

/* Where the first pass is: the collections that it is in. */
struct nest {
	unsigned depth;
	struct {
		bool map;
		size_t nodes; /* keys and values count alike */
	} at[LIMIT_YAML_DEPTH + 1];
};

/* One node more of the collection that it is in. */
static void
count_node(struct yaml *y, struct nest *n, const yaml_event_t *e)
{
	if (n->depth > 0 && n->at[n->depth].map &&
	    ++n->at[n->depth].nodes > 2 * (size_t)LIMIT_YAML_PAIRS)
		complain(y, &e->start_mark, "too many pairs in one map");
}

static void
look_at(struct yaml *y, struct nest *n, const yaml_event_t *e)
{
	bool anchor = e->type == YAML_ALIAS_EVENT, tag = false, map;
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor != NULL;
		tag = e->data.scalar.tag != NULL;
		count_node(y, n, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		map = e->type == YAML_MAPPING_START_EVENT;
		anchor =
		    (map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor) != NULL;
		tag = (map ? e->data.mapping_start.tag : e->data.sequence_start.tag) != NULL;
		count_node(y, n, e);
		if (n->depth == LIMIT_YAML_DEPTH) {
			complain(y, &e->start_mark, "nested too deeply");
			break;
		}
		n->depth++;
		n->at[n->depth].map = e->type == YAML_MAPPING_START_EVENT;
		n->at[n->depth].nodes = 0;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: n->depth--; break;
	default: break;
	}
	if (anchor)
		complain(y, &e->start_mark,
		    "anchors and aliases (& and *) are not taken; "
		    "a text that begins with them needs quotes");
	if (tag)
		complain(y, &e->start_mark,
		    "tags (!) are not taken; a text that begins with one needs quotes");
}

/* The first pass: no anchors, no tags, no depth, no map that takes long to search. */
static bool
looks_harmless(struct yaml *y, const char *text, size_t len)
{
	yaml_parser_t p;
	yaml_event_t e;
	struct nest nest = {0};
	bool more = true;
	if (!yaml_parser_initialize(&p)) {
		complain(y, NULL, "no memory");
		return false;
	}
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	while (more && y->error[0] == '\0') {
		if (!yaml_parser_parse(&p, &e)) {
			const yaml_mark_t at = p.problem_mark;
			complain(y, &at, p.problem != NULL ? p.problem : "no memory for it");
			break;
		}
		look_at(y, &nest, &e);
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	return y->error[0] == '\0';
}

struct yaml *
yaml_open(const char *text, size_t len, const char *name, char *error)
{
	struct yaml *y = calloc(1, sizeof *y);
	error[0] = '\0';
	if (y == NULL || !yaml_parser_initialize(&y->parser)) {
		snprintf(error, YAML_ERROR, "%.200s: no memory", name);
		free(y);
		return NULL;
	}
	y->name = name;
	y->error = error;
	if (len > LIMIT_YAML)
		yaml_fail(y, 0, "more than %u octets", LIMIT_YAML);
	else
		looks_harmless(y, text, len);
	if (error[0] != '\0') {
		yaml_close(y);
		return NULL;
	}
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)text, len);
	return y;
}

static void
unload(struct yaml *y)
{
	if (y->loaded)
		yaml_document_delete(&y->document);
	y->loaded = false;
}

void
yaml_close(struct yaml *y)
{
	if (y == NULL)
		return;
	unload(y);
	yaml_parser_delete(&y->parser);
	free(y);
}

bool
yaml_next(struct yaml *y)
{
	for (;;) {
		unload(y);
		if (y->error[0] != '\0')
			return false;
		if (!yaml_parser_load(&y->parser, &y->document)) {
			complain(y, &y->parser.problem_mark,
			    y->parser.problem != NULL ? y->parser.problem : "no memory for it");
			return false;
		}
		y->loaded = true;
		if (yaml_document_get_root_node(&y->document) == NULL) {
			unload(y);
			return false; /* the end */
		}
		if (!yaml_is_null(y, yaml_root(y)))
			return true;
	}
}

int
yaml_root(const struct yaml *y)
{
	return y->loaded ? 1 : 0; /* libyaml counts nodes from 1, and the root comes first */
}

enum yaml_kind
yaml_kind(const struct yaml *y, int node)
{
	if (node == 0)
		return YAML_NONE;
	switch (node_at(y, node)->type) {
	case YAML_SCALAR_NODE: return YAML_SCALAR;
	case YAML_SEQUENCE_NODE: return YAML_LIST;
	case YAML_MAPPING_NODE: return YAML_MAP;
	default: return YAML_NONE;
	}
}

unsigned
yaml_line(const struct yaml *y, int node)
{
	return node != 0 ? (unsigned)node_at(y, node)->start_mark.line + 1 : 0;
}

struct yaml_place
yaml_place(const struct yaml *y, int node)
{
	struct yaml_place at = {0, 0};
	if (node != 0) {
		const yaml_mark_t *mark = &node_at(y, node)->start_mark;
		at.line = (unsigned)mark->line + 1;
		at.column = (unsigned)mark->column + 1;
	}
	return at;
}

const char *
yaml_text(const struct yaml *y, int node)
{
	if (yaml_kind(y, node) != YAML_SCALAR)
		return NULL;
	const yaml_node_t *n = node_at(y, node);
	const char *s = (const char *)n->data.scalar.value;
	return strlen(s) == n->data.scalar.length ? s : NULL;
}

bool
yaml_plain(const struct yaml *y, int node)
{
	return yaml_kind(y, node) == YAML_SCALAR &&
	    node_at(y, node)->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool
yaml_is_null(const struct yaml *y, int node)
{
	const char *s = yaml_text(y, node);
	return s != NULL && yaml_plain(y, node) &&
	    (s[0] == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
		strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0);
}

size_t
yaml_count(const struct yaml *y, int node)
{
	switch (yaml_kind(y, node)) {
	case YAML_LIST: {
		const yaml_node_t *n = node_at(y, node);
		return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	}
	case YAML_MAP: {
		const yaml_node_t *n = node_at(y, node);
		return (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	}
	default: return 0;
	}
}

int
yaml_item(const struct yaml *y, int list, size_t i)
{
	return node_at(y, list)->data.sequence.items.start[i];
}

bool
yaml_pair(struct yaml *y, int map, size_t i, const char **key, int *key_node, int *value)
{
	const yaml_node_pair_t *p = node_at(y, map)->data.mapping.pairs.start;
	*key_node = p[i].key;
	*value = p[i].value;
	*key = yaml_text(y, p[i].key);
	if (*key == NULL)
		return yaml_fail(y, p[i].key, "a word is expected here");
	for (size_t k = 0; k < i; k++) {
		const char *other = yaml_text(y, p[k].key);
		if (other != NULL && strcmp(other, *key) == 0)
			return yaml_fail(y, p[i].key, "'%.64s' stands here twice", *key);
	}
	return true;
}

int
yaml_get(const struct yaml *y, int map, const char *key)
{
	if (yaml_kind(y, map) != YAML_MAP)
		return 0;
	const yaml_node_pair_t *p = node_at(y, map)->data.mapping.pairs.start;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *s = yaml_text(y, p[i].key);
		if (s != NULL && strcmp(s, key) == 0)
			return p[i].value;
	}
	return 0;
}

bool
yaml_need_text(struct yaml *y, int node, const char **out)
{
	*out = yaml_text(y, node);
	if (*out == NULL || **out == '\0')
		return yaml_fail(y, node, "a text is expected here");
	return true;
}

bool
yaml_need_map(struct yaml *y, int node, const char *what)
{
	return yaml_kind(y, node) == YAML_MAP ||
	    yaml_fail(y, node, "%s is expected here, as 'name: value'", what);
}

bool
yaml_need_bool(struct yaml *y, int node, bool *out)
{
	static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}};
	const char *s = yaml_text(y, node);
	for (unsigned i = 0; s != NULL && i < sizeof words / sizeof *words; i++) {
		for (unsigned v = 0; v < 2; v++) {
			if (ascii_is(s, strlen(s), words[i][v])) {
				*out = v == 1;
				return true;
			}
		}
	}
	return yaml_fail(y, node, "true or false is expected here");
}

bool
yaml_need_u64(struct yaml *y, int node, uint64_t *out)
{
	const char *s = yaml_text(y, node);
	char *end = NULL;
	if (s == NULL || s[0] < '0' || s[0] > '9' || strlen(s) > 18)
		return yaml_fail(y, node, "a number is expected here");
	*out = strtoull(s, &end, 10);
	return *end == '\0' || yaml_fail(y, node, "a number is expected here");
}

bool
yaml_need_day(struct yaml *y, int node, int64_t *out)
{
	const char *s = yaml_text(y, node);
	struct tm tm = {0};
	char back[16] = "";
	const char *end = s != NULL ? strptime(s, "%Y-%m-%d", &tm) : NULL;
	int year = tm.tm_year + 1900; /* ns since 1970 end in 2262 */
	if (end != NULL && *end == '\0' && year >= 1970 && year < 2200) {
		time_t t = timegm(&tm); /* which makes 31 February another day */
		strftime(back, sizeof back, "%Y-%m-%d", &tm);
		*out = (int64_t)t * 1000000000;
	}
	return (back[0] != '\0' && strcmp(back, s) == 0) ||
	    yaml_fail(y, node, "a day is expected here, as 2027-01-31");
}

size_t
yaml_texts(const struct yaml *y, int node)
{
	return yaml_kind(y, node) == YAML_LIST ? yaml_count(y, node) : node != 0 ? 1 : 0;
}

const char *
yaml_text_at(struct yaml *y, int node, size_t i)
{
	const char *s = NULL;
	int at = yaml_kind(y, node) == YAML_LIST ? yaml_item(y, node, i) : node;
	return yaml_need_text(y, at, &s) ? s : NULL;
}

bool
yaml_unknown(struct yaml *y, int node, const char *key, const char *what, const char *const *known,
    size_t n)
{
	size_t best = nearest(key, strlen(key), known, n);
	if (best < n)
		return yaml_fail(y, node, "'%.64s' is no %s; did you mean '%s'?", key, what,
		    known[best]);
	char list[200];
	struct text t = text_in(list, sizeof list);
	size_t i = 0;
	for (; i < n && t.len + 2 + strlen(known[i]) < sizeof list; i++)
		text_printf(&t, "%s%s", i > 0 ? ", " : "", known[i]);
	return yaml_fail(y, node, "'%.64s' is no %s (%s%s)", key, what, list, i < n ? ", ..." : "");
}
