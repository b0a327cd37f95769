/* Private to src/finding: a mail transaction while it is open, and the TLS facts of a connection.
 */
#ifndef POSTCARD_FINDING_MESSAGE_H
#define POSTCARD_FINDING_MESSAGE_H

#include <stddef.h>

#include "base/text.h"
#include "finding/finding.h"

/* A list of cells in the string store, each of which begins with the handle of the next (0: none).
 */
struct chain {
	uint32_t first, last; /* handles; 0 where it is empty */
};

/* A recipient, in a chain: its state, then the address (cut to what it takes). */
struct recipient {
	uint32_t next;
	uint8_t state; /* enum recipient_state */
	char addr[LIMIT_TEXT];
};
#define RECIPIENT_HEAD offsetof(struct recipient, addr)

enum recipient_state { RECIPIENT_UNANSWERED, RECIPIENT_ACCEPTED, RECIPIENT_REFUSED };

/* An attachment, in a chain. */
struct attachment {
	uint32_t next;
	uint32_t name;	  /* string */
	uint32_t type;	  /* string */
	uint8_t detected; /* enum magic */
	uint64_t size;	  /* octets on the wire */
};

/* The Received fields of its header: see hops.c. */
struct hops {
	struct chain chain; /* of what hops.c keeps of each */
	uint8_t seen;	    /* fields, LIMIT_RECEIVED at most */
	uint8_t kept;	    /* of them in the chain */
	uint8_t states;	    /* a bit for each enum received_state, and HOPS_LOST */
};
#define HOPS_LOST 0x80u /* octets of the header were lost */

/* What is found in the content of a message, once there is any. */
struct content {
	uint64_t size;		  /* octets */
	struct chain attachments; /* struct attachment */
	struct hops hops;
	uint8_t attachments_kept;
	uint32_t subject;    /* string: decoded */
	uint32_t message_id; /* string */
	uint32_t mailer;     /* string */
	uint32_t scan;	     /* MIME scan; 0 for none */
};

struct message {
	int64_t start_ns;	 /* packet time of its first command */
	uint32_t next;		 /* of those open in the connection, the one begun after it */
	uint32_t from;		 /* string: the sender; 0 for none or the null sender */
	struct chain recipients; /* struct recipient */
	uint32_t rcpt_reply; /* the recipient whose reply is due; MESSAGE_RESULTS: whose result */
	uint32_t rcpts;	     /* RCPT commands */
	uint32_t replies;    /* RCPT replies seen; MESSAGE_RESULTS: results */
	uint32_t refused;    /* of them errors */
	uint32_t content;    /* object of the contents pool; 0 for none */
	uint16_t rcpts_kept; /* RCPT commands in the chain */
	uint16_t flags;	     /* MESSAGE_* */
	uint8_t tx;
	uint8_t exposed;    /* EXPOSED_* */
	uint8_t protection; /* enum mime_protection */
	uint8_t delivered;  /* enum mail_result */
};

#define MESSAGE_SENDER	       0x01u /* MAIL was seen */
#define MESSAGE_SENDER_REFUSED 0x02u
#define MESSAGE_CONTENT	       0x04u /* content crossed */
#define MESSAGE_GAP	       0x08u /* and lost octets */
#define MESSAGE_HEADERS_DONE   0x10u
#define MESSAGE_SCANNED	       0x20u  /* the MIME scan was begun */
#define MESSAGE_TLS_WAIVED     0x40u  /* its header says TLS-Required: No (RFC 8689) */
#define MESSAGE_TLS_FIELD      0x80u  /* it has that field, whatever it says */
#define MESSAGE_RESULTS	       0x100u /* LMTP: the content is being answered for each recipient */

/* What the hellos said. */
struct tls_facts {
	uint16_t version, cipher, group;
	uint16_t dh_bits; /* of the prime, where it was Diffie-Hellman over one */
	bool resumed;
	uint8_t alerts;	      /* entries of alert */
	uint8_t alert_sides;  /* a bit for each of them: the server sent it */
	uint8_t alert[4];     /* their descriptions */
	uint32_t ja3, ja4;    /* strings */
	uint32_t ja3s;	      /* string */
	uint32_t sni;	      /* string */
	uint32_t alpn;	      /* string */
	uint32_t certificate; /* string: struct certificate; 0: none was seen */
};

/* The server's certificate. */
struct certificate {
	int64_t not_before_ns, not_after_ns;
	uint32_t subject, issuer, sha256; /* strings */
	uint32_t alt_names;		  /* string: names, each with a NUL behind it */
	uint32_t key_type, signature;	  /* strings */
	uint32_t key_bits;
	uint32_t name;	   /* string: host name that it was compared with; 0 for none */
	uint8_t name_from; /* enum name_from */
	bool name_match;
};

/* Of a connection that showed one (F: facts.certificate). */
struct certificate certificate_of(const struct findings *F, const struct tls_facts *t);

enum name_from { NAME_FROM_SNI, NAME_FROM_GREETING, NAME_FROM_EHLO };

/* Takes what the TLS machine saw; gives back the strings that it kept of it. */
void finding_take_tls(struct findings *F, struct finding *f, const struct tls_event *ev,
    const struct finding_view *v);
void finding_release_tls(struct findings *F, struct finding *f);

/* Length of the host name with which a text of the server begins, behind a status and
 * a code in brackets (IMAP), and in *at where it stands; 0 where it is none, an address, or has no
 * dot. */
size_t finding_host(const char *s, size_t len, size_t *at);

/* Names of SASL mechanisms; index is the bit in notes.auth. */
unsigned auth_bit(const char *name, size_t len);
const char *auth_name(unsigned bit); /* NULL past the last */

/* What an eavesdropper has of an attempt to log in. */
enum auth_shows {
	AUTH_PASSWORD,
	AUTH_TOKEN,
	AUTH_DIGEST,  /* of which the password can be guessed offline */
	AUTH_ACCOUNT, /* the account's name, and no more */
	AUTH_UNKNOWN, /* something of a mechanism that is not known */
	AUTH_NOTHING,
	AUTH_SHOWS
};

/* Of a mechanism, when so many answers of the client crossed (0: the attempt alone). */
enum auth_shows auth_shows(unsigned bit, unsigned answers);
const char *auth_shows_name(enum auth_shows shows);

/* Adds a copy of a cell, its first four octets for the link.  False where there is no memory. */
bool chain_add(struct findings *F, struct chain *c, const void *cell, size_t len);

/* The handle of the one behind `at`; 0 for none. */
uint32_t chain_next(const struct findings *F, uint32_t at);
void chain_drop(struct findings *F, struct chain *c);

/* The content of a message; all zero where there is none, or no memory for it. */
const struct content *content_of(const struct findings *F, const struct message *m);

uint32_t message_find(const struct findings *F, const struct finding *f, uint8_t tx);
uint32_t message_open(struct findings *F, struct finding *f, uint8_t tx, int64_t ts_ns);
void message_recipient(struct findings *F, struct message *m, const char *addr, size_t len);
void message_recipient_reply(struct findings *F, struct message *m, uint32_t index, bool accepted);

/* LMTP: what became of the content, for one of the recipients that were accepted. */
void message_recipient_result(struct findings *F, struct message *m, uint32_t index, bool has_it);

/* Octets of its content; `stuffed` dots that only the wire had stood among them.  `unmarked`: see
 * struct mime_input. */
void message_content(struct findings *F, struct message *m, const uint8_t *data, size_t len,
    uint16_t stuffed, bool unmarked);
void message_content_gap(struct findings *F, struct message *m, uint64_t len);
void message_content_end(struct findings *F, struct message *m);
struct attachment attachment_at(const struct findings *F, uint32_t at); /* `at` in the chain */

/* A Received field, the newest first; and what became of them all. */
void hops_take(struct findings *F, struct hops *hops, const char *field, size_t len);
void hops_put(const struct findings *F, const struct message *m, struct record *r);

#endif
