/*
 * Which protocol is it: the first octets of a connection go to the own probe; where that cannot
 * tell, the packet goes to nDPI.  From then on a mail session follows the connection, or nobody
 * does.
 */
#include <string.h>

#include "engine/worker.h"
#include "ident/probe.h"

#define DPI_PACKETS 8u /* packets after which nDPI has to say what it thinks */

void
forget_dpi(struct engine *e, struct conn *c)
{
	struct dpi_flow *dpi = conn_extra(e, c)->dpi;
	if (dpi == NULL)
		return;
	e->dpi_flows--;
	dpi_flow_free(dpi);
	extra_make(e, c)->dpi = NULL; /* it is there */
}

void
forget_held(struct engine *e, struct conn *c, unsigned end)
{
	uint32_t held = conn_extra(e, c)->held[end];
	if (held == 0)
		return;
	strings_drop(&e->findings.strings, held);
	extra_make(e, c)->held[end] = 0;
}

/* Shows nDPI the packet, where it may know a name. */
void
engine_ready(struct engine *e)
{
	if (e->dpi == NULL && !e->no_dpi && (e->dpi = dpi_new()) == NULL)
		e->no_dpi = true;
}

enum dpi_answer
ask_dpi(struct engine *e, struct conn *c)
{
	char name[32];
	struct extra *x = NULL;
	if (!e->at_hand) /* octets that waited for others: there is no packet to be shown */
		return DPI_MORE;
	if (e->no_dpi || conn_extra(e, c)->dpi_packets >= DPI_PACKETS)
		return DPI_UNKNOWN;
	engine_ready(e);
	if (e->dpi == NULL || (x = extra_make(e, c)) == NULL)
		return DPI_UNKNOWN;
	if (x->dpi == NULL) {
		if (e->dpi_flows >= LIMIT_DPI_FLOWS || (x->dpi = dpi_flow_new()) == NULL)
			return DPI_UNKNOWN;
		e->dpi_flows++;
	}
	e->stats.ndpi_calls++;
	x->dpi_packets++;
	const struct segment *seg = segment_whole(e);
	enum dpi_answer a = dpi_packet(e->dpi, x->dpi, seg->ip, seg->ip_len, e->ts_ns,
	    x->dpi_packets == DPI_PACKETS, name);
	if (a == DPI_MORE)
		return a;
	if (name[0] != '\0' && x->app == 0 && a != DPI_UNKNOWN)
		x->app = strings_share(&e->findings.strings, name, strlen(name));
	forget_dpi(e, c);
	x->dpi_packets = DPI_PACKETS;
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
	if (c->flags & (flow_client(f) == 0 ? CONN_LOST_A : CONN_LOST_B) && !implicit)
		c->finding.flags |= FINDING_MISSED;
	if (c->flags & CONN_SYN && !(c->flags & CONN_ANSWERED))
		c->flags |= flow_client(f) == 0 ? CONN_LOST_B : CONN_LOST_A;
	bool lost = (c->flags & (CONN_LOST_A | CONN_LOST_B)) != 0;
	mail_begin(&e->mail, &c->mail, p,
	    (uint8_t)((c->flags & CONN_SYN && !lost ? 0u : MAIL_SESSION_MIDSTREAM) |
		(implicit ? MAIL_SESSION_IMPLICIT : 0u)));
	if (lost)
		c->finding.flags |= FINDING_LOST;
	for (unsigned end = 0; end < 2 && !implicit; end++) {
		if (resync || !(c->flags & CONN_SYN) ||
		    c->flags & (end == 0 ? CONN_LOST_A : CONN_LOST_B))
			mail_resync(&e->mail, &c->mail, side_of(f, end));
	}
	/* the side that spoke before this chunk's first: its octets came earlier */
	e->held_n = e->held_at = 0;
	for (unsigned i = 0; i < 2; i++) {
		unsigned end = i == 0 ? !e->in_end : e->in_end;
		const char *s =
		    strings_get(&e->findings.strings, conn_extra(e, c)->held[end], &len);
		if (len > 0) {
			struct pending *h = &e->held[e->held_n++];
			h->side = (uint8_t)side_of(f, end);
			h->len = (uint16_t)(len < sizeof h->octets ? len : sizeof h->octets);
			memcpy(h->octets, s, h->len);
		}
		forget_held(e, c, end);
	}
	extra_settle(e, c);
}

/* On a mail port, and not mail: counted, named, and otherwise left alone. */
void
begin_other(struct engine *e, struct conn *c)
{
	struct flow *f = flow_at(&e->flows, c->flow);
	c->phase = CONN_OTHER;
	c->flags &= ~CONN_STEADY;
	f->idle_s = LIMIT_IDLE_OTHER_S;
	finding_add_anomaly(&c->finding, ANOMALY_NOT_MAIL);
	for (unsigned end = 0; end < 2; end++) {
		forget_held(e, c, end);
		stream_release(&e->streams, &c->stream[end]);
	}
	(void)ask_dpi(e, c);
}

/* Too few octets to tell: they are kept, and come again with the next. */
static void
hold_octets(struct engine *e, struct conn *c, unsigned end, const uint8_t *octets, size_t len)
{
	uint32_t handle = strings_put(&e->findings.strings, octets, len);
	struct extra *x = handle != 0 ? extra_make(e, c) : NULL;
	e->rest_len = 0;
	if (x == NULL) { /* no memory */
		strings_drop(&e->findings.strings, handle);
		lose_start(e, c, end);
		return;
	}
	strings_drop(&e->findings.strings, x->held[end]);
	x->held[end] = handle;
}

void
lose_start(struct engine *e, struct conn *c, unsigned end)
{
	c->flags |= end == 0 ? CONN_LOST_A : CONN_LOST_B;
	forget_held(e, c, end); /* what follows does not continue it */
}

/* A load balancer speaks for a client: who sends this is the client's side. */
static void
take_proxy(struct engine *e, struct conn *c, unsigned end, const struct proxy_header *proxy)
{
	struct flow *f = flow_at(&e->flows, c->flow);
	struct around a = conn_around(e, c);
	a.proxy = *proxy;
	conn_around_keep(e, c, &a);
	c->flags |= CONN_PROXIED;
	if (!(f->flags & FLOW_SURE) && end != flow_client(f))
		f->flags ^= FLOW_CLIENT_B;
	f->flags |= FLOW_SURE;
	forget_held(e, c, end);
}

/* Has the end spoken, whole, and not as mail does?  Then what the other says proves less: +OK and
 * STARTTLS are words of other protocols (Redis, ManageSieve), too. */
static bool
has_said_other(const struct engine *e, const struct conn *c, unsigned end)
{
	size_t len;
	const struct flow *f = flow_at(&e->flows, c->flow);
	const char *held = strings_get(&e->findings.strings, conn_extra(e, c)->held[end], &len);
	return c->octets[end] > 0 &&
	    (c->flags & (CONN_SYN | CONN_LOST_A | CONN_LOST_B)) == CONN_SYN &&
	    (len == 0 ||
		probe((const uint8_t *)held, len, f->port[!flow_client(f)]).verdict == PROBE_TEXT);
}

/* The first octets of `end`.  Sets the phase, or holds them where they are too few. */
void
probe_chunk(struct engine *e, uint32_t id, unsigned end, const uint8_t *data, uint64_t len)
{
	struct conn *c = pool_at(&e->conns, id);
	struct flow *f = flow_at(&e->flows, c->flow);
	uint8_t buf[LIMIT_PROXY + 256];
	size_t old;
	const char *held = strings_get(&e->findings.strings, conn_extra(e, c)->held[end], &old);
	size_t take = len < sizeof buf - old ? (size_t)len : sizeof buf - old;
	memcpy(buf, held, old);
	memcpy(buf + old, data, take);
	if (!(c->flags & CONN_PROXIED)) {
		struct proxy_header proxy;
		switch (proxy_parse(buf, old + take, &proxy)) {
		case PROXY_NONE: break;
		case PROXY_MORE: hold_octets(e, c, end, buf, old + take); return;
		case PROXY_HEADER:
			take_proxy(e, c, end, &proxy);
			if (proxy.len - old == len) {
				e->rest_len = 0;
				return;
			}
			e->rest = data += proxy.len - old;
			e->rest_len = len -= proxy.len - old;
			old = 0;
			take = len < sizeof buf ? (size_t)len : sizeof buf;
			memcpy(buf, data, take);
			break;
		}
	}
	uint16_t port = f->port[!flow_client(f)];
	bool mail_port = port_is_mail(port);
	struct probe_result r = probe(buf, old + take, port);

	if (!mail_port && !r.sure && has_said_other(e, c, !end))
		r = (struct probe_result){.verdict = PROBE_TEXT};
	if (r.verdict == PROBE_MORE && old + take <= PROBE_HOLD) {
		hold_octets(e, c, end, buf, old + take);
		return;
	}
	/* a line of a mail may look like anything, so where the ports tell, they count */
	if (!(f->flags & FLOW_SURE) && port_is_mail(f->port[0]) == port_is_mail(f->port[1])) {
		bool is_client = end == flow_client(f);
		if ((r.from_server && is_client) || (r.from_client && !is_client)) {
			f->flags ^= FLOW_CLIENT_B;
			port = f->port[!flow_client(f)];
			mail_port = port_is_mail(port);
			c->flags = (c->flags & ~CONN_MAIL_PORT) | (mail_port ? CONN_MAIL_PORT : 0u);
		}
		if (r.from_server || r.from_client)
			f->flags |= FLOW_SURE;
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
		case DPI_MORE: /* what follows may tell, and then this was its beginning */
			if (old + take <= PROBE_HOLD)
				hold_octets(e, c, end, buf, old + take);
			else
				forget_held(e, c, end);
			e->rest_len = 0;
			return;
		case DPI_OTHER:
		case DPI_UNKNOWN: conn_ignore(e, id); return;
		}
		return;
	case PROBE_OTHER:
		if (mail_port &&
		    (!(c->flags & CONN_SYN) || c->flags & (CONN_LOST_A | CONN_LOST_B))) {
			/* anything may look so from its middle on, TLS for one */
			begin_mail(e, c, conn_protocol_by_port(port), false, false, true);
			return;
		}
		if (mail_port && end == flow_client(f) && c->octets[!end] == 0) {
			/* a mail server answers that with an error, and what follows may be mail */
			(void)ask_dpi(e, c);
			begin_mail(e, c, conn_protocol_by_port(port), false, false, false);
			return;
		}
		if (mail_port)
			begin_other(e, c);
		else
			conn_ignore(e, id);
		e->rest_len = 0;
		return;
	}
}
