/* What the files of the generator share; see gen_mail_pcap.c. */
#ifndef POSTCARD_TESTS_GEN_H
#define POSTCARD_TESTS_GEN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define B64_LINE   78u /* 76 characters + CRLF */
#define TXT_LINE   74u /* 72 characters + CRLF */
#define POOL_LINES 200000u
#define RND_POOL   (16u << 20)
#define EPOCH	   1700000000ull

struct rng {
	uint64_t s[2];
};

enum { P_MAIL, P_SPAN, P_MANY, P_LOSSY, P_TINY };

enum { K_ARENA, K_B64, K_TXT, K_RND };

/* Octets that a turn sends: of the script's arena (K_ARENA) or of a pool. */
struct chunk {
	uint8_t kind;
	uint32_t off, len;
};

/* What one side says before the other has its turn: chunks c0 to c1 - 1. */
struct turn {
	uint8_t dir;
	uint32_t c0, c1, len, delay_us;
};

struct script { /* what a connection will say; recycled */
	uint8_t *arena;
	uint32_t alen, acap;
	struct chunk *ch;
	uint32_t nch, cch;
	struct turn *tu;
	uint32_t ntu, ctu;
	struct script *next;
};

enum { C_MAIL, C_TLS, C_HTTP, C_DNS, N_CLASS };

enum { V_NONE, V_ENCRYPTED, V_CLEARTEXT };

enum { T_NOT_OFFERED, T_OFFERED_UNUSED, T_REFUSED, T_STRIPPED, T_USED };

enum { CL_SERVER, CL_CLIENT, CL_RST };

struct truth {
	uint8_t verdict, tlsuse, auth /*1 PLAIN 2 LOGIN*/, auth_failed, helo, pipelining, bdat;
	uint8_t rcpt_rejected, tlsver, tiny;
	uint16_t clear_data, clear_bdat, enc_msgs, traps;
	uint64_t clear_bytes;
	uint32_t dropped, reordered, rexmit;
};

struct session {
	struct rng r;
	uint64_t idx, t0;
	struct script *sc;
	uint32_t nxt[2], acked[2], tsoff[2], tslast[2];
	uint32_t rtt_us, gap_ns, ti, ci, co, left, segs, burst, inburst, pend_val, lag;
	uint32_t cip4, sip4;
	uint16_t cport, sport, ipid[2], mss;
	uint8_t v6, cls, state, pend_ack, closemode, cstep, park;
	struct truth t;
};

struct totals {
	uint64_t packets, bytes, tcp_flows, udp_flows, v6, class_bytes[N_CLASS];
	uint64_t smtp, enc, clear, p25, p587, podd, clear_with_mail, msg_data, msg_bdat, msg_bytes,
	    enc_msgs;
	uint64_t auth, auth_plain, auth_login, auth_failed, not_offered, unused, refused, stripped;
	uint64_t offered, helo, pipe, bdat_sessions, rcpt_rejected, traps, tls12, tls13, fin, rst;
	uint64_t dropped, reordered, rexmit, dropped_mail_sessions;
	uint64_t first_ns, last_ns;
};

struct names {
	char chost[64], shost[64], cdom[48], sdom[48], user[32];
};

struct verbs {
	const char *ehlo, *helo, *mail, *rcpt, *data, *quit, *starttls, *auth, *bdat;
};

/* Packets held back: each is written once `k' more packets of its connection
 * have passed, or at its deadline, whichever comes first. */
struct held {
	struct session *s;
	uint8_t *buf;
	uint32_t len, k;
	uint64_t deadline;
	struct held *next;
};

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

enum { ST_SYN, ST_SYNACK, ST_EST, ST_SEG, ST_TURNACK, ST_CLOSE, ST_DNS };

/* event heap */
struct event {
	uint64_t t, n;
	struct session *s;
};

extern int profile;
extern int opt_nsec, opt_phase2, opt_window, opt_window_us;
extern uint64_t opt_bytes, opt_sessions, opt_seed;
extern uint32_t opt_conc, opt_rate;
extern double opt_drop, opt_reorder, opt_rexmit, opt_v6, opt_odd;
extern double opt_starttls, opt_mailshare;
extern uint32_t opt_maxmsg;
extern const char *out_name;
extern uint8_t *pool[4];
extern const char b64c[];
extern uint64_t n_sessions_started;
extern struct totals total;
extern FILE *csv;
extern uint32_t nmch, mlen;
extern uint64_t cur_time;
extern const char *const tlds[];
extern uint8_t tb[8192];
extern uint32_t tn;
extern FILE *capture_out;
extern uint32_t pkt_len;
extern struct rng imp;

/* gen_random.c */
void rng_seed(struct rng *r, uint64_t a, uint64_t b);
uint64_t rng64(struct rng *r);
uint32_t rnd(struct rng *r, uint32_t n);
uint32_t rrange(struct rng *r, uint32_t lo, uint32_t hi);
double unit(struct rng *r);
int chance(struct rng *r, double percent);
uint32_t lognormal(struct rng *r, double median, double sigma, double lo, double hi);

/* gen_mail_pcap.c */
void *xalloc(void *p, size_t n);

/* gen_text.c */
void make_pools(void);

/* gen_script.c */
struct script *script_new(void);
void script_free(struct script *s);
void add_chunk(struct script *s, uint8_t kind, uint32_t off, uint32_t len);
void turn(struct script *s, int dir, uint32_t delay_us);
void put(struct script *s, const void *p, uint32_t n);
__attribute__((format(printf, 2, 3))) void say(struct script *s, const char *f, ...);
void m_chunk(uint8_t kind, uint32_t off, uint32_t len);
__attribute__((format(printf, 2, 3))) void m_say(struct script *s, const char *f, ...);
void rand_id(struct rng *r, char *out, int n);
void b64(const uint8_t *in, uint32_t n, char *out);
void make_names(struct session *s, struct names *n);
/* One RFC 5322 message of about `target` bytes into mch/mlen. */
void make_message(struct session *s, const struct names *n, uint32_t target, const char *rcpt,
    int stuffed);
void put_message_slice(struct script *s, uint32_t off, uint32_t len);

/* gen_tls.c */
void t8(uint32_t v);
void t16(uint32_t v);
void tbytes(const void *p, uint32_t n);
void client_hello(struct script *s, struct rng *r, const char *sni, int v13, int web);
void rand_record(struct script *s, struct rng *r, int type, uint32_t len);
void server_flight(struct script *s, struct rng *r, int v13);
void client_finish(struct script *s, struct rng *r, int v13);
void server_finish(struct script *s, struct rng *r, int v13);
void tls_data(struct script *s, struct rng *r, int v13, uint32_t plain, uint32_t recsize);

/* gen_dialogue.c */
uint32_t think(struct rng *r);
void build_mail(struct session *s, int part);
void build_tls(struct session *s);
void build_http(struct session *s);
void build_dns(struct session *s);

/* gen_wire.c */
void oflush(void);
void obytes(const void *p, size_t n);
void w16(uint8_t *p, uint32_t v);
void v6_addr(uint8_t *p, uint32_t v4, int server);
uint8_t *l3_header(struct session *s, int d, int proto, uint32_t l4len);
void release(struct session *s, uint64_t now, int all);
void expire(uint64_t now);
void emit(struct session *s, uint64_t now, uint32_t data, uint32_t hdr);
void
tcp_out(struct session *s, uint64_t now, int d, int flags, uint32_t seq, uint32_t ack, uint32_t n);

/* gen_engine.c */
void run_closed_loop(void);
void run_many(void);

#endif
