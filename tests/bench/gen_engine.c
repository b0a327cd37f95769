/* Time: a small TCP model cuts turns into segments; an event heap orders the steps of all.  See
 * gen.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

static uint64_t
start_turn(struct session *s)
{
	struct turn *t;
	if (s->ti == s->sc->ntu) {
		s->state = ST_CLOSE;
		s->cstep = 0;
		return (uint64_t)think(&s->r) * 300;
	}
	t = &s->sc->tu[s->ti];
	s->state = ST_SEG;
	s->ci = t->c0;
	s->co = 0;
	s->left = t->len;
	s->segs = 0;
	s->burst = 10;
	s->inburst = 0;
	s->pend_ack = 0;
	return (uint64_t)t->delay_us * 1000 + 1;
}

/* one packet; returns the nanoseconds until the next, 0 when the script has ended */
static uint64_t
step(struct session *s, uint64_t now)
{
	struct turn *t;
	int d;
	uint32_t n, behind;
	switch (s->state) {
	case ST_SYN:
		tcp_out(s, now, 0, SYN, s->nxt[0], 0, 0);
		s->nxt[0]++;
		s->state = ST_SYNACK;
		return 30000 + rnd(&s->r, 200000);
	case ST_SYNACK:
		tcp_out(s, now, 1, SYN | ACK, s->nxt[1], s->nxt[0], 0);
		s->nxt[1]++;
		s->state = ST_EST;
		return (uint64_t)s->rtt_us * 1000;
	case ST_EST: tcp_out(s, now, 0, ACK, s->nxt[0], s->nxt[1], 0); return start_turn(s);
	case ST_SEG:
		t = &s->sc->tu[s->ti];
		d = t->dir;
		if (s->pend_ack) {
			s->pend_ack = 0;
			tcp_out(s, now, !d, ACK, s->nxt[!d], s->pend_val, 0);
			return s->gap_ns;
		}
		n = s->left < s->mss ? s->left : s->mss;
		s->left -= n;
		tcp_out(s, now, d, ACK | (s->left ? 0 : PSH), s->nxt[d], s->nxt[!d], n);
		s->nxt[d] += n;
		s->segs++;
		if (!s->left) {
			s->ti++;
			if (s->ti < s->sc->ntu && s->sc->tu[s->ti].dir != d &&
			    s->sc->tu[s->ti].delay_us < 40000)
				return start_turn(s); /* the answer carries the ACK */
			s->state = ST_TURNACK;
			return (uint64_t)(d ? s->rtt_us : 300) * 1000 + 1000;
		}
		behind = s->lag * s->mss;
		if (s->segs % 2 == 0 && (int32_t)(s->nxt[d] - behind - s->acked[!d]) > 0 &&
		    s->segs > s->lag) {
			s->pend_ack = 1;
			s->pend_val = s->nxt[d] - behind;
		}
		if (++s->inburst == s->burst) {
			s->inburst = 0;
			s->burst = s->burst >= 22 ? 44 : s->burst * 2;
			return (uint64_t)s->rtt_us * 1000;
		}
		return s->gap_ns / 2 + rnd(&s->r, s->gap_ns);
	case ST_TURNACK:
		d = s->sc->tu[s->ti - 1].dir;
		tcp_out(s, now, !d, ACK, s->nxt[!d], s->nxt[d], 0);
		return start_turn(s);
	case ST_CLOSE:
		if (s->park)
			return 0;
		d = s->closemode == CL_SERVER;
		switch (s->cstep++) {
		case 0:
			if (s->closemode == CL_RST) {
				tcp_out(s, now, 0, RST | ACK, s->nxt[0], s->nxt[1], 0);
				total.rst++;
				return 0;
			}
			tcp_out(s, now, d, FIN | ACK, s->nxt[d], s->nxt[!d], 0);
			s->nxt[d]++;
			return (uint64_t)(d ? s->rtt_us : 200) * 1000 + 50000;
		case 1:
			tcp_out(s, now, !d, FIN | ACK, s->nxt[!d], s->nxt[d], 0);
			s->nxt[!d]++;
			return (uint64_t)(d ? 60 : s->rtt_us) * 1000 + 1000;
		default:
			tcp_out(s, now, d, ACK, s->nxt[d], s->nxt[!d], 0);
			total.fin++;
			return 0;
		}
	default: { /* DNS: one datagram per turn */
		uint8_t *p;
		t = &s->sc->tu[s->ti++];
		p = l3_header(s, t->dir, 17, 8 + t->len);
		w16(p, t->dir ? s->sport : s->cport);
		w16(p + 2, t->dir ? s->cport : s->sport);
		w16(p + 4, 8 + t->len);
		w16(p + 6, 0);
		memcpy(p + 8, s->sc->arena + s->sc->ch[t->c0].off, t->len);
		emit(s, now, 0, pkt_len);
		return s->ti < s->sc->ntu ? (uint64_t)s->sc->tu[s->ti].delay_us * 1000 + 1 : 0;
	}
	}
}

static uint64_t planned[N_CLASS], planned_total;

static struct session *
session_new(int cls)
{
	struct session *s = memset(xalloc(NULL, sizeof *s), 0, sizeof *s);
	uint64_t i = n_sessions_started++, hi, plan;
	uint32_t lo, srv, k;
	struct rng *r = &s->r;
	rng_seed(r, opt_seed, i);
	s->idx = i;
	s->cls = (uint8_t)cls;
	s->t0 = cur_time;
	lo = (uint32_t)(i * 40503u % 131072u);
	hi = i / 131072u;
	s->cip4 = 0xc6120000u + lo;					 /* 198.18.0.0/15 */
	s->cport = (uint16_t)(32768 + (hi * 7919 + lo * 31ull) % 28232); /* unique with cip4 */
	srv = rnd(r, 64);
	if (cls != C_MAIL)
		srv = 64 + rnd(r, 190);
	s->sip4 = 0xcb007100u + srv; /* 203.0.113.0/24 */
	s->v6 = (uint8_t)chance(r, opt_v6);
	s->mss = s->v6 ? 1428 : 1448;
	for (k = 0; k < 2; k++) {
		s->nxt[k] = s->acked[k] = (uint32_t)rng64(r);
		s->tsoff[k] = (uint32_t)rng64(r);
		s->ipid[k] = (uint16_t)rng64(r);
	}
	s->rtt_us = lognormal(r, 20000, 0.9, 300, 300000);
	s->gap_ns = lognormal(r, 15000, 0.6, 1300, 400000);
	s->lag = 2 * rrange(r, 1, 4);
	s->sc = script_new();
	switch (cls) {
	case C_MAIL:
		s->t.tiny = profile == P_TINY;
		s->sport = rnd(r, 100) < 60 ? 25 : 587;
		if (chance(r, opt_odd)) {
			static const uint16_t odd[] = {2525, 26, 10025, 366};
			s->sport = odd[rnd(r, 4)];
		}
		s->park = profile == P_MANY;
		build_mail(s, profile == P_MANY ? 1 : 0);
		break;
	case C_TLS:
		s->sport = 443;
		build_tls(s);
		break;
	case C_HTTP:
		s->sport = 80;
		build_http(s);
		break;
	default:
		s->sport = 53;
		s->state = ST_DNS;
		build_dns(s);
		break;
	}
	plan = cls == C_DNS
	    ? 0
	    : 520; /* bytes in the file: handshake and close, headers, a third or so of the ACKs */
	for (k = 0; k < s->sc->ntu; k++)
		plan += (cls == C_DNS ? 58 : 98) + s->sc->tu[k].len * 109ull / 100;
	planned[cls] += plan;
	planned_total += plan;
	return s;
}

static const char *
ip_str(const struct session *s, int server, char *b)
{
	uint8_t a[16];
	uint32_t v = server ? s->sip4 : s->cip4;
	if (!s->v6) {
		sprintf(b, "%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
		return b;
	}
	v6_addr(a, v, server);
	if (a[4] << 8 | a[5])
		sprintf(b, "2001:db8:%x::%x:%x", a[4] << 8 | a[5], v >> 16, v & 0xffff);
	else
		sprintf(b, "2001:db8::%x:%x", v >> 16, v & 0xffff);
	return b;
}

static void
account(struct session *s)
{
	static const char *const vn[] = {"none", "encrypted", "cleartext"};
	static const char *const tn_[] = {"not_offered", "offered_unused", "refused", "stripped",
	    "used"};
	static const char *const an[] = {"-", "PLAIN", "LOGIN"};
	struct truth *t = &s->t;
	if (s->cls == C_DNS)
		total.udp_flows++;
	else
		total.tcp_flows++;
	total.v6 += s->v6;
	total.dropped += t->dropped;
	total.reordered += t->reordered;
	total.rexmit += t->rexmit;
	if (s->cls != C_MAIL)
		return;
	total.smtp++;
	total.enc += t->verdict == V_ENCRYPTED;
	total.clear += t->verdict == V_CLEARTEXT;
	total.p25 += s->sport == 25;
	total.p587 += s->sport == 587;
	total.podd += s->sport != 25 && s->sport != 587;
	total.msg_data += t->clear_data;
	total.msg_bdat += t->clear_bdat;
	total.msg_bytes += t->clear_bytes;
	total.clear_with_mail += t->clear_data + t->clear_bdat > 0;
	total.enc_msgs += t->enc_msgs;
	total.traps += t->traps;
	total.auth += t->auth > 0;
	total.auth_plain += t->auth == 1;
	total.auth_login += t->auth == 2;
	total.auth_failed += t->auth_failed;
	total.not_offered += t->tlsuse == T_NOT_OFFERED;
	total.unused += t->tlsuse == T_OFFERED_UNUSED;
	total.refused += t->tlsuse == T_REFUSED;
	total.stripped += t->tlsuse == T_STRIPPED;
	total.offered +=
	    t->tlsuse == T_OFFERED_UNUSED || t->tlsuse == T_REFUSED || t->tlsuse == T_USED;
	total.helo += t->helo;
	total.pipe += t->pipelining;
	total.bdat_sessions += t->clear_bdat > 0;
	total.rcpt_rejected += t->rcpt_rejected;
	total.tls12 += t->tlsver == 12;
	total.tls13 += t->tlsver == 13;
	total.dropped_mail_sessions += t->dropped > 0;
	if (csv) {
		char a[64], b[64];
		fprintf(csv, "%llu,%s,%u,%s,%u,%s,%s,%u,%u,%u,%s,%u,%u,%u,%u,%u\n",
		    (unsigned long long)s->idx, ip_str(s, 0, a), s->cport, ip_str(s, 1, b),
		    s->sport, vn[t->verdict], tn_[t->tlsuse], t->clear_data, t->clear_bdat,
		    t->enc_msgs, an[t->auth], t->auth_failed, t->pipelining, t->helo, t->traps,
		    t->dropped);
	}
}

static struct event *heap;

static size_t nheap, cheap;

static uint64_t ev_no;

static int
before(const struct event *a, const struct event *b)
{
	return a->t < b->t || (a->t == b->t && a->n < b->n);
}

static void
push(uint64_t t, struct session *s)
{
	size_t i;
	struct event e = {t, ev_no++, s};
	if (nheap == cheap) {
		cheap = cheap * 2 + 1024;
		heap = xalloc(heap, cheap * sizeof *heap);
	}
	for (i = nheap++; i && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

static struct event
pop(void)
{
	struct event top = heap[0], e = heap[--nheap];
	size_t i = 0, c;
	while ((c = 2 * i + 1) < nheap) {
		if (c + 1 < nheap && before(&heap[c + 1], &heap[c]))
			c++;
		if (!before(&heap[c], &e))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = e;
	return top;
}

static int
next_class(void)
{
	static const double other[N_CLASS] = {0, 0.78, 0.195, 0.025};
	double best = -1e30, share, d;
	int c, b = C_MAIL;
	if (profile != P_SPAN)
		return C_MAIL;
	for (c = 0; c < N_CLASS; c++) {
		share = c == C_MAIL ? opt_mailshare / 100 : (1 - opt_mailshare / 100) * other[c];
		d = share * (double)(planned_total + 100000) - (double)planned[c];
		if (d > best) {
			best = d;
			b = c;
		}
	}
	return b;
}

static int
more(void)
{
	if (opt_sessions && n_sessions_started >= opt_sessions)
		return 0;
	if (opt_bytes && planned_total >= opt_bytes)
		return 0;
	return 1;
}

static void
finish(struct session *s, uint64_t now)
{
	release(s, now, 1);
	account(s);
	script_free(s->sc);
	free(s);
}

void
run_closed_loop(void)
{
	struct rng r;
	uint32_t i;
	uint64_t ramp;
	rng_seed(&r, 0x72616d70, opt_seed);
	ramp = 500000000ull + opt_conc * 1000000ull;
	for (i = 0; i < opt_conc; i++)
		push(rng64(&r) % ramp, NULL); /* NULL: an idle slot */
	while (nheap) {
		struct event e = pop();
		uint64_t d;
		cur_time = e.t;
		expire(e.t);
		if (!e.s) {
			if (!more())
				continue;
			e.s = session_new(next_class());
		}
		d = step(e.s, e.t);
		if (d) {
			push(e.t + d, e.s);
			continue;
		}
		finish(e.s, e.t);
		if (more())
			push(e.t + 20000000ull + rnd(&r, 400000000u), NULL);
	}
}

void
run_many(void)
{
	struct session **all = xalloc(NULL, opt_sessions * sizeof *all);
	uint64_t i, next, gap = 1000000000ull / opt_rate, now = 0;
	int phase;
	for (phase = 1; phase <= (opt_phase2 ? 2 : 1); phase++) {
		uint64_t base = now + (phase == 2 ? 1000000000ull : 0);
		for (i = 0; i < opt_sessions || nheap;) {
			next = base + i * gap;
			if (i < opt_sessions && (!nheap || next <= heap[0].t)) {
				struct session *s;
				cur_time = next;
				if (phase == 1) {
					s = all[i] = session_new(C_MAIL);
					push(next, s);
				} else {
					s = all[i];
					s->sc = script_new();
					s->ti = 0;
					build_mail(s, 2);
					push(next + start_turn(s), s);
				}
				i++;
			} else {
				struct event e = pop();
				uint64_t d;
				now = cur_time = e.t;
				expire(now);
				d = e.s->state == ST_CLOSE ? 0 : step(e.s, e.t);
				if (d && e.s->state != ST_CLOSE)
					push(e.t + d, e.s);
				else {
					script_free(e.s->sc);
					e.s->sc = NULL;
				}
			}
		}
	}
	for (i = 0; i < opt_sessions; i++)
		finish(all[i], now);
	free(all);
}
