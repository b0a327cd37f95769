/* postcard -T: are configuration, rules and policies well formed, and what is loaded? */
#ifndef POSTCARD_APP_CHECK_H
#define POSTCARD_APP_CHECK_H

#include <stdio.h>

#include "app/config.h"
#include "app/options.h"

/* Loads all that a run would and prints it.  The exit status; what is wrong has been said on
 * standard error. */
int check_show(const struct options *o, struct config *c, FILE *out);

#endif
