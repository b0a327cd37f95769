/*
 * IP datagrams out of their fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 * One buffer of 64 KiB and a bitmap of its blocks of eight octets for each datagram; the first copy
 * of a block wins, and other octets in a second one are told.  In IPv6 an overlap that is no exact
 * repeat ends the datagram (RFC 5722).  A fragment that contradicts the length known by then is
 * dropped.  Bounds: LIMIT_DATAGRAMS at once, LIMIT_FRAGMENT_S each, the oldest goes first.  Time
 * is linear in the octets.
 */
#ifndef POSTCARD_DECODE_DEFRAG_H
#define POSTCARD_DECODE_DEFRAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/pool.h"
#include "decode/segment.h"

/* What the fragments of one datagram have in common. */
struct fragment_key {
	const struct ends *ends; /* family and addresses; the ports are not looked at */
	uint32_t id;
	uint8_t proto; /* part of the key in IPv4 alone */
};

struct fragment_piece {
	const uint8_t *data;
	uint32_t len;	   /* captured octets */
	uint32_t wire_len; /* octets on the wire; at least len */
	uint16_t offset;   /* in the datagram, a multiple of 8 */
	bool more;	   /* others follow it */
};

/* A datagram that is whole.  Lives until defrag_begin. */
struct datagram_view {
	const uint8_t *payload; /* behind the IP header */
	uint32_t len;		/* octets of it, up to the first that was not captured */
	uint32_t wire_len;	/* octets on the wire */
	const uint8_t *ip;	/* the same with a made-up IP header in front */
	uint32_t ip_len;
	uint8_t proto; /* what the payload is */
	bool conflict; /* fragments overlapped with other octets */
};

struct defrag_stats {
	uint64_t pieces;    /* fragments */
	uint64_t joined;    /* datagrams made whole */
	uint64_t evicted;   /* given up early because there were too many */
	uint64_t expired;   /* whose fragments did not all come in time */
	uint64_t damaged;   /* fragments that contradict themselves or others */
	uint64_t conflicts; /* fragments that overlap with other octets */
};

struct defrag {
	struct pool datagrams;
	uint8_t *buffers; /* one for each object of the pool */
	uint32_t *bucket; /* heads of the chains */
	uint32_t mask;	  /* buckets - 1 */
	uint32_t oldest, newest;
	uint32_t done[LIMIT_NESTED_DATAGRAMS]; /* whole, and still being read */
	unsigned dones;
	struct hash_key key;
	int64_t now_ns; /* set by the caller */
	struct defrag_stats stats;
};

extern const uint32_t defrag_datagram_size; /* octets of one, its buffer too */

/* A table of at most `max` datagrams.  False where the memory is refused. */
bool defrag_init(struct defrag *d, uint32_t max);
void defrag_free(struct defrag *d);

/* Another frame begins: what was handed out is given back, and what is too old is dropped. */
void defrag_begin(struct defrag *d);

/* Takes one fragment; true where it made its datagram whole. */
bool defrag_push(struct defrag *d, const struct fragment_key *key,
    const struct fragment_piece *piece, struct datagram_view *out);

#endif
