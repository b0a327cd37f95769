/* For the tests of src/capture: reads captures into plain arrays. */
#ifndef POSTCARD_TESTS_CAPTURE_READ_H
#define POSTCARD_TESTS_CAPTURE_READ_H

#include "capture_blocks.h"

/* --- reading --- */

#define READ_MAX 1024

struct seen {
	int64_t ts_ns;
	uint64_t number;
	uint32_t caplen;
	uint32_t wirelen;
	uint32_t link_type;
	int first; /* first octet, -1 of an empty frame */
	bool even; /* all octets are like the first */
};

struct reading {
	char error[CAPTURE_TEXT]; /* of the opening, or "" */
	char failure[CAPTURE_TEXT];
	char fault[4][CAPTURE_TEXT];
	size_t faults;
	size_t count;
	struct seen seen[READ_MAX];
	struct capture_stats stats;
	uint64_t octets_read;
	uint64_t octets_total;
};

static inline void
see_frame(struct reading *r, const struct frame *f)
{
	assert_true(r->count < READ_MAX);
	struct seen *s = &r->seen[r->count++];
	*s = (struct seen){f->ts_ns, f->number, f->caplen, f->wirelen, f->link_type, -1, true};
	if (f->caplen > 0)
		s->first = f->data[0];
	for (uint32_t i = 0; i < f->caplen; i++)
		s->even &= f->data[i] == s->first;
}

/* One by one and, where they lie in memory together, several at once: it is the same. */
static inline void
read_frames(struct reading *r, struct capture *c)
{
	struct frame f[4];
	enum capture_status status;
	for (size_t turn = 0; (status = capture_next(c, f)) == CAPTURE_FRAME; turn++) {
		size_t more = capture_more(c, f + 1, turn % 4);
		assert_true(more <= turn % 4);
		for (size_t i = 0; i <= more; i++)
			see_frame(r, &f[i]);
	}
	memcpy(r->failure, capture_failure(c), strlen(capture_failure(c)) + 1);
	assert_int_equal(status == CAPTURE_FAILED, r->failure[0] != '\0');
	assert_int_equal(capture_more(c, f, 4), 0);
	assert_int_equal(capture_next(c, f), status); /* the end stays the end */
}

static bool read_by_thread; /* files are read by a thread of its own (capture_read_ahead) */

/* Reads all of the files.  The result is the caller's to free. */
static inline struct reading *
read_files(const char *const *paths, size_t count, const char *filter)
{
	struct reading *r = calloc(1, sizeof *r);
	struct capture_error err;
	assert_non_null(r);
	struct capture *c = capture_open_files(paths, count, filter, &err);
	memcpy(r->error, err.text, sizeof r->error);
	assert_int_equal(c == NULL, r->error[0] != '\0');
	if (c == NULL)
		return r;
	if (read_by_thread)
		capture_read_ahead(c);
	read_frames(r, c);
	r->faults = capture_faults(c);
	for (size_t i = 0; i < r->faults && i < 4; i++)
		memcpy(r->fault[i], capture_fault(c, i), strlen(capture_fault(c, i)) + 1);
	capture_stats_get(c, &r->stats);
	assert_int_equal(r->stats.frames, r->count);
	capture_progress(c, &r->octets_read, &r->octets_total);
	capture_close(c);
	return r;
}

/* Reads octets out of a temporary file, whose name is replaced by FILE in the messages. */
static inline struct reading *
read_octets(const void *data, size_t len, const char *filter)
{
	char path[sizeof TEMP_PATH];
	temp_file(path, data, len);
	const char *paths[] = {path};
	struct reading *r = read_files(paths, 1, filter);
	unlink(path);
	char *text[] = {r->error, r->fault[0], r->fault[1]};
	for (size_t i = 0; i < 3; i++) {
		if (strncmp(text[i], path, strlen(path)) != 0)
			continue;
		memmove(text[i] + 4, text[i] + strlen(path), strlen(text[i] + strlen(path)) + 1);
		memcpy(text[i], "FILE", 4);
	}
	return r;
}

/*
 * Reads octets from standard input in which each read(2) sees at most one of the pieces that end
 * at the given offsets; at most 16 KiB in all.
 */
static inline struct reading *
read_pieces(const uint8_t *data, size_t len, const size_t *ends, size_t count)
{
	int pair[2], saved = dup(STDIN_FILENO);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	int room = 4 << 20;
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	size_t at = 0;
	for (size_t i = 0; i <= count; i++) {
		size_t end = i < count ? ends[i] : len;
		if (end > at)
			assert_int_equal(send(pair[1], data + at, end - at, MSG_DONTWAIT),
			    (ssize_t)(end - at));
		at = end;
	}
	close(pair[1]);
	assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
	close(pair[0]);
	struct reading *r = read_files((const char *const[]){"-"}, 1, NULL);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	return r;
}

static inline void
assert_same(const struct reading *a, const struct reading *b)
{
	assert_string_equal(a->error, b->error);
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->seen, b->seen, sizeof a->seen);
	assert_int_equal(a->faults, b->faults);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(a->fault[i], b->fault[i]);
}

/* Every split in two and octet by octet give what the whole gives. */
static inline void
assert_splits(const struct octets *o)
{
	struct reading *whole = read_pieces(o->p, o->len, NULL, 0);
	for (size_t i = 1; i < o->len; i++) {
		struct reading *r = read_pieces(o->p, o->len, &i, 1);
		assert_same(r, whole);
		free(r);
	}
	size_t *ends = calloc(o->len, sizeof *ends);
	assert_non_null(ends);
	for (size_t i = 0; i < o->len; i++)
		ends[i] = i + 1;
	struct reading *r = read_pieces(o->p, o->len, ends, o->len);
	assert_same(r, whole);
	free(r);
	free(ends);
	free(whole);
}

#endif
