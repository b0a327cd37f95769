/*
 * Texts of rules as patterns: wildcards and escapes read, placeholders filled in, encodings made.
 *
 * A pattern is a row of 16-bit units, an octet or a wildcard (WILD_MANY, WILD_ONE) each.  A change
 * makes of one pattern one or more.  "Sigma Modifiers", version 2.1.0.
 */
#ifndef POSTCARD_JUDGE_RULE_PATTERN_H
#define POSTCARD_JUDGE_RULE_PATTERN_H

#include "judge/rule.h"

#define PATTERN 1024u /* units of one pattern */

struct pattern {
	uint16_t unit[PATTERN];
	size_t len; /* units */
};

/* What one value became; begins zeroed. */
struct patterns {
	struct pattern *p; /* on the heap: the caller frees it, after failures too */
	size_t count;
};

enum pattern_change {
	CHANGE_BASE64,
	CHANGE_BASE64OFFSET,
	CHANGE_UTF16,
	CHANGE_UTF16LE,
	CHANGE_UTF16BE,
	CHANGE_WINDASH
};

/* Adds what the text at `node` becomes: one pattern, or with `expands` one for each way of filling
 * in its placeholders (perhaps none).  False with a message. */
bool patterns_read(struct rule_reader *r, int node, const char *text, bool expands,
    struct patterns *out);

/* Changes each pattern; the text must have no wildcards where it is encoded.  False with a
 * message, which is about `node`. */
bool patterns_change(struct rule_reader *r, int node, enum pattern_change how, struct patterns *ps);

#endif
