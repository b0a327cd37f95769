/* What hosts call themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge/names.h"

static void
hosts(void **state)
{
	(void)state;
	static const char *const yes[] = {"mx.example.org", "a.b", "x-1.example", "MX.Example.ORG"};
	static const char *const no[] = {"", "localhost", "192.0.2.1", "a b.c", ".a.b", "a.b.",
	    "ann@example.org", "[192.0.2.1]", "m\xc3\xbc.example"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(name_is_host(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(name_is_host(no[i], strlen(no[i])));
}

static void
generic(void **state)
{
	(void)state;
	static const char *const yes[] = {"printer.local", "localhost.localdomain", "PC.LAN",
	    "x.internal"};
	static const char *const no[] = {"mx.example.org", "local.example", "lan",
	    "out.home.example"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(name_is_generic(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(name_is_generic(no[i], strlen(no[i])));
}

static void
greetings(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"220 mx.example.org ESMTP", "mx.example.org"},
	    {"220-mx.example.org ESMTP", "mx.example.org"},
	    {"mx.example.org ESMTP", "mx.example.org"}, {"220 ", "220"}, {"", ""},
	    {"* OK ready", "*"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *s;
		size_t n;
		name_of_greeting(cases[i][0], strlen(cases[i][0]), &s, &n);
		assert_int_equal(n, strlen(cases[i][1]));
		assert_memory_equal(s, cases[i][1], n);
	}
}

static void
parents(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"mx1.example.org", "example.org"},
	    {"a.mx1.example.org", "mx1.example.org"}, {"example.org", "example.org"},
	    {"mx.example.co.uk", "example.co.uk"}, {"example.co.uk", "example.co.uk"},
	    {"mx.example.uk", "example.uk"}, {"", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *s;
		size_t n;
		name_parent(cases[i][0], strlen(cases[i][0]), &s, &n);
		assert_int_equal(n, strlen(cases[i][1]));
		assert_memory_equal(s, cases[i][1], n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(generic),
	    cmocka_unit_test(greetings),
	    cmocka_unit_test(parents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
