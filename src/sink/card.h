/*
 * A card: what an eavesdropper could read of one connection, or of many that are alike.
 *
 * It is filled from the records of a connection (each mail's, then the session's), then added to
 * the card of its key.  Text is rendered when it is taken: masked unless all is to be shown, safe
 * to print, cut to the sizes below.  What is listed is kept by its first few values; all different
 * ones are counted, exactly up to 64, then by estimate.
 */
#ifndef POSTCARD_SINK_CARD_H
#define POSTCARD_SINK_CARD_H

#include "record/record.h"
#include "sink/card_hops.h"

#define CARD_NAMES    3u   /* values of a list that are kept */
#define CARD_NAME     100u /* octets of each, as it is shown */
#define CARD_SENTENCE 600u /* octets of a sentence */
#define CARD_WORD     24u  /* octets of a reason or protocol */
#define CARD_COUNTRY  8u   /* octets of a country */

/* A count of different values. */
struct distinct {
	uint64_t words[64]; /* the hashes of up to 64 values; then a bitmap of 4,096 hash values */
	uint32_t exact;	    /* values in `words` while it holds hashes */
	bool estimate;	    /* it is a bitmap */
};

/* Adds a value by its hash; true where it is certainly new. */
bool distinct_add(struct distinct *d, uint64_t hash);
uint64_t distinct_count(const struct distinct *d);

struct names {
	char text[CARD_NAMES][CARD_NAME]; /* the first ones */
	uint64_t hash[CARD_NAMES];	  /* of their octets on the wire; never 0 */
	uint32_t shown;			  /* how many of them there are */
	struct distinct all;
};

/* What makes two cards one.  Zeroed before it is filled: it is the key of a map. */
struct card_key {
	struct addr client, server;
	uint16_t port;		  /* the server's */
	uint8_t level;		  /* LEVEL_x */
	uint8_t exposed;	  /* set of READABLE_x */
	char reason[CARD_WORD];	  /* postcard.reason */
	char protocol[CARD_WORD]; /* network.protocol */
	bool accepted;		  /* by an exception, all of it */
	uint8_t none;		  /* where padding would be */
	uint64_t sender; /* hash of the first sender; 0 for none; ~0 for those after many */
};

/* One side of it. */
struct card_side {
	char name[CARD_NAME];	    /* what it calls itself */
	char country[CARD_COUNTRY]; /* two letters */
	char network[CARD_NAME];    /* name of its autonomous system */
	uint64_t as_number;	    /* 0 for none */
};

struct card {
	struct card_key key;
	int64_t first_ns, last_ns;     /* of it all; since the epoch */
	uint64_t connections;	       /* sessions */
	uint64_t mails;		       /* mail transactions */
	uint64_t not_accepted;	       /* of them: rejected or aborted */
	uint64_t sealed;	       /* of them: content protected end to end */
	uint64_t recipients_named;     /* RCPT commands, of all mails */
	uint16_t client_port;	       /* of the first connection */
	bool sealed_pgp, sealed_smime; /* how */
	bool logins;		       /* credentials */
	uint8_t login_results;	       /* what became of logins: 1 << words_login_result */
	uint8_t login_shows;	       /* what they show: 1 << words_login_shows */
	struct card_side client, server;
	char who[CARD_NAME];	      /* what the client seems to be: "printer (Ricoh), by its
					 EHLO name"; "" where nothing tells */
	char message[CARD_SENTENCE];  /* why, in a sentence; "" for none */
	char advice[CARD_SENTENCE];   /* what to change; "" for none */
	char accepted[CARD_SENTENCE]; /* what exception, whose and until when; "" for none */
	char policy[CARD_SENTENCE];   /* the policy that it violates; "" for none */
	char
	    baseline[CARD_SENTENCE]; /* what the server used to offer; "" where that is no matter */
	char evidence[2 * CARD_NAME]; /* the line that decided; "" for none */
	struct card_hops hops;	      /* before this one */
	struct names behind;	      /* clients that a load balancer spoke for */
	struct names tunnels;	      /* that it was captured in */
	struct names senders, recipients, subjects, attachments, mechanisms, mailers;
};

/* Takes what a record (of a mail or a session) says of its connection.  The card was zeroed before
 * the first. */
void card_take(struct card *c, const struct record *r, bool reveal);

/* What the client, or the server, calls itself in a record; "" for nothing. */
void card_name_of(char out[CARD_NAME], const struct record *r, bool client, bool reveal);

/* Adds a card of the same key (or a part of it) to `into`. */
void card_merge(struct card *into, const struct card *from);

#endif
