/*
 * Starting a worker process.
 *
 * The child opens what is live, makes its engine, enters the sandbox and runs its feed into the
 * pipe until the input ends, SIGTERM comes, or nobody reads the pipe any more.  What goes wrong
 * before that comes through the pipe as well: an event and an end.
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

/* What all workers have in common. */
struct spawn {
	struct capture *files;	 /* opened, nothing read yet; NULL: live */
	bool standard_input;	 /* is one of them */
	struct live_config live; /* `share` is set for each */
	struct engine_config engine;
	struct sandbox sandbox;
	uint64_t packets; /* to read; 0: all */
	unsigned workers;
	int parents[LIMIT_WORKERS + 2]; /* descriptors that are no worker's: closed in each */
	unsigned parents_count;
};

/*
 * Starts worker `i`.  Its number, and in *fd the end of its pipe to read from, non-blocking, which
 * the caller owes close(2) (spawn_forget); -1 and errno where it could not be started.
 */
pid_t spawn_worker(struct spawn *s, unsigned i, int *fd);

/* Descriptor `fd` is no more, or nobody's to close in workers that come. */
void spawn_forget(struct spawn *s, int fd);

#endif
