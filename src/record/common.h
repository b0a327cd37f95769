/*
 * What all records of connections have alike: constants as event.kind and observer.product.
 *
 * They stand first in such a record and do not cross the pipe, where they would be a quarter of
 * its octets: who takes the record puts them there himself.
 */
#ifndef POSTCARD_RECORD_COMMON_H
#define POSTCARD_RECORD_COMMON_H

#include "record/record.h"

/* Begins a record of a connection, RECORD_SESSION or RECORD_MESSAGE, with what all such have. */
void record_begin_common(struct record *r, enum record_kind kind);

/* Octets of that, at the front of the record's data. */
uint32_t record_common_len(enum record_kind kind);

/* record_take of the octets behind it. */
bool record_take_common(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len);

#endif
