/* The URL of a syslog server (see syslog.h), taken apart. */
#ifndef POSTCARD_SINK_SYSLOG_URL_H
#define POSTCARD_SINK_SYSLOG_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "sink/sink.h"

enum syslog_transport { SYSLOG_UNIX, SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };
enum syslog_form {
	FORMAT_RFC5424,
	FORMAT_RFC3164,
	FORMAT_CEF,
	FORMAT_LEEF,
	FORMAT_JSON,
	FORMAT_CEE
};

#define SYSLOG_HOST	   254u /* octets of a host name and its NUL (RFC 1035) */
#define SYSLOG_HEARTBEAT_S 600
#define SYSLOG_FILE	   512u /* of the path of a file */

struct syslog_url {
	enum syslog_transport transport;
	enum syslog_form format;
	char host[SYSLOG_HOST]; /* name, or address without brackets; unix: empty */
	char socket[108];	/* unix: path of the socket */
	uint16_t port;		/* 0 for unix */
	bool lines;		/* framing=lf */
	uint8_t facility;	/* 0 to 23 */
	int level;		/* LEVEL_x of words.h: the least that is sent */
	bool sessions;		/* records=sessions */
	unsigned heartbeat_s;	/* between two words that all is well; 0: none are sent */
	bool verify;		/* tls: check the certificate */
	char ca[SYSLOG_FILE];	/* tls: files; empty for none */
	char cert[SYSLOG_FILE];
	char key[SYSLOG_FILE];
	char name[SYSLOG_HOST];	      /* tls: the name to check; the host's where none is given */
	char shown[SYSLOG_HOST + 24]; /* "tls://loghost:6514", for messages */
};

/* False and what is wrong in `error`: the part and the cause, nothing that could be a secret. */
bool syslog_url_parse(struct syslog_url *u, const char *url, char error[SINK_ERROR]);

#endif
