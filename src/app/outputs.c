/* The outputs of a run: see outputs.h. */
#include "app/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/progress.h"
#include "app/terminal.h"
#include "base/now.h"
#include "base/text.h"

/* That each output has at the very end.  Live, outputs_close has waited for all of them at once;
 * of a replay, each takes what it needs, or fails. */
#define LAST_LIVE_MS 25
#define LAST_MS	     60000
#define SOON_MS	     1800 /* that all have of a replay that is told to end */

/* Opens one more, which an option's value asks for. */
static bool
add(struct outputs *o, enum option id, const char *value, const struct sink_config *config,
    char error[SINK_ERROR])
{
	struct sink *s = sink_open(config, error);
	if (s != NULL) {
		o->sink[o->count++] = s;
		return true;
	}
	bool spool = config->url != NULL && strncmp(error, "spool ", 6) == 0;
	o->wrong = spool ? OPTION_SPOOL : id;
	o->wrong_value = spool ? config->spool : value;
	return false;
}

/* What standard output is for: a view for who sits at a terminal, else a report or records. */
static const char *
standard_kind(const struct options *o, bool live)
{
	if (o->json)
		return "json";
	const char *term = getenv("TERM");
	bool screen = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 && term != NULL &&
	    strcmp(term, "dumb") != 0;
	if (live && screen && !o->quiet && o->verbose == 0)
		return "view";
	return "text";
}

/* Is what an option would write one of the captures that are read?  False with a message. */
static bool
is_no_input(struct outputs *o, enum option id, const char *path, const struct options *options,
    char error[SINK_ERROR])
{
	struct stat is, input;
	if (path == NULL || stat(path, &is) != 0 || !S_ISREG(is.st_mode))
		return true;
	for (size_t i = 0; i < options->file_count; i++) {
		if (stat(options->files[i], &input) != 0 || input.st_ino != is.st_ino ||
		    input.st_dev != is.st_dev)
			continue;
		struct text t = text_in(error, SINK_ERROR);
		text_add_wire(&t, path, strnlen(path, SINK_ERROR / 2));
		text_printf(&t, ": is read; --%s needs a file of its own", option_table[id].name);
		o->wrong = id;
		o->wrong_value = path;
		return false;
	}
	return true;
}

static bool
open_all(struct outputs *o, const struct options *options, bool live, char error[SINK_ERROR])
{
	if (!is_no_input(o, OPTION_OUT, options->out, options, error) ||
	    !is_no_input(o, OPTION_METRICS, options->metrics, options, error))
		return false;

	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct sink_config config = {
	    .out = stdout,
	    .reveal = options->reveal,
	    .colour = terminal.colour,
	    .unicode = terminal.unicode,
	    .quiet = options->quiet,
	    .live = live,
	    .keys = STDIN_FILENO,
	    .verbose = options->verbose,
	    .columns = terminal.columns,
	    .spool = options->spool,
	    .spool_max = options->spool_size,
	    .drain_ms = live ? LAST_LIVE_MS : LAST_MS,
	};
	struct sink_config standard = config;
	standard.kind = standard_kind(options, live);
	/* the view comes last: the messages of the others stay on the screen */
	config.kind = "json";
	config.path = options->out;
	config.out = NULL;
	if (options->out != NULL && !add(o, OPTION_OUT, options->out, &config, error))
		return false;
	config.kind = "syslog";
	config.path = NULL;
	for (size_t i = 0; i < options->syslog_count; i++) {
		config.url = options->syslog[i];
		if (!add(o, OPTION_SYSLOG, config.url, &config, error))
			return false;
	}
	config.url = NULL;
	config.kind = "metrics";
	config.path = options->metrics;
	if (options->metrics != NULL && !add(o, OPTION_METRICS, options->metrics, &config, error))
		return false;
	o->lists = o->count == 0 && !live && strcmp(standard.kind, "text") == 0;
	return add(o, OPTIONS, NULL, &standard, error);
}

bool
outputs_open(struct outputs *o, const struct options *options, bool live, char error[SINK_ERROR])
{
	memset(o, 0, sizeof *o);
	error[0] = '\0';
	if (open_all(o, options, live, error))
		return true;
	(void)outputs_close(o, 0);
	return false;
}

/* Notes the first failure; true where there was none. */
static bool
note(struct outputs *o, bool good)
{
	if (!good && o->error == 0)
		o->error = errno != 0 ? errno : EIO;
	return good;
}

bool
outputs_want_details(const struct outputs *o, const struct record *r)
{
	for (unsigned i = 0; i < o->count; i++) {
		if (sink_wants_details(o->sink[i], r))
			return true;
	}
	return false;
}

bool
outputs_push(struct outputs *o, const struct record *r)
{
	bool good = true;
	progress_clear();
	for (unsigned i = 0; i < o->count; i++) {
		errno = 0;
		good &= note(o, sink_push(o->sink[i], r));
	}
	return good;
}

void
outputs_status(struct outputs *o, const struct record *summary)
{
	for (unsigned i = 0; i < o->count; i++)
		sink_status(o->sink[i], summary);
}

bool
outputs_flush(struct outputs *o)
{
	bool good = true;
	for (unsigned i = 0; i < o->count; i++) {
		errno = 0;
		good &= note(o, sink_flush(o->sink[i]));
	}
	return good;
}

unsigned
outputs_poll(const struct outputs *o, struct pollfd *p, int *timeout_ms)
{
	unsigned n = 0;
	for (unsigned i = 0; i < o->count; i++) {
		struct sink_wait w;
		sink_wait(o->sink[i], &w);
		if (w.fd >= 0)
			p[n++] = (struct pollfd){.fd = w.fd, .events = w.events};
		if (w.timeout_ms >= 0 && (*timeout_ms < 0 || w.timeout_ms < *timeout_ms))
			*timeout_ms = w.timeout_ms;
	}
	return n;
}

bool
outputs_tick(struct outputs *o)
{
	bool good = true;
	for (unsigned i = 0; i < o->count; i++) {
		errno = 0;
		good &= note(o, sink_tick(o->sink[i]));
		o->ends |= sink_ends(o->sink[i]);
	}
	return good;
}

void
outputs_reopen(struct outputs *o)
{
	for (unsigned i = 0; i < o->count; i++)
		sink_reopen(o->sink[i]);
}

void
outputs_count(const struct outputs *o, struct record *summary)
{
	for (unsigned i = 0; i < o->count; i++) {
		struct sink_counts c;
		if (!sink_counts(o->sink[i], &c))
			continue;
		record_put_item(summary, FIELD_SUM_OUTPUT);
		record_put_word(summary, FIELD_SUM_OUTPUT_NAME, c.name);
		record_put_bool(summary, FIELD_SUM_OUTPUT_UP, c.up);
		record_put_u64(summary, FIELD_SUM_OUTPUT_SENT, c.sent);
		record_put_u64(summary, FIELD_SUM_OUTPUT_WAITING, c.waiting);
		record_put_u64(summary, FIELD_SUM_OUTPUT_SPOOLED, c.spooled);
		record_put_u64(summary, FIELD_SUM_OUTPUT_DROPPED, c.dropped);
	}
}

/* All but standard output, which is the last. */
void
outputs_settle(struct outputs *o, bool soon)
{
	int64_t until = now_monotonic_ms() + (soon ? SOON_MS : LAST_MS);
	for (unsigned i = 0; i + 1 < o->count; i++) {
		int64_t left = until - now_monotonic_ms();
		o->lost |= !sink_settle(o->sink[i], soon ? (left > 0 ? (int)left : 0) : LAST_MS);
	}
}

static bool
any_waiting(const struct outputs *o)
{
	for (unsigned i = 0; i < o->count; i++) {
		struct sink_counts c;
		if (sink_counts(o->sink[i], &c) && c.up && c.waiting > 0)
			return true;
	}
	return false;
}

bool
outputs_close(struct outputs *o, int ms)
{
	int64_t until = now_monotonic_ms() + ms, left;
	bool good = true;
	while (any_waiting(o) && (left = until - now_monotonic_ms()) > 0) {
		struct pollfd p[OUTPUTS];
		int timeout = (int)left;
		unsigned n = outputs_poll(o, p, &timeout);
		(void)poll(p, n, timeout);
		(void)outputs_tick(o);
	}
	for (unsigned i = 0; i < o->count; i++) {
		errno = 0;
		bool well = sink_close(o->sink[i]);
		if (i + 1 == o->count)
			good = note(o, well);
		else
			o->lost |= !well; /* it has said itself what it could not write */
	}
	o->count = 0;
	return good;
}
