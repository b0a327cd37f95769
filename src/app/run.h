/* A run: captures in, records out, a summary at the end. */
#ifndef POSTCARD_APP_RUN_H
#define POSTCARD_APP_RUN_H

#include "app/config.h"
#include "app/options.h"

/* Exit statuses; a run that SIGINT or SIGTERM ended has 128 and the signal's number. */
enum status {
	STATUS_DONE = 0,
	STATUS_FOUND = 1,   /* what --fail-on names; goes before STATUS_DAMAGED */
	STATUS_ERROR = 2,   /* usage, set-up, or output that could not be written */
	STATUS_DAMAGED = 3, /* part of the input could not be read */
};

/* Replays the captures that the options name, to standard output, judged as the configuration says
 * (its policies are the run's from then on).  Returns the exit status; what
 * went wrong has been said on standard error. */
int run_replay(const struct options *o, struct config *c);

#endif
