/*
 * One direction of a TCP connection: segments in any order in, octets in order out.
 *
 * push / ack / next.  In-order octets are handed on from the packet itself; only what comes out of
 * order, or too early (see below), is copied, into pages of a pool.  Offsets are 64-bit and start
 * at 0 behind the SYN.
 *
 * - First copy wins, always; differing octets where two copies are at hand are counted.
 * - Octets are delivered when they are contiguous, not when they are acknowledged.
 * - A hole is declared a gap when the peer acknowledged it and LIMIT_GRACE_NS of packet time have
 *   passed (a mirror port merges the directions out of order), when the window of pages is full, at
 *   the end, or at once where the snap length cut the packet.
 * - Causal order: a segment that acknowledges octets of the other direction which have not been
 * delivered yet waits for them (or for their gap), so that a command comes before its reply,
 * whatever the mirror did.
 *
 * Memory: at most LIMIT_OOO_SLOTS pages a stream, all from pools; when a pool is empty the oldest
 * hole becomes a gap.  Time: constant for a segment in order, else linear in its octets plus the
 * slots.
 */
#ifndef POSTCARD_STREAM_STREAM_H
#define POSTCARD_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

/* What a worker shares among its streams. */
struct streams {
	struct pool reorders; /* bookkeeping of streams that hold something */
	struct pool pages;    /* the octets they hold */
	uint64_t conflicts;   /* octets that came a second time with another value */
	uint64_t pressure;    /* holes given up because a pool or window was full */
	uint32_t spent; /* page whose octets the last chunk pointed to; freed by the next call */
};

extern const uint32_t stream_reorder_size, stream_page_size; /* octets of one */

bool streams_init(struct streams *ss, uint32_t reorders, uint32_t pages);
void streams_free(struct streams *ss);

/* What is ahead of the next octet is said by its distance: window and gaps keep that short. */
struct stream {
	uint64_t next;	  /* offset of the next octet to be delivered */
	uint32_t ahead;	  /* octets from there on that the peer says it has */
	uint32_t to_end;  /* with STREAM_ENDS: octets from there to the FIN */
	uint32_t base;	  /* sequence number of offset 0 */
	uint16_t reorder; /* object of the reorders pool; 0 while nothing is held */
	uint8_t flags;	  /* STREAM_* */
};

#define STREAM_STARTED	0x01u /* base is known */
#define STREAM_CONFLICT 0x02u /* a second copy differed */
#define STREAM_FORCE	0x04u /* holes become gaps at once (the end, or pressure) */
#define STREAM_NO_WAIT	0x08u /* and nothing waits for its cause (pressure) */
#define STREAM_GUESSED \
	0x10u /* its start was not seen, and nothing was delivered: it may begin earlier */

#define STREAM_ENDS 0x20u /* it is known where it ends: a FIN was seen, or a reset */

/* The part of a pushed segment that stream_next has not taken yet; lives on the caller's side of
 * one push. */
struct stream_input {
	const uint8_t *data;
	uint32_t len; /* octets at data */
	uint32_t cut; /* octets behind them that the snap length cut */
	uint64_t off; /* offset of data */
};

struct stream_chunk {
	const uint8_t *data; /* NULL for a gap; else valid until the next call on any stream */
	uint64_t len;	     /* octets of data, or octets lost */
	uint64_t off;	     /* offset of the first */
	bool turn;	     /* it waited, and had seen more of the peer than what is before it */
};

/* Begins the stream: `seq` is the sequence number of its first octet.  Where it has begun, nothing
 * changes but a start that was guessed. */
void stream_start(struct stream *s, uint32_t seq);

/* The segment at `seq`, which is to be pushed next, had seen more of a peer that is not captured
 * than those before it.  True where its octets are due now; else their chunk will tell. */
bool stream_turn(struct streams *ss, struct stream *s, uint32_t seq, int64_t now_ns);

/* Begins it where its start was not seen: at `seq`, or at an earlier segment that comes late. */
void stream_start_late(struct stream *s, uint32_t seq);

/* The offset that sequence number `seq` means, near the octets that are due (RFC 9293 section 3.4);
 * it may be negative. */
static inline int64_t
stream_offset(const struct stream *s, uint32_t seq)
{
	return (int64_t)s->next + (int32_t)(seq - (s->base + (uint32_t)s->next));
}

/* Is the octet before sequence number seq not delivered yet? */
static inline bool
stream_lacks(const struct stream *s, uint32_t seq)
{
	return (int32_t)(seq - (s->base + (uint32_t)s->next)) > 0;
}

/*
 * The peer acknowledges everything before `ack`.  Call it before the data of the same packet is
 * pushed into the other direction.  Acknowledgements of octets far beyond what was seen are
 * ignored.
 */
void stream_ack(struct streams *ss, struct stream *s, uint32_t ack, int64_t now_ns);

/*
 * The octets of this stream that a packet of the other direction had seen: the offset its `ack`
 * means, as far as stream_ack believed it.
 */
uint64_t stream_seen(const struct stream *s, uint32_t ack);

/* Is there nothing that stream_next could say without new octets: none are held, and no hole may be
 * given up? */
static inline bool
stream_is_quiet(const struct stream *s, const struct stream *peer)
{
	return s->reorder == 0 && !(s->flags & STREAM_FORCE) && !(peer->flags & STREAM_NO_WAIT);
}

/*
 * A segment: `len` captured of `wire_len` octets at sequence number seq.  It waits until the other
 * direction has come to offset `need` (stream_seen of the segment's own acknowledgement; 0: it does
 * not wait).  Then call stream_next until false with the same input.
 */
void stream_push(struct streams *ss, struct stream *s, const struct stream *peer, uint64_t need,
    uint32_t seq, const uint8_t *data, uint32_t len, uint32_t wire_len, int64_t now_ns,
    struct stream_input *in);

/* Have both directions begun, and is nothing held, waited for, lost or known to come to an end? */
static inline bool
stream_is_steady(const struct stream *a, const struct stream *b)
{
	return (a->flags & ~STREAM_CONFLICT) == STREAM_STARTED &&
	    (b->flags & ~STREAM_CONFLICT) == STREAM_STARTED && (a->ahead | b->ahead) == 0 &&
	    (a->reorder | b->reorder) == 0;
}

/*
 * The short way for octets that are due, which is that of nearly all.  Of two directions that are
 * steady, where the `len` octets at sequence number seq are the next ones, the stream moves behind
 * them, and the caller hands them on.  Else false, and nothing was done: stream_push is to be
 * called.
 */
static inline bool
stream_pass(const struct streams *ss, struct stream *s, uint32_t seq, uint32_t len)
{
	if (seq != s->base + (uint32_t)s->next || ss->spent != 0)
		return false;
	s->next += len;
	return true;
}

/* A FIN stands at sequence number seq (behind the segment's data). */
void stream_fin(struct stream *s, uint32_t seq);

/* The stream ends at offset `end`, where no end was known and that is ahead by less than 2^32. */
void stream_end_at(struct stream *s, uint64_t end);

/* Passes over what is before the FIN, where one was seen: nobody wants it. */
void stream_skip(struct stream *s);

/* The next octets or gap; false when nothing is deliverable.  `in` may be NULL where nothing was
 * pushed. */
bool stream_next(struct streams *ss, struct stream *s, const struct stream *peer, int64_t now_ns,
    struct stream_input *in, struct stream_chunk *out);

/* When stream_next must be called again though no packet comes: packet time in ns, 0 for never. */
int64_t stream_deadline(const struct streams *ss, const struct stream *s);

/*
 * No more packets: what is held is delivered with its gaps by the following calls of stream_next,
 * causes still first.
 */
void stream_finish(struct stream *s);

/* Lets go what waits for its cause, where both directions wait for each other.  False: nothing
 * waited. */
bool stream_unblock(const struct streams *ss, struct stream *s);

/* Are all octets up to the FIN delivered? */
static inline bool
stream_is_done(const struct stream *s)
{
	return (s->flags & STREAM_ENDS) != 0 && s->to_end == 0;
}

/* Gives everything held back to the pools. */
void stream_release(struct streams *ss, struct stream *s);

#endif
