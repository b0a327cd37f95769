/*
 * The cards of a report: connections that are alike are rolled up into one.
 *
 * The mails of a connection come before its session's record; they wait in a card of their
 * connection (LIMIT_OPEN_CARDS of them; where that is full, a mail's card does not wait and is
 * filed by itself).  With the session's record the card is filed under its key: client, server,
 * port, reason, level, protocol, what was readable, first sender.  Where only the senders differ,
 * LIMIT_SENDERS cards are made and the other senders share one.  At most LIMIT_CARDS are kept; from
 * then on connections between other hosts are counted and no card is made of them.
 *
 * Cards are large and mostly empty, so those that were filed are packed (card_pack.h), but for the
 * CARDS_AT_HAND that were used last.  While there is nothing else to do, packed ones may be drawn:
 * their text is kept until they change.
 */
#ifndef POSTCARD_SINK_CARDS_H
#define POSTCARD_SINK_CARDS_H

#include "base/map.h"
#include "sink/card.h"

#define CARDS_AT_HAND 64u

struct cards {
	struct map open;  /* connection -> struct card */
	struct map filed; /* struct card_key -> struct filed (cards.c) */
	struct map hosts; /* client, server and port -> nothing: those that a filed card is about */
	struct map senders; /* struct card_key without a sender -> uint32_t, cards that it has */
	struct card one;    /* of a connection that had none open; then what is shown */
	struct card *hand;  /* CARDS_AT_HAND of those that are filed, unpacked */
	struct filed *owner[CARDS_AT_HAND]; /* of each; NULL: free */
	uint32_t next;			    /* of them: who is packed next */
	struct filed *early;		    /* cards_early: that was handed out */
	uint32_t walk;			    /* where it goes on */
	bool undrawn;			    /* it may find one */
	struct filed **sorted;		    /* by cards_sort */
	size_t count;			    /* of them */
	const struct card_packed *shown;    /* of which `one` is the card; NULL: of none */
	const void *spent; /* key of an open card that was filed: it goes with the next record */
	uint64_t left_out; /* connections that found no room */
	const struct record *nowhere; /* asked for last: it will find no room, nor an open card */
	bool reveal;		      /* nothing is masked */
};

/* False where the memory is refused. */
bool cards_init(struct cards *c, bool reveal);
void cards_free_all(struct cards *c);

/* Will a card be made of the record, or be added to?  (Sometimes where none will.)  What is asked
 * of a record is not looked up anew when it is taken next. */
bool cards_want(struct cards *c, const struct record *r);

/* Takes the record of a mail. */
void cards_take_mail(struct cards *c, const struct record *r);

/* Takes the record of a session.  Where it was in clear, its card is filed; the card of this
 * connection alone is returned, until the next record comes.  NULL where it was not, or found no
 * room: nothing is made of it then (the 127,543 of 131,639 sessions of the benchmark `tiny`). */
const struct card *cards_take_session(struct cards *c, const struct record *r);

/* A packed card that was not drawn yet, to draw it before the end, and then the text that it gave,
 * of which a copy is kept unless it is long.  NULL where there is none; each comes once. */
const struct card *cards_early(struct cards *c);
void cards_keep_text(struct cards *c, const char *text, size_t len);

/* No more records: files what still waits and sorts all cards, the worst first, then by time.  How
 * many there are; without those that exceptions accept and that show no credentials, unless
 * `accepted`.  0 also where there is no memory. */
size_t cards_sort(struct cards *c, bool accepted);

/* One of them, until the next call; and the text of it that was kept, with its octets: NULL where
 * none was. */
const struct card *cards_sorted(struct cards *c, size_t i);
const char *cards_sorted_text(const struct cards *c, size_t i, size_t *len);

#endif
