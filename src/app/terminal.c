/* What the reader's terminal can show: see terminal.h. */
#include "app/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_LEAST	60u
#define COLUMNS_MOST	120u
#define COLUMNS_DEFAULT 80u

static unsigned
columns_of(int fd)
{
	struct winsize size;
	const char *env = getenv("COLUMNS");
	unsigned long n = env != NULL ? strtoul(env, NULL, 10) : 0;
	if (n == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	if (n == 0)
		return COLUMNS_DEFAULT;
	return n < COLUMNS_LEAST ? COLUMNS_LEAST : n > COLUMNS_MOST ? COLUMNS_MOST : (unsigned)n;
}

struct terminal
terminal_of(int fd)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	const char *term = getenv("TERM");
	bool refused =
	    (no_color != NULL && no_color[0] != '\0') || term == NULL || strcmp(term, "dumb") == 0;
	return (struct terminal){
	    .colour = isatty(fd) == 1 && !refused,
	    .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	    .columns = columns_of(fd),
	};
}
