/*
 * The octets of a file: see rawfile.h.
 *
 * Bounds: one buffer of packed octets and zlib's window for each gzip file.  Unpacking is
 * streamed, so a file that unpacks to a great deal costs time but no memory.
 */
#include "capture/rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct gunzip {
	z_stream z;
	bool between;		  /* between two members */
	uint8_t in[RAWFILE_PEEK]; /* packed octets */
};

/* Reads up to n octets from the descriptor.  Returns 0 at the end, where r->state.end says why. */
static size_t
take(struct rawfile *r, uint8_t *to, size_t n)
{
	ssize_t got;
	if (n > r->chunk)
		n = r->chunk;
	got = r->regular ? pread(r->fd, to, n, (off_t)(r->base + r->taken)) : read(r->fd, to, n);
	if (got < 0) {
		r->state.error = errno;
		r->state.end = errno == EINTR ? RAWFILE_STOPPED : RAWFILE_UNREADABLE;
		return 0;
	}
	if (got == 0)
		r->state.end = RAWFILE_DONE;
	r->taken += (uint64_t)got;
	return (size_t)got;
}

/* Makes packed octets available; false at the end of the file. */
static bool
gunzip_feed(struct rawfile *r)
{
	z_stream *z = &r->gz->z;
	if (z->avail_in > 0)
		return true;
	z->next_in = r->gz->in;
	z->avail_in = (uInt)take(r, r->gz->in, sizeof r->gz->in);
	return z->avail_in > 0;
}

/*
 * Between two members: steps over zeros (padding of tapes and block devices) and starts the next
 * member.  False where there is none.
 */
static bool
gunzip_next_member(struct rawfile *r)
{
	z_stream *z = &r->gz->z;
	do {
		while (z->avail_in > 0 && *z->next_in == 0) {
			z->next_in++;
			z->avail_in--;
		}
	} while (z->avail_in == 0 && gunzip_feed(r));
	if (z->avail_in == 0)
		return false;
	if (*z->next_in != 0x1f) {
		r->state.end = RAWFILE_BAD;
		r->state.detail = "other data follows it";
		return false;
	}
	inflateReset(z);
	r->gz->between = false;
	return true;
}

/* Unpacks up to n octets.  Returns 0 at the end, where r->state.end says why. */
static size_t
gunzip_read(struct rawfile *r, uint8_t *to, size_t n)
{
	z_stream *z = &r->gz->z;
	size_t got = 0;
	while (got == 0) {
		if (r->gz->between && !gunzip_next_member(r))
			return 0;
		if (!gunzip_feed(r)) {
			if (r->state.end == RAWFILE_DONE)
				r->state.end = RAWFILE_CUT;
			return 0;
		}
		z->next_out = to;
		z->avail_out = (uInt)n;
		int rc = inflate(z, Z_NO_FLUSH);
		got = n - z->avail_out;
		if (rc == Z_STREAM_END) {
			r->gz->between = true;
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			r->state.end = rc == Z_MEM_ERROR ? RAWFILE_NO_MEMORY : RAWFILE_BAD;
			/* zlib's own texts are constants; for a dictionary, which gzip cannot
			 * have, it has none */
			r->state.detail = z->msg != NULL ? z->msg : "no gzip data";
			return got;
		}
	}
	return got;
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
examine(struct rawfile *r, struct text *why)
{
	struct stat st;
	if (fstat(r->fd, &st) != 0) {
		text_printf(why, "cannot be examined: %s", strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		text_puts(why, "is a directory; name the capture files in it");
		return false;
	}
	if (r->keep_fd && isatty(r->fd)) {
		text_puts(why, "is a terminal; pipe or redirect a capture into it");
		return false;
	}
	off_t at = S_ISREG(st.st_mode) ? lseek(r->fd, 0, SEEK_CUR) : -1;
	r->regular = at >= 0;
	if (r->regular) {
		r->base = (uint64_t)at;
		r->size = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	}
	return true;
}

bool
rawfile_open(struct rawfile *r, const char *path, struct text *why)
{
	r->keep_fd = strcmp(path, "-") == 0;
	r->fd = r->keep_fd ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0) {
		say_open_error(errno, why);
		return false;
	}
	return examine(r, why);
}

void
rawfile_start(struct rawfile *r)
{
	r->chunk = RAWFILE_PEEK;
	r->taken = 0;
	r->state = (struct rawfile_state){.end = RAWFILE_MORE};
}

bool
rawfile_unpack(struct rawfile *r, const uint8_t *first, size_t n)
{
	struct gunzip *gz = calloc(1, sizeof *gz);
	if (gz == NULL)
		return false;
	memcpy(gz->in, first, n);
	gz->z.next_in = gz->in;
	gz->z.avail_in = (uInt)n;
	if (inflateInit2(&gz->z, 15 + 16) != Z_OK) { /* 16: gzip alone */
		free(gz);
		return false;
	}
	r->gz = gz;
	if (r->state.end == RAWFILE_DONE)
		r->state.end = RAWFILE_MORE;
	return true;
}

void
rawfile_hurry(struct rawfile *r, size_t chunk)
{
	r->chunk = chunk;
	if (r->regular)
		(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

size_t
rawfile_read(struct rawfile *r, uint8_t *to, size_t n)
{
	size_t got = r->gz != NULL ? gunzip_read(r, to, n) : take(r, to, n);
	r->state.used = r->taken - (r->gz != NULL ? r->gz->z.avail_in : 0);
	return got;
}

void
rawfile_park(struct rawfile *r, bool shut)
{
	if (r->gz != NULL) {
		inflateEnd(&r->gz->z);
		free(r->gz);
		r->gz = NULL;
	}
	if (shut) {
		if (r->fd >= 0 && !r->keep_fd)
			close(r->fd);
		r->fd = -1;
	}
}
