/* The wire from a worker to the parent: see wire.h. */
#include "engine/wire.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define LOOK_NS 200000000 /* a worker that waits looks so often whether there is still a parent */

_Static_assert(sizeof(struct wire_head) == WIRE_ALIGN, "what is left of a ring has room for one");
_Static_assert(WIRE_ROOM % WIRE_ALIGN == 0 && WIRE_ROOM > 4 * LIMIT_RECORD, "any message fits");

struct wire_ring *
wire_ring_new(void)
{
	return memory_share(sizeof(struct wire_ring));
}

void
wire_ring_reset(struct wire_ring *r)
{
	atomic_store(&r->head, 0);
	atomic_store(&r->tail, 0);
	atomic_store(&r->waits, 0);
}

void
wire_ring_free(struct wire_ring *r)
{
	memory_release(r, sizeof *r);
}

/* Octets of a message in the ring. */
static uint32_t
size_of(uint32_t len)
{
	return (uint32_t)((sizeof(struct wire_head) + len + WIRE_ALIGN - 1) & ~(WIRE_ALIGN - 1));
}

/* ---- the worker's end ---- */

static bool
ring_bell(struct wire_out *w)
{
	/* a pipe that is full rings already */
	if (write(w->bell, "", 1) < 0 && errno != EAGAIN && errno != EINTR)
		w->broken = true;
	return !w->broken;
}

bool
wire_flush(struct wire_out *w)
{
	if (w->broken || w->told == w->head)
		return !w->broken;
	w->told = w->head;
	atomic_store_explicit(&w->ring->head, w->head, memory_order_release);
	return ring_bell(w);
}

static bool
has_room(struct wire_out *w, uint32_t octets)
{
	if (WIRE_ROOM - (w->head - w->tail) >= octets)
		return true;
	w->tail = atomic_load_explicit(&w->ring->tail, memory_order_acquire);
	return WIRE_ROOM - (w->head - w->tail) >= octets;
}

/* Waits until the parent has read that much; false where there is none any more. */
static bool
wait_for_room(struct wire_out *w, uint32_t octets)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	if (has_room(w, octets))
		return true;
	if (!wire_flush(w))
		return false;
	/* who moves the tail after this is seen wakes us (tell), as often as that takes */
	atomic_store(&w->ring->waits, 1);
	for (w->waits++; !has_room(w, octets);) {
		if (atomic_load(&w->ring->tail) == w->tail &&
		    syscall(SYS_futex, &w->ring->tail, FUTEX_WAIT, w->tail, &look, NULL, 0) != 0 &&
		    errno == ETIMEDOUT && !ring_bell(w))
			return false;
	}
	atomic_store(&w->ring->waits, 0);
	return true;
}

static void
put_head(struct wire_out *w, const struct wire_head *head)
{
	memcpy(w->ring->octets + w->head % WIRE_ROOM, head, sizeof *head);
}

bool
wire_put(struct wire_out *w, enum wire_kind kind, uint16_t detail, uint64_t order, const void *body,
    size_t len)
{
	const struct wire_head head = {.len = (uint32_t)len,
	    .kind = (uint16_t)kind,
	    .detail = detail,
	    .order = order};
	const uint32_t left = WIRE_ROOM - w->head % WIRE_ROOM;
	const uint32_t size = size_of(head.len), skip = size > left ? left : 0;
	assert(len <= LIMIT_RECORD);
	if (w->broken || !wait_for_room(w, skip + size))
		return false;
	if (skip > 0) {
		put_head(w,
		    &(struct wire_head){.len = skip - (uint32_t)sizeof head, .kind = WIRE_SKIP});
		w->head += skip;
	}
	put_head(w, &head);
	if (len > 0)
		memcpy(w->ring->octets + w->head % WIRE_ROOM + sizeof head, body, len);
	w->head += size;
	return w->head - w->told < WIRE_GATHER || wire_flush(w);
}

/* ---- the parent's end ---- */

/* The worker may write over all that was read.  That it waits is not ours to take back: it may have
 * seen this tail already, and wait for the next. */
static void
tell(struct wire_in *w)
{
	w->told = w->at;
	atomic_store(&w->ring->tail, w->at);
	if (atomic_load(&w->ring->waits) != 0)
		(void)syscall(SYS_futex, &w->ring->tail, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool
wire_fill(struct wire_in *w)
{
	char strokes[256];
	if (w->closed || w->broken)
		return false;
	ssize_t n = read(w->bell, strokes, sizeof strokes);
	/* what it put before it closed the pipe is seen from here on */
	uint32_t head = atomic_load_explicit(&w->ring->head, memory_order_acquire);
	uint32_t had = w->end;
	w->closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	w->broken = head - had > WIRE_ROOM - (had - w->at);
	if (w->broken)
		return false;
	w->end = head;
	return head != had;
}

bool
wire_peek(struct wire_in *w, struct wire_message *m)
{
	while (!w->whole && !w->broken) {
		struct wire_head *h = &w->head;
		const uint32_t place = w->at % WIRE_ROOM, there = w->end - w->at;
		if (there < sizeof *h)
			return false;
		memcpy(h, w->ring->octets + place, sizeof *h);
		if (h->len > LIMIT_RECORD || h->kind >= WIRE_KINDS ||
		    size_of(h->len) > WIRE_ROOM - place) {
			w->broken = true;
			return false;
		}
		if (there < size_of(h->len))
			return false;
		w->whole = true;
		if (h->kind == WIRE_SKIP)
			wire_take(w);
	}
	if (w->broken)
		return false;
	m->head = w->head;
	m->body = w->ring->octets + w->at % WIRE_ROOM + sizeof w->head;
	return true;
}

void
wire_take(struct wire_in *w)
{
	w->at += size_of(w->head.len);
	w->whole = false;
	if (w->at == w->end || w->at - w->told >= WIRE_ROOM / 8)
		tell(w);
}
