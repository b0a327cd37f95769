/*
 * Judgement: how bad is what was seen, in one sentence, and what to change.
 *
 * Driven by a table that people edit (rules/advice.yml, whose head describes the format); the
 * program carries a copy of it.  Nothing here is from memory of other connections.
 */
#ifndef POSTCARD_JUDGE_JUDGE_H
#define POSTCARD_JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "judge/level.h"
#include "record/record.h"

#define JUDGE_ERROR 512 /* octets of a message of judge_open, with its NUL */

struct judge;

/*
 * Reads a table: `len` octets of YAML at `yaml`, which are not needed afterwards; `name` stands for
 * it in messages.  NULL and "name:line:column: cause" in `error` where it is not well formed or has
 * unknown words in it.  The caller frees it with judge_free.
 */
struct judge *judge_open(const char *yaml, size_t len, const char *name, char error[JUDGE_ERROR]);

/* The table that the program carries, as rules/advice.yml was when it was built: its octets, and
 * their number in *len.  A constant. */
const char *judge_table(size_t *len);

/*
 * Adds FIELD_LEVEL, FIELD_MESSAGE and FIELD_ADVICE to a session whose outcome is cleartext and to
 * every message; other records stay as they are.  The direction decides too, so enrich_apply comes
 * first.  The sentence names hosts and counts, never a person, so it needs no masking.
 */
void judge_apply(const struct judge *j, struct record *r);

/* NULL is allowed. */
void judge_free(struct judge *j);

#endif
