/* Sinks: the table of kinds; see sink.h. */
#include "sink/sink.h"

#include <stdlib.h>
#include <string.h>

#include "sink/kinds.h"

struct kind {
	const char *name;
	void *(*open)(const struct sink_config *config, char error[SINK_ERROR]);
	bool (*push)(void *state, const struct record *r);
	bool (*flush)(void *state);
	bool (*close)(void *state);
	/* NULL where a kind has nothing to do there, or wants details always */
	bool (*wants_details)(void *state, const struct record *r);
	void (*status)(void *state, const struct record *summary);
	void (*wait)(const void *state, struct sink_wait *w);
	bool (*tick)(void *state);
	bool (*settle)(void *state, int ms);
	bool (*ends)(const void *state);
	void (*reopen)(void *state);
	bool (*counts)(const void *state, struct sink_counts *out);
};

static const struct kind kinds[] = {
    {.name = "text",
	.open = text_open,
	.wants_details = text_wants_details,
	.push = text_push,
	.flush = text_flush,
	.close = text_close,
	.wait = text_wait,
	.tick = text_tick},
    {.name = "json",
	.open = json_open,
	.push = json_push,
	.flush = json_flush,
	.settle = json_settle,
	.close = json_close,
	.wait = json_wait,
	.tick = json_tick,
	.reopen = json_reopen,
	.counts = json_counts},
    {.name = "view",
	.open = view_open,
	.push = view_push,
	.flush = view_flush,
	.close = view_close,
	.status = view_status,
	.wait = view_wait,
	.tick = view_tick,
	.ends = view_ends},
    {.name = "metrics",
	.open = metrics_open,
	.push = metrics_push,
	.flush = metrics_flush,
	.close = metrics_close,
	.status = metrics_status,
	.wait = metrics_wait,
	.tick = metrics_tick,
	.reopen = metrics_reopen},
    {.name = "syslog",
	.open = syslog_open,
	.push = syslog_push,
	.flush = syslog_flush,
	.settle = syslog_settle,
	.close = syslog_close,
	.status = syslog_status,
	.wait = syslog_wait,
	.tick = syslog_tick,
	.counts = syslog_counts},
};

struct sink {
	const struct kind *kind;
	void *state; /* of that kind */
};

struct sink *
sink_open(const struct sink_config *config, char error[SINK_ERROR])
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, config->kind) != 0)
			continue;
		struct sink *s = calloc(1, sizeof *s);
		if (s == NULL) {
			snprintf(error, SINK_ERROR, "no memory for the %s output", config->kind);
			return NULL;
		}
		s->kind = &kinds[i];
		s->state = s->kind->open(config, error);
		if (s->state == NULL) {
			free(s);
			return NULL;
		}
		return s;
	}
	snprintf(error, SINK_ERROR, "no output is called '%.64s'", config->kind);
	return NULL;
}

bool
sink_wants_details(const struct sink *s, const struct record *r)
{
	return s->kind->wants_details == NULL || s->kind->wants_details(s->state, r);
}

bool
sink_push(struct sink *s, const struct record *r)
{
	return s->kind->push(s->state, r);
}

bool
sink_flush(struct sink *s)
{
	return s->kind->flush(s->state);
}

void
sink_status(struct sink *s, const struct record *summary)
{
	if (s->kind->status != NULL)
		s->kind->status(s->state, summary);
}

void
sink_wait(const struct sink *s, struct sink_wait *w)
{
	*w = (struct sink_wait){.fd = -1, .timeout_ms = -1};
	if (s->kind->wait != NULL)
		s->kind->wait(s->state, w);
}

bool
sink_tick(struct sink *s)
{
	return s->kind->tick == NULL || s->kind->tick(s->state);
}

bool
sink_ends(const struct sink *s)
{
	return s->kind->ends != NULL && s->kind->ends(s->state);
}

void
sink_reopen(struct sink *s)
{
	if (s->kind->reopen != NULL)
		s->kind->reopen(s->state);
}

bool
sink_settle(struct sink *s, int ms)
{
	return s->kind->settle == NULL || s->kind->settle(s->state, ms);
}

bool
sink_counts(const struct sink *s, struct sink_counts *out)
{
	return s->kind->counts != NULL && s->kind->counts(s->state, out);
}

bool
sink_close(struct sink *s)
{
	if (s == NULL)
		return true;
	bool ok = s->kind->close(s->state);
	free(s);
	return ok;
}
