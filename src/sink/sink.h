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
#include <stdint.h>
#include <stdio.h>

#include "record/record.h"

#define SINK_ERROR 256 /* octets of a message of sink_open */

struct sink;

struct sink_config {
	const char *kind; /* "text", "view", "json", "syslog" or "metrics" */
	FILE *out; /* text, view; json without `path`: where to write; stays the caller's, who
		      closes it after sink_close */
	const char
	    *path;	 /* json: the file to append to, which may be reopened; metrics: the file */
	const char *url; /* syslog: where to, and how (sink/syslog.h) */
	const char
	    *spool; /* syslog: folder of what cannot be delivered now; NULL: keep it in memory */
	uint64_t spool_max; /* syslog: octets that wait at most, for each; 0 for SINK_SPOOL */
	int keys;	    /* view: descriptor of the keys that are typed; -1 for none */
	bool reveal;	    /* show addresses, subjects and file names whole, not masked */
	bool colour;	    /* text, view: colour and weight by ANSI sequences (SGR) */
	bool unicode; /* text, view: the reader's terminal shows UTF-8; otherwise ASCII only */
	bool quiet;   /* text: the summary only */
	bool live;    /* text: a line for each new alert, as it comes; json: nothing is held back */
	int verbose;  /* text: from 1 on, a line for each mail connection too */
	int drain_ms; /* syslog: that sink_close may still deliver; 0 for SINK_DRAIN_MS */
	unsigned columns; /* text: width of a line; 0 for 80 */
};

#define SINK_SPOOL (256ull << 20)

/* A new sink; NULL and a message in `error` where the kind is not known, the configuration is bad
 * or memory is not to be had.  Strings of the configuration need not live on; `out` must. */
struct sink *sink_open(const struct sink_config *config, char error[SINK_ERROR]);

/* Will the sink read the sentence and advice of a session's or message's record, and who its sides
 * are?  Asked before these are found out: where no sink does, they may be left out. */
bool sink_wants_details(const struct sink *s, const struct record *r);

/* Gives a record.  False where something could not be written (errno says why: EPIPE, ENOSPC); it
 * stays false from then on, and nothing more is written.  What is delivered later (syslog) or
 * again (a file with a path) does not fail: it waits or is counted as dropped. */
bool sink_push(struct sink *s, const struct record *r);

/* How things stand: a summary so far (RECORD_SUMMARY), once a second while a sensor runs.  Kinds
 * that do not show it leave it. */
void sink_status(struct sink *s, const struct record *summary);

/* What a sink waits for besides records. */
struct sink_wait {
	int fd;		/* descriptor; -1: none */
	short events;	/* of poll(2) */
	int timeout_ms; /* after which sink_tick is wanted anyway; -1: never */
};

void sink_wait(const struct sink *s, struct sink_wait *w);

/* Goes on with what waits: connects, delivers, draws, reads keys.  Never blocks.  To be called when
 * what sink_wait asked for came, and harmless at any time.  False as in sink_push. */
bool sink_tick(struct sink *s);

/* Its reader asked the run to end (`q` in a view). */
bool sink_ends(const struct sink *s);

/* Opens its file again, which logrotate may have moved away; connections stay. */
void sink_reopen(struct sink *s);

/* What it counts; false for kinds that deliver at once. */
struct sink_counts {
	const char *name; /* file or address, without secrets; lives as long as the sink */
	bool up;	  /* it takes what it is given */
	uint64_t sent;	  /* records that it took */
	uint64_t waiting; /* that wait, in memory and in the spool */
	uint64_t spooled; /* that went through the spool */
	uint64_t dropped; /* because the spool was full, or the file could not be written */
};

bool sink_counts(const struct sink *s, struct sink_counts *out);

/* Writes out what is held back only for speed; a live monitor calls it when it is idle.  False as
 * in sink_push. */
bool sink_flush(struct sink *s);

/* At the end of a replay: delivers what waits, as sink_close does but within `ms`, so that
 * sink_counts says what became of it.  A summary may follow, and no other record.  False where
 * anything was dropped. */
bool sink_settle(struct sink *s, int ms);

/* Writes what is left (for text: the report; for syslog: what can be delivered within
 * `drain_ms`, the rest stays in its spool) and frees the sink; `out` stays open.  False where
 * anything of it all could not be written (errno says why).  NULL is allowed. */
bool sink_close(struct sink *s);

#define SINK_DRAIN_MS 1000

#endif
