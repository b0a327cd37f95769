/*
 * Sinks: where records go.
 *
 * A sink takes records, one by one, and shows or sends them in its own form.  The kinds are rows of
 * the table in sink.c, one of the three places of the program with function pointers.  A record
 * carries everything already (facts, verdict, level, country); a sink adds nothing but form. Values
 * are octets from the wire, and each sink escapes and masks them (record/mask.h) before they leave.
 */
#ifndef POSTCARD_SINK_SINK_H
#define POSTCARD_SINK_SINK_H

#include <stdbool.h>
#include <stdio.h>

#include "record/record.h"

#define SINK_ERROR 256 /* octets of a message of sink_open */

struct sink;

struct sink_config {
	const char *kind; /* "text" or "json" */
	FILE *out;	  /* where to write; stays the caller's, who closes it after sink_close */
	bool reveal;	  /* show addresses, subjects and file names whole, not masked */
	bool colour;	  /* text: colour and weight by ANSI sequences (SGR) */
	bool unicode;	  /* text: the reader's terminal shows UTF-8; otherwise ASCII only */
	bool quiet;	  /* text: the summary only */
	int verbose;	  /* text: from 1 on, a line for each mail connection too */
	unsigned columns; /* text: width of a line; 0 for 80 */
};

/* A new sink; NULL and a message in `error` where the kind is not known or memory is not to be
 * had.  Strings of the configuration need not live on; `out` must. */
struct sink *sink_open(const struct sink_config *config, char error[SINK_ERROR]);

/* Gives a record.  False where something could not be written (errno says why: EPIPE, ENOSPC); it
 * stays false from then on, and nothing more is written. */
bool sink_push(struct sink *s, const struct record *r);

/* Writes out what is held back only for speed; a live monitor calls it when it is idle.  False as
 * in sink_push. */
bool sink_flush(struct sink *s);

/* Writes what is left (for text: the report) and frees the sink; `out` stays open.  False where
 * anything of it all could not be written (errno says why).  NULL is allowed. */
bool sink_close(struct sink *s);

#endif
