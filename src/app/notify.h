/*
 * Telling a service manager how things stand: the protocol of sd_notify(3), written by hand.
 *
 * A message is one datagram to the socket that $NOTIFY_SOCKET names (a path, or '@' and a name of
 * Linux' abstract namespace; vsock is not spoken).  The socket is connected at the start, so that
 * later privileges and a sandbox do not matter; without the variable every call does nothing.  It
 * never blocks, and what cannot be said is dropped: a manager that does not listen must not stop a
 * sensor.  The manager takes messages of the process it started only, so workers send none.
 */
#ifndef POSTCARD_APP_NOTIFY_H
#define POSTCARD_APP_NOTIFY_H

#include <stdint.h>

#define NOTIFY_TEXT 256 /* octets of a message, with its NUL; a longer status is cut */

struct notify {
	int fd;		      /* connected socket; -1: nobody to tell */
	int64_t watchdog_ns;  /* within which the manager wants a sign of life; 0: it does not */
	int64_t next_sign_ns; /* when the next one is due (CLOCK_MONOTONIC) */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them from the environment. */
void notify_open(struct notify *n);

void notify_ready(struct notify *n);	 /* READY=1: set-up, or a reload, is done */
void notify_reloading(struct notify *n); /* RELOADING=1; notify_ready ends it */
void notify_stopping(struct notify *n);	 /* STOPPING=1 */

/* STATUS=, one line for `systemctl status`; line ends in it become spaces. */
void notify_status(struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* WATCHDOG=1 where half of the manager's time has passed since the last: to be called often, by a
 * loop that is well. */
void notify_alive(struct notify *n);

/* ms until notify_alive wants to be called, at least 0; -1: never. */
int notify_wait_ms(const struct notify *n);

/* Closes the socket: at the end, and in each process that is not the one that was started. */
void notify_close(struct notify *n);

#endif
