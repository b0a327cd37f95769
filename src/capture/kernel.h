/*
 * The kernel filter: a classic BPF program that lets pass whatever may be mail, and of that the
 * share of one worker.
 *
 * It rejects only what is plainly not mail: ARP and the like, whole TCP segments of which neither
 * port is one of mail, UDP to no port of a tunnel, ICMP, and frames that end before the ports they
 * announce.  What may hide mail passes: more VLAN tags than it walks, MPLS, PPPoE, fragments, IPv6
 * extension headers, GRE, IP in IP, EtherIP, LLC with SNAP, and the UDP ports of VXLAN, GENEVE,
 * GTP-U, Teredo and MPLS.  Of what passes nothing is looked into: a tunnel brings all it carries.
 * A user's expression comes behind it, with `and`.
 *
 * It reads no octet of a cooked link's header but the protocol, so that libpcap can rewrite it for
 * a kernel in which that header is not there.
 */
#ifndef POSTCARD_CAPTURE_KERNEL_H
#define POSTCARD_CAPTURE_KERNEL_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define KERNEL_LENGTH 4096u /* instructions of the longest program that Linux takes */

struct kernel_filter {
	uint32_t link_type;    /* LINKTYPE_ value of the frames */
	const uint16_t *ports; /* of mail, besides the usual ones (kernel_usual_ports), in any
				  order */
	size_t port_count;     /* at most LIMIT_PORTS */
	bool all_ports;	       /* every port may be one of mail */
	const struct bpf_program *expression; /* compiled for that link type; NULL: none */
	unsigned share, shares;		      /* as share_of (share.h); shares 1: all */
};

extern const uint16_t kernel_usual_ports[]; /* in order; 0 ends it */

/*
 * Writes the program; free it with free(out->bf_insns).  Of a link type that it does not know
 * (neither Ethernet, raw IP nor Linux cooked) everything passes but what the expression rejects,
 * and is worker 0's.  False and the cause in `why` where it would be too long for the kernel, or
 * memory is not to be had.
 */
bool kernel_filter_build(const struct kernel_filter *k, struct bpf_program *out, struct text *why);

#endif
