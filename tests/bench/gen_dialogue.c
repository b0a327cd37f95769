/* Dialogues: SMTP of every kind, and the other traffic of a mirror port.  See gen.h. */
#include <stdio.h>
#include <string.h>

#include "gen.h"

uint32_t
think(struct rng *r)
{
	return lognormal(r, 1500, 1.0, 150, 60000);
}

#define S_TURN() turn(sc, 1, think(r))

#define C_TURN() turn(sc, 0, s->rtt_us + think(r) / 4)

static const struct verbs verbs[3] = {{"EHLO", "HELO", "MAIL FROM:", "RCPT TO:", "DATA", "QUIT",
					  "STARTTLS", "AUTH", "BDAT"},
    {"ehlo", "helo", "mail from:", "rcpt to:", "data", "quit", "starttls", "auth", "bdat"},
    {"Ehlo", "Helo", "Mail From:", "Rcpt To:", "Data", "Quit", "StartTLS", "Auth", "Bdat"}};

static void
greeting(struct session *s, const struct names *n, int kind)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	S_TURN();
	if (chance(r, 5))
		say(sc, "220-%s welcomes you\r\n220-Unsolicited bulk mail is not accepted here\r\n",
		    n->shost);
	if (kind == 0)
		say(sc, "220 %s ESMTP Postfix (Debian/GNU)\r\n", n->shost);
	else if (kind == 1)
		say(sc,
		    "220 %s Microsoft ESMTP MAIL Service ready at Tue, 14 Nov 2023 22:13:20 "
		    "+0000\r\n",
		    n->shost);
	else
		say(sc, "220 %s ESMTP Exim 4.96 Tue, 14 Nov 2023 22:13:20 +0000\r\n", n->shost);
}

/* tls: 0 not offered, 1 offered, 2 stripped by a middle box */
static void
capabilities(struct session *s, const struct names *n, int kind, int tls, int auth)
{
	struct script *sc = s->sc;
	const char *st = tls == 1 ? "250-STARTTLS\r\n" : tls == 2 ? "250-XXXXXXXA\r\n" : "";
	const char *au = auth ? "250-AUTH PLAIN LOGIN\r\n" : "";
	if (kind == 0)
		say(sc,
		    "250-%s\r\n250-PIPELINING\r\n250-SIZE "
		    "52428800\r\n250-ETRN\r\n%s%s250-ENHANCEDSTATUSCODES\r\n"
		    "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
		    n->shost, st, au);
	else if (kind == 1)
		say(sc,
		    "250-%s Hello [%u.%u.%u.%u]\r\n250-SIZE "
		    "37748736\r\n250-PIPELINING\r\n250-DSN\r\n"
		    "250-ENHANCEDSTATUSCODES\r\n%s%s250-8BITMIME\r\n250-BINARYMIME\r\n250-"
		    "CHUNKING\r\n250 SMTPUTF8\r\n",
		    n->shost, s->cip4 >> 24, s->cip4 >> 16 & 255, s->cip4 >> 8 & 255, s->cip4 & 255,
		    st, au);
	else
		say(sc,
		    "250-%s Hello %s [%u.%u.%u.%u]\r\n250-SIZE "
		    "52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n"
		    "250-PIPECONNECT\r\n250-CHUNKING\r\n%s%s250-PRDR\r\n250 HELP\r\n",
		    n->shost, n->chost, s->cip4 >> 24, s->cip4 >> 16 & 255, s->cip4 >> 8 & 255,
		    s->cip4 & 255, au, st);
}

static uint32_t
message_count(struct rng *r)
{
	uint32_t x = rnd(r, 100);
	return x < 65 ? 1 : x < 83 ? 2 : x < 95 ? rrange(r, 3, 5) : rrange(r, 6, 12);
}

static uint32_t
message_size(struct rng *r)
{
	return lognormal(r, 8192, 1.9, 400, opt_maxmsg);
}

static void
tls_handshake(struct session *s, const struct names *n)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	int v13 = chance(r, 70);
	s->t.tlsver = v13 ? 13 : 12;
	C_TURN();
	client_hello(sc, r, n->shost, v13, 0);
	S_TURN();
	server_flight(sc, r, v13);
	C_TURN();
	client_finish(sc, r, v13);
	S_TURN();
	server_finish(sc, r, v13);
}

static void
encrypted_part(struct session *s, const struct names *n)
{
	static const uint32_t recs[] = {1400, 4096, 16384};
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	uint32_t i, k, msgs = message_count(r), rec = recs[rnd(r, 3)];
	int pipe = chance(r, 35), v13;
	tls_handshake(s, n);
	v13 = s->t.tlsver == 13;
#define C_ENC(len)                                \
	do {                                      \
		C_TURN();                         \
		tls_data(sc, r, v13, (len), rec); \
	} while (0)
#define S_ENC(len)                                \
	do {                                      \
		S_TURN();                         \
		tls_data(sc, r, v13, (len), rec); \
	} while (0)
	C_ENC(rrange(r, 20, 40));
	S_ENC(rrange(r, 120, 200));
	if (s->sport == 587 && chance(r, 90)) {
		C_ENC(rrange(r, 30, 60));
		S_ENC(37);
	}
	for (i = 0; i < msgs; i++) {
		if (pipe) {
			C_ENC(rrange(r, 80, 160));
			S_ENC(rrange(r, 70, 90));
		} else
			for (k = 0; k < 3; k++) {
				C_ENC(k == 2 ? 6 : rrange(r, 30, 60));
				S_ENC(k == 2 ? 37 : 14);
			}
		C_ENC(message_size(r));
		S_ENC(40);
		s->t.enc_msgs++;
	}
	C_ENC(6);
	S_ENC(15);
	C_TURN();
	rand_record(sc, r, 21, v13 ? 19 : 26);
}

static void
auth_part(struct session *s, const struct verbs *v, const struct names *n, int *failed)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	uint8_t raw[96];
	char pw[16], e[160], e2[160];
	int l, kind = (int)rnd(r, 100), ul = (int)strlen(n->user);
	rand_id(r, pw, 10);
	*failed = chance(r, 3);
	if (kind < 50) { /* PLAIN, mostly with the initial response */
		l = 0;
		raw[l++] = 0;
		memcpy(raw + l, n->user, (size_t)ul);
		l += ul;
		raw[l++] = 0;
		memcpy(raw + l, pw, 10);
		l += 10;
		b64(raw, (uint32_t)l, e);
		s->t.auth = 1;
		if (kind < 40) {
			C_TURN();
			say(sc, "%s PLAIN %s\r\n", v->auth, e);
		} else {
			C_TURN();
			say(sc, "%s PLAIN\r\n", v->auth);
			S_TURN();
			say(sc, "334 \r\n");
			C_TURN();
			say(sc, "%s\r\n", e);
		}
	} else {
		b64((const uint8_t *)n->user, (uint32_t)ul, e);
		b64((const uint8_t *)pw, 10, e2);
		s->t.auth = 2;
		if (kind < 95) {
			C_TURN();
			say(sc, "%s LOGIN\r\n", v->auth);
			S_TURN();
			say(sc, "334 VXNlcm5hbWU6\r\n");
			C_TURN();
			say(sc, "%s\r\n", e);
		} else {
			C_TURN();
			say(sc, "%s LOGIN %s\r\n", v->auth, e);
		}
		S_TURN();
		say(sc, "334 UGFzc3dvcmQ6\r\n");
		C_TURN();
		say(sc, "%s\r\n", e2);
	}
	S_TURN();
	if (*failed) {
		say(sc, "535 5.7.8 Error: authentication failed\r\n");
		s->t.auth_failed = 1;
	} else
		say(sc, "235 2.7.0 Authentication successful\r\n");
}

static void
clear_part(struct session *s, const struct verbs *v, const struct names *n, int ehlo, int pipe,
    int use_bdat, uint32_t msgs)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	uint32_t i, k;
	int quit_sent = 0;
	for (i = 0; i < msgs; i++) {
		uint32_t size = s->t.tiny ? rrange(r, 120, 400) : message_size(r), rc = 1, ok = 0;
		char rcpt[4][96], from[96], qid[16];
		uint8_t bad[4] = {0};
		char sizearg[40] = "";
		if (!s->t.tiny)
			rc = chance(r, 80) ? 1 : rrange(r, 2, 4);
		for (k = 0; k < rc; k++) {
			snprintf(rcpt[k], sizeof rcpt[k], "rcpt%u@%s", rnd(r, 100000), n->sdom);
			bad[k] = !s->t.tiny && chance(r, 3);
			ok += !bad[k];
		}
		snprintf(from, sizeof from, "%s@%s", n->user, n->cdom);
		if (s->t.tiny) {
			nmch = 0;
			mlen = 0;
			m_say(sc, "From: <%s>\r\nTo: <%s>\r\nSubject: status %u\r\n\r\n", from,
			    rcpt[0], rnd(r, 1000));
			m_chunk(K_TXT, rnd(r, POOL_LINES) * TXT_LINE, TXT_LINE);
		} else {
			uint16_t traps = s->t.traps;
			make_message(s, n, size, rcpt[0], !use_bdat);
			if (!ok)
				s->t.traps = traps;
		}
		if (ehlo && chance(r, 70))
			snprintf(sizearg, sizeof sizearg, " SIZE=%u%s", mlen,
			    chance(r, 30) ? " BODY=8BITMIME" : "");
		C_TURN();
		say(sc, "%s<%s>%s\r\n", v->mail, from, sizearg);
		if (!pipe) {
			S_TURN();
			say(sc, "250 2.1.0 Ok\r\n");
		}
		for (k = 0; k < rc; k++) {
			if (!pipe)
				C_TURN();
			say(sc, "%s<%s>\r\n", v->rcpt, rcpt[k]);
			if (!pipe) {
				S_TURN();
				say(sc, "%s",
				    bad[k] ? "550 5.1.1 User unknown in local recipient table\r\n"
					   : "250 2.1.5 Ok\r\n");
			}
		}
		if (!use_bdat && (pipe || ok)) {
			if (!pipe)
				C_TURN();
			say(sc, "%s\r\n", v->data);
		}
		if (pipe) {
			S_TURN();
			say(sc, "250 2.1.0 Ok\r\n");
			for (k = 0; k < rc; k++)
				say(sc, "%s",
				    bad[k] ? "550 5.1.1 User unknown in local recipient table\r\n"
					   : "250 2.1.5 Ok\r\n");
		} else if (!use_bdat && ok)
			S_TURN();
		if (!ok) {
			s->t.rcpt_rejected = 1;
			if (pipe && !use_bdat)
				say(sc, "554 5.5.1 Error: no valid recipients\r\n");
			C_TURN();
			say(sc, "RSET\r\n");
			S_TURN();
			say(sc, "250 2.0.0 Ok\r\n");
			continue;
		}
		rand_id(r, qid, 10);
		if (use_bdat) {
			uint32_t off = 0,
				 piece = chance(r, 50) ? 0xffffffffu : rrange(r, 16, 256) * 1024;
			while (off < mlen) {
				uint32_t l = mlen - off < piece ? mlen - off : piece;
				int last = off + l == mlen;
				C_TURN();
				say(sc, "%s %u%s\r\n", v->bdat, l, last ? " LAST" : "");
				put_message_slice(sc, off, l);
				off += l;
				S_TURN();
				if (last)
					say(sc, "250 2.0.0 Ok: %u bytes queued as %s\r\n", mlen,
					    qid);
				else
					say(sc, "250 2.0.0 Ok: %u bytes\r\n", l);
			}
			s->t.clear_bdat++;
		} else {
			say(sc, "354 End data with <CR><LF>.<CR><LF>\r\n");
			C_TURN();
			put_message_slice(sc, 0, mlen);
			say(sc, ".\r\n");
			if (pipe && i + 1 == msgs && chance(r, 25)) {
				say(sc, "%s\r\n", v->quit);
				quit_sent = 1;
			}
			S_TURN();
			say(sc, "250 2.0.0 Ok: queued as %s\r\n", qid);
			s->t.clear_data++;
		}
		s->t.clear_bytes += mlen;
	}
	if (quit_sent)
		say(sc, "221 2.0.0 Bye\r\n");
	else if (s->t.tiny || !chance(r, 3)) {
		C_TURN();
		say(sc, "%s\r\n", v->quit);
		S_TURN();
		say(sc, "221 2.0.0 Bye\r\n");
	} else
		s->closemode = CL_CLIENT;
}

void
build_mail(struct session *s, int part) /* part 0 whole, 1 to the EHLO reply, 2 after it */
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	struct names n;
	const struct verbs *v;
	int kind, offer, enc, ehlo, auth, x;
	struct truth *t = &s->t;

	rng_seed(r, opt_seed ^ 0x6e616d65, s->idx); /* part 2 makes the same choices again */
	make_names(s, &n);
	kind = rnd(r, 100) < 60 ? 0 : (int)rrange(r, 1, 2);
	x = (int)rnd(r, 100);
	v = &verbs[x < 90 ? 0 : x < 95 ? 1 : 2];
	enc = !t->tiny && chance(r, opt_starttls);
	ehlo = enc || t->tiny || !chance(r, 3);
	x = (int)rnd(r, 1000);
	if (enc)
		t->tlsuse = T_USED;
	else if (!ehlo || x < 380)
		t->tlsuse = T_NOT_OFFERED;
	else if (x < 400)
		t->tlsuse = T_STRIPPED;
	else if (x < 420 && !t->tiny)
		t->tlsuse = T_REFUSED;
	else
		t->tlsuse = T_OFFERED_UNUSED;
	offer = t->tlsuse == T_NOT_OFFERED ? 0 : t->tlsuse == T_STRIPPED ? 2 : 1;
	auth = ehlo && !enc && !t->tiny && chance(r, s->sport == 587 ? 60 : 3);
	t->helo = !ehlo;
	t->verdict = enc ? V_ENCRYPTED : V_CLEARTEXT;
	if (part != 0 && t->tlsuse == T_REFUSED)
		t->tlsuse = T_OFFERED_UNUSED; /* nobody asks before the end */
	if (part == 1 || (part == 2 && enc))
		t->verdict = V_NONE; /* no mail crosses, and no handshake ends */
	if (part != 2) {
		greeting(s, &n, kind);
		C_TURN();
		say(sc, "%s %s\r\n", ehlo ? v->ehlo : v->helo, n.chost);
		S_TURN();
		if (ehlo)
			capabilities(s, &n, kind, offer, auth || s->sport == 587);
		else
			say(sc, "250 %s\r\n", n.shost);
		if (part == 1)
			return;
	} else {
		if (enc) {
			C_TURN();
			say(sc, "%s\r\n", v->starttls);
			S_TURN();
			say(sc, "220 2.0.0 Ready to start TLS\r\n");
			C_TURN();
			client_hello(sc, r, n.shost, 1, 0);
		} else {
			C_TURN();
			say(sc, "%s<%s@%s>\r\n", v->mail, n.user, n.cdom);
			S_TURN();
			say(sc, "250 2.1.0 Ok\r\n");
		}
		return;
	}
	x = (int)rnd(r, 100);
	s->closemode = x < 2 ? CL_RST : x < 60 ? CL_SERVER : CL_CLIENT;
	if (enc || t->tlsuse == T_REFUSED) {
		C_TURN();
		say(sc, "%s\r\n", v->starttls);
		S_TURN();
		say(sc, "%s",
		    enc ? "220 2.0.0 Ready to start TLS\r\n"
			: "454 4.7.0 TLS not available due to local problem\r\n");
	}
	if (enc) {
		encrypted_part(s, &n);
		return;
	}
	if (auth) {
		int failed;
		auth_part(s, v, &n, &failed);
		if (failed) {
			C_TURN();
			say(sc, "%s\r\n", v->quit);
			S_TURN();
			say(sc, "221 2.0.0 Bye\r\n");
			return;
		}
	}
	t->bdat = ehlo && !t->tiny && chance(r, 8);
	t->pipelining = ehlo && !t->tiny && chance(r, 35);
	clear_part(s, v, &n, ehlo, t->pipelining, t->bdat, t->tiny ? 1 : message_count(r));
}

void
build_tls(struct session *s)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	char sni[64];
	uint32_t i, reqs = 1 + rnd(r, 6);
	int v13 = chance(r, 85);
	snprintf(sni, sizeof sni, "www%u.example.%s", rnd(r, 5000), tlds[rnd(r, 5)]);
	s->t.tlsver = 0;
	C_TURN();
	client_hello(sc, r, sni, v13, 1);
	S_TURN();
	server_flight(sc, r, v13);
	C_TURN();
	client_finish(sc, r, v13);
	S_TURN();
	server_finish(sc, r, v13);
	for (i = 0; i < reqs; i++) {
		int up = chance(r, 8);
		C_TURN();
		tls_data(sc, r, v13,
		    up ? lognormal(r, 200000, 1.5, 2000, 8e6) : rrange(r, 150, 1200), 16384);
		S_TURN();
		tls_data(sc, r, v13, up ? rrange(r, 100, 400) : lognormal(r, 60000, 2.0, 200, 20e6),
		    16384);
	}
	s->closemode = chance(r, 10) ? CL_RST : CL_CLIENT;
}

void
build_http(struct session *s)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	uint32_t i, reqs = 1 + rnd(r, 5);
	for (i = 0; i < reqs; i++) {
		uint32_t len = lognormal(r, 30000, 1.8, 50, 20e6), left = len;
		C_TURN();
		say(sc,
		    "GET /f/%u HTTP/1.1\r\nHost: www%u.example.com\r\nUser-Agent: Mozilla/5.0 "
		    "(X11; Linux x86_64)\r\n"
		    "Accept: */*\r\nConnection: keep-alive\r\n\r\n",
		    rnd(r, 1u << 30), rnd(r, 500));
		S_TURN();
		say(sc,
		    "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: "
		    "application/octet-stream\r\nContent-Length: %u\r\n\r\n",
		    len);
		while (left) {
			uint32_t k = left > RND_POOL / 2 ? RND_POOL / 2 : left;
			add_chunk(sc, K_RND, rnd(r, RND_POOL - k), k);
			left -= k;
		}
	}
	s->closemode = CL_CLIENT;
}

void
build_dns(struct session *s)
{
	struct script *sc = s->sc;
	struct rng *r = &s->r;
	char a[32], name[96];
	uint32_t i, nl, an = 1 + rnd(r, 6), id = rnd(r, 65536), p, q;
	snprintf(a, sizeof a, "host%u", rnd(r, 100000));
	nl = 0;
	name[nl++] = (char)strlen(a);
	memcpy(name + nl, a, strlen(a));
	nl += (uint32_t)strlen(a);
	memcpy(name + nl, "\7example\3com", 13);
	nl += 13;
	for (q = 0; q < 2; q++) {
		turn(sc, (int)q, q ? lognormal(r, 3000, 1.2, 100, 2000000) : 0);
		tn = 0;
		t16(id);
		t16(q ? 0x8180 : 0x0100);
		t16(1);
		t16(q ? an : 0);
		t16(0);
		t16(1);
		tbytes(name, nl);
		t16(1);
		t16(1);
		if (q)
			for (i = 0; i < an; i++) {
				t16(0xc00c);
				t16(1);
				t16(1);
				t16(0);
				t16(300);
				t16(4);
				p = 0xc6120000u + rnd(r, 131072);
				t16(p >> 16);
				t16(p);
			}
		t8(0);
		t16(41);
		t16(1232);
		t16(0);
		t16(0);
		t16(0);
		put(sc, tb, tn);
	}
}
