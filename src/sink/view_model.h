/*
 * What a live view knows: totals, rates, the last alerts, who sent in clear.
 *
 * It is fed with records and never looks at a clock: times are the caller's, so that the same
 * records and times give the same screen.  Bounds: LIMIT_VIEW_ALERTS alerts, LIMIT_VIEW_SENDERS
 * senders, VIEW_SAMPLES states of the last seconds, and those of summary.h.
 */
#ifndef POSTCARD_SINK_VIEW_MODEL_H
#define POSTCARD_SINK_VIEW_MODEL_H

#include "sink/summary.h"
#include "sink/view_alert.h"
#include "sink/view_top.h"

#define VIEW_SAMPLES 64u /* a minute and a little, with a state each second */

struct view_sample {
	int64_t at_ns;			    /* monotonic clock */
	uint64_t packets, octets, sessions; /* since the start */
};

struct view_model {
	struct summary summary;			    /* and the state that came last */
	struct view_alert alert[LIMIT_VIEW_ALERTS]; /* the one that came last first */
	unsigned alerts;			    /* kept */
	uint64_t raised; /* alerts so far: new ones, and those whose level rose */
	struct view_top top;
	struct view_sample sample[VIEW_SAMPLES]; /* a ring */
	unsigned samples;			 /* taken so far */
	bool unicode;
};

/* False where the memory is refused.  `m` is large: not for the stack. */
bool view_model_init(struct view_model *m, bool unicode);
void view_model_free_all(struct view_model *m);

/* Takes a record of any kind; `at_ns`: the monotonic clock. */
void view_model_take(struct view_model *m, const struct record *r, int64_t at_ns);

/* What came per second lately. */
struct view_rates {
	double packets, octets; /* per second, over about 5 s */
	double sessions;	/* mail connections per minute, over about a minute */
};

/* False where nothing is known yet. */
bool view_model_rates(const struct view_model *m, struct view_rates *out);

#endif
