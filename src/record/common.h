/*
 * What all records of connections have: constants as event.kind, and values of a fixed length as
 * when it was and between whom.
 *
 * They stand first, the constants and then the values, always at the same places.  So constants
 * need not cross the wire, where they were an eighth of its octets; a worker sets the values where
 * they stand (5 instructions, and 14 to put one); and who takes a record looks at all of them at
 * once (25 of 60 values of a small one, a third of the time that it takes).
 */
#ifndef POSTCARD_RECORD_COMMON_H
#define POSTCARD_RECORD_COMMON_H

#include "record/record.h"

/* Begins a record of a connection, RECORD_SESSION or RECORD_MESSAGE, with what all such have; the
 * values are still to be set: the timestamp, start, end and duration of the event, the network's
 * type ("ipv4"), addresses, ports, octets and packets of both ends, midstream, gap_bytes. */
void record_begin_common(struct record *r, enum record_kind kind);

/* Octets of the constants, at the front of the record's data. */
uint32_t record_constants(enum record_kind kind);

/* Makes it a record of the octets that another held behind its constants: see record_take.  False
 * also where those values are not at their places; it has nothing then. */
bool record_take_common(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len);

/* The same of what is no more than a value: another in the place of the one that is there. */
static inline void
record_set(struct record *r, enum field f, enum field_type type, const void *octets, size_t len)
{
	assert(field_type(f) == type);
	(void)type;
	memcpy(r->data + r->first[f] + RECORD_HEAD, octets, len);
}

/* Each sets one of those values. */
static inline void
record_set_u64(struct record *r, enum field f, uint64_t value)
{
	record_set(r, f, TYPE_U64, &value, sizeof value);
}

static inline void
record_set_bool(struct record *r, enum field f, bool value)
{
	const uint8_t b = value;
	record_set(r, f, TYPE_BOOL, &b, 1);
}

static inline void
record_set_time(struct record *r, enum field f, int64_t ns)
{
	record_set(r, f, TYPE_TIME, &ns, sizeof ns);
}

/* An address of family 4 or 6, as in struct addr. */
static inline void
record_set_ip(struct record *r, enum field f, uint8_t family, const uint8_t octets[16])
{
	uint8_t b[17] = {family};
	memcpy(b + 1, octets, 16);
	record_set(r, f, TYPE_IP, b, sizeof b);
}

#endif
