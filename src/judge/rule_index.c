/* The index of a rule set: see rule_index.h. */
#include "judge/rule_index.h"

#include <stdlib.h>
#include <string.h>

#include "judge/rule.h"

/* Costs of a key: how many rules its atoms are in, or that they cannot be looked up. */
#define NO_KEY UINT64_MAX
#define ASKED  ((uint64_t)1 << 32)

/* A number or a network, and its field. */
struct exact {
	uint16_t field;
	uint8_t family; /* 0: a number */
	uint8_t bits;
	uint8_t none[4];
	uint8_t b[16];
};

/* While the index is built. */
struct builder {
	struct rules *set;
	uint32_t *uses;	 /* by atom: nodes that ask it */
	uint64_t *pairs; /* key atom in the upper half, number of the rule in the lower */
	size_t count;
	bool good;
};

static void
count_uses(struct builder *b, const struct node *n)
{
	if (n->kind == NODE_ATOM)
		b->uses[n->atom]++;
	for (uint32_t i = 0; i < n->count; i++)
		count_uses(b, n->child[i]);
}

/* Does the automaton of its field find it, or a part of it? */
static bool
is_searched(const struct atom *a)
{
	return a->kind == ATOM_LITERAL || a->run_len > 0;
}

static bool
is_exact(const struct atom *a)
{
	if (a->field == ANY_TEXT)
		return false;
	if (a->kind == ATOM_NETWORK)
		return true;
	return a->kind == ATOM_NUMBER && a->compare == COMPARE_EQ && a->part == PART_NONE &&
	    field_table[a->field].type == TYPE_U64;
}

static uint64_t
atom_cost(const struct builder *b, uint32_t atom)
{
	const struct atom *a = &b->set->atom[atom];
	if (is_searched(a) || is_exact(a))
		return b->uses[atom];
	return ASKED + b->uses[atom];
}

/* What the best key of a condition costs: of alternatives all are needed, of what must hold
 * together the cheapest will do. */
static uint64_t
cost(const struct builder *b, const struct node *n)
{
	uint64_t sum = 0, least = NO_KEY;
	if (n->kind == NODE_ATOM)
		return atom_cost(b, n->atom);
	if (n->kind == NODE_NOT)
		return NO_KEY;
	for (uint32_t i = 0; i < n->count; i++) {
		uint64_t c = cost(b, n->child[i]);
		least = c < least ? c : least;
		sum = c == NO_KEY || sum == NO_KEY ? NO_KEY : sum + c;
	}
	return n->kind == NODE_OR ? sum : least;
}

static void
add_key(struct builder *b, uint32_t atom, uint32_t rule)
{
	uint64_t *grown = array_room(b->pairs, b->count, sizeof *grown);
	if (grown == NULL) {
		b->good = false;
		return;
	}
	b->pairs = grown;
	b->pairs[b->count++] = (uint64_t)atom << 32 | rule;
}

/* Notes the atoms of the best key, which there is. */
static void
collect(struct builder *b, const struct node *n, uint32_t rule)
{
	if (n->kind == NODE_ATOM) {
		add_key(b, n->atom, rule);
		return;
	}
	if (n->kind == NODE_OR) {
		for (uint32_t i = 0; i < n->count; i++)
			collect(b, n->child[i], rule);
		return;
	}
	uint64_t least = cost(b, n);
	for (uint32_t i = 0; i < n->count; i++) {
		if (cost(b, n->child[i]) == least) {
			collect(b, n->child[i], rule);
			return;
		}
	}
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* ------------------------------------------------------------------------- exact values */

static struct exact
exact_number(uint16_t field, int64_t number)
{
	struct exact e = {.field = field};
	memcpy(e.b, &number, sizeof number);
	return e;
}

static struct exact
exact_network(uint16_t field, const struct addr *a, unsigned bits)
{
	struct exact e = {.field = field, .family = a->family, .bits = (uint8_t)bits};
	memcpy(e.b, a->b, bits / 8);
	if (bits % 8 != 0)
		e.b[bits / 8] = (uint8_t)(a->b[bits / 8] & 0xff00u >> bits % 8);
	return e;
}

/* Puts a key atom where a record finds it. */
static bool
place(struct rules *s, uint32_t index)
{
	struct rule_index *x = &s->index;
	const struct atom *a = &s->atom[index];
	struct exact e;
	if (is_searched(a)) {
		x->field[a->field].search = true;
		return true;
	}
	if (!is_exact(a)) {
		uint32_t *grown =
		    array_room(x->field[a->field].atom, x->field[a->field].atoms, sizeof *grown);
		if (grown == NULL)
			return false;
		x->field[a->field].atom = grown;
		grown[x->field[a->field].atoms++] = index;
		return true;
	}
	if (a->kind == ATOM_NUMBER) {
		e = exact_number(a->field, a->number);
	} else {
		e = exact_network(a->field, &a->network.addr, a->network.bits);
		x->field[a->field].length[a->network.addr.family == 6][a->network.bits / 64] |= 1ull
		    << a->network.bits % 64;
	}
	x->field[a->field].exact = true;
	uint32_t *to = map_put(&x->exact, &e, NULL);
	if (to != NULL)
		*to = index + 1; /* one that is there asks the same */
	return to != NULL;
}

static bool
allocate(struct rules *s, size_t keys)
{
	struct rule_index *x = &s->index;
	x->words = (uint32_t)(s->rules + 63) / 64;
	x->candidate = calloc(x->words + 1u, sizeof *x->candidate);
	x->always = calloc(x->words + 1u, sizeof *x->always);
	x->list = calloc(keys + 1, sizeof *x->list);
	x->first = calloc(s->atoms + 1, sizeof *x->first);
	return x->candidate != NULL && x->always != NULL && x->list != NULL && x->first != NULL &&
	    map_init(&x->exact, "values of rules", sizeof(struct exact), sizeof(uint32_t),
		(uint32_t)s->atoms + 1);
}

bool
rule_index_build(struct rules *s)
{
	struct rule_index *x = &s->index;
	struct builder b = {.set = s, .good = true};
	b.uses = calloc(s->atoms + 1, sizeof *b.uses);
	if (b.uses == NULL)
		return false;
	for (size_t i = 0; i < s->rules; i++) {
		if (s->rule[i]->kind == RULE_DETECTION)
			count_uses(&b, s->rule[i]->body->root);
	}
	for (size_t i = 0; i < s->rules && b.good; i++) {
		if (s->rule[i]->kind == RULE_DETECTION &&
		    cost(&b, s->rule[i]->body->root) != NO_KEY)
			collect(&b, s->rule[i]->body->root, (uint32_t)i);
	}
	b.good = b.good && allocate(s, b.count);
	for (size_t i = 0; i < s->rules && b.good; i++) {
		if (s->rule[i]->kind == RULE_DETECTION &&
		    cost(&b, s->rule[i]->body->root) == NO_KEY)
			x->always[i / 64] |= 1ull << i % 64;
	}
	if (b.count > 0)
		qsort(b.pairs, b.count, sizeof *b.pairs, by_value);
	uint32_t atom = 0;
	for (size_t i = 0; i < b.count && b.good; i++) {
		uint32_t key = (uint32_t)(b.pairs[i] >> 32);
		bool fresh = i == 0 || key != (uint32_t)(b.pairs[i - 1] >> 32);
		x->list[i] = (uint32_t)b.pairs[i];
		while (fresh && atom <= key)
			x->first[atom++] = (uint32_t)i;
		b.good = !fresh || place(s, key);
	}
	while (b.good && atom <= s->atoms)
		x->first[atom++] = (uint32_t)b.count;
	for (unsigned f = 0; f <= FIELDS; f++) {
		if (x->field[f].search || x->field[f].exact || x->field[f].atoms > 0)
			x->asked[x->asked_count++] = (uint16_t)f;
	}
	free(b.uses);
	free(b.pairs);
	return b.good;
}

void
rule_index_free(struct rules *s)
{
	struct rule_index *x = &s->index;
	for (unsigned f = 0; f <= FIELDS; f++)
		free(x->field[f].atom);
	map_free_all(&x->exact);
	free(x->candidate);
	free(x->always);
	free(x->list);
	free(x->first);
}

/* ---------------------------------------------------------------------------- a record */

void
rule_index_mark(struct rules *s, uint32_t atom)
{
	struct rule_index *x = &s->index;
	for (uint32_t i = x->first[atom]; i < x->first[atom + 1]; i++)
		x->candidate[x->list[i] / 64] |= 1ull << x->list[i] % 64;
}

static void
look_up(struct rules *s, const struct exact *e)
{
	const uint32_t *found = map_find(&s->index.exact, e);
	if (found != NULL)
		rule_answer(s, &s->atom[*found - 1], true);
}

static void
look_up_value(struct rules *s, uint16_t field, const struct record_value *v)
{
	if (field_table[field].type == TYPE_U64) {
		struct exact e = exact_number(field, rule_number(v));
		look_up(s, &e);
		return;
	}
	/* an address: only fields of these two types have exact values (place) */
	const uint64_t *lengths = s->index.field[field].length[v->ip.family == 6];
	for (unsigned word = 0; word < 3; word++) {
		for (uint64_t left = lengths[word]; left != 0; left &= left - 1) {
			unsigned bits = word * 64 + (unsigned)__builtin_ctzll(left);
			struct exact e = exact_network(field, &v->ip, bits);
			look_up(s, &e);
		}
	}
}

static void
look_at_field(struct rules *s, unsigned field)
{
	struct rule_index *x = &s->index;
	if (x->field[field].search)
		rule_search(s, field);
	for (uint32_t i = 0; i < x->field[field].atoms; i++)
		(void)rule_ask(s, &s->atom[x->field[field].atom[i]]);
}

void
rule_index_begin(struct rules *s)
{
	struct rule_index *x = &s->index;
	memcpy(x->candidate, x->always, x->words * sizeof *x->candidate);
}

void
rule_index_look(struct rules *s)
{
	struct rule_index *x = &s->index;
	struct record_value v;
	for (unsigned i = 0; i < x->asked_count; i++) {
		uint16_t field = x->asked[i];
		struct value_walk w = {.field = field};
		if (field != ANY_TEXT && !rule_has(s, field))
			continue;
		while (x->field[field].exact && rule_value(s, &w, &v))
			look_up_value(s, field, &v);
		look_at_field(s, field);
	}
}

bool
rule_index_next(const struct rule_index *x, uint32_t *at, uint32_t *rule)
{
	for (uint32_t word = *at / 64; word < x->words; word++) {
		uint64_t left = x->candidate[word];
		if (word == *at / 64)
			left &= ~0ull << *at % 64;
		if (left != 0) {
			*rule = word * 64 + (uint32_t)__builtin_ctzll(left);
			*at = *rule + 1;
			return true;
		}
	}
	return false;
}
