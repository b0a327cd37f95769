/*
 * Names to addresses: see syslog_resolve.h.
 *
 * getaddrinfo waits for name servers for many seconds, and there is no way to ask it not to, so
 * asking again (when the server could not be reached) happens in a thread.  It touches nothing but
 * its own request, which belongs to whoever comes last: the thread, or the one who asked.
 */
#include "sink/syslog_resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resolver {
	char host[256];
	uint16_t port;
	int type;
	struct addrinfo *found;
	const char *why;    /* a constant */
	atomic_bool let_go; /* by the first of the two */
	atomic_bool ready;
};

struct addrinfo *
resolve_now(const char *host, uint16_t port, int type, const char **why)
{
	struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV}, *found = NULL;
	char service[8];
	snprintf(service, sizeof service, "%u", port);
	int error = getaddrinfo(host, service, &hints, &found);
	*why = error != 0 ? gai_strerror(error) : NULL;
	return error != 0 ? NULL : found;
}

static void
resolver_free(struct resolver *r)
{
	if (r->found != NULL)
		freeaddrinfo(r->found);
	free(r);
}

static void *
run(void *arg)
{
	struct resolver *r = arg;
	r->found = resolve_now(r->host, r->port, r->type, &r->why);
	atomic_store(&r->ready, true);
	if (atomic_exchange(&r->let_go, true))
		resolver_free(r);
	return NULL;
}

struct resolver *
resolver_start(const char *host, uint16_t port, int type)
{
	struct resolver *r = calloc(1, sizeof *r);
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	if (r == NULL)
		return NULL;
	snprintf(r->host, sizeof r->host, "%s", host);
	r->port = port;
	r->type = type;
	/* signals are for those who wait for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int error = pthread_create(&thread, &attr, run, r);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		free(r);
		return NULL;
	}
	return r;
}

bool
resolver_done(struct resolver *r, struct addrinfo **found, const char **why)
{
	if (!atomic_load(&r->ready))
		return false;
	*found = r->found;
	*why = r->why;
	r->found = NULL;
	resolver_drop(r);
	return true;
}

void
resolver_drop(struct resolver *r)
{
	if (r != NULL && atomic_exchange(&r->let_go, true))
		resolver_free(r);
}
