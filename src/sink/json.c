/*
 * The JSON sink: one object a line (NDJSON, RFC 8259), as object.c writes it.
 *
 * Lines are gathered and written whole, many at once; sink_flush writes what there is, and so does
 * sink_tick where nothing shall be held back (`live`).
 *
 * To a stream of the caller (standard output): an error is final, as sink_push says.  To a file of
 * its own (`path`): it is appended to, made with mode 0640 where it is not there, and opened again
 * by sink_reopen.  What cannot be written (a full disk) is counted as dropped and said once, until
 * something can be written again; a line that was written in part is taken back, or, where that is
 * not possible either, ended before the next one, so that no line holds two halves.  Not done:
 * fsync, rotation, taking turns with other writers of the same file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "sink/kinds.h"
#include "sink/object.h"

#define BUFFER (256u << 10) /* octets gathered for one write; one more record always fits */
#define WHOLE  (BUFFER + OBJECT_MAX + 1)

struct json {
	FILE *out;	   /* the caller's; NULL where `path` is written */
	char *path;	   /* the file that is appended to; NULL for none */
	char *name;	   /* `path` as it may be shown */
	int fd;		   /* of it */
	bool live;	   /* nothing is held back longer than until the next tick */
	bool failing;	   /* what could not be written was said already */
	bool torn;	   /* the file ends in a part of a line */
	int error;	   /* errno of the write to `out` that failed; 0 while all is well */
	uint64_t sent;	   /* lines written */
	uint64_t waiting;  /* lines in buf */
	uint64_t dropped;  /* lines that could not be written */
	struct object *to; /* the writer of objects */
	size_t used;	   /* octets in buf */
	char *buf;	   /* WHOLE octets, from the beginning of a page */
};

/* Writes all of it, as far as it goes: octets written, errno where they are fewer. */
static size_t
write_all(int fd, const char *s, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = write(fd, s + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static uint64_t
count_lines(const char *s, size_t len)
{
	uint64_t n = 0;
	for (const char *end = s + len; (s = memchr(s, '\n', (size_t)(end - s))) != NULL; s++)
		n++;
	return n;
}

/* Takes the last `octets` of the file back. */
static bool
take_back(int fd, size_t octets)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)octets &&
	    ftruncate(fd, st.st_size - (off_t)octets) == 0;
}

static void
write_file(struct json *j)
{
	errno = 0;
	if (j->torn && write_all(j->fd, "\n", 1) == 1)
		j->torn = false;
	size_t done = j->torn ? 0 : write_all(j->fd, j->buf, j->used);
	int error = errno;
	size_t whole = done; /* octets of whole lines */
	while (whole > 0 && j->buf[whole - 1] != '\n')
		whole--;
	if (whole < done)
		j->torn = !take_back(j->fd, done - whole);
	uint64_t lines = count_lines(j->buf, whole);
	j->sent += lines;
	j->dropped += j->waiting - lines;
	if (whole == j->used) {
		if (j->failing)
			log_say("%s: can be written again; %llu records were dropped so far",
			    j->name, (unsigned long long)j->dropped);
		j->failing = false;
	} else if (!j->failing) {
		log_say("%s: %s; records are dropped until it can be written", j->name,
		    error != 0 ? strerror(error) : "not all was taken");
		j->failing = true;
	}
}

static void
write_out(struct json *j)
{
	if (j->used == 0)
		return;
	if (j->path != NULL) {
		write_file(j);
	} else if (j->error == 0) {
		errno = 0;
		if (fwrite(j->buf, 1, j->used, j->out) != j->used)
			j->error = errno != 0 ? errno : EIO;
	}
	j->used = 0;
	j->waiting = 0;
}

/* The same while more is to come: a stream gets blocks of the size of the buffer, which the C
 * library and the kernel take as they are; the line that a block ends in waits for the next. */
static void
write_full(struct json *j)
{
	size_t rest = j->path != NULL ? 0 : j->used % BUFFER;
	j->used -= rest;
	const char *from = j->buf + j->used;
	write_out(j);
	memmove(j->buf, from, rest);
	j->used = rest;
}

/* Puts errno to what went wrong, if anything did. */
static bool
all_well(const struct json *j)
{
	if (j->error != 0)
		errno = j->error;
	return j->error == 0;
}

bool
json_push(void *state, const struct record *r)
{
	struct json *j = state;
	size_t n = object_write(j->to, r, j->buf + j->used, OBJECT_MAX);
	if (n == 0) { /* OBJECT_MAX rules it out */
		j->dropped++;
		return all_well(j);
	}
	j->used += n;
	j->buf[j->used++] = '\n';
	j->waiting++;
	if (j->used >= BUFFER)
		write_full(j);
	return all_well(j);
}

/* Opens the file; -1 and errno. */
static int
open_file(struct json *j)
{
	char last;
	struct stat st;
	int fd = open(j->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0 && errno == EACCES) { /* one may have no right to read it */
		fd = open(j->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) /* that it is not there is not why it cannot be made */
			errno = EACCES;
	}
	if (fd < 0)
		return -1;
	j->torn = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
	return fd;
}

static void
json_free(struct json *j)
{
	if (j->fd >= 0)
		close(j->fd);
	object_free(j->to);
	memory_release(j->buf, WHOLE);
	free(j->path);
	free(j->name);
	free(j);
}

/* A copy of the path in which nothing disturbs a terminal or a log. */
static char *
name_of(const char *path)
{
	char buf[1024];
	struct text t = text_in(buf, sizeof buf);
	text_add_wire(&t, path, strlen(path));
	return strdup(buf);
}

void *
json_open(const struct sink_config *config, char error[SINK_ERROR])
{
	struct json *j = calloc(1, sizeof *j);
	if (j != NULL) {
		j->out = config->path == NULL ? config->out : NULL;
		j->live = config->live;
		j->fd = -1;
		j->to = object_new(config->reveal);
		j->buf = memory_reserve(WHOLE);
		if (config->path != NULL) {
			j->path = strdup(config->path);
			j->name = name_of(config->path);
		}
	}
	if (j == NULL || j->to == NULL || j->buf == NULL ||
	    (config->path != NULL && (!j->path || !j->name))) {
		snprintf(error, SINK_ERROR, "no memory for the JSON output");
		if (j != NULL)
			json_free(j);
		return NULL;
	}
	if (j->path != NULL && (j->fd = open_file(j)) < 0) {
		snprintf(error, SINK_ERROR, "%.180s: %s", j->name, strerror(errno));
		json_free(j);
		return NULL;
	}
	return j;
}

bool
json_flush(void *state)
{
	struct json *j = state;
	write_out(j);
	if (j->out != NULL && j->error == 0 && fflush(j->out) != 0)
		j->error = errno != 0 ? errno : EIO;
	return all_well(j);
}

bool
json_settle(void *state, int ms)
{
	const struct json *j = state;
	(void)ms;
	return json_flush(state) && j->dropped == 0;
}

void
json_wait(const void *state, struct sink_wait *w)
{
	const struct json *j = state;
	if (j->live && j->used > 0)
		w->timeout_ms = 0;
}

bool
json_tick(void *state)
{
	struct json *j = state;
	return j->live && j->used > 0 ? json_flush(j) : all_well(j);
}

void
json_reopen(void *state)
{
	struct json *j = state;
	if (j->path == NULL)
		return;
	write_out(j);
	bool torn = j->torn;
	int fd = open_file(j);
	if (fd < 0) {
		log_say("%s: %s; the file opened before is written on", j->name, strerror(errno));
		j->torn = torn;
		return;
	}
	close(j->fd);
	j->fd = fd;
}

bool
json_counts(const void *state, struct sink_counts *out)
{
	const struct json *j = state;
	if (j->path == NULL)
		return false;
	*out = (struct sink_counts){.name = j->name,
	    .up = !j->failing,
	    .sent = j->sent,
	    .waiting = j->waiting,
	    .dropped = j->dropped};
	return true;
}

bool
json_close(void *state)
{
	struct json *j = state;
	bool ok = json_flush(j);
	int error = j->error;
	json_free(j);
	if (!ok)
		errno = error;
	return ok;
}
