/* Taking the events of a session: see finding.h. */
#include "finding/finding.h"

#include <string.h>

#include "base/text.h"
#include "finding/message.h"

const uint32_t finding_message_size = sizeof(struct message),
	       finding_content_size = sizeof(struct content),
	       finding_notes_size = sizeof(struct notes),
	       finding_facts_size = sizeof(struct tls_facts);

bool
findings_init(struct findings *F, const struct findings_sizes *n)
{
	memset(F, 0, sizeof *F);
	return strings_init(&F->strings, n->string_octets) &&
	    pool_init(&F->messages, "messages", sizeof(struct message), n->messages) &&
	    pool_init(&F->contents, "contents", sizeof(struct content), n->contents) &&
	    pool_init(&F->notes, "notes", sizeof(struct notes), n->notes) &&
	    pool_init(&F->facts, "TLS facts", sizeof(struct tls_facts), n->facts) &&
	    mime_pools_init(&F->mime, n->scans) && cert_cache_init(&F->certs);
}

void
findings_free(struct findings *F)
{
	strings_free_all(&F->strings);
	pool_free_all(&F->messages);
	pool_free_all(&F->contents);
	pool_free_all(&F->notes);
	pool_free_all(&F->facts);
	mime_pools_free(&F->mime);
	cert_cache_free(&F->certs);
}

void
finding_add_anomaly(struct finding *f, enum anomaly a)
{
	f->anomalies |= 1u << a;
}

const struct notes *
finding_notes(const struct findings *F, const struct finding *f)
{
	static const struct notes none;
	return f->notes != 0 ? pool_at(&F->notes, f->notes) : &none;
}

/* The same to be written; NULL where there is no memory. */
static struct notes *
notes_make(struct findings *F, struct finding *f)
{
	if (f->notes == 0)
		f->notes = pool_take(&F->notes);
	return f->notes != 0 ? pool_at(&F->notes, f->notes) : NULL;
}

/* Something crossed readable: the first time settles the reason. */
static void
expose(struct finding *f, const struct finding_view *v, uint8_t what)
{
	if (f->exposed == 0) {
		f->reason = (uint8_t)finding_reason(f, v);
		f->flags |= (f->flags & (FINDING_REQUESTED | FINDING_REPLIED)) == FINDING_REQUESTED
		    ? FINDING_AHEAD
		    : 0;
	}
	f->exposed |= what;
}

/* What was offered comes behind what crossed, of a client that did not wait for it. */
static void
settle_reason(struct finding *f, const struct finding_view *v, bool lost)
{
	if (f->exposed != 0 && f->reason == REASON_NOT_VISIBLE && !lost && !v->gap &&
	    !v->midstream && v->both)
		f->reason = (uint8_t)finding_reason(f, v);
}

static void
take_offer(struct finding *f, const struct finding_view *v, const struct mail_event *ev)
{
	bool lost = (f->flags & FINDING_LOST) != 0;
	f->flags &= ~(FINDING_OFFERED | FINDING_REFUSED_EHLO);
	if (!(f->flags & FINDING_REQUESTED)) /* else mail may have followed a refusal */
		f->flags &= ~FINDING_LOST;
	f->flags |= FINDING_OFFER_KNOWN | (ev->flag ? FINDING_OFFERED : 0);
	f->keywords = ev->keywords;
	if (f->flags & FINDING_MANGLED && !ev->flag)
		f->flags |= FINDING_STRIPPED;
	f->flags &= ~FINDING_MANGLED;
	settle_reason(f, v, lost);
}

static uint32_t
keep_first(struct findings *F, uint32_t had, const struct mail_event *ev)
{
	if (had != 0)
		return had;
	return strings_share(&F->strings, ev->text, ev->len < LIMIT_TEXT ? ev->len : LIMIT_TEXT);
}

static void
keep_evidence(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct notes *n = notes_make(F, f);
	if (n != NULL)
		n->evidence = keep_first(F, n->evidence, ev);
}

/* The last one speaks for what follows; none: it was not believed. */
static void
take_forwarded(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct notes *n = notes_make(F, f);
	if (n == NULL)
		return;
	strings_drop(&F->strings, n->forwarded);
	n->forwarded = ev->len > 0 ? keep_first(F, 0, ev) : 0;
}

static void
take_agent(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct notes *n = ev->side == MAIL_CLIENT ? notes_make(F, f) : NULL;
	if (n != NULL)
		n->agent = keep_first(F, n->agent, ev);
}

/* Behind a login a server may say again what it was told: of its line the first word is kept. */
static void
take_evidence(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct mail_event kept = *ev;
	if (ev->side == MAIL_SERVER && f->flags & FINDING_AUTH) {
		kept.len = 0;
		while (kept.len < ev->len && ev->text[kept.len] > ' ')
			kept.len++;
	}
	if (kept.len > 0)
		keep_evidence(F, f, &kept);
}

/* What the server calls itself is kept where its greeting did not say the same. */
static void
take_server_name(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	size_t len, at, greeted_at, n = finding_host(ev->text, ev->len, &at);
	const char *greeting = strings_get(&F->strings, f->greeting, &len);
	size_t greeted = finding_host(greeting, len, &greeted_at);
	if (f->server_name == 0 && n > 0 &&
	    (n != greeted || memcmp(ev->text + at, greeting + greeted_at, n) != 0))
		f->server_name = strings_share(&F->strings, ev->text + at, n);
}

static void
take_odd(struct finding *f, enum mail_oddity odd)
{
	static const uint8_t name[MAIL_ODDITIES] = {
	    [MAIL_ODD_COMMAND_INJECTION] = ANOMALY_COMMAND_INJECTION,
	    [MAIL_ODD_RESPONSE_INJECTION] = ANOMALY_RESPONSE_INJECTION,
	    [MAIL_ODD_NO_TLS_AFTER_220] = ANOMALY_NO_TLS_AFTER_220,
	    [MAIL_ODD_TEXT_AFTER_TLS] = ANOMALY_TEXT_AFTER_TLS,
	    [MAIL_ODD_COMMAND_MASKED] = ANOMALY_COMMAND_MASKED,
	    [MAIL_ODD_BANNER_MASKED] = ANOMALY_BANNER_MASKED,
	    [MAIL_ODD_STARTTLS_DENIED] = ANOMALY_STARTTLS_DENIED,
	    [MAIL_ODD_LINE_TOO_LONG] = ANOMALY_LINE_TOO_LONG,
	    [MAIL_ODD_BARE_LF_DOT] = ANOMALY_BARE_LF_DOT,
	    [MAIL_ODD_PIPELINE] = ANOMALY_PIPELINE,
	    [MAIL_ODD_PREAUTH] = ANOMALY_PREAUTH,
	    [MAIL_ODD_COMPRESSED] = ANOMALY_COMPRESSED,
	    [MAIL_ODD_TALKS_FIRST] = ANOMALY_TALKS_FIRST,
	};
	finding_add_anomaly(f, (enum anomaly)name[odd]);
	if (odd == MAIL_ODD_COMMAND_MASKED)
		f->flags |= FINDING_STRIPPED;
	if (odd == MAIL_ODD_TEXT_AFTER_TLS && !(f->flags & FINDING_ESTABLISHED))
		f->flags |= FINDING_TLS_BROKE;
}

static uint8_t
word_code(const char *s, size_t len)
{
	static const char *const words[] = {"OK", "NO", "BAD", "+OK", "-ERR"};
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (ascii_is(s, len, words[i]))
			return (uint8_t)(i + 1);
	}
	return 0;
}

/* ---- credentials ---- */

static void
take_attempt(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct notes *n = notes_make(F, f);
	unsigned bit = auth_bit(ev->text, ev->len);
	bool goes_on = f->flags & FINDING_AUTH_OPEN && f->auth_now == bit + 1; /* USER, PASS */
	f->auth_now = (uint8_t)(bit + 1);
	f->auth_answers = goes_on ? f->auth_answers : 0;
	f->flags |= FINDING_AUTH | FINDING_AUTH_OPEN;
	if (n == NULL)
		return;
	n->auth |= 1u << bit;
	if (auth_shows(bit, 0) == AUTH_NOTHING)
		n->auth_shown |= 1u << AUTH_NOTHING;
}

/* An answer crossed.  Whether the server takes it does not matter: it can be read. */
static void
take_secret(struct findings *F, struct finding *f, const struct finding_view *v)
{
	f->auth_answers = (uint8_t)(f->auth_answers + (f->auth_answers < UINT8_MAX));
	bool named = f->auth_now != 0;
	enum auth_shows shows =
	    named ? auth_shows(f->auth_now - 1u, f->auth_answers) : AUTH_UNKNOWN;
	if (shows == AUTH_NOTHING)
		return;
	if (named)
		expose(f, v, EXPOSED_CREDENTIALS);
	else
		f->flags |= FINDING_MISSED; /* GSSAPI and others show nothing */
	struct notes *n = notes_make(F, f);
	if (n == NULL)
		return;
	if (shows != AUTH_ACCOUNT) /* what follows the account's name tells more */
		n->auth_shown &= (uint8_t) ~(1u << AUTH_ACCOUNT);
	n->auth_shown |= (uint8_t)(1u << shows);
}

static void
take_auth_reply(struct finding *f, enum mail_auth_result r)
{
	static const uint32_t flag[] = {
	    [MAIL_AUTH_ACCEPTED] = FINDING_AUTH_OK,
	    [MAIL_AUTH_REFUSED] = FINDING_AUTH_NO,
	    [MAIL_AUTH_CANCELLED] = FINDING_AUTH_CANCELLED,
	};
	f->flags = (f->flags & ~FINDING_AUTH_OPEN) | flag[r];
}

/* ---- transactions ---- */

static struct message *
message_of(struct findings *F, struct finding *f, uint8_t tx, bool make, int64_t ts_ns)
{
	uint32_t id = message_find(F, f, tx);
	if (id == 0 && make)
		id = message_open(F, f, tx, ts_ns);
	return id != 0 ? pool_at(&F->messages, id) : NULL;
}

/* Takes the transaction, which is open, off the list of those. */
static uint32_t
close_message(struct findings *F, struct finding *f, uint32_t id)
{
	struct message *m = pool_at(&F->messages, id);
	uint32_t *at = &f->open;
	while (*at != id)
		at = &((struct message *)pool_at(&F->messages, *at))->next;
	*at = m->next;
	message_content_end(F, m);
	f->exposed |= m->exposed;
	return id;
}

/* What became of a transaction that went no further: how it did may be what was not captured. */
static enum mail_result
result_of(const struct mail_event *ev, const struct finding_view *v)
{
	bool whole = !v->gap && !v->midstream && !v->headless && !v->given_up;
	switch ((enum mail_result)ev->index) {
	case MAIL_ABORTED: return whole ? MAIL_ABORTED : MAIL_RESULT_UNKNOWN;
	case MAIL_ENDED: return whole && v->closed ? MAIL_ABORTED : MAIL_RESULT_UNKNOWN;
	default: return (enum mail_result)ev->index;
	}
}

static uint32_t
take_result(struct findings *F, struct finding *f, const struct mail_event *ev,
    const struct finding_view *v)
{
	uint32_t id = message_find(F, f, ev->tx);
	if (id == 0)
		return 0;
	struct message *m = pool_at(&F->messages, id);
	enum mail_result result = result_of(ev, v);
	/* given up because the server would not take it */
	if (result == MAIL_ABORTED && !(m->flags & MESSAGE_CONTENT) &&
	    (m->flags & MESSAGE_SENDER_REFUSED || (m->rcpts > 0 && m->refused == m->rcpts)))
		result = MAIL_REJECTED;
	if (m->delivered != MAIL_ACCEPTED) /* by one of its recipients, whatever the others say */
		m->delivered = (uint8_t)result;
	return close_message(F, f, id);
}

void
finding_take_content(struct findings *F, struct finding *f, const struct mail_event *ev)
{
	struct message *m = message_of(F, f, ev->tx, false, 0);
	if (m == NULL)
		return;
	message_content(F, m, (const uint8_t *)ev->text, ev->len, ev->index, ev->flag);
	f->exposed |= m->exposed & (uint8_t)~EXPOSED_INSIDE; /* may be sealed */
}

uint32_t
finding_take(struct findings *F, struct finding *f, const struct mail_event *ev,
    const struct finding_view *v)
{
	struct message *m;
	switch ((enum mail_event_kind)ev->kind) {
	case MAIL_CONFIRMED: f->flags |= FINDING_SURE; break;
	case MAIL_DENIED: f->flags |= FINDING_DENIED; break;
	case MAIL_LMTP: f->flags |= FINDING_LMTP; break;
	case MAIL_GREETING: f->greeting = keep_first(F, f->greeting, ev); break;
	case MAIL_PREAUTH: break;
	case MAIL_HELO:
		f->helo = keep_first(F, f->helo, ev);
		f->flags |= ev->flag ? FINDING_ASKED : FINDING_HELO;
		break;
	case MAIL_ASKED: f->flags |= FINDING_ASKED; break;
	case MAIL_MANGLED:
		finding_add_anomaly(f, ANOMALY_KEYWORD_MANGLED);
		if (ev->flag) {
			f->flags |= FINDING_MANGLED;
			keep_evidence(F, f, ev);
		}
		break;
	case MAIL_OFFER: take_offer(f, v, ev); break;
	case MAIL_OFFER_CUT:
		f->flags &= ~(FINDING_OFFERED | FINDING_OFFER_KNOWN);
		f->keywords = 0;
		if (ev->flag) /* what is left of the list has it */
			f->flags |= FINDING_OFFER_KNOWN | FINDING_OFFERED;
		break;
	case MAIL_EHLO_REFUSED:
		f->flags |= FINDING_REFUSED_EHLO;
		settle_reason(f, v, (f->flags & FINDING_LOST) != 0);
		break;
	case MAIL_UPGRADE: /* anew, whatever became of the one before */
		f->flags = (f->flags & ~FINDING_TLS_BROKE) | FINDING_REQUESTED;
		break;
	case MAIL_UPGRADE_REPLY:
		if (ev->code == 250 && (v->gap || v->midstream))
			break; /* it may answer something that was lost */
		f->flags |= FINDING_REPLIED | (ev->flag ? FINDING_GO : 0);
		if (f->flags & FINDING_AHEAD && !ev->flag && f->reason == REASON_NOT_VISIBLE)
			f->reason = REASON_REFUSED;
		if (f->flags & FINDING_AHEAD)
			settle_reason(f, v, (f->flags & FINDING_LOST) != 0);
		f->upgrade_reply = ev->code != 0 ? ev->code : word_code(ev->text, ev->len);
		break;
	case MAIL_AUTH: take_attempt(F, f, ev); break;
	case MAIL_AUTH_SECRET: take_secret(F, f, v); break;
	case MAIL_AUTH_REPLY: take_auth_reply(f, (enum mail_auth_result)ev->index); break;
	case MAIL_SENDER:
		f->envelopes = (uint16_t)(f->envelopes + (f->envelopes < UINT16_MAX));
		expose(f, v, EXPOSED_ENVELOPE);
		m = message_of(F, f, ev->tx, true, v->ts_ns);
		if (m != NULL) {
			m->flags |= MESSAGE_SENDER;
			m->exposed |= EXPOSED_ENVELOPE;
			m->from = strings_put(&F->strings, ev->text,
			    ev->len < LIMIT_TEXT ? ev->len : LIMIT_TEXT);
		}
		break;
	case MAIL_SENDER_REPLY:
		m = message_of(F, f, ev->tx, false, 0);
		if (m != NULL && !ev->flag)
			m->flags |= MESSAGE_SENDER_REFUSED;
		break;
	case MAIL_RECIPIENT:
		expose(f, v, EXPOSED_ENVELOPE);
		m = message_of(F, f, ev->tx, true, v->ts_ns);
		if (m != NULL) {
			m->exposed |= EXPOSED_ENVELOPE;
			message_recipient(F, m, ev->text, ev->len);
		}
		break;
	case MAIL_RECIPIENT_REPLY:
		m = message_of(F, f, ev->tx, false, 0);
		if (m != NULL)
			message_recipient_reply(F, m, ev->index, ev->flag);
		break;
	case MAIL_RECIPIENT_RESULT:
		m = message_of(F, f, ev->tx, false, 0);
		if (m != NULL)
			message_recipient_result(F, m, ev->index, ev->flag);
		break;
	case MAIL_REQUIRETLS: finding_add_anomaly(f, ANOMALY_REQUIRETLS_IN_CLEAR); break;
	case MAIL_CONTENT_BEGIN:
		f->messages = (uint16_t)(f->messages + (f->messages < UINT16_MAX));
		m = message_of(F, f, ev->tx, true, v->ts_ns);
		if (ev->index != MAIL_CONTENT_BARE && (m == NULL || !(m->flags & MESSAGE_SENDER)))
			f->flags |= FINDING_LOST; /* its commands were not seen */
		expose(f, v, EXPOSED_HEADERS);
		if (m != NULL) {
			m->flags |= MESSAGE_CONTENT;
			m->exposed |= EXPOSED_HEADERS;
		}
		break;
	case MAIL_CONTENT: finding_take_content(F, f, ev); break;
	case MAIL_CONTENT_GAP:
		m = message_of(F, f, ev->tx, false, 0);
		if (m != NULL)
			message_content_gap(F, m, ev->len);
		break;
	case MAIL_CONTENT_END:
		m = message_of(F, f, ev->tx, false, 0);
		if (m != NULL) {
			message_content_end(F, m);
			f->exposed |= m->exposed;
		}
		break;
	case MAIL_RESULT: return take_result(F, f, ev, v);
	case MAIL_EXPOSED:
		expose(f, v,
		    (uint8_t)((ev->index & MAIL_EXPOSED_HEADERS ? EXPOSED_HEADERS : 0u) |
			(ev->index & MAIL_EXPOSED_BODY ? EXPOSED_BODY : 0u) |
			(ev->index & MAIL_EXPOSED_ATTACHMENTS ? EXPOSED_ATTACHMENTS : 0u)));
		break;
	case MAIL_LOST:
		if (ev->side == MAIL_CLIENT) {
			f->flags |= FINDING_LOST | FINDING_MISSED;
			f->auth_answers = UINT8_MAX; /* or more than were seen */
		} else if (ev->flag) {
			f->flags |= FINDING_UNREAD;
		}
		break;
	case MAIL_UNREAD: f->flags |= FINDING_UNREAD; break;
	case MAIL_WRAPPED:
		if (f->flags & (v->both ? FINDING_AUTH_OK : FINDING_AUTH))
			f->flags |= FINDING_MISSED;
		break;
	case MAIL_ODD: take_odd(f, (enum mail_oddity)ev->index); break;
	case MAIL_TLS: finding_take_tls(F, f, ev->tls, v); break;
	case MAIL_TLS_OVER: f->flags |= FINDING_TLS_OVER; break;
	case MAIL_USED: f->used |= (uint16_t)(1u << ev->index); break;
	case MAIL_FORWARDED: take_forwarded(F, f, ev); break;
	case MAIL_AGENT: take_agent(F, f, ev); break;
	case MAIL_EVIDENCE: take_evidence(F, f, ev); break;
	case MAIL_SERVER_NAME: take_server_name(F, f, ev); break;
	}
	return 0;
}

uint32_t
finding_next_open(struct findings *F, struct finding *f, const struct finding_view *v)
{
	(void)v;
	return f->open != 0 ? close_message(F, f, f->open) : 0;
}

void
finding_release(struct findings *F, struct finding *f)
{
	while (f->open != 0)
		finding_message_free(F, close_message(F, f, f->open));
	const struct notes *n = finding_notes(F, f);
	strings_drop(&F->strings, f->helo);
	strings_drop(&F->strings, f->greeting);
	strings_drop(&F->strings, f->server_name);
	strings_drop(&F->strings, n->evidence);
	strings_drop(&F->strings, n->agent);
	strings_drop(&F->strings, n->forwarded);
	pool_give(&F->notes, f->notes);
	f->helo = f->greeting = f->server_name = f->notes = 0;
	finding_release_tls(F, f);
}
