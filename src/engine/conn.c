/*
 * Connections of the conductor: made, given back, and the list of those that are due.
 */
#include <string.h>

#include "engine/worker.h"

#define SAMPLE 16u /* connections that are looked at for one to give up */
#define HURRIED                                                                          \
	64u /* the latest of those due that are looked at for one between the same hosts \
	     */

void
due_remove(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->due_ns == 0)
		return;
	if (c->due_prev != 0)
		((struct conn *)pool_at(&e->conns, c->due_prev))->due_next = c->due_next;
	else
		e->due_first = c->due_next;
	if (c->due_next != 0)
		((struct conn *)pool_at(&e->conns, c->due_next))->due_prev = c->due_prev;
	else
		e->due_last = c->due_prev;
	c->due_ns = 0;
	c->due_prev = c->due_next = 0;
}

/* Each entry waits equally long, so that appending keeps the list in order of time. */
void
due_add(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->due_ns != 0)
		return;
	c->due_ns = e->clock.elapsed_ns + LIMIT_GRACE_NS;
	c->due_prev = e->due_last;
	c->due_next = 0;
	if (e->due_last != 0)
		((struct conn *)pool_at(&e->conns, e->due_last))->due_next = id;
	else
		e->due_first = id;
	e->due_last = id;
}

static bool
is_between_the_same(const struct flow *a, const struct flow *b)
{
	return memcmp(a->ip, b->ip, sizeof a->ip) == 0 || /* the smaller end is first, by address */
	    (memcmp(a->ip[0], b->ip[1], sizeof *a->ip) == 0 &&
		memcmp(a->ip[1], b->ip[0], sizeof *a->ip) == 0);
}

void
due_hurry(struct engine *e, uint32_t id)
{
	const struct conn *c = pool_at(&e->conns, id);
	const struct flow *f = flow_at(&e->flows, c->flow);
	uint32_t at = e->due_last;
	for (unsigned i = 0; at != 0 && i < HURRIED; i++) {
		struct conn *o = pool_at(&e->conns, at);
		const struct flow *g = flow_at(&e->flows, o->flow);
		uint32_t before = o->due_prev, this = at;
		at = before;
		if (o->close_ns == 0 || o->phase != CONN_MAIL || o->finding.exposed != 0 ||
		    this == id || (f->flags ^ g->flags) & FLOW_V6 || !is_between_the_same(f, g))
			continue;
		due_remove(e, this);
		o->close_ns = o->due_ns = e->clock.elapsed_ns;
		o->due_next = e->due_first;
		if (e->due_first != 0)
			((struct conn *)pool_at(&e->conns, e->due_first))->due_prev = this;
		else
			e->due_last = this;
		e->due_first = this;
	}
}

/* ---- room for others ---- */

/* How much would be lost with it: an ending one nothing, a readable mail most. */
static unsigned
weight(const struct conn *c)
{
	if (!(c->flags & CONN_PAYLOAD))
		return 0;
	if (c->phase != CONN_MAIL)
		return 1;
	return c->finding.exposed == 0 ? 2 : 3;
}

/*
 * The lightest of SAMPLE connections, of equals the one that was silent for longest.  To look at a
 * few instead of keeping all in order costs a packet nothing, and is nearly as good (Redis
 * approximates its LRU so).
 */
uint32_t
conn_least(struct engine *e)
{
	uint32_t best = 0, max = e->conns.fresh - 1;
	const struct conn *b = NULL;
	for (unsigned seen = 0, steps = 0; seen < SAMPLE && steps < SAMPLE * 4u && max > 0;
	     steps++) {
		e->hand = e->hand % max + 1;
		const struct conn *c = pool_at(&e->conns, e->hand);
		if (c->flow == 0) /* given back */
			continue;
		seen++;
		if (b == NULL || weight(c) < weight(b) ||
		    (weight(c) == weight(b) && c->end_ns < b->end_ns)) {
			best = e->hand;
			b = c;
		}
	}
	return best;
}

/* ---- connections ---- */

struct conn *
conn_new(struct engine *e, uint32_t flow_id)
{
	struct flow *f = flow_at(&e->flows, flow_id);
	uint32_t id = pool_take(&e->conns);
	f->conn = id;
	if (id == 0) {
		f->flags |= FLOW_IGNORED;
		e->stats.evicted++;
		return NULL;
	}
	struct conn *c = pool_at(&e->conns, id);
	c->flow = flow_id;
	c->start_ns = c->end_ns = e->ts_ns;
	c->vlan = -1;
	f->flags &= (uint8_t) ~(FLOW_DEAD | FLOW_SURE);
	f->idle_s = LIMIT_IDLE_OPEN_S;
	return c;
}

struct wrap
conn_wrap(const struct findings *F, const struct conn *c)
{
	struct wrap w = {.tunnel = {.depth = 0}};
	size_t len;
	const char *s = strings_get(&F->strings, c->wrap, &len);
	if (len == sizeof w)
		memcpy(&w, s, sizeof w);
	return w;
}

void
conn_wrap_keep(struct findings *F, struct conn *c, const struct wrap *w)
{
	strings_drop(&F->strings, c->wrap);
	c->wrap = strings_put(&F->strings, w, sizeof *w);
}

/* Gives all of a connection's state back.  Its flow stays, and remembers that there is nothing to
 * follow. */
void
conn_free(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	due_remove(e, id);
	for (unsigned end = 0; end < 2; end++) {
		stream_release(&e->streams, &c->stream[end]);
		strings_drop(&e->findings.strings, c->held[end]);
	}
	strings_drop(&e->findings.strings, c->app);
	strings_drop(&e->findings.strings, c->wrap);
	mail_release(&e->mail, &c->mail);
	finding_release(&e->findings, &c->finding);
	forget_dpi(e, c);
	f->conn = 0;
	c->flow = 0; /* see conn_least */
	pool_give(&e->conns, id);
}

/* It is not mail, and not on a mail port: nobody will ask for it again. */
void
conn_ignore(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	f->flags |= FLOW_IGNORED;
	f->idle_s = LIMIT_IDLE_OTHER_S;
	conn_free(e, id);
	e->work = 0;
	e->held_n = e->held_at = 0;
	e->rest_len = 0;
	e->in.len = e->in.cut = 0;
}
