/* PGP in ASCII armour: see armour.h. */
#include "mail/armour.h"

#include <string.h>

#include "base/text.h"

enum armour_state {
	A_BEFORE, /* nothing but blanks so far */
	A_HEAD,	  /* behind the line that begins the message: its headers */
	A_DATA,	  /* Base64 */
	A_BEHIND, /* behind the line that ends it: nothing but blanks so far */
	A_SIGNED, /* a cleartext signature; from here on nothing changes any more */
	A_NONE,
	A_LOST,
};

#define LINE_MOST 128u /* of Base64; RFC 9580 allows 76 */

static bool
is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '+' || c == '/' || c == '=';
}

static bool
line_is(const struct armour *a, const char *word)
{
	return a->line_len <= ARMOUR_LINE && ascii_is(a->line, a->line_len, word);
}

/* The line under way is complete. */
static void
line_end(struct armour *a)
{
	bool empty = a->line_len == 0;
	switch ((enum armour_state)a->state) {
	case A_BEFORE:
		if (line_is(a, "-----BEGIN PGP MESSAGE-----"))
			a->state = A_HEAD;
		else if (line_is(a, "-----BEGIN PGP SIGNED MESSAGE-----"))
			a->state = A_SIGNED;
		else if (!empty)
			a->state = A_NONE;
		break;
	case A_HEAD:
		if (empty)
			a->state = A_DATA;
		else if (!a->colon && a->last != ':')
			a->state = A_NONE;
		break;
	case A_DATA:
		if (line_is(a, "-----END PGP MESSAGE-----")) {
			a->state = A_BEHIND;
		} else if (a->odd) {
			a->state = A_NONE;
		} else if (a->packet == 0 && a->line_len >= 2) {
			uint8_t octet = 0;
			(void)base64_decode(a->line, 2, &octet, 1);
			a->packet = octet;
		}
		break;
	case A_BEHIND:
		if (!empty)
			a->state = A_NONE;
		break;
	default: break;
	}
	a->line_len = 0;
	a->odd = a->space = a->colon = false;
	a->last = '\0';
}

static void
line_add(struct armour *a, uint8_t c)
{
	if (c == ' ' || c == '\t' || c == '\r') {
		a->space = a->line_len > 0;
		a->colon = a->colon || a->last == ':';
		a->last = ' ';
		return;
	}
	if (a->line_len == 0 && a->state == A_BEFORE && c != '-') {
		a->state = A_NONE;
		return;
	}
	a->odd = a->odd || a->space || !is_base64(c);
	if (a->space && a->line_len < ARMOUR_LINE)
		a->line[a->line_len++] = ' ';
	a->space = false;
	if (a->line_len < ARMOUR_LINE)
		a->line[a->line_len] = (char)c;
	if (a->line_len < 255)
		a->line_len++;
	a->last = (char)c;
	if ((a->state == A_BEFORE && a->line_len > ARMOUR_LINE) ||
	    (a->state == A_DATA && a->line_len > LINE_MOST))
		a->state = A_NONE; /* no need to wait for its end */
}

bool
armour_push(struct armour *a, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len && a->state < A_SIGNED; i++) {
		if (octets[i] == '\n')
			line_end(a);
		else
			line_add(a, octets[i]);
	}
	return a->state < A_SIGNED;
}

void
armour_gap(struct armour *a)
{
	if (a->state < A_SIGNED)
		a->state = A_LOST;
}

/* What a message is that begins with this octet of a packet (RFC 9580 sections 4.2 and 5). */
static enum armour_verdict
packet_verdict(uint8_t octet)
{
	unsigned tag = octet & 0x40 ? octet & 0x3fu : octet >> 2 & 0xfu;
	if ((octet & 0x80) == 0)
		return ARMOUR_UNKNOWN;
	switch (tag) {
	case 1: /* a session key, sealed for a public key */
	case 3: /* the same for a password */
	case 9: /* encrypted data, of three ages */
	case 18:
	case 20: return ARMOUR_SEALED;
	case 2: /* a signature, one that comes behind, compressed data, data */
	case 4:
	case 8:
	case 11: return ARMOUR_SIGNED;
	default: return ARMOUR_UNKNOWN;
	}
}

enum armour_verdict
armour_end(struct armour *a)
{
	if (a->line_len > 0)
		line_end(a);
	switch ((enum armour_state)a->state) {
	case A_BEFORE: return ARMOUR_EMPTY;
	case A_BEHIND: return packet_verdict(a->packet);
	case A_SIGNED: return ARMOUR_SIGNED;
	case A_NONE: return ARMOUR_NONE;
	default: return ARMOUR_UNKNOWN;
	}
}
