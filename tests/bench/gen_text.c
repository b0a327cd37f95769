/* The octets that bodies are made of, from pools computed once.  See gen.h. */
#include <string.h>

#include "gen.h"

uint8_t *pool[4];

const char b64c[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
make_pools(void)
{
	static const char *const w[] = {"please", "find", "the", "attached", "report", "for",
	    "quarter", "and", "let", "us", "know", "if", "you", "have", "any", "questions", "about",
	    "invoice", "meeting", "on", "Tuesday", "project", "schedule", "review", "best",
	    "regards", "we", "will", "send", "an", "update", "soon", "thanks", "delivery", "order",
	    "number", "customer", "support", "team", "office"};
	struct rng r;
	uint32_t i, j;
	rng_seed(&r, 0x706f6f6c, opt_seed);
	pool[K_B64] = xalloc(NULL, (size_t)B64_LINE * POOL_LINES);
	pool[K_TXT] = xalloc(NULL, (size_t)TXT_LINE * POOL_LINES);
	pool[K_RND] = xalloc(NULL, RND_POOL);
	for (i = 0; i < POOL_LINES; i++) {
		uint8_t *p = pool[K_B64] + (size_t)i * B64_LINE;
		uint64_t v = 0;
		for (j = 0; j < 76; j++) {
			if (j % 10 == 0)
				v = rng64(&r);
			p[j] = (uint8_t)b64c[v & 63];
			v >>= 6;
		}
		p[76] = '\r';
		p[77] = '\n';
		p = pool[K_TXT] + (size_t)i * TXT_LINE;
		for (j = 0; j < 72;) {
			const char *s = w[rnd(&r, sizeof w / sizeof *w)];
			while (*s && j < 72)
				p[j++] = (uint8_t)*s++;
			if (j < 72)
				p[j++] = ' ';
		}
		if (p[71] == ' ')
			p[71] = '.';
		p[72] = '\r';
		p[73] = '\n';
	}
	for (i = 0; i < RND_POOL; i += 8) {
		uint64_t v = rng64(&r);
		memcpy(pool[K_RND] + i, &v, 8);
	}
}
