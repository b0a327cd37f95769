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

/*
 * Arrays of two are by end of the flow (A, B), not by client and server.  What only few connections
 * have is apart: what one waits for, what else there is to remember, what stood around it.  What
 * every packet touches stands first and together.
 */
struct conn {
	struct stream stream[2];
	int64_t end_ns;	     /* last packet */
	uint64_t octets[2];  /* payload sent, repeats counted */
	uint32_t packets[2]; /* sent */
	uint32_t flags;	     /* CONN_* */
	uint32_t flow;	     /* its flow */
	uint32_t wait;	     /* struct wait; 0 while it waits for nothing but packets */
	uint8_t phase;	     /* enum conn_phase */
	uint8_t end;	     /* enum conn_end */
	uint8_t closed_by;   /* enum conn_closed_by */
	uint8_t reset_by;    /* end that sent the RST */
	struct mail_session mail;
	struct finding finding;
	uint32_t extra;	  /* struct extra; 0 for none */
	uint32_t around;  /* shared string: struct around; 0 where nothing stood around it */
	int64_t start_ns; /* first packet */
};

/* Of a connection that is to be looked at though no packet comes, or was reset. */
struct wait {
	int64_t due_ns;	      /* when; 0: not in the list */
	int64_t close_ns;     /* when a reset connection ends; 0: not reset */
	uint64_t reset_at[2]; /* offsets that a RST names as its sender's, and as the other's; 0 for
				 none */
	uint32_t conn;	      /* whose it is */
	uint32_t prev, next;  /* neighbours in the list */
	uint32_t hosts;	      /* of a reset one: alike where the two hosts are (due_hurry) */
};

/* What else there is to remember of a few: those that are not told to be mail yet, of which octets
 * were lost, or of which one side is not captured. */
struct extra {
	uint64_t gap_octets;  /* lost */
	uint64_t unseen;      /* octets of a side of which no packet has come: lost, if one comes */
	struct dpi_flow *dpi; /* nDPI's state while it is asked */
	uint32_t held[2];     /* strings: first octets of a side, while they are too few to tell the
				 protocol */
	uint32_t heard[2];    /* what a side had acknowledged with its last octets, while the other
				 is not captured; 0 for nothing yet */
	uint32_t app;	      /* string: what nDPI calls it */
	uint32_t syn_again;   /* sequence number of a SYN in its midst */
	uint8_t dpi_packets;  /* packets nDPI was shown */
};

/* What stood around a connection's packets: the same for many. */
struct around {
	uint8_t mac[2][6];	   /* link addresses; CONN_MAC_* say which are known */
	uint8_t ttl[2];		   /* TTL or hop limit of a side's first packet; 0: none seen */
	int16_t vlan;		   /* -1 for none */
	uint8_t tunnel_end;	   /* which sent the first segment in a tunnel */
	struct tunnel tunnel;	   /* that segment's */
	struct proxy_header proxy; /* version 0 for none */
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
#define CONN_VLAN      0x4000u /* its VLAN is known */
#define CONN_TUNNEL    0x8000u /* its tunnel is */
#define CONN_GAP       0x10000u /* octets were lost */
#define CONN_STEADY    0x20000u /* see conn_settle_steady */

/* Routers on the way of a packet whose TTL (or hop limit) is `ttl`, as far as the usual initial
 * values tell; -1 where they do not. */
int conn_distance(uint8_t ttl);

extern const struct wait no_wait;   /* all zero */
extern const struct extra no_extra; /* all zero */

/* Puts into a record (record_begin_common) what all say of a connection: ends, counts, capture
 * quality. */
struct engine;
void conn_put(struct engine *e, const struct conn *c, int64_t now_ns, struct record *r);

/* What finding needs to know of the capture. */
void
conn_view(const struct conn *c, const struct flow *f, int64_t now_ns, struct finding_view *out);

/* The protocol that a mail port is assigned to. */
enum mail_protocol conn_protocol_by_port(uint16_t port);

/*
 * Community ID version 1, seed 0 (github.com/corelight/community-id-spec): "1:" and Base64 of SHA-1
 * over the ends, smaller first: COMMUNITY_ID_LEN characters, or none where that cannot be made.
 */
#define COMMUNITY_ID_LEN  30u
#define COMMUNITY_ID_TEXT 32
void community_id(const struct flow *f, char out[COMMUNITY_ID_TEXT]);

/* Those that were asked for lately: a session comes with the messages in it, and a SHA-1
 * costs a twentieth of all there is to do for a short one. */
#define KNOWN_IDS 1024u
struct known_id {
	uint8_t ip[2][16];
	uint16_t port[2];
	bool v6;
	char text[COMMUNITY_ID_TEXT]; /* "": there is none here */
};

#endif
