/*
 * The configuration file: YAML, whose keys are the long names of options (those with the trait
 * SETTING in options.def), and
 *
 *   placeholders:   names that %name% in rules stands for, each with a value or a list of them
 *   policies:       forced-TLS policies (judge/policy.h)
 *
 * Paths in it are taken from the folder that it is in.  The command line goes before it, option by
 * option.
 */
#ifndef POSTCARD_APP_CONFIG_H
#define POSTCARD_APP_CONFIG_H

#include "app/options.h"
#include "app/sandbox.h"
#include "base/arena.h"
#include "base/text.h"
#include "judge/judge.h"

/* A value of the file, and where it stands. */
struct config_place {
	const struct config_place *next;
	enum option id;
	const char *value; /* as the options have it */
	unsigned line;
};

struct config {
	struct options line;		   /* the options as the command line alone has them */
	const char *path;		   /* the file that was read; NULL: none */
	const struct config_place *places; /* of its texts, the last first */
	struct arena arena;	   /* of the words below, and of those that the options have */
	struct policies *policies; /* NULL: none, or given to the judge */
	struct placeholder placeholder[LIMIT_PLACEHOLDERS + 2];
	size_t placeholders;
};

/*
 * Reads the file that the options name, or else PATHS_CONFIG where that is there and no captures
 * are named, and sets options in `o` that the command line does not; `interface` is left where
 * captures are read.  Where the interface stands in the file, state and spool have
 * their default if PATHS_LIB is there.
 * The placeholders %home_net% (the home networks) and %partner_domains% (empty unless given) are
 * always there.  To read it anew, take a copy of `line` as the options of another configuration.
 * False with a message ("file:line:column: cause") in `error` (YAML_ERROR octets).  Free with
 * config_free in any case, after the options.
 */
bool config_read(struct config *c, struct options *o, char *error);

/*
 * Whom a live run becomes: the user that is named; of a run by hand (-i on the command line) who
 * called sudo, else PATHS_USER or PATHS_NOBODY.  As identity_find (sandbox.h).
 */
bool config_identity(const struct options *o, struct identity *id, char error[SANDBOX_ERROR]);

/* Where an option (one of a list: with that value) was set, for a message about it: "file:line: "
 * or "--name: ".  `t` gets it added. */
void config_place_add(const struct config *c, enum option id, const char *value, struct text *t);

/* The same of a value that stands in the file ("file:line: "); of others nothing is added. */
void config_line_add(const struct config *c, enum option id, const char *value, struct text *t);

/* Loads rules, texts, placeholders and policies (which are the judge's from then on) into the
 * judge: all or nothing.  False with a message. */
bool config_judge(struct config *c, const struct options *o, struct judge *j, char *error);

void config_free(struct config *c);

#endif
