/*
 * What the header of a message says, and which attachments it carries, without keeping its body.
 *
 * Beside what an attachment is declared to be stands what its first octets show (magic.h).
 *
 * push / next over the content octets of one message (RFC 5322, RFC 2045 to 2047, RFC 2231), in any
 * split. Only the fields named below are held, unfolded and bounded (LIMIT_HEADER); body octets are
 * scanned for boundary lines and dropped.  Line ends may be CRLF or bare LF.  Scan state comes from
 * a pool, taken when content begins and given back when it ends.
 */
#ifndef POSTCARD_MAIL_MIME_H
#define POSTCARD_MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

#define MIME_CHARSETS 64

/* Converters of iconv(3), held open so that their tables stay loaded: see mime_words.h. */
struct mime_charsets {
	void *held[MIME_CHARSETS]; /* NULL where there is none */
};

struct mime_pools {
	struct pool scans;
	struct mime_charsets charsets;
};

/*
 * Room for `scans` messages at once, and the character sets that subjects may name: opens files of
 * the C library, so call it before a sandbox closes.  False where the address space is refused.
 */
extern const uint32_t mime_scan_size; /* octets of one */

bool mime_pools_init(struct mime_pools *p, uint32_t scans);
void mime_pools_free(struct mime_pools *p);

enum mime_event_kind {
	MIME_HEADER,	  /* a field of the message's own header that is of interest, complete */
	MIME_HEADERS_END, /* the message's header is over: what follows is body */
	MIME_BODY,	  /* an octet of a body that is no attachment was seen; told once */
	MIME_ATTACHMENT,  /* an attachment's end was seen, or the content ended within it */
	MIME_PROTECTION,  /* the content is protected end to end, or only signed; told once, last */
};

/* RECEIVED is told for the first LIMIT_RECEIVED of them, TLS_REQUIRED (RFC 8689) for each, and the
 * others for the first one only. */
enum mime_header {
	MIME_SUBJECT,
	MIME_MESSAGE_ID,
	MIME_X_MAILER,
	MIME_USER_AGENT,
	MIME_FROM,
	MIME_DATE,
	MIME_RECEIVED,
	MIME_TLS_REQUIRED,
};

enum mime_protection {
	MIME_PLAIN,		 /* nothing was seen */
	MIME_PGP,		 /* encrypted: PGP/MIME (RFC 3156) or inline */
	MIME_SMIME,		 /* encrypted: S/MIME (RFC 8551) */
	MIME_SIGNED,		 /* signed by either, and readable */
	MIME_PROTECTION_UNKNOWN, /* what was seen does not tell: see mime_leaf.c */
};

struct mime_event {
	enum mime_event_kind kind;
	enum mime_header header;
	const char *text; /* HEADER: the value, unfolded, still encoded; ATTACHMENT: the file name,
			     decoded, UTF-8, escaped, "" where none; not NUL-terminated */
	size_t text_len;  /* octets; at most LIMIT_HEADER and LIMIT_TEXT */
	const char *mime_type; /* ATTACHMENT: declared, lower case, "" for none; NUL-terminated */
	uint64_t size;	       /* ATTACHMENT: octets of the encoded part on the wire, without the
				  line end before the boundary; lost ones are counted */
	uint32_t index;	       /* ATTACHMENT: 0 for the first; from LIMIT_ATTACHMENTS on without
				  its name */
	uint8_t detected;      /* ATTACHMENT: enum magic, what its first octets show */
	enum mime_protection protection; /* PROTECTION: never MIME_PLAIN */
};

struct mime_input {
	const uint8_t *data;
	size_t len;
	bool unmarked; /* it is known that scan_line_mark finds nothing in them */
};

/* A new scan; 0 where the pool is exhausted (then the message is followed without its header). */
uint32_t mime_begin(struct mime_pools *p);

/*
 * Takes the next event out of the input, advancing it; false: it is used up.  Pointers in the event
 * are valid until the next call on the same scan.  Time is linear in the octets, whatever they are.
 * A message without a header (its first line is no field) gives no MIME_HEADERS_END.  Scan 0
 * swallows its input.
 */
bool mime_next(struct mime_pools *p, uint32_t scan, struct mime_input *in, struct mime_event *ev);

/*
 * `len` content octets were lost, once mime_next has returned false: a header field under way is
 * dropped, and so is the line in which the loss ends; a body goes on.  What a lost field may have
 * sealed is told neither as body nor as attachment, and its protection is unknown.
 */
void mime_gap(struct mime_pools *p, uint32_t scan, uint64_t len);

/*
 * The content ended, complete or not: a field or an attachment under way is told as far as it came.
 * Call until false for the last events; then the scan is freed and its name void.
 */
bool mime_end(struct mime_pools *p, uint32_t scan, struct mime_event *ev);

/*
 * Decodes the encoded words of an unfolded header value (RFC 2047) and adds it to `out` as UTF-8.
 * Raw octets are kept where they are UTF-8, else read as Windows-1252 (Latin-1 with letters for its
 * C1 controls); controls are escaped as text_add_wire does, a tab becomes a space.  Words in a
 * character set that is not known stay encoded.
 */
struct text;
void mime_decode_words(const char *value, size_t len, struct text *out);

#endif
