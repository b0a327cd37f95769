/* Reading the table of levels and advice: what is right, and each error with line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "judge/shipped.h"
#include "judge/table.h"

#define REST "why:\n  - text: w\nbecause:\n  - text: b\nadvice:\n  - text: a\n"

/* The table is read from a buffer of exactly its size. */
static bool
read_text(struct table *t, const char *yaml, size_t len, char error[YAML_ERROR])
{
	char *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, yaml, len);
	error[0] = '\0';
	bool good = table_read(t, copy, len, "t.yml", error);
	free(copy);
	return good;
}

static void
rows_are_read(void **state)
{
	(void)state;
	static const char yaml[] =
	    "levels:\n"
	    "  - when: {reason: [refused, stripped], direction: internal, greeting: [A, B]}\n"
	    "    level: critical\n"
	    "  - level: low\n" REST;
	struct table t;
	char error[YAML_ERROR];
	assert_true(read_text(&t, yaml, sizeof yaml - 1, error));
	assert_int_equal(t.count[LIST_LEVELS], 2);
	const struct row *row = t.rows[LIST_LEVELS];
	assert_int_equal(row[0].level, LEVEL_CRITICAL);
	assert_int_equal(row[0].words[KEY_REASON], 1u << 2 | 1u << 3);
	assert_int_equal(row[0].words[KEY_DIRECTION], 1u << 2);
	assert_int_equal(row[0].words[KEY_PORT], 0);
	assert_string_equal(row[0].parts[PART_GREETING][0], "A");
	assert_string_equal(row[0].parts[PART_GREETING][1], "B");
	assert_null(row[0].parts[PART_GREETING][2]);
	assert_int_equal(row[1].level, LEVEL_LOW);
	assert_string_equal(t.rows[LIST_WHY][0].text, "w");
	assert_string_equal(t.rows[LIST_BECAUSE][0].text, "b");
	assert_string_equal(t.rows[LIST_ADVICE][0].text, "a");
	table_free(&t);
}

static void
each_error_names_its_place(void **state)
{
	(void)state;
	unsigned wrong = 0;
	static const struct {
		const char *yaml, *error;
	} cases[] = {
	    {"", "t.yml: the lists 'levels', 'why', 'because' and 'advice' are expected"},
	    {"levels", "t.yml:1:1: the lists 'levels', 'why', 'because' and 'advice' are expected"},
	    {"levels:\n  - level: low\n", "t.yml:1:1: the list 'why' is missing"},
	    {"levels: x\n" REST, "t.yml:1:9: 'levels' is a list of rows"},
	    {"levels: []\n" REST, "t.yml:1:9: 'levels' is a list of rows"},
	    {"rules:\n  - level: low\n",
		"t.yml:1:1: 'rules' is no list (levels, why, because, advice)"},
	    {"levels:\n  - level: low\nlevels:\n  - level: low\n",
		"t.yml:3:1: 'levels' stands here twice"},
	    {"levels:\n  - low\n" REST, "t.yml:2:5: a row has 'when' and 'level'"},
	    {"levels:\n  - level: grave\n" REST,
		"t.yml:2:12: 'grave' is no level (none, informational, low, medium, high, "
		"critical)"},
	    {"levels:\n  - level: [low]\n" REST, "t.yml:2:12: a text is expected here"},
	    {"levels:\n  - text: x\n" REST,
		"t.yml:2:5: 'text' is not known; a row has 'when' and 'level'"},
	    {"levels:\n  - when: {reason: refused}\n  - level: low\n" REST,
		"t.yml:2:5: the row has no 'level'"},
	    {"levels:\n  - when: {reason: refused}\n    level: low\n" REST,
		"t.yml:2:5: the last row of 'levels' must have no 'when', so that one always "
		"matches"},
	    {"levels:\n  - level: low\n  - level: low\n" REST,
		"t.yml:2:5: only the last row may have no 'when'"},
	    {"levels:\n  - when: refused\n    level: low\n  - level: low\n" REST,
		"t.yml:2:11: 'when' is a list of conditions, {key: word, ...}"},
	    {"levels:\n  - when: {colour: red}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:12: 'colour' is no condition (record, protocol, port, reason, exposed, "
		"content, secret, direction, protection, reply, greeting, client, server, "
		"class)"},
	    {"levels:\n  - when: {content: much}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:21: 'much' is no content (none, some)"},
	    {"levels:\n  - when: {content: [some, much]}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:28: 'much' is no content (none, some)"},
	    {"levels:\n  - when: {content: []}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:21: an empty list matches nothing"},
	    {"levels:\n  - when: {content: {a: b}}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:21: a word is expected here"},
	    {"levels:\n  - when: {content: some, content: none}\n    level: low\n  - level: "
	     "low\n" REST,
		"t.yml:2:27: 'content' stands here twice"},
	    {"levels:\n  - when: {client: Postfix}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:12: 'client' is a guess: no level rests on it"},
	    {"levels:\n  - when: {class: printer}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:12: 'class' is a guess: no level rests on it"},
	    {"levels:\n  - when: {greeting: ''}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:22: a part of the greeting is expected here"},
	    {"levels:\n  - when: {greeting: [a,b,c,d,e,f,g,h,i]}\n    level: low\n  - level: "
	     "low\n" REST,
		"t.yml:2:39: a row has room for 8 of them"},
	    {"levels:\n  - when: {[a]: b}\n    level: low\n  - level: low\n" REST,
		"t.yml:2:12: a word is expected here"},
	    {"levels:\n  - level: low\nwhy:\n  - text: 'x {clinet}'\n",
		"t.yml:4:11: {clinet} is no value"},
	    {"levels:\n  - level: low\nwhy:\n  - text: 'x {email.subject}'\n",
		"t.yml:4:11: {email.subject} is no value"},
	    {"levels:\n  - level: low\nbecause:\n  - text: 'x {because}'\n",
		"t.yml:4:11: {because} has its place in 'why' only"},
	    {"levels:\n  - level: low\n" REST "---\nlevels:\n  - level: low\n" REST,
		"t.yml:10:1: one document is expected, not two"},
	    {"levels:\n\t- level: low\n", "t.yml:2:1: found character that cannot start any token"},
	    {"levels:\n  - 'level: low\n", "t.yml:3:1: found unexpected end of stream"},
	    {"levels:\n  - level: \x01\n", "t.yml:1:1: control characters are not allowed"},
	    {"levels: *x\n",
		"t.yml:1:9: anchors and aliases (& and *) are not taken; a text that begins with "
		"them needs quotes"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct table t;
		char error[YAML_ERROR];
		assert_false(read_text(&t, cases[i].yaml, strlen(cases[i].yaml), error));
		if (strcmp(error, cases[i].error) != 0) {
			print_error("says: %s\nnot:  %s\n", error, cases[i].error);
			wrong++;
		}
		table_free(&t);
	}
	assert_int_equal(wrong, 0);
}

/* A brace that is no value stays, as mail servers' own configuration has them. */
static void
other_braces_are_text(void **state)
{
	(void)state;
	static const char yaml[] = "levels:\n  - level: low\n"
				   "why:\n  - text: '${if eq{$x}{}{}{*}} {'\n"
				   "because:\n  - text: b\nadvice:\n  - text: '{client'\n";
	struct table t;
	char error[YAML_ERROR];
	assert_true(read_text(&t, yaml, sizeof yaml - 1, error));
	table_free(&t);
}

static void
a_huge_table_is_refused(void **state)
{
	(void)state;
	size_t len = LIMIT_YAML + 1;
	char *yaml = malloc(len);
	struct table t;
	char error[YAML_ERROR];
	assert_non_null(yaml);
	memset(yaml, '#', len);
	assert_false(read_text(&t, yaml, len, error));
	assert_string_equal(error, "t.yml: more than 4194304 octets");
	table_free(&t);
	free(yaml);
}

/* Cut anywhere, and with any octet changed, the program's own table is read or refused, no more. */
static void
damaged_tables_do_no_harm(void **state)
{
	(void)state;
	size_t len;
	const char *yaml = shipped_find(SHIPPED_TEXTS)->text;
	len = shipped_find(SHIPPED_TEXTS)->len;
	char *copy = malloc(len);
	assert_non_null(copy);
	for (size_t n = 0; n < len; n += 61) {
		struct table t;
		char error[YAML_ERROR];
		if (!read_text(&t, yaml, n, error))
			assert_int_equal(strncmp(error, "t.yml:", 6), 0);
		table_free(&t);
		memcpy(copy, yaml, len);
		copy[n] = (char)(copy[n] ^ (int)(n % 255 + 1));
		if (!read_text(&t, copy, len, error))
			assert_int_equal(strncmp(error, "t.yml:", 6), 0);
		table_free(&t);
	}
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_read),
	    cmocka_unit_test(each_error_names_its_place),
	    cmocka_unit_test(other_braces_are_text),
	    cmocka_unit_test(a_huge_table_is_refused),
	    cmocka_unit_test(damaged_tables_do_no_harm),
	};
	return cmocka_run_group_tests_name("judge/table", tests, NULL, NULL);
}
