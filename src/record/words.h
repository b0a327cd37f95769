/* Which words a field of the record may have, where it has one of a few. */
#ifndef POSTCARD_RECORD_WORDS_H
#define POSTCARD_RECORD_WORDS_H

#include "record/record.h"

/* The words of a field, NULL behind the last; NULL where it may have any value. */
const char *const *record_words(enum field f);

#endif
