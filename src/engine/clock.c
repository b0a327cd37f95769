/* The clock of a worker: see clock.h. */
#include "engine/clock.h"

/* Is |a - b| less than a leap?  Without overflow, whatever the stamps are. */
static bool
is_near(int64_t a, int64_t b)
{
	uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
	return apart < (uint64_t)CLOCK_LEAP_NS;
}

void
clock_leap(struct clock *c, int64_t ts_ns)
{
	if (!c->started) {
		*c = (struct clock){.elapsed_ns = CLOCK_START_NS,
		    .high_ns = ts_ns,
		    .near_ns = CLOCK_LEAP_NS,
		    .started = true};
		return;
	}
	if (is_near(ts_ns, c->high_ns)) {
		if (ts_ns > c->high_ns) {
			c->elapsed_ns += ts_ns - c->high_ns;
			c->high_ns = ts_ns;
		}
		c->leaping = false;
	} else if (c->leaping && is_near(ts_ns, c->leap_ns)) {
		/* forward: an hour is longer than any timer; back: the clock was set, and no time
		 * has passed */
		if (ts_ns > c->high_ns)
			c->elapsed_ns += CLOCK_LEAP_NS;
		c->high_ns = ts_ns;
		c->leaping = false;
	} else {
		c->leap_ns = ts_ns;
		c->leaping = true;
	}
	c->near_ns = c->leaping ? 0 : CLOCK_LEAP_NS;
}
