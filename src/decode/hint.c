/*
 * A glance at a frame: see hint.h.  It knows the frames that nearly all traffic consists of, checks
 * lengths and nothing else, and leaves the rest to decode.c.
 */
#include "decode/hint.h"

#include <string.h>

#include "base/cursor.h"

#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_RAW	  101u
#define TYPE_IPV4	  0x0800u
#define TYPE_IPV6	  0x86ddu
#define TYPE_VLAN	  0x8100u
#define PROTO_TCP	  6u

bool
decode_hint(uint32_t link_type, const uint8_t *data, uint32_t caplen, struct ends *out)
{
	uint32_t at = 0;
	if (link_type == LINKTYPE_ETHERNET) {
		if (caplen < 18)
			return false;
		at = load_be16(data + 12) == TYPE_VLAN ? 18 : 14;
		uint16_t type = load_be16(data + at - 2);
		if (type != TYPE_IPV4 && type != TYPE_IPV6)
			return false;
	} else if (link_type != LINKTYPE_RAW) {
		return false;
	}
	if (caplen < at + 44)
		return false;
	const uint8_t *h = data + at, *tcp;
	memset(out, 0, sizeof *out);
	if (h[0] >> 4 == 4) {
		uint32_t header = (h[0] & 0x0fu) * 4u;
		if (h[9] != PROTO_TCP || caplen < at + header + 4)
			return false;
		memcpy(out->ip[0], h + 12, 4);
		memcpy(out->ip[1], h + 16, 4);
		out->family = 4;
		tcp = h + header;
	} else {
		if (h[6] != PROTO_TCP)
			return false;
		memcpy(out->ip[0], h + 8, 16);
		memcpy(out->ip[1], h + 24, 16);
		out->family = 6;
		tcp = h + 40;
	}
	out->port[0] = load_be16(tcp);
	out->port[1] = load_be16(tcp + 2);
	return true;
}
