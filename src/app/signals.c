/* Signals of a run: see signals.h. */
#include "app/signals.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler has nowhere else to write. */
static volatile sig_atomic_t stop, reload, report;

static void
on_signal(int number)
{
	if (number == SIGHUP)
		reload = 1;
	else if (number == SIGUSR1)
		report = 1;
	else
		stop = number;
}

static void catch (int number, int flags)
{
	struct sigaction old, new = {.sa_handler = on_signal, .sa_flags = flags};
	sigemptyset(&new.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && (old.sa_handler != SIG_IGN || number == SIGHUP))
		sigaction(number, &new, NULL);
}

void
signals_catch(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	catch (SIGHUP, SA_RESTART); /* ends nothing: a read that waits goes on */
	catch (SIGUSR1, SA_RESTART);
	/* a reader that went, and a file that may not grow, are seen by write(2) */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
}

void
signals_catch_ends(bool waits)
{
	const int ends = waits ? SA_RESTART : 0;
	catch (SIGINT, (int)SA_RESETHAND | ends);
	catch (SIGTERM, (int)SA_RESETHAND | ends);
}

void
signals_poll(struct pollfd *p, unsigned n, int timeout_ms)
{
	(void)poll(p, n, timeout_ms);
}

int
signals_stop(void)
{
	return stop;
}

bool
signals_reload(void)
{
	bool asked = reload != 0;
	reload = 0;
	return asked;
}

bool
signals_report(void)
{
	bool asked = report != 0;
	report = 0;
	return asked;
}
