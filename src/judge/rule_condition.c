/*
 * Conditions: "selection and not 1 of filter_*".
 *
 *   or     = and { "or" and }
 *   and    = not { "and" not }
 *   not    = [ "not" ] atom
 *   atom   = "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | name
 *
 * Read by recursive descent, bounded in depth.  Words of the grammar are blind to case.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "judge/rule.h"

#define DEPTH 32u  /* parentheses and nots inside each other */
#define TERMS 256u /* operands of one and, one or */

struct parser {
	struct rule_reader *r;
	int node;	  /* of the text, for messages */
	const char *s;	  /* what is left */
	const char *word; /* the one at hand */
	size_t len;	  /* its octets; 0 at the end */
	struct identifier *ids;
	size_t count;
	unsigned depth;
};

static const struct node *parse_or(struct parser *p);

static const struct node *
fail(struct parser *p, const char *what)
{
	if (p->len > 0)
		yaml_fail(p->r->yaml, p->node, "condition: %s at '%.*s'", what,
		    (int)(p->len < 64 ? p->len : 64), p->word);
	else
		yaml_fail(p->r->yaml, p->node, "condition: %s at its end", what);
	return NULL;
}

static void
advance(struct parser *p)
{
	p->s += strspn(p->s, " \t\r\n");
	p->word = p->s;
	if (*p->s == '(' || *p->s == ')')
		p->len = 1;
	else
		p->len = strcspn(p->s, " \t\r\n()");
	p->s += p->len;
}

static bool
is(const struct parser *p, const char *word)
{
	return ascii_is(p->word, p->len, word);
}

/* Does a name match a pattern of "1 of"? '*' stands for any octets. */
static bool
name_matches(const char *pattern, size_t n, const char *name)
{
	uint16_t unit[128];
	if (n > sizeof unit / sizeof *unit)
		return false;
	for (size_t i = 0; i < n; i++)
		unit[i] = pattern[i] == '*' ? WILD_MANY : (uint8_t)pattern[i];
	return rule_glob(unit, n, true, name, strlen(name));
}

static const struct node *
parse_of(struct parser *p, bool all)
{
	const struct node *found[TERMS];
	uint32_t count = 0;
	advance(p);
	if (p->len == 0 || *p->word == '(' || *p->word == ')')
		return fail(p, "a name, a pattern or 'them' is expected");
	bool them = is(p, "them");
	for (size_t i = 0; i < p->count; i++) {
		struct identifier *id = &p->ids[i];
		if (them ? id->name[0] == '_' : !name_matches(p->word, p->len, id->name))
			continue;
		if (count == TERMS)
			return fail(p, "too many names");
		id->used = true;
		found[count++] = id->node;
	}
	if (count == 0)
		return fail(p, "no name matches the pattern");
	struct node *n = rule_node(p->r->set, all ? NODE_AND : NODE_OR, count);
	if (n == NULL)
		return fail(p, "no memory");
	memcpy(n->child, found, count * sizeof *found);
	advance(p);
	return n;
}

static const struct node *
parse_name(struct parser *p)
{
	const char *names[TERMS] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++) {
		struct identifier *id = &p->ids[i];
		if (strlen(id->name) == p->len && memcmp(id->name, p->word, p->len) == 0) {
			id->used = true;
			advance(p);
			return id->node;
		}
		if (n < TERMS)
			names[n++] = id->name;
	}
	size_t best = nearest(p->word, p->len, names, n);
	yaml_fail(p->r->yaml, p->node, "condition: there is no '%.*s'%s%s%s",
	    (int)(p->len < 64 ? p->len : 64), p->word, best < n ? "; did you mean '" : "",
	    best < n ? names[best] : "", best < n ? "'?" : "");
	return NULL;
}

static const struct node *
parse_atom(struct parser *p)
{
	if (p->len == 0 || is(p, "and") || is(p, "or") || is(p, ")"))
		return fail(p, "a name is expected");
	if (is(p, "(")) {
		advance(p);
		const struct node *n = parse_or(p);
		if (n == NULL)
			return NULL;
		if (!is(p, ")"))
			return fail(p, "')' is expected");
		advance(p);
		return n;
	}
	if (p->word[0] == '|')
		return fail(p, "aggregations behind '|' are of old Sigma: write a correlation");
	/* "1 of" and the like; a name may be "all", too */
	bool all = is(p, "all"), digit = p->word[0] >= '0' && p->word[0] <= '9';
	if (all || digit || is(p, "any")) {
		struct parser ahead = *p;
		advance(&ahead);
		if (is(&ahead, "of")) {
			if (digit && !is(p, "1"))
				return fail(p, "only '1 of', 'any of' and 'all of' are known");
			*p = ahead;
			return parse_of(p, all);
		}
	}
	return parse_name(p);
}

static const struct node *
parse_not(struct parser *p)
{
	if (++p->depth > DEPTH)
		return fail(p, "nested too deeply");
	const struct node *n;
	if (is(p, "not")) {
		advance(p);
		n = parse_not(p);
		if (n != NULL && (n = rule_node_not(p->r->set, n)) == NULL)
			return fail(p, "no memory");
	} else {
		n = parse_atom(p);
	}
	p->depth--;
	return n;
}

static const struct node *
parse_row(struct parser *p, enum node_kind kind)
{
	const struct node *term[TERMS];
	uint32_t count = 0;
	for (;;) {
		if (count == TERMS)
			return fail(p, "too many operands");
		term[count] = kind == NODE_OR ? parse_row(p, NODE_AND) : parse_not(p);
		if (term[count++] == NULL)
			return NULL;
		if (!is(p, kind == NODE_OR ? "or" : "and"))
			break;
		advance(p);
	}
	if (count == 1)
		return term[0];
	struct node *n = rule_node(p->r->set, kind, count);
	if (n == NULL)
		return fail(p, "no memory");
	memcpy(n->child, term, count * sizeof *term);
	return n;
}

static const struct node *
parse_or(struct parser *p)
{
	return parse_row(p, NODE_OR);
}

const struct node *
rule_condition_read(struct rule_reader *r, int node, struct identifier *ids, size_t count)
{
	const char *text;
	if (!yaml_need_text(r->yaml, node, &text))
		return NULL;
	struct parser p = {.r = r, .node = node, .s = text, .ids = ids, .count = count};
	advance(&p);
	const struct node *n = parse_or(&p);
	if (n == NULL)
		return NULL;
	if (p.len > 0 && p.word[0] == '|')
		return fail(&p, "aggregations behind '|' are of old Sigma: write a correlation");
	return p.len == 0 ? n : fail(&p, "'and' or 'or' is expected");
}
