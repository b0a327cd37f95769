/* The configuration file: what it sets, what the command line overrules, paths, placeholders, and
 * every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/config.h"
#include "base/file.h"
#include "folder.h"

static struct options options;
static struct config config;
static char error[YAML_ERROR];

/* Reads `text` as the configuration of a command line with one more word (NULL: none); does that
 * work? */
static bool
reads(const char *text, char *word)
{
	static char path[128];
	char message[OPTIONS_ERROR];
	char *argv[] = {"postcard", "-r", "a.pcap", "--config", path, word, NULL};
	write_text("c.yml", text);
	snprintf(path, sizeof path, "%s", path_of("c.yml"));
	if (!options_parse(&options, word != NULL ? 6 : 5, argv, message))
		fail_msg("%s", message);
	return config_read(&config, &options, error);
}

/* The same where no captures are read. */
static bool
live(const char *text, char *word)
{
	static char path[128];
	char message[OPTIONS_ERROR];
	char *argv[] = {"postcard", "--config", path, word, NULL};
	write_text("c.yml", text);
	snprintf(path, sizeof path, "%s", path_of("c.yml"));
	if (!options_parse(&options, word != NULL ? 4 : 3, argv, message))
		fail_msg("%s", message);
	return config_read(&config, &options, error);
}

static void
done(void)
{
	options_free(&options);
	config_free(&config);
}

static const struct placeholder *
placeholder(const char *name)
{
	for (size_t i = 0; i < config.placeholders; i++) {
		if (strcmp(config.placeholder[i].name, name) == 0)
			return &config.placeholder[i];
	}
	fail_msg("there is no placeholder %s", name);
	return NULL;
}

static void
settings(void **state)
{
	(void)state;
	char path[128];
	if (!reads("json: yes\nquiet: true\nnumeric: on\nreveal: true\nno-ndpi: true\nmemory: 64M\n"
		   "home-net: [192.0.2.0/24, 2001:db8::/32]\nfail-on: high\ngeoip: /db\n"
		   "rules: [mine, /etc/rules]\nrules-extra: more\nstate: s.db\n",
		NULL))
		fail_msg("%s", error);
	assert_true(
	    options.json && options.quiet && options.numeric && options.reveal && options.no_ndpi);
	assert_true(options.memory == 64u << 20);
	assert_int_equal(options.home_count, 2);
	assert_int_equal(options.home[1].bits, 32);
	assert_int_equal(options.fail_level, LEVEL_HIGH);
	assert_string_equal(options.geoip_dir, "/db");
	/* paths are taken from the folder of the file */
	assert_int_equal(options.rules_count, 2);
	snprintf(path, sizeof path, "%s/mine", folder);
	assert_string_equal(options.rules[0], path);
	assert_string_equal(options.rules[1], "/etc/rules");
	snprintf(path, sizeof path, "%s/more", folder);
	assert_string_equal(options.extra[0], path);
	snprintf(path, sizeof path, "%s/s.db", folder);
	assert_string_equal(options.state, path);
	done();

	assert_true(reads("json: no\nquiet: false\n", NULL));
	assert_false(options.json || options.quiet);
	done();
}

/* Each row of the table that may stand in the file can be read from it, and no other. */
static void
each_setting_is_a_key(void **state)
{
	(void)state;
	static const char *const samples[] = {"1", "1500", "64M", "high", "192.0.2.0/24", "a.txt"};
	for (unsigned i = 0; i < OPTIONS; i++) {
		const struct option_info *info = &option_table[i];
		char text[128];
		bool read = false;
		for (size_t k = 0; k < sizeof samples / sizeof *samples && !read; k++) {
			snprintf(text, sizeof text, "%s: %s\n", info->name,
			    info->argument == ARGUMENT_NONE ? "yes" : samples[k]);
			read = reads(text, NULL);
			done();
		}
		if (read != ((info->traits & TRAIT_SETTING) != 0))
			fail_msg("%s: %s", info->name, error);
	}
}

/* The example that is installed has them all. */
static void
each_setting_is_in_the_example(void **state)
{
	(void)state;
	char *example = file_read("src/app/service/postcard.yaml", LIMIT_YAML, &(size_t){0}, error,
	    sizeof error);
	if (example == NULL)
		fail_msg("%s", error);
	for (unsigned i = 0; i < OPTIONS; i++) {
		char line[64];
		snprintf(line, sizeof line, "\n#%s:", option_table[i].name);
		bool setting = (option_table[i].traits & TRAIT_SETTING) != 0;
		if ((strstr(example, line) != NULL) != setting)
			fail_msg("%s", option_table[i].name);
	}
	free(example);
}

static void
settings_of_a_sensor(void **state)
{
	(void)state;
	char want[128], at[256];
	if (!live("interface: [eth1, eth2]\nports: [26, '27,28']\nall-ports: no\nno-promiscuous: "
		  "yes\n"
		  "snaplen: 1500\nbuffer: 16M\njobs: 2\nfilter: not host 192.0.2.1\nuser: nobody\n"
		  "syslog:\n  - udp://a\n  - tls://b\nspool: sp\nspool-size: 1G\nmetrics: /m\n"
		  "out: o.json\nverbose: 2\nsingle-process: false\nstate: s.db\n",
		NULL))
		fail_msg("%s", error);
	assert_int_equal(options.interface_count, 2);
	assert_string_equal(options.interfaces[1], "eth2");
	assert_int_equal(options.port_count, 3);
	assert_int_equal(options.ports[2], 28);
	assert_true(options.no_promiscuous && !options.all_ports && !options.single_process);
	assert_int_equal(options.snaplen, 1500);
	assert_int_equal(options.jobs, 2);
	assert_string_equal(options.filter, "not host 192.0.2.1");
	assert_int_equal(options.syslog_count, 2);
	assert_int_equal(options.verbose, 2);
	snprintf(want, sizeof want, "%s/o.json", folder);
	assert_string_equal(options.out, want);
	snprintf(want, sizeof want, "%s/sp", folder);
	assert_string_equal(options.spool, want);
	assert_string_equal(options.metrics, "/m");
	assert_true(options_check(&options, error));
	/* as the command line alone has them */
	assert_int_equal(config.line.interface_count, 0);
	assert_null(config.line.out);

	struct text t = text_in(at, sizeof at);
	config_place_add(&config, OPTION_SYSLOG, "tls://b", &t);
	snprintf(want, sizeof want, "%s:12: ", config.path);
	assert_string_equal(at, want);
	t = text_in(at, sizeof at);
	config_place_add(&config, OPTION_GEOIP, "/db", &t);
	assert_string_equal(at, "--geoip: ");
	done();

	assert_true(live("filter: tcp\ninterface: eth1\n", "udp"));
	assert_string_equal(options.filter, "udp");
	assert_int_equal(options.interface_count, 1);
	done();
	assert_true(live("interface: eth1\n", "-ilo"));
	assert_int_equal(options.interface_count, 1);
	assert_string_equal(options.interfaces[0], "lo");
	t = text_in(at, sizeof at);
	config_place_add(&config, OPTION_INTERFACE, "lo", &t);
	assert_string_equal(at, "--interface: ");
	done();
	/* a sensor's configuration serves a replay */
	assert_true(reads("interface: eth1\nhome-net: 192.0.2.0/24\n", NULL));
	assert_int_equal(options.interface_count, 0);
	assert_true(options_check(&options, error));
	done();
}

/* Read again with the options of the command line, nothing stands twice. */
static void
read_anew(void **state)
{
	(void)state;
	static struct config again;
	assert_true(live("interface: eth1\nsyslog: [udp://a, udp://b]\nquiet: yes\n", NULL));
	write_text("c.yml", "interface: eth1\nsyslog: udp://c\n");
	struct options o = config.line;
	assert_true(config_read(&again, &o, error));
	assert_int_equal(o.syslog_count, 1);
	assert_string_equal(o.syslog[0], "udp://c");
	assert_int_equal(o.interface_count, 1);
	assert_false(o.quiet);
	config_free(&again);
	done();
}

static void
the_command_line_goes_first(void **state)
{
	(void)state;
	assert_true(reads("home-net: 192.0.2.0/24\nfail-on: low\n", "--home-net=10.0.0.0/8"));
	assert_int_equal(options.home_count, 1);
	assert_int_equal(options.home[0].addr.b[0], 10);
	assert_int_equal(options.fail_level, LEVEL_LOW);
	done();
	assert_true(reads("fail-on: low\n", "--fail-on=critical"));
	assert_int_equal(options.fail_level, LEVEL_CRITICAL);
	done();
	/* what is overruled is read all the same */
	assert_true(reads("json: false\n", "--json"));
	assert_true(options.json);
	done();
}

static void
placeholders(void **state)
{
	(void)state;
	assert_true(reads("", NULL)); /* an empty file is a configuration */
	assert_int_equal(config.placeholders, 2);
	size_t usual = placeholder("home_net")->count;
	assert_int_equal(placeholder("partner_domains")->count, 0);
	assert_null(config.policies);
	done();
	assert_true(reads("placeholders: {partner_domains: [a.example, b.example], printers: "
			  "192.0.2.31, none: []}\nhome-net: 198.51.100.0/24\n",
	    NULL));
	assert_int_equal(config.placeholders, 4);
	assert_int_equal(placeholder("partner_domains")->count, 2);
	assert_string_equal(placeholder("partner_domains")->values[1], "b.example");
	assert_string_equal(placeholder("printers")->values[0], "192.0.2.31");
	assert_int_equal(placeholder("none")->count, 0);
	/* in the place of the private networks; what never leaves a link stays */
	assert_in_range(placeholder("home_net")->count, 2, usual - 1);
	assert_string_equal(placeholder("home_net")->values[0], "198.51.100.0/24");
	done();
}

/* Loads what was read into a judge, which has it all or keeps what it had. */
static void
the_judge(void **state)
{
	(void)state;
	struct judge *j = judge_new();
	assert_non_null(j);
	assert_true(reads("policies: [{domain: a.example, tls: encrypt}]\n", NULL));
	assert_non_null(config.policies);
	if (!config_judge(&config, &options, j, error))
		fail_msg("%s", error);
	assert_null(config.policies); /* the judge's from now on */
	assert_int_equal(judge_policies(j), 1);
	size_t rules = rules_count(judge_rules(j));
	assert_true(rules > 20);
	done();

	assert_true(reads("policies: [{domain: a.example, tls: encrypt}, {domain: b.example, tls: "
			  "verify}]\nrules: nowhere\n",
	    NULL));
	assert_false(config_judge(&config, &options, j, error));
	assert_non_null(strstr(error, "/nowhere: No such file or directory"));
	assert_non_null(config.policies);
	assert_int_equal(judge_policies(j), 1);
	assert_int_equal(rules_count(judge_rules(j)), rules);
	done();
	judge_free(j);
}

static void
refusals(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message; /* behind the path */
	} cases[] = {
	    {"- json\n", ":1:1: a configuration, key: value, is expected here, as 'name: value'"},
	    {"json: [\n", ":2:1: did not find expected node content"},
	    {"json: maybe\n", ":1:7: true or false is expected here"},
	    {"jsn: true\n", ":1:1: 'jsn' is no key of the configuration; did you mean 'json'?"},
	    {"read: a.pcap\n", ":1:1: 'read' is no key of the configuration"},
	    {"json: true\njson: true\n", ":2:1: 'json' stands here twice"},
	    {"fail-on: [low, high]\n", ":1:10: a value is expected here"},
	    {"fail-on: terrible\n", ":1:10: "},
	    {"memory: much\n", ":1:9: "},
	    {"home-net: [10.0.0.0/8, nonsense]\n", ":1:24: "},
	    {"home-net: []\n", ":1:11: a value or a list of them is expected here"},
	    {"packets: 5\n", ":1:1: 'packets' is no key of the configuration"},
	    {"config: x\n", ":1:1: 'config' is no key of the configuration"},
	    {"interfaces: eth0\n",
		":1:1: 'interfaces' is no key of the configuration; did you mean 'interface'?"},
	    {"verbose: lots\n", ":1:10: true or false is expected here"},
	    {"json: 1\n", ":1:7: true or false is expected here"},
	    {"snaplen: 10\n", ":1:10: --snaplen: '10' is not a number of octets from 96 to 262144"},
	    {"ports: [26, x]\n", ":1:13: --ports: 'x' is not a list of ports such as 26,10025"},
	    {"interface: [[x]]\n", ":1:13: a text is expected here"},
	    {"rules: ['']\n", ":1:9: a text is expected here"},
	    {"placeholders: x\n", ":1:15: names and their values is expected here"},
	    {"placeholders: {home_net: x}\n", ":1:16: home_net is what the option home-net says"},
	    {"placeholders: {a b: x}\n", ":1:16: a name of letters, digits, '_' and '-' is"},
	    {"placeholders: {a: {b: c}}\n", ":1:19: a text is expected here"},
	    {"placeholders: {a: [[b]]}\n", ":1:20: a text is expected here"},
	    {"policies: {domain: x}\n", ":1:11: "},
	    {"policies: [{domain: x}]\n", ":1:12: "},
	    {"json: true\n---\njson: true\n", ":3:1: one document is expected, not two"},
	};
	char want[256];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (reads(cases[i].text, NULL))
			fail_msg("%s", cases[i].text);
		snprintf(want, sizeof want, "%s%s", path_of("c.yml"), cases[i].message);
		if (strncmp(error, want, strlen(want)) != 0)
			assert_string_equal(error, want);
		done();
	}
	char text[16 * (LIMIT_PLACEHOLDERS + 2)] = "placeholders:\n";
	size_t len = strlen(text);
	for (unsigned i = 0; i <= LIMIT_PLACEHOLDERS; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " p%u: x\n", i);
	assert_false(reads(text, NULL));
	assert_non_null(strstr(error, ":2:2: more than 256 placeholders"));
	done();

	char message[OPTIONS_ERROR];
	char *argv[] = {"postcard", "-r", "a.pcap", "--config", "/nowhere.yml", NULL};
	assert_true(options_parse(&options, 5, argv, message));
	assert_false(config_read(&config, &options, error));
	assert_string_equal(error, "/nowhere.yml: No such file or directory");
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(settings),
	    FOLDER_TEST(each_setting_is_a_key),
	    cmocka_unit_test(each_setting_is_in_the_example),
	    FOLDER_TEST(settings_of_a_sensor),
	    FOLDER_TEST(read_anew),
	    FOLDER_TEST(the_command_line_goes_first),
	    FOLDER_TEST(placeholders),
	    FOLDER_TEST(the_judge),
	    FOLDER_TEST(refusals),
	};
	return cmocka_run_group_tests_name("app/config", tests, NULL, NULL);
}
