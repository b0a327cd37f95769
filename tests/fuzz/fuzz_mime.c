/*
 * Fuzz target: the message scanner and the decoders of its header values.
 *
 * The first octet chooses how the rest is cut into pieces and where octets are lost.  What the same
 * octets give in one piece must be given again in many, in the same order, when none are lost.
 */
#include "base/limits.h"
#include "base/scan.h"
#include "base/text.h"
#include "mail/mime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mix(uint64_t *sum, const void *octets, size_t len)
{
	const uint8_t *p = octets;
	for (size_t i = 0; i < len; i++)
		*sum = (*sum ^ p[i]) * 0x100000001b3;
}

static void
event_sum(uint64_t *sum, const struct mime_event *ev)
{
	char buf[LIMIT_SUBJECT + 1];
	struct text out = text_in(buf, sizeof buf);
	mix(sum, &ev->kind, sizeof ev->kind);
	mix(sum, &ev->header, sizeof ev->header);
	mix(sum, ev->text, ev->text_len);
	mix(sum, ev->mime_type, strlen(ev->mime_type));
	mix(sum, &ev->size, sizeof ev->size);
	mix(sum, &ev->index, sizeof ev->index);
	mix(sum, &ev->detected, sizeof ev->detected);
	mix(sum, &ev->protection, sizeof ev->protection);
	if (ev->kind == MIME_HEADER)
		mime_decode_words(ev->text, ev->text_len, &out);
	mix(sum, buf, out.len);
}

/* Scans in pieces of `step` octets; the piece after each `lost`-th one (0: none) is lost. */
static uint64_t
scan(struct mime_pools *pools, const uint8_t *data, size_t size, size_t step, size_t lost)
{
	uint64_t sum = 0xcbf29ce484222325;
	uint32_t id = mime_begin(pools);
	struct mime_event ev;
	for (size_t at = 0, k = 1; at < size; at += step, k++) {
		size_t n = size - at < step ? size - at : step;
		if (lost != 0 && k % lost == 0) {
			mime_gap(pools, id, n);
			continue;
		}
		uint8_t *copy = malloc(n);
		memcpy(copy, data + at, n);
		struct mime_input in = {copy, n, scan_line_mark(copy, n) == n};
		while (mime_next(pools, id, &in, &ev))
			event_sum(&sum, &ev);
		if (in.len != 0)
			abort();
		free(copy);
	}
	while (mime_end(pools, id, &ev))
		event_sum(&sum, &ev);
	if (pools->scans.used != 0)
		abort();
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mime_pools pools; /* made once: it opens files */
	if (pools.scans.mem == NULL && !mime_pools_init(&pools, 1))
		abort();
	if (size < 2)
		return 0;
	size_t step = 1 + data[0] % 16, lost = data[0] / 16;
	uint64_t whole = scan(&pools, data + 1, size - 1, size - 1, 0);
	if (scan(&pools, data + 1, size - 1, step, 0) != whole)
		abort();
	(void)scan(&pools, data + 1, size - 1, step, lost);
	return 0;
}
