/*
 * Masking: what of a private value may be shown.
 *
 * a***@example.com for addresses, the first letters and the number of characters for subjects, the
 * first letter and the extension for file names; of a text the addresses in it.  Enough to find the
 * mail in one's own logs, too little to read it.
 */
#ifndef POSTCARD_RECORD_MASK_H
#define POSTCARD_RECORD_MASK_H

#include "base/text.h"
#include "record/record.h"

/* Adds the value of a field of that privacy class, masked; OPEN values as they are.  `s` is UTF-8
 * or octets of any kind. */
void mask_add(struct text *out, enum field_privacy privacy, const char *s, size_t len);

#endif
