/*
 * What an answer to FETCH shows of a message (RFC 9051 section 7.5.2, RFC 3516, RFC 3501 for
 * RFC822, RFC 9586 for UIDFETCH).
 *
 * The answer is a list of items and their values; a literal ends a line and the next one goes on
 * behind it, so what is known of the lists is kept between lines (depth, item).  Of a
 * BODYSTRUCTURE is remembered which of the first 32 parts are attachments, of the last message that
 * had one: a part that is fetched later by its number is told apart by it.  Where nothing is known
 * of a part it counts as body.
 */
#include <string.h>

#include "base/text.h"
#include "mail/imap.h"

enum item {
	ITEM_NAME, /* a name comes next */
	ITEM_OTHER,
	ITEM_SHOWN, /* headers or parts */
	ITEM_MESSAGE,
	ITEM_PIECE,
	ITEM_ENVELOPE,
	ITEM_STRUCTURE
};

/* In a BODYSTRUCTURE. */
#define IMAP_AT_FIRST 0x01u /* what comes is the first of its list */
#define IMAP_AT_PARTS 0x02u /* lists at the outermost level are parts of a multipart */
#define IMAP_AT_MULTI 0x04u /* it is one */
#define PARTS	      32u   /* parts that are told apart */

bool
imap_is_fetch(const char *s, size_t len, uint32_t *seq, size_t *at)
{
	size_t i = 2;
	*seq = 0;
	if (len < 3 || s[0] != '*' || s[1] != ' ')
		return false;
	while (i < len && i < 12 && s[i] >= '0' && s[i] <= '9')
		*seq = *seq * 10 + (uint32_t)(s[i++] - '0');
	if (i == 2 || i == len || s[i] != ' ')
		return false;
	size_t word = mail_word_len(s + i + 1, len - i - 1);
	if (!ascii_is(s + i + 1, word, "FETCH") && !ascii_is(s + i + 1, word, "UIDFETCH"))
		return false;
	*at = mail_skip_blanks(s, len, i + 1 + word);
	return *at < len && s[*at] == '(';
}

/* What the section of BODY[section] or BINARY[section] shows; 0 where it is a whole message. */
static uint8_t
section_shows(const struct imap *p, const char *s, size_t len)
{
	unsigned part = 0;
	size_t i = 0;
	while (i < len && s[i] >= '0' && s[i] <= '9' && part < 1000)
		part = part * 10 + (unsigned)(s[i++] - '0');
	/* the word behind the last number */
	size_t word = i;
	while (word < len && (s[word] == '.' || (s[word] >= '0' && s[word] <= '9')))
		word++;
	if (len == 0)
		return 0;
	if (ascii_begins(s + word, len - word, "HEADER") ||
	    ascii_begins(s + word, len - word, "MIME"))
		return MAIL_EXPOSED_HEADERS;
	if (part > 0 && part <= PARTS && p->known_seq == p->seq &&
	    p->attachments >> (part - 1) & 1u)
		return MAIL_EXPOSED_ATTACHMENTS;
	return MAIL_EXPOSED_BODY;
}

/* An item's name: what its value will be. */
static enum item
item_of(const struct imap *p, const char *s, size_t len, struct imap_fetched *out)
{
	out->part = false;
	out->offset = 0;
	out->shows = 0;
	if (ascii_is(s, len, "RFC822"))
		return ITEM_MESSAGE;
	if (ascii_is(s, len, "ENVELOPE"))
		return ITEM_ENVELOPE;
	if (ascii_is(s, len, "BODYSTRUCTURE") || ascii_is(s, len, "BODY"))
		return ITEM_STRUCTURE;
	if (ascii_is(s, len, "RFC822.HEADER")) {
		out->shows = MAIL_EXPOSED_HEADERS;
		return ITEM_SHOWN;
	}
	if (ascii_is(s, len, "RFC822.TEXT")) {
		out->shows = MAIL_EXPOSED_BODY;
		return ITEM_SHOWN;
	}
	if (ascii_is(s, len, "PREVIEW") || ascii_is(s, len, "SNIPPET")) { /* RFC 8970 */
		out->shows = MAIL_EXPOSED_BODY;
		return ITEM_SHOWN;
	}
	size_t open = ascii_begins(s, len, "BODY[") ? 4 : ascii_begins(s, len, "BINARY[") ? 6 : 0;
	if (open == 0)
		return ITEM_OTHER;
	size_t close = len;
	while (close > open && s[close - 1] != ']')
		close--;
	if (close == open)
		close = len + 1;
	size_t lt = close; /* <origin> */
	if (lt < len && s[lt] == '<') {
		out->part = true;
		for (lt++; lt < len && s[lt] >= '0' && s[lt] <= '9' && out->offset < 100000000u;
		     lt++)
			out->offset = out->offset * 10 + (uint32_t)(s[lt] - '0');
	}
	out->shows = section_shows(p, s + open + 1, close - open - 2);
	if (out->shows != 0)
		return ITEM_SHOWN;
	return out->part && out->offset > 0 ? ITEM_PIECE : ITEM_MESSAGE;
}

static void
part_is_attachment(struct imap *p)
{
	if (p->part > 0 && p->part <= PARTS)
		p->attachments |= 1u << (p->part - 1);
}

/* A string or atom in a BODYSTRUCTURE (RFC 9051 section 7.5.2). */
static void
structure_string(struct imap *p, const char *s, size_t len)
{
	unsigned inner = p->at & IMAP_AT_MULTI ? 3 : 2; /* lists open in a part itself */
	bool first = (p->at & IMAP_AT_FIRST) != 0;
	p->at &= (uint8_t)~IMAP_AT_FIRST;
	if (p->depth == 2) {
		p->at &= (uint8_t)~IMAP_AT_PARTS; /* the subtype of a multipart, or a lone part */
		if (first)
			p->part = 1;
		else if (p->at & IMAP_AT_MULTI)
			p->part = 0;
	}
	if (p->part == 0)
		return;
	if (first && p->depth == inner && !ascii_is(s, len, "TEXT") &&
	    !ascii_is(s, len, "MESSAGE") && !ascii_is(s, len, "MULTIPART"))
		part_is_attachment(p);
	if (first && p->depth == inner + 1 && ascii_is(s, len, "ATTACHMENT"))
		part_is_attachment(p);
	if (p->depth > inner && (ascii_is(s, len, "FILENAME") || ascii_is(s, len, "NAME")))
		part_is_attachment(p);
}

static void
structure_open(struct imap *p)
{
	if (p->depth == 3 && p->at & (IMAP_AT_FIRST | IMAP_AT_PARTS)) { /* a part of a multipart */
		p->at |= IMAP_AT_PARTS | IMAP_AT_MULTI;
		p->part = (uint8_t)(p->part + (p->part <= PARTS));
	}
	p->at |= IMAP_AT_FIRST;
}

static void
open_list(struct imap *p)
{
	p->depth = (uint8_t)(p->depth + (p->depth < UINT8_MAX));
	if (p->item != ITEM_STRUCTURE)
		return;
	if (p->depth == 2) {
		p->part = 0;
		p->at = IMAP_AT_FIRST;
		p->known_seq = p->seq;
		p->attachments = 0;
		return;
	}
	structure_open(p);
}

/* A value that is no list crossed: what it shows. */
static void
take_value(struct imap *p, const char *s, size_t len, bool string, struct imap_fetched *out)
{
	if (p->depth > 1) {
		if (p->item == ITEM_STRUCTURE)
			structure_string(p, s, len);
		if (string && (p->item == ITEM_ENVELOPE || p->item == ITEM_STRUCTURE))
			out->exposed |= MAIL_EXPOSED_HEADERS;
		return;
	}
	if (string && len > 0) {
		if (p->item == ITEM_SHOWN)
			out->exposed |= out->shows;
		else if (p->item == ITEM_MESSAGE && out->quoted == NULL) {
			out->quoted = s;
			out->quoted_len = len;
		} else if (p->item == ITEM_MESSAGE || p->item == ITEM_PIECE)
			out->exposed |= MAIL_EXPOSED_HEADERS;
	}
	p->item = ITEM_NAME;
}

/* Behind an item's name: blanks within brackets are its own. */
static size_t
name_end(const char *s, size_t len, size_t at)
{
	size_t i = at;
	while (i < len && s[i] != ' ' && s[i] != '(' && s[i] != ')' && s[i] != '[')
		i++;
	if (i < len && s[i] == '[') {
		while (i < len && s[i] != ']')
			i++;
		while (i < len && s[i] != ' ' && s[i] != '(' && s[i] != ')')
			i++;
	}
	return i;
}

static size_t
atom_end(const char *s, size_t len, size_t at)
{
	size_t i = at + 1;
	while (i < len && s[i] != ' ' && s[i] != '(' && s[i] != ')' && s[i] != '"')
		i++;
	return i;
}

static size_t
quoted_end(const char *s, size_t len, size_t at)
{
	size_t i = at + 1;
	while (i < len && s[i] != '"')
		i += s[i] == '\\' && i + 1 < len ? 2 : 1;
	return i;
}

void
imap_fetch_line(struct imap *p, const char *s, size_t len, bool literal, struct imap_fetched *out)
{
	*out = (struct imap_fetched){0};
	for (size_t i = 0, end; i < len;) {
		switch (s[i]) {
		case ' ': i++; continue;
		case '(':
			open_list(p);
			i++;
			continue;
		case ')':
			i++;
			if (p->depth > 0 && --p->depth == 0)
				return; /* the answer is over */
			if (p->depth == 1)
				p->item = ITEM_NAME;
			continue;
		case '"':
			end = quoted_end(s, len, i);
			take_value(p, s + i + 1, end - i - 1, true, out);
			i = end < len ? end + 1 : len;
			continue;
		default: break;
		}
		if (p->depth == 1 && p->item == ITEM_NAME) {
			end = name_end(s, len, i);
			p->item = (uint8_t)item_of(p, s + i, end - i, out);
		} else {
			end = atom_end(s, len, i);
			take_value(p, s + i, end - i, false, out);
		}
		i = end > i ? end : i + 1;
	}
	if (!literal)
		return;
	switch ((enum item)(p->depth == 1 ? p->item : ITEM_OTHER)) {
	case ITEM_MESSAGE: out->value = IMAP_VALUE_MESSAGE; break;
	case ITEM_PIECE: out->value = IMAP_VALUE_PIECE; break;
	case ITEM_SHOWN: out->value = IMAP_VALUE_SHOWN; break;
	default:
		take_value(p, "", 0, true, out); /* a string in a list */
		break;
	}
	if (p->depth == 1)
		p->item = ITEM_NAME;
}

void
imap_fetch_tail(const struct imap *p, const char *s, size_t len, struct imap_fetched *out)
{
	*out = (struct imap_fetched){0};
	size_t i = len;
	while (i > 0 && s[i - 1] == ' ')
		i--;
	size_t end = i;
	bool inside = false; /* BODY[HEADER.FIELDS (A B)] has blanks and parentheses inside */
	while (i > 0 && (inside || (s[i - 1] != ' ' && s[i - 1] != '('))) {
		i--;
		inside = s[i] == ']' || (inside && s[i] != '[');
	}
	if (inside) {
		out->value = IMAP_VALUE_SHOWN; /* only names of header fields make it so long */
		out->shows = MAIL_EXPOSED_HEADERS;
		return;
	}
	switch (item_of(p, s + i, end - i, out)) {
	case ITEM_MESSAGE: out->value = IMAP_VALUE_MESSAGE; break;
	case ITEM_PIECE: out->value = IMAP_VALUE_PIECE; break;
	case ITEM_SHOWN: out->value = IMAP_VALUE_SHOWN; break;
	default: break;
	}
}
