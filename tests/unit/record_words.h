/* For the tests: addresses of a record put as text, and its words read as text. */
#ifndef POSTCARD_TESTS_RECORD_WORDS_H
#define POSTCARD_TESTS_RECORD_WORDS_H

#include <string.h>

#include "record/record.h"

static inline void
record_put_address(struct record *r, enum field f, const char *ip)
{
	struct addr a;
	assert_true(addr_parse(ip, &a));
	record_put_ip(r, f, &a);
}

/* The first value of f; "" where there is none.  Eight of them live. */
static inline const char *
record_word(const struct record *r, enum field f)
{
	static char text[8][2048];
	static unsigned next;
	struct record_value v;
	char *out = text[next++ % 8];
	if (!record_find(r, f, &v))
		return "";
	assert_true(v.len < sizeof text[0]);
	memcpy(out, v.str, v.len);
	out[v.len] = '\0';
	return out;
}

#endif
