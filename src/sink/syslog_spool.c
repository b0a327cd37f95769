/*
 * The spool of a syslog server: see syslog_spool.h for its files and promises.
 *
 * Numbers in files are in this machine's byte order: a spool is not carried elsewhere.  The
 * position is written with one pwrite of one slot, the other slot being the one before it, so that
 * whatever happens one of them holds; it needs no new disk space, so it works on a full disk.
 */
#include "sink/syslog_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#define MAGIC	   "postcard spool 1" /* the first octets of a segment */
#define MAGIC_LEN  16u
#define BUFFER	   (64u << 10) /* octets read at once; an entry always fits */
#define SLOT_APART 64u	       /* octets from one slot of the position to the other */

struct entry_head {
	uint32_t len; /* octets of the message */
	uint32_t crc; /* of len and the message */
};

struct slot {
	uint64_t turn; /* the higher one is the newer */
	uint64_t segment;
	uint64_t octets;
	uint64_t crc; /* of the three */
};

struct segment {
	uint64_t number;
	uint64_t octets;  /* up to the end of its last whole entry */
	uint64_t entries; /* not read yet */
};

struct spool {
	char name[SINK_ERROR]; /* of the folder, for messages */
	int dir;	       /* descriptors: the folder */
	int lock;
	int position;
	int out;	    /* the segment that is appended to; -1: none */
	int in;		    /* the segment that is read; -1: none */
	uint64_t in_number; /* which it is */
	uint64_t max, segment_max;
	uint64_t octets;	   /* of all segments */
	uint64_t left;		   /* entries not read yet */
	struct segment *segments;  /* the oldest first */
	size_t count;		   /* of them */
	struct spool_place cursor; /* where reading goes on */
	struct spool_place done;   /* delivered so far */
	struct slot slot;	   /* the one written last */
	uint64_t next;		   /* number of the next segment */
	bool dirty;		   /* appended since the last fdatasync */
	uint64_t buf_at;	   /* place of buf in the segment of `in` */
	size_t buf_len;		   /* octets in it */
	char buf[BUFFER];
};

static bool
before(struct spool_place a, struct spool_place b)
{
	return a.segment != b.segment ? a.segment < b.segment : a.octets < b.octets;
}

static void
segment_name(char out[32], uint64_t number)
{
	snprintf(out, 32, "%016llx.spool", (unsigned long long)number);
}

static uint32_t
entry_crc(uint32_t len, const char *message)
{
	uLong crc = crc32(0, (const Bytef *)&len, sizeof len);
	return (uint32_t)crc32(crc, (const Bytef *)message, len);
}

static uint64_t
slot_crc(const struct slot *s)
{
	return crc32(0, (const Bytef *)s, offsetof(struct slot, crc)) | 1ull << 32;
}

/* Octets from `at` of the segment that `in` is, in buf; false where they cannot be had. */
static bool
fill(struct spool *s, uint64_t at, size_t len, const char **octets)
{
	if (at < s->buf_at || at + len > s->buf_at + s->buf_len) {
		ssize_t n = pread(s->in, s->buf, sizeof s->buf, (off_t)at);
		s->buf_at = at;
		s->buf_len = n > 0 ? (size_t)n : 0;
		if (s->buf_len < len)
			return false;
	}
	*octets = s->buf + (at - s->buf_at);
	return true;
}

/* The whole entry at that place; false where there is none. */
static bool
read_entry(struct spool *s, uint64_t at, const char **message, size_t *len)
{
	struct entry_head head;
	const char *p;
	if (!fill(s, at, sizeof head, &p))
		return false;
	memcpy(&head, p, sizeof head);
	if (head.len > LIMIT_SYSLOG_MESSAGE || !fill(s, at, sizeof head + head.len, &p))
		return false;
	*message = p + sizeof head;
	*len = head.len;
	return entry_crc(head.len, *message) == head.crc;
}

/* Opens a segment for reading. */
static bool
open_in(struct spool *s, uint64_t number)
{
	char name[32];
	if (s->in >= 0)
		close(s->in);
	segment_name(name, number);
	s->in = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	s->in_number = number;
	s->buf_len = 0;
	s->buf_at = 0;
	return s->in >= 0;
}

/* Finds the end of what is whole in a segment, from `from` on, and says what is not. */
static void
scan(struct spool *s, struct segment *g, uint64_t from)
{
	struct stat st;
	const char *p;
	size_t len;
	g->octets = 0;
	g->entries = 0;
	if (!open_in(s, g->number) || fstat(s->in, &st) != 0)
		return;
	if (fill(s, 0, MAGIC_LEN, &p) && memcmp(p, MAGIC, MAGIC_LEN) == 0) {
		uint64_t at = from > MAGIC_LEN ? from : MAGIC_LEN;
		for (; read_entry(s, at, &p, &len); at += sizeof(struct entry_head) + len)
			g->entries++;
		g->octets = at;
	}
	if ((uint64_t)st.st_size > g->octets)
		log_say("%s: the end of %016llx.spool is damaged: %llu octets are skipped", s->name,
		    (unsigned long long)g->number,
		    (unsigned long long)((uint64_t)st.st_size - g->octets));
	if ((uint64_t)st.st_size < g->octets)
		g->octets = (uint64_t)st.st_size;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct segment *)a)->number, y = ((const struct segment *)b)->number;
	return (x > y) - (x < y);
}

static bool
add_segment(struct spool *s, uint64_t number)
{
	if (s->count == LIMIT_SYSLOG_SEGMENTS)
		return false;
	struct segment *g = array_room(s->segments, s->count, sizeof *g);
	if (g == NULL)
		return false;
	s->segments = g;
	g[s->count++] = (struct segment){.number = number};
	return true;
}

static void
remove_segment(const struct spool *s, uint64_t number)
{
	char name[32];
	segment_name(name, number);
	(void)unlinkat(s->dir, name, 0);
}

/* Lists the segments that are there; false and errno. */
static bool
list_segments(struct spool *s)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return false;
	/* cppcheck-suppress readdirCalled; the stream is nobody else's */
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char name[32], *end;
		uint64_t number = strtoull(e->d_name, &end, 16);
		segment_name(name, number);
		if (strcmp(name, e->d_name) == 0 && number < UINT64_MAX && !add_segment(s, number))
			break;
	}
	closedir(d);
	if (s->count > 0)
		qsort(s->segments, s->count, sizeof *s->segments, by_number);
	return true;
}

static void
read_position(struct spool *s)
{
	for (unsigned i = 0; i < 2; i++) {
		struct slot x;
		if (pread(s->position, &x, sizeof x, (off_t)i * SLOT_APART) == sizeof x &&
		    x.crc == slot_crc(&x) && x.turn >= s->slot.turn)
			s->slot = x;
	}
	s->done = (struct spool_place){s->slot.segment, s->slot.octets};
}

static void
write_position(struct spool *s)
{
	if (s->slot.segment == s->done.segment && s->slot.octets == s->done.octets)
		return;
	struct slot x = {s->slot.turn + 1, s->done.segment, s->done.octets, 0};
	x.crc = slot_crc(&x);
	if (pwrite(s->position, &x, sizeof x, (off_t)(x.turn % 2 * SLOT_APART)) == sizeof x)
		s->slot = x;
}

/* What an earlier run left. */
static void
take_over(struct spool *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct segment g = s->segments[i];
		s->next = g.number + 1;
		if (g.number < s->done.segment) { /* delivered, and not yet removed then */
			remove_segment(s, g.number);
			continue;
		}
		scan(s, &g, g.number == s->done.segment ? s->done.octets : 0);
		if (g.entries == 0) {
			remove_segment(s, g.number);
			continue;
		}
		s->left += g.entries;
		s->octets += g.octets;
		s->segments[kept++] = g;
	}
	s->count = kept;
	if (s->next <= s->done.segment)
		s->next = s->done.segment + 1;
	s->cursor = s->done;
}

/* The folder's name: what of the URL a file name may show, and a hash of all of it. */
static void
folder_name(char *out, size_t cap, const char *url, const char *shown)
{
	uint8_t hash[DIGEST_MAX] = {0};
	struct text t = text_in(out, cap);
	char readable[80];
	size_t n = 0;
	(void)digest(DIGEST_SHA256, url, strlen(url), hash);
	for (; *shown != '\0' && n + 1 < sizeof readable; shown++) {
		bool plain = (*shown >= 'a' && *shown <= 'z') || (*shown >= 'A' && *shown <= 'Z') ||
		    (*shown >= '0' && *shown <= '9') || *shown == '.';
		if (plain || (n > 0 && readable[n - 1] != '-'))
			readable[n++] = (char)(plain ? *shown : '-');
	}
	readable[n] = '\0';
	text_puts(&t, readable);
	text_putc(&t, '-');
	for (unsigned i = 0; i < 6; i++)
		text_printf(&t, "%02x", hash[i]);
}

static int
open_own(const struct spool *s, const char *name, int flags)
{
	return openat(s->dir, name, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* Root makes files for whom the folder belongs to, who may be all that it is later. */
static void
give_to_owner(const struct spool *s, int fd)
{
	struct stat st;
	if (geteuid() == 0 && fstat(s->dir, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

/* False and what is wrong in `why`. */
static bool
open_folder(struct spool *s, const char *folder, const char *name, const char **why)
{
	struct stat st;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	*why = NULL;
	if (mkdir(folder, 0750) != 0 && errno != EEXIST)
		return false;
	int above = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return false;
	bool made = mkdirat(above, name, 0750) == 0;
	s->dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir >= 0 && made && geteuid() == 0 && fstat(above, &st) == 0)
		(void)!fchown(s->dir, st.st_uid, st.st_gid);
	close(above);
	if (s->dir < 0 || (s->lock = open_own(s, "lock", O_RDWR)) < 0)
		return false;
	give_to_owner(s, s->lock);
	if (fcntl(s->lock, F_SETLK, &whole) != 0) {
		*why = "another process uses it";
		return false;
	}
	if ((s->position = open_own(s, "position", O_RDWR)) < 0)
		return false;
	give_to_owner(s, s->position);
	return true;
}

static void
free_all(struct spool *s)
{
	int fds[] = {s->in, s->out, s->position, s->lock, s->dir};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(s->segments);
	free(s);
}

struct spool *
spool_open(const char *folder, const char *url, const char *shown, uint64_t max,
    char error[SINK_ERROR])
{
	struct spool *s = calloc(1, sizeof *s);
	char name[128], zeros[2 * SLOT_APART] = {0};
	const char *why;
	if (s == NULL) {
		snprintf(error, SINK_ERROR, "no memory for the spool");
		return NULL;
	}
	s->dir = s->lock = s->position = s->out = s->in = -1;
	s->max = max;
	s->segment_max = max / 16 < 4096      ? 4096
	    : max / 16 < LIMIT_SYSLOG_SEGMENT ? max / 16
					      : LIMIT_SYSLOG_SEGMENT;
	s->next = 1;
	folder_name(name, sizeof name, url, shown);
	struct text t = text_in(s->name, sizeof s->name - 96);
	text_puts(&t, "spool ");
	text_add_wire(&t, folder, strlen(folder));
	text_printf(&t, "/%s", name);
	if (!open_folder(s, folder, name, &why) || !list_segments(s)) {
		if (why == NULL)
			why = strerror(errno);
		snprintf(error, SINK_ERROR, "%.180s: %.70s", s->name, why);
		free_all(s);
		return NULL;
	}
	read_position(s);
	struct stat st;
	if (fstat(s->position, &st) == 0 && st.st_size < (off_t)sizeof zeros)
		(void)!pwrite(s->position, zeros, sizeof zeros, 0);
	take_over(s);
	return s;
}

uint64_t
spool_left(const struct spool *s)
{
	return s->left;
}

static void
sync_out(struct spool *s)
{
	if (s->dirty && s->out >= 0)
		(void)fdatasync(s->out);
	s->dirty = false;
}

static void
close_out(struct spool *s)
{
	sync_out(s);
	if (s->out >= 0)
		close(s->out);
	s->out = -1;
}

/* Begins a new segment; false and errno. */
static bool
begin_segment(struct spool *s)
{
	char name[32];
	close_out(s);
	segment_name(name, s->next);
	int fd = open_own(s, name, O_WRONLY | O_APPEND | O_EXCL);
	if (fd < 0)
		return false;
	give_to_owner(s, fd);
	errno = ENOSPC;
	if (write(fd, MAGIC, MAGIC_LEN) != MAGIC_LEN || !add_segment(s, s->next)) {
		int error = errno;
		close(fd);
		remove_segment(s, s->next);
		errno = error;
		return false;
	}
	(void)fsync(s->dir);
	s->segments[s->count - 1].octets = MAGIC_LEN;
	s->octets += MAGIC_LEN;
	s->out = fd;
	s->next++;
	return true;
}

enum spool_result
spool_append(struct spool *s, const char *message, size_t len, bool read, struct spool_place *after)
{
	struct entry_head head = {(uint32_t)len, entry_crc((uint32_t)len, message)};
	size_t whole = sizeof head + len;
	if (s->octets + whole > s->max)
		return SPOOL_FULL;
	if ((s->out < 0 || s->segments[s->count - 1].octets >= s->segment_max) && !begin_segment(s))
		return SPOOL_FAILED;
	struct iovec parts[] = {{&head, sizeof head}, {(void *)(uintptr_t)message, len}};
	struct segment *g = &s->segments[s->count - 1];
	errno = ENOSPC; /* a part only: that is why */
	if (writev(s->out, parts, 2) != (ssize_t)whole) {
		int error = errno;
		if (ftruncate(s->out, (off_t)g->octets) != 0)
			close_out(s); /* its end is torn: the next entry begins a new one */
		errno = error;
		return SPOOL_FAILED;
	}
	s->dirty = true;
	g->octets += whole;
	s->octets += whole;
	*after = (struct spool_place){g->number, g->octets};
	if (read) {
		s->cursor = *after;
	} else {
		g->entries++;
		s->left++;
	}
	return SPOOL_DONE;
}

/* The segment that the cursor is in, or the first behind it. */
static struct segment *
segment_at_cursor(struct spool *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct segment *g = &s->segments[i];
		if (g->number >= s->cursor.segment && g->entries > 0)
			return g;
	}
	return NULL;
}

bool
spool_next(struct spool *s, const char **message, size_t *len, struct spool_place *after,
    uint64_t *lost)
{
	struct segment *g;
	*lost = 0;
	while (s->left > 0 && (g = segment_at_cursor(s)) != NULL) {
		if (g->number != s->cursor.segment || s->cursor.octets < MAGIC_LEN)
			s->cursor = (struct spool_place){g->number, MAGIC_LEN};
		if (s->in < 0 || s->in_number != g->number)
			(void)open_in(s, g->number);
		if (s->in >= 0 && read_entry(s, s->cursor.octets, message, len)) {
			s->cursor.octets += sizeof(struct entry_head) + *len;
			*after = s->cursor;
			g->entries--;
			s->left--;
			return true;
		}
		log_say("%s: %016llx.spool cannot be read on: %llu messages are lost", s->name,
		    (unsigned long long)g->number, (unsigned long long)g->entries);
		*lost += g->entries;
		s->left -= g->entries;
		g->entries = 0;
		if (g == &s->segments[s->count - 1])
			close_out(s);
	}
	return false;
}

void
spool_delivered(struct spool *s, struct spool_place place)
{
	if (before(s->done, place))
		s->done = place;
}

void
spool_settle(struct spool *s, bool sync)
{
	if (sync)
		sync_out(s);
	if (s->count == 0)
		return;
	struct segment *last = &s->segments[s->count - 1];
	if (s->left == 0 && s->done.segment == last->number && s->done.octets >= last->octets) {
		s->done = (struct spool_place){s->next, 0}; /* all of it */
		s->cursor = s->done;
		s->dirty = false;
		close_out(s);
	}
	write_position(s);
	size_t gone = 0;
	for (; gone < s->count && s->segments[gone].number < s->done.segment; gone++) {
		remove_segment(s, s->segments[gone].number);
		s->octets -= s->segments[gone].octets;
	}
	s->count -= gone;
	if (gone > 0)
		memmove(s->segments, s->segments + gone, s->count * sizeof *s->segments);
	if (s->count == 0 && s->in >= 0) {
		close(s->in);
		s->in = -1;
	}
}

bool
spool_dirty(const struct spool *s)
{
	return s->dirty;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	spool_settle(s, true);
	free_all(s);
}
