/* The facts of a record as pairs of name and value, in the ways of syslog's formats. */
#ifndef POSTCARD_SINK_SYSLOG_PAIRS_H
#define POSTCARD_SINK_SYSLOG_PAIRS_H

#include "base/text.h"
#include "record/record.h"

/* Which words a format takes, and what it escapes. */
enum pairs_style {
	PAIRS_SD,  /* name="value", RFC 5424 section 6.3; a space before each */
	PAIRS_CEF, /* key=value, a space between; \ and = escaped */
	PAIRS_LEEF /* key=value, a tab between */
};

/* Adds the record's pairs to `out`: those that fit whole, while `spare` octets of it stay free. */
void pairs_add(struct text *out, enum pairs_style style, const struct record *r, bool reveal,
    size_t spare);

/* Adds one more pair. */
void pairs_add_one(struct text *out, enum pairs_style style, const char *name, const char *value,
    size_t spare);

/* Adds the values of field f, with commas between them, safe to show in one line, bounded by the
 * LIMIT_SYSLOG_s and by the room in `out`; false where there is none. */
bool pairs_add_value(struct text *out, const struct record *r, uint16_t f, bool reveal);

/* A builder over `buf` that leaves room for what value_end adds: "..." where something was cut. */
struct text value_begin(char *buf, size_t cap);
void value_end(struct text *t);

#endif
