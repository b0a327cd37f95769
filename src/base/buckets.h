/*
 * The heads of a hash table's chains, as many as there are entries.
 *
 * Linear hashing (Litwin, VLDB 1980): one bucket more is split with each new entry, so that no
 * entry waits for a table to be built anew, and few entries lie close together (with buckets for
 * the most entries there can be, each look-up was a miss of the TLB).  What a head names, and how
 * entries are chained and told apart, is the owner's.
 */
#ifndef POSTCARD_BASE_BUCKETS_H
#define POSTCARD_BASE_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define BUCKETS_FEWEST 1024u /* of an empty table, a power of two */

struct buckets {
	uint32_t *head;	 /* first of each chain; 0 for none */
	uint32_t mask;	 /* buckets, without those split off in this round, less one */
	uint32_t split;	 /* buckets before this one were split in this round */
	size_t reserved; /* buckets that there is room for */
};

/* Buckets for `most` entries.  False where the address space is refused. */
static inline bool
buckets_init(struct buckets *b, uint32_t most)
{
	size_t reserved = (size_t)most + BUCKETS_FEWEST;
	*b = (struct buckets){.head = memory_reserve(reserved * sizeof *b->head),
	    .mask = BUCKETS_FEWEST - 1,
	    .reserved = reserved};
	return b->head != NULL;
}

static inline void
buckets_free(struct buckets *b)
{
	memory_release(b->head, b->reserved * sizeof *b->head);
	b->head = NULL;
}

/* The head of the chain for that hash. */
static inline uint32_t *
buckets_at(const struct buckets *b, uint32_t hash)
{
	uint32_t i = hash & b->mask;
	return &b->head[i < b->split ? hash & (2 * b->mask + 1) : i];
}

/*
 * There are `entries` now: false where that is no more than buckets.  Else the caller moves, of the
 * chain *from, the entries whose hash has *bit to the empty chain *to.
 */
static inline bool
buckets_grow(struct buckets *b, uint32_t entries, uint32_t **from, uint32_t **to, uint32_t *bit)
{
	*bit = b->mask + 1;
	if (entries <= b->mask + b->split || (size_t)b->split + *bit >= b->reserved)
		return false;
	*from = &b->head[b->split];
	*to = &b->head[b->split + *bit];
	if (++b->split == *bit) {
		b->mask = 2 * b->mask + 1;
		b->split = 0;
	}
	return true;
}

/* The chain that buckets_grow will name next as *from. */
static inline const uint32_t *
buckets_next(const struct buckets *b)
{
	return &b->head[b->split];
}

#endif
