/* Starting a worker process: see spawn.h. */
#include "app/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "engine/feed.h"
#include "engine/post.h"
#include "ident/dpi.h"

static volatile sig_atomic_t stop;

static void
on_stop(int number)
{
	stop = number;
}

/* A terminal's Ctrl-C goes to all its processes, and it is the parent who ends the others. */
static void
set_signals(void)
{
	static const int ignored[] = {SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGTSTP, SIGWINCH};
	struct sigaction a = {.sa_handler = SIG_IGN};
	sigset_t none;
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		sigaction(ignored[i], &a, NULL);
	a.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &a, NULL);
	a.sa_handler = on_stop; /* without SA_RESTART: it ends a read that waits */
	sigaction(SIGTERM, &a, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What it says goes over the wire, not to a terminal; messages of a sanitizer are the exception.
 */
static void
keep_descriptors(const struct spawn *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (unsigned i = 0; i < s->parents_count; i++)
		close(s->parents[i]);
	if (null < 0)
		return;
	if (!s->standard_input)
		(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
#ifndef __SANITIZE_ADDRESS__
	(void)dup2(null, STDERR_FILENO);
#endif
	close(null);
}

/* What the others say is none of its business. */
static void
keep_ring(const struct spawn *s, unsigned i)
{
	for (unsigned k = 0; k < s->workers; k++) {
		if (k != i)
			wire_ring_free(s->ring[k]);
	}
}

static bool
say(struct wire_out *w, enum feed_event what, const char *text)
{
	return wire_put(w, WIRE_EVENT, (uint16_t)what, 0, text, strlen(text));
}

/* It cannot even begin. */
static void
give_up(struct wire_out *w, const char *why)
{
	(void)say(w, FEED_EVENT_FAILED, why);
	(void)wire_put(w, WIRE_END, FEED_END_FAILED, 0, NULL, 0);
	(void)wire_flush(w);
}

/* May this process run on so many? */
static bool
has_cores(unsigned n)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	return sched_getaffinity(0, sizeof set, &set) == 0 && (unsigned)CPU_COUNT(&set) >= n;
}

static void
be_worker(const struct spawn *s, unsigned i, int fd)
{
	static struct wire_out wire; /* of a process that has one */
	struct capture_error why = {""};
	char error[SANDBOX_ERROR + 1] = "";
	struct live_config live = s->live;
	struct feed feed = {.files = s->files,
	    .limit = s->packets,
	    .share = i,
	    .shares = s->workers,
	    .pipe = s->pipe};
	wire.bell = fd;
	wire.ring = s->ring[i];
	set_signals();
	keep_descriptors(s);
	keep_ring(s, i);
	if (s->files == NULL) {
		live.share = i;
		live.shares = s->workers;
		feed.live = live_open(&live, &why);
		if (feed.live == NULL) {
			give_up(&wire, why.text);
			return;
		}
	}
	struct sandbox box = s->sandbox;
	box.pipe = fd;
	feed.engine = engine_new(&s->engine, error);
	/* of files, which seldom need it, Debian's nDPI opens nothing when it is first asked */
	if (feed.engine != NULL && (s->files == NULL || dpi_opens_files()))
		engine_ready(feed.engine);
	/* with a core for the worker and one for that, the parent, and whoever else is there */
	box.threads = s->files != NULL && has_cores(2 * s->workers) && sandbox_takes_threads();
	bool good = feed.engine != NULL && sandbox_enter(&box, error);
	if (good && box.threads)
		capture_read_ahead(s->files);
	if (!good || !sandbox_seal(&box, error)) {
		give_up(&wire, error);
		return;
	}
	if (sandbox_missing()[0] != '\0' && !say(&wire, FEED_EVENT_SANDBOX, sandbox_missing()))
		return;
	(void)post_run(&feed, &wire, &stop);
}

bool
spawn_open(struct spawn *s)
{
	bool good = true;
	for (unsigned i = 0; i < s->workers; i++) {
		s->ring[i] = wire_ring_new();
		good = good && s->ring[i] != NULL;
	}
	if (!good)
		spawn_close(s);
	return good;
}

void
spawn_close(struct spawn *s)
{
	for (unsigned i = 0; i < s->workers; i++) {
		wire_ring_free(s->ring[i]);
		s->ring[i] = NULL;
	}
}

pid_t
spawn_worker(struct spawn *s, unsigned i, int *fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	wire_ring_reset(s->ring[i]);
	/* none may come to the child before it knows what to do with it (set_signals) */
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	s->sandbox.parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_worker(s, i, ends[1]);
		_exit(0);
	}
	int error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	if (s->parents_count < sizeof s->parents / sizeof *s->parents)
		s->parents[s->parents_count++] = ends[0];
	*fd = ends[0];
	return pid;
}

void
spawn_forget(struct spawn *s, int fd)
{
	for (unsigned i = 0; i < s->parents_count; i++) {
		if (s->parents[i] == fd)
			s->parents[i--] = s->parents[--s->parents_count];
	}
}
