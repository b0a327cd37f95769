/* Messages to a service manager, received on sockets of either kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/notify.h"
#include "folder.h"

/* A manager's socket under that name ('@': abstract), which the environment then has. */
static int
manager(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	memcpy(a.sun_path, name, strlen(name));
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
expect(int fd, const char *message)
{
	char got[512];
	ssize_t n = recv(fd, got, sizeof got - 1, 0);
	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, message);
}

static void
clear(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static void
messages(void **state)
{
	(void)state;
	char abstract[64], path[128];
	snprintf(path, sizeof path, "%s/notify", folder);
	snprintf(abstract, sizeof abstract, "@postcard-unit-%d", (int)getpid());
	const char *const names[] = {path, abstract};
	for (size_t i = 0; i < 2; i++) {
		struct notify n;
		clear();
		int fd = manager(names[i]);
		notify_open(&n);
		assert_true(n.fd >= 0);
		assert_null(getenv("NOTIFY_SOCKET"));
		notify_ready(&n);
		expect(fd, "READY=1");
		notify_status(&n, "%d packets\nREADY=1", 7);
		expect(fd, "STATUS=7 packets READY=1");
		notify_reloading(&n);
		char got[256] = "";
		assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
		assert_int_equal(strncmp(got, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
		assert_true(atoll(got + 27) > 0);
		notify_stopping(&n);
		expect(fd, "STOPPING=1");
		/* no watchdog is asked for */
		assert_int_equal(notify_wait_ms(&n), -1);
		notify_alive(&n);
		expect(fd, "");
		notify_close(&n);
		notify_ready(&n);
		expect(fd, "");
		close(fd);
	}
}

static void
a_long_status_is_cut(void **state)
{
	(void)state;
	struct notify n;
	char abstract[64], text[1024], got[2048];
	snprintf(abstract, sizeof abstract, "@postcard-unit-%d", (int)getpid());
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	clear();
	int fd = manager(abstract);
	notify_open(&n);
	notify_status(&n, "%s", text);
	assert_int_equal(recv(fd, got, sizeof got, 0), NOTIFY_TEXT - 1);
	notify_close(&n);
	close(fd);
}

static void
the_watchdog(void **state)
{
	(void)state;
	struct notify n;
	char abstract[64], pid[32];
	snprintf(abstract, sizeof abstract, "@postcard-unit-%d", (int)getpid());
	clear();
	int fd = manager(abstract);
	setenv("WATCHDOG_USEC", "100000", 1);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	notify_open(&n);
	assert_int_equal(n.watchdog_ns, 100000000);
	assert_int_equal(notify_wait_ms(&n), 0);
	notify_alive(&n);
	expect(fd, "WATCHDOG=1");
	notify_alive(&n); /* too early to say it again */
	expect(fd, "");
	assert_in_range(notify_wait_ms(&n), 0, 50);
	usleep(60000);
	notify_alive(&n);
	expect(fd, "WATCHDOG=1");
	notify_close(&n);

	/* another process is meant, or it is no number */
	static const char *const wrong[][2] = {{"100000", "1"}, {"x", ""}, {"", ""}, {"-5", ""},
	    {"99999999999999999999", ""}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		setenv("NOTIFY_SOCKET", abstract, 1);
		setenv("WATCHDOG_USEC", wrong[i][0], 1);
		setenv("WATCHDOG_PID", wrong[i][1][0] != '\0' ? wrong[i][1] : pid, 1);
		notify_open(&n);
		assert_int_equal(n.watchdog_ns, 0);
		notify_close(&n);
	}
	close(fd);
}

/* Nobody to tell, an address that is none, nobody there, a manager that does not read. */
static void
nobody_listens(void **state)
{
	(void)state;
	static char longer[300];
	memset(longer, 'x', sizeof longer - 1);
	longer[0] = '/';
	const char *const names[] = {NULL, "", "/", "@", "vsock:2:1", "relative", "/nowhere/socket",
	    longer};
	struct notify n;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		clear();
		if (names[i] != NULL)
			setenv("NOTIFY_SOCKET", names[i], 1);
		setenv("WATCHDOG_USEC", "1000000", 1);
		notify_open(&n);
		assert_int_equal(n.fd, -1);
		assert_int_equal(notify_wait_ms(&n), -1);
		notify_ready(&n);
		notify_status(&n, "x");
		notify_alive(&n);
		notify_close(&n);
	}
	char abstract[64];
	snprintf(abstract, sizeof abstract, "@postcard-unit-%d", (int)getpid());
	clear();
	int fd = manager(abstract);
	notify_open(&n);
	for (unsigned i = 0; i < 10000; i++)
		notify_status(&n, "%u", i); /* its queue is full long before: nothing waits */
	close(fd);
	notify_ready(&n);
	notify_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(messages),
	    cmocka_unit_test(a_long_status_is_cut),
	    cmocka_unit_test(the_watchdog),
	    cmocka_unit_test(nobody_listens),
	};
	return cmocka_run_group_tests_name("app/notify", tests, NULL, NULL);
}
