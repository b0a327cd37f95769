/*
 * What the header of a message says, and which attachments it carries, without keeping its body.
 *
 * push / next over the content octets of one message (RFC 5322, RFC 2045 to 2047, RFC 2231), in any split.
 * Only the fields named below are held, unfolded and bounded (LIMIT_HEADER); body octets are scanned for boundary lines
 * and dropped.  Line ends may be CRLF or bare LF.  Scan state comes from a pool, taken when
 * content begins and given back when it ends.
 */
#ifndef POSTCARD_MAIL_MIME_H
#define POSTCARD_MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

struct mime_pools {
	struct pool scans;
};

bool mime_pools_init(struct mime_pools *p, uint32_t scans);
void mime_pools_free(struct mime_pools *p);

enum mime_event_kind {
	MIME_HEADER,       /* a header field of the message itself that is of interest, complete */
	MIME_HEADERS_END,  /* the empty line after the message's header: what follows is body */
	MIME_BODY,         /* first octet of a body that is not an attachment was seen */
	MIME_ATTACHMENT,   /* an attachment's headers are complete, or (size known) its end was seen: see `complete` */
	MIME_PROTECTION,   /* the content is protected end to end (or only signed): see `protection` */
};

enum mime_header { MIME_SUBJECT, MIME_MESSAGE_ID, MIME_X_MAILER, MIME_USER_AGENT, MIME_FROM, MIME_DATE, MIME_RECEIVED, MIME_TLS_REQUIRED };

enum mime_protection { MIME_PLAIN, MIME_PGP, MIME_SMIME, MIME_SIGNED, MIME_PROTECTION_UNKNOWN };

struct mime_event {
	enum mime_event_kind kind;
	enum mime_header header;
	const char *text;     /* HEADER: the value, unfolded, still encoded, not NUL-terminated; ATTACHMENT: the decoded file name, UTF-8 */
	size_t text_len;
	const char *mime_type; /* ATTACHMENT: declared type, lower case, "" where none; NUL-terminated */
	uint64_t size;         /* ATTACHMENT: octets of the encoded part on the wire */
	uint32_t index;        /* ATTACHMENT: 0 for the first of the message */
	enum mime_protection protection;
};

struct mime_input {
	const uint8_t *data;
	size_t len;
};

/* A new scan; 0 where the pool is exhausted (then the message is followed without its header). */
uint32_t mime_begin(struct mime_pools *p);

/*
 * Takes the next event out of the input, advancing it; false: it is used up.  Pointers in the event are
 * valid until the next call on the same scan.  Time is linear in the octets, whatever they are.
 */
bool mime_next(struct mime_pools *p, uint32_t scan, struct mime_input *in, struct mime_event *ev);

/* `len` content octets were lost: a header under way is dropped, a body goes on. */
void mime_gap(struct mime_pools *p, uint32_t scan, uint64_t len);

/* The content ended.  Call until false for the last events, then the scan is freed. */
bool mime_end(struct mime_pools *p, uint32_t scan, struct mime_event *ev);

/*
 * Decodes the encoded words of an unfolded header value (RFC 2047) into UTF-8; raw octets are kept where
 * they are valid UTF-8, else read as Latin-1; controls are escaped as text_add_wire does.  Unknown character sets stay encoded.
 */
struct text;
void mime_decode_words(const char *value, size_t len, struct text *out);

#endif
