/* The clocks of the machine.  The packet path asks none of them: its time is that of the packets.
 */
#ifndef POSTCARD_BASE_NOW_H
#define POSTCARD_BASE_NOW_H

#include <stdint.h>

int64_t now_real_ns(void); /* since the epoch, UTC */

/* Since some start; never set back. */
int64_t now_monotonic_ns(void);
int64_t now_monotonic_ms(void);

#endif
