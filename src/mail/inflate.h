/*
 * COMPRESS=DEFLATE undone (RFC 4978: a raw deflate stream, RFC 1951, in each direction).
 *
 * Compression is no encryption: an eavesdropper inflates what it reads, and so does this file.  A
 * state is one session's, of both directions, from a pool, with zlib's memory inside, so that no
 * octet on the packet path calls malloc.
 *
 * What comes out is bounded by what goes in (LIMIT_INFLATE_RATIO, LIMIT_INFLATE_SLACK), for the
 * format grows up to 1032 times.  A stream that lost octets, is damaged, ended, or grows beyond
 * that is over: it cannot be read on.
 */
#ifndef POSTCARD_MAIL_INFLATE_H
#define POSTCARD_MAIL_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

extern const uint32_t inflate_size; /* octets of one state */

/* Room for `states` sessions.  False where the address space is refused. */
bool inflate_pool_init(struct pool *p, uint32_t states);

/* A state whose directions are both not begun; 0 where the pool is exhausted. */
uint32_t inflate_open(struct pool *p);
void inflate_close(struct pool *p, uint32_t id);

/* The direction (0 or 1) is compressed from its next octet on.  False where zlib refuses. */
bool inflate_begin(struct pool *p, uint32_t id, unsigned side);

/* Is the direction being inflated? */
bool inflate_is_on(const struct pool *p, uint32_t id, unsigned side);

/* Its octets are plain again, or are not to be read. */
void inflate_stop(struct pool *p, uint32_t id, unsigned side);

enum inflate_result {
	INFLATE_OUT,  /* octets came out, there may be more */
	INFLATE_NEED, /* all input is used up, and nothing more comes out of it */
	INFLATE_OVER, /* the stream cannot be read any further */
};

/*
 * Takes octets of the direction from *data, advancing it, and puts what they hold into out, at most
 * `room` octets; *n: how many.  Call until it does not return INFLATE_OUT.
 */
enum inflate_result inflate_next(struct pool *p, uint32_t id, unsigned side, const uint8_t **data,
    size_t *len, uint8_t *out, size_t room, size_t *n);

#endif
