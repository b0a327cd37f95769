/*
 * The command line.
 *
 * Options may stand anywhere.  Words that directly follow -r are files as long as they name
 * something that exists or look like a file (a '/' in them, or the ending of a capture); the first
 * word that does neither begins the filter expression, and so does `--`.  Once the expression has
 * begun all words that are no options belong to it.
 */
#ifndef POSTCARD_APP_OPTIONS_H
#define POSTCARD_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/limits.h"
#include "judge/judge.h"

#define OPTIONS_ERROR 512 /* octets of a message of options_parse, with its NUL */

enum option {
#define OPTION(id, letter, name, argument, metavar, traits, group, help, manual) OPTION_##id,
#include "app/options.def"
#undef OPTION
	OPTIONS
};

enum option_argument {
	ARGUMENT_NONE,
	ARGUMENT_TEXT,
	ARGUMENT_FILE,
	ARGUMENT_DIR,
	ARGUMENT_WORD,
	ARGUMENT_FILES
};

enum option_trait { TRAIT_SETTING = 1, TRAIT_REPEATS = 2, TRAIT_COMMON = 4 }; /* options.def */

enum option_group {
	GROUP_INPUT,
	GROUP_OUTPUT,
	GROUP_JUDGEMENT,
	GROUP_PROCESS,
	GROUP_ABOUT,
	GROUPS
};

struct option_info {
	char letter;	     /* 0: none */
	uint8_t argument;    /* enum option_argument */
	uint8_t traits;	     /* enum option_trait, or-ed */
	uint8_t group;	     /* enum option_group */
	const char *name;    /* without the dashes */
	const char *metavar; /* NULL where it takes no argument */
	const char *help;    /* NULL: hidden */
	const char *manual;  /* mdoc */
};

extern const struct option_info option_table[OPTIONS];
extern const char *const option_groups[GROUPS]; /* their headings */

enum action {
	ACTION_REPLAY, /* of files, or live from interfaces */
	ACTION_TEST,
	ACTION_HELP,
	ACTION_HELP_ALL,
	ACTION_VERSION,
	ACTION_INTERFACES,
	ACTION_FIELDS,
	ACTION_MAN,
	ACTION_COMPLETION
};

struct options {
	enum action action;
	const char **files;	/* captures to read; the words are those of argv */
	size_t file_count;	/* 0: interfaces are watched */
	const char *filter;	/* pcap-filter(7) expression; NULL: none */
	char *expression;	/* the words of the command line that make one; owned */
	const char *loose_word; /* the word behind the files that began the expression, not `--`;
				   NULL: none.  It may be a misspelt file */
	uint64_t packets;	/* stop after so many; 0: never */
	uint64_t memory;	/* octets for all tables; 0: not said */
	bool json;
	bool quiet;
	bool numeric;
	bool reveal;
	bool no_ndpi;
	bool test;			       /* -T, whatever else is said */
	int verbose;			       /* times that -v was given */
	uint64_t given;			       /* bit i: option i stands on the command line */
	const char *config;		       /* file; NULL: none */
	const char *state;		       /* file; NULL: none */
	const char *rules[LIMIT_RULE_SOURCES]; /* in the place of the shipped ones */
	size_t rules_count;
	const char *extra[LIMIT_RULE_SOURCES]; /* beside them */
	size_t extra_count;
	const char *interfaces[LIMIT_LIVE_INTERFACES]; /* to watch */
	size_t interface_count;			       /* 0: files are read */
	uint16_t ports[LIMIT_PORTS];		       /* of mail, besides the usual ones */
	size_t port_count;
	bool all_ports;
	bool no_promiscuous;
	bool single_process;
	uint64_t buffer;		   /* octets of the kernel's ring; 0: not said */
	uint32_t snaplen;		   /* octets of a packet; 0: all */
	unsigned jobs;			   /* worker processes; 0: not said */
	const char *user;		   /* to run as; NULL: not said */
	const char *out;		   /* file of JSON records; NULL: none */
	const char *syslog[LIMIT_SYSLOGS]; /* URLs */
	size_t syslog_count;
	const char *spool;	/* folder; NULL: not said */
	uint64_t spool_size;	/* octets; 0: not said */
	const char *metrics;	/* file; NULL: none */
	const char *geoip_dir;	/* NULL: the usual places */
	const char *vendors;	/* the same, of tables of network cards */
	enum level fail_level;	/* LEVEL_NONE: not asked for */
	bool fail_on_cleartext; /* whatever its level */
	size_t home_count;	/* 0: the default */
	struct network home[LIMIT_HOME_NETS];
};

/*
 * Reads the command line.  Words of argv are kept, not copied.  False and a message in `error`
 * (one line, control characters escaped) where it is wrong.  Free with options_free in any case.
 */
bool options_parse(struct options *o, int argc, char **argv, char error[OPTIONS_ERROR]);

/*
 * Sets one option as a configuration file does; `value` ("" where it takes none) must live as long
 * as the options.  Nothing where the option stands on the command line.  False with a message.
 */
bool options_set(struct options *o, enum option id, const char *value, char error[OPTIONS_ERROR]);

/* Does one option stand on the command line? */
bool options_given(const struct options *o, enum option id);

/* Do the options, those of the configuration file too, name something to do?  False with a message.
 */
bool options_check(const struct options *o, char error[OPTIONS_ERROR]);

void options_free(struct options *o);

#endif
