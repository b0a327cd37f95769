/*
 * The connection to a syslog server: a state machine that takes messages out of a queue and sends
 * them, connects again when that fails, and never waits.
 */
#ifndef POSTCARD_SINK_SYSLOG_CONN_H
#define POSTCARD_SINK_SYSLOG_CONN_H

#include "sink/syslog_queue.h"
#include "sink/syslog_url.h"

struct syslog_conn;

/* A connection that is not begun yet; resolves the host's name, and waits for that.  A name that
 * has no address now is asked for again later.  NULL and a message in `error` where certificates
 * cannot be read or memory is not to be had.  `u` must live as long. */
struct syslog_conn *syslog_conn_open(const struct syslog_url *u, char error[SINK_ERROR]);

/* Goes on: connects, sends, notes what was acknowledged. */
void syslog_conn_tick(struct syslog_conn *c, struct queue *q, int64_t now_ms);

/* What it waits for. */
void syslog_conn_wait(const struct syslog_conn *c, const struct queue *q, int64_t now_ms,
    struct sink_wait *w);

bool syslog_conn_up(const struct syslog_conn *c);

/* The end is near: a pause is cut short, once.  False from then on where trying on is of no use. */
void syslog_conn_hurry(struct syslog_conn *c);
bool syslog_conn_hopes(const struct syslog_conn *c);

/* Says goodbye and frees it.  NULL is allowed. */
void syslog_conn_close(struct syslog_conn *c);

#endif
