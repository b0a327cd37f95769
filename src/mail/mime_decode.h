/*
 * Content-Transfer-Encodings undone as octets come (RFC 2045 section 6), uuencode among them
 * (POSIX, uuencode(1p)).
 *
 * A decoder is a few octets of state and takes any split of its input.  What is damaged is decoded
 * as common mail programs do: in Base64 an octet that means nothing is skipped, in quoted-printable
 * an escape that is none stays as it stands.  Nothing is checked, nothing fails.
 */
#ifndef POSTCARD_MAIL_MIME_DECODE_H
#define POSTCARD_MAIL_MIME_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum mime_encoding {
	ENCODING_NONE, /* 7bit, 8bit, binary, or none is named */
	ENCODING_BASE64,
	ENCODING_QP,	/* quoted-printable */
	ENCODING_UU,	/* x-uuencode, or lines behind "begin" in a text */
	ENCODING_OTHER, /* one that is not known: nothing comes out */
};

struct mime_decoder {
	uint8_t encoding; /* enum mime_encoding */
	uint8_t state;	  /* within an escape or a line; 0 at the beginning */
	uint8_t have;	  /* characters of the group under way */
	uint8_t left;	  /* UU: octets that the line still has to give */
	uint32_t bits;	  /* of the group under way; QP: the first digit of an escape */
};

void mime_decoder_begin(struct mime_decoder *d, enum mime_encoding encoding);

/*
 * Decodes up to `len` octets at `in` into `out`, of cap >= 3 octets; returns how many it wrote and
 * sets *used to how many it read: all, unless `out` was full.
 */
size_t mime_decode(struct mime_decoder *d, const uint8_t *in, size_t len, size_t *used,
    uint8_t *out, size_t cap);

#endif
