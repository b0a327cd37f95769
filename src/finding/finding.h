/*
 * Session events to outcome, reason and exposure: what an eavesdropper on this path could read, and
 * why.
 *
 * One `struct finding` a connection takes the events of its mail session; a transaction is a
 * `message` from a pool while it is open.  It states facts; what deserves an alert is judged above.
 *
 * The reason is settled when the first readable thing crosses: what the client knew then is why it
 * was not sealed.
 */
#ifndef POSTCARD_FINDING_FINDING_H
#define POSTCARD_FINDING_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/strings.h"
#include "mail/cert.h"
#include "mail/mail.h"
#include "mail/mime.h"
#include "record/run.h"

enum anomaly {
#define ANOMALY(id, name, meaning) ANOMALY_##id,
#include "record/anomalies.def"
#undef ANOMALY
	ANOMALIES
};

struct anomaly_info {
	const char *name;
	const char *meaning;
};

extern const struct anomaly_info anomaly_table[ANOMALIES];

enum outcome {
	OUTCOME_ENCRYPTED,
	OUTCOME_CLEARTEXT,
	OUTCOME_TLS_FAILED,
	OUTCOME_NO_MAIL,
	OUTCOME_UNKNOWN
};

enum reason {
	REASON_NONE,
	REASON_NOT_OFFERED,
	REASON_NOT_REQUESTED,
	REASON_REFUSED,
	REASON_STRIPPED,
	REASON_TLS_FAILED,
	REASON_NOT_ASKED,
	REASON_NULL_CIPHER,
	REASON_NOT_VISIBLE,
};

#define EXPOSED_ENVELOPE    0x01u
#define EXPOSED_HEADERS	    0x02u
#define EXPOSED_BODY	    0x04u
#define EXPOSED_ATTACHMENTS 0x08u
#define EXPOSED_CREDENTIALS 0x10u
#define EXPOSED_INSIDE	    (EXPOSED_BODY | EXPOSED_ATTACHMENTS) /* what S/MIME and PGP seal */

/* What a worker shares among its connections. */
struct findings {
	struct strings strings; /* names and addresses */
	struct pool messages;	/* open transactions */
	struct pool contents;	/* what is in them */
	struct pool facts;	/* what the TLS hellos said */
	struct pool notes;	/* struct notes */
	struct mime_pools mime;
	struct cert_cache certs;
	struct record_run offers[16]; /* capability lists: few servers' differ */
	uint64_t lost; /* transactions of which no record could be kept for want of memory */
};

/* Maxima of open things. */
struct findings_sizes {
	uint32_t messages, contents, facts, notes, scans;
	uint32_t string_octets; /* of each class of strings */
};

/* octets of one */
extern const uint32_t finding_message_size, finding_content_size, finding_facts_size,
    finding_notes_size;

/* False where the address space is refused. */
bool findings_init(struct findings *F, const struct findings_sizes *n);
void findings_free(struct findings *F);

struct finding {
	uint32_t helo;		/* string: the client's name */
	uint32_t greeting;	/* string: the server's greeting */
	uint32_t server_name;	/* string: host in the reply to EHLO; 0: the greeting has it */
	uint32_t facts;		/* object of the facts pool */
	uint32_t notes;		/* object of the notes pool; 0 for none */
	uint32_t open;		/* the oldest open transaction: object of messages */
	uint32_t anomalies;	/* a bit for each enum anomaly */
	uint32_t flags;		/* FINDING_* */
	uint32_t keywords;	/* of the last complete list: bits of mail_keyword */
	uint16_t used;		/* a bit for each enum mail_extension */
	uint16_t envelopes;	/* MAIL commands that crossed readable */
	uint16_t messages;	/* contents that crossed readable */
	uint16_t upgrade_reply; /* to STARTTLS: its code; IMAP, POP3: 1 OK, 2 NO, 3 BAD, 4 +OK,
				   5 -ERR */
	uint8_t exposed;	/* EXPOSED_* */
	uint8_t reason;		/* enum reason, settled with the first exposure */
	uint8_t auth_now;	/* bit + 1 of the mechanism last named; 0 for none */
	uint8_t auth_answers;	/* answers of the client to it that crossed */
};

/* What is remembered of some sessions: logins, and who says what. */
struct notes {
	uint32_t auth;	    /* a bit for each mechanism of the table in auth.c */
	uint32_t evidence;  /* string: the line that shows tampering */
	uint32_t agent;	    /* string: what the client says that it is (IMAP ID) */
	uint32_t forwarded; /* string: address of the client behind it */
	uint8_t auth_shown; /* a bit for each enum auth_shows */
};

/* Of a connection; all zero where there are none. */
const struct notes *finding_notes(const struct findings *F, const struct finding *f);

#define FINDING_LMTP	       0x000001u
#define FINDING_ASKED	       0x000002u /* the client asked for capabilities */
#define FINDING_HELO	       0x000004u /* it said HELO */
#define FINDING_OFFER_KNOWN    0x000008u /* a complete list was seen */
#define FINDING_OFFERED	       0x000010u /* STARTTLS was in the last list */
#define FINDING_REFUSED_EHLO   0x000020u
#define FINDING_REQUESTED      0x000040u
#define FINDING_REPLIED	       0x000080u /* the answer to STARTTLS was seen */
#define FINDING_GO	       0x000100u /* it was go ahead */
#define FINDING_STRIPPED       0x000200u /* evidence of tampering with the offer */
#define FINDING_HELLO	       0x000400u /* ClientHello */
#define FINDING_SERVER_HELLO   0x000800u
#define FINDING_TLS_SEEN       0x001000u /* any TLS record */
#define FINDING_ESTABLISHED    0x002000u
#define FINDING_NULL	       0x004000u /* data crossed under a cipher that does not encrypt */
#define FINDING_TLS_BROKE      0x008000u /* fatal alert, or no TLS where it was due */
#define FINDING_TLS_OVER       0x010000u /* plain text went on after that */
#define FINDING_AUTH_OK	       0x020000u
#define FINDING_AUTH_NO	       0x040000u
#define FINDING_SURE	       0x080000u  /* the dialogue proved the protocol */
#define FINDING_DENIED	       0x100000u  /* it proved that it is another */
#define FINDING_TLS_MIDSTREAM  0x200000u  /* protected records both ways, begun earlier */
#define FINDING_UNSEALED       0x400000u  /* the cipher agreed on does not encrypt */
#define FINDING_IMPLICIT       0x800000u  /* TLS came first */
#define FINDING_MANGLED	       0x1000000u /* the list under way has STARTTLS overwritten */
#define FINDING_AUTH_OPEN      0x2000000u /* an attempt to log in awaits its reply */
#define FINDING_LOST	       0x4000000u /* commands were, since the last list before STARTTLS */
#define FINDING_AUTH_CANCELLED 0x8000000u
#define FINDING_AUTH	       0x10000000u /* there was an attempt */
#define FINDING_AHEAD	       0x20000000u /* what crossed did so before STARTTLS was answered */
#define FINDING_MISSED	       0x40000000u /* the client said in clear what is not known */
#define FINDING_UNREAD	       0x80000000u /* what is not known may be mail, unless TLS came up */

/* What the finding cannot see itself: the state of the connection's capture. */
struct finding_view {
	int64_t ts_ns;	    /* now */
	bool midstream;	    /* its start was not captured */
	bool gap, both;	    /* octets were lost; both directions were captured */
	bool closed, reset; /* its end: FIN, RST, another with the same four numbers; it was RST */
	bool payload, headless; /* it carried octets; packets had no whole TCP header */
	bool given_up;		/* for want of memory, before its end was seen */
	bool implicit_port;	/* a port where TLS comes first */
};

/* Takes one event.  Returns the transaction that it ended, an object of F->messages whose record is
 * now due (finding_put_message, then finding_message_free), or 0, as of MAIL_CONTENT. */
uint32_t finding_take(struct findings *F, struct finding *f, const struct mail_event *ev,
    const struct finding_view *v);
void finding_take_content(struct findings *F, struct finding *f, const struct mail_event *ev);

/* At the connection's end: the next open transaction, ended as it stands; 0 when none is left. */
uint32_t finding_next_open(struct findings *F, struct finding *f, const struct finding_view *v);

void finding_add_anomaly(struct finding *f, enum anomaly a);
enum outcome finding_outcome(const struct finding *f, const struct finding_view *v);
enum reason finding_reason(const struct finding *f, const struct finding_view *v);
const struct short_word *outcome_word(enum outcome o);
const struct short_word *reason_word(enum reason r); /* "" for REASON_NONE */
const char *outcome_name(enum outcome o);

/* Puts what is known of the session so far; `outcome` is given at its end, or OUTCOME_CLEARTEXT
 * with a message. */
void finding_put_session(struct findings *F, const struct finding *f, const struct finding_view *v,
    enum outcome o, struct record *r);

/* Puts what is particular to the transaction. */
void finding_put_message(const struct findings *F, const struct finding *f, uint32_t message,
    struct record *r);
void finding_message_free(struct findings *F, uint32_t message);
bool finding_has_content(const struct findings *F, uint32_t message); /* did any of it cross? */
int64_t finding_message_start(const struct findings *F, uint32_t message);

/* Gives everything back. */
void finding_release(struct findings *F, struct finding *f);

#endif
