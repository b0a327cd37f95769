/* The files of rules/: see shipped.h.  The build turns them into arrays of numbers. */
#include "judge/shipped.h"

#include <string.h>

#define FILE_AT(name, octets) {name, (const char *)octets, sizeof octets},
#include "rules.inc"

const struct shipped *
shipped_file(size_t i)
{
	return i < sizeof files / sizeof *files ? &files[i] : NULL;
}

const struct shipped *
shipped_find(const char *name)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	}
	return NULL;
}
