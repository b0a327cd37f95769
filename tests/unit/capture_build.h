/*
 * For the tests of src/capture: builds classic capture files octet by octet, and puts them into
 * temporary files or through standard input.
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

#endif
