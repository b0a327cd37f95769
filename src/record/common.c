/* What all records of connections have: see common.h. */
#include "record/common.h"

#include <assert.h>
#include <string.h>

/* The values, in their order. */
static const uint16_t values[] = {FIELD_TIMESTAMP, FIELD_EVENT_START, FIELD_EVENT_END,
    FIELD_EVENT_DURATION, FIELD_NETWORK_TYPE, FIELD_SOURCE_IP, FIELD_SOURCE_PORT,
    FIELD_SOURCE_BYTES, FIELD_SOURCE_PACKETS, FIELD_DESTINATION_IP, FIELD_DESTINATION_PORT,
    FIELD_DESTINATION_BYTES, FIELD_DESTINATION_PACKETS, FIELD_MIDSTREAM, FIELD_GAP_BYTES};
#define VALUES (sizeof values / sizeof *values)

/* All fields that such a record has are among those up to LAST, and these two. */
#define LAST   FIELD_DESTINATION_PACKETS
#define PLACES (sizeof(uint16_t) * (LAST + 1)) /* octets of the places of all up to LAST */

static struct common {
	struct record record;	/* with nothing else in it */
	uint32_t constants;	/* octets of those, at its front */
	uint16_t place[VALUES]; /* of each value, behind the constants; */
	uint16_t ip[2];		/* of the octets of the addresses */
} commons[2];

static void
put_constants(struct record *r)
{
	const bool session = r->kind == RECORD_SESSION;
	record_put_word(r, FIELD_EVENT_KIND, "event");
	record_put_word(r, FIELD_EVENT_CATEGORY, "network");
	record_put_word(r, FIELD_EVENT_CATEGORY, "email");
	record_put_word(r, FIELD_EVENT_TYPE, session ? "connection" : "info");
	record_put_word(r, FIELD_EVENT_TYPE, "protocol");
	record_put_word(r, FIELD_EVENT_DATASET, session ? "postcard.session" : "postcard.message");
	record_put_word(r, FIELD_OBSERVER_TYPE, "sensor");
	record_put_word(r, FIELD_OBSERVER_PRODUCT, "postcard");
	record_put_word(r, FIELD_OBSERVER_VERSION, POSTCARD_VERSION);
	record_put_word(r, FIELD_NETWORK_TRANSPORT, "tcp");
}

static void
put_values(struct record *r)
{
	const struct addr none = {.family = 4};
	for (unsigned i = 0; i < VALUES; i++) {
		const enum field f = (enum field)values[i];
		switch ((enum field_type)field_table[f].type) {
		case TYPE_U64: record_put_u64(r, f, 0); break;
		case TYPE_TIME: record_put_time(r, f, 0); break;
		case TYPE_BOOL: record_put_bool(r, f, false); break;
		case TYPE_IP: record_put_ip(r, f, &none); break;
		default: record_put_word(r, f, "ipv4"); break;
		}
	}
}

/* Made once. */
static const struct common *
common_of(enum record_kind kind)
{
	static_assert(RECORD_SESSION == 0 && RECORD_MESSAGE == 1, "one for each kind");
	struct common *c = &commons[kind];
	if (c->constants > 0)
		return c;
	record_begin(&c->record, kind);
	put_constants(&c->record);
	const uint32_t constants = c->record.len;
	put_values(&c->record);
	for (unsigned i = 0; i < VALUES; i++)
		c->place[i] = (uint16_t)(c->record.first[values[i]] - constants);
	c->ip[0] = (uint16_t)(c->record.first[FIELD_SOURCE_IP] + RECORD_HEAD - constants);
	c->ip[1] = (uint16_t)(c->record.first[FIELD_DESTINATION_IP] + RECORD_HEAD - constants);
	c->constants = constants;
	return c;
}

/* Its first `len` octets stand there, and the rest will. */
static inline void
begin(struct record *r, const struct record *c, uint32_t len)
{
	r->kind = c->kind;
	r->cut = 0;
	r->len = c->len;
	memcpy(r->has, c->has, sizeof r->has);
	memcpy(r->first, c->first, PLACES);
	memcpy(r->last, c->last, PLACES);
	r->first[FIELD_MIDSTREAM] = r->last[FIELD_MIDSTREAM] = c->first[FIELD_MIDSTREAM];
	r->first[FIELD_GAP_BYTES] = r->last[FIELD_GAP_BYTES] = c->first[FIELD_GAP_BYTES];
	memcpy(r->data, c->data, len);
}

void
record_begin_common(struct record *r, enum record_kind kind)
{
	const struct record *c = &common_of(kind)->record;
	begin(r, c, c->len);
}

uint32_t
record_constants(enum record_kind kind)
{
	return common_of(kind)->constants;
}

/* Are the values that should be there at `octets`, as many as there must be? */
static bool
has_values(const struct common *c, const uint8_t *octets)
{
	const uint8_t *model = c->record.data + c->constants;
	uint32_t here, there, other = 0;
	for (unsigned i = 0; i < VALUES; i++) {
		memcpy(&here, octets + c->place[i], RECORD_HEAD);
		memcpy(&there, model + c->place[i], RECORD_HEAD);
		other |= here ^ there;
	}
	for (unsigned i = 0; i < 2; i++)
		other |= octets[c->ip[i]] != 4 && octets[c->ip[i]] != 6;
	return other == 0;
}

bool
record_take_common(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len)
{
	const struct common *c = common_of(kind);
	const uint32_t n = c->record.len - c->constants;
	if (len >= n && len <= sizeof r->data - c->constants) {
		/* looked at where they were copied to: whose they are may change them meanwhile */
		begin(r, &c->record, c->constants);
		memcpy(r->data + c->constants, octets, n);
		if (has_values(c, r->data + c->constants))
			return record_take_more(r, octets + n, len - n);
	}
	record_begin(r, kind);
	return false;
}
