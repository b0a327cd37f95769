/* Names of syslog servers to addresses, without making anybody wait (but at open). */
#ifndef POSTCARD_SINK_SYSLOG_RESOLVE_H
#define POSTCARD_SINK_SYSLOG_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

struct resolver;

/* Addresses of `host` for sockets of `type` (SOCK_STREAM, SOCK_DGRAM); waits for them.  NULL and
 * why not.  The caller frees them (freeaddrinfo). */
struct addrinfo *resolve_now(const char *host, uint16_t port, int type, const char **why);

/* Asks in a thread of its own; NULL where there is none to be had. */
struct resolver *resolver_start(const char *host, uint16_t port, int type);

/* Has it an answer?  If so it is freed, and *found has the addresses, or is NULL and *why says so.
 */
bool resolver_done(struct resolver *r, struct addrinfo **found, const char **why);

/* Not needed any more: it frees itself once its answer has come.  NULL is allowed. */
void resolver_drop(struct resolver *r);

#endif
