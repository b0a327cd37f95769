/* What hosts call themselves: see names.h. */
#include "judge/names.h"

#include <string.h>

#include "base/text.h"

bool
name_is_host(const char *s, size_t len)
{
	bool dot = false, letter = false;
	if (len < 3 || len > NAME_MAX_OCTETS || s[0] == '.' || s[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = ascii_lower(s[i]);
		if (c == '.')
			dot = true;
		else if (c >= 'a' && c <= 'z')
			letter = true;
		else if (c != '-' && (c < '0' || c > '9'))
			return false;
	}
	return dot && letter;
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

void
name_parent(const char *name, size_t len, const char **out, size_t *out_len)
{
	const char *dot = len > 0 ? memchr(name, '.', len) : NULL;
	size_t rest = dot != NULL ? len - (size_t)(dot - name) - 1 : 0;
	bool enough = dot != NULL && memchr(dot + 1, '.', rest) != NULL;
	*out = enough ? dot + 1 : name;
	*out_len = enough ? rest : len;
}
