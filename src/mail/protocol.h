/*
 * Private to src/mail: the row of a protocol, and what the session offers to it.
 *
 * A row is one file.  It is given whole lines, with secrets already cut off, and answers by
 * emitting events and by setting the modes of the sides.  It holds no octets.
 */
#ifndef POSTCARD_MAIL_PROTOCOL_H
#define POSTCARD_MAIL_PROTOCOL_H

#include "mail/mail.h"

/* A line as a row sees it. */
struct mail_line {
	const char *s; /* octets, without the line end and without the secret */
	size_t len;
	size_t hidden;	      /* octets of secret that followed them */
	uint8_t hidden_first; /* the first of these, to tell "*" and "=" */
	bool cut;	      /* the line was longer than LIMIT_LINE */
	const char
	    *tail;    /* its last LIMIT_LINE_TAIL octets, where it was cut and hides no secret */
	bool bare_lf; /* it ended in LF without CR */
};

enum plausible { PLAUSIBLE_NO, PLAUSIBLE_MAYBE /* with more octets */, PLAUSIBLE_YES };

/* Does s begin with `word`, or may it when more comes?  Case-blind. */
enum plausible mail_plausible_word(const char *s, size_t len, const char *word);

/* Is the line QUIT, or may it become that?  So some give up at a challenge, and it is no answer
 * that anybody has: in Base64 three octets, of which two are no characters. */
bool mail_begins_quit(const char *line, size_t len);

/* Are these octets the start of a TLS record? */
enum plausible mail_plausible_record(const uint8_t *o, size_t len);

/* May they be that, or the start of an SSL 2.0 ClientHello (RFC 5246 appendix E.2)? */
bool mail_may_start_tls(const uint8_t *o, size_t len);

/* Are the first octets (up to four) those of a text? */
bool mail_looks_like_text(const uint8_t *s, size_t len);

struct mail_row {
	const char *name;
	uint8_t content; /* sides that may send content, in which lines look like anything: bits */
	bool bare;	 /* content has no envelope: it is fetched or filed */
	void (*begin)(struct mail *m, struct mail_session *s);
	/* A whole line of one side. */
	void (*line)(struct mail *m, struct mail_session *s, enum mail_side side,
	    const struct mail_line *l);
	/* Where a secret begins in a (perhaps unfinished) line: an offset up to len, or len where
	 * there is none. */
	size_t (*secret)(struct mail *m, const struct mail_session *s, enum mail_side side,
	    const char *line, size_t len);
	/* Are these octets, behind a gap, certainly the start of a command (client) or reply
	 * (server)? */
	enum plausible (*plausible)(const struct mail_session *s, enum mail_side side,
	    const char *data, size_t len);
	/* Content (DOT or COUNT) of one side ended, or, with `seen` false, the connection did
	 * before it. */
	void (*content_end)(struct mail *m, struct mail_session *s, enum mail_side side, bool seen);
	/* Octets of one side were lost while it spoke lines. */
	void (*gap)(struct mail *m, struct mail_session *s, enum mail_side side);
	/* The connection ended. */
	void (*end)(struct mail *m, struct mail_session *s);
	/* Gives back what the row holds of pools; NULL where it never does. */
	void (*release)(struct mail *m, struct mail_session *s);
	/* How much of a server's line may be kept as evidence, for others are the text of mails;
	 * NULL: all of it. */
	size_t (*evidence)(struct mail *m, const struct mail_session *s, const char *l, size_t n);
	/* Number of the transaction that the side's content belongs to; -1 where it is passed over.
	 */
	int (*tx)(struct mail *m, const struct mail_session *s, enum mail_side side);
};

/* Commands of an SMTP session that await their replies, oldest first; while there are any. */
struct smtp_queue {
	uint8_t len;
	struct smtp_pending {
		uint8_t what;	/* enum smtp_command */
		uint8_t tx;	/* transaction it belongs to */
		uint16_t first; /* RCPT: index of the first recipient of the run; else see
				   smtp.h */
		uint16_t count; /* replies that the run still awaits */
	} at[LIMIT_PENDING];
};

extern const struct mail_row mail_smtp_row, mail_imap_row, mail_pop3_row;

/* The state of a session of IMAP or POP3. */
static inline struct mailbox *
mail_mailbox(struct mail *m, const struct mail_session *s)
{
	return s->p.mailbox != 0 ? pool_at(&m->mailboxes, s->p.mailbox) : &m->no_mailbox;
}

/* mail_row.begin and .release of these: without memory the session is not followed. */
void mail_mailbox_begin(struct mail *m, struct mail_session *s);
void mail_mailbox_release(struct mail *m, struct mail_session *s);

/* Queues an event, zeroed but for its kind and side, and returns it to be filled in. */
struct mail_event *mail_emit(struct mail *m, enum mail_event_kind kind, enum mail_side side);
void mail_emit_text(struct mail *m, enum mail_event_kind kind, enum mail_side side, const char *s,
    size_t len);
void mail_emit_odd(struct mail *m, enum mail_side side, enum mail_oddity odd);

/* Content of `side` starts with its next octet. */
void mail_content_dot(struct mail *m, struct mail_session *s, enum mail_side side);
void
mail_content_count(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t octets);

/* The same, but it begins (MAIL_CONTENT_BEGIN, by the session) with its first octet, for the other
 * side may not want it.  Has it begun? */
void
mail_content_literal(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t octets);
bool mail_content_begun(const struct mail_session *s, enum mail_side side);

/* Content that is read until the dot ends here although the dot was not seen. */
void mail_content_stop(struct mail *m, struct mail_session *s, enum mail_side side);

/* Did the content under way have an end-of-data dot that only a lax server takes for one, with
 * nothing or a command behind it? */
bool mail_dot_is_likely(const struct mail_session *s, enum mail_side side);

/* Both sides are to speak TLS from their next octets on: content of the client that was announced
 * before is over. */
void mail_upgrade(struct mail *m, struct mail_session *s);

/* Both sides' octets are compressed (raw deflate) from here on: the server's behind the line that
 * is being read, the client's from its next. */
void mail_compress(struct mail *m, struct mail_session *s);

/* The same, where it cannot be told from which octet on: nothing more is read of either side. */
void mail_compress_unread(struct mail *m, struct mail_session *s);

/* The word at the start of s (up to a space, or the end). */
size_t mail_word_len(const char *s, size_t len);

/* The first octet from `at` on that is no blank or tab; len where there is none. */
size_t mail_skip_blanks(const char *s, size_t len, size_t at);

/* Does `word` look like STARTTLS overwritten, in whole or in part? *same_length: it has the
 * keyword's eight octets. */
bool mail_is_mangled(const char *word, size_t len, const char *keyword, bool *same_length);

#endif
