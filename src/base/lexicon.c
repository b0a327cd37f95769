/* Words of a table: see lexicon.h. */
#include "base/lexicon.h"

#include <assert.h>

#include "base/cursor.h"
#include "base/text.h"

/* Five bits of a letter are the same, small or capital.  The factors were tried out: of the 69
 * words of SMTP and MIME 14 share their place with another of their table. */
static unsigned
place_of(const char *s, size_t len)
{
	unsigned first = (uint8_t)s[0] & 31u, last = (uint8_t)s[len - 1] & 31u;
	return (first * 5 + last * 31 + (unsigned)len * 4) % LEXICON_PLACES;
}

static const struct literal *
word_at(const struct lexicon *l, size_t row)
{
	return (const void *)((const char *)l->rows + row * l->size);
}

static void
build(struct lexicon *l)
{
	assert(l->count <= LEXICON_MAX);
	for (size_t row = l->count; row > 0; row--) { /* the first one is to come first */
		const struct literal *w = word_at(l, row - 1);
		uint8_t *first = &l->first[place_of(w->s, w->len)];
		l->next[row] = *first;
		l->head[row] = ascii_lower_8(load_word(w->s, w->len));
		*first = (uint8_t)row;
	}
	l->built = true;
}

size_t
lexicon_find(struct lexicon *l, const char *s, size_t len)
{
	if (!l->built)
		build(l);
	if (len == 0)
		return l->count;
	const uint64_t head = ascii_lower_8(load_word(s, len));
	for (size_t row = l->first[place_of(s, len)]; row != 0; row = l->next[row]) {
		const struct literal *w = word_at(l, row - 1);
		if (l->head[row] == head && w->len == len &&
		    (len <= 8 || ascii_equal(s + 8, w->s + 8, len - 8)))
			return row - 1;
	}
	return l->count;
}
