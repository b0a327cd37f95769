/*
 * The messages of a syslog server that are not delivered yet, in order: the front in memory (on its
 * way), then the spool (syslog_spool.h), then a backlog in memory that the spool's disk did not
 * take.  Bounded; what comes beyond is dropped, the newest first, counted and said.
 *
 * A message goes to the disk as soon as the server is away or silent, or the front is full. Without
 * a spool the front is all there is.
 */
#ifndef POSTCARD_SINK_SYSLOG_QUEUE_H
#define POSTCARD_SINK_SYSLOG_QUEUE_H

#include "sink/sink.h"
#include "sink/syslog_spool.h"

struct message {
	struct message *next;
	struct spool_place after; /* stored: where it ends in the spool */
	uint64_t end;		  /* octets that its connection has sent once it is sent whole */
	int64_t sent_ms;	  /* when it was sent */
	uint32_t len;		  /* octets of text */
	bool stored;		  /* it is in the spool */
	bool delivered;		  /* it was acknowledged once */
	char text[];
};

struct list {
	struct message *first, *last;
	uint64_t octets; /* memory taken */
	uint64_t count;
};

struct queue {
	const char *name;    /* of the server, for messages */
	struct spool *spool; /* NULL: none */
	uint64_t memory;     /* octets that the front may take */
	struct list front, back;
	struct message *unsent;	  /* the first of the front that is to be sent */
	struct message *unacked;  /* the first of it that was not delivered */
	struct message *unstored; /* the first of it that is neither delivered nor in the spool */
	uint64_t doubt;		  /* memory of the delivered ones that are kept */
	uint64_t doubts;	  /* how many */
	bool away;		  /* the server is: messages go to the spool at once */
	bool failing;		  /* the spool's disk is, which was said */
	int64_t retry_ms;	  /* when it is tried again */
	int64_t said_ms;	  /* when drops were said; 0: never */
	bool given_up;		  /* see queue_give_up */
	uint64_t kept;		  /* then: messages that wait in the spool for the next run */
	uint64_t sent, spooled, dropped;
};

/* `now_ms` everywhere: a clock that does not go back (CLOCK_MONOTONIC). */

/* A queue; `spool` may be NULL and is the queue's from now on. */
void queue_init(struct queue *q, const char *name, struct spool *spool, uint64_t max);

/* Takes a message of at most LIMIT_SYSLOG_MESSAGE octets, or drops it. */
void queue_put(struct queue *q, const char *text, size_t len, int64_t now_ms);

/* The server is away or silent (or back): what waits goes to the spool. */
void queue_set_away(struct queue *q, bool away, int64_t now_ms);

/* The next message to send; NULL where there is none.  queue_sent goes on to the one behind it. */
struct message *queue_next(struct queue *q);
void queue_sent(struct queue *q, uint64_t end, int64_t now_ms);

/* Has queue_next one? */
bool queue_ready(const struct queue *q);

/* Drops the next message, which cannot be sent at all. */
void queue_refuse(struct queue *q, int64_t now_ms);

/* The peer acknowledged so many octets of the connection. */
void queue_acked(struct queue *q, uint64_t octets);

/* Frees messages that were delivered before `before_ms`, or exceed the bound. */
void queue_forget(struct queue *q, int64_t before_ms);

/* The connection ended: what was not acknowledged is sent again; with `doubt`, what is kept of the
 * rest too. */
void queue_rewind(struct queue *q, bool doubt);

/* Is nothing on its way, nor to be sent again? */
bool queue_is_idle(const struct queue *q);

/* Writes what shall be in the spool, where its disk takes it again; writes its position. */
void queue_settle(struct queue *q, bool sync, int64_t now_ms);

/* Messages that were not delivered. */
uint64_t queue_waiting(const struct queue *q);

/* Nothing more is sent or put: what is left goes into the spool, and the rest is dropped, counted
 * and said. */
void queue_give_up(struct queue *q, int64_t now_ms);

/* The same, if it was not done, and frees all. */
void queue_close(struct queue *q, int64_t now_ms);

#endif
