/* The nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static void
nearest_words(void **state)
{
	(void)state;
	static const char *const words[] = {"source.ip", "source.port", "destination.ip",
	    "postcard.reason", "email.to.address", "ab"};
	enum { N = sizeof words / sizeof *words };
	static const struct {
		const char *word;
		size_t is;
	} cases[] = {
	    {"source.ip", 0},
	    {"SOURCE.IP", 0},
	    {"suorce.ip", 0},	   /* swapped: one edit */
	    {"source.prt", 1},	   /* left out */
	    {"source.portt", 1},   /* one too many */
	    {"destination_ip", 2}, /* replaced */
	    {"postcard.raeson", 3},
	    {"emailto.adress", 4},
	    {"abc", 5}, /* one of three */
	    {"axy", N}, /* two of three */
	    {"x", N},
	    {"", N},
	    {"user.name", N},
	    {"an.altogether.other.field.name", N},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(nearest(cases[i].word, strlen(cases[i].word), words, N),
		    cases[i].is);
	assert_int_equal(nearest("x", 1, NULL, 0), 0);
}

/* Of two that are equally near, the first; and long words are none's neighbours. */
static void
limits(void **state)
{
	(void)state;
	static const char *const two[] = {"bat", "cat"};
	assert_int_equal(nearest("rat", 3, two, 2), 0);
	char word[66];
	memset(word, 'a', 65);
	word[65] = '\0';
	const char *const itself[] = {word};
	assert_int_equal(nearest(word, 65, itself, 1), 1);
	assert_int_equal(nearest(word, 64, itself, 1), 1);
	word[64] = '\0';
	assert_int_equal(nearest(word, 64, itself, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nearest_words),
	    cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests_name("base/nearest", tests, NULL, NULL);
}
