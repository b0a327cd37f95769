/*
 * Content under way: see content.h.
 *
 * Dot-terminated content (RFC 5321 section 4.5.2, RFC 1939 section 3) ends at CRLF . CRLF alone;
 * dots that bare LF surrounds are told as odd.  Counted content (RFC 3030, literals of RFC 9051
 * section 4.3) ends by its number.  No octet is held; time is linear in them.
 */
#include "mail/content.h"

#include "base/scan.h"
#include "mail/session.h"

/* Where in a line of dot-terminated content a side is (RFC 5321 section 4.5.2). */
enum dot_state {
	DOT_MID,    /* inside a line */
	DOT_MID_CR, /* inside a line, the last octet was CR */
	DOT_START,  /* at the start of a line, the line before ended in CRLF */
	DOT_LF,	    /* at the start of a line, the line before ended in bare LF */
	DOT_DOT,    /* after the dot that starts a line behind CRLF */
	DOT_LF_DOT, /* after the dot that starts a line behind bare LF */
	DOT_DOT_CR, /* after dot CR behind CRLF */
	DOT_LF_DOT_CR,
};
#define DOT_STATE 0x0fu
#define DOT_LIKELY \
	0x10u /* a dot line that only a lax server takes for the end was the last thing seen */
#define DOT_BEHIND 0x20u /* something follows that dot line */
#define DOT_BEGUN  0x40u /* MAIL_CONTENT_BEGIN was emitted */

static uint64_t
count_of(const struct mail_session *s, enum mail_side side)
{
	return (uint64_t)s->count_high[side] << 32 | s->count[side];
}

static void
count_set(struct mail_session *s, enum mail_side side, uint64_t octets)
{
	s->count[side] = (uint32_t)octets;
	s->count_high[side] = (uint8_t)(octets >> 32); /* see LIMIT_CONTENT_LITERAL */
}

void
mail_content_dot(struct mail *m, struct mail_session *s, enum mail_side side)
{
	session_drop_line(m, s,
	    side); /* where content was not awaited, it may have begun in its midst */
	s->mode[side] = MAIL_MODE_DOT;
	s->dot[side] = DOT_START;
	s->flags &= (uint8_t) ~(MAIL_SESSION_GAP | MAIL_SESSION_DOUBT);
}

void
mail_content_count(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t octets)
{
	s->mode[side] = MAIL_MODE_COUNT;
	count_set(s, side, octets);
	s->dot[side] = DOT_BEGUN;
	s->flags &= (uint8_t)~MAIL_SESSION_GAP;
	if (octets == 0) {
		s->mode[side] = MAIL_MODE_LINES;
		session_row(s)->content_end(m, s, side, true);
	}
}

void
mail_content_literal(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t octets)
{
	s->mode[side] = octets > 0 ? MAIL_MODE_COUNT : MAIL_MODE_LINES;
	count_set(s, side, octets);
	s->dot[side] = 0;
	s->flags &= (uint8_t)~MAIL_SESSION_GAP;
	if (octets == 0)
		session_row(s)->content_end(m, s, side, true);
}

bool
mail_content_begun(const struct mail_session *s, enum mail_side side)
{
	return (s->dot[side] & DOT_BEGUN) != 0;
}

void
mail_content_stop(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->flags & MAIL_SESSION_GAP)
		session_resync(m, s, side);
	else
		s->mode[side] = MAIL_MODE_LINES;
	session_row(s)->content_end(m, s, side, true);
}

bool
mail_dot_is_likely(const struct mail_session *s, enum mail_side side)
{
	return (s->dot[side] & DOT_LIKELY) != 0;
}

static void
begin(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct mail_event *ev = mail_emit(m, MAIL_CONTENT_BEGIN, side);
	ev->tx = (uint8_t)session_row(s)->tx(m, s, side);
	ev->index = session_row(s)->bare ? MAIL_CONTENT_BARE : 0;
	s->dot[side] |= DOT_BEGUN;
}

bool
content_pass(struct mail *m, struct mail_session *s, enum mail_side side, const uint8_t *data,
    size_t len, struct mail_event *ev)
{
	int tx = session_row(s)->tx(m, s, side);
	if ((s->dot[side] & (DOT_STATE | DOT_BEGUN)) != (DOT_MID | DOT_BEGUN) || tx < 0 ||
	    scan_line_mark(data, len) < len)
		return false;
	if (data[len - 1] == '\r')
		s->dot[side] = (uint8_t)((s->dot[side] & ~DOT_STATE) | DOT_MID_CR);
	*ev = (struct mail_event){.kind = MAIL_CONTENT,
	    .side = (uint8_t)side,
	    .flag = true,
	    .tx = (uint8_t)tx,
	    .index = m->stuffed,
	    .text = (const char *)data,
	    .len = len};
	m->stuffed = 0;
	return true;
}

/* `unmarked`: scan_line_mark finds nothing in them. */
static void
emit_content(struct mail *m, struct mail_session *s, enum mail_side side, const void *data,
    size_t len, bool unmarked)
{
	struct mail_event *ev;
	if (len == 0 || session_row(s)->tx(m, s, side) < 0)
		return;
	if (!(s->dot[side] & DOT_BEGUN))
		begin(m, s, side);
	ev = mail_emit(m, MAIL_CONTENT, side);
	ev->tx = (uint8_t)session_row(s)->tx(m, s, side);
	ev->text = data;
	ev->len = len;
	ev->flag = unmarked;
	ev->index = m->stuffed;
	m->stuffed = 0;
}

/*
 * One octet at a line's start or behind its dot.  Returns true where it is content (or the start of
 * content, with the stuffed dot left out); sets the side's state.  `end` is set at the end of data.
 */
static bool
dot_octet(struct mail *m, struct mail_session *s, enum mail_side side, uint8_t c, bool *end)
{
	uint8_t state = s->dot[side] & DOT_STATE, keep = s->dot[side] & (uint8_t)~DOT_STATE;
	uint8_t next = c == '\n' ? DOT_LF : c == '\r' ? DOT_MID_CR : DOT_MID;
	bool content = true;
	switch (state) {
	case DOT_MID_CR:
		if (c == '\n')
			next = DOT_START;
		break;
	case DOT_START:
	case DOT_LF:
		if (keep & DOT_LIKELY)
			keep |= DOT_BEHIND;
		if (c == '.') {
			next = state == DOT_START ? DOT_DOT : DOT_LF_DOT;
			content = false;
		}
		break;
	case DOT_DOT:
	case DOT_LF_DOT:
		if (c == '\r') {
			next = state == DOT_DOT ? DOT_DOT_CR : DOT_LF_DOT_CR;
			content = false;
		} else if (c == '\n') { /* a lone dot ended by bare LF */
			mail_emit_odd(m, side, MAIL_ODD_BARE_LF_DOT);
			keep = (uint8_t)((keep | DOT_LIKELY) & ~DOT_BEHIND);
		} else {
			m->stuffed =
			    (uint16_t)(m->stuffed + 1); /* the dot left out was a stuffed one */
		}
		break;
	case DOT_DOT_CR:
	case DOT_LF_DOT_CR:
		if (c == '\n' && state == DOT_DOT_CR) {
			*end = true;
			content = false;
		} else if (c == '\n') {
			mail_emit_odd(m, side, MAIL_ODD_BARE_LF_DOT);
			keep = (uint8_t)((keep | DOT_LIKELY) & ~DOT_BEHIND);
			next = DOT_START;
		}
		break;
	default: break;
	}
	s->dot[side] = (uint8_t)(next | keep);
	return content;
}

/* The answer that content awaits was not seen: what comes is a command, with which none begins? */
static bool
is_refused(const struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	if (s->dot[side] & DOT_BEGUN)
		return false;
	s->flags &= (uint8_t)~MAIL_SESSION_DOUBT;
	return session_row(s)->plausible(s, side, (const char *)m->data, m->left) == PLAUSIBLE_YES;
}

void
content_read_dot(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	const uint8_t *start = m->data, *p = start, *stop = start + m->left;
	if (s->flags & MAIL_SESSION_DOUBT && is_refused(m, s)) {
		s->mode[side] = MAIL_MODE_LINES;
		return;
	}
	bool unmarked = false;
	while (p < stop) {
		if ((s->dot[side] & DOT_STATE) == DOT_MID) {
			/* run to the next line end that a dot follows, or that is the last octet */
			size_t left = (size_t)(stop - p), n = scan_line_mark(p, left);
			if (n == left) {
				unmarked = p == start;
				p = stop;
				if (p[-1] == '\r')
					s->dot[side] =
					    (uint8_t)((s->dot[side] & ~DOT_STATE) | DOT_MID_CR);
				break;
			}
			bool cr = n > 0 && p[n - 1] == '\r';
			p += n + 1;
			s->dot[side] =
			    (uint8_t)((s->dot[side] & ~DOT_STATE) | (cr ? DOT_START : DOT_LF));
			continue;
		}
		bool end = false;
		if (dot_octet(m, s, side, *p, &end)) {
			p++;
			continue;
		}
		/* not content: hand on what came before, then leave the octet out */
		emit_content(m, s, side, start, (size_t)(p - start), false);
		p++;
		m->left = (size_t)(stop - p);
		m->data = p;
		if (end) {
			if (!(s->dot[side] & DOT_BEGUN))
				begin(m, s, side);
			s->mode[side] = MAIL_MODE_LINES;
			session_row(s)->content_end(m, s, side, true);
			return;
		}
		if (m->q_len > 0)
			return; /* the events first: the queue is short */
		start = p;
	}
	emit_content(m, s, side, start, (size_t)(p - start), unmarked);
	m->data = p;
	m->left = (size_t)(stop - p);
}

void
content_read_count(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	if (s->flags & MAIL_SESSION_DOUBT && side == MAIL_CLIENT && is_refused(m, s)) {
		s->mode[side] = MAIL_MODE_LINES;
		session_row(s)->content_end(m, s, side, false);
		return;
	}
	uint64_t count = count_of(s, side);
	size_t n = m->left < count ? m->left : (size_t)count;
	emit_content(m, s, side, m->data, n, false);
	m->data += n;
	m->left -= n;
	count_set(s, side, count - n);
	if (count == n) {
		s->mode[side] = MAIL_MODE_LINES;
		session_row(s)->content_end(m, s, side, true);
	}
}

void
content_gap(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len)
{
	const struct mail_row *row = session_row(s);
	uint64_t count = s->mode[side] == MAIL_MODE_COUNT ? count_of(s, side) : 0;
	if (s->mode[side] == MAIL_MODE_COUNT && len > count) {
		session_resync(m, s, side);
		s->flags |= MAIL_SESSION_GAP;
		row->content_end(m, s, side, false);
		row->gap(m, s, side);
		return;
	}
	if (row->tx(m, s, side) >= 0) {
		if (!(s->dot[side] & DOT_BEGUN))
			begin(m, s, side);
		struct mail_event *ev = mail_emit(m, MAIL_CONTENT_GAP, side);
		ev->tx = (uint8_t)row->tx(m, s, side);
		ev->len = (size_t)len;
	}
	s->flags |= MAIL_SESSION_GAP;
	s->dot[side] = DOT_MID_CR | DOT_BEGUN; /* a CR may be what was lost last */
	if (s->mode[side] != MAIL_MODE_COUNT)
		return;
	count_set(s, side, count - len);
	if (count == len) {
		s->mode[side] = MAIL_MODE_LINES;
		row->content_end(m, s, side, true);
	}
}

void
content_cut(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->mode[side] != MAIL_MODE_DOT && s->mode[side] != MAIL_MODE_COUNT)
		return;
	if (s->dot[side] & DOT_BEGUN)
		session_row(s)->content_end(m, s, side, mail_dot_is_likely(s, side));
	s->mode[side] = MAIL_MODE_OFF;
}
