/*
 * Who the two sides are: software, class of the client, maker of the network card, each with its
 * reason.
 *
 * A guess by what they say of themselves: software.def has the rows.  What a relay passes on tells
 * of the author's program and not of the relay: where the mail has Received fields, X-Mailer and
 * Message-ID are not taken for the client's.  A maker is named only where the TTL says that the
 * card is on the link that was watched.  Time is linear in the texts, which are at most LIMIT_TEXT
 * octets long.  No reason repeats a mail address: Message-IDs are named by their shape.
 */
#ifndef POSTCARD_ENRICH_WHO_H
#define POSTCARD_ENRICH_WHO_H

#include "enrich/vendor.h"
#include "record/record.h"

/* How the rows are found, and what the mails of LIMIT_WHO_OPEN connections told: their session's
 * record, which comes behind them, says it too. */
struct who;

/* NULL where there is no memory. */
struct who *who_new(void);

/* Adds postcard.client and .server .software, .vendor, .because, and the client's .class, to a
 * record of a connection; one that has any of them stays as it is. */
void who_apply(struct who *w, struct vendors *v, struct record *r);

/* A session to which nothing is added ends: what its mails told is not kept for another one. */
void who_forget(struct who *w, const struct record *session);

void who_free(struct who *w); /* NULL is allowed */

#endif
