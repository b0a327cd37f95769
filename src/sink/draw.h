/* Drawing on a page: a card, and the labelled rows that cards and the summary are made of. */
#ifndef POSTCARD_SINK_DRAW_H
#define POSTCARD_SINK_DRAW_H

#include "sink/card.h"
#include "sink/page.h"

#define DRAW_LABEL 3u  /* column at which labels begin */
#define DRAW_VALUE 15u /* column at which their values begin */

/* Begins a row: the label, dimmed; the line stands at DRAW_VALUE. */
void draw_label(struct page *p, const char *label);

/* A whole row, its value wrapped under itself; nothing where the value is empty. */
void draw_row(struct page *p, const char *label, const char *value);

/* A count that ends at column `end`; a zero is dimmed. */
void draw_count(struct page *p, unsigned end, uint64_t n);

/* A word, dimmed, that ends at column `end`. */
void draw_heading(struct page *p, unsigned end, const char *word);

/* What stands before a card: it is `number` of `all`. */
void draw_number(struct page *p, size_t number, size_t all);

/* The card. */
void draw_card(struct page *p, const struct card *c);

#endif
