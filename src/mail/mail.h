/*
 * The mail session: in-order octets of both sides in, neutral events out.
 *
 * One machine serves every protocol: it splits lines, follows content (until the dot, or for a
 * counted number of octets) and hands TLS records to tls.h; what the lines mean is said by one row
 * of the protocol table (smtp.c, imap.c, pop3.c).  Nobody above knows a protocol: what they see is
 * `struct mail_event`.
 *
 * push / next: mail_push gives octets (or a gap), mail_next takes events until it returns false.
 *
 * Secrets: a protocol row says where in a line a secret starts; from there on octets are counted
 * and dropped before any parser or buffer sees them.
 */
#ifndef POSTCARD_MAIL_MAIL_H
#define POSTCARD_MAIL_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/pool.h"
#include "mail/event.h"
#include "mail/state.h"
#include "mail/tls.h"

/* How the octets of one side are read. */
enum mail_mode {
	MAIL_MODE_LINES,   /* lines */
	MAIL_MODE_RESYNC,  /* octets were lost: drop lines up to one that is certainly a command or
			      reply */
	MAIL_MODE_DOT,	   /* content up to a line that is a dot alone */
	MAIL_MODE_COUNT,   /* content of a counted length */
	MAIL_MODE_UPGRADE, /* TLS is due; text is odd */
	MAIL_MODE_TLS,	   /* TLS records */
	MAIL_MODE_OFF,	   /* nothing more is read (sealed, compressed, not this protocol) */
};

struct mail_session {
	uint8_t protocol; /* enum mail_protocol */
	uint8_t mode[2];  /* enum mail_mode, by side */
	uint8_t dot[2];	  /* where in a line, or in content, the side is (session.c, content.c) */
	uint8_t flags;	  /* MAIL_SESSION_* */
	uint16_t inflate; /* undoing COMPRESS: an object of the pool of these; 0 for none */
	uint8_t count_high[2]; /* MAIL_MODE_COUNT: octets still to come, of 40 bits the highest */
	uint32_t count[2];     /* and the others */
	uint32_t line[2];      /* the line under way: an object of the line pool; 0 for none */
	uint32_t tls;	       /* TLS state: an object of the TLS pool; 0 for none */
	union {
		struct smtp smtp;
		uint32_t mailbox; /* IMAP, POP3: an object of the pool of these */
	} p;
};

#define MAIL_SESSION_ONE_SIDED \
	0x01u /* only one side's packets are captured: do not wait for the other */
#define MAIL_SESSION_MIDSTREAM 0x02u /* the start was not captured: no greeting is awaited */
#define MAIL_SESSION_GAP       0x04u /* content under way lost octets */
#define MAIL_SESSION_IMPLICIT  0x08u /* TLS from the first octet */
#define MAIL_SESSION_INJECTED  0x10u /* server text between its 220 and TLS was reported */

#define MAIL_SESSION_DOUBT	 0x20u /* whether content was let in, or commands follow, was lost */
#define MAIL_SESSION_TURN_CLIENT 0x40u /* the server spoke since the client's last octets */
#define MAIL_SESSION_TURN_SERVER 0x80u /* and the other way round */

#define MAIL_QUEUE 32u
#define MAIL_START 64u /* octets looked at behind a loss to tell a line */

/* A capability list of SMTP, as it was read behind its first line. */
#define MAIL_LIST  256u /* octets of one */
#define MAIL_LISTS 64u
struct mail_list {
	uint32_t keywords;	 /* see mail_keyword */
	uint16_t len;		 /* octets; 0: there is none here */
	uint16_t last, last_len; /* its last line */
	char octets[MAIL_LIST];
};

/* What a worker shares among its sessions; one push at a time. */
struct mail {
	struct pool lines;	   /* partial lines held */
	struct pool queues;	   /* struct smtp_queue */
	struct pool mailboxes;	   /* struct mailbox */
	struct mailbox no_mailbox; /* of sessions that found no room there, and are not read */
	struct pool tls_states;	   /* struct tls */
	struct tls_pools tls_pools;
	struct pool inflates; /* see inflate.h */
	const uint8_t *data;  /* input not yet used */
	size_t left;
	uint8_t side;	     /* whose input it is */
	uint16_t stuffed;    /* dots left out of content since the last MAIL_CONTENT */
	uint32_t spent_line; /* line whose events are being taken; freed after the last */
	struct mail_event queue[MAIL_QUEUE];
	uint8_t q_at, q_len;
	bool awake; /* octets were pushed, or events queued, since mail_next returned false */
	struct tls_event tls_event; /* the one that MAIL_TLS points to */
	/* where a line or record was put together from what was held: that, and the input behind */
	uint8_t start[MAIL_START];
	const uint8_t *behind;
	size_t behind_left;
	/* where the input is compressed: what is left of it, and the piece of it being read */
	bool packed;
	const uint8_t *packed_data;
	size_t packed_left, piece_len;
	uint8_t piece[LIMIT_INFLATE_PIECE];
	struct mail_list lists[MAIL_LISTS]; /* by their octets: see smtp_reply.c */
	char said[LIMIT_TEXT];		    /* text of an event that a row put together */
};

extern const uint32_t mail_line_size, mail_queue_size, mail_mailbox_size,
    mail_tls_size; /* octets of one */

/* Maxima of what sessions hold. */
struct mail_sizes {
	uint32_t lines, queues, tls_states, handshakes, inflates, mailboxes;
};

/* False where the address space is refused. */
bool mail_init(struct mail *m, const struct mail_sizes *n);
void mail_free(struct mail *m);

/* Begins a session in zeroed state.  `flags`: MAIL_SESSION_*. */
void mail_begin(struct mail *m, struct mail_session *s, enum mail_protocol p, uint8_t flags);

/* `len` in-order octets of one side.  They must stay valid until mail_next has returned false. */
void mail_push(struct mail *m, struct mail_session *s, enum mail_side side, const void *data,
    size_t len);

/* What mail_pass did. */
enum mail_passed {
	MAIL_PASSED_NOT,     /* nothing: mail_push is to be called */
	MAIL_PASSED,	     /* all there is: there are no events */
	MAIL_PASSED_CONTENT, /* and there is one event, MAIL_CONTENT */
};

/*
 * The short way for what nearly all octets are: `len` (1 at least) of one side, in order, that are
 * protected records of TLS, or content and no line that means anything.  Its event is in *ev, and
 * mail_next is not to be asked: it has returned false, and would again.
 */
enum mail_passed mail_pass(struct mail *m, struct mail_session *s, enum mail_side side,
    const uint8_t *data, size_t len, struct mail_event *ev);

/* May there be a short way for the side's next octets? */
static inline bool
mail_may_pass(const struct mail_session *s, enum mail_side side)
{
	return s->mode[side] == MAIL_MODE_TLS || s->mode[side] == MAIL_MODE_DOT;
}

/* The side's next octets, the first that are known of it, may be anything: a line is believed where
 * it certainly is one. */
void mail_resync(struct mail *m, struct mail_session *s, enum mail_side side);

/* The side's next octets come after the other spoke, whose packets are not captured. */
void mail_turn(struct mail_session *s, enum mail_side side);

/* `len` octets of one side were lost.  Then take events until false. */
void mail_gap(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len);

/* The connection ended: transactions that are open end.  Then take events until false. */
void mail_end(struct mail *m, struct mail_session *s);

/* Is the input used up, and are all events taken?  Then mail_next would return false. */
static inline bool
mail_is_idle(const struct mail *m)
{
	return !m->awake;
}

/* Takes the next event; false where the input is used up. */
bool mail_next(struct mail *m, struct mail_session *s, struct mail_event *ev);

/* Gives back what the session holds. */
void mail_release(struct mail *m, struct mail_session *s);

const char *mail_protocol_name(enum mail_protocol p); /* "smtp", "imap", "pop3" */

#endif
