/* The string store: see strings.h.  A handle is the cell's index above three bits of class. */
#include "base/strings.h"

#include <string.h>

#define CLASS_BITS  3u
#define CELL(class) (16u << (class))

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
	}
	return true;
}

void
strings_free_all(struct strings *s)
{
	for (uint32_t c = 0; c < STRINGS_CLASSES; c++)
		pool_free_all(&s->cls[c]);
}

uint32_t
strings_put(struct strings *s, const void *octets, size_t len)
{
	uint32_t c = 0;
	if (len == 0)
		return 0;
	if (len > STRINGS_MAX)
		len = STRINGS_MAX;
	while (CELL(c) < len + 2)
		c++;
	uint32_t id = pool_take(&s->cls[c]);
	if (id == 0)
		return 0;
	uint8_t *cell = pool_at(&s->cls[c], id);
	uint16_t n = (uint16_t)len;
	memcpy(cell, &n, 2);
	memcpy(cell + 2, octets, len);
	return id << CLASS_BITS | c;
}

const char *
strings_get(const struct strings *s, uint32_t handle, size_t *len)
{
	*len = 0;
	if (handle == 0)
		return "";
	const uint8_t *cell =
	    pool_at(&s->cls[handle & (STRINGS_CLASSES - 1)], handle >> CLASS_BITS);
	uint16_t n;
	memcpy(&n, cell, 2);
	*len = n;
	return (const char *)cell + 2;
}

char *
strings_edit(struct strings *s, uint32_t handle, size_t *len)
{
	return (char *)(uintptr_t)strings_get(s, handle, len);
}

void
strings_drop(struct strings *s, uint32_t handle)
{
	if (handle == 0)
		return;
	struct pool *p = &s->cls[handle & (STRINGS_CLASSES - 1)];
	memset(pool_at(p, handle >> CLASS_BITS), 0, p->size);
	pool_give(p, handle >> CLASS_BITS);
}
