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
};

static const struct kind kinds[] = {
    {"text", text_open, text_push, text_flush, text_close},
    {"json", json_open, json_push, json_flush, json_close},
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
sink_push(struct sink *s, const struct record *r)
{
	return s->kind->push(s->state, r);
}

bool
sink_flush(struct sink *s)
{
	return s->kind->flush(s->state);
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
