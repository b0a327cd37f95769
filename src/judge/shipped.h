/* The files of rules/ that the program carries within itself, as they were when it was built. */
#ifndef POSTCARD_JUDGE_SHIPPED_H
#define POSTCARD_JUDGE_SHIPPED_H

#include <stddef.h>

struct shipped {
	const char *name; /* "rules/credentials.yml" */
	const char *text; /* no NUL behind it */
	size_t len;	  /* octets */
};

/* The i-th in the order of their names; NULL behind the last.  Constants. */
const struct shipped *shipped_file(size_t i);

/* The one of that name; NULL where there is none. */
const struct shipped *shipped_find(const char *name);

#define SHIPPED_TEXTS "rules/texts/advice.yml" /* the table of levels and advice: always there */

#endif
