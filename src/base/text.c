/*
 * Text: see text.h.  Everything here works on octets with a length; nothing needs a terminating NUL
 * in its input but the words that the program itself compares with.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cursor.h"
#include "base/scan.h"

struct text
text_in(char *buf, size_t cap)
{
	buf[0] = '\0';
	return (struct text){buf, cap, 0, false};
}

void
text_add(struct text *t, const char *s, size_t len)
{
	size_t room = t->cap - 1 - t->len;
	if (t->cut)
		return;
	if (len > room) {
		t->cut = true;
		len = room;
		while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80) /* not inside a character */
			len--;
	}
	memcpy(t->buf + t->len, s, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

void
text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_putc(struct text *t, char c)
{
	if (t->cut || t->cap - t->len < 2) {
		text_add(t, &c, 1);
		return;
	}
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

/* How many of `len` octets are left without a character that their end cuts in two. */
static size_t
whole_characters(const char *s, size_t len)
{
	size_t lead = len;
	while (lead > 0 && len - lead < 3 && ((uint8_t)s[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0 || (uint8_t)s[lead - 1] < 0xc0)
		return len;
	return utf8_char((const uint8_t *)s + lead - 1, len - lead + 1) == 0 ? lead - 1 : len;
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	size_t room = t->cap - t->len;
	if (t->cut)
		return;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		t->len += (size_t)n;
		return;
	}
	t->cut = true;
	if (n >= 0)
		t->len += whole_characters(t->buf + t->len, room - 1);
	t->buf[t->len] = '\0';
}

size_t
utf8_char(const uint8_t *s, size_t len)
{
	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, and what lies beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

size_t
utf8_put(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* U+200E/F, U+202A..E and U+2066..9 reorder what a reader sees of the text around them. */
static bool
is_bidi_control(const uint8_t *s, size_t n)
{
	if (n == 2)
		return s[0] == 0xd8 && s[1] == 0x9c; /* U+061C */
	if (n != 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
	    (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

/* The code point of a UTF-8 character of three octets. */
static unsigned
code_of_three(const uint8_t *s)
{
	return (unsigned)((s[0] & 0x0f) << 12 | (s[1] & 0x3f) << 6 | (s[2] & 0x3f));
}

void
text_add_wire(struct text *t, const void *octets, size_t len)
{
	const uint8_t *s = octets;
	for (size_t i = 0; i < len && !t->cut;) {
		size_t run = scan_printable(s + i, len - i);
		if (run > 0) {
			text_add(t, (const char *)s + i, run);
			i += run;
			continue;
		}
		size_t n = utf8_char(s + i, len - i);
		char one[4];
		if (n <= 1 && s[i] >= 0xa0)
			text_add(t, one, utf8_put(one, s[i])); /* Latin-1 */
		else if (n <= 1)
			text_printf(t, "\\x%02x", s[i]);
		else if (n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0)
			text_printf(t, "\\x%02x", s[i + 1]); /* a C1 control */
		else if (is_bidi_control(s + i, n))
			text_printf(t, "\\u{%04x}", n == 2 ? 0x061cu : code_of_three(s + i));
		else
			text_add(t, (const char *)s + i, n);
		i += n > 0 ? n : 1;
	}
}

/* Two digits for each division, which is what digits cost. */
void
digits_put_wide(char *out, unsigned width, uint64_t n)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	for (; width >= 2; n /= 100) {
		width -= 2;
		memcpy(out + width, pairs + 2 * (n % 100), 2);
	}
	if (width > 0)
		out[0] = (char)('0' + n % 10);
}

size_t
digits_put(char out[DIGITS_U64], uint64_t n)
{
	unsigned width = 1;
	uint64_t rest = n;
	for (; rest >= 10000; rest /= 10000)
		width += 4;
	width += (unsigned)(rest >= 10) + (rest >= 100) + (rest >= 1000);
	digits_put_wide(out, width, n);
	return width;
}

void
text_add_time(struct text *t, int64_t ns)
{
	int64_t s = ns / 1000000000, rest = ns % 1000000000;
	if (rest < 0) {
		rest += 1000000000;
		s--;
	}
	time_t when = (time_t)s;
	struct tm tm;
	if (gmtime_r(&when, &tm) == NULL)
		return;
	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return;
	char out[] = "0000-00-00T00:00:00.000000000Z";
	digits_put_wide(out, 4, (unsigned)(tm.tm_year + 1900));
	digits_put_wide(out + 5, 2, (unsigned)tm.tm_mon + 1);
	digits_put_wide(out + 8, 2, (unsigned)tm.tm_mday);
	digits_put_wide(out + 11, 2, (unsigned)tm.tm_hour);
	digits_put_wide(out + 14, 2, (unsigned)tm.tm_min);
	digits_put_wide(out + 17, 2, (unsigned)tm.tm_sec);
	digits_put_wide(out + 20, 9, (unsigned)rest);
	text_add(t, out, sizeof out - 1);
}

void
text_add_u64(struct text *t, uint64_t n)
{
	char digits[DIGITS_U64];
	text_add(t, digits, digits_put(digits, n));
}

void
text_add_count(struct text *t, uint64_t n)
{
	char digits[27];
	int at = (int)sizeof digits, since = 0;
	do {
		if (since == 3) {
			digits[--at] = ',';
			since = 0;
		}
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
		since++;
	} while (n > 0);
	text_add(t, digits + at, sizeof digits - (size_t)at);
}

bool
ascii_begins_word(const void *s, size_t len, const char *word)
{
	const char *p = s;
	size_t i = 0;
	for (; word[i] != '\0'; i++) {
		if (i >= len || ascii_lower(p[i]) != ascii_lower(word[i]))
			return false;
	}
	return true;
}

bool
ascii_equal(const void *a, const void *b, size_t len)
{
	const char *p = a, *q = b;
	for (;;) {
		uint64_t v = load_word(p, len), w = load_word(q, len);
		if (v != w && ascii_lower_8(v) != ascii_lower_8(w))
			return false;
		if (len <= 8)
			return true;
		p += 8;
		q += 8;
		len -= 8;
	}
}

const char *
ascii_find(const void *s, size_t len, const char *word)
{
	const char *p = s;
	size_t n = strlen(word);
	char small = ascii_lower(word[0]), capital = ascii_upper(word[0]);
	for (size_t i = 0; i + n <= len; i++) {
		i += scan_either(p + i, len - i, small, capital);
		if (i + n <= len && ascii_equal(p + i, word, n))
			return p + i;
	}
	return NULL;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t
base64_decode(const char *s, size_t len, uint8_t *out, size_t cap)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')
			continue;
		int v = base64_value(s[i]);
		if (v < 0)
			break;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			if (n == cap)
				break;
			out[n++] = (uint8_t)(acc >> bits);
		}
	}
	return n;
}
