/* The words of SMTP: verbs, paths, BDAT's arguments, and what looks like a line behind a loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/smtp_syntax.h"

static void
verbs(void **state)
{
	(void)state;
	assert_int_equal(smtp_verb("ehlo", 4), CMD_EHLO);
	assert_int_equal(smtp_verb("LHLO", 4), CMD_EHLO);
	assert_int_equal(smtp_verb("X-ANONYMOUSTLS", 14), CMD_STARTTLS);
	assert_int_equal(smtp_verb("MAILS", 5), CMD_NONE);
	assert_int_equal(smtp_verb("MAI", 3), CMD_NONE);
	assert_int_equal(smtp_verb("", 0), CMD_NONE);
	assert_true(smtp_may_become_verb("sta", 3));
	assert_true(smtp_may_become_verb("", 0));
	assert_false(smtp_may_become_verb("dXNlcg", 6));
	assert_false(smtp_may_become_verb("STARTTLSX", 9));
}

static void
names_of_verbs(void **state)
{
	(void)state;
	assert_string_equal(smtp_verb_at(smtp_verb_number("rset", 4)), "RSET");
	assert_string_equal(smtp_verb_at(smtp_verb_number("EHLO", 4)), "EHLO");
	assert_string_equal(smtp_verb_at(smtp_verb_number("EHLOX", 5)), "(no command)");
	assert_string_equal(smtp_verb_at(0), "(no command)");
	assert_string_equal(smtp_verb_at(UINT16_MAX), "(no command)");
	assert_int_not_equal(smtp_verb_number("", 0), 0);
}

static void
words(void **state)
{
	(void)state;
	static const char line[] = "  a\tbc  d";
	static const char *const want[] = {"a", "bc", "d"};
	size_t at = 0, n;
	const char *word;
	for (size_t i = 0; i < 3; i++) {
		assert_true(smtp_next_word(line, sizeof line - 1, &at, &word, &n));
		assert_int_equal(n, strlen(want[i]));
		assert_memory_equal(word, want[i], n);
	}
	assert_false(smtp_next_word(line, sizeof line - 1, &at, &word, &n));
	assert_false(smtp_next_word(line, sizeof line - 1, &at, &word, &n));
}

static void
keywords_of_tls(void **state)
{
	(void)state;
	assert_int_equal(smtp_keywords_tls(),
	    smtp_keyword("STARTTLS", 8) | smtp_keyword("X-ANONYMOUSTLS", 14));
}

static void
paths(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"<a@b>", "a@b"},
	    {" <a@b> SIZE=1", "a@b"},
	    {"<>", ""},
	    {"a@b SIZE=1", "a@b"},
	    {"<@one,@two:a@b>", "a@b"},
	    {"<@no.colon>", "@no.colon"},
	    {"<\"a>b\"@c>", "\"a>b\"@c"},
	    {"<\"a\\\">b\"@c>", "\"a\\\">b\"@c"},
	    {"<a@b", "a@b"},
	    {"<\"a", "\"a"},
	    {"<a\\", "a\\"},
	    {"", ""},
	    {"   ", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i][0]), n;
		char *copy = malloc(len + (len == 0));
		const char *out;
		memcpy(copy, rows[i][0], len);
		smtp_path(copy, len, &out, &n);
		assert_int_equal(n, strlen(rows[i][1]));
		assert_memory_equal(out, rows[i][1], n);
		free(copy);
	}
}

static void
chunk_sizes(void **state)
{
	(void)state;
	uint64_t n;
	bool last;
	assert_true(smtp_bdat("86 LAST", 7, &n, &last) && n == 86 && last);
	assert_true(smtp_bdat("0", 1, &n, &last) && n == 0 && !last);
	assert_true(smtp_bdat("7 last", 6, &n, &last) && last);
	assert_false(smtp_bdat("", 0, &n, &last));
	assert_false(smtp_bdat("LAST", 4, &n, &last));
	assert_false(smtp_bdat("-1", 2, &n, &last));
	assert_false(smtp_bdat("5 FIRST", 7, &n, &last));
	assert_false(smtp_bdat("99999999999999999999999999", 26, &n, &last));
}

static void
plausible(void **state)
{
	(void)state;
	static const struct {
		enum mail_side side;
		const char *text;
		enum plausible want;
	} rows[] = {
	    {MAIL_SERVER, "250 Ok", PLAUSIBLE_YES},
	    {MAIL_SERVER, "250-SIZE", PLAUSIBLE_YES},
	    {MAIL_SERVER, "250\r\n", PLAUSIBLE_YES},
	    {MAIL_SERVER, "190 x", PLAUSIBLE_NO},
	    {MAIL_SERVER, "290 x", PLAUSIBLE_NO},
	    {MAIL_SERVER, "2500", PLAUSIBLE_NO},
	    {MAIL_SERVER, "250", PLAUSIBLE_MAYBE},
	    {MAIL_CLIENT, "MAIL FROM:<a@b>", PLAUSIBLE_YES},
	    {MAIL_CLIENT, "data\r\n", PLAUSIBLE_YES},
	    {MAIL_CLIENT, "DATA of the body", PLAUSIBLE_NO},
	    {MAIL_CLIENT, "mail is a fine thing", PLAUSIBLE_NO},
	    {MAIL_CLIENT, "Subject: EHLO ", PLAUSIBLE_NO},
	    {MAIL_CLIENT, "", PLAUSIBLE_MAYBE},
	    {MAIL_CLIENT, "mail fr", PLAUSIBLE_MAYBE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum plausible got =
		    smtp_plausible(NULL, rows[i].side, rows[i].text, strlen(rows[i].text));
		if (got != rows[i].want)
			print_error("%s\n", rows[i].text);
		assert_int_equal(got, rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verbs),
	    cmocka_unit_test(names_of_verbs),
	    cmocka_unit_test(words),
	    cmocka_unit_test(keywords_of_tls),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(chunk_sizes),
	    cmocka_unit_test(plausible),
	};
	return cmocka_run_group_tests_name("mail/smtp_syntax", tests, NULL, NULL);
}
