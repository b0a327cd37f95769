/*
 * The values of a field that many records have alike: kept as the octets that they are in a record,
 * and put again in one go.
 */
#ifndef POSTCARD_RECORD_RUN_H
#define POSTCARD_RECORD_RUN_H

#include "record/record.h"

#define RECORD_RUN 500u /* octets of one */

struct record_run {
	uint32_t key;  /* what it stands for: the caller's */
	uint16_t len;  /* octets; 0: there is none here */
	uint16_t last; /* where in them the last value stands */
	uint8_t octets[RECORD_RUN];
};

/* Keeps the values of field f, which were all put since the record had `from` octets, and nothing
 * else was; none where they are too many, or the record had no room for all. */
static inline void
record_run_keep(struct record_run *run, const struct record *r, enum field f, uint32_t from)
{
	uint32_t len = r->len - from;
	run->len = 0;
	if (len == 0 || r->cut > 0 || len > sizeof run->octets)
		return;
	memcpy(run->octets, r->data + from, len);
	run->last = (uint16_t)(r->last[f] - from);
	run->len = (uint16_t)len;
}

/* Puts what is kept into a record that has no value of f; false, and nothing is put, where that is
 * nearly full. */
static inline bool
record_put_run(struct record *r, enum field f, const struct record_run *run)
{
	if (r->len > RECORD_AMPLE - sizeof run->octets)
		return false;
	memcpy(r->data + r->len, run->octets, run->len);
	record_note(r, f, r->len);
	r->last[f] = (uint16_t)(r->len + run->last);
	r->len += run->len;
	return true;
}

#endif
