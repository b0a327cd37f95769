/*
 * A store of short strings for state that lives long: host names, greetings, addresses.
 *
 * A string is named by a 32-bit handle (0: none) and takes a cell of the smallest class that holds
 * it, so that an idle connection pays for what it said and no more.  Octets may hold any value.
 * What many say alike (a server's greeting, the name of a client, its hello's fingerprint) is
 * shared: equal octets are one string with a count of its users, found by a keyed hash.
 * Bounded: a full store refuses, which is counted in its pools.
 */
#ifndef POSTCARD_BASE_STRINGS_H
#define POSTCARD_BASE_STRINGS_H

#include "base/buckets.h"
#include "base/hash.h"
#include "base/pool.h"

#define STRINGS_CLASSES 8 /* cells of 16, 32, 64, ... 2048 octets, two of which hold the length */
#define STRINGS_MAX	2046u

struct strings {
	struct pool cls[STRINGS_CLASSES];
	struct buckets buckets; /* of the shared ones: handles */
	struct hash_key key;
	uint32_t shared; /* how many different ones there are */
};

/* A store of at most `octets` in each class of cells.  False where the address space is refused. */
bool strings_init(struct strings *s, size_t octets);
void strings_free_all(struct strings *s);

/* Keeps a copy of `len` octets (more than STRINGS_MAX are cut).  0 where the store is full or len
 * is 0. */
uint32_t strings_put(struct strings *s, const void *octets, size_t len);

/* The same for what others keep too: it is one string with theirs.  Not to be changed in place. */
uint32_t strings_share(struct strings *s, const void *octets, size_t len);

/* The octets of `handle` and their number; "" and 0 for handle 0.  Valid until it is dropped. */
const char *strings_get(const struct strings *s, uint32_t handle, size_t *len);

/* The same, to be changed in place. */
char *strings_edit(struct strings *s, uint32_t handle, size_t *len);

/* Overwrites and frees the string, a shared one with its last user; 0 is allowed. */
void strings_drop(struct strings *s, uint32_t handle);

#endif
