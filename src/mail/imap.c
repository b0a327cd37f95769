/*
 * The IMAP row: RFC 9051 and 3501, 2595 and 8314 (STARTTLS), 4959 (initial response), 7888
 * (literals), 3516 (BINARY), 3502 (MULTIAPPEND), 4978 (COMPRESS), 2971 (ID).
 *
 * The commands whose answers matter (STARTTLS, LOGIN, AUTHENTICATE, COMPRESS, APPEND, CAPABILITY)
 * are followed by their tags, a few at a time.  A literal that holds a whole message, in an answer
 * to FETCH or in APPEND, is content; one that holds a name or a password is passed over unseen;
 * others show what the item before them says (imap_fetch.c).
 *
 * It does not follow which mailbox is open, nor expunged messages.
 */
#include "mail/imap.h"

#include <string.h>

#include "base/text.h"

static int
imap_tx(struct mail *m, const struct mail_session *s, enum mail_side side)
{
	const struct imap *p = imap_of(m, s);
	return p->literal[side] == LITERAL_MESSAGE ? p->side_tx[side] : -1;
}

bool
imap_is_one_sided(const struct mail_session *s)
{
	return (s->flags & MAIL_SESSION_ONE_SIDED) != 0;
}

void
imap_result(struct mail *m, enum mail_side side, uint8_t tx, enum mail_result r)
{
	struct mail_event *ev = mail_emit(m, MAIL_RESULT, side);
	ev->tx = tx;
	ev->index = (uint16_t)r;
}

/* ---- commands that await their answers ---- */

/* A tag of any length in four octets (FNV-1a): two that are taken for each other mislead nobody but
 * who chose them. */
uint32_t
imap_tag(const char *s, size_t len)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h;
}

void
imap_forget(struct imap *p, unsigned at)
{
	p->q_len--;
	memmove(&p->q[at], &p->q[at + 1], (p->q_len - at) * sizeof p->q[0]);
}

void
imap_await(struct mail *m, struct mail_session *s, uint32_t tag, uint8_t what)
{
	struct imap *p = imap_of(m, s);
	if (p->q_len == LIMIT_PENDING_IMAP) {
		if (!imap_is_one_sided(s))
			mail_emit_odd(m, MAIL_CLIENT, MAIL_ODD_PIPELINE);
		for (; p->q[0].count > 0; p->q[0].count--)
			imap_result(m, MAIL_CLIENT, p->q[0].tx++, MAIL_RESULT_UNKNOWN);
		imap_forget(p, 0);
	}
	p->q[p->q_len++] = (struct imap_pending){.tag = tag, .what = what};
}

bool
imap_awaits(const struct imap *p, uint8_t what)
{
	for (unsigned i = 0; i < p->q_len; i++) {
		if (p->q[i].what == what)
			return true;
	}
	return false;
}

/* Those whose answers will not be seen, or may have been lost. */
void
imap_forget_attempts(struct imap *p)
{
	for (unsigned i = p->q_len; i-- > 0;) {
		if (p->q[i].what == IMAP_LOGIN || p->q[i].what == IMAP_AUTHENTICATE)
			imap_forget(p, i);
	}
}

/* ---- messages ---- */

/* The oldest message whose APPEND has no answer yet ends without it. */
void
imap_give_up_append(struct mail *m, struct imap *p)
{
	for (unsigned i = 0; i < p->q_len; i++) {
		if (p->q[i].count > 0) {
			p->q[i].count--;
			imap_result(m, MAIL_CLIENT, p->q[i].tx++, MAIL_RESULT_UNKNOWN);
			return;
		}
	}
}

void
imap_content_over(struct mail *m, enum mail_side side, uint8_t tx, bool seen)
{
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_END, side);
	ev->tx = tx;
	ev->flag = seen;
}

/* No more pieces come of the message that is fetched in pieces. */
void
imap_pieces_over(struct mail *m, struct imap *p)
{
	if (!(p->flags & IMAP_PIECES))
		return;
	p->flags &= ~IMAP_PIECES;
	imap_content_over(m, MAIL_SERVER, p->side_tx[MAIL_SERVER], true);
	imap_result(m, MAIL_SERVER, p->side_tx[MAIL_SERVER], MAIL_ACCEPTED);
}

void
imap_begin_literal(struct mail *m, struct mail_session *s, enum mail_side side,
    enum imap_holds what, uint64_t octets)
{
	struct imap *p = imap_of(m, s);
	p->literal[side] = (uint8_t)what;
	p->flags |= side == MAIL_CLIENT ? IMAP_REST : IMAP_MORE;
	if (what == LITERAL_MESSAGE)
		p->side_tx[side] = ++p->tx;
	mail_content_literal(m, s, side, octets);
}

void
imap_doubt_literal(struct mail *m, struct mail_session *s)
{
	const struct imap *p = imap_of(m, s);
	uint8_t what = p->literal[MAIL_CLIENT];
	if (p->flags & IMAP_SYNC && (what == LITERAL_MESSAGE || what == LITERAL_SECRET))
		s->flags |= MAIL_SESSION_DOUBT;
}

/* ---- the row ---- */

static void
imap_line(struct mail *m, struct mail_session *s, enum mail_side side, const struct mail_line *l)
{
	if (side == MAIL_CLIENT)
		imap_client_line(m, s, l);
	else
		imap_server_line(m, s, l);
}

/*
 * LOGIN's second argument; what follows AUTHENTICATE's mechanism; answers to challenges; and while
 * AUTHENTICATE waits for its answer every line that is no command and can become none.
 */
static size_t
client_secret(const struct imap *p, const char *line, size_t len)
{
	unsigned seen;
	if (p->flags & IMAP_REST) {
		if (p->rest == IMAP_LOGIN)
			return imap_login_secret(line, len, 0, p->args, &seen);
		return p->rest == IMAP_AUTHENTICATE
		    ? imap_secret_at(line, len, mail_skip_blanks(line, len, 0))
		    : len;
	}
	if (p->flags & IMAP_AUTH_OPEN)
		return 0;
	struct imap_parts c = imap_split(line, len);
	if (c.what == IMAP_LOGIN && c.word + c.word_len < len)
		return imap_login_secret(line, len, c.arg, 0, &seen);
	if (c.what == IMAP_AUTHENTICATE && c.word + c.word_len < len) {
		size_t at = c.arg + mail_word_len(line + c.arg, len - c.arg);
		return imap_secret_at(line, len, mail_skip_blanks(line, len, at));
	}
	return imap_awaits(p, IMAP_AUTHENTICATE) && c.what == IMAP_NONE &&
		!imap_may_become_command(line, len)
	    ? 0
	    : len;
}

static size_t
imap_secret(struct mail *m, const struct mail_session *s, enum mail_side side, const char *line,
    size_t len)
{
	/* the CR of a line end may have come without its LF */
	size_t n = len > 0 && line[len - 1] == '\r' ? len - 1 : len;
	size_t at = side == MAIL_CLIENT ? client_secret(imap_of(m, s), line, n) : n;
	return at < n ? at : len;
}

/* LOGIN has two arguments (RFC 9051 section 6.2.3): with one it is what is left of AUTHENTICATE
 * LOGIN. */
static enum plausible
plausible_login(const char *args, size_t len, bool whole)
{
	size_t first = mail_word_len(args, len);
	if (mail_skip_blanks(args, len, first) < len || (first > 0 && args[0] == '{'))
		return PLAUSIBLE_YES;
	return whole ? PLAUSIBLE_NO : PLAUSIBLE_MAYBE;
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
	struct imap_parts c = imap_split(data, n);
	if (c.what != IMAP_NONE && data[c.tag_len - 1] == ':')
		return PLAUSIBLE_NO; /* "Subject: Check ..." begins a mail */
	if (c.what == IMAP_LOGIN)
		return plausible_login(data + c.arg, n - c.arg, n < len);
	if (c.what != IMAP_NONE)
		return PLAUSIBLE_YES;
	if (n < len || c.tag_len > LIMIT_TAG_DOUBTFUL || c.arg < n)
		return PLAUSIBLE_NO;
	return imap_may_become_command(data, n) ? PLAUSIBLE_MAYBE : PLAUSIBLE_NO;
}

static void
imap_content_end(struct mail *m, struct mail_session *s, enum mail_side side, bool seen)
{
	struct imap *p = imap_of(m, s);
	uint8_t what = p->literal[side], tx = p->side_tx[side];
	p->literal[side] = LITERAL_NONE;
	if (side == MAIL_CLIENT)
		p->flags &= ~IMAP_SYNC;
	if (!seen)
		p->flags &= side == MAIL_CLIENT ? ~IMAP_REST : ~IMAP_MORE;
	if (what == LITERAL_SECRET && seen)
		mail_emit(m, MAIL_AUTH_SECRET, MAIL_CLIENT);
	if (what != LITERAL_MESSAGE || !mail_content_begun(s, side))
		return;
	if (side == MAIL_SERVER && p->flags & IMAP_PIECE && seen) {
		p->flags = (p->flags & ~IMAP_PIECE) | IMAP_PIECES;
		return;
	}
	p->flags &= side == MAIL_SERVER ? ~(IMAP_PIECE | IMAP_PIECES) : ~0u;
	imap_content_over(m, side, tx, seen);
	if (side == MAIL_SERVER || !seen)
		imap_result(m, side, tx, seen ? MAIL_ACCEPTED : MAIL_ENDED);
	else if (!imap_awaits(p, IMAP_APPEND)) /* its answer is not captured */
		imap_result(m, side, tx, MAIL_RESULT_UNKNOWN);
}

static void
imap_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct imap *p = imap_of(m, s);
	p->flags |= IMAP_LOST | IMAP_GREETED; /* what comes now is no greeting */
	if (side == MAIL_CLIENT) {
		p->flags &= ~(IMAP_AUTH_OPEN | IMAP_REST | IMAP_SYNC);
		return;
	}
	p->flags &= ~IMAP_MORE;
	p->depth = 0;
	imap_doubt_literal(m, s);
	imap_pieces_over(m, p);
	for (unsigned i = p->q_len; i-- > 0;) { /* the answer may be what was lost */
		if (p->q[i].what != IMAP_STARTTLS && p->q[i].what != IMAP_LOGIN &&
		    p->q[i].what != IMAP_AUTHENTICATE)
			imap_forget(p, i);
	}
}

static void
imap_end(struct mail *m, struct mail_session *s)
{
	imap_pieces_over(m, imap_of(m, s));
}

const struct mail_row mail_imap_row = {
    .name = "imap",
    .content = 1u << MAIL_CLIENT | 1u << MAIL_SERVER,
    .bare = true,
    .begin = mail_mailbox_begin,
    .line = imap_line,
    .secret = imap_secret,
    .plausible = imap_plausible,
    .content_end = imap_content_end,
    .gap = imap_gap,
    .end = imap_end,
    .release = mail_mailbox_release,
    .evidence = imap_evidence,
    .tx = imap_tx,
};
