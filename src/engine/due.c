/*
 * The list of connections that are due: those whose streams wait for a hole's grace, and those that
 * were reset.  Each entry waits equally long, so that appending keeps the list in order of time.
 */
#include <string.h>

#include "engine/worker.h"

/* The latest of those due that are looked at for one between the same hosts. */
#define HURRIED 64u

static struct wait *
wait_at(const struct engine *e, uint32_t id)
{
	return pool_at(&e->waits, id);
}

const struct wait no_wait;

static struct wait *
wait_make(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->wait == 0 && (c->wait = pool_take(&e->waits)) != 0)
		wait_at(e, c->wait)->conn = id;
	return c->wait != 0 ? wait_at(e, c->wait) : NULL;
}

/* It is given back as soon as it says nothing. */
static void
wait_settle(struct engine *e, struct conn *c)
{
	const struct wait *w = conn_wait(e, c);
	if (w->due_ns != 0 || w->close_ns != 0)
		return;
	pool_give(&e->waits, c->wait);
	c->wait = 0;
}

/* The first of the list is another one, or has another time. */
static void
note_first(struct engine *e)
{
	e->due_ns = e->due_first != 0 ? wait_at(e, e->due_first)->due_ns : INT64_MAX;
	e->timely = true;
}

static void
unlink_wait(struct engine *e, struct wait *w)
{
	if (w->prev != 0)
		wait_at(e, w->prev)->next = w->next;
	else
		e->due_first = w->next;
	if (w->next != 0)
		wait_at(e, w->next)->prev = w->prev;
	else
		e->due_last = w->prev;
	w->due_ns = 0;
	w->prev = w->next = 0;
	note_first(e);
}

void
due_remove(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->wait == 0)
		return;
	if (wait_at(e, c->wait)->due_ns != 0)
		unlink_wait(e, wait_at(e, c->wait));
	wait_settle(e, c);
}

void
due_add(struct engine *e, uint32_t id)
{
	struct wait *w = wait_make(e, id);
	if (w == NULL || w->due_ns != 0)
		return;
	uint32_t at = ((const struct conn *)pool_at(&e->conns, id))->wait;
	w->due_ns = e->clock.elapsed_ns + LIMIT_GRACE_NS;
	w->prev = e->due_last;
	w->next = 0;
	if (e->due_last != 0)
		wait_at(e, e->due_last)->next = at;
	else
		e->due_first = at;
	e->due_last = at;
	note_first(e);
}

uint32_t
due_take(struct engine *e)
{
	uint32_t id = wait_at(e, e->due_first)->conn;
	due_remove(e, id);
	return id;
}

/* A number that is the same for all connections between two hosts, and seldom for others. */
static uint32_t
hosts_of(const struct flow *f)
{
	uint64_t w[4], sum;
	memcpy(w, f->ip, sizeof w);
	sum = (w[0] + w[2]) * 0x9e3779b97f4a7c15u + (w[1] + w[3]);
	return (uint32_t)(sum >> 32) ^ (uint32_t)sum;
}

bool
reset_wait(struct engine *e, uint32_t id, const uint64_t reset_at[2])
{
	struct wait *w = wait_make(e, id);
	if (w == NULL)
		return false;
	const struct conn *c = pool_at(&e->conns, id);
	w->hosts = hosts_of(flow_at(&e->flows, c->flow));
	e->resets[w->hosts % RESETS]++;
	w->close_ns = e->clock.elapsed_ns + LIMIT_RESET_NS;
	memcpy(w->reset_at, reset_at, sizeof w->reset_at);
	due_add(e, id);
	return true;
}

void
reset_forget(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->wait == 0)
		return;
	struct wait *w = wait_at(e, c->wait);
	if (w->close_ns != 0)
		e->resets[w->hosts % RESETS]--;
	w->close_ns = 0;
	w->reset_at[0] = w->reset_at[1] = 0;
	wait_settle(e, c);
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
	const uint32_t hosts = hosts_of(f);
	if (e->resets[hosts % RESETS] == 0)
		return;
	for (unsigned i = 0; at != 0 && i < HURRIED; i++) {
		struct wait *w = wait_at(e, at);
		uint32_t this = at;
		at = w->prev;
		if (w->close_ns == 0 || w->hosts != hosts) /* looked at no further */
			continue;
		const struct conn *o = pool_at(&e->conns, w->conn);
		const struct flow *g = flow_at(&e->flows, o->flow);
		if (o->phase != CONN_MAIL || o->finding.exposed != 0 || w->conn == id ||
		    (f->flags ^ g->flags) & FLOW_V6 || !is_between_the_same(f, g))
			continue;
		unlink_wait(e, w);
		w->close_ns = w->due_ns = e->clock.elapsed_ns;
		w->next = e->due_first;
		if (e->due_first != 0)
			wait_at(e, e->due_first)->prev = this;
		else
			e->due_last = this;
		e->due_first = this;
		note_first(e);
	}
}
