/*
 * What a server used to offer, and to whom: trust on first use, per address and port.
 *
 * An offer that vanishes is told from a pool behind one address (sets of keywords that come and
 * go, or an offer that does, for one and the same network), a server that was built anew (another
 * set) and one whose TLS was turned off for good (the offer is gone for long, from several sides).
 * Path triangulation: who else is offered TLS, by this server and on this client's network
 * (Durumeric et al., IMC 2015, did it by autonomous systems).
 */
#include <string.h>

#include "base/text.h"
#include "judge/memory_internal.h"

enum verdict {
	VERDICT_NONE,
	VERDICT_AS_BEFORE,
	VERDICT_GAINED,
	VERDICT_VANISHED,
	VERDICT_POOL,
	VERDICT_REBUILT
};
enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };

static const char *const verdict_words[] = {"none", "as-before", "gained", "vanished", "pool",
    "rebuilt"};
static const char *const confidence_words[] = {"low", "medium", "high"};
static const char *const version_words[] = {"SSL 3.0", "1.0", "1.1", "1.2", "1.3"};
#define VERSIONS (sizeof version_words / sizeof *version_words)

#define WEEK_NS	     (7 * DAY_NS)
#define OTHER_SERVER 3u /* keywords by which two sets differ, for the machine to be another */
#define SURE	     3u /* offers seen, for "it always did" */
#define LIKELY	     2u
#define LIKELY_OTHER 5u	 /* the same with another set of keywords */
#define GONE_WEEK    10u /* connections in a week, from two networks, for "it was turned off" */
#define COMES_GOES   2u	 /* returns of the offer for one network, for "several machines" */
#define STEADY	     50u /* offers without a break, for "what was before is over" */
#define MANY_SERVERS 3u	 /* without an offer on one network, where others have them */
#define MORE_SERVERS 5u	 /* the same, where nobody else was seen */
#define FEW	     2u

/* ------------------------------------------------------------------------ who saw what */

static void
add_seen(struct seen *list, uint32_t peer, uint32_t at_s)
{
	unsigned place = 0;
	for (unsigned i = 0; i < SEEN; i++) {
		if (list[i].peer == peer) {
			place = i;
			break;
		}
		if (list[i].at_s < list[place].at_s) /* free ones have 0 */
			place = i;
	}
	list[place] = (struct seen){peer, at_s};
}

static bool
is_seen(const struct seen *list, uint32_t peer)
{
	for (unsigned i = 0; i < SEEN; i++) {
		if (list[i].peer == peer)
			return true;
	}
	return false;
}

static void
drop_seen(struct seen *list, uint32_t peer)
{
	for (unsigned i = 0; i < SEEN; i++) {
		if (list[i].peer == peer)
			list[i] = (struct seen){0, 0};
	}
}

/* The newest sight counts. */
static void
sights_add(struct sights *s, bool offered, uint32_t peer, uint32_t at_s)
{
	add_seen(offered ? s->with : s->without, peer, at_s);
	drop_seen(offered ? s->without : s->with, peer);
}

/* Peers within a week, but `not_this` one. */
static unsigned
count_seen(const struct seen *list, uint32_t now_s, uint32_t not_this)
{
	unsigned n = 0;
	for (unsigned i = 0; i < SEEN; i++)
		n += list[i].peer != 0 && list[i].peer != not_this &&
		    now_s - list[i].at_s <= WEEK_NS / 1000000000;
	return n;
}

static void
put_path(struct record *r, const struct sights *servers, const struct sights *clients, uint32_t net,
    uint32_t now_s)
{
	unsigned servers_without = count_seen(servers->without, now_s, 0);
	unsigned servers_with = count_seen(servers->with, now_s, 0);
	unsigned clients_without = count_seen(clients->without, now_s, 0);
	unsigned clients_with = count_seen(clients->with, now_s, net);
	const char *suspect = "unclear";
	if (servers_without + servers_with < FEW && clients_without + clients_with < FEW)
		return; /* one server, one client: nothing to compare */
	if (servers_with == 0 &&
	    ((servers_without >= MANY_SERVERS && clients_with > 0) ||
		servers_without >= MORE_SERVERS))
		suspect = "client";
	else if (clients_with >= FEW && servers_with >= FEW)
		suspect = "path";
	else if (clients_with == 0 && clients_without >= FEW)
		suspect = "server";
	record_put_word(r, FIELD_PATH_SUSPECT, suspect);
	record_put_u64(r, FIELD_PATH_SERVERS_WITHOUT, servers_without);
	record_put_u64(r, FIELD_PATH_SERVERS_WITH, servers_with);
	record_put_u64(r, FIELD_PATH_CLIENTS_WITHOUT, clients_without);
	record_put_u64(r, FIELD_PATH_CLIENTS_WITH, clients_with);
}

/* ------------------------------------------------------------------------- the baseline */

static struct variant *
find_variant(struct server *v, uint32_t keywords)
{
	for (unsigned i = 0; keywords != 0 && i < VARIANTS; i++) {
		if (v->variant[i].keywords == keywords)
			return &v->variant[i];
	}
	return NULL;
}

/* Keywords by which the nearest set that the server was seen with differs. */
static unsigned
nearest_variant(const struct server *v, uint64_t sketch)
{
	unsigned least = 64;
	for (unsigned i = 0; i < VARIANTS; i++) {
		unsigned d = (unsigned)__builtin_popcountll(v->variant[i].sketch ^ sketch);
		if (v->variant[i].keywords != 0 && d < least)
			least = d;
	}
	return least;
}

/* Is the offer gone for so long, and from so many sides, that it was turned off? */
static bool
turned_off(const struct server *v, int64_t now_ns)
{
	if (v->since_ns == 0)
		return false;
	bool sides = v->since_nets[0] != 0 && v->since_nets[1] != 0;
	int64_t gone_ns = now_ns - v->since_ns;
	return (gone_ns >= WEEK_NS && v->since >= GONE_WEEK && sides) ||
	    gone_ns >= LIMIT_BASELINE_DAYS * DAY_NS;
}

static enum verdict
judge_missing(struct server *v, const struct sighting *s, enum confidence *confidence)
{
	const struct variant *same = find_variant(v, s->keywords);
	/* where EHLO itself was refused there is no set to compare */
	bool as_known = (same != NULL && same->offered > 0) || s->keywords == 0;
	if (v->offered == 0)
		return v->not_offered > 0 ? VERDICT_AS_BEFORE : VERDICT_NONE;
	if (turned_off(v, s->end_ns))
		return VERDICT_AS_BEFORE;
	*confidence = CONFIDENCE_LOW;
	if (!s->mangled) {
		if (v->steady < STEADY && (v->not_offered > 0 || v->returns >= COMES_GOES))
			return VERDICT_POOL;
		if (!as_known && nearest_variant(v, s->sketch) >= OTHER_SERVER)
			return VERDICT_REBUILT;
	}
	bool lately = s->end_ns - v->last_offered_ns <= WEEK_NS;
	if (s->mangled || (as_known && v->offered >= SURE && lately))
		*confidence = CONFIDENCE_HIGH;
	else if ((as_known && v->offered >= LIKELY) || v->offered >= LIKELY_OTHER)
		*confidence = CONFIDENCE_MEDIUM;
	return VERDICT_VANISHED;
}

static void
put_baseline(struct record *r, const struct server *v, enum verdict verdict,
    enum confidence confidence)
{
	unsigned nets = 0, sets = 0;
	record_put_word(r, FIELD_BASELINE_VERDICT, verdict_words[verdict]);
	if (verdict == VERDICT_VANISHED)
		record_put_word(r, FIELD_BASELINE_CONFIDENCE, confidence_words[confidence]);
	if (verdict == VERDICT_NONE)
		return;
	for (unsigned i = 0; i < NETS; i++)
		nets += v->nets[i] != 0;
	record_put_u64(r, FIELD_BASELINE_OFFERED, v->offered);
	record_put_u64(r, FIELD_BASELINE_NOT_OFFERED, v->not_offered);
	record_put_u64(r, FIELD_BASELINE_CLIENTS, nets);
	record_put_time(r, FIELD_BASELINE_FIRST, v->first_ns);
	if (v->last_offered_ns != 0)
		record_put_time(r, FIELD_BASELINE_LAST, v->last_offered_ns);
	for (unsigned i = 0; i < VARIANTS; i++)
		sets += v->variant[i].keywords != 0;
	record_put_u64(r, FIELD_BASELINE_SETS, sets);
	for (unsigned i = 0; i < VERSIONS; i++) {
		if (v->tls_versions & 1u << i)
			record_put_word(r, FIELD_BASELINE_TLS, version_words[i]);
	}
	if (v->issuer != 0)
		record_put_u64(r, FIELD_BASELINE_ISSUERS, v->issuers);
}

/* ------------------------------------------------------------------------------ learning */

/* Puts `x` into a short list unless it is there or the list is full. */
static void
add_hash(uint32_t *list, unsigned n, uint32_t x)
{
	for (unsigned i = 0; i < n; i++) {
		if (list[i] == x)
			return;
		if (list[i] == 0) {
			list[i] = x;
			return;
		}
	}
}

static void
learn_variant(struct server *v, const struct sighting *s)
{
	struct variant *x = find_variant(v, s->keywords);
	if (s->keywords == 0)
		return;
	if (x == NULL) {
		x = &v->variant[0];
		for (unsigned i = 1; i < VARIANTS; i++) {
			if (v->variant[i].last_ns < x->last_ns)
				x = &v->variant[i];
		}
		*x = (struct variant){.keywords = s->keywords, .sketch = s->sketch};
	}
	x->last_ns = s->end_ns;
	if (s->offered)
		x->offered++;
	else
		x->not_offered++;
}

static void
learn_certificate(struct server *v, const struct sighting *s, const struct record *r)
{
	struct record_value x;
	if (s->issuer_len > 0) {
		uint64_t h = memory_hash(s->issuer, s->issuer_len);
		v->issuers += v->issuer != 0 && v->issuer != h;
		v->issuer = h;
	}
	if (!record_find(r, FIELD_TLS_VERSION, &x))
		return;
	for (unsigned i = 0; i < VERSIONS; i++) {
		if (ascii_is(x.str, x.len, version_words[i]))
			v->tls_versions |= (uint8_t)(1u << i);
	}
}

static void
learn(struct server *v, const struct sighting *s, enum verdict verdict, uint32_t net, bool back)
{
	if (s->offered) {
		v->offered++;
		if (back && v->returns < UINT8_MAX)
			v->returns++;
		v->steady = back ? 1 : (uint16_t)(v->steady + (v->steady < STEADY));
		if (v->steady == STEADY)
			v->returns = 0;
		v->last_offered_ns = s->end_ns;
		v->since_ns = 0;
		v->since = v->since_nets[0] = v->since_nets[1] = 0;
		add_hash(v->nets, NETS, net);
		learn_variant(v, s);
	} else if (verdict == VERDICT_VANISHED || s->stripped) {
		/* what was taken away is no habit of the server's, or not yet */
		if (v->since_ns == 0)
			v->since_ns = s->end_ns;
		v->since++;
		add_hash(v->since_nets, 2, net);
	} else {
		if (verdict == VERDICT_AS_BEFORE && v->offered > 0) { /* turned off: begin anew */
			v->not_offered += v->since;
			v->offered = 0;
			v->since_ns = 0;
			memset(v->variant, 0, sizeof v->variant);
		}
		v->not_offered++;
		v->steady = 0;
		learn_variant(v, s);
	}
}

bool
server_apply(struct memory *m, const struct sighting *s, struct record *r)
{
	const struct expected *at = s->at;
	bool fresh = false;
	enum confidence confidence = CONFIDENCE_LOW;
	if (!(s->missing || (s->offer_known && !s->message)) || s->server.family == 0 ||
	    s->client.family == 0)
		return false;
	struct server *v = memory_put(m, 1, &at->server, at->server_hash, &fresh);
	struct network_row *row = memory_put(m, 2, &at->net, at->net_hash, NULL);
	if (v == NULL || row == NULL)
		return false;
	if (fresh)
		v->first_ns = s->end_ns;
	v->last_ns = row->last_ns = s->end_ns;
	v->dirty = row->dirty = true;

	enum verdict verdict = s->missing ? judge_missing(v, s, &confidence)
	    : v->offered > 0		  ? VERDICT_AS_BEFORE
	    : v->not_offered > 0	  ? VERDICT_GAINED
					  : VERDICT_NONE;
	uint32_t net_hash = memory_hash(at->net.b, sizeof at->net.b);
	uint32_t server_hash = memory_hash(&at->server, sizeof at->server);
	uint32_t now_s = (uint32_t)(s->end_ns / 1000000000);
	bool back = s->offered && is_seen(v->clients.without, net_hash);
	sights_add(&v->clients, s->offered, net_hash, now_s);
	sights_add(&row->servers, s->offered, server_hash, now_s);
	if (s->missing || verdict == VERDICT_GAINED)
		put_baseline(r, v, verdict, confidence);
	if (s->missing)
		put_path(r, &row->servers, &v->clients, net_hash, now_s);
	bool not_offered = s->reason != NULL && ascii_is(s->reason, s->reason_len, "not-offered");
	if (!s->message) {
		learn_certificate(v, s, r);
		learn(v, s, verdict, net_hash, back);
	}
	return verdict == VERDICT_VANISHED && confidence >= CONFIDENCE_MEDIUM && not_offered;
}
