/*
 * Text in header fields: encoded words (RFC 2047), parameters (RFC 2045 section 5.1, RFC 2231), and
 * the character sets that both may name.
 *
 * UTF-8, US-ASCII and sets of single octets are decoded here (to load 23 modules of iconv for them
 * took 0.9 ms at each start); other character sets go through iconv(3), but only those of a fixed
 * list: the name in a message never reaches iconv_open.
 * mime_decode_words itself is declared in mime.h.
 */
#ifndef POSTCARD_MAIL_MIME_WORDS_H
#define POSTCARD_MAIL_MIME_WORDS_H

#include "base/text.h"
#include "mail/mime.h"

/*
 * Opens one converter of each such character set and keeps it, so that the C library has its
 * tables loaded: iconv_open then needs no file, and goes on working behind a sandbox without a file
 * system.  To be called before the sandbox closes.  What is not installed stays out: such text
 * stays encoded.
 */
void mime_charsets_open(struct mime_charsets *c);
void mime_charsets_close(struct mime_charsets *c);

/* The first token of a structured value ("text/plain", "attachment"), lower case, in ASCII without
 * controls; nothing where there is none. */
void mime_value_token(const char *value, size_t len, struct text *out);

/*
 * The octets of a parameter, unquoted, its RFC 2231 pieces joined, in no character set: for those
 * that are compared, not shown.  Returns their number, 0 where the parameter is absent, empty, or
 * longer than cap.
 */
size_t mime_param_octets(const char *value, size_t len, const char *name, char *out, size_t cap);

/* The same as text that is safe to show: decoded by RFC 2231 or RFC 2047 into UTF-8, then escaped
 * as text_add_wire does.  False where the parameter is absent or empty. */
bool mime_param_text(const char *value, size_t len, const char *name, struct text *out);

#endif
