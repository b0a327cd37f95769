/*
 * Private to src/mail/mime*.c: the state of a message scan, and what its machines ask of each
 * other.
 *
 * mime.c takes input and hands out events; mime_head.c reads headers, mime_body.c the lines of
 * bodies, mime_leaf.c what the octets of one body are.  `value` holds a header field, or in a body
 * the first decoded octets: never both.
 */
#ifndef POSTCARD_MAIL_MIME_SCAN_H
#define POSTCARD_MAIL_MIME_SCAN_H

#include <string.h>

#include "base/limits.h"
#include "base/scan.h"
#include "mail/armour.h"
#include "mail/magic.h"
#include "mail/mime.h"
#include "mail/mime_decode.h"
#include "mail/mime_part.h"

enum scan_state {
	S_FIRST,   /* nothing was read */
	S_PART,	   /* a boundary line was read: the header of a part begins */
	S_INNER,   /* the header of a message inside the message begins */
	S_LINE,	   /* in a header, at the beginning of a line */
	S_EMPTY,   /* in a header, CR was read at the beginning of a line */
	S_NAME,	   /* in a field's name; the line so far stands in `line` */
	S_COLON,   /* in white space between the name and its colon */
	S_FOLD,	   /* in white space at the beginning of a value or of its continuation */
	S_VALUE,   /* in a value */
	S_IGNORE,  /* in a header line that means nothing */
	B_LINE,	   /* in a body, at the beginning of a line */
	B_COLLECT, /* in a line that stands in `line`, because it may mean something */
	B_SKIP,	   /* inside a line that means nothing */
	B_LOST,	   /* somewhere in a line after a gap */
	B_REST,	   /* no line means anything any more */
};

/* What becomes of a field. */
enum field_use { FIELD_NONE, FIELD_EVENT, FIELD_TYPE, FIELD_DISPOSITION, FIELD_ENCODING };

/* Results that wait; of several the lowest bit is told first. */
enum pending {
	PENDING_HEADER = 1,
	PENDING_HEADERS_END = 2,
	PENDING_BODY = 4,
	PENDING_ATTACHMENT = 8,
	PENDING_OUTER = 16, /* the attached message in which that one stood */
	PENDING_PROTECTION = 32,
};

/* What the leaves of a message were, so far; a set. */
enum tally {
	TALLY_READABLE = 1, /* one that anybody can read */
	TALLY_SIGNED = 2,   /* and that is signed */
	TALLY_PGP = 4,
	TALLY_SMIME = 8,
	TALLY_UNKNOWN = 16,
};

/* A text with files in the lines of uuencode. */
enum uu_state {
	UU_NONE,
	UU_TEXT,   /* such lines may begin */
	UU_CLAIM,  /* "begin" was read: the next line shows whether it was meant */
	UU_INSIDE, /* in the lines of a file */
};

struct boundary {
	uint8_t len;
	uint8_t sealed; /* enum mime_protection that the multipart says its parts have */
	bool digest;	/* parts without a type are messages (RFC 2046 section 5.1.5) */
	char octets[LIMIT_BOUNDARY];
};

/* An attached message that is read, because there are attachments inside it. */
struct outer {
	bool open;
	uint8_t depth;	   /* boundaries that were open where it began */
	uint16_t file_len; /* octets of file */
	uint64_t start;	   /* pos of its first octet */
	uint64_t size;	   /* once it has ended */
	char file[LIMIT_TEXT + 1];
};

#define UNSURE_MESSAGE 1u /* in the message's own header */
#define UNSURE_PART    2u /* in the header of the part under way */

struct scan {
	uint64_t pos;	      /* octets of content so far, lost ones too */
	uint64_t line_start;  /* pos of the first octet of the line under way */
	uint64_t body_start;  /* pos of the first octet of the leaf under way */
	uint64_t size;	      /* octets of the attachment that has ended */
	uint32_t attachments; /* that have ended */
	uint8_t state;	      /* enum scan_state */
	uint8_t pending;      /* enum pending, a set */
	uint8_t header;	      /* enum mime_header of the field under way, or that is pending */
	uint8_t seen;	      /* enum mime_header, a set: those that are told once */
	uint8_t received;     /* Received fields so far, at most LIMIT_RECEIVED */
	uint8_t field;	      /* enum field_use of the field under way */
	uint8_t depth;	      /* boundaries that are open */
	uint8_t leaf;	      /* enum mime_leaf: what the octets of the body under way are */
	uint8_t eol;	      /* octets of the line end before line_start: 1 or 2 */
	uint8_t declared;     /* enum mime_protection that the message's own type says */
	uint8_t tally;	      /* enum tally, a set */
	uint8_t protection;   /* enum mime_protection: what is to be said of it */
	uint8_t unsure;	      /* UNSURE_*: what may have sealed the body was lost */
	uint8_t uu;	      /* enum uu_state */
	uint8_t detected;     /* enum magic: of the attachment that has ended */
	bool ended;	      /* mime_end was called */
	bool in_part;	      /* the header under way, or the last one, is a part's */
	bool any_field;	      /* the header under way has a field */
	bool can_fold;	      /* white space at the beginning of a line continues the one before */
	bool space_due;	      /* a fold was read: a space stands for it if more follows */
	bool last_cr;	      /* the octet before this input was CR */
	bool line_long;	      /* the line does not fit `line` */
	bool body_told;	      /* MIME_BODY was handed out */
	bool parts_lost;      /* octets were lost where parts may begin and end */
	bool opaque;	      /* the leaf has parts, or is a message, that are not read */
	bool head_cut;	      /* octets were lost before all of the first ones had come */
	bool tasting;	      /* more octets of the leaf may tell something */
	bool named_uu;	      /* the attachment that has ended stood in a text */
	uint16_t head_len;    /* octets of the leaf that stand in `value`, decoded */
	uint16_t value_len;   /* octets in value */
	uint16_t line_len;    /* octets in line */
	struct mime_decoder decoder; /* of the leaf */
	struct armour armour;	     /* is the leaf a PGP message? */
	struct outer outer;
	/* from outer.file on nothing is zeroed when a scan begins: it is written before it is read
	 */
	struct mime_part part; /* what the header under way, or the last one, says */
	struct boundary open[LIMIT_MIME_DEPTH]; /* outermost first */
	char line[LIMIT_MIME_LINE];		/* a field's name, or a body line */
	char value[LIMIT_HEADER];		/* a field's value, or the leaf's first octets */
};

_Static_assert(sizeof(struct scan) <= 6144, "a scan is to take 6 KiB at most");
_Static_assert(LIMIT_MAGIC <= LIMIT_HEADER, "first octets stand where a field's value stood");

/* mime.c: moves the input on by n octets; adds octets to `line`. */
void mime_take(struct scan *s, struct mime_input *in, size_t n);
void mime_line_begin(struct scan *s);
void mime_line_add(struct scan *s, const uint8_t *octets, size_t n);

/* mime_head.c: a header, up to a result or its end; at the end of the content, what stands there.
 */
void mime_head_begin(struct scan *s, bool in_part);
void mime_head_read(struct scan *s, struct mime_input *in);
void mime_head_finish(struct scan *s);

/* mime_body.c: the body of the header under way begins at pos `at`, the beginning of a line
 * (`broken`: without an empty line before it); one step of it; an octet of it was seen; octets were
 * lost; the content is over. */
void mime_body_begin(struct scan *s, uint64_t at, bool broken);
void mime_body_step(struct scan *s, struct mime_input *in);
void mime_body_tell(struct scan *s);
void mime_body_gap(struct scan *s);
void mime_body_finish(struct scan *s);

/* mime_leaf.c: a leaf begins; octets of it, none of them a boundary line's; octets of it were lost;
 * some of it is certainly readable; it is over: adds to the tally and sets `detected`. */
void mime_leaf_begin(struct scan *s, enum mime_encoding encoding);
void mime_leaf_taste(struct scan *s, const uint8_t *octets, size_t n);
void mime_leaf_gap(struct scan *s);
void mime_leaf_readable(struct scan *s);
void mime_leaf_end(struct scan *s);

/* What the tally comes down to. */
enum mime_protection mime_leaf_protection(const struct scan *s);

#endif
