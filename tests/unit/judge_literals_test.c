/* Many texts in one pass: random texts against a search from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "judge/literals.h"

/* What a search finds, as "tag@begin ", in its order. */
static const char *
found(const char *const *texts, size_t n, const char *s, size_t len)
{
	static char out[4096];
	struct literals l = {0};
	uint32_t tag;
	size_t begin, end, at = 0;
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		assert_true(literals_add(&l, texts[i], (uint32_t)strlen(texts[i]), (uint32_t)i));
	assert_true(literals_build(&l));
	struct literal_search q = literals_search(&l, s, len);
	while (literals_next(&q, &tag, &begin, &end)) {
		assert_int_equal(end - begin, strlen(texts[tag]));
		at += (size_t)snprintf(out + at, sizeof out - at, "%u@%zu ", tag, begin);
	}
	assert_false(literals_next(&q, &tag, &begin, &end)); /* the end is the end */
	literals_free(&l);
	literals_free(&l);
	return out;
}

static void
known(void **state)
{
	(void)state;
	static const char *const paper[] = {"he", "she", "his", "hers"}; /* of Aho and Corasick */
	assert_string_equal(found(paper, 4, "ushers", 6), "1@1 0@2 3@2 ");
	assert_string_equal(found(paper, 4, "USHERS", 6), "1@1 0@2 3@2 ");
	assert_string_equal(found(paper, 4, "x", 1), "");
	assert_string_equal(found(paper, 4, "", 0), "");
	assert_string_equal(found(NULL, 0, "ushers", 6), "");
	static const char *const nested[] = {"aaa", "a", "AA", "aa"};
	assert_string_equal(found(nested, 4, "aaa", 3), "1@0 3@0 2@0 1@1 0@0 3@1 2@1 1@2 ");
	static const char *const wire[] = {"\xff\xfe", "@\x01"};
	assert_string_equal(found(wire, 2, "a\xff\xfe\0@\x01", 6), "0@1 1@4 ");
	/* only letters have a case: '@' is no '`', '[' no '{' */
	static const char *const marks[] = {"@", "["};
	assert_string_equal(found(marks, 2, "`{", 2), "");
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Few letters make many texts that are in, before and behind each other. */
static void
against_searching(void **state)
{
	(void)state;
	enum { TEXTS = 40, LONG = 300 };
	uint64_t seed = 11;
	for (unsigned round = 0; round < 300; round++) {
		char texts[TEXTS][8], s[LONG];
		unsigned letters = 2 + round % 3, want = 0, got = 0;
		struct literals l = {0};
		for (unsigned i = 0; i < TEXTS; i++) {
			uint32_t len = 1 + next_random(&seed) % 7;
			for (uint32_t k = 0; k < len; k++)
				texts[i][k] = (char)((next_random(&seed) % 2 ? 'a' : 'A') +
				    (int)(next_random(&seed) % letters));
			texts[i][len] = '\0';
			assert_true(literals_add(&l, texts[i], len, i));
		}
		for (unsigned k = 0; k < LONG; k++)
			s[k] = (char)('a' + (int)(next_random(&seed) % (letters + 1)));
		assert_true(literals_build(&l));
		struct literal_search q = literals_search(&l, s, LONG);
		uint32_t tag;
		size_t begin, end, last = 0;
		static bool seen[TEXTS][LONG];
		memset(seen, 0, sizeof seen);
		while (literals_next(&q, &tag, &begin, &end)) {
			assert_true(end >= last && end <= LONG);
			assert_int_equal(strncasecmp(s + begin, texts[tag], end - begin), 0);
			assert_false(seen[tag][begin]);
			seen[tag][begin] = true;
			last = end;
			got++;
		}
		for (unsigned i = 0; i < TEXTS; i++) {
			size_t len = strlen(texts[i]);
			for (size_t k = 0; k + len <= LONG; k++)
				want += strncasecmp(s + k, texts[i], len) == 0;
		}
		assert_int_equal(got, want);
		literals_free(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known),
	    cmocka_unit_test(against_searching),
	};
	return cmocka_run_group_tests_name("judge/literals", tests, NULL, NULL);
}
