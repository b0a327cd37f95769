/* The walk through the layers of a frame: see decode.h and packet.h. */
#include "decode/decode.h"

#include <string.h>

#include "base/limits.h"
#include "decode/packet.h"

void
packet_trim(struct packet *p, uint32_t len)
{
	size_t here = cursor_left(&p->c);
	if (len < here) {
		p->c.end = p->c.p + len;
		p->missing = 0;
	} else {
		/* what the header promises and the capture does not hold was cut, by whomever */
		p->missing = len - (uint32_t)here;
	}
}

enum decode_result
decode_frame(uint32_t link_type, const uint8_t *data, uint32_t caplen, uint32_t wirelen,
    struct segment *out)
{
	static const enum decode_result over[] = {[LAYER_OTHER] = DECODE_OTHER,
	    [LAYER_FRAGMENT] = DECODE_FRAGMENT,
	    [LAYER_DAMAGED] = DECODE_DAMAGED};
	const struct link_row *link = link_find(link_type);
	if (link == NULL)
		return DECODE_UNKNOWN_LINK;
	struct packet p = {cursor_of(data, caplen), wirelen > caplen ? wirelen - caplen : 0, 0,
	    out};
	out->vlan = -1;
	out->mac[0] = out->mac[1] = NULL;
	out->headless = false;
	enum layer next = link->decode(&p);
	for (unsigned depth = 0; depth < LIMIT_LAYERS; depth++) {
		switch (next) {
		case LAYER_DONE: return DECODE_TCP;
		case LAYER_ETHER: next = link_ether(&p); break;
		case LAYER_TYPE: next = network_type(&p); break;
		case LAYER_IP: next = network_ip(&p); break;
		case LAYER_TCP: next = transport_tcp(&p); break;
		case LAYER_OTHER:
		case LAYER_FRAGMENT:
		case LAYER_DAMAGED: return over[next];
		}
	}
	return DECODE_DAMAGED;
}
