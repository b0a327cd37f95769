/* A run: captures or live packets in, records out, a summary at the end. */
#ifndef POSTCARD_APP_RUN_H
#define POSTCARD_APP_RUN_H

#include "app/config.h"
#include "app/options.h"

/* Exit statuses; a replay that SIGINT or SIGTERM ended has 128 and the
 * signal's number; a live run ends well by them. */
enum status {
	STATUS_DONE = 0,
	STATUS_FOUND = 1,   /* what --fail-on names; goes before STATUS_DAMAGED */
	STATUS_ERROR = 2,   /* usage, set-up, or output that could not be written */
	STATUS_DAMAGED = 3, /* part of the input could not be read */
	STATUS_DIED = 4, /* a worker of a replay died, and with it part of what was read; before all
			    others but STATUS_ERROR */
};

/*
 * Replays the captures that the options name, or watches their interfaces until it is asked to end,
 * judged as the configuration says (its policies are the run's from then on).  A live run ceases to
 * be root on the way.  Returns the exit status; what went wrong has been said on standard error.
 */
int run_once(const struct options *o, struct config *c);

#endif
