/*
 * For the tests of src/capture: builds capture files octet by octet, puts them into temporary
 * files or through standard input, and reads captures into plain arrays.
 */
#ifndef POSTCARD_TESTS_CAPTURE_BUILD_H
#define POSTCARD_TESTS_CAPTURE_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "capture/capture.h"

/* --- octets --- */

struct octets {
	uint8_t *p;
	size_t len;
	size_t cap; /* octets allocated */
	bool big;   /* byte order of put16 and put32 */
};

static inline void
put(struct octets *o, const void *data, size_t len)
{
	if (o->len + len + 1 > o->cap) {
		o->cap = 2 * (o->len + len + 1);
		o->p = realloc(o->p, o->cap);
		assert_non_null(o->p);
	}
	if (len > 0)
		memcpy(o->p + o->len, data, len);
	o->len += len;
}

static inline void
put32(struct octets *o, uint32_t v)
{
	uint8_t b[4];
	for (unsigned i = 0; i < 4; i++)
		b[o->big ? 3 - i : i] = (uint8_t)(v >> (8 * i));
	put(o, b, 4);
}

static inline void
put16(struct octets *o, uint32_t v)
{
	uint8_t b[2];
	for (unsigned i = 0; i < 2; i++)
		b[o->big ? 1 - i : i] = (uint8_t)(v >> (8 * i));
	put(o, b, 2);
}

static inline void
put_fill(struct octets *o, int octet, size_t len)
{
	uint8_t *b = malloc(len + 1);
	assert_non_null(b);
	memset(b, octet, len);
	put(o, b, len);
	free(b);
}

static inline void
octets_free(struct octets *o)
{
	free(o->p);
	*o = (struct octets){0};
}

/* --- pcap --- */

#define MICRO	 0xa1b2c3d4u
#define NANO	 0xa1b23c4du
#define MODIFIED 0xa1b2cd34u

static inline void
pcap_header(struct octets *o, uint32_t magic, uint32_t minor, uint32_t link_type)
{
	put32(o, magic);
	put16(o, 2);
	put16(o, minor);
	put32(o, 0);
	put32(o, 0);
	put32(o, 262144);
	put32(o, link_type);
}

/* A packet of `caplen` octets of `fill`. */
static inline void
pcap_packet(struct octets *o, uint32_t s, uint32_t fraction, uint32_t caplen, uint32_t wirelen,
    int fill)
{
	put32(o, s);
	put32(o, fraction);
	put32(o, caplen);
	put32(o, wirelen);
	put_fill(o, fill, caplen);
}

/* --- pcapng --- */

static inline void
block(struct octets *o, uint32_t type, const struct octets *body)
{
	uint32_t padded = ((uint32_t)body->len + 3) / 4 * 4;
	put32(o, type);
	put32(o, padded + 12);
	put(o, body->p, body->len);
	put_fill(o, 0, padded - body->len);
	put32(o, padded + 12);
}

static inline void
section(struct octets *o, bool big)
{
	o->big = big;
	struct octets b = {.big = big};
	put32(&b, 0x1a2b3c4d);
	put16(&b, 1);
	put16(&b, 0);
	put32(&b, 0xffffffff);
	put32(&b, 0xffffffff);
	block(o, 0x0a0d0d0a, &b);
	octets_free(&b);
}

static inline void
option(struct octets *o, uint32_t code, const void *value, size_t len)
{
	put16(o, code);
	put16(o, (uint32_t)len);
	put(o, value, len);
	put_fill(o, 0, (4 - len % 4) % 4);
}

static inline void
option64(struct octets *o, uint32_t code, uint64_t v)
{
	struct octets b = {.big = o->big};
	put32(&b, (uint32_t)(o->big ? v >> 32 : v));
	put32(&b, (uint32_t)(o->big ? v : v >> 32));
	option(o, code, b.p, 8);
	octets_free(&b);
}

/* tsresol < 0: no such option; offset_s 0: no such option. */
static inline void
interface(struct octets *o, uint32_t link_type, uint32_t snaplen, int tsresol, int64_t offset_s)
{
	struct octets b = {.big = o->big};
	put16(&b, link_type);
	put16(&b, 0);
	put32(&b, snaplen);
	option(&b, 2, "eth0", 4);
	if (tsresol >= 0)
		option(&b, 9, &(uint8_t){(uint8_t)tsresol}, 1);
	if (offset_s != 0)
		option64(&b, 14, (uint64_t)offset_s);
	option(&b, 0, NULL, 0);
	block(o, 1, &b);
	octets_free(&b);
}

static inline void
enhanced(struct octets *o, uint32_t id, uint64_t units, uint32_t caplen, uint32_t wirelen, int fill)
{
	struct octets b = {.big = o->big};
	put32(&b, id);
	put32(&b, (uint32_t)(units >> 32));
	put32(&b, (uint32_t)units);
	put32(&b, caplen);
	put32(&b, wirelen);
	put_fill(&b, fill, caplen);
	block(o, 6, &b);
	octets_free(&b);
}

/* --- gzip --- */

static inline void
put_gzip(struct octets *o, const void *data, size_t len)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t cap = deflateBound(&z, len) + 64;
	uint8_t *b = malloc(cap);
	assert_non_null(b);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = b;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	put(o, b, cap - z.avail_out);
	deflateEnd(&z);
	free(b);
}

/* --- files --- */

#define TEMP_PATH "/tmp/postcard-test-XXXXXX"

/* Writes a temporary file; path has sizeof TEMP_PATH octets.  The test unlinks it. */
static inline void
temp_file(char *path, const void *data, size_t len)
{
	memcpy(path, TEMP_PATH, sizeof TEMP_PATH);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

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
read_frames(struct reading *r, struct capture *c)
{
	struct frame f;
	enum capture_status status;
	while ((status = capture_next(c, &f)) == CAPTURE_FRAME) {
		assert_true(r->count < READ_MAX);
		struct seen *s = &r->seen[r->count++];
		*s = (struct seen){f.ts_ns, f.number, f.caplen, f.wirelen, f.link_type, -1, true};
		if (f.caplen > 0)
			s->first = f.data[0];
		for (uint32_t i = 0; i < f.caplen; i++)
			s->even &= f.data[i] == s->first;
	}
	memcpy(r->failure, capture_failure(c), strlen(capture_failure(c)) + 1);
	assert_int_equal(status == CAPTURE_FAILED, r->failure[0] != '\0');
	assert_int_equal(capture_next(c, &f), status); /* the end stays the end */
}

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
