/* What the rows of the protocols remember of a session: a part of struct mail_session. */
#ifndef POSTCARD_MAIL_STATE_H
#define POSTCARD_MAIL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* State of the SMTP row (smtp.c). */
struct smtp {
	uint32_t queue;	      /* commands that await their replies: struct smtp_queue; 0 for none */
	uint8_t last;	      /* the last of them: enum smtp_command */
	uint8_t tx;	      /* number of the transaction that the client speaks of */
	uint16_t flags;	      /* SMTP_* of smtp.c */
	uint16_t rcpts;	      /* RCPT commands of this transaction */
	uint16_t rcpts_ok;    /* LMTP: of them accepted */
	uint16_t code;	      /* of the reply under way */
	uint16_t reply_lines; /* lines of it so far */
	uint32_t keywords;    /* of the capability list under way: bits of smtp_keyword */
};

/* State of the IMAP row (imap.c). */
struct imap {
	struct imap_pending {
		uint32_t tag;	 /* hash of its tag */
		uint8_t what;	 /* enum imap_command */
		uint8_t tx;	 /* APPEND: its first message */
		uint8_t count;	 /* and how many it has */
	} q[LIMIT_PENDING_IMAP]; /* commands whose answers matter, oldest first */
	uint8_t q_len;
	uint8_t literal[2]; /* what the literal under way of each side holds (imap.c) */
	uint8_t tx;	    /* the last number of a message */
	uint8_t side_tx[2]; /* the message that each side's literal is of */
	uint8_t rest;	    /* the command that the client's line behind a literal goes on with */
	uint8_t args;	    /* arguments of LOGIN that have come */
	uint32_t rest_tag;  /* hash of its tag */
	uint32_t flags;	    /* IMAP_* of imap.c */
	/* the answer to FETCH under way (imap_fetch.c): its message, lists open, the item whose
	 * value comes, and of a BODYSTRUCTURE the part and IMAP_AT_* */
	uint32_t seq;
	uint8_t depth, item, part, at;
	uint32_t known_seq, attachments; /* which parts of that message are attachments: bits */
	uint32_t piece_seq, piece_end;	 /* the message that came in pieces, and octets so far */
};

/* State of the POP3 row (pop3.c). */
struct pop3 {
	uint8_t q[LIMIT_PENDING_POP3]; /* commands that await their replies, oldest first */
	uint8_t q_len;
	uint16_t flags; /* POP3_* of pop3.c */
	uint8_t tx;
	bool unknown; /* the client said what is no command: the server may say it again */
};

/* Of a session in which mail is fetched, which there are fewer of. */
struct mailbox {
	union {
		struct imap imap;
		struct pop3 pop3;
	} p;
};

#endif
