/*
 * The SMTP and LMTP row: RFC 5321, 2033 (LMTP), 3207 (STARTTLS), 4954 (AUTH), 3030 (CHUNKING), 2920
 * (PIPELINING), 8689 (REQUIRETLS).
 *
 * Commands wait in a short queue for their replies, since a reply means nothing without its command
 * (454 is "no TLS" to STARTTLS and "temporary failure" to AUTH).  Runs of like commands take one
 * entry.  The conductor hands octets over in causal order: what one side had seen before it spoke
 * comes first; so a lost command or reply can be told by what is left in the queue.
 *
 * Transactions are numbered by their MAIL command.  It does not keep addresses, only counts them.
 */
#include <string.h>

#include "base/text.h"
#include "mail/protocol.h"
#include "mail/smtp_syntax.h"

#define SMTP_LMTP	 0x0001u
#define SMTP_SURE	 0x0002u /* MAIL_CONFIRMED was emitted */
#define SMTP_IN_TX	 0x0004u /* a MAIL or content began a transaction that is not over */
#define SMTP_AUTH_OPEN	 0x0008u /* the client's next line answers a 334 */
#define SMTP_OFFERED	 0x0010u /* STARTTLS is in the capability list under way */
#define SMTP_LIST_CUT	 0x0020u /* octets of that list were lost */
#define SMTP_INJECTED	 0x0040u /* the client spoke between STARTTLS and its answer */
#define SMTP_SERVER_LOST 0x0080u /* octets of the server were lost since the last command */
#define SMTP_WAS_OFFERED 0x0100u /* the last complete list had STARTTLS */
#define SMTP_CONTENT	 0x0200u /* content of the transaction was begun */
#define SMTP_IMPLIED	 0x0400u /* content whose octets cannot be seen */
#define SMTP_LIST	 0x0800u /* the reply under way is a capability list */
#define SMTP_TALKED	 0x1000u /* the client has spoken */
#define SMTP_SENT	 0x2000u /* the content of the transaction ended; its reply is due */
#define SMTP_LIST_SURE	 0x8000u /* with a keyword that only such a list has */
#define SMTP_CHUNK	 0x4000u /* the BDAT chunk under way is not the last */

/* ---- the queue ---- */

static void
push(struct mail *m, struct mail_session *s, uint8_t what)
{
	struct smtp *p = &s->p.smtp;
	if (s->flags & MAIL_SESSION_ONE_SIDED) { /* no reply will ever be seen */
		p->q_len = 0;
		return;
	}
	struct smtp_pending *last = p->q_len > 0 ? &p->q[p->q_len - 1] : NULL;
	if (p->flags & SMTP_SERVER_LOST && what != CMD_EOD) {
		/* the client went on, so it had its answers: they are what was lost */
		bool list = false;
		for (uint8_t i = 0; i < p->q_len; i++)
			list |= p->q[i].what == CMD_EHLO;
		if (list)
			mail_emit(m, MAIL_OFFER_CUT, MAIL_SERVER)->flag =
			    (p->flags & SMTP_OFFERED) != 0;
		p->q_len = 0;
		p->reply_lines = 0;
		p->flags &=
		    (uint16_t) ~(SMTP_SERVER_LOST | SMTP_OFFERED | SMTP_LIST_CUT | SMTP_LIST);
		last = NULL;
	}
	if (last != NULL && last->what == CMD_LOST) {
		p->q_len--; /* whatever was lost has been answered before the client spoke again */
		last = p->q_len > 0 ? &p->q[p->q_len - 1] : NULL;
	}
	if (last != NULL && last->what == what && last->tx == p->tx && last->count < UINT16_MAX &&
	    (what == CMD_RCPT || what == CMD_OTHER)) {
		last->count++;
		return;
	}
	if (p->q_len == LIMIT_PENDING) {
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_PIPELINE);
		p->q_len = 0;
	}
	p->q[p->q_len++] =
	    (struct smtp_pending){what, p->tx, what == CMD_RCPT ? (uint16_t)(p->rcpts - 1) : 0, 1};
}

static struct smtp_pending *
front(struct smtp *p)
{
	return p->q_len > 0 ? &p->q[0] : NULL;
}

static void
pop(struct smtp *p)
{
	if (p->q_len > 0 && --p->q[0].count > 0) {
		p->q[0].first++;
		return;
	}
	if (p->q_len > 0)
		memmove(p->q, p->q + 1, sizeof p->q[0] * --p->q_len);
}

/* Drops the entries before the first `what`, if there is one: their replies were not seen. */
static bool
pop_to(struct smtp *p, uint8_t what)
{
	for (uint8_t i = 0; i < p->q_len; i++) {
		if (p->q[i].what == what) {
			p->q_len = (uint8_t)(p->q_len - i);
			memmove(p->q, p->q + i, sizeof p->q[0] * p->q_len);
			return true;
		}
	}
	return false;
}

/* ---- transactions ---- */

static int
smtp_tx(const struct mail_session *s)
{
	return s->p.smtp.tx;
}

static void
result(struct mail *m, struct mail_session *s, uint8_t tx, enum mail_result r)
{
	struct mail_event *ev = mail_emit(m, MAIL_RESULT, MAIL_SERVER);
	ev->tx = tx;
	ev->index = (uint16_t)r;
	if (tx == s->p.smtp.tx && s->p.smtp.flags & SMTP_SENT)
		s->p.smtp.flags &= (uint16_t) ~(SMTP_IN_TX | SMTP_CONTENT | SMTP_SENT);
}

/*
 * RSET, EHLO, MAIL, QUIT: the transaction under way is given up, unless its content was sent.  That
 * is final with the command's reply, when the replies to its RCPTs have come.  Returns its number +
 * 1, or 0.
 */
static uint16_t
give_up_tx(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		return 0;
	if (s->flags & MAIL_SESSION_ONE_SIDED) {
		result(m, s, p->tx, MAIL_ABORTED);
		p->flags &= (uint16_t) ~(SMTP_IN_TX | SMTP_CONTENT);
		return 0;
	}
	p->flags &= (uint16_t) ~(SMTP_IN_TX | SMTP_CONTENT);
	return (uint16_t)(p->tx + 1u);
}

/* Queues a command that ends the transaction `over` - 1 (none where it is 0). */
static void
push_over(struct mail *m, struct mail_session *s, uint8_t what, uint16_t over)
{
	struct smtp *p = &s->p.smtp;
	push(m, s, what);
	if (p->q_len > 0)
		p->q[p->q_len - 1].first = over;
}

static void
begin_tx(struct smtp *p)
{
	p->tx++;
	p->rcpts = 0;
	p->rcpts_ok = 0;
	p->flags = (uint16_t)((p->flags | SMTP_IN_TX) & ~(SMTP_CONTENT | SMTP_SENT));
}

static void
smtp_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen)
{
	struct smtp *p = &s->p.smtp;
	if (p->flags & SMTP_CHUNK && seen)
		return; /* more chunks are to come */
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, side);
	ev->tx = p->tx;
	ev->flag = seen;
	if (!seen)
		return;
	p->flags |= SMTP_SENT;
	if (s->flags & MAIL_SESSION_ONE_SIDED) {
		result(m, s, p->tx, MAIL_RESULT_UNKNOWN);
		return;
	}
	if (p->q_len > 0 && p->q[p->q_len - 1].what == CMD_EOD && p->q[p->q_len - 1].tx == p->tx)
		return; /* BDAT LAST: its command is already waiting */
	push(m, s, CMD_EOD);
	if (p->flags & SMTP_LMTP && p->rcpts_ok > 0)
		p->q[p->q_len - 1].count = p->rcpts_ok;
}

/* ---- the client's lines ---- */

static void
confirm(struct mail *m, struct mail_session *s)
{
	if (!(s->p.smtp.flags & SMTP_SURE))
		mail_emit(m, MAIL_CONFIRMED, MAIL_CLIENT);
	s->p.smtp.flags |= SMTP_SURE;
}

static void
client_mail(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	const char *colon = memchr(arg, ':', len);
	const char *path = arg;
	size_t path_len = 0;
	if (!ascii_begins(arg, len, "FROM") || colon == NULL) {
		push(m, s, CMD_OTHER);
		return;
	}
	confirm(m, s);
	uint16_t over = give_up_tx(m, s);
	begin_tx(p);
	smtp_path(colon + 1, len - (size_t)(colon + 1 - arg), &path, &path_len);
	struct mail_event *ev = mail_emit(m, MAIL_SENDER, MAIL_CLIENT);
	ev->tx = p->tx;
	ev->text = path;
	ev->len = path_len;
	const char *rest = path + path_len;
	if (ascii_find(rest, len - (size_t)(rest - arg), " REQUIRETLS") != NULL)
		mail_emit(m, MAIL_REQUIRETLS, MAIL_CLIENT)->tx = p->tx;
	push_over(m, s, CMD_MAIL, over);
}

static void
client_rcpt(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	const char *colon = memchr(arg, ':', len);
	const char *path;
	size_t path_len;
	if (!ascii_begins(arg, len, "TO") || colon == NULL) {
		push(m, s, CMD_OTHER);
		return;
	}
	confirm(m, s);
	if (!(p->flags & SMTP_IN_TX))
		begin_tx(p); /* its MAIL was lost, or never sent */
	smtp_path(colon + 1, len - (size_t)(colon + 1 - arg), &path, &path_len);
	struct mail_event *ev = mail_emit(m, MAIL_RECIPIENT, MAIL_CLIENT);
	ev->tx = p->tx;
	ev->text = path;
	ev->len = path_len;
	if (p->rcpts < UINT16_MAX)
		p->rcpts++;
	push(m, s, CMD_RCPT);
}

static void
client_data(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		begin_tx(p); /* no MAIL before it: content may cross all the same */
	push(m, s, CMD_DATA);
	p->flags &= (uint16_t)~SMTP_CHUNK;
	/* Whatever follows is content unless the answer is an error that comes first. */
	mail_content_dot(m, s, MAIL_CLIENT);
}

static void
client_bdat(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	uint64_t octets;
	bool last;
	if (!smtp_bdat(arg, len, &octets, &last)) {
		push(m, s, CMD_OTHER); /* an error, and no chunk follows */
		return;
	}
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		begin_tx(p);
	if (!(p->flags & SMTP_CONTENT))
		mail_emit(m, MAIL_CONTENT_BEGIN, MAIL_CLIENT)->tx = p->tx;
	p->flags = (uint16_t)((p->flags & ~SMTP_CHUNK) | SMTP_CONTENT | (last ? 0u : SMTP_CHUNK));
	push(m, s, last ? CMD_EOD : CMD_BDAT);
	if (last && p->q_len > 0 && p->flags & SMTP_LMTP && p->rcpts_ok > 0)
		p->q[p->q_len - 1].count = p->rcpts_ok;
	mail_content_count(m, s, MAIL_CLIENT, octets);
}

static void
client_auth(struct mail *m, struct mail_session *s, const char *arg, size_t len,
    const struct mail_line *l)
{
	size_t n = mail_word_len(arg, len);
	mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, arg, n);
	if (l->hidden > 1 || (l->hidden == 1 && l->hidden_first != '='))
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	push(m, s, CMD_AUTH);
	if (s->flags & MAIL_SESSION_ONE_SIDED && l->hidden == 0)
		s->p.smtp.flags |= SMTP_AUTH_OPEN;
}

static void
client_auth_response(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	s->p.smtp.flags &= (uint16_t)~SMTP_AUTH_OPEN;
	bool cancel = l->hidden <= 2 && l->hidden_first == '*';
	bool empty = l->hidden == 0 || (l->hidden <= 2 && l->hidden_first == '=');
	if (!cancel && !empty)
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	push(m, s, CMD_AUTH);
	if (s->flags & MAIL_SESSION_ONE_SIDED && !cancel)
		s->p.smtp.flags |=
		    SMTP_AUTH_OPEN; /* LOGIN has two; a verb ends it, see smtp_secret */
}

static bool
auth_pending(const struct smtp *p)
{
	return p->flags & SMTP_AUTH_OPEN || (p->q_len > 0 && p->q[p->q_len - 1].what == CMD_AUTH);
}

static void
client_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct smtp *p = &s->p.smtp;
	size_t start = mail_skip_blanks(l->s, l->len, 0);
	size_t n = mail_word_len(l->s + start, l->len - start);
	const char *word = l->s + start;
	uint8_t what = smtp_verb(word, n);
	size_t arg = mail_skip_blanks(l->s, l->len, start + n), arg_len;
	arg_len = l->len > arg ? l->len - arg : 0;
	while (arg_len > 0 && (l->s[arg + arg_len - 1] == ' ' || l->s[arg + arg_len - 1] == '\t'))
		arg_len--;
	struct smtp_pending *last = p->q_len > 0 ? &p->q[p->q_len - 1] : NULL;

	if (l->hidden > 0 && l->len == 0) {
		client_auth_response(m, s, l);
		return;
	}
	if (p->flags & SMTP_AUTH_OPEN && l->len == 0) { /* an empty response */
		client_auth_response(m, s, l);
		return;
	}
	p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
	if (last != NULL && last->what == CMD_STARTTLS)
		p->flags |= SMTP_INJECTED;
	if (!(p->flags & SMTP_TALKED) && last != NULL && last->what == CMD_CONNECT &&
	    !(s->flags & MAIL_SESSION_ONE_SIDED))
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_TALKS_FIRST);
	p->flags |= SMTP_TALKED;
	switch (what) {
	case CMD_EHLO:
	case CMD_HELO: {
		if (ascii_is(word, n, "LHLO")) {
			p->flags |= SMTP_LMTP;
			mail_emit(m, MAIL_LMTP, MAIL_CLIENT);
		}
		confirm(m, s);
		uint16_t over = give_up_tx(m, s);
		struct mail_event *ev = mail_emit(m, MAIL_HELO, MAIL_CLIENT);
		ev->text = l->s + arg;
		ev->len = arg_len;
		ev->flag = what == CMD_EHLO;
		push_over(m, s, what, over);
		break;
	}
	case CMD_MAIL: client_mail(m, s, l->s + arg, arg_len); break;
	case CMD_RCPT: client_rcpt(m, s, l->s + arg, arg_len); break;
	case CMD_DATA:
		if (arg_len > 0)
			push(m, s, CMD_OTHER);
		else
			client_data(m, s);
		break;
	case CMD_BDAT: client_bdat(m, s, l->s + arg, arg_len); break;
	case CMD_AUTH: client_auth(m, s, l->s + arg, arg_len, l); break;
	case CMD_STARTTLS:
		mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT);
		confirm(m, s);
		push(m, s, what);
		break;
	case CMD_RSET:
	case CMD_QUIT: push_over(m, s, what, give_up_tx(m, s)); break;
	case CMD_OTHER: push(m, s, CMD_OTHER); break;
	default:
		if (!(p->flags & SMTP_SURE) &&
		    (ascii_is(word, n, "USER") || ascii_is(word, n, "PASS") ||
			ascii_is(word, n, "FEAT") || ascii_is(word, n, "SYST") ||
			ascii_is(word, n, "NICK"))) {
			mail_emit(m, MAIL_DENIED, MAIL_CLIENT); /* FTP greets with 220 too */
			return;
		}
		if (n == 8 && arg_len == 0 && ascii_is(word, n, "XXXXXXXX") &&
		    p->flags & SMTP_WAS_OFFERED) {
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_MASKED);
			mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT);
			push(m, s, CMD_STARTTLS);
			break;
		}
		push(m, s, l->len == 0 ? CMD_EMPTY : CMD_OTHER);
		break;
	}
}

/* ---- the server's replies ---- */

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
	if (ascii_is(text, n, "STARTTLS") || ascii_is(text, n, "X-ANONYMOUSTLS")) {
		p->flags |= SMTP_OFFERED;
	} else if (mail_is_mangled(text, n, "STARTTLS", &same)) {
		struct mail_event *ev = mail_emit(m, MAIL_MANGLED, MAIL_SERVER);
		ev->text = text;
		ev->len = len;
		ev->flag = same;
	}
}

static void
list_over(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	struct mail_event *ev =
	    mail_emit(m, p->flags & SMTP_LIST_CUT ? MAIL_OFFER_CUT : MAIL_OFFER, MAIL_SERVER);
	ev->flag = (p->flags & SMTP_OFFERED) != 0;
	ev->keywords = p->keywords;
	p->flags = (uint16_t)((p->flags & ~SMTP_WAS_OFFERED) |
	    (p->flags & SMTP_OFFERED ? SMTP_WAS_OFFERED : 0));
}

/* What the code answers, where no command is left that it could answer (its client was not seen).
 */
static void
reply_without_command(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	bool one_sided = (s->flags & MAIL_SESSION_ONE_SIDED) != 0;
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
		result(m, s, p->tx, p->code < 300 ? MAIL_ACCEPTED : MAIL_REJECTED);
		return;
	}
	bool list = p->flags & SMTP_LIST && p->flags & (SMTP_LIST_SURE | SMTP_OFFERED);
	if (one_sided && !list && p->code != 220 && p->code != 221 && p->code != 421)
		mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* it may have answered an envelope */
	switch (p->code) {
	case 354:
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
			break; /* the client did not wait for it */
		begin_tx(p);   /* the DATA was lost; what follows it may be seen or not */
		mail_content_dot(m, s, MAIL_CLIENT);
		p->flags = (uint16_t)((p->flags & ~SMTP_IMPLIED) | (one_sided ? SMTP_IMPLIED : 0u));
		break;
	case 235:
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index = MAIL_AUTH_ACCEPTED;
		break;
	case 334: p->flags |= SMTP_AUTH_OPEN; break;
	case 220:
		if (one_sided && p->flags & SMTP_WAS_OFFERED)
			mail_upgrade(s); /* it answers STARTTLS: only TLS will tell */
		break;
	default:
		if (list)
			list_over(m, s);
		break;
	}
}

/* A transaction's last reply (LMTP: one for each recipient; the first that accepts decides). */
static void
reply_to_content(struct mail *m, struct mail_session *s, struct smtp_pending cmd)
{
	struct smtp *p = &s->p.smtp;
	bool ok = p->code < 300;
	bool last = cmd.count <= 1;
	if (p->flags & SMTP_LMTP && !last && !ok)
		return;
	result(m, s, cmd.tx, ok ? MAIL_ACCEPTED : MAIL_REJECTED);
}

static void
reply_to_starttls(struct mail *m, struct mail_session *s, const char *line)
{
	struct smtp *p = &s->p.smtp;
	bool go = p->code == 220;
	if (!go && p->flags & SMTP_SERVER_LOST)
		return; /* the answer may be what was lost, and this another's */
	struct mail_event *ev = mail_emit(m, MAIL_UPGRADE_REPLY, MAIL_SERVER);
	ev->code = p->code;
	ev->flag = go;
	ev->text = line;
	ev->len = 3;
	if (go) {
		if (p->flags & SMTP_INJECTED)
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_INJECTION);
		p->q_len = 0;
		mail_upgrade(s);
	} else if ((p->code == 500 || p->code == 502) && p->flags & SMTP_WAS_OFFERED) {
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_STARTTLS_DENIED);
	}
	p->flags &= (uint16_t)~SMTP_INJECTED;
}

/* Which replies were lost is not known: what waits for one does not get the next one's. */
static void
forget_pending(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	for (uint8_t i = 0; i < p->q_len; i++) {
		if (p->q[i].what == CMD_EOD)
			result(m, s, p->q[i].tx, MAIL_RESULT_UNKNOWN);
	}
	p->q_len = 0;
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
		told = pop_to(p, CMD_DATA);
	else if (p->code == 334 || p->code == 235 || p->code == 535)
		told = pop_to(p, CMD_AUTH);
	else if (p->code == 221)
		told = pop_to(p, CMD_QUIT);
	if (p->flags & SMTP_SERVER_LOST && p->code < 300 && front(p) != NULL &&
	    front(p)->what == CMD_DATA)
		pop(p); /* its 354 was lost: no other success answers it */
	const struct smtp_pending *first = front(p);
	if (p->code == 220 && first != NULL && first->what != CMD_CONNECT &&
	    first->what != CMD_STARTTLS && first->what != CMD_LOST)
		return; /* a greeting that nobody awaited answers nothing */
	bool unsure =
	    p->flags & SMTP_SERVER_LOST && (p->q_len > 1 || (p->q_len == 1 && p->q[0].count > 1));
	bool odd = p->code == 221 || /* nobody said QUIT */
	    (p->code == 250 && front(p) != NULL && front(p)->what == CMD_STARTTLS);
	if (!told && (unsure || odd)) {
		forget_pending(m, s);
		return;
	}
	if (front(p) != NULL && front(p)->what == CMD_EMPTY && p->code < 500)
		pop(p);
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT &&
	    (front(p) == NULL || front(p)->what != CMD_DATA) && p->code >= 200 && p->code != 354 &&
	    (s->flags & MAIL_SESSION_GAP || mail_dot_is_likely(s, MAIL_CLIENT)))
		mail_content_stop(m, s, MAIL_CLIENT); /* the server saw an end that we did not */
	struct smtp_pending *f = front(p);
	if (f == NULL || f->what == CMD_LOST) {
		reply_without_command(m, s);
		return;
	}
	struct smtp_pending cmd = *f;
	pop(p);
	if (cmd.first > 0 &&
	    (cmd.what == CMD_RSET || cmd.what == CMD_QUIT || cmd.what == CMD_EHLO ||
		cmd.what == CMD_HELO || cmd.what == CMD_MAIL))
		result(m, s, (uint8_t)(cmd.first - 1), MAIL_ABORTED);
	switch (cmd.what) {
	case CMD_CONNECT:
		/* 220, or 421 and 554: the host will not serve */
		if (len > 4 && (p->code == 220 || p->code >= 400)) {
			struct mail_event *ev = mail_emit(m, MAIL_GREETING, MAIL_SERVER);
			ev->code = p->code;
			ev->text = line + 4;
			ev->len = len - 4;
			size_t stars = 0;
			for (size_t i = 4; i < len; i++)
				stars += line[i] == '*';
			if (stars >= 8 && stars * 2 > len - 4)
				mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_BANNER_MASKED);
		}
		if (ascii_find(line, len, "SMTP") != NULL || ascii_find(line, len, "LMTP") != NULL)
			confirm(m, s);
		break;
	case CMD_EHLO:
		if (p->code >= 400)
			mail_emit(m, MAIL_EHLO_REFUSED, MAIL_SERVER)->code = p->code;
		else
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
		if (ev->flag && cmd.tx == p->tx && p->rcpts_ok < UINT16_MAX)
			p->rcpts_ok++;
		break;
	}
	case CMD_DATA:
		if (p->code >= 400 && s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
			s->mode[MAIL_CLIENT] = MAIL_MODE_LINES; /* refused: commands follow */
		else if (p->code < 300 && front(p) != NULL && front(p)->what == CMD_EOD) {
			cmd = *front(p); /* the 354 was not seen: this answers the message */
			pop(p);
			reply_to_content(m, s, cmd);
		}
		break;
	case CMD_EOD: reply_to_content(m, s, cmd); break;
	case CMD_STARTTLS: reply_to_starttls(m, s, line); break;
	case CMD_AUTH:
		if (p->code == 334) {
			p->flags |= SMTP_AUTH_OPEN;
		} else {
			p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
			mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index =
			    p->code < 300 ? MAIL_AUTH_ACCEPTED : MAIL_AUTH_REFUSED;
		}
		break;
	default: break;
	}
}

static void
server_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct smtp *p = &s->p.smtp;
	const char *t = l->s;
	bool code = l->len >= 3 && t[0] >= '2' && t[0] <= '5' && t[1] >= '0' && t[1] <= '9' &&
	    t[2] >= '0' && t[2] <= '9' && (l->len == 3 || t[3] == ' ' || t[3] == '-');
	if (!code)
		return; /* not a reply line: RFC 5321 section 4.2 knows no other */
	uint16_t number = (uint16_t)((t[0] - '0') * 100 + (t[1] - '0') * 10 + (t[2] - '0'));
	bool more = l->len > 3 && t[3] == '-';
	if (p->reply_lines == 0) {
		p->flags &= (uint16_t) ~(SMTP_OFFERED | SMTP_LIST | SMTP_LIST_SURE |
		    (p->flags & SMTP_SERVER_LOST ? 0 : SMTP_LIST_CUT));
		p->code = number;
		p->keywords = 0;
	}
	struct smtp_pending *f = front(p);
	bool list =
	    p->code == 250 && (f != NULL ? f->what == CMD_EHLO : more || p->flags & SMTP_LIST);
	if (list) {
		if (f == NULL)
			p->flags |= SMTP_LIST;
		if (p->flags & SMTP_SERVER_LOST)
			p->flags |= SMTP_LIST_CUT;
		if ((p->reply_lines > 0 || p->flags & SMTP_LIST_CUT) && l->len > 4)
			list_line(m, s, t + 4, l->len - 4);
	}
	if (more && p->reply_lines < LIMIT_REPLY_LINES) {
		p->reply_lines++;
		return;
	}
	reply(m, s, t, l->len);
	p->reply_lines = 0;
	if (!(p->flags & SMTP_SERVER_LOST))
		p->flags &= (uint16_t)~SMTP_LIST_CUT;
}

/* ---- the row ---- */

static void
smtp_begin(struct mail *m, struct mail_session *s)
{
	if (!(s->flags & (MAIL_SESSION_MIDSTREAM | MAIL_SESSION_IMPLICIT)))
		push(m, s, CMD_CONNECT);
}

static void
smtp_line(struct mail *m, struct mail_session *s, enum mail_side side, const struct mail_line *l)
{
	if (side == MAIL_CLIENT)
		client_line(m, s, l);
	else
		server_line(m, s, l);
}

/*
 * "AUTH" mechanism, and the initial response behind it; a line that answers a 334; and while an
 * AUTH awaits its answer any line that is no command.
 */
static size_t
smtp_secret(const struct mail_session *s, enum mail_side side, const char *line, size_t len)
{
	const struct smtp *p = &s->p.smtp;
	if (side != MAIL_CLIENT)
		return len;
	if (p->flags & SMTP_AUTH_OPEN && !(s->flags & MAIL_SESSION_ONE_SIDED))
		return 0;
	size_t start = mail_skip_blanks(line, len, 0);
	size_t n = mail_word_len(line + start, len - start);
	if (ascii_is(line + start, n, "AUTH")) {
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

static void
smtp_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct smtp *p = &s->p.smtp;
	if (side == MAIL_CLIENT) {
		p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
		if (p->q_len == 0 || p->q[p->q_len - 1].what != CMD_LOST)
			push(m, s, CMD_LOST);
		return;
	}
	p->flags |= SMTP_SERVER_LOST;
	p->flags |= SMTP_LIST_CUT;
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
		s->flags |= MAIL_SESSION_DOUBT;
	if (front(p) != NULL && front(p)->what == CMD_CONNECT)
		pop(p); /* what comes now is no greeting, or not all of it */
	if (p->q_len == 0)
		p->reply_lines = 0;
}

static void
smtp_end(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	for (uint8_t i = 0; i < p->q_len; i++) { /* transactions whose reply never came */
		if (p->q[i].what == CMD_EOD)
			result(m, s, p->q[i].tx, MAIL_RESULT_UNKNOWN);
	}
	if (p->flags & SMTP_IN_TX)
		result(m, s, p->tx,
		    p->flags & (SMTP_SENT | SMTP_IMPLIED) ? MAIL_RESULT_UNKNOWN : MAIL_ABORTED);
}

const struct mail_row mail_smtp_row = {
    .name = "smtp",
    .content = 1u << MAIL_CLIENT,
    .begin = smtp_begin,
    .line = smtp_line,
    .secret = smtp_secret,
    .plausible = smtp_plausible,
    .content_end = smtp_content_end,
    .gap = smtp_gap,
    .end = smtp_end,
    .tx = smtp_tx,
};
