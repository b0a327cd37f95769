/*
 * What a worker does, a step at a time: frames from files or live interfaces through the engine.
 *
 * feed_next is asked until it has nothing; each worker of several reads all frames of a file and
 * works on its share (capture/share.h), and lets the others' move its clock, so that one worker and
 * many see connections end at the same frame.  Live, silence moves the clock too: what waits for
 * packet time must not wait for a packet.
 */
#ifndef POSTCARD_ENGINE_FEED_H
#define POSTCARD_ENGINE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/live.h"
#include "engine/engine.h"
#include "record/record.h"

#define FEED_TABLES  16u       /* tables of an engine that a report has room for */
#define FEED_IDLE_MS 100       /* that feed_wait waits at most */
#define FEED_LAG_NS  500000000 /* that silence moves the clock behind the real one */

enum feed_status {
	FEED_RECORD, /* a record was handed out */
	FEED_MORE,   /* nothing now, and more will come if it is asked again */
	FEED_IDLE,   /* live: no frame is there; see feed_wait.  Of a pipe: one may not be there */
	FEED_END     /* nothing more will come; feed_end says why */
};

/* Why it ended; goes over the wire. */
enum feed_end {
	FEED_END_INPUT,	 /* all was read, or as much as was asked for */
	FEED_END_STOP,	 /* feed_stop */
	FEED_END_FAILED, /* reading could not go on; an event says why */
	FEED_END_GONE,	 /* no live interface is there any more */
	FEED_ENDS
};

/* What a line is about; goes over the wire. */
enum feed_event {
	FEED_EVENT_FAULT,   /* the input is damaged */
	FEED_EVENT_FAILED,  /* reading cannot go on */
	FEED_EVENT_NOTE,    /* libpcap warns */
	FEED_EVENT_DOWN,    /* a live interface is down, */
	FEED_EVENT_UP,	    /* is up again, */
	FEED_EVENT_GONE,    /* is gone */
	FEED_EVENT_SANDBOX, /* parts of the sandbox that this kernel lacks */
	FEED_EVENTS
};

/* How far it is and what it counts; goes over the wire as it is. */
struct feed_report {
	uint64_t packets;      /* frames read, the shares of others too */
	uint64_t octets_read;  /* of the files */
	uint64_t octets_total; /* 0: not known */
	uint64_t memory;       /* octets that the engine was given */
	uint64_t waits;	       /* times the ring was full */
	int64_t last_ns;       /* stamp of the last frame, or, live, of the silence behind it */
	struct capture_stats capture;
	struct engine_stats engine;
	uint32_t tables;			/* of those below that are set */
	struct engine_table table[FEED_TABLES]; /* `name` means nothing in another process: see
						   engine_table_name */
};

struct feed {
	struct capture *files; /* or */
	struct live *live;     /* the other is NULL; both stay the caller's */
	struct engine *engine; /* the caller's */
	uint64_t limit;	       /* packets to read; 0: all */
	unsigned share, shares;
	bool pipe; /* one of the files is one */

	/* private */
	struct frame frame[ENGINE_AHEAD]; /* of files: frames that were read together */
	unsigned at, count;		  /* the next of them to be taken; how many there are */
	uint32_t ours;			  /* of our share, a bit for each */
	bool idled;			  /* FEED_IDLE was handed out for the next read */
	bool stopping;			  /* no others are read */
	uint64_t packets;		  /* read so far, others' shares too */
	uint64_t number;		  /* of the last frame */
	int64_t last_ns;		  /* its stamp, or that of the silence behind it */
	size_t faults;			  /* fault lines that were handed out */
	bool finishing;			  /* no more frames are read */
	bool failed_told;		  /* why reading cannot go on was handed out */
	enum feed_end end;
};

/* A step.  After FEED_RECORD `out` is the record, which frame `number` led to. */
enum feed_status feed_next(struct feed *f, struct record *out);

/* Waits for frames, FEED_IDLE_MS at most; a signal ends it. */
void feed_wait(struct feed *f);

/* The rest is not read: what is open ends, and its records come. */
void feed_stop(struct feed *f);

/* The next thing to report; false: no more for now.  `text` takes CAPTURE_TEXT octets. */
bool feed_event(struct feed *f, enum feed_event *what, char text[CAPTURE_TEXT]);

void feed_report_get(struct feed *f, struct feed_report *out);

#endif
