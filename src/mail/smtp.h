/*
 * Private to the files of the SMTP row (smtp.c, smtp_auth.c, smtp_reply.c, smtp_state.c): what a
 * session remembers, and who changes it.
 *
 * Commands wait in a short queue for their replies, since a reply means nothing without its command
 * (454 is "no TLS" to STARTTLS and "temporary failure" to AUTH).
 */
#ifndef POSTCARD_MAIL_SMTP_H
#define POSTCARD_MAIL_SMTP_H

#include "mail/protocol.h"
#include "mail/smtp_syntax.h"

/* struct smtp.flags */
#define SMTP_LMTP	 0x0001u
#define SMTP_SURE	 0x0002u /* MAIL_CONFIRMED was emitted */
#define SMTP_IN_TX	 0x0004u /* a MAIL or content began a transaction that is not over */
#define SMTP_AUTH_OPEN	 0x0008u /* the client's next line answers a 334 */
#define SMTP_TLS_DUE	 0x0010u /* what comes next is TLS; a line instead of it is evidence */
#define SMTP_LIST_CUT	 0x0020u /* octets of the capability list under way were lost */
#define SMTP_DENIED	 0x0040u /* the server would not have the content of the transaction */
#define SMTP_SERVER_LOST 0x0080u /* octets of the server were lost since the last command */
#define SMTP_WAS_OFFERED 0x0100u /* the last complete list had STARTTLS */
#define SMTP_CONTENT	 0x0200u /* content of the transaction was begun */
#define SMTP_IMPLIED	 0x0400u /* content whose octets cannot be seen */
#define SMTP_LIST	 0x0800u /* the reply under way is a capability list */
#define SMTP_TALKED	 0x1000u /* the client has spoken */
#define SMTP_SENT	 0x2000u /* the content of the transaction ended; its reply is due */
#define SMTP_CHUNK	 0x4000u /* the BDAT chunk under way is not the last */
#define SMTP_LIST_SURE	 0x8000u /* with a keyword that only such a list has */

/* ---- smtp_state.c ---- */

/* Queues a command for its reply.  Nothing is kept where the server is not captured; without memory
 * it is told as lost. */
void smtp_push(struct mail *m, struct mail_session *s, uint8_t what);

/* The same of a command that ends the transaction `over` - 1 (none where it is 0). */
void smtp_push_over(struct mail *m, struct mail_session *s, uint8_t what, uint16_t over);

/*
 * The same of the end of content.  LMTP answers it for each recipient that was accepted (RFC 2033
 * section 4.2), which may be told after it was sent.
 */
void smtp_push_end(struct mail *m, struct mail_session *s);
void smtp_accepted_rcpt(struct mail *m, struct smtp *p, uint8_t tx);

/* How many commands await their replies. */
static inline uint8_t
smtp_waiting(const struct mail *m, const struct smtp *p)
{
	return p->queue != 0 ? ((const struct smtp_queue *)pool_at(&m->queues, p->queue))->len : 0;
}

/* Entry `i` of them, oldest first. */
static inline struct smtp_pending *
smtp_awaits(const struct mail *m, const struct smtp *p, unsigned i)
{
	return &((struct smtp_queue *)pool_at(&m->queues, p->queue))->at[i];
}

/* The oldest command that awaits its reply; NULL for none. */
static inline struct smtp_pending *
smtp_front(const struct mail *m, const struct smtp *p)
{
	return p->queue != 0 ? smtp_awaits(m, p, 0) : NULL;
}

/* Is there such a one among them? */
bool smtp_awaits_any(const struct mail *m, const struct smtp *p, uint8_t what);

void smtp_pop(struct mail *m, struct smtp *p);

/* Drops the entries before the first `what`, if there is one: their replies were not seen. */
bool smtp_pop_to(struct mail *m, struct smtp *p, uint8_t what);

/* Drops all of them. */
void smtp_forget(struct mail *m, struct smtp *p);

/* Is STARTTLS (or X-ANONYMOUSTLS) in the capability list under way? */
bool smtp_offered(const struct smtp *p);

void smtp_confirm(struct mail *m, struct mail_session *s);
void smtp_begin_tx(struct smtp *p);

/* What the client says next is content of the transaction, up to a dot: of a new one where none is
 * under way, for content may cross without a MAIL. */
void smtp_begin_content(struct mail *m, struct mail_session *s);
void smtp_result(struct mail *m, struct mail_session *s, uint8_t tx, enum mail_result r);

/*
 * RSET, EHLO, MAIL, QUIT: the transaction under way is given up, unless its content was sent.  That
 * is final with the command's reply, when the replies to its RCPTs have come.  Returns its number +
 * 1, and SMTP_OVER_DENIED where the server would not have it; or 0.
 */
uint16_t smtp_give_up(struct mail *m, struct mail_session *s);
#define SMTP_OVER_DENIED 0x200u

/* struct mail_row */
void smtp_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen);
int smtp_tx(struct mail *m, const struct mail_session *s, enum mail_side side);

/* ---- smtp_auth.c ---- */

/* AUTH with its arguments, and a line that answers a challenge. */
void smtp_auth(struct mail *m, struct mail_session *s, const char *arg, size_t len,
    const struct mail_line *l);
void smtp_auth_response(struct mail *m, struct mail_session *s, const struct mail_line *l);

/* The reply to either; `cancelled`: to the "*" that gave the attempt up. */
void smtp_auth_reply(struct mail *m, struct mail_session *s, bool cancelled);

/* struct mail_row */
size_t smtp_secret(struct mail *m, const struct mail_session *s, enum mail_side side,
    const char *line, size_t len);

/* ---- smtp_reply.c ---- */

void smtp_server_line(struct mail *m, struct mail_session *s, const struct mail_line *l);

#endif
