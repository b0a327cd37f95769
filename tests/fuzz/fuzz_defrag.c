/*
 * Fuzz target: fragments to datagrams, against a model that keeps who wrote each octet first.
 *
 * Input: steps of 8 octets: family, identification and flags (1), milliseconds (1), offset in
 * blocks of eight (2, little-endian), octets (2), octets that the snap length left (1), which
 * octets (1).  A datagram that is handed out must hold, at every place, what the model says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "decode/defrag.h"
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS    4u
#define OCTETS 65536u

/* For each octet: 0 nobody, 1 somebody whose octet is not known (cut), else 2 + the octet. */
struct model {
	uint16_t octet[OCTETS];
	uint32_t end; /* from here on: nobody */
};

static struct model models[2 * IDS];

static uint64_t
losses(const struct defrag *d)
{
	return d->stats.expired + d->stats.evicted + d->stats.damaged;
}

/* Its octets are of a datagram that was given up, or may be: whoever comes next may be the first.
 */
static MODEL void
forget(struct model *m)
{
	for (uint32_t i = 0; i < m->end; i++)
		m->octet[i] = m->octet[i] != 0;
}

static MODEL void
check(const struct model *m, const struct datagram_view *v)
{
	if (v->len > v->wire_len || v->ip_len < v->len ||
	    memcmp(v->ip + (v->ip_len - v->len), v->payload, v->len) != 0)
		abort();
	for (uint32_t i = 0; i < v->len; i++) {
		if (m->octet[i] == 0 || (m->octet[i] >= 2 && m->octet[i] != 2u + v->payload[i]))
			abort();
	}
}

/* A fragment comes: `len` of its `wire` octets were captured. */
static MODEL void
note(struct model *m, uint32_t offset, const uint8_t *octets, uint32_t len, uint32_t wire)
{
	const uint32_t left = OCTETS - offset, n = wire < left ? wire : left;
	for (uint32_t i = 0; i < n; i++) {
		if (m->octet[offset + i] == 0)
			m->octet[offset + i] = i < len ? (uint16_t)(2u + octets[i]) : 1;
	}
	m->end = offset + n > m->end ? offset + n : m->end;
}

/* Octets that differ by their place in the datagram. */
static MODEL void
fill(uint8_t *octets, uint32_t len, uint32_t offset, uint8_t which)
{
	for (uint32_t i = 0; i < len; i++)
		octets[i] = (uint8_t)(which + (offset + i) * 31);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t octets[OCTETS];
	struct cursor c = cursor_of(data, size);
	struct defrag d;
	if (!defrag_init(&d, 2 * IDS))
		return 0;
	d.now_ns = 1;
	memset(models, 0, sizeof models);
	while (cursor_left(&c) >= 8) {
		const uint8_t *h = cursor_take(&c, 8);
		uint32_t six = h[0] & 1, id = h[0] >> 1 & (IDS - 1);
		uint32_t offset = (load_le16(h + 2) & 0x1fffu) * 8, wire = load_le16(h + 4);
		uint32_t len = h[6] >= wire || h[6] == 255 ? wire : h[6];
		if (h[0] & 0x10) /* a length that wraps round with an offset */
			wire |= 0xffff0000u;
		struct ends ends = {.family = six ? 6 : 4, .ip = {{1}, {2}}};
		struct fragment_key key = {&ends, id, 6};
		struct fragment_piece piece = {octets, len, wire, (uint16_t)offset, h[0] & 8};
		struct model *m = &models[six * IDS + id];
		struct datagram_view v;
		uint64_t lost = losses(&d);
		fill(octets, len, offset, h[7]);
		d.now_ns += (int64_t)h[1] * 1000000;
		defrag_begin(&d);
		for (size_t i = 0; losses(&d) != lost && i < 2 * IDS; i++)
			forget(&models[i]);
		lost = losses(&d);
		bool whole = defrag_push(&d, &key, &piece, &v);
		if (losses(&d) != lost) {
			forget(m);
			continue;
		}
		note(m, offset, octets, len, wire);
		if (whole) {
			check(m, &v);
			memset(m, 0, sizeof *m);
		}
	}
	defrag_free(&d);
	return 0;
}
