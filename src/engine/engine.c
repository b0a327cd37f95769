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

#include "decode/decode.h"
#include "engine/clock.h"
#include "engine/conn.h"
#include "ident/probe.h"

#define DPI_PACKETS 8u	      /* packets after which nDPI has to say what it thinks */
#define RST_REACH   (1 << 20) /* a RST this far from what is due is not believed */
#define PROBE_HOLD  64u	      /* octets of a side held while they are too few to tell */

struct engine {
	struct flow_table flows;
	struct pool conns;
	struct streams streams;
	struct mail mail;
	struct findings findings;
	struct dpi *dpi;  /* NULL until nDPI is first asked */
	bool no_dpi;      /* it is not to be asked, or cannot be set up */
	struct engine_stats stats;

	/* connections to be looked at without a packet, by time */
	uint32_t due_first, due_last;

	/* the packet under way */
	int64_t ts_ns;	    /* its stamp, for records */
	struct clock clock; /* elapsed packet time, for timers */
	uint32_t leap_flow; /* flow of the packet whose far stamp awaits confirmation; 0 for none */
	struct segment seg;
	bool segment_waits; /* it was not given to its connection yet */
	bool finishing;	    /* the input is over */

	/* the connection being worked on */
	uint32_t work;		/* 0 for none */
	struct stream_input in; /* what is left of the packet's octets */
	unsigned in_end;	/* the end that sent it */
	struct pending {
		uint8_t side;
		uint8_t len;
		uint8_t octets[PROBE_HOLD];
	} held[2]; /* octets held while probing, to be pushed before the rest */
	unsigned held_at, held_n;
	const uint8_t *rest; /* the chunk behind them */
	uint64_t rest_len;
	uint8_t rest_side;
};

struct engine *
engine_new(const struct engine_config *config, char error[256])
{
	struct engine *e = calloc(1, sizeof *e);
	uint32_t flows = config->flows > 0 ? config->flows : LIMIT_FLOWS;
	uint32_t conns = config->conns > 0 ? config->conns : LIMIT_CONNS;
	if (e == NULL || !flow_table_init(&e->flows, flows) ||
	    !pool_init(&e->conns, "connections", sizeof(struct conn), conns) ||
	    !streams_init(&e->streams, LIMIT_OOO_STREAMS, LIMIT_OOO_PAGES) ||
	    !mail_init(&e->mail, LIMIT_LINES_HELD, conns) ||
	    !findings_init(&e->findings, LIMIT_MESSAGES, conns)) {
		(void)snprintf(error, 256,
			       "not enough address space for the tables (see ulimit -v)");
		engine_free(e);
		return NULL;
	}
	e->no_dpi = config->no_ndpi;
	return e;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	flow_table_free(&e->flows);
	pool_free_all(&e->conns);
	streams_free(&e->streams);
	mail_free(&e->mail);
	findings_free(&e->findings);
	dpi_free(e->dpi);
	free(e);
}

/* ---- the list of what is due ---- */

static void
due_remove(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->due_ns == 0)
		return;
	if (c->due_prev != 0)
		((struct conn *)pool_at(&e->conns, c->due_prev))->due_next = c->due_next;
	else
		e->due_first = c->due_next;
	if (c->due_next != 0)
		((struct conn *)pool_at(&e->conns, c->due_next))->due_prev = c->due_prev;
	else
		e->due_last = c->due_prev;
	c->due_ns = 0;
	c->due_prev = c->due_next = 0;
}

/* Each entry waits equally long, so that appending keeps the list in order of time. */
static void
due_add(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	if (c->due_ns != 0)
		return;
	c->due_ns = e->clock.elapsed_ns + LIMIT_GRACE_NS;
	c->due_prev = e->due_last;
	c->due_next = 0;
	if (e->due_last != 0)
		((struct conn *)pool_at(&e->conns, e->due_last))->due_next = id;
	else
		e->due_first = id;
	e->due_last = id;
}

/* ---- connections ---- */

static enum mail_side
side_of(const struct flow *f, unsigned end)
{
	return end == flow_client(f) ? MAIL_CLIENT : MAIL_SERVER;
}

static struct conn *
conn_new(struct engine *e, uint32_t flow_id)
{
	struct flow *f = flow_at(&e->flows, flow_id);
	uint32_t id = pool_take(&e->conns);
	f->conn = id;
	if (id == 0) {
		f->flags |= FLOW_IGNORED;
		e->stats.evicted++;
		return NULL;
	}
	struct conn *c = pool_at(&e->conns, id);
	c->flow = flow_id;
	c->start_ns = c->end_ns = e->ts_ns;
	c->vlan = -1;
	f->flags &= (uint8_t) ~(FLOW_DEAD | FLOW_SURE);
	f->idle_s = LIMIT_IDLE_OPEN_S;
	return c;
}

/* Gives all of a connection's state back.  Its flow stays, and remembers that there is nothing to
 * follow. */
static void
conn_free(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	due_remove(e, id);
	for (unsigned end = 0; end < 2; end++) {
		stream_release(&e->streams, &c->stream[end]);
		strings_drop(&e->findings.strings, c->held[end]);
	}
	strings_drop(&e->findings.strings, c->app);
	mail_release(&e->mail, &c->mail);
	finding_release(&e->findings, &c->finding);
	dpi_flow_free(c->dpi);
	f->conn = 0;
	pool_give(&e->conns, id);
}

/* It is not mail, and not on a mail port: nobody will ask for it again. */
static void
conn_ignore(struct engine *e, uint32_t id)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	f->flags |= FLOW_IGNORED;
	f->idle_s = LIMIT_IDLE_OTHER_S;
	conn_free(e, id);
	e->work = 0;
	e->held_n = e->held_at = 0;
	e->rest_len = 0;
	e->in.len = e->in.cut = 0;
}

/* ---- which protocol is it ---- */

/* Shows nDPI the packet, where it may know a name. */
static enum dpi_answer
ask_dpi(struct engine *e, struct conn *c)
{
	char name[32];
	if (e->no_dpi || c->dpi_packets >= DPI_PACKETS)
		return DPI_UNKNOWN;
	if (e->dpi == NULL && (e->dpi = dpi_new()) == NULL) {
		e->no_dpi = true;
		return DPI_UNKNOWN;
	}
	if (c->dpi == NULL && (c->dpi = dpi_flow_new()) == NULL)
		return DPI_UNKNOWN;
	e->stats.ndpi_calls++;
	c->dpi_packets++;
	enum dpi_answer a = dpi_packet(e->dpi, c->dpi, e->seg.ip, e->seg.ip_len, e->ts_ns,
				       c->dpi_packets == DPI_PACKETS, name);
	if (a == DPI_MORE)
		return a;
	if (name[0] != '\0' && c->app == 0 && a != DPI_UNKNOWN)
		c->app = strings_put(&e->findings.strings, name, strlen(name));
	dpi_flow_free(c->dpi);
	c->dpi = NULL;
	c->dpi_packets = DPI_PACKETS;
	return a;
}

/* The connection is a session of that protocol from here on; what was held is read first. */
static void
begin_mail(struct engine *e, struct conn *c, enum mail_protocol p, bool sure, bool implicit,
	   bool resync)
{
	struct flow *f = flow_at(&e->flows, c->flow);
	size_t len;
	c->phase = CONN_MAIL;
	f->idle_s = LIMIT_IDLE_MAIL_S;
	if (sure)
		c->finding.flags |= FINDING_SURE;
	if (implicit)
		c->finding.flags |= FINDING_IMPLICIT;
	mail_begin(&e->mail, &c->mail, p,
		   (uint8_t)((c->flags & CONN_SYN ? 0u : MAIL_SESSION_MIDSTREAM) |
			     (implicit ? MAIL_SESSION_IMPLICIT : 0u)));
	if (resync)
		c->mail.mode[0] = c->mail.mode[1] = MAIL_MODE_RESYNC;
	/* the side that spoke before this chunk's first: its octets came earlier */
	e->held_n = e->held_at = 0;
	for (unsigned i = 0; i < 2; i++) {
		unsigned end = i == 0 ? !e->in_end : e->in_end;
		const char *s = strings_get(&e->findings.strings, c->held[end], &len);
		if (len > 0) {
			struct pending *h = &e->held[e->held_n++];
			h->side = (uint8_t)side_of(f, end);
			h->len = (uint8_t)len;
			memcpy(h->octets, s, len);
		}
		strings_drop(&e->findings.strings, c->held[end]);
		c->held[end] = 0;
	}
}

/* On a mail port, and not mail: counted, named, and otherwise left alone. */
static void
begin_other(struct engine *e, struct conn *c)
{
	struct flow *f = flow_at(&e->flows, c->flow);
	c->phase = CONN_OTHER;
	f->idle_s = LIMIT_IDLE_OTHER_S;
	finding_add_anomaly(&c->finding, ANOMALY_NOT_MAIL);
	for (unsigned end = 0; end < 2; end++) {
		strings_drop(&e->findings.strings, c->held[end]);
		c->held[end] = 0;
		stream_release(&e->streams, &c->stream[end]);
	}
	(void)ask_dpi(e, c);
}

/* The first octets of `end`.  Sets the phase, or holds them where they are too few. */
static void
probe_chunk(struct engine *e, uint32_t id, unsigned end, const uint8_t *data, uint64_t len)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	uint8_t buf[PROBE_HOLD + 256];
	size_t old;
	const char *held = strings_get(&e->findings.strings, c->held[end], &old);
	size_t take = len < sizeof buf - old ? (size_t)len : sizeof buf - old;
	memcpy(buf, held, old);
	memcpy(buf + old, data, take);
	uint16_t port = f->port[!flow_client(f)];
	bool mail_port = port_is_mail(port);
	struct probe_result r = probe(buf, old + take, port);

	if (r.verdict == PROBE_MORE && old + take <= PROBE_HOLD) {
		uint32_t handle = strings_put(&e->findings.strings, buf, old + take);
		strings_drop(&e->findings.strings, c->held[end]);
		c->held[end] = handle;
		e->rest_len = 0;
		return;
	}
	if (!(f->flags & FLOW_SURE)) {
		bool is_client = end == flow_client(f);
		if ((r.from_server && is_client) || (r.from_client && !is_client)) {
			f->flags ^= FLOW_CLIENT_B;
			port = f->port[!flow_client(f)];
			mail_port = port_is_mail(port);
			c->flags = (uint16_t)((c->flags & ~CONN_MAIL_PORT) |
					      (mail_port ? CONN_MAIL_PORT : 0u));
		}
	}
	e->rest_side = (uint8_t)side_of(f, end);
	switch (r.verdict) {
	case PROBE_SMTP: begin_mail(e, c, MAIL_SMTP, r.sure, false, false); return;
	case PROBE_IMAP: begin_mail(e, c, MAIL_IMAP, r.sure, false, false); return;
	case PROBE_POP3: begin_mail(e, c, MAIL_POP3, r.sure, false, false); return;
	case PROBE_TLS:
		if (mail_port)
			begin_mail(e, c, conn_protocol_by_port(port), false, true, false);
		else
			conn_ignore(e, id);
		return;
	case PROBE_MORE:
	case PROBE_TEXT:
		if (mail_port) {
			begin_mail(e, c, conn_protocol_by_port(port), false, false,
				   !(c->flags & CONN_SYN));
			return;
		}
		switch (ask_dpi(e, c)) {
		case DPI_MAIL_SMTP: begin_mail(e, c, MAIL_SMTP, false, false, true); return;
		case DPI_MAIL_IMAP: begin_mail(e, c, MAIL_IMAP, false, false, true); return;
		case DPI_MAIL_POP3: begin_mail(e, c, MAIL_POP3, false, false, true); return;
		case DPI_MORE:
			strings_drop(&e->findings.strings, c->held[end]);
			c->held[end] = 0;
			e->rest_len = 0;
			return;
		case DPI_OTHER:
		case DPI_UNKNOWN: conn_ignore(e, id); return;
		}
		return;
	case PROBE_OTHER:
		if (mail_port)
			begin_other(e, c);
		else
			conn_ignore(e, id);
		e->rest_len = 0;
		return;
	}
}

/* ---- segments ---- */

static void
take_mac(struct conn *c, const struct segment *seg, unsigned end)
{
	static const uint16_t flag[2] = {CONN_MAC_A, CONN_MAC_B};
	for (unsigned i = 0; i < 2; i++) { /* source, destination */
		unsigned at = i == 0 ? end : !end;
		if (seg->mac[i] != NULL && !(c->flags & flag[at])) {
			memcpy(c->mac[at], seg->mac[i], 6);
			c->flags |= flag[at];
		}
	}
}

/* Is this SYN the start of another connection with the same four numbers? */
static bool
is_reuse(const struct flow *f, const struct conn *c, const struct segment *seg)
{
	if (!(seg->flags & TCP_SYN) || seg->flags & TCP_ACK || f->isn == 0 || f->isn == seg->seq)
		return false;
	/* a live connection answers a stray SYN with a challenge and goes on: only a closing or
	 * silent one is over */
	bool closing = c->close_ns != 0 || c->stream[0].end != STREAM_NO_END ||
		       c->stream[1].end != STREAM_NO_END;
	return closing || (c->packets[0] + c->packets[1]) <= 2 || !(c->flags & CONN_PAYLOAD);
}

static void
start_streams(struct conn *c, const struct segment *seg, unsigned end)
{
	struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	if (!(s->flags & STREAM_STARTED))
		stream_start(s, seg->seq + (seg->flags & TCP_SYN ? 1 : 0));
	if (!(peer->flags & STREAM_STARTED) && seg->flags & TCP_ACK && !(seg->flags & TCP_RST))
		stream_start(peer, seg->ack);
}

static void
take_segment(struct engine *e)
{
	struct segment *seg = &e->seg;
	bool fresh;
	unsigned end;
	uint32_t flow_id = flow_get(&e->flows, &seg->ends, &fresh, &end);
	if (flow_id == 0) {
		e->stats.evicted++;
		return;
	}
	if (e->clock.leaping)
		e->leap_flow = flow_id;
	struct flow *f = flow_at(&e->flows, flow_id);
	if (f->flags & FLOW_IGNORED && !(seg->flags & TCP_SYN))
		return;
	bool opens = (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if (f->conn != 0) {
		struct conn *old = pool_at(&e->conns, f->conn);
		if (is_reuse(f, old, seg)) {
			old->closed_by = CLOSED_BY_REUSE;
			old->end = CONN_END_STREAMS;
			e->work = f->conn;
			e->segment_waits =
			    true; /* it comes again when the old connection is recorded */
			return;
		}
	} else if (fresh || (opens && (f->isn != seg->seq || f->flags & FLOW_IGNORED))) {
		if (!fresh)
			f->flags &= (uint8_t) ~(FLOW_IGNORED | FLOW_SEEN_A | FLOW_SEEN_B);
		e->stats.flows++;
		(void)conn_new(e, flow_id);
	}
	if (f->conn == 0)
		return;
	struct conn *c = pool_at(&e->conns, f->conn);
	flow_orient(f, end, seg->flags);
	if (opens)
		f->isn = seg->seq;
	uint16_t mail_port = port_is_mail(f->port[!flow_client(f)]) ? CONN_MAIL_PORT : 0;
	c->flags = (uint16_t)((c->flags & ~CONN_MAIL_PORT) | mail_port |
			      (seg->flags & TCP_SYN ? CONN_SYN : 0u) |
			      (seg->headless ? CONN_HEADLESS : 0u) |
			      (seg->wire_len > 0 ? CONN_PAYLOAD : 0u));
	if (c->packets[end] == 0)
		take_mac(c, seg, end);
	if (c->vlan < 0 && seg->vlan >= 0)
		c->vlan = (int16_t)seg->vlan;
	c->packets[end] += c->packets[end] < UINT32_MAX;
	c->octets[end] += seg->wire_len;
	if (e->ts_ns > c->end_ns)
		c->end_ns = e->ts_ns;
	if (seg->headless)
		return;
	e->work = f->conn;
	e->in_end = end;
	struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	start_streams(c, seg, end);
	uint32_t seq = seg->seq + (seg->flags & TCP_SYN ? 1 : 0);
	if (seg->flags & TCP_RST) {
		int64_t off = stream_offset(s, seg->seq);
		if (off - (int64_t)s->next < RST_REACH && (int64_t)s->next - off < RST_REACH &&
		    c->close_ns == 0) {
			c->flags |= CONN_RST;
			c->close_ns = e->clock.elapsed_ns + LIMIT_GRACE_NS;
			due_add(e, f->conn);
		}
		return; /* what a RST carries is a diagnosis (RFC 9293 section 3.5.2), not data */
	}
	if (c->phase == CONN_OTHER) {
		if (seg->len > 0 && c->dpi != NULL)
			(void)ask_dpi(e, c);
		if (seg->flags & TCP_FIN)
			stream_fin(s, seq + seg->wire_len);
		s->next = s->end != STREAM_NO_END ? s->end : s->next;
		return;
	}
	if (seg->flags & TCP_ACK && c->packets[!end] > 0)
		stream_ack(&e->streams, peer, seg->ack, e->clock.elapsed_ns);
	if (seg->wire_len > 0)
		stream_push(&e->streams, s, peer, seq, seg->payload, seg->len, seg->wire_len,
			    e->clock.elapsed_ns, &e->in);
	if (seg->flags & TCP_FIN)
		stream_fin(s, seq + seg->wire_len);
}

/* ---- records ---- */

static void
record_message(struct engine *e, const struct conn *c, uint32_t message, struct record *r)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v = conn_view(c, f, e->ts_ns);
	int64_t start = finding_message_start(&e->findings, message), end = c->end_ns;
	record_begin(r, RECORD_MESSAGE);
	conn_put(c, f, &e->findings, end, r);
	record_put_word(r, FIELD_EVENT_DATASET, "postcard.message");
	record_put_word(r, FIELD_EVENT_ACTION, "mail-readable");
	record_put_time(r, FIELD_EVENT_START, start);
	record_put_time(r, FIELD_EVENT_END, end);
	record_put_u64(r, FIELD_EVENT_DURATION, end > start ? (uint64_t)(end - start) : 0);
	finding_put_session(&e->findings, &c->finding, &v, OUTCOME_CLEARTEXT, r);
	finding_put_message(&e->findings, &c->finding, message, r);
	finding_message_free(&e->findings, message);
}

static void
record_session(struct engine *e, struct conn *c, struct record *r)
{
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v = conn_view(c, f, c->end_ns);
	for (unsigned end = 0; end < 2; end++) {
		if (c->stream[end].flags & STREAM_CONFLICT)
			finding_add_anomaly(&c->finding, ANOMALY_OVERLAP_CONFLICT);
	}
	if (c->flags & CONN_HEADLESS)
		finding_add_anomaly(&c->finding, ANOMALY_HEADER_CUT);
	if (c->phase == CONN_MAIL && !(c->finding.flags & (FINDING_SURE | FINDING_IMPLICIT)) &&
	    !v.midstream && !v.gap)
		finding_add_anomaly(&c->finding, ANOMALY_NOT_MAIL);
	enum outcome o = finding_outcome(&c->finding, &v);
	record_begin(r, RECORD_SESSION);
	conn_put(c, f, &e->findings, c->end_ns, r);
	record_put_word(r, FIELD_EVENT_DATASET, "postcard.session");
	record_put_word(r, FIELD_EVENT_ACTION, outcome_name(o));
	record_put_time(r, FIELD_EVENT_START, c->start_ns);
	record_put_time(r, FIELD_EVENT_END, c->end_ns);
	record_put_u64(r, FIELD_EVENT_DURATION,
		       c->end_ns > c->start_ns ? (uint64_t)(c->end_ns - c->start_ns) : 0);
	finding_put_session(&e->findings, &c->finding, &v, o, r);
}

/* ---- work on one connection ---- */

/* Is it to be recorded at all: did it speak a mail protocol, or use a mail port? */
static bool
is_recorded(const struct conn *c)
{
	return c->flags & CONN_MAIL_PORT ||
	       (c->phase == CONN_MAIL && c->finding.flags & FINDING_SURE);
}

static void
give_chunk(struct engine *e, uint32_t id, unsigned end, const struct stream_chunk *chunk)
{
	struct conn *c = pool_at(&e->conns, id);
	const struct flow *f = flow_at(&e->flows, c->flow);
	enum mail_side side = side_of(f, end);
	if (chunk->data == NULL) {
		c->gap_octets += chunk->len;
		if (c->phase == CONN_MAIL)
			mail_gap(&e->mail, &c->mail, side, chunk->len);
		return;
	}
	if (c->phase == CONN_OTHER)
		return;
	e->rest = chunk->data;
	e->rest_len = chunk->len;
	e->rest_side = (uint8_t)side;
	if (c->phase == CONN_PROBING)
		probe_chunk(e, id, end, chunk->data, chunk->len);
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
		mail_push(&e->mail, &c->mail, (enum mail_side)e->rest_side, e->rest,
			  (size_t)e->rest_len);
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
	for (unsigned i = 0; i < 2; i++) {
		unsigned at = i == 0 ? !e->in_end : e->in_end;
		struct stream_input *in = at == e->in_end ? &e->in : NULL;
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
	if (c->close_ns != 0 || stream_deadline(&e->streams, &c->stream[0]) != 0 ||
	    stream_deadline(&e->streams, &c->stream[1]) != 0)
		due_add(e, id);
}

/* Ends a connection, a step a call; true with a record. */
static bool
end_step(struct engine *e, uint32_t id, struct record *out)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	struct finding_view v = conn_view(c, f, c->end_ns);
	uint32_t message;
	switch ((enum conn_end)c->end) {
	case CONN_OPEN:
	case CONN_END_STREAMS: /* nothing is held any more */
		c->end = CONN_END_MAIL;
		if (c->phase == CONN_MAIL)
			mail_end(&e->mail, &c->mail);
		return false;
	case CONN_END_MAIL: c->end = CONN_END_MESSAGES; return false;
	case CONN_END_MESSAGES:
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
		e->stats.gap_bytes += c->gap_octets;
		record_session(e, c, out);
		return true;
	case CONN_END_GONE:
		f->flags |= FLOW_DEAD;
		f->idle_s = LIMIT_LINGER_S;
		conn_free(e, id);
		e->work = 0;
		return false;
	}
	return false;
}

/* One step of work; true with a record in `out`. */
static bool
work(struct engine *e, struct record *out)
{
	uint32_t id = e->work;
	struct conn *c = pool_at(&e->conns, id);
	const struct flow *f = flow_at(&e->flows, c->flow);
	struct mail_event ev;
	struct stream_chunk chunk;
	unsigned end;
	unsigned client = flow_client(f);
	c->mail.flags =
	    (uint8_t)((c->mail.flags & ~MAIL_SESSION_ONE_SIDED) |
		      (c->packets[client] == 0 || c->packets[!client] == 0 ? MAIL_SESSION_ONE_SIDED
									   : 0u));
	while (c->phase == CONN_MAIL && mail_next(&e->mail, &c->mail, &ev)) {
		struct finding_view v = conn_view(c, f, e->ts_ns);
		uint32_t message = finding_take(&e->findings, &c->finding, &ev, &v);
		if (message != 0 && is_recorded(c)) {
			record_message(e, c, message, out);
			return true;
		}
		if (message != 0)
			finding_message_free(&e->findings, message);
		if (ev.kind == MAIL_DENIED) {
			if (c->flags & CONN_MAIL_PORT) {
				begin_other(e, c);
				mail_release(&e->mail, &c->mail);
			} else {
				conn_ignore(e, id);
			}
			return false;
		}
	}
	if (push_octets(e, c))
		return false;
	if (c->end <= CONN_END_STREAMS && c->phase != CONN_OTHER &&
	    next_chunk(e, c, &end, &chunk)) {
		give_chunk(e, id, end, &chunk);
		return false;
	}
	if (c->end != CONN_OPEN)
		return end_step(e, id, out);
	settle(e, id);
	return false;
}

/* Begins to end a connection whose flow's time is up, or the input's. */
static void
end_begin(struct engine *e, uint32_t conn, enum conn_closed_by why)
{
	struct conn *c = pool_at(&e->conns, conn);
	c->closed_by = (uint8_t)(c->flags & CONN_RST ? CLOSED_BY_RST : why);
	c->end = CONN_END_STREAMS;
	stream_finish(&c->stream[0]);
	stream_finish(&c->stream[1]);
	e->work = conn;
	e->in.len = e->in.cut = 0;
}

void
engine_push(struct engine *e, const struct frame *f)
{
	e->stats.frames++;
	enum decode_result r = decode_frame(f->link_type, f->data, f->caplen, f->wirelen, &e->seg);
	e->ts_ns = f->ts_ns;
	clock_move(&e->clock, f->ts_ns);
	flow_clock(&e->flows, e->clock.elapsed_ns);
	if (!e->clock.leaping && e->leap_flow != 0) {
		flow_touch(
		    &e->flows,
		    e->leap_flow); /* it was not silent: its packet came ahead of the clock */
		e->leap_flow = 0;
	}
	switch (r) {
	case DECODE_TCP:
		e->stats.tcp++;
		e->seg.ts_ns = f->ts_ns;
		e->segment_waits = true;
		e->in.len = e->in.cut = 0;
		break;
	case DECODE_OTHER: e->stats.not_tcp++; break;
	case DECODE_FRAGMENT: e->stats.fragments++; break;
	case DECODE_UNKNOWN_LINK:
		if (e->stats.unknown_link++ == 0)
			e->stats.unknown_link_type = f->link_type;
		e->stats.undecoded++;
		break;
	case DECODE_DAMAGED:
	case DECODE_RESULTS: e->stats.undecoded++; break;
	}
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

bool
engine_next(struct engine *e, struct record *out)
{
	uint32_t id;
	for (;;) {
		if (e->work != 0) {
			if (work(e, out))
				return true;
			continue;
		}
		if (!e->finishing && (id = flow_expired(&e->flows)) != 0) {
			/* the record first; the flow lingers behind it and expires once more */
			if (end_flow(e, id, CLOSED_BY_TIMEOUT))
				flow_keep(&e->flows, id);
			continue;
		}
		if (e->due_first != 0 && !e->finishing) {
			struct conn *c = pool_at(&e->conns, e->due_first);
			if (c->due_ns <= e->clock.elapsed_ns) {
				id = e->due_first;
				due_remove(e, id);
				e->work = id;
				e->in_end = 0;
				e->in.len = e->in.cut = 0;
				if (c->close_ns != 0 && c->close_ns <= e->clock.elapsed_ns)
					end_begin(e, id, CLOSED_BY_RST);
				continue;
			}
		}
		if (e->segment_waits) {
			e->segment_waits = false;
			take_segment(e);
			continue;
		}
		if (e->finishing && (id = flow_drain(&e->flows)) != 0) {
			if (end_flow(e, id, CLOSED_BY_INPUT))
				flow_keep(&e->flows, id);
			continue;
		}
		return false;
	}
}

void
engine_stats_get(const struct engine *e, struct engine_stats *out)
{
	*out = e->stats;
	out->overlaps = e->streams.conflicts;
}
