/*
 * TCP headers (RFC 9293 section 3.1).  A header of which only the ports were captured still names a
 * connection: the segment is marked headless, and nothing else of it is believed.
 */
#include "decode/packet.h"

enum layer
transport_tcp(struct packet *p)
{
	struct segment *seg = p->seg;
	const uint8_t *h = p->c.p;
	size_t here = cursor_left(&p->c);
	uint32_t wire = packet_wire_left(p);
	if (here < 4)
		return LAYER_DAMAGED;
	seg->ends.port[0] = load_be16(h);
	seg->ends.port[1] = load_be16(h + 2);
	seg->seq = seg->ack = 0;
	seg->flags = 0;
	seg->payload = p->c.end;
	seg->len = 0;
	seg->wire_len = 0;
	if (here < 20) {
		if (p->missing == 0)
			return LAYER_DAMAGED; /* not cut by the capture: no TCP header is so short
					       */
		seg->headless = true;
		if (here < 14)
			return LAYER_DONE;
	}
	uint32_t header = (h[12] >> 4) * 4u;
	if (header < 20 || header > wire)
		return LAYER_DAMAGED;
	seg->seq = load_be32(h + 4);
	seg->ack = load_be32(h + 8);
	seg->flags = h[13] & 0x3fu;
	seg->headless = false;
	seg->wire_len = wire - header;
	if (here > header) {
		seg->payload = h + header;
		seg->len = (uint32_t)(here - header);
	}
	return LAYER_DONE;
}
