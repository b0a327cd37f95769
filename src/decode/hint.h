/* Whose packet is this, at a glance? */
#ifndef POSTCARD_DECODE_HINT_H
#define POSTCARD_DECODE_HINT_H

#include "decode/segment.h"

/*
 * The ends of a TCP segment in a plain frame (Ethernet or raw, one VLAN tag at most, IPv4 or IPv6
 * without extension headers), as decode_frame would find them.  False for everything else, and
 * where octets are missing.  Nothing depends on the answer but what caches hold.
 */
bool decode_hint(uint32_t link_type, const uint8_t *data, uint32_t caplen, struct ends *out);

#endif
