/*
 * The message scanner: see mime.h.
 *
 * One machine reads the header of the message and of each part of it (RFC 5322 section 2.2),
 * another the lines of a body.  In a body only lines that begin with "--" are looked at, found by
 * scan_line_mark; where the message has no parts its body is counted and not read, but for
 * its first line, which may say that PGP begins.
 *
 * Assumes nothing of the content: fields, lines, parts and nesting have no end, NUL is an octet.  A
 * line that is no field ends the header, as it does in common mail servers.  A boundary must be the
 * whole line, but for white space (RFC 2046 section 5.1.1), so that one that begins like another is
 * told apart.  A message inside a message is one opaque part.
 *
 * Results wait as bits in `pending`, at most one of each kind, and are handed out before more input
 * is read: what they point at is overwritten by that input only.
 */
#include "mail/mime.h"

#include "base/limits.h"
#include "base/scan.h"
#include "base/text.h"
#include "mail/mime_part.h"
#include "mail/mime_words.h"

#include <string.h>

enum scan_state {
	S_FIRST,   /* nothing was read */
	S_PART,	   /* a boundary line was read: the header of a part begins */
	S_LINE,	   /* in a header, at the beginning of a line */
	S_EMPTY,   /* in a header, CR was read at the beginning of a line */
	S_NAME,	   /* in a field's name; the line so far stands in `line` */
	S_COLON,   /* in white space between the name and its colon */
	S_FOLD,	   /* in white space at the beginning of a value or of its continuation */
	S_VALUE,   /* in a value */
	S_IGNORE,  /* in a header line that means nothing */
	B_LINE,	   /* in a body, at the beginning of a line */
	B_COLLECT, /* in a line that stands in `line`, because it may mean something */
	B_SKIP,	   /* inside a line that means nothing */
	B_LOST,	   /* somewhere in a line after a gap */
	B_REST,	   /* no line means anything any more */
};

/* What becomes of a field. */
enum field_use { FIELD_NONE, FIELD_EVENT, FIELD_TYPE, FIELD_DISPOSITION };

/* Results that wait; of several the lowest bit is told first. */
enum pending {
	PENDING_HEADER = 1,
	PENDING_HEADERS_END = 2,
	PENDING_BODY = 4,
	PENDING_PROTECTION = 8,
	PENDING_ATTACHMENT = 16,
};

struct boundary {
	uint8_t len;
	char octets[LIMIT_BOUNDARY];
};

#define UNSURE_MESSAGE 1u /* in the message's own header, or its first line */
#define UNSURE_PART    2u /* in the header of the part under way */

struct scan {
	uint64_t pos;	       /* octets of content so far, lost ones too */
	uint64_t line_start;   /* pos of the first octet of the line under way */
	uint64_t body_start;   /* pos of the first octet of the leaf under way */
	uint64_t size;	       /* octets of the attachment that has ended */
	uint32_t attachments;  /* that have ended */
	uint8_t state;	       /* enum scan_state */
	uint8_t pending;       /* enum pending, a set */
	uint8_t header;	       /* enum mime_header of the field under way, or that is pending */
	uint8_t seen;	       /* enum mime_header, a set: those that are told once */
	uint8_t received;      /* Received fields so far, at most LIMIT_RECEIVED */
	uint8_t field;	       /* enum field_use of the field under way */
	uint8_t depth;	       /* boundaries that are open */
	uint8_t leaf;	       /* enum mime_leaf: what the octets of the body under way are */
	uint8_t eol;	       /* octets of the line end before line_start: 1 or 2 */
	uint8_t protection;    /* enum mime_protection: what is, or is to be, said of it */
	bool ended;	       /* mime_end was called */
	bool in_part;	       /* the header under way, or the last one, is a part's */
	bool any_field;	       /* the header under way has a field */
	bool can_fold;	       /* white space at the beginning of a line continues the one before */
	bool space_due;	       /* a fold was read: a space stands for it if more follows */
	bool last_cr;	       /* the octet before this input was CR */
	bool line_long;	       /* the line does not fit `line` */
	bool body_told;	       /* MIME_BODY was handed out */
	bool may_protect;      /* nothing yet decided whether the message is protected */
	uint8_t unsure;	       /* UNSURE_*: what may have sealed the body was lost */
	bool probe;	       /* the next line that is not empty may begin PGP */
	uint16_t value_len;    /* octets in value */
	uint16_t line_len;     /* octets in line */
	struct mime_part part; /* what the header under way, or the last one, says */
	struct boundary open[LIMIT_MIME_DEPTH]; /* outermost first */
	char line[LIMIT_MIME_LINE];		/* a field's name, or a body line */
	char value[LIMIT_HEADER];		/* a field's value */
};

_Static_assert(sizeof(struct scan) <= 6144, "a scan is to take 6 KiB at most");

const uint32_t mime_scan_size = sizeof(struct scan);

bool
mime_pools_init(struct mime_pools *p, uint32_t scans)
{
	memset(p, 0, sizeof *p);
	if (!pool_init(&p->scans, "message scans", sizeof(struct scan), scans))
		return false;
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
	uint32_t id = pool_take(&p->scans);
	if (id != 0) {
		struct scan *s = pool_at(&p->scans, id);
		s->may_protect = true;
	}
	return id;
}

static bool
is_space(int c)
{
	return c == ' ' || c == '\t';
}

static void
take(struct scan *s, struct mime_input *in, size_t n)
{
	s->last_cr = n > 0 ? in->data[n - 1] == '\r' : s->last_cr;
	s->pos += n;
	in->data += n;
	in->len -= n;
}

/* Takes octets up to LF, LF too; true where one was found. */
static bool
take_line(struct scan *s, struct mime_input *in)
{
	size_t n = scan_lf(in->data, in->len);
	bool found = n < in->len;
	take(s, in, n + found);
	if (found)
		s->line_start = s->pos;
	return found;
}

/* ---- header ---- */

static const struct {
	const char *name;
	enum field_use use;
	enum mime_header header;
} fields[] = {
    {"subject", FIELD_EVENT, MIME_SUBJECT},
    {"message-id", FIELD_EVENT, MIME_MESSAGE_ID},
    {"from", FIELD_EVENT, MIME_FROM},
    {"date", FIELD_EVENT, MIME_DATE},
    {"received", FIELD_EVENT, MIME_RECEIVED},
    {"x-mailer", FIELD_EVENT, MIME_X_MAILER},
    {"user-agent", FIELD_EVENT, MIME_USER_AGENT},
    {"tls-required", FIELD_EVENT, MIME_TLS_REQUIRED},
    {"content-type", FIELD_TYPE, 0},
    {"content-disposition", FIELD_DISPOSITION, 0},
};

static void
header_begin(struct scan *s, bool in_part)
{
	s->in_part = in_part;
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
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (s->line_long || !ascii_is(s->line, s->line_len, fields[i].name))
			continue;
		if (fields[i].use == FIELD_EVENT && s->in_part)
			break;
		s->field = (uint8_t)fields[i].use;
		s->header = (uint8_t)fields[i].header;
		if (fields[i].use == FIELD_EVENT && (s->seen >> s->header & 1) != 0)
			s->field = FIELD_NONE;
		break;
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
	} else if (use == FIELD_EVENT) {
		s->pending |= PENDING_HEADER;
		if ((many >> s->header & 1) == 0)
			s->seen |= (uint8_t)(1u << s->header);
		if (s->header == MIME_RECEIVED && ++s->received == LIMIT_RECEIVED)
			s->seen |= 1u << MIME_RECEIVED;
	}
	s->field = FIELD_NONE;
}

/* Decides by its types whether the message is protected: by its own, and for a signed one by the
 * first part's, because what is signed may be encrypted. */
static void
protection_decide(struct scan *s, bool has_parts)
{
	enum mime_protection own = s->part.protection;
	if (s->protection == MIME_SIGNED) {
		if (own == MIME_PGP || own == MIME_SMIME)
			s->protection = (uint8_t)own;
	} else if (s->in_part) {
		return; /* one protected part of a plain message leaves it plain */
	} else {
		s->protection = (uint8_t)own;
		if (own == MIME_PLAIN || (own == MIME_SIGNED && has_parts))
			return;
	}
	s->may_protect = false;
	s->pending |= PENDING_PROTECTION;
}

/* The header under way is over; the body begins at pos `at`, which is the beginning of a line. */
static void
header_end(struct scan *s, uint64_t at)
{
	bool has_parts = s->part.boundary_len > 0 && s->depth < LIMIT_MIME_DEPTH;
	if (s->may_protect)
		protection_decide(s, has_parts);
	s->state = B_LINE;
	s->body_start = s->line_start = at;
	s->probe = false;
	if (has_parts) {
		struct boundary *b = &s->open[s->depth++];
		b->len = s->part.boundary_len;
		memcpy(b->octets, s->part.boundary, s->part.boundary_len);
		s->leaf = LEAF_NONE;
		return;
	}
	s->leaf = (uint8_t)mime_part_leaf(&s->part);
	if (s->may_protect) { /* the first leaf */
		s->probe = s->leaf == LEAF_BODY && mime_part_is_text(&s->part);
		s->may_protect = s->probe;
	}
	if (s->depth == 0 && !s->probe)
		s->state = B_REST;
}

/* An octet of the body under way was seen. */
static void
body_tell(struct scan *s)
{
	if (s->leaf == LEAF_BODY && !s->body_told && s->unsure == 0) {
		s->body_told = true;
		s->pending |= PENDING_BODY;
	}
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
	header_end(s, at);
	if (s->state == B_LINE)
		s->state = B_COLLECT;
	if (s->depth == 0 || s->line_long)
		body_tell(s);
}

static void
line_begin(struct scan *s)
{
	s->line_len = 0;
	s->line_long = false;
}

static void
line_add(struct scan *s, const uint8_t *octets, size_t n)
{
	size_t room = sizeof s->line - s->line_len;
	if (n > room) {
		s->line_long = true;
		n = room;
	}
	memcpy(s->line + s->line_len, octets, n);
	s->line_len = (uint16_t)(s->line_len + n);
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
	line_begin(s);
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
	line_add(s, in->data, 1);
	take(s, in, 1);
	if (c == '\n') {
		if (!s->in_part)
			s->pending |= PENDING_HEADERS_END;
		header_end(s, s->pos);
	}
}

/* A name is of printable ASCII (RFC 5322 section 2.2).  "--" begins boundaries, never names. */
static void
step_name(struct scan *s, struct mime_input *in)
{
	size_t n = 0;
	while (n < in->len && in->data[n] > 0x20 && in->data[n] < 0x7f && in->data[n] != ':')
		n++;
	line_add(s, in->data, n);
	take(s, in, n);
	if (s->line_len >= 2 && s->line[0] == '-' && s->line[1] == '-')
		header_break(s);
	else if (in->len > 0 && s->line_len > 0 && (in->data[0] == ':' || is_space(in->data[0])))
		s->state = S_COLON;
	else if (in->len > 0)
		header_break(s);
}

static void
step_colon(struct scan *s, struct mime_input *in)
{
	if (is_space(in->data[0])) {
		line_add(s, in->data, 1);
		take(s, in, 1);
	} else if (in->data[0] == ':') {
		take(s, in, 1);
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
		take(s, in, 1);
		return;
	}
	if (s->space_due && c != '\r' && c != '\n')
		value_add(s, " ", 1);
	s->state = S_VALUE;
}

static void
step_value(struct scan *s, struct mime_input *in)
{
	value_add(s, in->data, scan_lf(in->data, in->len));
	if (!take_line(s, in))
		return;
	while (s->value_len > 0 && s->value[s->value_len - 1] == '\r')
		s->value_len--;
	s->state = S_LINE;
}

/* ---- body ---- */

/* The leaf under way, if there is one, ended at pos `at`. */
static void
leaf_end(struct scan *s, uint64_t at)
{
	if (s->leaf == LEAF_ATTACHMENT && s->unsure == 0) {
		s->size = at > s->body_start ? at - s->body_start : 0;
		s->pending |= PENDING_ATTACHMENT;
	}
	s->leaf = LEAF_NONE;
}

/* The first line that is not empty decides; whether or not it was seen. */
static void
probe_end(struct scan *s)
{
	if (s->probe)
		s->may_protect = s->probe = false;
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
		probe_end(s);
		s->depth = (uint8_t)(i + !close);
		s->state = !close ? S_PART : s->depth > 0 ? B_LINE : B_REST;
		return true;
	}
	return false;
}

/* Inline PGP (RFC 9580 section 6.2). */
static void
probe_line(struct scan *s, size_t len)
{
	if (ascii_is(s->line, len, "-----BEGIN PGP MESSAGE-----"))
		s->protection = MIME_PGP;
	else if (ascii_is(s->line, len, "-----BEGIN PGP SIGNED MESSAGE-----"))
		s->protection = MIME_SIGNED;
	if (s->protection != MIME_PLAIN)
		s->pending |= PENDING_PROTECTION;
}

/* The line in `line`, which began at pos `at`, is complete. */
static void
body_line(struct scan *s, uint64_t at)
{
	size_t len = s->line_len;
	s->state = B_LINE;
	while (len > 0 && (is_space(s->line[len - 1]) || s->line[len - 1] == '\r'))
		len--;
	if (s->depth > 0 && len > 2 && memcmp(s->line, "--", 2) == 0 && !s->line_long &&
	    boundary_line(s, len, at))
		return;
	if (len == 0)
		return;
	body_tell(s);
	if (s->probe && !s->line_long)
		probe_line(s, len);
	probe_end(s);
	if (s->depth == 0)
		s->state = B_REST;
}

static void
step_body_line(struct scan *s, struct mime_input *in)
{
	uint8_t c = in->data[0];
	line_begin(s);
	s->state = B_COLLECT;
	if (!s->probe && c != '-' && c != '\r' && c != '\n') {
		body_tell(s);
		s->state = B_SKIP;
	}
}

/* Takes octets of which the first n are a line or the rest of one; `found`: LF follows them. */
static void
body_take(struct scan *s, struct mime_input *in, size_t n, bool found)
{
	bool cr = n > 0 ? in->data[n - 1] == '\r' : s->last_cr;
	take(s, in, n + found);
	if (found) {
		s->eol = cr ? 2 : 1;
		s->line_start = s->pos;
	}
}

static void
step_collect(struct scan *s, struct mime_input *in)
{
	size_t n = scan_lf(in->data, in->len);
	bool found = n < in->len;
	uint64_t at = s->line_start;
	uint8_t eol = s->eol;
	line_add(s, in->data, n);
	body_take(s, in, n, found);
	if (s->depth == 0 || s->line_long ||
	    (s->line_len > 0 && s->line[0] != '-' && (s->line[0] != '\r' || s->line_len > 1)))
		body_tell(s); /* it is no boundary, nor the line end before one */
	if (s->line_long) {
		probe_end(s);
		s->state = s->depth == 0 ? B_REST : found ? B_LINE : B_SKIP;
	} else if (found) {
		uint8_t next_eol = s->eol;
		s->eol = eol;
		body_line(s, at);
		s->eol = next_eol;
	}
}

static void
step_skip(struct scan *s, struct mime_input *in)
{
	size_t n = scan_line_mark(in->data, in->len);
	bool found = n < in->len;
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
		body_tell(s);
	body_take(s, in, n, found);
	if (found)
		s->state = B_LINE;
}

/* ---- push and next ---- */

static bool
event_next(struct scan *s, struct mime_event *ev)
{
	unsigned one = s->pending & (~(unsigned)s->pending + 1); /* the lowest bit */
	if (one == 0)
		return false;
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
	case PENDING_PROTECTION:
		ev->kind = MIME_PROTECTION;
		ev->protection = s->protection;
		break;
	case PENDING_BODY: ev->kind = MIME_BODY; break;
	default:
		ev->kind = MIME_ATTACHMENT;
		ev->index = s->attachments++;
		ev->size = s->size;
		ev->mime_type = s->part.type;
		if (ev->index < LIMIT_ATTACHMENTS) {
			ev->text = s->part.file;
			ev->text_len = s->part.file_len;
		}
	}
	return true;
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
	while (!event_next(s, ev)) {
		if (in->len == 0)
			return false;
		switch ((enum scan_state)s->state) {
		case S_FIRST: header_begin(s, false); break;
		case S_PART: header_begin(s, true); break;
		case S_LINE: step_line(s, in); break;
		case S_EMPTY: step_empty(s, in); break;
		case S_NAME: step_name(s, in); break;
		case S_COLON: step_colon(s, in); break;
		case S_FOLD: step_fold(s, in); break;
		case S_VALUE: step_value(s, in); break;
		case S_IGNORE:
			if (take_line(s, in))
				s->state = S_LINE;
			break;
		case B_LINE: step_body_line(s, in); break;
		case B_COLLECT: step_collect(s, in); break;
		case B_SKIP: step_skip(s, in); break;
		case B_LOST: step_lost(s, in); break;
		case B_REST:
			body_tell(s);
			take(s, in, in->len);
			break;
		}
	}
	return true;
}

void
mime_gap(struct mime_pools *p, uint32_t scan, uint64_t len)
{
	if (scan == 0 || len == 0)
		return;
	struct scan *s = pool_at(&p->scans, scan);
	if (s->state == S_FIRST || s->state == S_PART)
		header_begin(s, s->state == S_PART);
	s->pos += len;
	s->last_cr = false;
	if (s->state < B_LINE || s->probe) {
		s->unsure |= s->state < B_LINE && s->in_part ? UNSURE_PART : UNSURE_MESSAGE;
		if (s->may_protect) {
			s->may_protect = s->probe = false;
			s->protection = MIME_PROTECTION_UNKNOWN;
			s->pending |= PENDING_PROTECTION;
		}
	}
	if (s->state < B_LINE) {
		s->field = FIELD_NONE;
		s->can_fold = true;
		s->state = S_IGNORE;
		return;
	}
	probe_end(s);
	if (s->state != B_REST)
		s->state = s->depth > 0 ? B_LOST : B_REST;
}

/* What the end of the content completes. */
static void
content_end(struct scan *s)
{
	s->ended = true;
	if (s->state > S_PART && s->state < B_LINE) {
		if (s->field != FIELD_NONE)
			field_end(s);
		if (s->in_part && s->any_field)
			header_end(s, s->pos); /* a part whose body was not reached */
	} else if (s->state == B_COLLECT) {
		body_line(s, s->line_start);
	}
	leaf_end(s, s->pos);
	if (s->may_protect && s->protection != MIME_PLAIN) {
		s->may_protect = false;
		s->pending |= PENDING_PROTECTION; /* signed, whatever its first part was */
	}
}

bool
mime_end(struct mime_pools *p, uint32_t scan, struct mime_event *ev)
{
	if (scan == 0)
		return false;
	struct scan *s = pool_at(&p->scans, scan);
	if (!s->ended)
		content_end(s);
	if (event_next(s, ev))
		return true;
	pool_give(&p->scans, scan);
	return false;
}
