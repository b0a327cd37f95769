/* What the reader's terminal can show. */
#ifndef POSTCARD_APP_TERMINAL_H
#define POSTCARD_APP_TERMINAL_H

#include <stdbool.h>

struct terminal {
	bool colour;	  /* a terminal that shows colour, and the reader did not refuse it */
	bool unicode;	  /* the locale's characters are UTF-8 */
	unsigned columns; /* 60 to 120 */
};

/* Looks at descriptor `fd`, the environment (NO_COLOR, TERM, COLUMNS) and the locale, which main
 * has set. */
struct terminal terminal_of(int fd);

#endif
