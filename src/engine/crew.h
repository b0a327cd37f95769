/*
 * The workers as the parent sees them: the wires that it reads, and in which order.
 *
 * crew_next hands out what the workers said.  Of files, in the order of the frames: each worker
 * says how far it is, and a record waits until no other can say an earlier one, so that N workers
 * give the records of one, in its order, but that those of the same frame (of connections that it
 * found silent for too long, or of the end of the input) come worker by worker.  Who is ahead is
 * not read from, and waits once its ring is full.  Live, first come, first served.
 *
 * Starting, stopping and ending processes is for others (app/keeper.h): here is what comes over
 * their wires.
 */
#ifndef POSTCARD_ENGINE_CREW_H
#define POSTCARD_ENGINE_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "engine/feed.h"
#include "engine/wire.h"
#include "record/record.h"

/* What a worker said. */
enum crew_said {
	CREW_NOTHING, /* nothing now */
	CREW_RECORD,  /* `record` */
	CREW_EVENT,   /* `event` and `text` */
	CREW_ENDED,   /* it is done, as `end` says, and closed its pipe */
	CREW_LOST,    /* its pipe ended without that: it died */
	CREW_BROKEN   /* it sends nonsense: it is to be killed */
};

struct crew_word {
	unsigned worker; /* who */
	enum feed_event event;
	enum feed_end end;
	char text[CAPTURE_TEXT]; /* of an event: what it sent, escaped by crew_next */
};

struct crew_member {
	bool joined; /* it has a wire now */
	struct wire_in wire;
	struct feed_report report; /* what it said last of itself */
	struct feed_report before; /* sum of those who had its place before */
	uint64_t told;		   /* it has said all that frames up to this one led to */
	int64_t heard_ms;	   /* when it was heard last (crew_hear) */
	bool speaks;		   /* it has said what it counts: it is at work */
	bool ended;		   /* WIRE_END came */
	enum feed_end end;
};

struct crew {
	unsigned count;
	bool ordered;  /* they read the same files */
	unsigned turn; /* who is asked first, where order does not matter */
	struct crew_member member[LIMIT_WORKERS];
};

void crew_init(struct crew *c, unsigned workers, bool ordered);
void crew_free(struct crew *c);

/* Worker `i` is there, with a ring, which stays the caller's, and the end of the pipe that is its
 * bell, the crew's from then on. */
void crew_join(struct crew *c, unsigned i, struct wire_ring *ring, int bell, int64_t now_ms);

/* Worker `i` is no more: its pipe is closed, and its counts are kept. */
void crew_leave(struct crew *c, unsigned i);

/* Its bell, to wait for; -1 where nothing more will come. */
int crew_fd(const struct crew *c, unsigned i);

/* Is there a message of it that was not taken yet?  Where there are many, it waits for us. */
bool crew_unread(struct crew *c, unsigned i);

/* Looks at what each of them said since. */
void crew_hear(struct crew *c, int64_t now_ms);

/* The next thing that was said.  Of CREW_RECORD `record` is set.  After CREW_ENDED, CREW_LOST and
 * CREW_BROKEN the caller owes crew_leave. */
enum crew_said crew_next(struct crew *c, struct record *record, struct crew_word *word);

/* All that they and those before them count: sums, but of what each of them sees whole (files, an
 * interface's losses) what the one says who saw most. */
void crew_report(const struct crew *c, struct feed_report *out);

#endif
