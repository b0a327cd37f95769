/* The values of the record at hand, by the names of fields; and conditions asked of them
 * (rule_match.c). */
#ifndef POSTCARD_JUDGE_RULE_VIEW_H
#define POSTCARD_JUDGE_RULE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

struct atom;
struct node;
struct rules;

/* A walk through the values of a field: zeroed, but for `field`, at its start. */
struct value_walk {
	uint16_t field; /* of several with one name the first; the walk goes on to the others */
	uint32_t at;	/* where in the record it is */
};

/* The record at hand becomes `r`, which stays the caller's and is asked until the next one. */
void rule_view(struct rules *s, const struct record *r);

/* Has the record at hand a value of the field? */
bool rule_has(const struct rules *s, unsigned field);

/* Its next value; false behind the last. */
bool rule_value(const struct rules *s, struct value_walk *w, struct record_value *v);

/* Does the condition hold of it? */
bool rule_holds(struct rules *s, const struct node *n);

/* The same of one atom; and of all texts that a field is searched for (the last "field": FIELDS, is
 * every text). */
bool rule_ask(struct rules *s, struct atom *a);
void rule_search(struct rules *s, unsigned field);

/* Notes the answer of an atom for the record at hand. */
void rule_answer(struct rules *s, struct atom *a, bool yes);

/* A number, or a time in ns; what does not fit is the greatest there is. */
int64_t rule_number(const struct record_value *v);

/* A value of the record at hand as text; `buf` (RULE_TEXT octets) holds what is not text already.
 */
#define RULE_TEXT 64u
const char *rule_text(const struct record_value *v, char *buf, size_t *len);

/* Does the pattern of `n` units match the whole of the text? */
bool rule_glob(const uint16_t *pattern, size_t n, bool cased, const char *s, size_t len);

#endif
