/* Octets of frames.  Checksums are left out: nothing here is read by who checks them. */
#include <string.h>

#include "flood.h"

void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

void
add(struct octets *f, const void *p, uint32_t n)
{
	if (n > FRAME_MAX - f->len)
		n = FRAME_MAX - f->len;
	memcpy(f->at + f->len, p, n);
	f->len += n;
}

void
wire_begin(struct octets *f, uint32_t src, uint32_t dst, int protocol)
{
	uint8_t h[34] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
	h[20] = 0x40;
	h[22] = 64;
	h[23] = (uint8_t)protocol;
	put32(h + 26, src);
	put32(h + 30, dst);
	f->len = 0;
	add(f, h, sizeof h);
}

void
wire_tcp(struct octets *f, uint32_t sport, uint32_t dport, uint32_t seq, uint32_t ack, int flags)
{
	uint8_t h[20] = {0};
	put16(h, sport);
	put16(h + 2, dport);
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[12] = 0x50;
	h[13] = (uint8_t)flags;
	put16(h + 14, 0xffff);
	add(f, h, sizeof h);
}

void
wire_end(struct octets *f)
{
	put16(f->at + 16, f->len - 14);
}
