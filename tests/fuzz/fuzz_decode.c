/*
 * Fuzz target: frames to segments, with tunnels and fragments.
 *
 * Input: frames as in fuzz_engine.c, each with a link type of its own in front.  A segment's
 * payload must lie in the frame or in the datagram that it says, every octet of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = {1, 101, 113, 276, 0, 108, 228, 229, 9, 50, 51, 104, 105,
	    127, 219, 239, 12, 14, 7777};
	struct cursor c = cursor_of(data, size);
	struct defrag d;
	if (!defrag_init(&d, 16))
		return 0;
	d.now_ns = 1;
	while (cursor_left(&c) > 4) {
		const uint8_t *h = cursor_take(&c, 4);
		uint32_t len = load_le16(h + 2);
		struct segment seg;
		len = len < cursor_left(&c) ? len : (uint32_t)cursor_left(&c);
		d.now_ns += h[1] * (int64_t)100000000;
		uint8_t *copy = malloc(len > 0 ? len : 1); /* exactly sized: an overread is seen */
		if (copy == NULL)
			break;
		memcpy(copy, cursor_take(&c, len), len);
		/* whole, cut, or with a length that no frame has, which a file may claim */
		uint32_t wire = h[1] % 3 == 0 ? len
		    : h[1] % 3 == 1	      ? len + 1000
					      : UINT32_MAX - h[1];
		enum decode_result r = decode_frame(&d,
		    links[h[0] % (sizeof links / sizeof links[0])], copy, len, wire, &seg);
		if (r == DECODE_TCP) {
			if (seg.len > seg.wire_len || seg.tunnel.depth > LIMIT_TUNNELS)
				abort();
			for (uint32_t i = 0; i < seg.len; i++)
				sink ^= seg.payload[i];
			for (uint32_t i = 0; !seg.headless && i < seg.ip_len; i++)
				sink ^= seg.ip[i];
		}
		free(copy);
	}
	defrag_free(&d);
	return 0;
}
