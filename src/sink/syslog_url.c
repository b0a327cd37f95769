/*
 * The URL of a syslog server: see syslog.h for what it may say.
 *
 * RFC 3986 as far as it is needed: scheme, authority without user, an absolute path (unix only),
 * a query of known names, each once.  What is wrong is said with the part that it is in; of what
 * stands before an @ (somebody's password, perhaps) nothing is repeated.
 */
#include "sink/syslog_url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "sink/words.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const schemes[] = {"unix", "udp", "tcp", "tls"};
static const uint16_t ports[] = {0, 514, 514, 6514};
static const char *const formats[] = {"rfc5424", "rfc3164", "cef", "leef", "json", "cee"};
static const char *const framings[] = {"octets", "lf"};
static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
static const char *const records[] = {"alerts", "sessions"};
static const char *const answers[] = {"no", "yes"};
/* RFC 5424 section 6.2.1; the words of syslog.conf */
static const char *const facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
    "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0", "local1",
    "local2", "local3", "local4", "local5", "local6", "local7"};

enum parameter {
	FORMAT,
	FRAMING,
	FACILITY,
	LEVEL,
	RECORDS,
	HEARTBEAT,
	CA, /* from here on: tls only */
	CERT,
	KEY,
	VERIFY,
	NAME
};
static const char *const parameters[] = {"format", "framing", "facility", "level", "records",
    "heartbeat", "ca", "cert", "key", "verify", "name"};

/* "syslog URL: the port 'x' ..."; words of the user are cut and made safe to show. */
static bool __attribute__((format(printf, 4, 5)))
wrong(char error[SINK_ERROR], const char *word, size_t len, const char *fmt, ...)
{
	struct text t = text_in(error, SINK_ERROR);
	char shown[48];
	struct text w = text_in(shown, sizeof shown);
	text_add_wire(&w, word, len);
	text_puts(&t, "syslog URL: ");
	if (word != NULL)
		text_printf(&t, "'%s%s' ", shown, w.cut ? "..." : "");
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(t.buf + t.len, t.cap - t.len, fmt, ap);
	va_end(ap);
	(void)n; /* what does not fit is cut */
	return false;
}

/* The same of a word that is none of `n`, with the one that may be meant, or all of them. */
static bool
unknown(char error[SINK_ERROR], const char *word, size_t len, const char *what,
    const char *const *words, size_t n)
{
	char list[160];
	struct text t = text_in(list, sizeof list);
	size_t near = nearest(word, len, words, n);
	if (near < n)
		return wrong(error, word, len, "is no %s; '%s' is", what, words[near]);
	for (size_t i = 0; i < n; i++)
		text_printf(&t, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	return wrong(error, word, len, "is no %s, which may be %s", what,
	    t.cut ? "that of syslog.conf" : list);
}

static size_t
find(const char *word, size_t len, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return i;
	}
	return n;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9'		     ? c - '0'
	    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
						     : -1;
}

/* Percent-decodes `len` octets as a string of at most cap - 1; false where it is none. */
static bool
decode(const char *s, size_t len, char *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '%') {
			if (len - i < 3 || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
				return false;
			c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		}
		if (c == '\0' || n + 1 >= cap)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* Is it a name of a host or an address? */
static bool
is_host(const char *s)
{
	struct in6_addr any;
	if (strchr(s, ':') != NULL)
		return inet_pton(AF_INET6, s, &any) == 1;
	return *s != '\0' && *s != '.' && *s != '-' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
	    strlen(s);
}

static bool
parse_port(struct syslog_url *u, const char *s, size_t len, char error[SINK_ERROR])
{
	unsigned port = 0;
	for (size_t i = 0; i < len && port <= 65535; i++) {
		if (s[i] < '0' || s[i] > '9')
			return wrong(error, s, len, "is no port (1 to 65535)");
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	if (port == 0 || port > 65535)
		return wrong(error, s, len, "is no port (1 to 65535)");
	u->port = (uint16_t)port;
	return true;
}

/* HOST[:PORT] of `len` octets. */
static bool
parse_authority(struct syslog_url *u, const char *s, size_t len, char error[SINK_ERROR])
{
	if (memchr(s, '@', len) != NULL)
		return wrong(error, NULL, 0, "a syslog server takes no user name or password");
	const char *host = s, *port = NULL;
	size_t host_len = len;
	if (len > 0 && *s == '[') {
		const char *end = memchr(s, ']', len);
		if (end == NULL || (end + 1 < s + len && end[1] != ':'))
			return wrong(error, s, len, "is no IPv6 address in brackets");
		host = s + 1;
		host_len = (size_t)(end - host);
		port = end + 1 < s + len ? end + 2 : NULL;
	} else if ((port = memchr(s, ':', len)) != NULL) {
		host_len = (size_t)(port++ - s);
		if (memchr(port, ':', (size_t)(s + len - port)) != NULL)
			return wrong(error, s, len,
			    "is no host: an IPv6 address stands in brackets");
	}
	if (host_len == 0)
		return wrong(error, NULL, 0, "the host is missing");
	if (host_len >= sizeof u->host)
		return wrong(error, host, host_len, "is too long for a host");
	memcpy(u->host, host, host_len);
	u->host[host_len] = '\0';
	if (!is_host(u->host) || (*s == '[') != (strchr(u->host, ':') != NULL))
		return wrong(error, host, host_len, "is no host name or address");
	return port == NULL || parse_port(u, port, (size_t)(s + len - port), error);
}

static bool
parse_words(const char *value, const char *what, const char *const *words, size_t n, size_t *out,
    char error[SINK_ERROR])
{
	*out = find(value, strlen(value), words, n);
	return *out < n || unknown(error, value, strlen(value), what, words, n);
}

static bool
parse_parameter(struct syslog_url *u, enum parameter p, const char *value, char error[SINK_ERROR])
{
	size_t i = 0;
	bool tls = p >= CA, ok = true;
	if (tls && u->transport != SYSLOG_TLS)
		return wrong(error, parameters[p], strlen(parameters[p]), "is for tls:// only");
	if (p == FRAMING && u->transport < SYSLOG_TCP)
		return wrong(error, "framing", 7, "is for tcp:// and tls:// only");
	if (*value == '\0')
		return wrong(error, parameters[p], strlen(parameters[p]), "has no value");
	switch (p) {
	case FORMAT:
		ok = parse_words(value, "format", formats, COUNT(formats), &i, error);
		u->format = (enum syslog_form)i;
		break;
	case FRAMING:
		ok = parse_words(value, "framing", framings, COUNT(framings), &i, error);
		u->lines = i == 1;
		break;
	case FACILITY:
		ok = parse_words(value, "facility", facilities, COUNT(facilities), &i, error);
		u->facility = (uint8_t)i;
		break;
	case LEVEL:
		ok = parse_words(value, "level", levels, COUNT(levels), &i, error);
		u->level = LEVEL_INFORMATIONAL + (int)i;
		break;
	case RECORDS:
		ok = parse_words(value, "kind of records", records, COUNT(records), &i, error);
		u->sessions = i == 1;
		break;
	case HEARTBEAT:
		if (strlen(value) > 6 || value[strspn(value, "0123456789")] != '\0')
			return wrong(error, value, strlen(value), "is no number of seconds");
		u->heartbeat_s = (unsigned)strtoul(value, NULL, 10);
		break;
	case VERIFY:
		ok = parse_words(value, "answer to 'verify'", answers, COUNT(answers), &i, error);
		u->verify = i == 1;
		break;
	case CA: memcpy(u->ca, value, strlen(value) + 1); break;
	case CERT: memcpy(u->cert, value, strlen(value) + 1); break;
	case KEY: memcpy(u->key, value, strlen(value) + 1); break;
	case NAME:
		if (strlen(value) >= sizeof u->name || !is_host(value))
			return wrong(error, value, strlen(value), "is no host name or address");
		memcpy(u->name, value, strlen(value) + 1);
		break;
	}
	return ok;
}

static bool
parse_query(struct syslog_url *u, const char *s, char error[SINK_ERROR])
{
	unsigned seen = 0;
	for (; *s != '\0'; s += *s == '&') {
		size_t len = strcspn(s, "&"), n = 0;
		while (n < len && s[n] != '=')
			n++;
		size_t p = find(s, n, parameters, COUNT(parameters));
		if (p == COUNT(parameters))
			return unknown(error, s, n, "parameter", parameters, COUNT(parameters));
		if (n == len)
			return wrong(error, s, n, "has no value");
		if ((seen & 1u << p) != 0)
			return wrong(error, s, n, "is given twice");
		seen |= 1u << p;
		char value[SYSLOG_FILE];
		if (!decode(s + n + 1, len - n - 1, value, sizeof value))
			return wrong(error, s, n,
			    "has a value that is too long, or a bad %%XX in it");
		if (!parse_parameter(u, (enum parameter)p, value, error))
			return false;
		s += len;
	}
	return true;
}

static bool
parse_socket(struct syslog_url *u, const char *s, size_t len, char error[SINK_ERROR])
{
	if (len == 0 || *s != '/')
		return wrong(error, s, len, "is no absolute path: unix:///dev/log is one");
	if (!decode(s, len, u->socket, sizeof u->socket))
		return wrong(error, s, len, "is too long for a socket, or has a bad %%XX in it");
	return true;
}

bool
syslog_url_parse(struct syslog_url *u, const char *url, char error[SINK_ERROR])
{
	memset(u, 0, sizeof *u);
	u->verify = true;
	u->level = LEVEL_INFORMATIONAL;
	u->facility = 2;
	u->heartbeat_s = SYSLOG_HEARTBEAT_S;
	const char *colon = strstr(url, "://");
	if (colon == NULL)
		return wrong(error, NULL, 0,
		    "it begins with unix://, udp://, tcp:// or tls://: tls://loghost");
	size_t n = (size_t)(colon - url), i = find(url, n, schemes, COUNT(schemes));
	if (i == COUNT(schemes)) {
		if (memchr(url, '@', n) != NULL)
			n = 0;
		return unknown(error, url, n, "transport", schemes, COUNT(schemes));
	}
	u->transport = (enum syslog_transport)i;
	u->port = ports[i];
	const char *rest = colon + 3, *query = strchr(rest, '?');
	size_t len = query != NULL ? (size_t)(query - rest) : strlen(rest);
	if (memchr(rest, '#', len) != NULL)
		return wrong(error, NULL, 0, "a '#' has no meaning in it");
	if (u->transport == SYSLOG_UNIX) {
		u->format = FORMAT_RFC3164;
		if (!parse_socket(u, rest, len, error))
			return false;
	} else {
		const char *slash = memchr(rest, '/', len);
		size_t authority = slash != NULL ? (size_t)(slash - rest) : len;
		if (!parse_authority(u, rest, authority, error))
			return false;
		if (slash != NULL && authority + 1 < len)
			return wrong(error, slash, len - authority,
			    "has no meaning behind a host: parameters stand behind a '?'");
	}
	if (query != NULL && !parse_query(u, query + 1, error))
		return false;
	if (u->key[0] != '\0' && u->cert[0] == '\0')
		return wrong(error, NULL, 0, "'key' is given, but no 'cert'");
	if (u->name[0] == '\0')
		memcpy(u->name, u->host, sizeof u->name);
	struct text t = text_in(u->shown, sizeof u->shown);
	text_printf(&t, "%s://", schemes[u->transport]);
	if (u->transport == SYSLOG_UNIX)
		text_add_wire(&t, u->socket, strlen(u->socket));
	else
		text_printf(&t, strchr(u->host, ':') != NULL ? "[%s]:%u" : "%s:%u", u->host,
		    u->port);
	return true;
}
