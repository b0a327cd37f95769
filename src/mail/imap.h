/*
 * Private to src/mail: what the IMAP row's files share: imap.c (the row), imap_client.c,
 * imap_server.c, imap_fetch.c and imap_syntax.c.
 */
#ifndef POSTCARD_MAIL_IMAP_H
#define POSTCARD_MAIL_IMAP_H

#include "mail/protocol.h"

/* What a literal holds. */
enum imap_holds { LITERAL_NONE, LITERAL_SKIP, LITERAL_MESSAGE, LITERAL_SECRET };

#define IMAP_SURE      0x001u /* MAIL_CONFIRMED was emitted */
#define IMAP_GREETED   0x002u
#define IMAP_AUTH_OPEN 0x004u /* the client's next line answers a challenge */
#define IMAP_INJECTED  0x008u /* the client spoke between STARTTLS and its answer */
#define IMAP_REST      0x010u /* the client's next line goes on with a command, behind a literal */
/* a login was accepted: lists name no STARTTLS any more (RFC 9051 section 6.2.1) */
#define IMAP_IN	      0x020u
#define IMAP_LOST     0x040u   /* octets were lost: a login may be among them */
#define IMAP_SYNC     0x080u   /* the client's literal waits for the server to agree */
#define IMAP_MAILBOX  0x100u   /* which is the name of APPEND's mailbox */
#define IMAP_MORE     0x200u   /* the server's next line goes on with an answer, behind a literal */
#define IMAP_PIECE    0x400u   /* its literal is a piece of a message */
#define IMAP_PIECES   0x800u   /* a message is open, of which more pieces may come */
#define IMAP_OFFERED  0x1000u  /* STARTTLS is in the last list */
#define IMAP_EARLY    0x2000u  /* the server said what it may not before TLS: told once */
#define IMAP_UNSEEN   0x4000u  /* a client that is not captured had an answer: told once */
#define IMAP_HARMLESS 0x8000u  /* the answer under way is one to CAPABILITY or LOGOUT */
#define IMAP_PREAUTH  0x10000u /* the greeting said that the client is logged in */
#define IMAP_UNKNOWN  0x20000u /* the client said no command: the server may say it again */

/* What a command is, as far as it matters. */
enum imap_command {
	IMAP_NONE, /* no command that is known */
	IMAP_STARTTLS,
	IMAP_LOGIN,
	IMAP_AUTHENTICATE,
	IMAP_COMPRESS,
	IMAP_APPEND,   /* REPLACE (RFC 8508), too */
	IMAP_CATENATE, /* APPEND of pieces (RFC 4469) */
	IMAP_CAPABILITY,
	IMAP_ID,
	IMAP_FETCH, /* UID FETCH, too */
	IMAP_OTHER
};

/* The state of an IMAP session. */
static inline struct imap *
imap_of(struct mail *m, const struct mail_session *s)
{
	return &mail_mailbox(m, s)->p.imap;
}

/* Tag, command word and where its arguments start. */
struct imap_parts {
	size_t tag_len;
	size_t word, word_len;
	size_t arg;
	uint8_t what; /* enum imap_command */
};

struct imap_parts imap_split(const char *s, size_t len);

/* May more octets make a known command of these? */
bool imap_may_become_command(const char *s, size_t len);

/* A literal that a line ends with (RFC 9051 section 4.3, RFC 7888, RFC 3516). */
struct imap_literal {
	uint64_t octets;
	size_t at; /* where in the line its announcement begins, with the ~ of a literal8 */
	bool sync; /* the other side must agree to it first */
};

bool imap_literal_of(const char *s, size_t len, struct imap_literal *out);

/*
 * Where the secret begins in the arguments of LOGIN (two of them, RFC 9051 section 6.2.3), `done`
 * of which came before: the second one; len where there is none yet, or a literal holds it.  *seen:
 * how many begin in `s`, literals too.
 */
size_t imap_login_secret(const char *s, size_t len, size_t at, unsigned done, unsigned *seen);

/* Where a secret at `at` begins; len where it is (or may become) the announcement of a literal. */
size_t imap_secret_at(const char *s, size_t len, size_t at);

/* Puts "name version" of an ID list (RFC 2971) into out; how many octets. */
size_t imap_agent(const char *s, size_t len, char *out, size_t cap);

/* What a FETCH answer holds, line by line: see imap_fetch.c. */
enum imap_value {
	IMAP_VALUE_OTHER,   /* nothing of a message */
	IMAP_VALUE_MESSAGE, /* a whole one, or its first octets */
	IMAP_VALUE_PIECE,   /* octets of one from `offset` on */
	IMAP_VALUE_SHOWN,   /* `exposed` of it: no message by itself */
};

struct imap_fetched {
	uint8_t exposed;    /* MAIL_EXPOSED_* that crossed in this line */
	uint8_t value;	    /* enum imap_value of the literal that ends the line */
	uint8_t shows;	    /* MAIL_EXPOSED_* of that literal */
	uint32_t offset;    /* of a piece */
	bool part;	    /* the literal is a piece, of however many */
	const char *quoted; /* a whole message as a quoted string; NULL for none */
	size_t quoted_len;
};

/* Is the line the first of an answer to FETCH?  *at: where its list begins. */
bool imap_is_fetch(const char *s, size_t len, uint32_t *seq, size_t *at);

/* Reads a line of an answer from s on; `literal`: one ends it, at s + len. */
void
imap_fetch_line(struct imap *p, const char *s, size_t len, bool literal, struct imap_fetched *out);

/* The line was cut before its literal: what the item before it shows, by its end. */
void imap_fetch_tail(const struct imap *p, const char *s, size_t len, struct imap_fetched *out);

/* A tag of any length, in four octets. */
uint32_t imap_tag(const char *s, size_t len);

/* The command's answer is waited for; is that of one like it? */
void imap_await(struct mail *m, struct mail_session *s, uint32_t tag, uint8_t what);
bool imap_awaits(const struct imap *p, uint8_t what);

/* No answer is waited for any more: of the one at `at`; of all attempts to log in. */
void imap_forget(struct imap *p, unsigned at);
void imap_forget_attempts(struct imap *p);

/* The oldest message whose APPEND has no answer yet ends without it. */
void imap_give_up_append(struct mail *m, struct imap *p);

void imap_result(struct mail *m, enum mail_side side, uint8_t tx, enum mail_result r);
void imap_content_over(struct mail *m, enum mail_side side, uint8_t tx, bool seen);

/* No more pieces come of the message that is fetched in pieces. */
void imap_pieces_over(struct mail *m, struct imap *p);

/* The side's next octets are a literal. */
void imap_begin_literal(struct mail *m, struct mail_session *s, enum mail_side side,
    enum imap_holds what, uint64_t octets);

/* That the server does not want the client's literal may have gone unseen: what comes may be a
 * command (RFC 9051 section 4.3). */
void imap_doubt_literal(struct mail *m, struct mail_session *s);

bool imap_is_one_sided(const struct mail_session *s);
size_t imap_evidence(struct mail *m, const struct mail_session *s, const char *line, size_t len);
void imap_client_line(struct mail *m, struct mail_session *s, const struct mail_line *l);
void imap_server_line(struct mail *m, struct mail_session *s, const struct mail_line *l);

#endif
