/* The words of the fields that have one of a few: see words.h. */
#include "record/words.h"

#define WORDS(field, ...) static const char *const words_##field[] = {__VA_ARGS__, NULL};
#include "record/words.def"
#undef WORDS

static const char *const words_ANOMALIES[] = {
#define ANOMALY(id, name, meaning) name,
#include "record/anomalies.def"
#undef ANOMALY
    NULL};

const char *const *
record_words(enum field f)
{
	static const char *const *const table[FIELDS] = {
	    [FIELD_ANOMALIES] = words_ANOMALIES,
#define WORDS(field, ...) [FIELD_##field] = words_##field,
#include "record/words.def"
#undef WORDS
	};
	return table[f];
}
