/* The pipe from a worker to the parent: see wire.h. */
#include "engine/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool
wire_flush(struct wire_out *w)
{
	size_t at = 0;
	while (at < w->used && !w->broken) {
		ssize_t n = write(w->fd, w->buf + at, w->used - at);
		if (n > 0) {
			at += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = w->fd, .events = POLLOUT};
			w->waits++;
			(void)poll(&p, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			w->broken = true;
		}
	}
	w->used = 0;
	return !w->broken;
}

bool
wire_put(struct wire_out *w, enum wire_kind kind, uint16_t detail, uint64_t order, const void *body,
    size_t len)
{
	const struct wire_head head = {.len = (uint32_t)len,
	    .kind = (uint16_t)kind,
	    .detail = detail,
	    .order = order};
	assert(len <= LIMIT_RECORD);
	if (sizeof head + len > sizeof w->buf - w->used && !wire_flush(w))
		return false;
	memcpy(w->buf + w->used, &head, sizeof head);
	if (len > 0)
		memcpy(w->buf + w->used + sizeof head, body, len);
	w->used += sizeof head + len;
	return !w->broken;
}

bool
wire_fill(struct wire_in *w)
{
	if (w->closed || w->broken)
		return false;
	if (w->at > 0) {
		memmove(w->buf, w->buf + w->at, w->end - w->at);
		w->end -= w->at;
		w->at = 0;
	}
	if (w->end == sizeof w->buf)
		return false;
	ssize_t n = read(w->fd, w->buf + w->end, sizeof w->buf - w->end);
	if (n > 0)
		w->end += (uint32_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		w->closed = true;
	return n > 0;
}

bool
wire_peek(struct wire_in *w, struct wire_message *m)
{
	if (w->broken || w->end - w->at < sizeof m->head)
		return false;
	memcpy(&m->head, w->buf + w->at, sizeof m->head);
	if (m->head.len > LIMIT_RECORD || m->head.kind >= WIRE_KINDS) {
		w->broken = true;
		return false;
	}
	if (w->end - w->at - sizeof m->head < m->head.len)
		return false;
	m->body = w->buf + w->at + sizeof m->head;
	return true;
}

void
wire_take(struct wire_in *w, const struct wire_message *m)
{
	w->at += (uint32_t)(sizeof m->head + m->head.len);
}
