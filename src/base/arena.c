/* An arena, and arrays that grow: see arena.h. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536u /* octets taken from the heap at once */
#define ALIGN 16u

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size; /* octets of data */
	_Alignas(ALIGN) uint8_t data[];
};

void *
arena_take(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (c == NULL || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		c = calloc(1, sizeof *c + room);
		if (c == NULL)
			return NULL;
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	void *p = c->data + c->used;
	c->used += size;
	return p;
}

char *
arena_copy(struct arena *a, const void *octets, size_t len)
{
	char *p = arena_take(a, len + 1);
	if (p != NULL && len > 0)
		memcpy(p, octets, len);
	return p;
}

void
arena_free_all(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
}

void *
array_room(void *items, size_t count, size_t size)
{
	if (count == 0)
		return realloc(items, 16 * size);
	if (count < 16 || (count & (count - 1)) != 0)
		return items;
	return count > SIZE_MAX / 2 / size ? NULL : realloc(items, 2 * count * size);
}
