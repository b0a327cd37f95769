/*
 * The live view on a terminal: a pseudo-terminal, whose other end reads like one that knows the few
 * sequences that the view may write.
 *
 * `sink_view_test demo [SECONDS] [ascii] [mono]` shows made-up records live, to look at.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "sink_made.h"

#define ROWS	24
#define SOON_MS 120 /* after which what happened shows */

static int master, slave;
static FILE *out;
static struct sink *sink;
static struct termios before;

/* What stands on the terminal. */
static struct {
	char line[LIMIT_VIEW_ROWS + 1][1200];
	unsigned row;
	unsigned moves, clears; /* of the cursor, of all, since it was read last */
	bool other_screen, hidden, no_wrap;
	char after[20000]; /* what was written on the usual screen */
	size_t len;
	char part[64]; /* of a sequence whose end is still to come */
} tty;

static void
put(char c)
{
	if (!tty.other_screen) {
		if (tty.len + 1 < sizeof tty.after)
			tty.after[tty.len++] = c;
		tty.after[tty.len] = '\0';
		return;
	}
	size_t len = strlen(tty.line[tty.row]);
	assert_true((uint8_t)c >= 0x20 && c != 0x7f);
	assert_true(len + 1 < sizeof tty.line[0]);
	tty.line[tty.row][len] = c;
	tty.line[tty.row][len + 1] = '\0';
}

/* A control sequence: its end; NULL where that is still to come. */
static const char *
control(const char *s)
{
	int row = 1, column = 1;
	const char *from = s + 2;
	if (s[1] == '\0')
		return NULL;
	assert_int_equal(s[1], '[');
	for (s += 2; *s < 0x40 || *s > 0x7e; s++) {
		if (*s == '\0')
			return NULL;
	}
	bool set = *s == 'h';
	if (*s == 'H') {
		(void)sscanf(from, "%d;%d", &row, &column);
		assert_true(row >= 1 && row <= (int)LIMIT_VIEW_ROWS && column == 1);
		tty.row = (unsigned)row;
		tty.line[row][0] = '\0'; /* it writes whole lines only, and the rest blank */
		tty.moves++;
	} else if (*s == 'J') {
		assert_int_equal(*from, '2');
		for (unsigned i = 0; i <= LIMIT_VIEW_ROWS; i++)
			tty.line[i][0] = '\0';
		tty.clears++;
	} else if (*s == 'h' || *s == 'l') {
		if (strncmp(from, "?1049", 5) == 0)
			tty.other_screen = set;
		else if (strncmp(from, "?25", 3) == 0)
			tty.hidden = !set;
		else if (strncmp(from, "?7", 2) == 0)
			tty.no_wrap = !set;
		else
			fail_msg("mode %.6s", from);
	} else {
		assert_true(*s == 'K' || *s == 'm');
	}
	return s + 1;
}

/* Reads what the view wrote. */
static void
look(void)
{
	static char buf[1 << 20];
	const char *s = buf;
	struct pollfd p = {.fd = master, .events = POLLIN};
	size_t len = strlen(tty.part);
	memcpy(buf, tty.part, len);
	tty.moves = tty.clears = 0;
	while (poll(&p, 1, 30) == 1 && (p.revents & POLLIN) != 0) {
		ssize_t n = read(master, buf + len, sizeof buf - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	for (const char *next; *s != '\0'; s = next) {
		next = *s == '\x1b' ? control(s) : s + 1;
		if (next == NULL)
			break;
		if (*s != '\x1b')
			put(*s);
	}
	assert_true(strlen(s) < sizeof tty.part);
	memcpy(tty.part, s, strlen(s) + 1);
}

static bool
shows(const char *what)
{
	for (unsigned i = 1; i <= LIMIT_VIEW_ROWS; i++) {
		if (strstr(tty.line[i], what) != NULL)
			return true;
	}
	return false;
}

/* The keys' mode is what it was. */
static bool
is_as_before(void)
{
	struct termios now;
	memset(&now, 0, sizeof now); /* padding too */
	return tcgetattr(slave, &now) == 0 && memcmp(&now, &before, sizeof now) == 0;
}

static void
wait_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&t, &t) != 0)
		;
}

static void
type(const char *keys, size_t len)
{
	assert_int_equal(write(master, keys, len), len);
	assert_true(sink_tick(sink));
}

static struct sink *
open_view(void)
{
	char error[SINK_ERROR] = "";
	struct sink_config config = {.kind = "view", .out = out, .keys = slave, .unicode = true};
	struct sink *s = sink_open(&config, error);
	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

static int
begin(void **state)
{
	(void)state;
	struct winsize size = {.ws_col = 80, .ws_row = ROWS};
	memset(&tty, 0, sizeof tty);
	setenv("TERM", "xterm", 1);
	alarm(30); /* that nothing blocks is a part of every test here */
	if (openpty(&master, &slave, NULL, NULL, &size) != 0 || tcgetattr(slave, &before) != 0)
		return -1;
	out = fdopen(dup(slave), "w");
	sink = open_view();
	look();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	(void)sink_close(sink);
	fclose(out);
	close(slave);
	if (master >= 0)
		close(master);
	alarm(0);
	return 0;
}

/* The terminal is taken, and given back as it was, with a summary on it. */
static void
takes_and_gives_back(void **state)
{
	(void)state;
	struct termios now;
	assert_true(tty.other_screen && tty.hidden && tty.no_wrap);
	assert_int_equal(tty.clears, 1);
	assert_true(shows("Last alerts") && shows("q quit"));
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ECHO), 0);
	assert_true((now.c_lflag & ISIG) != 0); /* ^C stays a signal */
	assert_true(sink_push(sink, make_clear(1, 2, "host.example")));
	assert_true(sink_close(sink));
	sink = NULL;
	look();
	assert_false(tty.other_screen || tty.hidden || tty.no_wrap);
	assert_true(is_as_before());
	assert_non_null(strstr(tty.after, " Summary "));
	assert_non_null(strstr(tty.after, "1 of 1 mail connection could be read on the way"));
}

/* A new alert shows at once, and only the lines that it changed are written. */
static void
alerts_show_at_once(void **state)
{
	(void)state;
	assert_false(shows("Password"));
	wait_ms(SOON_MS);
	assert_true(sink_push(sink, make_record(RECORD_ALERT, made_login)));
	look();
	assert_true(shows("Password or token readable"));
	assert_int_equal(tty.clears, 0);
	assert_true(tty.moves >= 2 && tty.moves <= 4); /* its row, their number, the clock */
	/* many at once are drawn together */
	for (unsigned i = 0; i < 1000; i++)
		assert_true(sink_push(sink, make_record(RECORD_ALERT, made_printer)));
	look();
	assert_true(tty.moves < 30);
	struct sink_wait w;
	sink_wait(sink, &w);
	assert_int_equal(w.fd, slave);
	assert_int_equal(w.events, POLLIN);
	assert_in_range(w.timeout_ms, 0, 100);
	wait_ms(SOON_MS);
	assert_true(sink_tick(sink));
	look();
	assert_true(shows("10.1.20.31"));
}

/* What changed lines make of the screen is what drawing it anew makes. */
static void
changes_add_up(void **state)
{
	(void)state;
	static const char *const alerts[] = {made_login, made_printer, made_worker, made_resolved,
	    made_six, made_worse};
	static char grown[LIMIT_VIEW_ROWS + 1][1200];
	for (unsigned i = 0; i < 6; i++) {
		sink_status(sink, make_state(i + 1, i % 2));
		assert_true(sink_push(sink, make_clear(i, 1, "host.example")));
		wait_ms(SOON_MS);
		assert_true(sink_push(sink, make_record(RECORD_ALERT, alerts[i])));
		look();
	}
	wait_ms(1000);
	assert_true(sink_tick(sink));
	look();
	memcpy(grown, tty.line, sizeof grown);
	type("\x0c", 1); /* ^L */
	look();
	assert_int_equal(tty.clears, 1);
	for (unsigned i = 2; i <= ROWS; i++) /* the first has the clock */
		assert_string_equal(grown[i], tty.line[i]);
	assert_true(shows("Top senders in clear") && shows("in clear"));
}

static void
resized(void **state)
{
	(void)state;
	struct winsize size = {.ws_col = 50, .ws_row = 12};
	sink_status(sink, make_state(1, true));
	wait_ms(SOON_MS);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_true(sink_tick(sink));
	look();
	assert_int_equal(tty.clears, 1);
	assert_non_null(strstr(tty.line[12], "q quit"));
	assert_true(shows("7 not known, 3 TLS failed"));
	for (unsigned i = 13; i <= LIMIT_VIEW_ROWS; i++)
		assert_string_equal(tty.line[i], "");
	/* sizes without sense */
	size = (struct winsize){.ws_col = 0, .ws_row = 0};
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_true(sink_tick(sink));
	look();
	assert_non_null(strstr(tty.line[24], "q quit"));
	size = (struct winsize){.ws_col = 1, .ws_row = 1};
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_true(sink_tick(sink));
	size = (struct winsize){.ws_col = 30, .ws_row = 65535};
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_true(sink_tick(sink));
	look();
	assert_non_null(strstr(tty.line[LIMIT_VIEW_ROWS], "q quit"));
}

static void
keys(void **state)
{
	(void)state;
	/* sequences of other keys hold letters too: F1, an arrow, Alt-q, keypad q, a mouse */
	type("\x1bOP\x1b[A\x1bq\x1bOq\x1b[<0;1;1M\x1b[1;5Q\xff\n\r\t", 31);
	assert_false(sink_ends(sink));
	type("p", 1);
	look();
	assert_true(shows("PAUSED at") && shows("p go on"));
	assert_true(sink_push(sink, make_record(RECORD_ALERT, made_login)));
	sink_status(sink, make_state(1, true));
	wait_ms(1100);
	assert_true(sink_tick(sink));
	look();
	assert_int_equal(tty.moves, 0);
	assert_false(shows("Password"));
	type(" ", 1); /* and what came meanwhile is there */
	look();
	assert_false(shows("PAUSED"));
	assert_true(shows("Password"));
	assert_false(sink_ends(sink));
	type("xq", 2);
	assert_true(sink_ends(sink));
}

/* A terminal that takes nothing stops nobody, and gets the newest state later. */
static void
slow_terminal(void **state)
{
	(void)state;
	struct winsize size = {.ws_col = 120, .ws_row = 60};
	struct sink_wait w;
	bool waited = false;
	for (unsigned i = 0; i < 400; i++) {
		size.ws_row = (unsigned short)(60 + i % 2);
		assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
		sink_status(sink, make_state(i, true));
		assert_true(sink_tick(sink));
		sink_wait(sink, &w);
		waited = waited || w.timeout_ms == 50;
	}
	assert_true(waited); /* there was more to write than a terminal holds */
	for (unsigned i = 0; i < 20; i++) {
		look();
		assert_true(sink_tick(sink));
		wait_ms(10);
	}
	assert_true(sink_push(sink, make_record(RECORD_ALERT, made_login)));
	wait_ms(SOON_MS);
	assert_true(sink_tick(sink));
	look();
	assert_true(shows("Password or token readable"));
	assert_true(shows("1,579")); /* sealed, in the last state */
}

/* Nor does it hold up the end. */
static void
stopped_terminal(void **state)
{
	(void)state;
	struct winsize size = {.ws_col = 120, .ws_row = 60};
	struct timespec from, to;
	for (unsigned i = 0; i < 400; i++) {
		size.ws_row = (unsigned short)(60 + i % 2);
		assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
		assert_true(sink_tick(sink));
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_true(sink_close(sink));
	clock_gettime(CLOCK_MONOTONIC, &to);
	sink = NULL;
	assert_true(to.tv_sec - from.tv_sec <= 1);
	assert_true(is_as_before());
}

/* What comes from a pipe is not typed. */
static void
keys_of_a_pipe(void **state)
{
	(void)state;
	int fd[2];
	char error[SINK_ERROR] = "";
	struct sink_wait w;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "q", 1), 1);
	assert_true(sink_close(sink));
	struct sink_config config = {.kind = "view", .out = out, .keys = fd[0]};
	sink = sink_open(&config, error);
	assert_non_null(sink);
	assert_true(sink_tick(sink));
	assert_false(sink_ends(sink));
	sink_wait(sink, &w);
	assert_int_equal(w.fd, -1);
	close(fd[0]);
	close(fd[1]);
}

/* Nobody there any more: the run ends. */
static void
terminal_gone(void **state)
{
	(void)state;
	close(master);
	master = -1;
	wait_ms(SOON_MS);
	(void)sink_tick(sink);
	assert_true(sink_ends(sink));
	bool ok = sink_close(sink);
	sink = NULL;
	assert_false(ok);
	assert_int_equal(errno, EIO);
}

static void
hostile_octets(void **state)
{
	(void)state;
	static struct record r;
	static const char evil[] = "\x1b[2J\x1b]0;x\x07\r\n\x9b"
				   "5n\xff\x7f";
	record_begin(&r, RECORD_ALERT);
	record_put_str(&r, FIELD_RULE_NAME, evil, sizeof evil - 1);
	record_put_str(&r, FIELD_MESSAGE, evil, sizeof evil - 1);
	record_put_str(&r, FIELD_HELO, evil, sizeof evil - 1);
	wait_ms(SOON_MS);
	assert_true(sink_push(sink, &r)); /* put() would not have it */
	record_begin(&r, RECORD_SESSION);
	record_put_word(&r, FIELD_OUTCOME, "cleartext");
	record_put_str(&r, FIELD_HELO, evil, sizeof evil - 1);
	assert_true(sink_push(sink, &r));
	type("\x0c", 1);
	look();
	assert_int_equal(tty.clears, 1);
	assert_true(shows("\\x1b[2J"));
}

static void
not_a_terminal(void **state)
{
	(void)state;
	char error[SINK_ERROR] = "";
	FILE *file = tmpfile();
	struct sink_config config = {.kind = "view", .out = file, .keys = -1};
	assert_null(sink_open(&config, error));
	assert_non_null(strstr(error, "terminal"));
	fclose(file);
	config.out = out;
	setenv("TERM", "dumb", 1);
	assert_null(sink_open(&config, error));
	assert_non_null(strstr(error, "TERM"));
	unsetenv("TERM");
	assert_null(sink_open(&config, error));
}

/* Without keys it draws all the same, and does not say that there are any. */
static void
no_keys(void **state)
{
	(void)state;
	char error[SINK_ERROR] = "";
	struct sink_wait w;
	struct sink_config config = {.kind = "view", .out = out, .keys = -1};
	assert_true(sink_close(sink));
	memset(&tty, 0, sizeof tty);
	sink = sink_open(&config, error);
	assert_non_null(sink);
	look();
	assert_true(shows("Last alerts"));
	assert_false(shows("q quit"));
	sink_wait(sink, &w);
	assert_int_equal(w.fd, -1);
	assert_in_range(w.timeout_ms, 1, 1001);
}

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	stopped = sig;
}

/* ^Z: the terminal is given back, the job is told to stop, and then it has the terminal again. */
static void
suspends(void **state)
{
	(void)state;
	pid_t pid = fork(); /* the signal goes to the whole process group */
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sigaction act = {.sa_handler = on_stop};
		setsid();
		sigaction(SIGTSTP, &act, NULL);
		bool ok = write(master, "\x1a", 1) == 1 && sink_tick(sink);
		_exit(!ok ? 2 : stopped == SIGTSTP && !sink_ends(sink) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	look();
	assert_int_equal(tty.clears, 1); /* once more, drawn whole */
	assert_true(tty.other_screen && tty.hidden);
	assert_true(strchr(tty.after, '\0') != NULL);
}

static int
demo(int argc, char **argv)
{
	static const char *const alerts[] = {made_login, made_printer, made_six, made_repeated,
	    made_worse, made_worker, made_resolved, made_interface};
	char error[SINK_ERROR];
	unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	struct sink_config config = {.kind = "view",
	    .out = stdout,
	    .keys = STDIN_FILENO,
	    .colour = true,
	    .unicode = true};
	for (int i = 2; i < argc; i++) {
		config.unicode = config.unicode && strcmp(argv[i], "ascii") != 0;
		config.colour = config.colour && strcmp(argv[i], "mono") != 0;
	}
	struct sink *s = sink_open(&config, error);
	if (s == NULL) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	for (unsigned i = 0; i < seconds * 4 && !sink_ends(s); i++) {
		struct sink_wait w;
		if (i % 4 == 0)
			sink_status(s, make_state(i / 4, i >= 20));
		(void)sink_push(s, make_clear(i * i % 11, i % 5, "printer.example.org"));
		if (i % 8 == 3)
			(void)sink_push(s, make_record(RECORD_ALERT, alerts[i / 8 % 8]));
		sink_wait(s, &w);
		struct pollfd p = {.fd = w.fd, .events = w.events};
		(void)poll(&p, 1, 250);
		(void)sink_tick(s);
	}
	(void)sink_push(s, make_state(seconds, true));
	return sink_close(s) ? 0 : 1;
}

#define VIEW_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    VIEW_TEST(takes_and_gives_back),
	    VIEW_TEST(alerts_show_at_once),
	    VIEW_TEST(changes_add_up),
	    VIEW_TEST(resized),
	    VIEW_TEST(keys),
	    VIEW_TEST(slow_terminal),
	    VIEW_TEST(stopped_terminal),
	    VIEW_TEST(keys_of_a_pipe),
	    VIEW_TEST(terminal_gone),
	    VIEW_TEST(hostile_octets),
	    VIEW_TEST(not_a_terminal),
	    VIEW_TEST(no_keys),
	    VIEW_TEST(suspends),
	};
	if (argc > 1 && strcmp(argv[1], "demo") == 0)
		return demo(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
