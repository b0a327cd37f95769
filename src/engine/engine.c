/*
 * The conductor: see engine.h.  One packet leads to work on one connection; besides that,
 * connections whose time has come (a hole's grace is over, a reset has settled, silence) are worked
 * on before the packet that moved the clock.  `work` takes one step after another until there is a
 * record or nothing left to do, so that a caller which takes records one at a time drives
 * everything.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/decode.h"
#include "engine/sizes.h"
#include "engine/worker.h"
#include "record/common.h"

/* Octets that may be used where nothing is said. */
static uint64_t
quarter_of_machine(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t quarter = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 4 : 0;
	return quarter > ENGINE_MEMORY_MIN ? quarter : ENGINE_MEMORY_MIN;
}

uint64_t
engine_memory_of(const struct engine_config *config)
{
	return config->memory > 0 ? config->memory : quarter_of_machine();
}

struct engine *
engine_new(const struct engine_config *config, char error[256])
{
	struct engine *e = calloc(1, sizeof *e);
	uint64_t memory = engine_memory_of(config);
	struct sizes n = sizes_for(memory);
	if (config->flows > 0)
		n.count[SIZE_FLOWS] = config->flows;
	if (config->conns > 0)
		n.count[SIZE_CONNS] = config->conns;
	const struct mail_sizes mail = {n.count[SIZE_LINES], n.count[SIZE_QUEUES],
	    n.count[SIZE_TLS], n.count[SIZE_HANDSHAKES], n.count[SIZE_INFLATES],
	    n.count[SIZE_MAILBOXES]};
	const struct findings_sizes findings = {n.count[SIZE_MESSAGES], n.count[SIZE_CONTENTS],
	    n.count[SIZE_FACTS], n.count[SIZE_NOTES], n.count[SIZE_SCANS], n.count[SIZE_STRINGS]};
	if (e == NULL || !defrag_init(&e->defrag, n.count[SIZE_DATAGRAMS]) ||
	    !flow_table_init(&e->flows, n.count[SIZE_FLOWS]) ||
	    !pool_init(&e->conns, "connections", sizeof(struct conn), n.count[SIZE_CONNS]) ||
	    !pool_init(&e->waits, "waits", sizeof(struct wait), n.count[SIZE_WAITS]) ||
	    !pool_init(&e->extras, "extras", sizeof(struct extra), n.count[SIZE_EXTRAS]) ||
	    !streams_init(&e->streams, n.count[SIZE_REORDERS], n.count[SIZE_PAGES]) ||
	    !mail_init(&e->mail, &mail) || !findings_init(&e->findings, &findings)) {
		(void)snprintf(error, 256,
		    "not enough address space for the tables (see ulimit -v, or --memory)");
		engine_free(e);
		return NULL;
	}
	e->due_ns = INT64_MAX;
	e->memory = memory;
	e->no_dpi = config->no_ndpi;
	return e;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	defrag_free(&e->defrag);
	flow_table_free(&e->flows);
	pool_free_all(&e->conns);
	pool_free_all(&e->waits);
	pool_free_all(&e->extras);
	streams_free(&e->streams);
	mail_free(&e->mail);
	findings_free(&e->findings);
	dpi_free(e->dpi);
	free(e);
}

/* ---- records ---- */

static void
record_message(struct engine *e, const struct conn *c, uint32_t message, struct record *r)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v;
	conn_view(c, f, e->ts_ns, &v);
	int64_t start = finding_message_start(&e->findings, message), end = c->end_ns;
	record_begin_common(r, RECORD_MESSAGE);
	conn_put(e, c, end, r);
	record_put_word(r, FIELD_EVENT_ACTION,
	    finding_has_content(&e->findings, message) ? "mail-readable" : "envelope-readable");
	record_set_time(r, FIELD_EVENT_START, start);
	record_set_time(r, FIELD_EVENT_END, end);
	record_set_u64(r, FIELD_EVENT_DURATION, end > start ? (uint64_t)(end - start) : 0);
	finding_put_session(&e->findings, &c->finding, &v, OUTCOME_CLEARTEXT, r);
	finding_put_message(&e->findings, &c->finding, message, r);
	record_say_cut(r);
	finding_message_free(&e->findings, message);
}

static void
record_session(struct engine *e, struct conn *c, struct record *r)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v;
	conn_view(c, f, c->end_ns, &v);
	for (unsigned end = 0; end < 2; end++) {
		if (c->stream[end].flags & STREAM_CONFLICT || c->flags & CONN_CONFLICT)
			finding_add_anomaly(&c->finding, ANOMALY_OVERLAP_CONFLICT);
	}
	if (c->flags & CONN_HEADLESS)
		finding_add_anomaly(&c->finding, ANOMALY_HEADER_CUT);
	if (c->phase == CONN_MAIL && !(c->finding.flags & (FINDING_SURE | FINDING_IMPLICIT)) &&
	    !v.midstream && !v.gap)
		finding_add_anomaly(&c->finding, ANOMALY_NOT_MAIL);
	enum outcome o = finding_outcome(&c->finding, &v);
	record_begin_common(r, RECORD_SESSION);
	conn_put(e, c, c->end_ns, r);
	record_put_short(r, FIELD_EVENT_ACTION, outcome_word(o));
	record_set_time(r, FIELD_EVENT_START, c->start_ns);
	record_set_time(r, FIELD_EVENT_END, c->end_ns);
	record_set_u64(r, FIELD_EVENT_DURATION,
	    c->end_ns > c->start_ns ? (uint64_t)(c->end_ns - c->start_ns) : 0);
	finding_put_session(&e->findings, &c->finding, &v, o, r);
	record_say_cut(r);
}

/* ---- work on one connection ---- */

/* Is it to be recorded at all: did it speak a mail protocol, or use a mail port? */
static bool
is_recorded(const struct conn *c)
{
	return c->flags & CONN_MAIL_PORT ||
	    (c->phase == CONN_MAIL && c->finding.flags & FINDING_SURE);
}

void
lose_octets(struct engine *e, struct conn *c, unsigned end, uint64_t len)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct extra *x = extra_make(e, c);
	c->flags |= CONN_GAP;
	if (x != NULL)
		x->gap_octets += len;
	if (c->phase == CONN_MAIL)
		mail_gap(&e->mail, &c->mail, side_of(f, end), len);
	else
		lose_start(e, c, end);
}

void
give_chunk(struct engine *e, uint32_t id, unsigned end, const struct stream_chunk *chunk)
{
	struct conn *c = pool_at(&e->conns, id);
	const struct flow *f = flow_at(&e->flows, c->flow);
	enum mail_side side = side_of(f, end);
	if (chunk->data == NULL && c->packets[end] == 0) {
		struct extra *x = extra_make(e, c);
		c->flags |= CONN_ALONE; /* not lost: this direction is not captured */
		if (x != NULL)
			x->unseen += chunk->len;
		return;
	}
	if (chunk->data == NULL) {
		lose_octets(e, c, end, chunk->len);
		return;
	}
	if (c->phase == CONN_OTHER)
		return;
	if (chunk->turn)
		mail_turn(&c->mail, side);
	e->rest = chunk->data;
	e->rest_len = chunk->len;
	e->rest_side = (uint8_t)side;
	if (c->phase == CONN_PROBING)
		probe_chunk(e, id, end, chunk->data, chunk->len);
}

/* Content that has begun was readable before. */
bool
pass_octets(struct engine *e, struct conn *c, enum mail_side side, const uint8_t *data, size_t len)
{
	struct mail_event ev;
	enum mail_passed how = mail_pass(&e->mail, &c->mail, side, data, len, &ev);
	if (how == MAIL_PASSED_CONTENT)
		finding_take_content(&e->findings, &c->finding, &ev);
	return how != MAIL_PASSED_NOT;
}

/* Gives the mail session its next octets: what was held, then the chunk.  False where there are
 * none. */
static bool
push_octets(struct engine *e, struct conn *c)
{
	if (c->phase != CONN_MAIL)
		return false;
	if (e->held_at < e->held_n) {
		const struct pending *h = &e->held[e->held_at++];
		mail_push(&e->mail, &c->mail, (enum mail_side)h->side, h->octets, h->len);
		return true;
	}
	if (e->rest_len > 0) {
		const enum mail_side side = (enum mail_side)e->rest_side;
		const size_t len = (size_t)e->rest_len;
		if (!mail_may_pass(&c->mail, side) || !pass_octets(e, c, side, e->rest, len))
			mail_push(&e->mail, &c->mail, side, e->rest, len);
		e->rest_len = 0;
		return true;
	}
	return false;
}

/* The next chunk of either direction: the peer's first, which the packet may have released by its
 * acknowledgement. */
static bool
next_chunk(struct engine *e, struct conn *c, unsigned *end, struct stream_chunk *chunk)
{
	if (e->in.len + e->in.cut == 0 && stream_is_quiet(&c->stream[0], &c->stream[1]) &&
	    stream_is_quiet(&c->stream[1], &c->stream[0]))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		unsigned at = i == 0 ? !e->in_end : e->in_end;
		struct stream_input *in = at == e->in_end ? &e->in : NULL;
		if ((in == NULL || in->len + in->cut == 0) &&
		    stream_is_quiet(&c->stream[at], &c->stream[!at]))
			continue;
		if (c->stream[at].flags & STREAM_STARTED &&
		    stream_next(&e->streams, &c->stream[at], &c->stream[!at], e->clock.elapsed_ns,
			in, chunk)) {
			*end = at;
			return true;
		}
	}
	return false;
}

/* All octets of now are delivered: is it over, and if not, when must it be looked at again? */
static void
settle(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	e->work = 0;
	if (c->wait == 0 && (c->stream[0].reorder | c->stream[1].reorder) == 0 &&
	    !((c->stream[0].flags | c->stream[1].flags) & STREAM_ENDS)) {
		conn_settle_steady(c);
		return;
	}
	if (stream_is_done(&c->stream[0]) && stream_is_done(&c->stream[1])) {
		c->closed_by = CLOSED_BY_FIN;
		c->end = CONN_END_STREAMS;
		e->work = id;
		return;
	}
	if (stream_is_done(&c->stream[0]) || stream_is_done(&c->stream[1])) {
		/* half-closed; where only one direction is captured nothing more will come */
		if (c->packets[0] == 0 || c->packets[1] == 0)
			f->idle_s = LIMIT_LINGER_S;
	}
	const struct wait *w = conn_wait(e, c);
	bool reset = w->close_ns != 0;
	if ((!reset && c->stream[0].reorder == 0 && c->stream[1].reorder == 0) || w->due_ns != 0)
		return;
	if (reset || stream_deadline(&e->streams, &c->stream[0]) != 0 ||
	    stream_deadline(&e->streams, &c->stream[1]) != 0)
		due_add(e, id);
}

/* Ends a connection, a step a call; true with a record. */
static bool
end_step(struct engine *e, uint32_t id, struct record *out)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v;
	uint32_t message;
	switch ((enum conn_end)c->end) {
	case CONN_OPEN:
	case CONN_END_STREAMS: /* nothing can be delivered any more, but what waits in a circle */
		if (stream_unblock(&e->streams, &c->stream[0]) ||
		    stream_unblock(&e->streams, &c->stream[1]))
			return false;
		c->end = CONN_END_MAIL;
		if (c->phase == CONN_MAIL)
			mail_end(&e->mail, &c->mail);
		return false;
	case CONN_END_MAIL: c->end = CONN_END_MESSAGES; return false;
	case CONN_END_MESSAGES:
		conn_view(c, f, c->end_ns, &v);
		message = finding_next_open(&e->findings, &c->finding, &v);
		if (message == 0) {
			c->end = CONN_END_SESSION;
			return false;
		}
		if (!is_recorded(c)) {
			finding_message_free(&e->findings, message);
			return false;
		}
		record_message(e, c, message, out);
		return true;
	case CONN_END_SESSION:
		c->end = CONN_END_GONE;
		if (!is_recorded(c))
			return false;
		e->stats.gap_bytes += conn_extra(e, c)->gap_octets;
		record_session(e, c, out);
		return true;
	case CONN_END_GONE:
		if (c->closed_by != CLOSED_BY_MEMORY || conn_wait(e, c)->close_ns != 0)
			f->flags |= FLOW_DEAD; /* else it goes on, and is taken up again */
		f->idle_s = LIMIT_LINGER_S;
		uint32_t flow = c->flow;
		conn_free(e, id);
		if (!(f->flags & FLOW_IN_WHEEL)) /* its place is needed */
			flow_remove(&e->flows, flow);
		else if (!(f->flags & FLOW_DEAD))
			flow_forget(&e->flows, flow);
		e->work = 0;
		return false;
	}
	return false;
}

/* It told that it is no mail. */
static void
leave(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->flags & CONN_MAIL_PORT) {
		begin_other(e, c);
		mail_release(&e->mail, &c->mail);
		e->held_n = e->held_at = 0;
		e->rest_len = 0;
	} else {
		conn_ignore(e, id);
	}
}

/* Takes what the mail session says, up to a record (true, it is in `out`). */
static bool
take_events(struct engine *e, uint32_t id, struct conn *c, struct record *out)
{
	struct mail_event ev;
	if (c->phase != CONN_MAIL || mail_is_idle(&e->mail) || !mail_next(&e->mail, &c->mail, &ev))
		return false;
	struct finding_view v;
	conn_view(c, flow_at(&e->flows, c->flow), e->ts_ns, &v); /* no event changes it */
	do {
		bool readable = c->finding.exposed != 0;
		uint32_t message = finding_take(&e->findings, &c->finding, &ev, &v);
		if (!readable && c->finding.exposed != 0)
			due_hurry(e, id);
		if (message != 0 && is_recorded(c)) {
			record_message(e, c, message, out);
			return true;
		}
		if (message != 0)
			finding_message_free(&e->findings, message);
		if (ev.kind == MAIL_DENIED) {
			leave(e, id);
			return false;
		}
	} while (mail_next(&e->mail, &c->mail, &ev));
	return false;
}

/* Tells the mail session whether both sides are captured. */
static void
note_sides(struct conn *c)
{
	c->mail.flags = (uint8_t)((c->mail.flags & ~MAIL_SESSION_ONE_SIDED) |
	    (c->packets[0] == 0 || c->packets[1] == 0 ? MAIL_SESSION_ONE_SIDED : 0u));
}

/* Work up to a record (true, it is in `out`), or to the end of what there is to do. */
static bool
work(struct engine *e, struct record *out)
{
	const uint32_t id = e->work;
	struct conn *c = pool_at(&e->conns, id);
	struct stream_chunk chunk;
	unsigned end;
	do {
		if (!(c->flags & CONN_STEADY))
			note_sides(c);
		if (take_events(e, id, c, out))
			return true;
		if (e->work == 0)
			break; /* it is ignored from here on */
		if (push_octets(e, c))
			continue;
		if (c->flags & CONN_STEADY && c->end == CONN_OPEN) {
			e->work = 0; /* all that came was handed on, and it is as it was */
			break;
		}
		if (c->end <= CONN_END_STREAMS && c->phase != CONN_OTHER &&
		    next_chunk(e, c, &end, &chunk)) {
			give_chunk(e, id, end, &chunk);
			continue;
		}
		if (c->end != CONN_OPEN)
			return end_step(e, id, out);
		settle(e, id);
	} while (e->work == id);
	return false;
}

void
end_at(struct conn *c, const uint64_t reset_at[2])
{
	for (unsigned end = 0; end < 2; end++) {
		if (reset_at[end] > c->stream[end].next)
			stream_end_at(&c->stream[end], reset_at[end]);
	}
}

/*
 * Begins work on a connection that no packet leads to.  Of what may be delivered now the server's
 * octets come first, whatever packet was before: its replies say more of what was lost.
 */
static void
begin_alone(struct engine *e, uint32_t id)
{
	const struct conn *c = pool_at(&e->conns, id);
	e->work = id;
	e->at_hand = false;
	e->in_end = flow_client(flow_at(&e->flows, c->flow));
	e->in.len = e->in.cut = 0;
}

/* Begins to end a connection whose flow's time is up, or the input's, or whose place is needed. */
void
end_begin(struct engine *e, uint32_t conn, enum conn_closed_by why)
{
	struct conn *c = pool_at(&e->conns, conn);
	c->closed_by = (uint8_t)(c->flags & CONN_RST ? CLOSED_BY_RST : why);
	c->end = CONN_END_STREAMS;
	end_at(c, conn_wait(e, c)->reset_at);
	stream_finish(&c->stream[0]);
	stream_finish(&c->stream[1]);
	begin_alone(e, conn);
}

static inline __attribute__((always_inline)) void
move_clock(struct engine *e, int64_t ts_ns)
{
	e->ts_ns = ts_ns;
	clock_move(&e->clock, ts_ns);
	e->defrag.now_ns = e->clock.elapsed_ns;
	if (flow_clock(&e->flows, e->clock.elapsed_ns) || due_is_now(e))
		e->timely = true;
	if (e->leap_flow != 0 && !e->clock.leaping) {
		flow_touch(&e->flows,
		    e->leap_flow); /* it was not silent: its packet came ahead of the clock */
		e->leap_flow = 0;
	}
}

void
engine_clock(struct engine *e, int64_t ts_ns)
{
	move_clock(e, ts_ns);
}

/* The frame under way is no segment. */
static void
count_other(struct engine *e, const struct frame *f)
{
	switch (e->now->result) {
	case DECODE_TCP:
	case DECODE_FRAGMENT: break; /* counted where they are put together */
	case DECODE_OTHER: e->stats.not_tcp++; break;
	case DECODE_UNKNOWN_LINK:
		if (e->stats.unknown_link++ == 0)
			e->stats.unknown_link_type = f->link_type;
		e->stats.unknown_link_more += f->link_type != e->stats.unknown_link_type;
		e->stats.undecoded++;
		break;
	case DECODE_DAMAGED:
	case DECODE_RESULTS: e->stats.undecoded++; break;
	}
}

/* Frame `i` of some; its segment goes to its connection, unless something else is due before. */
static inline __attribute__((always_inline)) void
push(struct engine *e, const struct frame *f, unsigned i)
{
	struct look *l = &e->look[i];
	e->stats.frames++;
	move_clock(e, f->ts_ns);
	if (!(e->looked >> i & 1) || l->data != f->data)
		look_now(e, f, l);
	e->looked &= ~(1u << i);
	e->now = l;
	if (l->result != DECODE_TCP) {
		count_other(e, f);
		return;
	}
	e->stats.tcp++;
	e->in.len = e->in.cut = 0;
	if (e->timely)
		e->segment_waits = true;
	else
		take_segment(e);
}

void
engine_push(struct engine *e, const struct frame *f)
{
	push(e, f, 0);
}

void
engine_finish(struct engine *e)
{
	e->finishing = true;
}

/* A flow whose time is up: its connection ends first; without one it goes. */
static bool
end_flow(struct engine *e, uint32_t flow_id, enum conn_closed_by why)
{
	const struct flow *f = flow_at(&e->flows, flow_id);
	if (f->conn == 0) {
		flow_remove(&e->flows, flow_id);
		return false;
	}
	end_begin(e, f->conn, why);
	return true;
}

/* Its time is up as that of a handshake, which is over: the server has yet to greet. */
static bool
is_to_be_greeted(const struct engine *e, uint32_t flow_id)
{
	const struct flow *f = flow_at(&e->flows, flow_id);
	const uint32_t mask = CONN_MAIL_PORT | CONN_ANSWERED | CONN_PAYLOAD;
	if (f->conn == 0 || f->idle_s != LIMIT_IDLE_OPEN_S)
		return false;
	const struct conn *c = pool_at(&e->conns, f->conn);
	return (c->flags & mask) == (CONN_MAIL_PORT | CONN_ANSWERED) &&
	    c->packets[flow_client(f)] > 1;
}

/* Begins work that no packet leads to, where its time has come; else false. */
static bool
take_timely(struct engine *e)
{
	uint32_t id;
	if (!e->finishing && !flow_is_quiet(&e->flows) && (id = flow_expired(&e->flows)) != 0) {
		/* the record first; the flow lingers behind it and expires once more */
		if (is_to_be_greeted(e, id)) {
			flow_at(&e->flows, id)->idle_s = LIMIT_IDLE_GREETING_S;
			flow_keep(&e->flows, id);
		} else if (end_flow(e, id, CLOSED_BY_TIMEOUT))
			flow_keep(&e->flows, id);
		return true;
	}
	if (!e->finishing && due_is_now(e)) {
		id = due_take(e);
		const struct wait *w = conn_wait(e, pool_at(&e->conns, id));
		begin_alone(e, id);
		if (w->close_ns != 0 && w->close_ns <= e->clock.elapsed_ns)
			end_begin(e, id, CLOSED_BY_RST);
		return true;
	}
	e->timely = false;
	return false;
}

/* Begins to end what is left, one after the other; false where nothing is. */
static bool
take_last(struct engine *e)
{
	uint32_t id = flow_drain(&e->flows);
	if (id != 0 && end_flow(e, id, CLOSED_BY_INPUT))
		flow_keep(&e->flows, id);
	return id != 0;
}

/* Gives frames from *at on, up to one that leads to something. */
static inline void
push_some(struct engine *e, const struct frame *frames, unsigned n, uint32_t ours, unsigned *at)
{
	unsigned i = *at;
	do {
		if (ours >> i & 1)
			push(e, &frames[i], i);
		else
			move_clock(e, frames[i].ts_ns);
		i++;
	} while (i < n && e->work == 0 && !e->timely && !e->segment_waits);
	*at = i;
}

bool
engine_run(struct engine *e, const struct frame *frames, unsigned n, uint32_t ours, unsigned *at,
    struct record *out)
{
	for (;;) {
		if (e->work != 0) {
			if (work(e, out))
				return true;
		} else if (e->timely && take_timely(e)) {
			continue;
		} else if (e->segment_waits) {
			e->segment_waits = false;
			take_segment(e);
		} else if (*at < n) {
			push_some(e, frames, n, ours, at);
		} else if (!e->finishing || !take_last(e)) {
			return false;
		}
	}
}

bool
engine_next(struct engine *e, struct record *out)
{
	unsigned at = 0;
	return engine_run(e, NULL, 0, 0, &at, out);
}

void
engine_stats_get(const struct engine *e, struct engine_stats *out)
{
	const struct defrag_stats *d = &e->defrag.stats;
	*out = e->stats;
	out->overlaps = e->streams.conflicts;
	out->fragments = d->pieces;
	out->unjoined = d->evicted + d->expired + (e->defrag.datagrams.used - e->defrag.dones);
}

uint64_t
engine_memory(const struct engine *e)
{
	return e->memory;
}

const char *
engine_table_name(unsigned i)
{
	return i < SIZES ? size_name((enum size)i) : NULL;
}

bool
engine_table_get(const struct engine *e, unsigned i, struct engine_table *out)
{
	const struct pool *const pools[SIZES] = {
	    [SIZE_FLOWS] = &e->flows.flows,
	    [SIZE_CONNS] = &e->conns,
	    [SIZE_WAITS] = &e->waits,
	    [SIZE_EXTRAS] = &e->extras,
	    [SIZE_TLS] = &e->mail.tls_states,
	    [SIZE_FACTS] = &e->findings.facts,
	    [SIZE_LINES] = &e->mail.lines,
	    [SIZE_QUEUES] = &e->mail.queues,
	    [SIZE_MAILBOXES] = &e->mail.mailboxes,
	    [SIZE_HANDSHAKES] = &e->mail.tls_pools.handshakes,
	    [SIZE_MESSAGES] = &e->findings.messages,
	    [SIZE_CONTENTS] = &e->findings.contents,
	    [SIZE_NOTES] = &e->findings.notes,
	    [SIZE_SCANS] = &e->findings.mime.scans,
	    [SIZE_REORDERS] = &e->streams.reorders,
	    [SIZE_PAGES] = &e->streams.pages,
	    [SIZE_DATAGRAMS] = &e->defrag.datagrams,
	    [SIZE_INFLATES] = &e->mail.inflates,
	};
	if (i >= SIZES)
		return false;
	*out = (struct engine_table){.name = size_name((enum size)i)};
	if (i != SIZE_STRINGS) {
		const struct pool *p = pools[i];
		out->max = p->max;
		out->used = p->used;
		out->peak = p->peak;
		out->refused = p->refused;
		out->octets = (uint64_t)p->max * size_unit((enum size)i);
		return true;
	}
	for (unsigned c = 0; c < STRINGS_CLASSES; c++) {
		const struct pool *p = &e->findings.strings.cls[c];
		out->max += p->max;
		out->used += p->used;
		out->peak += p->peak;
		out->refused += p->refused;
		out->octets += (uint64_t)p->max * p->size;
	}
	return true;
}
