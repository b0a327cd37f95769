/*
 * Content in a mail session: until a line that is a dot alone, or for a counted number of octets.
 *
 * It is passed on in place, without the dots that were put before lines that begin with one;
 * nothing is held but where in a line the side is.  Time is linear in the octets.
 */
#include <string.h>

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

void
mail_content_dot(struct mail *m, struct mail_session *s, enum mail_side side)
{
	mail_drop_line(m, s,
	    side); /* where content was not awaited, it may have begun in its midst */
	s->mode[side] = MAIL_MODE_DOT;
	s->dot[side] = DOT_START;
	s->flags &= (uint8_t) ~(MAIL_SESSION_GAP | MAIL_SESSION_DOUBT);
}

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
mail_content_count(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t octets)
{
	s->mode[side] = MAIL_MODE_COUNT;
	count_set(s, side, octets);
	s->flags &= (uint8_t)~MAIL_SESSION_GAP;
	if (octets == 0) {
		s->mode[side] = MAIL_MODE_LINES;
		mail_rows[s->protocol]->content_end(m, s, side, true);
	}
}

void
mail_content_stop(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->flags & MAIL_SESSION_GAP)
		mail_lose_line(m, s, side);
	else
		s->mode[side] = MAIL_MODE_LINES;
	mail_rows[s->protocol]->content_end(m, s, side, true);
}

bool
mail_dot_is_likely(const struct mail_session *s, enum mail_side side)
{
	return (s->dot[side] & DOT_LIKELY) != 0;
}

static void
emit_content(struct mail *m, struct mail_session *s, enum mail_side side, const void *data,
    size_t len)
{
	struct mail_event *ev;
	if (len == 0 || mail_rows[s->protocol]->tx(s) < 0)
		return;
	if (s->mode[side] == MAIL_MODE_DOT && !(s->dot[side] & DOT_BEGUN)) {
		s->dot[side] |= DOT_BEGUN;
		mail_emit(m, MAIL_CONTENT_BEGIN, side)->tx = (uint8_t)mail_rows[s->protocol]->tx(s);
	}
	ev = mail_emit(m, MAIL_CONTENT, side);
	ev->tx = (uint8_t)mail_rows[s->protocol]->tx(s);
	ev->text = data;
	ev->len = len;
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

void
mail_read_dot(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	const uint8_t *start = m->data, *p = start, *stop = start + m->left;
	if (s->flags & MAIL_SESSION_DOUBT && !(s->dot[side] & DOT_BEGUN)) {
		s->flags &= (uint8_t)~MAIL_SESSION_DOUBT;
		if (mail_rows[s->protocol]->plausible(s, side, (const char *)start, m->left) ==
		    PLAUSIBLE_YES) {
			s->mode[side] = MAIL_MODE_LINES; /* no mail begins with a command */
			return;
		}
	}
	while (p < stop) {
		if ((s->dot[side] & DOT_STATE) == DOT_MID) {
			/* run to the next line end that a dot follows, or that is the last octet */
			size_t left = (size_t)(stop - p), n = scan_line_mark(p, left);
			if (n == left) {
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
		emit_content(m, s, side, start, (size_t)(p - start));
		p++;
		m->left = (size_t)(stop - p);
		m->data = p;
		if (end) {
			if (!(s->dot[side] & DOT_BEGUN))
				mail_emit(m, MAIL_CONTENT_BEGIN, side)->tx =
				    (uint8_t)mail_rows[s->protocol]->tx(s);
			s->mode[side] = MAIL_MODE_LINES;
			mail_rows[s->protocol]->content_end(m, s, side, true);
			return;
		}
		if (m->q_len > 0)
			return; /* the events first: the queue is short */
		start = p;
	}
	emit_content(m, s, side, start, (size_t)(p - start));
	m->data = p;
	m->left = (size_t)(stop - p);
}

void
mail_read_count(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	uint64_t count = count_of(s, side);
	size_t n = m->left < count ? m->left : (size_t)count;
	emit_content(m, s, side, m->data, n);
	m->data += n;
	m->left -= n;
	count_set(s, side, count - n);
	if (count == n) {
		s->mode[side] = MAIL_MODE_LINES;
		mail_rows[s->protocol]->content_end(m, s, side, true);
	}
}

void
mail_content_lost(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len)
{
	struct mail_event *ev;
	if (s->mode[side] == MAIL_MODE_COUNT && len > count_of(s, side)) {
		count_set(s, side, 0);
		mail_lose_line(m, s, side);
		s->flags |= MAIL_SESSION_GAP;
		mail_rows[s->protocol]->content_end(m, s, side, false);
		mail_rows[s->protocol]->gap(m, s, side);
		return;
	}
	if (s->mode[side] == MAIL_MODE_DOT && !(s->dot[side] & DOT_BEGUN))
		mail_emit(m, MAIL_CONTENT_BEGIN, side)->tx = (uint8_t)mail_rows[s->protocol]->tx(s);
	if (mail_rows[s->protocol]->tx(s) >= 0) {
		ev = mail_emit(m, MAIL_CONTENT_GAP, side);
		ev->tx = (uint8_t)mail_rows[s->protocol]->tx(s);
		ev->len = (size_t)len;
	}
	s->flags |= MAIL_SESSION_GAP;
	s->dot[side] = DOT_MID_CR | DOT_BEGUN; /* a CR may be what was lost last */
	if (s->mode[side] != MAIL_MODE_COUNT)
		return;
	count_set(s, side, count_of(s, side) - len);
	if (count_of(s, side) == 0) {
		s->mode[side] = MAIL_MODE_LINES;
		mail_rows[s->protocol]->content_end(m, s, side, true);
	}
}

void
mail_content_over(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->mode[side] != MAIL_MODE_DOT && s->mode[side] != MAIL_MODE_COUNT)
		return;
	if (s->mode[side] == MAIL_MODE_COUNT || s->dot[side] & DOT_BEGUN)
		mail_rows[s->protocol]->content_end(m, s, side, mail_dot_is_likely(s, side));
	s->mode[side] = MAIL_MODE_OFF;
}
