/*
 * Judgement: what deserves an alert, how bad it is, in one sentence, and what to change.
 *
 *   record -> memory -> policies -> rules -> record with level and words, and alerts
 *
 * The rules and texts are files that people edit (rules/); the program carries a copy of them.
 * judge_push takes a record, judge_next gives the alerts that it makes due.
 */
#ifndef POSTCARD_JUDGE_JUDGE_H
#define POSTCARD_JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "judge/level.h"
#include "judge/memory.h"
#include "judge/policy.h"
#include "judge/rule_files.h"
#include "record/record.h"

#define JUDGE_ERROR YAML_ERROR /* octets of a message of judge_load, with its NUL */

struct judge;

struct judge_config {
	struct rule_sources from;
	const struct placeholder *placeholders; /* of %name% in rules; copied */
	size_t placeholder_count;
	struct policies *policies; /* the judge's from then on; NULL: none */
};

/* A judge that has no rules yet, and remembers nothing; NULL where there is no memory. */
struct judge *judge_new(void);
void judge_free(struct judge *j); /* NULL is allowed */

/*
 * Reads rules and texts and takes them, with the policies, in the place of those that it had; what
 * it remembers stays.  False with a message ("file:line:column: cause") in `error`: all is as it
 * was, and the policies are the caller's still.
 */
bool judge_load(struct judge *j, const struct judge_config *c, char error[JUDGE_ERROR]);

/* What is loaded, for people to look at. */
const struct rules *judge_rules(const struct judge *j);

/*
 * From now on alerts are brief: rule, level, hosts, state and count, and of what was not readable
 * mail its sentence.  Enough for a report that counts them, at a tenth of the cost.  Not to be
 * asked for together with judge_remember, since a later run may report them in full.
 */
void judge_be_brief(struct judge *j);

/* Does anybody read the sentence and the advice of the records that come next?  Where nobody does,
 * no rule either, and alerts are brief, they are left out.  At first: yes. */
void judge_want_words(struct judge *j, bool wanted);

/* Do rules, alerts or the texts of {because} read who the two sides are (postcard.client and
 * .server)? */
bool judge_reads_who(const struct judge *j);

/* How many policies are loaded. */
size_t judge_policies(const struct judge *j);

/* Takes what earlier runs remembered from the state file (judge/state.h), which is made where it is
 * not there; to be called before the first record.  False with a message in `error`. */
bool judge_remember(struct judge *j, const char *path, char error[JUDGE_ERROR]);

/* Brings the state file up to date, if there is one.  False with a message; nothing is lost, the
 * next call tries again. */
bool judge_save(struct judge *j, char error[JUDGE_ERROR]);

/* A record came that is to be judged when enrich_apply is done with it: what is remembered of its
 * hosts is fetched meanwhile. */
void judge_expect(struct judge *j, const struct record *r);

/*
 * Judges a session, a message or what happened to the sensor: adds what memory and policies know,
 * level, sentence, advice and the exception that accepts it; other records stay as they are.  The
 * direction decides, too, so enrich_apply comes first.  `r` must stay as it is until judge_next
 * returned false.  Sentences name hosts and counts, never a person, so they need no masking.
 */
void judge_push(struct judge *j, struct record *r);

/* The next alert; false: no more for now. */
bool judge_next(struct judge *j, struct record *out);

/* Time passes without a record: what is due comes by judge_next.  A live run says so now and then.
 */
void judge_clock(struct judge *j, int64_t now_ns);

/* The run ends: all that was counted is to be reported (judge_next). */
void judge_finish(struct judge *j);

struct judge_stats {
	uint64_t accepted; /* matches that an exception accepted */
	uint64_t given_up; /* expressions that reached their limit of steps */
};

void judge_stats_get(const struct judge *j, struct judge_stats *out);

#endif
