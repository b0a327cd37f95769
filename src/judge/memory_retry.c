/*
 * Readable mail that is a retry of a failed handshake.
 *
 * Postfix retries in the clear no sooner than 300 s after the first failure and with a second MX at
 * once, by another address; Exim, OpenSMTPD and sendmail retry at once; others remember for an hour
 * (KumoMTA: remember_broken_tls).  Alone the retry looks as if the client had ignored the offer. So
 * failures are kept by the address or the name of the client and the address or the name of the
 * server, in all four ways, and for a short time by the client and the server's domain: the retry
 * may come from another address or go to one, or through a firewall that masks the greeting.  It
 * may go to another port, but not by another protocol: who could not fetch mail does not send any
 * instead.
 */
#include <string.h>

#include "base/text.h"
#include "judge/memory_internal.h"
#include "judge/names.h"
#include "record/read.h"

#define LIFE_NS	  (LIMIT_FAILURE_S * 1000000000ll)
#define KEY_KINDS 5u

enum side { BY_ADDRESS, BY_NAME, BY_DOMAIN };

/* Kinds of keys, the surest first. */
static const struct {
	uint8_t client, server; /* enum side */
	const char *word;	/* postcard.related.by */
	int64_t life_ns;
} kinds[KEY_KINDS] = {
    {BY_ADDRESS, BY_ADDRESS, "address", LIFE_NS},
    {BY_NAME, BY_NAME, "name", LIFE_NS},
    {BY_NAME, BY_ADDRESS, "name", LIFE_NS},
    {BY_ADDRESS, BY_NAME, "name", LIFE_NS},
    {BY_ADDRESS, BY_DOMAIN, "domain", LIMIT_FAILURE_DOMAIN_S * 1000000000ll},
};

/* Where TLS comes first the port alone tells, on a port of its own the dialogue. */
static const char *
fetched_by(uint16_t port, const struct record *r)
{
	const char *protocol;
	size_t len;
	switch (port) {
	case 25:
	case 465:
	case 587: return "";
	case 143:
	case 993: return " imap";
	case 110:
	case 995: return " pop3";
	default: break;
	}
	protocol = record_str(r, FIELD_NETWORK_PROTOCOL, &len);
	if (protocol != NULL && ascii_is(protocol, len, "imap"))
		return " imap";
	return protocol != NULL && ascii_is(protocol, len, "pop3") ? " pop3" : "";
}

/* Leaves of the greeting the server's name, and of both names 0 octets where they are no host's. */
static void
find_names(struct sighting *s)
{
	if (!name_is_host(s->helo, s->helo_len) || name_is_generic(s->helo, s->helo_len))
		s->helo_len = 0;
	name_of_greeting(s->greeting, s->greeting_len, &s->greeting, &s->greeting_len);
	if (!name_is_host(s->greeting, s->greeting_len) ||
	    name_is_generic(s->greeting, s->greeting_len))
		s->greeting_len = 0;
}

static void
add_lower(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_putc(t, ascii_lower(s[i]));
}

/* The key of that kind; false where the sighting has not the names for it. */
static bool
key_of(const struct sighting *s, unsigned kind, struct text_key *k)
{
	char ip[ADDR_TEXT];
	const char *domain = s->greeting;
	size_t len = s->greeting_len;
	memset(k, 0, sizeof *k);
	struct text t = text_in(k->s, sizeof k->s);
	if (s->client.family == 0 || s->server.family == 0 ||
	    (kinds[kind].client == BY_NAME && s->helo_len == 0) ||
	    (kinds[kind].server != BY_ADDRESS && s->greeting_len == 0))
		return false;
	text_puts(&t, kinds[kind].word);
	text_putc(&t, ' ');
	if (kinds[kind].client == BY_NAME)
		add_lower(&t, s->helo, s->helo_len);
	else
		text_puts(&t, addr_print(&s->client, ip));
	text_putc(&t, ' ');
	if (kinds[kind].server == BY_DOMAIN)
		name_parent(s->greeting, s->greeting_len, &domain, &len);
	if (kinds[kind].server == BY_ADDRESS)
		text_puts(&t, addr_print(&s->server, ip));
	else
		add_lower(&t, domain, len);
	text_puts(&t, s->fetched_by);
	return true;
}

static void
copy(char *to, size_t cap, const char *s, size_t len)
{
	struct text t = text_in(to, cap);
	text_add_wire(&t, s, len);
}

static void
remember(struct memory *m, const struct sighting *s)
{
	for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
		struct text_key k;
		struct failure *f = key_of(s, kind, &k)
		    ? memory_put(m, 0, &k, map_expect(&m->failures, &k), NULL)
		    : NULL;
		if (f == NULL)
			continue;
		f->last_ns = s->end_ns;
		f->start_ns = s->start_ns;
		f->port = s->port;
		f->refused = s->refused;
		f->gone = false;
		f->dirty = true;
		copy(f->id, sizeof f->id, s->id, s->id_len);
		copy(f->alert, sizeof f->alert, s->alert, s->alert_len);
	}
}

/* TLS came up between the two, on the same port and later: what failed before is over. */
static void
forget(struct memory *m, const struct sighting *s)
{
	for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
		struct text_key k;
		struct failure *f = key_of(s, kind, &k) ? map_find(&m->failures, &k) : NULL;
		if (f != NULL && !f->gone && f->port == s->port && s->start_ns > f->start_ns) {
			f->gone = true;
			f->dirty = true;
		}
	}
}

/* The failure that this readable mail may be a retry of; *kind: how it was found. */
static const struct failure *
find(const struct memory *m, const struct sighting *s, unsigned *kind)
{
	for (unsigned i = 0; i < KEY_KINDS; i++) {
		struct text_key k;
		const struct failure *f = key_of(s, i, &k) ? map_find(&m->failures, &k) : NULL;
		if (f == NULL || f->gone || s->end_ns - f->last_ns > kinds[i].life_ns)
			continue;
		/* not of this connection itself, and begun before it */
		bool same = s->id_len > 0 && strlen(f->id) == s->id_len &&
		    memcmp(f->id, s->id, s->id_len) == 0;
		if (same || f->start_ns >= s->start_ns)
			continue;
		*kind = i;
		return f;
	}
	return NULL;
}

void
retry_apply(struct memory *m, struct sighting *s, struct record *r)
{
	unsigned kind = 0;
	bool failed = !s->message && (s->failed || s->refused);
	if (map_count(&m->failures) == 0 && !failed)
		return;
	find_names(s);
	s->fetched_by = fetched_by(s->port, r);
	/* read before the record changes */
	bool ignored = s->readable && !s->agreed && s->reason != NULL &&
	    (ascii_is(s->reason, s->reason_len, "not-requested") ||
		ascii_is(s->reason, s->reason_len, "not-asked"));
	const struct failure *before = ignored ? find(m, s, &kind) : NULL;
	struct failure was; /* to remember this one's may take its place */
	if (before != NULL)
		was = *before;
	if (failed)
		remember(m, s);
	else if (s->encrypted)
		forget(m, s);
	if (before == NULL)
		return;
	if (was.id[0] != '\0')
		record_put_word(r, FIELD_RELATED_ID, was.id);
	record_put_time(r, FIELD_RELATED_TIME, was.last_ns);
	record_put_word(r, FIELD_RELATED_OUTCOME, was.refused ? "refused" : "tls-failed");
	if (was.alert[0] != '\0')
		record_put_word(r, FIELD_RELATED_ALERT, was.alert);
	record_put_word(r, FIELD_RELATED_BY, kinds[kind].word);
	record_set_word(r, FIELD_REASON, was.refused ? "refused" : "tls-failed");
}
