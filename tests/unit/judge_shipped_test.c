/* The shipped rules: for each file of rules/ the cases of tests/rules/, and which of all the rules
 * match them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"
#include "judge/judge.h"
#include "judge/shipped.h"
#include "record_build.h"
#include "record_words.h"

#define NAMES 32u

static struct record record, alert;

/* Names of rules, sorted, as one line. */
struct names {
	char name[NAMES][64];
	size_t count;
};

static void
add_name(struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++) {
		if (strcmp(n->name[i], name) == 0)
			return;
	}
	assert_true(n->count < NAMES && strlen(name) < sizeof n->name[0]);
	strcpy(n->name[n->count++], name);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *
line_of(struct names *n, char *out)
{
	out[0] = '\0';
	qsort(n->name, n->count, sizeof n->name[0], by_text);
	for (size_t i = 0; i < n->count; i++) {
		strcat(out, " ");
		strcat(out, n->name[i]);
	}
	return out;
}

static bool
has(struct yaml *y, int map, const char *key)
{
	return yaml_get(y, map, key) != 0;
}

static void
put_ip(enum field f, const char *ip)
{
	record_put_address(&record, f, ip);
}

/* What a case need not say. */
static void
put_usual(struct yaml *y, int map)
{
	if (!has(y, map, "source.ip"))
		put_ip(FIELD_SOURCE_IP, "10.1.2.3");
	if (!has(y, map, "destination.ip"))
		put_ip(FIELD_DESTINATION_IP, "198.51.100.25");
	if (!has(y, map, "destination.port"))
		record_put_u64(&record, FIELD_DESTINATION_PORT, 25);
	if (!has(y, map, "network.protocol"))
		record_put_word(&record, FIELD_NETWORK_PROTOCOL, "smtp");
	if (!has(y, map, "network.direction"))
		record_put_word(&record, FIELD_NETWORK_DIRECTION, "outbound");
}

/* One case with rules and table of its own; memory and policies are what the case says they are. */
static void
run_case(struct yaml *y, int map, const char *file)
{
	char error[YAML_ERROR] = "", got_line[2048], expected_line[2048];
	struct names got = {.count = 0}, expected = {.count = 0};
	struct rule_sources shipped = {.rules_count = 0};
	struct table table = {0};
	struct rules *rules = rules_new(NULL, 0);
	if (!rule_files_read(rules, &table, &shipped, error))
		fail_msg("%s", error);
	int list = yaml_get(y, map, "records");
	const char *name = yaml_text(y, yaml_get(y, map, "name"));
	enum level level = LEVEL_NONE;
	for (size_t i = 0; i < yaml_count(y, list); i++) {
		struct rule_hit hits[RULE_HITS];
		struct facts f;
		int64_t ns = build_record(&record, y, yaml_item(y, list, i));
		bool sensor = record.kind == RECORD_SENSOR;
		if (!sensor)
			put_usual(y, yaml_item(y, list, i));
		facts_of(&f, &record);
		enum level by_path = sensor ? LEVEL_INFORMATIONAL : table_level(&table, &f);
		size_t n = by_path == LEVEL_NONE ? 0 : rules_match(rules, &record, ns, hits);
		n = by_path == LEVEL_NONE ? 0 : rules_correlate(rules, ns, hits, n);
		level = LEVEL_NONE;
		for (size_t k = 0; k < n; k++) {
			const struct rule *rule = hits[k].rule;
			enum level l = rule->by_path ? by_path : rule->level;
			add_name(&got, rule->name);
			level = l > level && rule->kind != RULE_CORRELATION ? l : level;
		}
	}
	int wanted = yaml_get(y, map, "expect");
	for (size_t i = 0; i < yaml_count(y, wanted); i++)
		add_name(&expected, yaml_text(y, yaml_item(y, wanted, i)));
	if (strcmp(line_of(&got, got_line), line_of(&expected, expected_line)) != 0)
		fail_msg("%s: %s:%s, not%s", file, name, got_line, expected_line);
	int says = yaml_get(y, map, "level");
	if (says != 0 && strcmp(level_name(level), yaml_text(y, says)) != 0)
		fail_msg("%s: %s: level %s, not %s", file, name, level_name(level),
		    yaml_text(y, says));
	table_free(&table);
	rules_free(rules);
}

/* Cases in which the rule that the file is about matches, and in which it does not. */
static void
count_case(struct yaml *y, int map, const char *rule, unsigned *with, unsigned *without)
{
	int wanted = yaml_get(y, map, "expect");
	bool there = false;
	for (size_t i = 0; i < yaml_count(y, wanted); i++)
		there |= strcmp(yaml_text(y, yaml_item(y, wanted, i)), rule) == 0;
	(*with) += there;
	(*without) += !there;
}

static void
every_file_has_its_cases(void **state)
{
	(void)state;
	const struct shipped *f;
	unsigned files = 0;
	for (size_t i = 0; (f = shipped_file(i)) != NULL; i++) {
		char path[128], error[YAML_ERROR] = "", rule[64] = "";
		const char *stem = f->name + strlen("rules/");
		size_t len;
		unsigned with = 0, without = 0;
		if (strchr(stem, '/') != NULL)
			continue;
		snprintf(path, sizeof path, "tests/rules/%s", stem);
		for (size_t k = 0; stem[k] != '.'; k++)
			rule[k] = stem[k] == '-' ? '_' : stem[k];
		char *text = file_read(path, LIMIT_YAML, &len, error, sizeof error);
		if (text == NULL)
			fail_msg("%s", error);
		struct yaml *y = yaml_open(text, len, path, error);
		if (y == NULL || !yaml_next(y))
			fail_msg("%s", error);
		for (size_t k = 0; k < yaml_count(y, yaml_root(y)); k++) {
			int map = yaml_item(y, yaml_root(y), k);
			run_case(y, map, path);
			count_case(y, map, rule, &with, &without);
		}
		if (with < 2 || without < 2)
			fail_msg("%s: %u cases with '%s', %u without", path, with, rule, without);
		yaml_close(y);
		free(text);
		files++;
	}
	assert_true(files >= 30);
}

/* What every shipped rule must have beyond what is checked when it is read. */
static void
every_rule_is_whole(void **state)
{
	(void)state;
	char error[YAML_ERROR] = "";
	struct judge_config config = {.policies = NULL};
	struct judge *j = judge_new();
	if (j == NULL || !judge_load(j, &config, error))
		fail_msg("%s", error);
	const struct rules *s = judge_rules(j);
	for (size_t i = 0; i < rules_count(s); i++) {
		const struct rule *rule = rules_at(s, i);
		assert_int_equal(rule->kind == RULE_FILTER, 0);
		if (strlen(rule->id) != 36 || rule->name[0] == '\0')
			fail_msg("%s:%u: no id or no name", rule->file, rule->line);
		if (!rule->silent && strlen(rule->title) > 44)
			fail_msg("%s:%u: a row of the report does not hold the title", rule->file,
			    rule->line);
		bool sensor = strstr(rule->file, "sensor-") != NULL; /* its records say it */
		bool says = sensor || rule->by_path || rule->message != NULL || rule->silent ||
		    (rule->kind == RULE_DETECTION && strstr(rule->file, "readable") != NULL) ||
		    strstr(rule->file, "attachment") != NULL ||
		    strstr(rule->file, "new-domain") != NULL;
		if (!says)
			fail_msg("%s:%u: no message of its own", rule->file, rule->line);
		/* what a retry is to change depends on the protocol: the table has it */
		if (!sensor && (rule->message == NULL) != (rule->advice == NULL) &&
		    strstr(rule->file, "failed-then") == NULL &&
		    strstr(rule->file, "readable-retry") == NULL)
			fail_msg("%s:%u: message without advice", rule->file, rule->line);
	}
	judge_free(j);
}

/* Every alert of every case has a sentence of bearable length without holes in it. */
static void
every_alert_reads_well(void **state)
{
	(void)state;
	const struct shipped *f;
	for (size_t i = 0; (f = shipped_file(i)) != NULL; i++) {
		char path[128], error[YAML_ERROR] = "";
		size_t len;
		snprintf(path, sizeof path, "tests/%s", f->name);
		char *text = file_read(path, LIMIT_YAML, &len, error, sizeof error);
		if (text == NULL)
			continue;
		struct judge_config config = {.policies = NULL};
		struct judge *j = judge_new();
		assert_true(j != NULL && judge_load(j, &config, error));
		struct yaml *y = yaml_open(text, len, path, error);
		assert_true(y != NULL && yaml_next(y));
		for (size_t k = 0; k < yaml_count(y, yaml_root(y)); k++) {
			int list = yaml_get(y, yaml_item(y, yaml_root(y), k), "records");
			for (size_t n = 0; n < yaml_count(y, list); n++) {
				build_record(&record, y, yaml_item(y, list, n));
				put_usual(y, yaml_item(y, list, n));
				judge_push(j, &record);
				while (judge_next(j, &alert)) {
					struct record_value m, a = {.len = 0};
					assert_true(record_find(&alert, FIELD_MESSAGE, &m));
					record_find(&alert, FIELD_ADVICE, &a);
					if (m.len < 20 || m.len > 400 || a.len > 600 ||
					    memchr(m.str, '{', m.len) != NULL ||
					    memmem(m.str, m.len, "  ", 2) != NULL ||
					    memmem(m.str, m.len, " ,", 2) != NULL ||
					    memmem(m.str, m.len, " .", 2) != NULL)
						fail_msg("%s: %.*s", f->name, (int)m.len, m.str);
					if (a.len > 0 &&
					    (memmem(a.str, a.len, " .", 2) != NULL ||
						memmem(a.str, a.len, "  ", 2) != NULL))
						fail_msg("%s: %.*s", f->name, (int)a.len, a.str);
				}
			}
		}
		yaml_close(y);
		judge_free(j);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_file_has_its_cases),
	    cmocka_unit_test(every_rule_is_whole),
	    cmocka_unit_test(every_alert_reads_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
