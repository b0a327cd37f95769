/* Records that were written: see kept.h. */
#include "sink/kept.h"

void
kept_take(struct kept *k, const struct record *r, const uint64_t set[KEPT_WORDS], const char *text,
    size_t len)
{
	memset(k->set, 0, sizeof k->set);
	if (len == 0 || len > KEPT || r->len > KEPT)
		return;
	memcpy(k->set, set, sizeof k->set);
	memcpy(k->data, r->data, r->len);
	memcpy(k->text, text, len);
}

void
kept_find(const struct kept *k, const struct record *r, const uint64_t set[KEPT_WORDS],
    uint64_t same[KEPT_WORDS])
{
	for (unsigned w = 0; w < KEPT_WORDS; w++) {
		same[w] = 0;
		for (uint64_t bits = set[w] & k->set[w]; bits != 0; bits &= bits - 1) {
			if (kept_is_same(k, r, w * 64 + (unsigned)__builtin_ctzll(bits)))
				same[w] |= bits & -bits;
		}
	}
}
