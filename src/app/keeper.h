/*
 * The keeper: the one process that may open network interfaces and start and end workers.
 *
 * It is forked before the parent ceases to be root, reads no packet and no record, and knows two
 * words: start worker i, end worker i.  It tells which worker has started (with its bell) and which
 * has ended (and how).  With the parent's end of its socket closed, it ends all workers and itself.
 */
#ifndef POSTCARD_APP_KEEPER_H
#define POSTCARD_APP_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/spawn.h"

enum keeper_word {
	KEEPER_STARTED, /* `pid` and `fd` */
	KEEPER_REFUSED, /* it could not be started: `status` is errno */
	KEEPER_ENDED	/* `status` as of waitpid(2) */
};

struct keeper_answer {
	enum keeper_word word;
	unsigned worker;
	pid_t pid;
	int status;
	int fd; /* of KEEPER_STARTED: the caller's from then on; else -1 */
};

/* Forks it.  The socket to speak with it by; -1 and errno where that failed. */
int keeper_fork(struct spawn *s, pid_t *pid);

/* Asks for a worker to be started; or to be sent signal `number`.  False where the keeper is gone.
 */
bool keeper_start(int socket, unsigned worker);
bool keeper_signal(int socket, unsigned worker, int number);

/* The next answer; false where there is none now.  *gone is set where the keeper is no more. */
bool keeper_next(int socket, struct keeper_answer *answer, bool *gone);

#endif
