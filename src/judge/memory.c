/*
 * The memory's conductor: reads what a record shows, asks and teaches each part.
 *
 * Bounds: each map has its maximum (base/limits.h), and where it is full, the stalest of a few
 * entries goes.
 */
#include "judge/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/memory_internal.h"
#include "record/read.h"

struct memory *
memory_new(void)
{
	struct memory *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	hash_key_draw(&m->key);
	if (map_init(&m->failures, "failed upgrades", sizeof(struct text_key),
		sizeof(struct failure), LIMIT_FAILURES) &&
	    map_init(&m->servers, "servers", sizeof(struct server_key), sizeof(struct server),
		LIMIT_SERVERS) &&
	    map_init(&m->networks, "client networks", sizeof(struct addr),
		sizeof(struct network_row), LIMIT_NETWORKS) &&
	    map_init(&m->clients, "readable clients", sizeof(struct addr),
		sizeof(struct first_seen), LIMIT_FIRST_SEEN) &&
	    map_init(&m->domains, "readable domains", sizeof(struct text_key),
		sizeof(struct first_seen), LIMIT_FIRST_SEEN))
		return m;
	memory_free(m);
	return NULL;
}

struct map *
memory_map(struct memory *m, unsigned which)
{
	struct map *maps[] = {&m->failures, &m->servers, &m->networks, &m->clients, &m->domains};
	return maps[which];
}

void
memory_free(struct memory *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < 5; i++)
		map_free_all(memory_map(m, i));
	free(m);
}

void *
memory_put(struct memory *m, unsigned which, const void *key, uint64_t hash, bool *fresh)
{
	struct map *map = memory_map(m, which);
	void *value = map_put_hashed(map, key, hash, fresh);
	if (value != NULL)
		return value;
	void *old;
	if (map_stalest(map, &m->walk[which], 0, &old) == NULL)
		return NULL;
	map_remove_value(map, old);
	return map_put_hashed(map, key, hash, fresh);
}

/* Of four octets at once, since much of an address is zeros: each is but a multiplication, and so
 * are four. */
uint32_t
memory_hash(const void *octets, size_t len)
{
	const uint32_t prime = 16777619u, fourth = prime * prime * prime * prime;
	const uint8_t *s = octets;
	uint32_t h = 2166136261u;
	size_t i = 0;
	for (; i + 4 <= len; i += 4) {
		uint64_t w = ascii_lower_8(load_le32(s + i));
		if (w == 0) {
			h *= fourth;
			continue;
		}
		for (unsigned k = 0; k < 4; k++, w >>= 8)
			h = (h ^ (uint8_t)w) * prime;
	}
	for (; i < len; i++)
		h = (h ^ (uint8_t)ascii_lower((char)s[i])) * prime;
	return h != 0 ? h : 1;
}

struct addr
memory_net(const struct addr *a)
{
	struct addr net = *a;
	size_t kept = a->family == 6 ? 8 : 3;
	memset(net.b + kept, 0, sizeof net.b - kept);
	return net;
}

/* -------------------------------------------------------------------------- the record */

static void
add_keyword(struct keyword_set *set, const char *s, size_t len)
{
	if (ascii_is(s, len, "STARTTLS"))
		return;
	uint32_t h = memory_hash(s, len);
	set->keywords = (set->keywords ^ h) * 16777619u; /* the engine names them in one order */
	set->sketch |= (uint64_t)1 << h % 64;
}

static void
take_keywords(struct memory *m, struct sighting *s, const struct record *r)
{
	struct record_value v;
	struct keyword_set set = {.taken = true};
	size_t len;
	const uint8_t *octets =
	    record_has(r, FIELD_CAPABILITIES) ? record_span(r, FIELD_CAPABILITIES, &len) : NULL;
	if (octets == NULL)
		return;
	hash_octets(&m->key, octets, len, set.list);
	struct keyword_set *known =
	    &m->sets[(set.list[0] | (unsigned)set.list[1] << 8) % KEYWORD_SETS];
	if (!known->taken || memcmp(known->list, set.list, sizeof set.list) != 0) {
		for (uint32_t at = 0; record_each(r, FIELD_CAPABILITIES, &at, &v);)
			add_keyword(&set, v.str, v.len);
		*known = set;
	}
	s->keywords = known->keywords;
	s->sketch = known->sketch;
}

static bool
is_word(const struct record *r, enum field f, const char *word)
{
	size_t len;
	const char *s = record_str(r, f, &len);
	return s != NULL && ascii_is(s, len, word);
}

/* How it went with TLS. */
static void
take_outcome(struct sighting *s, const struct record *r)
{
	bool session = !s->message;
	s->readable = s->message || is_word(r, FIELD_OUTCOME, "cleartext");
	s->encrypted = session && is_word(r, FIELD_OUTCOME, "encrypted");
	s->failed = session && is_word(r, FIELD_OUTCOME, "tls-failed");
	s->reason = record_str(r, FIELD_REASON, &s->reason_len);
	if (s->reason != NULL) {
		s->failed |= session && ascii_is(s->reason, s->reason_len, "tls-failed");
		s->refused = session && ascii_is(s->reason, s->reason_len, "refused");
		s->stripped = ascii_is(s->reason, s->reason_len, "stripped");
		s->missing = s->stripped || ascii_is(s->reason, s->reason_len, "not-offered");
	}
	bool answered =
	    record_has(r, FIELD_STARTTLS_REPLY) || record_has(r, FIELD_STARTTLS_REPLY_WORD);
	s->agreed = answered &&
	    (record_u64(r, FIELD_STARTTLS_REPLY, 0) == 220 ||
		is_word(r, FIELD_STARTTLS_REPLY_WORD, "OK") ||
		is_word(r, FIELD_STARTTLS_REPLY_WORD, "+OK"));
	s->refused |= session && answered && !s->agreed;
	s->alert = record_str(r, FIELD_TLS_ALERT, &s->alert_len);
	s->issuer = record_str(r, FIELD_TLS_ISSUER, &s->issuer_len);
}

static void
take_offer(struct memory *m, struct sighting *s, const struct record *r)
{
	s->offer_known = record_has(r, FIELD_STARTTLS_OFFERED);
	s->offered = record_true(r, FIELD_STARTTLS_OFFERED);
	s->missing = !s->offered && (s->missing || s->offer_known);
	s->mangled = record_is(r, FIELD_ANOMALIES, "keyword-mangled");
	take_keywords(m, s, r);
}

static void
sight(struct memory *m, struct sighting *s, const struct record *r)
{
	memset(s, 0, sizeof *s);
	s->message = r->kind == RECORD_MESSAGE;
	s->end_ns = record_time(r, FIELD_EVENT_END, 0);
	s->start_ns = record_time(r, FIELD_EVENT_START, 0);
	if (s->start_ns == 0)
		s->start_ns = s->end_ns;
	s->client = record_ip(r, FIELD_SOURCE_IP);
	s->server = record_ip(r, FIELD_DESTINATION_IP);
	s->port = (uint16_t)record_u64(r, FIELD_DESTINATION_PORT, 0);
	s->id = record_str(r, FIELD_NETWORK_COMMUNITY_ID, &s->id_len);
	s->helo = record_str(r, FIELD_HELO, &s->helo_len);
	s->greeting = record_str(r, FIELD_GREETING, &s->greeting_len);
	take_outcome(s, r);
	take_offer(m, s, r);
}

/* ------------------------------------------------------------------------- what is new */

static bool
is_first(struct memory *m, unsigned which, const void *key, uint64_t hash)
{
	bool fresh = false;
	struct first_seen *f = memory_put(m, which, key, hash, &fresh);
	if (f == NULL)
		return false;
	if (fresh)
		f->first_ns = m->now_ns;
	/* the file needs no row for each mail */
	f->dirty |= fresh || m->now_ns - f->last_ns > DAY_NS;
	if (f->dirty)
		f->last_ns = m->now_ns;
	return fresh;
}

/* Of a domain that is too long, its end. */
static void
domain_key(struct text_key *k, const char *s, size_t len)
{
	size_t n = len < KEY_TEXT ? len : KEY_TEXT - 1;
	memset(k, 0, sizeof *k);
	for (size_t i = 0; i < n; i++)
		k->s[i] = ascii_lower(s[len - n + i]);
}

static void
new_apply(struct memory *m, const struct sighting *s, struct record *r)
{
	struct record_value v;
	bool domain = false;
	if (!s->readable || s->client.family == 0)
		return;
	bool client = is_first(m, 3, &s->client, s->at->client_hash);
	for (uint32_t at = 0; s->message && record_each(r, FIELD_TO_DOMAIN, &at, &v);) {
		const struct text_key *first = &s->at->domain;
		struct text_key k;
		if (v.len == 0)
			continue;
		if (v.len < KEY_TEXT && memcmp(first->s, v.str, v.len) == 0 &&
		    first->s[v.len] == '\0') {
			domain |= is_first(m, 4, first, s->at->domain_hash);
			continue;
		}
		domain_key(&k, v.str, v.len);
		domain |= is_first(m, 4, &k, map_expect(&m->domains, &k));
	}
	if (client)
		record_put_word(r, FIELD_NEW, "client");
	if (domain)
		record_put_word(r, FIELD_NEW, "domain");
	if (client || domain)
		record_put_u64(r, FIELD_MEMORY_S,
		    (uint64_t)(m->now_ns - m->first_ns) / 1000000000u);
}

/* --------------------------------------------------------------------- looking ahead */

static void
expect_domain(struct memory *m, struct expected *e, const struct record *r)
{
	size_t len;
	const char *to = record_str(r, FIELD_EMAIL_TO, &len);
	const char *sign = to != NULL ? memrchr(to, '@', len) : NULL;
	e->domain.s[0] = '\0';
	if (r->kind != RECORD_MESSAGE || sign == NULL)
		return;
	domain_key(&e->domain, sign + 1, (size_t)(to + len - sign) - 1);
	e->domain_hash = map_expect(&m->domains, &e->domain);
}

void
memory_expect(struct memory *m, const struct record *r)
{
	struct expected *e = &m->expected;
	e->client = record_ip(r, FIELD_SOURCE_IP);
	memset(&e->server, 0, sizeof e->server);
	e->server.addr = record_ip(r, FIELD_DESTINATION_IP);
	e->server.port = (uint16_t)record_u64(r, FIELD_DESTINATION_PORT, 0);
	e->net = memory_net(&e->client);
	e->client_hash = map_expect(&m->clients, &e->client);
	e->net_hash = map_expect(&m->networks, &e->net);
	e->server_hash = map_expect(&m->servers, &e->server);
	expect_domain(m, e, r);
}

/* The places that were asked for are at hand: now for the entries that are there. */
static void
expect_entries(const struct memory *m, const struct expected *e)
{
	map_expect_value(&m->clients, e->client_hash);
	map_expect_value(&m->networks, e->net_hash);
	map_expect_value(&m->servers, e->server_hash);
	if (e->domain.s[0] != '\0')
		map_expect_value(&m->domains, e->domain_hash);
}

/* What was found of the record that is sighted, or is found only now. */
static const struct expected *
expected_of(struct memory *m, const struct sighting *s, const struct record *r)
{
	const struct expected *e = &m->expected;
	if (e->server.port != s->port || memcmp(&e->client, &s->client, sizeof s->client) != 0 ||
	    memcmp(&e->server.addr, &s->server, sizeof s->server) != 0)
		memory_expect(m, r);
	return e;
}

void
memory_apply(struct memory *m, struct record *r)
{
	struct sighting s;
	expect_entries(m, &m->expected);
	if (r->kind != RECORD_SESSION && r->kind != RECORD_MESSAGE)
		return;
	sight(m, &s, r);
	s.at = expected_of(m, &s, r);
	if (s.start_ns < 0 || s.end_ns < 0 || s.start_ns > MEMORY_LATEST_NS ||
	    s.end_ns > MEMORY_LATEST_NS)
		return; /* a capture whose clock was wrong teaches nothing */
	if (s.end_ns > m->now_ns)
		m->now_ns = s.end_ns;
	if (m->first_ns == 0 || s.end_ns < m->first_ns)
		m->first_ns = s.end_ns;
	/* each puts what it knows behind the record's values, so that s stays as it is; the reason
	 * is taken away last of all */
	new_apply(m, &s, r);
	bool stripped = server_apply(m, &s, r);
	retry_apply(m, &s, r);
	if (stripped)
		record_set_word(r, FIELD_REASON, "stripped");
}
