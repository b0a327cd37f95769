/*
 * A bounded hash map: keys and values of fixed sizes, open addressing.
 *
 * Keys are octets compared with memcmp: a struct used as a key is zeroed first, so that its padding
 * is equal.  Values stay where they are until they are removed.  Entries can be walked in the order
 * in which they were put (removed ones leave room that is used again).  Hashing is keyed (see
 * hash.h), so nobody outside can aim at one chain; nothing that is seen depends on the key.
 * Address space for the maximum is reserved at once and paid for as entries come.
 */
#ifndef POSTCARD_BASE_MAP_H
#define POSTCARD_BASE_MAP_H

#include "base/hash.h"
#include "base/pool.h"

struct map {
	struct pool cells; /* hash, key and value of each entry */
	struct map_slot {
		uint32_t id;  /* of a cell; 0 for none */
		uint32_t tag; /* lower half of its hash: most cells that differ need no look */
	} * slots;
	uint32_t mask;	     /* number of slots, a power of two, less one */
	uint32_t most;	     /* slots that there may be */
	uint32_t key_size;   /* octets */
	uint32_t value_at;   /* where a cell's value begins */
	struct hash_key key; /* drawn when the map is made */
};

/* Makes a map of at most `max` entries (up to 2^28).  False where the memory is refused. */
bool map_init(struct map *m, const char *name, size_t key_size, size_t value_size, uint32_t max);
void map_free_all(struct map *m); /* gives all memory back; a zeroed map is allowed */

/* The value of `key`; NULL where it has none. */
void *map_find(const struct map *m, const void *key);

/* The same, and where the map has the key (NULL: it has it not): for a later map_remove. */
void *map_find_key(const struct map *m, const void *key, const void **kept);

/* The value of `key`, which is put with a zeroed value where it was not there (*fresh says so; may
 * be NULL).  NULL where the map is full. */
void *map_put(struct map *m, const void *key, bool *fresh);

/* Removes `key`; its value is gone.  Nothing where it is not there. */
void map_remove(struct map *m, const void *key);

/* The same of the entry whose value that is, which the map has: no key is hashed or compared. */
void map_remove_value(struct map *m, void *value);

/*
 * `key` will be asked for soon: fetches the place where it is looked for, so that large maps do not
 * keep who asks waiting for memory.  Some 100 ns later, map_expect_value does the same with the
 * entry that is there.  The hash that is handed out finds the key without another look at all of
 * it, for as long as there is the map.
 */
uint64_t map_expect(const struct map *m, const void *key);
void map_expect_value(const struct map *m, uint64_t hash);
void *map_find_hashed(const struct map *m, const void *key, uint64_t hash);
void *map_put_hashed(struct map *m, const void *key, uint64_t hash, bool *fresh);

/*
 * Walks the entries: start with *at = 0; false at the end.  key and value point into the map; the
 * entry that was handed out last may be removed while walking.
 */
bool map_next(const struct map *m, uint32_t *at, const void **key, void **value);

/*
 * Which entry to give up where the map is full: of a few, which *at goes through in turn, the one
 * whose value has the least time (int64_t, at its octet `time_at`).  Its key; NULL in an empty map.
 */
const void *map_stalest(const struct map *m, uint32_t *at, size_t time_at, void **value);

static inline uint32_t
map_count(const struct map *m)
{
	return m->cells.used;
}

#endif
