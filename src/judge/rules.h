/*
 * The rules: Sigma (specification 2.1) over the fields of the records.
 *
 * What deserves an alert is said by these files, never by the program: detection rules, filters
 * (exceptions among them) and correlations, as https://sigmahq.io describes them, for
 *
 *   taxonomy: ecs
 *   logsource: {product: postcard, service: session | message | sensor}
 *   (no service: session and message)
 *
 * What is not supported is refused with file, line and column; nothing is ignored.  A rule may
 * carry custom attributes under `postcard:` (see struct rule).  A set is read once (rules_read for
 * each file, then rules_link) and asked for each record (rules_match).
 */
#ifndef POSTCARD_JUDGE_RULES_H
#define POSTCARD_JUDGE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/yaml.h"
#include "judge/level.h"
#include "record/record.h"

#define RULE_TAGS 8u /* techniques, weaknesses and references of a rule that alerts carry */
#define RULE_KEYS 8u /* fields of a roll-up key */

enum rule_kind { RULE_DETECTION, RULE_FILTER, RULE_CORRELATION };

struct rule {
	uint8_t kind;	  /* enum rule_kind */
	bool active;	  /* false: deprecated or unsupported, by its status */
	bool silent;	  /* only correlations ask for it (`generate` of Sigma) */
	bool by_path;	  /* postcard.level: by-path; the level is that of the table */
	bool exception;	  /* a filter with an owner, a reason and an end */
	enum level level; /* LEVEL_NONE where it has none */
	const char *id;	  /* "" where it has none */
	const char *name; /* the same */
	const char *title;
	const char *description;	  /* "" for none */
	const char *message;		  /* postcard.message; NULL for that of the table */
	const char *advice;		  /* postcard.advice; the same */
	const char *technique[RULE_TAGS]; /* "T1040"; NULL ends */
	const char *weakness[RULE_TAGS];  /* "CWE-319"; NULL ends */
	const char *reference[RULE_TAGS]; /* NULL ends */
	uint16_t key[RULE_KEYS]; /* postcard.key: fields of the roll-up key besides the rule */
	unsigned keys;		 /* 0: client, server and reason */
	bool single;		 /* one alert for all events: a correlation without groups */
	int64_t window_ns;	 /* postcard.window: of the roll-up; 0: the usual one */
	const char *owner;	 /* of an exception: postcard.owner */
	const char *reason;	 /* postcard.reason */
	int64_t expires_ns;	 /* postcard.expires: it holds before that (UTC) */
	const char *file;	 /* where it was read from */
	unsigned line;
	unsigned column;
	uint32_t number;	/* in the order of reading */
	struct rule_body *body; /* how it matches: judge/rule.h */
};

struct rules;

/* What %name% stands for in values with the modifier `expand`. */
struct placeholder {
	const char *name;
	const char *const *values;
	size_t count;
};

/* An empty set.  The placeholders are copied.  NULL where there is no memory. */
struct rules *rules_new(const struct placeholder *placeholders, size_t count);
void rules_free(struct rules *s); /* NULL is allowed */

/* Reads all documents of `len` octets at `text`; `exceptions` where they must be filters that have
 * owner, reason and end.  False with a message in `error` (YAML_ERROR octets). */
bool rules_read(struct rules *s, const char *text, size_t len, const char *name, bool exceptions,
    char *error);

/* Makes the set ready when all is read: names to rules, filters into rules, strings to matchers.
 * False with a message in `error`. */
bool rules_link(struct rules *s, char *error);

/*
 * What the caller finds out about records may be kept with what matches them, for all that are
 * alike.  Before rules_link: the `n` fields on which that rests besides the record's kind (they
 * stay where they are).  After rules_match: room for it, 0 at first; NULL where nothing is kept.
 */
void rules_tell_apart(struct rules *s, const uint16_t *fields, size_t n);
uint8_t *rules_note(struct rules *s);

size_t rules_count(const struct rules *s);
const struct rule *rules_at(const struct rules *s, size_t i);

/* Does any rule of a linked set ask for the field, or tell events or alerts apart by it? */
bool rules_ask(const struct rules *s, enum field field);

struct rule_hit {
	const struct rule *rule;
	const struct rule *accepted; /* the exception that accepts it; NULL for none */
};

#define RULE_HITS 256u /* of one record; more are not reported */

/*
 * Which detection rules match the record, in the order in which they were read; hits has room for
 * RULE_HITS.  `now_ns` is packet time.  Silent rules are not reported.  Then rules_correlate, once,
 * while the record is as it was: adds the correlations that it completes to the `count` hits.  What
 * these remember is fetched in between, so that it pays to do something else first, with
 * rules_expect halfway.
 */
size_t rules_match(struct rules *s, const struct record *r, int64_t now_ns, struct rule_hit *hits);
void rules_expect(const struct rules *s);
size_t rules_correlate(struct rules *s, int64_t now_ns, struct rule_hit *hits, size_t count);

/* The key by which groups of events are told apart: to be that of the windows that the set takes
 * over.  One is drawn by rules_new. */
void rules_set_key(struct rules *s, const struct hash_key *key);

/*
 * What correlations remember, group by group, for the state file (rule_keep.c): a key that is the
 * same in every run as long as the correlation is, and octets for rules_window_take.
 */
#define WINDOW_DIGEST 16u /* octets */

struct window_key {
	uint8_t rule[WINDOW_DIGEST];  /* of the correlation: of a SHA-256 */
	uint8_t group[WINDOW_DIGEST]; /* of the values that the events share: a keyed hash */
};

struct window_walk { /* zeroed at the start */
	size_t correlation;
	uint32_t group;
};

struct window {
	struct window_key key;
	const struct rule *rule;
	const void *octets; /* in the set: until the next record */
	size_t len;
	int64_t end_ns; /* packet time from which on it says nothing more */
	bool dirty;	/* changed since rules_windows_saved */
};

/* The next window; false behind the last. */
bool rules_window_next(const struct rules *s, struct window_walk *at, struct window *out);

/* One window of an earlier run.  False where the octets are none; those of a correlation that is
 * not in the set are passed over. */
bool
rules_window_take(struct rules *s, const struct window_key *key, const void *octets, size_t len);

void rules_windows_saved(struct rules *s); /* none is dirty now */

/* Takes over what the correlations of `from` remember, where the set has the same ones. */
void rules_windows_move(struct rules *s, const struct rules *from);

/* Times that a regular expression gave up at its limit, so far. */
uint64_t rules_given_up(const struct rules *s);

#endif
