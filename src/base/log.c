/* Messages on standard error: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"

static void (*before)(void);

static bool holding;
static char held[LIMIT_LOG_HELD]; /* messages, a line each */
static size_t held_len;
static char last[512];	 /* the one that came last */
static unsigned dropped; /* messages that found no room */

static void __attribute__((format(printf, 1, 0))) hold(const char *fmt, va_list ap)
{
	struct text room = text_in(held + held_len, sizeof held - held_len);
	(void)vsnprintf(last, sizeof last, fmt, ap);
	text_printf(&room, "postcard: %s\n", last);
	if (room.cut) {
		held[held_len] = '\0';
		dropped++;
	} else {
		held_len += room.len;
	}
}

void
log_hold(void)
{
	holding = true;
	last[0] = '\0';
}

void
log_release(void)
{
	holding = false;
	last[0] = '\0';
	(void)fwrite(held, 1, held_len, stderr);
	held_len = 0;
	if (dropped > 0)
		log_say("and %u more messages that found no room", dropped);
	dropped = 0;
}

const char *
log_held(void)
{
	return last;
}

void
log_before(void (*hook)(void))
{
	before = hook;
}

void
log_say(const char *fmt, ...)
{
	va_list ap;
	if (holding) {
		va_start(ap, fmt);
		hold(fmt, ap);
		va_end(ap);
		return;
	}
	if (before != NULL)
		before();
	fputs("postcard: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
