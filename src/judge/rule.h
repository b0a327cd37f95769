/*
 * The inside of a rule set: tests of values (atoms), conditions over them, and what correlations
 * remember.  For the files rule_*.c and rules.c only.
 *
 * An atom stands once in a set however many rules ask it, and is answered at most once a record.
 */
#ifndef POSTCARD_JUDGE_RULE_H
#define POSTCARD_JUDGE_RULE_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/map.h"
#include "judge/literals.h"
#include "judge/rule_index.h"
#include "judge/rule_memo.h"
#include "judge/rule_view.h"
#include "judge/rules.h"

#define ANY_TEXT ((uint16_t)FIELDS) /* in the place of a field: every value of text */

enum atom_kind {
	ATOM_LITERAL, /* text without wildcards inside, found by the matcher of its field */
	ATOM_GLOB,    /* text with wildcards */
	ATOM_REGEX,
	ATOM_NETWORK, /* an address in a network */
	ATOM_NUMBER,  /* a number, or a part of a time, compared */
	ATOM_FIELD,   /* the value of another field */
	ATOM_EXISTS,
	ATOM_TRUTH /* a truth value */
};

enum compare { COMPARE_EQ, COMPARE_LT, COMPARE_LTE, COMPARE_GT, COMPARE_GTE };
enum time_part { PART_NONE, PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

/* Where in the value a text must stand. */
#define ANCHOR_START 1u
#define ANCHOR_END   2u

#define WILD_MANY 256u /* in a pattern of 16-bit units: any number of octets */
#define WILD_ONE  257u /* one character (of UTF-8) */

struct atom {
	uint16_t field;	 /* the first of its name in the field table, or ANY_TEXT */
	uint16_t other;	 /* ATOM_FIELD */
	uint8_t kind;	 /* enum atom_kind */
	uint8_t compare; /* ATOM_NUMBER */
	uint8_t part;	 /* ATOM_NUMBER: enum time_part */
	uint8_t anchors; /* ATOM_LITERAL, ATOM_FIELD */
	bool cased;
	bool truth;			 /* ATOM_TRUTH: which */
	int64_t number;			 /* ATOM_NUMBER */
	struct network network;		 /* ATOM_NETWORK */
	const char *text;		 /* ATOM_LITERAL, ATOM_REGEX */
	const uint16_t *pattern;	 /* ATOM_GLOB: units; letters in lower case unless cased */
	uint32_t len;			 /* of text or pattern */
	const char *run;		 /* ATOM_GLOB, ATOM_REGEX: what every match has in it */
	uint32_t run_len;		 /* 0: nothing that is known */
	uint32_t options;		 /* ATOM_REGEX, of PCRE2 */
	struct pcre2_real_code_8 *regex; /* ATOM_REGEX; freed with the set */
	uint32_t asked;			 /* the record (by its number) for which the answer holds */
	bool answer;
};

enum node_kind { NODE_ATOM, NODE_NOT, NODE_AND, NODE_OR };

/* A condition. */
struct node {
	uint8_t kind;		   /* enum node_kind */
	uint32_t atom;		   /* NODE_ATOM: index into the set's atoms */
	uint32_t count;		   /* children; of NODE_AND and NODE_OR any number, even none */
	const struct node **child; /* in the arena */
};

/* One name under `detection`. */
struct identifier {
	const char *name;
	const struct node *node;
	bool used; /* by the condition */
};

struct rule_body {
	const struct node *root;     /* of a detection rule, or what a filter lets pass */
	uint8_t kinds;		     /* 1 << RECORD_SESSION, _MESSAGE, _SENSOR */
	const struct rule **filters; /* linked: filters of this rule, in the arena */
	uint32_t filter_count;
	const char **targets; /* of a filter: names and ids; NULL, count 0: any */
	struct yaml_place *target_places;
	unsigned target_count;
	struct correlation *correlation;
	bool hit;     /* by the record at hand, not accepted */
	uint8_t mark; /* while cycles are looked for */
};

struct rules {
	struct arena arena;
	bool linked;	    /* ready to match */
	struct rule **rule; /* by number; the array is on the heap, the rules in the arena */
	size_t rules;
	uint32_t *order; /* correlations, those they name first */
	size_t correlations;
	struct atom *atom; /* on the heap */
	size_t atoms;
	struct map atom_ids;		       /* hash of what an atom asks -> its index + 1 */
	struct literals literals[FIELDS + 1u]; /* by field; the last: ANY_TEXT */
	uint32_t literals_done[FIELDS + 1u];   /* the record for which they were looked for */
	uint16_t canonical[FIELDS];	       /* the first field of the same name */
	uint16_t same[FIELDS];		       /* the next one of the same name; 0 for none */
	struct hash_key key;		       /* of groups of events */
	struct placeholder *placeholder;
	size_t placeholders;
	struct pcre2_real_match_data_8 *match_data;
	struct pcre2_real_match_context_8 *match_context;
	uint64_t given_up;
	uint32_t record;	   /* number of the record at hand, from 1 */
	const struct record *view; /* the record at hand */
	struct rule_index index;
	struct rule_memo memo;
	const uint16_t *apart; /* fields that tell records apart for the caller */
	size_t aparts;
	struct rule_match *match; /* that match the record at hand; room for all of them */
	size_t matches;
};

/* While a file is read: where messages go, and whose rule it is. */
struct rule_reader {
	struct rules *set;
	struct yaml *yaml;
	struct rule *rule;
};

/* rule_value.c: the test that `key` (a field and its modifiers) and the value at `node` make; NULL
 * with a message.  An empty field means keywords. */
const struct node *rule_value_read(struct rule_reader *r, const char *key, int key_node, int node);

/* A field by its name; false with a message (and the nearest name). */
bool rule_field_read(struct rule_reader *r, const char *name, int node, uint16_t *out);

/* rule_condition.c: the condition in the text at `node` over the identifiers, which are marked as
 * used; NULL with a message. */
const struct node *
rule_condition_read(struct rule_reader *r, int node, struct identifier *ids, size_t count);

/* A length of time ("90m"); false with a message. */
bool rule_timespan_read(struct rule_reader *r, int node, int64_t *out);

/* rule_run.c: the text that every match of a pattern or an expression has in it, if any; false
 * where there is no memory. */
bool rule_run_find(struct rules *s, struct atom *a);

/* rule_node.c: nodes in the arena of the set; NULL where there is no memory. */
struct node *rule_node(struct rules *s, enum node_kind kind, uint32_t children);
const struct node *rule_node_not(struct rules *s, const struct node *child);
/* The node of the atom `a`, which is put into the set unless it is there. */
const struct node *rule_node_atom(struct rules *s, const struct atom *a);

#endif
