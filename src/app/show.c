/* What postcard says about itself: see show.h.  All of it is driven by the tables of options and
 * fields. */
#include "app/show.h"

#include <maxminddb.h>
#include <openssl/crypto.h>
#include <pcap/pcap.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>

#include "app/options.h"
#include "base/text.h"
#include "finding/finding.h"
#include "ident/dpi.h"
#include "record/record.h"

#define HELP_COLUMN 27 /* where the help of an option begins */

#define USAGE                                                 \
	"usage: postcard -r FILE... [options] [expression]\n" \
	"       postcard -i IFACE [options] [expression]\n"   \
	"Finds mail that crossed the network without TLS, and says why.\n"

void
show_usage(FILE *out)
{
	fputs(USAGE "'postcard -h' lists the common options, 'man postcard' explains all.\n", out);
}

/* A line of help. */
static void
help_option(const struct option_info *o, FILE *out)
{
	char buf[64];
	struct text t = text_in(buf, sizeof buf);
	if (o->letter != 0)
		text_printf(&t, "  -%c, ", o->letter);
	else
		text_puts(&t, "      ");
	text_printf(&t, "--%s", o->name);
	if (o->metavar != NULL)
		text_printf(&t, " %s", o->metavar);
	fprintf(out, "%-*s%s\n", HELP_COLUMN, buf, o->help);
}

void
show_help(FILE *out)
{
	fputs(USAGE "\n", out);
	for (size_t i = 0; i < OPTIONS; i++) {
		if ((option_table[i].traits & TRAIT_COMMON) != 0)
			help_option(&option_table[i], out);
	}
	fputs("\n  postcard -r monday.pcap                     the report, for people\n"
	      "  postcard -r *.pcap --json > mail.ndjson     the records, for programs\n"
	      "  postcard -i eth1 tcp port 25                live, on a mirror port\n"
	      "--help lists all options, 'man postcard' explains them.\n",
	    out);
}

void
show_all_help(FILE *out)
{
	fputs(USAGE, out);
	for (unsigned g = 0; g < GROUPS; g++) {
		fprintf(out, "\n%s\n", option_groups[g]);
		for (size_t i = 0; i < OPTIONS; i++) {
			if (option_table[i].group == g && option_table[i].help != NULL)
				help_option(&option_table[i], out);
		}
	}
	fputs("\nThe expression is a filter as tcpdump takes it; -- ends the files before it.\n"
	      "Options that name something to add (-i, --syslog, --rules ...) may be repeated.\n"
	      "Options that are not about one command are keys of the configuration file, too.\n"
	      "Exit status: 0 done, 1 --fail-on found something, 2 error, 3 damaged input,\n"
	      "4 a worker died.\n",
	    out);
}

void
show_version(FILE *out)
{
	fprintf(out, "postcard %s\n", POSTCARD_VERSION);
	fprintf(out, "%s\n", pcap_lib_version());
	fprintf(out, "nDPI %s\n", dpi_version());
	fprintf(out, "libmaxminddb %s\nlibyaml %s\n%s\nzlib %s\n", MMDB_lib_version(),
	    yaml_get_version_string(), OpenSSL_version(OPENSSL_VERSION), zlibVersion());
}

static const char *
type_name(const struct field_info *f)
{
	static const char *const names[] = {
	    [TYPE_STR] = "text",
	    [TYPE_U64] = "number",
	    [TYPE_BOOL] = "bool",
	    [TYPE_TIME] = "time",
	    [TYPE_IP] = "address",
	    [TYPE_ITEM] = "object",
	};
	return names[f->type];
}

static const char *
privacy_name(const struct field_info *f)
{
	static const char *const names[] = {
	    [PRIVACY_OPEN] = "open",
	    [PRIVACY_TEXT] = "text",
	    [PRIVACY_ADDRESS] = "address",
	    [PRIVACY_USER] = "user",
	    [PRIVACY_SUBJECT] = "subject",
	    [PRIVACY_FILE] = "file",
	};
	return names[f->privacy];
}

void
show_fields(FILE *out)
{
	fprintf(out, "%-41s%-10s%-9s%s\n", "field", "type", "privacy", "meaning");
	for (size_t i = 0; i < FIELDS; i++) {
		const struct field_info *f = &field_table[i];
		char type[16];
		snprintf(type, sizeof type, "%s%s", type_name(f),
		    f->number == NUMBER_MANY ? "[]" : "");
		fprintf(out, "%-40s %-9s %-8s %s\n", f->name, type, privacy_name(f), f->meaning);
	}
	fprintf(out, "\n%-41s%s\n", "anomaly", "meaning");
	for (size_t i = 0; i < ANOMALIES; i++)
		fprintf(out, "%-40s %s\n", anomaly_table[i].name, anomaly_table[i].meaning);
}

bool
show_interfaces(FILE *out, char error[512])
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *list = NULL;
	if (pcap_findalldevs(&list, why) != 0) {
		snprintf(error, 512, "interfaces cannot be listed: %s", why);
		return false;
	}
	if (list == NULL) {
		snprintf(error, 512,
		    "no interface may be captured from; it takes root or CAP_NET_RAW");
		return false;
	}
	int n = 1;
	for (const pcap_if_t *i = list; i != NULL; i = i->next, n++) {
		fprintf(out, "%d.%s", n, i->name);
		if (i->description != NULL)
			fprintf(out, " (%s)", i->description);
		const char *separator = " [";
		static const struct {
			bpf_u_int32 flag;
			const char *word;
		} flags[] = {{PCAP_IF_UP, "Up"}, {PCAP_IF_RUNNING, "Running"},
		    {PCAP_IF_LOOPBACK, "Loopback"}, {PCAP_IF_WIRELESS, "Wireless"}};
		for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
			if ((i->flags & flags[k].flag) != 0) {
				fprintf(out, "%s%s", separator, flags[k].word);
				separator = ", ";
			}
		}
		fputs(separator[0] == ',' ? "]\n" : "\n", out);
	}
	pcap_freealldevs(list);
	return true;
}

/* An option's name as mdoc writes it: the macro puts the first dash. */
static void
manual_option(const struct option_info *o, FILE *out)
{
	fputs(".It", out);
	if (o->letter != 0)
		fprintf(out, " Fl %c ,", o->letter);
	fprintf(out, " Fl \\-%s", o->name);
	if (o->argument == ARGUMENT_FILES)
		fputs(" Ar FILE ...", out);
	else if (o->metavar != NULL)
		fprintf(out, " Ar %s", o->metavar);
	fprintf(out, "\n%s\n", o->manual);
}

/* The options, a subsection for each group. */
static void
manual_options(FILE *out)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", option_groups[g]);
		for (size_t i = 0; i < OPTIONS; i++) {
			if (option_table[i].group == g && option_table[i].help != NULL)
				manual_option(&option_table[i], out);
		}
		fputs(".El\n", out);
	}
}

/* Is it a key of the configuration file, and one that may have a list? */
static bool
is_key(const struct option_info *o, bool list)
{
	bool lists = (o->traits & TRAIT_REPEATS) != 0 && o->argument != ARGUMENT_NONE;
	return (o->traits & TRAIT_SETTING) != 0 && lists == list;
}

static void
manual_keys(bool lists, FILE *out)
{
	size_t last = 0;
	const char *separator = ".Cm";
	for (size_t i = 0; i < OPTIONS; i++)
		last = is_key(&option_table[i], lists) ? i : last;
	for (size_t i = 0; i <= last; i++) {
		if (!is_key(&option_table[i], lists))
			continue;
		fprintf(out, "%s %s", i == last ? "\nand\n.Cm" : separator, option_table[i].name);
		separator = " ,";
	}
	fputs(lists ? " .\n" : "\n", out);
}

void
show_manual(FILE *from, FILE *out)
{
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, from) >= 0) {
		char *mark = strstr(line, "@VERSION@");
		if (strcmp(line, "@OPTIONS@\n") == 0)
			manual_options(out);
		else if (strcmp(line, "@KEYS@\n") == 0)
			manual_keys(false, out);
		else if (strcmp(line, "@LISTS@\n") == 0)
			manual_keys(true, out);
		else if (mark != NULL)
			fprintf(out, "%.*s%s%s", (int)(mark - line), line, POSTCARD_VERSION,
			    mark + strlen("@VERSION@"));
		else
			fputs(line, out);
	}
	free(line);
}

/* The patterns of a shell `case` that match the options whose argument is of that kind. */
static void
completion_case(FILE *out, enum option_argument kind)
{
	const char *separator = "\t";
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_info *o = &option_table[i];
		if (o->help == NULL || o->argument != kind)
			continue;
		fprintf(out, "%s--%s", separator, o->name);
		separator = "|";
		if (o->letter != 0)
			fprintf(out, "|-%c", o->letter);
	}
	fputs(")\n", out);
}

void
show_completion(FILE *out)
{
	fputs("# bash completion for postcard\n_postcard()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tcase $prev in\n",
	    out);
	completion_case(out, ARGUMENT_DIR);
	fputs("\t\tcompopt -o filenames\n\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	      "\t\treturn ;;\n",
	    out);
	fputs("\t-i|--interface)\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"any $(ls /sys/class/net 2>/dev/null)\" -- "
	      "\"$cur\")\n"
	      "\t\treturn ;;\n",
	    out);
	completion_case(out, ARGUMENT_TEXT);
	fputs("\t\treturn ;;\n", out);
	completion_case(out, ARGUMENT_WORD);
	fputs("\t\tmapfile -t COMPREPLY < <(compgen -W 'cleartext", out);
	for (enum level l = LEVEL_INFORMATIONAL; l < LEVELS; l++)
		fprintf(out, " %s", level_name(l));
	fputs("' -- \"$cur\")\n\t\treturn ;;\n\tesac\n\tif [[ $cur == -* ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
	    out);
	const char *separator = "";
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_info *o = &option_table[i];
		if (o->help == NULL)
			continue;
		fprintf(out, "%s--%s", separator, o->name);
		separator = " ";
		if (o->letter != 0)
			fprintf(out, " -%c", o->letter);
	}
	fputs("' -- \"$cur\")\n\telse\n\t\tcompopt -o filenames\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n\tfi\n}\n"
	      "complete -F _postcard postcard\n",
	    out);
}
