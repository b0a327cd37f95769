/*
 * A card packed: what is zero in it takes no room.
 *
 * A card has room for many names and long sentences and is mostly empty: of its 11,000 octets 1,500
 * say something.  Packed, the cards of a report take 6 MB in the place of 45, which the kernel
 * clears page by page before they are written.
 */
#ifndef POSTCARD_SINK_CARD_PACK_H
#define POSTCARD_SINK_CARD_PACK_H

#include "sink/card.h"

struct card_packed; /* a card, in one piece of the heap: free() gives it back */

/* Packs a card in the place of `old`, which may be NULL and is gone then.  NULL where there is no
 * memory: `old` is as it was. */
struct card_packed *card_pack(const struct card *c, struct card_packed *old);

/* Unpacks p.  Where it is known that c holds `was`, only what that set is cleared; NULL: all of it.
 */
void card_unpack(struct card *c, const struct card_packed *was, const struct card_packed *p);

/* A packed card, or the text of one, comes next: fetches it while the one before it is drawn, which
 * is a quarter of what drawing takes. */
static inline void
card_expect(const void *p)
{
	const unsigned usual = 1536, line = 64; /* octets */
	for (unsigned at = 0; at < usual; at += line)
		__builtin_prefetch((const char *)p + at);
}

#endif
