/* What postcard says about itself: nothing of the tables is left out, and it fits the screen. */
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
#include "app/show.h"
#include "record/record.h"

/* What the function writes; the caller frees it. */
static char *
text_of(void (*show)(FILE *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	show(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
expect_screen(const char *text, size_t lines)
{
	size_t count = 0, column = 0;
	for (const char *s = text; *s != '\0'; s++) {
		column = *s == '\n' ? 0 : column + 1;
		count += *s == '\n';
		assert_true(column <= 80);
		assert_true((unsigned char)*s < 0x80 && *s != '\t');
	}
	assert_true(count <= lines);
	assert_int_equal(column, 0);
}

static void
help_fits_the_screen(void **state)
{
	(void)state;
	char *common = text_of(show_help), *all = text_of(show_all_help);
	expect_screen(common, 24);
	expect_screen(all, SIZE_MAX);
	for (size_t i = 0; i < OPTIONS; i++) {
		char name[64];
		snprintf(name, sizeof name, " --%s ", option_table[i].name);
		assert_int_equal(strstr(all, name) != NULL, option_table[i].help != NULL);
		assert_int_equal(strstr(common, name) != NULL,
		    (option_table[i].traits & TRAIT_COMMON) != 0);
	}
	for (unsigned g = 0; g < GROUPS; g++)
		assert_non_null(strstr(all, option_groups[g]));
	assert_non_null(strstr(common, "--help lists all options"));
	free(common);
	free(all);
	char *usage = text_of(show_usage);
	expect_screen(usage, 5);
	free(usage);
}

static void
every_field_is_listed(void **state)
{
	(void)state;
	char *fields = text_of(show_fields);
	const char *at = fields;
	for (size_t i = 0; i < FIELDS; i++) {
		at = strstr(at, field_table[i].name); /* in the order of the table */
		assert_non_null(at);
		assert_int_equal(at[-1], '\n');
		const char *end = strchr(at, '\n');
		size_t len = strlen(field_table[i].meaning);
		assert_memory_equal(end - len, field_table[i].meaning, len);
		at = end;
	}
	assert_non_null(strstr(at, "\nanomaly "));
	assert_non_null(strstr(at, "\nstarttls-command-injection "));
	assert_non_null(
	    strstr(fields, "\nemail.to.address                         text[]    address "));
	assert_non_null(
	    strstr(fields, "\npostcard.messages                        number    open "));
	free(fields);
}

static void
the_version_names_the_libraries(void **state)
{
	(void)state;
	char *version = text_of(show_version);
	assert_int_equal(strncmp(version, "postcard " POSTCARD_VERSION "\n",
			     strlen("postcard " POSTCARD_VERSION "\n")),
	    0);
	assert_non_null(strstr(version, "\nlibpcap "));
	assert_non_null(strstr(version, "\nlibmaxminddb "));
	assert_non_null(strstr(version, "\nlibyaml "));
	assert_non_null(strstr(version, "\nOpenSSL "));
	assert_non_null(strstr(version, "\nzlib "));
	free(version);
}

static void
the_manual_is_filled_in(void **state)
{
	(void)state;
	char template[] = ".Os postcard @VERSION@\nbefore\n@OPTIONS@\n@KEYS@\n@LISTS@\nbehind\n";
	char *text = NULL;
	size_t len = 0;
	FILE *from = fmemopen(template, strlen(template), "r"), *to = open_memstream(&text, &len);
	assert_non_null(from);
	assert_non_null(to);
	show_manual(from, to);
	fclose(from);
	fclose(to);
	assert_int_equal(strncmp(text, ".Os postcard " POSTCARD_VERSION "\nbefore\n.Ss",
			     strlen(".Os postcard " POSTCARD_VERSION "\nbefore\n.Ss")),
	    0);
	assert_string_equal(text + len - strlen("\nbehind\n"), "\nbehind\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_info *o = &option_table[i];
		char item[64];
		snprintf(item, sizeof item, " Fl \\-%s", o->name);
		assert_int_equal(strstr(text, item) != NULL, o->help != NULL);
		if (o->help != NULL)
			assert_non_null(strstr(text, o->manual));
	}
	/* the keys of the configuration file: those of one value, then those that may be lists */
	assert_non_null(strstr(text, "\n.Cm filter , all-ports , no-promiscuous , "));
	assert_non_null(strstr(text, " , user\nand\n.Cm single-process\n"));
	assert_non_null(strstr(text, "\n.Cm interface , ports , syslog , rules , rules-extra\n"));
	assert_non_null(strstr(text, "\nand\n.Cm home-net .\nbehind\n"));
	assert_non_null(strstr(text, "\n.It Fl c , Fl \\-packets Ar N\n"));
	assert_non_null(strstr(text, "\n.It Fl \\-json\n"));
	assert_non_null(strstr(text, ".It Fl r , Fl \\-read Ar FILE ...\n"));
	free(text);
}

/* bash itself judges the completion. */
static void
bash_completes(void **state)
{
	(void)state;
	if (system("command -v bash >/dev/null 2>&1") != 0)
		skip();
	static const struct {
		const char *words, *expected;
	} cases[] = {
	    {"postcard --rev", "--reveal"},
	    {"postcard --fail-on cl", "cleartext"},
	    {"postcard --fail-on h", "high"},
	    {"postcard -r x --hom", "--home-net"},
	    {"postcard -c 1", ""},
	    {"postcard --geoip /us", "/usr"},
	    {"postcard -i an", "any"},
	    {"postcard --interface lo", "lo"},
	    {"postcard --syslog t", ""},
	    {"postcard --config /etc/debian_v", "/etc/debian_version"},
	    {"postcard --print", ""},
	};
	char path[] = "/tmp/postcard-completion-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	assert_non_null(f);
	show_completion(f);
	fclose(f);
	bool has_sys = access("/sys/class/net/lo", F_OK) == 0; /* not in every chroot */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char command[512], line[256] = "";
		if (strcmp(cases[i].expected, "lo") == 0 && !has_sys)
			continue;
		snprintf(command, sizeof command,
		    "bash -c 'compopt() { :; }; . %s; COMP_WORDS=(%s); "
		    "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _postcard; "
		    "printf %%s \"${COMPREPLY[*]}\"'",
		    path, cases[i].words);
		FILE *out = popen(command, "r");
		assert_non_null(out);
		(void)!fgets(line, sizeof line, out);
		assert_int_equal(pclose(out), 0);
		assert_string_equal(line, cases[i].expected);
	}
	remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(help_fits_the_screen),
	    cmocka_unit_test(every_field_is_listed),
	    cmocka_unit_test(the_version_names_the_libraries),
	    cmocka_unit_test(the_manual_is_filled_in),
	    cmocka_unit_test(bash_completes),
	};
	return cmocka_run_group_tests_name("app/show", tests, NULL, NULL);
}
