/* The flow table: see flow.h. */
#include "flow/flow.h"

#include <string.h>

#include "base/limits.h"

#define SLOTS 1024u
#define STEPS 256u /* flows put where they belong, in the search for one to give up */

_Static_assert(sizeof(struct flow) == 64, "a flow is one cache line");
_Static_assert(LIMIT_IDLE_MAIL_S < SLOTS && LIMIT_IDLE_OTHER_S < SLOTS, "a timeout fits the wheel");

bool
flow_table_init(struct flow_table *t, uint32_t max)
{
	memset(t, 0, sizeof *t);
	if (!pool_init(&t->flows, "flows", sizeof(struct flow), max))
		return false;
	if (!buckets_init(&t->buckets, max)) {
		pool_free_all(&t->flows);
		return false;
	}
	t->epoch_s = t->next_ns = INT64_MIN;
	hash_key_draw(&t->key);
	return true;
}

void
flow_table_free(struct flow_table *t)
{
	buckets_free(&t->buckets);
	pool_free_all(&t->flows);
}

void
flow_clock_move(struct flow_table *t, int64_t ts_ns)
{
	int64_t s = ts_ns / 1000000000;
	t->next_ns = s < INT64_MAX / 1000000000 ? (s + 1) * 1000000000 : INT64_MAX;
	if (t->epoch_s == INT64_MIN) {
		t->epoch_s = s - 1; /* so that second 0 is before everything */
		t->now_s = t->swept_s = 1;
	}
	int64_t rel = s - t->epoch_s;
	if (rel > (int64_t)t->now_s)
		t->now_s = rel < UINT32_MAX - SLOTS ? (uint32_t)rel : UINT32_MAX - SLOTS;
}

static void
wheel_put(struct flow_table *t, uint32_t id, uint32_t at_s)
{
	struct flow *f = flow_at(t, id);
	if (at_s < t->swept_s)
		at_s = t->swept_s;
	uint32_t slot = at_s % SLOTS;
	f->wheel = 0;
	if (t->wheel[slot] == 0)
		t->wheel[slot] = id;
	else
		flow_at(t, t->last[slot])->wheel = id;
	t->last[slot] = id;
	f->flags |= FLOW_IN_WHEEL;
}

/* One more flow: a chain of the table is divided in two. */
static void
split_one(struct flow_table *t)
{
	uint32_t *at, *fresh, bit;
	if (!buckets_grow(&t->buckets, t->flows.used, &at, &fresh, &bit))
		return;
	while (*at != 0) {
		struct flow *f = flow_at(t, *at);
		if (!(f->hash & bit)) {
			at = &f->chain;
			continue;
		}
		uint32_t id = *at;
		*at = f->chain;
		f->chain = *fresh;
		*fresh = id;
	}
	/* of the chain that is next the first flow is there by then: it was long out of the cache,
	 * and to wait for it took a fiftieth of the time of short sessions */
	uint32_t next = *buckets_next(&t->buckets);
	if (next != 0)
		__builtin_prefetch(flow_at(t, next), 1);
}

static inline bool
is_flow(const struct flow *f, const struct flow_key *k)
{
	uint64_t other = 0;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t word;
		memcpy(&word, &f->ip[i / 2][i % 2 * 8], sizeof word);
		other |= word ^ k->ip[i];
	}
	return other == 0 && f->port[0] == k->port[0] && f->port[1] == k->port[1] &&
	    ((f->flags & FLOW_V6) != 0) == k->v6;
}

/* Room for a flow, zeroed but for its place in the wheel; 0 where there is none. */
static uint32_t
take_place(struct flow_table *t)
{
	uint32_t id = t->spare;
	if (id == 0)
		return pool_take(&t->flows);
	struct flow *f = flow_at(t, id);
	const uint32_t wheel = f->wheel;
	const uint8_t wheeled = f->flags & FLOW_IN_WHEEL;
	t->spare = f->chain;
	memset(f, 0, sizeof *f);
	f->wheel = wheel;
	f->flags = wheeled;
	return id;
}

struct flow *
flow_get(struct flow_table *t, const struct flow_key *k, bool *fresh)
{
	uint32_t *head = buckets_at(&t->buckets, k->hash);
	*fresh = false;
	for (uint32_t id = *head; id != 0;) {
		struct flow *f = flow_at(t, id);
		if (f->hash == k->hash && is_flow(f, k)) {
			if (!(f->flags & FLOW_DEAD))
				f->last_s = t->now_s;
			return f;
		}
		id = f->chain;
	}
	uint32_t id = take_place(t);
	if (id == 0)
		return NULL;
	struct flow *f = flow_at(t, id);
	const uint8_t wheeled = f->flags & FLOW_IN_WHEEL;
	memcpy(f->ip, k->ip, sizeof f->ip);
	f->port[0] = k->port[0];
	f->port[1] = k->port[1];
	f->chain = *head;
	*head = id;
	f->hash = k->hash;
	f->last_s = t->now_s;
	f->flags = (uint8_t)((k->v6 ? FLOW_V6 : 0u) | wheeled);
	f->idle_s = LIMIT_IDLE_OPEN_S;
	if (!wheeled)
		wheel_put(t, id, t->now_s + f->idle_s);
	split_one(t);
	t->created++;
	*fresh = true;
	return f;
}

void
flow_touch(struct flow_table *t, uint32_t id)
{
	flow_at(t, id)->last_s = t->now_s;
}

void
flow_orient(struct flow *f, unsigned side, uint8_t tcp_flags)
{
	unsigned client;
	if (f->flags & FLOW_SURE)
		return;
	if (tcp_flags & TCP_SYN) {
		client = tcp_flags & TCP_ACK ? !side : side;
		f->flags |= FLOW_SURE;
	} else if (port_is_mail(f->port[0]) != port_is_mail(f->port[1])) {
		client = port_is_mail(f->port[0]) ? 1 : 0;
	} else {
		client = f->port[0] >= f->port[1] ? 0 : 1;
	}
	f->flags = (uint8_t)((f->flags & ~FLOW_CLIENT_B) | (client ? FLOW_CLIENT_B : 0u));
}

uint32_t
flow_expired(struct flow_table *t)
{
	for (;;) {
		while (t->due != 0) {
			uint32_t id = t->due;
			struct flow *f = flow_at(t, id);
			t->due = f->wheel;
			if (t->due != 0)
				__builtin_prefetch(flow_at(t, t->due), 1);
			f->flags &= (uint8_t)~FLOW_IN_WHEEL;
			if (f->spare)
				continue;
			if (f->last_s + f->idle_s <= t->now_s)
				return id;
			wheel_put(t, id, f->last_s + f->idle_s);
		}
		if (t->swept_s >= t->now_s)
			return 0;
		if (t->now_s - t->swept_s > SLOTS)
			t->swept_s = t->now_s - SLOTS; /* a long silence: once around is enough */
		uint32_t slot = t->swept_s % SLOTS;
		t->swept_s++;
		t->due = t->wheel[slot];
		t->wheel[slot] = 0;
	}
}

uint32_t
flow_oldest(struct flow_table *t)
{
	unsigned moved = 0;
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t at_s = t->swept_s + i, *slot = &t->wheel[at_s % SLOTS];
		while (*slot != 0) {
			uint32_t id = *slot;
			struct flow *f = flow_at(t, id);
			*slot = f->wheel;
			f->flags &= (uint8_t)~FLOW_IN_WHEEL;
			if (f->spare)
				continue;
			/* one that was heard of since is put where it belongs; each such step is
			 * paid for by a segment, and there is an end to them */
			if (f->last_s + f->idle_s <= at_s || ++moved > STEPS)
				return id;
			wheel_put(t, id, f->last_s + f->idle_s);
		}
	}
	return 0;
}

void
flow_keep(struct flow_table *t, uint32_t id)
{
	struct flow *f = flow_at(t, id);
	wheel_put(t, id, f->last_s + f->idle_s);
}

static void
unchain(struct flow_table *t, uint32_t id)
{
	struct flow *f = flow_at(t, id);
	uint32_t *at = buckets_at(&t->buckets, f->hash);
	while (*at != 0 && *at != id)
		at = &flow_at(t, *at)->chain;
	if (*at == id)
		*at = f->chain;
}

void
flow_remove(struct flow_table *t, uint32_t id)
{
	unchain(t, id);
	pool_give(&t->flows, id);
}

void
flow_forget(struct flow_table *t, uint32_t id)
{
	struct flow *f = flow_at(t, id);
	unchain(t, id);
	f->spare = true;
	f->chain = t->spare;
	t->spare = id;
}

uint32_t
flow_drain(struct flow_table *t)
{
	for (;;) {
		for (uint32_t i = 0; t->due == 0 && i < SLOTS; i++) {
			uint32_t slot = (t->swept_s + i) % SLOTS;
			t->due = t->wheel[slot];
			t->wheel[slot] = 0;
		}
		uint32_t id = t->due;
		if (id == 0)
			return 0;
		t->due = flow_at(t, id)->wheel;
		flow_at(t, id)->flags &= (uint8_t)~FLOW_IN_WHEEL;
		if (!flow_at(t, id)->spare)
			return id;
	}
}
