/*
 * Forced-TLS policies: reading them, and finding the one that counts.  What they make of a record
 * is in policy_apply.c, the files of others in policy_import.c.
 */
#include "judge/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "judge/policy_internal.h"

struct policies *
policies_new(void)
{
	return calloc(1, sizeof(struct policies));
}

void
policies_free(struct policies *p)
{
	if (p == NULL)
		return;
	arena_free_all(&p->arena);
	free(p->policy);
	free(p->domains.entry);
	free(p->hosts.entry);
	free(p->names.entry);
	free(p->peer_names.entry);
	free(p->network);
	free(p);
}

size_t
policies_count(const struct policies *p)
{
	return p->count;
}

/* ----------------------------------------------------------------------------- reading */

struct policy *
policy_add(struct policies *p, struct yaml *y, int node)
{
	if (p->count == LIMIT_POLICIES) {
		yaml_fail(y, node, "more than %u policies", LIMIT_POLICIES);
		return NULL;
	}
	struct policy *grown = array_room(p->policy, p->count, sizeof *grown);
	if (grown == NULL) {
		yaml_fail(y, node, "no memory");
		return NULL;
	}
	p->policy = grown;
	struct policy *new = &p->policy[p->count++];
	*new = (struct policy){.direction = DIRECTION_ANY,
	    .expires_ns = INT64_MAX,
	    .about = "",
	    .wants = WANTS_MAY};
	return new;
}

/* A domain or host of ASCII letters, digits, hyphens, underscores and dots. */
static bool
is_domain(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n < 254 && s[0] != '.' && s[n - 1] != '.' && strstr(s, "..") == NULL &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

bool
policy_name(struct policies *p, struct index *x, const char *name, bool one_label, struct yaml *y,
    int node)
{
	enum match match = MATCH_EXACT;
	char lower[256];
	struct text t = text_in(lower, sizeof lower);
	const char *s = name;
	if (strncmp(s, "*.", 2) == 0) {
		match = one_label ? MATCH_ONE_LABEL : MATCH_BELOW;
		s += 2;
	} else if (s[0] == '.') {
		match = MATCH_BELOW;
		s++;
	}
	bool ascii = true;
	for (; *s != '\0'; s++) {
		ascii = ascii && (uint8_t)*s <= 127;
		text_putc(&t, ascii_lower(*s));
	}
	if (t.len > 0 && lower[t.len - 1] == '.') /* as DNS writes it */
		lower[--t.len] = '\0';
	if (t.cut || !is_domain(lower))
		return node != 0 &&
		    yaml_fail(y, node,
			ascii ? "'%.64s' is no domain or host"
			      : "'%.64s' has letters beyond ASCII: write its A-label (xn--...)",
			name);
	struct entry *grown = array_room(x->entry, x->count, sizeof *grown);
	const char *kept = grown != NULL ? arena_copy(&p->arena, lower, t.len) : NULL;
	if (grown != NULL)
		x->entry = grown;
	if (kept == NULL)
		return node != 0 && yaml_fail(y, node, "no memory");
	x->entry[x->count++] = (struct entry){kept, (uint8_t)match, (uint32_t)p->count - 1};
	return true;
}

bool
policy_domains(struct policies *p, struct yaml *y, int node, bool names_too, size_t *count)
{
	*count = yaml_texts(y, node);
	if (*count == 0)
		return yaml_fail(y, node, "a domain or a list of them is expected here");
	for (size_t i = 0; i < *count; i++) {
		const char *s = yaml_text_at(y, node, i);
		if (s == NULL || !policy_name(p, &p->domains, s, false, y, node))
			return false;
		struct policy *policy = &p->policy[p->count - 1];
		if (i == 0)
			policy->about = p->domains.entry[p->domains.count - 1].name;
		if (!names_too)
			continue;
		/* the servers of a domain: it, and what is below it */
		char below[260];
		struct text t = text_in(below, sizeof below);
		text_printf(&t, ".%s", p->domains.entry[p->domains.count - 1].name);
		if (!policy_name(p, &p->names, below + 1, false, y, node) ||
		    !policy_name(p, &p->names, below, false, y, node))
			return false;
	}
	return true;
}

static bool
add_network(struct policies *p, const struct network *n, struct yaml *y, int node)
{
	if (p->networks == LIMIT_POLICY_PEERS)
		return yaml_fail(y, node, "more than %u networks", LIMIT_POLICY_PEERS);
	struct peer_network *grown = array_room(p->network, p->networks, sizeof *grown);
	if (grown == NULL)
		return yaml_fail(y, node, "no memory");
	p->network = grown;
	p->network[p->networks++] = (struct peer_network){*n, (uint32_t)p->count - 1};
	return true;
}

static bool
read_peers(struct policies *p, struct yaml *y, int node)
{
	size_t count = yaml_texts(y, node);
	if (count == 0)
		return yaml_fail(y, node,
		    "an address, a network or a host's name is expected here");
	for (size_t i = 0; i < count; i++) {
		struct network n;
		const char *s = yaml_text_at(y, node, i);
		if (s == NULL)
			return false;
		bool network = network_parse(s, &n);
		if (!network && strchr(s, '/') != NULL)
			return yaml_fail(y, node, "'%.64s' is no network such as 192.0.2.0/24", s);
		/* no host has such a name, so that it would be about nobody */
		if (!network && s[strspn(s, "0123456789.")] == '\0')
			return yaml_fail(y, node, "'%.64s' is no address such as 192.0.2.1", s);
		if (!(network ? add_network(p, &n, y, node)
			      : policy_name(p, &p->hosts, s, false, y, node)))
			return false;
		if (i == 0)
			p->policy[p->count - 1].about = arena_copy(&p->arena, s, strlen(s));
		if (p->policy[p->count - 1].about == NULL)
			return yaml_fail(y, node, "no memory");
	}
	return true;
}

/* The place of a word among `words`; false with a message. */
static bool
read_word(struct yaml *y, int node, const char *what, const char *const *words, size_t n,
    uint8_t *out)
{
	const char *s;
	if (!yaml_need_text(y, node, &s))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], s) == 0) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return yaml_unknown(y, node, s, what, words, n);
}

static bool
read_direction(struct yaml *y, int node, struct policy *policy)
{
	static const char *const words[] = {"inbound", "outbound", "internal", "external", "any"};
	static const uint8_t bits[] = {DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_INTERNAL,
	    DIRECTION_EXTERNAL, DIRECTION_ANY};
	uint8_t i = 0;
	if (!read_word(y, node, "direction", words, 5, &i))
		return false;
	policy->direction = bits[i];
	return true;
}

/* Where the keys of an entry stand. */
struct keys {
	int domain, peer, tls, names, direction, import, file, fetched, validated;
};

static bool
find_keys(struct yaml *y, int map, struct keys *k)
{
	static const char *const names[] = {"domain", "peer", "tls", "names", "direction", "import",
	    "file", "fetched", "validated"};
	int *const where[] = {&k->domain, &k->peer, &k->tls, &k->names, &k->direction, &k->import,
	    &k->file, &k->fetched, &k->validated};
	const size_t n = sizeof names / sizeof *names;
	if (!yaml_need_map(y, map, "a policy ('domain' or 'peer' with 'tls', or 'import')"))
		return false;
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key;
		int key_node, value;
		size_t at = 0;
		if (!yaml_pair(y, map, i, &key, &key_node, &value))
			return false;
		while (at < n && strcmp(names[at], key) != 0)
			at++;
		if (at == n)
			return yaml_unknown(y, key_node, key, "key of a policy", names, n);
		*where[at] = value;
	}
	return true;
}

static bool
read_policy(struct policies *p, struct yaml *y, int map, const struct keys *k)
{
	static const char *const wants[] = {"none", "may", "encrypt", "verify"};
	struct policy *policy = policy_add(p, y, map);
	size_t count;
	if (policy == NULL)
		return false;
	if (k->file != 0 || k->fetched != 0 || k->validated != 0)
		return yaml_fail(y, map, "'file', 'fetched' and 'validated' go with 'import' only");
	if ((k->domain != 0) == (k->peer != 0))
		return yaml_fail(y, map, "either 'domain' or 'peer' is expected");
	if (k->tls == 0)
		return yaml_fail(y, map, "'tls' is missing: none, may, encrypt or verify");
	if (!read_word(y, k->tls, "TLS level", wants, 4, &policy->wants) ||
	    (k->direction != 0 && !read_direction(y, k->direction, policy)))
		return false;
	if (!(k->peer != 0 ? read_peers(p, y, k->peer)
			   : policy_domains(p, y, k->domain, k->names == 0, &count)))
		return false;
	policy->named = k->names != 0 && k->peer != 0;
	for (size_t i = 0; i < yaml_texts(y, k->names); i++) {
		const char *s = yaml_text_at(y, k->names, i);
		struct index *x = k->peer != 0 ? &p->peer_names : &p->names;
		if (s == NULL || !policy_name(p, x, s, true, y, k->names))
			return false;
	}
	return true;
}

static int
by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c != 0 ? c : x->policy < y->policy ? -1 : x->policy > y->policy;
}

static void
sort(struct index *x)
{
	if (x->count > 0)
		qsort(x->entry, x->count, sizeof *x->entry, by_name);
}

bool
policies_read(struct policies *p, struct yaml *y, int list, const char *dir)
{
	if (yaml_kind(y, list) != YAML_LIST)
		return yaml_fail(y, list, "'policies' is a list");
	for (size_t i = 0; i < yaml_count(y, list); i++) {
		int map = yaml_item(y, list, i);
		struct keys k = {0};
		const char *kind;
		if (!find_keys(y, map, &k))
			return false;
		bool good = k.import == 0
		    ? read_policy(p, y, map, &k)
		    : yaml_need_text(y, k.import, &kind) && policy_import(p, y, map, kind, dir);
		if (!good)
			return false;
	}
	sort(&p->domains);
	sort(&p->hosts);
	sort(&p->names);
	sort(&p->peer_names);
	return true;
}
