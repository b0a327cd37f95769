/*
 * The record: what was seen of one session or message, flat and free of pointers.
 *
 * A sequence of (field, length, octets) in a buffer with a maximum, so that it crosses a wire as it
 * is. Fields are those of fields.def.  A field that is not known is not put: absent is not false.
 * What does not fit is left out whole and `cut` says so.
 */
#ifndef POSTCARD_RECORD_RECORD_H
#define POSTCARD_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/limits.h"

enum field {
#define FIELD(id, name, type, number, privacy, meaning) FIELD_##id,
#include "record/fields.def"
#undef FIELD
	FIELDS
};

enum field_type { TYPE_STR, TYPE_U64, TYPE_BOOL, TYPE_TIME, TYPE_IP, TYPE_ITEM };
enum field_number { NUMBER_ONE, NUMBER_MANY };
/* TEXT: open, but for mail addresses in it. */
enum field_privacy {
	PRIVACY_OPEN,
	PRIVACY_TEXT,
	PRIVACY_ADDRESS,
	PRIVACY_USER,
	PRIVACY_SUBJECT,
	PRIVACY_FILE
};

struct field_info {
	const char *name;
	const char *meaning;
	uint8_t type;	 /* enum field_type */
	uint8_t number;	 /* enum field_number */
	uint8_t privacy; /* enum field_privacy */
};

extern const struct field_info field_table[FIELDS];

/* The type of a field; where that is a constant, this is one for the compiler too. */
static inline enum field_type
field_type(enum field f)
{
	static const uint8_t types[FIELDS] = {
#define FIELD(id, name, type, number, privacy, meaning) TYPE_##type,
#include "record/fields.def"
#undef FIELD
	};
	return (enum field_type)types[f];
}

enum record_kind {
	RECORD_SESSION, /* a connection */
	RECORD_MESSAGE, /* a mail that was readable */
	RECORD_SENSOR,	/* something that happened to the sensor itself: a worker died, packets were
			   lost */
	RECORD_ALERT,	/* a rule matched one of those */
	RECORD_SUMMARY	/* what was seen and done so far */
};

struct record {
	uint16_t kind;			      /* enum record_kind */
	uint16_t cut;			      /* fields left out for want of room */
	uint32_t len;			      /* octets used of data */
	uint64_t has[(FIELDS + 63) / 64];     /* a bit for each field that has a value */
	uint16_t first[FIELDS], last[FIELDS]; /* where in data its first and last values stand */
	uint8_t data[LIMIT_RECORD];
};

/* Before each value in data. */
struct record_head {
	uint16_t field; /* enum field */
	uint16_t len;	/* octets of the value that follows */
};

/* Empties the record and sets its kind. */
void record_begin(struct record *r, enum record_kind kind);

/* Makes it a record of the octets that another held as data, as far as they are one; false where
 * they are not one to their end.  They are none where a field that has one value (in an array of
 * objects: in each element) comes again.  They are copied once and looked at where they are then,
 * since whose they are may write there meanwhile. */
bool record_take(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len);

/* The same behind what stands in it. */
bool record_take_more(struct record *r, const uint8_t *octets, size_t len);

/* Says how many values were left out for want of room, if any were: room for that is kept. */
void record_say_cut(struct record *r);

/* Puts values[i] into the i-th element of the array of objects `item`, as its member f; of more
 * elements than `n` the rest have none. */
void
record_put_bools(struct record *r, enum field item, enum field f, const bool *values, unsigned n);

/* One value of a record, as reading hands it out. */
struct record_value {
	enum field field;
	const char *str; /* TYPE_STR: octets, not NUL-terminated; they live as long as the record */
	size_t len;	 /* TYPE_STR: how many */
	uint64_t u64;	 /* TYPE_U64, TYPE_BOOL (0 or 1) */
	int64_t ns;	 /* TYPE_TIME */
	struct addr ip;	 /* TYPE_IP */
};

/*
 * Reads values in the order they were put.  Start with *at = 0; false at the end, or where the
 * octets are not a record (it may have come from a worker that an attacker took
 * over: nothing is trusted).
 */
bool record_next(const struct record *r, uint32_t *at, struct record_value *v);

/* Has it a value of field f? */
static inline bool
record_has(const struct record *r, enum field f)
{
	return (r->has[f / 64] >> f % 64 & 1) != 0;
}

/* Of a field that it has: see record_each. */
bool record_next_of(const struct record *r, enum field f, uint32_t *at, struct record_value *v);

/*
 * The values of one field, in their order: start with *at = 0; false behind the last one.  Goes
 * straight to the first, so that to ask for a field costs the same in a long record.
 */
static inline bool
record_each(const struct record *r, enum field f, uint32_t *at, struct record_value *v)
{
	return record_has(r, f) && *at <= r->last[f] && record_next_of(r, f, at, v);
}

/* The first value of field f; false where the record has none. */
static inline bool
record_find(const struct record *r, enum field f, struct record_value *v)
{
	uint32_t at = 0;
	return record_each(r, f, &at, v);
}

/* Does field f have the value `word`, in any of its values? */
static inline bool record_is(const struct record *r, enum field f, const char *word);

/* Takes all values of field f out. */
void record_remove(struct record *r, enum field f);

/* Puts `word` in the place of what field f has (behind all other values). */
void record_set_word(struct record *r, enum field f, const char *word);

/* Begins `out` as a record of the same kind with the values of `r` that name no person (privacy
 * OPEN, and what a server says) and are not out of a mail's header, as many as fit into `max`
 * octets, in their order.  Arrays of objects are left out: they are long, and what comes behind
 * them must find room. */
void record_copy_open(struct record *out, const struct record *r, uint32_t max);

/* The same as octets alone (record_take makes a record of them); how many. */
uint32_t record_put_open(const struct record *r, uint8_t *out, uint32_t max);

/* Adds the first value of field f that `r` has, if any. */
void record_copy_first(struct record *out, const struct record *r, enum field f);

/* Begins `out` as a copy of `r` without the values of `n` fields. */
void record_copy_without(struct record *out, const struct record *r, const uint16_t *without,
    unsigned n);

/* The field of that name, the first where a name has several types; FIELDS where there is none. */
enum field field_by_name(const char *name);

/* The first field that has the name of `f`. */
enum field field_first(enum field f);

/* Each adds one value; its type must be the field's (asserted).  Values of an array are put in
 * order. */
static inline void record_put_str(struct record *r, enum field f, const void *octets, size_t len);
static inline void record_put_word(struct record *r, enum field f,
    const char *word); /* NUL-terminated; NULL puts nothing */
static inline void record_put_u64(struct record *r, enum field f, uint64_t value);
static inline void record_put_bool(struct record *r, enum field f, bool value);
static inline void
record_put_time(struct record *r, enum field f, int64_t ns); /* since the epoch, UTC */
static inline void record_put_ip(struct record *r, enum field f, const struct addr *a);
static inline void record_put_item(struct record *r,
    enum field f); /* begins the next element of an array of objects */

#include "record/octets.h"
#include "record/put.h"

#endif
