/*
 * The POP3 row: RFC 1939, 2449 (CAPA), 2595 (STLS), 5034 (AUTH).
 *
 * Replies come in the order of the commands, so a short queue pairs them.  Multi-line answers that
 * are no message are skipped up to their dot; RETR is content, and so is TOP where it asks for
 * lines of the body.  A reply line that answers a waiting command ends a list whose dot never came.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mail/protocol.h"

enum pop3_command {
	CMD_CONNECT,
	CMD_CAPA,
	CMD_STLS,
	CMD_USER,
	CMD_LOGIN,     /* PASS, APOP */
	CMD_MECHANISM, /* AUTH with one, and nothing of the client for it yet */
	CMD_AUTH,
	CMD_AUTH_LIST, /* AUTH alone lists the mechanisms */
	CMD_RETR,
	CMD_TOP,   /* of the header alone */
	CMD_MULTI, /* another multi-line answer */
	CMD_OTHER,
};

#define POP3_SURE      0x01u   /* MAIL_CONFIRMED was emitted */
#define POP3_MULTI     0x02u   /* inside a multi-line answer */
#define POP3_CAPA      0x04u   /* which is the capability list */
#define POP3_OFFERED   0x08u   /* STLS is in it */
#define POP3_AUTH_OPEN 0x10u   /* the client's next line answers a challenge */
#define POP3_INJECTED  0x20u   /* the client spoke between STLS and its answer */
#define POP3_CAPA_CUT  0x40u   /* octets of the list were lost */
#define POP3_IN	       0x80u   /* logged in: lists name no STLS any more (RFC 2595 section 4) */
#define POP3_LOST      0x100u  /* octets were lost: a login may be among them */
#define POP3_TOP       0x200u  /* the multi-line answer is the header of a message */
#define POP3_GREETED   0x400u  /* the server's first line was there */
#define POP3_UNSEEN    0x800u  /* a client that is not captured had an answer: told once */
#define POP3_SHOWN     0x2000u /* a header's line was */
#define POP3_MANGLED   0x1000u /* the list has an overwritten keyword: told once */
#define POP3_AUTH_LOST 0x4000u /* a challenge, or the end of AUTH: the client's next line tells */
#define POP3_AUTH_BARE 0x8000u /* the same of a bare +OK to AUTH: see is_bare */

static const struct verb {
	const char *word;
	uint8_t what;
} verbs[] = {
    {"USER", CMD_USER}, {"PASS", CMD_LOGIN}, {"APOP", CMD_LOGIN}, {"AUTH", CMD_AUTH},
    {"CAPA", CMD_CAPA}, {"STLS", CMD_STLS}, {"RETR", CMD_RETR}, {"TOP", CMD_TOP},
    {"LIST", CMD_MULTI}, {"UIDL", CMD_MULTI}, {"STAT", CMD_OTHER}, {"DELE", CMD_OTHER},
    {"NOOP", CMD_OTHER}, {"RSET", CMD_OTHER}, {"QUIT", CMD_OTHER}, {"LAST", CMD_OTHER},
    {"XTND", CMD_OTHER}, {"UTF8", CMD_OTHER},
    {"LANG", CMD_MULTI}, /* alone it lists the languages (RFC 6856 section 3) */
};

static const struct verb *
verb_of(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (ascii_is(s, len, verbs[i].word))
			return &verbs[i];
	}
	return NULL;
}

static bool
may_become_verb(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (len <= strlen(verbs[i].word) && strncasecmp(verbs[i].word, s, len) == 0)
			return true;
	}
	return false;
}

static int
pop3_tx(struct mail *m, const struct mail_session *s, enum mail_side side)
{
	(void)side;
	return mail_mailbox(m, s)->p.pop3.tx;
}

static void
push(struct mail *m, struct mail_session *s, uint8_t what)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	if (s->flags & MAIL_SESSION_ONE_SIDED) {
		p->q_len = 0;
		return;
	}
	if (p->q_len == sizeof p->q) {
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_PIPELINE);
		p->q_len = 0;
	}
	p->q[p->q_len++] = what;
}

static uint8_t
pop(struct pop3 *p)
{
	uint8_t what = p->q_len > 0 ? p->q[0] : CMD_OTHER;
	if (p->q_len > 0)
		memmove(p->q, p->q + 1, --p->q_len);
	return what;
}

static void
confirm(struct mail *m, struct pop3 *p)
{
	if (!(p->flags & POP3_SURE))
		mail_emit(m, MAIL_CONFIRMED, MAIL_CLIENT);
	p->flags |= POP3_SURE;
}

static bool
awaits(const struct pop3 *p, uint8_t what)
{
	return p->q_len > 0 && p->q[p->q_len - 1] == what;
}

/* Is the client's next line, where it is no command, an answer to a challenge? */
static bool
may_answer(const struct pop3 *p)
{
	return (p->flags & (POP3_AUTH_OPEN | POP3_AUTH_LOST | POP3_AUTH_BARE)) != 0;
}

static void
end_auth(struct pop3 *p)
{
	p->flags &= (uint16_t) ~(POP3_AUTH_OPEN | POP3_AUTH_LOST | POP3_AUTH_BARE);
}

/* Does AUTH wait for its answer? */
static bool
awaits_auth(const struct pop3 *p)
{
	return awaits(p, CMD_AUTH) || awaits(p, CMD_MECHANISM);
}

static void
auth_response(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	bool cancel = l->hidden <= 2 && l->hidden_first == '*';
	end_auth(p);
	if (l->hidden > 0 && cancel) {
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_CLIENT)->index = MAIL_AUTH_CANCELLED;
		push(m, s, CMD_OTHER); /* -ERR is the answer */
		return;
	}
	if (l->hidden > 0 && !(l->hidden <= 2 && l->hidden_first == '='))
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	push(m, s, CMD_AUTH);
	if (s->flags & MAIL_SESSION_ONE_SIDED)
		p->flags |= POP3_AUTH_OPEN; /* LOGIN has two; a verb ends it */
}

/* Is it a command that the server's bare +OK to AUTH let in?  The others are those of a client that
 * is not logged in, or gives up. */
static bool
is_behind_login(const struct verb *v)
{
	return v->what == CMD_CAPA || (v->what >= CMD_RETR && strcmp(v->word, "QUIT") != 0);
}

/* Does TOP ask for lines of the body (RFC 1939 section 7)? */
static bool
asks_body(const char *s, size_t len, size_t arg)
{
	size_t at = mail_skip_blanks(s, len, arg + mail_word_len(s + arg, len - arg));
	while (at < len && s[at] == '0')
		at++;
	return at < len && s[at] > '0' && s[at] <= '9';
}

static void
client_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	size_t n = mail_word_len(l->s, l->len), arg = n;
	const struct verb *v = verb_of(l->s, n);
	arg = mail_skip_blanks(l->s, l->len, arg);
	if (l->len == 0 && (l->hidden > 0 || may_answer(p))) {
		auth_response(m, s, l);
		return;
	}
	if (p->flags & POP3_AUTH_BARE && v != NULL && is_behind_login(v)) {
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_CLIENT)->index = MAIL_AUTH_ACCEPTED;
		p->flags |= POP3_IN;
	}
	end_auth(p);
	if (awaits(p, CMD_STLS))
		p->flags |= POP3_INJECTED;
	if (v == NULL) {
		p->unknown = true;
		push(m, s, CMD_OTHER);
		return;
	}
	confirm(m, p);
	uint8_t what = v->what;
	bool more = arg < l->len || l->hidden > 0;
	switch (what) {
	case CMD_CAPA: mail_emit(m, MAIL_ASKED, MAIL_CLIENT); break;
	case CMD_STLS: mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT); break;
	case CMD_USER: /* half of a credential */
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, "USER", 4);
		if (more)
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		break;
	case CMD_LOGIN:
		if (ascii_is(l->s, n, "APOP"))
			mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, "APOP", 4);
		else
			mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, "USER", 4);
		if (l->hidden > 0)
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		break;
	case CMD_AUTH:
		if (!more) {
			what = CMD_AUTH_LIST;
			break;
		}
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, l->s + arg,
		    mail_word_len(l->s + arg, l->len - arg));
		if (l->hidden > 1 || (l->hidden == 1 && l->hidden_first != '='))
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		if (s->flags & MAIL_SESSION_ONE_SIDED)
			p->flags |= POP3_AUTH_OPEN;
		if (l->hidden == 0)
			what = CMD_MECHANISM;
		break;
	case CMD_RETR:
	case CMD_TOP:
		if (s->flags & MAIL_SESSION_ONE_SIDED) /* what it fetches is not captured */
			mail_emit(m, MAIL_LOST, MAIL_CLIENT);
		if (asks_body(l->s, l->len, arg))
			what = CMD_RETR;
		break;
	case CMD_MULTI:
		if (more)
			what = CMD_OTHER; /* LIST n, UIDL n and LANG x have answers of one line */
		break;
	default: break;
	}
	push(m, s, what);
}

static void
list_over(struct mail *m, struct mail_session *s)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	bool unsure =
	    s->flags & (MAIL_SESSION_ONE_SIDED | MAIL_SESSION_MIDSTREAM) || p->flags & POP3_LOST;
	if (p->flags & POP3_CAPA && !(p->flags & POP3_IN))
		mail_emit(m, p->flags & POP3_CAPA_CUT || unsure ? MAIL_OFFER_CUT : MAIL_OFFER,
		    MAIL_SERVER)
		    ->flag = (p->flags & POP3_OFFERED) != 0;
	p->flags &= (uint16_t) ~(POP3_MULTI | POP3_CAPA | POP3_OFFERED | POP3_CAPA_CUT | POP3_TOP |
	    POP3_MANGLED | POP3_SHOWN);
}

/* A +OK without text to AUTH NTLM asks for the client's first message ([MS-POP3] section 3.2.5.1);
 * of other servers it is success. */
static bool
is_bare(const struct mail_line *l)
{
	return mail_skip_blanks(l->s, l->len, 3) == l->len;
}

static void
retrieve(struct mail *m, struct mail_session *s)
{
	mail_mailbox(m, s)->p.pop3.tx++;
	mail_content_dot(m, s, MAIL_SERVER);
}

/* What is no reply may be of a list or a mail. */
static size_t
pop3_evidence(struct mail *m, const struct mail_session *s, const char *line, size_t len)
{
	size_t n = mail_word_len(line, len);
	if (!ascii_is(line, n, "+OK") && !ascii_is(line, n, "-ERR"))
		return 0;
	return mail_mailbox(m, s)->p.pop3.unknown ? n : len;
}

static void
reply(struct mail *m, struct mail_session *s, const struct mail_line *l, bool ok)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	size_t word = ok ? 3 : 4, text = l->len > word ? word + 1 : word;
	bool unasked = p->q_len == 0;
	uint8_t what = pop(p);
	bool one_sided = (s->flags & MAIL_SESSION_ONE_SIDED) != 0;
	if (unasked && one_sided && !(p->flags & POP3_GREETED) &&
	    !(s->flags & MAIL_SESSION_MIDSTREAM))
		what = CMD_CONNECT;
	p->flags |= POP3_GREETED;
	if (unasked && ok && one_sided && what != CMD_CONNECT &&
	    ascii_find(l->s, l->len, " octets") != NULL &&
	    ascii_find(l->s, l->len, "message") == NULL) {
		retrieve(m, s); /* the client is not captured; this is how RETR is answered */
		return;
	}
	if (unasked && one_sided && what != CMD_CONNECT && !(p->flags & POP3_UNSEEN)) {
		p->flags |= POP3_UNSEEN;
		mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* it may have answered a login */
	}
	if (unasked && ok && s->mode[MAIL_CLIENT] == MAIL_MODE_TLS)
		mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* what it answers was no TLS */
	switch (what) {
	case CMD_CONNECT:
		mail_emit_text(m, MAIL_GREETING, MAIL_SERVER, l->s + text, l->len - text);
		break;
	case CMD_CAPA:
		if (ok)
			p->flags |= POP3_MULTI | POP3_CAPA;
		else
			mail_emit(m, MAIL_EHLO_REFUSED, MAIL_SERVER);
		break;
	case CMD_AUTH_LIST:
	case CMD_MULTI:
		if (ok)
			p->flags |= POP3_MULTI;
		break;
	case CMD_STLS: {
		struct mail_event *ev = mail_emit(m, MAIL_UPGRADE_REPLY, MAIL_SERVER);
		ev->text = l->s;
		ev->len = word;
		ev->flag = ok;
		if (ok && p->flags & POP3_INJECTED)
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_INJECTION);
		p->flags &= (uint16_t)~POP3_INJECTED;
		if (ok) {
			p->q_len = 0;
			mail_upgrade(m, s);
		} else {
			mail_emit_text(m, MAIL_EVIDENCE, MAIL_SERVER, l->s,
			    pop3_evidence(m, s, l->s, l->len));
		}
		break;
	}
	case CMD_USER:
		if (!ok) /* PASS need not follow */
			mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index = MAIL_AUTH_REFUSED;
		break;
	case CMD_MECHANISM:
		if (ok && is_bare(l)) {
			p->flags |= POP3_AUTH_BARE;
			break;
		} /* fallthrough */
	case CMD_LOGIN:
	case CMD_AUTH:
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index =
		    ok ? MAIL_AUTH_ACCEPTED : MAIL_AUTH_REFUSED;
		p->flags |= ok ? POP3_IN : 0;
		break;
	case CMD_RETR:
		if (ok)
			retrieve(m, s);
		break;
	case CMD_TOP:
		if (ok)
			p->flags |= POP3_MULTI | POP3_TOP;
		break;
	default: break;
	}
}

static void
capability(struct mail *m, struct pop3 *p, const char *word, size_t len)
{
	bool same;
	if (ascii_is(word, len, "STLS")) {
		p->flags |= POP3_OFFERED;
	} else if (mail_is_mangled(word, len, "STLS", &same) && !(p->flags & POP3_MANGLED)) {
		struct mail_event *ev = mail_emit(m, MAIL_MANGLED, MAIL_SERVER);
		ev->text = word;
		ev->len = len;
		ev->flag = same;
		p->flags |= same ? POP3_MANGLED : 0;
	}
}

static void
server_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	bool ok = ascii_begins(l->s, l->len, "+OK"), err = ascii_begins(l->s, l->len, "-ERR");
	if (p->flags & POP3_MULTI) {
		if (l->len == 1 && l->s[0] == '.') {
			list_over(m, s);
			return;
		}
		if (p->flags & POP3_TOP) {
			if (!(p->flags & POP3_SHOWN)) {
				mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index =
				    MAIL_EXPOSED_HEADERS;
				p->flags |= POP3_SHOWN;
			}
			return; /* a line of a header may look like anything */
		}
		if (!((ok || err) && p->q_len > 0)) {
			if (p->flags & POP3_CAPA)
				capability(m, p, l->s, mail_word_len(l->s, l->len));
			return;
		}
		list_over(m, s);
	}
	if (ok || err) {
		reply(m, s, l, ok);
	} else if (l->len >= 1 && l->s[0] == '+' && (l->len == 1 || l->s[1] == ' ') &&
	    p->q_len > 0 && (p->q[0] == CMD_AUTH || p->q[0] == CMD_MECHANISM)) {
		(void)pop(p);
		p->flags |= POP3_AUTH_OPEN;
	}
}

static void
pop3_begin(struct mail *m, struct mail_session *s)
{
	mail_mailbox_begin(m, s);
	bool greets = !(s->flags & (MAIL_SESSION_MIDSTREAM | MAIL_SESSION_IMPLICIT));
	if (greets && s->p.mailbox != 0) /* nothing is put where all without memory are */
		push(m, s, CMD_CONNECT);
}

static void
pop3_line(struct mail *m, struct mail_session *s, enum mail_side side, const struct mail_line *l)
{
	if (side == MAIL_CLIENT)
		client_line(m, s, l);
	else
		server_line(m, s, l);
}

/* What follows PASS, APOP and AUTH's mechanism; answers to challenges; while AUTH waits, what is no
 * command. */
static size_t
client_secret(struct mail *m, const struct mail_session *s, const char *line, size_t len)
{
	const struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	size_t n = mail_word_len(line, len), at = n;
	if (p->flags & POP3_AUTH_OPEN && !(s->flags & MAIL_SESSION_ONE_SIDED))
		return mail_begins_quit(line, len) ? len : 0;
	at = mail_skip_blanks(line, len, at);
	if (ascii_is(line, n, "PASS") || ascii_is(line, n, "APOP"))
		return at;
	if (ascii_is(line, n, "AUTH")) {
		at += mail_word_len(line + at, len - at);
		at = mail_skip_blanks(line, len, at);
		return at;
	}
	bool waits = may_answer(p) || awaits_auth(p);
	return waits && verb_of(line, n) == NULL && !may_become_verb(line, n) ? 0 : len;
}

static size_t
pop3_secret(struct mail *m, const struct mail_session *s, enum mail_side side, const char *line,
    size_t len)
{
	/* the CR of a line end may have come without its LF */
	size_t n = len > 0 && line[len - 1] == '\r' ? len - 1 : len;
	size_t at = side == MAIL_CLIENT ? client_secret(m, s, line, n) : n;
	return at < n ? at : len;
}

static enum plausible
pop3_plausible(const struct mail_session *s, enum mail_side side, const char *data, size_t len)
{
	(void)s;
	if (side == MAIL_SERVER) {
		static const char *const starts[] = {"+OK", "-ERR", "+ "};
		enum plausible best = PLAUSIBLE_NO;
		for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
			enum plausible p = mail_plausible_word(data, len, starts[i]);
			best = p > best ? p : best;
		}
		return best;
	}
	size_t n = 0;
	while (n < len && data[n] > ' ')
		n++;
	if (n == len)
		return may_become_verb(data, n) ? PLAUSIBLE_MAYBE : PLAUSIBLE_NO;
	return verb_of(data, n) != NULL ? PLAUSIBLE_YES : PLAUSIBLE_NO;
}

static void
pop3_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen)
{
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, side);
	ev->tx = mail_mailbox(m, s)->p.pop3.tx;
	ev->flag = seen;
	ev = mail_emit(m, MAIL_RESULT, side);
	ev->tx = mail_mailbox(m, s)->p.pop3.tx;
	ev->index = seen ? MAIL_ACCEPTED : MAIL_ENDED;
}

static void
pop3_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct pop3 *p = &mail_mailbox(m, s)->p.pop3;
	(void)m;
	bool auth = side == MAIL_SERVER && (may_answer(p) || awaits_auth(p));
	end_auth(p);
	p->flags |= POP3_LOST | POP3_GREETED; /* what comes now is no greeting */
	p->flags |= auth ? POP3_AUTH_LOST : 0;
	if (side == MAIL_SERVER && p->flags & POP3_CAPA)
		p->flags |= POP3_CAPA_CUT;
	p->q_len = 0; /* which replies were lost is not known */
}

static void
pop3_end(struct mail *m, struct mail_session *s)
{
	(void)m;
	(void)s;
}

const struct mail_row mail_pop3_row = {
    .name = "pop3",
    .content = 1u << MAIL_SERVER,
    .bare = true,
    .begin = pop3_begin,
    .line = pop3_line,
    .secret = pop3_secret,
    .plausible = pop3_plausible,
    .content_end = pop3_content_end,
    .gap = pop3_gap,
    .end = pop3_end,
    .release = mail_mailbox_release,
    .evidence = pop3_evidence,
    .tx = pop3_tx,
};
