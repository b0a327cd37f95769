/*
 * What is known of the hosts beyond the packets: country, network, on which side of the border of
 * the home networks they stand, and what they are.
 *
 * Adds source/destination .geo.country_iso_code, .as.number, .as.organization.name from MaxMind
 * databases (.mmdb), network.direction, which hops of a mail were told by hosts of ours
 * (postcard.hops.trusted), and postcard.client and .server (who.h), with the makers of network
 * cards from the tables of the IEEE.  Looks nothing up outside of this machine.
 */
#ifndef POSTCARD_ENRICH_ENRICH_H
#define POSTCARD_ENRICH_ENRICH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "record/record.h"

#define ENRICH_ERROR 512 /* octets of a message of enrich_open, with its NUL */

struct enrich_config {
	const char *geoip_dir;	    /* the folder of *.mmdb; NULL for the usual places */
	const char *vendors;	    /* a table of makers of network cards, or the folder that has
				       them; NULL for the usual place */
	bool no_geoip;		    /* look at no database and no table */
	const struct network *home; /* the home networks; loopback and link-local always are */
	size_t homes;		    /* how many; 0 for RFC 1918 and fc00::/7 (RFC 4193) */
};

struct enrich;

/*
 * Opens databases and tables.  `config` need not live on.  NULL and a message that names the file
 * and the cause in `error` where what is named, or a database in it, cannot be read, or memory is
 * not to be had.  Of the usual places, what is absent is no error, and a database that cannot be
 * read is left out with a line on standard error.
 */
struct enrich *enrich_open(const struct enrich_config *config, char error[ENRICH_ERROR]);

/* Adds to a session, message or alert what is known of its two addresses; other records, and fields
 * that are there already, stay as they are. */
void enrich_apply(struct enrich *e, struct record *r);

/* Does anybody read who the two sides are (who.h), of the records that come next?  At first: yes.
 */
void enrich_want_who(struct enrich *e, bool wanted);

#define ENRICH_USUAL_HOMES 16u /* networks that enrich_homes adds at most */

/* The networks that count as ours where `homes` of them are configured: written to `out`, which has
 * room for ENRICH_USUAL_HOMES more; how many. */
size_t enrich_homes(const struct network *home, size_t homes, struct network *out);

/* How many databases are open, for --version and messages. */
size_t enrich_databases(const struct enrich *e);

/* Blocks of addresses of network cards whose maker is known. */
size_t enrich_vendors(const struct enrich *e);

/* NULL is allowed. */
void enrich_close(struct enrich *e);

#endif
