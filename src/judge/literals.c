/* Finding many texts in one pass: see literals.h. */
#include "judge/literals.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

bool
literals_add(struct literals *l, const char *text, uint32_t len, uint32_t tag)
{
	struct literal *grown = array_room(l->literal, l->count, sizeof *grown);
	if (grown == NULL)
		return false;
	l->literal = grown;
	l->literal[l->count++] = (struct literal){text, len, tag};
	return true;
}

void
literals_free(struct literals *l)
{
	free(l->literal);
	free(l->next);
	free(l->ends);
	free(l->suffix);
	free(l->same);
	memset(l, 0, sizeof *l);
}

/* Octets that differ get a class each, capitals that of their small letter. */
static void
classify(struct literals *l)
{
	bool used[256] = {false};
	for (size_t i = 0; i < l->count; i++) {
		for (uint32_t k = 0; k < l->literal[i].len; k++)
			used[(uint8_t)ascii_lower(l->literal[i].text[k])] = true;
	}
	l->classes = 1;
	for (unsigned c = 0; c < 256; c++)
		l->class[c] = used[c] ? (uint8_t)l->classes++ : 0; /* at most 230 */
	for (unsigned c = 'A'; c <= 'Z'; c++)
		l->class[c] = l->class[c + ('a' - 'A')];
}

static uint32_t *
edge(const struct literals *l, uint32_t node, uint32_t class)
{
	return &l->next[(size_t)node * l->classes + class];
}

/* The tree of prefixes: node 0 is its root. */
static void
plant(struct literals *l)
{
	l->nodes = 1;
	for (size_t i = 0; i < l->count; i++) {
		uint32_t node = 0;
		for (uint32_t k = 0; k < l->literal[i].len; k++) {
			uint32_t *to = edge(l, node, l->class[(uint8_t)l->literal[i].text[k]]);
			if (*to == 0)
				*to = l->nodes++;
			node = *to;
		}
		l->same[i] = l->ends[node];
		l->ends[node] = (uint32_t)i + 1;
	}
}

/* Breadth first: a node's failure is known before its children's. */
static bool
connect(struct literals *l)
{
	uint32_t *queue = calloc(l->nodes, sizeof *queue), *fail = calloc(l->nodes, sizeof *fail);
	bool good = queue != NULL && fail != NULL;
	size_t head = 0, tail = 0;
	if (good)
		queue[tail++] = 0;
	while (head < tail) {
		uint32_t node = queue[head++];
		for (uint32_t c = 0; c < l->classes; c++) {
			uint32_t *to = edge(l, node, c), over = *edge(l, fail[node], c);
			if (*to == 0) {
				*to = node == 0 ? 0 : over;
				continue;
			}
			fail[*to] = node == 0 ? 0 : over;
			l->suffix[*to] = l->ends[fail[*to]] != 0 ? fail[*to] : l->suffix[fail[*to]];
			queue[tail++] = *to;
		}
	}
	free(queue);
	free(fail);
	return good;
}

bool
literals_build(struct literals *l)
{
	size_t nodes = 1;
	if (l->count == 0)
		return true;
	classify(l);
	for (size_t i = 0; i < l->count; i++)
		nodes += l->literal[i].len;
	l->next = calloc(nodes * l->classes, sizeof *l->next);
	l->ends = calloc(nodes, sizeof *l->ends);
	l->suffix = calloc(nodes, sizeof *l->suffix);
	l->same = calloc(l->count + 1, sizeof *l->same);
	if (l->next == NULL || l->ends == NULL || l->suffix == NULL || l->same == NULL)
		return false;
	plant(l);
	return connect(l);
}

struct literal_search
literals_search(const struct literals *l, const char *s, size_t len)
{
	return (struct literal_search){.set = l, .s = (const uint8_t *)s, .len = len};
}

bool
literals_next(struct literal_search *q, uint32_t *tag, size_t *begin, size_t *end)
{
	const struct literals *l = q->set;
	for (;;) {
		if (q->literal != 0) {
			const struct literal *found = &l->literal[q->literal - 1];
			q->literal = l->same[q->literal - 1];
			*tag = found->tag;
			*begin = q->at - found->len;
			*end = q->at;
			return true;
		}
		if (q->pending != 0) {
			q->literal = l->ends[q->pending];
			q->pending = l->suffix[q->pending];
			continue;
		}
		if (q->at == q->len || l->count == 0)
			return false;
		q->node = *edge(l, q->node, l->class[q->s[q->at++]]);
		if (q->node != 0)
			q->pending = l->ends[q->node] != 0 ? q->node : l->suffix[q->node];
	}
}
