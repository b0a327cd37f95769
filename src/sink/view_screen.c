/* The terminal of a live view: see view_screen.h. */
#include "sink/view_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/limits.h"

#define ROWS	   24u
#define COLUMNS	   80u
#define LEAVING_MS 200 /* that the last octets may take */

/* alternate screen, cursor hidden, no wrapping at the right edge; and back */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define LEAVE "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
#define CLEAR "\x1b[H\x1b[2J"

void
screen_init(struct view_screen *s, int fd, int keys)
{
	char path[32];
	memset(s, 0, sizeof *s);
	s->keys = keys;
	s->columns = COLUMNS;
	s->rows = ROWS;
	/* an open file of its own: O_NONBLOCK on `fd` would be set for the shell as well */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	s->out = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	s->own = s->out >= 0;
	if (!s->own)
		s->out = fd;
	if (keys >= 0 && tcgetattr(keys, &s->mode) != 0) {
		s->keys = -1; /* no terminal: what comes there is not typed */
	} else if (keys >= 0) {
		s->moded = true;
		s->raw = s->mode;
		s->raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
		s->raw.c_iflag &= ~(tcflag_t)(IXON);
		s->raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* comes as a key: the screen goes first */
		s->raw.c_cc[VMIN] = 0;
		s->raw.c_cc[VTIME] = 0;
	}
}

void
screen_free_all(struct view_screen *s)
{
	if (s->own)
		(void)close(s->out);
	free(s->shown);
	free(s->waiting);
	s->shown = s->waiting = NULL;
}

bool
screen_is_ours(const struct view_screen *s)
{
	pid_t group = tcgetpgrp(s->keys >= 0 ? s->keys : s->out);
	return group < 0 || group == getpgrp(); /* no job control: nobody else's either */
}

bool
screen_measure(struct view_screen *s)
{
	struct winsize size;
	unsigned columns = COLUMNS, rows = ROWS;
	if (ioctl(s->out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		columns = size.ws_col;
		rows = size.ws_row < LIMIT_VIEW_ROWS ? size.ws_row : LIMIT_VIEW_ROWS;
	}
	bool changed = columns != s->columns || rows != s->rows;
	s->columns = columns;
	s->rows = rows;
	s->full = s->full || changed;
	return changed;
}

static bool
has_octets(const struct view_screen *s)
{
	return s->waiting != NULL && s->at < s->waits;
}

void
screen_write(struct view_screen *s)
{
	struct pollfd p = {.fd = s->out, .events = POLLOUT};
	while (has_octets(s) && !s->gone && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0) {
		ssize_t n = write(s->out, s->waiting + s->at, s->waits - s->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			s->gone = true;
		if (n <= 0)
			break;
		s->at += (size_t)n;
	}
	if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		s->gone = true;
}

bool
screen_is_free(const struct view_screen *s)
{
	return !has_octets(s);
}

/* Puts octets behind those that wait. */
static void
add(struct view_screen *s, const char *octets, size_t len)
{
	size_t left = has_octets(s) ? s->waits - s->at : 0;
	char *all = malloc(left + len + 1);
	if (all == NULL) {
		s->full = true; /* drawn anew when there is memory */
		return;
	}
	if (left > 0)
		memcpy(all, s->waiting + s->at, left);
	memcpy(all + left, octets, len);
	free(s->waiting);
	s->waiting = all;
	s->waits = left + len;
	s->at = 0;
}

/* Lines and echo, as a shell has them? */
static bool
is_cooked(const struct view_screen *s)
{
	struct termios is;
	return s->moded && tcgetattr(s->keys, &is) == 0 && (is.c_lflag & (ICANON | ECHO)) != 0;
}

void
screen_enter(struct view_screen *s)
{
	/* while we are on: a shell had the terminal meanwhile, and the screen with it */
	bool cooked = is_cooked(s);
	if (cooked)
		(void)tcsetattr(s->keys, TCSANOW, &s->raw);
	if (s->on && !cooked)
		return;
	s->on = true;
	s->full = true;
	add(s, ENTER, sizeof ENTER - 1);
}

bool
screen_leave(struct view_screen *s)
{
	struct pollfd p = {.fd = s->out, .events = POLLOUT};
	if (!s->on)
		return !s->gone;
	s->on = false;
	add(s, LEAVE, sizeof LEAVE - 1);
	for (int ms = 0; has_octets(s) && !s->gone && ms < LEAVING_MS; ms += 20) {
		(void)poll(&p, 1, 20);
		screen_write(s);
	}
	bool all = !has_octets(s) && !s->gone;
	free(s->waiting);
	s->waiting = NULL;
	if (s->moded && screen_is_ours(s)) /* in the background it would stop us */
		(void)tcsetattr(s->keys, TCSANOW, &s->mode);
	return all;
}

/* The line at *at, which moves behind it; "" behind the last. */
static size_t
line_at(const char **at)
{
	size_t len = strcspn(*at, "\n");
	*at += len + ((*at)[len] == '\n');
	return len;
}

void
screen_show(struct view_screen *s, char *frame)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);
	const char *now = frame, *old = s->shown != NULL && !s->full ? s->shown : "";
	if (f == NULL) {
		free(frame);
		return;
	}
	if (s->full)
		fputs(CLEAR, f);
	for (unsigned row = 1; row <= s->rows; row++) {
		const char *line = now, *before = old;
		size_t n = line_at(&now), was = line_at(&old);
		if (n == was && memcmp(line, before, n) == 0)
			continue;
		fprintf(f, "\x1b[%u;1H", row);
		(void)fwrite(line, 1, n, f);
		fputs("\x1b[K", f);
	}
	bool well = fclose(f) == 0;
	free(s->shown);
	s->shown = frame;
	s->full = !well;
	if (well)
		add(s, out, len);
	free(out);
	screen_write(s);
}
