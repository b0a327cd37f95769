/*
 * What lines of IMAP are made of: commands, literals, arguments (RFC 9051 section 9).  Bounded by
 * the line they are given; no state.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mail/imap.h"

static const struct verb {
	const char *word;
	uint8_t what;
} verbs[] = {
    {"STARTTLS", IMAP_STARTTLS},
    {"LOGIN", IMAP_LOGIN},
    {"AUTHENTICATE", IMAP_AUTHENTICATE},
    {"COMPRESS", IMAP_COMPRESS},
    {"APPEND", IMAP_APPEND},
    {"REPLACE", IMAP_APPEND},
    {"CAPABILITY", IMAP_CAPABILITY},
    {"ID", IMAP_ID},
    {"FETCH", IMAP_FETCH},
    {"UID", IMAP_OTHER},
    {"NOOP", IMAP_OTHER},
    {"LOGOUT", IMAP_OTHER},
    {"SELECT", IMAP_OTHER},
    {"EXAMINE", IMAP_OTHER},
    {"CREATE", IMAP_OTHER},
    {"DELETE", IMAP_OTHER},
    {"RENAME", IMAP_OTHER},
    {"SUBSCRIBE", IMAP_OTHER},
    {"UNSUBSCRIBE", IMAP_OTHER},
    {"LIST", IMAP_OTHER},
    {"LSUB", IMAP_OTHER},
    {"XLIST", IMAP_OTHER},
    {"STATUS", IMAP_OTHER},
    {"CHECK", IMAP_OTHER},
    {"CLOSE", IMAP_OTHER},
    {"UNSELECT", IMAP_OTHER},
    {"EXPUNGE", IMAP_OTHER},
    {"SEARCH", IMAP_OTHER},
    {"ESEARCH", IMAP_OTHER},
    {"SORT", IMAP_OTHER},
    {"THREAD", IMAP_OTHER},
    {"STORE", IMAP_OTHER},
    {"COPY", IMAP_OTHER},
    {"MOVE", IMAP_OTHER},
    {"IDLE", IMAP_OTHER},
    {"NOTIFY", IMAP_OTHER},
    {"NAMESPACE", IMAP_OTHER},
    {"ENABLE", IMAP_OTHER},
    {"GETQUOTAROOT", IMAP_OTHER},
    {"GETQUOTA", IMAP_OTHER},
    {"GETACL", IMAP_OTHER},
    {"MYRIGHTS", IMAP_OTHER},
    {"GETMETADATA", IMAP_OTHER},
    {"SETMETADATA", IMAP_OTHER},
    {"GENURLAUTH", IMAP_OTHER},
    {"URLFETCH", IMAP_OTHER},
    {"UNAUTHENTICATE", IMAP_OTHER},
};

static uint8_t
verb_of(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (ascii_is(s, len, verbs[i].word))
			return verbs[i].what;
	}
	return IMAP_NONE;
}

struct imap_parts
imap_split(const char *s, size_t len)
{
	struct imap_parts p = {.tag_len = mail_word_len(s, len)};
	p.word = mail_skip_blanks(s, len, p.tag_len); /* of which some servers take several */
	p.word_len = mail_word_len(s + p.word, len - p.word);
	p.arg = mail_skip_blanks(s, len, p.word + p.word_len);
	if (p.tag_len == 0)
		return p;
	p.what = verb_of(s + p.word, p.word_len);
	if (ascii_is(s + p.word, p.word_len, "UID")) {
		size_t n = mail_word_len(s + p.arg, len - p.arg);
		uint8_t what = verb_of(s + p.arg, n);
		if (what == IMAP_FETCH || what == IMAP_APPEND) {
			p.what = what;
			p.arg += n < len - p.arg ? n + 1 : n;
		}
	}
	if (ascii_is(s + p.word, p.word_len, "REPLACE") ||
	    (p.what == IMAP_APPEND &&
		ascii_is(s + p.word, p.word_len, "UID"))) { /* a number comes before the mailbox */
		size_t n = mail_word_len(s + p.arg, len - p.arg);
		p.arg += n < len - p.arg ? n + 1 : n;
	}
	return p;
}

bool
imap_may_become_command(const char *s, size_t len)
{
	struct imap_parts p = imap_split(s, len);
	if (p.tag_len == 0 || p.tag_len > LIMIT_TAG_DOUBTFUL)
		return false;
	if (p.word + p.word_len < len)
		return false; /* the word is complete, and none */
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (p.word_len <= strlen(verbs[i].word) &&
		    strncasecmp(verbs[i].word, s + p.word, p.word_len) == 0)
			return true;
	}
	return false;
}

bool
imap_literal_of(const char *s, size_t len, struct imap_literal *out)
{
	if (len < 3 || s[len - 1] != '}')
		return false;
	size_t i = len - 1;
	bool sync = s[i - 1] != '+' && s[i - 1] != '-';
	i -= !sync;
	size_t end = i;
	while (i > 0 && s[i - 1] >= '0' && s[i - 1] <= '9')
		i--;
	if (i == end || i == 0 || s[i - 1] != '{' || end - i > 12)
		return false;
	*out = (struct imap_literal){.at = i - 1, .sync = sync};
	for (size_t k = i; k < end; k++)
		out->octets = out->octets * 10 + (uint64_t)(s[k] - '0');
	if (out->at > 0 && s[out->at - 1] == '~')
		out->at--;
	return out->octets < LIMIT_CONTENT_LITERAL;
}

size_t
imap_secret_at(const char *s, size_t len, size_t at)
{
	size_t i = at;
	i += i < len && s[i] == '~';
	if (i == len || s[i] != '{')
		return at < len && i == len ? len : at;
	i++;
	size_t digits = i;
	while (i < len && s[i] >= '0' && s[i] <= '9')
		i++;
	if (i == len && i - digits <= 12)
		return len; /* it may become one */
	if (i == digits || i - digits > 12)
		return at;
	i += s[i] == '+' || s[i] == '-';
	if (i == len)
		return len;
	if (s[i] != '}' || i + 1 < len)
		return at;
	return len;
}

/* Behind the astring at `at`: len where it does not end in the line. */
static size_t
skip_astring(const char *s, size_t len, size_t at)
{
	size_t i = at;
	if (s[i] != '"')
		return at + mail_word_len(s + at, len - at);
	for (i++; i < len && s[i] != '"'; i++)
		i += s[i] == '\\' && i + 1 < len;
	return i < len ? i + 1 : len;
}

size_t
imap_login_secret(const char *s, size_t len, size_t at, unsigned done, unsigned *seen)
{
	*seen = 0;
	while (done + *seen < 2) {
		at = mail_skip_blanks(s, len, at);
		if (at == len)
			return len;
		(*seen)++;
		if (done + *seen == 2)
			return imap_secret_at(s, len, at);
		at = skip_astring(s, len, at);
	}
	return len;
}

/* The value of a quoted string at `at`, unescaped, as far as it fits; returns where it ends. */
static size_t
unquote(const char *s, size_t len, size_t at, char *out, size_t cap, size_t *n)
{
	*n = 0;
	if (at >= len || s[at] != '"')
		return at + mail_word_len(s + at, len - at); /* NIL */
	for (at++; at < len && s[at] != '"'; at++) {
		at += s[at] == '\\' && at + 1 < len;
		if (*n < cap)
			out[(*n)++] = s[at];
	}
	return at < len ? at + 1 : len;
}

size_t
imap_agent(const char *s, size_t len, char *out, size_t cap)
{
	char key[12], value[LIMIT_AGENT_PART], name[LIMIT_AGENT_PART], version[LIMIT_AGENT_PART];
	size_t name_len = 0, version_len = 0, key_len, n, at = 0;
	while (at < len && s[at] != '(')
		at++;
	at++;
	while ((at = mail_skip_blanks(s, len, at)) < len && s[at] == '"') {
		at = mail_skip_blanks(s, len, unquote(s, len, at, key, sizeof key, &key_len));
		at = unquote(s, len, at, value, sizeof value, &n);
		if (ascii_is(key, key_len, "name")) {
			memcpy(name, value, n);
			name_len = n;
		} else if (ascii_is(key, key_len, "version")) {
			memcpy(version, value, n);
			version_len = n;
		}
	}
	if (name_len == 0 || name_len + version_len + 1 > cap)
		return 0;
	memcpy(out, name, name_len);
	if (version_len == 0)
		return name_len;
	out[name_len] = ' ';
	memcpy(out + name_len + 1, version, version_len);
	return name_len + 1 + version_len;
}
