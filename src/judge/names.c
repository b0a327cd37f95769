/* What hosts call themselves: see names.h. */
#include "judge/names.h"

#include <string.h>

#include "base/text.h"

enum { DOT = 1, LETTER = 2, INNER = 4, OTHER = 8 };

static uint8_t
kind_of(char c)
{
	if ((uint8_t)(ascii_lower(c) - 'a') < 26)
		return LETTER;
	if (c == '-' || (uint8_t)(c - '0') < 10)
		return INNER;
	return c == '.' ? DOT : OTHER;
}

bool
name_is_host(const char *s, size_t len)
{
	uint8_t seen = 0;
	if (len < 3 || len > NAME_MAX_OCTETS || s[0] == '.' || s[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		seen |= kind_of(s[i]);
	return (seen & (DOT | LETTER | OTHER)) == (DOT | LETTER);
}

void
name_of_greeting(const char *greeting, size_t len, const char **out, size_t *out_len)
{
	size_t n = 0;
	if (len > 4 && memcmp(greeting, "220", 3) == 0 &&
	    (greeting[3] == ' ' || greeting[3] == '-')) {
		greeting += 4;
		len -= 4;
	}
	while (n < len && greeting[n] != ' ')
		n++;
	*out = greeting;
	*out_len = n;
}

bool
name_is_generic(const char *s, size_t len)
{
	static const char *const endings[] = {".local", ".localdomain", ".localhost", ".lan",
	    ".home", ".internal", ".invalid", ".workgroup"};
	if (len >= 9 && ascii_lower(s[0]) == 'l' && ascii_is(s, 9, "localhost"))
		return true;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = strlen(endings[i]);
		if (len > n && s[len - n] == '.' && ascii_is(s + len - n, n, endings[i]))
			return true;
	}
	return false;
}

/* co.uk, com.au: a short word and a country. */
static bool
is_registry(const char *s, size_t len)
{
	static const char *const words[] = {"co", "com", "net", "org", "ac", "gov", "edu", "or",
	    "ne", "go"};
	if (len < 5 || s[len - 3] != '.')
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (ascii_is(s, len - 3, words[i]))
			return true;
	}
	return false;
}

void
name_parent(const char *name, size_t len, const char **out, size_t *out_len)
{
	const char *dot = len > 0 ? memchr(name, '.', len) : NULL;
	size_t rest = dot != NULL ? len - (size_t)(dot - name) - 1 : 0;
	bool enough =
	    dot != NULL && memchr(dot + 1, '.', rest) != NULL && !is_registry(dot + 1, rest);
	*out = enough ? dot + 1 : name;
	*out_len = enough ? rest : len;
}
