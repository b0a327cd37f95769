/* What postcard says about itself: help, versions, fields, interfaces, manual, completion. */
#ifndef POSTCARD_APP_SHOW_H
#define POSTCARD_APP_SHOW_H

#include <stdbool.h>
#include <stdio.h>

/* Each writes to `out`; whether that went well is for the caller to ask of the stream. */
void show_usage(FILE *out);    /* a few lines, for a call without arguments */
void show_help(FILE *out);     /* a screen: the common options, and examples */
void show_all_help(FILE *out); /* all options, in groups */
void show_version(FILE *out);
void show_fields(FILE *out);
void show_completion(FILE *out); /* for bash */

/* The network interfaces, as tcpdump -D lists them.  False and a message in `error` where there is
 * none. */
bool show_interfaces(FILE *out, char error[512]);

/* The manual: the mdoc(7) text of `from` with its @VERSION@ and the lines @OPTIONS@, @KEYS@ and
 * @LISTS@ (of the configuration file) filled in.  For the build. */
void show_manual(FILE *from, FILE *out);

#endif
