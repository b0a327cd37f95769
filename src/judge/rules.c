/*
 * A set of rules: made ready when all is read, and asked for each record.
 *
 * Linking finds the rules that filters and correlations name, orders the correlations so that one
 * that another names comes first, and makes the matchers and the index.  A record costs one look at
 * each rule that the index finds, which ends at the first test that fails; tests that rules share
 * are made once.
 */
#include "judge/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "base/text.h"
#include "judge/rule_correlation.h"

static bool
copy_placeholder(struct rules *s, const struct placeholder *p)
{
	struct placeholder *to = &s->placeholder[s->placeholders++];
	const char **values = arena_take(&s->arena, (p->count + 1) * sizeof *values);
	to->name = arena_copy(&s->arena, p->name, strlen(p->name));
	to->values = values;
	to->count = p->count;
	if (values == NULL || to->name == NULL)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		values[i] = arena_copy(&s->arena, p->values[i], strlen(p->values[i]));
		if (values[i] == NULL)
			return false;
	}
	return true;
}

struct rules *
rules_new(const struct placeholder *placeholders, size_t count)
{
	struct rules *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	hash_key_draw(&s->key);
	bool good = map_init(&s->atom_ids, "tests of rules", sizeof(uint64_t), sizeof(uint32_t),
	    LIMIT_RULE_ATOMS);
	s->placeholder = arena_take(&s->arena, (count + 1) * sizeof *s->placeholder);
	s->match_context = pcre2_match_context_create(NULL);
	s->match_data = pcre2_match_data_create(1, NULL);
	if (!good || s->placeholder == NULL || s->match_context == NULL || s->match_data == NULL) {
		rules_free(s);
		return NULL;
	}
	pcre2_set_match_limit(s->match_context, LIMIT_RULE_STEPS);
	pcre2_set_depth_limit(s->match_context, LIMIT_RULE_STEPS);
	pcre2_set_heap_limit(s->match_context, 1024); /* KiB */
	for (unsigned f = 0; f < FIELDS; f++)
		s->canonical[f] = (uint16_t)field_first((enum field)f);
	for (unsigned f = 1; f < FIELDS; f++) { /* fields of one name stand together */
		if (s->canonical[f] != f)
			s->same[f - 1] = (uint16_t)f;
	}
	for (size_t i = 0; i < count; i++) {
		if (!copy_placeholder(s, &placeholders[i])) {
			rules_free(s);
			return NULL;
		}
	}
	return s;
}

void
rules_free(struct rules *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->atoms; i++)
		pcre2_code_free(s->atom[i].regex);
	for (size_t i = 0; i < s->rules; i++) {
		struct rule_body *b = s->rule[i]->body;
		if (b != NULL && b->correlation != NULL)
			map_free_all(&b->correlation->groups);
	}
	for (unsigned f = 0; f <= FIELDS; f++)
		literals_free(&s->literals[f]);
	rule_index_free(s);
	rule_memo_free(s);
	pcre2_match_data_free(s->match_data);
	pcre2_match_context_free(s->match_context);
	map_free_all(&s->atom_ids);
	arena_free_all(&s->arena);
	free(s->atom);
	free(s->rule);
	free(s->order);
	free(s);
}

/* ----------------------------------------------------------------------------- linking */

/* While a set is linked: where a message goes. */
struct linker {
	struct rules *set;
	const struct rule **by_name; /* ids and names, sorted */
	const char **key;	     /* of each */
	size_t keys;
	char *error;
};

/* Where a rule begins. */
static struct yaml_place
place_of(const struct rule *rule)
{
	return (struct yaml_place){rule->line, rule->column};
}

static bool
fail(struct linker *l, const struct rule *rule, struct yaml_place at, const char *what,
    const char *name, const char *more)
{
	struct text t = text_in(l->error, YAML_ERROR);
	text_printf(&t, "%s:%u:%u: ", rule->file, at.line, at.column);
	text_puts(&t, what);
	if (name != NULL)
		text_printf(&t, " '%.64s'", name);
	text_puts(&t, more);
	return false;
}

struct named {
	const char *key;
	const struct rule *rule;
};

static int
by_key(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	return strcmp(x->key, y->key);
}

/* All names and ids in their order; false where one stands for two rules. */
static bool
index_names(struct linker *l, struct named *names)
{
	const struct rules *s = l->set;
	size_t n = 0;
	for (size_t i = 0; i < s->rules; i++) {
		if (s->rule[i]->id[0] != '\0')
			names[n++] = (struct named){s->rule[i]->id, s->rule[i]};
		if (s->rule[i]->name[0] != '\0')
			names[n++] = (struct named){s->rule[i]->name, s->rule[i]};
	}
	if (n > 0)
		qsort(names, n, sizeof *names, by_key);
	for (size_t i = 0; i + 1 < n; i++) {
		const struct rule *x = names[i].rule, *y = names[i + 1].rule;
		if (strcmp(names[i].key, names[i + 1].key) != 0 || x == y)
			continue;
		const struct rule *first = x->number < y->number ? x : y,
				  *second = first == x ? y : x;
		char where[300];
		struct text t = text_in(where, sizeof where);
		text_printf(&t, " is that of %s:%u, too", first->file, first->line);
		return fail(l, second, place_of(second), "the name or id", names[i].key, t.buf);
	}
	l->keys = n;
	for (size_t i = 0; i < n; i++) {
		l->key[i] = names[i].key;
		l->by_name[i] = names[i].rule;
	}
	return true;
}

/* The rule of that name or id; NULL with a message. */
static const struct rule *
find_rule(struct linker *l, const struct rule *asking, struct yaml_place at, const char *name)
{
	size_t low = 0, high = l->keys;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strcmp(name, l->key[mid]);
		if (c == 0)
			return l->by_name[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	char more[160] = "";
	size_t best = nearest(name, strlen(name), l->key, l->keys);
	struct text t = text_in(more, sizeof more);
	if (best < l->keys)
		text_printf(&t, "; did you mean '%.64s'?", l->key[best]);
	fail(l, asking, at, "there is no rule", name, more);
	return NULL;
}

static bool
no_memory(struct linker *l)
{
	struct text t = text_in(l->error, YAML_ERROR);
	text_puts(&t, "no memory for the rules");
	return false;
}

/* Room for one more filter of a rule: an array in the arena that doubles. */
static bool
attach(struct linker *l, struct rule_body *b, const struct rule *filter)
{
	uint32_t n = b->filter_count;
	if ((n & (n - 1)) == 0) { /* 0 and powers of two: it is full */
		const struct rule **grown =
		    arena_take(&l->set->arena, (n == 0 ? 1 : 2 * n) * sizeof(struct rule *));
		if (grown == NULL)
			return no_memory(l);
		if (n > 0)
			memcpy(grown, b->filters, n * sizeof(struct rule *));
		b->filters = grown;
	}
	b->filters[b->filter_count++] = filter;
	return true;
}

static bool
link_filter(struct linker *l, const struct rule *filter)
{
	struct rules *s = l->set;
	const struct rule_body *f = filter->body;
	/* A filter says what a rule may still match.  One that lets nothing pass of what it does
	 * not name was meant the other way round. */
	if (filter->exception) {
		static const struct record empty;
		rule_view(s, &empty);
		if (!rule_holds(s, f->root))
			return fail(l, filter, place_of(filter), "the exception", filter->title,
			    " accepts everything that it does not name: did you mean 'condition: "
			    "not selection'?");
	}
	if (f->targets == NULL) {
		for (size_t i = 0; i < s->rules; i++) {
			if (s->rule[i]->kind == RULE_DETECTION &&
			    s->rule[i]->body->kinds & f->kinds &&
			    !attach(l, s->rule[i]->body, filter))
				return false;
		}
		return true;
	}
	for (unsigned i = 0; i < f->target_count; i++) {
		const struct rule *rule = find_rule(l, filter, f->target_places[i], f->targets[i]);
		if (rule == NULL)
			return false;
		if (rule->kind != RULE_DETECTION)
			return fail(l, filter, f->target_places[i], "", f->targets[i],
			    " is no detection rule: a filter is for the rules that a correlation "
			    "names");
		if (!attach(l, rule->body, filter))
			return false;
	}
	return true;
}

static bool
link_correlation(struct linker *l, struct rule *rule)
{
	struct correlation *c = rule->body->correlation;
	for (unsigned i = 0; i < c->rules; i++) {
		c->rule[i] = find_rule(l, rule, c->rule_place[i], c->rule_name[i]);
		if (c->rule[i] == NULL)
			return false;
		if (c->rule[i]->kind == RULE_FILTER)
			return fail(l, rule, c->rule_place[i], "", c->rule_name[i],
			    " is a filter: events are those of rules");
	}
	/* its alerts are those of its groups, by the fields of the rule that comes last */
	rule->single = rule->keys == 0 && c->keys == 0;
	for (unsigned i = 0; i < c->keys && rule->keys == i; i++)
		rule->key[rule->keys++] = c->key[i][c->rules - 1];
	if (!rule_window_init(c))
		return no_memory(l);
	rule_keep_digest(rule);
	return true;
}

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* Puts a correlation behind those that it names; false where it names itself in the end.  Where it
 * says no level it has that of the gravest of them, which may come later in the files. */
static bool
order(struct linker *l, struct rule *rule)
{
	struct rules *s = l->set;
	const struct correlation *c = rule->body->correlation;
	if (c == NULL || rule->body->mark == MARK_DONE)
		return true;
	if (rule->body->mark == MARK_OPEN)
		return fail(l, rule, place_of(rule), "the correlation", rule->title,
		    " names itself, by way of others perhaps");
	rule->body->mark = MARK_OPEN;
	enum level gravest = LEVEL_NONE;
	for (unsigned i = 0; i < c->rules; i++) {
		if (!order(l, s->rule[c->rule[i]->number]))
			return false;
		if (c->rule[i]->level > gravest)
			gravest = c->rule[i]->level;
	}
	if (rule->level == LEVEL_NONE)
		rule->level = gravest;
	rule->body->mark = MARK_DONE;
	s->order[s->correlations++] = rule->number;
	return true;
}

/* Rules that correlations name say nothing of their own, unless one of these asks for it. */
static void
silence(struct rules *s)
{
	for (size_t i = 0; i < s->correlations; i++) {
		const struct correlation *c = s->rule[s->order[i]]->body->correlation;
		for (unsigned k = 0; k < c->rules; k++)
			s->rule[c->rule[k]->number]->silent = true;
	}
	for (size_t i = 0; i < s->correlations; i++) {
		const struct correlation *c = s->rule[s->order[i]]->body->correlation;
		for (unsigned k = 0; c->generate && k < c->rules; k++)
			s->rule[c->rule[k]->number]->silent = false;
	}
}

static bool
make_matchers(struct linker *l)
{
	struct rules *s = l->set;
	for (size_t i = 0; i < s->atoms; i++) {
		struct atom *a = &s->atom[i];
		if (!rule_run_find(s, a))
			return no_memory(l);
		bool literal = a->kind == ATOM_LITERAL;
		if ((literal || a->run_len > 0) &&
		    !literals_add(&s->literals[a->field], literal ? a->text : a->run,
			literal ? a->len : a->run_len, (uint32_t)i))
			return no_memory(l);
		if (a->kind == ATOM_REGEX) {
			int error;
			PCRE2_SIZE at;
			a->regex = pcre2_compile((PCRE2_SPTR)a->text, a->len, a->options, &error,
			    &at, NULL);
			if (a->regex == NULL)
				return no_memory(l);
			pcre2_jit_compile(a->regex, PCRE2_JIT_COMPLETE); /* faster, where it can */
		}
	}
	for (unsigned f = 0; f <= FIELDS; f++) {
		if (!literals_build(&s->literals[f]))
			return no_memory(l);
	}
	return (rule_index_build(s) && rule_memo_build(s)) || no_memory(l);
}

static bool
link_all(struct linker *l)
{
	struct rules *s = l->set;
	for (size_t i = 0; i < s->rules; i++) {
		struct rule *rule = s->rule[i];
		if (rule->kind == RULE_FILTER && rule->active && !link_filter(l, rule))
			return false;
		if (rule->kind == RULE_CORRELATION && !link_correlation(l, rule))
			return false;
	}
	for (size_t i = 0; i < s->rules; i++) {
		if (!order(l, s->rule[i]))
			return false;
	}
	silence(s);
	return true;
}

bool
rules_link(struct rules *s, char *error)
{
	struct linker l = {.set = s, .error = error};
	size_t room = 2 * s->rules + 1;
	struct named *names = calloc(room, sizeof *names);
	l.by_name = calloc(room, sizeof(struct rule *));
	l.key = calloc(room, sizeof *l.key);
	s->order = calloc(s->rules + 1, sizeof *s->order);
	bool good = names != NULL && l.by_name != NULL && l.key != NULL && s->order != NULL;
	if (!good)
		no_memory(&l);
	good = good && make_matchers(&l) && index_names(&l, names) && link_all(&l);
	free(names);
	free(l.by_name);
	free(l.key);
	s->linked = good;
	return good;
}

void
rules_set_key(struct rules *s, const struct hash_key *key)
{
	s->key = *key;
}

void
rules_tell_apart(struct rules *s, const uint16_t *fields, size_t n)
{
	s->apart = fields;
	s->aparts = n;
}

uint8_t *
rules_note(struct rules *s)
{
	return s->memo.note;
}

size_t
rules_count(const struct rules *s)
{
	return s->rules;
}

const struct rule *
rules_at(const struct rules *s, size_t i)
{
	return s->rule[i];
}

static bool
correlation_asks(const struct correlation *c, enum field first)
{
	for (unsigned k = 0; k < c->keys; k++) {
		for (unsigned i = 0; i < c->rules; i++) {
			if (field_first((enum field)c->key[k][i]) == first)
				return true;
		}
	}
	return field_first((enum field)c->field) == first;
}

bool
rules_ask(const struct rules *s, enum field field)
{
	const enum field first = field_first(field);
	for (size_t i = 0; i < s->atoms; i++) {
		const struct atom *a = &s->atom[i];
		if (a->field == ANY_TEXT || a->field == first ||
		    (a->kind == ATOM_FIELD && field_first((enum field)a->other) == first))
			return true;
	}
	for (size_t i = 0; i < s->rules; i++) {
		const struct rule *rule = s->rule[i];
		const struct correlation *c = rule->body->correlation;
		for (unsigned k = 0; k < rule->keys; k++) {
			if (field_first((enum field)rule->key[k]) == first)
				return true;
		}
		if (c != NULL && correlation_asks(c, first))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------------------- matching */

/* Do the filters let the match pass?  The exception that does not, where that is why. */
static bool
passes(struct rules *s, const struct rule *rule, unsigned kind, int64_t now_ns,
    const struct rule **accepted)
{
	const struct rule_body *b = rule->body;
	*accepted = NULL;
	for (uint32_t i = 0; i < b->filter_count; i++) {
		const struct rule *f = b->filters[i];
		bool due = f->body->kinds & 1u << kind && (!f->exception || now_ns < f->expires_ns);
		if (!due || rule_holds(s, f->body->root))
			continue;
		if (!f->exception)
			return false;
		if (*accepted == NULL)
			*accepted = f;
	}
	return true;
}

/* Which rules match the record at hand, their filters asked as well. */
static void
find_matches(struct rules *s, int64_t now_ns)
{
	uint64_t given_up = s->given_up;
	uint32_t i;
	s->matches = 0;
	rule_index_look(s);
	for (uint32_t at = 0; rule_index_next(&s->index, &at, &i);) {
		const struct rule *rule = s->rule[i], *accepted = NULL;
		const struct rule_body *b = rule->body;
		if (!rule->active || !(b->kinds & 1u << s->view->kind) || !rule_holds(s, b->root) ||
		    !passes(s, rule, s->view->kind, now_ns, &accepted))
			continue;
		s->match[s->matches++] =
		    (struct rule_match){i, accepted != NULL ? accepted->number + 1 : 0};
	}
	if (s->given_up == given_up) /* each time that an expression gives up is counted */
		rule_memo_keep(s);
}

size_t
rules_match(struct rules *s, const struct record *r, int64_t now_ns, struct rule_hit *hits)
{
	size_t count = 0;
	s->view = NULL;
	if (!s->linked || r->kind > RECORD_SENSOR)
		return 0;
	for (size_t i = 0; i < s->matches; i++) /* of the record before */
		s->rule[s->match[i].rule]->body->hit = false;
	rule_view(s, r);
	rule_index_begin(s);
	if (!rule_memo_find(s, now_ns))
		find_matches(s, now_ns);
	for (size_t i = 0; i < s->matches; i++) {
		const struct rule_match *m = &s->match[i];
		const struct rule *rule = s->rule[m->rule];
		rule->body->hit = m->accepted == 0;
		if (!rule->silent && count < RULE_HITS)
			hits[count++] = (struct rule_hit){rule,
			    m->accepted != 0 ? s->rule[m->accepted - 1] : NULL};
	}
	for (size_t k = 0; k < s->correlations; k++) {
		const struct rule *rule = s->rule[s->order[k]];
		rule->body->hit = false;
		if (rule->active)
			rule_window_expect(s, rule->body->correlation);
	}
	return count;
}

void
rules_expect(const struct rules *s)
{
	for (size_t k = 0; k < s->correlations; k++) {
		const struct correlation *c = s->rule[s->order[k]]->body->correlation;
		if (c->expected_at > 0)
			map_expect_value(&c->groups, c->expected_hash);
	}
}

size_t
rules_correlate(struct rules *s, int64_t now_ns, struct rule_hit *hits, size_t count)
{
	for (size_t k = 0; k < s->correlations && s->view != NULL; k++) {
		const struct rule *rule = s->rule[s->order[k]];
		rule->body->hit =
		    rule->active && rule_window_push(s, rule->body->correlation, now_ns);
		if (rule->body->hit && !rule->silent && count < RULE_HITS)
			hits[count++] = (struct rule_hit){rule, NULL};
	}
	return count;
}

uint64_t
rules_given_up(const struct rules *s)
{
	return s->given_up;
}
