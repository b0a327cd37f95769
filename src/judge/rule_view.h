/* The values of the record at hand, by field; and conditions asked of them (rule_match.c). */
#ifndef POSTCARD_JUDGE_RULE_VIEW_H
#define POSTCARD_JUDGE_RULE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

struct atom;
struct node;
struct rules;

/* One value of the record at hand, and the next of the same field. */
struct view_value {
	struct record_value v;
	uint32_t next; /* index + 1; 0 for none */
};

#define VIEW_VALUES 2048u /* values of one record that rules can see */

struct view {
	struct view_value value[VIEW_VALUES];
	uint32_t count;
	uint32_t first[FIELDS], last[FIELDS]; /* index + 1; of the first field of that name */
};

/* The record at hand becomes `r`. */
void rule_view(struct rules *s, const struct record *r);

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
