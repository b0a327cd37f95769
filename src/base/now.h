/* The clocks of the machine.  The packet path asks none of them: its time is that of the packets.
 */
#ifndef POSTCARD_BASE_NOW_H
#define POSTCARD_BASE_NOW_H

#include <stdint.h>

int64_t now_ns(void); /* since the epoch, UTC */
int64_t now_ms(void); /* that passed, from some start; never set back */

#endif
