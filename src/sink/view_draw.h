/* Drawing a live view: the lines of a screen, from what its model knows. */
#ifndef POSTCARD_SINK_VIEW_DRAW_H
#define POSTCARD_SINK_VIEW_DRAW_H

#include "sink/page.h"
#include "sink/view_model.h"

struct view_look {
	unsigned rows;	    /* lines of the terminal; it draws that many */
	int64_t now_ns;	    /* wall clock; since the epoch */
	uint64_t run_ns;    /* for how long the run lasts */
	bool paused;	    /* drawn once more, then it stands */
	bool keys;	    /* it listens to keys */
	const char *notice; /* the message for people that came last; "" for none */
};

/* Draws it all, on a page of any width. */
void view_draw(struct page *p, const struct view_model *m, const struct view_look *look);

#endif
