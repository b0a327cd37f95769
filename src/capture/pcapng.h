/*
 * The pcapng format: draft-ietf-opsawg-pcapng.
 *
 * Several sections, each in its own byte order; several interfaces, each with its own link type,
 * time resolution (if_tsresol) and time offset (if_tsoffset); Enhanced, Simple and the obsolete
 * Packet Blocks; the counts of lost packets in Interface Statistics Blocks.  Every other block
 * (names, secrets, custom) is stepped over unseen.  Bounds: LIMIT_BLOCK, LIMIT_FRAME,
 * LIMIT_INTERFACES.  A damaged block ends the file: its length can no longer be believed.
 */
#ifndef POSTCARD_CAPTURE_PCAPNG_H
#define POSTCARD_CAPTURE_PCAPNG_H

#include "capture/pcapfile.h"

struct pcapng_interface {
	uint32_t link_type; /* LINKTYPE_ value */
	uint32_t snaplen;   /* octets kept of a packet; 0: all */
	uint64_t mul;	    /* ns = units * mul / div, then >> shift */
	uint64_t div;	    /* 0: the resolution is finer than 2^64 units a ns, so ns = 0 */
	uint8_t shift;	    /* for resolutions that are a power of two */
	int64_t offset_s;   /* s to add to each time */
	uint64_t dropped;   /* packets lost, as its last statistics block says */
};

struct pcapng {
	uint64_t packets; /* read so far, in all sections */
	uint64_t dropped; /* packets the file says were lost, in all sections */
	int64_t last_ns;  /* time of the packet before: what a Simple Packet gets */
	struct pcapng_interface *interfaces; /* owned; of this section */
	uint32_t count;			     /* interfaces of this section */
	uint32_t room;			     /* entries allocated */
	bool big;			     /* this section is big-endian */
};

/* Is this the type of a Section Header Block (the same in both byte orders)?  `b` has 4 octets. */
bool pcapng_magic(const uint8_t b[4]);

/* Reads the first Section Header Block, whose type was recognised.  False and the cause in `why`
 * where it is cut, damaged or of an unknown version. */
bool pcapng_open(struct pcapng *p, struct source *s, struct text *why);

/* Reads on to the next packet and gives it in f (all but f->number).  f->data lies in the buffer of
 * s. */
enum format_status
pcapng_next(struct pcapng *p, struct source *s, struct frame *f, struct text *why);

/* As pcapfile_more; up to a block that is no packet, too. */
size_t
pcapng_more(struct pcapng *p, struct source *s, int64_t until_ns, struct frame *f, size_t max);

void pcapng_close(struct pcapng *p); /* frees what it owns */

#endif
