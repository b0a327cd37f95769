/* What a correlation asks for and remembers; for rule_correlation.c, rule_window.c and rules.c. */
#ifndef POSTCARD_JUDGE_RULE_CORRELATION_H
#define POSTCARD_JUDGE_RULE_CORRELATION_H

#include "judge/rule.h"

#define CORRELATION_RULES 32u /* rules that one correlation may name */
#define CORRELATION_KEYS  8u  /* fields of one `group-by` */

enum correlation_kind {
	CORRELATION_EVENT_COUNT,
	CORRELATION_VALUE_COUNT,
	CORRELATION_TEMPORAL,
	CORRELATION_ORDERED,
	CORRELATION_SUM,
	CORRELATION_AVG,
	CORRELATION_MIN,
	CORRELATION_MAX,
	CORRELATION_MEDIAN,
	CORRELATION_PERCENTILE,
	CORRELATIONS
};

/* A bound of a correlation's condition. */
struct bound {
	uint8_t compare; /* enum compare */
	int64_t number;
};

/* Keyed hash of the values that its events share. */
struct group_key {
	uint8_t octets[WINDOW_DIGEST];
};

struct correlation {
	uint8_t kind; /* enum correlation_kind */
	bool generate;
	/* digest of all that its windows depend on, so that a later run knows them again */
	uint8_t digest[WINDOW_DIGEST];
	unsigned percentile;
	int64_t timespan_ns;
	unsigned rules;
	const char *rule_name[CORRELATION_RULES]; /* as written: a name or an id */
	struct yaml_place rule_place[CORRELATION_RULES];
	const struct rule *rule[CORRELATION_RULES]; /* once linked */
	unsigned keys;
	/* the field that each key is in the events of each rule (aliases) */
	uint16_t key[CORRELATION_KEYS][CORRELATION_RULES];
	uint16_t field; /* whose values are counted or computed with */
	unsigned bounds;
	struct bound bound[2];
	/* of a temporal one: its atoms are positions in `rule`; NULL: all of them */
	const struct node *condition;
	unsigned least;	   /* temporal: so many of the rules; 0: see condition */
	unsigned window;   /* events or values that a group remembers */
	struct map groups; /* keys: struct group_key; values: struct group with its window */
	uint32_t walk;	   /* where the search for a group to give up goes on */
	/* rule_window_expect: the one group that the record at hand belongs to, if it is one only
	 */
	struct group_key expected;
	uint64_t expected_hash;
	unsigned expected_at; /* as an event of which rule, from 1; 0: not known */
};

struct entry {
	int64_t ns;	/* packet time */
	uint64_t value; /* a number, or a part of the hash of a value */
};

struct group {
	int64_t last_ns;  /* of its newest event */
	int64_t fired_ns; /* when it was complete; NEVER: not since the condition was false */
	uint32_t count;	  /* entries used */
	uint32_t head;	  /* the oldest, where entries are in their order */
	bool dirty;	  /* the state file does not have it so */
	uint8_t none[7];  /* where padding would be */
	struct entry entry[];
};

/* The clock of captures starts at 0 at the earliest, so that no event is this old. */
#define NEVER INT64_MIN

/* rule_correlation.c: the section `correlation`; `field` is the node of the attribute of that name
 * beside it, or 0.  False with a message. */
bool rule_correlation_read(struct rule_reader *r, int node);

/* rule_window.c: what a correlation remembers.  Makes room for its groups (false: no memory); and
 * the record at hand becomes an event of it: true where that completes it.  `hit` is asked of its
 * rules. */
bool rule_window_init(struct correlation *c);
size_t rule_window_size(const struct correlation *c); /* octets of a group with its window */
void rule_window_expect(struct rules *s, struct correlation *c); /* the push is near */
bool rule_window_push(struct rules *s, struct correlation *c, int64_t now_ns);

/* rule_keep.c: fills in the digest of a rule that is a correlation. */
void rule_keep_digest(const struct rule *rule);

#endif
