/*
 * Pools of objects of one size, named by small integers.
 *
 * A pool reserves address space for its maximum when it is made and pays for a page of memory when
 * that page is first used.  An object's name is its index, 1 to max; 0 means "none", so a
 * zeroed structure holds no objects.  Taking and returning are constant-time and never call malloc.
 * An object that is taken is zeroed (see pool_zero_only).
 */
#ifndef POSTCARD_BASE_POOL_H
#define POSTCARD_BASE_POOL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *mem;	  /* max + 1 objects; object 0 is never handed out */
	uint32_t size;	  /* octets of one object, a multiple of 8 */
	uint32_t max;	  /* objects at most */
	uint32_t zeroed;  /* octets that are zero, of one that is taken */
	uint32_t fresh;	  /* objects from here on were never used */
	uint32_t free;	  /* head of the list of returned objects; 0 where it is empty */
	uint32_t used;	  /* objects handed out now */
	uint32_t peak;	  /* the most that were handed out at once */
	uint64_t refused; /* times that nothing was left */
	const char *name; /* for messages and counters; not owned */
};

/* Makes a pool of `max` objects of `size` octets.  False where the address space is refused. */
bool pool_init(struct pool *p, const char *name, size_t size, uint32_t max);
void pool_free_all(struct pool *p); /* gives all memory back; the pool is unusable afterwards */

/* Objects whose end is a buffer, of which they say how much is used: only their first `octets` (4
 * at least) are to be zero when one is taken. */
static inline void
pool_zero_only(struct pool *p, size_t octets)
{
	p->zeroed = (uint32_t)octets;
}

/* Takes a zeroed object; 0 where the pool is exhausted (counted in `refused`). */
uint32_t pool_take(struct pool *p);

/* Gives object `id` back.  It must have been taken; 0 is allowed and does nothing. */
void pool_give(struct pool *p, uint32_t id);

/* The object named id (1 to max, taken).  Valid until it is given back. */
static inline void *
pool_at(const struct pool *p, uint32_t id)
{
	assert(id != 0 && id < p->fresh);
	return p->mem + (size_t)id * p->size;
}

#endif
