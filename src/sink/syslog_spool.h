/*
 * The spool of a syslog server: messages on disk, in order, until they are delivered.
 *
 * A folder of its own for each URL, below the one that --spool names:
 *
 *   0000000000000007.spool   segments: a header, then entries (length, CRC-32, message)
 *   position                 how far delivery has come: two slots in turn, each with a CRC
 *   lock                     held (fcntl) while a process uses the folder
 *
 * Entries are appended with write(2), so nothing is lost when the program is killed; fdatasync
 * follows within a second (spool_sync), at the end of a segment and at close, so a power cut takes
 * the last second at most.  After a restart what is left comes first; an entry that was torn or
 * damaged ends its segment, which is said.  Messages are kept as they will be sent: masked.  Disk
 * space is given back a segment at a time.  Not done: encryption; more than one process.
 */
#ifndef POSTCARD_SINK_SYSLOG_SPOOL_H
#define POSTCARD_SINK_SYSLOG_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sink/sink.h"

struct spool;

/* A place behind an entry. */
struct spool_place {
	uint64_t segment; /* number of the segment */
	uint64_t octets;  /* from its beginning */
};

/*
 * Opens (or makes) the folder for `url` in `folder`, which is made too where it is missing; what is
 * left in it is kept.  `shown` is the URL without its parameters.  At most `max` octets are used.
 * Where the program is root, what is made belongs to the owner of `folder`.  NULL and a message in
 * `error`.
 */
struct spool *spool_open(const char *folder, const char *url, const char *shown, uint64_t max,
    char error[SINK_ERROR]);

/* Entries that were not read yet. */
uint64_t spool_left(const struct spool *s);

enum spool_result {
	SPOOL_DONE,
	SPOOL_FULL,  /* `max` is reached */
	SPOOL_FAILED /* errno says why; nothing of the entry is left on the disk */
};

/* Appends a message of at most LIMIT_SYSLOG_MESSAGE octets.  *after: where it ends.  With `read`
 * it counts as read already, which is allowed where nothing is left. */
enum spool_result spool_append(struct spool *s, const char *message, size_t len, bool read,
    struct spool_place *after);

/* The next message that was not read; false where there is none.  It lives until the next call of
 * any function here.  *lost: entries that were skipped, since they cannot be read. */
bool spool_next(struct spool *s, const char **message, size_t *len, struct spool_place *after,
    uint64_t *lost);

/* All up to that place was delivered. */
void spool_delivered(struct spool *s, struct spool_place place);

/* Writes the position and removes what was delivered; with `sync`, waits until the disk has what
 * was appended. */
void spool_settle(struct spool *s, bool sync);

/* Was something appended since the last sync? */
bool spool_dirty(const struct spool *s);

/* Settles with sync and closes; what was not delivered stays.  NULL is allowed. */
void spool_close(struct spool *s);

#endif
