/* Nodes of conditions, and atoms that stand once in a set: see rule.h. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/rule.h"

struct node *
rule_node(struct rules *s, enum node_kind kind, uint32_t children)
{
	struct node *n = arena_take(&s->arena, sizeof *n);
	if (n == NULL)
		return NULL;
	n->kind = (uint8_t)kind;
	n->count = children;
	n->child = arena_take(&s->arena, (children + 1) * sizeof *n->child);
	return n->child != NULL ? n : NULL;
}

const struct node *
rule_node_not(struct rules *s, const struct node *child)
{
	struct node *n = child != NULL ? rule_node(s, NODE_NOT, 1) : NULL;
	if (n != NULL)
		n->child[0] = child;
	return n;
}

/* Do they ask the same? */
static bool
same_atom(const struct atom *a, const struct atom *b)
{
	size_t size = a->kind == ATOM_GLOB ? sizeof *a->pattern : 1;
	const void *x = a->kind == ATOM_GLOB ? (const void *)a->pattern : a->text;
	const void *y = b->kind == ATOM_GLOB ? (const void *)b->pattern : b->text;
	return a->field == b->field && a->other == b->other && a->kind == b->kind &&
	    a->compare == b->compare && a->part == b->part && a->anchors == b->anchors &&
	    a->cased == b->cased && a->truth == b->truth && a->number == b->number &&
	    a->network.bits == b->network.bits &&
	    memcmp(&a->network.addr, &b->network.addr, sizeof a->network.addr) == 0 &&
	    a->options == b->options && a->len == b->len &&
	    (a->len == 0 || memcmp(x, y, a->len * size) == 0);
}

/* A hash of what the atom asks (FNV-1a); equality decides. */
static uint64_t
atom_hash(const struct atom *a)
{
	uint64_t h = 14695981039346656037u;
	const uint8_t *p =
	    a->kind == ATOM_GLOB ? (const uint8_t *)a->pattern : (const uint8_t *)a->text;
	size_t n = a->len * (a->kind == ATOM_GLOB ? sizeof *a->pattern : 1u);
	uint64_t head[] = {a->field, a->other, a->kind, a->compare, a->part, a->anchors,
	    (uint64_t)a->number, a->network.bits, a->options};
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		h = (h ^ head[i]) * 1099511628211u;
	for (size_t i = 0; i < sizeof a->network.addr.b; i++)
		h = (h ^ a->network.addr.b[i]) * 1099511628211u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h;
}

/* The index of the atom in the set; `none` where there is no memory. */
static uint32_t
atom_index(struct rules *s, const struct atom *a, uint32_t none)
{
	uint64_t key = atom_hash(a);
	for (unsigned tries = 0; tries < 8; tries++, key++) {
		bool fresh = false;
		uint32_t *index = map_put(&s->atom_ids, &key, &fresh);
		if (index == NULL)
			return none;
		if (fresh) {
			struct atom *grown = array_room(s->atom, s->atoms, sizeof *grown);
			if (grown == NULL)
				return none;
			s->atom = grown;
			s->atom[s->atoms] = *a;
			*index = (uint32_t)++s->atoms;
		}
		if (same_atom(&s->atom[*index - 1], a))
			return *index - 1;
	}
	return none;
}

const struct node *
rule_node_atom(struct rules *s, const struct atom *a)
{
	uint32_t index = atom_index(s, a, UINT32_MAX);
	struct node *n = index != UINT32_MAX ? rule_node(s, NODE_ATOM, 0) : NULL;
	if (n != NULL)
		n->atom = index;
	return n;
}
