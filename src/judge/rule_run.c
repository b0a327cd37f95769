/*
 * The longest text that whatever a pattern or an expression matches must have in it, so that the
 * automaton of the field finds where it is worth trying.
 *
 * Of an expression only what stands plainly at its top level counts: no group, no class, nothing
 * that may be left out.  Where alternatives or options could change what the rest means, there is
 * none.  Letters beyond ASCII, and those that have a capital there (K is also U+212A, s U+017F)
 * where case does not count, are no part of it.
 */
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"
#include "judge/rule.h"

#define RUN_MIN 2u /* octets worth looking for */

struct run {
	char *best; /* room for as many octets as the source has */
	size_t best_len;
	char *now;
	size_t now_len;
};

static void
run_end(struct run *r)
{
	if (r->now_len > r->best_len) {
		memcpy(r->best, r->now, r->now_len);
		r->best_len = r->now_len;
	}
	r->now_len = 0;
}

static void
of_pattern(struct run *r, const struct atom *a)
{
	for (uint32_t i = 0; i < a->len; i++) {
		if (a->pattern[i] < 256)
			r->now[r->now_len++] = (char)a->pattern[i];
		else
			run_end(r);
	}
}

/* One past the class that begins at `i`; 0 where its end is not plain to see. */
static size_t
class_end(const char *s, size_t len, size_t i)
{
	i += i + 1 < len && s[i + 1] == '^' ? 2 : 1;
	for (size_t from = i; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '[' && i + 1 < len && strchr(":.=", s[i + 1]) != NULL)
			return 0; /* [[:alpha:]]: not worth it */
		else if (s[i] == ']' && i > from)
			return i + 1;
	}
	return 0;
}

/* One past the group that begins at `i`; 0 where its end is not plain to see. */
static size_t
group_end(const char *s, size_t len, size_t i)
{
	unsigned depth = 0;
	while (i < len) {
		if (s[i] == '\\') {
			i += 2;
			continue;
		}
		if (s[i] == '[') {
			i = class_end(s, len, i);
			if (i == 0)
				return 0;
			continue;
		}
		depth += s[i] == '(';
		depth -= s[i] == ')';
		i++;
		if (depth == 0)
			return i;
	}
	return 0;
}

/* One past the number of times that begins at `i`, as {2,3}; 0 where the brace is but a brace. */
static size_t
times_end(const char *s, size_t len, size_t i)
{
	while (++i < len && strchr("0123456789, ", s[i]) != NULL)
		;
	return i < len && s[i] == '}' ? i + 1 : 0;
}

/* One past what begins at `i` with that octet and has an end of its own; 0: see above. */
static size_t
end_of(const char *s, size_t len, size_t i, char c)
{
	return c == '(' ? group_end(s, len, i)
	    : c == '['	? class_end(s, len, i)
	    : c == '{'	? times_end(s, len, i)
			: i + 1;
}

static bool
is_alnum(char c)
{
	char lower = ascii_lower(c);
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static void
add(struct run *r, char c, bool caseless)
{
	if ((c & 0x80) != 0 || (caseless && strchr("kKsS", c) != NULL))
		run_end(r);
	else
		r->now[r->now_len++] = c;
}

/* Has it options or verbs, quotations or control characters, in which brackets mean nothing? */
static bool
is_intricate(const char *s, size_t len)
{
	static const char signs[][3] = {"(?", "(*", "\\Q", "\\E", "\\c"};
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (memmem(s, len, signs[i], 2) != NULL)
			return true;
	}
	return memchr(s, '\0', len) != NULL;
}

/* False: nothing can be said of such an expression. */
static bool
of_expression(struct run *r, const char *s, size_t len, bool caseless)
{
	if (is_intricate(s, len))
		return false;
	for (size_t i = 0; i < len;) {
		char c = s[i];
		if (c == '|')
			return false;
		if (strchr("([*?{", c) != NULL) {
			if (c != '(' && c != '[') /* what stands before may be left out */
				r->now_len -= r->now_len > 0;
			run_end(r);
			i = end_of(s, len, i, c);
			if (i == 0)
				return false;
		} else if (strchr("+.^$", c) != NULL) {
			run_end(r);
			i++;
		} else if (c == '\\') {
			if (i + 1 == len)
				return false;
			if (strchr("dDwWsSbBAzZ", s[i + 1]) != NULL)
				run_end(r);
			else if (is_alnum(s[i + 1]))
				return false; /* a code or a reference */
			else
				add(r, s[i + 1], caseless);
			i += 2;
		} else {
			add(r, c, caseless);
			i++;
		}
	}
	return true;
}

bool
rule_run_find(struct rules *s, struct atom *a)
{
	struct run r = {.best_len = 0};
	bool known = true;
	if (a->kind != ATOM_GLOB && a->kind != ATOM_REGEX)
		return true;
	r.best = arena_take(&s->arena, a->len + 1);
	r.now = arena_take(&s->arena, a->len + 1);
	if (r.best == NULL || r.now == NULL)
		return false;
	if (a->kind == ATOM_GLOB)
		of_pattern(&r, a);
	else
		known = of_expression(&r, a->text, a->len, (a->options & PCRE2_CASELESS) != 0);
	run_end(&r);
	a->run = r.best;
	a->run_len = known && r.best_len >= RUN_MIN ? (uint32_t)r.best_len : 0;
	return true;
}
