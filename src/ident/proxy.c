/* The PROXY protocol: see proxy.h. */
#include "ident/proxy.h"

#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"

#define V1_MAX	     107u /* octets of the longest line, its CRLF too */
#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD	     16u
#define V2_TCP4	     0x11
#define V2_TCP6	     0x21

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The next word of the line, NUL-terminated in out; false where it is too long or missing. */
static bool
word(struct cursor *c, char out[ADDR_TEXT])
{
	size_t n = 0;
	while (cursor_left(c) > 0 && *c->p != ' ' && *c->p != '\r' && n < ADDR_TEXT - 1)
		out[n++] = (char)cursor_u8(c);
	out[n] = '\0';
	bool ended = cursor_left(c) > 0 && (*c->p == ' ' || *c->p == '\r');
	if (ended && *c->p == ' ')
		cursor_skip(c, 1);
	return n > 0 && ended;
}

static bool
number(const char *s, uint16_t *out)
{
	uint32_t n = 0;
	for (; *s >= '0' && *s <= '9' && n <= UINT16_MAX; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	*out = (uint16_t)n;
	return *s == '\0' && n <= UINT16_MAX;
}

/* "PROXY TCP4 source destination port port" CRLF */
static enum proxy_verdict
version_1(const uint8_t *data, size_t len, struct proxy_header *out)
{
	const uint8_t *lf = memchr(data, '\n', least(len, V1_MAX));
	struct cursor c;
	char family[ADDR_TEXT], source[ADDR_TEXT], destination[ADDR_TEXT], port[ADDR_TEXT];
	struct addr other;
	if (lf == NULL)
		return len < V1_MAX ? PROXY_MORE : PROXY_NONE;
	if (lf[-1] != '\r')
		return PROXY_NONE;
	out->version = 1;
	out->len = (size_t)(lf - data) + 1;
	c = cursor_of(data, out->len);
	cursor_skip(&c, strlen("PROXY "));
	if (!word(&c, family))
		return PROXY_NONE;
	if (strcmp(family, "UNKNOWN") == 0)
		return PROXY_HEADER;
	bool well = word(&c, source) && word(&c, destination) && word(&c, port) &&
	    addr_parse(source, &out->client) && addr_parse(destination, &other) &&
	    number(port, &out->client_port) && word(&c, port) &&
	    strcmp(family, out->client.family == 6 ? "TCP6" : "TCP4") == 0;
	return well ? PROXY_HEADER : PROXY_NONE;
}

/* signature (12), version and command (1), family (1), length (2), addresses, TLVs */
static enum proxy_verdict
version_2(const uint8_t *data, size_t len, struct proxy_header *out)
{
	struct cursor c = cursor_of(data, len);
	cursor_skip(&c, sizeof V2_SIGNATURE - 1);
	uint8_t command = cursor_u8(&c), family = cursor_u8(&c);
	uint16_t rest = cursor_be16(&c);
	if (c.bad)
		return PROXY_MORE;
	out->version = 2;
	out->len = V2_HEAD + (size_t)rest;
	if (command >> 4 != 2 || (command & 0x0f) > 1 || out->len > LIMIT_PROXY)
		return PROXY_NONE;
	if (len < out->len)
		return PROXY_MORE;
	if ((command & 0x0f) == 0) /* LOCAL: the balancer's own */
		return PROXY_HEADER;
	if (family == V2_TCP4 && rest >= 12) {
		out->client = addr_v4(data + V2_HEAD);
		out->client_port = load_be16(data + V2_HEAD + 8);
	} else if (family == V2_TCP6 && rest >= 36) {
		out->client = addr_v6(data + V2_HEAD);
		out->client_port = load_be16(data + V2_HEAD + 32);
	}
	return PROXY_HEADER;
}

enum proxy_verdict
proxy_parse(const uint8_t *data, size_t len, struct proxy_header *out)
{
	size_t n = sizeof V2_SIGNATURE - 1;
	memset(out, 0, sizeof *out);
	if (memcmp(data, "PROXY ", least(len, 6)) == 0)
		return len < 6 ? PROXY_MORE : version_1(data, len, out);
	if (memcmp(data, V2_SIGNATURE, least(len, n)) == 0)
		return len < n ? PROXY_MORE : version_2(data, len, out);
	return PROXY_NONE;
}
