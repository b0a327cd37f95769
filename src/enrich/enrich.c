/* What is known of the hosts beyond the packets: see enrich.h. */
#include "enrich/enrich.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/geoip.h"
#include "enrich/hops.h"
#include "enrich/who.h"
#include "record/read.h"

struct enrich {
	struct geoip *geoip;
	struct vendors *vendors;
	struct who *who;
	bool no_who;	       /* nobody reads it */
	uint64_t begins[2][4]; /* of IPv4 and IPv6 a bit for each octet that a home begins with */
	size_t homes;
	struct network home[]; /* as configured, then those that always are */
};

/* Ours unless somebody says otherwise: RFC 1918, RFC 4193. */
static const char *const default_homes[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    "fc00::/7"};
/* They never leave the machine or the link. */
static const char *const constant_homes[] = {"127.0.0.0/8", "::1/128", "169.254.0.0/16",
    "fe80::/10"};

#define DEFAULTS  (sizeof default_homes / sizeof *default_homes)
#define CONSTANTS (sizeof constant_homes / sizeof *constant_homes)

static size_t
add_homes(struct network *out, const char *const *names, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += network_parse(names[i], &out[n]);
	return n;
}

size_t
enrich_homes(const struct network *home, size_t homes, struct network *out)
{
	size_t n = homes;
	if (homes > 0)
		memcpy(out, home, homes * sizeof *home);
	else
		n = add_homes(out, default_homes, DEFAULTS);
	return n + add_homes(out + n, constant_homes, CONSTANTS);
}

/* Notes how homes begin, which tells most other addresses apart. */
static void
note_beginnings(struct enrich *e)
{
	for (size_t i = 0; i < e->homes; i++) {
		const struct network *n = &e->home[i];
		uint64_t *begins = e->begins[n->addr.family == 6];
		const unsigned open =
		    n->bits < 8 ? 8u - n->bits : 0; /* bits that may be anything */
		for (unsigned octet = 0; octet < 256; octet++) {
			if (octet >> open == (unsigned)n->addr.b[0] >> open)
				begins[octet / 64] |= 1ull << octet % 64;
		}
	}
}

struct enrich *
enrich_open(const struct enrich_config *config, char error[ENRICH_ERROR])
{
	size_t room = config->homes + ENRICH_USUAL_HOMES;
	struct enrich *e = calloc(1, sizeof *e + room * sizeof e->home[0]);
	static_assert(DEFAULTS + CONSTANTS <= ENRICH_USUAL_HOMES, "room for the usual networks");
	if (e == NULL) {
		snprintf(error, ENRICH_ERROR, "no memory for the home networks");
		return NULL;
	}
	e->homes = enrich_homes(config->home, config->homes, e->home);
	note_beginnings(e);
	snprintf(error, ENRICH_ERROR, "no memory for country databases");
	e->geoip = config->no_geoip ? geoip_open_none() : geoip_open(config->geoip_dir, error);
	if (e->geoip != NULL) {
		snprintf(error, ENRICH_ERROR, "no memory for what tells software");
		e->who = who_new();
	}
	if (e->who != NULL)
		e->vendors =
		    config->no_geoip ? vendors_open_none() : vendors_open(config->vendors, error);
	if (e->vendors == NULL) {
		enrich_close(e);
		return NULL;
	}
	error[0] = '\0';
	return e;
}

void
enrich_close(struct enrich *e)
{
	if (e == NULL)
		return;
	geoip_close(e->geoip);
	vendors_close(e->vendors);
	who_free(e->who);
	free(e);
}

size_t
enrich_vendors(const struct enrich *e)
{
	return vendors_count(e->vendors);
}

size_t
enrich_databases(const struct enrich *e)
{
	return geoip_databases(e->geoip);
}

static bool
is_home(const struct enrich *e, const struct addr *a)
{
	const uint64_t *begins = e->begins[a->family == 6];
	return (begins[a->b[0] / 64] >> a->b[0] % 64 & 1) != 0 &&
	    networks_have(e->home, e->homes, a);
}

static const char *
direction_of(const struct enrich *e, const struct addr *client, const struct addr *server)
{
	if (client->family == 0 || server->family == 0)
		return "unknown";
	if (is_home(e, client))
		return is_home(e, server) ? "internal" : "outbound";
	return is_home(e, server) ? "inbound" : "external";
}

/* The three fields of one side. */
struct side {
	enum field ip, country, as_number, as_name;
};

/* The address of a side, and what is known of it; family 0 where the record has none. */
static struct addr
add_side(struct enrich *e, struct record *r, const struct side *side)
{
	const struct addr a = record_ip(r, side->ip);
	if (a.family == 0)
		return a;
	struct geo geo = geoip_look_up(e->geoip, &a);
	if (geo.country[0] != '\0' && !record_has(r, side->country))
		record_put_str(r, side->country, geo.country, sizeof geo.country);
	if (geo.as_number != 0 && !record_has(r, side->as_number)) {
		record_put_u64(r, side->as_number, geo.as_number);
		if (geo.as_name != NULL)
			record_put_str(r, side->as_name, geo.as_name, geo.as_name_len);
	}
	return a;
}

void
enrich_want_who(struct enrich *e, bool wanted)
{
	e->no_who = !wanted;
}

void
enrich_apply(struct enrich *e, struct record *r)
{
	static const struct side sides[2] = {
	    {FIELD_SOURCE_IP, FIELD_SOURCE_GEO_COUNTRY, FIELD_SOURCE_AS_NUMBER,
		FIELD_SOURCE_AS_NAME},
	    {FIELD_DESTINATION_IP, FIELD_DESTINATION_GEO_COUNTRY, FIELD_DESTINATION_AS_NUMBER,
		FIELD_DESTINATION_AS_NAME},
	};
	if (r->kind == RECORD_SUMMARY)
		return;
	struct addr client = add_side(e, r, &sides[0]);
	struct addr server = add_side(e, r, &sides[1]);
	if (r->kind != RECORD_SENSOR && !e->no_who)
		who_apply(e->who, e->vendors, r);
	else if (r->kind == RECORD_SESSION)
		who_forget(e->who, r);
	if (!record_has(r, FIELD_NETWORK_DIRECTION))
		record_put_word(r, FIELD_NETWORK_DIRECTION, direction_of(e, &client, &server));
	hops_trust(e->home, e->homes, r);
}
