/*
 * The alerts of a run as a report lists them: one row a rule, the gravest first; what exceptions
 * accepted, and what was resolved.
 *
 * Bounds: LIMIT_LISTED_RULES rows of each; what finds no room is counted in the last row.  An
 * accepted connection counts beside its mails where LISTED_RECENT others came behind them.
 */
#ifndef POSTCARD_SINK_ALERT_LIST_H
#define POSTCARD_SINK_ALERT_LIST_H

#include "record/record.h"
#include "sink/page.h"

struct listed {
	char title[100];    /* of the rule or exception; "" for a free row */
	char detail[160];   /* hosts of the first; of an exception: owner and end */
	char sentence[600]; /* of the first alert about mail that was not in clear; "" for none */
	bool others;	    /* others are about other hosts */
	int level;	    /* LEVEL_x of words.h: the gravest */
	uint64_t alerts;    /* new ones, and those whose level rose */
	uint64_t events;    /* that they stand for; of an exception: mails, logins and
				connections without; of resolved ones: alerts */
};

#define LISTED_RECENT 256u /* accepted mails whose connection is remembered */

struct alert_list {
	struct listed rule[LIMIT_LISTED_RULES];
	struct listed accepted[LIMIT_LISTED_RULES];
	struct listed resolved[LIMIT_LISTED_RULES];
	uint32_t recent[LISTED_RECENT]; /* hash of exception and connection; 0: none */
	unsigned next;			/* place of the next one */
};

/* Takes an alert; or a session or message, for the exception that accepts it. */
void alert_list_take(struct alert_list *l, const struct record *r);

/* Draws the sections that have rows. */
void alert_list_draw(const struct alert_list *l, struct page *p);

#endif
