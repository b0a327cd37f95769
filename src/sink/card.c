/* A card: see card.h. */
#include "sink/card.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "record/mask.h"
#include "sink/words.h"

#define BITMAP (64u * 64u) /* bits of a struct distinct */

/* FNV-1a, then mixed (the finaliser of MurmurHash3).  Not keyed, unlike the hash of tables: an
 * estimate that is printed must not change from run to run, and who makes values collide only makes
 * a count smaller. */
static uint64_t
hash_of(const void *octets, size_t len)
{
	const uint8_t *p = octets;
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
	h ^= h >> 33;
	return h != 0 ? h : 1;
}

static bool
set_bit(struct distinct *d, uint64_t hash)
{
	uint64_t *word = &d->words[hash % BITMAP / 64], bit = 1ull << hash % 64;
	bool fresh = (*word & bit) == 0;
	*word |= bit;
	return fresh;
}

static void
become_bitmap(struct distinct *d)
{
	uint64_t hashes[64];
	memcpy(hashes, d->words, sizeof hashes);
	memset(d->words, 0, sizeof d->words);
	d->estimate = true;
	for (uint32_t i = 0; i < d->exact; i++)
		(void)set_bit(d, hashes[i]);
}

bool
distinct_add(struct distinct *d, uint64_t hash)
{
	if (d->estimate)
		return set_bit(d, hash);
	for (uint32_t i = 0; i < d->exact; i++) {
		if (d->words[i] == hash)
			return false;
	}
	if (d->exact < 64) {
		d->words[d->exact++] = hash;
		return true;
	}
	become_bitmap(d);
	return set_bit(d, hash);
}

/* Linear counting (Whang, Vander-Zanden, Taylor 1990): m bits, z of them still 0, ln(m/z) * m. */
uint64_t
distinct_count(const struct distinct *d)
{
	unsigned ones = 0;
	if (!d->estimate)
		return d->exact;
	for (unsigned i = 0; i < 64; i++)
		ones += (unsigned)__builtin_popcountll(d->words[i]);
	double zeros = ones < BITMAP ? BITMAP - ones : 1;
	return (uint64_t)(BITMAP * log(BITMAP / zeros) + 0.5);
}

static void
distinct_merge(struct distinct *into, const struct distinct *from)
{
	if (!from->estimate) {
		for (uint32_t i = 0; i < from->exact; i++)
			(void)distinct_add(into, from->words[i]);
		return;
	}
	if (!into->estimate)
		become_bitmap(into);
	for (unsigned i = 0; i < 64; i++)
		into->words[i] |= from->words[i];
}

/* Adds a value to a list: its hash, and how it is shown.  Of values that look the same (masked ones
 * often do) one is kept. */
static void
names_add(struct names *n, uint64_t hash, const char *shown)
{
	if (!distinct_add(&n->all, hash) || n->shown == CARD_NAMES)
		return;
	for (uint32_t i = 0; i < n->shown; i++) {
		if (strcmp(n->text[i], shown) == 0)
			return;
	}
	n->hash[n->shown] = hash;
	struct text t = text_in(n->text[n->shown++], CARD_NAME);
	text_puts(&t, shown);
}

#define CUT	 "..." /* where something was left out */
#define CUT_LEN	 (sizeof CUT - 1)
#define FILE_END 12u /* octets of the end of a long file name that are shown */

static void
names_add_value(struct names *n, const struct record_value *v, bool reveal)
{
	char shown[CARD_NAME];
	struct text t = text_in(shown, sizeof shown - CUT_LEN);
	mask_add(&t, reveal ? PRIVACY_OPEN : (enum field_privacy)field_table[v->field].privacy,
	    v->str, v->len);
	if (t.cut)
		memcpy(shown + t.len, CUT, CUT_LEN + 1);
	names_add(n, hash_of(v->str, v->len), shown);
}

static void
names_merge(struct names *into, const struct names *from)
{
	for (uint32_t i = 0; i < from->shown; i++)
		names_add(into, from->hash[i], from->text[i]);
	distinct_merge(&into->all, &from->all);
}

/* An attachment while its members come. */
struct attachment {
	bool open;
	struct record_value name, type, detected; /* their len is 0 where they did not come */
	uint64_t size;
	bool sized;
};

/* A file's name in `room` octets: of a long one the beginning and the end, which has what kind of
 * file it is.  It is masked as a whole. */
static void
add_file_name(struct text *t, const struct record_value *v, bool reveal, size_t room)
{
	const char *s = v->str;
	size_t head = room - FILE_END - CUT_LEN, tail = v->len - FILE_END;
	if (!reveal) {
		mask_add(t, PRIVACY_FILE, s, v->len);
	} else if (v->len <= room) {
		text_add_wire(t, s, v->len);
	} else {
		while (head > 0 && ((uint8_t)s[head] & 0xc0) == 0x80)
			head--;
		while (tail < v->len && ((uint8_t)s[tail] & 0xc0) == 0x80)
			tail++;
		text_add_wire(t, s, head);
		text_puts(t, CUT);
		text_add_wire(t, s + tail, v->len - tail);
	}
}

static void
attachment_end(struct card *c, struct attachment *a, bool reveal)
{
	char shown[CARD_NAME];
	struct text t = text_in(shown, sizeof shown);
	if (!a->open)
		return;
	char file[64];
	struct text f = text_in(file, sizeof file);
	words_file(&f, &a->type, &a->detected);
	if (f.len > 0 && a->sized)
		text_puts(&f, ", ");
	if (a->sized)
		words_size(&f, a->size);
	size_t name = f.len < 40 ? 60 : 40; /* octets of it that leave room for the rest */
	if (a->name.len > 0)
		add_file_name(&t, &a->name, reveal, name);
	else
		text_puts(&t, "without a name");
	if (f.len > 0)
		text_printf(&t, " (%s)", file);
	names_add(&c->attachments,
	    hash_of(a->name.str, a->name.len) ^ hash_of(a->type.str, a->type.len) ^ a->size ^
		hash_of(a->detected.str, a->detected.len) << 1,
	    shown);
	memset(a, 0, sizeof *a);
}

static void
take_word(char *out, size_t cap, const struct record_value *v)
{
	memset(out, 0, cap); /* it may be part of a key */
	struct text t = text_in(out, cap);
	text_add_wire(&t, v->str, v->len);
}

/* What the client calls itself may be a mail address. */
static void
take_client_name(char *out, const struct record_value *v, bool reveal)
{
	memset(out, 0, CARD_NAME);
	struct text t = text_in(out, CARD_NAME);
	mask_add(&t, reveal ? PRIVACY_OPEN : PRIVACY_TEXT, v->str, v->len);
}

/* The host name in a greeting ("220 mx.example.org ESMTP", "* OK [..] mx.example.org ready"): the
 * first of its first words that looks like one. */
static void
take_greeting_name(char *out, const struct record_value *v)
{
	const char *s = v->str, *end = v->str + v->len;
	for (int word = 0; word < 4 && s < end; word++) {
		const char *from = s;
		bool dot = false, letter = false, host = true;
		for (; s < end && *s != ' ' && *s != '\r' && *s != '\n'; s++) {
			char c = ascii_lower(*s);
			dot = dot || (c == '.' && s > from);
			letter = letter || (c >= 'a' && c <= 'z');
			host = host &&
			    ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
				c == '-' || c == '_');
		}
		if (dot && letter && host && s[-1] != '.') {
			struct text t = text_in(out, CARD_NAME);
			text_add_wire(&t, from, (size_t)(s - from));
			return;
		}
		while (s < end && (*s == ' ' || *s == '\r' || *s == '\n'))
			s++;
	}
}

static void
take_time(struct card *c, int64_t ns)
{
	if (c->first_ns == 0 || ns < c->first_ns)
		c->first_ns = ns;
	if (ns > c->last_ns)
		c->last_ns = ns;
}

void
card_name_of(char out[CARD_NAME], const struct record *r, bool client, bool reveal)
{
	struct record_value v;
	out[0] = '\0';
	if (!record_find(r, client ? FIELD_HELO : FIELD_GREETING, &v))
		return;
	if (client)
		take_client_name(out, &v, reveal);
	else
		take_greeting_name(out, &v);
}

static void
take_side(struct card *c, const struct record_value *v, bool reveal)
{
	switch (v->field) {
	case FIELD_SOURCE_IP: c->key.client = v->ip; break;
	case FIELD_SOURCE_PORT: c->client_port = (uint16_t)v->u64; break;
	case FIELD_SOURCE_GEO_COUNTRY:
		take_word(c->client.country, sizeof c->client.country, v);
		break;
	case FIELD_SOURCE_AS_NUMBER: c->client.as_number = v->u64; break;
	case FIELD_SOURCE_AS_NAME: take_word(c->client.network, CARD_NAME, v); break;
	case FIELD_DESTINATION_IP: c->key.server = v->ip; break;
	case FIELD_DESTINATION_PORT: c->key.port = (uint16_t)v->u64; break;
	case FIELD_DESTINATION_GEO_COUNTRY:
		take_word(c->server.country, sizeof c->server.country, v);
		break;
	case FIELD_DESTINATION_AS_NUMBER: c->server.as_number = v->u64; break;
	case FIELD_DESTINATION_AS_NAME: take_word(c->server.network, CARD_NAME, v); break;
	case FIELD_HELO: take_client_name(c->client.name, v, reveal); break;
	case FIELD_GREETING: take_greeting_name(c->server.name, v); break;
	default: break;
	}
}

static void
take_mail(struct card *c, const struct record_value *v, bool reveal)
{
	switch (v->field) {
	case FIELD_EMAIL_FROM: names_add_value(&c->senders, v, reveal); break;
	case FIELD_EMAIL_TO: names_add_value(&c->recipients, v, reveal); break;
	case FIELD_EMAIL_SUBJECT: names_add_value(&c->subjects, v, reveal); break;
	case FIELD_EMAIL_X_MAILER: names_add_value(&c->mailers, v, reveal); break;
	case FIELD_RECIPIENTS: c->recipients_named += v->u64; break;
	case FIELD_DELIVERED:
		c->not_accepted +=
		    ascii_is(v->str, v->len, "rejected") || ascii_is(v->str, v->len, "aborted");
		break;
	case FIELD_BODY_PROTECTION:
		c->sealed_pgp = c->sealed_pgp || ascii_is(v->str, v->len, "pgp");
		c->sealed_smime = c->sealed_smime || ascii_is(v->str, v->len, "smime");
		c->sealed += ascii_is(v->str, v->len, "pgp") || ascii_is(v->str, v->len, "smime");
		break;
	default: break;
	}
}

/* The attachments: members stand behind the one that begins each. */
static void
take_attachments(struct card *c, const struct record *r, bool reveal)
{
	struct attachment a = {.open = false};
	struct record_value v;
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		switch (v.field) {
		case FIELD_EMAIL_ATTACHMENT:
			attachment_end(c, &a, reveal);
			a.open = true;
			break;
		case FIELD_EMAIL_ATTACHMENT_NAME: a.name = v; break;
		case FIELD_EMAIL_ATTACHMENT_TYPE: a.type = v; break;
		case FIELD_EMAIL_ATTACHMENT_DETECTED: a.detected = v; break;
		case FIELD_EMAIL_ATTACHMENT_SIZE:
			a.size = v.u64;
			a.sized = true;
			break;
		default: break;
		}
	}
	attachment_end(c, &a, reveal);
}

/* What the connection was wrapped in, of any number of records the same: tunnels as they stand one
 * behind the other. */
static void
take_wrapping(struct card *c, const struct record *r)
{
	char text[CARD_NAME], ip[ADDR_TEXT];
	struct text t = text_in(text, sizeof text);
	struct record_value v;
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		switch (v.field) {
		case FIELD_TUNNEL_TYPE:
			text_puts(&t, t.len > 0 ? " in " : "");
			mask_add(&t, PRIVACY_OPEN, v.str, v.len);
			break;
		case FIELD_TUNNEL_ID:
			text_putc(&t, ' ');
			text_add_u64(&t, v.u64);
			break;
		case FIELD_TUNNEL_SOURCE_IP:
		case FIELD_TUNNEL_DESTINATION_IP:
			text_puts(&t, v.field == FIELD_TUNNEL_SOURCE_IP ? ", " : " to ");
			text_puts(&t, addr_print(&v.ip, ip));
			break;
		default: break;
		}
	}
	if (t.len > 0)
		names_add(&c->tunnels, hash_of(text, t.len), text);
}

/* "Scanner in the hall (ann@example.org, until 2027-06-30)" */
static void
take_accepted(struct card *c, const struct record *r)
{
	struct text t = text_in(c->accepted, sizeof c->accepted);
	struct record_value v;
	if (record_find(r, FIELD_ACCEPTED_TITLE, &v))
		text_add_wire(&t, v.str, v.len);
	text_puts(&t, " (");
	words_acceptance(&t, r);
	text_putc(&t, ')');
	if (record_find(r, FIELD_ACCEPTED_REASON, &v)) {
		text_puts(&t, ": ");
		text_add_wire(&t, v.str, v.len);
	}
}

/* "example.net wants TLS, and it went in the clear" */
static void
take_policy(struct card *c, const struct record *r)
{
	struct text t = text_in(c->policy, sizeof c->policy);
	struct record_value v;
	bool verify = record_is(r, FIELD_POLICY_WANTS, "verify");
	text_puts(&t, "violated: ");
	unsigned n = 0;
	for (uint32_t at = 0; record_each(r, FIELD_POLICY_DOMAIN, &at, &v);) {
		text_puts(&t, n++ > 0 ? ", " : "");
		text_add_wire(&t, v.str, v.len);
	}
	text_puts(&t, n > 1 ? " require " : " requires ");
	text_puts(&t, verify ? "TLS with a certificate of the right name" : "TLS");
	if (record_find(r, FIELD_POLICY_SOURCE, &v) && !ascii_is(v.str, v.len, "config")) {
		text_puts(&t, " (");
		text_add_wire(&t, v.str, v.len);
		text_putc(&t, ')');
	}
}

/* "TLS was offered in 4 of 4 earlier connections, to 1 network, last at ...; that it was removed is
 * of high confidence" */
static void
take_baseline(struct card *c, const struct record *r)
{
	static const char *const why[][2] = {{"pool", "; several machines, it seems"},
	    {"rebuilt", "; another server by now, it seems"}};
	struct text t = text_in(c->baseline, sizeof c->baseline);
	struct record_value v;
	uint64_t with = 0, without = 0;
	if (record_is(r, FIELD_BASELINE_VERDICT, "none")) {
		text_puts(&t, "no baseline: this server was not seen before");
		return;
	}
	if (record_find(r, FIELD_BASELINE_OFFERED, &v))
		with = v.u64;
	if (record_find(r, FIELD_BASELINE_NOT_OFFERED, &v))
		without = v.u64;
	text_puts(&t, "TLS was offered in ");
	text_add_count(&t, with);
	text_puts(&t, " of ");
	text_add_count(&t, with + without);
	text_puts(&t, with + without == 1 ? " earlier connection" : " earlier connections");
	if (record_find(r, FIELD_BASELINE_CLIENTS, &v) && v.u64 > 0)
		text_printf(&t, ", to %llu network%s", (unsigned long long)v.u64,
		    v.u64 == 1 ? "" : "s");
	if (record_find(r, FIELD_BASELINE_LAST, &v)) {
		text_puts(&t, ", last at ");
		words_time(&t, v.ns);
		text_puts(&t, " UTC");
	}
	for (size_t i = 0; i < sizeof why / sizeof *why; i++) {
		if (record_is(r, FIELD_BASELINE_VERDICT, why[i][0]))
			text_puts(&t, why[i][1]);
	}
	if (record_find(r, FIELD_BASELINE_CONFIDENCE, &v)) {
		text_puts(&t, "; that it was removed is of ");
		text_add_wire(&t, v.str, v.len);
		text_puts(&t, " confidence");
	}
}

/* "printer (Ricoh), by its EHLO name and network card" */
static void
take_who(struct card *c, const struct record *r)
{
	static const char *const words[][2] = {{"helo", "EHLO name"}, {"mailer", "X-Mailer"},
	    {"message-id", "Message-ID"}, {"network card", "network card"},
	    {"received", "Received fields"}, {"agent", "IMAP ID"}, {"command", "commands"}};
	struct text t = text_in(c->who, sizeof c->who);
	struct record_value v, name = {.len = 0};
	const char *by[sizeof words / sizeof *words];
	unsigned n = 0;
	bool class = record_find(r, FIELD_CLIENT_CLASS, &v);
	(void)record_find(r, FIELD_CLIENT_SOFTWARE, &name);
	if (class && ascii_is(v.str, v.len, "mta"))
		text_puts(&t, "mail server");
	else if (class && ascii_is(v.str, v.len, "mail-client"))
		text_puts(&t, "mail program");
	else if (class)
		text_add_wire(&t, v.str, v.len);
	if (name.len > 0) {
		text_puts(&t, class ? " (" : "");
		text_add_wire(&t, name.str, name.len);
		text_puts(&t, class ? ")" : "");
	}
	for (uint32_t at = 0; record_each(r, FIELD_CLIENT_BECAUSE, &at, &v);) {
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			if (ascii_begins(v.str, v.len, words[i][0]) && n < sizeof by / sizeof *by)
				by[n++] = words[i][1];
		}
	}
	for (unsigned i = 0; i < n; i++)
		text_printf(&t, "%s%s", i == 0 ? ", by its " : i + 1 < n ? ", " : " and ", by[i]);
}

/* What the worst of a card's records says; and its number of mails. */
struct words {
	int level; /* LEVEL_x */
	uint64_t messages;
	struct record_value message, advice; /* len 0: none */
};

static void
take_value(struct card *c, struct words *w, const struct record_value *v, bool reveal)
{
	char ip[ADDR_TEXT];
	switch (v->field) {
	case FIELD_TIMESTAMP:
	case FIELD_EVENT_START:
	case FIELD_EVENT_END: take_time(c, v->ns); break;
	case FIELD_MESSAGE: w->message = *v; break;
	case FIELD_ADVICE: w->advice = *v; break;
	case FIELD_LEVEL: w->level = words_level(v->str, v->len); break;
	case FIELD_MESSAGES: w->messages = v->u64; break;
	case FIELD_REASON: take_word(c->key.reason, CARD_WORD, v); break;
	case FIELD_NETWORK_PROTOCOL: take_word(c->key.protocol, CARD_WORD, v); break;
	case FIELD_EXPOSED:
		c->key.exposed |= (uint8_t)(1u << words_readable(v->str, v->len));
		break;
	case FIELD_AUTH: names_add_value(&c->mechanisms, v, reveal); break;
	case FIELD_AUTH_RESULT:
		c->login_results |= (uint8_t)(1u << words_login_result(v->str, v->len));
		break;
	case FIELD_AUTH_SHOWS:
		c->login_shows |= (uint8_t)(1u << words_login_shows(v->str, v->len));
		break;
	case FIELD_STARTTLS_EVIDENCE:
		if (c->evidence[0] == '\0') {
			struct text t = text_in(c->evidence, sizeof c->evidence);
			mask_add(&t, reveal ? PRIVACY_OPEN : PRIVACY_TEXT, v->str, v->len);
		}
		break;
	case FIELD_NETWORK_FORWARDED_IP:
		addr_print(&v->ip, ip);
		names_add(&c->behind, hash_of(ip, strlen(ip)), ip);
		break;
	default: take_side(c, v, reveal); break;
	}
}

/* Takes the fields that are asked for, each by itself, since most of a record is none of them. */
static void
take_values(struct card *c, struct words *w, const struct record *r, bool reveal)
{
	static const uint16_t any[] = {FIELD_TIMESTAMP, FIELD_EVENT_START, FIELD_EVENT_END,
	    FIELD_MESSAGE, FIELD_ADVICE, FIELD_LEVEL, FIELD_MESSAGES, FIELD_REASON,
	    FIELD_NETWORK_PROTOCOL, FIELD_EXPOSED, FIELD_AUTH, FIELD_AUTH_RESULT, FIELD_AUTH_SHOWS,
	    FIELD_STARTTLS_EVIDENCE, FIELD_NETWORK_FORWARDED_IP, FIELD_SOURCE_IP, FIELD_SOURCE_PORT,
	    FIELD_SOURCE_GEO_COUNTRY, FIELD_SOURCE_AS_NUMBER, FIELD_SOURCE_AS_NAME,
	    FIELD_DESTINATION_IP, FIELD_DESTINATION_PORT, FIELD_DESTINATION_GEO_COUNTRY,
	    FIELD_DESTINATION_AS_NUMBER, FIELD_DESTINATION_AS_NAME, FIELD_HELO, FIELD_GREETING};
	static const uint16_t mail[] = {FIELD_EMAIL_FROM, FIELD_EMAIL_TO, FIELD_EMAIL_SUBJECT,
	    FIELD_EMAIL_X_MAILER, FIELD_RECIPIENTS, FIELD_DELIVERED, FIELD_BODY_PROTECTION};
	struct record_value v;
	for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
		for (uint32_t at = 0; record_each(r, (enum field)any[i], &at, &v);)
			take_value(c, w, &v, reveal);
	}
	for (size_t i = 0; r->kind == RECORD_MESSAGE && i < sizeof mail / sizeof *mail; i++) {
		for (uint32_t at = 0; record_each(r, (enum field)mail[i], &at, &v);)
			take_mail(c, &v, reveal);
	}
	if (record_has(r, FIELD_EMAIL_ATTACHMENT))
		take_attachments(c, r, reveal);
	if (record_has(r, FIELD_TUNNEL_TYPE) || record_has(r, FIELD_TUNNEL_ID) ||
	    record_has(r, FIELD_TUNNEL_SOURCE_IP) || record_has(r, FIELD_TUNNEL_DESTINATION_IP))
		take_wrapping(c, r);
}

void
card_take(struct card *c, const struct record *r, bool reveal)
{
	struct record_value v;
	struct words w = {.level = LEVEL_NONE};
	bool accepted = record_find(r, FIELD_ACCEPTED_TITLE, &v);
	c->key.accepted = accepted && (c->key.accepted || (c->mails == 0 && c->connections == 0));
	if (accepted)
		take_accepted(c, r);
	if (record_is(r, FIELD_POLICY_VERDICT, "violated"))
		take_policy(c, r);
	if (c->who[0] == '\0' &&
	    (record_find(r, FIELD_CLIENT_CLASS, &v) || record_find(r, FIELD_CLIENT_SOFTWARE, &v)))
		take_who(c, r);
	if (c->baseline[0] == '\0' && record_find(r, FIELD_BASELINE_VERDICT, &v))
		take_baseline(c, r);
	take_values(c, &w, r, reveal);
	c->key.exposed &= (1u << READABLES) - 1;
	c->logins = (c->key.exposed >> READABLE_CREDENTIALS & 1) != 0;
	if (r->kind == RECORD_MESSAGE) {
		card_hops_take(&c->hops, r, reveal);
		c->mails++;
	} else {
		c->connections++;
		if (w.messages > c->mails) /* fetched by IMAP or POP3, or more than were recorded */
			c->mails = w.messages;
	}
	/* the worst of it speaks, and of equals the session, which comes last */
	if (w.level >= c->key.level) {
		c->key.level = (uint8_t)w.level;
		if (w.message.len > 0)
			take_word(c->message, CARD_SENTENCE, &w.message);
		if (w.advice.len > 0)
			take_word(c->advice, CARD_SENTENCE, &w.advice);
	}
}

static void
side_merge(struct card_side *into, const struct card_side *from)
{
	if (into->name[0] == '\0')
		memcpy(into->name, from->name, sizeof into->name);
}

void
card_merge(struct card *into, const struct card *from)
{
	if (into->connections == 0 && into->mails == 0) {
		*into = *from;
		return;
	}
	take_time(into, from->first_ns);
	take_time(into, from->last_ns);
	into->connections += from->connections;
	into->mails += from->mails;
	into->not_accepted += from->not_accepted;
	into->sealed += from->sealed;
	into->sealed_pgp = into->sealed_pgp || from->sealed_pgp;
	into->sealed_smime = into->sealed_smime || from->sealed_smime;
	into->recipients_named += from->recipients_named;
	into->logins = into->logins || from->logins;
	into->login_results |= from->login_results;
	into->login_shows |= from->login_shows;
	if (into->evidence[0] == '\0')
		memcpy(into->evidence, from->evidence, sizeof into->evidence);
	if (into->policy[0] == '\0')
		memcpy(into->policy, from->policy, sizeof into->policy);
	if (into->baseline[0] == '\0')
		memcpy(into->baseline, from->baseline, sizeof into->baseline);
	if (into->who[0] == '\0')
		memcpy(into->who, from->who, sizeof into->who);
	side_merge(&into->client, &from->client);
	side_merge(&into->server, &from->server);
	card_hops_merge(&into->hops, &from->hops);
	names_merge(&into->behind, &from->behind);
	names_merge(&into->tunnels, &from->tunnels);
	names_merge(&into->senders, &from->senders);
	names_merge(&into->recipients, &from->recipients);
	names_merge(&into->subjects, &from->subjects);
	names_merge(&into->attachments, &from->attachments);
	names_merge(&into->mechanisms, &from->mechanisms);
	names_merge(&into->mailers, &from->mailers);
}
