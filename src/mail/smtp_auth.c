/*
 * AUTH of SMTP (see smtp.h): RFC 4954; where a secret stands in what the client says, and what
 * became of an attempt.
 *
 * It sees no secret: how many octets were left out, and the first of them, is all.
 */
#include "base/text.h"
#include "mail/smtp.h"

void
smtp_auth(struct mail *m, struct mail_session *s, const char *arg, size_t len,
    const struct mail_line *l)
{
	size_t n = mail_word_len(arg, len);
	if (n > 0) /* without a mechanism it is an error, and no attempt */
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, arg, n);
	if (l->hidden > 1 || (l->hidden == 1 && l->hidden_first != '='))
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	smtp_push(m, s, CMD_AUTH);
	if (s->flags & MAIL_SESSION_ONE_SIDED) /* the password may follow a name that stands here */
		s->p.smtp.flags |= SMTP_AUTH_OPEN;
}

void
smtp_auth_response(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	s->p.smtp.flags &= (uint16_t)~SMTP_AUTH_OPEN;
	bool cancel = l->hidden <= 2 && l->hidden_first == '*';
	bool empty = l->hidden == 0 || (l->hidden <= 2 && l->hidden_first == '=');
	if (!cancel && !empty)
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	smtp_push(m, s, cancel ? CMD_CANCEL : CMD_AUTH);
	if (!(s->flags & MAIL_SESSION_ONE_SIDED))
		return;
	if (cancel)
		smtp_auth_reply(m, s, true); /* it will not be seen, and the client has decided */
	else
		s->p.smtp.flags |=
		    SMTP_AUTH_OPEN; /* LOGIN has two; a verb ends it, see smtp_secret */
}

void
smtp_auth_reply(struct mail *m, struct mail_session *s, bool cancelled)
{
	struct smtp *p = &s->p.smtp;
	if (!cancelled && p->code / 100 == 3) {
		p->flags |= SMTP_AUTH_OPEN;
		return;
	}
	p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
	/* 501 is due to a "*"; a server that had decided before it came may say 235 */
	mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index = p->code / 100 == 2 ? MAIL_AUTH_ACCEPTED
	    : cancelled							       ? MAIL_AUTH_CANCELLED
									       : MAIL_AUTH_REFUSED;
}

static bool
auth_pending(const struct smtp *p)
{
	return p->flags & SMTP_AUTH_OPEN || p->last == CMD_AUTH;
}

/* What smtp_secret says of a line that it has to read, whose first word begins at `start`. */
static __attribute__((noinline)) size_t
secret_from(const struct smtp *p, const char *line, size_t len, size_t start)
{
	size_t n = mail_word_len(line + start, len - start);
	if (n > 0 && line[start + n - 1] == '\r') /* the line end comes octet by octet */
		n--;
	if (smtp_verb(line + start, n) == CMD_AUTH) {
		size_t at = mail_skip_blanks(line, len, start + n);
		at += mail_word_len(line + at, len - at);
		return mail_skip_blanks(line, len, at);
	}
	if (ascii_is(line + start, n, "PASS"))
		return mail_skip_blanks(line, len, start + n);
	if (auth_pending(p) && smtp_verb(line + start, n) == CMD_NONE &&
	    !smtp_may_become_verb(line + start, n))
		return 0;
	return len;
}

/*
 * "AUTH" mechanism, and the initial response behind it; a line that answers a 334; and while an
 * AUTH awaits its answer any line that is no command.
 */
size_t
smtp_secret(struct mail *m, const struct mail_session *s, enum mail_side side, const char *line,
    size_t len)
{
	(void)m;
	const struct smtp *p = &s->p.smtp;
	if (side != MAIL_CLIENT)
		return len;
	if (p->flags & SMTP_AUTH_OPEN && !(s->flags & MAIL_SESSION_ONE_SIDED))
		return mail_begins_quit(line, len) ? len : 0;
	size_t start = mail_skip_blanks(line, len, 0);
	char first = start < len ? ascii_lower(line[start]) : '\0';
	if (first != 'a' && first != 'p' && first != 'x' && !auth_pending(p))
		return len; /* as nearly always: no AUTH, X-EXPS or PASS, nor an answer */
	return secret_from(p, line, len, start);
}
