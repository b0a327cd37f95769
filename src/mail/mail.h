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
#include "mail/tls.h"

enum mail_side { MAIL_CLIENT = 0, MAIL_SERVER = 1 };

enum mail_protocol { MAIL_NONE, MAIL_SMTP, MAIL_IMAP, MAIL_POP3, MAIL_PROTOCOLS };

enum mail_event_kind {
	MAIL_CONFIRMED, /* the dialogue proves that this is the protocol it was taken for */
	MAIL_DENIED,	/* it proves that it is not */
	MAIL_LMTP,	/* it is LMTP (RFC 2033) */
	MAIL_GREETING,	/* text: what the server greeted with; code */
	MAIL_PREAUTH,	/* IMAP: the greeting says the connection is authenticated */
	MAIL_HELO,	/* text: the client's name; flag: it asked for capabilities (EHLO, LHLO) */
	MAIL_ASKED,	/* the client asked for capabilities (CAPABILITY, CAPA) */
	MAIL_OFFER,	/* a complete capability list; flag: STARTTLS (STLS) is in it */
	MAIL_OFFER_CUT, /* a capability list of which octets were lost; flag: STARTTLS is in what is
			   left */
	MAIL_MANGLED, /* text: a line whose keyword was overwritten; flag: it has STARTTLS's length
		       */
	MAIL_EHLO_REFUSED,    /* code: EHLO was answered with an error */
	MAIL_UPGRADE,	      /* the client asked for TLS */
	MAIL_UPGRADE_REPLY,   /* text: code or word of the answer; code; flag: go ahead */
	MAIL_AUTH,	      /* text: mechanism, upper case */
	MAIL_AUTH_SECRET,     /* a credential of the mechanism last named crossed readable */
	MAIL_AUTH_REPLY,      /* flag: accepted */
	MAIL_SENDER,	      /* tx; text: address of MAIL FROM, "" for the null sender */
	MAIL_SENDER_REPLY,    /* tx; flag: accepted */
	MAIL_RECIPIENT,	      /* tx; text: address of RCPT TO */
	MAIL_RECIPIENT_REPLY, /* tx; index: which recipient, from 0; flag: accepted */
	MAIL_REQUIRETLS,      /* tx; MAIL FROM carried REQUIRETLS (RFC 8689) */
	MAIL_CONTENT_BEGIN,   /* tx; content follows; flag: its octets cannot be seen (server's side
				 only) */
	MAIL_CONTENT,	      /* tx; text: octets of it, dots unstuffed */
	MAIL_CONTENT_GAP,     /* tx; len: octets of it that were lost */
	MAIL_CONTENT_END,     /* tx; flag: its end was seen */
	MAIL_RESULT,	      /* tx is over; index: enum mail_result */
	MAIL_EXPOSED,  /* index: MAIL_EXPOSED_* bits that crossed readable outside a transaction */
	MAIL_ODD,      /* index: enum mail_oddity */
	MAIL_TLS,      /* tls: what the TLS machine saw */
	MAIL_TLS_OVER, /* plain text goes on after TLS was tried */
};

enum mail_result { MAIL_ACCEPTED, MAIL_REJECTED, MAIL_ABORTED, MAIL_RESULT_UNKNOWN };

#define MAIL_EXPOSED_HEADERS 1u
#define MAIL_EXPOSED_BODY    2u

/* Oddities that a protocol row or the session itself sees; finding gives them their names. */
enum mail_oddity {
	MAIL_ODD_COMMAND_INJECTION,  /* client octets after STARTTLS, before the 220 (CVE-2011-0411)
				      */
	MAIL_ODD_RESPONSE_INJECTION, /* server octets after the 220, before TLS */
	MAIL_ODD_NO_TLS_AFTER_220,   /* the client went on in plain text after the 220 */
	MAIL_ODD_TEXT_AFTER_TLS,     /* plain text where a TLS record was due */
	MAIL_ODD_COMMAND_MASKED,     /* a command was overwritten with X (ASA inspection) */
	MAIL_ODD_BANNER_MASKED,	     /* the greeting was overwritten with * (ASA mask-banner) */
	MAIL_ODD_STARTTLS_DENIED, /* offered, then 500 or 502 to STARTTLS: not what a server does */
	MAIL_ODD_LINE_TOO_LONG,	  /* a line longer than LIMIT_LINE */
	MAIL_ODD_BARE_LF_DOT,	  /* an end-of-data dot in a line that ends in bare LF */
	MAIL_ODD_PIPELINE,	  /* more unanswered commands than are kept: replies not paired */
	MAIL_ODD_PREAUTH,	  /* IMAP PREAUTH: STARTTLS is no longer possible */
	MAIL_ODD_COMPRESSED,	  /* COMPRESS DEFLATE: readable to an eavesdropper, not followed */
	MAIL_ODD_TALKS_FIRST,	  /* the client did not wait for the greeting */
	MAIL_ODDITIES
};

struct mail_event {
	uint8_t kind;	/* enum mail_event_kind */
	uint8_t side;	/* enum mail_side: whose octets led to it */
	bool flag;	/* see the kind */
	uint8_t tx;	/* number of the transaction within the connection, wrapping */
	uint16_t code;	/* SMTP reply code, 0 for none */
	uint16_t index; /* see the kind */
	const char
	    *text;  /* octets from the wire, not NUL-terminated; valid until the next mail_next */
	size_t len; /* how many; MAIL_CONTENT_GAP: octets lost */
	const struct tls_event *tls; /* MAIL_TLS; valid until the next mail_next */
};

/* State of the SMTP row (smtp.c). */
struct smtp {
	struct smtp_pending {
		uint8_t what;	/* enum smtp_command */
		uint8_t tx;	/* transaction it belongs to */
		uint16_t first; /* RCPT: index of the first recipient of the run */
		uint16_t count; /* replies that the run still awaits */
	} q[LIMIT_PENDING];	/* commands that await their replies, oldest first */
	uint8_t q_len;
	uint8_t tx;	      /* number of the transaction that the client speaks of */
	uint16_t flags;	      /* SMTP_* of smtp.c */
	uint16_t rcpts;	      /* RCPT commands of this transaction */
	uint16_t rcpts_ok;    /* LMTP: of them accepted */
	uint16_t code;	      /* of the reply under way */
	uint16_t reply_lines; /* lines of it so far */
};

/* State of the IMAP and POP3 rows. */
struct imap {
	char tag[12];	 /* tag of the command that matters (LOGIN, AUTHENTICATE, STARTTLS), "" for
			    none */
	uint8_t what;	 /* that command */
	uint8_t flags;	 /* IMAP_* of imap.c */
	uint8_t literal; /* what the literal under way holds */
	uint8_t tx;
};

struct pop3 {
	uint8_t q[8]; /* commands that await their replies, oldest first */
	uint8_t q_len;
	uint8_t flags; /* POP3_* of pop3.c */
	uint8_t tx;
};

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
	uint8_t protocol;	 /* enum mail_protocol */
	uint8_t mode[2];	 /* enum mail_mode, by side */
	uint8_t dot[2];		 /* MAIL_MODE_DOT: where in a line the side is (session.c) */
	uint8_t flags;		 /* MAIL_SESSION_* */
	uint8_t hidden_first[2]; /* first octet of a secret dropped from the line under way */
	uint32_t hidden[2];	 /* octets of the line under way that were dropped as secret */
	uint32_t line[2];  /* its octets kept so far: an object of the line pool; 0 for none */
	uint32_t tls;	   /* TLS state: an object of the TLS pool; 0 for none */
	uint64_t count[2]; /* MAIL_MODE_COUNT: octets still to come */
	union {
		struct smtp smtp;
		struct imap imap;
		struct pop3 pop3;
	} p;
};

#define MAIL_SESSION_ONE_SIDED \
	0x01u /* only one side's packets are captured: do not wait for the other */
#define MAIL_SESSION_MIDSTREAM 0x02u /* the start was not captured: no greeting is awaited */
#define MAIL_SESSION_GAP       0x04u /* content under way lost octets */
#define MAIL_SESSION_IMPLICIT  0x08u /* TLS from the first octet */

#define MAIL_QUEUE 16u

/* What a worker shares among its sessions; one push at a time. */
struct mail {
	struct pool lines;	/* partial lines held */
	struct pool tls_states; /* struct tls */
	struct tls_pools tls_pools;
	const uint8_t *data; /* input not yet used */
	size_t left;
	uint8_t side;	     /* whose input it is */
	uint16_t stuffed;    /* dots left out of content since the last MAIL_CONTENT */
	uint32_t spent_line; /* line whose events are being taken; freed after the last */
	struct mail_event queue[MAIL_QUEUE];
	uint8_t q_at, q_len;
	struct tls_event tls_event; /* the one that MAIL_TLS points to */
	const uint8_t *replay; /* octets to be read again as text, behind a TLS garbage event */
};

/* Pools for `sessions` sessions at work at once.  False where the address space is refused. */
bool mail_init(struct mail *m, uint32_t lines, uint32_t tls_states);
void mail_free(struct mail *m);

/* Begins a session in zeroed state.  `flags`: MAIL_SESSION_*. */
void mail_begin(struct mail *m, struct mail_session *s, enum mail_protocol p, uint8_t flags);

/* `len` in-order octets of one side.  They must stay valid until mail_next has returned false. */
void mail_push(struct mail *m, struct mail_session *s, enum mail_side side, const void *data,
	       size_t len);

/* `len` octets of one side were lost.  Then take events until false. */
void mail_gap(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len);

/* The connection ended: transactions that are open end.  Then take events until false. */
void mail_end(struct mail *m, struct mail_session *s);

/* Takes the next event; false where the input is used up. */
bool mail_next(struct mail *m, struct mail_session *s, struct mail_event *ev);

/* Gives back what the session holds. */
void mail_release(struct mail *m, struct mail_session *s);

/* Is nothing more to be read of either side? Then the conductor need not put the streams together
 * any more. */
static inline bool
mail_is_off(const struct mail_session *s)
{
	return s->mode[0] == MAIL_MODE_OFF && s->mode[1] == MAIL_MODE_OFF;
}

const char *mail_protocol_name(enum mail_protocol p); /* "smtp", "imap", "pop3" */

#endif
