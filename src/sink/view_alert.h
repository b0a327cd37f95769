/*
 * An alert as it is shown when it comes: as a block of a few lines, or a row of the live view.
 *
 * It is taken from its record at once: text that is safe to show, cut to the sizes below.  Nothing
 * of it is private: sentences and advice name hosts only (see judge/judge.h).
 */
#ifndef POSTCARD_SINK_VIEW_ALERT_H
#define POSTCARD_SINK_VIEW_ALERT_H

#include "record/record.h"
#include "sink/page.h"

enum view_state { VIEW_NEW, VIEW_WORSE, VIEW_REPEATED, VIEW_RESOLVED };

struct view_alert {
	int64_t ns;	       /* its time; since the epoch */
	int level;	       /* LEVEL_x */
	enum view_state state; /* that was reported last */
	uint64_t count;	       /* events that it stands for */
	char title[100];       /* of the rule */
	char about[160];       /* between whom, or where in the sensor */
	char ports[180];       /* the same with ports */
	char sentence[600];    /* what happened; "" for none */
	char advice[600];      /* what to do; "" for none */
};

/* Fills it from the record of an alert.  `unicode`: an arrow stands between hosts, else "->". */
void view_alert_take(struct view_alert *a, const struct record *r, bool unicode);

/* Are both about the same: one rule, one pair of hosts? */
bool view_alert_same(const struct view_alert *a, const struct view_alert *b);

/* Draws it: a new one with what to do, and an empty line below; one that came before as a line. */
void view_alert_block(struct page *p, const struct view_alert *a);

/* Draws it in one line, hosts in `about` columns (0: none); the line is not ended.  Of another day
 * than that of `now_ns` the day stands in the place of the time. */
void view_alert_row(struct page *p, const struct view_alert *a, int64_t now_ns, unsigned about);

#endif
