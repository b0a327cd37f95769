/*
 * The loop of a worker process: its feed into the wire, until there is no more.
 *
 * It says how far it is POST_BEAT_MS apart at most, so that the parent can tell a worker that hangs
 * from one that has nothing to say, and never keeps a record back while it waits for packets.
 */
#ifndef POSTCARD_ENGINE_POST_H
#define POSTCARD_ENGINE_POST_H

#include <signal.h>
#include <stdbool.h>

#include "engine/feed.h"
#include "engine/wire.h"

#define POST_BEAT_MS 150

/* Runs the feed into the wire; `stop`, which a signal handler sets, ends it early, in order.
 * False where the parent did not read to the end. */
bool post_run(struct feed *f, struct wire_out *w, const volatile sig_atomic_t *stop);

#endif
