/* postcard -T: what it prints, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/check.h"
#include "app/run.h"
#include "folder.h"

static char *out;

#define RULE                                                   \
	"title: a rule of mine\nstatus: test\ntaxonomy: ecs\n" \
	"logsource: {product: postcard, service: session}\n"   \
	"detection: {a: {postcard.outcome: cleartext}, condition: a}\nlevel: high\n"
#define EXCEPTION(title, day)                                                 \
	"title: " title "\nlogsource: {product: postcard}\n"                  \
	"filter: {rules: any, a: {source.ip: 192.0.2.1}, condition: not a}\n" \
	"postcard: {owner: Ann, reason: old, expires: " day "}\n"

/* The status of -T with the rules and exceptions of the folder; what it prints is in `out`. */
static int
check(int verbose)
{
	static struct config config;
	char error[YAML_ERROR];
	struct options o = {.verbose = verbose, .rules = {path_of("rules")}, .rules_count = 1};
	size_t len;
	free(out);
	FILE *f = open_memstream(&out, &len);
	assert_true(config_read(&config, &o, error));
	int status = check_show(&o, &config, f);
	fclose(f);
	config_free(&config);
	return status;
}

static void
what_is_loaded(void **state)
{
	(void)state;
	make_dir("rules");
	make_dir("rules/exceptions");
	write_text("rules/a.yml", RULE);
	assert_int_equal(check(0), STATUS_DONE);
	assert_string_equal(out,
	    "configuration    none\n"
	    "rules            1, and 0 correlations and 0 filters (from --rules)\n"
	    "exceptions       0\n"
	    "policies         0\n"
	    "state            none\n");
	write_text("rules/exceptions/x.yml",
	    EXCEPTION("an old printer", "2198-12-31") "---\n" EXCEPTION("what was", "2020-02-29"));
	assert_int_equal(check(1), STATUS_DONE);
	char want[1024];
	snprintf(want, sizeof want,
	    "configuration    none\n"
	    "rules            1, and 0 correlations and 0 filters (from --rules)\n"
	    "  high           rule         a rule of mine  (%s/rules/a.yml:1)\n"
	    "exceptions       2\n"
	    "  accepted       an old printer (Ann, until 2198-12-31)\n"
	    "  accepted       what was (Ann, until 2020-02-29: over, its alerts are back)\n"
	    "policies         0\n"
	    "state            none\n",
	    folder);
	assert_string_equal(out, want);
	free(out);
	out = NULL;
}

/* Nothing is printed of what cannot be loaded. */
static void
what_cannot_be(void **state)
{
	(void)state;
	make_dir("rules");
	write_text("rules/a.yml", RULE "levl: high\n");
	fflush(stderr);
	int screen = dup(STDERR_FILENO);
	assert_non_null(freopen(path_of("err"), "w", stderr));
	int status = check(0);
	fflush(stderr);
	assert_int_equal(dup2(screen, STDERR_FILENO), STDERR_FILENO);
	close(screen);
	assert_int_equal(status, STATUS_ERROR);
	assert_string_equal(out, "");
	char said[1024] = "";
	FILE *f = fopen(path_of("err"), "r");
	assert_non_null(fgets(said, sizeof said, f));
	fclose(f);
	assert_non_null(strstr(said,
	    "/rules/a.yml:7:1: 'levl' is no attribute of Sigma; did you "
	    "mean 'level'?"));
	free(out);
	out = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(what_is_loaded),
	    FOLDER_TEST(what_cannot_be),
	};
	return cmocka_run_group_tests_name("app/check", tests, NULL, NULL);
}
