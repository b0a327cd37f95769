/* IP addresses and networks: see addr.h. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr
addr_v4(const uint8_t b[4])
{
	struct addr a = {.family = 4};
	memcpy(a.b, b, 4);
	return a;
}

struct addr
addr_v6(const uint8_t b[16])
{
	struct addr a = {.family = 6};
	memcpy(a.b, b, 16);
	return a;
}

/* An octet as decimal digits and a dot. */
struct decimal {
	char text[4];
};

/* Those of all octets, made once: to copy four characters takes half the time of making them, and
 * two to eight addresses are printed of each record. */
static const struct decimal *
decimals(void)
{
	static struct decimal all[256];
	for (unsigned n = 0; all[255].text[0] == '\0' && n < 256; n++) {
		char *out = all[n].text;
		if (n >= 100)
			*out++ = (char)('0' + n / 100);
		if (n >= 10)
			*out++ = (char)('0' + n / 10 % 10);
		*out++ = (char)('0' + n % 10);
		*out = '.';
	}
	return all;
}

/* Writes behind the end, too, but no further than an address of 15 characters and its NUL would
 * reach. */
static char *
print_v4(char *out, const uint8_t b[4])
{
	const struct decimal *octet = decimals();
	for (unsigned i = 0; i < 4; i++) {
		memcpy(out, octet[b[i]].text, sizeof octet->text);
		out += 2u + (b[i] >= 10) + (b[i] >= 100);
	}
	return out - 1; /* there the last dot stands */
}

/* Four hexadecimal digits without those in front that are 0. */
static char *
print_word(char *out, unsigned word)
{
	for (int shift = 12; shift >= 0; shift -= 4) {
		if (word >> shift != 0 || shift == 0)
			*out++ = "0123456789abcdef"[word >> shift & 15];
	}
	return out;
}

/* The longest run of words that are 0, the first of equal ones: where it begins; *len: 0 where
 * there is none of two words or more. */
static unsigned
longest_zeros(const unsigned word[8], unsigned *len)
{
	unsigned best = 0;
	*len = 0;
	for (unsigned i = 0, n; i < 8; i += n + 1) {
		n = 0;
		while (i + n < 8 && word[i + n] == 0)
			n++;
		if (n > 1 && n > *len) {
			best = i;
			*len = n;
		}
	}
	return best;
}

/* RFC 5952, with IPv4 addresses inside as the C library prints them. */
static char *
print_v6(char *out, const uint8_t b[16])
{
	unsigned word[8], len, zeros;
	for (unsigned i = 0; i < 8; i++)
		word[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	zeros = longest_zeros(word, &len);
	bool inside = zeros == 0 && (len == 6 || (len == 5 && word[5] == 0xffff));
	for (unsigned i = 0; i < 8;) {
		if (len > 0 && i == zeros) {
			*out++ = ':';
			i += len;
			if (i == 8)
				*out++ = ':';
			continue;
		}
		if (i > 0)
			*out++ = ':';
		if (inside && i == 6)
			return print_v4(out, b + 12);
		out = print_word(out, word[i++]);
	}
	return out;
}

/* (inet_ntop would take 1,000 instructions of printf, and three times that for IPv6) */
char *
addr_print(const struct addr *a, char out[ADDR_TEXT])
{
	char *end = a->family == 4 ? print_v4(out, a->b)
	    : a->family == 6	   ? print_v6(out, a->b)
				   : out;
	*end = '\0';
	return out;
}

bool
addr_parse(const char *s, struct addr *out)
{
	struct addr a = {0};
	if (inet_pton(AF_INET, s, a.b) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, s, a.b) == 1)
		a.family = 6;
	else
		return false;
	*out = a;
	return true;
}

bool
network_parse(const char *s, struct network *out)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(s, '/');
	size_t len = slash != NULL ? (size_t)(slash - s) : strlen(s);
	struct network n;
	if (len >= sizeof host)
		return false;
	memcpy(host, s, len);
	host[len] = '\0';
	if (!addr_parse(host, &n.addr))
		return false;
	unsigned long most = n.addr.family == 4 ? 32 : 128, bits = most;
	if (slash != NULL) {
		char *end;
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		bits = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || bits > most)
			return false;
	}
	n.bits = (uint8_t)bits;
	*out = n;
	return true;
}

char *
network_print(const struct network *n, char out[NETWORK_TEXT])
{
	addr_print(&n->addr, out);
	size_t len = strlen(out);
	snprintf(out + len, NETWORK_TEXT - len, "/%u", n->bits);
	return out;
}

bool
network_has(const struct network *n, const struct addr *a)
{
	if (n->addr.family != a->family || (n->bits >= 8 && n->addr.b[0] != a->b[0]))
		return false; /* nearly always */
	size_t whole = n->bits / 8u;
	unsigned rest = n->bits % 8u;
	if (memcmp(n->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((n->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

bool
networks_have(const struct network *n, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (network_has(&n[i], a))
			return true;
	}
	return false;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};
	return a->family == 4 ? a->b[0] == 127 : a->family == 6 && memcmp(a->b, one, 16) == 0;
}
