/* A frame: what the capture stage hands on, one at a time. */
#ifndef POSTCARD_CAPTURE_FRAME_H
#define POSTCARD_CAPTURE_FRAME_H

#include <stdint.h>

struct frame {
	const uint8_t *data; /* captured octets; valid until the next call to capture_next */
	uint32_t caplen;     /* octets captured */
	uint32_t wirelen;    /* octets on the wire; at least caplen */
	int64_t ts_ns;	     /* capture time, ns since the epoch, UTC */
	uint32_t link_type;  /* LINKTYPE_ value of the pcap file format (not the platform's DLT_) */
	uint64_t number;     /* 1 for the first frame of all the input */
};

#endif
