/* The kinds of sinks, for the table in sink.c.  Each kind's functions take the state that its open
 * function made; see sink.h for what they return. */
#ifndef POSTCARD_SINK_KINDS_H
#define POSTCARD_SINK_KINDS_H

#include "sink/sink.h"

/* json.c: a JSON object a line */
void *json_open(const struct sink_config *config, char error[SINK_ERROR]);
bool json_push(void *state, const struct record *r);
bool json_flush(void *state);
bool json_close(void *state);

/* text.c: cards and a summary, for people */
void *text_open(const struct sink_config *config, char error[SINK_ERROR]);
bool text_push(void *state, const struct record *r);
bool text_flush(void *state);
bool text_close(void *state);

#endif
