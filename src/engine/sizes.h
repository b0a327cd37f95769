/*
 * Private to src/engine: how many of each thing a worker can hold, out of one number of octets.
 *
 * Each pool has its share; the rest is for what is not ours to size (libraries, read buffers).
 */
#ifndef POSTCARD_ENGINE_SIZES_H
#define POSTCARD_ENGINE_SIZES_H

#include <stdbool.h>
#include <stdint.h>

enum size {
	SIZE_FLOWS,
	SIZE_CONNS,
	SIZE_WAITS,
	SIZE_EXTRAS,
	SIZE_TLS,
	SIZE_FACTS,
	SIZE_NOTES,
	SIZE_STRINGS, /* octets of each class */
	SIZE_LINES,
	SIZE_QUEUES,
	SIZE_MAILBOXES,
	SIZE_HANDSHAKES,
	SIZE_MESSAGES,
	SIZE_CONTENTS,
	SIZE_SCANS,
	SIZE_REORDERS,
	SIZE_PAGES,
	SIZE_DATAGRAMS,
	SIZE_INFLATES,
	SIZES
};

struct sizes {
	uint32_t count[SIZES];
};

/* The counts for `memory` octets, at least ENGINE_MEMORY_MIN. */
struct sizes sizes_for(uint64_t memory);

/* A row's name, and octets that one of them takes. */
const char *size_name(enum size s);
uint32_t size_unit(enum size s);

#endif
