/*
 * Private to src/decode: a packet on its way through the layers.
 *
 * Each layer takes its header off the cursor and names the next one.  The walk is a loop in
 * decode.c, bounded by LIMIT_LAYERS, so a new tag or tunnel is one function and one case.
 */
#ifndef POSTCARD_DECODE_PACKET_H
#define POSTCARD_DECODE_PACKET_H

#include "base/cursor.h"
#include "decode/segment.h"

enum layer {
	LAYER_DONE,  /* the segment is complete */
	LAYER_ETHER, /* an Ethernet frame */
	LAYER_TYPE,  /* what packet.ethertype says */
	LAYER_IP,    /* IPv4 or IPv6, by its first nibble */
	LAYER_TCP,
	LAYER_OTHER,	/* another protocol: end of the walk */
	LAYER_FRAGMENT, /* a fragment: end of the walk */
	LAYER_DAMAGED,	/* end of the walk */
};

struct packet {
	struct cursor c; /* octets not yet decoded, as captured */
	uint32_t
	    missing; /* octets of the frame that followed them on the wire but were not captured */
	uint16_t ethertype; /* for LAYER_TYPE */
	struct segment *seg;
};

/* One row for each link type. */
struct link_row {
	uint32_t link_type;
	enum layer (*decode)(struct packet *p);
};

/* The decoder of a link type; NULL where there is none. */
const struct link_row *link_find(uint32_t link_type);

enum layer link_ether(struct packet *p);

/* Layers above the link. */
enum layer network_type(struct packet *p); /* by ethertype; takes VLAN tags off */
enum layer network_ip(struct packet *p);
enum layer transport_tcp(struct packet *p);

/* Octets on the wire from the cursor on. */
static inline uint32_t
packet_wire_left(const struct packet *p)
{
	return (uint32_t)cursor_left(&p->c) + p->missing;
}

/* An inner length says that the packet ends after `len` octets: what follows is padding or a
 * trailer. */
void packet_trim(struct packet *p, uint32_t len);

#endif
