/* What hosts call themselves: which of it is a name, and where it stands. */
#ifndef POSTCARD_JUDGE_NAMES_H
#define POSTCARD_JUDGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_OCTETS 64u /* of a host name that is taken as one */

/* Letters, digits, hyphens and dots, with a dot within and a letter: nothing else is repeated or
 * remembered from what the peers say of themselves, and so no address of a person. */
bool name_is_host(const char *s, size_t len);

/* Is it a name that many hosts give themselves ("localhost.localdomain", "printer.local")?  It
 * tells no host from another. */
bool name_is_generic(const char *s, size_t len);

/* The word of a greeting in which a server says its name (the reply code may stand before it); it
 * points into `greeting`, and need not be a host's name. */
void name_of_greeting(const char *greeting, size_t len, const char **out, size_t *out_len);

/* The domain above a host's name, of two labels at least ("mx1.example.org": "example.org"), of
 * three where the last two look like a registry's ("mx.example.co.uk"); the name itself where it
 * has no more.  Points into `name`. */
void name_parent(const char *name, size_t len, const char **out, size_t *out_len);

#endif
