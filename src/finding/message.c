/*
 * A mail transaction while it is open: see message.h.  Names go to the string store; content goes
 * through the MIME scanner and is dropped.
 */
#include "finding/message.h"

#include <string.h>

#include "base/text.h"

uint32_t
message_find(const struct findings *F, const struct finding *f, uint8_t tx)
{
	for (unsigned i = 0; i < LIMIT_OPEN_MESSAGES && f->open[i] != 0; i++) {
		const struct message *m = pool_at(&F->messages, f->open[i]);
		if (m->tx == tx)
			return f->open[i];
	}
	return 0;
}

uint32_t
message_open(struct findings *F, struct finding *f, uint8_t tx, int64_t ts_ns)
{
	unsigned n = 0;
	while (n < LIMIT_OPEN_MESSAGES && f->open[n] != 0)
		n++;
	uint32_t id = n < LIMIT_OPEN_MESSAGES ? pool_take(&F->messages) : 0;
	if (id == 0) {
		F->lost++;
		return 0;
	}
	struct message *m = pool_at(&F->messages, id);
	m->tx = tx;
	m->start_ns = ts_ns;
	m->delivered = MAIL_RESULT_UNKNOWN;
	f->open[n] = id;
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
	uint32_t handle = strings_put(&F->strings, &cell, RECIPIENT_HEAD + len);
	if (handle == 0)
		return;
	size_t n;
	if (m->rcpt_last != 0)
		memcpy(strings_edit(&F->strings, m->rcpt_last, &n), &handle,
		    sizeof handle); /* its `next` */
	else
		m->rcpt_first = handle;
	if (m->rcpt_reply == 0 && m->replies == m->rcpts_kept)
		m->rcpt_reply = handle;
	m->rcpt_last = handle;
	m->rcpts_kept++;
}

void
message_recipient_reply(struct findings *F, struct message *m, uint32_t index, bool accepted)
{
	size_t n;
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
	m->flags = (uint8_t)((m->flags & ~MESSAGE_TLS_WAIVED) | MESSAGE_TLS_FIELD |
	    (no ? MESSAGE_TLS_WAIVED : 0u));
}

static void
take_header(struct findings *F, struct message *m, const struct mime_event *ev)
{
	char buf[LIMIT_SUBJECT + 1];
	struct text t = text_in(buf, sizeof buf);
	switch (ev->header) {
	case MIME_SUBJECT:
		if (m->subject == 0) {
			mime_decode_words(ev->text, ev->text_len, &t);
			m->subject = strings_put(&F->strings, t.buf, t.len);
		}
		break;
	case MIME_MESSAGE_ID:
		m->message_id = keep(F, m->message_id, ev->text, ev->text_len, LIMIT_TEXT);
		break;
	case MIME_X_MAILER:
	case MIME_USER_AGENT:
		m->mailer = keep(F, m->mailer, ev->text, ev->text_len, LIMIT_TEXT);
		break;
	case MIME_RECEIVED: hops_take(F, m, ev->text, ev->text_len); break;
	case MIME_TLS_REQUIRED: take_tls_required(m, ev->text, ev->text_len); break;
	default: break;
	}
}

static void
take_mime(struct findings *F, struct message *m, const struct mime_event *ev)
{
	switch (ev->kind) {
	case MIME_HEADER: take_header(F, m, ev); break;
	case MIME_HEADERS_END: m->flags |= MESSAGE_HEADERS_DONE; break;
	case MIME_BODY: m->exposed |= EXPOSED_BODY; break;
	case MIME_ATTACHMENT:
		m->exposed |= EXPOSED_ATTACHMENTS;
		if (m->attachments < LIMIT_ATTACHMENTS) {
			m->detected[m->attachments] = ev->detected;
			struct attachment *a = &m->attachment[m->attachments++];
			a->name = strings_put(&F->strings, ev->text,
			    ev->text_len < LIMIT_TEXT ? ev->text_len : LIMIT_TEXT);
			a->type = strings_put(&F->strings, ev->mime_type, strlen(ev->mime_type));
			a->size = ev->size;
		}
		break;
	case MIME_PROTECTION: m->protection = (uint8_t)ev->protection; break;
	}
}

void
message_content(struct findings *F, struct message *m, const uint8_t *data, size_t len)
{
	struct mime_input in = {data, len};
	struct mime_event ev;
	if (!(m->flags & (MESSAGE_SCANNED | MESSAGE_GAP))) {
		m->flags |= MESSAGE_SCANNED;
		m->scan = mime_begin(&F->mime);
		m->exposed |= EXPOSED_HEADERS;
	}
	m->size += len;
	if (m->scan == 0) { /* no memory to look inside: something of the content was readable */
		m->exposed |= EXPOSED_HEADERS;
		return;
	}
	while (mime_next(&F->mime, m->scan, &in, &ev))
		take_mime(F, m, &ev);
}

void
message_content_gap(struct findings *F, struct message *m, uint64_t len)
{
	m->flags |= MESSAGE_GAP;
	m->size += len;
	if (!(m->flags & MESSAGE_HEADERS_DONE))
		m->hops.states |= HOPS_LOST;
	if (m->scan != 0)
		mime_gap(&F->mime, m->scan, len);
}

void
message_content_end(struct findings *F, struct message *m)
{
	struct mime_event ev;
	if (m->scan == 0)
		return;
	while (mime_end(&F->mime, m->scan, &ev))
		take_mime(F, m, &ev);
	m->scan = 0;
	/* it crossed, and nobody could read it; or whether anybody could is not known */
	if (m->protection != MIME_PLAIN && m->protection != MIME_SIGNED)
		m->exposed &= (uint8_t)~EXPOSED_INSIDE;
}

void
finding_message_free(struct findings *F, uint32_t id)
{
	struct message *m = pool_at(&F->messages, id);
	size_t n;
	message_content_end(F, m);
	strings_drop(&F->strings, m->from);
	strings_drop(&F->strings, m->subject);
	strings_drop(&F->strings, m->message_id);
	strings_drop(&F->strings, m->mailer);
	for (unsigned i = 0; i < m->attachments; i++) {
		strings_drop(&F->strings, m->attachment[i].name);
		strings_drop(&F->strings, m->attachment[i].type);
	}
	for (uint32_t at = m->rcpt_first; at != 0;) {
		uint32_t next;
		memcpy(&next, strings_get(&F->strings, at, &n), sizeof next);
		strings_drop(&F->strings, at);
		at = next;
	}
	hops_free(F, m);
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
