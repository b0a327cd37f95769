/* The summary of a run: tallies of the records, and the record that comes last. */
#ifndef POSTCARD_APP_SUMMARY_H
#define POSTCARD_APP_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture.h"
#include "engine/engine.h"
#include "engine/feed.h"
#include "finding/finding.h"
#include "judge/judge.h"
#include "record/record.h"

#define OUTCOMES (OUTCOME_UNKNOWN + 1)

struct tally {
	uint64_t sessions;	     /* session records */
	uint64_t outcomes[OUTCOMES]; /* of them, by outcome; one without a known word is unknown */
	uint64_t envelopes;	     /* MAIL commands whose content did not cross */
	uint64_t messages;	     /* contents that crossed readable */
	uint64_t credentials;	     /* sessions that exposed credentials */
	uint64_t gap_sessions;	     /* sessions with gaps */
	uint64_t gap_bytes;	     /* octets lost in them */
	uint64_t one_sided;	     /* sessions of which one direction was captured */
	uint64_t midstream;	     /* sessions whose start was not captured */
	uint64_t alerts;	     /* alerts raised: new ones, and those whose level rose */
	uint64_t resolved;	     /* alerts that were resolved */
	enum level worst;	     /* the highest level of any record */
	bool cleartext;		     /* a session that was cleartext, or a message */
};

/* Counts one record of the run. */
void tally_add(struct tally *t, const struct record *r);

/* Fills in the summary.  Lines about damage are the caller's to add (FIELD_SUM_FAULTS). */
void summary_compose(struct record *out, const struct tally *t, const struct capture_stats *c,
    const struct engine_stats *e, const struct judge_stats *j);

/* Adds what a sensor counts besides: workers, what they waited for, tables, and how far behind the
 * clock it is (`now_ns`; 0: it is no matter). */
void summary_add_sensor(struct record *out, const struct feed_report *f, unsigned workers,
    uint64_t restarts, int64_t now_ns);

#endif
