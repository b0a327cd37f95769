/* Private to src/engine: the state of a connection that is followed. */
#ifndef POSTCARD_ENGINE_CONN_H
#define POSTCARD_ENGINE_CONN_H

#include "finding/finding.h"
#include "flow/flow.h"
#include "ident/dpi.h"
#include "ident/proxy.h"
#include "mail/mail.h"
#include "record/record.h"
#include "stream/stream.h"

enum conn_phase {
	CONN_PROBING, /* which protocol is not known yet */
	CONN_MAIL,    /* a mail session follows it */
	CONN_OTHER,   /* on a mail port, and something else */
};

/* How far the end of a connection has come. */
enum conn_end {
	CONN_OPEN,
	CONN_END_STREAMS,  /* what the streams hold is delivered, with its gaps */
	CONN_END_MAIL,	   /* the mail session's last events are taken */
	CONN_END_MESSAGES, /* open transactions are recorded */
	CONN_END_SESSION,  /* the session is recorded */
	CONN_END_GONE,
};

enum conn_closed_by {
	CLOSED_BY_INPUT,
	CLOSED_BY_FIN,
	CLOSED_BY_RST,
	CLOSED_BY_TIMEOUT,
	CLOSED_BY_REUSE,
	CLOSED_BY_MEMORY
};

/* Arrays of two are by end of the flow (A, B), not by client and server. */
struct conn {
	struct stream stream[2];
	struct mail_session mail;
	struct finding finding;
	int64_t start_ns; /* first packet */
	int64_t end_ns;	  /* last packet */
	int64_t due_ns;	  /* when it must be looked at though no packet comes; 0: not in the list */
	int64_t close_ns; /* when a reset connection ends; 0: not reset */
	uint64_t octets[2];   /* payload sent, repeats counted */
	uint64_t gap_octets;  /* lost */
	uint64_t reset_at[2]; /* offsets that a RST names as its sender's, and as the other's; 0 for
				 none */
	struct dpi_flow *dpi; /* nDPI's state while it is asked */
	uint32_t packets[2];  /* sent */
	uint32_t flow;	      /* its flow */
	uint32_t due_prev;    /* neighbours in the list of those to be looked at */
	uint32_t due_next;
	uint32_t held[2];    /* strings: first octets of a side, while they are too few to tell the
				protocol */
	uint32_t app;	     /* string: what nDPI calls it */
	uint32_t syn_again;  /* sequence number of a SYN in its midst */
	uint32_t heard[2];   /* what a side had acknowledged with its last octets, while the other
				is not captured; 0 for nothing yet */
	uint32_t wrap;	     /* string: struct wrap; 0 where nothing stood around it */
	int16_t vlan;	     /* -1 for none */
	uint16_t flags;	     /* CONN_* */
	uint8_t mac[2][6];   /* link addresses */
	uint8_t ttl[2];	     /* TTL or hop limit of a side's first packet; 0: none seen */
	uint8_t phase;	     /* enum conn_phase */
	uint8_t end;	     /* enum conn_end */
	uint8_t closed_by;   /* enum conn_closed_by */
	uint8_t reset_by;    /* end that sent the RST */
	uint8_t dpi_packets; /* packets nDPI was shown */
};

#define CONN_SYN       0x01u /* a SYN was seen: the capture has its start */
#define CONN_MAC_A     0x02u /* mac[0] is known */
#define CONN_MAC_B     0x04u
#define CONN_HEADLESS  0x08u /* packets without their whole TCP header */
#define CONN_PAYLOAD   0x10u /* octets were seen */
#define CONN_MAIL_PORT 0x20u /* the server's port is one of mail */
#define CONN_RST       0x40u
#define CONN_PROXIED   0x80u  /* a PROXY header was read */
#define CONN_CONFLICT  0x100u /* fragments overlapped with other octets */
#define CONN_LOST_A    0x200u /* octets of A were lost before the protocol was known */
#define CONN_LOST_B    0x400u
#define CONN_ALONE     0x1000u /* one side spoke and the other was not there: nobody waits for it */
#define CONN_SYN_AGAIN 0x2000u /* a SYN came in its midst: syn_again */
#define CONN_ANSWERED  0x800u  /* the server's SYN was seen: its octets are known from the first */

/* What stood around a connection; kept only where there was something. */
struct wrap {
	struct tunnel tunnel;	   /* of its first segment in one */
	uint8_t tunnel_end;	   /* which sent it */
	struct proxy_header proxy; /* version 0 for none */
};

struct wrap conn_wrap(const struct findings *F, const struct conn *c);
void conn_wrap_keep(struct findings *F, struct conn *c, const struct wrap *w);

/* Routers on the way of a packet whose TTL (or hop limit) is `ttl`, as far as the usual initial
 * values tell; -1 where they do not. */
int conn_distance(uint8_t ttl);

/* Puts what every record of a connection has: ends, counts, capture quality. */
void conn_put(const struct conn *c, const struct flow *f, const struct findings *F, int64_t now_ns,
    struct record *r);

/* What finding needs to know of the capture. */
struct finding_view conn_view(const struct conn *c, const struct flow *f, int64_t now_ns);

/* The protocol that a mail port is assigned to. */
enum mail_protocol conn_protocol_by_port(uint16_t port);

/*
 * Community ID version 1, seed 0 (github.com/corelight/community-id-spec): "1:" and Base64 of SHA-1
 * over the ends, smaller first.  out takes 31 octets and its NUL.
 */
#define COMMUNITY_ID_TEXT 32
void community_id(const struct flow *f, char out[COMMUNITY_ID_TEXT]);

#endif
