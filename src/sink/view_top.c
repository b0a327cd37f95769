/* Who sent most often in clear: see view_top.h. */
#include "sink/view_top.h"

#include <string.h>

#include "base/text.h"

static struct view_sender *
counter_of(struct view_top *top, const struct addr *addr)
{
	struct view_sender *least = &top->sender[0];
	for (unsigned i = 0; i < top->n; i++) {
		if (memcmp(&top->sender[i].addr, addr, sizeof *addr) == 0)
			return &top->sender[i];
		if (top->sender[i].connections < least->connections)
			least = &top->sender[i];
	}
	if (top->n < LIMIT_VIEW_SENDERS)
		least = &top->sender[top->n++];
	uint64_t error = least->connections;
	memset(least, 0, sizeof *least);
	least->addr = *addr;
	least->connections = least->error = error;
	return least;
}

void
view_top_take(struct view_top *top, const struct clear *c)
{
	struct view_sender *x = counter_of(top, &c->client);
	char name[CARD_NAME];
	x->connections++;
	x->mails += c->mails;
	x->logins += c->logins;
	clear_name(c, true, name);
	if (name[0] != '\0') {
		struct text t = text_in(x->name, sizeof x->name);
		text_puts(&t, name);
	}
}

static bool
is_before(const struct view_sender *a, const struct view_sender *b)
{
	uint64_t x = a->connections - a->error, y = b->connections - b->error;
	return x != y ? x > y : a->mails + a->logins > b->mails + b->logins;
}

unsigned
view_top_best(const struct view_top *top, const struct view_sender *best[LIMIT_TOP])
{
	unsigned n = 0;
	for (unsigned i = 0; i < top->n; i++) {
		unsigned place = n;
		while (place > 0 && is_before(&top->sender[i], best[place - 1]))
			place--;
		if (place == LIMIT_TOP)
			continue;
		if (n < LIMIT_TOP)
			n++;
		memmove(&best[place + 1], &best[place], (n - 1 - place) * sizeof(void *));
		best[place] = &top->sender[i];
	}
	return n;
}
