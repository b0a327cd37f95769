/*
 * The state file: memory and open alerts in SQLite, so that they outlive the process.
 *
 * The memory itself is in RAM; the file is a copy of it, brought up to date in one transaction now
 * and then and at the end.  A process that is killed loses what came after the last transaction
 * and nothing else.  Where the file cannot be written (a full disk) the memory goes on, and the
 * next save tries again with all that is missing.  Addresses and names are plain text in it, for
 * people with sqlite3; no address of a person, no subject, no secret is ever in it.
 */
#ifndef POSTCARD_JUDGE_STATE_H
#define POSTCARD_JUDGE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/alerts.h"
#include "judge/memory.h"
#include "judge/rules.h"

#define STATE_ERROR 512 /* octets of a message, with its NUL */

struct state;

/*
 * Opens or makes the file at `path` (readable by its owner only) and fills the memory and the
 * alerts, both empty, and the windows of the correlations from it.  Rows that are no such rows are
 * left out and counted.  NULL and "path: cause" in `error` where it cannot be opened, is no state
 * file of postcard, is of a newer version, or is in use by another postcard; the file is untouched
 * then.
 */
struct state *state_open(const char *path, struct memory *m, struct alerts *a, struct rules *rules,
    char error[STATE_ERROR]);

/* Rows that state_open left out. */
unsigned state_damaged(const struct state *s);

/* Writes what changed since the last save, in one transaction; prunes what is too old and what is
 * too much.  False and a message where it could not; nothing is lost, a later save writes it. */
bool state_save(struct state *s, struct memory *m, struct alerts *a, struct rules *rules,
    char error[STATE_ERROR]);

/* Closes the file without saving.  NULL is allowed. */
void state_close(struct state *s);

#endif
