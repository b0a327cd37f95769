/* Raw deflate streams of a session: see inflate.h.  Bounds: LIMIT_INFLATE_* of limits.h. */
#include "mail/inflate.h"

#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/limits.h"

/* One direction. */
struct direction {
	z_stream z;
	uint64_t in, out; /* octets so far */
	uint32_t used;	  /* octets of the arena that zlib has */
	bool on;
	_Alignas(16) uint8_t arena[LIMIT_INFLATE_ARENA]; /* all memory that zlib may have */
};

struct inflation {
	struct direction side[2];
};

const uint32_t inflate_size = sizeof(struct inflation);

bool
inflate_pool_init(struct pool *p, uint32_t states)
{
	return pool_init(p, "compressed connections", sizeof(struct inflation), states);
}

/* Memory for zlib: it asks for its state and its window, once each, and frees them together. */
static void *
arena_take(void *direction, uInt items, uInt size)
{
	struct direction *d = direction;
	uint64_t octets = ((uint64_t)items * size + 15) & ~(uint64_t)15;
	if (octets > sizeof d->arena - d->used)
		return NULL;
	d->used += (uint32_t)octets;
	return d->arena + d->used - octets;
}

static void
arena_give(void *direction, void *at)
{
	(void)direction;
	(void)at;
}

static struct direction *
at(const struct pool *p, uint32_t id, unsigned side)
{
	return &((struct inflation *)pool_at(p, id))->side[side];
}

uint32_t
inflate_open(struct pool *p)
{
	return pool_take(p);
}

void
inflate_close(struct pool *p, uint32_t id)
{
	inflate_stop(p, id, 0);
	inflate_stop(p, id, 1);
	pool_give(p, id);
}

bool
inflate_begin(struct pool *p, uint32_t id, unsigned side)
{
	struct direction *d = at(p, id, side);
	d->used = 0;
	d->in = d->out = 0;
	d->z = (z_stream){.zalloc = arena_take, .zfree = arena_give, .opaque = d};
	d->on = inflateInit2(&d->z, -MAX_WBITS) == Z_OK;
	return d->on;
}

bool
inflate_is_on(const struct pool *p, uint32_t id, unsigned side)
{
	return at(p, id, side)->on;
}

void
inflate_stop(struct pool *p, uint32_t id, unsigned side)
{
	struct direction *d = at(p, id, side);
	if (d->on)
		(void)inflateEnd(&d->z);
	memset(d->arena, 0, d->used); /* the window holds text */
	d->on = false;
}

enum inflate_result
inflate_next(struct pool *p, uint32_t id, unsigned side, const uint8_t **data, size_t *len,
    uint8_t *out, size_t room, size_t *n)
{
	struct direction *d = at(p, id, side);
	uInt give = *len < LIMIT_FRAME ? (uInt)*len : LIMIT_FRAME;
	*n = 0;
	if (!d->on)
		return INFLATE_OVER;
	d->z.next_in = *data;
	d->z.avail_in = give;
	d->z.next_out = out;
	d->z.avail_out = (uInt)room;
	int result = inflate(&d->z, Z_SYNC_FLUSH);
	*n = room - d->z.avail_out;
	*data += give - d->z.avail_in;
	*len -= give - d->z.avail_in;
	d->in += give - d->z.avail_in;
	d->out += *n;
	d->z.next_in = NULL; /* the octets are not ours behind this call */
	d->z.next_out = NULL;
	if (*n > 0 && d->out <= LIMIT_INFLATE_SLACK + LIMIT_INFLATE_RATIO * d->in)
		return INFLATE_OUT; /* an end or damage behind them is told by the next call */
	if (*n > 0)
		return INFLATE_OVER;
	bool well = result == Z_OK || result == Z_BUF_ERROR || result == Z_STREAM_END;
	return well && *len == 0 ? INFLATE_NEED : INFLATE_OVER;
}
