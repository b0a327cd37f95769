/*
 * The view sink: how things stand, live on a terminal.
 *
 * Drawn once a second (view_draw.h), and at once on a new alert, a key or another size of the
 * terminal, which is looked at rather than told by a signal.  It never blocks: keys are read only
 * when they are there, and what the terminal does not take now waits (view_screen.h).  Messages of
 * the program wait meanwhile (base/log.h); the last one shows.
 *
 * Keys: q quits, p pauses the drawing (nothing else), ^L draws all anew, ^Z stops the job like a
 * shell expects, with the screen given back before.  In the background nothing is drawn.  ^C and
 * signals are the program's: it has to call sink_close, which gives the terminal back and leaves
 * the summary (summary.h) on it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/now.h"
#include "sink/kinds.h"
#include "sink/view_draw.h"
#include "sink/view_screen.h"

#define MS_NS	     1000000ll
#define DRAW_NS	     (1000 * MS_NS)
#define SOON_NS	     (100 * MS_NS) /* between two drawings, however much happens */
#define WRITE_MS     50		   /* after which a slow terminal is tried again */
#define LEAST	     40u	   /* columns of the summary that is left */
#define MOST	     110u
#define MOST_LIVE    120u /* columns of the view: longer lines are hard to read */
#define MARGIN	     1u	  /* columns left free at the right */
#define KEYS_AT_ONCE 64u

#define CONTROL(c) ((c)&0x1f)
#define ESCAPE	   0x1b

struct view {
	struct view_model model;
	struct view_screen screen;
	struct page page; /* its style */
	FILE *out;
	int64_t begun_ns; /* monotonic clock */
	int64_t drawn_ns; /* last; monotonic clock */
	bool soon;	  /* something happened that is to be seen at once */
	bool paused;
	bool ends;	/* its reader asked the run to end */
	bool holds_log; /* messages wait */
	bool taken;	/* a record was: without any, the run did not even begin */
	int error;	/* errno of a write that failed; 0 while all is well */
};

static bool
all_well(struct view *v)
{
	if (v->screen.gone && v->error == 0) {
		v->error = EIO;
		v->ends = true;
	}
	if (v->error != 0)
		errno = v->error;
	return v->error == 0;
}

/* ----------------------------------------------------------------------------- drawing */

/* Gives the terminal back; false where it takes nothing. */
static bool
leave(struct view *v)
{
	bool takes = screen_leave(&v->screen);
	if (v->holds_log)
		log_release();
	v->holds_log = false;
	return takes;
}

static void
enter(struct view *v)
{
	screen_enter(&v->screen);
	if (!v->holds_log && isatty(STDERR_FILENO) == 1) {
		log_hold();
		v->holds_log = true;
	}
}

static void
draw(struct view *v, int64_t now_ns)
{
	char *frame = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&frame, &len);
	struct page p = v->page;
	if (f == NULL)
		return; /* the next one, then */
	p.out = f;
	p.columns = v->screen.columns < MOST_LIVE ? v->screen.columns : MOST_LIVE;
	p.columns -= p.columns > MARGIN ? MARGIN : 0;
	struct view_look look = {.rows = v->screen.rows,
	    .now_ns = now_real_ns(),
	    .run_ns = (uint64_t)(now_ns - v->begun_ns),
	    .paused = v->paused,
	    .keys = v->screen.keys >= 0,
	    .notice = v->holds_log ? log_held() : ""};
	view_draw(&p, &v->model, &look);
	page_write(&p);
	if (fclose(f) != 0) {
		free(frame);
		return;
	}
	screen_show(&v->screen, frame);
	v->drawn_ns = now_ns;
	v->soon = false;
}

/* Draws if it is time to. */
static void
step(struct view *v)
{
	int64_t now_ns = now_monotonic_ns();
	int64_t due_ns = v->drawn_ns + (v->soon ? SOON_NS : DRAW_NS);
	if (v->screen.gone || !screen_is_ours(&v->screen))
		return;
	enter(v);
	screen_write(&v->screen);
	bool anew = screen_measure(&v->screen) || v->screen.full;
	if (!screen_is_free(&v->screen))
		return;
	if (anew || (now_ns >= due_ns && (!v->paused || v->soon)))
		draw(v, now_ns);
}

/* -------------------------------------------------------------------------------- keys */

/* ^Z: the whole job stops, as its shell expects, and goes on here. */
static void
suspend(struct view *v)
{
	(void)leave(v);
	(void)kill(0, SIGTSTP);
	v->soon = true;
}

static void
take_key(struct view *v, char c)
{
	switch (c) {
	case 'q':
	case 'Q': v->ends = true; break;
	case 'p':
	case 'P':
	case ' ':
		v->paused = !v->paused;
		v->soon = true;
		v->drawn_ns = 0;
		break;
	case CONTROL('L'): v->screen.full = true; break;
	case CONTROL('Z'): suspend(v); break;
	default: break;
	}
}

/* Octets of what a special key sends (ECMA-48 sections 5.4 and 7.2): ESC [ ... letter, or ESC and
 * one or two more; a lone ESC is the key of that name. */
static size_t
sequence(const char *s, size_t len)
{
	size_t i = 2;
	if (len < 2)
		return 1;
	if (s[1] == 'O')
		return len < 3 ? len : 3;
	if (s[1] != '[')
		return 2;
	while (i < len && (s[i] < 0x40 || s[i] > 0x7e))
		i++;
	return i < len ? i + 1 : len;
}

static void
read_keys(struct view *v)
{
	char keys[KEYS_AT_ONCE];
	struct pollfd p = {.fd = v->screen.keys, .events = POLLIN};
	if (v->screen.keys < 0 || !screen_is_ours(&v->screen) || poll(&p, 1, 0) != 1)
		return;
	ssize_t n = read(v->screen.keys, keys, sizeof keys);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* its end: who sat there is gone */
		v->ends = true;
		v->screen.keys = -1;
		return;
	}
	for (size_t i = 0; i < (size_t)n;) {
		if (keys[i] == ESCAPE) {
			i += sequence(keys + i, (size_t)n - i);
			continue;
		}
		take_key(v, keys[i++]);
	}
}

/* -------------------------------------------------------------------------------- sink */

void *
view_open(const struct sink_config *config, char error[SINK_ERROR])
{
	const char *term = getenv("TERM");
	int fd = config->out != NULL ? fileno(config->out) : -1;
	if (fd < 0 || isatty(fd) != 1) {
		snprintf(error, SINK_ERROR, "a live view needs a terminal");
		return NULL;
	}
	if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0) {
		snprintf(error, SINK_ERROR, "this terminal shows no live view (TERM is %s)",
		    term != NULL ? "dumb" : "not set");
		return NULL;
	}
	struct view *v = calloc(1, sizeof *v);
	if (v == NULL || !view_model_init(&v->model, config->unicode)) {
		free(v);
		snprintf(error, SINK_ERROR, "no memory for the live view");
		return NULL;
	}
	v->out = config->out;
	v->page = (struct page){.colour = config->colour, .unicode = config->unicode};
	v->begun_ns = now_monotonic_ns();
	(void)fflush(v->out);
	screen_init(&v->screen, fd, config->keys);
	v->soon = true;
	step(v);
	return v;
}

bool
view_push(void *state, const struct record *r)
{
	struct view *v = state;
	view_model_take(&v->model, r, now_monotonic_ns());
	v->taken = true;
	if (r->kind == RECORD_ALERT && !v->paused) {
		v->soon = true;
		step(v);
	}
	return all_well(v);
}

void
view_status(void *state, const struct record *summary)
{
	struct view *v = state;
	view_model_take(&v->model, summary, now_monotonic_ns());
	step(v);
}

void
view_wait(const void *state, struct sink_wait *w)
{
	const struct view *v = state;
	int64_t due_ns = v->drawn_ns + (v->soon ? SOON_NS : DRAW_NS);
	int64_t ms = (due_ns - now_monotonic_ns()) / MS_NS + 1;
	if (v->screen.gone)
		return;
	if (screen_is_ours(&v->screen)) {
		w->fd = v->screen.keys;
		w->events = POLLIN;
	} else {
		ms = DRAW_NS / MS_NS;
	}
	w->timeout_ms = !screen_is_free(&v->screen) ? WRITE_MS
	    : ms > 0				    ? (int)ms
	    : v->paused				    ? 1000
						    : 0;
}

bool
view_tick(void *state)
{
	struct view *v = state;
	read_keys(v);
	step(v);
	return all_well(v);
}

bool
view_ends(const void *state)
{
	const struct view *v = state;
	return v->ends;
}

bool
view_flush(void *state)
{
	return all_well(state);
}

bool
view_close(void *state)
{
	struct view *v = state;
	bool takes = leave(v);
	errno = 0;
	if (takes && v->taken) { /* printing would wait for it, and an end does not */
		unsigned columns = v->screen.columns;
		columns = columns < LEAST ? LEAST : columns > MOST ? MOST : columns;
		v->page.out = v->out;
		v->page.columns = columns - 1;
		summary_draw(&v->model.summary, &v->page);
		page_write(&v->page);
		if (fflush(v->out) != 0 || ferror(v->out))
			v->error = errno != 0 ? errno : EIO;
	}
	bool ok = all_well(v);
	int error = v->error;
	screen_free_all(&v->screen);
	view_model_free_all(&v->model);
	free(v);
	if (!ok)
		errno = error;
	return ok;
}
