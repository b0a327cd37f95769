/*
 * The classic pcap format: draft-ietf-opsawg-pcap, and libpcap's older variants of it.
 *
 * Microseconds and nanoseconds, both byte orders, versions 2.0 to 2.4 (before 2.3 the two lengths
 * stood in the other order, in 2.3 in either), and the "modified" format of 1999's Linux libpcap
 * whose record headers have 24 octets.  A damaged record ends the file, for nothing in it says
 * where the next one begins.
 */
#ifndef POSTCARD_CAPTURE_PCAPFILE_H
#define POSTCARD_CAPTURE_PCAPFILE_H

#include "capture/frame.h"
#include "capture/source.h"

/* What a format's reader found; both formats use it. */
enum format_status {
	FORMAT_FRAME, /* a frame */
	FORMAT_END,   /* the file ended where it may end */
	FORMAT_FAULT, /* the file is cut or damaged here, which `why` says: read no further */
};

struct pcapfile {
	uint64_t packets;   /* read so far */
	uint32_t link_type; /* LINKTYPE_ value of all of them */
	uint32_t unit_ns;   /* ns of one unit of the fraction: 1000 or 1 */
	uint32_t head;	    /* octets of a record header: 16 or 24 */
	uint8_t minor;	    /* of version 2.minor */
	bool big;	    /* big-endian */
};

/* Is this the magic number of the format, in either byte order?  `b` has 4 octets. */
bool pcapfile_magic(const uint8_t b[4]);

/* Reads the file header, whose magic was recognised.  False and the cause in `why` where it is cut
 * or of an unknown version. */
bool pcapfile_open(struct pcapfile *p, struct source *s, struct text *why);

/* Reads the next record into f (all but f->number).  f->data lies in the buffer of s. */
enum format_status
pcapfile_next(struct pcapfile *p, struct source *s, struct frame *f, struct text *why);

/* Reads records that lie wholly in the buffer of s, which stays as it is, up to one that is damaged
 * or not earlier than until_ns: `max` at most into f.  How many. */
size_t
pcapfile_more(struct pcapfile *p, struct source *s, int64_t until_ns, struct frame *f, size_t max);

#endif
