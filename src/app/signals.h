/*
 * Signals of a run.  SIGINT and SIGTERM end it in order, the second of them at once; SIGHUP reads
 * rules and outputs anew; SIGUSR1 prints counters.
 */
#ifndef POSTCARD_APP_SIGNALS_H
#define POSTCARD_APP_SIGNALS_H

#include <poll.h>
#include <stdbool.h>

/* From now on those that end no run are noted: they end nothing but signals_poll (one that comes
 * before it is seen when it has waited for its timeout). */
void signals_catch(void);

/* The same of those that end it, where they were not ignored before (nohup): until then they end
 * the process.  `waits`: as those; else they end a read or write too. */
void signals_catch_ends(bool waits);

/* As poll(2); a signal ends it. */
void signals_poll(struct pollfd *p, unsigned n, int timeout_ms);

int signals_stop(void);	   /* the signal that asks for the end; 0: none did */
bool signals_reload(void); /* was it asked for since the last call? */
bool signals_report(void); /* the same */

#endif
