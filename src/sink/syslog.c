/*
 * The syslog sink: see syslog.h for what it promises.
 *
 *   record -> syslog_format (message) -> syslog_queue (front, spool, backlog) -> syslog_conn
 *
 * Messages are made when records come and kept as they will be sent.  Everything happens in
 * syslog_push and syslog_tick; nothing waits for the network but resolving at open, and writing
 * to the spool waits for its disk.
 */
#include "sink/syslog.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "sink/kinds.h"
#include "sink/syslog_conn.h"
#include "sink/syslog_format.h"
#include "sink/syslog_queue.h"
#include "sink/syslog_tls.h"
#include "sink/syslog_url.h"

#define EAGER	(32u << 10) /* octets of messages after which a push sends, too */
#define SYNC_MS 1000	    /* for which the spool's disk may lag behind */

struct syslog {
	struct syslog_url url;
	struct syslog_format *format;
	struct queue queue;
	struct syslog_conn *conn;
	size_t pushed;	 /* octets since the last tick */
	int64_t sync_ms; /* when the spool was synced last */
	int drain_ms;	 /* that closing may take */
	int64_t beat_ms; /* when the next word that all is well is due; 0: with the first */
	char message[LIMIT_SYSLOG_MESSAGE + 1];
};

bool
syslog_check(const char *url, char error[SINK_ERROR])
{
	struct syslog_url u;
	if (!syslog_url_parse(&u, url, error))
		return false;
	if (u.transport != SYSLOG_TLS)
		return true;
	struct syslog_tls_setup *setup = syslog_tls_setup(&u, error);
	syslog_tls_setup_free(setup);
	return setup != NULL;
}

static bool
set_up(struct syslog *s, const struct sink_config *config, char error[SINK_ERROR])
{
	char host[256] = "";
	struct spool *spool = NULL;
	uint64_t max = config->spool_max > 0 ? config->spool_max : SINK_SPOOL;
	if (config->url == NULL) {
		snprintf(error, SINK_ERROR, "syslog: no URL is given");
		return false;
	}
	if (!syslog_url_parse(&s->url, config->url, error))
		return false;
	(void)gethostname(host, sizeof host - 1);
	s->format = syslog_format_new(&s->url, config->reveal, host, (unsigned)getpid());
	if (s->format == NULL) {
		snprintf(error, SINK_ERROR, "no memory for syslog");
		return false;
	}
	if ((s->conn = syslog_conn_open(&s->url, error)) == NULL)
		return false;
	if (config->spool != NULL &&
	    (spool = spool_open(config->spool, config->url, s->url.shown, max, error)) == NULL)
		return false;
	queue_init(&s->queue, s->url.shown, spool, max);
	return true;
}

void *
syslog_open(const struct sink_config *config, char error[SINK_ERROR])
{
	struct syslog *s = calloc(1, sizeof *s);
	if (s == NULL) {
		snprintf(error, SINK_ERROR, "no memory for syslog");
		return NULL;
	}
	s->drain_ms = config->drain_ms > 0 ? config->drain_ms : SINK_DRAIN_MS;
	if (!set_up(s, config, error)) {
		syslog_conn_close(s->conn);
		syslog_format_free(s->format);
		free(s);
		return NULL;
	}
	return s;
}

static void
tick(struct syslog *s, int64_t now_ms)
{
	s->pushed = 0;
	syslog_conn_tick(s->conn, &s->queue, now_ms);
	bool sync = now_ms - s->sync_ms >= SYNC_MS;
	if (sync)
		s->sync_ms = now_ms;
	queue_settle(&s->queue, sync, now_ms);
}

static void
put(struct syslog *s, const struct record *r, int64_t now_ms)
{
	size_t len = syslog_format_write(s->format, r, s->message);
	queue_put(&s->queue, s->message, len, now_ms);
	s->pushed += len;
	if (s->pushed >= EAGER)
		tick(s, now_ms);
}

bool
syslog_push(void *state, const struct record *r)
{
	struct syslog *s = state;
	if (syslog_format_wants(s->format, r))
		put(s, r, now_monotonic_ms());
	return true;
}

/* The first at once: a server that is told nothing is noticed before something happens. */
void
syslog_status(void *state, const struct record *summary)
{
	struct syslog *s = state;
	int64_t now_ms = now_monotonic_ms();
	if (s->url.heartbeat_s == 0 || now_ms < s->beat_ms)
		return;
	s->beat_ms = now_ms + (int64_t)s->url.heartbeat_s * 1000;
	put(s, summary, now_ms);
}

bool
syslog_tick(void *state)
{
	tick(state, now_monotonic_ms());
	return true;
}

bool
syslog_flush(void *state)
{
	return syslog_tick(state);
}

void
syslog_wait(const void *state, struct sink_wait *w)
{
	const struct syslog *s = state;
	syslog_conn_wait(s->conn, &s->queue, now_monotonic_ms(), w);
	const struct queue *q = &s->queue;
	if (q->spool != NULL && (spool_dirty(q->spool) || q->back.first != NULL) &&
	    (w->timeout_ms < 0 || w->timeout_ms > SYNC_MS))
		w->timeout_ms = SYNC_MS;
}

bool
syslog_counts(const void *state, struct sink_counts *out)
{
	const struct syslog *s = state;
	*out = (struct sink_counts){.name = s->url.shown,
	    .up = syslog_conn_up(s->conn),
	    .sent = s->queue.sent,
	    .waiting = queue_waiting(&s->queue),
	    .spooled = s->queue.spooled,
	    .dropped = s->queue.dropped};
	return true;
}

/* Delivers what can be within `ms`; the rest waits for the next run, or is lost. */
bool
syslog_settle(void *state, int ms)
{
	struct syslog *s = state;
	int64_t now_ms = now_monotonic_ms(), until_ms = now_ms + ms;
	if (s->queue.given_up)
		return s->queue.dropped == 0;
	syslog_conn_hurry(s->conn);
	for (; now_ms < until_ms; now_ms = now_monotonic_ms()) {
		tick(s, now_ms);
		if (queue_is_idle(&s->queue) || !syslog_conn_hopes(s->conn))
			break;
		struct sink_wait w;
		syslog_conn_wait(s->conn, &s->queue, now_ms, &w);
		int64_t left = until_ms - now_ms;
		if (w.timeout_ms >= 0 && w.timeout_ms < left)
			left = w.timeout_ms;
		struct pollfd p = {.fd = w.fd, .events = w.events};
		(void)poll(&p, 1, (int)left);
	}
	queue_rewind(&s->queue, false);
	queue_give_up(&s->queue, now_ms);
	return s->queue.dropped == 0;
}

bool
syslog_close(void *state)
{
	struct syslog *s = state;
	(void)syslog_settle(s, s->drain_ms);
	syslog_conn_close(s->conn);
	queue_close(&s->queue, now_monotonic_ms());
	syslog_format_free(s->format);
	free(s);
	return true;
}
