/* Frames on the wire: headers, checksums, what a capture loses, and the file.  See gen.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

FILE *capture_out;

static uint8_t obuf[4 << 20];

static size_t on;

void
oflush(void)
{
	if (on && fwrite(obuf, 1, on, capture_out) != on) {
		perror(out_name);
		exit(2);
	}
	on = 0;
}

void
obytes(const void *p, size_t n)
{
	if (on + n > sizeof obuf)
		oflush();
	memcpy(obuf + on, p, n);
	on += n;
}

static void
write_record(uint64_t now, const uint8_t *f, uint32_t len, int cls)
{
	uint32_t h[4];
	if (now < total.last_ns)
		now = total.last_ns;
	if (!total.packets)
		total.first_ns = now;
	total.last_ns = now;
	h[0] = (uint32_t)(EPOCH + now / 1000000000ull);
	h[1] = (uint32_t)(now % 1000000000ull / (opt_nsec ? 1 : 1000));
	h[2] = h[3] = len;
	obytes(h, 16);
	obytes(f, len);
	total.packets++;
	total.bytes += len + 16;
	total.class_bytes[cls] += len + 16;
}

static uint64_t
sum_add(const uint8_t *p, uint32_t n, uint64_t s)
{
	while (n >= 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		s += (v & 0xffffffffu) + (v >> 32);
		p += 8;
		n -= 8;
	}
	if (n >= 4) {
		uint32_t v;
		memcpy(&v, p, 4);
		s += v;
		p += 4;
		n -= 4;
	}
	if (n >= 2) {
		uint16_t v;
		memcpy(&v, p, 2);
		s += v;
		p += 2;
		n -= 2;
	}
	if (n) {
		uint8_t b[2] = {*p, 0};
		uint16_t v;
		memcpy(&v, b, 2);
		s += v;
	}
	return s;
}

static uint16_t
sum_fold(uint64_t s)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

void
w16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
w32(uint8_t *p, uint32_t v)
{
	w16(p, v >> 16);
	w16(p + 2, v);
}

static void
checksums(uint8_t *f, uint32_t len, int v6)
{
	uint8_t *ip = f + 14, *l4 = ip + (v6 ? 40 : 20), ps[4] = {0};
	uint32_t l4len = len - (uint32_t)(l4 - f);
	int proto = v6 ? ip[6] : ip[9];
	uint8_t *ck = l4 + (proto == 6 ? 16 : 6);
	uint64_t s;
	uint16_t c;
	if (!v6) {
		ip[10] = ip[11] = 0;
		c = sum_fold(sum_add(ip, 20, 0));
		memcpy(ip + 10, &c, 2);
	}
	ck[0] = ck[1] = 0;
	s = v6 ? sum_add(ip + 8, 32, 0) : sum_add(ip + 12, 8, 0);
	ps[1] = (uint8_t)proto;
	w16(ps + 2, l4len);
	s = sum_add(ps, 4, s);
	c = sum_fold(sum_add(l4, l4len, s));
	if (proto == 17 && !c)
		c = 0xffff;
	memcpy(ck, &c, 2);
}

static uint8_t pkt[2048];

uint32_t pkt_len;

void
v6_addr(uint8_t *p, uint32_t v4, int server)
{
	static const uint8_t pre[8] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0};
	memcpy(p, pre, 8);
	p[5] = server ? 0x25 : (uint8_t)(v4 >> 12);
	memset(p + 8, 0, 4);
	w32(p + 12, v4);
}

uint8_t *
l3_header(struct session *s, int d, int proto, uint32_t l4len)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	uint8_t *p = pkt + 14;
	memcpy(pkt, mac[!d], 6);
	memcpy(pkt + 6, mac[d], 6);
	if (s->v6) {
		w16(pkt + 12, 0x86dd);
		w32(p, 0x60000000u);
		w16(p + 4, l4len);
		p[6] = (uint8_t)proto;
		p[7] = d ? 64 : 57;
		v6_addr(p + 8 + (d ? 16 : 0), s->cip4, 0);
		v6_addr(p + 8 + (d ? 0 : 16), s->sip4, 1);
		pkt_len = 14 + 40 + l4len;
		return p + 40;
	}
	w16(pkt + 12, 0x0800);
	p[0] = 0x45;
	p[1] = 0;
	w16(p + 2, 20 + l4len);
	w16(p + 4, s->ipid[d]++);
	w16(p + 6, proto == 6 ? 0x4000 : 0);
	p[8] = d ? 64 : 57;
	p[9] = (uint8_t)proto;
	w32(p + 12, d ? s->sip4 : s->cip4);
	w32(p + 16, d ? s->cip4 : s->sip4);
	pkt_len = 14 + 20 + l4len;
	return p + 20;
}

/* capture impairments: loss, reordering inside the flow, retransmission */
struct rng imp;

static struct held *held;

static uint64_t held_next = UINT64_MAX; /* the earliest deadline, or earlier */

static void
hold(struct session *s, const uint8_t *f, uint32_t len, uint32_t k, uint64_t deadline)
{
	struct held *h = xalloc(NULL, sizeof *h), **pp = &held;
	h->s = s;
	h->buf = xalloc(NULL, len);
	memcpy(h->buf, f, len);
	h->len = len;
	h->k = k;
	h->deadline = deadline;
	h->next = NULL;
	while (*pp)
		pp = &(*pp)->next;
	*pp = h;
	if (deadline < held_next)
		held_next = deadline;
}

static void
held_write(struct held **pp, uint64_t now)
{
	struct held *h = *pp;
	write_record(now, h->buf, h->len, h->s->cls);
	*pp = h->next;
	free(h->buf);
	free(h);
}

void
release(struct session *s, uint64_t now, int all)
{
	struct held **pp = &held;
	while (*pp) {
		if ((*pp)->s == s && (all || --(*pp)->k == 0))
			held_write(pp, now);
		else
			pp = &(*pp)->next;
	}
}

void
expire(uint64_t now)
{
	while (held_next <= now) {
		struct held **pp = &held, **first = NULL;
		uint64_t second = UINT64_MAX;
		for (; *pp; pp = &(*pp)->next) {
			if (!first || (*pp)->deadline < (*first)->deadline) {
				if (first && (*first)->deadline < second)
					second = (*first)->deadline;
				first = pp;
			} else if ((*pp)->deadline < second)
				second = (*pp)->deadline;
		}
		if (first && (*first)->deadline <= now) {
			held_write(first, (*first)->deadline);
			held_next = second;
		} else
			held_next = first ? (*first)->deadline : UINT64_MAX;
	}
}

void
emit(struct session *s, uint64_t now, uint32_t data, uint32_t hdr)
{
	double x;
	checksums(pkt, pkt_len, s->v6);
	if (opt_drop <= 0 && opt_reorder <= 0 && opt_rexmit <= 0) {
		write_record(now, pkt, pkt_len, s->cls);
		return;
	}
	x = unit(&imp) * 100;
	if (x < opt_drop) {
		s->t.dropped++;
		release(s, now, 0);
	} else if (x < opt_drop + opt_reorder) {
		s->t.reordered++;
		release(s, now, 0);
		hold(s, pkt, pkt_len, 1 + rnd(&imp, (uint32_t)opt_window),
		    now + (uint64_t)opt_window_us * 1000);
	} else {
		write_record(now, pkt, pkt_len, s->cls);
		release(s, now, 0);
	}
	if (data &&
	    chance(&imp, opt_rexmit)) { /* a later copy; one in four starts inside the segment */
		uint32_t l4 = 14 + (s->v6 ? 40 : 20), cut = rnd(&imp, 4) == 0 ? data / 2 : 0;
		s->t.rexmit++;
		if (cut) {
			uint32_t seq = (uint32_t)pkt[l4 + 4] << 24 | (uint32_t)pkt[l4 + 5] << 16 |
			    (uint32_t)pkt[l4 + 6] << 8 | pkt[l4 + 7];
			w32(pkt + l4 + 4, seq + cut);
			memmove(pkt + hdr, pkt + hdr + cut, data - cut);
			pkt_len -= cut;
			w16(pkt + 14 + (s->v6 ? 4 : 2), pkt_len - 14 - (s->v6 ? 40 : 0));
		}
		if (!s->v6)
			w16(pkt + 18, (uint32_t)(pkt[18] << 8 | pkt[19]) + 7);
		checksums(pkt, pkt_len, s->v6);
		hold(s, pkt, pkt_len, 1 + rnd(&imp, (uint32_t)opt_window), now + 200000000ull);
	}
}

void
tcp_out(struct session *s, uint64_t now, int d, int flags, uint32_t seq, uint32_t ack, uint32_t n)
{
	uint32_t opt = flags & SYN ? 20 : 12, ms = s->tsoff[d] + (uint32_t)(now / 1000000), k;
	uint8_t *p = l3_header(s, d, 6, 20 + opt + n), *o = p + 20, *q = o + opt;
	uint16_t cp = s->cport, sp = s->sport;
	w16(p, d ? sp : cp);
	w16(p + 2, d ? cp : sp);
	w32(p + 4, seq);
	w32(p + 8, flags & ACK ? ack : 0);
	p[12] = (uint8_t)((20 + opt) / 4 << 4);
	p[13] = (uint8_t)flags;
	w16(p + 14, flags & SYN ? 64240 : 502);
	w16(p + 16, 0);
	w16(p + 18, 0);
	if (flags & SYN) {
		*o++ = 2;
		*o++ = 4;
		w16(o, s->mss + 12u);
		o += 2;
		*o++ = 4;
		*o++ = 2;
	} else {
		*o++ = 1;
		*o++ = 1;
	}
	*o++ = 8;
	*o++ = 10;
	w32(o, ms);
	w32(o + 4, flags & ACK ? s->tslast[!d] : 0);
	o += 8;
	if (flags & SYN) {
		*o++ = 1;
		*o++ = 3;
		*o++ = 3;
		*o++ = 7;
	}
	s->tslast[d] = ms;
	if (flags & ACK)
		s->acked[d] = ack;
	for (k = n; k;) { /* gather the payload from the script */
		struct chunk *c = &s->sc->ch[s->ci];
		uint32_t l = c->len - s->co;
		if (l > k)
			l = k;
		memcpy(q, (c->kind == K_ARENA ? s->sc->arena : pool[c->kind]) + c->off + s->co, l);
		q += l;
		k -= l;
		s->co += l;
		if (s->co == c->len) {
			s->ci++;
			s->co = 0;
		}
	}
	emit(s, now, n, pkt_len - n);
}
