/*
 * The octets of a capture file: see source.h.
 *
 * Bounds: the buffer, one 64 KiB buffer of packed octets and zlib's window for each gzip file.
 * Nothing is written, nothing is mapped.  Unpacking is streamed, so a file that unpacks to a
 * great deal costs time but no memory.
 */
#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"

#define PEEK_CHUNK 65536u /* octets read at once before source_hurry */
#define GZIP_CHUNK 65536u /* packed octets read at once */

struct gunzip {
	z_stream z;
	bool between;		/* between two members */
	uint8_t in[GZIP_CHUNK]; /* packed octets */
};

/* Reads up to n octets from the descriptor.  Returns 0 at the end, where s->end says why. */
static size_t
raw_read(struct source *s, uint8_t *to, size_t n)
{
	ssize_t got;
	if (n > s->chunk)
		n = s->chunk;
	got = s->regular ? pread(s->fd, to, n, (off_t)(s->base + s->raw)) : read(s->fd, to, n);
	if (got < 0 && errno == EINTR)
		got = 0; /* who caught the signal knows that this is not the end */
	if (got < 0) {
		s->error = errno;
		s->end = SOURCE_UNREADABLE;
		return 0;
	}
	if (got == 0)
		s->end = SOURCE_DONE;
	s->raw += (uint64_t)got;
	return (size_t)got;
}

/* Makes packed octets available; false at the end of the file. */
static bool
gunzip_feed(struct source *s)
{
	z_stream *z = &s->gz->z;
	if (z->avail_in > 0)
		return true;
	z->next_in = s->gz->in;
	z->avail_in = (uInt)raw_read(s, s->gz->in, sizeof s->gz->in);
	return z->avail_in > 0;
}

/*
 * Between two members: steps over zeros (padding of tapes and block devices) and starts the next
 * member.  False where there is none.
 */
static bool
gunzip_next_member(struct source *s)
{
	z_stream *z = &s->gz->z;
	do {
		while (z->avail_in > 0 && *z->next_in == 0) {
			z->next_in++;
			z->avail_in--;
		}
	} while (z->avail_in == 0 && gunzip_feed(s));
	if (z->avail_in == 0)
		return false;
	if (*z->next_in != 0x1f) {
		s->end = SOURCE_BAD;
		s->detail = "other data follows it";
		return false;
	}
	inflateReset(z);
	s->gz->between = false;
	return true;
}

/* Unpacks up to n octets.  Returns 0 at the end, where s->end says why. */
static size_t
gunzip_read(struct source *s, uint8_t *to, size_t n)
{
	z_stream *z = &s->gz->z;
	size_t got = 0;
	while (got == 0) {
		if (s->gz->between && !gunzip_next_member(s))
			return 0;
		if (!gunzip_feed(s)) {
			if (s->end == SOURCE_DONE)
				s->end = SOURCE_CUT;
			return 0;
		}
		z->next_out = to;
		z->avail_out = (uInt)n;
		int rc = inflate(z, Z_NO_FLUSH);
		got = n - z->avail_out;
		if (rc == Z_STREAM_END) {
			s->gz->between = true;
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			s->end = rc == Z_MEM_ERROR ? SOURCE_NO_MEMORY : SOURCE_BAD;
			/* zlib's own texts are constants; for a dictionary, which gzip cannot
			 * have, it has none */
			s->detail = z->msg != NULL ? z->msg : "no gzip data";
			return got;
		}
	}
	return got;
}

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

bool
source_fill(struct source *s, size_t n)
{
	if (s->end != SOURCE_MORE)
		return false;
	if (!make_room(s, n)) {
		s->end = SOURCE_NO_MEMORY;
		return false;
	}
	size_t have = source_left(s);
	while (have < n && s->end == SOURCE_MORE) {
		size_t room = s->cap - have;
		size_t got = s->gz != NULL ? gunzip_read(s, s->buf + have, room)
					   : raw_read(s, s->buf + have, room);
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
gunzip_start(struct source *s)
{
	struct gunzip *gz = calloc(1, sizeof *gz);
	if (gz == NULL)
		return false;
	size_t have = source_left(s); /* at most PEEK_CHUNK, which is GZIP_CHUNK */
	memcpy(gz->in, s->at, have);
	gz->z.next_in = gz->in;
	gz->z.avail_in = (uInt)have;
	if (inflateInit2(&gz->z, 15 + 16) != Z_OK) { /* 16: gzip alone */
		free(gz);
		return false;
	}
	s->gz = gz;
	s->at = s->limit = s->buf;
	s->limit_offset = 0;
	if (s->end == SOURCE_DONE)
		s->end = SOURCE_MORE;
	return true;
}

/* Gets the first octets, so that gzip is known before anything is parsed. */
static bool
start(struct source *s, struct text *why)
{
	s->chunk = PEEK_CHUNK;
	s->cap = LIMIT_READ_BUFFER;
	s->buf = malloc(s->cap);
	s->at = s->limit = s->buf;
	s->end = SOURCE_MORE;
	if (s->buf == NULL) {
		text_puts(why, "no memory to read it");
		return false;
	}
	if (source_need(s, 2) && s->at[0] == 0x1f && s->at[1] == 0x8b && !gunzip_start(s)) {
		text_puts(why, "no memory to unpack it");
		return false;
	}
	if (s->end == SOURCE_UNREADABLE) {
		text_printf(why, "cannot be read: %s", strerror(s->error));
		return false;
	}
	if (source_left(s) == 0 && s->end == SOURCE_DONE) {
		text_puts(why, "is empty (0 octets), so it is no capture; was it ever written?");
		return false;
	}
	return true;
}

static void
say_open_error(int error, struct text *why)
{
	switch (error) {
	case ENOENT: text_puts(why, "no such file; check the name"); break;
	case EACCES:
		text_puts(why,
		    "permission denied; the user who runs postcard must be able to read it");
		break;
	case EMFILE:
	case ENFILE:
		text_puts(why,
		    "too many open files; raise the limit with ulimit -n, or give fewer");
		break;
	default: text_printf(why, "cannot be opened: %s", strerror(error)); break;
	}
}

/* Learns what kind of thing the descriptor is. */
static bool
examine(struct source *s, struct text *why)
{
	struct stat st;
	if (fstat(s->fd, &st) != 0) {
		text_printf(why, "cannot be examined: %s", strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		text_puts(why, "is a directory; name the capture files in it");
		return false;
	}
	if (s->keep_fd && isatty(s->fd)) {
		text_puts(why, "is a terminal; pipe or redirect a capture into it");
		return false;
	}
	off_t at = S_ISREG(st.st_mode) ? lseek(s->fd, 0, SEEK_CUR) : -1;
	s->regular = at >= 0;
	if (s->regular) {
		s->base = (uint64_t)at;
		s->size = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	}
	return true;
}

static bool
connect_file(struct source *s, const char *path, struct text *why)
{
	s->keep_fd = strcmp(path, "-") == 0;
	s->fd = s->keep_fd ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s->fd < 0) {
		say_open_error(errno, why);
		return false;
	}
	return examine(s, why);
}

bool
source_open(struct source *s, const char *path, struct text *why)
{
	memset(s, 0, sizeof *s);
	return (connect_file(s, path, why) && start(s, why)) || (source_close(s), false);
}

bool
source_reopen(struct source *s, const char *path, struct text *why)
{
	return ((s->fd >= 0 || connect_file(s, path, why)) && start(s, why)) ||
	    (source_close(s), false);
}

void
source_hurry(struct source *s)
{
	s->chunk = LIMIT_READ_BUFFER;
	if (s->regular)
		(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

void
source_park(struct source *s, bool shut)
{
	if (s->gz != NULL) {
		inflateEnd(&s->gz->z);
		free(s->gz);
		s->gz = NULL;
	}
	free(s->buf);
	s->buf = NULL;
	s->at = s->limit = NULL;
	s->cap = 0;
	s->limit_offset = 0;
	s->raw = 0;
	if (shut) {
		if (s->fd >= 0 && !s->keep_fd)
			close(s->fd);
		s->fd = -1;
	}
}

void
source_close(struct source *s)
{
	source_park(s, true);
}

uint64_t
source_progress(const struct source *s)
{
	if (s->gz != NULL)
		return s->raw - s->gz->z.avail_in;
	return s->raw - source_left(s);
}

void
source_say_offset(const struct source *s, uint64_t offset, struct text *t)
{
	text_printf(t, "octet %llu%s", (unsigned long long)offset,
	    s->gz != NULL ? " of the unpacked data" : "");
}

void
source_say_end(const struct source *s, struct text *t)
{
	switch (s->end) {
	case SOURCE_MORE:
	case SOURCE_DONE: text_puts(t, "cut short at "); break;
	case SOURCE_CUT: text_puts(t, "gzip data cut short at "); break;
	case SOURCE_BAD: text_puts(t, "damaged gzip data after "); break;
	case SOURCE_UNREADABLE: text_puts(t, "cannot be read after "); break;
	case SOURCE_NO_MEMORY: text_puts(t, "no memory to read on after "); break;
	}
	source_say_offset(s, s->limit_offset, t);
	if (s->end == SOURCE_BAD && s->detail != NULL)
		text_printf(t, " (%s)", s->detail);
	else if (s->end == SOURCE_UNREADABLE)
		text_printf(t, " (%s)", strerror(s->error));
}
