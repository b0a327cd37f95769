/* Masking: see mask.h. */
#include "record/mask.h"

#include <string.h>

#define EXTENSION 5u /* octets of a file name's extension that is shown */

/* Octets of the first `n` characters. */
static size_t
head_of(const char *s, size_t len, size_t n)
{
	size_t at = 0;
	for (; n > 0 && at < len; n--) {
		size_t c = utf8_char((const uint8_t *)s + at, len - at);
		at += c > 0 ? c : 1;
	}
	return at;
}

static size_t
characters(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t at = 0; at < len; n++)
		at += head_of(s + at, len - at, 1);
	return n;
}

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may stand in a host name or address literal, or behind it (">"); also any octet of an
 * internationalised name. */
static bool
is_domain_octet(char c)
{
	return is_alphanumeric(c) || (uint8_t)c >= 0x80 ||
	    (c != '\0' && strchr(".-_[]:>", c) != NULL);
}

/* The domain is shown, as far as it looks like one: behind the last @ of something malformed may
 * stand anything. */
static void
mask_address(struct text *out, const char *s, size_t len)
{
	if (len == 0)
		return; /* the null sender is nobody */
	const char *at = NULL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '@')
			at = s + i;
	}
	size_t start = s[0] == '<' ? 1 : 0;
	size_t local = at != NULL ? (size_t)(at - s) : len;
	if (start < local)
		text_add_wire(out, s, head_of(s + start, local - start, 1) + start);
	text_puts(out, "***");
	if (at == NULL)
		return;
	size_t end = local + 1;
	while (end < len && is_domain_octet(s[end]))
		end++;
	text_add_wire(out, at, end - local);
	if (end < len)
		text_puts(out, "***");
}

/* Does an octet belong to the local part of an address that stands in a text? */
static bool
is_local_octet(char c)
{
	return (uint8_t)c > ' ' && c != 0x7f && strchr("<>()[]\",;:=@", c) == NULL;
}

/* Where the local part that ends at `end` begins, `from` at the earliest; it may be a quoted string
 * (RFC 5321 section 4.1.2). */
static size_t
local_part(const char *s, size_t from, size_t end)
{
	size_t at = end;
	if (end - from >= 2 && s[end - 1] == '"') {
		for (at = end - 2; at > from; at--) {
			if (s[at] == '"' && s[at - 1] != '\\')
				return at;
		}
		if (s[at] == '"')
			return at;
		at = end;
	}
	while (at > from && is_local_octet(s[at - 1]))
		at--;
	return at;
}

/* All of a text but the local parts of addresses in it. */
static void
mask_text(struct text *out, const char *s, size_t len)
{
	size_t from = 0;
	const char *at;
	while (from < len && (at = memchr(s + from, '@', len - from)) != NULL) {
		size_t end = (size_t)(at - s), local = local_part(s, from, end);
		text_add_wire(out, s + from, local - from);
		if (local < end) {
			text_add_wire(out, s + local, head_of(s + local, end - local, 1));
			text_puts(out, "***");
		}
		text_putc(out, '@');
		from = end + 1;
	}
	text_add_wire(out, s + from, len - from);
}

static void
mask_subject(struct text *out, const char *s, size_t len)
{
	size_t n = characters(s, len);
	if (n > 6)
		text_add_wire(out, s, head_of(s, len, 2));
	text_puts(out, "*** (");
	text_add_u64(out, n);
	text_puts(out, " characters)");
}

static void
mask_file(struct text *out, const char *s, size_t len)
{
	size_t dot = len;
	for (size_t i = len; i > 0 && len - i <= EXTENSION; i--) {
		if (s[i - 1] == '.') {
			dot = i - 1;
			break;
		}
		if (!is_alphanumeric(s[i - 1]))
			break;
	}
	if (dot > 1)
		text_add_wire(out, s, head_of(s, dot, 1));
	text_puts(out, "***");
	text_add_wire(out, s + dot, len - dot);
}

void
mask_add(struct text *out, enum field_privacy privacy, const char *s, size_t len)
{
	switch (privacy) {
	case PRIVACY_OPEN: text_add_wire(out, s, len); break;
	case PRIVACY_TEXT: mask_text(out, s, len); break;
	case PRIVACY_ADDRESS:
	case PRIVACY_USER: mask_address(out, s, len); break;
	case PRIVACY_SUBJECT: mask_subject(out, s, len); break;
	case PRIVACY_FILE: mask_file(out, s, len); break;
	}
}
