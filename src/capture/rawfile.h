/*
 * The octets of a file, a pipe or standard input, one after another, plain or unpacked.
 *
 * Regular files are read by position (pread), never mapped, so a file that is cut while it is read
 * is an ordinary end and a forked process may read on from its own copy.  gzip (RFC 1952) may have
 * several members.  One thread reads at a time; which one does not matter (ahead.h).
 */
#ifndef POSTCARD_CAPTURE_RAWFILE_H
#define POSTCARD_CAPTURE_RAWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define RAWFILE_PEEK 65536u /* octets read at once before rawfile_hurry */

enum rawfile_end {
	RAWFILE_MORE,	    /* not at the end yet */
	RAWFILE_DONE,	    /* the file ends here */
	RAWFILE_STOPPED,    /* a signal ended a read: this is not the end of the file */
	RAWFILE_CUT,	    /* the file ends inside gzip data */
	RAWFILE_BAD,	    /* damaged gzip data; `detail` says how */
	RAWFILE_UNREADABLE, /* the system refused to read; `error` says why */
	RAWFILE_NO_MEMORY,  /* no memory for a record or for unpacking */
};

/* How far reading has come. */
struct rawfile_state {
	uint64_t used;	      /* octets of the file that were read, or unpacked */
	const char *detail;   /* what zlib said; a constant, or NULL */
	int error;	      /* errno of a failed read */
	enum rawfile_end end; /* why there is no more */
};

struct gunzip;

struct rawfile {
	struct rawfile_state state;
	uint64_t base;	   /* where a regular file's reading began: not 0 for a moved stdin */
	uint64_t taken;	   /* octets taken from the descriptor */
	uint64_t size;	   /* octets of the file from `base` on; 0: unknown (a pipe) */
	size_t chunk;	   /* octets taken at once at most */
	struct gunzip *gz; /* owned; NULL for plain data */
	int fd;		   /* -1: none */
	bool regular;	   /* read by position; can be parked */
	bool keep_fd;	   /* standard input: never closed here */
};

/* Opens `path` ("-": standard input).  False, with the cause and what to do in `why` (without the
 * path), where it is missing, a directory, a terminal or not to be opened. */
bool rawfile_open(struct rawfile *r, const char *path, struct text *why);

/* Begins at the beginning: of a file that was opened, or parked with its descriptor. */
void rawfile_start(struct rawfile *r);

/*
 * Turns to unpacking: the first `n` octets, RAWFILE_PEEK at most, were read already and are at
 * `first`.  False where there is no memory for it.
 */
bool rawfile_unpack(struct rawfile *r, const uint8_t *first, size_t n);

/* From now on takes `chunk` octets at once: the file is going to be read through. */
void rawfile_hurry(struct rawfile *r, size_t chunk);

/* Reads up to `n` octets.  How many; 0 at the end, where r->state.end says why. */
size_t rawfile_read(struct rawfile *r, uint8_t *to, size_t n);

/* Gives the memory back, and the descriptor too with `shut`. */
void rawfile_park(struct rawfile *r, bool shut);

#endif
