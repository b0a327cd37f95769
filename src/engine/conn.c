/*
 * Connections of the conductor: made, given back, and what few of them have besides.
 */
#include <string.h>

#include "engine/worker.h"

#define SAMPLE	    16u /* connections that are looked at for one to give up */
#define STAGE_SHARE 8u	/* that part of them is safe in each stage */

/* ---- room for others ---- */

/* How far a connection has come. */
enum stage {
	STAGE_OPENING, /* no octets yet */
	STAGE_STRANGE, /* nothing shows yet that it is mail, or it is not */
	STAGE_SPOKEN,  /* mail, of which one side was heard */
	STAGE_MAIL,    /* both were */
	STAGES
};

static enum stage
stage_of(const struct conn *c)
{
	if (!(c->flags & CONN_PAYLOAD))
		return STAGE_OPENING;
	if (c->phase != CONN_MAIL || !(c->finding.flags & (FINDING_SURE | FINDING_TLS_SEEN)))
		return STAGE_STRANGE;
	return c->octets[0] == 0 || c->octets[1] == 0 ? STAGE_SPOKEN : STAGE_MAIL;
}

/*
 * The connection that was silent for longest, of those of SAMPLE that are as far as each other.  A
 * flood fills one stage, and is to fight against itself there: the lowest stage that has more than
 * an eighth of the sample gives one up, the last one where none has.  So a stage that costs an
 * enemy little cannot push out what has come further, and those that have come far, in however
 * great numbers, leave room for those that begin.  What a connection has shown does not count: a
 * readable one is recorded as such whenever it goes.
 *
 * To look at a few instead of keeping all in order costs a packet nothing, and is nearly as good
 * (Redis approximates its LRU so).
 */
uint32_t
conn_least(struct engine *e)
{
	uint32_t oldest[STAGES] = {0}, max = e->conns.fresh - 1;
	unsigned count[STAGES] = {0}, seen = 0, stage = 0;
	for (unsigned steps = 0; seen < SAMPLE && steps < SAMPLE * 4u && max > 0; steps++) {
		e->hand = e->hand % max + 1;
		const struct conn *c = pool_at(&e->conns, e->hand);
		if (c->flow == 0) /* given back */
			continue;
		seen++;
		enum stage s = stage_of(c);
		if (count[s]++ == 0 ||
		    c->end_ns < ((const struct conn *)pool_at(&e->conns, oldest[s]))->end_ns)
			oldest[s] = e->hand;
	}
	while (stage < STAGE_MAIL && count[stage] * STAGE_SHARE <= seen)
		stage++;
	while (stage > 0 && count[stage] == 0)
		stage--;
	return oldest[stage];
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
	f->flags &= (uint8_t) ~(FLOW_DEAD | FLOW_SURE | FLOW_AFTER_A | FLOW_AFTER_B);
	f->last_s = e->flows.now_s;
	f->idle_s = LIMIT_IDLE_OPEN_S;
	return c;
}

const struct extra no_extra;

struct extra *
extra_make(struct engine *e, struct conn *c)
{
	if (c->extra == 0)
		c->extra = pool_take(&e->extras);
	return c->extra != 0 ? pool_at(&e->extras, c->extra) : NULL;
}

void
extra_settle(struct engine *e, struct conn *c)
{
	const struct extra *x = conn_extra(e, c);
	if (x->dpi != NULL || (x->gap_octets | x->unseen) != 0 ||
	    (x->held[0] | x->held[1] | x->heard[0] | x->heard[1]) != 0 || x->app != 0 ||
	    c->flags & CONN_SYN_AGAIN || x->dpi_packets != 0)
		return;
	pool_give(&e->extras, c->extra);
	c->extra = 0;
}

struct around
conn_around(const struct engine *e, const struct conn *c)
{
	struct around a;
	size_t len;
	const char *s = strings_get(&e->findings.strings, c->around, &len);
	if (len == sizeof a) {
		memcpy(&a, s, sizeof a);
		return a;
	}
	memset(&a, 0, sizeof a); /* its padding too: it is shared by its octets */
	a.vlan = -1;
	return a;
}

void
conn_around_keep(struct engine *e, struct conn *c, const struct around *a)
{
	uint32_t had = c->around;
	c->around = strings_share(&e->findings.strings, a, sizeof *a);
	strings_drop(&e->findings.strings, had);
}

/* Gives all of a connection's state back.  Its flow stays, and remembers that there is nothing to
 * follow. */
void
conn_free(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	due_remove(e, id);
	reset_forget(e, id);
	for (unsigned end = 0; end < 2; end++) {
		stream_release(&e->streams, &c->stream[end]);
		forget_held(e, c, end);
	}
	forget_dpi(e, c);
	strings_drop(&e->findings.strings, conn_extra(e, c)->app);
	pool_give(&e->extras, c->extra);
	strings_drop(&e->findings.strings, c->around);
	mail_release(&e->mail, &c->mail);
	finding_release(&e->findings, &c->finding);
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
