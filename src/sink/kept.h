/*
 * A record that was written as a JSON object, and the text that was made of it.
 *
 * Half of what a record says is what the one of its kind before it said, and nearly all of an alert
 * what its event says: of values that stand there in the same octets the text is copied, of as many
 * as follow each other at once.  What is compared are octets of the two records, never their text.
 */
#ifndef POSTCARD_SINK_KEPT_H
#define POSTCARD_SINK_KEPT_H

#include <string.h>

#include "record/record.h"

#define KEPT	   16384u		/* octets of a record, and of its text, that are kept */
#define KEPT_WORDS ((FIELDS + 63) / 64) /* of a set of fields, as struct record has it */

struct kept_field {
	uint16_t first;	     /* where its first value stands in the data */
	uint16_t reach;	     /* how much further the last one does */
	uint16_t span;	     /* octets of all its values; 0: not to be copied */
	uint16_t before;     /* the field that was written before; FIELDS: none */
	uint32_t begin, end; /* of its text, with the joint before it */
};

struct kept {
	uint64_t set[KEPT_WORDS];	 /* fields that were written */
	struct kept_field field[FIELDS]; /* of these */
	uint8_t data[KEPT];
	char text[KEPT];
};

/* Keeps the record, of which the fields in `set` were noted, and its text; or nothing, where they
 * are too long or `len` is 0. */
void kept_take(struct kept *k, const struct record *r, const uint64_t set[KEPT_WORDS],
    const char *text, size_t len);

/* Which fields of `set` does k have in the same octets as the record? */
void kept_find(const struct kept *k, const struct record *r, const uint64_t set[KEPT_WORDS],
    uint64_t same[KEPT_WORDS]);

/* Bits in which eight octets at a and b differ. */
static inline uint64_t
kept_differ(const uint8_t *a, const uint8_t *b)
{
	uint64_t v, w;
	memcpy(&v, a, sizeof v);
	memcpy(&w, b, sizeof w);
	return v ^ w;
}

/* memcmp, of what is mostly short: words that may overlap, and no call. */
static inline bool
kept_is_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	const size_t word = sizeof(uint64_t), end = len - word;
	if (len < word || len > 4 * word)
		return memcmp(a, b, len) == 0;
	uint64_t odd = kept_differ(a, b) | kept_differ(a + end, b + end);
	if (len > 2 * word)
		odd |=
		    kept_differ(a + word, b + word) | kept_differ(a + end - word, b + end - word);
	return odd == 0;
}

/* Does field f, which both have, stand in the record in the octets that k has? */
static inline bool
kept_is_same(const struct kept *k, const struct record *r, unsigned f)
{
	const struct kept_field *x = &k->field[f];
	const unsigned first = r->first[f], span = x->span;
	return r->last[f] == first + x->reach && span > 0 && first + span <= r->len &&
	    kept_is_equal(r->data + first, k->data + x->first, span);
}

/* The field stands at `first` of another record, and its text at `begin` of another: octets of it.
 */
static inline uint32_t
kept_move(struct kept_field *x, uint16_t first, uint32_t begin)
{
	const uint32_t len = x->end - x->begin;
	x->first = first;
	x->begin = begin;
	x->end = begin + len;
	return len;
}

static inline bool
kept_has(const struct kept *k, unsigned f)
{
	return (k->set[f / 64] >> f % 64 & 1) != 0;
}

#endif
