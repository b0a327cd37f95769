/* The share of a worker: see share.h.  Lengths are believed as far as octets were captured. */
#include "capture/share.h"

#include <stddef.h>

#include "base/cursor.h"

static const struct share_link links[] = {
    {1, 12, 14},	     /* Ethernet */
    {101, SHARE_NO_TYPE, 0}, /* raw IP */
    {228, SHARE_NO_TYPE, 0}, /* raw IPv4 */
    {229, SHARE_NO_TYPE, 0}, /* raw IPv6 */
    {113, 14, 16},	     /* Linux cooked */
    {276, 0, 20},	     /* Linux cooked, version 2 */
};

const struct share_link *
share_link_find(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		if (links[i].link_type == link_type)
			return &links[i];
	return NULL;
}

static bool
is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* The IP header, as its version says it and not the ethertype; NULL where there is none. */
static const uint8_t *
ip_header(const struct frame *f, size_t *left)
{
	const struct share_link *link = share_link_find(f->link_type);
	if (link == NULL || f->caplen < link->len)
		return NULL;
	size_t at = link->len;
	if (link->type_at != SHARE_NO_TYPE) {
		uint16_t type = load_be16(f->data + link->type_at);
		for (unsigned i = 0; i < SHARE_TAGS && is_tag(type); i++) {
			if (f->caplen < at + 4)
				return NULL;
			type = load_be16(f->data + at + 2);
			at += 4;
		}
		if (type != 0x0800 && type != 0x86dd)
			return NULL;
	}
	*left = f->caplen - at;
	return f->data + at;
}

unsigned
share_of(const struct frame *f, unsigned shares)
{
	size_t left;
	if (shares <= 1)
		return 0;
	const uint8_t *h = ip_header(f, &left);
	if (h == NULL || left < 20)
		return 0;
	uint32_t x = 0;
	if (h[0] >> 4 == 4) {
		x = load_be32(h + 12) ^ load_be32(h + 16);
	} else if (h[0] >> 4 == 6 && left >= 40) {
		for (unsigned i = 8; i < 40; i += 4)
			x ^= load_be32(h + i);
	} else {
		return 0;
	}
	return share_mix(x) % shares;
}
