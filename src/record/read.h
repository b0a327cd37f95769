/*
 * Fields that have one value, read without a call.
 *
 * Who reads many fields of each record (judge, enrich) names them one by one: that is a third of
 * the time of record_each, which fits all types and finds the next value too.  An array's first
 * value is what is read of it here.  As everywhere, octets that are no record give nothing.
 */
#ifndef POSTCARD_RECORD_READ_H
#define POSTCARD_RECORD_READ_H

#include <string.h>

#include "record/record.h"

/* The octets of the first value of f, with their number; NULL where it has none. */
static inline const uint8_t *
record_first(const struct record *r, enum field f, size_t *len)
{
	struct record_head head;
	if (!record_has(r, f))
		return NULL;
	uint32_t at = r->first[f];
	if (at + sizeof head > r->len || r->len > sizeof r->data)
		return NULL;
	memcpy(&head, r->data + at, sizeof head);
	*len = head.len;
	return head.len <= r->len - at - sizeof head ? r->data + at + sizeof head : NULL;
}

/* A text, which lives as long as the record; NULL and 0 where there is none. */
static inline const char *
record_str(const struct record *r, enum field f, size_t *len)
{
	const uint8_t *p = record_first(r, f, len);
	if (p == NULL)
		*len = 0;
	return (const char *)p;
}

/* A number; `none` where there is none. */
static inline uint64_t
record_u64(const struct record *r, enum field f, uint64_t none)
{
	size_t len;
	const uint8_t *p = record_first(r, f, &len);
	if (p == NULL || len != sizeof none)
		return none;
	memcpy(&none, p, sizeof none);
	return none;
}

/* Is there a truth value, and is it true? */
static inline bool
record_true(const struct record *r, enum field f)
{
	size_t len;
	const uint8_t *p = record_first(r, f, &len);
	return p != NULL && len == 1 && *p != 0;
}

/* A time; `none` where there is none. */
static inline int64_t
record_time(const struct record *r, enum field f, int64_t none)
{
	return (int64_t)record_u64(r, f, (uint64_t)none);
}

/* An address; family 0 where there is none. */
static inline struct addr
record_ip(const struct record *r, enum field f)
{
	size_t len;
	struct addr a = {0};
	const uint8_t *p = record_first(r, f, &len);
	if (p == NULL || len != 17 || (p[0] != 4 && p[0] != 6))
		return a;
	a.family = p[0];
	if (p[0] == 4) /* zeros follow, whoever sent the record */
		memcpy(a.b, p + 1, 4);
	else
		memcpy(a.b, p + 1, sizeof a.b);
	return a;
}

#endif
