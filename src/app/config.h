/*
 * The configuration file: YAML, whose keys are the long names of options, and
 *
 *   placeholders:   names that %name% in rules stands for, each with a value or a list of them
 *   policies:       forced-TLS policies (judge/policy.h)
 *
 * Paths in it are taken from the folder that it is in.
 */
#ifndef POSTCARD_APP_CONFIG_H
#define POSTCARD_APP_CONFIG_H

#include "app/options.h"
#include "base/arena.h"
#include "judge/judge.h"

struct config {
	struct arena arena;	   /* of the words below */
	struct policies *policies; /* NULL: none, or given to the judge */
	struct placeholder placeholder[LIMIT_PLACEHOLDERS + 2];
	size_t placeholders;
};

/*
 * Reads the file that the options name, if any, and sets options in `o` that the command line does
 * not.  The placeholders %home_net% (the home networks) and %partner_domains% (empty unless
 * given) are always there.  False with a message ("file:line:column: cause") in `error` (YAML_ERROR
 * octets).  Free with config_free in any case, after the options.
 */
bool config_read(struct config *c, struct options *o, char *error);

/* Loads rules, texts, placeholders and policies (which are the judge's from then on) into the
 * judge: all or nothing.  False with a message. */
bool config_judge(struct config *c, const struct options *o, struct judge *j, char *error);

void config_free(struct config *c);

#endif
