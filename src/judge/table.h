/*
 * The table of levels, sentences and advice, as read from YAML; rules/texts/advice.yml describes
 * it.  In each list the first row that matches counts.
 */
#ifndef POSTCARD_JUDGE_TABLE_H
#define POSTCARD_JUDGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "judge/facts.h"
#include "judge/level.h"

#define ROW_PARTS 8u /* parts of one text that one row may name */

/* Texts of which rows name parts. */
enum part { PART_GREETING, PART_CLIENT, PART_SERVER, PARTS };

enum list { LIST_LEVELS, LIST_WHY, LIST_BECAUSE, LIST_ADVICE, LISTS };

struct row {
	uint32_t words[KEYS];	       /* one of these must hold; 0: any may */
	struct condition condition;    /* the same, as it is asked */
	char *parts[PARTS][ROW_PARTS]; /* one of these must stand in that text; NULL ends */
	char *text;		       /* of the lists but `levels` */
	enum level level;	       /* of the list `levels`; LEVEL_NONE: nothing to say */
};

struct table {
	struct row *rows[LISTS]; /* owned */
	size_t count[LISTS];	 /* the last row of each list matches everything */
};

/* Reads the table: `len` octets of YAML, which are not needed afterwards; `name` stands for them in
 * messages.  False and a message in `error` (YAML_ERROR octets).  Free with table_free in any case.
 */
bool table_read(struct table *t, const char *yaml, size_t len, const char *name, char *error);

void table_free(struct table *t);

enum level table_level(const struct table *t, const struct facts *f);

/* A level rests on these fields, the kind of the record and whether both sides are loopback; where
 * a row of `levels` asks for a text, on that, too. */
#define TABLE_LEVEL_FIELDS 9u
extern const uint16_t table_level_fields[TABLE_LEVEL_FIELDS];
bool table_level_asks_text(const struct table *t);

/* Adds the sentence (LIST_WHY) or the advice (LIST_ADVICE) of the facts. */
void table_add(struct text *out, const struct table *t, enum list list, struct facts *f);

/* Adds a text with its values filled in, that of a rule for instance; {because} comes from the
 * table. */
void table_fill_in(struct text *out, const struct table *t, const char *text, struct facts *f);

/* Does any row of {because}, which the sentence of a rule may name, ask who the two sides are? */
bool table_asks_who(const struct table *t);

/* Does each word in braces name a value?  If not the first that does not, with its length. */
const char *table_wrong_value(const char *text, size_t *len);

#endif
