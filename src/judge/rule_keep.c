/*
 * What correlations remember, handed to the state file and taken from it.
 *
 * A window is kept as it is in memory (octets of this kind of machine, as all of the state file),
 * under the digest of its correlation: of one that was changed nothing is taken over.  What is
 * taken is looked at first, so that no octets can do harm.
 */
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "judge/rule_correlation.h"

/* A text with an end that no other text can imitate. */
static void
add(struct text *t, const char *s)
{
	text_printf(t, "%zu:%s ", strlen(s), s);
}

void
rule_keep_digest(const struct rule *rule)
{
	struct correlation *c = rule->body->correlation;
	char buf[8192];
	uint8_t sum[DIGEST_MAX];
	struct text t = text_in(buf, sizeof buf);
	add(&t, rule->id[0] != '\0' ? rule->id : rule->title);
	text_printf(&t, "%u %u %lld %u %u ", c->kind, c->window, (long long)c->timespan_ns, c->keys,
	    c->rules);
	add(&t, field_table[c->field].name);
	for (unsigned i = 0; i < c->rules; i++) {
		add(&t, c->rule_name[i]);
		for (unsigned k = 0; k < c->keys; k++)
			add(&t, field_table[c->key[k][i]].name);
	}
	digest(DIGEST_SHA256, t.buf, t.len, sum);
	memcpy(c->digest, sum, sizeof c->digest);
}

bool
rules_window_next(const struct rules *s, struct window_walk *at, struct window *out)
{
	const void *key;
	void *value;
	for (; at->correlation < s->correlations; at->correlation++, at->group = 0) {
		const struct rule *rule = s->rule[s->order[at->correlation]];
		const struct correlation *c = rule->body->correlation;
		if (!map_next(&c->groups, &at->group, &key, &value))
			continue;
		const struct group *g = value;
		memcpy(out->key.rule, c->digest, sizeof out->key.rule);
		memcpy(out->key.group, key, sizeof out->key.group);
		out->rule = rule;
		out->octets = g;
		out->len = rule_window_size(c);
		out->end_ns = g->last_ns + c->timespan_ns;
		out->dirty = g->dirty;
		return true;
	}
	return false;
}

/* A time that sums do not overflow with, or NEVER. */
static bool
is_time(int64_t ns)
{
	return ns == NEVER || (ns >= 0 && ns <= INT64_MAX / 2);
}

static bool
is_sound(const struct correlation *c, const struct group *g)
{
	const unsigned window = c->window > 0 ? c->window : 1;
	bool good = g->count <= c->window && g->head < window && g->last_ns != NEVER &&
	    is_time(g->last_ns) && is_time(g->fired_ns);
	for (unsigned i = 0; good && i < c->window; i++)
		good = is_time(g->entry[i].ns);
	return good;
}

bool
rules_window_take(struct rules *s, const struct window_key *key, const void *octets, size_t len)
{
	for (size_t i = 0; i < s->correlations; i++) {
		struct correlation *c = s->rule[s->order[i]]->body->correlation;
		if (memcmp(c->digest, key->rule, sizeof key->rule) != 0)
			continue;
		if (len != rule_window_size(c))
			return false;
		struct group *g = map_put(&c->groups, key->group, NULL);
		if (g == NULL)
			return true; /* no room: older ones stay out */
		memcpy(g, octets, len);
		g->dirty = false; /* set, since the octet may be no truth value */
		if (is_sound(c, g))
			return true;
		map_remove(&c->groups, key->group);
		return false;
	}
	return true;
}

static void
mark_all(struct rules *s, bool dirty)
{
	const void *key;
	void *value;
	for (size_t i = 0; i < s->correlations; i++) {
		struct correlation *c = s->rule[s->order[i]]->body->correlation;
		for (uint32_t at = 0; map_next(&c->groups, &at, &key, &value);)
			((struct group *)value)->dirty = dirty;
	}
}

void
rules_windows_saved(struct rules *s)
{
	mark_all(s, false);
}

void
rules_windows_move(struct rules *s, const struct rules *from)
{
	struct window_walk at = {0};
	struct window w;
	while (rules_window_next(from, &at, &w))
		rules_window_take(s, &w.key, w.octets, w.len);
	mark_all(s, true);
}
