/* The command line: every option, where files end and the expression begins, every error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/options.h"
#include "folder.h"

#define WORDS 32

/* Parses words that stand apart by one space; '_' in a word is a space. */
static bool
parse(struct options *o, const char *line, char error[OPTIONS_ERROR])
{
	static char *argv[WORDS + 2];
	static char copy[4096];
	int argc = 0;
	snprintf(copy, sizeof copy, "postcard %s", line);
	for (char *w = strtok(copy, " "); w != NULL && argc < WORDS; w = strtok(NULL, " ")) {
		for (char *c = w; *c != '\0'; c++)
			*c = *c == '_' ? ' ' : *c;
		argv[argc++] = w;
	}
	argv[argc] = NULL;
	return options_parse(o, argc, argv, error);
}

static struct options
good(const char *line)
{
	struct options o;
	char error[OPTIONS_ERROR];
	if (!parse(&o, line, error))
		fail_msg("'%s': %s", line, error);
	return o;
}

static void
bad(const char *line, const char *message)
{
	struct options o;
	char error[OPTIONS_ERROR];
	assert_false(parse(&o, line, error) && options_check(&o, error));
	assert_string_equal(error, message);
	options_free(&o);
}

static void
each_option_is_read(void **state)
{
	(void)state;
	struct options o = good("-r a.pcap");
	assert_int_equal(o.action, ACTION_REPLAY);
	assert_int_equal(o.file_count, 1);
	assert_string_equal(o.files[0], "a.pcap");
	assert_null(o.filter);
	assert_null(o.geoip_dir);
	assert_false(o.json || o.quiet || o.numeric || o.reveal || o.no_ndpi);
	assert_int_equal(o.verbose, 0);
	assert_int_equal(o.packets, 0);
	assert_int_equal(o.home_count, 0);
	assert_int_equal(o.fail_level, LEVEL_NONE);
	assert_false(o.fail_on_cleartext);
	options_free(&o);

	o = good("--read=a.pcap -c 5 --json -q -v -v -n --reveal --geoip /db --home-net 10.0.0.0/8 "
		 "--home-net=2001:db8::/32 --fail-on high --no-ndpi");
	assert_string_equal(o.files[0], "a.pcap");
	assert_true(o.json && o.quiet && o.numeric && o.reveal && o.no_ndpi);
	assert_int_equal(o.packets, 5);
	assert_int_equal(o.verbose, 2);
	assert_string_equal(o.geoip_dir, "/db");
	assert_int_equal(o.home_count, 2);
	assert_int_equal(o.home[0].bits, 8);
	assert_int_equal(o.home[1].addr.family, 6);
	assert_int_equal(o.fail_level, LEVEL_HIGH);
	options_free(&o);

	o = good("-nqvvc7 -ra.pcap --fail-on=cleartext");
	assert_true(o.numeric && o.quiet);
	assert_int_equal(o.verbose, 2);
	assert_int_equal(o.packets, 7);
	assert_string_equal(o.files[0], "a.pcap");
	assert_true(o.fail_on_cleartext);
	assert_int_equal(o.fail_level, LEVEL_NONE);
	options_free(&o);

	o = good("--packets 9 --quiet --verbose --numeric -r -");
	assert_int_equal(o.packets, 9);
	assert_int_equal(o.verbose, 1);
	assert_true(o.quiet && o.numeric);
	assert_string_equal(o.files[0], "-");
	options_free(&o);
}

/* What a sensor has besides. */
static void
each_option_of_a_sensor_is_read(void **state)
{
	(void)state;
	struct options o =
	    good("-i eth1 --interface=eth2 --ports 26,10025 --ports 27 --all-ports "
		 "--buffer 8M -s 96 -p -j 4 --single-process --user nobody --out a.json");
	assert_int_equal(o.interface_count, 2);
	assert_string_equal(o.interfaces[1], "eth2");
	assert_int_equal(o.port_count, 3);
	assert_int_equal(o.ports[1], 10025);
	assert_int_equal(o.ports[2], 27);
	assert_true(o.all_ports && o.no_promiscuous && o.single_process);
	assert_true(o.buffer == 8u << 20);
	assert_int_equal(o.snaplen, 96);
	assert_int_equal(o.jobs, 4);
	assert_string_equal(o.user, "nobody");
	assert_string_equal(o.out, "a.json");
	assert_true(options_given(&o, OPTION_PORTS));
	assert_false(options_given(&o, OPTION_SPOOL));
	options_free(&o);
	o = good("-i any --syslog tls://a --syslog udp://b --spool d --spool-size 1G --metrics m "
		 "tcp port 25");
	assert_int_equal(o.syslog_count, 2);
	assert_string_equal(o.syslog[1], "udp://b");
	assert_string_equal(o.spool, "d");
	assert_true(o.spool_size == 1u << 30);
	assert_string_equal(o.metrics, "m");
	assert_string_equal(o.filter, "tcp port 25");
	assert_true(options_given(&o, OPTION_FILTER));
	options_free(&o);
}

static void
each_action_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		enum action action;
	} cases[] = {
	    {"-h", ACTION_HELP},
	    {"--help", ACTION_HELP_ALL},
	    {"-nqh", ACTION_HELP},
	    {"-h --no-such-option", ACTION_HELP},
	    {"--json --help", ACTION_HELP_ALL},
	    {"--version", ACTION_VERSION},
	    {"-D", ACTION_INTERFACES},
	    {"--list-interfaces", ACTION_INTERFACES},
	    {"--fields", ACTION_FIELDS},
	    {"--print-man", ACTION_MAN},
	    {"--print-completion", ACTION_COMPLETION},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o = good(cases[i].line);
		assert_int_equal(o.action, cases[i].action);
		options_free(&o);
	}
}

static void
files_end_where_the_expression_begins(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		size_t files;
		const char *filter; /* NULL: none */
		const char *loose;  /* NULL: none */
	} cases[] = {
	    {"-r a.pcap b.pcap c.pcapng", 3, NULL, NULL},
	    {"-r a b.cap c.gz d.trace e.pcap12 x/y", 6, NULL, NULL},
	    {"-r a.pcap -r b.pcap", 2, NULL, NULL},
	    {"-r a.pcap b.pcap -n -r c.pcap", 3, NULL, NULL},
	    {"-r a.pcap tcp port 25", 1, "tcp port 25", "tcp"},
	    {"-r a.pcap b.pcap net 10.0.0.0/8", 2, "net 10.0.0.0/8", "net"},
	    {"-r a.pcap -n tcp port 25", 1, "tcp port 25", NULL},
	    {"-r a.pcap -- b.pcap", 1, "b.pcap", NULL},
	    {"-r a.pcap -- tcp -n", 1, "tcp -n", NULL},
	    {"tcp port 25 -r a.pcap", 1, "tcp port 25", NULL},
	    {"-r a.pcap tcp port 25 --json", 1, "tcp port 25", "tcp"},
	    {"-r a.pcap tcp[2:2] - 5 -20", 1, "tcp[2:2] - 5 -20", "tcp[2:2]"},
	    {"-r a.pcap tcp_port_25", 1, "tcp port 25", "tcp port 25"},
	    {"-r a.pcap host_a/b", 1, "host a/b", "host a/b"},
	    {"-r a.pcap - b.pcap", 3, NULL, NULL},
	    {"-r a.pcap nosuchfile", 1, "nosuchfile", "nosuchfile"},
	    {"-r *.pcap *.pcapng", 2, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o = good(cases[i].line);
		assert_int_equal(o.file_count, cases[i].files);
		if (cases[i].filter == NULL)
			assert_null(o.filter);
		else
			assert_string_equal(o.filter, cases[i].filter);
		if (cases[i].loose == NULL)
			assert_null(o.loose_word);
		else
			assert_string_equal(o.loose_word, cases[i].loose);
		options_free(&o);
	}
}

/* A word that names an existing file is one, whatever it looks like; a folder is not. */
static void
what_exists_is_a_file(void **state)
{
	(void)state;
	char here[4096], tcp[128];
	assert_non_null(getcwd(here, sizeof here));
	write_text("mirror", "");
	write_text("seen.pcap", "");
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdtemp(strcpy(tcp, "tcpXXXXXX")) != NULL, 1);

	struct options o = good("-r a.pcap mirror tcp");
	assert_int_equal(o.file_count, 2);
	assert_string_equal(o.files[1], "mirror");
	assert_string_equal(o.filter, "tcp");
	options_free(&o);

	char line[256];
	snprintf(line, sizeof line, "-r a.pcap %s", tcp);
	o = good(line);
	assert_int_equal(o.file_count, 1);
	assert_string_equal(o.filter, tcp);
	options_free(&o);

	bad("seen.pcap", "'seen.pcap': to read a capture, write -r seen.pcap");
	bad("-r a.pcap -n seen.pcap", "'seen.pcap': files are named directly behind -r");
	bad("-r a.pcap tcp seen.pcap", "'seen.pcap': files are named directly behind -r");
	o = good("-r a.pcap -- seen.pcap");
	assert_string_equal(o.filter, "seen.pcap");
	options_free(&o);

	assert_int_equal(chdir(here), 0);
}

static void
each_error_is_named(void **state)
{
	(void)state;
	bad("-n", "nothing to read: name a capture with -r, or an interface with -i");
	bad("tcp port 25", "nothing to read: name a capture with -r, or an interface with -i");
	bad("-r", "option -r needs FILE...");
	bad("-r -n", "option -r needs FILE...");
	bad("--read", "option --read needs FILE...");
	bad("--read= x", "option --read needs FILE...");
	bad("-r a.pcap --geoip", "option --geoip needs DIR");
	bad("--geoip --json -r a.pcap", "option --geoip needs DIR");
	bad("-r a.pcap --json=1", "option --json takes no value");
	bad("-r a.pcap -i eth0", "-r and -i: read files or watch interfaces, not both at once");
	bad("-i eth0 --ports 26,", "--ports: '26,' is not a list of ports such as 26,10025");
	bad("-i eth0 --ports 65536", "--ports: '65536' is not a list of ports such as 26,10025");
	bad("-i eth0 --ports 26-28", "--ports: '26-28' is not a list of ports such as 26,10025");
	bad("-i eth0 -s 95", "--snaplen: '95' is not a number of octets from 96 to 262144");
	bad("-i eth0 -j 0", "--jobs: '0' is not a number of workers from 1 to 64");
	bad("-i eth0 --buffer 2G", "--buffer: '2G' is too much; 2047M are the most");
	bad("-i eth0 --buffer 1K", "--buffer: '1K' is too little; at least 1M are needed");
	bad("-i eth0 --filter tcp port 25", "a filter is given twice: --filter and 'port 25'");
	bad("-r a.pcap -c", "option -c needs N");
	bad("-r a.pcap -c x", "-c: 'x' is not a number of packets");
	bad("-r a.pcap -c 0", "-c: '0' is not a number of packets");
	bad("-r a.pcap -c 5k", "-c: '5k' is not a number of packets");
	bad("-r a.pcap -c 99999999999999999999",
	    "-c: '99999999999999999999' is not a number of packets");
	bad("-r a.pcap --fail-on hgh",
	    "--fail-on: 'hgh' is none of informational, low, medium, high, critical, cleartext");
	bad("-r a.pcap --fail-on", "option --fail-on needs LEVEL");
	static const char *const networks[] = {"10.0.0.0/33", "10.0.0/8", "x", "2001:db8::/129",
	    "10.0.0.0/-1", "10.0.0.0/", "/8"};
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
		char line[128], message[256];
		snprintf(line, sizeof line, "-r a.pcap --home-net %s", networks[i]);
		snprintf(message, sizeof message,
		    "--home-net: '%s' is not a network such as 192.0.2.0/24 or 2001:db8::/32",
		    networks[i]);
		bad(line, message);
	}
	bad("-r a.pcap -x", "unknown option '-x'");
	bad("-r a.pcap -nx", "unknown option '-x'");
	bad("-r a.pcap -?", "unknown option '-?'");
	bad("-r a.pcap --frobnicate", "unknown option '--frobnicate'");
	bad("-r a.pcap --bad\x1b[2Jname", "unknown option '--bad\\x1b[2Jname'");
}

static void
the_nearest_name_is_suggested(void **state)
{
	(void)state;
	bad("--jsno", "unknown option '--jsno' (did you mean '--json'?)");
	bad("--jason", "unknown option '--jason' (did you mean '--json'?)");
	bad("--revael", "unknown option '--revael' (did you mean '--reveal'?)");
	bad("--homenet 10.0.0.0/8", "unknown option '--homenet' (did you mean '--home-net'?)");
	bad("--fail=high", "unknown option '--fail' (did you mean '--fail-on'?)");
	bad("--geo /db", "unknown option '--geo' (did you mean '--geoip'?)");
	bad("--list", "unknown option '--list' (did you mean '--list-interfaces'?)");
	bad("-json", "unknown option '-json' (did you mean '--json'?)");
	bad("-interface eth0", "unknown option '-interface' (did you mean '--interface'?)");
	bad("--print-mna", "unknown option '--print-mna'"); /* hidden options are not suggested */
}

static void
many_networks_are_refused(void **state)
{
	(void)state;
	char *argv[2 * (LIMIT_HOME_NETS + 1) + 2] = {"postcard"};
	int argc = 1;
	for (unsigned i = 0; i < LIMIT_HOME_NETS + 1; i++) {
		argv[argc++] = "--home-net";
		argv[argc++] = "10.0.0.0/8";
	}
	struct options o;
	char error[OPTIONS_ERROR];
	assert_false(options_parse(&o, argc, argv, error));
	assert_string_equal(error, "--home-net: more than 256 networks");
	options_free(&o);
}

/* A line of help fits the screen, and each option that is shown has its manual. */
static void
the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_info *a = &option_table[i];
		assert_int_equal(a->help == NULL, a->manual == NULL);
		assert_int_equal(a->argument == ARGUMENT_NONE, a->metavar == NULL);
		assert_true(i == 0 || a->group >= option_table[i - 1].group);
		assert_true(a->help != NULL || a->traits == 0);
		if (a->help != NULL)
			assert_true(strlen(a->help) <= 52);
		for (size_t k = i + 1; k < OPTIONS; k++) {
			assert_string_not_equal(a->name, option_table[k].name);
			if (a->letter != 0)
				assert_int_not_equal(a->letter, option_table[k].letter);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_option_is_read),
	    cmocka_unit_test(each_option_of_a_sensor_is_read),
	    cmocka_unit_test(each_action_is_read),
	    cmocka_unit_test(files_end_where_the_expression_begins),
	    FOLDER_TEST(what_exists_is_a_file),
	    cmocka_unit_test(each_error_is_named),
	    cmocka_unit_test(the_nearest_name_is_suggested),
	    cmocka_unit_test(many_networks_are_refused),
	    cmocka_unit_test(the_table_is_sound),
	};
	return cmocka_run_group_tests_name("app/options", tests, NULL, NULL);
}
