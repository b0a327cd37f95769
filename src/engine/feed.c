/* What a worker does: see feed.h. */
#include "engine/feed.h"

#include <string.h>

#include "base/now.h"
#include "capture/share.h"

static void
finish(struct feed *f, enum feed_end why)
{
	if (f->finishing)
		return;
	f->finishing = true;
	f->number++; /* what ends now comes behind all frames */
	f->end = why;
	engine_finish(f->engine);
}

#ifdef POSTCARD_PLANTED
/* A build for tests: frames that end a worker, or make it hang. */
static void
obey_frame(const struct frame *frame)
{
	static const char die[] = "postcard: die here", hang[] = "postcard: hang here";
	if (memmem(frame->data, frame->caplen, die, sizeof die - 1) != NULL)
		*(volatile int *)NULL = 0;
	while (memmem(frame->data, frame->caplen, hang, sizeof hang - 1) != NULL)
		;
}
#endif

/* A frame was given to the engine. */
static inline void
note(struct feed *f, const struct frame *frame)
{
	f->number = frame->number;
	f->last_ns = frame->ts_ns;
}

/* Gives the engine the frames that were read.  True with a record. */
static bool
run_files(struct feed *f, struct record *out)
{
	unsigned from = f->at, n = f->count;
#ifdef POSTCARD_PLANTED
	if (engine_next(f->engine, out))
		return true;
	if (f->ours >> f->at & 1)
		obey_frame(&f->frame[f->at]);
	n = f->at + 1;
#endif
	bool record = engine_run(f->engine, f->frame, n, f->ours, &f->at, out);
	if (f->at > from)
		note(f, &f->frame[f->at - 1]);
	f->packets += f->at - from;
	return record;
}

/* Reads the next frames, as many as lie in memory together, and lets the engine have a look at
 * ours. */
static __attribute__((noinline)) void
read_files(struct feed *f)
{
	uint64_t left = f->limit != 0 ? f->limit - f->packets : ENGINE_AHEAD;
	enum capture_status s = capture_next(f->files, &f->frame[0]);
	if (s != CAPTURE_FRAME) {
		finish(f, s == CAPTURE_END ? FEED_END_INPUT : FEED_END_FAILED);
		return;
	}
	left = left < ENGINE_AHEAD ? left : ENGINE_AHEAD;
	f->count = 1 + (unsigned)capture_more(f->files, &f->frame[1], left - 1);
	f->at = 0;
	f->ours = (1u << f->count) - 1;
	for (unsigned i = 0; f->shares > 1 && i < f->count; i++) {
		if (share_of(&f->frame[i], f->shares) != f->share)
			f->ours &= ~(1u << i);
	}
	engine_look(f->engine, f->frame, f->ours);
}

/* All that came was taken: whoever waits for nothing does not lag behind. */
static void
silence(struct feed *f)
{
	int64_t now = now_real_ns() - FEED_LAG_NS;
	if (f->last_ns != 0 && f->last_ns < now)
		f->last_ns = now;
	engine_clock(f->engine, now);
}

static enum feed_status
take_live(struct feed *f)
{
	struct frame frame;
	switch (live_next(f->live, &frame)) {
	case LIVE_FRAME:
#ifdef POSTCARD_PLANTED
		obey_frame(&frame);
#endif
		f->packets++;
		note(f, &frame);
		engine_push(f->engine, &frame);
		return FEED_MORE;
	case LIVE_IDLE: silence(f); return FEED_IDLE;
	case LIVE_GONE:
		if (live_count(f->live) == 0)
			finish(f, FEED_END_GONE);
		return FEED_MORE;
	case LIVE_FAILED: finish(f, FEED_END_FAILED); return FEED_MORE;
	}
	return FEED_MORE;
}

enum feed_status
feed_next(struct feed *f, struct record *out)
{
	if (f->at < f->count)
		return run_files(f, out) ? FEED_RECORD : FEED_MORE;
	if (engine_next(f->engine, out))
		return FEED_RECORD;
	if (f->finishing)
		return FEED_END;
	if (f->stopping) {
		finish(f, FEED_END_STOP);
		return FEED_MORE;
	}
	if (f->limit != 0 && f->packets >= f->limit) {
		finish(f, FEED_END_INPUT);
		return FEED_MORE;
	}
	if (f->live != NULL)
		return take_live(f);
	f->idled = f->pipe && !f->idled;
	if (f->idled)
		return FEED_IDLE;
	read_files(f);
	return FEED_MORE;
}

void
feed_wait(struct feed *f)
{
	if (f->live != NULL)
		live_wait(f->live, FEED_IDLE_MS);
}

void
feed_stop(struct feed *f)
{
	f->stopping = true; /* behind the frames that were read */
}

bool
feed_event(struct feed *f, enum feed_event *what, char text[CAPTURE_TEXT])
{
	static const enum feed_event changes[] = {[LIVE_NOTE] = FEED_EVENT_NOTE,
	    [LIVE_DOWN] = FEED_EVENT_DOWN,
	    [LIVE_UP] = FEED_EVENT_UP,
	    [LIVE_LOST] = FEED_EVENT_GONE};
	enum live_change change;
	if (f->live != NULL) {
		if (!live_event(f->live, &change, text))
			return false;
		/* the last line before it failed says why */
		bool why = change == LIVE_NOTE && f->finishing && f->end == FEED_END_FAILED;
		*what = why ? FEED_EVENT_FAILED : changes[change];
		return true;
	}
	if (f->faults < capture_faults(f->files)) {
		*what = FEED_EVENT_FAULT;
		memcpy(text, capture_fault(f->files, f->faults),
		    strnlen(capture_fault(f->files, f->faults), CAPTURE_TEXT - 1) + 1);
		text[CAPTURE_TEXT - 1] = '\0';
		f->faults++;
		return true;
	}
	if (f->finishing && f->end == FEED_END_FAILED && !f->failed_told) {
		f->failed_told = true;
		*what = FEED_EVENT_FAILED;
		memcpy(text, capture_failure(f->files), CAPTURE_TEXT);
		return true;
	}
	return false;
}

void
feed_report_get(struct feed *f, struct feed_report *out)
{
	memset(out, 0, sizeof *out);
	out->packets = f->packets;
	out->last_ns = f->last_ns;
	out->memory = engine_memory(f->engine);
	engine_stats_get(f->engine, &out->engine);
	while (out->tables < FEED_TABLES &&
	    engine_table_get(f->engine, out->tables, &out->table[out->tables]))
		out->tables++;
	if (f->live != NULL) {
		live_stats_get(f->live, &out->capture);
		return;
	}
	capture_stats_get(f->files, &out->capture);
	capture_progress(f->files, &out->octets_read, &out->octets_total);
}
