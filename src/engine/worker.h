/* Private to src/engine: the state of the conductor, and what its files do for each other. */
#ifndef POSTCARD_ENGINE_WORKER_H
#define POSTCARD_ENGINE_WORKER_H

#include "decode/decode.h"
#include "engine/clock.h"
#include "engine/conn.h"
#include "engine/engine.h"

#define RESETS	   256u /* counts of reset connections, by their hosts */
#define PROBE_HOLD 64u	/* octets of a side held while they are too few to tell the protocol */

/* A frame, decoded. */
struct look {
	const uint8_t *data; /* the frame's octets */
	enum decode_result result;
	struct segment seg;	/* DECODE_TCP: this (see segment_whole), */
	struct flow_key key;	/* and where its flow is found: in the table, */
	const uint32_t *bucket; /* and in this bucket of it when it was looked at */
};

struct engine {
	struct defrag defrag;
	struct flow_table flows;
	struct pool conns;
	struct pool waits;  /* struct wait */
	struct pool extras; /* struct extra */
	struct streams streams;
	struct mail mail;
	struct findings findings;
	struct dpi *dpi; /* NULL until nDPI is first asked */
	struct engine_stats stats;
	struct known_id ids[KNOWN_IDS]; /* by connection */
	uint64_t memory;		/* octets for all the tables */
	uint32_t dpi_flows;		/* connections in which nDPI is being asked */
	uint32_t hand;			/* connection from which one to give up is looked for */
	bool waits_fresh;		/* the segment that waits began its flow */
	bool no_dpi;			/* nDPI is not to be asked, or cannot be set up */

	uint32_t due_first, due_last; /* waits: who is due without a packet, by time */
	int64_t due_ns;		      /* of due_first: when; INT64_MAX where there is none */
	uint32_t resets[RESETS];      /* reset connections, by wait.hosts */

	/* the packet under way */
	int64_t ts_ns;	    /* its stamp, for records */
	struct clock clock; /* elapsed packet time, for timers */
	uint32_t leap_flow; /* flow of the packet whose far stamp awaits confirmation; 0 for none */
	struct look look[ENGINE_AHEAD]; /* frames that were looked at, or the one under way */
	uint32_t looked;    /* those of them that are still to be pushed, a bit for each */
	struct look *now;   /* the frame's, its segment where there is one */
	bool at_hand;	    /* its octets are there, and led to the work under way */
	bool segment_waits; /* it was not given to its connection yet */
	bool timely;	    /* something else may be due (take_timely) */
	bool finishing;	    /* the input is over */

	/* the connection being worked on */
	uint32_t work;		/* 0 for none */
	struct stream_input in; /* what is left of the packet's octets */
	unsigned in_end;	/* the end that sent it */
	struct pending {
		uint8_t side;
		uint16_t len;
		uint8_t octets[LIMIT_PROXY];
	} held[2]; /* octets held while probing, to be pushed before the rest */
	unsigned held_at, held_n;
	const uint8_t *rest; /* the chunk behind them */
	uint64_t rest_len;
	uint8_t rest_side;
};

/* due.c: connections that wait for something else than a packet. */

/* What `c` waits for; all zero where it waits for nothing. */
static inline const struct wait *
conn_wait(const struct engine *e, const struct conn *c)
{
	return c->wait != 0 ? pool_at(&e->waits, c->wait) : &no_wait;
}

/* Puts a connection on the list of those to be looked at without a packet, LIMIT_GRACE_NS from now.
 * Without memory it is looked at when the next packet comes. */
void due_add(struct engine *e, uint32_t id);
void due_remove(struct engine *e, uint32_t id);

/* Has the time come of the first connection in the list, which due_take takes off it? */
static inline bool
due_is_now(const struct engine *e)
{
	return e->due_ns <= e->clock.elapsed_ns;
}

uint32_t due_take(struct engine *e);

/* A reset connection ends LIMIT_RESET_NS from now, unless it goes on.  False: no memory to wait. */
bool reset_wait(struct engine *e, uint32_t id, const uint64_t reset_at[2]);
void reset_forget(struct engine *e, uint32_t id); /* it goes on */

/*
 * Something of connection `id` is readable from here on: those between the same hosts that were
 * reset before, and were not readable, end now.  Some clients come back in the clear within
 * milliseconds of a handshake that failed, and what a mail was the retry of must be known by then.
 */
void due_hurry(struct engine *e, uint32_t id);

/* conn.c: connections. */

static inline enum mail_side
side_of(const struct flow *f, unsigned end)
{
	return end == flow_client(f) ? MAIL_CLIENT : MAIL_SERVER;
}

/* A new connection for a flow; NULL where the pool is exhausted (counted; the flow is ignored
 * then). */
struct conn *conn_new(struct engine *e, uint32_t flow_id);

/* Gives all of a connection's state back.  Its flow stays, and remembers that there is nothing to
 * follow. */
void conn_free(struct engine *e, uint32_t id);

/* It is not mail, and not on a mail port: nobody will ask for it again.  Ends the work on it. */
void conn_ignore(struct engine *e, uint32_t id);

/* What else there is of a connection; all zero where there is nothing. */
static inline const struct extra *
conn_extra(const struct engine *e, const struct conn *c)
{
	return c->extra != 0 ? pool_at(&e->extras, c->extra) : &no_extra;
}

/* The same to be written; NULL where there is no memory.  Given back by extra_settle, where it says
 * nothing any more. */
struct extra *extra_make(struct engine *e, struct conn *c);
void extra_settle(struct engine *e, struct conn *c);

struct around conn_around(const struct engine *e, const struct conn *c);
void conn_around_keep(struct engine *e, struct conn *c, const struct around *a);

/* One that matters least, of a few, when there is no room for another; 0 for none. */
uint32_t conn_least(struct engine *e);

/*
 * Notes whether the connection is steady: both sides are seen and put together, nothing is held,
 * waited for or known to come to an end.  Whatever may change that takes CONN_STEADY away first.
 */
static inline void
conn_settle_steady(struct conn *c)
{
	if (!stream_is_steady(&c->stream[0], &c->stream[1]) || c->wait != 0 || c->packets[0] == 0 ||
	    c->packets[1] == 0 || c->phase == CONN_OTHER)
		return;
	c->flags |= CONN_STEADY;
	c->mail.flags &= (uint8_t)~MAIL_SESSION_ONE_SIDED;
}

/* engine.c: octets of `end` were not captured, where those before are worked off. */
void lose_octets(struct engine *e, struct conn *c, unsigned end, uint64_t len);

/* Octets of `end`, or a gap, are due: they are what is worked on next. */
void give_chunk(struct engine *e, uint32_t id, unsigned end, const struct stream_chunk *chunk);

/* The short way for octets of a mail session that lead to no record (mail_pass); false where there
 * is none. */
bool
pass_octets(struct engine *e, struct conn *c, enum mail_side side, const uint8_t *data, size_t len);

/* What a reset shows to have been sent, and was not captured, is lost. */
void end_at(struct conn *c, const uint64_t reset_at[2]);
void end_begin(struct engine *e, uint32_t conn, enum conn_closed_by why);

/* identify.c: which protocol is it. */

void forget_dpi(struct engine *e, struct conn *c);

/* Shows nDPI the packet under way, where it may know a name. */
enum dpi_answer ask_dpi(struct engine *e, struct conn *c);

/* It is on a mail port, and not mail: counted, named, and otherwise left alone. */
void begin_other(struct engine *e, struct conn *c);

/* Octets of `end` were lost before the protocol was known. */
void lose_start(struct engine *e, struct conn *c, unsigned end);

/* Forgets the octets of `end` that were held. */
void forget_held(struct engine *e, struct conn *c, unsigned end);

/* The first octets of `end`.  Sets the connection's phase, or holds them where they are too few. */
void probe_chunk(struct engine *e, uint32_t id, unsigned end, const uint8_t *data, uint64_t len);

/* look.c: the frame, decoded now. */
void look_now(struct engine *e, const struct frame *f, struct look *l);

/* The segment under way with what stands around it, which is left aside until somebody asks. */
const struct segment *segment_whole(struct engine *e);

/* intake.c: gives the segment under way to its connection, and sets what to work on. */
void take_segment(struct engine *e);

#endif
