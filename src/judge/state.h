/*
 * The state file: the memory across connections in SQLite, so that it outlives the process.
 *
 * The memory itself is in RAM; the file is a copy of it, brought up to date in one transaction now
 * and then and at the end.  A process that is killed loses what came after the last transaction
 * and nothing else.  Where the file cannot be written (a full disk) the memory goes on, the cause
 * is said once, and the next save tries again with all that is missing.
 */
#ifndef POSTCARD_JUDGE_STATE_H
#define POSTCARD_JUDGE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/memory.h"

#define STATE_ERROR 512

struct state;

/* Opens or makes the file at `path` and fills the (empty) memory from it.  NULL and "path: cause"
 * in `error` where it cannot be opened, is no state file of postcard, is of a newer version, or is
 * in use by another postcard. */
struct state *state_open(const char *path, struct memory *m, char error[STATE_ERROR]);

/* Writes what changed since the last save, in one transaction; prunes what is too old at `now_ns`
 * (packet time).  False and a message where it could not; nothing is lost, a later save writes it.
 */
bool state_save(struct state *s, struct memory *m, int64_t now_ns, char error[STATE_ERROR]);

/* Closes the file without saving.  NULL is allowed. */
void state_close(struct state *s);

#endif
