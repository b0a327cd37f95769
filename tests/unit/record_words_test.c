/* The words of a field differ, and its meaning names each of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/words.h"

static void
each_stands_in_the_meaning(void **state)
{
	(void)state;
	unsigned fields = 0;
	for (unsigned f = 0; f < FIELDS; f++) {
		const char *const *words = record_words((enum field)f);
		if (words == NULL)
			continue;
		fields++;
		assert_int_equal(field_table[f].type, TYPE_STR);
		for (size_t i = 0; words[i] != NULL; i++) {
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(words[i], words[k]);
			/* `postcard --fields` lists those of anomalies by themselves */
			const char *word = words[i];
			if (f == FIELD_EVENT_DATASET && i > 0)
				word += strlen("postcard");
			if (f != FIELD_ANOMALIES && strstr(field_table[f].meaning, word) == NULL)
				fail_msg("%s: '%s' is not in its meaning", field_table[f].name,
				    word);
		}
	}
	assert_true(fields > 30);
}

static void
others_have_any_value(void **state)
{
	(void)state;
	static const enum field open[] = {FIELD_HELO, FIELD_STARTTLS_REPLY_WORD, FIELD_SOURCE_PORT,
	    FIELD_EMAIL_FROM};
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		assert_null(record_words(open[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_stands_in_the_meaning),
	    cmocka_unit_test(others_have_any_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
