/*
 * The header of a message, or of a part of it (RFC 5322 section 2.2): see mime_scan.h.
 *
 * A line that is no field ends the header, as it does in common mail servers.  The first octets of
 * a body that has no empty line before it stand in `line` then.
 */
#include "mail/mime_scan.h"

#include "base/lexicon.h"
#include "base/text.h"

static bool
is_space(int c)
{
	return c == ' ' || c == '\t';
}

/* Takes the `n` octets before an LF, and the LF; false where these are all, and there is none. */
static bool
take_line(struct scan *s, struct mime_input *in, size_t n)
{
	bool found = n < in->len;
	mime_take(s, in, n + found);
	if (found)
		s->line_start = s->pos;
	return found;
}

static const struct {
	struct literal name;
	enum field_use use;
	enum mime_header header;
} fields[] = {
    {{WORD("subject")}, FIELD_EVENT, MIME_SUBJECT},
    {{WORD("message-id")}, FIELD_EVENT, MIME_MESSAGE_ID},
    {{WORD("from")}, FIELD_EVENT, MIME_FROM},
    {{WORD("date")}, FIELD_EVENT, MIME_DATE},
    {{WORD("received")}, FIELD_EVENT, MIME_RECEIVED},
    {{WORD("x-mailer")}, FIELD_EVENT, MIME_X_MAILER},
    {{WORD("user-agent")}, FIELD_EVENT, MIME_USER_AGENT},
    {{WORD("tls-required")}, FIELD_EVENT, MIME_TLS_REQUIRED},
    {{WORD("content-type")}, FIELD_TYPE, 0},
    {{WORD("content-disposition")}, FIELD_DISPOSITION, 0},
    {{WORD("content-transfer-encoding")}, FIELD_ENCODING, 0},
};

static struct lexicon names = {LEXICON(fields)};

void
mime_head_begin(struct scan *s, bool in_part)
{
	s->in_part = in_part;
	s->leaf = LEAF_NONE;
	s->unsure &= (uint8_t)~UNSURE_PART;
	s->any_field = s->can_fold = false;
	s->field = FIELD_NONE;
	mime_part_begin(&s->part);
	s->state = S_LINE;
}

/* The name stands in `line`, its colon was read. */
static void
field_begin(struct scan *s)
{
	s->any_field = s->can_fold = true;
	s->field = FIELD_NONE;
	s->value_len = 0;
	s->space_due = false;
	while (s->line_len > 0 && is_space(s->line[s->line_len - 1]))
		s->line_len--;
	size_t i = lexicon_find(&names, s->line, s->line_len);
	bool known = i < sizeof fields / sizeof fields[0] && !s->line_long;
	if (known && !(fields[i].use == FIELD_EVENT && s->in_part)) {
		s->header = (uint8_t)fields[i].header;
		bool told = fields[i].use == FIELD_EVENT && (s->seen >> s->header & 1) != 0;
		s->field = told ? (uint8_t)FIELD_NONE : (uint8_t)fields[i].use;
	}
	s->state = s->field != FIELD_NONE ? S_FOLD : S_IGNORE;
}

/* The field under way is complete. */
static void
field_end(struct scan *s)
{
	static const unsigned many = 1u << MIME_RECEIVED | 1u << MIME_TLS_REQUIRED;
	enum field_use use = s->field;
	while (s->value_len > 0 && is_space(s->value[s->value_len - 1]))
		s->value_len--;
	if (use == FIELD_TYPE) {
		mime_part_type(&s->part, s->value, s->value_len);
	} else if (use == FIELD_DISPOSITION) {
		mime_part_disposition(&s->part, s->value, s->value_len);
	} else if (use == FIELD_ENCODING) {
		mime_part_encoding(&s->part, s->value, s->value_len);
	} else if (use == FIELD_EVENT) {
		s->pending |= PENDING_HEADER;
		if ((many >> s->header & 1) == 0)
			s->seen |= (uint8_t)(1u << s->header);
		if (s->header == MIME_RECEIVED && ++s->received == LIMIT_RECEIVED)
			s->seen |= 1u << MIME_RECEIVED;
	}
	s->field = FIELD_NONE;
}

/* The line under way, which so far stands in `line`, is no field: it is the first one of the body.
 */
static void
header_break(struct scan *s)
{
	uint64_t at = s->line_start;
	if (s->state == S_COLON && !s->any_field && !s->in_part &&
	    (ascii_is(s->line, s->line_len, "From ") || ascii_is(s->line, s->line_len, ">From "))) {
		s->state = S_IGNORE; /* the line that begins a message in a mailbox file */
		return;
	}
	if (s->any_field && !s->in_part)
		s->pending |= PENDING_HEADERS_END;
	mime_body_begin(s, at, true);
	if (s->state == B_LINE) {
		s->state = B_COLLECT;
	} else {
		mime_leaf_taste(s, (const uint8_t *)s->line, s->line_len);
		s->tasting = s->tasting && !s->line_long; /* else some of it was dropped */
	}
	if (s->depth == 0 || s->line_long)
		mime_body_tell(s);
}

/* The first octet of a header line. */
static void
step_line(struct scan *s, struct mime_input *in)
{
	uint8_t c = in->data[0];
	if (is_space(c) && s->can_fold) {
		s->space_due = s->value_len > 0;
		s->state = s->field != FIELD_NONE ? S_FOLD : S_IGNORE;
		return;
	}
	if (s->field != FIELD_NONE) {
		field_end(s);
		return;
	}
	mime_line_begin(s);
	if (c == '\r' || c == '\n') {
		s->state = S_EMPTY;
		return;
	}
	s->state = S_NAME;
}

/* CR or LF, where a header line begins: nothing but line ends may follow. */
static void
step_empty(struct scan *s, struct mime_input *in)
{
	uint8_t c = in->data[0];
	if (c != '\r' && c != '\n') {
		header_break(s);
		return;
	}
	mime_line_add(s, in->data, 1);
	mime_take(s, in, 1);
	if (c == '\n') {
		if (!s->in_part)
			s->pending |= PENDING_HEADERS_END;
		mime_body_begin(s, s->pos, false);
	}
}

/* A name is of printable ASCII (RFC 5322 section 2.2).  "--" begins boundaries, never names: it is
 * looked for before more is taken, which `line` might not hold. */
static void
step_name(struct scan *s, struct mime_input *in)
{
	const uint8_t *p = in->data;
	size_t n = 0, most = s->line_len < 2 && p[0] == '-' ? 2u - s->line_len : in->len;
	most = most < in->len ? most : in->len;
	while (n < most && p[n] > 0x20 && p[n] < 0x7f && p[n] != ':')
		n++;
	mime_line_add(s, in->data, n);
	mime_take(s, in, n);
	if (s->line_len >= 2 && s->line[0] == '-' && s->line[1] == '-')
		header_break(s);
	else if (n == most)
		return; /* the rest of it is still to come */
	else if (in->len > 0 && s->line_len > 0 && (in->data[0] == ':' || is_space(in->data[0])))
		s->state = S_COLON;
	else if (in->len > 0)
		header_break(s);
}

static void
step_colon(struct scan *s, struct mime_input *in)
{
	if (is_space(in->data[0])) {
		mime_line_add(s, in->data, 1);
		mime_take(s, in, 1);
	} else if (in->data[0] == ':') {
		mime_take(s, in, 1);
		field_begin(s);
	} else {
		header_break(s);
	}
}

static void
value_add(struct scan *s, const void *octets, size_t n)
{
	size_t room = sizeof s->value - s->value_len;
	if (n > room)
		n = room;
	memcpy(s->value + s->value_len, octets, n);
	s->value_len = (uint16_t)(s->value_len + n);
}

static void
step_fold(struct scan *s, struct mime_input *in)
{
	uint8_t c = in->data[0];
	if (is_space(c)) {
		mime_take(s, in, 1);
		return;
	}
	if (s->space_due && c != '\r' && c != '\n')
		value_add(s, " ", 1);
	s->state = S_VALUE;
}

static void
step_value(struct scan *s, struct mime_input *in)
{
	size_t n = scan_lf(in->data, in->len);
	value_add(s, in->data, n);
	if (!take_line(s, in, n))
		return;
	while (s->value_len > 0 && s->value[s->value_len - 1] == '\r')
		s->value_len--;
	s->state = S_LINE;
}

static void
step(struct scan *s, struct mime_input *in)
{
	switch ((enum scan_state)s->state) {
	case S_FIRST: mime_head_begin(s, false); break;
	case S_INNER:
		if (in->data[0] != '-') /* which begins a boundary */
			mime_body_tell(s);
		mime_head_begin(s, true);
		break;
	case S_PART: mime_head_begin(s, true); break;
	case S_LINE: step_line(s, in); break;
	case S_EMPTY: step_empty(s, in); break;
	case S_NAME: step_name(s, in); break;
	case S_COLON: step_colon(s, in); break;
	case S_FOLD: step_fold(s, in); break;
	case S_VALUE: step_value(s, in); break;
	default:
		if (take_line(s, in, scan_lf(in->data, in->len)))
			s->state = S_LINE;
	}
}

void
mime_head_read(struct scan *s, struct mime_input *in)
{
	while (in->len > 0 && s->pending == 0 && s->state < B_LINE)
		step(s, in);
}

void
mime_head_finish(struct scan *s)
{
	if (s->field != FIELD_NONE)
		field_end(s);
	if (s->in_part && s->any_field)
		mime_body_begin(s, s->pos, false); /* a part whose body was not reached */
}
