/* What the terminal can show, by the environment. */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/terminal.h"

static int tty; /* the terminal's side of a pseudo-terminal; -1 where the system has none to give */

static int
open_tty(void **state)
{
	(void)state;
	int controller = posix_openpt(O_RDWR | O_NOCTTY);
	bool made = controller >= 0 && grantpt(controller) == 0 && unlockpt(controller) == 0;
	tty = made ? open(ptsname(controller), O_RDWR | O_NOCTTY) : -1;
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	setenv("TERM", "xterm", 1);
	return 0;
}

static void
skip_without_tty(void)
{
	if (tty < 0) {
		print_message("no pseudo-terminal can be opened here\n");
		skip();
	}
}

static void
colour_needs_a_terminal_that_shows_it(void **state)
{
	(void)state;
	skip_without_tty();
	int null = open("/dev/null", O_WRONLY);
	assert_true(terminal_of(tty).colour);
	assert_false(terminal_of(null).colour);
	setenv("NO_COLOR", "", 1);
	assert_true(terminal_of(tty).colour);
	setenv("NO_COLOR", "0", 1);
	assert_false(terminal_of(tty).colour);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(terminal_of(tty).colour);
	unsetenv("TERM");
	assert_false(terminal_of(tty).colour);
	setenv("TERM", "xterm", 1);
	close(null);
}

static void
columns_are_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *columns;
		unsigned width;
	} cases[] = {
	    {"100", 100},
	    {"60", 60},
	    {"59", 60},
	    {"1", 60},
	    {"120", 120},
	    {"121", 120},
	    {"9999", 120},
	    {"0", 80},
	    {"", 80},
	    {"x", 80},
	    {"99999999999999999999", 120},
	};
	skip_without_tty();
	assert_int_equal(terminal_of(tty).columns, 80); /* it says 0 */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setenv("COLUMNS", cases[i].columns, 1);
		assert_int_equal(terminal_of(tty).columns, cases[i].width);
	}
	unsetenv("COLUMNS");
}

static void
unicode_follows_the_locale(void **state)
{
	(void)state;
	skip_without_tty();
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_false(terminal_of(tty).unicode);
	if (setlocale(LC_CTYPE, "C.UTF-8") != NULL)
		assert_true(terminal_of(tty).unicode);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(colour_needs_a_terminal_that_shows_it),
	    cmocka_unit_test(columns_are_bounded),
	    cmocka_unit_test(unicode_follows_the_locale),
	};
	return cmocka_run_group_tests_name("app/terminal", tests, open_tty, NULL);
}
