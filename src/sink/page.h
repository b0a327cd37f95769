/*
 * A page of text: lines of a fixed width, with weights and colours where they are wanted.
 *
 * Everything that is put is valid UTF-8 without controls (text_add_wire and mask_add give that),
 * and no line grows wider than the page: words wrap, what is too long is cut with an ellipsis.
 * Where the reader's terminal shows ASCII only, other characters become "?".  Colour never says
 * anything that the words do not.
 */
#ifndef POSTCARD_SINK_PAGE_H
#define POSTCARD_SINK_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PAGE_TEXT 16384u /* octets that are put together before they are written */

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,  /* headings */
	STYLE_DIM,   /* labels, rules */
	STYLE_ALARM, /* white on red */
	STYLE_RED,
	STYLE_YELLOW,
	STYLE_GREEN,
	STYLE_CYAN,
	STYLES
};

struct page {
	FILE *out;	      /* the caller's; NULL: what is put stays in `text` */
	unsigned columns;     /* width of a line */
	unsigned column;      /* columns of the current line that are taken, blanks too */
	unsigned blanks;      /* of them: blanks at its end, not written yet (lines end without) */
	unsigned lines;	      /* lines ended so far */
	unsigned used;	      /* octets of `text` */
	bool over;	      /* it had no room for all of that */
	bool colour;	      /* styles show */
	bool unicode;	      /* other characters than ASCII show */
	char text[PAGE_TEXT]; /* what was not written yet */
};

/* Columns that a terminal takes for `len` octets of UTF-8: two for wide East Asian characters and
 * emoji, none for combining marks. */
unsigned page_width(const char *s, size_t len);

/* Adds `s` to the line; what does not fit in it is cut at the end with an ellipsis. */
void page_put(struct page *p, enum style style, const char *s);

/* The same in at most `columns` columns, cut in the middle: both ends of an address or name tell
 * something. */
void page_put_middle(struct page *p, enum style style, const char *s, unsigned columns);

/* Blanks up to column `to` (from 0); nothing where the line is already there. */
void page_tab(struct page *p, unsigned to);

/* Words of `s` from here on, wrapped; the lines after the first begin at column `indent`.  A word
 * wider than a line is cut in the middle. */
void page_wrap(struct page *p, enum style style, unsigned indent, const char *s);

/* Ends the line. */
void page_line(struct page *p);

/* Puts whole lines that another page of the same columns and styles made. */
void page_put_lines(struct page *p, const char *lines, size_t len);

/* Writes what was put so far, and was not written because there was room for more. */
void page_write(struct page *p);

/* Draws `n` columns of a horizontal line. */
void page_rule(struct page *p, enum style style, unsigned n);

/* A bar of `share` (0 to 1) of `columns`, at least a sliver where share is above 0. */
void page_bar(struct page *p, enum style style, double share, unsigned columns);

#endif
