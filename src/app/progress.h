/*
 * The progress line: share of the input read, packets a second, sessions, time left.
 *
 * Written to standard error where that is a terminal, once the run has taken half a second, then
 * a few times a second.  It is gone before anything else is printed.
 */
#ifndef POSTCARD_APP_PROGRESS_H
#define POSTCARD_APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct progress {
	bool shown_at_all; /* false: nothing is ever printed */
	int64_t start_ns;  /* when the run began, CLOCK_MONOTONIC */
	int64_t next_ns;   /* when the next line is due */
	unsigned columns;  /* width of the terminal */
};

/* What the line tells. */
struct progress_state {
	uint64_t octets_read;
	uint64_t octets_total; /* 0: not known */
	uint64_t packets;
	uint64_t sessions;
};

/* `wanted` false: nothing is printed.  So it is too where standard error is no terminal. */
void progress_begin(struct progress *p, bool wanted);

/* Is a line due?  Costs a look at the clock; ask once in some thousand packets. */
bool progress_is_due(const struct progress *p);

/* Writes the line anew. */
void progress_show(struct progress *p, const struct progress_state *s);

/* Takes the line off the screen, if it is there. */
void progress_clear(void);

/* The line itself, after `elapsed_ns` of running; at most `columns` wide. */
void progress_compose(struct text *out, const struct progress_state *s, int64_t elapsed_ns);

#endif
