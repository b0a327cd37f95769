/*
 * The hops that a message made before, by its Received fields (mail/received.h), newest first.
 *
 * The first LIMIT_HOPS are kept, each a cell of a chain, as recipients are; of
 * the others their state counts.  Who is to be believed is not known here: the home networks are
 * (enrich/hops.h).
 */
#include <string.h>

#include "finding/message.h"
#include "mail/received.h"

#define HOP_WORDS (2 * LIMIT_TEXT + RECEIVED_WITH + RECEIVED_TLS)

struct hop {
	uint32_t next; /* string handle of the next; 0 for the last */
	uint8_t state; /* enum received_state */
	bool has_time;
	uint8_t from_len, by_len, with_len, tls_len; /* octets of each in `words`, in this order */
	struct addr ip;				     /* family 0: not told */
	int64_t time_ns;
	const char *software;  /* a name of received.c; NULL: not told */
	char words[HOP_WORDS]; /* cut to what they take */
};

_Static_assert(sizeof(struct hop) <= STRINGS_MAX, "a hop is to fit the string store");

static uint8_t
add_word(struct hop *h, size_t *used, const char *s, size_t len)
{
	len = len < LIMIT_TEXT ? len : LIMIT_TEXT;
	memcpy(h->words + *used, s, len);
	*used += len;
	return (uint8_t)len;
}

void
hops_take(struct findings *F, struct hops *hops, const char *field, size_t len)
{
	struct received r;
	struct hop h = {.next = 0};
	size_t used = 0;
	received_parse(field, len, &r);
	hops->seen++; /* no more than LIMIT_RECEIVED come */
	hops->states |= (uint8_t)(1u << r.state);
	if (hops->kept >= LIMIT_HOPS)
		return;
	h.state = (uint8_t)r.state;
	h.has_time = r.has_time;
	h.time_ns = r.time_ns;
	h.ip = r.ip;
	h.software = r.software;
	h.from_len = add_word(&h, &used, r.from, r.from_len);
	h.by_len = add_word(&h, &used, r.by, r.by_len);
	h.with_len = add_word(&h, &used, r.with, strlen(r.with));
	h.tls_len = add_word(&h, &used, r.tls, strlen(r.tls));
	if (chain_add(F, &hops->chain, &h, offsetof(struct hop, words) + used))
		hops->kept++;
}

static void
hop_at(const struct findings *F, uint32_t handle, struct hop *h)
{
	size_t len;
	const char *cell = strings_get(&F->strings, handle, &len);
	memcpy(h, cell, len);
}

static void
put_word(struct record *r, enum field f, const char *s, size_t len)
{
	if (len > 0)
		record_put_str(r, f, s, len);
}

static void
put_hop(const struct hop *h, struct record *r)
{
	const char *s = h->words;
	record_put_item(r, FIELD_HOP);
	put_word(r, FIELD_HOP_FROM, s, h->from_len);
	if (h->ip.family != 0)
		record_put_ip(r, FIELD_HOP_IP, &h->ip);
	put_word(r, FIELD_HOP_BY, s += h->from_len, h->by_len);
	put_word(r, FIELD_HOP_WITH, s += h->by_len, h->with_len);
	put_word(r, FIELD_HOP_TLS, s + h->with_len, h->tls_len);
	record_put_word(r, FIELD_HOP_SOFTWARE, h->software);
	record_put_word(r, FIELD_HOP_STATE, received_state_name((enum received_state)h->state));
	if (h->has_time)
		record_put_time(r, FIELD_HOP_TIME, h->time_ns);
}

void
hops_put(const struct findings *F, const struct message *m, struct record *r)
{
	struct hop h;
	const struct hops *hops = &content_of(F, m)->hops;
	unsigned states = hops->states;
	for (uint32_t at = hops->chain.first; at != 0; at = chain_next(F, at)) {
		hop_at(F, at, &h);
		put_hop(&h, r);
	}
	r->cut = (uint16_t)(r->cut + hops->seen - hops->kept);
	/* that all were sealed is said of a header of which all was seen and read */
	bool whole =
	    m->flags & MESSAGE_HEADERS_DONE && !(states & HOPS_LOST) && hops->seen < LIMIT_RECEIVED;
	if (states & 1u << RECEIVED_READABLE)
		record_put_bool(r, FIELD_HOPS_SEALED, false);
	else if (whole && states & 1u << RECEIVED_SEALED && !(states & 1u << RECEIVED_UNKNOWN))
		record_put_bool(r, FIELD_HOPS_SEALED, true);
}
