/* The table of levels, sentences and advice, as read from YAML; rules/advice.yml describes it. */
#ifndef POSTCARD_JUDGE_TABLE_H
#define POSTCARD_JUDGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/facts.h"
#include "judge/judge.h"

#define ROW_GREETINGS 8u /* words of a greeting that one row may name */

enum list { LIST_LEVELS, LIST_WHY, LIST_BECAUSE, LIST_ADVICE, LISTS };

struct row {
	uint32_t words[KEYS];		/* one of these must hold; 0: any may */
	char *greetings[ROW_GREETINGS]; /* one of these must stand in the greeting; NULL ends */
	char *text;			/* of the lists but `levels` */
	enum level level;		/* of the list `levels` */
};

struct table {
	struct row *rows[LISTS]; /* owned */
	size_t count[LISTS];	 /* the last row of each list matches everything */
};

/* Reads the table; false and a message as judge_open gives it.  Free with table_free in any case.
 */
bool table_read(struct table *t, const char *yaml, size_t len, const char *name,
    char error[JUDGE_ERROR]);

void table_free(struct table *t);

#endif
