/*
 * Reading ahead: a thread that reads a file while its worker decodes what was read.
 *
 * The kernel's copy out of the page cache (or zlib's unpacking) is a third of a worker's time.  The
 * thread does nothing but fill pieces of memory from one rawfile; it knows nothing of what they
 * hold and hands a piece over under a lock.
 *
 * A process has one, started before it gives the right to start threads up.
 */
#ifndef POSTCARD_CAPTURE_AHEAD_H
#define POSTCARD_CAPTURE_AHEAD_H

#include "capture/rawfile.h"

#define AHEAD_PIECE (128u << 10) /* octets */

struct ahead;

/* Starts the thread, which takes no signals.  NULL where there is no memory or no right to. */
struct ahead *ahead_start(void);

/* Ends the thread and frees all; NULL is allowed. */
void ahead_stop(struct ahead *a);

/*
 * From now on the thread reads `r`, a regular file, and until ahead_end nobody else may touch it.
 * False where it reads another one.
 */
bool ahead_begin(struct ahead *a, struct rawfile *r);

/* No more of that file: waits for a read under way; what was read and not asked for is lost. */
void ahead_end(struct ahead *a);

/*
 * Lends the next piece, with the octets from *at to *limit, which may lie in the piece lent before,
 * in front of it: *at and *limit then say where both are, until the next call, and *state how far
 * reading had come with them.  `need` octets are to be there: false, and nothing is done, where
 * they are not though the file goes on (a record longer than a piece).
 */
bool ahead_lend(struct ahead *a, const uint8_t **at, const uint8_t **limit, size_t need,
    struct rawfile_state *state);

/* Copies up to `n` octets, as rawfile_read; takes back what was lent. */
size_t ahead_read(struct ahead *a, uint8_t *to, size_t n, struct rawfile_state *state);

#endif
