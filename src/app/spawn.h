/*
 * Starting a worker process.
 *
 * The child opens what is live, makes its engine, enters the sandbox and runs its feed into the
 * wire until the input ends, SIGTERM comes, or nobody reads it any more.  What goes wrong before
 * that comes over the wire as well: an event and an end.
 */
#ifndef POSTCARD_APP_SPAWN_H
#define POSTCARD_APP_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/sandbox.h"
#include "base/limits.h"
#include "capture/capture.h"
#include "capture/live.h"
#include "engine/engine.h"
#include "engine/wire.h"

/* What all workers have in common. */
struct spawn {
	struct capture *files;	 /* opened, nothing read yet; NULL: live */
	bool standard_input;	 /* is one of them */
	bool pipe;		 /* one of them is a pipe */
	struct live_config live; /* `share` is set for each */
	struct engine_config engine;
	struct sandbox sandbox;
	uint64_t packets; /* to read; 0: all */
	unsigned workers;
	struct wire_ring *ring[LIMIT_WORKERS];
	int parents[LIMIT_WORKERS + 3]; /* descriptors that are no worker's: closed in each */
	unsigned parents_count;
};

/* Makes the rings of all workers, before any process is forked that starts or hears them.  False
 * where memory is refused. */
bool spawn_open(struct spawn *s);
void spawn_close(struct spawn *s);

/*
 * Starts worker `i`, when the one before has ended.  Its number, and in *fd the end of the pipe
 * that is its bell, non-blocking, which the caller owes close(2) (spawn_forget); -1 and errno where
 * it could not be started.
 */
pid_t spawn_worker(struct spawn *s, unsigned i, int *fd);

/* Descriptor `fd` is no more, or nobody's to close in workers that come. */
void spawn_forget(struct spawn *s, int fd);

#endif
