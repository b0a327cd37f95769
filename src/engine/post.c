/* The loop of a worker process: see post.h. */
#include "engine/post.h"

#include <string.h>

#include "base/now.h"
#include "record/common.h"

#define STEPS 64u /* of up to ENGINE_AHEAD frames, between two looks at the clock */

/* What there is to report, and how far it is. */
static bool
put_status(struct feed *f, struct wire_out *w)
{
	char text[CAPTURE_TEXT];
	enum feed_event what;
	struct feed_report report;
	while (feed_event(f, &what, text)) {
		if (!wire_put(w, WIRE_EVENT, (uint16_t)what, f->number, text, strlen(text)))
			return false;
	}
	feed_report_get(f, &report);
	report.waits = w->waits;
	return wire_put(w, WIRE_STATUS, 0, f->number, &report, sizeof report) && wire_flush(w);
}

static bool
put_record(struct feed *f, struct wire_out *w, const struct record *r)
{
	const uint32_t not_sent = record_constants((enum record_kind)r->kind);
	return wire_put(w, WIRE_RECORD, r->kind, f->number, r->data + not_sent, r->len - not_sent);
}

bool
post_run(struct feed *f, struct wire_out *w, const volatile sig_atomic_t *stop)
{
	static struct record record; /* of a process that has one such loop */
	int64_t beat = 0;
	enum feed_status s;
	unsigned steps = STEPS;
	while ((s = feed_next(f, &record)) != FEED_END) {
		if (*stop)
			feed_stop(f);
		if (s == FEED_RECORD && !put_record(f, w, &record))
			return false;
		if (s != FEED_IDLE && ++steps < STEPS)
			continue;
		steps = 0;
		/* the others' records wait for that */
		if (f->shares > 1 && f->files != NULL &&
		    (!wire_put(w, WIRE_MARK, 0, f->number, NULL, 0) || !wire_flush(w)))
			return false;
		if (now_monotonic_ms() - beat >= POST_BEAT_MS) {
			if (!put_status(f, w))
				return false;
			beat = now_monotonic_ms();
		}
		if (s == FEED_IDLE) {
			if (!wire_flush(w))
				return false;
			feed_wait(f);
		}
	}
	/* a signal that ends a read looks like the end of the input */
	enum feed_end end = f->end == FEED_END_INPUT && *stop ? FEED_END_STOP : f->end;
	return put_status(f, w) && wire_put(w, WIRE_END, (uint16_t)end, f->number, NULL, 0) &&
	    wire_flush(w);
}
