/*
 * What a server of IMAP answers: greeting, capabilities, what became of commands, and what it shows
 * of messages (RFC 9051 section 7).  See imap.h.
 */
#include "base/text.h"
#include "mail/imap.h"

/* A capability list, in an answer of its own or in brackets behind OK.  `cut`: it may be that of a
 * client that is logged in, where no STARTTLS is named, or a part. */
static void
capabilities(struct mail *m, struct imap *p, const char *s, size_t len, bool cut)
{
	const char *at = ascii_find(s, len, "CAPABILITY ");
	bool offered = false, told[2] = {false, false}, same;
	if (at == NULL)
		return;
	size_t left = len - (size_t)(at - s);
	while (left > 0) {
		size_t n = mail_word_len(at, left), word = n;
		while (word > 0 && at[word - 1] == ']')
			word--;
		if (ascii_is(at, word, "STARTTLS")) {
			offered = true;
		} else if (mail_is_mangled(at, word, "STARTTLS", &same) && !told[same]) {
			struct mail_event *ev = mail_emit(m, MAIL_MANGLED, MAIL_SERVER);
			ev->text = at;
			ev->len = word;
			ev->flag = same;
			told[same] = true;
		}
		if (word < n)
			break; /* the closing bracket */
		at += n;
		left -= n;
		if (left > 0) {
			at++;
			left--;
		}
	}
	p->flags = offered ? p->flags | IMAP_OFFERED : p->flags & ~IMAP_OFFERED;
	mail_emit(m, cut ? MAIL_OFFER_CUT : MAIL_OFFER, MAIL_SERVER)->flag = offered;
}

static void
starttls_reply(struct mail *m, struct mail_session *s, const struct mail_line *l,
    const struct imap_parts *c)
{
	struct imap *p = imap_of(m, s);
	const char *word = l->s + c->word;
	bool ok = ascii_is(word, c->word_len, "OK"), bad = ascii_is(word, c->word_len, "BAD");
	struct mail_event *ev = mail_emit(m, MAIL_UPGRADE_REPLY, MAIL_SERVER);
	ev->text = word;
	ev->len = c->word_len;
	ev->flag = ok;
	if (ok && p->flags & IMAP_INJECTED)
		mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_INJECTION);
	p->flags &= ~IMAP_INJECTED;
	if (ok) {
		p->q_len = 0;
		mail_upgrade(m, s);
		return;
	}
	mail_emit_text(m, MAIL_EVIDENCE, MAIL_SERVER, l->s,
	    p->flags & IMAP_UNKNOWN ? c->word + c->word_len : l->len);
	if (bad && p->flags & IMAP_OFFERED && !(p->flags & (IMAP_IN | IMAP_LOST)))
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_STARTTLS_DENIED);
}

/* The line answers a command that matters. */
static void
tagged(struct mail *m, struct mail_session *s, const struct mail_line *l,
    const struct imap_parts *c)
{
	struct imap *p = imap_of(m, s);
	const char *word = l->s + c->word;
	bool ok = ascii_is(word, c->word_len, "OK");
	uint32_t tag = imap_tag(l->s, c->tag_len);
	if (p->flags & IMAP_SYNC && p->rest_tag == tag && !ok) {
		/* the literal was not wanted, and does not come */
		p->flags &= ~(IMAP_SYNC | IMAP_REST);
		s->flags &= (uint8_t)~MAIL_SESSION_DOUBT;
		for (unsigned i = 0; i < p->q_len && p->literal[MAIL_CLIENT] == LITERAL_MESSAGE;
		     i++) {
			if (p->q[i].tag == tag && p->q[i].count > 0) {
				p->q[i].count--; /* the message that it would have been */
				break;
			}
		}
		p->literal[MAIL_CLIENT] = LITERAL_NONE;
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_COUNT)
			s->mode[MAIL_CLIENT] = MAIL_MODE_LINES;
	}
	unsigned at = 0;
	while (at < p->q_len && p->q[at].tag != tag)
		at++;
	if (at == p->q_len)
		return;
	const struct imap_pending q = p->q[at];
	imap_forget(p, at);
	switch ((enum imap_command)q.what) {
	case IMAP_STARTTLS: starttls_reply(m, s, l, c); break;
	case IMAP_LOGIN:
	case IMAP_AUTHENTICATE:
		p->flags &= ~IMAP_AUTH_OPEN;
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index =
		    ok ? MAIL_AUTH_ACCEPTED : MAIL_AUTH_REFUSED;
		if (ok)
			p->flags |= IMAP_IN;
		break;
	case IMAP_CAPABILITY:
		if (!ok)
			mail_emit(m, MAIL_EHLO_REFUSED, MAIL_SERVER);
		break;
	case IMAP_COMPRESS:
		if (ok) {
			mail_emit(m, MAIL_USED, MAIL_CLIENT)->index = MAIL_EXT_COMPRESS;
			mail_compress(m, s);
		}
		break;
	case IMAP_APPEND:
		for (unsigned i = 0; i < q.count; i++)
			imap_result(m, MAIL_CLIENT, (uint8_t)(q.tx + i),
			    ok ? MAIL_ACCEPTED : MAIL_REJECTED);
		break;
	default: break;
	}
}

/* What only a client that is logged in is told (RFC 9051 section 7). */
static bool
is_data(const char *s, size_t len)
{
	static const char *const words[] = {"EXISTS", "RECENT", "FETCH", "UIDFETCH", "URLFETCH",
	    "EXPUNGE", "LIST", "LSUB", "FLAGS", "SEARCH", "STATUS"};
	size_t n = mail_word_len(s, len);
	if (n > 0 && s[0] >= '0' && s[0] <= '9') {
		s += n < len ? n + 1 : n;
		len -= n < len ? n + 1 : n;
		n = mail_word_len(s, len);
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (ascii_is(s, n, words[i]))
			return true;
	}
	return false;
}

static bool
is_status(const char *s, size_t len)
{
	return ascii_is(s, len, "OK") || ascii_is(s, len, "NO") || ascii_is(s, len, "BAD") ||
	    ascii_is(s, len, "BYE") || ascii_is(s, len, "PREAUTH");
}

/* Of data the lists, strings and literals may be text of a mail, and a line that is no answer may
 * be all of one (RFC 9051 section 7). */
size_t
imap_evidence(struct mail *m, const struct mail_session *s, const char *line, size_t len)
{
	struct imap_parts c = imap_split(line, len);
	bool untagged = c.tag_len == 1 && line[0] == '*';
	size_t end = c.word + c.word_len;
	if (is_status(line + c.word, c.word_len))
		return untagged && !(imap_of(m, s)->flags & IMAP_UNKNOWN) ? len : end;
	if (!untagged)
		return 0;
	end = 0;
	while (end < len && line[end] != '(' && line[end] != '"' && line[end] != '{')
		end++;
	while (end > 0 && line[end - 1] == ' ')
		end--;
	return end;
}

/* A literal in an answer to FETCH. */
static void
fetched_literal(struct mail *m, struct mail_session *s, const struct imap_fetched *f,
    uint64_t octets)
{
	struct imap *p = imap_of(m, s);
	bool goes_on = f->value == IMAP_VALUE_PIECE && p->flags & IMAP_PIECES &&
	    p->piece_seq == p->seq && p->piece_end == f->offset;
	p->flags &= ~IMAP_PIECE;
	if (goes_on && octets > 0) {
		p->literal[MAIL_SERVER] = LITERAL_MESSAGE;
		p->flags |= IMAP_MORE | IMAP_PIECE;
		p->piece_end = octets < UINT32_MAX - f->offset ? f->offset + (uint32_t)octets : 0;
		mail_content_count(m, s, MAIL_SERVER, octets);
		return;
	}
	if (f->value == IMAP_VALUE_MESSAGE) {
		imap_pieces_over(m, p);
		if (f->part && octets < UINT32_MAX) {
			p->flags |= IMAP_PIECE;
			p->piece_seq = p->seq;
			p->piece_end = (uint32_t)octets;
		}
		imap_begin_literal(m, s, MAIL_SERVER, LITERAL_MESSAGE, octets);
		return;
	}
	/* of a piece from the midst it is not known which part of the message it is */
	uint8_t shows = f->value == IMAP_VALUE_SHOWN ? f->shows
	    : f->value == IMAP_VALUE_PIECE	     ? MAIL_EXPOSED_HEADERS
						     : 0;
	if (shows != 0 && octets > 0)
		mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index = shows;
	imap_begin_literal(m, s, MAIL_SERVER, LITERAL_SKIP, octets);
}

/* A message in a quoted string. */
static void
fetched_quoted(struct mail *m, struct imap *p, const struct imap_fetched *f)
{
	imap_pieces_over(m, p);
	uint8_t tx = ++p->tx;
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_BEGIN, MAIL_SERVER);
	ev->tx = tx;
	ev->index = MAIL_CONTENT_BARE;
	ev = mail_emit(m, MAIL_CONTENT, MAIL_SERVER);
	ev->tx = tx;
	ev->text = f->quoted;
	ev->len = f->quoted_len;
	imap_content_over(m, MAIL_SERVER, tx, true);
	imap_result(m, MAIL_SERVER, tx, MAIL_ACCEPTED);
}

/* An untagged answer, or what goes on with one, from s on. */
static void
data_line(struct mail *m, struct mail_session *s, const struct mail_line *l, size_t at)
{
	struct imap *p = imap_of(m, s);
	struct imap_literal lit;
	struct imap_fetched f = {0};
	const char *text = l->tail != NULL ? l->tail : l->s;
	size_t len = l->tail != NULL ? LIMIT_LINE_TAIL : l->len;
	bool literal = imap_literal_of(text, len, &lit);
	if (p->depth > 0 || at > 0) {
		size_t end = literal && l->tail == NULL ? lit.at : l->len;
		imap_fetch_line(p, l->s + at, end > at ? end - at : 0, literal && l->tail == NULL,
		    &f);
		if (f.exposed != 0)
			mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index = f.exposed;
		if (f.quoted != NULL)
			fetched_quoted(m, p, &f);
		if (literal && l->tail != NULL) {
			imap_fetch_tail(p, text, lit.at, &f);
			p->depth = 1;
			p->item = 0;
		}
	}
	if (at == 0 && p->depth == 0 && ascii_begins(l->s, l->len, "* URLFETCH ")) {
		f.value = IMAP_VALUE_SHOWN; /* parts of a message, by their address (RFC 4467) */
		f.shows = MAIL_EXPOSED_BODY;
	}
	if (literal)
		fetched_literal(m, s, &f, lit.octets);
	else
		p->depth = 0;
}

static void
untagged(struct mail *m, struct mail_session *s, const struct mail_line *l,
    const struct imap_parts *c, bool greeting)
{
	struct imap *p = imap_of(m, s);
	const char *word = l->s + c->word;
	size_t left = l->len - c->word, at = 0;
	bool data = is_data(word, left), alert = ascii_find(l->s, l->len, "[ALERT]") != NULL;
	if (greeting) {
		mail_emit_text(m, MAIL_GREETING, MAIL_SERVER, word, left);
		if (ascii_is(word, c->word_len, "PREAUTH")) {
			p->flags |= IMAP_PREAUTH;
			mail_emit(m, MAIL_PREAUTH, MAIL_SERVER);
			mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_PREAUTH);
		}
	}
	/* nobody is logged in yet, and no PREAUTH or login was lost: it is meant for behind TLS
	 * (field notes 3.3) */
	if (imap_awaits(p, IMAP_STARTTLS) && (data || alert) &&
	    !(s->flags & MAIL_SESSION_MIDSTREAM) &&
	    !(p->flags & (IMAP_EARLY | IMAP_IN | IMAP_PREAUTH | IMAP_LOST))) {
		p->flags |= IMAP_EARLY;
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_RESPONSE_INJECTION);
		mail_emit_text(m, MAIL_EVIDENCE, MAIL_SERVER, l->s,
		    imap_evidence(m, s, l->s, l->len));
	}
	if (imap_is_one_sided(s) && data && !(p->flags & IMAP_UNSEEN)) {
		p->flags |= IMAP_UNSEEN;
		mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* how it logged in is not captured */
	}
	if (ascii_is(word, c->word_len, "CAPABILITY") || ascii_is(word, c->word_len, "BYE"))
		p->flags |= IMAP_HARMLESS;
	if (ascii_is(word, c->word_len, "ID")) {
		size_t n = imap_agent(word, left, m->said, sizeof m->said);
		if (n > 0)
			mail_emit_text(m, MAIL_AGENT, MAIL_SERVER, m->said, n);
	}
	if (is_status(word, c->word_len))
		return;
	p->depth = 0;
	if (imap_is_fetch(l->s, l->len, &p->seq, &at)) {
		p->item = 0;
	} else if (data) {
		p->known_seq = p->attachments = 0; /* numbers may mean other messages now */
	}
	data_line(m, s, l, at);
}

void
imap_server_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = imap_of(m, s);
	struct imap_parts c = imap_split(l->s, l->len);
	const char *word = l->s + c.word;
	if (p->flags & IMAP_MORE) {
		p->flags &= ~IMAP_MORE;
		data_line(m, s, l, 0);
		return;
	}
	bool is_untagged = c.tag_len == 1 && l->s[0] == '*';
	if (c.tag_len == 1 && l->s[0] == '+') {
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_COUNT) {
			p->flags &= ~IMAP_SYNC;
			s->flags &= (uint8_t)~MAIL_SESSION_DOUBT;
		} else if (imap_awaits(p, IMAP_AUTHENTICATE))
			p->flags |= IMAP_AUTH_OPEN;
		return;
	}
	bool greeting =
	    is_untagged && !(p->flags & IMAP_GREETED) && !(s->flags & MAIL_SESSION_MIDSTREAM);
	bool coded = ascii_find(l->s, l->len, "[CAPABILITY ") != NULL;
	bool unsure =
	    imap_is_one_sided(s) || s->flags & MAIL_SESSION_MIDSTREAM || p->flags & IMAP_LOST;
	p->flags |= IMAP_GREETED;
	if (is_untagged) {
		untagged(m, s, l, &c, greeting);
	} else if (imap_is_one_sided(s) && l->len > 0) {
		if (!(p->flags & (IMAP_UNSEEN | IMAP_HARMLESS))) {
			p->flags |= IMAP_UNSEEN;
			mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* it may have answered a login */
		}
		p->flags &= ~IMAP_HARMLESS;
	}
	if (!is_untagged && is_status(word, c.word_len)) {
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_TLS && ascii_is(word, c.word_len, "OK"))
			mail_emit(m, MAIL_LOST, MAIL_CLIENT); /* what it answers was no TLS */
		tagged(m, s, l, &c);
		if (coded && ascii_is(word, c.word_len, "OK"))
			p->flags |= IMAP_IN; /* only an accepted login is answered so (RFC 9051
						section 6.2) */
	}
	/* the client may be logged in by now, unless what it asked before is answered first */
	bool early = p->q_len > 0 && p->q[0].what == IMAP_CAPABILITY;
	if (!(p->flags & IMAP_IN) &&
	    (early || (!imap_awaits(p, IMAP_LOGIN) && !imap_awaits(p, IMAP_AUTHENTICATE))) &&
	    ((is_untagged && ascii_is(word, c.word_len, "CAPABILITY")) ||
		(coded && is_untagged && is_status(word, c.word_len))))
		capabilities(m, p, l->s, l->len, (unsure && !greeting) || l->cut);
}
