/*
 * The lines of a body: see mime_scan.h.
 *
 * Only lines that begin with "--" are looked at, found by scan_line_mark; in a text, those that
 * begin with the first letter of "begin" or "end" too (uuencode).  Where neither can be, because
 * the message has no parts and is no text, the body is counted and not read.  A boundary must be
 * the whole line, but for white space (RFC 2046 section 5.1.1), so that one that begins like
 * another is told apart.
 *
 * Multiparts are followed LIMIT_MIME_DEPTH deep.  A message inside the message is read like a
 * multipart of one part: what is attached to it is attached, too.  One that is an attachment itself
 * is told behind its own attachments; inside of it another such is one opaque part.
 */
#include "mail/mime_scan.h"

#include "base/text.h"
#include "mail/mime_words.h"

void
mime_body_tell(struct scan *s)
{
	if (s->leaf == LEAF_BODY && !s->body_told && s->unsure == 0) {
		s->body_told = true;
		s->pending |= PENDING_BODY;
	}
}

/* The part is a message that can be read: its header begins.  False where it stays opaque. */
static bool
enter_message(struct scan *s, uint64_t at)
{
	if (s->part.encoding != ENCODING_NONE || s->unsure != 0)
		return false;
	if (s->leaf == LEAF_ATTACHMENT) {
		struct outer *o = &s->outer;
		if (o->open)
			return false;
		o->open = true;
		o->depth = s->depth;
		o->start = at;
		o->file_len = s->part.file_len;
		memcpy(o->file, s->part.file, s->part.file_len);
		s->leaf = LEAF_NONE;
	}
	s->state = S_INNER;
	return true;
}

static void
enter_multipart(struct scan *s)
{
	const struct mime_part *part = &s->part;
	uint8_t sealed = s->depth > 0 ? s->open[s->depth - 1].sealed : (uint8_t)MIME_PLAIN;
	struct boundary *b = &s->open[s->depth++];
	b->len = part->boundary_len;
	b->sealed = part->protection != MIME_PLAIN && part->protection != MIME_SIGNED
	    ? part->protection
	    : sealed;
	b->digest = strcmp(part->type, "multipart/digest") == 0;
	memcpy(b->octets, part->boundary, part->boundary_len);
	s->leaf = LEAF_NONE;
}

void
mime_body_begin(struct scan *s, uint64_t at, bool broken)
{
	struct mime_part *part = &s->part;
	if (s->depth > 0 && s->open[s->depth - 1].digest && !part->has_type)
		mime_part_type(part, "message/rfc822", 14);
	if (!s->in_part)
		s->declared = part->protection;
	s->state = B_LINE;
	s->body_start = s->line_start = at;
	s->uu = UU_NONE;
	if (part->boundary_len > 0 && s->depth < LIMIT_MIME_DEPTH) {
		enter_multipart(s);
		return;
	}
	s->leaf = (uint8_t)mime_part_leaf(part);
	bool message = mime_part_is_message(part);
	if (message && !broken && enter_message(s, at))
		return;
	s->opaque = message || strncmp(part->type, "multipart/", 10) == 0;
	mime_leaf_begin(s, part->encoding);
	if (s->leaf == LEAF_BODY && part->encoding == ENCODING_NONE && mime_part_is_plain(part))
		s->uu = UU_TEXT;
	if (s->depth == 0 && s->uu == UU_NONE)
		s->state = B_REST;
}

/* The leaf under way, if there is one, ended at pos `at`. */
static void
leaf_end(struct scan *s, uint64_t at)
{
	if (s->uu == UU_CLAIM) { /* no line followed that made a file of it */
		mime_leaf_readable(s);
		mime_body_tell(s);
	}
	if (s->unsure == 0 && (s->leaf == LEAF_BODY || s->leaf == LEAF_ATTACHMENT)) {
		mime_leaf_end(s);
		if (s->leaf == LEAF_ATTACHMENT || (!s->opaque && magic_is_binary(s->detected))) {
			s->size = at > s->body_start ? at - s->body_start : 0;
			s->named_uu = s->uu == UU_INSIDE;
			s->pending |= PENDING_ATTACHMENT;
		}
	}
	s->leaf = LEAF_NONE;
	s->uu = UU_NONE;
}

/* The attached message, if one is open, ended at pos `at`. */
static void
outer_end(struct scan *s, uint64_t at)
{
	if (!s->outer.open)
		return;
	s->outer.open = false;
	s->outer.size = at > s->outer.start ? at - s->outer.start : 0;
	s->pending |= PENDING_OUTER;
}

/* Is the line `line`, of len octets, a boundary that is open?  Then acts on it. */
static bool
boundary_line(struct scan *s, size_t len, uint64_t at)
{
	for (size_t i = s->depth; i-- > 0;) {
		const struct boundary *b = &s->open[i];
		bool close = len == b->len + 4u && memcmp(s->line + len - 2, "--", 2) == 0;
		if ((len != b->len + 2u && !close) || memcmp(s->line + 2, b->octets, b->len) != 0)
			continue;
		leaf_end(s, at > s->body_start ? at - s->eol : at);
		if (i < s->outer.depth)
			outer_end(s, at > s->outer.start ? at - s->eol : at);
		s->depth = (uint8_t)(i + !close);
		s->state = !close ? S_PART : s->depth > 0 ? B_LINE : B_REST;
		return true;
	}
	return false;
}

/* ---- uuencode (POSIX, uuencode(1p)) ---- */

/* "begin MODE NAME": the name, of at most *len octets, from the first one that is no blank. */
static const char *
uu_begin(const char *line, size_t *len)
{
	size_t i = 6;
	if (*len < 6 || memcmp(line, "begin ", 6) != 0)
		return NULL;
	while (i < *len && i < 10 && line[i] >= '0' && line[i] <= '7')
		i++;
	if (i < 9 || i >= *len || line[i] != ' ')
		return NULL;
	while (i < *len && line[i] == ' ')
		i++;
	*len -= i;
	return *len > 0 ? line + i : NULL;
}

/* A line of data: a character for its octets, then four for each three of them; blanks at its end
 * may be lost, and some programs add a sum. */
static bool
uu_data(const char *line, size_t len)
{
	unsigned octets = len > 0 ? ((unsigned)(uint8_t)line[0] - 32u) & 63u : 0;
	size_t want = (octets + 2) / 3 * 4;
	if (octets == 0 || octets > 45 || line[0] < ' ' || line[0] > '`' || len > want + 2)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (line[i] < ' ' || line[i] > '`')
			return false;
	}
	return len > 1 && len + 8 >= want;
}

/* A line of a text in which there may be files; true where it is one of theirs, and was dealt with.
 */
static bool
uu_line(struct scan *s, size_t len, uint64_t at)
{
	if (s->uu == UU_INSIDE) {
		if (len != 3 || memcmp(s->line, "end", 3) != 0)
			return false;
		leaf_end(s, at);
		s->leaf = LEAF_BODY;
		s->uu = UU_TEXT;
		mime_leaf_begin(s, ENCODING_NONE);
		s->tasting = false;
		return true;
	}
	if (s->uu == UU_CLAIM && uu_data(s->line, len)) {
		mime_leaf_end(s); /* the text before it */
		s->leaf = LEAF_ATTACHMENT;
		s->uu = UU_INSIDE;
		s->body_start = at;
		mime_leaf_begin(s, ENCODING_UU);
		return false;
	}
	if (s->uu == UU_CLAIM) {
		s->uu = UU_TEXT;
		mime_leaf_readable(s);
		mime_body_tell(s);
	}
	const char *name = uu_begin(s->line, &len);
	if (name == NULL || s->unsure != 0)
		return false;
	struct text file = text_in(s->part.file, sizeof s->part.file);
	mime_decode_words(name, len, &file);
	s->part.file_len = (uint16_t)file.len;
	s->uu = UU_CLAIM;
	return true;
}

/* ---- lines ---- */

/* The line in `line`, which began at pos `at`, is complete. */
static void
body_line(struct scan *s, uint64_t at)
{
	size_t len = s->line_len;
	s->state = B_LINE;
	while (len > 0 &&
	    (s->line[len - 1] == ' ' || s->line[len - 1] == '\t' || s->line[len - 1] == '\r'))
		len--;
	if (s->depth > 0 && len > 2 && memcmp(s->line, "--", 2) == 0 && boundary_line(s, len, at))
		return;
	if (s->uu != UU_NONE && uu_line(s, len, at))
		return;
	if (s->tasting) {
		mime_leaf_taste(s, (const uint8_t *)s->line, s->line_len);
		mime_leaf_taste(s, (const uint8_t *)"\n", 1);
	}
	if (len > 0)
		mime_body_tell(s);
}

/* May a line that begins with c mean something to the text? */
static bool
uu_may_begin(const struct scan *s, uint8_t c)
{
	return s->uu == UU_CLAIM || (s->uu == UU_TEXT && c == 'b') ||
	    (s->uu == UU_INSIDE && c == 'e');
}

static void
step_line(struct scan *s, struct mime_input *in)
{
	uint8_t c = in->data[0];
	mime_line_begin(s);
	s->state = B_COLLECT;
	if (c != '-' && c != '\r' && c != '\n' && !uu_may_begin(s, c)) {
		mime_body_tell(s);
		s->state = B_SKIP;
	}
}

/* Takes octets of which the first n are a line or the rest of one; `found`: LF follows them. */
static void
body_take(struct scan *s, struct mime_input *in, size_t n, bool found)
{
	bool cr = n > 0 ? in->data[n - 1] == '\r' : s->last_cr;
	mime_take(s, in, n + found);
	if (found) {
		s->eol = cr ? 2 : 1;
		s->line_start = s->pos;
	}
}

/* The line does not fit `line`, so it is no boundary, nor anything else. */
static void
long_line(struct scan *s, const uint8_t *octets, size_t n, size_t before)
{
	if (s->uu == UU_CLAIM) {
		s->uu = UU_TEXT;
		mime_leaf_readable(s);
	}
	if (s->tasting) {
		mime_leaf_taste(s, (const uint8_t *)s->line, before);
		mime_leaf_taste(s, octets, n);
	}
	mime_body_tell(s);
}

static void
step_collect(struct scan *s, struct mime_input *in)
{
	const uint8_t *octets = in->data;
	size_t n = scan_lf(in->data, in->len), before = s->line_len;
	bool found = n < in->len;
	uint64_t at = s->line_start;
	uint8_t eol = s->eol;
	mime_line_add(s, in->data, n);
	body_take(s, in, n, found);
	if (s->line_long) {
		long_line(s, octets, n + found, before);
		s->state = found ? B_LINE : B_SKIP;
		return;
	}
	bool waits = s->uu == UU_CLAIM || (s->line_len > 0 && uu_may_begin(s, (uint8_t)s->line[0]));
	if (!waits &&
	    (s->depth == 0 ||
		(s->line_len > 0 && s->line[0] != '-' && (s->line[0] != '\r' || s->line_len > 1))))
		mime_body_tell(s); /* it is no boundary, nor the line end before one */
	if (found) {
		uint8_t next_eol = s->eol;
		s->eol = eol;
		body_line(s, at);
		s->eol = next_eol;
	}
}

/* Skips lines that mean nothing, up to the end of the one before one that may. */
static void
step_skip(struct scan *s, struct mime_input *in)
{
	const uint8_t *octets = in->data;
	size_t n = s->uu != UU_NONE
	    ? scan_line_mark_or(in->data, in->len, s->uu == UU_INSIDE ? 'e' : 'b')
	    : in->unmarked ? in->len
			   : scan_line_mark(in->data, in->len);
	bool found = n < in->len;
	if (s->tasting)
		mime_leaf_taste(s, octets, n + found);
	body_take(s, in, n, found);
	if (found)
		s->state = B_LINE;
}

static void
step_lost(struct scan *s, struct mime_input *in)
{
	size_t n = scan_lf(in->data, in->len);
	bool found = n < in->len;
	if (n > 0)
		mime_body_tell(s);
	body_take(s, in, n, found);
	if (found)
		s->state = B_LINE;
}

void
mime_body_step(struct scan *s, struct mime_input *in)
{
	switch ((enum scan_state)s->state) {
	case B_LINE: step_line(s, in); break;
	case B_COLLECT: step_collect(s, in); break;
	case B_SKIP: step_skip(s, in); break;
	case B_LOST: step_lost(s, in); break;
	default:
		mime_body_tell(s);
		if (s->tasting)
			mime_leaf_taste(s, in->data, in->len);
		mime_take(s, in, in->len);
		break;
	}
}

void
mime_body_gap(struct scan *s)
{
	if (s->uu == UU_CLAIM) {
		s->uu = UU_TEXT;
		mime_leaf_readable(s);
	}
	mime_leaf_gap(s);
	if (s->state != B_REST)
		s->state = s->depth > 0 || s->uu != UU_NONE ? B_LOST : B_REST;
}

void
mime_body_finish(struct scan *s)
{
	if (s->state == B_COLLECT)
		body_line(s, s->line_start);
	leaf_end(s, s->pos);
	outer_end(s, s->pos);
}
