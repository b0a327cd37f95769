/* The nearest word: see nearest.h. */
#include "base/nearest.h"

#include <string.h>

#include "base/text.h"

#define WORD 64u /* octets of a word that are looked at */

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned
distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][WORD + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (unsigned j = 0; j <= m; j++)
		last[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			char x = ascii_lower(a[i - 1]), y = ascii_lower(b[j - 1]);
			unsigned d = least(last[j - 1] + (x != y), least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && x == ascii_lower(b[j - 2]) &&
			    ascii_lower(a[i - 2]) == y)
				d = least(d, before[j - 2] + 1);
			row[j] = d;
		}
		unsigned *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[m];
}

size_t
nearest(const char *word, size_t len, const char *const *words, size_t n)
{
	size_t best = n;
	if (len == 0 || len > WORD)
		return n;
	unsigned least_edits = (unsigned)len / 3 + 1;
	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(words[i]);
		if (m > WORD)
			continue;
		unsigned d = distance(word, len, words[i], m);
		if (d < least_edits) {
			least_edits = d;
			best = i;
		}
	}
	return best;
}
