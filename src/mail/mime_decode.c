/* Content-Transfer-Encodings: see mime_decode.h. */
#include "mail/mime_decode.h"

#include <string.h>

#include "base/text.h"

#define MOST 3u /* octets that one character of input can give */

enum base64_state { BASE64_DATA, BASE64_OVER };
enum qp_state { QP_TEXT, QP_EQUALS, QP_DIGIT, QP_BREAK };
enum uu_state { UU_LENGTH, UU_DATA, UU_REST, UU_OVER };

void
mime_decoder_begin(struct mime_decoder *d, enum mime_encoding encoding)
{
	memset(d, 0, sizeof *d);
	d->encoding = (uint8_t)encoding;
}

/* The value of a character of Base64, and 1; 0 for no such character.  A table, because the octets
 * of attachments are as good as random to a processor that guesses branches. */
static const uint8_t base64_values[256] = {
    ['A'] = 1,
    ['B'] = 2,
    ['C'] = 3,
    ['D'] = 4,
    ['E'] = 5,
    ['F'] = 6,
    ['G'] = 7,
    ['H'] = 8,
    ['I'] = 9,
    ['J'] = 10,
    ['K'] = 11,
    ['L'] = 12,
    ['M'] = 13,
    ['N'] = 14,
    ['O'] = 15,
    ['P'] = 16,
    ['Q'] = 17,
    ['R'] = 18,
    ['S'] = 19,
    ['T'] = 20,
    ['U'] = 21,
    ['V'] = 22,
    ['W'] = 23,
    ['X'] = 24,
    ['Y'] = 25,
    ['Z'] = 26,
    ['a'] = 27,
    ['b'] = 28,
    ['c'] = 29,
    ['d'] = 30,
    ['e'] = 31,
    ['f'] = 32,
    ['g'] = 33,
    ['h'] = 34,
    ['i'] = 35,
    ['j'] = 36,
    ['k'] = 37,
    ['l'] = 38,
    ['m'] = 39,
    ['n'] = 40,
    ['o'] = 41,
    ['p'] = 42,
    ['q'] = 43,
    ['r'] = 44,
    ['s'] = 45,
    ['t'] = 46,
    ['u'] = 47,
    ['v'] = 48,
    ['w'] = 49,
    ['x'] = 50,
    ['y'] = 51,
    ['z'] = 52,
    ['0'] = 53,
    ['1'] = 54,
    ['2'] = 55,
    ['3'] = 56,
    ['4'] = 57,
    ['5'] = 58,
    ['6'] = 59,
    ['7'] = 60,
    ['8'] = 61,
    ['9'] = 62,
    ['+'] = 63,
    ['/'] = 64,
};

/* Whole groups of four characters from the input's octet *at on, as far as there is nothing else:
 * gives three octets for each. */
static size_t
base64_groups(const uint8_t *in, size_t len, size_t *at, uint8_t *out, size_t cap)
{
	size_t i = *at, n = 0;
	for (; len - i >= 4 && cap - n >= 3; i += 4) {
		unsigned a = base64_values[in[i]], b = base64_values[in[i + 1]];
		unsigned c = base64_values[in[i + 2]], d = base64_values[in[i + 3]];
		if (a * b * c * d == 0) /* one jump for four; below 2^25 */
			break;
		unsigned bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		out[n++] = (uint8_t)(bits >> 16);
		out[n++] = (uint8_t)(bits >> 8);
		out[n++] = (uint8_t)bits;
	}
	*at = i;
	return n;
}

static size_t
decode_base64(struct mime_decoder *d, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
    size_t cap)
{
	size_t i = 0, n = 0;
	for (; i < len && n < cap && d->state == BASE64_DATA; i++) {
		if (d->have == 0)
			n += base64_groups(in, len, &i, out + n, cap - n);
		if (i == len || n == cap)
			break;
		unsigned v = base64_values[in[i]];
		if (v == 0) {
			d->state = in[i] == '=' ? BASE64_OVER : BASE64_DATA;
			continue;
		}
		d->bits = d->bits << 6 | (v - 1);
		if (d->have >
		    0) /* behind the second of four characters 4 bits are left over, then 2, 0 */
			out[n++] = (uint8_t)(d->bits >> (6 - 2 * d->have));
		d->have = (d->have + 1) & 3;
	}
	*used = d->state == BASE64_OVER ? len : i;
	return n;
}

/* Each step takes one character and returns how many octets it gave, at most MOST. */

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char l = ascii_lower((char)c);
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static size_t
step_qp(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	uint8_t state = d->state;
	d->state = QP_TEXT;
	switch ((enum qp_state)state) {
	case QP_EQUALS:
		if (hex_value(c) >= 0) {
			d->state = QP_DIGIT;
			d->bits = c;
			return 0;
		}
		if (c == '\r' || c == ' ' || c == '\t')
			d->state = QP_BREAK;
		if (d->state == QP_BREAK || c == '\n')
			return 0;
		out[0] = '=';
		out[1] = c;
		return 2;
	case QP_DIGIT:
		if (hex_value(c) >= 0) {
			out[0] = (uint8_t)((unsigned)hex_value((uint8_t)d->bits) << 4 |
			    (unsigned)hex_value(c));
			return 1;
		}
		out[0] = '=';
		out[1] = (uint8_t)d->bits;
		out[2] = c;
		return 3;
	case QP_BREAK:
		if (c == '\r' || c == ' ' || c == '\t')
			d->state = QP_BREAK;
		if (d->state == QP_BREAK || c == '\n')
			return 0;
		break;
	case QP_TEXT: break;
	}
	if (c == '=') {
		d->state = QP_EQUALS;
		return 0;
	}
	out[0] = c;
	return 1;
}

/* The group under way is complete: three octets, or as many as the line still has to give. */
static size_t
uu_group(struct mime_decoder *d, uint8_t *out)
{
	size_t n = d->left < 3 ? d->left : 3;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(d->bits >> (16 - 8 * i));
	d->have = 0;
	d->left = (uint8_t)(d->left - n);
	if (d->left == 0)
		d->state = UU_REST;
	return n;
}

/* A line is a character for its number of octets, then groups of four for three of them; blanks at
 * its end may be lost.  Those characters are ' ' to '`', so a small letter begins "begin" or "end".
 */
static size_t
step_uu(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	if (c == '\n') {
		size_t n = 0;
		if (d->state == UU_DATA && d->have > 0) {
			d->bits <<= 6 * (4 - d->have);
			n = uu_group(d, out);
		}
		d->state = d->state == UU_OVER ? UU_OVER : UU_LENGTH;
		return n;
	}
	if (c == '\r' || d->state == UU_REST || d->state == UU_OVER)
		return 0;
	if (c < ' ' || c > '`') {
		d->state = c == 'b' && d->state == UU_LENGTH ? UU_REST : UU_OVER;
		return 0;
	}
	uint32_t v = (c - 32u) & 63u;
	if (d->state == UU_LENGTH) {
		d->left = (uint8_t)v;
		d->have = 0;
		d->state = v > 0 ? UU_DATA : UU_REST;
		return 0;
	}
	d->bits = d->bits << 6 | v;
	return ++d->have == 4 ? uu_group(d, out) : 0;
}

size_t
mime_decode(struct mime_decoder *d, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
    size_t cap)
{
	size_t i = 0, n = 0;
	if (d->encoding == ENCODING_NONE) {
		n = len < cap ? len : cap;
		if (n > 0)
			memcpy(out, in, n);
		*used = n;
		return n;
	}
	if (d->encoding == ENCODING_BASE64)
		return decode_base64(d, in, len, used, out, cap);
	for (; i < len && cap - n >= MOST; i++) {
		if (d->encoding == ENCODING_QP)
			n += step_qp(d, in[i], out + n);
		else if (d->encoding == ENCODING_UU)
			n += step_uu(d, in[i], out + n);
	}
	*used = i;
	return n;
}
