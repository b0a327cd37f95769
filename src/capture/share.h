/*
 * Which worker a frame belongs to: by the outer pair of IP addresses, either direction the same.
 *
 * Up to SHARE_TAGS VLAN tags are walked, nothing else: tunnels, fragments and labels of one pair
 * stay together, and so do all frames without an IP header, which are worker 0's.  Live, the same
 * is said by a classic BPF program (kernel.h), so that each worker's socket takes its own share and
 * a worker that dies moves no packet of the others (PACKET_FANOUT numbers the members anew when one
 * leaves), but for one case: tags that the kernel leaves on a cooked link, whose packets are all
 * worker 0's.
 *
 * The hash has no key: who chooses the addresses of both ends can choose the worker.
 */
#ifndef POSTCARD_CAPTURE_SHARE_H
#define POSTCARD_CAPTURE_SHARE_H

#include <stdint.h>

#include "capture/frame.h"

#define SHARE_TAGS                                                                    \
	4u /* VLAN tags that are walked; an IP header behind more of them is not seen \
	    */

/* Where a link type has its ethertype and where its header ends. */
struct share_link {
	uint32_t link_type; /* LINKTYPE_ value */
	uint8_t type_at;    /* offset of the ethertype; SHARE_NO_TYPE: IP comes at once */
	uint8_t len;	    /* octets of the header */
};

#define SHARE_NO_TYPE 255u

/* The row of a link type; NULL where its frames are all worker 0's. */
const struct share_link *share_link_find(uint32_t link_type);

/*
 * The mixing of the exclusive-or of all words of both addresses, of which the remainder is the
 * worker.  Written out here since kernel.c writes the same as a program.
 */
#define SHARE_SHIFT_1 16u
#define SHARE_FACTOR  0x45d9f3bu
#define SHARE_SHIFT_2 15u

static inline uint32_t
share_mix(uint32_t x)
{
	x = (x ^ x >> SHARE_SHIFT_1) * SHARE_FACTOR;
	x = (x ^ x >> SHARE_SHIFT_2) * SHARE_FACTOR;
	return x ^ x >> SHARE_SHIFT_1;
}

/* The worker, below `shares` >= 1, that frame `f` belongs to. */
unsigned share_of(const struct frame *f, unsigned shares);

#endif
