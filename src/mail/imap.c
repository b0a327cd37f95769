/*
 * The IMAP row: RFC 9051 and 3501, 2595 and 8314 (STARTTLS), 4959 (initial response), 7888
 * (literals), 4978 (COMPRESS).
 *
 * One command at a time is followed by its tag: the one whose answer matters (STARTTLS, LOGIN,
 * AUTHENTICATE, COMPRESS).  A literal that holds a whole message, in an answer to FETCH or in
 * APPEND, is content; other literals are passed over.
 */
#include <string.h>

#include "base/text.h"
#include "mail/protocol.h"

enum imap_command {
	CMD_NONE,
	CMD_STARTTLS,
	CMD_LOGIN,
	CMD_AUTHENTICATE,
	CMD_COMPRESS,
	CMD_APPEND,
	CMD_ASKED,
	CMD_OTHER
};
#define PLAUSIBLE_TAG 8u /* octets of a tag that is waited for behind a loss */

enum imap_literal { LITERAL_NONE, LITERAL_SKIP, LITERAL_MESSAGE };

#define IMAP_SURE      0x01u /* MAIL_CONFIRMED was emitted */
#define IMAP_GREETED   0x02u
#define IMAP_AUTH_OPEN 0x04u /* the client's next line answers a challenge */
#define IMAP_INJECTED  0x08u /* the client spoke between STARTTLS and its answer */
#define IMAP_REST      0x10u /* the client's next line goes on with a command, behind a literal */
/* a login was accepted: lists name no STARTTLS any more (RFC 9051 section 6.2.1) */
#define IMAP_IN	  0x20u
#define IMAP_LOST 0x40u /* octets were lost: a login may be among them */

static const struct verb {
	const char *word;
	uint8_t what;
} verbs[] = {
    {"STARTTLS", CMD_STARTTLS},
    {"LOGIN", CMD_LOGIN},
    {"AUTHENTICATE", CMD_AUTHENTICATE},
    {"COMPRESS", CMD_COMPRESS},
    {"APPEND", CMD_APPEND},
    {"CAPABILITY", CMD_ASKED},
    {"NOOP", CMD_OTHER},
    {"LOGOUT", CMD_OTHER},
    {"SELECT", CMD_OTHER},
    {"EXAMINE", CMD_OTHER},
    {"CREATE", CMD_OTHER},
    {"DELETE", CMD_OTHER},
    {"RENAME", CMD_OTHER},
    {"SUBSCRIBE", CMD_OTHER},
    {"UNSUBSCRIBE", CMD_OTHER},
    {"LIST", CMD_OTHER},
    {"LSUB", CMD_OTHER},
    {"STATUS", CMD_OTHER},
    {"CHECK", CMD_OTHER},
    {"CLOSE", CMD_OTHER},
    {"EXPUNGE", CMD_OTHER},
    {"SEARCH", CMD_OTHER},
    {"FETCH", CMD_OTHER},
    {"STORE", CMD_OTHER},
    {"COPY", CMD_OTHER},
    {"MOVE", CMD_OTHER},
    {"UID", CMD_OTHER},
    {"ID", CMD_OTHER},
    {"IDLE", CMD_OTHER},
    {"NAMESPACE", CMD_OTHER},
    {"ENABLE", CMD_OTHER},
    {"UNSELECT", CMD_OTHER},
    {"GETQUOTAROOT", CMD_OTHER},
    {"GETQUOTA", CMD_OTHER},
    {"XLIST", CMD_OTHER},
    {"SORT", CMD_OTHER},
};

/* Tag, command word and where its arguments start. */
struct parts {
	size_t tag_len;
	size_t word, word_len;
	size_t arg;
	uint8_t what; /* enum imap_command; CMD_NONE where the word is no command */
};

static struct parts
split(const char *s, size_t len)
{
	struct parts p = {.tag_len = mail_word_len(s, len)};
	p.word = p.tag_len < len ? p.tag_len + 1 : len;
	p.word_len = mail_word_len(s + p.word, len - p.word);
	p.arg = p.word + p.word_len;
	if (p.arg < len)
		p.arg++;
	for (size_t i = 0; p.tag_len > 0 && i < sizeof verbs / sizeof verbs[0]; i++) {
		if (ascii_is(s + p.word, p.word_len, verbs[i].word))
			p.what = verbs[i].what;
	}
	return p;
}

static int
imap_tx(const struct mail_session *s)
{
	return s->p.imap.literal == LITERAL_MESSAGE ? s->p.imap.tx : -1;
}

static bool
awaits_secret(const struct imap *p)
{
	return p->what == CMD_LOGIN || p->what == CMD_AUTHENTICATE;
}

/* A line's trailing literal {n} or {n+} (RFC 7888); false where it has none. */
static bool
literal_of(const char *s, size_t len, uint64_t *octets, size_t *at)
{
	if (len < 3 || s[len - 1] != '}')
		return false;
	size_t i = len - 1;
	if (s[i - 1] == '+' || s[i - 1] == '-')
		i--;
	size_t end = i;
	while (i > 0 && s[i - 1] >= '0' && s[i - 1] <= '9')
		i--;
	if (i == end || i == 0 || s[i - 1] != '{' || end - i > 12)
		return false;
	*octets = 0;
	for (size_t k = i; k < end; k++)
		*octets = *octets * 10 + (uint64_t)(s[k] - '0');
	*at = i - 1;
	return true;
}

static void
begin_literal(struct mail *m, struct mail_session *s, enum mail_side side, enum imap_literal what,
    uint64_t octets)
{
	struct imap *p = &s->p.imap;
	p->literal = (uint8_t)what;
	if (what == LITERAL_MESSAGE) {
		p->tx++;
		mail_emit(m, MAIL_CONTENT_BEGIN, side)->tx = p->tx;
	}
	mail_content_count(m, s, side, octets);
}

static void
client_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = &s->p.imap;
	struct parts c = split(l->s, l->len);
	uint64_t octets;
	size_t at;
	if (l->len == 0 && (l->hidden > 0 || p->flags & IMAP_AUTH_OPEN)) {
		p->flags &= (uint8_t)~IMAP_AUTH_OPEN;
		if (l->hidden > 0 &&
		    !(l->hidden <= 2 && (l->hidden_first == '*' || l->hidden_first == '=')))
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		return;
	}
	p->flags &= (uint8_t)~IMAP_AUTH_OPEN;
	if (p->flags & IMAP_REST) {
		p->flags &= (uint8_t)~IMAP_REST;
		c.what = CMD_NONE;
	} else if (c.what != CMD_NONE) {
		if (p->what == CMD_STARTTLS)
			p->flags |= IMAP_INJECTED;
		if (!(p->flags & IMAP_SURE))
			mail_emit(m, MAIL_CONFIRMED, MAIL_CLIENT);
		p->flags |= IMAP_SURE;
	}
	switch (c.what) {
	case CMD_STARTTLS: mail_emit(m, MAIL_UPGRADE, MAIL_CLIENT); break;
	case CMD_ASKED: mail_emit(m, MAIL_ASKED, MAIL_CLIENT); break;
	case CMD_LOGIN:
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, "LOGIN-COMMAND", 13);
		if (l->hidden > 0)
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		break;
	case CMD_AUTHENTICATE:
		mail_emit_text(m, MAIL_AUTH, MAIL_CLIENT, l->s + c.arg,
		    mail_word_len(l->s + c.arg, l->len - c.arg));
		if (l->hidden > 1 || (l->hidden == 1 && l->hidden_first != '='))
			mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
		break;
	default: break;
	}
	if (c.what != CMD_NONE && c.what != CMD_OTHER && c.what != CMD_ASKED &&
	    p->what != CMD_STARTTLS) {
		size_t n = c.tag_len < sizeof p->tag - 1 ? c.tag_len : sizeof p->tag - 1;
		memcpy(p->tag, l->s, n);
		p->tag[n] = '\0';
		p->what = c.what;
	}
	if (l->hidden == 0 && literal_of(l->s, l->len, &octets, &at) &&
	    octets < LIMIT_CONTENT_LITERAL) {
		p->flags |= IMAP_REST;
		begin_literal(m, s, MAIL_CLIENT,
		    c.what == CMD_APPEND ? LITERAL_MESSAGE : LITERAL_SKIP, octets);
	}
}

/* ---- the server's lines ---- */

/* A capability list, in an answer of its own or in brackets behind OK.  `cut`: it may be that of a
 * client that is logged in, where no STARTTLS is named. */
static void
capabilities(struct mail *m, const char *s, size_t len, bool cut)
{
	const char *at = ascii_find(s, len, "CAPABILITY ");
	bool offered = false, same;
	if (at == NULL)
		return;
	size_t left = len - (size_t)(at - s);
	while (left > 0) {
		size_t n = mail_word_len(at, left), word = n;
		while (word > 0 && at[word - 1] == ']')
			word--;
		if (ascii_is(at, word, "STARTTLS")) {
			offered = true;
		} else if (word == 8 && mail_is_mangled(at, word, "STARTTLS", &same)) {
			struct mail_event *ev = mail_emit(m, MAIL_MANGLED, MAIL_SERVER);
			ev->text = at;
			ev->len = word;
			ev->flag = true;
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
	mail_emit(m, cut ? MAIL_OFFER_CUT : MAIL_OFFER, MAIL_SERVER)->flag = offered;
}

/* What an answer to FETCH shows of a message, by the last item before `end`. */
static enum imap_literal
fetched(struct mail *m, const char *s, size_t end)
{
	size_t i = end;
	while (i > 0 && s[i - 1] == ' ')
		i--;
	size_t item_end = i;
	while (i > 0 && s[i - 1] != ' ' && s[i - 1] != '(')
		i--;
	/* BODY[HEADER.FIELDS (A B)] has blanks inside */
	if (item_end > 0 && memchr(s + i, '[', item_end - i) == NULL &&
	    memchr(s + i, ']', item_end - i) != NULL) {
		while (i > 0 && s[i] != '[')
			i--;
		while (i > 0 && s[i - 1] != ' ' && s[i - 1] != '(')
			i--;
	}
	const char *item = s + i;
	size_t len = item_end - i;
	if (ascii_is(item, len, "RFC822") || ascii_begins(item, len, "BODY[]"))
		return LITERAL_MESSAGE;
	if (ascii_begins(item, len, "RFC822.HEADER") || ascii_begins(item, len, "BODY[HEADER"))
		mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index = MAIL_EXPOSED_HEADERS;
	else if (ascii_begins(item, len, "BODY[") || ascii_begins(item, len, "RFC822.TEXT") ||
	    ascii_begins(item, len, "BINARY["))
		mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index = MAIL_EXPOSED_BODY;
	return LITERAL_SKIP;
}

static void
tagged(struct mail *m, struct mail_session *s, const char *word, size_t len)
{
	struct imap *p = &s->p.imap;
	bool ok = ascii_is(word, len, "OK");
	uint8_t what = p->what;
	p->what = CMD_NONE;
	switch (what) {
	case CMD_STARTTLS: {
		struct mail_event *ev = mail_emit(m, MAIL_UPGRADE_REPLY, MAIL_SERVER);
		ev->text = word;
		ev->len = len;
		ev->flag = ok;
		if (ok && p->flags & IMAP_INJECTED)
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_COMMAND_INJECTION);
		p->flags &= (uint8_t)~IMAP_INJECTED;
		if (ok)
			mail_upgrade(s);
		break;
	}
	case CMD_LOGIN:
	case CMD_AUTHENTICATE:
		p->flags &= (uint8_t)~IMAP_AUTH_OPEN;
		mail_emit(m, MAIL_AUTH_REPLY, MAIL_SERVER)->index =
		    ok ? MAIL_AUTH_ACCEPTED : MAIL_AUTH_REFUSED;
		if (ok)
			p->flags |= IMAP_IN;
		break;
	case CMD_COMPRESS:
		if (ok) {
			mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_COMPRESSED);
			s->mode[0] = s->mode[1] = MAIL_MODE_OFF;
		}
		break;
	case CMD_APPEND:
		if (!ok && s->mode[MAIL_CLIENT] == MAIL_MODE_COUNT)
			s->mode[MAIL_CLIENT] = MAIL_MODE_LINES; /* the literal was not wanted */
		break;
	default: break;
	}
}

static void
server_line(struct mail *m, struct mail_session *s, const struct mail_line *l)
{
	struct imap *p = &s->p.imap;
	struct parts c = split(l->s, l->len);
	const char *word = l->s + c.word;
	bool untagged = c.tag_len == 1 && l->s[0] == '*';
	bool greeting =
	    untagged && !(p->flags & IMAP_GREETED) && !(s->flags & MAIL_SESSION_MIDSTREAM);
	uint64_t octets;
	size_t at;
	if (c.tag_len == 1 && l->s[0] == '+') {
		if (p->what == CMD_AUTHENTICATE)
			p->flags |= IMAP_AUTH_OPEN;
		return;
	}
	if (greeting) {
		mail_emit_text(m, MAIL_GREETING, MAIL_SERVER, l->s + c.word, l->len - c.word);
		if (ascii_is(word, c.word_len, "PREAUTH")) {
			mail_emit(m, MAIL_PREAUTH, MAIL_SERVER);
			mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_PREAUTH);
		}
	}
	p->flags |= IMAP_GREETED;
	if (untagged && ascii_find(l->s, l->len, " FETCH (") != NULL &&
	    ascii_find(l->s, l->len, "ENVELOPE (") != NULL)
		mail_emit(m, MAIL_EXPOSED, MAIL_SERVER)->index = MAIL_EXPOSED_HEADERS;
	if (p->what != CMD_NONE && c.tag_len > 0 &&
	    strlen(p->tag) == (c.tag_len < sizeof p->tag - 1 ? c.tag_len : sizeof p->tag - 1) &&
	    memcmp(p->tag, l->s, strlen(p->tag)) == 0)
		tagged(m, s, word, c.word_len);
	bool unsure =
	    s->flags & (MAIL_SESSION_ONE_SIDED | MAIL_SESSION_MIDSTREAM) || p->flags & IMAP_LOST;
	if (!untagged && c.tag_len > 0 && ascii_find(l->s, l->len, "[CAPABILITY ") != NULL)
		p->flags |=
		    IMAP_IN; /* only an accepted login is answered so (RFC 9051 section 6.2) */
	if (!(p->flags & IMAP_IN) && !awaits_secret(p) &&
	    ((untagged && ascii_is(word, c.word_len, "CAPABILITY")) ||
		ascii_find(l->s, l->len, "[CAPABILITY ") != NULL))
		capabilities(m, l->s, l->len, unsure && !greeting);
	if (s->mode[MAIL_SERVER] == MAIL_MODE_LINES && literal_of(l->s, l->len, &octets, &at) &&
	    octets < LIMIT_CONTENT_LITERAL)
		begin_literal(m, s, MAIL_SERVER, fetched(m, l->s, at), octets);
}

/* ---- the row ---- */

static void
imap_begin(struct mail *m, struct mail_session *s)
{
	(void)m;
	(void)s;
}

static void
imap_line(struct mail *m, struct mail_session *s, enum mail_side side, const struct mail_line *l)
{
	if (side == MAIL_CLIENT)
		client_line(m, s, l);
	else
		server_line(m, s, l);
}

/*
 * What follows LOGIN and AUTHENTICATE's mechanism; answers to challenges; and while one of the two
 * waits for its answer every line that is no command of its own (literals carry names and
 * passwords).
 */
static size_t
imap_secret(const struct mail_session *s, enum mail_side side, const char *line, size_t len)
{
	const struct imap *p = &s->p.imap;
	if (side != MAIL_CLIENT)
		return len;
	if (p->flags & IMAP_AUTH_OPEN)
		return 0;
	struct parts c = split(line, len);
	if (c.what == CMD_LOGIN && c.word + c.word_len < len)
		return c.arg;
	if (c.what == CMD_AUTHENTICATE && c.word + c.word_len < len) {
		size_t at = c.arg + mail_word_len(line + c.arg, len - c.arg);
		return at < len ? at + 1 : len;
	}
	return awaits_secret(p) && c.what == CMD_NONE ? 0 : len;
}

static enum plausible
imap_plausible(const struct mail_session *s, enum mail_side side, const char *data, size_t len)
{
	size_t n = 0;
	(void)s;
	if (side == MAIL_SERVER) {
		enum plausible a = mail_plausible_word(data, len, "* ");
		enum plausible b = mail_plausible_word(data, len, "+ ");
		return a > b ? a : b;
	}
	while (n < len && data[n] != '\r' && data[n] != '\n')
		n++;
	struct parts c = split(data, n);
	if (c.what != CMD_NONE)
		return PLAUSIBLE_YES;
	if (n < len || c.tag_len > PLAUSIBLE_TAG || c.arg < n)
		return PLAUSIBLE_NO;
	if (c.word == n)
		return PLAUSIBLE_MAYBE; /* a tag, if anything */
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (mail_plausible_word(data + c.word, c.word_len, verbs[i].word) != PLAUSIBLE_NO)
			return PLAUSIBLE_MAYBE;
	}
	return PLAUSIBLE_NO;
}

static void
imap_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen)
{
	struct imap *p = &s->p.imap;
	if (p->literal == LITERAL_MESSAGE) {
		struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, side);
		ev->tx = p->tx;
		ev->flag = seen;
		ev = mail_emit(m, MAIL_RESULT, side);
		ev->tx = p->tx;
		ev->index = seen ? MAIL_ACCEPTED : MAIL_ABORTED;
	}
	p->literal = LITERAL_NONE;
}

static void
imap_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct imap *p = &s->p.imap;
	(void)m;
	p->flags &= (uint8_t) ~(IMAP_AUTH_OPEN | IMAP_REST);
	p->flags |= IMAP_LOST | IMAP_GREETED; /* what comes now is no greeting */
	if (side == MAIL_SERVER && p->what != CMD_STARTTLS)
		p->what = CMD_NONE; /* its answer may be what was lost */
}

static void
imap_end(struct mail *m, struct mail_session *s)
{
	(void)m;
	(void)s;
}

const struct mail_row mail_imap_row = {
    .name = "imap",
    .content = 1u << MAIL_CLIENT | 1u << MAIL_SERVER,
    .bare = true,
    .begin = imap_begin,
    .line = imap_line,
    .secret = imap_secret,
    .plausible = imap_plausible,
    .content_end = imap_content_end,
    .gap = imap_gap,
    .end = imap_end,
    .tx = imap_tx,
};
