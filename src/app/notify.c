/* The protocol of sd_notify(3): see notify.h. */
#include "app/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/now.h"

/* A positive number of digits alone; 0 for anything else. */
static int64_t
number_of(const char *s)
{
	int64_t n = 0;
	if (s == NULL || s[0] == '\0' || strlen(s) > 15)
		return 0;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		n = n * 10 + (*s - '0');
	}
	return n;
}

/* A socket connected to that address; -1. */
static int
connect_to(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || name[1] == '\0' || len >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0'; /* abstract: its length ends it, not a NUL */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
	*n = (struct notify){.fd = name != NULL ? connect_to(name) : -1};
	if (n->fd >= 0 && (pid == NULL || number_of(pid) == (int64_t)getpid()))
		n->watchdog_ns = number_of(getenv("WATCHDOG_USEC")) * 1000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static void
say(struct notify *n, const char *message)
{
	if (n->fd >= 0)
		(void)!send(n->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
notify_ready(struct notify *n)
{
	say(n, "READY=1");
}

void
notify_reloading(struct notify *n)
{
	char message[NOTIFY_TEXT];
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(now_monotonic_ns() / 1000));
	say(n, message);
}

void
notify_stopping(struct notify *n)
{
	say(n, "STOPPING=1");
}

void
notify_status(struct notify *n, const char *fmt, ...)
{
	static const char key[] = "STATUS=";
	char message[NOTIFY_TEXT];
	va_list ap;
	if (n->fd < 0)
		return;
	memcpy(message, key, sizeof key);
	va_start(ap, fmt);
	vsnprintf(message + sizeof key - 1, sizeof message - (sizeof key - 1), fmt, ap);
	va_end(ap);
	for (char *s = message; *s != '\0'; s++)
		*s = *s == '\n' ? ' ' : *s;
	say(n, message);
}

void
notify_alive(struct notify *n)
{
	if (n->watchdog_ns == 0)
		return;
	int64_t now = now_monotonic_ns();
	if (now < n->next_sign_ns)
		return;
	say(n, "WATCHDOG=1");
	n->next_sign_ns = now + n->watchdog_ns / 2;
}

int
notify_wait_ms(const struct notify *n)
{
	if (n->watchdog_ns == 0)
		return -1;
	int64_t ms = (n->next_sign_ns - now_monotonic_ns()) / 1000000;
	return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

void
notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	*n = (struct notify){.fd = -1};
}
