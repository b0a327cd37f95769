/*
 * The wire from a worker to the parent: messages, one behind the other, in a ring of memory that
 * both of them have, and a pipe that is its bell.
 *
 * The worker puts messages where they will be read and says from time to time how far it is; the
 * parent says how far it has read.  An octet in the pipe tells the parent that there is more, and
 * the end of the pipe that the worker is no more.  Where the ring is full the worker waits, which
 * is counted: that is how a slow output holds the workers back.  (With the messages themselves in a
 * pipe, the kernel's copies in and out and their pages took 5 % of either process.)
 *
 * A message is a head and a body, and begins at a multiple of WIRE_ALIGN; none goes over the end of
 * the ring: what is left of it is skipped.  Both ends are the same program on the same machine, so
 * numbers are as memory has them.
 *
 * The reader trusts nothing all the same: a worker parses hostile octets, and one that somebody
 * took over may write what he likes, into messages that were sent, too.  So each is copied before
 * it is looked at, its head by wire_peek and its body by who asks for it.  A length that is too
 * large, a kind that does not exist, or more than the ring has room for breaks the wire for good.
 */
#ifndef POSTCARD_ENGINE_WIRE_H
#define POSTCARD_ENGINE_WIRE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define WIRE_ROOM   (1u << 20)	 /* octets of a ring: a power of two */
#define WIRE_GATHER (128u << 10) /* octets that are put between two strokes of the bell */
#define WIRE_ALIGN  16u		 /* octets */

enum wire_kind {
	WIRE_RECORD, /* the octets of a record behind its constants; `detail` is its kind */
	WIRE_MARK,   /* nothing: only how far it is */
	WIRE_STATUS, /* struct feed_report: how far it is, and what it counts */
	WIRE_EVENT,  /* text: `detail` is an enum feed_event */
	WIRE_END,    /* the last message: `detail` is an enum feed_end */
	WIRE_SKIP,   /* nothing, to the end of the ring: never handed out */
	WIRE_KINDS
};

struct wire_head {
	uint32_t len;	 /* octets of the body */
	uint16_t kind;	 /* enum wire_kind */
	uint16_t detail; /* see there */
	uint64_t order;	 /* number of the frame that led to it: all before it was said before */
};

/* What both have.  Positions count octets since the beginning, modulo 2^32; each end writes lines
 * of the cache of its own. */
struct wire_ring {
	_Alignas(64) _Atomic uint32_t head; /* the worker's: all before it was put */
	_Alignas(64) _Atomic uint32_t tail; /* the parent's: all before it was read; a futex */
	_Atomic uint32_t waits;		    /* the worker's: it waits for the tail to move */
	_Alignas(64) uint8_t octets[WIRE_ROOM];
};

/* A ring for a process and those that it forks from then on; NULL where memory is refused. */
struct wire_ring *wire_ring_new(void);

/* Before a worker starts: nothing was said yet. */
void wire_ring_reset(struct wire_ring *r);

/* This process has it no more.  NULL is allowed. */
void wire_ring_free(struct wire_ring *r);

/* --- the worker's end --- */

struct wire_out {
	struct wire_ring *ring;
	int bell;	/* the pipe's end to write to, non-blocking */
	uint32_t head;	/* where the next message goes */
	uint32_t told;	/* how far the parent was told to read */
	uint32_t tail;	/* how far it had read when that was looked at last */
	bool broken;	/* nobody reads any more */
	uint64_t waits; /* times the ring was full */
};

/* Adds a message of at most LIMIT_RECORD octets; waits while the ring is full.  False where nobody
 * reads any more. */
bool wire_put(struct wire_out *w, enum wire_kind kind, uint16_t detail, uint64_t order,
    const void *body, size_t len);

/* Tells the parent of all that was put. */
bool wire_flush(struct wire_out *w);

/* --- the parent's end --- */

struct wire_in {
	struct wire_ring *ring;
	int bell;	       /* the pipe's end to read from, non-blocking */
	uint32_t at;	       /* the next message */
	uint32_t told;	       /* how far the worker was told that it was read */
	uint32_t end;	       /* one past the last octet that it had told of */
	bool whole;	       /* `head` is that of the next message, all of which is there */
	struct wire_head head; /* copied once: it does not change any more */
	bool closed;	       /* the worker closed the pipe, or died */
	bool broken;	       /* it sent what is no message */
};

struct wire_message {
	struct wire_head head;
	const uint8_t *body; /* until wire_take; the worker can change it: copy it, then look */
};

/* Looks for more; false where there was nothing. */
bool wire_fill(struct wire_in *w);

/* Shows the next message, and takes it off with wire_take; false where there is no whole one. */
bool wire_peek(struct wire_in *w, struct wire_message *m);
void wire_take(struct wire_in *w);

#endif
