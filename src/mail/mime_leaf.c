/*
 * What one body is, by its octets: see mime_scan.h.
 *
 * The first LIMIT_MAGIC octets, decoded, tell its type; a PGP message is followed to its end.  They
 * stand in `value` until the leaf is over and go nowhere: what comes out is a row of a table and a
 * verdict.
 *
 * Whether the message is protected end to end is said of all of it: it is sealed where each of its
 * leaves is, by the octets (a ContentInfo of CMS that is enveloped, an armour of PGP).  What a
 * header declares counts where no octet was seen that could tell; where octets contradict it, what
 * they prove counts, and where they prove nothing, nobody knows.  One leaf that can be read (text
 * around an armour, a file beside it, a footer) makes the message readable.  Leaves of blanks and
 * the parts that carry signatures count for nothing.  HTML is never taken for sealed.  A password
 * on an archive is no protection end to end: names and sizes show, and the password is mostly sent
 * the same way.
 *
 * Unknown is: a type whose octets do not say, lost octets in what seemed sealed or where another
 * part may have begun, multiparts deeper than LIMIT_MIME_DEPTH or without a boundary, attached
 * messages that are not read (unless something else can be read).
 */
#include "mail/mime_scan.h"

#include "base/text.h"

#define CHARACTER 4u /* octets that one character may give, and more (mime_decode) */

void
mime_leaf_begin(struct scan *s, enum mime_encoding encoding)
{
	mime_decoder_begin(&s->decoder, encoding);
	memset(&s->armour, 0, sizeof s->armour);
	s->head_len = 0;
	s->head_cut = false;
	s->tasting = s->leaf == LEAF_BODY || s->leaf == LEAF_ATTACHMENT;
}

void
mime_leaf_taste(struct scan *s, const uint8_t *octets, size_t n)
{
	while (n > 0 && s->tasting) {
		uint8_t plain[256];
		size_t used, got, room = LIMIT_MAGIC - s->head_len;
		/* what is kept, for mostly no more is wanted, and at least what a character gives
		 */
		size_t cap =
		    room > 0 && room + CHARACTER < sizeof plain ? room + CHARACTER : sizeof plain;
		got = mime_decode(&s->decoder, octets, n, &used, plain, cap);
		octets += used;
		n -= used;
		room = got < room ? got : room;
		memcpy(s->value + s->head_len, plain, room);
		s->head_len = (uint16_t)(s->head_len + room);
		bool more = armour_push(&s->armour, plain, got);
		s->tasting = more || s->head_len < LIMIT_MAGIC;
	}
}

void
mime_leaf_gap(struct scan *s)
{
	if (s->leaf != LEAF_BODY && s->leaf != LEAF_ATTACHMENT)
		return;
	s->head_cut = s->head_cut || s->head_len < LIMIT_MAGIC;
	s->tasting = false;
	armour_gap(&s->armour);
}

void
mime_leaf_readable(struct scan *s)
{
	if (s->unsure == 0)
		s->tally |= TALLY_READABLE;
}

/* What CMS proves; 0 where the leaf is none. */
static unsigned
cms_verdict(enum magic m, const char *head, size_t len, bool cut)
{
	switch (m) {
	case MAGIC_CMS_SEALED: return TALLY_SMIME;
	case MAGIC_CMS_SIGNED: /* it may hold a sealed one, which is seen where its header is */
		return cut || ascii_find(head, len, "enveloped-data") != NULL
		    ? TALLY_UNKNOWN
		    : TALLY_READABLE | TALLY_SIGNED;
	case MAGIC_CMS_COMPRESSED:
	case MAGIC_CMS_OTHER: return TALLY_READABLE;
	default: return 0;
	}
}

static unsigned
declared_verdict(enum mime_protection p)
{
	switch (p) {
	case MIME_PGP: return TALLY_PGP;
	case MIME_SMIME: return TALLY_SMIME;
	case MIME_SIGNED: return TALLY_READABLE | TALLY_SIGNED;
	default: return TALLY_UNKNOWN;
	}
}

static unsigned
leaf_verdict(struct scan *s)
{
	const char *head = s->value;
	size_t len = s->head_len;
	enum mime_protection declared = s->part.protection;
	if (declared == MIME_PLAIN && s->depth > 0)
		declared = s->open[s->depth - 1].sealed;
	enum armour_verdict armour = armour_end(&s->armour);
	unsigned cms = cms_verdict(s->detected, head, len, s->head_cut);
	if (cms == 0 && declared != MIME_PLAIN && s->decoder.encoding == ENCODING_NONE) {
		uint8_t raw[LIMIT_MAGIC]; /* Base64 that nobody declared */
		size_t n = base64_decode(head, len, raw, sizeof raw);
		cms = cms_verdict(magic_of(raw, n), (const char *)raw, n, s->head_cut);
	}
	if (cms != 0)
		return cms;
	if (s->uu == UU_INSIDE || (s->opaque && s->leaf == LEAF_BODY && armour == ARMOUR_EMPTY))
		return s->uu == UU_INSIDE ? TALLY_READABLE : 0;
	if (s->opaque)
		return TALLY_UNKNOWN;
	switch (armour) {
	case ARMOUR_SEALED: return TALLY_PGP;
	case ARMOUR_SIGNED: return TALLY_READABLE | TALLY_SIGNED;
	case ARMOUR_UNKNOWN: return TALLY_UNKNOWN;
	case ARMOUR_EMPTY: break;
	case ARMOUR_NONE:
		if (declared == MIME_SIGNED)
			return TALLY_READABLE | TALLY_SIGNED;
		if (declared != MIME_PLAIN ||
		    (strcmp(s->part.type, "text/html") == 0 &&
			(s->head_cut ||
			    ascii_find(head, len, "-----BEGIN PGP MESSAGE-----") != NULL)))
			return TALLY_UNKNOWN;
		return TALLY_READABLE;
	}
	if (declared != MIME_PLAIN)
		return declared_verdict(declared);
	return s->decoder.encoding == ENCODING_OTHER ? TALLY_READABLE : 0;
}

void
mime_leaf_end(struct scan *s)
{
	s->detected = (uint8_t)magic_of((const uint8_t *)s->value, s->head_len);
	if (s->head_cut && !magic_is_binary(s->detected))
		s->detected = MAGIC_NONE; /* many a file begins with text */
	s->tally |= (uint8_t)leaf_verdict(s);
	s->tasting = false;
}

enum mime_protection
mime_leaf_protection(const struct scan *s)
{
	enum mime_protection p = s->declared; /* of a content without anything in it */
	if ((s->unsure & UNSURE_MESSAGE) != 0)
		return MIME_PROTECTION_UNKNOWN;
	if ((s->tally & TALLY_READABLE) != 0)
		return (s->tally & TALLY_SIGNED) != 0 || p == MIME_SIGNED ? MIME_SIGNED
									  : MIME_PLAIN;
	if ((s->tally & TALLY_UNKNOWN) != 0)
		return MIME_PROTECTION_UNKNOWN;
	if ((s->tally & (TALLY_PGP | TALLY_SMIME)) != 0)
		p = (s->tally & TALLY_SMIME) != 0 ? MIME_SMIME : MIME_PGP;
	return s->parts_lost && (p == MIME_PGP || p == MIME_SMIME) ? MIME_PROTECTION_UNKNOWN : p;
}
