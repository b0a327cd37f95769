/*
 * Fuzz target: the mail session of every protocol.
 *
 * Input: an octet for protocol and flags, then chunks: a head octet (side, gap, one-sided; length
 * in the low five bits, 31 for the rest) and octets.  Every octet of every event is read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sum;

static void
read_event(const struct mail_event *ev)
{
	for (size_t i = 0; ev->kind != MAIL_CONTENT_GAP && i < ev->len; i++)
		sum ^= (uint8_t)ev->text[i];
}

static void
take(struct mail *m, struct mail_session *s)
{
	struct mail_event ev;
	while (mail_next(m, s, &ev))
		read_event(&ev);
}

/* The short way, where it is open to the octets. */
static bool
pass(struct mail *m, struct mail_session *s, enum mail_side side, const uint8_t *octets, size_t len)
{
	struct mail_event ev;
	if (len == 0 || !mail_may_pass(s, side))
		return false;
	enum mail_passed how = mail_pass(m, s, side, octets, len, &ev);
	if (how == MAIL_PASSED_CONTENT)
		read_event(&ev);
	return how != MAIL_PASSED_NOT;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mail m;
	struct mail_session s = {0};
	struct cursor c = cursor_of(data, size);
	uint8_t head = cursor_u8(&c);
	if (!mail_init(&m, &(struct mail_sizes){4, 4, 4, 4, 1, 4}))
		return 0;
	mail_begin(&m, &s, (enum mail_protocol)(1 + head % 3), (head >> 2) & 0x0f);
	take(&m, &s);
	while (cursor_left(&c) > 1) {
		uint8_t h = cursor_u8(&c);
		enum mail_side side = h & 0x80 ? MAIL_SERVER : MAIL_CLIENT;
		size_t len = h & 0x1f;
		if (h & 0x40) {
			mail_gap(&m, &s, side, (uint64_t)len + 1);
			take(&m, &s);
			continue;
		}
		s.flags = (uint8_t)(h & 0x20 ? s.flags | MAIL_SESSION_ONE_SIDED
					     : s.flags & ~MAIL_SESSION_ONE_SIDED);
		if (len == 31 || len > cursor_left(&c))
			len = cursor_left(&c) < 200 ? cursor_left(&c) : 200;
		uint8_t *copy = malloc(len > 0 ? len : 1);
		if (copy == NULL)
			break;
		memcpy(copy, cursor_take(&c, len), len);
		if (len % 2 == 0 || !pass(&m, &s, side, copy, len)) {
			mail_push(&m, &s, side, copy, len);
			take(&m, &s);
		}
		free(copy);
	}
	mail_end(&m, &s);
	take(&m, &s);
	mail_release(&m, &s);
	if (m.lines.used != 0 || m.tls_states.used != 0 || m.tls_pools.handshakes.used != 0 ||
	    m.inflates.used != 0)
		abort();
	mail_free(&m);
	return 0;
}
