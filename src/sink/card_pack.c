/* A card packed: see card_pack.h.  Its words of 64 bits that are not zero, and which those are. */
#include "sink/card_pack.h"

#include <stdlib.h>
#include <string.h>

#define WORDS  (sizeof(struct card) / sizeof(uint64_t))
#define GROUPS ((WORDS + 63) / 64)
#define EIGHT  8u

_Static_assert(sizeof(struct card) % sizeof(uint64_t) == 0, "a card is whole words");

struct card_packed {
	uint32_t room;	      /* words that there is room for */
	uint64_t set[GROUPS]; /* a bit for each word of the card: it is not zero */
	uint64_t word[];      /* those */
};

/* Are eight words zero?  Most are: it is asked for many at once. */
static bool
all_zero(const uint8_t *p)
{
	uint64_t w[EIGHT], any = 0;
	memcpy(w, p, sizeof w);
	for (unsigned i = 0; i < EIGHT; i++)
		any |= w[i];
	return any == 0;
}

struct card_packed *
card_pack(const struct card *c, struct card_packed *old)
{
	static uint64_t words[WORDS + 1]; /* large, and used here only */
	uint64_t set[GROUPS] = {0};
	const uint8_t *from = (const uint8_t *)c;
	uint32_t n = 0;
	for (size_t i = 0; i < WORDS; i++) {
		if (i % EIGHT == 0 && i + EIGHT <= WORDS && all_zero(from + i * sizeof *words)) {
			i += EIGHT - 1;
			continue;
		}
		memcpy(&words[n], from + i * sizeof *words, sizeof *words);
		uint64_t some = words[n] != 0;
		set[i / 64] |= some << i % 64;
		n += (uint32_t)some;
	}
	struct card_packed *p = old;
	if (p == NULL || p->room < n) {
		p = realloc(old, sizeof *p + n * sizeof *words);
		if (p == NULL)
			return NULL;
		p->room = n;
	}
	memcpy(p->set, set, sizeof set);
	memcpy(p->word, words, n * sizeof *words);
	return p;
}

/* Octets before the first word of a group that is in the set. */
static size_t
place(uint64_t set)
{
	return (unsigned)__builtin_ctzll(set) * sizeof(uint64_t);
}

void
card_unpack(struct card *c, const struct card_packed *was, const struct card_packed *p)
{
	static const struct card_packed none; /* of which nothing is to be cleared */
	const uint64_t zero = 0, *word = p->word;
	uint8_t *to = (uint8_t *)c;
	if (was == NULL) {
		memset(c, 0, sizeof *c);
		was = &none;
	}
	for (size_t g = 0; g < GROUPS; g++, to += 64 * sizeof *word) {
		for (uint64_t set = was->set[g] & ~p->set[g]; set != 0; set &= set - 1)
			memcpy(to + place(set), &zero, sizeof zero);
		for (uint64_t set = p->set[g]; set != 0; set &= set - 1, word++)
			memcpy(to + place(set), word, sizeof *word);
	}
}
