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

static struct options more; /* what check takes besides */

/* The status of -T with the rules and exceptions of the folder; what it prints is in `out`. */
static int
check(int verbose)
{
	static struct config config;
	char error[YAML_ERROR];
	struct options o = more;
	o.verbose = verbose;
	o.rules[0] = path_of("rules");
	o.rules_count = 1;
	if (o.vendors == NULL) {
		write_text("oui.csv",
		    "Registry,Assignment,Organization Name,Address\nMA-L,00001B,A,B\n");
		o.vendors = path_of("oui.csv");
	}
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
	    "state            none\n"
	    "network cards    makers of 1 blocks\n");
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
	    "state            none\n"
	    "network cards    makers of 1 blocks\n",
	    folder);
	assert_string_equal(out, want);
	free(out);
	out = NULL;
}

/* The same with standard error in `said`. */
static int
check_aloud(char said[2048])
{
	fflush(stderr);
	int screen = dup(STDERR_FILENO);
	assert_non_null(freopen(path_of("err"), "w", stderr));
	int status = check(0);
	fflush(stderr);
	assert_int_equal(dup2(screen, STDERR_FILENO), STDERR_FILENO);
	close(screen);
	FILE *f = fopen(path_of("err"), "r");
	said[fread(said, 1, 2047, f)] = '\0';
	fclose(f);
	return status;
}

/* Nothing is printed of what cannot be loaded. */
static void
what_cannot_be(void **state)
{
	(void)state;
	char said[2048];
	make_dir("rules");
	write_text("rules/a.yml", RULE "levl: high\n");
	assert_int_equal(check_aloud(said), STATUS_ERROR);
	assert_string_equal(out, "");
	assert_non_null(strstr(said,
	    "/rules/a.yml:7:1: 'levl' is no attribute of Sigma; did you "
	    "mean 'level'?"));
	free(out);
	out = NULL;
}

static void
what_is_written(void **state)
{
	(void)state;
	char want[2048], said[2048];
	make_dir("rules");
	write_text("rules/a.yml", RULE);
	make_dir("geo");
	more = (struct options){.out = path_of("o.json"),
	    .metrics = path_of("m.prom"),
	    .state = path_of("s.db"),
	    .spool = path_of("spool"),
	    .syslog = {"udp://127.0.0.1"},
	    .syslog_count = 1,
	    .filter = "tcp port 25"};
	(void)check_aloud(said);
	assert_string_equal(said, "");
	snprintf(want, sizeof want,
	    "policies         0\n"
	    "state            %s/s.db\n"
	    "network cards    makers of 1 blocks\n"
	    "filter           tcp port 25\n"
	    "out              %s/o.json\n"
	    "syslog           udp://127.0.0.1\n"
	    "spool            %s/spool\n"
	    "metrics          %s/m.prom\n",
	    folder, folder, folder, folder);
	assert_non_null(strstr(out, want));

	more = (struct options){.out = "/nowhere/o.json",
	    .metrics = folder,
	    .state = "/proc/version/s.db",
	    .spool = path_of("rules/a.yml"),
	    .syslog = {"loghost"},
	    .syslog_count = 1,
	    .filter = "tcp prt 25",
	    .interfaces = {"lo", "nowhere0"},
	    .interface_count = 2,
	    .geoip_dir = path_of("none"),
	    .vendors = path_of("rules/a.yml"),
	    .user = "no-such-user"};
	assert_int_equal(check_aloud(said), STATUS_ERROR);
	assert_string_equal(out, "");
	static const char *const lines[] = {
	    "postcard: --out: /nowhere/o.json: the folder /nowhere: No such file or directory\n",
	    ": it is a folder; a file is expected\n",
	    "postcard: --state: /proc/version/s.db: /proc/version is no folder\n",
	    "rules/a.yml is no folder\n",
	    "postcard: --syslog: loghost: ",
	    "postcard: --filter: tcp prt 25: ",
	    "postcard: --interface: nowhere0: there is no such network interface",
	    "postcard: --geoip: ",
	    "/rules/a.yml: no table of the IEEE (oui.csv) is in it\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		if (strstr(said, lines[i]) == NULL)
			fail_msg("%s is not in:\n%s", lines[i], said);
	}
	assert_null(strstr(said, ": lo: "));
	if (geteuid() == 0)
		assert_non_null(strstr(said, "--user: no-such-user: there is no user"));
	free(out);
	out = NULL;
	more = (struct options){0};
}

/* Root may write everywhere; the user that a sensor becomes may not. */
static void
the_rights_are_those_of_the_user(void **state)
{
	(void)state;
	char said[2048];
	if (geteuid() != 0)
		skip();
	make_dir("rules");
	write_text("rules/a.yml", RULE);
	more = (struct options){.out = path_of("o.json"),
	    .interfaces = {"lo"},
	    .interface_count = 1,
	    .user = "nobody",
	    .state = "/tmp/s.db",
	    .spool = "/tmp"};
	assert_int_equal(check_aloud(said), STATUS_ERROR);
	assert_non_null(strstr(said, "nobody may not write to the folder "));
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(check_aloud(said), STATUS_DONE);
	assert_non_null(strstr(out, "\ninterfaces       lo\nuser             nobody\n"));
	write_text("o.json", "");
	assert_int_equal(check_aloud(said), STATUS_ERROR); /* it is root's */
	assert_non_null(strstr(said, "o.json: nobody may not write to it\n"));
	free(out);
	out = NULL;
	more = (struct options){0};
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(what_is_loaded),
	    FOLDER_TEST(what_cannot_be),
	    FOLDER_TEST(what_is_written),
	    FOLDER_TEST(the_rights_are_those_of_the_user),
	};
	return cmocka_run_group_tests_name("app/check", tests, NULL, NULL);
}
