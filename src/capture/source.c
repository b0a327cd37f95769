/*
 * The octets of a capture file: see source.h.
 *
 * Bounds: the buffer, what unpacking takes (rawfile.h), and the pieces that a thread reads ahead
 * (ahead.h).  Nothing is written, nothing is mapped.
 */
#include "capture/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Slides what is left to the front of a buffer of at least n octets. */
static bool
make_room(struct source *s, size_t n)
{
	size_t left = source_left(s);
	uint8_t *buf = s->buf;
	if (n > s->cap) {
		buf = malloc(n);
		if (buf == NULL)
			return false;
	}
	if (left > 0)
		memmove(buf, s->at, left);
	if (buf != s->buf) {
		free(s->buf);
		s->buf = buf;
		s->cap = n;
	}
	s->at = buf;
	s->limit = buf + left;
	return true;
}

/* Reads up to n octets behind those that were read. */
static size_t
read_on(struct source *s, uint8_t *to, size_t n)
{
	if (s->ahead != NULL)
		return ahead_read(s->ahead, to, n, &s->read);
	size_t got = rawfile_read(&s->file, to, n);
	s->read = s->file.state;
	return got;
}

/* Goes on to a piece that was read ahead; false where the buffer has to be filled from it. */
static bool
take_piece(struct source *s, size_t n)
{
	size_t left = source_left(s);
	if (s->ahead == NULL || !ahead_lend(s->ahead, &s->at, &s->limit, n, &s->read))
		return false;
	s->limit_offset += source_left(s) - left;
	return true;
}

bool
source_fill(struct source *s, size_t n)
{
	if (s->read.end != RAWFILE_MORE)
		return false;
	if (take_piece(s, n))
		return source_left(s) >= n;
	if (!make_room(s, n)) {
		s->read.end = RAWFILE_NO_MEMORY;
		return false;
	}
	size_t have = source_left(s);
	while (have < n && s->read.end == RAWFILE_MORE) {
		size_t got = read_on(s, s->buf + have, s->cap - have);
		have += got;
		s->limit_offset += got;
	}
	s->limit = s->buf + have;
	return have >= n;
}

bool
source_skip(struct source *s, uint64_t n)
{
	while (n > source_left(s)) {
		n -= source_left(s);
		s->at = s->limit;
		if (!source_fill(s, 1))
			return false;
	}
	s->at += n;
	return true;
}

/* Turns to unpacking: what the buffer holds are the first packed octets. */
static bool
unpack(struct source *s)
{
	if (!rawfile_unpack(&s->file, s->at, source_left(s)))
		return false;
	s->read = s->file.state;
	s->at = s->limit = s->buf;
	s->limit_offset = 0;
	return true;
}

/* Gets the first octets, so that gzip is known before anything is parsed. */
static bool
start(struct source *s, struct text *why)
{
	rawfile_start(&s->file);
	s->read = s->file.state;
	s->cap = LIMIT_READ_BUFFER;
	s->buf = malloc(s->cap);
	s->at = s->limit = s->buf;
	if (s->buf == NULL) {
		text_puts(why, "no memory to read it");
		return false;
	}
	if (source_need(s, 2) && s->at[0] == 0x1f && s->at[1] == 0x8b && !unpack(s)) {
		text_puts(why, "no memory to unpack it");
		return false;
	}
	if (s->read.end == RAWFILE_UNREADABLE) {
		text_printf(why, "cannot be read: %s", strerror(s->read.error));
		return false;
	}
	if (source_left(s) == 0 && s->read.end == RAWFILE_DONE) {
		text_puts(why, "is empty (0 octets), so it is no capture; was it ever written?");
		return false;
	}
	return true;
}

bool
source_open(struct source *s, const char *path, struct text *why)
{
	memset(s, 0, sizeof *s);
	return (rawfile_open(&s->file, path, why) && start(s, why)) || (source_close(s), false);
}

bool
source_reopen(struct source *s, const char *path, struct text *why)
{
	return ((s->file.fd >= 0 || rawfile_open(&s->file, path, why)) && start(s, why)) ||
	    (source_close(s), false);
}

void
source_hurry(struct source *s, struct ahead *ahead)
{
	struct rawfile *f = &s->file;
	rawfile_hurry(f, LIMIT_READ_BUFFER);
	if (ahead != NULL && f->regular && f->size > f->taken + AHEAD_PIECE &&
	    ahead_begin(ahead, f))
		s->ahead = ahead;
}

void
source_park(struct source *s, bool shut)
{
	if (s->ahead != NULL)
		ahead_end(s->ahead);
	s->ahead = NULL;
	rawfile_park(&s->file, shut);
	free(s->buf);
	s->buf = NULL;
	s->at = s->limit = NULL;
	s->cap = 0;
	s->limit_offset = 0;
}

void
source_close(struct source *s)
{
	source_park(s, true);
}

uint64_t
source_progress(const struct source *s)
{
	return s->read.used - (s->file.gz != NULL ? 0 : source_left(s));
}

void
source_say_offset(const struct source *s, uint64_t offset, struct text *t)
{
	text_printf(t, "octet %llu%s", (unsigned long long)offset,
	    s->file.gz != NULL ? " of the unpacked data" : "");
}

void
source_say_end(const struct source *s, struct text *t)
{
	switch (s->read.end) {
	case RAWFILE_MORE:
	case RAWFILE_DONE:
	case RAWFILE_STOPPED: text_puts(t, "cut short at "); break;
	case RAWFILE_CUT: text_puts(t, "gzip data cut short at "); break;
	case RAWFILE_BAD: text_puts(t, "damaged gzip data after "); break;
	case RAWFILE_UNREADABLE: text_puts(t, "cannot be read after "); break;
	case RAWFILE_NO_MEMORY: text_puts(t, "no memory to read on after "); break;
	}
	source_say_offset(s, s->limit_offset, t);
	if (s->read.end == RAWFILE_BAD && s->read.detail != NULL)
		text_printf(t, " (%s)", s->read.detail);
	else if (s->read.end == RAWFILE_UNREADABLE)
		text_printf(t, " (%s)", strerror(s->read.error));
}
