/*
 * Messages for people on standard error.
 *
 * The packet path never logs: what the wire does is counted.  Messages are for set-up errors,
 * damaged input and exhausted pools.
 */
#ifndef POSTCARD_BASE_LOG_H
#define POSTCARD_BASE_LOG_H

/* "postcard: " and the message and a line end, on standard error; octets from outside are the
 * caller's to escape. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A hook that log_say calls first, so that a progress line can clear itself; NULL for none. */
void log_before(void (*hook)(void));

/*
 * While something else has the screen: messages wait (LIMIT_LOG_HELD octets; those that find no
 * room are counted) until log_release prints them.
 */
void log_hold(void);
void log_release(void);

/* The message that log_say held last, without "postcard: "; "" for none.  Until the next call of a
 * function here. */
const char *log_held(void);

#endif
