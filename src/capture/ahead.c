/*
 * Reading ahead: see ahead.h.
 *
 * The pieces are a ring.  The thread fills the one behind the last until all are full, and then
 * sleeps until half of them are left, so that few wake-ups are needed: one for each half a
 * megabyte. The worker holds the first piece while it is lent to it.  Where it finds none and the
 * thread is not at a read, because it has no core, the worker reads itself: a machine whose cores
 * are all at work loses nothing.  (On two cores, which the parent shares, a replay of mail takes a
 * sixth less time with it; without that turn it gained nothing.)
 */
#include "capture/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PIECES 8u
#define LOW    4u
#define FRONT  (64u << 10)	     /* octets of room in front of each: for a record's beginning */
#define SLOT   (FRONT + AHEAD_PIECE) /* 1.5 MiB all: they stay in a cache that cores share */
#define STACK  (256u << 10)	     /* octets; inflate(3) takes a few KiB */

struct piece {
	size_t from, len;	    /* what was not yet taken of it */
	struct rawfile_state state; /* at its end */
};

struct ahead {
	pthread_t thread;
	bool lent;		    /* the worker holds the first piece; its alone */
	pthread_mutex_t lock;	    /* of all below; a piece's memory is whose turn it is */
	pthread_cond_t filled;	    /* the worker waits for a piece, or for the thread to be idle */
	pthread_cond_t emptied;	    /* the thread waits for room, or for a file */
	struct rawfile *file;	    /* being read; NULL: none */
	unsigned first, count;	    /* the pieces that are full; the first may be lent */
	struct piece piece[PIECES]; /* number i is in [i % PIECES] */
	bool runs, reads, ended;    /* the thread; is at a read; the file's end was met */
	bool quits;		    /* the thread is to end */
	uint8_t memory[PIECES][SLOT];
};

/* Fills piece `i`; without the lock, for nobody else looks at it. */
static void
fill(struct ahead *a, struct rawfile *r, unsigned i)
{
	struct piece *p = &a->piece[i];
	p->from = FRONT;
	p->len = rawfile_read(r, a->memory[i] + FRONT, AHEAD_PIECE);
	p->state = r->state;
}

/* Fills the piece behind the last, which takes the lock off meanwhile; false where that is not to
 * be done now. */
static bool
fill_next(struct ahead *a)
{
	if (a->file == NULL || a->ended || a->reads)
		return false;
	unsigned i = (a->first + a->count) % PIECES;
	struct rawfile *file = a->file;
	a->reads = true;
	pthread_mutex_unlock(&a->lock);
	fill(a, file, i);
	pthread_mutex_lock(&a->lock);
	a->reads = false;
	a->ended = a->piece[i].state.end != RAWFILE_MORE;
	a->count++;
	return true;
}

static void *
run(void *arg)
{
	struct ahead *a = arg;
	pthread_mutex_lock(&a->lock);
	a->runs = true;
	pthread_cond_signal(&a->filled);
	while (!a->quits) {
		if (a->count == PIECES || !fill_next(a))
			pthread_cond_wait(&a->emptied, &a->lock);
		else
			pthread_cond_signal(&a->filled);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

struct ahead *
ahead_start(void)
{
	sigset_t all, before;
	pthread_attr_t attr;
	struct ahead *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	pthread_cond_init(&a->emptied, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&a->thread, &attr, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (error != 0) {
		free(a);
		return NULL;
	}
	/* what the C library asks of the system for a new thread is asked before this returns */
	pthread_mutex_lock(&a->lock);
	while (!a->runs)
		pthread_cond_wait(&a->filled, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return a;
}

void
ahead_stop(struct ahead *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	a->quits = true;
	pthread_cond_signal(&a->emptied);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	free(a);
}

bool
ahead_begin(struct ahead *a, struct rawfile *r)
{
	pthread_mutex_lock(&a->lock);
	bool is_free = a->file == NULL;
	if (is_free) {
		a->file = r;
		a->ended = a->lent = false;
		a->count = 0;
		pthread_cond_signal(&a->emptied);
	}
	pthread_mutex_unlock(&a->lock);
	return is_free;
}

void
ahead_end(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->reads)
		pthread_cond_wait(&a->filled, &a->lock);
	a->file = NULL;
	a->count = 0;
	pthread_mutex_unlock(&a->lock);
}

/* Waits for the piece that is `behind` the first; its number. */
static unsigned
await(struct ahead *a, unsigned behind)
{
	pthread_mutex_lock(&a->lock);
	while (a->count <= behind) {
		if (fill_next(a)) /* the thread has no core: rather than to wait for one */
			pthread_cond_signal(&a->emptied);
		else
			pthread_cond_wait(&a->filled, &a->lock);
	}
	unsigned i = (a->first + behind) % PIECES;
	pthread_mutex_unlock(&a->lock);
	return i;
}

/* Gives the first piece back to be filled. */
static void
release(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->first = (a->first + 1) % PIECES;
	a->count--;
	if (a->count == LOW)
		pthread_cond_signal(&a->emptied);
	pthread_mutex_unlock(&a->lock);
	a->lent = false;
}

bool
ahead_lend(struct ahead *a, const uint8_t **at, const uint8_t **limit, size_t need,
    struct rawfile_state *state)
{
	unsigned i = await(a, a->lent ? 1 : 0);
	const struct piece *p = &a->piece[i];
	size_t left = (size_t)(*limit - *at);
	if (left > p->from || (left + p->len < need && p->state.end == RAWFILE_MORE))
		return false;
	uint8_t *begin = a->memory[i] + p->from - left;
	if (left > 0)
		memcpy(begin, *at, left);
	if (a->lent)
		release(a);
	a->lent = true;
	*at = begin;
	*limit = begin + left + p->len;
	*state = p->state;
	return true;
}

size_t
ahead_read(struct ahead *a, uint8_t *to, size_t n, struct rawfile_state *state)
{
	if (a->lent)
		release(a);
	unsigned i = await(a, 0);
	struct piece *p = &a->piece[i];
	if (n > p->len)
		n = p->len;
	memcpy(to, a->memory[i] + p->from, n);
	p->from += n;
	p->len -= n;
	*state = p->state;
	if (p->len > 0)
		state->end = RAWFILE_MORE;
	else
		release(a);
	return n;
}
