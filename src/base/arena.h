/*
 * An arena: many small things of one life, freed at once.
 *
 * For what is read at the start (rules, policies), never on the packet path.
 */
#ifndef POSTCARD_BASE_ARENA_H
#define POSTCARD_BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks; /* the newest first; NULL in a zeroed, empty arena */
};

/* `size` zeroed octets, aligned for any type; NULL where there is no memory. */
void *arena_take(struct arena *a, size_t size);

/* A copy of `len` octets with a NUL behind them; NULL where there is no memory. */
char *arena_copy(struct arena *a, const void *octets, size_t len);

/* Frees all that was taken. */
void arena_free_all(struct arena *a);

/*
 * Room for one more in an array on the heap: `items`, of which `count` are used, each of `size`
 * octets.  The array, moved perhaps, which the caller frees; NULL where there is no memory (`items`
 * is as it was).  Its capacity is the power of two from 16 on that holds `count`.
 */
void *array_room(void *items, size_t count, size_t size);

#endif
