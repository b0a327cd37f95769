/*
 * The conductor of a worker: frames in, records out.
 *
 * engine_push gives one frame, engine_next hands out the records that it led to.  It knows all the
 * stages (decode, flow, stream, ident, mail, finding) and moves data between them; no stage
 * knows another.  Time is packet time: the same frames give the same records, live or replayed.
 */
#ifndef POSTCARD_ENGINE_ENGINE_H
#define POSTCARD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/frame.h"
#include "record/record.h"

struct engine;

#define ENGINE_MEMORY_MIN  (64ull << 20)
#define ENGINE_MEMORY_REST (32ull << 20) /* of it, what libraries and read buffers take */

struct engine_config {
	uint64_t memory; /* octets for all tables, at least ENGINE_MEMORY_MIN; 0 for a quarter of
			    the machine's */
	uint32_t flows;	 /* connections known at once; 0 for what the memory allows */
	uint32_t conns;	 /* connections followed at once; the same */
	bool no_ndpi;	 /* do not ask nDPI */
};

/* What a worker counts, for the summary. */
struct engine_stats {
	uint64_t frames;	    /* pushed */
	uint64_t tcp;		    /* with a TCP segment */
	uint64_t not_tcp;	    /* with another protocol */
	uint64_t undecoded;	    /* damaged, cut or of an unknown link type */
	uint64_t unknown_link;	    /* of them: of an unknown link type */
	uint32_t unknown_link_type; /* the first such link type */
	uint64_t unknown_link_more; /* of them: of other types than the first */
	uint64_t fragments;	    /* IP fragments, in tunnels too */
	uint64_t flows;		    /* TCP connections seen */
	uint64_t evicted;	    /* connections given up early because a pool was full */
	uint64_t gap_bytes;	    /* octets lost inside mail connections */
	uint64_t overlaps;	    /* overlaps with other octets */
	uint64_t ndpi_calls;	    /* packets shown to nDPI */
	uint64_t unjoined;	    /* datagrams whose fragments were not all there */
};

/* Octets that an engine of that configuration will have. */
uint64_t engine_memory_of(const struct engine_config *config);

/* A new engine; NULL and a message in `error` where memory is not to be had. */
struct engine *engine_new(const struct engine_config *config, char error[256]);
void engine_free(struct engine *e);

/* Makes now what else would be made when it is first needed (nDPI: 20 ms), and may open files then:
 * to be called before a sandbox forbids that. */
void engine_ready(struct engine *e);

#define ENGINE_AHEAD 16u

/*
 * A look at frames that will be pushed next, in that order, and stay valid until then: those of
 * ENGINE_AHEAD of which `which` has the bit.  They are decoded, and what the tables hold of them
 * comes into the cache meanwhile.  Nothing depends on it.
 */
void engine_look(struct engine *e, const struct frame *f, uint32_t which);

/* Gives one frame.  All records of the frame before must have been taken (engine_next returned
 * false). */
void engine_push(struct engine *e, const struct frame *f);

/* Time passes without a frame of ours: `ts_ns` as a frame's stamp.  The same rules as for
 * engine_push; what was waited for comes by engine_next. */
void engine_clock(struct engine *e, int64_t ts_ns);

/* No more input: what is open ends.  Then take records until false. */
void engine_finish(struct engine *e);

/*
 * The same of many frames: engine_next, and while that has nothing engine_push of the next of `n`
 * (ENGINE_AHEAD at most), from *at on, or, of one without its bit in `ours`, engine_clock.  True
 * with a record, and *at is behind the frame that led to it; false where all were given and nothing
 * is left.
 */
bool engine_run(struct engine *e, const struct frame *frames, unsigned n, uint32_t ours,
    unsigned *at, struct record *out);

/* Takes the next record; false where there is none until more is pushed. */
bool engine_next(struct engine *e, struct record *out);

void engine_stats_get(const struct engine *e, struct engine_stats *out);

/* One table of the engine. */
struct engine_table {
	const char *name; /* what it holds */
	uint64_t octets;  /* at most */
	uint32_t max;	  /* things at most */
	uint32_t used;	  /* things now */
	uint32_t peak;	  /* the most at once so far */
	uint64_t refused; /* times it was full */
};

/* Table `i`; false where there is none more. */
bool engine_table_get(const struct engine *e, unsigned i, struct engine_table *out);

/* The name of table `i`, which is the same in every engine; NULL where there is none more. */
const char *engine_table_name(unsigned i);

/* Octets that the engine was given. */
uint64_t engine_memory(const struct engine *e);

#endif
