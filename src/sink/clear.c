/* What is counted of a connection in clear: see clear.h. */
#include "sink/clear.h"

#include <string.h>

#include "base/text.h"
#include "sink/words.h"

bool
clear_of_session(struct clear *c, const struct record *r)
{
	struct record_value v;
	if (!record_find(r, FIELD_OUTCOME, &v) || words_outcome(v.str, v.len) != OUTCOME_CLEARTEXT)
		return false;
	memset(c, 0, sizeof *c);
	c->record = r;
	if (record_find(r, FIELD_SOURCE_IP, &v))
		c->client = v.ip;
	if (record_find(r, FIELD_DESTINATION_IP, &v))
		c->server = v.ip;
	if (record_find(r, FIELD_MESSAGES, &v))
		c->mails = v.u64;
	if (record_find(r, FIELD_ENVELOPES, &v) && v.u64 > c->mails)
		c->mails = v.u64;
	if (record_find(r, FIELD_REASON, &v)) {
		struct text t = text_in(c->reason, sizeof c->reason);
		text_add_wire(&t, v.str, v.len);
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
		card_name_of(out, c->record, client);
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
