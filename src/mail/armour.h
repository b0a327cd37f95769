/*
 * Is a text one PGP message in ASCII armour, and nothing else (RFC 9580 section 6.2)?
 *
 * Takes the decoded octets of a text in any split.  What is told is what the octets prove: blank
 * lines, the line that begins a message, headers, lines of Base64 that begin with a packet which
 * only an encrypted message has, the line that ends it, blank lines.  Any other text before,
 * between or behind is readable, and then the text is not sealed, whatever is inside.  What `gpg
 * --sign --armor` writes looks the same but for that packet: it is compressed and signed, and
 * readable.
 *
 * Base64 that is no PGP behind a right first packet is taken for one: what it holds is not looked
 * at.
 */
#ifndef POSTCARD_MAIL_ARMOUR_H
#define POSTCARD_MAIL_ARMOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARMOUR_LINE 40u /* octets of a line that are compared */

enum armour_verdict {
	ARMOUR_EMPTY,	/* nothing but blanks came */
	ARMOUR_SEALED,	/* an encrypted message and nothing else */
	ARMOUR_SIGNED,	/* signed, and readable */
	ARMOUR_NONE,	/* other text is there */
	ARMOUR_UNKNOWN, /* it is cut, octets were lost, or its packet says nothing */
};

struct armour {
	uint8_t state;		/* enum armour_state of armour.c; 0 at the beginning */
	uint8_t line_len;	/* octets of the line so far, 255 for more */
	bool odd;		/* the line has a character that is not of Base64 */
	bool space;		/* blanks were read that more may follow */
	bool colon;		/* the line has ": " in it, or ends in ':' */
	char last;		/* its last character so far */
	uint8_t packet;		/* first octet of the message; 0: not read yet */
	char line[ARMOUR_LINE]; /* its first octets */
};

/* False where more octets cannot change what is told. */
bool armour_push(struct armour *a, const uint8_t *octets, size_t len);

/* Octets were lost. */
void armour_gap(struct armour *a);

/* The text is over. */
enum armour_verdict armour_end(struct armour *a);

#endif
