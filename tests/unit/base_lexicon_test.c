/* Words of a table: each is found in any case, the first of equal ones; nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/lexicon.h"
#include "base/text.h"

static const struct row {
	struct literal word;
	int value;
} rows[] = {{{WORD("EHLO")}, 1}, {{WORD("x-mailer")}, 2}, {{WORD("8BITMIME")}, 3}, {{WORD("a")}, 4},
    {{WORD("EHLO")}, 5}, {{WORD("ERLO")}, 6}, {{WORD("EXPO")}, 7}};

#define ROWS (sizeof rows / sizeof rows[0])

static void
words_are_found(void **state)
{
	struct lexicon l = {LEXICON(rows)};
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		char s[16];
		size_t len = rows[i].word.len;
		for (size_t k = 0; k < len; k++)
			s[k] = k % 2 == 0 ? ascii_upper(rows[i].word.s[k])
					  : ascii_lower(rows[i].word.s[k]);
		assert_int_equal(lexicon_find(&l, s, len), i == 4 ? 0 : i);
		assert_int_equal(lexicon_find(&l, s, len - 1), ROWS);
	}
}

static void
others_are_not(void **state)
{
	static const char *const words[] = {"", "EHLOO", "EALO", "x_mailer", "\xc5HLO", "b",
	    "xBITMIME"};
	struct lexicon l = {LEXICON(rows)};
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		assert_int_equal(lexicon_find(&l, words[i], strlen(words[i])), ROWS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_found),
	    cmocka_unit_test(others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
