/* Which hops are to be believed: see hops.h.  One pass over the record, LIMIT_HOPS hops. */
#include "enrich/hops.h"

#include <string.h>

/* Is the side that gave the mail out one of ours?  A load balancer speaks for a client: then both
 * must be. */
static bool
is_ours(const struct network *home, size_t homes, const struct record *r)
{
	struct record_value v;
	bool fetched = record_is(r, FIELD_NETWORK_PROTOCOL, "imap") ||
	    record_is(r, FIELD_NETWORK_PROTOCOL, "pop3");
	if (!record_find(r, fetched ? FIELD_DESTINATION_IP : FIELD_SOURCE_IP, &v) ||
	    !networks_have(home, homes, &v.ip))
		return false;
	return fetched || !record_find(r, FIELD_NETWORK_FORWARDED_IP, &v) ||
	    networks_have(home, homes, &v.ip);
}

void
hops_trust(const struct network *home, size_t homes, struct record *r)
{
	struct record_value v;
	bool trusted[LIMIT_HOPS];
	bool addressed = false, local = false;
	unsigned n = 0;
	if (!record_find(r, FIELD_HOP, &v) || record_find(r, FIELD_HOP_TRUSTED, &v))
		return;
	bool from_ours = is_ours(home, homes, r); /* so far, down from there */
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		switch (v.field) {
		case FIELD_HOP:
			if (n == LIMIT_HOPS)
				break;
			if (n > 0 && !addressed)
				from_ours = from_ours && local;
			trusted[n++] = from_ours;
			addressed = local = false;
			break;
		case FIELD_HOP_IP:
			addressed = true;
			from_ours = from_ours && networks_have(home, homes, &v.ip);
			break;
		case FIELD_HOP_STATE: local = v.len == 5 && memcmp(v.str, "local", 5) == 0; break;
		default: break;
		}
	}
	record_put_bools(r, FIELD_HOP, FIELD_HOP_TRUSTED, trusted, n);
}
