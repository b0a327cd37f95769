/*
 * The outputs of a run: standard output in one of its forms, a file, syslog servers, metrics.
 */
#ifndef POSTCARD_APP_OUTPUTS_H
#define POSTCARD_APP_OUTPUTS_H

#include <poll.h>
#include <stdbool.h>

#include "app/options.h"
#include "record/record.h"
#include "sink/sink.h"

#define OUTPUTS (LIMIT_SYSLOGS + 3u)

struct outputs {
	struct sink *sink[OUTPUTS];
	unsigned count;
	int error; /* errno of standard output; 0 while all is well */
	bool lost; /* records of a replay that another output should have, or its last state */
	enum option wrong;	 /* what could not be opened, */
	const char *wrong_value; /* and what the option says; NULL: neither option nor value */
	bool ends;		 /* a reader asked for the end */
	bool lists; /* there is but a report, which lists alerts and does not show them */
};

/* Opens what the options name.  False with a message, and what was opened is closed. */
bool
outputs_open(struct outputs *o, const struct options *options, bool live, char error[SINK_ERROR]);

/* Does any of them read what is found out last of the record (sink_wants_details)? */
bool outputs_want_details(const struct outputs *o, const struct record *r);

/* To all of them.  False where standard output could not be written. */
bool outputs_push(struct outputs *o, const struct record *r);
void outputs_status(struct outputs *o, const struct record *summary);
bool outputs_flush(struct outputs *o);

/* What they wait for: adds to `p`, which has room for OUTPUTS, and shortens *timeout_ms (-1: for
 * ever).  How many were added. */
unsigned outputs_poll(const struct outputs *o, struct pollfd *p, int *timeout_ms);
bool outputs_tick(struct outputs *o);

void outputs_reopen(struct outputs *o);

/* Adds what they count to a summary. */
void outputs_count(const struct outputs *o, struct record *summary);

/* Of a replay, before and behind its summary: delivers what waits; what cannot be is `lost`.
 * `soon`: somebody waits for the end. */
void outputs_settle(struct outputs *o, bool soon);

/* Delivers what can be within `ms` milliseconds, then closes all.  False as in outputs_push. */
bool outputs_close(struct outputs *o, int ms);

#endif
