/* What is counted of a connection in clear: see clear.h. */
#include "sink/clear.h"

#include <string.h>

#include "base/text.h"
#include "record/read.h"
#include "sink/words.h"

bool
clear_of_session(struct clear *c, const struct record *r, bool reveal)
{
	size_t len;
	const char *s = record_str(r, FIELD_OUTCOME, &len);
	if (s == NULL || words_outcome(s, len) != OUTCOME_CLEARTEXT)
		return false;
	memset(c, 0, sizeof *c);
	c->record = r;
	c->reveal = reveal;
	c->client = record_ip(r, FIELD_SOURCE_IP);
	c->server = record_ip(r, FIELD_DESTINATION_IP);
	c->mails = record_u64(r, FIELD_MESSAGES, 0);
	uint64_t envelopes = record_u64(r, FIELD_ENVELOPES, 0);
	if (envelopes > c->mails)
		c->mails = envelopes;
	s = record_str(r, FIELD_REASON, &len);
	if (s != NULL) {
		struct text t = text_in(c->reason, sizeof c->reason);
		text_add_wire(&t, s, len);
	}
	c->logins = record_is(r, FIELD_EXPOSED, "credentials");
	return true;
}

void
clear_of_card(struct clear *c, const struct card *card)
{
	c->client = card->key.client;
	c->server = card->key.server;
	c->mails = card->mails;
	c->logins = card->logins;
	memcpy(c->reason, card->key.reason, sizeof c->reason);
	c->card = card;
}

void
clear_name(const struct clear *c, bool client, char out[CARD_NAME])
{
	if (c->card != NULL)
		memcpy(out, client ? c->card->client.name : c->card->server.name, CARD_NAME);
	else
		card_name_of(out, c->record, client, c->reveal);
}

void
clear_country(const struct clear *c, bool client, char out[CARD_COUNTRY])
{
	struct record_value v;
	struct text t = text_in(out, CARD_COUNTRY);
	if (c->card != NULL)
		text_puts(&t, client ? c->card->client.country : c->card->server.country);
	else if (record_find(c->record,
		     client ? FIELD_SOURCE_GEO_COUNTRY : FIELD_DESTINATION_GEO_COUNTRY, &v))
		text_add_wire(&t, v.str, v.len);
}
