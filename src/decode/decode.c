/* The walk through the layers of a frame: see decode.h and packet.h. */
#include "decode/decode.h"

#include "base/limits.h"
#include "decode/plain.h"

/* A fragment: the datagram goes on where this one made it whole. */
static enum layer
join_fragments(struct defrag *defrag, struct packet *p)
{
	struct datagram_view whole;
	if (defrag == NULL)
		return LAYER_FRAGMENT;
	const struct fragment_key key = {&p->seg->ends, p->fragment.id, p->fragment.proto};
	const struct fragment_piece piece = {p->c.p, (uint32_t)cursor_left(&p->c),
	    packet_wire_left(p), p->fragment.offset, p->fragment.more};
	if (!defrag_push(defrag, &key, &piece, &whole))
		return LAYER_FRAGMENT;
	p->c = cursor_of(whole.payload, whole.len);
	p->missing = whole.wire_len - whole.len;
	p->seg->ip = whole.ip;
	p->seg->ip_len = whole.ip_len;
	p->seg->conflict |= whole.conflict;
	return network_protocol(p, whole.proto);
}

/* The walk.  (Apart from decode_frame, which nearly always ends before it, and need not make room
 * for what it needs.) */
static __attribute__((noinline)) enum decode_result
walk(struct defrag *defrag, uint32_t link_type, const uint8_t *data, uint32_t caplen,
    uint32_t wirelen, struct segment *out)
{
	const struct link_row *link = link_find(link_type);
	if (link == NULL)
		return DECODE_UNKNOWN_LINK;
	/* no frame is longer, whatever a file says; so no sum of lengths further in wraps */
	if (wirelen > LIMIT_FRAME)
		wirelen = LIMIT_FRAME;
	struct packet p = {.c = cursor_of(data, caplen),
	    .missing = wirelen > caplen ? wirelen - caplen : 0,
	    .seg = out};
	bool fragmented = false;
	out->vlan = -1;
	out->mac[0] = out->mac[1] = NULL;
	out->plain = out->headless = out->conflict = false;
	out->tunnel.depth = 0;
	enum layer next = link->decode(&p);
	for (unsigned depth = 0; depth < LIMIT_LAYERS; depth++) {
		switch (next) {
		case LAYER_DONE: return DECODE_TCP;
		case LAYER_ETHER: next = link_ether(&p); break;
		case LAYER_TYPE: next = network_type(&p); break;
		case LAYER_LLC: next = shim_llc(&p); break;
		case LAYER_PPP: next = shim_ppp(&p); break;
		case LAYER_MPLS: next = shim_mpls(&p); break;
		case LAYER_IP: next = network_ip(&p); break;
		case LAYER_GRE: next = tunnel_gre(&p); break;
		case LAYER_UDP: next = tunnel_udp(&p); break;
		case LAYER_TCP: next = transport_tcp(&p); break;
		case LAYER_FRAGMENT:
			if (!fragmented && defrag != NULL)
				defrag_begin(defrag);
			fragmented = true;
			next = join_fragments(defrag, &p);
			if (next == LAYER_FRAGMENT)
				return DECODE_FRAGMENT;
			break;
		case LAYER_OTHER: return DECODE_OTHER;
		case LAYER_DAMAGED: return DECODE_DAMAGED;
		}
	}
	return DECODE_DAMAGED;
}

enum decode_result
decode_frame(struct defrag *defrag, uint32_t link_type, const uint8_t *data, uint32_t caplen,
    uint32_t wirelen, struct segment *out)
{
	if (link_type == LINKTYPE_ETHERNET && decode_plain(data, caplen, out)) {
		decode_plain_around(data, out);
		return DECODE_TCP;
	}
	return walk(defrag, link_type, data, caplen, wirelen, out);
}
