/*
 * Text: a bounded builder, the ASCII helpers that mail needs, UTF-8, Base64.
 *
 * A builder never writes past its buffer and always ends it with NUL; what does not fit is cut at
 * a character's boundary and `cut` is set.
 */
#ifndef POSTCARD_BASE_TEXT_H
#define POSTCARD_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *buf;  /* the caller's buffer, always NUL-terminated */
	size_t cap; /* its size in octets, at least 1 */
	size_t len; /* octets written, without the NUL */
	bool cut;   /* something did not fit */
};

/* A builder over the caller's `buf` of `cap` >= 1 octets. */
struct text text_in(char *buf, size_t cap);

void
text_add(struct text *t, const char *s, size_t len); /* raw octets, cut between UTF-8 characters */
void text_puts(struct text *t, const char *s);
void text_putc(struct text *t, char c);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds octets from the wire as text that is safe to show: valid UTF-8 is kept, other octets are
 * read as Latin-1; C0 and C1 controls, DEL and the bidirectional overrides become \xNN or \u{NNNN}.
 */
void text_add_wire(struct text *t, const void *octets, size_t len);

/* RFC 3339 in UTC with nine digits: 2026-11-23T13:00:00.000000000Z.  `ns` since the epoch. */
void text_add_time(struct text *t, int64_t ns);

/* A number in decimal digits: what "%llu" of text_printf gives, in a tenth of its time. */
void text_add_u64(struct text *t, uint64_t n);

/* The same without a builder, nor a NUL: returns how many digits there are, at most DIGITS_U64. */
#define DIGITS_U64 20u
size_t digits_put(char out[DIGITS_U64], uint64_t n);

/* The last `width` digits of n, zeros before it. */
void digits_put_wide(char *out, unsigned width, uint64_t n);

/* A count with thousands separators: 1,234,567. */
void text_add_count(struct text *t, uint64_t n);

/* Octets of the UTF-8 character that starts at s (1 to 4), or 0 where it is not valid UTF-8 (RFC
 * 3629). */
size_t utf8_char(const uint8_t *s, size_t len);

/* Encodes one code point (at most U+10FFFF) into out; returns octets written, 1 to 4. */
size_t utf8_put(char out[4], uint32_t code_point);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* The capitals among eight octets made small; all others, those beyond ASCII too, stay. */
static inline uint64_t
ascii_lower_8(uint64_t w)
{
	const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
	uint64_t low = w & ~high; /* what is added below carries into no other octet */
	uint64_t from_a = low + ones * (0x80 - 'A'), past_z = low + ones * (0x7f - 'Z');
	return w | ((from_a & ~past_z & ~w & high) >> 2);
}

/* Case-blind comparison of `len` ASCII octets. */
bool ascii_equal(const void *a, const void *b, size_t len);

/* Case-blind comparison of `len` ASCII octets with a NUL-terminated word; lengths must agree too.
 * (Inline, since most words are told apart by their length, which of a literal is known.) */
static inline bool
ascii_is(const void *s, size_t len, const char *word)
{
	return strlen(word) == len && ascii_equal(s, word, len);
}

/* The same where case counts, for words of ours. */
static inline bool
word_is(const void *s, size_t len, const char *word)
{
	const size_t n = strlen(word);
	return n == len && memcmp(s, word, n) == 0;
}

/* Does s begin with `word`, case-blind?  (Inline, since the first octet tells most words apart.) */
bool ascii_begins_word(const void *s, size_t len, const char *word);
static inline bool
ascii_begins(const void *s, size_t len, const char *word)
{
	if (len > 0 && ascii_lower(*(const char *)s) != ascii_lower(*word) && *word != '\0')
		return false;
	return ascii_begins_word(s, len, word);
}

/* Where `word` (NUL-terminated, not empty) first stands in s, case-blind; NULL where it does not.
 */
const char *ascii_find(const void *s, size_t len, const char *word);

/*
 * Decodes Base64 (RFC 4648 section 4), skipping white space, stopping at '=' or at the first other
 * octet.  Writes at most `cap` octets to out and returns how many.
 */
size_t base64_decode(const char *s, size_t len, uint8_t *out, size_t cap);

#endif
