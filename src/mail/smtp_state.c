/*
 * What the SMTP row remembers (see smtp.h): the queue of commands that await their replies, and the
 * transactions.
 *
 * Runs of like commands take one entry of LIMIT_PENDING.  Where replies or commands were lost,
 * what is left in the queue tells which.
 */
#include <string.h>

#include "mail/smtp.h"

/* ---- the queue ---- */

void
smtp_forget(struct mail *m, struct smtp *p)
{
	pool_give(&m->queues, p->queue);
	p->queue = 0;
	p->last = CMD_NONE;
}

/* The client went on, so it had its answers: they are what was lost. */
static void
forget_answered(struct mail *m, struct smtp *p)
{
	bool list = false;
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n; i++)
		list |= smtp_awaits(m, p, i)->what == CMD_EHLO;
	if (list) /* the keywords may be those of a list before */
		mail_emit(m, MAIL_OFFER_CUT, MAIL_SERVER)->flag =
		    p->reply_lines > 0 && smtp_offered(p);
	smtp_forget(m, p);
	p->reply_lines = 0;
	p->keywords = 0;
	p->flags &= (uint16_t) ~(SMTP_SERVER_LOST | SMTP_LIST_CUT | SMTP_LIST);
}

void
smtp_push(struct mail *m, struct mail_session *s, uint8_t what)
{
	struct smtp *p = &s->p.smtp;
	if (s->flags & MAIL_SESSION_ONE_SIDED) { /* no reply will ever be seen */
		smtp_forget(m, p);
		return;
	}
	if (p->flags & SMTP_SERVER_LOST && what != CMD_EOD)
		forget_answered(m, p);
	if (p->queue == 0)
		p->queue = pool_take(&m->queues);
	if (p->queue == 0) { /* no memory: its reply will answer nothing */
		mail_emit(m, MAIL_LOST, MAIL_CLIENT);
		p->last = what;
		return;
	}
	struct smtp_queue *q = pool_at(&m->queues, p->queue);
	if (q->len > 0 && p->last == CMD_LOST)
		q->len--; /* whatever was lost has been answered before the client spoke again */
	struct smtp_pending *last = q->len > 0 ? &q->at[q->len - 1] : NULL;
	p->last = what;
	if (last != NULL && last->what == what && last->tx == p->tx && last->count < UINT16_MAX &&
	    (what == CMD_RCPT || what == CMD_OTHER || what == CMD_STRANGE)) {
		last->count++;
		return;
	}
	if (q->len == LIMIT_PENDING) {
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_PIPELINE);
		q->len = 0;
	}
	q->at[q->len++] =
	    (struct smtp_pending){what, p->tx, what == CMD_RCPT ? (uint16_t)(p->rcpts - 1) : 0, 1};
}

/* Drops the oldest `n`. */
static void
drop_front(struct mail *m, struct smtp *p, uint8_t n)
{
	struct smtp_queue *q = pool_at(&m->queues, p->queue);
	q->len = (uint8_t)(q->len - n);
	if (q->len == 0)
		smtp_forget(m, p);
	else
		memmove(q->at, q->at + n, sizeof q->at[0] * q->len);
}

void
smtp_pop(struct mail *m, struct smtp *p)
{
	struct smtp_pending *first = smtp_front(m, p);
	if (first == NULL)
		return;
	if (--first->count > 0)
		first->first++;
	else
		drop_front(m, p, 1);
}

bool
smtp_awaits_any(const struct mail *m, const struct smtp *p, uint8_t what)
{
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n; i++) {
		if (smtp_awaits(m, p, i)->what == what)
			return true;
	}
	return false;
}

bool
smtp_pop_to(struct mail *m, struct smtp *p, uint8_t what)
{
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n; i++) {
		if (smtp_awaits(m, p, i)->what == what) {
			drop_front(m, p, i);
			return true;
		}
	}
	return false;
}

bool
smtp_offered(const struct smtp *p)
{
	return (p->keywords & smtp_keywords_tls()) != 0;
}

/* ---- transactions ---- */

int
smtp_tx(struct mail *m, const struct mail_session *s, enum mail_side side)
{
	(void)m;
	(void)side;
	return s->p.smtp.last == CMD_XEXCH50 ? -1 : s->p.smtp.tx;
}

void
smtp_result(struct mail *m, struct mail_session *s, uint8_t tx, enum mail_result r)
{
	struct mail_event *ev = mail_emit(m, MAIL_RESULT, MAIL_SERVER);
	ev->tx = tx;
	ev->index = (uint16_t)r;
	if (tx == s->p.smtp.tx && s->p.smtp.flags & SMTP_SENT)
		s->p.smtp.flags &= (uint16_t) ~(SMTP_IN_TX | SMTP_CONTENT | SMTP_SENT);
}

uint16_t
smtp_give_up(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		return 0;
	uint16_t denied = p->flags & SMTP_DENIED ? SMTP_OVER_DENIED : 0;
	p->flags &= (uint16_t) ~(SMTP_IN_TX | SMTP_CONTENT | SMTP_DENIED);
	if (s->flags & MAIL_SESSION_ONE_SIDED) {
		smtp_result(m, s, p->tx, MAIL_ABORTED);
		return 0;
	}
	return (uint16_t)((p->tx + 1u) | denied);
}

void
smtp_push_over(struct mail *m, struct mail_session *s, uint8_t what, uint16_t over)
{
	struct smtp *p = &s->p.smtp;
	smtp_push(m, s, what);
	if (p->queue != 0)
		smtp_awaits(m, p, smtp_waiting(m, p) - 1u)->first = over;
}

void
smtp_push_end(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	smtp_push(m, s, CMD_EOD);
	if (p->queue == 0 || !(p->flags & SMTP_LMTP))
		return;
	struct smtp_pending *end = smtp_awaits(m, p, smtp_waiting(m, p) - 1u);
	end->first = p->rcpts_ok;
	end->count = p->rcpts_ok > 0 ? p->rcpts_ok : 1;
}

void
smtp_accepted_rcpt(struct mail *m, struct smtp *p, uint8_t tx)
{
	if (tx == p->tx && p->rcpts_ok < UINT16_MAX)
		p->rcpts_ok++;
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n && p->flags & SMTP_LMTP; i++) {
		struct smtp_pending *end = smtp_awaits(m, p, i);
		if (end->what == CMD_EOD && end->tx == tx && end->first < UINT16_MAX)
			end->count = ++end->first;
	}
}

void
smtp_begin_tx(struct smtp *p)
{
	p->tx++;
	p->rcpts = 0;
	p->rcpts_ok = 0;
	p->flags = (uint16_t)((p->flags | SMTP_IN_TX) & ~(SMTP_CONTENT | SMTP_SENT | SMTP_DENIED));
}

void
smtp_begin_content(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		smtp_begin_tx(p);
	p->flags &= (uint16_t)~SMTP_CHUNK;
	mail_content_dot(m, s, MAIL_CLIENT);
}

void
smtp_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen)
{
	struct smtp *p = &s->p.smtp;
	if (p->last == CMD_XEXCH50)
		return; /* that was none */
	if (p->flags & SMTP_CHUNK && seen)
		return; /* more chunks are to come */
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, side);
	ev->tx = p->tx;
	ev->flag = seen;
	if (!seen)
		return;
	p->flags |= SMTP_SENT;
	if (s->flags & MAIL_SESSION_ONE_SIDED) {
		smtp_result(m, s, p->tx, MAIL_RESULT_UNKNOWN);
		return;
	}
	if (p->queue != 0 && p->last == CMD_EOD &&
	    smtp_awaits(m, p, smtp_waiting(m, p) - 1u)->tx == p->tx)
		return; /* BDAT LAST: its command is already waiting */
	smtp_push_end(m, s);
}

void
smtp_confirm(struct mail *m, struct mail_session *s)
{
	if (!(s->p.smtp.flags & SMTP_SURE))
		mail_emit(m, MAIL_CONFIRMED, MAIL_CLIENT);
	s->p.smtp.flags |= SMTP_SURE;
}
