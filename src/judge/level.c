/* Levels: see level.h. */
#include "judge/level.h"

#include <string.h>

#include "record/read.h"

static const char *const names[LEVELS] = {
    [LEVEL_INFORMATIONAL] = "informational",
    [LEVEL_LOW] = "low",
    [LEVEL_MEDIUM] = "medium",
    [LEVEL_HIGH] = "high",
    [LEVEL_CRITICAL] = "critical",
};

const char *
level_name(enum level level)
{
	return level < LEVELS ? names[level] : NULL;
}

enum level
level_by_name(const char *name, size_t len)
{
	for (unsigned l = LEVEL_INFORMATIONAL; l < LEVELS; l++) {
		if (len > 0 && names[l][0] == name[0] && strlen(names[l]) == len &&
		    memcmp(names[l], name, len) == 0)
			return (enum level)l;
	}
	return LEVEL_NONE;
}

enum level
level_of(const struct record *r)
{
	size_t len;
	const char *name = record_str(r, FIELD_LEVEL, &len);
	return name != NULL ? level_by_name(name, len) : LEVEL_NONE;
}

unsigned
level_severity(enum level level)
{
	return level == LEVEL_NONE ? 0 : 2u * (unsigned)level - 1u;
}
