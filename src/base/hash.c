/* Drawing the key of hash.h. */
#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

void
hash_key_draw(struct hash_key *key)
{
	if (getrandom(key->k, sizeof key->k, 0) != (ssize_t)sizeof key->k)
		abort();
	for (int i = 0; i < 4; i++)
		key->k[i] |= 1;
}
