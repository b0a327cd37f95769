/*
 * Readable mail that is a retry of a failed handshake.
 *
 * Postfix retries in the clear no sooner than 300 s after the first failure and with a second MX at
 * once, by another address; Exim, OpenSMTPD and sendmail retry at once; others remember for an hour
 * (KumoMTA: remember_broken_tls).  Alone the retry looks as if the client had ignored the offer. So
 * failures are kept by the addresses, by the names that both sides give, and for a short time by
 * the client and the server's domain.
 */
#include <string.h>

#include "base/text.h"
#include "judge/memory_internal.h"
#include "judge/names.h"

enum key_kind { KEY_ADDRESS, KEY_NAME, KEY_DOMAIN, KEY_KINDS };

static const char *const key_words[KEY_KINDS] = {"address", "name", "domain"};
static const int64_t lives_ns[KEY_KINDS] = {LIMIT_FAILURE_S * 1000000000ll,
    LIMIT_FAILURE_S * 1000000000ll, LIMIT_FAILURE_DOMAIN_S * 1000000000ll};

static void
add_lower(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_putc(t, ascii_lower(s[i]));
}

/* The key of that kind; false where the sighting has none, or one that says no more than that of
 * the addresses. */
static bool
key_of(const struct sighting *s, enum key_kind kind, struct text_key *k)
{
	char ip[ADDR_TEXT];
	memset(k, 0, sizeof *k);
	struct text t = text_in(k->s, sizeof k->s);
	bool name = s->helo_len > 0, server = s->greeting_len > 0;
	if (s->client.family == 0 || s->server.family == 0 ||
	    (kind == KEY_NAME && !name && !server) || (kind == KEY_DOMAIN && !server))
		return false;
	text_puts(&t, key_words[kind]);
	text_putc(&t, ' ');
	if (kind == KEY_NAME && name)
		add_lower(&t, s->helo, s->helo_len);
	else
		text_puts(&t, addr_print(&s->client, ip));
	text_putc(&t, ' ');
	if (kind == KEY_DOMAIN) {
		const char *domain;
		size_t len;
		name_parent(s->greeting, s->greeting_len, &domain, &len);
		add_lower(&t, domain, len);
	} else if (kind == KEY_NAME && server) {
		add_lower(&t, s->greeting, s->greeting_len);
	} else {
		text_puts(&t, addr_print(&s->server, ip));
	}
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
		struct failure *f =
		    key_of(s, (enum key_kind)kind, &k) ? memory_put(m, 0, &k, NULL) : NULL;
		if (f == NULL)
			continue;
		f->last_ns = s->end_ns;
		f->start_ns = s->start_ns;
		f->port = s->port;
		f->refused = !s->failed;
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
		struct failure *f =
		    map_count(&m->failures) > 0 && key_of(s, (enum key_kind)kind, &k)
		    ? map_find(&m->failures, &k)
		    : NULL;
		if (f != NULL && !f->gone && f->port == s->port && s->start_ns > f->start_ns) {
			f->gone = true;
			f->dirty = true;
		}
	}
}

/* The failure that this readable mail may be a retry of; *kind: how it was found. */
static const struct failure *
find(const struct memory *m, const struct sighting *s, enum key_kind *kind)
{
	for (unsigned i = 0; i < KEY_KINDS; i++) {
		struct text_key k;
		const struct failure *f =
		    key_of(s, (enum key_kind)i, &k) ? map_find(&m->failures, &k) : NULL;
		if (f == NULL || f->gone || s->end_ns - f->last_ns > lives_ns[i])
			continue;
		/* not of this connection itself, and begun before it */
		bool same = s->id_len > 0 && strlen(f->id) == s->id_len &&
		    memcmp(f->id, s->id, s->id_len) == 0;
		if (same || f->start_ns >= s->start_ns)
			continue;
		*kind = (enum key_kind)i;
		return f;
	}
	return NULL;
}

void
retry_apply(struct memory *m, const struct sighting *s, struct record *r)
{
	enum key_kind kind = KEY_ADDRESS;
	/* read before the record changes */
	bool ignored = s->readable && s->reason != NULL &&
	    (ascii_is(s->reason, s->reason_len, "not-requested") ||
		ascii_is(s->reason, s->reason_len, "not-asked"));
	const struct failure *f = ignored && map_count(&m->failures) > 0 ? find(m, s, &kind) : NULL;
	if (!s->message && (s->failed || s->refused))
		remember(m, s);
	else if (s->encrypted)
		forget(m, s);
	if (f == NULL)
		return;
	if (f->id[0] != '\0')
		record_put_word(r, FIELD_RELATED_ID, f->id);
	record_put_time(r, FIELD_RELATED_TIME, f->last_ns);
	record_put_word(r, FIELD_RELATED_OUTCOME, f->refused ? "refused" : "tls-failed");
	if (f->alert[0] != '\0')
		record_put_word(r, FIELD_RELATED_ALERT, f->alert);
	record_put_word(r, FIELD_RELATED_BY, key_words[kind]);
	record_set_word(r, FIELD_REASON, f->refused ? "refused" : "tls-failed");
}
