/* Writing a finding into a record: names and meanings as OUTPUT says; what is not known is not put.
 */
#include <string.h>

#include "base/lexicon.h"
#include "finding/finding.h"
#include "finding/message.h"
#include "mail/magic.h"

/* The lowest bit of a set, which is taken out of it. */
static unsigned
next_bit(uint32_t *set)
{
	unsigned bit = (unsigned)__builtin_ctz(*set);
	*set &= *set - 1;
	return bit;
}

static void
put_literal(struct record *r, enum field f, const struct literal *w)
{
	record_put_str(r, f, w->s, w->len);
}

/* Inline, for the field's sake: see record/put.h. */
static inline __attribute__((always_inline)) void
put_string(const struct findings *F, struct record *r, enum field f, uint32_t handle)
{
	size_t len;
	if (handle == 0)
		return;
	const char *s = strings_get(&F->strings, handle, &len);
	record_put_str(r, f, s, len);
}

static const struct short_word exposed_word[] = {SHORT("envelope"), SHORT("headers"), SHORT("body"),
    SHORT("attachments"), SHORT("credentials")}; /* by bit of EXPOSED_*, lowest step first */

static void
put_exposed(struct record *r, uint8_t exposed)
{
	for (uint32_t left = exposed; left != 0;)
		record_put_short(r, FIELD_EXPOSED, &exposed_word[next_bit(&left)]);
}

/* The highest step of the ladder; of a session without any, the names in greeting and EHLO. */
static void
put_exposure(struct record *r, uint8_t exposed, bool names)
{
	unsigned step = 0;
	while (exposed >> step > 1)
		step++;
	if (exposed != 0)
		record_put_short(r, FIELD_EXPOSURE, &exposed_word[step]);
	else if (names)
		record_put_word(r, FIELD_EXPOSURE, "names");
}

static void
put_auth(const struct findings *F, const struct finding *f, struct record *r)
{
	const struct notes *n = finding_notes(F, f);
	static const struct {
		uint32_t flag;
		const char *word;
	} results[] = {
	    {FINDING_AUTH_OK, "accepted"},
	    {FINDING_AUTH_NO, "refused"},
	    {FINDING_AUTH_CANCELLED, "cancelled"},
	    {FINDING_AUTH_OPEN, "unanswered"},
	};
	static const uint32_t any = FINDING_AUTH | FINDING_AUTH_OPEN | FINDING_AUTH_OK |
	    FINDING_AUTH_NO | FINDING_AUTH_CANCELLED;
	if (f->notes == 0 && !(f->flags & any))
		return;
	for (uint32_t left = n->auth; left != 0;)
		record_put_word(r, FIELD_AUTH, auth_name(next_bit(&left)));
	if (f->flags & FINDING_AUTH && f->flags & (FINDING_AUTH_OK | FINDING_AUTH_NO))
		record_put_bool(r, FIELD_AUTH_ACCEPTED, (f->flags & FINDING_AUTH_OK) != 0);
	for (unsigned i = 0; i < sizeof results / sizeof *results; i++) {
		bool early = results[i].flag == FINDING_AUTH_OPEN && r->kind != RECORD_SESSION;
		if (f->flags & results[i].flag && !early) /* its answer may still come */
			record_put_word(r, FIELD_AUTH_RESULT, results[i].word);
	}
	for (unsigned i = 0; i < AUTH_SHOWS; i++) {
		if (n->auth_shown >> i & 1u)
			record_put_word(r, FIELD_AUTH_SHOWS, auth_shows_name((enum auth_shows)i));
	}
}

static void
put_certificate(const struct findings *F, const struct certificate *c, struct record *r)
{
	static const char *const from[] =
	    {[NAME_FROM_SNI] = "sni", [NAME_FROM_GREETING] = "greeting", [NAME_FROM_EHLO] = "ehlo"};
	size_t len, n;
	put_string(F, r, FIELD_TLS_SUBJECT, c->subject);
	put_string(F, r, FIELD_TLS_ISSUER, c->issuer);
	put_string(F, r, FIELD_TLS_SHA256, c->sha256);
	if (c->not_before_ns != 0)
		record_put_time(r, FIELD_TLS_NOT_BEFORE, c->not_before_ns);
	if (c->not_after_ns != 0)
		record_put_time(r, FIELD_TLS_NOT_AFTER, c->not_after_ns);
	const char *names = strings_get(&F->strings, c->alt_names, &len);
	for (size_t at = 0; at < len; at += n + 1) {
		n = strlen(names + at); /* each has its NUL inside */
		record_put_str(r, FIELD_TLS_ALT_NAMES, names + at, n);
	}
	put_string(F, r, FIELD_TLS_KEY_ALGORITHM, c->key_type);
	if (c->key_bits != 0)
		record_put_u64(r, FIELD_TLS_KEY_SIZE, c->key_bits);
	put_string(F, r, FIELD_TLS_SIGNATURE, c->signature);
	if (c->name != 0) {
		put_string(F, r, FIELD_TLS_NAME, c->name);
		record_put_word(r, FIELD_TLS_NAME_FROM, from[c->name_from]);
		record_put_bool(r, FIELD_TLS_NAME_MATCH, c->name_match);
	}
}

static void
put_tls(const struct findings *F, const struct finding *f, const struct finding_view *v,
    struct record *r)
{
	const struct tls_facts *t = f->facts != 0 ? pool_at(&F->facts, f->facts) : NULL;
	/* false is said where TLS was seen to fail, or all was seen and there was none */
	bool all_seen = v->both && !v->gap && !v->midstream && !v->headless;
	if (!(f->flags & FINDING_TLS_MIDSTREAM) &&
	    (all_seen || f->flags & (FINDING_ESTABLISHED | FINDING_TLS_SEEN | FINDING_REQUESTED)))
		record_put_bool(r, FIELD_TLS_ESTABLISHED, (f->flags & FINDING_ESTABLISHED) != 0);
	if (t == NULL)
		return;
	const struct certificate c = certificate_of(F, t);
	if (f->flags & FINDING_SERVER_HELLO) {
		record_put_word(r, FIELD_TLS_VERSION, tls_version_name(t->version));
		record_put_word(r, FIELD_TLS_CIPHER, tls_cipher_name(t->cipher));
		if (t->dh_bits != 0) {
			char dh[24];
			struct text x = text_in(dh, sizeof dh);
			text_printf(&x, "DHE-%u", (unsigned)t->dh_bits);
			record_put_str(r, FIELD_TLS_GROUP, x.buf, x.len);
		} else if (t->group != 0) {
			record_put_word(r, FIELD_TLS_GROUP, tls_group_name(t->group));
		}
		/* up to TLS 1.2 it takes more than the hello to tell that it was not */
		bool full = c.sha256 != 0 || t->group != 0 || t->dh_bits != 0 ||
		    (f->flags & FINDING_ESTABLISHED && !v->gap);
		if (t->resumed || t->version >= 0x0304 || full)
			record_put_bool(r, FIELD_TLS_RESUMED, t->resumed);
		put_string(F, r, FIELD_TLS_JA3S, t->ja3s);
	}
	put_string(F, r, FIELD_TLS_SNI, t->sni);
	put_string(F, r, FIELD_TLS_NEXT_PROTOCOL, t->alpn);
	put_string(F, r, FIELD_TLS_JA3, t->ja3);
	put_string(F, r, FIELD_TLS_JA4, t->ja4);
	for (unsigned i = 0; i < t->alerts; i++) {
		char buf[64];
		struct text x = text_in(buf, sizeof buf);
		const char *name = tls_alert_name(t->alert[i]);
		text_puts(&x, t->alert_sides >> i & 1u ? "server: " : "client: ");
		if (name != NULL)
			text_puts(&x, name);
		else
			text_printf(&x, "%u", t->alert[i]);
		record_put_str(r, FIELD_TLS_ALERT, x.buf, x.len);
	}
	if (c.sha256 != 0)
		put_certificate(F, &c, r);
}

/* A capability list, by the bits of its keywords. */
static void
put_offer(struct findings *F, uint32_t keywords, struct record *r)
{
	struct record_run *o = &F->offers[keywords * 0x9e3779b9u >> 28];
	uint32_t from = r->len;
	if (o->len > 0 && o->key == keywords && record_put_run(r, FIELD_CAPABILITIES, o))
		return;
	for (uint32_t left = keywords; left != 0;)
		put_literal(r, FIELD_CAPABILITIES, mail_keyword(next_bit(&left)));
	record_run_keep(o, r, FIELD_CAPABILITIES, from);
	o->key = keywords;
}

static void
put_starttls(struct findings *F, const struct finding *f, const struct finding_view *v,
    struct record *r)
{
	static const char *const word[] = {NULL, "OK", "NO", "BAD", "+OK", "-ERR"};
	if (f->flags & FINDING_OFFER_KNOWN)
		record_put_bool(r, FIELD_STARTTLS_OFFERED, (f->flags & FINDING_OFFERED) != 0);
	if (f->keywords != 0)
		put_offer(F, f->keywords, r);
	/* "not requested" is said where all commands were seen */
	bool whole = v->both && !v->midstream && !v->gap;
	if (!(f->flags & FINDING_IMPLICIT) && (whole || f->flags & FINDING_REQUESTED))
		record_put_bool(r, FIELD_STARTTLS_REQUESTED, (f->flags & FINDING_REQUESTED) != 0);
	if (f->upgrade_reply >= sizeof word / sizeof word[0])
		record_put_u64(r, FIELD_STARTTLS_REPLY, f->upgrade_reply);
	else if (f->upgrade_reply != 0)
		record_put_word(r, FIELD_STARTTLS_REPLY_WORD, word[f->upgrade_reply]);
	put_string(F, r, FIELD_STARTTLS_EVIDENCE, finding_notes(F, f)->evidence);
	bool any = (f->flags & (FINDING_TLS_SEEN | FINDING_HELLO)) != 0;
	/* TLS that was under way before the capture, or behind a loss, may have begun either way */
	if (!any)
		record_put_word(r, FIELD_TLS_MODE, "none");
	else if (f->flags & FINDING_REQUESTED)
		record_put_word(r, FIELD_TLS_MODE, "starttls");
	else if (v->implicit_port || (f->flags & FINDING_IMPLICIT && whole))
		record_put_word(r, FIELD_TLS_MODE, "implicit");
	record_put_bool(r, FIELD_CLIENT_HELLO, (f->flags & FINDING_HELLO) != 0);
}

void
finding_put_session(struct findings *F, const struct finding *f, const struct finding_view *v,
    enum outcome o, struct record *r)
{
	record_put_short(r, FIELD_OUTCOME, outcome_word(o));
	if (o == OUTCOME_CLEARTEXT)
		record_put_short(r, FIELD_REASON,
		    reason_word(
			f->reason != REASON_NONE ? (enum reason)f->reason : finding_reason(f, v)));
	if (r->kind == RECORD_SESSION) {
		put_exposed(r, f->exposed);
		put_exposure(r, f->exposed, f->helo != 0 || f->greeting != 0);
	}
	put_starttls(F, f, v, r);
	record_put_u64(r, FIELD_MESSAGES, f->messages);
	record_put_u64(r, FIELD_ENVELOPES, f->envelopes);
	put_auth(F, f, r);
	for (uint32_t left = f->used; left != 0;)
		record_put_word(r, FIELD_USED, mail_extension(next_bit(&left)));
	put_string(F, r, FIELD_HELO, f->helo);
	put_string(F, r, FIELD_GREETING, f->greeting);
	put_string(F, r, FIELD_CLIENT_AGENT, finding_notes(F, f)->agent);
	for (uint32_t left = f->anomalies; left != 0;)
		record_put_word(r, FIELD_ANOMALIES, anomaly_table[next_bit(&left)].name);
	put_tls(F, f, v, r);
}

void
finding_put_message(const struct findings *F, const struct finding *f, uint32_t id,
    struct record *r)
{
	static const struct short_word delivered[] = {SHORT("accepted"), SHORT("rejected"),
	    SHORT("aborted"), SHORT("unknown")};
	static const struct short_word protection[] = {SHORT("none"), SHORT("pgp"), SHORT("smime"),
	    SHORT("none"), SHORT("unknown")};
	const struct message *m = pool_at(&F->messages, id);
	const struct content *c = content_of(F, m);
	size_t len;
	(void)f;
	put_exposed(r, m->exposed);
	put_exposure(r, m->exposed, false);
	if (m->flags & MESSAGE_SENDER) {
		const char *from = strings_get(&F->strings, m->from, &len);
		record_put_str(r,
		    m->flags & MESSAGE_SENDER_REFUSED ? FIELD_REFUSED_FROM : FIELD_EMAIL_FROM, from,
		    len);
	}
	for (uint32_t at = m->recipients.first; at != 0; at = chain_next(F, at)) {
		const char *cell = strings_get(&F->strings, at, &len);
		bool refused = cell[offsetof(struct recipient, state)] == RECIPIENT_REFUSED;
		record_put_str(r, refused ? FIELD_REFUSED_TO : FIELD_EMAIL_TO,
		    cell + RECIPIENT_HEAD, len - RECIPIENT_HEAD);
	}
	if (m->rcpts > 0)
		record_put_u64(r, FIELD_RECIPIENTS, m->rcpts);
	put_string(F, r, FIELD_EMAIL_SUBJECT, c->subject);
	put_string(F, r, FIELD_EMAIL_MESSAGE_ID, c->message_id);
	put_string(F, r, FIELD_EMAIL_X_MAILER, c->mailer);
	for (uint32_t at = c->attachments.first; at != 0; at = chain_next(F, at)) {
		const struct attachment a = attachment_at(F, at);
		record_put_item(r, FIELD_EMAIL_ATTACHMENT);
		put_string(F, r, FIELD_EMAIL_ATTACHMENT_NAME, a.name);
		put_string(F, r, FIELD_EMAIL_ATTACHMENT_TYPE, a.type);
		record_put_u64(r, FIELD_EMAIL_ATTACHMENT_SIZE, a.size);
		if (a.detected != MAGIC_NONE)
			record_put_word(r, FIELD_EMAIL_ATTACHMENT_DETECTED,
			    magic_type((enum magic)a.detected));
	}
	record_put_short(r, FIELD_DELIVERED, &delivered[m->delivered]);
	if (m->flags & MESSAGE_CONTENT) {
		bool known = m->flags & MESSAGE_HEADERS_DONE || m->exposed & EXPOSED_BODY ||
		    m->protection != MIME_PLAIN;
		record_put_short(r, FIELD_BODY_PROTECTION,
		    &protection[known ? m->protection : MIME_PROTECTION_UNKNOWN]);
		if (m->content != 0)
			record_put_u64(r, FIELD_SIZE, c->size);
		if (m->flags & MESSAGE_TLS_WAIVED)
			record_put_bool(r, FIELD_TLS_REQUIRED, false);
	}
	hops_put(F, m, r);
}
