/* Datagrams out of fragments: see defrag.h. */
#include "decode/defrag.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/memory.h"

#define BLOCK	     8u
#define DATAGRAM_MAX 65535u
#define HEAD	     64u /* room for the made-up header */
#define BUFFER	     (HEAD + DATAGRAM_MAX + 1u)
#define BLOCKS	     ((DATAGRAM_MAX + BLOCK) / BLOCK)
#define S	     1000000000ll

struct datagram {
	struct ends ends; /* ports 0 */
	uint64_t seen[BLOCKS / 64];
	int64_t start_ns;
	uint32_t id;
	uint32_t chain; /* next of the bucket */
	uint32_t older, newer;
	uint32_t hash;
	uint32_t blocks; /* that are there */
	uint32_t high;	 /* end of the furthest octet seen */
	uint32_t end;	 /* octets of the datagram; 0 while the last fragment is missing */
	uint32_t cut;	 /* first octet that was not captured */
	uint8_t proto;
	bool dead;     /* it contradicted itself: kept so that its fragments begin no other */
	bool conflict; /* fragments overlapped with other octets */
};

const uint32_t defrag_datagram_size = sizeof(struct datagram) + BUFFER;

static uint32_t
power_above(uint32_t n)
{
	uint32_t p = 16;
	while (p < n && p < 1u << 30)
		p *= 2;
	return p;
}

bool
defrag_init(struct defrag *d, uint32_t max)
{
	memset(d, 0, sizeof *d);
	hash_key_draw(&d->key);
	d->mask = power_above(max) - 1;
	d->bucket = memory_reserve((d->mask + 1) * sizeof *d->bucket);
	d->buffers = memory_reserve(((size_t)max + 1) * BUFFER);
	return d->bucket != NULL && d->buffers != NULL &&
	    pool_init(&d->datagrams, "datagrams", sizeof(struct datagram), max);
}

void
defrag_free(struct defrag *d)
{
	memory_release(d->bucket, (d->mask + (size_t)1) * sizeof *d->bucket);
	memory_release(d->buffers, ((size_t)d->datagrams.max + 1) * BUFFER);
	pool_free_all(&d->datagrams);
	memset(d, 0, sizeof *d);
}

static struct datagram *
datagram_at(const struct defrag *d, uint32_t id)
{
	return pool_at(&d->datagrams, id);
}

static uint8_t *
buffer_of(const struct defrag *d, uint32_t id)
{
	return d->buffers + (size_t)id * BUFFER + HEAD;
}

/* Takes a datagram out of the table; its object and buffer stay. */
static void
take_out(struct defrag *d, uint32_t id)
{
	struct datagram *g = datagram_at(d, id);
	uint32_t *at = &d->bucket[g->hash & d->mask];
	while (*at != id)
		at = &datagram_at(d, *at)->chain;
	*at = g->chain;
	if (g->older != 0)
		datagram_at(d, g->older)->newer = g->newer;
	else
		d->oldest = g->newer;
	if (g->newer != 0)
		datagram_at(d, g->newer)->older = g->older;
	else
		d->newest = g->older;
}

void
defrag_begin(struct defrag *d)
{
	while (d->dones > 0)
		pool_give(&d->datagrams, d->done[--d->dones]);
	while (d->oldest != 0 &&
	    d->now_ns - datagram_at(d, d->oldest)->start_ns > LIMIT_FRAGMENT_S * S) {
		uint32_t id = d->oldest;
		d->stats.expired++;
		take_out(d, id);
		pool_give(&d->datagrams, id);
	}
}

static uint32_t
find(struct defrag *d, const struct fragment_key *key, uint32_t hash, const struct ends *ends)
{
	uint32_t id = d->bucket[hash & d->mask];
	while (id != 0) {
		const struct datagram *g = datagram_at(d, id);
		if (g->hash == hash && g->id == key->id &&
		    memcmp(&g->ends, ends, sizeof *ends) == 0 &&
		    (ends->family == 6 || g->proto == key->proto))
			return id;
		id = g->chain;
	}
	return 0;
}

static uint32_t
make(struct defrag *d, const struct fragment_key *key, uint32_t hash, const struct ends *ends)
{
	if (d->datagrams.used == d->datagrams.max && d->oldest != 0) {
		uint32_t old = d->oldest;
		d->stats.evicted++;
		take_out(d, old);
		pool_give(&d->datagrams, old);
	}
	uint32_t id = pool_take(&d->datagrams);
	if (id == 0)
		return 0;
	struct datagram *g = datagram_at(d, id);
	g->ends = *ends;
	g->id = key->id;
	g->proto = key->proto;
	g->hash = hash;
	g->start_ns = d->now_ns;
	g->cut = UINT32_MAX;
	g->chain = d->bucket[hash & d->mask];
	d->bucket[hash & d->mask] = id;
	g->older = d->newest;
	if (d->newest != 0)
		datagram_at(d, d->newest)->newer = id;
	else
		d->oldest = id;
	d->newest = id;
	return id;
}

/* Does the piece agree with the length, as far as that is known?  Notes what it tells of it. */
static bool
agrees(struct datagram *g, const struct fragment_piece *piece)
{
	uint32_t end = piece->offset + piece->wire_len;
	if (piece->wire_len == 0 || piece->wire_len > DATAGRAM_MAX || end > DATAGRAM_MAX ||
	    piece->offset % BLOCK != 0 || (piece->more && piece->wire_len % BLOCK != 0))
		return false;
	if (g->end != 0 && (end > g->end || (!piece->more && end != g->end)))
		return false;
	if (!piece->more && g->high > end)
		return false;
	if (!piece->more)
		g->end = end;
	if (end > g->high)
		g->high = end;
	return true;
}

/* Copies the blocks that are new; *again says how many were there, *differs whether with other
 * octets. */
static void
copy_blocks(struct datagram *g, uint8_t *buffer, const struct fragment_piece *piece,
    uint32_t *again, bool *differs)
{
	for (uint32_t at = 0; at < piece->wire_len; at += BLOCK) {
		uint32_t block = (piece->offset + at) / BLOCK;
		uint32_t n = piece->len > at ? piece->len - at : 0;
		uint8_t *to = buffer + piece->offset + at;
		uint64_t bit = 1ull << (block % 64);
		if (n > BLOCK)
			n = BLOCK;
		if (g->seen[block / 64] & bit) {
			++*again;
			if (piece->offset + at + n <= g->cut &&
			    memcmp(to, piece->data + at, n) != 0)
				*differs = true;
			continue;
		}
		g->seen[block / 64] |= bit;
		g->blocks++;
		memcpy(to, piece->data + at, n);
		if (n < BLOCK && at + n < piece->wire_len && piece->offset + at + n < g->cut)
			g->cut = piece->offset + at + n;
	}
}

/* A header that says what the lost ones said, as far as somebody behind needs it. */
static void
make_header(const struct datagram *g, uint8_t *buffer, uint32_t len, struct datagram_view *out)
{
	uint32_t size = g->ends.family == 6 ? 40 : 20;
	uint32_t total = g->end + (g->ends.family == 6 ? 0 : size);
	uint8_t *h = buffer - size;
	uint8_t high = total > DATAGRAM_MAX ? 0xff : (uint8_t)(total >> 8);
	uint8_t low = total > DATAGRAM_MAX ? 0xff : (uint8_t)total;
	memset(h, 0, size);
	if (g->ends.family == 6) {
		h[0] = 0x60;
		h[4] = high;
		h[5] = low;
		h[6] = g->proto;
		h[7] = 64;
		memcpy(h + 8, g->ends.ip[0], 16);
		memcpy(h + 24, g->ends.ip[1], 16);
	} else {
		h[0] = 0x45;
		h[2] = high;
		h[3] = low;
		h[8] = 64;
		h[9] = g->proto;
		memcpy(h + 12, g->ends.ip[0], 4);
		memcpy(h + 16, g->ends.ip[1], 4);
	}
	out->ip = h;
	out->ip_len = size + len;
}

bool
defrag_push(struct defrag *d, const struct fragment_key *key, const struct fragment_piece *piece,
    struct datagram_view *out)
{
	struct ends ends = *key->ends;
	d->stats.pieces++;
	ends.port[0] = (uint16_t)key->id;
	ends.port[1] = (uint16_t)(key->id >> 16);
	uint32_t hash = (uint32_t)hash_40(&d->key, &ends);
	ends.port[0] = ends.port[1] = 0;
	uint32_t id = find(d, key, hash, &ends);
	if (id == 0)
		id = d->dones < LIMIT_NESTED_DATAGRAMS ? make(d, key, hash, &ends) : 0;
	if (id == 0)
		return false;
	struct datagram *g = datagram_at(d, id);
	uint8_t *buffer = buffer_of(d, id);
	if (g->dead || !agrees(g, piece)) {
		d->stats.damaged++;
		return false;
	}
	uint32_t before = g->blocks, again = 0;
	bool differs = false;
	if (piece->offset == 0 && !(g->seen[0] & 1))
		g->proto = key->proto;
	copy_blocks(g, buffer, piece, &again, &differs);
	if (differs) {
		g->conflict = true;
		d->stats.conflicts++;
	}
	if (g->ends.family == 6 && again > 0 && (differs || g->blocks > before)) {
		g->dead = true;
		return false;
	}
	if (g->end == 0 || g->blocks != (g->end + BLOCK - 1) / BLOCK)
		return false;
	d->stats.joined++;
	take_out(d, id);
	d->done[d->dones++] = id;
	out->payload = buffer;
	out->wire_len = g->end;
	out->len = g->cut < g->end ? g->cut : g->end;
	out->proto = g->proto;
	out->conflict = g->conflict;
	make_header(g, buffer, out->len, out);
	return true;
}
