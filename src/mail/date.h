/* Dates of mail (RFC 5322 sections 3.3 and 4.3). */
#ifndef POSTCARD_MAIL_DATE_H
#define POSTCARD_MAIL_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads "Mon, 23 Nov 2026 13:00:00 +0100 (CET)", its day's name, its seconds and what follows the
 * zone optional, into nanoseconds since the epoch.  False where it is none, or not within the years
 * 1970 to 2200. */
bool mail_date_parse(const char *s, size_t len, int64_t *ns);

#endif
