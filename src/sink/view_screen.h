/*
 * The terminal of a live view: the alternate screen, raw keys, and lines of which only those that
 * changed are written.
 *
 * Writing never blocks: a terminal that takes nothing (a slow line, a stopped one) gets the rest
 * later, and no newer screen before that.  Terminal sequences are those of ECMA-48 and the private
 * modes of xterm that every terminal of today knows.  Bounds: LIMIT_VIEW_ROWS lines.
 */
#ifndef POSTCARD_SINK_VIEW_SCREEN_H
#define POSTCARD_SINK_VIEW_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct view_screen {
	int out;	     /* the terminal, never blocking where it could be opened anew */
	bool own;	     /* `out` was opened here */
	int keys;	     /* descriptor of keys; -1 for none */
	bool on;	     /* it has the terminal */
	bool full;	     /* nothing that stands there is known: draw every line */
	bool gone;	     /* the terminal went away */
	struct termios mode; /* of keys before, to go back to */
	struct termios raw;  /* as it is set */
	bool moded;	     /* `mode` and `raw` hold something */
	char *shown;	     /* lines that stand there, each with its '\n'; NULL for none */
	char *waiting;	     /* octets to be written; NULL for none */
	size_t waits, at;    /* their number, and those of them that are written */
	unsigned columns;    /* of the terminal, when it was looked at last */
	unsigned rows;
};

/* Over the terminal `fd`, which stays the caller's; nothing is written yet. */
void screen_init(struct view_screen *s, int fd, int keys);
void screen_free_all(struct view_screen *s);

/* May it have the terminal?  Not where the process runs in the background. */
bool screen_is_ours(const struct view_screen *s);

/* Looks at the terminal's size; true where it changed. */
bool screen_measure(struct view_screen *s);

/* Takes the terminal, or takes it again where somebody else changed its mode. */
void screen_enter(struct view_screen *s);

/* Gives it back as it was; false where the terminal took not all of that. */
bool screen_leave(struct view_screen *s);

/* All that was to be written is written. */
bool screen_is_free(const struct view_screen *s);

/* Shows lines, each ended with '\n'; takes `frame` over, which free(3) frees.  Only while
 * screen_is_free. */
void screen_show(struct view_screen *s, char *frame);

/* Goes on writing. */
void screen_write(struct view_screen *s);

#endif
