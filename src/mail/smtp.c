/*
 * The SMTP and LMTP row: RFC 5321, 2033 (LMTP), 3207 (STARTTLS), 4954 (AUTH), 3030 (CHUNKING), 2920
 * (PIPELINING), 8689 (REQUIRETLS), 4468 (BURL), 1985 (ETRN); and XCLIENT and XFORWARD of Postfix.
 * Here are the client's commands; smtp_reply.c has the server's replies, smtp_auth.c AUTH.
 *
 * The conductor hands octets over in causal order: what one side had seen before it spoke comes
 * first; so a lost command or reply can be told by what is left in the queue.
 *
 * Transactions are numbered by their MAIL command.  It does not keep addresses, only counts them.
 */
#include <string.h>

#include "base/lexicon.h"
#include "base/text.h"
#include "mail/smtp.h"

/* A line of the client where TLS was due: its verb alone, for what follows may be a secret. */
static void
evidence(struct mail *m, const char *word, size_t n)
{
	const char *verb = smtp_verb_at(smtp_verb_number(word, n));
	mail_emit_text(m, MAIL_EVIDENCE, MAIL_CLIENT, verb, strlen(verb));
}

static void
use(struct mail *m, enum mail_extension e)
{
	mail_emit(m, MAIL_USED, MAIL_CLIENT)->index = (uint16_t)e;
}

/* What stands behind the path of MAIL and RCPT.  AUTH= of RFC 4954 section 5 is no attempt. */
static void
parameters(struct mail *m, struct mail_session *s, const char *rest, size_t len)
{
	static const struct {
		struct literal word; /* with = it has a value, which does not matter */
		uint8_t extension;
	} known[] = {
	    {{WORD("BODY=8BITMIME")}, MAIL_EXT_8BITMIME},
	    {{WORD("BODY=BINARYMIME")}, MAIL_EXT_BINARYMIME},
	    {{WORD("SMTPUTF8")}, MAIL_EXT_SMTPUTF8},
	    {{WORD("RET=")}, MAIL_EXT_DSN},
	    {{WORD("ENVID=")}, MAIL_EXT_DSN},
	    {{WORD("NOTIFY=")}, MAIL_EXT_DSN},
	    {{WORD("ORCPT=")}, MAIL_EXT_DSN},
	    {{WORD("REQUIRETLS")}, MAIL_EXT_REQUIRETLS},
	};
	size_t at = 0, n;
	const char *word;
	unsigned used = 0;
	if (len > 0 && *rest == '>')
		at = 1;
	while (smtp_next_word(rest, len, &at, &word, &n)) {
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
			const struct literal *k = &known[i].word;
			bool value = k->s[k->len - 1] == '=';
			if (ascii_lower(*word) == ascii_lower(*k->s) &&
			    (value ? n >= k->len : n == k->len) && ascii_equal(word, k->s, k->len))
				used |= 1u << known[i].extension;
		}
	}
	if (used & 1u << MAIL_EXT_REQUIRETLS)
		mail_emit(m, MAIL_REQUIRETLS, MAIL_CLIENT)->tx = s->p.smtp.tx;
	for (unsigned i = 0; used >> i != 0; i++) {
		if (used >> i & 1u)
			use(m, (enum mail_extension)i);
	}
}

/* Where its reply is not captured, it may have been a command that the server knew. */
static void
push_strange(struct mail *m, struct mail_session *s)
{
	if (s->flags & MAIL_SESSION_ONE_SIDED)
		mail_emit(m, MAIL_LOST, MAIL_CLIENT);
	smtp_push(m, s, CMD_STRANGE);
}

static void
client_mail(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	const char *colon = memchr(arg, ':', len);
	const char *path = arg;
	size_t path_len = 0;
	if (!ascii_begins(arg, len, "FROM") || colon == NULL) {
		push_strange(m, s);
		return;
	}
	smtp_confirm(m, s);
	uint16_t over = smtp_give_up(m, s);
	smtp_begin_tx(p);
	smtp_path(colon + 1, len - (size_t)(colon + 1 - arg), &path, &path_len);
	struct mail_event *ev = mail_emit(m, MAIL_SENDER, MAIL_CLIENT);
	ev->tx = p->tx;
	ev->text = path;
	ev->len = path_len;
	parameters(m, s, path + path_len, len - (size_t)(path + path_len - arg));
	smtp_push_over(m, s, CMD_MAIL, over);
}

static void
client_rcpt(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	const char *colon = memchr(arg, ':', len);
	const char *path;
	size_t path_len;
	if (!ascii_begins(arg, len, "TO") || colon == NULL) {
		push_strange(m, s);
		return;
	}
	smtp_confirm(m, s);
	if (!(p->flags & SMTP_IN_TX))
		smtp_begin_tx(p); /* its MAIL was lost, or never sent */
	smtp_path(colon + 1, len - (size_t)(colon + 1 - arg), &path, &path_len);
	struct mail_event *ev = mail_emit(m, MAIL_RECIPIENT, MAIL_CLIENT);
	ev->tx = p->tx;
	ev->text = path;
	ev->len = path_len;
	parameters(m, s, path + path_len, len - (size_t)(path + path_len - arg));
	if (p->rcpts < UINT16_MAX)
		p->rcpts++;
	smtp_push(m, s, CMD_RCPT);
}

static void
client_data(struct mail *m, struct mail_session *s)
{
	/* Whatever follows is content unless the answer is an error that comes first. */
	smtp_begin_content(m, s);
	smtp_push(m, s, CMD_DATA);
	if (s->flags & MAIL_SESSION_ONE_SIDED) /* which will not be seen */
		s->flags |= MAIL_SESSION_DOUBT;
}

static void
client_bdat(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	uint64_t octets;
	bool last;
	if (!smtp_bdat(arg, len, &octets, &last)) {
		push_strange(m, s); /* an error, and no chunk follows */
		return;
	}
	use(m, MAIL_EXT_CHUNKING);
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		smtp_begin_tx(p);
	if (!(p->flags & SMTP_CONTENT))
		mail_emit(m, MAIL_CONTENT_BEGIN, MAIL_CLIENT)->tx = p->tx;
	p->flags = (uint16_t)((p->flags & ~SMTP_CHUNK) | SMTP_CONTENT | (last ? 0u : SMTP_CHUNK));
	if (last)
		smtp_push_end(m, s);
	else
		smtp_push(m, s, CMD_BDAT);
	mail_content_count(m, s, MAIL_CLIENT, octets);
}

/*
 * BURL: the server itself fetches content, which does not cross here (RFC 4468).  Its URL holds a
 * token that lets it: nothing of it is handed on.
 */
static void
client_burl(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	const char *word;
	size_t at = 0, n;
	if (!smtp_next_word(arg, len, &at, &word, &n)) {
		push_strange(m, s);
		return;
	}
	bool last = smtp_next_word(arg, len, &at, &word, &n) && ascii_is(word, n, "LAST");
	use(m, MAIL_EXT_BURL);
	if (!(p->flags & SMTP_IN_TX) || p->flags & SMTP_SENT)
		smtp_begin_tx(p);
	if (!last) {
		smtp_push(m, s, CMD_BDAT);
		return;
	}
	smtp_push_end(m, s);
	p->flags = (uint16_t)((p->flags | SMTP_SENT) & ~SMTP_CHUNK);
	if (p->flags & SMTP_CONTENT) { /* chunks went before it */
		struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, MAIL_CLIENT);
		ev->tx = p->tx;
		ev->flag = true;
	}
	if (s->flags & MAIL_SESSION_ONE_SIDED)
		smtp_result(m, s, p->tx, MAIL_RESULT_UNKNOWN);
}

/* XEXCH50: a number of octets, which follow a 354, and one that does not matter here.  They are no
 * part of the content; more than fit are taken for lost. */
static void
client_xexch50(struct mail *m, struct mail_session *s, const char *arg, size_t len)
{
	struct smtp *p = &s->p.smtp;
	uint64_t octets = 0;
	for (size_t i = 0; i < len && arg[i] >= '0' && arg[i] <= '9' && octets <= UINT16_MAX; i++)
		octets = octets * 10 + (uint64_t)(arg[i] - '0');
	smtp_push(m, s, CMD_XEXCH50);
	if (p->queue != 0)
		smtp_awaits(m, p, smtp_waiting(m, p) - 1u)->first =
		    octets <= UINT16_MAX ? (uint16_t)octets : 0;
}

/* XCLIENT and XFORWARD: names and addresses of the client that this one speaks for (Postfix). */
static void
client_forwards(struct mail *m, struct mail_session *s, uint8_t what, const char *arg, size_t len)
{
	const char *word;
	size_t at = 0, n;
	use(m, what == CMD_XCLIENT ? MAIL_EXT_XCLIENT : MAIL_EXT_XFORWARD);
	/* whether it is believed, the reply tells */
	while (!(s->flags & MAIL_SESSION_ONE_SIDED) && smtp_next_word(arg, len, &at, &word, &n)) {
		if (!ascii_begins(word, n, "ADDR="))
			continue;
		size_t skip = ascii_begins(word + 5, n - 5, "IPV6:") ? 10 : 5;
		mail_emit_text(m, MAIL_FORWARDED, MAIL_CLIENT, word + skip, n - skip);
	}
	smtp_push(m, s, what);
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
	struct smtp_pending *last =
	    p->queue != 0 ? smtp_awaits(m, p, smtp_waiting(m, p) - 1u) : NULL;

	if (l->hidden > 0 && l->len == 0) {
		smtp_auth_response(m, s, l);
		return;
	}
	if (p->flags & SMTP_AUTH_OPEN && l->len == 0) { /* an empty response */
		smtp_auth_response(m, s, l);
		return;
	}
	p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
	if (p->flags & SMTP_TLS_DUE) {
		p->flags &= (uint16_t)~SMTP_TLS_DUE;
		evidence(m, word, n);
	}
	if (last != NULL && last->what == CMD_STARTTLS)
		last->first = smtp_verb_number(word, n);
	if (!(p->flags & SMTP_TALKED) && last != NULL && last->what == CMD_CONNECT &&
	    !(s->flags & MAIL_SESSION_ONE_SIDED))
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_TALKS_FIRST);
	bool talked = (p->flags & SMTP_TALKED) != 0 || s->flags & MAIL_SESSION_MIDSTREAM;
	p->flags |= SMTP_TALKED;
	switch (what) {
	case CMD_EHLO:
	case CMD_HELO: {
		if (ascii_is(word, n, "LHLO")) {
			p->flags |= SMTP_LMTP;
			mail_emit(m, MAIL_LMTP, MAIL_CLIENT);
		}
		smtp_confirm(m, s);
		uint16_t over = smtp_give_up(m, s);
		struct mail_event *ev = mail_emit(m, MAIL_HELO, MAIL_CLIENT);
		ev->text = l->s + arg;
		ev->len = arg_len;
		ev->flag = what == CMD_EHLO;
		smtp_push_over(m, s, what, over);
		break;
	}
	case CMD_MAIL: client_mail(m, s, l->s + arg, arg_len); break;
	case CMD_RCPT: client_rcpt(m, s, l->s + arg, arg_len); break;
	case CMD_DATA:
		if (arg_len > 0)
			push_strange(m, s); /* some servers take it all the same */
		else
			client_data(m, s);
		break;
	case CMD_BDAT: client_bdat(m, s, l->s + arg, arg_len); break;
	case CMD_AUTH: smtp_auth(m, s, l->s + arg, arg_len, l); break;
	case CMD_STARTTLS:
		mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT);
		smtp_confirm(m, s);
		smtp_push(m, s, what);
		break;
	case CMD_RSET:
	case CMD_QUIT: smtp_push_over(m, s, what, smtp_give_up(m, s)); break;
	case CMD_OTHER: smtp_push(m, s, CMD_OTHER); break;
	case CMD_XEXCH50: client_xexch50(m, s, l->s + arg, arg_len); break;
	case CMD_BURL: client_burl(m, s, l->s + arg, arg_len); break;
	case CMD_ETRN:
		use(m, MAIL_EXT_ETRN);
		smtp_push(m, s, CMD_OTHER);
		break;
	case CMD_XCLIENT:
	case CMD_XFORWARD: client_forwards(m, s, what, l->s + arg, arg_len); break;
	case CMD_TURN: smtp_push(m, s, CMD_TURN); break;
	default:
		if (!(p->flags & SMTP_SURE) &&
		    (ascii_is(word, n, "USER") || ascii_is(word, n, "PASS") ||
			ascii_is(word, n, "FEAT") || ascii_is(word, n, "SYST") ||
			ascii_is(word, n, "NICK"))) {
			/* FTP greets with 220 too: what it says to that tells */
			if (s->flags & MAIL_SESSION_ONE_SIDED)
				mail_emit(m, MAIL_DENIED, MAIL_CLIENT);
			smtp_push(m, s, CMD_FTP);
			break;
		}
		if (n == 8 && arg_len == 0 && ascii_is(word, n, "XXXXXXXX") &&
		    p->flags & SMTP_WAS_OFFERED) {
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_MASKED);
			mail_emit_text(m, MAIL_EVIDENCE, MAIL_CLIENT, word, n);
			mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT);
			smtp_push(m, s, CMD_STARTTLS);
			break;
		}
		/* EHLO, overwritten likewise, is what a client says first */
		if (n == 4 && arg_len > 0 && ascii_is(word, n, "XXXX") && !talked) {
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_MASKED);
			mail_emit_text(m, MAIL_EVIDENCE, MAIL_CLIENT, word, n);
		}
		if (l->len == 0)
			smtp_push(m, s, CMD_EMPTY);
		else
			push_strange(m, s);
		break;
	}
}

/* ---- the row ---- */

static void
smtp_begin(struct mail *m, struct mail_session *s)
{
	if (!(s->flags & (MAIL_SESSION_MIDSTREAM | MAIL_SESSION_IMPLICIT)))
		smtp_push(m, s, CMD_CONNECT);
	if (s->flags & MAIL_SESSION_IMPLICIT)
		s->p.smtp.flags |= SMTP_TLS_DUE;
}

static void
smtp_line(struct mail *m, struct mail_session *s, enum mail_side side, const struct mail_line *l)
{
	if (side == MAIL_CLIENT)
		client_line(m, s, l);
	else
		smtp_server_line(m, s, l);
}

static void
smtp_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct smtp *p = &s->p.smtp;
	if (side == MAIL_CLIENT) {
		p->flags &= (uint16_t)~SMTP_AUTH_OPEN;
		if (p->queue == 0 || p->last != CMD_LOST)
			smtp_push(m, s, CMD_LOST);
		return;
	}
	p->flags |= SMTP_SERVER_LOST;
	p->flags |= SMTP_LIST_CUT;
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT)
		s->flags |= MAIL_SESSION_DOUBT;
	if (smtp_front(m, p) != NULL && smtp_front(m, p)->what == CMD_CONNECT)
		smtp_pop(m, p); /* what comes now is no greeting, or not all of it */
	if (p->queue == 0)
		p->reply_lines = 0;
}

static void
smtp_end(struct mail *m, struct mail_session *s)
{
	struct smtp *p = &s->p.smtp;
	for (uint8_t i = 0, n = smtp_waiting(m, p); i < n; i++) { /* what was never answered */
		const struct smtp_pending *q = smtp_awaits(m, p, i);
		if (q->what == CMD_EOD)
			smtp_result(m, s, q->tx, MAIL_RESULT_UNKNOWN);
		if (q->what == CMD_CANCEL)
			mail_emit(m, MAIL_AUTH_REPLY, MAIL_CLIENT)->index = MAIL_AUTH_CANCELLED;
	}
	if (p->flags & SMTP_IN_TX)
		smtp_result(m, s, p->tx,
		    p->flags & (SMTP_SENT | SMTP_IMPLIED) ? MAIL_RESULT_UNKNOWN
			: p->flags & SMTP_DENIED	  ? MAIL_REJECTED
							  : MAIL_ENDED);
}

static void
smtp_release(struct mail *m, struct mail_session *s)
{
	smtp_forget(m, &s->p.smtp);
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
    .release = smtp_release,
    .tx = smtp_tx,
};
