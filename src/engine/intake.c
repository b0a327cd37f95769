/*
 * A segment comes in: its flow and connection are found or made, who is the client is settled, and
 * its acknowledgement and octets go to the streams.
 */
#include <string.h>

#include "engine/worker.h"

#define RST_REACH   (1 << 20) /* a RST this far from what is due is not believed */
#define OTHER_REACH (1 << 20) /* octets this far from what both sides owe are another's */
#define START_REACH (1 << 17) /* a start this far from the first octet is that of another */
#define LATE_S	    2u	      /* s in which what was sent before the end has arrived */

/* What is around the segment and was not around those before: of a side's first packet who sent it
 * on this link, and from how far.  What that says of the other side counts until that one speaks
 * itself: on its way there it may have another router. */
static void
take_around(struct engine *e, struct conn *c, unsigned end)
{
	const struct segment *seg = segment_whole(e);
	static const uint32_t mac_flag[2] = {CONN_MAC_A, CONN_MAC_B};
	struct around a = conn_around(e, c);
	for (unsigned i = 0; i < 2 && c->packets[end] == 0; i++) { /* source, destination */
		unsigned at = i == 0 ? end : !end;
		if (seg->mac[i] != NULL && (i == 0 || !(c->flags & mac_flag[at]))) {
			memcpy(a.mac[at], seg->mac[i], 6);
			c->flags |= mac_flag[at];
		}
	}
	if (c->packets[end] == 0)
		a.ttl[end] = seg->ttl;
	if (seg->vlan >= 0 && !(c->flags & CONN_VLAN)) {
		a.vlan = (int16_t)seg->vlan;
		c->flags |= CONN_VLAN;
	}
	if (seg->tunnel.depth > 0 && !(c->flags & CONN_TUNNEL)) {
		a.tunnel = seg->tunnel;
		a.tunnel_end = (uint8_t)end;
		c->flags |= CONN_TUNNEL;
	}
	conn_around_keep(e, c, &a);
}

static bool
has_more_around(const struct conn *c, const struct segment *seg, unsigned end)
{
	return c->packets[end] == 0 ||
	    (!seg->plain &&
		((seg->vlan >= 0 && !(c->flags & CONN_VLAN)) ||
		    (seg->tunnel.depth > 0 && !(c->flags & CONN_TUNNEL))));
}

/* Does the sequence number lie further than `reach` from `offset` of the stream? */
static bool
is_apart(const struct stream *s, uint32_t seq, uint64_t offset, int64_t reach)
{
	int64_t apart = stream_offset(s, seq) - (int64_t)offset;
	return s->flags & STREAM_STARTED && (apart >= reach || apart <= -reach);
}

/* Another client's SYN than the one that began the connection? */
static bool
is_other_syn(const struct flow *f, const struct stream *s, uint32_t seq)
{
	return f->isn != 0 ? f->isn != seq : is_apart(s, seq + 1, 0, START_REACH);
}

/*
 * Is this the start of another connection with the same four numbers?  A live connection answers a
 * stray SYN with a challenge and goes on (RFC 9293 section 3.10.7.4), so that on its own it proves
 * nothing; the answer to it does, also where the SYN was not captured, and what follows on both.
 * And where nothing of that was, what lies far from both what this side said and what the other
 * did.
 */
static bool
is_reuse(struct engine *e, const struct flow *f, struct conn *c, unsigned end)
{
	const struct segment *seg = &e->now->seg;
	const struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	if (seg->flags & TCP_RST || seg->headless)
		return false;
	if (!(seg->flags & TCP_SYN)) {
		bool follows = c->flags & CONN_SYN_AGAIN &&
		    (end == flow_client(f) ? seg->seq : seg->ack) ==
			conn_extra(e, c)->syn_again + 1;
		int64_t reach = follows ? START_REACH : OTHER_REACH;
		if (!(seg->flags & TCP_ACK) || !is_apart(s, seg->seq, s->next, reach) ||
		    !is_apart(peer, seg->ack, peer->next, reach))
			return false;
		c->flags |= CONN_GAP; /* what was between is not known */
		return true;
	}
	if (seg->flags & TCP_ACK)
		return end != flow_client(f) &&
		    ((c->flags & CONN_SYN_AGAIN && seg->ack == conn_extra(e, c)->syn_again + 1) ||
			(is_apart(s, seg->seq + 1, 0, START_REACH) &&
			    is_apart(peer, seg->ack, 0, START_REACH)));
	if (!is_other_syn(f, s, seg->seq))
		return false;
	bool closing = conn_wait(e, c)->close_ns != 0 ||
	    (c->stream[0].flags | c->stream[1].flags) & STREAM_ENDS;
	bool alone = c->packets[!end] == 0; /* its answer would not be seen */
	struct extra *x = extra_make(e, c);
	if (x != NULL) {
		c->flags |= CONN_SYN_AGAIN;
		x->syn_again = seg->seq;
	}
	return closing || alone || c->packets[0] + c->packets[1] <= 2 || !(c->flags & CONN_PAYLOAD);
}

/*
 * Does the segment begin a connection where none is followed?  Of one that is closed late segments
 * begin nothing, but for the start of another; or where octets still come from both sides when all
 * that was on its way has arrived: nobody believed the reset, or the start of another was lost.
 */
static bool
begins(struct engine *e, struct flow *f, unsigned end)
{
	const struct segment *seg = &e->now->seg;
	const uint8_t both = FLOW_AFTER_A | FLOW_AFTER_B;
	if (!(f->flags & (FLOW_DEAD | FLOW_IGNORED)))
		return true;
	if (f->flags & FLOW_IGNORED)
		return (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	if ((seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		return seg->flags & TCP_ACK ? seg->ack - 1 - f->isn >= START_REACH
					    : f->isn != seg->seq;
	if (seg->wire_len == 0)
		return false;
	f->flags |= end == 0 ? FLOW_AFTER_A : FLOW_AFTER_B;
	return (f->flags & both) == both && e->flows.now_s - f->last_s >= LATE_S;
}

static void
start_streams(struct conn *c, const struct segment *seg, unsigned end)
{
	struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	if (seg->flags & TCP_SYN)
		stream_start(s, seg->seq + 1);
	else if (!(s->flags & STREAM_STARTED))
		stream_start_late(s, seg->seq);
	if (peer->flags & STREAM_STARTED || !(seg->flags & TCP_ACK) || seg->flags & TCP_RST)
		return;
	if (seg->flags & TCP_SYN)
		stream_start(peer, seg->ack); /* it answers the other's SYN */
	else
		stream_start_late(peer, seg->ack);
}

/* Where the other side is not captured, what is acknowledged tells that it spoke in between. */
static void
note_turn(struct engine *e, struct conn *c, const struct flow *f, unsigned end, uint32_t seq)
{
	const struct segment *seg = &e->now->seg;
	if (!(seg->flags & TCP_ACK) || c->packets[!end] > 0)
		return;
	struct extra *x = extra_make(e, c);
	if (x == NULL)
		return;
	if (x->heard[end] != 0 && seg->wire_len > 0 && (int32_t)(seg->ack - x->heard[end]) > 0 &&
	    stream_turn(&e->streams, &c->stream[end], seq, e->clock.elapsed_ns))
		mail_turn(&c->mail, side_of(f, end));
	if (x->heard[end] == 0 || seg->wire_len > 0)
		x->heard[end] = seg->ack;
}

/* A side is captured after all, of which nothing had come in time: what it said before was lost.
 * True where there was any, of which the events are to be taken. */
static bool
come_late(struct engine *e, struct conn *c, unsigned end)
{
	struct extra *x = extra_make(e, c);
	c->flags &= ~CONN_ALONE;
	if (x == NULL || x->unseen == 0)
		return false;
	lose_octets(e, c, end, x->unseen);
	x->unseen = 0;
	return true;
}

/* Gives up the connection `id`; the segment comes again. */
static void
give_up(struct engine *e, uint32_t id)
{
	e->segment_waits = true;
	e->stats.evicted++;
	end_begin(e, id, CLOSED_BY_MEMORY);
}

/* The table of flows is full: one without a connection goes, if it would be the first whose time is
 * up; else the connection that matters least, and its flow with it. */
static void
make_room(struct engine *e)
{
	uint32_t id = flow_oldest(&e->flows), least;
	if (id == 0)
		return;
	if (flow_at(&e->flows, id)->conn == 0) {
		e->segment_waits = true;
		flow_remove(&e->flows, id);
		return;
	}
	flow_keep(&e->flows, id);
	least = conn_least(e);
	give_up(e, least != 0 ? least : flow_at(&e->flows, id)->conn);
}

/* A RST is believed where it fits what is due; nothing follows it for a while, or it was false. */
static void
take_reset(struct engine *e, uint32_t id, unsigned end)
{
	const struct segment *seg = &e->now->seg;
	struct conn *c = pool_at(&e->conns, id);
	const struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	int64_t off = stream_offset(s, seg->seq);
	int64_t seen = seg->flags & TCP_ACK ? stream_offset(peer, seg->ack) : 0;
	uint64_t at[2];
	if (off - (int64_t)s->next >= RST_REACH || (int64_t)s->next - off >= RST_REACH ||
	    conn_wait(e, c)->close_ns != 0)
		return;
	c->flags |= CONN_RST;
	c->reset_by = (uint8_t)end;
	at[end] = off > 0 ? (uint64_t)off : 0;
	at[!end] = seen - (int64_t)peer->next < RST_REACH && seen > 0 ? (uint64_t)seen : 0;
	if (!reset_wait(e, id, at)) {
		end_at(c, at);
		end_begin(e, id, CLOSED_BY_RST);
	}
}

/* What every segment of a connection that goes on leads to. */
static inline void
count_segment(const struct engine *e, struct conn *c, const struct segment *seg, unsigned end)
{
	c->packets[end] += c->packets[end] < UINT32_MAX;
	c->octets[end] += seg->wire_len;
	if (e->ts_ns > c->end_ns)
		c->end_ns = e->ts_ns;
}

/*
 * The short way for the segments that nearly all are: of a steady connection, without flags, that
 * acknowledges nothing new, and its octets, if it has any, are due.  Else false, and nothing was
 * done.
 */
static inline bool
take_steady(struct engine *e, const struct flow *f, const struct segment *seg, unsigned end)
{
	const uint32_t id = f->conn;
	struct conn *c = pool_at(&e->conns, id);
	struct stream *s = &c->stream[end];
	const struct stream *peer = &c->stream[!end];
	if (!(c->flags & CONN_STEADY) || (seg->flags & ~TCP_PSH) != TCP_ACK ||
	    seg->len != seg->wire_len || stream_lacks(peer, seg->ack) ||
	    (!seg->plain && (seg->headless || seg->conflict || has_more_around(c, seg, end))))
		return false;
	if (seg->len > 0 && !stream_pass(&e->streams, s, seg->seq, seg->len))
		return false;
	count_segment(e, c, seg, end);
	if (seg->len == 0)
		return true;
	c->flags |= CONN_PAYLOAD;
	const enum mail_side side = side_of(f, end);
	if (c->phase == CONN_MAIL && mail_may_pass(&c->mail, side) &&
	    pass_octets(e, c, side, seg->payload, seg->len))
		return true;
	e->work = id;
	e->in_end = end;
	if (c->phase == CONN_MAIL) {
		mail_push(&e->mail, &c->mail, side, seg->payload, seg->len);
	} else {
		const struct stream_chunk chunk = {seg->payload, seg->len, s->next - seg->len,
		    false};
		give_chunk(e, id, end, &chunk);
	}
	return true;
}

/* The long way: of a segment that begins or ends something, or is out of order. */
static __attribute__((noinline)) void
take_any(struct engine *e, struct flow *f, bool fresh)
{
	const struct segment *seg = &e->now->seg;
	const unsigned end = e->now->key.side;
	bool opens = (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	e->waits_fresh = false;
	if (f->conn != 0) {
		if (is_reuse(e, f, pool_at(&e->conns, f->conn), end)) {
			e->waits_fresh = true;
			e->segment_waits = true; /* it comes again when the old one is recorded */
			end_begin(e, f->conn, CLOSED_BY_REUSE);
			return;
		}
	} else if (fresh || begins(e, f, end)) {
		if (e->conns.used == e->conns.max) {
			uint32_t least = conn_least(e);
			if (least != 0) {
				e->waits_fresh = fresh;
				give_up(e, least);
				return;
			}
		}
		if (!fresh)
			f->flags &= (uint8_t)~FLOW_IGNORED;
		e->stats.flows++;
		(void)conn_new(e, flow_id(&e->flows, f));
	}
	if (f->conn == 0)
		return;
	struct conn *c = pool_at(&e->conns, f->conn);
	flow_orient(f, end, seg->flags);
	if (opens)
		f->isn = seg->seq;
	else if (seg->flags & TCP_SYN && !(c->flags & CONN_SYN))
		f->isn = seg->ack - 1;
	uint32_t mail_port = port_is_mail(f->port[!flow_client(f)]) ? CONN_MAIL_PORT : 0;
	c->flags = (c->flags & ~(CONN_MAIL_PORT | CONN_STEADY)) | mail_port |
	    (seg->flags & TCP_SYN ? CONN_SYN : 0u) |
	    ((seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ? CONN_ANSWERED : 0u) |
	    (seg->headless ? CONN_HEADLESS : 0u) | (seg->conflict ? CONN_CONFLICT : 0u) |
	    (seg->wire_len > 0 ? CONN_PAYLOAD : 0u);
	if (has_more_around(c, seg, end))
		take_around(e, c, end);
	count_segment(e, c, seg, end);
	if (seg->headless || !(seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)))
		return; /* without ACK it is dropped, and its octets (RFC 9293 section 3.10.7.4) */
	e->work = f->conn;
	e->in_end = end;
	bool late = c->packets[end] == 1 && c->flags & CONN_ALONE && come_late(e, c, end);
	struct stream *s = &c->stream[end], *peer = &c->stream[!end];
	start_streams(c, seg, end);
	uint32_t seq = seg->seq + (seg->flags & TCP_SYN ? 1 : 0);
	if (seg->flags & TCP_RST) {
		take_reset(e, f->conn, end);
		return; /* what a RST carries is a diagnosis (RFC 9293 section 3.5.2), not data */
	}
	bool reset = conn_wait(e, c)->close_ns != 0;
	if (reset && seg->wire_len > 0 &&
	    stream_offset(s, seq) + (int64_t)seg->wire_len > (int64_t)s->next) {
		/* it goes on: nobody believed the reset (RFC 5961), or this was on its way */
		reset = false;
		if (c->reset_by == end)
			c->flags &= ~CONN_RST;
		reset_forget(e, f->conn);
	}
	if (c->phase == CONN_OTHER) {
		if (seg->len > 0 && conn_extra(e, c)->dpi != NULL)
			(void)ask_dpi(e, c);
		if (seg->flags & TCP_FIN)
			stream_fin(s, seq + seg->wire_len);
		stream_skip(s);
		return;
	}
	note_turn(e, c, f, end, seq);
	uint64_t need = 0;
	/* who has not been seen may come a little late, or not at all */
	bool may_come = c->packets[!end] > 0 || !(c->flags & CONN_ALONE);
	if (seg->flags & TCP_ACK && may_come) {
		stream_ack(&e->streams, peer, seg->ack, e->clock.elapsed_ns);
		need = stream_seen(peer, seg->ack);
	}
	/* an acknowledgement that makes nothing known */
	if (seg->wire_len == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)) && !reset && !late &&
	    !((s->flags | peer->flags) & STREAM_ENDS) && stream_is_quiet(s, peer) &&
	    stream_is_quiet(peer, s)) {
		e->work = 0;
		conn_settle_steady(c);
		return;
	}
	if (seg->wire_len > 0)
		stream_push(&e->streams, s, peer, need, seq, seg->payload, seg->len, seg->wire_len,
		    e->clock.elapsed_ns, &e->in);
	if (seg->flags & TCP_FIN)
		stream_fin(s, seq + seg->wire_len);
}

void
take_segment(struct engine *e)
{
	const struct segment *seg = &e->now->seg;
	bool fresh;
	e->at_hand = true;
	struct flow *f = flow_get(&e->flows, &e->now->key, &fresh);
	if (f == NULL) {
		make_room(e);
		return;
	}
	if (e->clock.leaping)
		e->leap_flow = flow_id(&e->flows, f);
	if (f->conn != 0 && take_steady(e, f, seg, e->now->key.side))
		return;
	if (!(f->flags & FLOW_IGNORED) || seg->flags & TCP_SYN)
		take_any(e, f, fresh || e->waits_fresh);
}
