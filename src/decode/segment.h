/* A TCP segment: what the decode stage makes of a frame. */
#ifndef POSTCARD_DECODE_SEGMENT_H
#define POSTCARD_DECODE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* The two ends of a segment, laid out to be hashed and compared as it is: 40 octets, no gaps. */
struct ends {
	uint8_t ip[2][16]; /* source, destination; IPv4 takes the first four octets, the rest are
			      zero */
	uint16_t port[2];  /* source, destination, host order */
	uint32_t family;   /* 4 or 6 */
};

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

enum tunnel_kind {
	TUNNEL_IP, /* IP in IP: 4in4, 6in4, 4in6, 6in6 */
	TUNNEL_GRE,
	TUNNEL_ERSPAN,
	TUNNEL_ETHERIP,
	TUNNEL_MPLS, /* MPLS in IP, in GRE or in UDP */
	TUNNEL_VXLAN,
	TUNNEL_VXLAN_GPE,
	TUNNEL_GENEVE,
	TUNNEL_GTP,
	TUNNEL_TEREDO,
	TUNNELS
};

/* Name of a kind of tunnel, as records say it. */
const char *tunnel_name(enum tunnel_kind kind);

/* What was taken off around a segment.  Without `depth` nothing else is set. */
struct tunnel {
	uint8_t depth;		     /* tunnels; 0 for none */
	uint8_t kind[LIMIT_TUNNELS]; /* enum tunnel_kind, outermost first */
	uint8_t family;		     /* of the outermost: 4 or 6 */
	bool has_id;
	uint8_t ip[2][16]; /* source and destination of the outermost */
	uint32_t id;	   /* the innermost VNI, key, session or TEID */
};

struct segment {
	struct ends ends;
	uint32_t seq;  /* sequence number of the first octet (of the SYN, where there is one) */
	uint32_t ack;  /* acknowledgement number; meaningful with TCP_ACK */
	uint8_t flags; /* TCP_* */
	bool plain;    /* it was found by the short cut (plain.h): not headless, without conflict,
			  VLAN and tunnel */
	bool headless; /* the capture cut the TCP header: ports only, nothing else is known */
	uint8_t ttl;   /* time to live, or hop limit, of the innermost IP header */
	const uint8_t *payload; /* captured payload; lives as long as the frame */
	uint32_t len;		/* octets of it */
	uint32_t wire_len;	/* octets of payload on the wire; at least len */
	int32_t vlan;		/* outermost VLAN identifier inside the tunnels; -1 for none */
	const uint8_t *mac[2]; /* source and destination link address, 6 octets; NULL where the link
				  has none */
	const uint8_t *ip;     /* the IP header, for who wants the packet whole */
	uint32_t ip_len;       /* captured octets from there on */
	bool conflict;	       /* it came in IP fragments that overlap with other octets */
	struct tunnel tunnel;  /* what it was wrapped in */
};

enum decode_result {
	DECODE_TCP,	     /* a segment */
	DECODE_OTHER,	     /* an intact packet of another protocol */
	DECODE_FRAGMENT,     /* a piece of an IP datagram that is not whole yet */
	DECODE_DAMAGED,	     /* headers that contradict themselves, or are cut */
	DECODE_UNKNOWN_LINK, /* no decoder for the link type */
	DECODE_RESULTS
};

#endif
