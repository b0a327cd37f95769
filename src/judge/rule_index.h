/*
 * Which rules are worth asking of a record?
 *
 * Of each rule the index knows a few atoms one of which is true wherever the rule holds: its key,
 * the rarest that its condition offers.  Texts are found by the automaton of their field, numbers
 * and networks by a hash, so that a record costs what it matches, not what there are rules.
 * (Indexing conjunctions by their most selective predicate: Fabret et al., "Filtering algorithms
 * and implementation for very fast publish/subscribe systems", SIGMOD 2001.)
 */
#ifndef POSTCARD_JUDGE_RULE_INDEX_H
#define POSTCARD_JUDGE_RULE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "record/record.h"

struct rules;

struct rule_index {
	uint64_t *candidate; /* a bit for each rule, by number: of the record at hand */
	uint64_t *always;    /* those without a key */
	uint32_t words;	     /* of 64 rules */
	uint32_t *first;     /* by atom: where in `list` its rules begin; NULL: not built yet */
	uint32_t *list;	     /* numbers of rules */
	struct map exact;    /* struct exact -> the atom that it is, index + 1 */
	struct {
		uint32_t *atom; /* keys that must be asked one by one */
		uint32_t atoms;
		bool search;	       /* its automaton finds keys */
		bool exact;	       /* some of the map are of this field */
		uint64_t length[2][3]; /* of the IPv4 and IPv6 networks there, as bits */
	} field[FIELDS + 1u];	       /* the last: any text */
	uint16_t asked[FIELDS + 1u];   /* fields of which something is asked */
	unsigned asked_count;
};

/* Builds the index of all atoms and rules of the set; false where there is no memory. */
bool rule_index_build(struct rules *s);
void rule_index_free(struct rules *s);

/* A record comes to hand (rule_view): before anything is asked of it. */
void rule_index_begin(struct rules *s);

/* Sets the bits of the rules that may hold of it. */
void rule_index_look(struct rules *s);

/* Walks the rules that may hold, by number: start with *at = 0; false behind the last. */
bool rule_index_next(const struct rule_index *x, uint32_t *at, uint32_t *rule);

/* An atom is true: its rules may hold. */
void rule_index_mark(struct rules *s, uint32_t atom);

#endif
