/*
 * Reading YAML (libyaml) strictly: every complaint names file, line and column.
 *
 * A file is a sequence of documents, of which one is loaded at a time; its nodes are named by small
 * integers, 0 for none, valid until the next document.  Texts live as long.  Anchors and aliases
 * are refused, as they let a few lines stand for billions; so are nesting deeper than
 * LIMIT_YAML_DEPTH and maps of more than LIMIT_YAML_PAIRS.
 */
#ifndef POSTCARD_BASE_YAML_H
#define POSTCARD_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define YAML_ERROR 512 /* octets of a message, with its NUL */

struct yaml;

enum yaml_kind { YAML_NONE, YAML_SCALAR, YAML_LIST, YAML_MAP };

/* Begins to read `len` octets at `text`, which must live on until yaml_close; `name` stands for the
 * file in messages, which are written to `error` (YAML_ERROR octets, "" for none yet).  NULL and a
 * message where memory is not to be had or the text is longer than LIMIT_YAML. */
struct yaml *yaml_open(const char *text, size_t len, const char *name, char *error);
void yaml_close(struct yaml *y); /* NULL is allowed */

/* Loads the next document that is not empty; false at the end, or with a message where it is not
 * well formed. */
bool yaml_next(struct yaml *y);

/* The root of the document. */
int yaml_root(const struct yaml *y);

enum yaml_kind yaml_kind(const struct yaml *y, int node); /* YAML_NONE for node 0 */
unsigned yaml_line(const struct yaml *y, int node);	  /* from 1 */

/* Where a node begins, for messages that come when the document is gone; zeros for node 0. */
struct yaml_place {
	unsigned line, column; /* from 1 */
};
struct yaml_place yaml_place(const struct yaml *y, int node);

/* Text of a scalar, NUL-terminated; NULL where it is none (or has a NUL within). */
const char *yaml_text(const struct yaml *y, int node);

/* Is it a scalar without quotes (so that it may be a number, a truth value or null)? */
bool yaml_plain(const struct yaml *y, int node);
bool yaml_is_null(const struct yaml *y, int node); /* an empty value, ~ or null */

/* Elements of a list, pairs of a map; 0 of what is neither. */
size_t yaml_count(const struct yaml *y, int node);
int yaml_item(const struct yaml *y, int list, size_t i);

/* The i-th pair of a map; false with a message where its key is no text or stood there before. */
bool yaml_pair(struct yaml *y, int map, size_t i, const char **key, int *key_node, int *value);

/* The value of `key` in a map; 0 where it has none. */
int yaml_get(const struct yaml *y, int map, const char *key);

/* Writes "name:line:column: cause" into the error unless it holds one already.  Always false, for
 * `return yaml_fail(...)`.  Node 0: no line. */
bool
yaml_fail(struct yaml *y, int node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Each false with a message where the node is not that. */
bool yaml_need_text(struct yaml *y, int node, const char **out); /* not empty */
bool yaml_need_map(struct yaml *y, int node, const char *what);
bool yaml_need_bool(struct yaml *y, int node, bool *out);
bool yaml_need_u64(struct yaml *y, int node, uint64_t *out);

/* A day of the calendar, 2027-01-31, from 1970 to 2199: ns since the epoch at its begin (UTC). */
bool yaml_need_day(struct yaml *y, int node, int64_t *out);

/* A text, or a list of texts: how many there are; and the i-th, NULL with a message where it is no
 * text or empty. */
size_t yaml_texts(const struct yaml *y, int node);
const char *yaml_text_at(struct yaml *y, int node, size_t i);

/* Says that `key` is not known, and which of the `n` known words is nearest to it.  Always false.
 */
bool yaml_unknown(struct yaml *y, int node, const char *key, const char *what,
    const char *const *known, size_t n);

#endif
