/* What all records of connections have alike: see common.h. */
#include "record/common.h"

#include <assert.h>
#include <string.h>

/* Their fields are some of these, which stand together in the table. */
#define FIRST  FIELD_EVENT_KIND
#define LAST   FIELD_NETWORK_TRANSPORT
#define PLACES (sizeof(uint16_t) * (LAST - FIRST + 1)) /* octets of the places of all of them */

/* A record of that kind with nothing else in it; made once. */
static const struct record *
common_of(enum record_kind kind)
{
	static struct record common[2];
	static_assert(RECORD_SESSION == 0 && RECORD_MESSAGE == 1, "one for each kind");
	struct record *r = &common[kind];
	if (r->len > 0)
		return r;
	const bool session = kind == RECORD_SESSION;
	record_begin(r, kind);
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
	return r;
}

void
record_begin_common(struct record *r, enum record_kind kind)
{
	const struct record *c = common_of(kind);
	r->kind = c->kind;
	r->cut = 0;
	r->len = c->len;
	memcpy(r->has, c->has, sizeof r->has);
	memcpy(r->first + FIRST, c->first + FIRST, PLACES);
	memcpy(r->last + FIRST, c->last + FIRST, PLACES);
	memcpy(r->data, c->data, c->len);
}

uint32_t
record_common_len(enum record_kind kind)
{
	return common_of(kind)->len;
}

bool
record_take_common(struct record *r, enum record_kind kind, const uint8_t *octets, size_t len)
{
	record_begin_common(r, kind);
	return record_take_more(r, octets, len);
}
