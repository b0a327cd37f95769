/*
 * The maker of a network card, by the first octets of its MAC address.
 *
 * Reads the tables that the IEEE publishes as CSV (oui.csv, mam.csv, oui36.csv, iab.csv; Debian's
 * package ieee-data has them): blocks of 24, 28 and 36 bits, of which the longest that fits counts.
 * Tables that are named are read at once, so that what is wrong with them is said; those of the
 * usual place are opened, and read when a maker is first asked for.  A look-up is a few binary
 * searches.  Bounds: LIMIT_VENDOR_FILE, LIMIT_VENDORS, LIMIT_VENDOR_NAME.
 */
#ifndef POSTCARD_ENRICH_VENDOR_H
#define POSTCARD_ENRICH_VENDOR_H

#include <stddef.h>
#include <stdint.h>

#include "enrich/enrich.h"

struct vendors;

/*
 * Opens the table: the file `path`, or the tables in it where it is a folder; the usual place where
 * it is NULL, of which what is absent is no error.  NULL and a message as enrich_open.
 */
struct vendors *vendors_open(const char *path, char error[ENRICH_ERROR]);

/* No table at all: every look-up finds nothing.  NULL where there is no memory. */
struct vendors *vendors_open_none(void);

/* The maker's name, NUL-terminated, until the next look-up.  NULL where it is not known, or the
 * address is no card's own: a group address, one given by the machine itself (IEEE 802, locally
 * administered), or all zero. */
const char *vendors_look_up(struct vendors *v, const uint8_t mac[6]);

/* Different blocks in the table. */
size_t vendors_count(struct vendors *v);

void vendors_close(struct vendors *v); /* NULL is allowed */

#endif
