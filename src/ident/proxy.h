/*
 * The PROXY protocol in front of a dialogue (haproxy.org, proxy-protocol.txt, versions 1 and 2):
 * what a load balancer says of the client that it speaks for.
 */
#ifndef POSTCARD_IDENT_PROXY_H
#define POSTCARD_IDENT_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum proxy_verdict {
	PROXY_NONE, /* no such header */
	PROXY_MORE, /* it may become one */
	PROXY_HEADER,
};

struct proxy_header {
	uint8_t version;    /* 1 or 2 */
	size_t len;	    /* octets of the header; the dialogue follows */
	struct addr client; /* family 0 where it is not told (UNKNOWN, LOCAL) */
	uint16_t client_port;
};

/* Looks at the first `len` octets of a client; at most LIMIT_PROXY of them are wanted. */
enum proxy_verdict proxy_parse(const uint8_t *data, size_t len, struct proxy_header *out);

#endif
