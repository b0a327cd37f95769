/*
 * Who sent most often in clear, in a table of LIMIT_VIEW_SENDERS counters.
 *
 * The space-saving algorithm (Metwally, Agrawal, El Abbadi 2005): a sender without a counter takes
 * over the least one, and its count as a possible error.  Who had more than a LIMIT_VIEW_SENDERS-th
 * of all connections is in the table for certain, however many others there were; `connections`
 * less `error` is certain too, and so are mails and logins, which count from the take-over.
 */
#ifndef POSTCARD_SINK_VIEW_TOP_H
#define POSTCARD_SINK_VIEW_TOP_H

#include "base/limits.h"
#include "sink/clear.h"

struct view_sender {
	struct addr addr;	/* of the client */
	uint64_t connections;	/* in clear, at most */
	uint64_t error;		/* of them, those that may have been of others */
	uint64_t mails, logins; /* in clear, at least */
	char name[64];		/* what it called itself last; "" for nothing */
};

struct view_top {
	struct view_sender sender[LIMIT_VIEW_SENDERS];
	unsigned n; /* in use */
};

/* Counts a connection in clear. */
void view_top_take(struct view_top *top, const struct clear *c);

/* Those with the most connections for certain, at most LIMIT_TOP; how many.  They live as long as
 * nothing is taken. */
unsigned view_top_best(const struct view_top *top, const struct view_sender *best[LIMIT_TOP]);

#endif
