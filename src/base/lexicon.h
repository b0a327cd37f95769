/*
 * Words of a table, looked up case-blind: a row that has a word is found by its first and last
 * octet and its length, so that a look-up compares with one row, as a rule, and not with thirty.
 *
 * A table is an array of rows that begin with a struct literal, no word is empty, and of equal
 * words the first row counts.  The index of a table is built when it is first asked.
 */
#ifndef POSTCARD_BASE_LEXICON_H
#define POSTCARD_BASE_LEXICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct literal {
	const char *s; /* NUL-terminated */
	size_t len;    /* without it */
};
#define WORD(literal) .s = (literal), .len = sizeof(literal) - 1 /* as in {WORD("EHLO")} */

#define LEXICON_MAX    64u /* rows of a table at most */
#define LEXICON_PLACES 64u

struct lexicon {
	const void *rows;
	size_t size, count; /* octets of a row; rows */

	/* private: rows by the hash of their words, the next row with the same (from 1, 0: none),
	 * and the first eight octets of their words, in small letters */
	uint8_t first[LEXICON_PLACES], next[LEXICON_MAX + 1];
	uint64_t head[LEXICON_MAX + 1];
	bool built;
};
#define LEXICON(table) \
	.rows = (table), .size = sizeof *(table), .count = sizeof(table) / sizeof *(table)

/* The number of the row whose word is these `len` octets, from 0; the table's count for none. */
size_t lexicon_find(struct lexicon *l, const char *s, size_t len);

#endif
