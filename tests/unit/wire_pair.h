/* Both ends of a wire in one process, for tests; or, with fork(2) between, in two. */
#ifndef POSTCARD_TESTS_WIRE_PAIR_H
#define POSTCARD_TESTS_WIRE_PAIR_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/wire.h"

/* A new ring and pipe. */
static inline void
wire_pair_open(struct wire_out *out, struct wire_in *in)
{
	int ends[2];
	struct wire_ring *ring = wire_ring_new();
	if (ring == NULL || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		abort();
	*out = (struct wire_out){.ring = ring, .bell = ends[1]};
	*in = (struct wire_in){.ring = ring, .bell = ends[0]};
}

/* The worker is no more. */
static inline void
wire_pair_hang_up(struct wire_out *out)
{
	if (out->bell >= 0)
		close(out->bell);
	out->bell = -1;
}

static inline void
wire_pair_close(struct wire_out *out, struct wire_in *in)
{
	wire_pair_hang_up(out);
	close(in->bell);
	wire_ring_free(in->ring);
}

/* Octets of somebody who took a worker over: into the ring, wherever they fall, and told of. */
static inline void
wire_pair_force(struct wire_out *out, const void *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out->ring->octets[out->head++ % WIRE_ROOM] = ((const uint8_t *)octets)[i];
	(void)wire_flush(out);
}

#endif
