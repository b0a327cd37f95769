/* The progress line: see progress.h. */
#include "app/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "app/terminal.h"
#include "base/log.h"
#include "base/now.h"

#define FIRST_NS    500000000 /* a run shorter than this shows nothing */
#define INTERVAL_NS 250000000
#define SECOND_NS   1000000000

/* The one variable of the program's state outside of a structure: log_say's hook has no argument
 * to pass one with, and there is one screen. */
static bool line_is_there;

void
progress_begin(struct progress *p, bool wanted)
{
	*p = (struct progress){.shown_at_all = wanted && isatty(STDERR_FILENO) == 1};
	if (!p->shown_at_all)
		return;
	p->start_ns = now_monotonic_ns();
	p->next_ns = p->start_ns + FIRST_NS;
	p->columns = terminal_of(STDERR_FILENO).columns;
	log_before(progress_clear);
}

bool
progress_is_due(const struct progress *p)
{
	return p->shown_at_all && now_monotonic_ns() >= p->next_ns;
}

static void
add_duration(struct text *out, uint64_t s)
{
	if (s >= 3600)
		text_printf(out, "%llu:%02llu:%02llu", (unsigned long long)s / 3600,
		    (unsigned long long)s / 60 % 60, (unsigned long long)s % 60);
	else
		text_printf(out, "%llu:%02llu", (unsigned long long)s / 60,
		    (unsigned long long)s % 60);
}

void
progress_compose(struct text *out, const struct progress_state *s, int64_t elapsed_ns)
{
	double seconds = (double)elapsed_ns / SECOND_NS;
	bool known = s->octets_total > 0 && s->octets_read <= s->octets_total;
	if (known)
		text_printf(out, "%3.0f%%  ",
		    (double)s->octets_read * 100 / (double)s->octets_total);
	text_add_count(out, s->packets);
	text_puts(out, " packets  ");
	if (seconds > 0) {
		text_add_count(out, (uint64_t)((double)s->packets / seconds));
		text_puts(out, "/s  ");
	}
	text_add_count(out, s->sessions);
	text_puts(out, s->sessions == 1 ? " session" : " sessions");
	if (known && s->octets_read > 0 && seconds > 0) {
		text_puts(out, "  ");
		add_duration(out,
		    (uint64_t)(seconds * (double)(s->octets_total - s->octets_read) /
			    (double)s->octets_read +
			0.5));
		text_puts(out, " left");
	}
}

void
progress_show(struct progress *p, const struct progress_state *s)
{
	char line[128];
	struct text t = text_in(line, p->columns < sizeof line ? p->columns : sizeof line);
	int64_t now = now_monotonic_ns();
	progress_compose(&t, s, now - p->start_ns);
	p->next_ns = now + INTERVAL_NS;
	line_is_there = true;
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
}

void
progress_clear(void)
{
	if (!line_is_there)
		return;
	line_is_there = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
