/*
 * postcard -T: are configuration, rules and policies well formed, could a run begin, and what is
 * loaded?
 *
 * Nothing is opened, made or sent: interfaces must exist, an expression must compile, and what is
 * written must have a place where the user may write that a run becomes.
 */
#ifndef POSTCARD_APP_CHECK_H
#define POSTCARD_APP_CHECK_H

#include <stdio.h>

#include "app/config.h"
#include "app/options.h"

/* Loads all that a run would and prints it.  The exit status; what is wrong has been said on
 * standard error, a line each, and then nothing is printed. */
int check_show(const struct options *o, struct config *c, FILE *out);

#endif
