/*
 * Records that are alike in all that rules ask are matched once.
 *
 * What rules ask is mostly one of a few words (an outcome, a reason, what was exposed), so that
 * most records are like one that was matched before: to know it again costs a fifth of matching it.
 * Two records are alike where the same fields that rules ask for are there, and the octets of each
 * of these are equal, or, of one with few tests that are no texts, their answers.  What matches
 * depends on the time besides, by which exceptions end, and on nothing else.  Where few records are
 * alike, it is left for a while.
 */
#ifndef POSTCARD_JUDGE_RULE_MEMO_H
#define POSTCARD_JUDGE_RULE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "record/record.h"

struct rules;

/* A rule that matched. */
struct rule_match {
	uint32_t rule;	   /* its number */
	uint32_t accepted; /* that of the exception that accepts it, + 1; 0: none does */
};

#define MEMO_ATOMS 32u /* tests that are asked one by one */

struct rule_memo {
	struct memo *entry; /* by hash; of two that fall together the later stays; NULL: none */
	struct hash_key key;
	uint64_t asked[(FIELDS + 63) / 64];  /* a bit for each field of which something is asked */
	uint64_t octets[(FIELDS + 63) / 64]; /* for those whose octets tell records apart */
	uint32_t atom[MEMO_ATOMS];	     /* of the others what is asked, field by field */
	uint16_t first[FIELDS + 1u];	     /* where in `atom` those of a field begin */
	int64_t from_ns, until_ns;	     /* in between no exception ends */
	unsigned looked, found;		     /* since it was last asked whether that is worth it */
	unsigned asleep;		     /* records for which it is left */
	uint8_t hash[16];		     /* of the record at hand */
	bool open;			     /* it was not found, and is to be kept */
	uint8_t *note;			     /* of the record at hand; NULL: it is not kept */
};

/* Makes it ready for all atoms and rules of the set, whose index is built; false where there is no
 * memory. */
bool rule_memo_build(struct rules *s);
void rule_memo_free(struct rules *s);

/* The record at hand (rule_view): writes which rules match to the set's `match`; false where that
 * is not known.  Then the caller finds out, and rule_memo_keep takes it from there. */
bool rule_memo_find(struct rules *s, int64_t now_ns);
void rule_memo_keep(struct rules *s);

#endif
