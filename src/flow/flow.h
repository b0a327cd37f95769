/*
 * The flow table: which TCP connection does a segment belong to?
 *
 * A flow is one cache line.  It knows the two ends, which of them is the client, how far the
 * handshake and the close have come, and the conductor's object for it.  Lookup is one bucket and,
 * nearly always, one flow; the hash is keyed, so chosen ports do not make chains.  Flows that fall
 * silent are found by a wheel of one-second slots in which each flow stands once, and is looked at
 * once a timeout.
 *
 * Time is packet time, in whole seconds.  It never calls anybody: expired flows are taken with
 * flow_expired.
 */
#ifndef POSTCARD_FLOW_FLOW_H
#define POSTCARD_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buckets.h"
#include "base/hash.h"
#include "base/pool.h"
#include "decode/segment.h"

/* Key of a flow: the two ends, the smaller (address, port) first.  40 octets, hashed as they are.
 */
struct flow {
	uint8_t ip[2][16]; /* ends A and B; IPv4 in the first four octets, zeros behind */
	uint16_t port[2];  /* of A and B, host order */
	uint32_t chain;	   /* next flow of the same bucket; 0 for none */
	uint32_t wheel;	   /* next flow of the same wheel slot */
	uint32_t hash;	   /* lower half of the key's hash */
	uint32_t last_s;   /* time of the last segment, s since the table's epoch; dead: before that
			    */
	uint32_t conn;	   /* the conductor's object; 0 for none */
	uint32_t isn;	   /* sequence number of the client's SYN; 0 where it is not known */
	uint16_t idle_s;   /* silence that ends it */
	uint8_t flags;	   /* FLOW_* */
	bool spare;	   /* forgotten: see flow_forget */
};

#define FLOW_V6	      0x01u
#define FLOW_CLIENT_B 0x02u /* end B is the client */
#define FLOW_SURE     0x04u /* the handshake, or what was said, showed who the client is */
#define FLOW_IGNORED  0x08u /* not mail: nothing more is wanted */
#define FLOW_DEAD     0x10u /* closed; kept for LIMIT_LINGER_S so that late segments begin nothing */
#define FLOW_AFTER_A  0x20u /* dead, and A has sent octets since */
#define FLOW_AFTER_B  0x40u
#define FLOW_IN_WHEEL 0x80u

struct flow_table {
	struct pool flows;
	struct buckets buckets; /* heads of the chains */
	struct hash_key key;
	int64_t epoch_s;      /* time 0 of last_s; set by the first segment */
	int64_t next_ns;      /* when the next second begins */
	uint32_t now_s;	      /* the latest time seen */
	uint32_t swept_s;     /* wheel slots before this one are done */
	uint32_t wheel[1024]; /* heads of the slots, by second modulo 1024 */
	uint32_t last[1024];  /* the flow that came last into each slot that holds one */
	uint32_t due;	      /* flows of a slot that is being swept, still to be looked at */
	uint32_t spare;	      /* forgotten flows, by chain, which are the next to be made */
	uint64_t created;     /* flows ever made */
};

/* A table of at most `max` flows.  False where the memory is refused. */
bool flow_table_init(struct flow_table *t, uint32_t max);
void flow_table_free(struct flow_table *t);

/* The same, where a second is over or the time is the first. */
void flow_clock_move(struct flow_table *t, int64_t ts_ns);

/* Tells the time of the next segment.  True where a second is over: flows whose time is up can then
 * be taken with flow_expired. */
static inline bool
flow_clock(struct flow_table *t, int64_t ts_ns)
{
	if (ts_ns < t->next_ns)
		return false;
	flow_clock_move(t, ts_ns);
	return true;
}

/* What the flow of a segment is found by. */
struct flow_key {
	uint64_t ip[4];	  /* ends A and B, as in struct flow */
	uint16_t port[2]; /* of A and B */
	bool v6;
	uint8_t side;  /* the end that sent it: 0 for A, 1 for B */
	uint32_t hash; /* lower half of the hash of all but `side` */
};

#include "flow/key.h"

/* The flow of a segment, made where there is none (*fresh).  NULL where the table is full. */
struct flow *flow_get(struct flow_table *t, const struct flow_key *k, bool *fresh);

static inline struct flow *
flow_at(const struct flow_table *t, uint32_t id)
{
	assert(id != 0 && id < t->flows.fresh);
	return (struct flow *)(void *)t->flows.mem + id; /* a shift, where pool_at multiplies */
}

/* The number that names it. */
static inline uint32_t
flow_id(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - (const struct flow *)(const void *)t->flows.mem);
}

/* What flow_get will read is fetched meanwhile: first the bucket, then the flow.  What the bucket
 * has is its first flow, which nearly always is the one; 0 for none. */
static inline const uint32_t *
flow_fetch_bucket(const struct flow_table *t, const struct flow_key *k)
{
	const uint32_t *bucket = buckets_at(&t->buckets, k->hash);
	__builtin_prefetch(bucket);
	return bucket;
}

static inline void
flow_fetch(const struct flow_table *t, const uint32_t *bucket)
{
	if (*bucket != 0)
		__builtin_prefetch(flow_at(t, *bucket), 1);
}

/* Notes that the flow was heard of now. */
void flow_touch(struct flow_table *t, uint32_t id);

/* Which end is the client: 0 for A, 1 for B. */
static inline unsigned
flow_client(const struct flow *f)
{
	return f->flags & FLOW_CLIENT_B ? 1 : 0;
}

/*
 * Settles who the client is, as far as this first or handshake segment of `side` shows: the SYN's
 * sender, else the side whose port is no mail port, else the higher port.
 */
void flow_orient(struct flow *f, unsigned side, uint8_t tcp_flags);

/* Is there nothing that flow_expired could say before the clock moves on? */
static inline bool
flow_is_quiet(const struct flow_table *t)
{
	return t->due == 0 && t->swept_s >= t->now_s;
}

/* The next flow whose time is up; 0 for none.  It stays in the table until flow_remove, which the
 * caller owes (or flow_keep). */
uint32_t flow_expired(struct flow_table *t);

/*
 * The flow whose time is up next, when room is needed before that; 0 where the table is empty.  It
 * is taken out of the wheel as by flow_expired.  Handshakes have the shortest time, then what is
 * not mail, then mail: the oldest of what matters least goes first, also of those whose time is up
 * in the same second.
 */
uint32_t flow_oldest(struct flow_table *t);

/* Puts a flow back that flow_expired handed out, to be silent for f->idle_s more. */
void flow_keep(struct flow_table *t, uint32_t id);

/* Takes a flow out.  It must not be in the wheel: only what flow_expired or flow_each_last handed
 * out may be removed. */
void flow_remove(struct flow_table *t, uint32_t id);

/*
 * Forgets a flow at once, though it is in the wheel: its place is given to one of the next that are
 * made.  That one takes over its turn in the wheel, where it may be looked at too late, and is
 * never looked at too early.
 */
void flow_forget(struct flow_table *t, uint32_t id);

/* At the end of the input: hands out all flows, oldest slot first, then 0.  The caller removes
 * each. */
uint32_t flow_drain(struct flow_table *t);

/* Is TLS expected there from the first octet? */
static inline bool
port_is_implicit_tls(uint16_t port)
{
	return port == 465 || port == 993 || port == 995;
}

/* Is that a port on which mail servers listen? */
static inline bool
port_is_mail(uint16_t port)
{
	return port == 25 || port == 587 || port == 2525 || port == 24 || port == 110 ||
	    port == 143 || port_is_implicit_tls(port);
}

#endif
