/*
 * What policies make of a record.
 *
 * A mail that crossed readable breaks the policy of each of its recipients' domains.  A connection
 * that was sealed is judged by the peer's policy, or by that of the domain whose servers have its
 * name; whether a certificate's chain is good cannot be seen, and from TLS 1.3 on the certificate
 * itself cannot.  The sender's TLS-Required: No sets aside what the recipient's side asks for (RFC
 * 8689 section 5): MTA-STS and DANE, not the policies of who runs this.
 */
#include <string.h>

#include "base/text.h"
#include "judge/names.h"
#include "judge/policy_internal.h"

#define DOMAINS 16u /* violated ones that a record names */

enum verdict { VERDICT_NONE, VERDICT_KEPT, VERDICT_NOT_PROVABLE, VERDICT_VIOLATED };

static const char *const verdict_words[] = {NULL, "kept", "not-provable", "violated"};
static const char *const wants_words[] = {"none", "may", "encrypt", "verify"};
static const char *const source_words[] = {"config", "mta-sts", "postfix", "tlsa"};

/* What a record shows of the peers. */
struct view {
	const struct policies *p;
	const struct record *r;
	int64_t now_ns;
	uint8_t direction; /* one bit */
	uint32_t only;	   /* the policy whose entries count; UINT32_MAX: all */
	struct addr client, server;
	const char *name[3]; /* server's greeting and SNI, client's EHLO; 0 octets for none */
	size_t name_len[3];
};

static bool
is_usable(const struct view *v, const struct policy *policy)
{
	return policy->direction & v->direction && v->now_ns < policy->expires_ns;
}

/* Where entries of that name begin, if there are any. */
static size_t
lower_bound(const struct index *x, const char *name, size_t len)
{
	size_t low = 0, high = x->count;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strncmp(x->entry[mid].name, name, len);
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first usable policy among the entries of that name that match in one of these ways. */
static uint32_t
best_of(const struct view *v, const struct index *x, const char *name, size_t len, unsigned ways,
    uint32_t best)
{
	for (size_t i = lower_bound(x, name, len); i < x->count; i++) {
		const struct entry *e = &x->entry[i];
		if (strncmp(e->name, name, len) != 0 || e->name[len] != '\0')
			break;
		if (ways & 1u << e->match && e->policy < best &&
		    (v->only == UINT32_MAX || e->policy == v->only) &&
		    is_usable(v, &v->p->policy[e->policy]))
			best = e->policy;
	}
	return best;
}

/* The first policy that the name has in the index, by itself or by what is above it. */
static uint32_t
find_name(const struct view *v, const struct index *x, const char *s, size_t len, uint32_t best)
{
	char name[256] = "";
	if (x->count == 0 || len == 0 || len >= sizeof name)
		return best;
	for (size_t i = 0; i < len; i++)
		name[i] = ascii_lower(s[i]);
	best = best_of(v, x, name, len, 1u << MATCH_EXACT, best);
	unsigned ways = 1u << MATCH_BELOW | 1u << MATCH_ONE_LABEL;
	for (size_t at = 0; at + 1 < len; at++) {
		if (name[at] != '.')
			continue;
		best = best_of(v, x, name + at + 1, len - at - 1, ways, best);
		ways = 1u << MATCH_BELOW; /* one label was taken away */
	}
	return best;
}

static uint32_t
find_peer(const struct view *v, uint32_t best)
{
	for (size_t i = 0; i < v->p->networks; i++) {
		const struct peer_network *n = &v->p->network[i];
		if (n->policy < best &&
		    (network_has(&n->network, &v->client) ||
			network_has(&n->network, &v->server)) &&
		    is_usable(v, &v->p->policy[n->policy]))
			best = n->policy;
	}
	for (unsigned i = 0; i < 3; i++)
		best = find_name(v, &v->p->hosts, v->name[i], v->name_len[i], best);
	return best;
}

static void
put_policy(struct record *r, const struct policy *policy, enum verdict verdict, const char *cause)
{
	record_put_word(r, FIELD_POLICY_WANTS, wants_words[policy->wants]);
	record_put_word(r, FIELD_POLICY_VERDICT, verdict_words[verdict]);
	record_put_word(r, FIELD_POLICY_SOURCE, source_words[policy->source]);
	record_put_word(r, FIELD_POLICY_CAUSE, cause);
}

/* The domain of an address; its octets, 0 where it has none. */
static size_t
domain_of(const struct record_value *v, const char **out)
{
	const char *sign = memrchr(v->str, '@', v->len);
	*out = sign != NULL ? sign + 1 : v->str;
	return sign != NULL ? (size_t)(v->str + v->len - sign) - 1 : 0;
}

/* Policies of the recipients' domains that a readable mail breaks, each domain once. */
static uint32_t
broken_by_mail(const struct view *v, char domains[DOMAINS][256], unsigned *count)
{
	uint32_t gravest = UINT32_MAX;
	struct record_value x;
	for (uint32_t at = 0; record_next(v->r, &at, &x);) {
		const char *s;
		if (x.field != FIELD_EMAIL_TO && x.field != FIELD_REFUSED_TO)
			continue;
		size_t len = domain_of(&x, &s);
		uint32_t i = find_name(v, &v->p->domains, s, len, UINT32_MAX);
		if (i == UINT32_MAX || v->p->policy[i].wants < WANTS_ENCRYPT)
			continue;
		if (gravest == UINT32_MAX || v->p->policy[i].wants > v->p->policy[gravest].wants)
			gravest = i;
		unsigned same = 0;
		while (same < *count && !ascii_is(s, len, domains[same]))
			same++;
		if (same == *count && *count < DOMAINS) {
			struct text t = text_in(domains[(*count)++], sizeof domains[0]);
			for (size_t k = 0; k < len; k++)
				text_putc(&t, ascii_lower(s[k]));
		}
	}
	return gravest;
}

static void
apply_mail(const struct view *v, struct record *r)
{
	char domains[DOMAINS][256];
	unsigned count = 0;
	struct record_value x;
	uint32_t i = broken_by_mail(v, domains, &count);
	bool by_domain = i != UINT32_MAX;
	if (!by_domain)
		i = find_peer(v, UINT32_MAX);
	if (i == UINT32_MAX || v->p->policy[i].wants < WANTS_ENCRYPT)
		return;
	const struct policy *policy = &v->p->policy[i];
	bool waived = record_find(r, FIELD_TLS_REQUIRED, &x) && x.u64 == 0;
	bool theirs = policy->source == SOURCE_MTA_STS || policy->source == SOURCE_TLSA;
	for (unsigned k = 0; k < count; k++)
		record_put_word(r, FIELD_POLICY_DOMAIN, domains[k]);
	if (!by_domain)
		record_put_word(r, FIELD_POLICY_DOMAIN, policy->about);
	put_policy(r, policy, waived && theirs ? VERDICT_NOT_PROVABLE : VERDICT_VIOLATED,
	    waived && theirs ? NULL : "cleartext");
	if (waived)
		record_put_bool(r, FIELD_POLICY_WAIVED, true);
}

/* Is the certificate that was seen the one, or one of those, that TLSA records name? */
static enum verdict
judge_expected(const struct policy *policy, const struct record *r, const char **cause)
{
	struct record_value v;
	if (!record_find(r, FIELD_TLS_SHA256, &v))
		return VERDICT_NOT_PROVABLE;
	for (size_t i = 0; i < policy->expected_count; i++) {
		if (ascii_is(v.str, v.len, policy->expected[i].hex))
			return VERDICT_KEPT;
	}
	if (policy->others || policy->expected_count == 0)
		return VERDICT_NOT_PROVABLE;
	*cause = "certificate";
	return VERDICT_VIOLATED;
}

/* Does the server call itself, or the client it, by one of the names that the policy has for the
 * peer's certificate?  Where neither does, it cannot be said. */
static bool
is_named(const struct view *v, uint32_t policy)
{
	struct view of = *v;
	of.only = policy;
	bool known = false;
	for (unsigned k = 0; k < 2; k++) {
		known |= v->name_len[k] > 0;
		if (find_name(&of, &v->p->peer_names, v->name[k], v->name_len[k], UINT32_MAX) ==
		    policy)
			return true;
	}
	return !known;
}

static enum verdict
judge_certificate(const struct view *v, uint32_t i, const struct record *r, const char **cause)
{
	const struct policy *policy = &v->p->policy[i];
	struct record_value x;
	static const char *const causes[][2] = {{"certificate-expired", "expired"},
	    {"certificate-not-yet-valid", "not-yet-valid"},
	    {"certificate-self-signed", "self-signed"}, {"certificate-name-mismatch", "name"}};
	if (policy->source ==
	    SOURCE_TLSA) /* neither name nor dates count (RFC 7672 section 3.1.1) */
		return judge_expected(policy, r, cause);
	for (size_t k = 0; k < sizeof causes / sizeof *causes; k++) {
		if (record_is(r, FIELD_ANOMALIES, causes[k][0])) {
			*cause = causes[k][1];
			return VERDICT_VIOLATED;
		}
	}
	/* it fits what the server calls itself, which is none of the names */
	if (policy->named && record_find(r, FIELD_TLS_SHA256, &x) && !is_named(v, i)) {
		*cause = "name";
		return VERDICT_VIOLATED;
	}
	return VERDICT_NOT_PROVABLE; /* the chain is not looked at */
}

static void
apply_session(const struct view *v, struct record *r)
{
	bool clear = record_is(r, FIELD_OUTCOME, "cleartext");
	bool sealed = record_is(r, FIELD_OUTCOME, "encrypted");
	const char *cause = NULL;
	if (!clear && !sealed && !record_is(r, FIELD_OUTCOME, "unknown"))
		return; /* no mail crossed */
	uint32_t i = find_peer(v, UINT32_MAX);
	/* in clear the mails tell whose policy was broken */
	for (unsigned k = 0; !clear && k < 2; k++)
		i = find_name(v, &v->p->names, v->name[k], v->name_len[k], i);
	if (i == UINT32_MAX || v->p->policy[i].wants < WANTS_ENCRYPT)
		return;
	const struct policy *policy = &v->p->policy[i];
	enum verdict verdict = VERDICT_NOT_PROVABLE;
	if (clear) {
		verdict = VERDICT_VIOLATED;
		cause = "cleartext";
	} else if (sealed) {
		verdict = policy->wants == WANTS_ENCRYPT ? VERDICT_KEPT
							 : judge_certificate(v, i, r, &cause);
	}
	record_put_word(r, FIELD_POLICY_DOMAIN, policy->about);
	put_policy(r, policy, verdict, cause);
}

static void
take_value(struct view *v, const struct record_value *x)
{
	static const char *const directions[] = {"inbound", "outbound", "internal", "external"};
	switch ((int)x->field) {
	case FIELD_EVENT_END: v->now_ns = x->ns; break;
	case FIELD_SOURCE_IP: v->client = x->ip; break;
	case FIELD_DESTINATION_IP: v->server = x->ip; break;
	case FIELD_NETWORK_DIRECTION:
		for (unsigned i = 0; i < 4; i++) {
			if (ascii_is(x->str, x->len, directions[i]))
				v->direction = (uint8_t)(1u << i);
		}
		break;
	case FIELD_GREETING: name_of_greeting(x->str, x->len, &v->name[0], &v->name_len[0]); break;
	case FIELD_TLS_SNI:
		v->name[1] = x->str;
		v->name_len[1] = x->len;
		break;
	case FIELD_HELO:
		v->name[2] = x->str;
		v->name_len[2] = x->len;
		break;
	default: break;
	}
}

void
policies_apply(const struct policies *p, struct record *r)
{
	struct view v = {.p = p, .r = r, .direction = 16, .only = UINT32_MAX};
	struct record_value x;
	if (p->count == 0 || (r->kind != RECORD_SESSION && r->kind != RECORD_MESSAGE))
		return;
	for (uint32_t at = 0; record_next(r, &at, &x);)
		take_value(&v, &x);
	if (r->kind == RECORD_MESSAGE)
		apply_mail(&v, r);
	else
		apply_session(&v, r);
}
