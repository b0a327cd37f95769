/* postcard: finds mail that crossed the network without TLS.  The only file that exits. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/check.h"
#include "app/config.h"
#include "app/options.h"
#include "app/run.h"
#include "app/show.h"
#include "base/log.h"

#define MANUAL "src/app/postcard.1.in" /* where the build, at the top of the tree, has it */

/* A file that is opened must not become standard output because that one was closed. */
static void
occupy_standard_descriptors(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int
print_manual(void)
{
	FILE *from = fopen(MANUAL, "r");
	if (from == NULL) {
		log_say("%s: %s", MANUAL, strerror(errno));
		return STATUS_ERROR;
	}
	show_manual(from, stdout);
	fclose(from);
	return STATUS_DONE;
}

/* What needs the configuration: a run, or a look at what is loaded. */
static int
act_configured(struct options *o)
{
	char error[YAML_ERROR];
	struct config c;
	int status = STATUS_ERROR;
	char wrong[OPTIONS_ERROR];
	if (!config_read(&c, o, error))
		log_say("%s", error);
	else if (!options_check(o, wrong))
		log_say("%s; try 'postcard -h'", wrong);
	else
		status = o->action == ACTION_TEST ? check_show(o, &c, stdout) : run_once(o, &c);
	config_free(&c);
	return status;
}

static int
act(struct options *o)
{
	char error[512];
	switch (o->action) {
	case ACTION_REPLAY:
	case ACTION_TEST: return act_configured(o);
	case ACTION_HELP: show_help(stdout); break;
	case ACTION_HELP_ALL: show_all_help(stdout); break;
	case ACTION_VERSION: show_version(stdout); break;
	case ACTION_FIELDS: show_fields(stdout); break;
	case ACTION_COMPLETION: show_completion(stdout); break;
	case ACTION_MAN: return print_manual();
	case ACTION_INTERFACES:
		if (!show_interfaces(stdout, error)) {
			log_say("%s", error);
			return STATUS_ERROR;
		}
		break;
	}
	return STATUS_DONE;
}

int
main(int argc, char **argv)
{
	struct options options;
	char error[OPTIONS_ERROR];
	occupy_standard_descriptors();
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		show_usage(stderr);
		return STATUS_ERROR;
	}
	if (!options_parse(&options, argc, argv, error)) {
		log_say("%s; try 'postcard -h'", error);
		options_free(&options);
		return STATUS_ERROR;
	}
	int status = act(&options);
	options_free(&options);
	errno = 0;
	if (fclose(stdout) != 0 && status != STATUS_ERROR) {
		if (errno != EPIPE)
			log_say("standard output: %s", strerror(errno));
		status = STATUS_ERROR;
	}
	return status;
}
