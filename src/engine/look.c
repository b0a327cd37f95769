/*
 * Frames are looked at before their turn: see engine_look.
 *
 * A connection's state is two or three cache lines of tables that may be larger than any cache,
 * each named by the one before: bucket, flow, connection.  Of one frame they are waited for in
 * turn, of sixteen all at once: a twelfth of the time where 200,000 connections are open.  Where
 * there are few, to ask for connections costs more than it saves; flows are always many, for those
 * that ended linger (to ask for them is a fortieth of the time of short sessions).
 *
 * A fragment is left for its turn: the datagram it completes is there until the next one is.
 */
#include "decode/plain.h"
#include "engine/worker.h"

#define LINE 64u   /* octets of a cache line */
#define FEW  4096u /* connections that caches hold */

static __attribute__((noinline)) void
decode(struct engine *e, struct defrag *defrag, const struct frame *f, struct look *l)
{
	l->data = f->data;
	l->result = decode_frame(defrag, f->link_type, f->data, f->caplen, f->wirelen, &l->seg);
	if (l->result == DECODE_TCP)
		flow_key_of(&e->flows, &l->seg.ends, &l->key);
}

const struct segment *
segment_whole(struct engine *e)
{
	if (e->now->seg.plain)
		decode_plain_around(e->now->data, &e->now->seg);
	return &e->now->seg;
}

void
look_now(struct engine *e, const struct frame *f, struct look *l)
{
	decode(e, &e->defrag, f, l);
}

static void
fetch_conn(const struct engine *e, uint32_t id)
{
	const uint8_t *c = pool_at(&e->conns, id);
	for (size_t at = 0; at < sizeof(struct conn); at += LINE)
		__builtin_prefetch(c + at, 1);
}

/* What the tables have of the frames is asked for. */
static void
fetch(const struct engine *e)
{
	const struct look *end = e->look + ENGINE_AHEAD;
	for (const struct look *l = e->look; l < end; l++) {
		if (l->bucket != NULL)
			flow_fetch(&e->flows, l->bucket);
	}
	if (e->conns.used < FEW)
		return;
	for (const struct look *l = e->look; l < end; l++) {
		uint32_t id = l->bucket != NULL ? *l->bucket : 0;
		uint32_t conn = id != 0 ? flow_at(&e->flows, id)->conn : 0;
		if (conn != 0)
			fetch_conn(e, conn);
	}
}

__attribute__((noinline)) void
engine_look(struct engine *e, const struct frame *f, uint32_t which)
{
	e->looked = which;
	for (unsigned i = 0; i < ENGINE_AHEAD; i++, f++) {
		struct look *l = &e->look[i];
		l->bucket = NULL;
		if (!(which >> i & 1))
			continue;
		if (f->link_type == LINKTYPE_ETHERNET &&
		    decode_plain(f->data, f->caplen, &l->seg)) {
			l->data = f->data;
			l->result = DECODE_TCP;
			flow_key_of(&e->flows, &l->seg.ends, &l->key);
		} else {
			decode(e, NULL, f, l);
		}
		if (l->result == DECODE_TCP)
			l->bucket = flow_fetch_bucket(&e->flows, &l->key);
		else if (l->result == DECODE_FRAGMENT)
			e->looked &= ~(1u << i);
	}
	fetch(e);
}
