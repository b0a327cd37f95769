/*
 * The pipe from a worker to the parent: messages, one behind the other.
 *
 * A message is a head and a body; both ends are the same program on the same machine, so numbers
 * are as memory has them.  The reader trusts nothing all the same: a worker parses hostile octets,
 * and one that somebody took over may write what he likes.  A length that is too large, or a kind
 * that does not exist, breaks the wire for good; the body of a record is checked by
 * record_take_common.
 *
 * The writer gathers messages and writes them in one go.  Where the pipe is full it waits, which is
 * counted: that is how a slow output holds the workers back.
 */
#ifndef POSTCARD_ENGINE_WIRE_H
#define POSTCARD_ENGINE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define WIRE_GATHER (256u << 10) /* octets gathered for one write */

enum wire_kind {
	WIRE_RECORD, /* the octets of a record behind its constants; `detail` is its kind */
	WIRE_MARK,   /* nothing: only how far it is */
	WIRE_STATUS, /* struct feed_report: how far it is, and what it counts */
	WIRE_EVENT,  /* text: `detail` is an enum feed_event */
	WIRE_END,    /* the last message: `detail` is an enum feed_end */
	WIRE_KINDS
};

struct wire_head {
	uint32_t len;	 /* octets of the body */
	uint16_t kind;	 /* enum wire_kind */
	uint16_t detail; /* see there */
	uint64_t order;	 /* number of the frame that led to it: all before it was said before */
};

/* --- the worker's end --- */

struct wire_out {
	int fd;		/* non-blocking or not */
	uint64_t waits; /* times the pipe was full */
	size_t used;	/* octets of buf */
	bool broken;	/* nobody reads any more */
	uint8_t buf[WIRE_GATHER];
};

/* Adds a message of at most LIMIT_RECORD octets.  False where nobody reads any more. */
bool wire_put(struct wire_out *w, enum wire_kind kind, uint16_t detail, uint64_t order,
    const void *body, size_t len);

/* Writes what was gathered; waits while the pipe is full. */
bool wire_flush(struct wire_out *w);

/* --- the parent's end --- */

struct wire_in {
	int fd;	      /* non-blocking */
	uint32_t at;  /* first octet that was not handed out */
	uint32_t end; /* one past the last octet read */
	bool closed;  /* the worker closed it, or died */
	bool broken;  /* it sent what is no message */
	uint8_t buf[WIRE_GATHER];
};

struct wire_message {
	struct wire_head head;
	const uint8_t *body; /* until the next wire_fill */
};

/* Reads what is there, as far as there is room; false where there was nothing. */
bool wire_fill(struct wire_in *w);

/* Shows the next message, and takes it off with wire_take; false where there is no whole one. */
bool wire_peek(struct wire_in *w, struct wire_message *m);
void wire_take(struct wire_in *w, const struct wire_message *m);

#endif
