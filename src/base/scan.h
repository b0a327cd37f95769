/*
 * The scan primitives of the hot path: where does a line end that matters?
 *
 * Message content is read at the speed of memory: of a body only those lines are looked at that may
 * end the content (".") or a part of it ("--boundary").  All other octets pass through here.
 * SSE2 on x86-64, where every processor has it; plain C elsewhere, with the same results.
 */
#ifndef POSTCARD_BASE_SCAN_H
#define POSTCARD_BASE_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* The offset of the first LF in the `len` octets at p, or len where there is none. */
size_t scan_lf(const uint8_t *p, size_t len);

/*
 * The offset of the first LF that is followed by '.' or '-', or of an LF that is the last octet
 * (what follows it is not known yet); len where there is neither.  Never reads outside the `len`
 * octets; p needs no alignment and may be NULL where len is 0.
 */
size_t scan_line_mark(const uint8_t *p, size_t len);

/* The same for an LF that is followed by '.', '-' or the octet c. */
size_t scan_line_mark_or(const uint8_t *p, size_t len, uint8_t c);

/* The offset of the first octet that is a or b; len where there is none. */
size_t scan_either(const void *s, size_t len, char a, char b);

/* The offset of the first octet for which the table has any of the bits; len where there is none.
 * (Inline: it is asked for words.) */
static inline size_t
scan_class(const void *s, size_t len, const uint8_t table[256], unsigned bits)
{
	const uint8_t *p = s;
	size_t i = 0;
	while (i < len && !(table[p[i]] & bits))
		i++;
	return i;
}

/* How many of the `len` octets at s come before the first that is not printable ASCII; len where
 * all are. */
size_t scan_printable(const void *s, size_t len);

/*
 * The same, where quotes (") and backslashes end it, too: what JSON strings take as it is.  These
 * octets are copied on the way.  Behind the `len` octets at s SCAN_SLACK more may be read, and at
 * `to` there is room for as many more: whole vectors are moved.
 */
#define SCAN_SLACK 15u
size_t scan_copy_unquoted(char *to, const void *s, size_t len);

#endif
