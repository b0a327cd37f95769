/*
 * What one Received field says of the hop that it records (RFC 5321 section 4.4).
 *
 * The field is what the host that received the message wrote; it may have been forged by anybody
 * who held the message later, which only its place among the others tells (enrich/hops.c).  Written
 * for one unfolded field, without its name, of any octets: linear in them, nothing is copied but
 * what is turned into another form.
 */
#ifndef POSTCARD_MAIL_RECEIVED_H
#define POSTCARD_MAIL_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define RECEIVED_WITH 32u  /* octets of a protocol, with its NUL */
#define RECEIVED_TLS  128u /* octets of what is said of TLS, with its NUL */

enum received_state {
	RECEIVED_UNKNOWN,  /* the field does not tell, or not without a doubt */
	RECEIVED_SEALED,   /* by TLS */
	RECEIVED_READABLE, /* in clear: said by software that says TLS when there is any */
	RECEIVED_LOCAL,	   /* inside one machine or one mail system: a pickup, a pipe, loopback */
};

struct received {
	const char *from; /* name that the sending side gave; in the field, from_len octets */
	const char *by;	  /* host that received it; in the field, by_len octets */
	size_t from_len, by_len; /* 0 where there is none; any length */
	const char
	    *software;	/* that wrote it, where its words show that: "Postfix"; NULL where not */
	struct addr ip; /* of the sending side, as the receiving one saw it; family 0: not told,
			   or more than one */
	char with[RECEIVED_WITH]; /* protocol, upper case; "" for none */
	char tls[RECEIVED_TLS];	  /* version and cipher as they are written; "" for none */
	int64_t time_ns;	  /* since the epoch; see has_time */
	bool has_time;		  /* it has a date that can be read (RFC 5322 section 3.3) */
	enum received_state state;
};

/* Reads `len` octets at `s`.  What cannot be read is left empty; a field that is none gives
 * RECEIVED_UNKNOWN.  No name of a person is handed out: neither a local user behind "from" nor who
 * logged in nor for whom it was. */
void received_parse(const char *s, size_t len, struct received *out);

const char *received_state_name(enum received_state state);

#endif
