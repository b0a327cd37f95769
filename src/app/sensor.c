/* What happens to the sensor itself: see sensor.h. */
#include "app/sensor.h"

#include <stdio.h>

#include "base/log.h"
#include "base/now.h"
#include "base/text.h"

#define MILLION 1000000u

void
sensor_compose(struct record *out, const struct sensor_event *e)
{
	record_begin(out, RECORD_SENSOR);
	record_put_time(out, FIELD_TIMESTAMP, now_real_ns());
	record_put_word(out, FIELD_MESSAGE, e->text);
	record_put_word(out, FIELD_EVENT_KIND, "event");
	record_put_word(out, FIELD_EVENT_DATASET, "postcard.sensor");
	record_put_word(out, FIELD_EVENT_ACTION, e->action);
	record_put_word(out, FIELD_OBSERVER_TYPE, "sensor");
	record_put_word(out, FIELD_OBSERVER_PRODUCT, "postcard");
	record_put_word(out, FIELD_OBSERVER_VERSION, POSTCARD_VERSION);
	record_put_word(out, FIELD_SENSOR_INTERFACE, e->interface);
	if (e->worker > 0)
		record_put_u64(out, FIELD_SENSOR_WORKER, e->worker);
	record_put_word(out, FIELD_SENSOR_CAUSE, e->cause);
	if (e->loss > 0)
		record_put_u64(out, FIELD_SENSOR_LOSS, e->loss);
}

static unsigned long long
number(const struct record *r, enum field f)
{
	struct record_value v;
	return record_find(r, f, &v) ? (unsigned long long)v.u64 : 0;
}

void
sensor_put_status(struct record *summary, const char *const *names, size_t count)
{
	char line[256], sentence[512];
	struct text t = text_in(line, sizeof line), s = text_in(sentence, sizeof sentence);
	for (size_t i = 0; i < count; i++)
		text_printf(&t, "%s%s", i > 0 ? ", " : "", names[i]);
	unsigned long long lost =
	    number(summary, FIELD_SUM_DROPS) + number(summary, FIELD_SUM_INTERFACE_DROPS);
	text_printf(&s,
	    "Watching %s: %llu packets (%llu lost), %llu mail connections (%llu in cleartext), "
	    "%llu alerts so far",
	    line, number(summary, FIELD_SUM_FRAMES), lost, number(summary, FIELD_SUM_SESSIONS),
	    number(summary, FIELD_SUM_CLEARTEXT), number(summary, FIELD_SUM_ALERTS));
	record_put_str(summary, FIELD_SENSOR_INTERFACE, t.buf, t.len);
	record_put_str(summary, FIELD_MESSAGE, s.buf, s.len);
	record_put_word(summary, FIELD_EVENT_ACTION, "status");
	record_remove(summary, FIELD_TIMESTAMP);
	record_put_time(summary, FIELD_TIMESTAMP, now_real_ns());
}

bool
sensor_loss(struct sensor *s, const struct capture_stats *c, int64_t now_ms, struct sensor_event *e)
{
	if (now_ms < s->next_ms)
		return false;
	bool first = s->next_ms == 0;
	/* a worker that somebody took over may count as it likes, backwards too */
	uint64_t lost = c->dropped + c->interface_dropped;
	uint64_t frames = c->frames > s->frames ? c->frames - s->frames : 0;
	uint64_t dropped = lost > s->dropped ? lost - s->dropped : 0;
	s->next_ms = now_ms + SENSOR_LOSS_MS;
	s->frames = c->frames;
	s->dropped = lost;
	if (first || dropped == 0 || dropped > UINT64_MAX / MILLION ||
	    frames > UINT64_MAX - dropped)
		return false;
	uint64_t all = frames + dropped, ppm = dropped * MILLION / all;
	snprintf(s->text, sizeof s->text,
	    "%llu of %llu packets were lost in the last minute before they could be read",
	    (unsigned long long)dropped, (unsigned long long)all);
	*e = (struct sensor_event){.action = "packets-lost",
	    .text = s->text,
	    .loss = ppm > 0 ? ppm : 1};
	return true;
}

void
sensor_say(const struct record *summary)
{
	static const struct {
		uint16_t field;
		const char *what;
	} lines[] = {
	    {FIELD_SUM_FRAMES, "packets"},
	    {FIELD_SUM_DROPS, "packets lost by the kernel"},
	    {FIELD_SUM_INTERFACE_DROPS, "packets lost by the interface"},
	    {FIELD_SUM_FLOWS, "TCP connections"},
	    {FIELD_SUM_SESSIONS, "mail connections"},
	    {FIELD_SUM_ENCRYPTED, "of them encrypted"},
	    {FIELD_SUM_CLEARTEXT, "of them in cleartext"},
	    {FIELD_SUM_UNKNOWN, "of them unknown"},
	    {FIELD_SUM_MESSAGES, "mails readable"},
	    {FIELD_SUM_ALERTS, "alerts"},
	    {FIELD_SUM_EVICTED, "connections given up early"},
	    {FIELD_SUM_RESTARTS, "workers started again"},
	    {FIELD_SUM_WAITS, "times a worker waited for the outputs"},
	};
	struct record_value v;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		if (record_find(summary, (enum field)lines[i].field, &v))
			log_say("%12llu %s", (unsigned long long)v.u64, lines[i].what);
	}
	for (uint32_t at = 0; record_next(summary, &at, &v);) {
		if (v.field == FIELD_SUM_OUTPUT_NAME)
			log_say("output %.*s", (int)v.len, v.str);
		else if (v.field == FIELD_SUM_OUTPUT_SENT)
			log_say("%12llu sent", (unsigned long long)v.u64);
		else if (v.field == FIELD_SUM_OUTPUT_WAITING)
			log_say("%12llu waiting", (unsigned long long)v.u64);
		else if (v.field == FIELD_SUM_OUTPUT_DROPPED)
			log_say("%12llu dropped", (unsigned long long)v.u64);
	}
}
