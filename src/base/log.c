/* Messages on standard error: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static void (*before)(void);

void
log_before(void (*hook)(void))
{
	before = hook;
}

void
log_say(const char *fmt, ...)
{
	va_list ap;
	if (before != NULL)
		before();
	fputs("postcard: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
