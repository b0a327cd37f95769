/*
 * A mail transaction while it is open: see message.h.  Names go to the string store; content goes
 * through the MIME scanner and is dropped.
 */
#include "finding/message.h"

#include <string.h>

#include "base/text.h"

bool
chain_add(struct findings *F, struct chain *c, const void *cell, size_t len)
{
	size_t n;
	uint32_t handle = strings_put(&F->strings, cell, len);
	if (handle == 0)
		return false;
	if (c->last != 0)
		memcpy(strings_edit(&F->strings, c->last, &n), &handle, sizeof handle);
	else
		c->first = handle;
	c->last = handle;
	return true;
}

uint32_t
chain_next(const struct findings *F, uint32_t at)
{
	size_t n;
	uint32_t next;
	memcpy(&next, strings_get(&F->strings, at, &n), sizeof next);
	return next;
}

void
chain_drop(struct findings *F, struct chain *c)
{
	for (uint32_t at = c->first, next; at != 0; at = next) {
		next = chain_next(F, at);
		strings_drop(&F->strings, at);
	}
	*c = (struct chain){0, 0};
}

uint32_t
message_find(const struct findings *F, const struct finding *f, uint8_t tx)
{
	for (uint32_t id = f->open; id != 0;) {
		const struct message *m = pool_at(&F->messages, id);
		if (m->tx == tx)
			return id;
		id = m->next;
	}
	return 0;
}

uint32_t
message_open(struct findings *F, struct finding *f, uint8_t tx, int64_t ts_ns)
{
	uint32_t *last = &f->open;
	unsigned n = 0;
	for (; *last != 0; n++)
		last = &((struct message *)pool_at(&F->messages, *last))->next;
	uint32_t id = n < LIMIT_OPEN_MESSAGES ? pool_take(&F->messages) : 0;
	if (id == 0) {
		F->lost++;
		return 0;
	}
	struct message *m = pool_at(&F->messages, id);
	m->tx = tx;
	m->start_ns = ts_ns;
	m->delivered = MAIL_RESULT_UNKNOWN;
	*last = id;
	return id;
}

void
message_recipient(struct findings *F, struct message *m, const char *addr, size_t len)
{
	struct recipient cell = {0, RECIPIENT_UNANSWERED, ""};
	m->rcpts++;
	if (m->rcpts_kept >= LIMIT_RECIPIENTS)
		return;
	if (len > sizeof cell.addr)
		len = sizeof cell.addr;
	memcpy(cell.addr, addr, len);
	if (!chain_add(F, &m->recipients, &cell, RECIPIENT_HEAD + len))
		return;
	if (m->rcpt_reply == 0 && m->replies == m->rcpts_kept)
		m->rcpt_reply = m->recipients.last;
	m->rcpts_kept++;
}

void
message_recipient_reply(struct findings *F, struct message *m, uint32_t index, bool accepted)
{
	size_t n;
	if (m->flags & MESSAGE_RESULTS)
		return; /* nothing but content is answered any more */
	m->refused += !accepted;
	/* replies come in order; one that was lost leaves its recipients unanswered */
	while (m->rcpt_reply != 0 && m->replies <= index) {
		char *cell = strings_edit(&F->strings, m->rcpt_reply, &n);
		if (m->replies == index)
			cell[offsetof(struct recipient, state)] =
			    accepted ? RECIPIENT_ACCEPTED : RECIPIENT_REFUSED;
		memcpy(&m->rcpt_reply, cell, sizeof m->rcpt_reply);
		m->replies++;
	}
	if (m->replies <= index)
		m->replies = index + 1;
}

/* Is it known which recipients were accepted? */
static bool
all_are_answered(const struct findings *F, const struct message *m)
{
	size_t n;
	if (m->replies != m->rcpts)
		return false;
	for (uint32_t at = m->recipients.first; at != 0; at = chain_next(F, at)) {
		if (strings_get(&F->strings, at, &n)[offsetof(struct recipient, state)] ==
		    RECIPIENT_UNANSWERED)
			return false;
	}
	return true;
}

void
message_recipient_result(struct findings *F, struct message *m, uint32_t index, bool has_it)
{
	size_t n;
	if (has_it)
		m->delivered = MAIL_ACCEPTED;
	if (!(m->flags & MESSAGE_RESULTS)) {
		m->flags |= MESSAGE_RESULTS;
		m->rcpt_reply = all_are_answered(F, m) ? m->recipients.first : 0;
		m->replies = 0;
	}
	while (m->rcpt_reply != 0 && m->replies <= index) {
		char *cell = strings_edit(&F->strings, m->rcpt_reply, &n);
		char *state = &cell[offsetof(struct recipient, state)];
		if (*state == RECIPIENT_ACCEPTED && m->replies++ == index && !has_it)
			*state = RECIPIENT_REFUSED;
		memcpy(&m->rcpt_reply, cell, sizeof m->rcpt_reply);
	}
}

/* ---- content ---- */

static uint32_t
keep(struct findings *F, uint32_t had, const char *s, size_t len, size_t most)
{
	if (had != 0)
		return had;
	return strings_put(&F->strings, s, len < most ? len : most);
}

/* TLS-Required (RFC 8689 section 5): "No" is all that it may say, once; anything else says nothing.
 */
static void
take_tls_required(struct message *m, const char *s, size_t len)
{
	while (len > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		len--;
	}
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	bool no = ascii_is(s, len, "no") && !(m->flags & MESSAGE_TLS_FIELD);
	m->flags = (uint16_t)((m->flags & ~MESSAGE_TLS_WAIVED) | MESSAGE_TLS_FIELD |
	    (no ? MESSAGE_TLS_WAIVED : 0u));
}

static void
take_header(struct findings *F, struct message *m, struct content *c, const struct mime_event *ev)
{
	char buf[LIMIT_SUBJECT + 1];
	struct text t = text_in(buf, sizeof buf);
	switch (ev->header) {
	case MIME_SUBJECT:
		if (c->subject == 0) {
			mime_decode_words(ev->text, ev->text_len, &t);
			c->subject = strings_put(&F->strings, t.buf, t.len);
		}
		break;
	case MIME_MESSAGE_ID:
		c->message_id = keep(F, c->message_id, ev->text, ev->text_len, LIMIT_TEXT);
		break;
	case MIME_X_MAILER:
	case MIME_USER_AGENT:
		c->mailer = keep(F, c->mailer, ev->text, ev->text_len, LIMIT_TEXT);
		break;
	case MIME_RECEIVED: hops_take(F, &c->hops, ev->text, ev->text_len); break;
	case MIME_TLS_REQUIRED: take_tls_required(m, ev->text, ev->text_len); break;
	default: break;
	}
}

struct attachment
attachment_at(const struct findings *F, uint32_t at)
{
	struct attachment a;
	size_t n;
	memcpy(&a, strings_get(&F->strings, at, &n), sizeof a);
	return a;
}

static void
take_attachment(struct findings *F, struct content *c, const struct mime_event *ev)
{
	if (c->attachments_kept >= LIMIT_ATTACHMENTS)
		return;
	struct attachment a = {.name = keep(F, 0, ev->text, ev->text_len, LIMIT_TEXT),
	    .type = strings_share(&F->strings, ev->mime_type, strlen(ev->mime_type)),
	    .detected = ev->detected,
	    .size = ev->size};
	if (chain_add(F, &c->attachments, &a, sizeof a)) {
		c->attachments_kept++;
		return;
	}
	strings_drop(&F->strings, a.name);
	strings_drop(&F->strings, a.type);
}

static void
take_mime(struct findings *F, struct message *m, struct content *c, const struct mime_event *ev)
{
	switch (ev->kind) {
	case MIME_HEADER: take_header(F, m, c, ev); break;
	case MIME_HEADERS_END: m->flags |= MESSAGE_HEADERS_DONE; break;
	case MIME_BODY: m->exposed |= EXPOSED_BODY; break;
	case MIME_ATTACHMENT:
		m->exposed |= EXPOSED_ATTACHMENTS;
		take_attachment(F, c, ev);
		break;
	case MIME_PROTECTION: m->protection = (uint8_t)ev->protection; break;
	}
}

const struct content *
content_of(const struct findings *F, const struct message *m)
{
	static const struct content none;
	return m->content != 0 ? pool_at(&F->contents, m->content) : &none;
}

/* The same to be written; NULL where there is no memory. */
static struct content *
content_make(struct findings *F, struct message *m)
{
	if (m->content == 0)
		m->content = pool_take(&F->contents);
	return m->content != 0 ? pool_at(&F->contents, m->content) : NULL;
}

void
message_content(struct findings *F, struct message *m, const uint8_t *data, size_t len,
    uint16_t stuffed, bool unmarked)
{
	struct mime_input in = {data, len, unmarked};
	struct mime_event ev;
	struct content *c = content_make(F, m);
	if (c != NULL) {
		c->size += len + stuffed;
		if (!(m->flags & (MESSAGE_SCANNED | MESSAGE_GAP)))
			c->scan = mime_begin(&F->mime);
	}
	m->flags |= MESSAGE_SCANNED;
	m->exposed |= EXPOSED_HEADERS; /* also where there is no memory to look inside */
	while (c != NULL && c->scan != 0 && mime_next(&F->mime, c->scan, &in, &ev))
		take_mime(F, m, c, &ev);
}

void
message_content_gap(struct findings *F, struct message *m, uint64_t len)
{
	struct content *c = content_make(F, m);
	m->flags |= MESSAGE_GAP;
	if (c == NULL)
		return;
	c->size += len;
	if (!(m->flags & MESSAGE_HEADERS_DONE))
		c->hops.states |= HOPS_LOST;
	if (c->scan != 0)
		mime_gap(&F->mime, c->scan, len);
}

void
message_content_end(struct findings *F, struct message *m)
{
	struct mime_event ev;
	struct content *c = m->content != 0 ? pool_at(&F->contents, m->content) : NULL;
	if (c == NULL || c->scan == 0)
		return;
	while (mime_end(&F->mime, c->scan, &ev))
		take_mime(F, m, c, &ev);
	c->scan = 0;
	/* it crossed, and nobody could read it; or whether anybody could is not known */
	if (m->protection != MIME_PLAIN && m->protection != MIME_SIGNED)
		m->exposed &= (uint8_t)~EXPOSED_INSIDE;
}

static void
content_free(struct findings *F, uint32_t id)
{
	struct content *c = pool_at(&F->contents, id);
	strings_drop(&F->strings, c->subject);
	strings_drop(&F->strings, c->message_id);
	strings_drop(&F->strings, c->mailer);
	for (uint32_t at = c->attachments.first; at != 0; at = chain_next(F, at)) {
		const struct attachment a = attachment_at(F, at);
		strings_drop(&F->strings, a.name);
		strings_drop(&F->strings, a.type);
	}
	chain_drop(F, &c->attachments);
	chain_drop(F, &c->hops.chain);
	pool_give(&F->contents, id);
}

void
finding_message_free(struct findings *F, uint32_t id)
{
	struct message *m = pool_at(&F->messages, id);
	message_content_end(F, m);
	strings_drop(&F->strings, m->from);
	chain_drop(F, &m->recipients);
	if (m->content != 0)
		content_free(F, m->content);
	pool_give(&F->messages, id);
}

bool
finding_has_content(const struct findings *F, uint32_t id)
{
	return ((const struct message *)pool_at(&F->messages, id))->flags & MESSAGE_CONTENT;
}

int64_t
finding_message_start(const struct findings *F, uint32_t id)
{
	return ((const struct message *)pool_at(&F->messages, id))->start_ns;
}
