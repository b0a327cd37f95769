/*
 * Which worker a frame belongs to: by the outer pair of IP addresses, either direction the same.
 *
 * VLAN tags are walked, nothing else: tunnels, fragments and labels of one pair stay together, and
 * so do all frames without an IP header, which are worker 0's.  Live, the same is said by a classic
 * BPF program (kernel.h), so that each worker's socket takes its own share and a worker that dies
 * moves no packet of the others (PACKET_FANOUT numbers the members anew when one leaves).
 */
#ifndef POSTCARD_CAPTURE_SHARE_H
#define POSTCARD_CAPTURE_SHARE_H

#include "capture/frame.h"

/* The worker, below `shares` >= 1, that frame `f` belongs to. */
unsigned share_of(const struct frame *f, unsigned shares);

#endif
