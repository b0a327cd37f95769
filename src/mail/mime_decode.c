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

/* Each step takes one character and returns how many octets it gave, at most MOST. */

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t
step_base64(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	int v = base64_value(c);
	if (c == '=')
		d->state = BASE64_OVER;
	if (v < 0 || d->state == BASE64_OVER)
		return 0;
	d->bits = d->bits << 6 | (uint32_t)v;
	d->have++;
	if (d->have == 1)
		return 0;
	*out = (uint8_t)(d->bits >> (8 - 2 * d->have)); /* 2: 4, 3: 2, 4: 0 bits are left over */
	d->have &= 3;
	return 1;
}

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
			out[0] = (uint8_t)(hex_value((uint8_t)d->bits) << 4 | hex_value(c));
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

/* A line is a character for its number of octets, then groups of four for three of them.  Those
 * characters are ' ' to '`', so a small letter begins "begin" or "end". */
static size_t
step_uu(struct mime_decoder *d, uint8_t c, uint8_t *out)
{
	if (c == '\n') {
		d->state = d->state == UU_OVER ? UU_OVER : UU_LENGTH;
		return 0;
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
	if (++d->have < 4)
		return 0;
	size_t n = d->left < 3 ? d->left : 3;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(d->bits >> (16 - 8 * i));
	d->have = 0;
	d->left = (uint8_t)(d->left - n);
	if (d->left == 0)
		d->state = UU_REST;
	return n;
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
	for (; i < len && cap - n >= MOST; i++) {
		switch ((enum mime_encoding)d->encoding) {
		case ENCODING_BASE64: n += step_base64(d, in[i], out + n); break;
		case ENCODING_QP: n += step_qp(d, in[i], out + n); break;
		case ENCODING_UU: n += step_uu(d, in[i], out + n); break;
		default: break;
		}
	}
	*used = i;
	return n;
}
