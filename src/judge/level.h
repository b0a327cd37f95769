/* Levels, as Sigma names them. */
#ifndef POSTCARD_JUDGE_LEVEL_H
#define POSTCARD_JUDGE_LEVEL_H

#include <stddef.h>

#include "record/record.h"

/* In the order of their weight. */
enum level {
	LEVEL_NONE,
	LEVEL_INFORMATIONAL,
	LEVEL_LOW,
	LEVEL_MEDIUM,
	LEVEL_HIGH,
	LEVEL_CRITICAL,
	LEVELS
};

/* "high" for LEVEL_HIGH; NULL for LEVEL_NONE.  A constant. */
const char *level_name(enum level level);

/* The level of that name (`len` octets); LEVEL_NONE where there is none. */
enum level level_by_name(const char *name, size_t len);

/* The level that a record carries (FIELD_LEVEL); LEVEL_NONE where it has none. */
enum level level_of(const struct record *r);

/* The severity of OUTPUT.md: informational 1, low 3, medium 5, high 7, critical 9. */
unsigned level_severity(enum level level);

#endif
