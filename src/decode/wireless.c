/*
 * IEEE 802.11 data frames, with and without radiotap (radiotap.org) in front.
 *
 * Only what is not encrypted on the air can be read; aggregates (A-MSDU) and control or management
 * frames are other protocols.
 */
#include "decode/packet.h"

#define FC_TYPE	     0x0c
#define FC_DATA	     0x08
#define FC_QOS	     0x80 /* of the subtype */
#define FC_NO_DATA   0x40 /* of the subtype */
#define FC_TO_DS     0x01
#define FC_FROM_DS   0x02
#define FC_MORE_FRAG 0x04
#define FC_PROTECTED 0x40
#define FC_ORDER     0x80

#define RADIOTAP_FLAGS	    0x02u /* the second field is there */
#define RADIOTAP_TSFT	    0x01u
#define RADIOTAP_MORE	    0x80000000u
#define RADIOTAP_FLAG_ALIGN 0x20 /* the header is padded to a multiple of four */

static enum layer
frame(struct packet *p, bool aligned)
{
	const uint8_t *h = cursor_take(&p->c, 24);
	size_t more = 0;
	if (h == NULL)
		return LAYER_DAMAGED;
	if ((h[0] & FC_TYPE) != FC_DATA || h[0] & FC_NO_DATA || h[1] & FC_PROTECTED ||
	    h[1] & FC_MORE_FRAG || h[22] & 0x0f) /* encrypted, or a fragment */
		return LAYER_OTHER;
	bool wds = (h[1] & (FC_TO_DS | FC_FROM_DS)) == (FC_TO_DS | FC_FROM_DS);
	more += wds ? 6 : 0;
	if (h[0] & FC_QOS) {
		if (cursor_left(&p->c) < more + 2)
			return LAYER_DAMAGED;
		if (p->c.p[more] & 0x80)
			return LAYER_OTHER; /* A-MSDU */
		more += 2;
		more += h[1] & FC_ORDER ? 4 : 0;
	}
	if (aligned)
		more = ((24 + more + 3) & ~(size_t)3) - 24;
	const uint8_t *fourth = cursor_take(&p->c, more);
	if (p->c.bad)
		return LAYER_DAMAGED;
	p->seg->mac[0] = wds ? fourth : h[1] & FC_FROM_DS ? h + 16 : h + 10;
	p->seg->mac[1] = h[1] & FC_TO_DS ? h + 16 : h + 4;
	return LAYER_LLC;
}

enum layer
wireless_80211(struct packet *p)
{
	return frame(p, false);
}

enum layer
wireless_radiotap(struct packet *p)
{
	const uint8_t *h = p->c.p;
	bool aligned = false;
	if (cursor_left(&p->c) < 8)
		return LAYER_DAMAGED;
	uint16_t len = load_le16(h + 2);
	uint32_t present = load_le32(h + 4);
	if (h[0] != 0 || len < 8 || cursor_left(&p->c) < len)
		return LAYER_DAMAGED;
	size_t at = 8;
	for (uint32_t word = present; word & RADIOTAP_MORE && at + 4 <= len; at += 4)
		word = load_le32(h + at);
	if (present & RADIOTAP_TSFT)
		at = ((at + 7) & ~(size_t)7) + 8;
	if (present & RADIOTAP_FLAGS && at < len)
		aligned = (h[at] & RADIOTAP_FLAG_ALIGN) != 0;
	cursor_skip(&p->c, len);
	return frame(p, aligned);
}
