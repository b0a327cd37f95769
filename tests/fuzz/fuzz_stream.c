/*
 * Fuzz target: both directions of a connection, segments and acknowledgements in any order.
 *
 * Input: steps of 8 octets: what and which direction (1), time (1), sequence number (2), length
 * (1), cut octets (1), acknowledgement (2).  Chunks must be contiguous, each octet must be the one
 * that its place says, and at the end nothing may be held.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "model.h"
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xfffffe00u /* so that numbers wrap */

struct both {
	struct streams ss;
	struct stream s[2];
	uint64_t at[2];
	bool begun[2];
	int64_t now_ns;
};

/* The octet at a sequence number, so that copies agree whatever the offsets are. */
#define OCTET(seq) ((uint8_t)(((seq) ^ (seq) >> 8) * 31))

static MODEL void
fill(uint8_t *octets, uint32_t len, uint32_t seq)
{
	for (uint32_t i = 0; i < len; i++)
		octets[i] = OCTET(seq + i);
}

static MODEL void
check(const uint8_t *octets, uint64_t len, uint32_t seq)
{
	for (uint64_t i = 0; i < len; i++) {
		if (octets[i] != OCTET(seq + (uint32_t)i))
			abort();
	}
}

static void
take(struct both *b, struct stream_input *in, unsigned in_end)
{
	bool more = true;
	while (more) {
		more = false;
		for (unsigned end = 0; end < 2; end++) {
			struct stream *s = &b->s[end];
			struct stream_chunk c;
			if (!(s->flags & STREAM_STARTED) ||
			    !stream_next(&b->ss, s, &b->s[!end], b->now_ns,
				end == in_end ? in : NULL, &c))
				continue;
			more = true;
			if (c.len == 0 || (b->begun[end] && c.off != b->at[end]))
				abort();
			b->begun[end] = true;
			b->at[end] = c.off + c.len;
			if (c.data != NULL)
				check(c.data, c.len, s->base + (uint32_t)c.off);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(data, size);
	struct both b;
	memset(&b, 0, sizeof b);
	if (!streams_init(&b.ss, 2, 8))
		return 0;
	b.now_ns = 1000000000;
	while (cursor_left(&c) >= 8) {
		const uint8_t *h = cursor_take(&c, 8);
		unsigned end = h[0] & 1;
		struct stream *s = &b.s[end], *peer = &b.s[!end];
		uint32_t seq = BASE + load_le16(h + 2), ack = BASE + load_le16(h + 6);
		uint32_t len = h[4] * (h[0] & 0x40 ? 40u : 1u), cut = h[5] % 8 == 0 ? h[5] : 0;
		struct stream_input in = {.len = 0};
		uint64_t need = 0;
		b.now_ns += h[1] * (int64_t)1000000;
		if (h[0] & 2)
			stream_start(s, seq);
		else if (!(s->flags & STREAM_STARTED))
			stream_start_late(s, seq);
		if (h[0] & 4 && !(peer->flags & STREAM_STARTED))
			stream_start_late(peer, ack);
		if (h[0] & 8 && peer->flags & STREAM_STARTED) {
			stream_ack(&b.ss, peer, ack, b.now_ns);
			need = stream_seen(peer, ack);
		}
		uint8_t *octets = malloc(len > 0 ? len : 1);
		if (octets == NULL)
			break;
		fill(octets, len, seq);
		if (len + cut > 0)
			stream_push(&b.ss, s, peer, need, seq, octets, len, len + cut, b.now_ns,
			    &in);
		if (h[0] & 16)
			stream_fin(s, seq + len + cut);
		take(&b, &in, end);
		free(octets);
	}
	struct stream_input none = {.len = 0};
	stream_finish(&b.s[0]);
	stream_finish(&b.s[1]);
	do
		take(&b, &none, 0);
	while (stream_unblock(&b.ss, &b.s[0]) || stream_unblock(&b.ss, &b.s[1]));
	stream_release(&b.ss, &b.s[0]);
	stream_release(&b.ss, &b.s[1]);
	if (b.ss.pages.used != (b.ss.spent != 0) || b.ss.reorders.used != 0)
		abort();
	streams_free(&b.ss);
	return 0;
}
