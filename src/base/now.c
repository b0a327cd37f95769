/* The clocks of the machine: see now.h. */
#include "base/now.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
now_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
now_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
now_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC) / 1000000;
}
