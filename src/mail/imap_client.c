/*
 * What a client of IMAP says: see imap.h.  Names and passwords never come here: the session cuts
 * them off (imap_secret), and literals that hold them are passed over.
 */
#include "base/text.h"
#include "mail/imap.h"

/* The literal that a command's line ends with. */
static void
client_literal(struct mail *m, struct mail_session *s, uint8_t what, bool first, const char *args,
    size_t args_len, const struct imap_literal *lit)
{
	struct imap *p = imap_of(m, s);
	enum imap_holds kind = LITERAL_SKIP;
	p->rest = what;
	p->flags &= ~(IMAP_SYNC | IMAP_MAILBOX);
	switch (what) {
	case IMAP_LOGIN:
	case IMAP_AUTHENTICATE: kind = lit->octets > 0 ? LITERAL_SECRET : LITERAL_SKIP; break;
	case IMAP_APPEND:
		if (first && args_len == 0)
			p->flags |= IMAP_MAILBOX;
		else
			kind = LITERAL_MESSAGE;
		if (ascii_find(args, args_len, "CATENATE (") != NULL)
			p->rest = IMAP_CATENATE;
		break;
	case IMAP_CATENATE: /* a further piece of the message that began before */
		mail_emit(m, MAIL_EXPOSED, MAIL_CLIENT)->index = MAIL_EXPOSED_BODY;
		break;
	default: break;
	}
	p->flags |= lit->sync ? IMAP_SYNC : 0;
	imap_begin_literal(m, s, MAIL_CLIENT, kind, lit->octets);
	if (imap_is_one_sided(s) || s->mode[MAIL_SERVER] == MAIL_MODE_RESYNC)
		imap_doubt_literal(m, s);
	if (kind != LITERAL_MESSAGE || imap_is_one_sided(s))
		return;
	unsigned open = 1;
	for (unsigned i = 0; i < p->q_len; i++)
		open += p->q[i].count;
	if (open >= LIMIT_OPEN_MESSAGES) /* one place is for what is fetched */
		imap_give_up_append(m, p);
	for (unsigned i = 0; i < p->q_len; i++) { /* its answer is that of all its messages */
		struct imap_pending *q = &p->q[i];
		if (q->what != IMAP_APPEND || q->tag != p->rest_tag)
			continue;
		if (q->count == 0)
			q->tx = p->tx;
		q->count++;
		return;
	}
}

static void
auth_response(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = imap_of(m, s);
	size_t n = l->len + l->hidden;
	char first = l->len > 0 ? l->s[0] : (char)l->hidden_first;
	bool cancel = n > 0 && n <= 2 && first == '*';
	p->flags &= ~IMAP_AUTH_OPEN;
	if (cancel) {
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_CLIENT)->index = MAIL_AUTH_CANCELLED;
		for (unsigned i = 0; i < p->q_len; i++) {
			if (p->q[i].what == IMAP_AUTHENTICATE) {
				imap_forget(p, i); /* BAD is the answer */
				return;
			}
		}
	} else if (n > 0 && !(n <= 2 && first == '=')) {
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	}
}

/* A line behind a literal. */
static void
client_rest(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = imap_of(m, s);
	const char *text = l->tail != NULL ? l->tail : l->s;
	size_t len = l->tail != NULL ? LIMIT_LINE_TAIL : l->len;
	struct imap_literal lit;
	unsigned seen = 0;
	p->flags &= ~IMAP_REST;
	if (p->rest == IMAP_LOGIN) {
		(void)imap_login_secret(l->s, l->len, 0, p->args, &seen);
		p->args = (uint8_t)(p->args + seen);
	}
	if (l->hidden > 0) {
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		return;
	}
	if (imap_literal_of(text, len, &lit))
		client_literal(m, s, p->rest, false, text, lit.at, &lit);
}

static void
client_auth(struct mail *m, struct mail_session *s, const struct mail_line *l,
    const struct imap_parts *c)
{
	struct imap *p = imap_of(m, s);
	if (c->what == IMAP_LOGIN) {
		unsigned seen;
		struct imap_literal lit;
		(void)imap_login_secret(l->s, l->len, c->arg, 0, &seen);
		p->args = (uint8_t)seen;
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, "LOGIN-COMMAND", 13);
		/* the name and the password are an answer each, as of SASL's LOGIN */
		bool name = seen > 0 &&
		    !(imap_literal_of(l->s, l->len, &lit) &&
			mail_skip_blanks(l->s, l->len, c->arg) == lit.at);
		if (name)
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		if (l->hidden > 0)
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		return;
	}
	size_t n = mail_word_len(l->s + c->arg, l->len - c->arg);
	mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, l->s + c->arg, n);
	if (l->hidden > 2 || (l->hidden > 0 && l->hidden_first != '='))
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
}

static void
client_command(struct mail *m, struct mail_session *s, const struct mail_line *l,
    const struct imap_parts *c)
{
	struct imap *p = imap_of(m, s);
	const char *args = l->s + c->arg;
	size_t args_len = l->len - c->arg;
	uint32_t tag = imap_tag(l->s, c->tag_len);
	p->rest_tag = tag;
	if (imap_is_one_sided(s) || p->flags & IMAP_LOST)
		imap_forget_attempts(p); /* whatever they had for an answer */
	if (!(c->what == IMAP_FETCH && ascii_find(args, args_len, "]<") != NULL))
		imap_pieces_over(m, p);
	switch ((enum imap_command)c->what) {
	case IMAP_STARTTLS: mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT); break;
	case IMAP_CAPABILITY:
		mail_emit(m, MAIL_ASKED, MAIL_CLIENT);
		if (imap_is_one_sided(s))
			return;
		break;
	case IMAP_LOGIN:
	case IMAP_AUTHENTICATE: client_auth(m, s, l, c); break;
	case IMAP_ID: {
		size_t n = imap_agent(args, args_len, m->said, sizeof m->said);
		if (n > 0)
			mail_emit_text(m, MAIL_AGENT, MAIL_CLIENT, m->said, n);
		return;
	}
	case IMAP_FETCH:
		if (imap_is_one_sided(s)) /* what it fetched is not captured */
			mail_emit(m, MAIL_LOST, MAIL_CLIENT);
		return;
	case IMAP_COMPRESS:
		if (imap_is_one_sided(s)) { /* and whether it was granted is not */
			mail_emit(m, MAIL_USED, MAIL_CLIENT)->index = MAIL_EXT_COMPRESS;
			mail_compress_unread(m, s);
			return;
		}
		break;
	case IMAP_APPEND:
		if (imap_is_one_sided(s))
			return;
		break;
	default: return;
	}
	imap_await(m, s, tag, c->what);
}

void
imap_client_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = imap_of(m, s);
	struct imap_parts c = imap_split(l->s, l->len);
	const char *text = l->tail != NULL ? l->tail : l->s;
	size_t len = l->tail != NULL ? LIMIT_LINE_TAIL : l->len;
	struct imap_literal lit;
	if (imap_awaits(p, IMAP_STARTTLS))
		p->flags |= IMAP_INJECTED;
	if (p->flags & IMAP_REST) {
		client_rest(m, s, l);
		return;
	}
	bool early = c.what == IMAP_NONE && l->len > 0 && c.word == l->len &&
	    imap_awaits(p, IMAP_AUTHENTICATE); /* short, and before it was asked for */
	if ((l->len == 0 && (l->hidden > 0 || p->flags & IMAP_AUTH_OPEN)) || early) {
		auth_response(m, s, l);
		return;
	}
	p->flags &= ~IMAP_AUTH_OPEN;
	if (c.what != IMAP_NONE) {
		if (!(p->flags & IMAP_SURE))
			mail_emit(m, MAIL_CONFIRMED, MAIL_CLIENT);
		p->flags |= IMAP_SURE;
		client_command(m, s, l, &c);
		if (s->mode[MAIL_CLIENT] != MAIL_MODE_LINES)
			return;
	} else {
		p->flags |= IMAP_UNKNOWN;
	}
	if (l->hidden == 0 && imap_literal_of(text, len, &lit)) {
		bool cut = l->tail != NULL;
		size_t at = cut || c.arg > lit.at ? 0 : c.arg;
		client_literal(m, s, c.what, !cut, text + at, lit.at - at, &lit);
	}
}
