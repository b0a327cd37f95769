/*
 * The clock of a worker: how much packet time has passed.
 *
 * Timers need time that never runs back and does not leap on one odd stamp.  A stamp an hour or
 * more away from the others is believed when the next one confirms it: a lone outlier moves
 * nothing; a real silence, or a clock that was set, takes effect one packet late.  Steps back of
 * less count as no time.
 */
#ifndef POSTCARD_ENGINE_CLOCK_H
#define POSTCARD_ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_LEAP_NS 3600000000000 /* an hour */

struct clock {
	int64_t elapsed_ns; /* since the first packet; starts at CLOCK_START_NS so that 0 can mean
			       "not set" */
	int64_t high_ns;    /* latest stamp believed */
	int64_t leap_ns;    /* a far stamp that awaits its confirmation */
	uint64_t near_ns;   /* stamps that are ahead by less are believed at once; 0 for none */
	bool started;
	bool leaping; /* leap_ns is set */
};

#define CLOCK_START_NS 1000000000

/* The same where it is not the usual one. */
void clock_leap(struct clock *c, int64_t ts_ns);

/* Takes the stamp of the next packet. */
static inline void
clock_move(struct clock *c, int64_t ts_ns)
{
	uint64_t by = (uint64_t)ts_ns - (uint64_t)c->high_ns;
	if (by >= c->near_ns || ts_ns < c->high_ns) {
		clock_leap(c, ts_ns);
		return;
	}
	c->elapsed_ns += (int64_t)by;
	c->high_ns = ts_ns;
}

#endif
