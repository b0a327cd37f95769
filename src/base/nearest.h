/* The nearest word: for messages about what was misspelt. */
#ifndef POSTCARD_BASE_NEAREST_H
#define POSTCARD_BASE_NEAREST_H

#include <stddef.h>

/* Which of the `n` words needs the fewest edits (insert, delete, replace, swap of neighbours: the
 * restricted distance of Damerau and Levenshtein) to become `word`; n where none is near, that is
 * within a third of its length. */
size_t nearest(const char *word, size_t len, const char *const *words, size_t n);

#endif
