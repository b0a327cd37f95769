/* The progress line: what it says, and that nothing is printed where nobody looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/progress.h"

#define SECOND 1000000000ll

static void
the_line_says_it_all(void **state)
{
	(void)state;
	static const struct {
		struct progress_state s;
		int64_t elapsed_ns;
		const char *line;
	} cases[] = {
	    {{25, 100, 1000000, 1234}, 4 * SECOND,
		" 25%  1,000,000 packets  250,000/s  1,234 sessions  0:12 left"},
	    {{1, 1000, 8192, 1}, 10 * SECOND,
		"  0%  8,192 packets  819/s  1 session  2:46:30 left"},
	    {{100, 100, 10, 0}, SECOND / 2, "100%  10 packets  20/s  0 sessions  0:00 left"},
	    {{100, 0, 4096, 2}, 2 * SECOND, "4,096 packets  2,048/s  2 sessions"}, /* a pipe */
	    {{0, 100, 0, 0}, SECOND, "  0%  0 packets  0/s  0 sessions"},
	    {{101, 100, 1, 1}, SECOND, "1 packets  1/s  1 session"}, /* the file grew */
	    {{0, 100, 1, 1}, 0, "  0%  1 packets  1 session"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[128];
		struct text t = text_in(line, sizeof line);
		progress_compose(&t, &cases[i].s, cases[i].elapsed_ns);
		assert_string_equal(line, cases[i].line);
	}
}

static void
a_narrow_screen_cuts_it(void **state)
{
	(void)state;
	struct progress_state s = {25, 100, UINT64_MAX, UINT64_MAX};
	for (size_t columns = 1; columns < 128; columns++) {
		char line[128];
		struct text t = text_in(line, columns);
		progress_compose(&t, &s, SECOND);
		assert_true(strlen(line) < columns);
	}
}

static void
nobody_looks_nothing_is_shown(void **state)
{
	(void)state;
	struct progress p;
	FILE *f = tmpfile();
	int screen = dup(STDERR_FILENO);
	assert_non_null(f);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	progress_begin(&p, true);
	bool piped = progress_is_due(&p) || p.shown_at_all;
	progress_begin(&p, false);
	bool unwanted = progress_is_due(&p) || p.shown_at_all;
	progress_clear();
	fflush(stderr);
	dup2(screen, STDERR_FILENO);
	close(screen);
	assert_false(piped || unwanted);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	assert_int_equal(ftell(f), 0);
	fclose(f);
}

/* It is taken away once, and only where it stands. */
static void
it_goes_before_other_lines(void **state)
{
	(void)state;
	struct progress p = {.shown_at_all = true, .columns = 80};
	struct progress_state s = {0, 0, 1, 1};
	char text[256] = "";
	FILE *f = tmpfile();
	int screen = dup(STDERR_FILENO);
	assert_non_null(f);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	progress_clear();
	progress_show(&p, &s);
	progress_clear();
	progress_clear();
	bool due = progress_is_due(&p);
	fflush(stderr);
	dup2(screen, STDERR_FILENO);
	close(screen);
	rewind(f);
	size_t len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	assert_int_equal(strncmp(text, "\r1 packets  ", 12), 0);
	assert_int_equal(strcmp(text + len - 7, "\033[K\r\033[K"), 0);
	assert_false(due); /* not again at once */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_line_says_it_all),
	    cmocka_unit_test(a_narrow_screen_cuts_it),
	    cmocka_unit_test(nobody_looks_nothing_is_shown),
	    cmocka_unit_test(it_goes_before_other_lines),
	};
	return cmocka_run_group_tests_name("app/progress", tests, NULL, NULL);
}
