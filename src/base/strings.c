/*
 * The string store: see strings.h.  A handle is the cell's index above a bit for shared ones and
 * three of class.
 */
#include "base/strings.h"

#include <string.h>

#define SHARED	    8u /* bit of a handle */
#define INDEX_AT    4u /* bits below a handle's index */
#define CELL(class) (16u << (class))

/* What a shared string's cell begins with; its octets follow the length at once, as in any cell. */
struct head {
	uint32_t users;
	uint32_t next; /* handle of the next in its chain; 0 for none */
	uint32_t hash;
	uint16_t len;
};
#define HEAD (offsetof(struct head, len) + sizeof(uint16_t))

bool
strings_init(struct strings *s, size_t octets)
{
	static const char *const name[STRINGS_CLASSES] = {"strings of 16", "strings of 32",
	    "strings of 64", "strings of 128", "strings of 256", "strings of 512",
	    "strings of 1024", "strings of 2048"};
	memset(s, 0, sizeof *s);
	for (uint32_t c = 0; c < STRINGS_CLASSES; c++) {
		if (!pool_init(&s->cls[c], name[c], CELL(c), (uint32_t)(octets / CELL(c)))) {
			strings_free_all(s);
			return false;
		}
		pool_zero_only(&s->cls[c], sizeof(uint32_t)); /* see strings_drop */
	}
	hash_key_draw(&s->key);
	if (!buckets_init(&s->buckets, (uint32_t)(octets / CELL(2)))) {
		strings_free_all(s);
		return false;
	}
	return true;
}

void
strings_free_all(struct strings *s)
{
	for (uint32_t c = 0; c < STRINGS_CLASSES; c++)
		pool_free_all(&s->cls[c]);
	buckets_free(&s->buckets);
}

static void *
cell_of(const struct strings *s, uint32_t handle)
{
	return pool_at(&s->cls[handle & (STRINGS_CLASSES - 1)], handle >> INDEX_AT);
}

/* A cell for `len` octets in all; *handle is 0 where there is none. */
static void *
take(struct strings *s, size_t len, uint32_t *handle)
{
	uint32_t c = len > CELL(0) ? 28u - (uint32_t)__builtin_clz((uint32_t)len - 1) : 0;
	uint32_t id = pool_take(&s->cls[c]);
	*handle = id != 0 ? id << INDEX_AT | c : 0;
	return id != 0 ? pool_at(&s->cls[c], id) : NULL;
}

uint32_t
strings_put(struct strings *s, const void *octets, size_t len)
{
	uint32_t handle;
	if (len == 0)
		return 0;
	if (len > STRINGS_MAX)
		len = STRINGS_MAX;
	uint8_t *cell = take(s, len + 2, &handle);
	if (cell == NULL)
		return 0;
	uint16_t n = (uint16_t)len;
	memcpy(cell, &n, 2);
	memcpy(cell + 2, octets, len);
	return handle;
}

/* ---- shared ---- */

/* One more shared string: a chain of them is divided in two. */
static void
split_one(struct strings *s)
{
	uint32_t *at, *fresh, bit;
	if (!buckets_grow(&s->buckets, s->shared, &at, &fresh, &bit))
		return;
	while (*at != 0) {
		struct head *h = cell_of(s, *at);
		if (!(h->hash & bit)) {
			at = &h->next;
			continue;
		}
		uint32_t handle = *at;
		*at = h->next;
		h->next = *fresh;
		*fresh = handle;
	}
}

uint32_t
strings_share(struct strings *s, const void *octets, size_t len)
{
	uint32_t sum[4], handle;
	if (len == 0 || len > STRINGS_MAX - HEAD)
		return strings_put(s, octets, len);
	hash_octets(&s->key, octets, len, (uint8_t *)sum);
	uint32_t *first = buckets_at(&s->buckets, sum[0]);
	for (handle = *first; handle != 0;) {
		struct head *h = cell_of(s, handle);
		if (h->hash == sum[0] && h->len == len &&
		    memcmp((uint8_t *)h + HEAD, octets, len) == 0) {
			h->users++; /* of handles in memory: fewer than 2^32 */
			return handle;
		}
		handle = h->next;
	}
	struct head *h = take(s, HEAD + len, &handle);
	if (h == NULL)
		return 0;
	handle |= SHARED;
	*h = (struct head){1, *first, sum[0], (uint16_t)len};
	memcpy((uint8_t *)h + HEAD, octets, len);
	*first = handle;
	s->shared++;
	split_one(s);
	return handle;
}

/* A user of `h` less; true where it was the last, and the string is out of its chain. */
static bool
leave(struct strings *s, uint32_t handle, struct head *h)
{
	if (--h->users > 0)
		return false;
	uint32_t *at = buckets_at(&s->buckets, h->hash);
	while (*at != handle)
		at = &((struct head *)cell_of(s, *at))->next;
	*at = h->next;
	s->shared--;
	return true;
}

const char *
strings_get(const struct strings *s, uint32_t handle, size_t *len)
{
	*len = 0;
	if (handle == 0)
		return "";
	const uint8_t *cell = cell_of(s, handle);
	uint16_t n;
	if (handle & SHARED)
		cell += HEAD - sizeof n;
	memcpy(&n, cell, sizeof n);
	*len = n;
	return (const char *)cell + sizeof n;
}

char *
strings_edit(struct strings *s, uint32_t handle, size_t *len)
{
	assert(!(handle & SHARED));
	return (char *)(uintptr_t)strings_get(s, handle, len);
}

void
strings_drop(struct strings *s, uint32_t handle)
{
	uint16_t len;
	if (handle == 0)
		return;
	uint8_t *cell = cell_of(s, handle);
	if (handle & SHARED && !leave(s, handle, (struct head *)(void *)cell))
		return;
	cell += handle & SHARED ? HEAD - sizeof len : 0;
	memcpy(&len, cell, sizeof len);
	memset(cell + sizeof len, 0, len);
	pool_give(&s->cls[handle & (STRINGS_CLASSES - 1)], handle >> INDEX_AT);
}
