/*
 * Fuzz target: the whole worker, frames in, records out.
 *
 * Input: an octet that picks the link type, then frames: length (2, little-endian), time since the
 * one before in ms (1), captured octets.  Each record must be readable to its end, and must name an
 * outcome where it has one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record record;

static void
take(struct engine *e)
{
	while (engine_next(e, &record)) {
		struct record_value v;
		uint32_t at = 0;
		while (record_next(&record, &at, &v)) {
		}
		if (at != record.len || !record_find(&record, FIELD_OUTCOME, &v))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = {1, 101, 113, 276, 0, 108, 228, 229, 9, 50, 51, 104, 105,
	    127, 219, 239, 12};
	struct engine_config config = {.flows = 64, .conns = 32, .no_ndpi = true};
	char error[256];
	struct cursor c = cursor_of(data, size);
	uint8_t head = cursor_u8(&c);
	struct frame f = {.link_type = links[head % (sizeof links / sizeof links[0])]};
	struct engine *e = engine_new(&config, error);
	if (e == NULL)
		return 0;
	while (cursor_left(&c) > 3) {
		const uint8_t *h = cursor_take(&c, 3);
		uint32_t len = load_le16(h);
		len = len < cursor_left(&c) ? len : (uint32_t)cursor_left(&c);
		f.ts_ns += h[2] * (int64_t)1000000 * (h[2] > 250 ? 100000 : 1);
		f.number++;
		f.caplen = len;
		f.wirelen = h[2] == 248 ? UINT32_MAX : len + (h[2] == 249 ? 100 : 0);
		uint8_t *copy = malloc(len > 0 ? len : 1); /* exactly sized: an overread is seen */
		if (copy == NULL)
			break;
		memcpy(copy, cursor_take(&c, len), len);
		f.data = copy;
		engine_push(e, &f);
		take(e);
		free(copy);
	}
	engine_finish(e);
	take(e);
	engine_free(e);
	return 0;
}
