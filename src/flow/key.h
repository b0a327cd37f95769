/*
 * The key of a segment's flow: see flow.h, which includes this.  Inline, for it is a tenth of what
 * there is to do for a packet.
 */
#ifndef POSTCARD_FLOW_KEY_H
#define POSTCARD_FLOW_KEY_H

#include <endian.h>
#include <string.h>

static inline uint64_t
flow_word(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
	return w;
}

/* The ports, that of A first; as memory has them in struct flow_key. */
static inline uint32_t
flow_key_ports(const struct ends *ends, struct flow_key *k, bool swap)
{
	uint32_t ports;
	memcpy(&ports, ends->port, sizeof ports);
	ports = swap ? ports << 16 | ports >> 16 : ports;
	memcpy(k->port, &ports, sizeof ports);
	k->side = swap;
	return ports;
}

/* Of IPv4: what is zero behind the addresses takes the ports, so that one comparison tells which
 * end is the smaller. */
static inline __attribute__((always_inline)) void
flow_key_of_ipv4(const struct flow_table *t, const struct ends *ends, struct flow_key *k)
{
	const uint64_t s = flow_word(ends->ip[0]), d = flow_word(ends->ip[1]);
	const bool swap = (be64toh(s) | ends->port[0]) > (be64toh(d) | ends->port[1]);
	const uint64_t x = (s ^ d) & -(uint64_t)swap;
	k->ip[0] = s ^ x;
	k->ip[2] = d ^ x;
	k->ip[1] = k->ip[3] = 0;
	k->v6 = false;
	uint32_t ports = flow_key_ports(ends, k, swap);
	k->hash = (uint32_t)hash_words(&t->key, k->ip[0], 0, k->ip[2], 0,
	    (uint64_t)ends->family << 32 | ports);
}

/*
 * What the flow of a segment between `ends` is found by.
 *
 * By words and not by octets: what was just written in words of 8 is forwarded to loads of as many,
 * others wait for it (a tenth of the time of a packet).  And without a jump, for which end is the
 * smaller cannot be guessed.
 */
static inline __attribute__((always_inline)) void
flow_key_of(const struct flow_table *t, const struct ends *ends, struct flow_key *k)
{
	if (ends->family == 4) {
		flow_key_of_ipv4(t, ends, k);
		return;
	}
	uint64_t s0 = flow_word(ends->ip[0]), s1 = flow_word(ends->ip[0] + 8);
	uint64_t d0 = flow_word(ends->ip[1]), d1 = flow_word(ends->ip[1] + 8);
	uint64_t source = be64toh(s0 != d0 ? s0 : s1), destination = be64toh(s0 != d0 ? d0 : d1);
	const uint64_t swap = -(uint64_t)((source > destination) |
	    ((source == destination) & (ends->port[0] > ends->port[1])));
	uint64_t x0 = (s0 ^ d0) & swap, x1 = (s1 ^ d1) & swap;
	k->ip[0] = s0 ^= x0;
	k->ip[1] = s1 ^= x1;
	k->ip[2] = d0 ^= x0;
	k->ip[3] = d1 ^= x1;
	k->v6 = true;
	uint32_t ports = flow_key_ports(ends, k, swap != 0);
	k->hash =
	    (uint32_t)hash_words(&t->key, s0, s1, d0, d1, (uint64_t)ends->family << 32 | ports);
}

#endif
