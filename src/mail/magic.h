/*
 * What kind of file begins with these octets?
 *
 * A table of our own (magic.def), about as long as what is attached to mail asks for.  The house
 * prefers libraries, but libmagic 5.44 takes 8 (PNG) to 121 microseconds (no match) for one such
 * buffer on the machine where this table takes 0.03 to 0.8; an attachment would cost as much as
 * 300 kB of scanning, and it would bring 7 MB of tables, malloc and an interpreter of rules into
 * the process that reads hostile octets.
 *
 * Only the first LIMIT_MAGIC octets are known.  What shows further behind is not told: ISO 9660
 * (octet 32,769), encrypted headers of 7-Zip (at the end), which program wrote an OLE2 file, which
 * kind of document begins with [Content_Types].xml.  Nothing of the octets is kept or comes out but
 * a row of the table.
 */
#ifndef POSTCARD_MAIL_MAGIC_H
#define POSTCARD_MAIL_MAGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum magic {
	MAGIC_NONE, /* not known */
#define TYPE(id, type, family, fits, words) MAGIC_##id,
#define ALIAS(id, type)
#define ROW(id, offset, octets)
#define ROW2(id, offset, octets, offset2, octets2)
#define WEAK(id, offset, octets)
#include "mail/magic.def"
#undef TYPE
#undef ALIAS
#undef ROW
#undef ROW2
#undef WEAK
	MAGICS
};

_Static_assert(MAGICS <= 255, "kept in one octet");

/* The kind of the file whose first octets, transfer encoding undone, are these; MAGIC_NONE where
 * they show none.  More than LIMIT_MAGIC octets are not looked at. */
enum magic magic_of(const uint8_t *head, size_t len);

/* Its media type, with ";" and a word behind where the type alone does not say it
 * ("application/zip; encrypted"); "" for MAGIC_NONE. */
const char *magic_type(enum magic m);

/* Is it something other than text? */
bool magic_is_binary(enum magic m);

/* The kind of a media type in lower case, as magic_type gives it or as it may be declared (some are
 * in use under several names); MAGIC_NONE for one that the table has not. */
enum magic magic_named(const char *type, size_t len);

/* For people, with its article: "a PDF", "a Windows program"; "" for MAGIC_NONE. */
const char *magic_words(enum magic m);

/* Is a file that was declared as the one certainly not that, where its octets show the other? False
 * where either is not known, and for what may rightly be declared so (a ZIP archive as a document
 * of Office, XML as SVG). */
bool magic_contradicts(enum magic declared, enum magic shown);

/* Is it a program of some kind, which must not hide behind any other type? */
bool magic_is_program(enum magic m);

#endif
