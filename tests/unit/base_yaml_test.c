/* YAML, read strictly: what a document says, and where every complaint points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/yaml.h"

static char error[YAML_ERROR];

static struct yaml *
open_good(const char *text)
{
	struct yaml *y = yaml_open(text, strlen(text), "f.yml", error);
	if (y == NULL || !yaml_next(y))
		fail_msg("%s: %s", text, error);
	return y;
}

static void
documents(void **state)
{
	(void)state;
	struct yaml *y = open_good("---\n# nothing in it\n---\na: 1\n---\n~\n---\n- b\n- c\n...\n");
	int root = yaml_root(y);
	assert_int_equal(yaml_kind(y, root), YAML_MAP);
	assert_int_equal(yaml_line(y, root), 4);
	assert_string_equal(yaml_text(y, yaml_get(y, root, "a")), "1");
	assert_int_equal(yaml_get(y, root, "b"), 0);
	assert_int_equal(yaml_kind(y, 0), YAML_NONE);
	assert_null(yaml_text(y, 0));
	assert_true(yaml_next(y));
	assert_int_equal(yaml_kind(y, yaml_root(y)), YAML_LIST);
	assert_int_equal(yaml_count(y, yaml_root(y)), 2);
	assert_string_equal(yaml_text(y, yaml_item(y, yaml_root(y), 1)), "c");
	assert_int_equal(yaml_get(y, yaml_root(y), "b"), 0); /* a list has no keys */
	assert_false(yaml_next(y));
	assert_int_equal(yaml_root(y), 0);
	assert_string_equal(error, "");
	yaml_close(y);
	yaml_close(NULL);

	static const char *const empty[] = {"", "\n", "# a remark\n", "---\n...\n", "~"};
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		y = yaml_open(empty[i], strlen(empty[i]), "f.yml", error);
		assert_non_null(y);
		assert_false(yaml_next(y));
		assert_string_equal(error, "");
		yaml_close(y);
	}
}

static void
scalars(void **state)
{
	(void)state;
	struct yaml *y = open_good("[plain, 'null', null, ~]");
	static const struct {
		const char *text; /* NULL: none */
		bool plain, null;
	} want[] = {{"plain", true, false}, {"null", false, false}, {"null", true, true},
	    {"~", true, true}};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		int node = yaml_item(y, yaml_root(y), i);
		assert_string_equal(yaml_text(y, node), want[i].text);
		assert_int_equal(yaml_plain(y, node), want[i].plain);
		assert_int_equal(yaml_is_null(y, node), want[i].null);
	}
	yaml_close(y);
	y = open_good("- \"\"\n- \"a\\0b\"\n- \"\\u00e4\"\n-\n- [x]\n");
	assert_string_equal(yaml_text(y, yaml_item(y, yaml_root(y), 0)), "");
	assert_false(yaml_is_null(y, yaml_item(y, yaml_root(y), 0)));
	assert_null(yaml_text(y, yaml_item(y, yaml_root(y), 1)));
	assert_string_equal(yaml_text(y, yaml_item(y, yaml_root(y), 2)), "\xc3\xa4");
	assert_true(yaml_is_null(y, yaml_item(y, yaml_root(y), 3)));
	assert_null(yaml_text(y, yaml_item(y, yaml_root(y), 4)));
	yaml_close(y);
}

/* The whole text is refused when it is opened, or its first document when that is loaded. */
static void
refused(const char *text, const char *message)
{
	struct yaml *y = yaml_open(text, strlen(text), "f.yml", error);
	if (y != NULL)
		assert_false(yaml_next(y));
	assert_string_equal(error, message);
	yaml_close(y);
}

static void
what_is_refused(void **state)
{
	(void)state;
	refused("a: [1", "f.yml:2:1: did not find expected ',' or ']'");
	refused("a: 1\n b: 2", "f.yml:2:3: mapping values are not allowed in this context");
	refused("\tb: 2", "f.yml:1:1: found character that cannot start any token");
	refused("a: &x 1",
	    "f.yml:1:4: anchors and aliases (& and *) are not taken; a text that "
	    "begins with them needs quotes");
	refused("a: *x",
	    "f.yml:1:4: anchors and aliases (& and *) are not taken; a text that "
	    "begins with them needs quotes");
	refused("a: \xff", "f.yml:1:1: invalid leading UTF-8 octet");

	/* as deep as allowed, and one more */
	char deep[2 * LIMIT_YAML_DEPTH + 8];
	for (unsigned depth = LIMIT_YAML_DEPTH; depth <= LIMIT_YAML_DEPTH + 1; depth++) {
		memset(deep, '[', depth);
		memset(deep + depth, ']', depth);
		struct yaml *y = yaml_open(deep, (size_t)2 * depth, "f.yml", error);
		assert_int_equal(y != NULL, depth == LIMIT_YAML_DEPTH);
		yaml_close(y);
	}
	assert_string_equal(error, "f.yml:1:33: nested too deeply");

	/* as long as allowed, and one more */
	char *long_text = malloc(LIMIT_YAML + 1);
	memset(long_text, '#', LIMIT_YAML + 1);
	struct yaml *y = yaml_open(long_text, LIMIT_YAML, "f.yml", error);
	assert_non_null(y);
	yaml_close(y);
	assert_null(yaml_open(long_text, LIMIT_YAML + 1, "f.yml", error));
	assert_string_equal(error, "f.yml: more than 4194304 octets");
	free(long_text);

	/* a name is shown harmless */
	assert_null(yaml_open("[", 1, "a\x1b[2J", error));
	assert_string_equal(error, "a\\x1b[2J:2:1: did not find expected node content");
}

static void
pairs(void **state)
{
	(void)state;
	const char *key;
	int key_node, value;
	struct yaml *y = open_good("a: 1\nb: 2\n'a': 3\n");
	assert_true(yaml_pair(y, yaml_root(y), 1, &key, &key_node, &value));
	assert_string_equal(key, "b");
	assert_int_equal(yaml_line(y, key_node), 2);
	assert_string_equal(yaml_text(y, value), "2");
	assert_false(yaml_pair(y, yaml_root(y), 2, &key, &key_node, &value));
	assert_string_equal(error, "f.yml:3:1: 'a' stands here twice");
	assert_false(yaml_fail(y, 0, "a second cause"));
	assert_string_equal(error, "f.yml:3:1: 'a' stands here twice"); /* the first counts */
	yaml_close(y);
	y = open_good("[x]: 1\n");
	assert_false(yaml_pair(y, yaml_root(y), 0, &key, &key_node, &value));
	assert_string_equal(error, "f.yml:1:1: a word is expected here");
	yaml_close(y);
}

/* A map is searched from end to end: many keys are refused, in lists they are as many as wanted. */
static void
many_pairs(void **state)
{
	(void)state;
	static char text[LIMIT_YAML_PAIRS * 64];
	const char *key;
	int key_node, value;
	for (size_t n = LIMIT_YAML_PAIRS; n <= LIMIT_YAML_PAIRS + 1; n++) {
		size_t len = (size_t)sprintf(text, "l: [a, {b: [c]}]\nm:\n");
		for (size_t i = 0; i < n; i++)
			len += (size_t)sprintf(text + len, " k%zu: [{a: b}, c]\n", i);
		struct yaml *y = yaml_open(text, len, "f.yml", error);
		if (n > LIMIT_YAML_PAIRS) {
			assert_null(y);
			break;
		}
		assert_true(y != NULL && yaml_next(y));
		int map = yaml_get(y, yaml_root(y), "m");
		assert_int_equal(yaml_count(y, map), n);
		for (size_t i = 0; i < n; i++)
			assert_true(yaml_pair(y, map, i, &key, &key_node, &value));
		assert_string_equal(key, "k1023");
		yaml_close(y);
	}
	assert_string_equal(error, "f.yml:1027:2: too many pairs in one map");
	size_t len = (size_t)sprintf(text, "[0");
	for (size_t i = 1; i < 4 * LIMIT_YAML_PAIRS; i++)
		len += (size_t)sprintf(text + len, ",%zu", i);
	sprintf(text + len, "]");
	struct yaml *y = open_good(text);
	assert_int_equal(yaml_count(y, yaml_root(y)), 4 * LIMIT_YAML_PAIRS);
	yaml_close(y);
}

enum need { TEXT, MAP, BOOL, U64, DAY, TEXTS };

/* What is read of `v: text`: the value as a number (of texts: how many), or a message. */
static const char *
need(enum need what, const char *text)
{
	static char line[256], result[YAML_ERROR];
	const char *s = "";
	uint64_t u = 0;
	int64_t ns = 0;
	bool yes = false, good = false;
	snprintf(line, sizeof line, "v: %s", text);
	struct yaml *y = open_good(line);
	int node = yaml_get(y, yaml_root(y), "v");
	switch (what) {
	case TEXT: good = yaml_need_text(y, node, &s); break;
	case MAP: good = yaml_need_map(y, node, "a rule"); break;
	case BOOL: good = yaml_need_bool(y, node, &yes); break;
	case U64: good = yaml_need_u64(y, node, &u); break;
	case DAY: good = yaml_need_day(y, node, &ns); break;
	case TEXTS:
		u = yaml_texts(y, node);
		good = true;
		for (size_t i = 0; good && i < u; i++)
			good = (s = yaml_text_at(y, node, i)) != NULL;
		break;
	}
	if (!good)
		snprintf(result, sizeof result, "%s", error);
	else if (what == TEXT)
		snprintf(result, sizeof result, "%s", s);
	else if (what == DAY)
		snprintf(result, sizeof result, "%lld", (long long)(ns / 1000000000));
	else
		snprintf(result, sizeof result, "%llu", (unsigned long long)(u + yes));
	yaml_close(y);
	return result;
}

static void
needs(void **state)
{
	(void)state;
	static const char text[] = "f.yml:1:4: a text is expected here",
			  number[] = "f.yml:1:4: a number is expected here",
			  truth[] = "f.yml:1:4: true or false is expected here",
			  day[] = "f.yml:1:4: a day is expected here, as 2027-01-31";
	static const struct {
		enum need what;
		const char *text, *result;
	} cases[] = {
	    {TEXT, "x", "x"},
	    {TEXT, "''", text},
	    {TEXT, "[x]", text},
	    {MAP, "{a: b}", "0"},
	    {MAP, "[x]", "f.yml:1:4: a rule is expected here, as 'name: value'"},
	    {BOOL, "true", "1"},
	    {BOOL, "No", "0"},
	    {BOOL, "ON", "1"},
	    {BOOL, "1", truth},
	    {BOOL, "[true]", truth},
	    {U64, "0", "0"},
	    {U64, "999999999999999999", "999999999999999999"},
	    {U64, "1000000000000000000", number},
	    {U64, "-1", number},
	    {U64, "+1", number},
	    {U64, "1.5", number},
	    {U64, "1 2", number},
	    {U64, "''", number},
	    {DAY, "1970-01-01", "0"},
	    {DAY, "2027-01-31", "1801353600"},
	    {DAY, "2024-02-29", "1709164800"},
	    {DAY, "2027-02-29", day},
	    {DAY, "2199-12-31", "7258032000"},
	    {DAY, "2200-01-01", day},
	    {DAY, "1969-12-31", day},
	    {DAY, "2027-1-31", day},
	    {DAY, "2027-01-31x", day},
	    {DAY, "[2027-01-31]", day},
	    {TEXTS, "x", "1"},
	    {TEXTS, "[x, y, z]", "3"},
	    {TEXTS, "[]", "0"},
	    {TEXTS, "[x, '', z]", "f.yml:1:8: a text is expected here"},
	    {TEXTS, "[x, [y]]", "f.yml:1:8: a text is expected here"},
	    {TEXTS, "{x: y}", text},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(need(cases[i].what, cases[i].text), cases[i].result);
}

static void
unknown_words(void **state)
{
	(void)state;
	static const char *const known[] = {"detection", "level", "title"};
	struct yaml *y = open_good("detecton: x\n");
	assert_false(yaml_unknown(y, yaml_root(y), "detecton", "key", known, 3));
	assert_string_equal(error, "f.yml:1:1: 'detecton' is no key; did you mean 'detection'?");
	yaml_close(y);
	y = open_good("xyz: x\n");
	assert_false(yaml_unknown(y, yaml_root(y), "xyz", "key", known, 3));
	assert_string_equal(error, "f.yml:1:1: 'xyz' is no key (detection, level, title)");
	yaml_close(y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents),
	    cmocka_unit_test(scalars),
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(pairs),
	    cmocka_unit_test(many_pairs),
	    cmocka_unit_test(needs),
	    cmocka_unit_test(unknown_words),
	};
	return cmocka_run_group_tests_name("base/yaml", tests, NULL, NULL);
}
