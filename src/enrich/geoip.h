/*
 * Country and network of an address, from MaxMind databases (.mmdb).
 *
 * Reads what GeoLite2-Country, -City and -ASN and the databases of ip-location-db call things; what
 * kind a database is, its records show.  The files are mapped, not read; the last addresses are
 * remembered, since the same ones come again and again.
 */
#ifndef POSTCARD_ENRICH_GEOIP_H
#define POSTCARD_ENRICH_GEOIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "enrich/enrich.h"

struct geoip;

/* What is known of an address. */
struct geo {
	char country[2];      /* ISO 3166-1; NUL: not known */
	uint32_t as_number;   /* 0: not known */
	const char *as_name;  /* octets of the database, as long as it is open; NULL: not known */
	uint32_t as_name_len; /* octets of it, at most LIMIT_TEXT */
};

/* As enrich_open: the folder `dir`, or the usual places where it is NULL. */
struct geoip *geoip_open(const char *dir, char error[ENRICH_ERROR]);

/* No database at all: every look-up finds nothing.  NULL where there is no memory. */
struct geoip *geoip_open_none(void);

/* What is known of `a`; nothing where it is not an address of the public Internet. */
struct geo geoip_look_up(struct geoip *g, const struct addr *a);

size_t geoip_databases(const struct geoip *g);

void geoip_close(struct geoip *g); /* NULL is allowed */

#endif
