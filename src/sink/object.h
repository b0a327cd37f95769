/*
 * Records as JSON objects (RFC 8259): members nested as the dots of the field names say, in the
 * order of the field table, without a line end.  For the sinks that write them: json, syslog.
 */
#ifndef POSTCARD_SINK_OBJECT_H
#define POSTCARD_SINK_OBJECT_H

#include "record/record.h"

struct object; /* a writer of them */

/* octets that hold the object of any record */
#define OBJECT_MAX (LIMIT_RECORD * 8u + (64u << 10))

/* A writer; private values are masked unless `reveal`.  NULL where there is no memory. */
struct object *object_new(bool reveal);
void object_free(struct object *o); /* NULL is allowed */

/* Writes the object of `r` to `buf` of `cap` octets.  Its length; 0 where it does not fit. */
size_t object_write(struct object *o, const struct record *r, char *buf, size_t cap);

/* The same within fewer octets (8,000 always do): where the whole does not fit, long strings are
 * cut and end in "...", long arrays lose their last values; where that is not enough, only what an
 * alert cannot do without is left.  A valid object all the same. */
size_t object_write_within(struct object *o, const struct record *r, char *buf, size_t cap);

#endif
