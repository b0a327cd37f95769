/*
 * Writes small MaxMind databases (format 2.0, records of 24 bits) for tests.
 *
 * Values are put first, each of which gives its place; then networks point to places.  Bounded by
 * the arrays below; a test that needs more fails.
 */
#ifndef POSTCARD_TESTS_MMDB_WRITER_H
#define POSTCARD_TESTS_MMDB_WRITER_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

#define MMDB_NODES 2048u
#define MMDB_PLACE 0x80000000u /* marks a record that points to data */

struct mmdb_writer {
	uint32_t node[MMDB_NODES][2]; /* 0: nothing; another node; or a place */
	uint32_t nodes;
	uint8_t data[8192];
	size_t len;
};

static inline void
mmdb_octet(struct mmdb_writer *w, unsigned octet)
{
	assert(w->len < sizeof w->data);
	w->data[w->len++] = (uint8_t)octet;
}

static inline void
mmdb_control(struct mmdb_writer *w, unsigned type, size_t size)
{
	unsigned head = type > 7 ? 0 : type;
	mmdb_octet(w, head << 5 | (size < 29 ? (unsigned)size : 29));
	if (type > 7)
		mmdb_octet(w, type - 7);
	if (size >= 29) {
		assert(size < 29 + 256);
		mmdb_octet(w, (unsigned)(size - 29));
	}
}

static inline void
mmdb_string(struct mmdb_writer *w, const char *s)
{
	mmdb_control(w, 2, strlen(s));
	for (; *s != '\0'; s++)
		mmdb_octet(w, (uint8_t)*s);
}

/* type: 5 is uint16, 6 uint32, 9 uint64 */
static inline void
mmdb_number(struct mmdb_writer *w, unsigned type, uint64_t n)
{
	size_t size = 0;
	while (size < 8 && n >> (8 * size) != 0)
		size++;
	mmdb_control(w, type, size);
	while (size-- > 0)
		mmdb_octet(w, (unsigned)(n >> (8 * size)) & 0xff);
}

static inline void
mmdb_map(struct mmdb_writer *w, size_t pairs)
{
	mmdb_control(w, 7, pairs);
}

/* The place of what is put next. */
static inline uint32_t
mmdb_place(const struct mmdb_writer *w)
{
	return MMDB_PLACE | (uint32_t)w->len;
}

/* Makes the network point to a place; networks may not lie within each other. */
static inline void
mmdb_network(struct mmdb_writer *w, const char *name, uint32_t place)
{
	struct network n;
	uint8_t bits[16] = {0};
	assert(network_parse(name, &n));
	unsigned start = n.addr.family == 4 ? 96 : 0, count = start + n.bits;
	memcpy(bits + start / 8, n.addr.b, n.addr.family == 4 ? 4 : 16);
	uint32_t at = 0;
	if (w->nodes == 0)
		w->nodes = 1;
	for (unsigned i = 0; i < count; i++) {
		unsigned side = bits[i / 8] >> (7 - i % 8) & 1;
		uint32_t *record = &w->node[at][side];
		assert((*record & MMDB_PLACE) == 0);
		if (i == count - 1) {
			*record = place;
			return;
		}
		if (*record == 0) {
			assert(w->nodes < MMDB_NODES);
			*record = w->nodes++;
		}
		at = *record;
	}
}

/* The whole file, into `out`; returns its octets.  `scratch` is for the metadata. */
static inline size_t
mmdb_file(const struct mmdb_writer *w, const char *type, uint8_t *out, size_t cap)
{
	static struct mmdb_writer meta;
	size_t len = 0;
	assert(cap >= (size_t)w->nodes * 6 + 16 + w->len + 1024);
	for (uint32_t i = 0; i < w->nodes; i++) {
		for (unsigned side = 0; side < 2; side++) {
			uint32_t v = w->node[i][side];
			if (v == 0)
				v = w->nodes;
			else if ((v & MMDB_PLACE) != 0)
				v = (v & ~MMDB_PLACE) + w->nodes + 16;
			out[len++] = (uint8_t)(v >> 16);
			out[len++] = (uint8_t)(v >> 8);
			out[len++] = (uint8_t)v;
		}
	}
	memset(out + len, 0, 16);
	len += 16;
	memcpy(out + len, w->data, w->len);
	len += w->len;

	memset(&meta, 0, sizeof meta);
	mmdb_map(&meta, 9);
	mmdb_string(&meta, "binary_format_major_version");
	mmdb_number(&meta, 5, 2);
	mmdb_string(&meta, "binary_format_minor_version");
	mmdb_number(&meta, 5, 0);
	mmdb_string(&meta, "build_epoch");
	mmdb_number(&meta, 9, 1700000000);
	mmdb_string(&meta, "database_type");
	mmdb_string(&meta, type);
	mmdb_string(&meta, "description");
	mmdb_map(&meta, 0);
	mmdb_string(&meta, "ip_version");
	mmdb_number(&meta, 5, 6);
	mmdb_string(&meta, "languages");
	mmdb_control(&meta, 11, 0);
	mmdb_string(&meta, "node_count");
	mmdb_number(&meta, 6, w->nodes);
	mmdb_string(&meta, "record_size");
	mmdb_number(&meta, 5, 24);
	memcpy(out + len, "\xab\xcd\xefMaxMind.com", 14);
	len += 14;
	memcpy(out + len, meta.data, meta.len);
	return len + meta.len;
}

#endif
