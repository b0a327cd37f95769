/*
 * The workers of a run: started, listened to, watched, started again.
 *
 * Files: each worker reads all of them, the run ends when all have ended, and one that dies is not
 * started again, since it would say again what it said.  Live: a keeper (app/keeper.h) starts them;
 * one that dies is started again at once, and later and later if it dies at once each time; one
 * that hangs (WORKERS_HANG_MS without a word, and not for want of a processor) is killed first; one
 * whose interface is gone is started again until the interface is back.
 */
#ifndef POSTCARD_APP_WORKERS_H
#define POSTCARD_APP_WORKERS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/spawn.h"
#include "engine/crew.h"
#include "record/record.h"

#define WORKERS_HANG_MS	 700   /* of silence, after which it is looked at */
#define WORKERS_BLIND_MS 3000  /* the same, where the system does not let us look */
#define WORKERS_LONG_MS	 10000 /* the same, after which no excuse counts */
#define WORKERS_STOP_MS	 200   /* after which those that were asked to end are asked again */
#define WORKERS_RETRY_MS 500   /* between two tries to open what is gone */

enum workers_said {
	WORKERS_NOTHING, /* nothing now: see workers_wait */
	WORKERS_RECORD,	 /* a record */
	WORKERS_FAULT,	 /* the input is damaged: `text` */
	WORKERS_NOTE,	 /* libpcap warns: `text` */
	WORKERS_DOWN,	 /* an interface is down: `text`, which begins with its name */
	WORKERS_UP,	 /* an interface is up again, or back */
	WORKERS_GONE,	 /* an interface is gone */
	WORKERS_SANDBOX, /* the kernel lacks parts of the sandbox: `text` */
	WORKERS_DIED,	 /* worker `worker` died or was killed: `text` says of what */
	WORKERS_HUNG,	 /* the same, because it did not move */
	WORKERS_FAILED,	 /* reading cannot go on, or could not begin: `text` */
	WORKERS_END	 /* nothing more will come */
};

struct workers_word {
	unsigned worker; /* from 0 */
	char text[CAPTURE_TEXT];
};

struct workers;

/* Starts them.  `s` stays the caller's, unchanged, until workers_close.  NULL with a message. */
struct workers *workers_open(struct spawn *s, char error[256]);

/* Adds the descriptors to wait for to `p`, which has room for LIMIT_WORKERS + 1; how many. */
unsigned workers_poll(const struct workers *w, struct pollfd *p);

/* Milliseconds until workers_next is wanted without anything to read; -1: never. */
int workers_timeout(const struct workers *w);

/* Reads what is there, watches over them, and starts again who is to be; once before each row of
 * workers_next. */
void workers_hear(struct workers *w);

/* The next thing that was said; of WORKERS_RECORD `record` is set, else `word`. */
enum workers_said workers_next(struct workers *w, struct record *record, struct workers_word *word);

/* No more is read: they end in order, their last records come, then WORKERS_END. */
void workers_stop(struct workers *w);

/* What they count, together. */
void workers_report(const struct workers *w, struct feed_report *out);

uint64_t workers_restarts(const struct workers *w);

/* Ends what still runs, at once.  NULL is allowed. */
void workers_close(struct workers *w);

#endif
