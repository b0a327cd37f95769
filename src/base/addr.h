/* IP addresses and networks: parse, print, compare. */
#ifndef POSTCARD_BASE_ADDR_H
#define POSTCARD_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_TEXT 46 /* octets that the longest printed address takes, with its NUL */

#define NETWORK_TEXT (ADDR_TEXT + 4u) /* the same of a network */

struct addr {
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t b[16];	/* network order; an IPv4 address takes the first four, the rest are zero */
};

struct network {
	struct addr addr;
	uint8_t bits; /* prefix length: 0 to 32 or 0 to 128 */
};

struct addr addr_v4(const uint8_t b[4]);
struct addr addr_v6(const uint8_t b[16]);

/* Prints in the form of RFC 5952 (IPv6) or dotted (IPv4).  Returns out. */
char *addr_print(const struct addr *a, char out[ADDR_TEXT]);

/* Reads "192.0.2.1" or "2001:db8::1"; false where it is neither. */
bool addr_parse(const char *s, struct addr *out);

/* Reads "10.0.0.0/8", or an address alone as the network of just itself; false where it is neither.
 */
bool network_parse(const char *s, struct network *out);

/* Prints "10.0.0.0/8".  Returns out. */
char *network_print(const struct network *n, char out[NETWORK_TEXT]);

bool network_has(const struct network *n, const struct addr *a);

/* Is it in one of `count` networks? */
bool networks_have(const struct network *n, size_t count, const struct addr *a);

/* Loopback: 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

#endif
