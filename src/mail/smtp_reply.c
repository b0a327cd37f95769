/*
 * The server's side of SMTP and LMTP (see smtp.h): replies, each read by the command that it
 * answers (RFC 5321 section 4.2; 454 and 530 mean one thing to STARTTLS and another to AUTH and
 * MAIL).
 *
 * Assumes whole lines.  A reply of more than LIMIT_REPLY_LINES lines is cut there.
 */
#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "mail/smtp.h"

static void
evidence(struct mail *m, const char *line, size_t len)
{
	mail_emit_text(m, MAIL_EVIDENCE, MAIL_SERVER, line, len);
}

/* A line of a capability list. */
static void
list_line(struct mail *m, struct mail_session *s, const char *text, size_t len)
{
	struct smtp *p = &s->p.smtp;
	size_t n = mail_word_len(text, len);
	uint32_t keyword = smtp_keyword(text, n);
	bool same;
	p->keywords |= keyword;
	if (keyword & smtp_keywords_sure())
		p->flags |= SMTP_LIST_SURE;
	if (keyword == 0 && mail_is_mangled(text, n, "STARTTLS", &same)) {
		struct mail_event *ev = mail_emit(m, MAIL_MANGLED, MAIL_SERVER);
		ev->text = text;
		ev->len = len;
		ev->flag = same;
	}
}

/* An ordinary line of a list at `at`: its length without its end, and its keyword.  False where it
 * is not all there, or there is anything else to be said of it. */
static bool
list_line_plain(const char *at, const char *end, size_t *len, uint32_t *keyword)
{
	size_t n = scan_lf((const uint8_t *)at, (size_t)(end - at));
	bool same;
	if (n == (size_t)(end - at) || n > LIMIT_LINE || n < 6)
		return false;
	n -= at[n - 1] == '\r';
	if (at[n - 1] == '\r') /* more of them than one */
		return false;
	if (memcmp(at, "250", 3) != 0 || (at[3] != '-' && at[3] != ' '))
		return false;
	size_t word = mail_word_len(at + 4, n - 4);
	*keyword = smtp_keyword(at + 4, word);
	*len = n;
	return *keyword != 0 || !mail_is_mangled(at + 4, word, "STARTTLS", &same);
}

/* Reads the lines of a list; false where they are not all there, or not all ordinary. */
static bool
list_read(struct mail_list *list, const char *octets, size_t len)
{
	const char *at = octets, *end = octets + len;
	uint32_t keyword;
	size_t n;
	bool more = true;
	list->keywords = 0;
	for (unsigned lines = 1; more; lines++) {
		if (lines == LIMIT_REPLY_LINES || !list_line_plain(at, end, &n, &keyword))
			return false;
		list->keywords |= keyword;
		list->last = (uint16_t)(at - octets);
		list->last_len = (uint16_t)n;
		more = at[3] == '-';
		at += n + (at[n] == '\r') + 1;
	}
	return at == end;
}

/* Where a list would be remembered, by octets from all over it: those of two servers may differ in
 * one place. */
static struct mail_list *
list_place(struct mail *m, const char *octets, size_t len)
{
	uint64_t sum = len, w;
	for (size_t i = 0; i < 4; i++) {
		memcpy(&w, octets + (len - sizeof w) * i / 3, sizeof w);
		sum = (sum ^ w) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	return &m->lists[sum % MAIL_LISTS];
}

/*
 * The lines of a list behind its first one at once, where they are ordinary and nothing follows, as
 * is nearly always so: then the last one is handed out, and none is left to be read.  A list is
 * half of the lines of a short session.  Line by line it costs 4,400 instructions, at once 1,800,
 * and 200 where it was read before: a server says the same to everybody.
 */
static bool
list_at_once(struct mail *m, struct mail_session *s, const char **last, size_t *len)
{
	struct smtp *p = &s->p.smtp;
	const char *octets = (const char *)m->data;
	if (m->side != MAIL_SERVER || m->behind_left > 0 ||
	    s->mode[MAIL_SERVER] != MAIL_MODE_LINES || s->line[MAIL_SERVER] != 0 ||
	    m->left < sizeof(uint64_t) || m->left > MAIL_LIST)
		return false;
	struct mail_list *list = list_place(m, octets, m->left);
	if (list->len != m->left || memcmp(list->octets, octets, m->left) != 0) {
		list->len = 0;
		if (!list_read(list, octets, m->left))
			return false;
		list->len = (uint16_t)m->left;
		memcpy(list->octets, octets, m->left);
	}
	p->keywords |= list->keywords;
	if (list->keywords & smtp_keywords_sure())
		p->flags |= SMTP_LIST_SURE;
	*last = octets + list->last;
	*len = list->last_len;
	m->data += m->left;
	m->left = 0;
	return true;
}

static void
list_over(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	struct mail_event *ev =
	    mail_emit(m, p->flags & SMTP_LIST_CUT ? MAIL_OFFER_CUT : MAIL_OFFER, MAIL_SERVER);
	ev->flag = smtp_offered(p);
	ev->keywords = p->keywords;
	p->flags =
	    (uint16_t)((p->flags & ~SMTP_WAS_OFFERED) | (smtp_offered(p) ? SMTP_WAS_OFFERED : 0));
}

/*
 * Was the DATA that a 354 answers lost, and nothing else that began another transaction?  That
 * takes two replies more, to MAIL and RCPT (RFC 5321 section 4.1.4); all that came since are known.
 */
static bool
lost_data_only(const struct mail *m, const struct smtp *p)
{
	const struct smtp_pending *lost = smtp_front(m, p);
	return lost != NULL && lost->what == CMD_LOST && lost->first < 2 && p->flags & SMTP_IN_TX &&
	    !(p->flags & (SMTP_SENT | SMTP_CONTENT | SMTP_SERVER_LOST));
}

/* Says the reply that the server did what it was told, or looked at a password? */
static bool
does(const struct smtp *p)
{
	return (p->code / 100 == 2 && p->code != 220 && p->code != 221 &&
		   !(p->flags & SMTP_SERVER_LOST)) ||
	    p->code == 535;
}

/* What the code answers, where no command is left that it could answer (its client was not seen).
 */
static void
reply_without_command(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	bool one_sided = (s->flags & MAIL_SESSION_ONE_SIDED) != 0;
	if (p->code / 100 != 3)
		p->flags &=
		    (uint16_t)~SMTP_AUTH_OPEN; /* the answer was lost, and this is its end */
	if (p->flags & SMTP_IMPLIED && one_sided && p->code != 354 && p->code != 421) {
		/* a 354 and its answer prove a message (whose octets were not captured), but for
		 * 421, which a server that shuts down may say at any time */
		struct mail_event *ev = mail_emit(m, MAIL_CONTENT_BEGIN, MAIL_SERVER);
		ev->tx = p->tx;
		ev->flag = true;
		ev = mail_emit(m, MAIL_CONTENT_END, MAIL_SERVER);
		ev->tx = p->tx;
		ev->flag = true;
		mail_resync(m, s, MAIL_CLIENT);
		p->flags = (uint16_t)((p->flags | SMTP_SENT) & ~SMTP_IMPLIED);
		smtp_result(m, s, p->tx, p->code < 300 ? MAIL_ACCEPTED : MAIL_REJECTED);
		return;
	}
	bool list = p->flags & SMTP_LIST && (p->flags & SMTP_LIST_SURE || smtp_offered(p));
	struct smtp_pending *lost = smtp_front(m, p);
	if (lost != NULL && p->code != 354 && lost->first < UINT16_MAX)
		lost->first++;
	bool unasked = lost == NULL && !(s->flags & MAIL_SESSION_MIDSTREAM);
	if (one_sided ? !list && p->code != 220 && p->code != 221 : unasked && does(p))
		mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* it may have answered an envelope */
	switch (p->code) {
	case 354:
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
			break; /* the client did not wait for it */
		if (!lost_data_only(m, p))
			smtp_begin_tx(p); /* what follows it may be seen or not */
		mail_content_dot(m, s, MAIL_CLIENT);
		p->flags = (uint16_t)((p->flags & ~SMTP_IMPLIED) | (one_sided ? SMTP_IMPLIED : 0u));
		break;
	case 235:
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index = MAIL_AUTH_ACCEPTED;
		break;
	case 334: p->flags |= SMTP_AUTH_OPEN; break;
	case 220:
		if (one_sided && p->flags & SMTP_WAS_OFFERED) {
			mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* STARTTLS was */
			mail_upgrade(m, s);		      /* only TLS will tell */
		}
		break;
	default:
		if (list)
			list_over(m, s);
		if (list && smtp_front(m, p) != NULL) /* not its EHLO alone may be lost */
			mail_emit(m, MAIL_LOST, MAIL_CLIENT);
		break;
	}
}

/*
 * A reply that answers DATA or AUTH only, and is said to what was not known as either: the server
 * took it for that (DATA with an argument, a verb in quotes or behind a control octet).
 */
static void
reply_to_strange(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	smtp_pop(m, p);
	if (p->code != 354) {
		reply_without_command(m, s);
		return;
	}
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
		return;
	smtp_begin_content(m, s);
	p->last = CMD_DATA; /* as it was */
}

/*
 * A transaction's last reply; of LMTP one of them, each for a recipient (RFC 2033 section 4.2).
 * There `first` began as their number, as `count` did, and grows as that one falls.
 */
static void
reply_to_content(struct mail *m, struct mail_session *s, struct smtp_pending cmd)
{
	struct smtp *p = &s->p.smtp;
	bool ok = p->code < 300;
	if (p->flags & SMTP_LMTP && cmd.first >= cmd.count) {
		struct mail_event *ev = mail_emit(m, MAIL_RECIPIENT_RESULT, MAIL_SERVER);
		ev->tx = cmd.tx;
		ev->index = (uint16_t)((cmd.first - cmd.count) / 2);
		ev->flag = ok;
		if (cmd.count > 1)
			return;
	}
	smtp_result(m, s, cmd.tx, ok ? MAIL_ACCEPTED : MAIL_REJECTED);
}

static void
upgrade_reply(struct mail *m, const struct smtp *p, const char *line)
{
	struct mail_event *ev = mail_emit(m, MAIL_UPGRADE_REPLY, MAIL_SERVER);
	ev->code = p->code;
	ev->flag = p->code == 220;
	ev->text = line;
	ev->len = 3;
}

static void
reply_to_starttls(struct mail *m, struct mail_session *s, const char *line, size_t len,
    uint16_t injected)
{
	struct smtp *p = &s->p.smtp;
	bool go = p->code == 220;
	if (!go && p->flags & SMTP_SERVER_LOST)
		return; /* the answer may be what was lost, and this another's */
	upgrade_reply(m, p, line);
	if (go) {
		/* a line, or the start of one, between STARTTLS and this */
		bool begun = s->mode[MAIL_CLIENT] == MAIL_MODE_LINES && s->line[MAIL_CLIENT] != 0;
		if (injected != 0 || begun) {
			const char *verb = smtp_verb_at(injected);
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_INJECTION);
			mail_emit_text(m, MAIL_EVIDENCE, MAIL_CLIENT, verb, strlen(verb));
		}
		smtp_forget(m, p);
		p->flags |= SMTP_TLS_DUE;
		mail_upgrade(m, s);
		return;
	}
	evidence(m, line, len);
	if ((p->code == 500 || p->code == 502) && p->flags & SMTP_WAS_OFFERED) {
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_STARTTLS_DENIED);
	}
}

/*
 * Which replies were lost is not known: what waits for one does not get the next one's.  To a
 * client that sends content before the 354, as many replies may come as there are commands before
 * its DATA: until then none says that the content is over.
 */
static void
forget_pending(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	bool ahead = s->mode[MAIL_CLIENT] == MAIL_MODE_DOT && smtp_awaits_any(m, p, CMD_DATA);
	for (uint8_t i = 0, n = ahead ? 1 : smtp_waiting(m, p); i < n; i++) {
		const struct smtp_pending *q = smtp_awaits(m, p, i);
		if (q->what == CMD_EOD)
			smtp_result(m, s, q->tx, MAIL_RESULT_UNKNOWN);
	}
	if (ahead)
		smtp_pop(m, p);
	else
		smtp_forget(m, p);
}

/* Commands that end the transaction that they find (smtp_push_over). */
static bool
ends_tx(uint8_t what)
{
	return what == CMD_RSET || what == CMD_QUIT || what == CMD_EHLO || what == CMD_HELO ||
	    what == CMD_MAIL;
}

/* Does the reply to that command tell what becomes of a mail? */
static bool
is_of_delivery(const struct mail_session *s, uint8_t what)
{
	return what == CMD_MAIL || what == CMD_RCPT || what == CMD_EOD ||
	    (what == CMD_DATA && mail_content_begun(s, MAIL_CLIENT));
}

/* The server would not have the content of `tx`: when that is given up, it was rejected. */
static void
denied(struct mail *m, struct smtp *p, uint8_t tx)
{
	if (tx == p->tx && p->flags & SMTP_IN_TX)
		p->flags |= SMTP_DENIED;
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n; i++) {
		struct smtp_pending *q = smtp_awaits(m, p, i);
		if (q->first == tx + 1u && ends_tx(q->what))
			q->first |= SMTP_OVER_DENIED;
	}
}

/* Is most of a greeting overwritten? */
static bool
is_masked(const char *text, size_t len)
{
	size_t stars = 0;
	if (memchr(text, '*', len) == NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		stars += text[i] == '*';
	return stars >= 8 && stars * 2 > len;
}

static void
greeting(struct mail *m, const struct smtp *p, const char *line, size_t len)
{
	struct mail_event *ev = mail_emit(m, MAIL_GREETING, MAIL_SERVER);
	ev->code = p->code;
	ev->text = line + 4;
	ev->len = len - 4;
	if (is_masked(line + 4, len - 4))
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_BANNER_MASKED);
}

static bool
names_smtp(const char *line, size_t len)
{
	return ascii_find(line, len, "SMTP") != NULL || ascii_find(line, len, "LMTP") != NULL;
}

/* Is it surely a greeting, though the connection's start was not captured?  The answer to STARTTLS
 * may name SMTP too ("220 2.0.0 SMTP server ready"). */
static bool
is_late_greeting(const struct mail_session *s, const char *line, size_t len)
{
	return s->flags & MAIL_SESSION_MIDSTREAM && !(s->p.smtp.flags & SMTP_TALKED) &&
	    s->p.smtp.code == 220 && len > 5 && (line[4] != '2' || line[5] != '.') &&
	    names_smtp(line, len);
}

/* A complete reply. */
static void
reply(struct mail *m, struct mail_session *s, const char *line, size_t len)
{
	struct smtp *p = &s->p.smtp;
	/* codes that answer one kind of command only: what is before it in the queue was answered
	 * unseen */
	bool told = false;
	if (p->code == 354)
		told = smtp_pop_to(m, p, CMD_DATA);
	else if (p->code == 334 || p->code == 235 || p->code == 535)
		told = smtp_pop_to(m, p, CMD_AUTH);
	else if (p->code == 221)
		told = smtp_pop_to(m, p, CMD_QUIT);
	if (!told && (p->code == 354 || p->code == 334 || p->code == 235) &&
	    smtp_pop_to(m, p, CMD_STRANGE)) {
		reply_to_strange(m, s);
		return;
	}
	if (p->flags & SMTP_SERVER_LOST && p->code < 300 && smtp_front(m, p) != NULL &&
	    smtp_front(m, p)->what == CMD_DATA)
		smtp_pop(m, p); /* its 354 was lost: no other success answers it */
	const struct smtp_pending *first = smtp_front(m, p);
	if (p->code == 220 && first != NULL && first->what != CMD_CONNECT &&
	    first->what != CMD_STARTTLS && first->what != CMD_XCLIENT && first->what != CMD_LOST)
		return; /* a greeting that nobody awaited answers nothing */
	/* the reply may be what was lost, and this one of several due, or what a server says that
	 * waited for too long */
	bool unsure = p->flags & SMTP_SERVER_LOST && first != NULL &&
	    (smtp_waiting(m, p) > 1 || first->count > 1 ||
		(p->code >= 400 && is_of_delivery(s, first->what)));
	/* 250 may be an answer to what was lost; whether anything was, is known above */
	bool no = p->code == 250 && first != NULL && first->what == CMD_STARTTLS;
	if (!told && (unsure || no || p->code == 221 /* nobody said QUIT */)) {
		if (no && !unsure)
			upgrade_reply(m, p, line);
		forget_pending(m, s);
		return;
	}
	if (first != NULL && first->what == CMD_EMPTY && p->code < 500)
		smtp_pop(m, p);
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT && !smtp_awaits_any(m, p, CMD_DATA) &&
	    p->code >= 200 && p->code != 354 &&
	    (s->flags & MAIL_SESSION_GAP || mail_dot_is_likely(s, MAIL_CLIENT))) {
		mail_content_stop(m, s, MAIL_CLIENT); /* the server saw an end that we did not */
		if (p->flags & SMTP_SERVER_LOST && p->code >= 400) {
			forget_pending(m, s);
			return;
		}
	}
	struct smtp_pending *f = smtp_front(m, p);
	if (f == NULL || f->what == CMD_LOST) {
		if (f == NULL && is_late_greeting(s, line, len))
			greeting(m, p, line, len);
		reply_without_command(m, s);
		return;
	}
	struct smtp_pending cmd = *f;
	smtp_pop(m, p);
	if (cmd.first > 0 && ends_tx(cmd.what))
		smtp_result(m, s, (uint8_t)((cmd.first & ~SMTP_OVER_DENIED) - 1u),
		    cmd.first & SMTP_OVER_DENIED ? MAIL_REJECTED : MAIL_ABORTED);
	switch (cmd.what) {
	case CMD_CONNECT:
		/* 220, or 421 and 554: the host will not serve */
		if (len > 4 && (p->code == 220 || p->code >= 400))
			greeting(m, p, line, len);
		if (names_smtp(line, len))
			smtp_confirm(m, s);
		break;
	case CMD_EHLO:
		if (p->code >= 400) {
			mail_emit(m, MAIL_EHLO_REFUSED, MAIL_SERVER)->code = p->code;
			evidence(m, line, len);
		} else
			list_over(m, s);
		break;
	case CMD_MAIL: {
		struct mail_event *ev = mail_emit(m, MAIL_SENDER_REPLY, MAIL_SERVER);
		ev->tx = cmd.tx;
		ev->flag = p->code < 400;
		ev->code = p->code;
		break;
	}
	case CMD_RCPT: {
		struct mail_event *ev = mail_emit(m, MAIL_RECIPIENT_REPLY, MAIL_SERVER);
		ev->tx = cmd.tx;
		ev->index = cmd.first;
		ev->flag = p->code < 400;
		ev->code = p->code;
		if (ev->flag)
			smtp_accepted_rcpt(m, p, cmd.tx);
		break;
	}
	case CMD_DATA:
		if (p->code >= 400)
			denied(m, p, cmd.tx);
		if (p->code >= 400 && s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
			s->mode[MAIL_CLIENT] = MAIL_MODE_LINES; /* refused: commands follow */
		else if (p->code < 300 && smtp_front(m, p) != NULL &&
		    smtp_front(m, p)->what == CMD_EOD) {
			cmd =
			    *smtp_front(m, p); /* the 354 was not seen: this answers the message */
			smtp_pop(m, p);
			reply_to_content(m, s, cmd);
		}
		break;
	case CMD_EOD: reply_to_content(m, s, cmd); break;
	case CMD_STARTTLS: reply_to_starttls(m, s, line, len, cmd.first); break;
	case CMD_BDAT:
		if (p->code >= 400)
			denied(m, p, cmd.tx);
		break;
	case CMD_AUTH:
	case CMD_CANCEL:
		if (p->code == 234 && !(p->flags & SMTP_SURE)) /* FTP's (RFC 4217 section 4) */
			mail_emit(m, MAIL_DENIED, MAIL_SERVER);
		smtp_auth_reply(m, s, cmd.what == CMD_CANCEL);
		break;
	case CMD_XCLIENT:
	case CMD_XFORWARD:
		if (p->code >= 400) /* it is not believed */
			mail_emit(m, MAIL_FORWARDED, MAIL_SERVER);
		else if (cmd.what == CMD_XCLIENT) /* the session begins anew: it offers again */
			p->flags &= (uint16_t)~SMTP_WAS_OFFERED;
		break;
	case CMD_XEXCH50:
		if (p->code != 354)
			break;
		smtp_push(m, s, CMD_XEXCH50); /* the octets are answered too */
		if (cmd.first > 0)
			mail_content_literal(m, s, MAIL_CLIENT, cmd.first);
		else
			mail_resync(m, s, MAIL_CLIENT);
		break;
	case CMD_STRANGE:
		if (does(p))
			mail_emit(m, MAIL_LOST, MAIL_CLIENT);
		break;
	case CMD_FTP:
		if (p->code < 400)
			mail_emit(m, MAIL_DENIED, MAIL_SERVER);
		break;
	case CMD_TURN:
		if (p->code < 300) { /* RFC 821 section 3.8, RFC 2645: not followed from here on */
			mail_emit(m, MAIL_LOST, MAIL_CLIENT);
			s->mode[MAIL_CLIENT] = s->mode[MAIL_SERVER] = MAIL_MODE_OFF;
		}
		break;
	default: break;
	}
}

void
smtp_server_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct smtp *p = &s->p.smtp;
	const char *t = l->s;
	if (p->flags & SMTP_TLS_DUE) {
		p->flags &= (uint16_t)~SMTP_TLS_DUE;
		evidence(m, l->s, l->len);
	}
	bool code = l->len >= 3 && t[0] >= '2' && t[0] <= '5' && t[1] >= '0' && t[1] <= '9' &&
	    t[2] >= '0' && t[2] <= '9' && (l->len == 3 || t[3] == ' ' || t[3] == '-');
	const struct smtp_pending *first = smtp_front(m, p);
	if (!code && l->len > 0 && p->flags & SMTP_TALKED && !(p->flags & SMTP_SURE) &&
	    first != NULL && first->what == CMD_CONNECT)
		mail_emit(m, MAIL_DENIED,
		    MAIL_SERVER); /* no greeting to a client that came first */
	if (!code)
		return; /* not a reply line: RFC 5321 section 4.2 knows no other */
	uint16_t number = (uint16_t)((t[0] - '0') * 100 + (t[1] - '0') * 10 + (t[2] - '0'));
	bool more = l->len > 3 && t[3] == '-';
	if (p->reply_lines == 0) {
		p->flags &= (uint16_t) ~(
		    SMTP_LIST | SMTP_LIST_SURE | (p->flags & SMTP_SERVER_LOST ? 0 : SMTP_LIST_CUT));
		p->code = number;
		p->keywords = 0;
	}
	struct smtp_pending *f = smtp_front(m, p);
	bool unseen = f == NULL || f->what == CMD_LOST; /* its command was */
	bool list = p->code == 250 && (unseen ? more || p->flags & SMTP_LIST : f->what == CMD_EHLO);
	if (list) {
		if (!unseen && p->reply_lines == 0 && !(p->flags & SMTP_SERVER_LOST) && l->len > 4)
			mail_emit_text(m, MAIL_SERVER_NAME, MAIL_SERVER, t + 4, l->len - 4);
		if (unseen)
			p->flags |= SMTP_LIST;
		if (p->flags & SMTP_SERVER_LOST)
			p->flags |= SMTP_LIST_CUT;
		if ((p->reply_lines > 0 || p->flags & SMTP_LIST_CUT) && l->len > 4)
			list_line(m, s, t + 4, l->len - 4);
	}
	size_t len = l->len;
	bool once = list && more && !unseen && p->reply_lines == 0 &&
	    !(p->flags & SMTP_SERVER_LOST) && list_at_once(m, s, &t, &len);
	if (!once && more && p->reply_lines < LIMIT_REPLY_LINES) {
		p->reply_lines++;
		return;
	}
	reply(m, s, t, len);
	p->reply_lines = 0;
	if (!(p->flags & SMTP_SERVER_LOST))
		p->flags &= (uint16_t)~SMTP_LIST_CUT;
}
