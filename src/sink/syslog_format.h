/* Records as syslog messages, in the formats of syslog.h. */
#ifndef POSTCARD_SINK_SYSLOG_FORMAT_H
#define POSTCARD_SINK_SYSLOG_FORMAT_H

#include "record/record.h"
#include "sink/syslog_url.h"

struct syslog_format;

/* A formatter for a server; `host` is the name of this machine, `pid` of this process.  NULL where
 * there is no memory. */
struct syslog_format *
syslog_format_new(const struct syslog_url *u, bool reveal, const char *host, unsigned pid);
void syslog_format_free(struct syslog_format *f); /* NULL is allowed */

/* Is it a record that the URL asks for (kind and level)? */
bool syslog_format_wants(const struct syslog_format *f, const struct record *r);

/* The message of a record, without framing: one line, no NUL.  Octets written to out. */
size_t syslog_format_write(struct syslog_format *f, const struct record *r,
    char out[LIMIT_SYSLOG_MESSAGE + 1]);

#endif
