/*
 * The messages of a syslog server that are not delivered yet: see syslog_queue.h.
 *
 * The order holds since: the spool has nothing that was not read while a message of the front is
 * not stored; the backlog has something only behind the spool; and a message joins the front only
 * while both are empty, or out of the spool.  In the front stand, in this order, messages that were
 * delivered and are kept in doubt, messages that were sent, and messages that were not; `unstored`
 * and all behind it are in no spool.
 */
#include "sink/syslog_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"

#define RETRY_MS 1000  /* after which a disk that failed is tried again */
#define SAY_MS	 60000 /* between two messages about drops */

static uint64_t
memory_of(const struct message *m)
{
	return sizeof *m + m->len;
}

static void
append(struct list *l, struct message *m)
{
	m->next = NULL;
	if (l->last != NULL)
		l->last->next = m;
	else
		l->first = m;
	l->last = m;
	l->octets += memory_of(m);
	l->count++;
}

static struct message *
take_first(struct list *l)
{
	struct message *m = l->first;
	l->first = m->next;
	if (l->first == NULL)
		l->last = NULL;
	l->octets -= memory_of(m);
	l->count--;
	return m;
}

static struct message *
message_new(const char *text, size_t len)
{
	struct message *m = calloc(1, sizeof *m + len);
	if (m != NULL) {
		m->len = (uint32_t)len;
		memcpy(m->text, text, len);
	}
	return m;
}

void
queue_init(struct queue *q, const char *name, struct spool *spool, uint64_t max)
{
	*q = (struct queue){.name = name, .spool = spool, .memory = max};
	if (spool != NULL) {
		if (max > LIMIT_SYSLOG_MEMORY)
			q->memory = LIMIT_SYSLOG_MEMORY;
		q->spooled = spool_left(spool);
		if (q->spooled > 0)
			log_say("syslog %s: %llu messages of an earlier run are sent first", name,
			    (unsigned long long)q->spooled);
	}
}

static uint64_t
left_in_spool(const struct queue *q)
{
	return q->spool != NULL ? spool_left(q->spool) : 0;
}

/* Appends a message to the front. */
static void
join_front(struct queue *q, struct message *m)
{
	append(&q->front, m);
	if (q->unsent == NULL)
		q->unsent = m;
	if (q->unacked == NULL)
		q->unacked = m;
	if (q->unstored == NULL && !m->stored)
		q->unstored = m;
}

static bool
front_has_room(const struct queue *q, size_t len)
{
	return q->front.octets - q->doubt + sizeof(struct message) + len <= q->memory;
}

/* Appends to the spool; false where it does not take it now. */
static bool
store_one(struct queue *q, struct message *m, bool read, int64_t now_ms)
{
	switch (spool_append(q->spool, m->text, m->len, read, &m->after)) {
	case SPOOL_DONE: break;
	case SPOOL_FULL: return false;
	case SPOOL_FAILED:
		q->retry_ms = now_ms + RETRY_MS;
		if (!q->failing)
			log_say("syslog %s: the spool cannot be written: %s; messages wait in "
				"memory",
			    q->name, strerror(errno));
		q->failing = true;
		return false;
	}
	if (q->failing)
		log_say("syslog %s: the spool can be written again", q->name);
	q->failing = false;
	q->spooled++;
	m->stored = true;
	return true;
}

/* Brings what is only in memory to the disk, in order, as far as it takes it. */
static void
store(struct queue *q, int64_t now_ms)
{
	if (q->spool == NULL || (q->failing && now_ms < q->retry_ms))
		return;
	for (; q->unstored != NULL; q->unstored = q->unstored->next) {
		if (!store_one(q, q->unstored, true, now_ms))
			return;
	}
	while (q->back.first != NULL && store_one(q, q->back.first, false, now_ms))
		free(take_first(&q->back));
}

static void
drop(struct queue *q, int64_t now_ms)
{
	q->dropped++;
	if (q->said_ms != 0 && now_ms - q->said_ms < SAY_MS)
		return;
	q->said_ms = now_ms;
	log_say("syslog %s: there is no room for more: %llu messages were dropped so far", q->name,
	    (unsigned long long)q->dropped);
}

void
queue_put(struct queue *q, const char *text, size_t len, int64_t now_ms)
{
	bool behind = left_in_spool(q) > 0 || q->back.first != NULL || !front_has_room(q, len);
	if (behind &&
	    (q->spool == NULL ||
		q->back.octets + sizeof(struct message) + len > LIMIT_SYSLOG_BACKLOG)) {
		store(q, now_ms);
		if (q->spool == NULL ||
		    q->back.octets + sizeof(struct message) + len > LIMIT_SYSLOG_BACKLOG) {
			drop(q, now_ms);
			return;
		}
	}
	struct message *m = message_new(text, len);
	if (m == NULL) {
		drop(q, now_ms);
		return;
	}
	if (behind)
		append(&q->back, m);
	else
		join_front(q, m);
	if (behind || q->away)
		store(q, now_ms);
}

void
queue_set_away(struct queue *q, bool away, int64_t now_ms)
{
	q->away = away;
	if (away)
		store(q, now_ms);
}

/* Takes more into the front, out of the spool or, where nothing is in it, of the backlog. */
static void
load(struct queue *q, int64_t now_ms)
{
	const char *text;
	size_t len;
	uint64_t lost;
	struct spool_place after;
	while (front_has_room(q, LIMIT_SYSLOG_MESSAGE)) {
		if (left_in_spool(q) == 0) {
			if (q->back.first == NULL)
				return;
			join_front(q, take_first(&q->back));
			continue;
		}
		bool found = spool_next(q->spool, &text, &len, &after, &lost);
		for (; lost > 0; lost--)
			drop(q, now_ms);
		if (!found)
			continue;
		struct message *m = message_new(text, len);
		if (m == NULL) {
			drop(q, now_ms);
			continue;
		}
		m->stored = true;
		m->after = after;
		join_front(q, m);
	}
}

bool
queue_ready(const struct queue *q)
{
	return q->unsent != NULL ||
	    ((left_in_spool(q) > 0 || q->back.first != NULL) &&
		front_has_room(q, LIMIT_SYSLOG_MESSAGE));
}

struct message *
queue_next(struct queue *q)
{
	if (q->unsent == NULL)
		load(q, 0);
	return q->unsent;
}

void
queue_sent(struct queue *q, uint64_t end, int64_t now_ms)
{
	q->unsent->end = end;
	q->unsent->sent_ms = now_ms;
	q->unsent = q->unsent->next;
}

/* The first message that was not delivered, is. */
static void
settle_one(struct queue *q)
{
	struct message *m = q->unacked;
	q->unacked = m->next;
	if (q->unstored == m)
		q->unstored = m->next;
	if (m->stored)
		spool_delivered(q->spool, m->after);
	m->delivered = true;
	q->doubt += memory_of(m);
	q->doubts++;
}

void
queue_refuse(struct queue *q, int64_t now_ms)
{
	/* messages that cannot be sent are met one at a time, with none before them under way */
	if (q->unsent != q->unacked)
		return;
	struct message *m = q->unsent;
	q->unsent = m->next;
	if (!m->delivered)
		drop(q, now_ms);
	settle_one(q);
}

void
queue_acked(struct queue *q, uint64_t octets)
{
	while (q->unacked != q->unsent && q->unacked->end <= octets) {
		if (!q->unacked->delivered)
			q->sent++;
		settle_one(q);
	}
}

void
queue_forget(struct queue *q, int64_t before_ms)
{
	while (q->front.first != q->unacked &&
	    (q->front.first->sent_ms < before_ms || q->doubt > LIMIT_SYSLOG_DOUBT)) {
		struct message *m = take_first(&q->front);
		q->doubt -= memory_of(m);
		q->doubts--;
		free(m);
	}
}

void
queue_rewind(struct queue *q, bool doubt)
{
	if (doubt) {
		q->unacked = q->front.first;
		q->doubt = 0;
		q->doubts = 0;
	}
	q->unsent = q->unacked;
}

void
queue_settle(struct queue *q, bool sync, int64_t now_ms)
{
	if (q->spool == NULL)
		return;
	if (q->away || q->back.first != NULL)
		store(q, now_ms);
	spool_settle(q->spool, sync);
}

/* Messages of the front that were never delivered. */
static uint64_t
fresh(const struct queue *q)
{
	uint64_t n = q->front.count - q->doubts;
	for (const struct message *m = q->unacked; m != NULL && m->delivered; m = m->next)
		n--;
	return n;
}

uint64_t
queue_waiting(const struct queue *q)
{
	if (q->given_up)
		return q->kept;
	return fresh(q) + left_in_spool(q) + q->back.count;
}

bool
queue_is_idle(const struct queue *q)
{
	return q->unacked == NULL && queue_waiting(q) == 0;
}

void
queue_give_up(struct queue *q, int64_t now_ms)
{
	uint64_t lost, kept;
	if (q->given_up)
		return;
	q->retry_ms = now_ms;
	store(q, now_ms);
	lost = q->back.count;
	for (const struct message *m = q->unstored; m != NULL; m = m->next)
		lost += !m->delivered;
	if (q->spool == NULL)
		lost = queue_waiting(q);
	kept = queue_waiting(q) - lost;
	q->dropped += lost;
	if (kept > 0)
		log_say("syslog %s: %llu messages wait in the spool for the next run", q->name,
		    (unsigned long long)kept);
	if (lost > 0)
		log_say("syslog %s: %llu messages could not be delivered and are lost", q->name,
		    (unsigned long long)lost);
	q->given_up = true;
	q->kept = kept;
}

void
queue_close(struct queue *q, int64_t now_ms)
{
	queue_give_up(q, now_ms);
	spool_close(q->spool);
	while (q->front.first != NULL)
		free(take_first(&q->front));
	while (q->back.first != NULL)
		free(take_first(&q->back));
}
