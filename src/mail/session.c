/*
 * The mail session: lines, content, TLS, by side (see mail.h).
 *
 * What is held of a side is at most one unfinished line (LIMIT_LINE, from a pool) and, in TLS, one
 * unfinished handshake message.  Everything else is passed on in place.  Time is linear in the
 * octets.
 */
#include <assert.h>
#include <string.h>

#include "base/scan.h"
#include "base/text.h"
#include "mail/compress.h"
#include "mail/content.h"
#include "mail/inflate.h"
#include "mail/session.h"

/* A line of which the end has not come yet. */
struct held_line {
	uint16_t len;
	bool cut;
	uint8_t hidden_first;	    /* first octet of a secret that was dropped from it */
	uint8_t hidden_last;	    /* the last one so far */
	uint32_t hidden;	    /* octets that were dropped as secret */
	char tail[LIMIT_LINE_TAIL]; /* the last octets, where it was cut */
	char s[LIMIT_LINE];
};

/* Of the same octet, in MAIL_MODE_RESYNC. */
#define RESYNC_INSIDE 0x80u /* inside a line of which nothing is known */
#define RESYNC_FIRST  0x40u /* these are the first octets, of all or behind a loss */
#define RESYNC_HOLDS  0x20u /* of what may be a command, the end is awaited */
#define RESYNC_HELD   0x10u /* it is there: what comes next tells whether it was one */
#define RESYNC_LOST   0x08u /* octets were lost before: the other side's answer alone tells */
#define RESYNC_TOLD   0x04u /* MAIL_LOST was emitted for what is passed over */

static const struct mail_row *const rows[MAIL_PROTOCOLS] = {
    [MAIL_SMTP] = &mail_smtp_row,
    [MAIL_IMAP] = &mail_imap_row,
    [MAIL_POP3] = &mail_pop3_row,
};

const uint32_t mail_line_size = sizeof(struct held_line),
	       mail_queue_size = sizeof(struct smtp_queue),
	       mail_mailbox_size = sizeof(struct mailbox), mail_tls_size = sizeof(struct tls);

bool
mail_init(struct mail *m, const struct mail_sizes *n)
{
	memset(m, 0, sizeof *m);
	bool ok = pool_init(&m->lines, "lines", sizeof(struct held_line), n->lines) &&
	    pool_init(&m->queues, "queues", sizeof(struct smtp_queue), n->queues) &&
	    pool_init(&m->mailboxes, "mailboxes", sizeof(struct mailbox), n->mailboxes) &&
	    pool_init(&m->tls_states, "TLS states", sizeof(struct tls), n->tls_states) &&
	    tls_pools_init(&m->tls_pools, n->handshakes) &&
	    inflate_pool_init(&m->inflates, n->inflates);
	pool_zero_only(&m->lines, offsetof(struct held_line, s));
	pool_zero_only(&m->queues, sizeof(uint32_t)); /* len; what it counts is set */
	return ok;
}

void
mail_free(struct mail *m)
{
	pool_free_all(&m->lines);
	pool_free_all(&m->queues);
	pool_free_all(&m->mailboxes);
	pool_free_all(&m->tls_states);
	tls_pools_free(&m->tls_pools);
	pool_free_all(&m->inflates);
}

const struct mail_row *
session_row(const struct mail_session *s)
{
	return rows[s->protocol];
}

const char *
mail_protocol_name(enum mail_protocol p)
{
	return p > MAIL_NONE && p < MAIL_PROTOCOLS ? rows[p]->name : "other";
}

/* ---- whose turn it is ---- */

static const uint8_t turn_flag[2] =
    {[MAIL_CLIENT] = MAIL_SESSION_TURN_CLIENT, [MAIL_SERVER] = MAIL_SESSION_TURN_SERVER};

void
mail_turn(struct mail_session *s, enum mail_side side)
{
	s->flags |= turn_flag[side];
}

static void
end_turn(struct mail_session *s, enum mail_side side)
{
	s->flags &= (uint8_t)~turn_flag[side];
}

/* ---- TLS ---- */

static void
emit_lost(struct mail *m, const struct mail_session *s, enum mail_side side)
{
	mail_emit(m, MAIL_LOST, side)->flag =
	    side == MAIL_SERVER && session_row(s)->content & 1u << MAIL_SERVER;
}

/* The side's next octets are TLS records. */
static void
tls_begin(struct mail *m, struct mail_session *s, enum mail_side side)
{
	struct tls *t = s->tls != 0 ? pool_at(&m->tls_states, s->tls) : NULL;
	session_drop_line(m, s, side); /* of a line that was begun, no end comes */
	if (t != NULL && (t->half[0].flags | t->half[1].flags) & TLS_SAW_GARBAGE) {
		tls_end(&m->tls_pools,
		    t); /* an earlier attempt broke off into text: this is another */
		memset(t, 0, sizeof *t);
	}
	if (s->tls == 0)
		s->tls = pool_take(&m->tls_states);
	if (s->tls == 0) /* no memory for it: what becomes of it is not known */
		mail_emit(m, MAIL_LOST, MAIL_CLIENT);
	s->mode[side] = s->tls != 0 ? MAIL_MODE_TLS : MAIL_MODE_OFF;
}

void
session_resync(struct mail *m, struct mail_session *s, enum mail_side side)
{
	session_drop_line(m, s, side);
	s->mode[side] = MAIL_MODE_RESYNC;
	s->dot[side] = 0;
}

void
mail_resync(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->mode[side] == MAIL_MODE_OFF)
		return; /* it could not be begun */
	session_resync(m, s, side);
	s->dot[side] = RESYNC_FIRST;
}

void
mail_upgrade(struct mail *m, struct mail_session *s)
{
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_DOT || s->mode[MAIL_CLIENT] == MAIL_MODE_COUNT) {
		content_cut(m, s, MAIL_CLIENT); /* announced in clear, it is not what follows */
		s->mode[MAIL_CLIENT] = MAIL_MODE_LINES;
	}
	for (int side = 0; side < 2; side++) {
		if (s->mode[side] == MAIL_MODE_LINES || s->mode[side] == MAIL_MODE_RESYNC)
			s->mode[side] = MAIL_MODE_UPGRADE;
	}
}

/* The side does not speak TLS any more: of the other one none is due. */
static void
tls_is_over(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->mode[!side] == MAIL_MODE_UPGRADE)
		s->mode[!side] = MAIL_MODE_LINES;
	if (side == MAIL_CLIENT)
		mail_emit(m, MAIL_TLS_OVER, side);
}

/* Text where a record was due: the side speaks lines again. */
static void
tls_to_text(struct mail *m, struct mail_session *s, enum mail_side side)
{
	s->mode[side] = MAIL_MODE_LINES;
	mail_emit_odd(m, side, MAIL_ODD_TEXT_AFTER_TLS);
	tls_is_over(m, s, side);
}

static void
read_tls(struct mail *m, struct mail_session *s)
{
	struct tls *t = pool_at(&m->tls_states, s->tls);
	enum mail_side side = (enum mail_side)m->side;
	struct tls_input in = {m->data, m->left, side == MAIL_CLIENT ? TLS_CLIENT : TLS_SERVER};
	bool event = tls_next(&m->tls_pools, t, &in, &m->tls_event);
	m->data = in.data;
	m->left = event ? in.len : 0;
	if (!event)
		return;
	mail_emit(m, MAIL_TLS, side)->tls = &m->tls_event;
	if (m->tls_event.kind != TLS_EVENT_GARBAGE)
		return;
	/* octets of earlier pushes, which the half kept as those of a header, begin no text */
	if (t->half[in.side].header_len == 0 &&
	    mail_looks_like_text(m->tls_event.data, m->tls_event.len)) {
		m->data = m->tls_event.data;
		m->left = m->tls_event.len;
		tls_to_text(m, s, side);
	} else if (tls_is_sealed(t)) {
		m->left = 0;
		s->mode[side] = MAIL_MODE_OFF;
	} else { /* it need not have been TLS, and lines may follow */
		m->data = m->tls_event.data;
		m->left = m->tls_event.len;
		emit_lost(m, s, side);
		session_resync(m, s, side);
		s->dot[side] = RESYNC_TOLD | RESYNC_INSIDE;
		tls_is_over(m, s, side);
	}
}

/* ---- lines ---- */

void
session_drop_line(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->line[side] != 0) {
		struct held_line *h = pool_at(&m->lines, s->line[side]);
		memset(h->s, 0, h->len);
		pool_give(&m->lines, s->line[side]);
	}
	s->line[side] = 0;
}

/* `len` octets more of a line that is cut: its end moves on. */
static void
move_tail(struct held_line *h, const uint8_t *p, size_t len)
{
	if (!h->cut)
		memcpy(h->tail, h->s + sizeof h->s - sizeof h->tail, sizeof h->tail);
	h->cut = true;
	size_t n = len < sizeof h->tail ? len : sizeof h->tail;
	memmove(h->tail, h->tail + n, sizeof h->tail - n);
	memcpy(h->tail + sizeof h->tail - n, p + len - n, n);
}

/* Takes what may be kept of `len` octets into the held line, and counts the rest as secret. */
static void
hold(struct mail *m, struct mail_session *s, enum mail_side side, const void *data, size_t len)
{
	const uint8_t *p = data;
	if (s->line[side] == 0)
		s->line[side] = pool_take(&m->lines);
	if (s->line[side] == 0) { /* no memory for it: the line is lost */
		session_resync(m, s, side);
		end_turn(s, side);
		session_row(s)->gap(m, s, side);
		return;
	}
	struct held_line *h = pool_at(&m->lines, s->line[side]);
	if (h->hidden > 0) {
		h->hidden += (uint32_t)len;
		if (len > 0)
			h->hidden_last = p[len - 1];
		return;
	}
	size_t old = h->len, room = sizeof h->s - old, n = len < room ? len : room;
	memcpy(h->s + old, p, n);
	h->len = (uint16_t)(old + n);
	if (n < len)
		move_tail(h, p + n, len - n);
	size_t at = session_row(s)->secret(m, s, side, h->s, h->len);
	if (at < h->len) {
		uint8_t first = (uint8_t)h->s[at];
		if (first == '\r')
			return; /* its line end is no secret, and what follows will tell */
		h->hidden_first = first;
		/* what was held may be one only now, and nothing come: the server has spoken */
		h->hidden_last = len > 0 ? p[len - 1] : (uint8_t)h->s[old - 1];
		h->hidden = (uint32_t)(old + len - at);
		memset(h->s + at, 0, h->len - at);
		h->len = (uint16_t)at;
	}
}

static void
give_line(struct mail *m, struct mail_session *s, enum mail_side side, struct mail_line *l)
{
	if (l->cut)
		mail_emit_odd(m, side, MAIL_ODD_LINE_TOO_LONG);
	session_row(s)->line(m, s, side, l);
}

/* The held line has its end: hands it to the row; its memory lives until the events are taken. */
static void
finish_held(struct mail *m, struct mail_session *s, enum mail_side side, bool cr_before_lf)
{
	struct held_line *h = s->line[side] != 0 ? pool_at(&m->lines, s->line[side]) : NULL;
	struct mail_line l = {.s = h != NULL ? h->s : "", .len = h != NULL ? h->len : 0};
	bool cr = cr_before_lf;
	l.cut = h != NULL && h->cut;
	if (h != NULL) {
		l.hidden = h->hidden;
		l.hidden_first = h->hidden_first;
	}
	if (!cr && l.hidden > 0 && h->hidden_last == '\r') { /* it came apart from its LF */
		l.hidden--;
		cr = true;
	}
	while (l.hidden == 0 && !l.cut && l.len > 0 && l.s[l.len - 1] == '\r') {
		l.len--;
		cr = true;
	}
	if (l.hidden == 0 && l.cut) {
		if (!cr && h->tail[sizeof h->tail - 1] == '\r') {
			memmove(h->tail + 1, h->tail, sizeof h->tail - 1);
			cr = true;
		}
		l.tail = h->tail;
	}
	l.bare_lf = !cr;
	m->spent_line = s->line[side];
	s->line[side] = 0;
	give_line(m, s, side, &l);
}

/* A handshake that nobody asked for: of a client it begins with a ClientHello. */
static bool
begins_tls(const uint8_t *o, size_t len, enum mail_side side)
{
	if (len < 6 || side == MAIL_SERVER)
		return mail_plausible_record(o, len) != PLAUSIBLE_NO;
	return tls_looks_like_hello(o, len);
}

static void
read_line(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	bool fresh = s->line[side] == 0;
	if (fresh && m->data[0] <= 0x16) {
		if (m->data[0] == 0x16 && begins_tls(m->data, m->left, side)) {
			tls_begin(m, s, side); /* where a line was due */
			return;
		}
		if (m->data[0] == 0 && side == MAIL_CLIENT) /* the length, of less than 16 MiB */
			mail_emit(m, MAIL_WRAPPED, side);
	}
	const uint8_t *at = m->data;
	size_t n = scan_lf(at, m->left);
	bool whole = n < m->left, cr = whole && n > 0 && at[n - 1] == '\r';
	m->data += whole ? n + 1 : n;
	m->left -= whole ? n + 1 : n;
	if (!whole) {
		hold(m, s, side, at, n);
		return;
	}
	if (!fresh) {
		if (n > (cr ? 1u : 0u))
			hold(m, s, side, at, cr ? n - 1 : n);
		finish_held(m, s, side, cr);
		return;
	}
	struct mail_line l = {.s = (const char *)at, .len = cr ? n - 1 : n, .bare_lf = !cr};
	while (cr && l.len > 0 && l.s[l.len - 1] == '\r')
		l.len--; /* CR CR LF: text mode twice */
	if (l.len > LIMIT_LINE) {
		l.tail = l.s + l.len - LIMIT_LINE_TAIL;
		l.len = LIMIT_LINE;
		l.cut = true;
	}
	size_t secret = session_row(s)->secret(m, s, side, l.s, l.len);
	if (secret < l.len) {
		l.hidden = l.len - secret;
		l.hidden_first = at[secret];
		l.len = secret;
		l.tail = NULL;
	}
	give_line(m, s, side, &l);
}

/* Octets behind a held candidate, or of it: see read_resync.  False where it is given up. */
static bool
read_candidate(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->dot[side] & RESYNC_HELD) {
		bool answered = (s->flags & turn_flag[side]) != 0;
		if (!answered &&
		    (s->dot[side] & RESYNC_LOST ||
			session_row(s)->plausible(s, side, (const char *)m->data, m->left) ==
			    PLAUSIBLE_NO)) {
			session_drop_line(m, s, side);
			s->dot[side] &= RESYNC_TOLD;
			return false;
		}
		s->mode[side] = MAIL_MODE_LINES; /* it is answered, or was sent with another */
		finish_held(m, s, side, false);
		return true;
	}
	size_t n = scan_lf(m->data, m->left);
	hold(m, s, side, m->data, n);
	if (n < m->left && s->dot[side] & RESYNC_HOLDS)
		s->dot[side] =
		    (uint8_t)((s->dot[side] & (RESYNC_LOST | RESYNC_TOLD)) | RESYNC_HELD);
	n += n < m->left;
	m->data += n;
	m->left -= n;
	return true;
}

/* The other side spoke: what is held of this one is answered, so it was a command.  False where
 * nothing is. */
static bool
finish_answered(struct mail *m, struct mail_session *s, enum mail_side side)
{
	if (s->mode[side] != MAIL_MODE_RESYNC || !(s->dot[side] & RESYNC_HELD))
		return false;
	s->mode[side] = MAIL_MODE_LINES;
	finish_held(m, s, side, false);
	return true;
}

/*
 * Behind a loss: waits for what is certainly the start of a line, or for a TLS record at the start
 * of a chunk.  What may still become one is held.
 *
 * Lines of a mail may look like commands, so where the side may be in the midst of one
 * (row.content), certain is only what comes first after the other side spoke: nobody answers in the
 * midst of a mail.  Before a client's first octets, or first behind a loss, the server may have
 * spoken; a command there is held until the server answers it, or, where nothing is known of what
 * was before, another follows.  Elsewhere a line may start behind any line end, or first behind the
 * loss.
 */
static void
read_resync(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	if (s->dot[side] & (RESYNC_HOLDS | RESYNC_HELD) && read_candidate(m, s, side))
		return;
	const struct held_line *h = s->line[side] != 0 ? pool_at(&m->lines, s->line[side]) : NULL;
	size_t old = h != NULL ? h->len : 0, n = m->left;
	const uint8_t *at = m->data;
	if (old > 0) {
		uint8_t *start = m->start;
		n = m->left < sizeof m->start - old ? m->left : sizeof m->start - old;
		memcpy(start, h->s, old);
		memcpy(start + old, m->data, n);
		at = start;
		n += old;
	}
	bool content = (session_row(s)->content & 1u << side) != 0;
	bool first = (s->dot[side] & RESYNC_FIRST) != 0, lost = (s->dot[side] & RESYNC_LOST) != 0;
	bool turn = s->flags & turn_flag[side] && !lost; /* the turn may be that of what is lost */
	bool closed = s->dot[side] & RESYNC_INSIDE || (content && !turn && !first);
	enum plausible record = mail_plausible_record(at, n);
	enum plausible line =
	    closed ? PLAUSIBLE_NO : session_row(s)->plausible(s, side, (const char *)at, n);
	if (record == PLAUSIBLE_YES || line == PLAUSIBLE_YES) {
		if (old > 0) { /* what was held is read first, then the input */
			session_drop_line(m, s, side);
			m->behind = m->data;
			m->behind_left = m->left;
			m->data = m->start;
			m->left = old;
		}
		if (record == PLAUSIBLE_YES) {
			tls_begin(m, s, side);
		} else if (content && !turn && side == MAIL_CLIENT) {
			s->dot[side] =
			    (uint8_t)((s->dot[side] & (RESYNC_LOST | RESYNC_TOLD)) | RESYNC_HOLDS);
			end_turn(s, side);
		} else {
			s->mode[side] = MAIL_MODE_LINES;
		}
		return;
	}
	if ((record == PLAUSIBLE_MAYBE || line == PLAUSIBLE_MAYBE) && n < sizeof m->start) {
		hold(m, s, side, m->data, m->left);
		if (s->line[side] != 0 &&
		    ((const struct held_line *)pool_at(&m->lines, s->line[side]))->hidden > 0)
			session_drop_line(m, s, side);
		m->left = 0;
		return;
	}
	session_drop_line(m, s, side);
	end_turn(s, side);
	if (!(s->dot[side] & RESYNC_TOLD))
		emit_lost(m, s, side); /* it is there, and says nothing */
	size_t skip = scan_lf(m->data, m->left);
	s->dot[side] = skip < m->left ? RESYNC_TOLD : RESYNC_TOLD | RESYNC_INSIDE;
	skip += skip < m->left;
	m->data += skip;
	m->left -= skip;
}

/*
 * Lines of the server between its 220 and TLS, of which the client has said nothing yet: they
 * answer nothing, and TLS is still due behind them.  Of each what the row allows is evidence.
 */
static void
read_injected(struct mail *m, struct mail_session *s)
{
	if (!(s->flags & MAIL_SESSION_INJECTED))
		mail_emit_odd(m, MAIL_SERVER, MAIL_ODD_RESPONSE_INJECTION);
	s->flags |= MAIL_SESSION_INJECTED;
	s->mode[MAIL_SERVER] = MAIL_MODE_UPGRADE;
	size_t n = scan_lf(m->data, m->left);
	bool whole = n < m->left;
	hold(m, s, MAIL_SERVER, m->data, n);
	m->data += n + whole;
	m->left -= n + whole;
	if (!whole || s->line[MAIL_SERVER] == 0)
		return;
	const struct held_line *h = pool_at(&m->lines, s->line[MAIL_SERVER]);
	size_t len = h->len > 0 && h->s[h->len - 1] == '\r' ? h->len - 1u : h->len;
	if (session_row(s)->evidence != NULL)
		len = session_row(s)->evidence(m, s, h->s, len);
	mail_emit_text(m, MAIL_EVIDENCE, MAIL_SERVER, h->s, len);
	m->spent_line = s->line[MAIL_SERVER];
	s->line[MAIL_SERVER] = 0;
}

static void
read_upgrade(struct mail *m, struct mail_session *s)
{
	enum mail_side side = (enum mail_side)m->side;
	if (mail_may_start_tls(m->data, m->left)) {
		tls_begin(m, s, side);
		return;
	}
	s->mode[side] = MAIL_MODE_LINES;
	if (side == MAIL_CLIENT) {
		mail_emit_odd(m, side, MAIL_ODD_NO_TLS_AFTER_220);
		mail_emit(m, MAIL_TLS_OVER, side);
		if (s->mode[MAIL_SERVER] == MAIL_MODE_UPGRADE)
			s->mode[MAIL_SERVER] = MAIL_MODE_LINES;
	} else {
		if (s->mode[MAIL_CLIENT] == MAIL_MODE_TLS) {
			mail_emit_odd(m, side, MAIL_ODD_TEXT_AFTER_TLS);
		} else if (s->flags & MAIL_SESSION_ONE_SIDED) {
			return; /* the client is not seen: it may have begun TLS */
		} else {
			read_injected(m, s);
		}
	}
}

/* ---- push, next ---- */

void
mail_begin(struct mail *m, struct mail_session *s, enum mail_protocol p, uint8_t flags)
{
	s->protocol = (uint8_t)p;
	s->flags = flags;
	if (flags & MAIL_SESSION_IMPLICIT) {
		tls_begin(m, s, MAIL_CLIENT);
		s->mode[MAIL_SERVER] = s->mode[MAIL_CLIENT];
	}
	rows[p]->begin(m, s);
}

void
mail_push(struct mail *m, struct mail_session *s, enum mail_side side, const void *data, size_t len)
{
	assert(m->left == 0 && !m->packed && m->q_at == m->q_len);
	m->packed = s->inflate != 0 && compress_is_on(m, s, side, data, len);
	m->packed_data = m->data = data;
	m->packed_left = m->packed ? len : 0;
	m->left = m->packed ? 0 : len;
	m->side = (uint8_t)side;
	m->awake = true;
	mail_turn(s, side == MAIL_CLIENT ? MAIL_SERVER : MAIL_CLIENT);
}

enum mail_passed
mail_pass(struct mail *m, struct mail_session *s, enum mail_side side, const uint8_t *data,
    size_t len, struct mail_event *ev)
{
	enum mail_side other = side == MAIL_CLIENT ? MAIL_SERVER : MAIL_CLIENT;
	enum mail_passed how = MAIL_PASSED_NOT;
	assert(mail_is_idle(m));
	if (s->mode[other] == MAIL_MODE_RESYNC || s->inflate != 0)
		return MAIL_PASSED_NOT;
	if (s->mode[side] == MAIL_MODE_TLS &&
	    tls_pass(pool_at(&m->tls_states, s->tls), side == MAIL_CLIENT ? TLS_CLIENT : TLS_SERVER,
		data, len))
		how = MAIL_PASSED;
	else if (s->mode[side] == MAIL_MODE_DOT && content_pass(m, s, side, data, len, ev))
		how = MAIL_PASSED_CONTENT;
	if (how != MAIL_PASSED_NOT)
		mail_turn(s, other);
	return how;
}

/* The line whose events were taken. */
static void
drop_spent(struct mail *m)
{
	if (m->spent_line == 0)
		return;
	struct held_line *h = pool_at(&m->lines, m->spent_line);
	memset(h->s, 0, h->len);
	pool_give(&m->lines, m->spent_line);
	m->spent_line = 0;
}

/* Is there nothing that read_on would do?  So it is at the end of nearly every input. */
static inline bool
is_used_up(const struct mail *m)
{
	return (m->left | m->behind_left) == 0 && !m->packed && m->spent_line == 0;
}

/* Reads on until there are events; false where the input is used up.  (Apart from mail_next, which
 * is mostly asked when there is nothing to do, and need not save registers for that.) */
static __attribute__((noinline)) bool
read_on(struct mail *m, struct mail_session *s)
{
	while (m->q_len == 0) {
		drop_spent(m);
		if (m->left == 0) {
			m->data = m->behind;
			m->left = m->behind_left;
			m->behind_left = 0;
		}
		if (m->left == 0 && !(m->packed && compress_next(m, s)))
			return false;
		if (m->left == 0)
			continue; /* to the events */
		if (finish_answered(m, s, m->side == MAIL_CLIENT ? MAIL_SERVER : MAIL_CLIENT))
			continue;
		if (s->mode[m->side] ==
		    MAIL_MODE_LINES) { /* nearly always: no jump to be guessed */
			read_line(m, s);
			continue;
		}
		switch ((enum mail_mode)s->mode[m->side]) {
		case MAIL_MODE_LINES: break;
		case MAIL_MODE_RESYNC: read_resync(m, s); break;
		case MAIL_MODE_DOT: content_read_dot(m, s); break;
		case MAIL_MODE_COUNT: content_read_count(m, s); break;
		case MAIL_MODE_UPGRADE: read_upgrade(m, s); break;
		case MAIL_MODE_TLS: read_tls(m, s); break;
		case MAIL_MODE_OFF: m->left = 0; break;
		}
	}
	return true;
}

bool
mail_next(struct mail *m, struct mail_session *s, struct mail_event *ev)
{
	if (m->q_at == m->q_len) {
		m->q_at = m->q_len = 0;
		m->awake = m->awake && !is_used_up(m) && read_on(m, s);
		if (!m->awake)
			return false;
	}
	*ev = m->queue[m->q_at++];
	return true;
}

static void
gap_in_tls(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len)
{
	if (s->tls == 0)
		return;
	struct tls *t = pool_at(&m->tls_states, s->tls);
	if (side == MAIL_CLIENT && !tls_is_sealed(t))
		mail_emit(m, MAIL_UNREAD, side); /* it need not have begun it, nor go on with it */
	tls_gap(&m->tls_pools, t, side == MAIL_CLIENT ? TLS_CLIENT : TLS_SERVER, len);
}

void
mail_gap(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len)
{
	assert(m->left == 0 && m->q_at == m->q_len);
	m->q_at = m->q_len = 0;
	const enum mail_side other = side == MAIL_CLIENT ? MAIL_SERVER : MAIL_CLIENT;
	mail_turn(s, other);
	end_turn(s, side);
	(void)finish_answered(m, s, other); /* the answer is what was lost */
	if (compress_gap(m, s, side))
		return;
	switch ((enum mail_mode)s->mode[side]) {
	case MAIL_MODE_LINES:
	case MAIL_MODE_RESYNC:
		session_drop_line(m, s, side);
		emit_lost(m, s, side);
		session_resync(m, s, side);
		s->dot[side] =
		    side == MAIL_CLIENT ? RESYNC_TOLD | RESYNC_FIRST | RESYNC_LOST : RESYNC_TOLD;
		session_row(s)->gap(m, s, side);
		break;
	case MAIL_MODE_DOT:
	case MAIL_MODE_COUNT: content_gap(m, s, side, len); break;
	case MAIL_MODE_UPGRADE: tls_begin(m, s, side); /* fallthrough */
	case MAIL_MODE_TLS: gap_in_tls(m, s, side, len); break;
	case MAIL_MODE_OFF: break;
	}
}

void
mail_end(struct mail *m, struct mail_session *s)
{
	m->left = 0;
	m->packed = false;
	m->q_at = m->q_len = 0;
	if (s->protocol == MAIL_NONE)
		return;
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_RESYNC && s->dot[MAIL_CLIENT] & RESYNC_HELD) {
		s->mode[MAIL_CLIENT] = MAIL_MODE_LINES; /* no text goes on behind it */
		finish_held(m, s, MAIL_CLIENT, false);
	}
	if (s->mode[MAIL_CLIENT] == MAIL_MODE_LINES && s->line[MAIL_CLIENT] != 0 &&
	    ((const struct held_line *)pool_at(&m->lines, s->line[MAIL_CLIENT]))->hidden > 0)
		finish_held(m, s, MAIL_CLIENT, false); /* its line end never came: a secret did */
	content_cut(m, s, MAIL_CLIENT);
	content_cut(m, s, MAIL_SERVER);
	session_row(s)->end(m, s);
}

/* What is left of the input, and of its events, is this session's: no other one is to read it. */
static void
drop_input(struct mail *m)
{
	m->left = m->behind_left = 0;
	m->packed = m->awake = false;
	m->q_at = m->q_len = 0;
	drop_spent(m);
}

void
mail_release(struct mail *m, struct mail_session *s)
{
	compress_release(m, s);
	drop_input(m);
	session_drop_line(m, s, MAIL_CLIENT);
	session_drop_line(m, s, MAIL_SERVER);
	if (s->protocol != MAIL_NONE && session_row(s)->release != NULL)
		session_row(s)->release(m, s);
	if (s->tls != 0) {
		tls_end(&m->tls_pools, pool_at(&m->tls_states, s->tls));
		pool_give(&m->tls_states, s->tls);
		s->tls = 0;
	}
}
