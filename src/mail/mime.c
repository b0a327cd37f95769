/*
 * The message scanner: see mime.h.  This file takes input and hands out events.
 *
 * One machine reads the header of the message and of each part of it (mime_head.c), another the
 * lines of a body (mime_body.c).  Neither assumes anything of the content: fields, lines, parts and
 * nesting have no end, NUL is an octet.
 *
 * Results wait as bits in `pending`, at most one of each kind, and are handed out before more input
 * is read: what they point at is overwritten by that input only.
 */
#include "mail/mime.h"

#include "mail/mime_scan.h"
#include "mail/mime_words.h"

const uint32_t mime_scan_size = sizeof(struct scan);

bool
mime_pools_init(struct mime_pools *p, uint32_t scans)
{
	memset(p, 0, sizeof *p);
	if (!pool_init(&p->scans, "message scans", sizeof(struct scan), scans))
		return false;
	pool_zero_only(&p->scans, offsetof(struct scan, outer.file));
	mime_charsets_open(&p->charsets);
	return true;
}

void
mime_pools_free(struct mime_pools *p)
{
	mime_charsets_close(&p->charsets);
	pool_free_all(&p->scans);
}

uint32_t
mime_begin(struct mime_pools *p)
{
	return pool_take(&p->scans);
}

void
mime_take(struct scan *s, struct mime_input *in, size_t n)
{
	s->last_cr = n > 0 ? in->data[n - 1] == '\r' : s->last_cr;
	s->pos += n;
	in->data += n;
	in->len -= n;
}

void
mime_line_begin(struct scan *s)
{
	s->line_len = 0;
	s->line_long = false;
}

void
mime_line_add(struct scan *s, const uint8_t *octets, size_t n)
{
	size_t room = sizeof s->line - s->line_len;
	if (n > room) {
		s->line_long = true;
		n = room;
	}
	memcpy(s->line + s->line_len, octets, n);
	s->line_len = (uint16_t)(s->line_len + n);
}

static void
put_attachment(struct scan *s, struct mime_event *ev, bool outer)
{
	ev->kind = MIME_ATTACHMENT;
	ev->index = s->attachments++;
	ev->size = outer ? s->outer.size : s->size;
	ev->mime_type = outer ? "message/rfc822" : s->named_uu ? "" : s->part.type;
	ev->detected = outer ? MAGIC_NONE : s->detected;
	if (ev->index < LIMIT_ATTACHMENTS) {
		ev->text = outer ? s->outer.file : s->part.file;
		ev->text_len = outer ? s->outer.file_len : s->part.file_len;
	}
}

/* The next result that waits, of which there is one. */
static void
event_take(struct scan *s, struct mime_event *ev)
{
	unsigned one = s->pending & (~(unsigned)s->pending + 1); /* the lowest bit */
	s->pending &= (uint8_t)~one;
	*ev = (struct mime_event){.text = "", .mime_type = ""};
	switch (one) {
	case PENDING_HEADER:
		ev->kind = MIME_HEADER;
		ev->header = s->header;
		ev->text = s->value;
		ev->text_len = s->value_len;
		break;
	case PENDING_HEADERS_END: ev->kind = MIME_HEADERS_END; break;
	case PENDING_BODY: ev->kind = MIME_BODY; break;
	case PENDING_PROTECTION:
		ev->kind = MIME_PROTECTION;
		ev->protection = s->protection;
		break;
	default: put_attachment(s, ev, one == PENDING_OUTER);
	}
}

bool
mime_next(struct mime_pools *p, uint32_t scan, struct mime_input *in, struct mime_event *ev)
{
	if (scan == 0) {
		in->data += in->len;
		in->len = 0;
		return false;
	}
	struct scan *s = pool_at(&p->scans, scan);
	while (s->pending == 0) {
		if (in->len == 0)
			return false;
		if (s->state < B_LINE)
			mime_head_read(s, in);
		else
			mime_body_step(s, in);
	}
	event_take(s, ev);
	return true;
}

void
mime_gap(struct mime_pools *p, uint32_t scan, uint64_t len)
{
	if (scan == 0 || len == 0)
		return;
	struct scan *s = pool_at(&p->scans, scan);
	if (s->state <= S_INNER)
		mime_head_begin(s, s->state != S_FIRST);
	s->pos += len;
	s->last_cr = false;
	s->parts_lost = s->parts_lost || s->depth > 0;
	if (s->state < B_LINE) {
		s->unsure |= s->in_part ? UNSURE_PART : UNSURE_MESSAGE;
		s->tally |= TALLY_UNKNOWN;
		s->field = FIELD_NONE;
		s->can_fold = true;
		s->state = S_IGNORE;
	} else {
		mime_body_gap(s);
	}
}

/* What the end of the content completes. */
static void
content_end(struct scan *s)
{
	s->ended = true;
	if (s->state > S_INNER && s->state < B_LINE)
		mime_head_finish(s);
	mime_body_finish(s);
	s->protection = (uint8_t)mime_leaf_protection(s);
	if (s->protection != MIME_PLAIN)
		s->pending |= PENDING_PROTECTION;
}

bool
mime_end(struct mime_pools *p, uint32_t scan, struct mime_event *ev)
{
	if (scan == 0)
		return false;
	struct scan *s = pool_at(&p->scans, scan);
	if (!s->ended)
		content_end(s);
	if (s->pending != 0) {
		event_take(s, ev);
		return true;
	}
	pool_give(&p->scans, scan);
	return false;
}
