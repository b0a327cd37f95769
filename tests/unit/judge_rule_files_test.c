/* Where rules come from: folders, single files, the shipped ones; in which order, and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "judge/rule_files.h"

static char error[YAML_ERROR];

static void
write_rule(const char *name, const char *title)
{
	char text[512];
	snprintf(text, sizeof text,
	    "title: %s\nstatus: test\ntaxonomy: ecs\nlogsource: {product: postcard, service: "
	    "session}\n"
	    "detection: {a: {postcard.outcome: cleartext}, condition: a}\nlevel: high\n",
	    title);
	write_text(name, text);
}

static void
write_exception(const char *name)
{
	write_text(name,
	    "title: accepted\npostcard: {owner: Ann, reason: old, expires: 2199-01-01}\n"
	    "taxonomy: ecs\nlogsource: {product: postcard, service: session}\n"
	    "filter: {rules: any, a: {source.ip: 192.0.2.1}, condition: not a}\n");
}

/* Titles of the rules that are read, in their order, each with a blank behind it; or the message.
 */
static const char *
titles(const struct rule_sources *from)
{
	static char out[8192];
	struct table t;
	struct rules *s = rules_new(NULL, 0);
	assert_non_null(s);
	memset(&t, 0, sizeof t);
	bool good = rule_files_read(s, &t, from, error);
	out[0] = '\0';
	for (size_t i = 0; good && i < rules_count(s); i++) {
		strcat(out, rules_at(s, i)->title);
		strcat(out, " ");
	}
	table_free(&t);
	rules_free(s);
	return good ? out : error;
}

static const char *
instead_of(const char *path)
{
	struct rule_sources from = {.rules = &path, .rules_count = 1};
	return titles(&from);
}

/* The message: the path, and `rest`. */
static void
refused(const char *path, const char *rest)
{
	char want[1024];
	assert_ptr_equal(instead_of(path), error);
	snprintf(want, sizeof want, "%s%s", path, rest);
	assert_string_equal(error, want);
}

static void
a_folder_in_its_order(void **state)
{
	(void)state;
	make_dir("exceptions");
	make_dir("texts");
	make_dir("more");
	write_rule("b.yml", "second");
	write_rule("a.yaml", "first");
	write_rule(".hidden.yml", "hidden");
	write_rule("c.txt", "text");
	write_rule("more/d.yml", "deeper"); /* other folders are not looked into */
	write_exception("exceptions/x.yml");
	assert_string_equal(instead_of(folder), "first second accepted ");
	char slash[80];
	snprintf(slash, sizeof slash, "%s/", folder);
	assert_string_equal(instead_of(slash), "first second accepted ");
	assert_string_equal(instead_of(path_of("more")), "deeper ");
	assert_string_equal(instead_of(path_of("c.txt")), "text "); /* named, any name will do */
}

static void
instead_and_beside(void **state)
{
	(void)state;
	make_dir("one");
	make_dir("two");
	write_rule("one/a.yml", "one");
	write_rule("two/a.yml", "two");
	const char *const both[] = {path_of("two"), path_of("one")};
	const struct rule_sources instead = {.rules = both, .rules_count = 2};
	assert_string_equal(titles(&instead), "two one "); /* in the order named */
	const struct rule_sources beside = {.rules = both,
	    .rules_count = 1,
	    .extra = both + 1,
	    .extra_count = 1};
	assert_string_equal(titles(&beside), "two one ");
	static char shipped[8192];
	strcpy(shipped, titles(&(struct rule_sources){0}));
	assert_true(strlen(shipped) > 500);
	const struct rule_sources extra = {.extra = both, .extra_count = 1};
	const char *all = titles(&extra);
	assert_int_equal(strncmp(all, shipped, strlen(shipped)), 0);
	assert_string_equal(all + strlen(shipped), "two ");
}

static void
own_texts(void **state)
{
	(void)state;
	make_dir("texts");
	write_text("texts/advice.yml", "nonsense: 1\n");
	refused(folder,
	    "/texts/advice.yml:1:1: 'nonsense' is no list (levels, why, because, advice)");
}

static void
refusals(void **state)
{
	(void)state;
	make_dir("rules");
	char dir[80];
	snprintf(dir, sizeof dir, "%s/rules", folder);
	refused("/tmp/postcard-nowhere", ": No such file or directory");
	refused(dir, ": no rules in it (*.yml, exceptions/*.yml or texts/advice.yml)");
	write_text("rules/a.yml", "title: [\n");
	assert_ptr_equal(instead_of(dir), error);
	assert_non_null(strstr(error, "/rules/a.yml:2:1: "));
	unlink(path_of("rules/a.yml"));
	make_dir("rules/a.yml");
	assert_ptr_equal(instead_of(dir), error);
	assert_non_null(strstr(error, "/rules/a.yml: is no regular file"));
	rmdir(path_of("rules/a.yml"));
	write_rule("rules/a.yml", "good");
	make_dir("rules/exceptions");
	write_rule("rules/exceptions/b.yml", "no exception");
	assert_ptr_equal(instead_of(dir), error);
	assert_non_null(strstr(error, "/rules/exceptions/b.yml:"));

	/* a folder that may be entered and not read: of others, since root reads all */
	bool root = geteuid() == 0;
	assert_int_equal(chmod(folder, 0711), 0);
	assert_int_equal(chmod(dir, 0311), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	refused(dir, ": Permission denied");
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_int_equal(chmod(dir, 0700), 0);

	char *deep = malloc(5001);
	memset(deep, 'a', 5000);
	deep[5000] = '\0';
	assert_ptr_equal(instead_of(deep), error);
	assert_int_equal(strlen(error), YAML_ERROR - 1); /* a message that is cut */
	free(deep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(a_folder_in_its_order),
	    FOLDER_TEST(instead_and_beside),
	    FOLDER_TEST(own_texts),
	    FOLDER_TEST(refusals),
	};
	return cmocka_run_group_tests_name("judge/rule_files", tests, NULL, NULL);
}
