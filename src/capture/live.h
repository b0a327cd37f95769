/*
 * Live network interfaces as one stream of frames in time order (libpcap with TPACKET_V3).
 *
 * One `struct live` belongs to one worker: it opens every interface, puts the kernel filter on each
 * (kernel.h), and merges their frames by time.  It never blocks, never sends, never logs.  Several
 * interfaces are held back against each other for LIVE_HOLD_MS at most, because the kernel hands on
 * whole blocks: a tap gives the two directions of a connection on two of them.
 *
 * An interface that goes down or loses its link is reported and waited for; one that is gone is
 * told once (LIVE_GONE) and read no more, since only who has the right can open it again; the
 * others go on.
 *
 * System calls once live_open has returned, for a sandbox (a test kills at any other):
 *   live_next       poll (ppoll), getsockname, getsockopt (SO_ERROR),
 *                   ioctl (SIOCGIFNAME, SIOCGIFFLAGS)
 *   live_wait       poll (ppoll)
 *   live_stats_get  getsockopt (PACKET_STATISTICS), pread64 (two files of /sys for each interface,
 *                   which live_open opened)
 *   live_event      none
 *   live_close      setsockopt, munmap, close
 * and clock_gettime where the machine has no vDSO.  None opens a file, none allocates memory.
 *
 * "any" stands for all interfaces, with a cooked header.  The kernel does not tell enough of
 * packets with two VLAN tags there: where mail is in QinQ, interfaces are to be named.
 */
#ifndef POSTCARD_CAPTURE_LIVE_H
#define POSTCARD_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/frame.h"

#define LIVE_BUFFER   (64ull << 20) /* octets of the kernel's ring, of each interface */
#define LIVE_SNAPLEN  262144u
#define LIVE_BLOCK_MS 100 /* after which the kernel hands on a block that is not full */
#define LIVE_HOLD_MS  200

struct live;

struct live_config {
	const char *const *interfaces; /* names; "any" for all of them */
	size_t count;		       /* 1 to LIMIT_LIVE_INTERFACES */
	const char *expression;	       /* pcap-filter(7), with which `and` is meant; NULL: none */
	const uint16_t *ports;	       /* of mail, besides the usual ones */
	size_t port_count;
	bool all_ports;		/* let packets of every port pass */
	bool no_promiscuous;	/* leave the interface's mode alone */
	bool some_suffice;	/* one that cannot be opened is as one that is gone */
	uint32_t snaplen;	/* octets of a packet; 0: LIVE_SNAPLEN */
	uint64_t buffer;	/* octets of the ring; 0: LIVE_BUFFER */
	unsigned share, shares; /* this worker takes part `share` < `shares` of the packets
				   (share.h) */
};

enum live_status {
	LIVE_FRAME, /* a frame was handed out */
	LIVE_IDLE,  /* nothing now: see live_wait */
	LIVE_GONE,  /* an interface is gone: open anew once it is back; told once for each, then the
		       others go on, and without others it is told each time */
	LIVE_FAILED /* reading cannot go on; live_event says why */
};

/*
 * Opens the interfaces; needs CAP_NET_RAW.  NULL and a message in `err`, which names the interface,
 * the cause and what to do.  Nothing given is kept.  An interface that is down cannot be opened
 * (the kernel would take it; libpcap does not).  Warnings are events.
 */
struct live *live_open(const struct live_config *config, struct capture_error *err);

/* Hands out the next frame; f->data stays valid until the next call. */
enum live_status live_next(struct live *l, struct frame *f);

/* Waits until there may be a frame, `timeout_ms` at most (cut short where frames are held back).
 * A signal ends it. */
void live_wait(struct live *l, int timeout_ms);

/* What has changed. */
enum live_change {
	LIVE_NOTE, /* a warning of libpcap */
	LIVE_DOWN, /* an interface is down, or has no link: it is waited for */
	LIVE_UP,   /* it is up again */
	LIVE_LOST  /* it is gone */
};

/* Something to report, with the interface's name in front: "eth1: the interface is down; waiting
 * for it".  False: no more.  A few are kept; of more the oldest go. */
bool live_event(struct live *l, enum live_change *what, char text[CAPTURE_TEXT]);

/* Interfaces that are not gone. */
size_t live_count(const struct live *l);

/* Counts so far; `dropped` is the kernel's, `interface_dropped` the interface's. */
void live_stats_get(struct live *l, struct capture_stats *out);

void live_close(struct live *l); /* NULL is allowed */

#endif
