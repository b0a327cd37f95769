/*
 * Where the octets of a capture file come from: a file, a pipe, standard input, plain or gzip.
 *
 * A sliding buffer gives records as contiguous octets without copying them: ask for n octets with
 * source_need, read them at `at`, move `at` on.  gzip is recognised by its magic.  The buffer is
 * LIMIT_READ_BUFFER octets and grows to the longest record asked for; of a file that a thread reads
 * ahead, the pieces it read take its place.
 */
#ifndef POSTCARD_CAPTURE_SOURCE_H
#define POSTCARD_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "capture/ahead.h"
#include "capture/rawfile.h"

struct source {
	const uint8_t *at;	   /* next octet */
	const uint8_t *limit;	   /* one past the last octet in the buffer or the piece */
	uint8_t *buf;		   /* owned; NULL while parked */
	size_t cap;		   /* octets of buf */
	uint64_t limit_offset;	   /* offset of `limit` in the data (unpacked, where it is gzip) */
	struct rawfile_state read; /* how far reading has come at `limit`, and why it ended */
	struct ahead *ahead;	   /* reads `file`; NULL: it is read here */
	struct rawfile file;
};

/*
 * Opens `path` ("-": standard input) and looks no further than its first octets to recognise gzip.
 * False, with the cause and what to do in `why` (without the path), where it is missing, a
 * directory, empty or not to be read.  Reads little at once until source_hurry.
 */
bool source_open(struct source *s, const char *path, struct text *why);

/* Opens the descriptor again where source_park closed it.  False and `why` where it is gone. */
bool source_reopen(struct source *s, const char *path, struct text *why);

/* The file is going to be read through: from now on by `ahead`, where that is not NULL and not at
 * another file, else LIMIT_READ_BUFFER octets at once. */
void source_hurry(struct source *s, struct ahead *ahead);

/* Gives the memory of a regular file back, and the descriptor too with `shut`; a later
 * source_reopen starts at its beginning again. */
void source_park(struct source *s, bool shut);

/* Closes and frees all.  The source may be opened again. */
void source_close(struct source *s);

/* The slow path of source_need. */
bool source_fill(struct source *s, size_t n);

static inline size_t
source_left(const struct source *s)
{
	return (size_t)(s->limit - s->at);
}

/* Are `n` octets at `at`?  Invalidates every pointer into the buffer that was given out before.
 * False where the data ends earlier: s->read.end says why, source_left what is there. */
static inline bool
source_need(struct source *s, size_t n)
{
	return source_left(s) >= n || source_fill(s, n);
}

/* Moves over `n` octets without holding them; false where the data ends earlier. */
bool source_skip(struct source *s, uint64_t n);

/* Offset of `at` in the data (unpacked, where it is gzip). */
static inline uint64_t
source_offset(const struct source *s)
{
	return s->limit_offset - source_left(s);
}

/* Octets of the file used up, as they are on disk. */
uint64_t source_progress(const struct source *s);

/* Adds "octet 17" or "octet 17 of the unpacked data". */
void source_say_offset(const struct source *s, uint64_t offset, struct text *t);

/* Adds why and where the data ended: "cut short at octet 17", "cannot be read after octet 17
 * (Input/output error)". */
void source_say_end(const struct source *s, struct text *t);

#endif
