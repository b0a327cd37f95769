/*
 * Pools: see pool.h.  Memory comes from one mapping that the kernel fills as it is touched;
 * returned objects form a list through their first four octets, newest first, so that warm memory
 * is used again before fresh memory is touched.
 */
#include "base/pool.h"

#include <string.h>

#include "base/memory.h"

#define WORD 8u /* octets that every object has */

bool
pool_init(struct pool *p, const char *name, size_t size, uint32_t max)
{
	memset(p, 0, sizeof *p);
	size = (size + WORD - 1) & ~(size_t)(WORD - 1);
	void *mem = memory_reserve(size * ((size_t)max + 1));
	if (mem == NULL)
		return false;
	p->mem = mem;
	p->size = (uint32_t)size;
	p->zeroed = p->size;
	p->max = max;
	p->fresh = 1;
	p->name = name;
	return true;
}

void
pool_free_all(struct pool *p)
{
	memory_release(p->mem, (size_t)p->size * ((size_t)p->max + 1));
	memset(p, 0, sizeof *p);
}

uint32_t
pool_take(struct pool *p)
{
	uint32_t id = p->free;
	if (id != 0) {
		uint8_t *at = pool_at(p, id);
		memcpy(&p->free, at, sizeof p->free);
		if (p->zeroed > WORD)
			memset(at, 0, p->zeroed);
		else
			memset(at, 0, WORD); /* in one store, and without a call */
	} else if (p->fresh <= p->max) {
		id = p->fresh++; /* the kernel zeroed it */
	} else {
		p->refused++;
		return 0;
	}
	if (++p->used > p->peak)
		p->peak = p->used;
	return id;
}

void
pool_give(struct pool *p, uint32_t id)
{
	if (id == 0)
		return;
	assert(p->used > 0);
	memcpy(pool_at(p, id), &p->free, sizeof p->free);
	p->free = id;
	p->used--;
}
