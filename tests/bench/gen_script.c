/* What a connection will say: chunks, turns, and the message under construction.  See gen.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gen.h"

uint64_t n_sessions_started;

struct totals total;

FILE *csv;

/* script building */
static struct script *free_scripts;

struct script *
script_new(void)
{
	struct script *s = free_scripts;
	if (s)
		free_scripts = s->next;
	else
		s = memset(xalloc(NULL, sizeof *s), 0, sizeof *s);
	s->alen = s->nch = s->ntu = 0;
	return s;
}

void
script_free(struct script *s)
{
	if (!s)
		return;
	if (s->acap > (1u << 20)) {
		free(s->arena);
		s->arena = NULL;
		s->acap = 0;
	}
	s->next = free_scripts;
	free_scripts = s;
}

static uint32_t
arena_add(struct script *s, const void *p, uint32_t n)
{
	uint32_t off = s->alen;
	if (s->alen + n > s->acap) {
		s->acap = (s->alen + n) * 2 + 1024;
		s->arena = xalloc(s->arena, s->acap);
	}
	if (p)
		memcpy(s->arena + off, p, n);
	s->alen += n;
	return off;
}

void
add_chunk(struct script *s, uint8_t kind, uint32_t off, uint32_t len)
{
	struct turn *t = &s->tu[s->ntu - 1];
	if (!len)
		return;
	t->len += len;
	if (s->nch > t->c0) {
		struct chunk *c = &s->ch[s->nch - 1];
		if (c->kind == kind && c->off + c->len == off) {
			c->len += len;
			return;
		}
	}
	if (s->nch == s->cch) {
		s->cch = s->cch * 2 + 64;
		s->ch = xalloc(s->ch, s->cch * sizeof *s->ch);
	}
	s->ch[s->nch++] = (struct chunk){kind, off, len};
	t->c1 = s->nch;
}

void
turn(struct script *s, int dir, uint32_t delay_us)
{
	if (s->ntu == s->ctu) {
		s->ctu = s->ctu * 2 + 16;
		s->tu = xalloc(s->tu, s->ctu * sizeof *s->tu);
	}
	s->tu[s->ntu++] = (struct turn){(uint8_t)dir, s->nch, s->nch, 0, delay_us};
}

void
put(struct script *s, const void *p, uint32_t n)
{
	add_chunk(s, K_ARENA, arena_add(s, p, n), n);
}

static char fmtbuf[8192];

static uint32_t
vfmt(const char *f, va_list ap)
{
	int n = vsnprintf(fmtbuf, sizeof fmtbuf, f, ap);
	if (n < 0 || n >= (int)sizeof fmtbuf) {
		fprintf(stderr, "format overflow\n");
		exit(2);
	}
	return (uint32_t)n;
}

__attribute__((format(printf, 2, 3))) void
say(struct script *s, const char *f, ...)
{
	va_list ap;
	uint32_t n;
	va_start(ap, f);
	n = vfmt(f, ap);
	va_end(ap);
	put(s, fmtbuf, n);
}

/* a message under construction: chunks kept apart from the turns */
static struct chunk *mch;

uint32_t nmch, mlen;
static uint32_t cmch;

void
m_chunk(uint8_t kind, uint32_t off, uint32_t len)
{
	if (!len)
		return;
	if (nmch == cmch) {
		cmch = cmch * 2 + 64;
		mch = xalloc(mch, cmch * sizeof *mch);
	}
	mch[nmch++] = (struct chunk){kind, off, len};
	mlen += len;
}

__attribute__((format(printf, 2, 3))) void
m_say(struct script *s, const char *f, ...)
{
	va_list ap;
	uint32_t n;
	va_start(ap, f);
	n = vfmt(f, ap);
	va_end(ap);
	m_chunk(K_ARENA, arena_add(s, fmtbuf, n), n);
}

static void
m_lines(struct rng *r, uint8_t kind, uint32_t lines)
{
	uint32_t ll = kind == K_B64 ? B64_LINE : TXT_LINE;
	while (lines) {
		uint32_t n = lines > POOL_LINES / 2 ? POOL_LINES / 2 : lines;
		m_chunk(kind, rnd(r, POOL_LINES - n) * ll, n * ll);
		lines -= n;
	}
}

void
rand_id(struct rng *r, char *out, int n)
{
	static const char a[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	while (n--)
		*out++ = a[rnd(r, 34)];
	*out = 0;
}

void
b64(const uint8_t *in, uint32_t n, char *out)
{
	uint32_t i;
	for (i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)(i + 1 < n ? in[i + 1] : 0) << 8 |
		    (uint32_t)(i + 2 < n ? in[i + 2] : 0);
		*out++ = b64c[v >> 18];
		*out++ = b64c[v >> 12 & 63];
		*out++ = i + 1 < n ? b64c[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? b64c[v & 63] : '=';
	}
	*out = 0;
}

uint64_t cur_time; /* ns since EPOCH, of the event being handled */

static void
date_str(char *b, size_t n)
{
	time_t t = (time_t)(EPOCH + cur_time / 1000000000ull);
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(b, n, "%a, %d %b %Y %H:%M:%S +0000", &tm);
}

const char *const tlds[] = {"com", "net", "org", "de", "co.uk"};

void
make_names(struct session *s, struct names *n)
{
	struct rng *r = &s->r;
	snprintf(n->cdom, sizeof n->cdom, "sender%u.example.%s", rnd(r, 900), tlds[rnd(r, 5)]);
	snprintf(n->sdom, sizeof n->sdom, "rcpt%u.example.%s", rnd(r, 90), tlds[rnd(r, 5)]);
	snprintf(n->chost, sizeof n->chost, "mta%u.%s", rnd(r, 20), n->cdom);
	snprintf(n->shost, sizeof n->shost, "mx%u.%s", rnd(r, 9), n->sdom);
	snprintf(n->user, sizeof n->user, "user%u", rnd(r, 100000));
}

/* One RFC 5322 message of about `target` bytes into mch/mlen. */
void
make_message(struct session *s, const struct names *n, uint32_t target, const char *rcpt,
    int stuffed)
{
	static const char *const at[] = {"application/pdf", "application/octet-stream",
	    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	    "application/msword"};
	static const char *const ext[] = {"pdf", "bin", "docx", "doc"};
	struct rng *r = &s->r;
	struct script *sc = s->sc;
	char id[24], bd[32], date[64];
	uint32_t i, hops = 1 + rnd(r, 3), rest;
	int trap = chance(r, 1), dots = chance(r, 3);

	nmch = 0;
	mlen = 0;
	date_str(date, sizeof date);
	for (i = 0; i < hops; i++) {
		rand_id(r, id, 10);
		m_say(sc,
		    "Received: from host%u.%s (host%u.%s [198.18.%u.%u])\r\n"
		    "\tby relay%u.%s (Postfix) with ESMTP id %s\r\n\tfor <%s>; %s\r\n",
		    rnd(r, 99), n->cdom, rnd(r, 99), n->cdom, rnd(r, 256), rnd(r, 256), i, n->cdom,
		    id, rcpt, date);
	}
	if (target > 1500 && chance(r, 60)) {
		uint32_t o = rnd(r, POOL_LINES - 6) * B64_LINE;
		m_say(sc,
		    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s%u;\r\n"
		    "\th=From:To:Subject:Date:Message-ID; bh=%.43s=;\r\n\tb=%.60s\r\n\t "
		    "%.70s\r\n\t %.70s\r\n\t %.70s\r\n",
		    n->cdom, rnd(r, 9), (char *)pool[K_B64] + o, (char *)pool[K_B64] + o + B64_LINE,
		    (char *)pool[K_B64] + o + 2 * B64_LINE, (char *)pool[K_B64] + o + 3 * B64_LINE,
		    (char *)pool[K_B64] + o + 4 * B64_LINE);
	}
	rand_id(r, id, 16);
	m_say(sc, "From: \"Sender %s\" <%s@%s>\r\nTo: <%s>\r\n", n->user, n->user, n->cdom, rcpt);
	if (chance(r, 20))
		m_say(sc, "Subject: =?utf-8?B?UmVwb3J0IGbDvHIgUXVhcnRhbCAz?= %u\r\n", rnd(r, 1000));
	else
		m_say(sc, "Subject: Report %u for project %u\r\n", rnd(r, 1000), rnd(r, 50));
	m_say(sc, "Date: %s\r\nMessage-ID: <%s.%u@%s>\r\nMIME-Version: 1.0\r\n", date, id,
	    rnd(r, 1u << 30), n->cdom);
	rest = target > mlen ? target - mlen : 100;
	if (rest < 3000) {
		m_say(sc,
		    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		    "7bit\r\n\r\n");
		if (trap) {
			m_say(sc,
			    "EHLO not.a.command\r\n250-STARTTLS\r\nSTARTTLS\r\n220 2.0.0 Ready to "
			    "start TLS\r\n"
			    "MAIL FROM:<nobody@example.com>\r\nDATA\r\nQUIT\r\n");
			s->t.traps++;
		}
		if (dots)
			m_say(sc, "%s. a line that begins with a dot\r\n", stuffed ? "." : "");
		m_lines(r, K_TXT, 1 + rest / TXT_LINE);
		return;
	}
	rand_id(r, bd, 20);
	m_say(sc,
	    "Content-Type: multipart/mixed; boundary=\"=_%s\"\r\n\r\n"
	    "This is a multi-part message in MIME format.\r\n--=_%s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
	    bd, bd);
	if (trap) {
		m_say(sc,
		    "250-STARTTLS\r\nSTARTTLS\r\n220 2.0.0 Ready to start TLS\r\nRSET\r\nQUIT\r\n");
		s->t.traps++;
	}
	if (dots)
		m_say(sc, "%s.\r\n%s..\r\n", stuffed ? "." : "", stuffed ? "." : "");
	i = rest / 4 < 4000 ? rest / 4 : 4000;
	m_lines(r, K_TXT, 1 + i / TXT_LINE);
	rest -= i;
	{
		uint32_t parts = rest > 20000 ? 1 + rnd(r, 3) : 1, k;
		for (k = 0; k < parts; k++) {
			uint32_t a = rnd(r, 4), lines = rest / parts / B64_LINE,
				 tail = 4 * (1 + rnd(r, 18));
			m_say(sc,
			    "--=_%s\r\nContent-Type: %s; name=\"file%u.%s\"\r\n"
			    "Content-Disposition: attachment; filename=\"file%u.%s\"\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\n",
			    bd, at[a], k, ext[a], k, ext[a]);
			m_lines(r, K_B64, lines);
			m_chunk(K_B64, rnd(r, POOL_LINES) * B64_LINE, tail);
			m_say(sc, "\r\n");
		}
	}
	m_say(sc, "--=_%s--\r\n", bd);
}

void
put_message_slice(struct script *s, uint32_t off, uint32_t len)
{
	uint32_t i;
	for (i = 0; i < nmch && len; i++) {
		uint32_t o = mch[i].off, l = mch[i].len;
		if (off >= l) {
			off -= l;
			continue;
		}
		o += off;
		l -= off;
		off = 0;
		if (l > len)
			l = len;
		add_chunk(s, mch[i].kind, o, l);
		len -= l;
	}
}
