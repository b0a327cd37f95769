/* The kinds of sinks, for the table in sink.c.  Each kind's functions take the state that its open
 * function made; see sink.h for what they return. */
#ifndef POSTCARD_SINK_KINDS_H
#define POSTCARD_SINK_KINDS_H

#include "sink/sink.h"

/* json.c: a JSON object a line */
void *json_open(const struct sink_config *config, char error[SINK_ERROR]);
bool json_push(void *state, const struct record *r);
bool json_flush(void *state);
bool json_settle(void *state, int ms);
bool json_close(void *state);
void json_wait(const void *state, struct sink_wait *w);
bool json_tick(void *state);
void json_reopen(void *state);
bool json_counts(const void *state, struct sink_counts *out);

/* text.c: cards and a summary, for people */
void *text_open(const struct sink_config *config, char error[SINK_ERROR]);
bool text_wants_details(void *state, const struct record *r);
bool text_push(void *state, const struct record *r);
bool text_flush(void *state);
bool text_close(void *state);
void text_wait(const void *state, struct sink_wait *w);
bool text_tick(void *state);

/* view.c: a live view on a terminal */
void *view_open(const struct sink_config *config, char error[SINK_ERROR]);
bool view_push(void *state, const struct record *r);
bool view_flush(void *state);
bool view_close(void *state);
void view_status(void *state, const struct record *summary);
void view_wait(const void *state, struct sink_wait *w);
bool view_tick(void *state);
bool view_ends(const void *state);

/* metrics.c: a text file for Prometheus */
void *metrics_open(const struct sink_config *config, char error[SINK_ERROR]);
bool metrics_push(void *state, const struct record *r);
bool metrics_flush(void *state);
bool metrics_close(void *state);
void metrics_status(void *state, const struct record *summary);
void metrics_wait(const void *state, struct sink_wait *w);
bool metrics_tick(void *state);
void metrics_reopen(void *state);

/* syslog.c: messages to a syslog server */
void *syslog_open(const struct sink_config *config, char error[SINK_ERROR]);
bool syslog_push(void *state, const struct record *r);
bool syslog_flush(void *state);
bool syslog_settle(void *state, int ms);
bool syslog_close(void *state);
void syslog_status(void *state, const struct record *summary);
void syslog_wait(const void *state, struct sink_wait *w);
bool syslog_tick(void *state);
bool syslog_counts(const void *state, struct sink_counts *out);

#endif
