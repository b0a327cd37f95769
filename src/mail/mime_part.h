/*
 * What the header of a message, or of a part of it, says about the body that follows: its media
 * type, file name, boundary and encoding (RFC 2045, RFC 2183), and whether it is protected (RFC
 * 1847, RFC 3156, RFC 8551).
 *
 * Takes whole, unfolded field values; of two fields of one name the first counts.
 */
#ifndef POSTCARD_MAIL_MIME_PART_H
#define POSTCARD_MAIL_MIME_PART_H

#include "base/limits.h"
#include "mail/mime.h"
#include "mail/mime_decode.h"

/* What the octets of a body are, where it has no parts of its own. */
enum mime_leaf {
	LEAF_NONE,	 /* not in a body: between parts */
	LEAF_BODY,	 /* text, or a message inside the message */
	LEAF_ATTACHMENT, /* a file */
	LEAF_CONTROL,	 /* a signature and the like: neither */
};

struct mime_part {
	bool has_type;		       /* a Content-Type was read */
	bool has_disposition;	       /* a Content-Disposition was read */
	bool is_attachment;	       /* its disposition is "attachment" */
	bool has_encoding;	       /* a Content-Transfer-Encoding was read */
	uint8_t encoding;	       /* enum mime_encoding */
	uint8_t protection;	       /* enum mime_protection that the type implies */
	uint8_t boundary_len;	       /* octets of boundary; 0: it has no parts */
	uint16_t file_len;	       /* octets of file */
	char boundary[LIMIT_BOUNDARY]; /* not NUL-terminated */
	char type[LIMIT_TEXT + 1];     /* lower case, "" for none */
	char file[LIMIT_TEXT + 1];     /* file name, UTF-8, escaped, "" for none */
};

void mime_part_begin(struct mime_part *part);
void mime_part_type(struct mime_part *part, const char *value, size_t len);
void mime_part_disposition(struct mime_part *part, const char *value, size_t len);
void mime_part_encoding(struct mime_part *part, const char *value, size_t len);

/* What the body is, were it not split into parts. */
enum mime_leaf mime_part_leaf(const struct mime_part *part);

/* Is it of a text type, or of none; of text/plain, or of none; a message (RFC 2046 section 5.2.1)?
 */
bool mime_part_is_text(const struct mime_part *part);
bool mime_part_is_plain(const struct mime_part *part);
bool mime_part_is_message(const struct mime_part *part);

#endif
