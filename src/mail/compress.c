/*
 * COMPRESS=DEFLATE of a session: see compress.h; inflate.c does the work.
 *
 * A side that cannot be read (no state is left in the pool, octets were lost, the stream is damaged
 * or grows too much) is off for good: MAIL_ODD_COMPRESSED says so, and that nobody may say that
 * nothing crossed.
 */
#include "mail/compress.h"

#include <string.h>

#include "mail/content.h"
#include "mail/inflate.h"
#include "mail/session.h"

static bool
is_on(const struct mail *m, const struct mail_session *s, enum mail_side side)
{
	return s->inflate != 0 && inflate_is_on(&m->inflates, s->inflate, side);
}

static void
close_unused(struct mail *m, struct mail_session *s)
{
	if (s->inflate == 0 || is_on(m, s, MAIL_CLIENT) || is_on(m, s, MAIL_SERVER))
		return;
	inflate_close(&m->inflates, s->inflate);
	s->inflate = 0;
}

/* Nothing more is read of this side. */
static void
give_up(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (is_on(m, s, side))
		inflate_stop(&m->inflates, s->inflate, side);
	session_drop_line(m, s, side);
	content_cut(m, s, side);
	session_row(s)->gap(m, s, side);
	s->mode[side] = MAIL_MODE_OFF;
	mail_emit(m, MAIL_LOST, side);
	mail_emit_odd(m, side, MAIL_ODD_COMPRESSED);
	close_unused(m, s);
}

void
mail_compress_unread(struct mail *m, struct mail_session *s)
{
	give_up(m, s, MAIL_CLIENT);
	give_up(m, s, MAIL_SERVER);
	m->left = m->behind_left = 0;
}

void
mail_compress(struct mail *m, struct mail_session *s)
{
	/* split: not in one piece any more, as what was held behind a loss is not */
	bool twice = s->inflate != 0, split = m->behind_left > 0;
	if (!twice && !split)
		s->inflate = (uint16_t)inflate_open(&m->inflates);
	if (s->inflate == 0 || twice) {
		mail_compress_unread(m, s);
		return;
	}
	bool on[2];
	for (unsigned side = 0; side < 2; side++) {
		/* octets that were lost or not read as lines may be compressed ones */
		on[side] = s->mode[side] == MAIL_MODE_LINES &&
		    inflate_begin(&m->inflates, s->inflate, side);
		session_drop_line(m, s, (enum mail_side)side);
	}
	for (unsigned side = 0; side < 2; side++) {
		if (!on[side])
			give_up(m, s, (enum mail_side)side);
	}
	if (s->inflate != 0 && is_on(m, s, (enum mail_side)m->side)) {
		m->packed = true;
		m->packed_data = m->data;
		m->packed_left = m->left;
		m->left = 0;
	}
}

bool
compress_is_on(struct mail *m, struct mail_session *s, enum mail_side side, const uint8_t *data,
    size_t len)
{
	if (!is_on(m, s, side))
		return false;
	if (s->mode[side] != MAIL_MODE_UPGRADE || len == 0 ||
	    mail_plausible_record(data, len) == PLAUSIBLE_NO)
		return true;
	/* TLS goes around compression (RFC 4978 section 3), and hides it */
	inflate_stop(&m->inflates, s->inflate, side);
	close_unused(m, s);
	return false;
}

bool
compress_next(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	enum inflate_result result = INFLATE_NEED;
	size_t n = 0;
	memset(m->piece, 0, m->piece_len); /* it may have held a secret */
	if (m->packed && is_on(m, s, side))
		result = inflate_next(&m->inflates, s->inflate, side, &m->packed_data,
		    &m->packed_left, m->piece, sizeof m->piece, &n);
	m->piece_len = n;
	switch (result) {
	case INFLATE_OUT:
		m->data = m->piece;
		m->left = n;
		return true;
	case INFLATE_OVER:
		give_up(m, s, side);
		m->packed = false;
		return true; /* with events */
	case INFLATE_NEED: break;
	}
	m->packed = false;
	return false;
}

bool
compress_gap(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (!is_on(m, s, side))
		return false;
	give_up(m, s, side);
	return true;
}

void
compress_release(struct mail *m, struct mail_session *s)
{
	if (s->inflate != 0)
		inflate_close(&m->inflates, s->inflate);
	s->inflate = 0;
}
