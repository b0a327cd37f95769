/*
 * What is counted of a connection that was in clear: without a card, at a tenth of its cost.
 *
 * A run may have a hundred thousand of them, of which a report shows some thousand cards; the rest
 * is counted, and nothing of what a card says is put into words for that.
 */
#ifndef POSTCARD_SINK_CLEAR_H
#define POSTCARD_SINK_CLEAR_H

#include "record/record.h"
#include "sink/card.h"

struct clear {
	struct addr client, server;
	uint64_t mails;		     /* mail transactions */
	bool logins;		     /* credentials */
	char reason[CARD_WORD];	     /* postcard.reason */
	bool reveal;		     /* mail addresses are not masked */
	const struct record *record; /* what hosts call themselves is asked from there, or from */
	const struct card *card;     /* its card; NULL: it has none */
};

/* What there is to count of a session; false where it was not in clear.  As long as `r` lives. */
bool clear_of_session(struct clear *c, const struct record *r, bool reveal);

/* Takes what the card of that session knows, too, which has seen its mails. */
void clear_of_card(struct clear *c, const struct card *card);

/* What the client, or the server, calls itself, and its country: "" for none. */
void clear_name(const struct clear *c, bool client, char out[CARD_NAME]);
void clear_country(const struct clear *c, bool client, char out[CARD_COUNTRY]);

#endif
