/*
 * The line of a card about the hops before the one that was watched (postcard.hops): were the mails
 * sealed until here?
 *
 * What it says is the Received fields' word, and it says so, and how many of them hosts of ours
 * wrote.  Hops inside one machine are no part of the way.
 */
#ifndef POSTCARD_SINK_CARD_HOPS_H
#define POSTCARD_SINK_CARD_HOPS_H

#include "base/text.h"
#include "record/record.h"

#define CARD_HOPS_LINE 240u /* octets of it */

struct card_hops {
	uint64_t mails;		   /* that had hops before */
	uint64_t sealed;	   /* of them: sealed on each */
	uint64_t readable;	   /* of them: readable on one */
	char line[CARD_HOPS_LINE]; /* about the first of them; "" where its hops tell nothing */
};

/* Takes a mail's record. */
void card_hops_take(struct card_hops *h, const struct record *r, bool reveal);

/* Adds those of another card. */
void card_hops_merge(struct card_hops *into, const struct card_hops *from);

/* The line about all of them; nothing where there is nothing to say. */
void card_hops_say(const struct card_hops *h, struct text *t);

#endif
