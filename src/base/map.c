/*
 * The hash map: see map.h.  Slots are probed one after the other; at most half of them are taken.
 * Removal moves later entries of the run back (Knuth volume 3, section 6.4, algorithm R), so there
 * are no tombstones and a map that is emptied is as quick as a new one.
 *
 * Slots double as entries come: a table of n of them stands at the n-th of its reservation, so that
 * the one of 2n lies behind it and the tags alone say what goes where.  Most maps stay far below
 * their maximum; slots that are spread over all of it cost a page, and a miss of the cache, for
 * nearly each entry (of 1 GB of mail 15 ms).
 */
#include "base/map.h"

#include "base/memory.h"

#define FIRST_SLOTS 512u /* a page of them */

/* The head of a cell; key and value follow.  The pool writes into the first four octets of a cell
 * that was given back, so `live` stands behind them. */
struct cell {
	uint64_t hash;
	uint32_t live; /* 1 while the entry is in the map */
	uint32_t id;   /* its own */
};

static uint64_t
hash_of(const struct map *m, const void *key)
{
	const uint8_t *p = key;
	uint64_t h = m->key.k[0] ^ m->key_size, w[2];
	size_t left = m->key_size;
	for (; left > sizeof w; p += sizeof w, left -= sizeof w) {
		memcpy(w, p, sizeof w);
		h = hash_fold(w[0] ^ m->key.k[1], w[1] ^ h ^ m->key.k[2]);
	}
	if (m->key_size > sizeof w) /* the last octets, some of them once more */
		memcpy(w, p + left - sizeof w, sizeof w);
	else
		(void)hash_pair(p, left, w);
	h = hash_fold(w[0] ^ m->key.k[1], w[1] ^ h ^ m->key.k[2]);
	return hash_fold(h ^ m->key.k[3], m->key.k[1]);
}

static struct cell *
cell_at(const struct map *m, uint32_t id)
{
	return pool_at(&m->cells, id);
}

static uint8_t *
key_of(struct cell *c)
{
	return (uint8_t *)(c + 1);
}

static void *
value_of(const struct map *m, struct cell *c)
{
	return (uint8_t *)c + m->value_at;
}

bool
map_init(struct map *m, const char *name, size_t key_size, size_t value_size, uint32_t max)
{
	uint32_t most = 16;
	memset(m, 0, sizeof *m);
	assert(key_size > 0 && max > 0 && max <= 1u << 28);
	while (most < 2 * max)
		most *= 2;
	m->key_size = (uint32_t)key_size;
	m->value_at = (uint32_t)(sizeof(struct cell) + ((key_size + 7) & ~(size_t)7));
	m->most = most;
	m->mask = (most < FIRST_SLOTS ? most : FIRST_SLOTS) - 1;
	hash_key_draw(&m->key);
	if (!pool_init(&m->cells, name, m->value_at + value_size, max))
		return false;
	struct map_slot *mem = memory_reserve(2 * (size_t)most * sizeof *m->slots);
	if (mem == NULL) {
		map_free_all(m);
		return false;
	}
	m->slots = mem + m->mask + 1;
	return true;
}

void
map_free_all(struct map *m)
{
	if (m->slots != NULL)
		memory_release(m->slots - m->mask - 1, 2 * (size_t)m->most * sizeof *m->slots);
	pool_free_all(&m->cells);
	memset(m, 0, sizeof *m);
}

/* The slot where `key` is, or the free one where it would be put. */
static uint32_t
slot_of(const struct map *m, const void *key, uint64_t hash)
{
	uint32_t s = (uint32_t)hash & m->mask;
	for (; m->slots[s].id != 0; s = (s + 1) & m->mask) {
		if (m->slots[s].tag != (uint32_t)hash)
			continue;
		struct cell *c = cell_at(m, m->slots[s].id);
		if (c->hash == hash && memcmp(key_of(c), key, m->key_size) == 0)
			break;
	}
	return s;
}

/* Twice as many slots; the memory of those before is given back. */
static void
grow(struct map *m)
{
	const struct map_slot *from = m->slots;
	const uint32_t n = m->mask + 1;
	m->slots += n;
	m->mask = 2 * n - 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = from[i].tag & m->mask;
		if (from[i].id == 0)
			continue;
		while (m->slots[s].id != 0)
			s = (s + 1) & m->mask;
		m->slots[s] = from[i];
	}
	memory_forget(m->slots - 2 * (size_t)n, 2 * (size_t)n * sizeof *m->slots);
}

void *
map_find(const struct map *m, const void *key)
{
	return map_find_hashed(m, key, hash_of(m, key));
}

void *
map_find_hashed(const struct map *m, const void *key, uint64_t hash)
{
	uint32_t id = m->slots[slot_of(m, key, hash)].id;
	return id != 0 ? value_of(m, cell_at(m, id)) : NULL;
}

void *
map_find_key(const struct map *m, const void *key, const void **kept)
{
	uint32_t id = m->slots[slot_of(m, key, hash_of(m, key))].id;
	*kept = id != 0 ? key_of(cell_at(m, id)) : NULL;
	return id != 0 ? value_of(m, cell_at(m, id)) : NULL;
}

void *
map_put(struct map *m, const void *key, bool *fresh)
{
	return map_put_hashed(m, key, hash_of(m, key), fresh);
}

void *
map_put_hashed(struct map *m, const void *key, uint64_t hash, bool *fresh)
{
	uint32_t s = slot_of(m, key, hash), id = m->slots[s].id;
	if (fresh != NULL)
		*fresh = id == 0;
	if (id == 0) {
		id = pool_take(&m->cells);
		if (id == 0)
			return NULL;
		if (2 * m->cells.used > m->mask + 1 && m->mask + 1 < m->most) {
			grow(m);
			s = slot_of(m, key, hash);
		}
		struct cell *c = cell_at(m, id);
		c->hash = hash;
		c->live = 1;
		c->id = id;
		memcpy(key_of(c), key, m->key_size);
		m->slots[s] = (struct map_slot){id, (uint32_t)hash};
	}
	return value_of(m, cell_at(m, id));
}

/* The entry of the slot `hole` leaves. */
static void
leave(struct map *m, uint32_t hole)
{
	uint32_t id = m->slots[hole].id;
	cell_at(m, id)->live = 0;
	pool_give(&m->cells, id);
	for (uint32_t s = (hole + 1) & m->mask; m->slots[s].id != 0; s = (s + 1) & m->mask) {
		uint32_t home = m->slots[s].tag & m->mask;
		/* may it stand in the hole: is its home not behind the hole? */
		if (((s - home) & m->mask) >= ((s - hole) & m->mask)) {
			m->slots[hole] = m->slots[s];
			hole = s;
		}
	}
	m->slots[hole] = (struct map_slot){0};
}

void
map_remove(struct map *m, const void *key)
{
	uint32_t s = slot_of(m, key, hash_of(m, key));
	if (m->slots[s].id != 0)
		leave(m, s);
}

void
map_remove_value(struct map *m, void *value)
{
	const struct cell *c = (const struct cell *)((uint8_t *)value - m->value_at);
	uint32_t s = (uint32_t)c->hash & m->mask;
	assert(c->live == 1);
	while (m->slots[s].id != c->id)
		s = (s + 1) & m->mask;
	leave(m, s);
}

uint64_t
map_expect(const struct map *m, const void *key)
{
	uint64_t hash = hash_of(m, key);
	__builtin_prefetch(&m->slots[(uint32_t)hash & m->mask]);
	return hash;
}

void
map_expect_value(const struct map *m, uint64_t hash)
{
	uint32_t id = m->slots[(uint32_t)hash & m->mask].id;
	const uint8_t *c = m->cells.mem + (size_t)id * m->cells.size; /* 0: never handed out */
	__builtin_prefetch(c);
	__builtin_prefetch(c + 64);
}

bool
map_next(const struct map *m, uint32_t *at, const void **key, void **value)
{
	while (++*at < m->cells.fresh) {
		struct cell *c = cell_at(m, *at);
		if (c->live == 0)
			continue;
		*key = key_of(c);
		*value = value_of(m, c);
		return true;
	}
	*at = m->cells.fresh - 1;
	return false;
}

#define SEARCHED 16u /* entries among which map_stalest looks */

const void *
map_stalest(const struct map *m, uint32_t *at, size_t time_at, void **value)
{
	const bool whole = map_count(m) + 1 == m->cells.fresh; /* no entry was removed */
	const size_t to_time = m->value_at + time_at, size = m->cells.size;
	uint32_t id = *at;
	uint8_t *c = m->cells.mem + id * size, *stalest = NULL;
	int64_t least = INT64_MAX;
	for (unsigned i = 0; i < SEARCHED && map_count(m) > 0; i++) {
		int64_t ns;
		if (++id >= m->cells.fresh) {
			id = 0;
			c = m->cells.mem;
			continue;
		}
		c += size;
		if (!whole && ((const struct cell *)(void *)c)->live == 0) {
			i--; /* as many as there are of them */
			continue;
		}
		memcpy(&ns, c + to_time, sizeof ns);
		/* who gives up one entry will soon have to give up another one */
		__builtin_prefetch(c + to_time + SEARCHED * size);
		if (stalest == NULL || ns < least) {
			least = ns;
			stalest = c;
		}
	}
	*at = id;
	if (stalest == NULL)
		return NULL;
	struct cell *found = (struct cell *)(void *)stalest;
	*value = value_of(m, found);
	return key_of(found);
}
