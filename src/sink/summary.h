/*
 * The summary of a report: how many connections were in clear, why, whose, and how good the capture
 * was.
 *
 * Outcomes and quality are those of the summary record, where there is one; what it does not have
 * is counted here from the sessions.  Bounds: LIMIT_PEERS addresses of each side.
 */
#ifndef POSTCARD_SINK_SUMMARY_H
#define POSTCARD_SINK_SUMMARY_H

#include "base/map.h"
#include "sink/alert_list.h"
#include "sink/clear.h"
#include "sink/page.h"
#include "sink/words.h"

#define TALLY 16u

/* How often each of a few texts came. */
struct tally {
	char text[TALLY][64];
	uint64_t n[TALLY]; /* 0 for a place that is free */
};

struct peers {
	struct map map; /* struct addr -> struct peer (summary.c) */
	uint64_t more;	/* connections with addresses that found no room */
};

struct summary {
	uint64_t outcomes[OUTCOMES];   /* sessions */
	uint64_t mails;		       /* in clear */
	uint64_t logins;	       /* sessions with credentials in clear */
	struct tally reasons;	       /* of sessions in clear */
	struct tally failures;	       /* of sessions whose TLS failed: the alert */
	struct tally unknowns;	       /* of sessions not judged: why not */
	struct peers clients, servers; /* in clear */
	int64_t first_ns, last_ns;     /* of the sessions; since the epoch */
	struct alert_list *alerts;     /* and what was accepted */
	struct record *last;	       /* the summary record; kind RECORD_SESSION for none yet */
};

/* False where the memory is refused. */
bool summary_init(struct summary *s);
void summary_free_all(struct summary *s);

/* Counts a session; `clear` is what there is to count where it was in clear, or NULL. */
void summary_take_session(struct summary *s, const struct record *r, const struct clear *clear);

/* Takes an alert, or the exception that accepts a session or message. */
void summary_take_alert(struct summary *s, const struct record *r);

/* Keeps the summary record. */
void summary_take_summary(struct summary *s, const struct record *r);

/* A number of the summary record; `otherwise` where it has none. */
uint64_t summary_number(const struct summary *s, enum field f, uint64_t otherwise);

/* How many connections had each outcome: what the summary record says, or else what was taken. */
void summary_outcomes(const struct summary *s, uint64_t outcomes[OUTCOMES]);

#define SUMMARY_FLAWS 32u

/* What the capture, the workers and the outputs suffered, a line each, the gravest first. */
struct flaws {
	char line[SUMMARY_FLAWS][400];
	unsigned n; /* lines */
};

void summary_flaws(const struct summary *s, struct flaws *f);

/* Draws it all. */
void summary_draw(const struct summary *s, struct page *p);

#endif
