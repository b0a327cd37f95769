/*
 * Texts of rules as patterns: see rule_pattern.h.
 */
#include "judge/rule_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "base/text.h"

#define PATTERNS 4096u /* that one line may expand to */

/* Whose text it is, for messages. */
struct place {
	struct rule_reader *r;
	int key_node;
};

static struct pattern *
patterns_add(struct place *l, struct patterns *out)
{
	if (out->count == PATTERNS) {
		yaml_fail(l->r->yaml, l->key_node, "the values expand to more than %u texts",
		    PATTERNS);
		return NULL;
	}
	struct pattern *grown = array_room(out->p, out->count, sizeof *grown);
	if (grown == NULL) {
		yaml_fail(l->r->yaml, 0, "no memory");
		return NULL;
	}
	out->p = grown;
	grown[out->count].len = 0;
	return &grown[out->count++];
}

static bool
put_unit(struct place *l, struct pattern *p, unsigned unit)
{
	if (p->len == PATTERN)
		return yaml_fail(l->r->yaml, l->key_node, "a text of more than %u octets", PATTERN);
	p->unit[p->len++] = (uint16_t)unit;
	return true;
}

/* Text to units; a backslash takes the meaning of *, ? and of itself. */
static bool
read_units(struct place *l, struct pattern *p, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned c = (uint8_t)s[i];
		if (c == '\\' && i + 1 < len &&
		    (s[i + 1] == '*' || s[i + 1] == '?' || s[i + 1] == '\\'))
			c = (uint8_t)s[++i];
		else if (c == '*')
			c = WILD_MANY;
		else if (c == '?')
			c = WILD_ONE;
		if (c == WILD_MANY && p->len > 0 && p->unit[p->len - 1] == WILD_MANY)
			continue;
		if (!put_unit(l, p, c))
			return false;
	}
	return true;
}

static const struct placeholder *
find_placeholder(const struct rules *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->placeholders; i++) {
		if (strlen(s->placeholder[i].name) == len &&
		    memcmp(s->placeholder[i].name, name, len) == 0)
			return &s->placeholder[i];
	}
	return NULL;
}

static bool
refuse_placeholder(const struct place *l, int node, const char *name, size_t len)
{
	const struct rules *set = l->r->set;
	const char *known[LIMIT_PLACEHOLDERS + 2] = {NULL};
	size_t n = 0;
	while (n < set->placeholders && n < sizeof known / sizeof *known) {
		known[n] = set->placeholder[n].name;
		n++;
	}
	size_t best = nearest(name, len, known, n);
	return yaml_fail(l->r->yaml, node,
	    "%%%.*s%% has no value: give it one under 'placeholders' in the configuration%s%s%s",
	    (int)(len < 64 ? len : 64), name, best < n ? "; did you mean %" : "",
	    best < n ? known[best] : "", best < n ? "%?" : "");
}

/* Where a placeholder (%name%) begins at or behind `at`, or `len`; *end: behind it. */
static size_t
next_placeholder(const char *s, size_t len, size_t at, size_t *end)
{
	for (; at < len; at++) {
		if (s[at] == '\\' && at + 1 < len && s[at + 1] == '%') {
			at++;
			continue;
		}
		if (s[at] != '%')
			continue;
		size_t n = strspn(s + at + 1,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
		if (n > 0 && s[at + 1 + n] == '%') {
			*end = at + n + 2;
			return at;
		}
	}
	return len;
}

/* Adds to `out` what the text becomes when its placeholders are filled in, in all ways. */
static bool
expand(struct place *l, int node, const char *s, struct text *head, struct patterns *out,
    unsigned depth)
{
	size_t len = strlen(s), end = len, at = next_placeholder(s, len, 0, &end),
	       before = head->len;
	for (size_t i = 0; i < at; i++) {
		if (!(s[i] == '\\' && s[i + 1] == '%'))
			text_putc(head, s[i]);
	}
	if (head->cut)
		return yaml_fail(l->r->yaml, node, "a text of more than %u octets", PATTERN);
	bool good = true;
	if (at == len) {
		struct pattern *p = patterns_add(l, out);
		good = p != NULL && read_units(l, p, head->buf, head->len);
	} else {
		const struct placeholder *p = find_placeholder(l->r->set, s + at + 1, end - at - 2);
		if (p == NULL)
			return refuse_placeholder(l, node, s + at + 1, end - at - 2);
		if (depth == 4)
			return yaml_fail(l->r->yaml, node, "too many placeholders in one text");
		for (size_t i = 0; good && i < p->count; i++) {
			size_t mark = head->len;
			text_puts(head, p->values[i]);
			good = expand(l, node, s + end, head, out, depth + 1);
			head->len = mark;
			head->buf[mark] = '\0';
		}
	}
	head->len = before;
	head->buf[before] = '\0';
	return good;
}

/* The five characters that a command line may take for each other, in UTF-8. */
static const char *const dashes[] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95"};

static unsigned
dash_at(const struct pattern *p, size_t at, size_t *len)
{
	for (unsigned d = 0; d < 5; d++) {
		size_t n = strlen(dashes[d]), i = 0;
		while (i < n && at + i < p->len && p->unit[at + i] == (uint8_t)dashes[d][i])
			i++;
		if (i == n) {
			*len = n;
			return d;
		}
	}
	return 5;
}

static bool
windash(struct place *l, const struct pattern *p, size_t at, const struct pattern *head,
    struct patterns *out)
{
	struct pattern now = *head;
	size_t len = 0;
	while (at < p->len && dash_at(p, at, &len) == 5) {
		if (!put_unit(l, &now, p->unit[at++]))
			return false;
	}
	if (at == p->len) {
		struct pattern *new = patterns_add(l, out);
		if (new != NULL)
			*new = now;
		return new != NULL;
	}
	for (unsigned d = 0; d < 5; d++) {
		struct pattern with = now;
		for (const char *s = dashes[d]; *s != '\0'; s++) {
			if (!put_unit(l, &with, (uint8_t)*s))
				return false;
		}
		if (!windash(l, p, at + len, &with, out))
			return false;
	}
	return true;
}

/* The octets of a pattern; false with a message where it has wildcards. */
static bool
octets_of(struct place *l, const struct pattern *p, uint8_t *out)
{
	for (size_t i = 0; i < p->len; i++) {
		if (p->unit[i] > 255)
			return yaml_fail(l->r->yaml, l->key_node,
			    "an encoded text cannot have wildcards; write \\* and \\? for the "
			    "characters");
		out[i] = (uint8_t)p->unit[i];
	}
	return true;
}

static bool
utf16(struct place *l, struct pattern *p, enum pattern_change m)
{
	uint8_t s[PATTERN] = {0};
	size_t len = p->len;
	if (!octets_of(l, p, s))
		return false;
	bool big = m == CHANGE_UTF16BE;
	p->len = 0;
	if (m == CHANGE_UTF16 && !(put_unit(l, p, 0xff) && put_unit(l, p, 0xfe)))
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_char(s + i, len - i);
		static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
		if (n == 0)
			return yaml_fail(l->r->yaml, l->key_node, "the text is not UTF-8");
		uint32_t c = s[i] & mask[n];
		for (size_t k = 1; k < n; k++)
			c = c << 6 | (s[i + k] & 0x3f);
		i += n;
		unsigned word[2] = {c, 0}, words = 1;
		if (c > 0xffff) {
			word[0] = 0xd800 + ((c - 0x10000) >> 10);
			word[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
			words = 2;
		}
		for (unsigned w = 0; w < words; w++) {
			unsigned high = word[w] >> 8, low = word[w] & 255;
			if (!put_unit(l, p, big ? high : low) || !put_unit(l, p, big ? low : high))
				return false;
		}
	}
	return true;
}

/* Base64 of `skip` unknown octets and the text: the part that does not depend on what is around. */
static bool
base64(struct place *l, const struct pattern *p, size_t skip, bool part, struct patterns *out)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const size_t first[] = {0, 2, 3}; /* digits that unknown octets touch */
	uint8_t s[PATTERN + 4] = {0};
	if (!octets_of(l, p, s + skip))
		return false;
	struct pattern *new = patterns_add(l, out);
	size_t len = p->len + skip, digits = part ? len * 8 / 6 : (len + 2) / 3 * 4;
	if (new == NULL)
		return false;
	for (size_t d = part ? first[skip] : 0; d < digits; d++) {
		size_t bit = d * 6, at = bit / 8;
		unsigned two = (unsigned)s[at] << 8 | s[at + 1];
		bool padding = bit >= len * 8;
		if (!put_unit(l, new,
			padding ? '=' : (uint8_t)alphabet[two >> (10 - bit % 8) & 63]))
			return false;
	}
	return new->len > 0 ||
	    yaml_fail(l->r->yaml, l->key_node, "the text is too short for base64offset");
}

/* One step of the changes: every pattern of `in` by the modifier. */
static bool
change(struct place *l, enum pattern_change m, struct patterns *in)
{
	static const struct pattern empty;
	struct patterns out = {0};
	bool good = true;
	for (size_t i = 0; good && i < in->count; i++) {
		struct pattern *p = &in->p[i];
		if (m == CHANGE_WINDASH) {
			good = windash(l, p, 0, &empty, &out);
		} else if (m == CHANGE_BASE64) {
			good = base64(l, p, 0, false, &out);
		} else if (m == CHANGE_BASE64OFFSET) {
			for (size_t skip = 0; good && skip < 3; skip++)
				good = base64(l, p, skip, true, &out);
		} else {
			good = utf16(l, p, m);
		}
	}
	if (m == CHANGE_WINDASH || m == CHANGE_BASE64 || m == CHANGE_BASE64OFFSET) {
		free(in->p);
		*in = out;
	}
	return good;
}

bool
patterns_read(struct rule_reader *r, int node, const char *text, bool expands, struct patterns *out)
{
	struct place l = {r, node};
	char buf[PATTERN];
	struct text head = text_in(buf, sizeof buf);
	if (expands)
		return expand(&l, node, text, &head, out, 0);
	struct pattern *p = patterns_add(&l, out);
	return p != NULL && read_units(&l, p, text, strlen(text));
}

bool
patterns_change(struct rule_reader *r, int node, enum pattern_change how, struct patterns *ps)
{
	struct place l = {r, node};
	return change(&l, how, ps);
}
