/* The words of SMTP: see smtp_syntax.h. */
#include "mail/smtp_syntax.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct verb {
	const char *word;
	uint8_t what;
} verbs[] = {
    {"EHLO", CMD_EHLO},
    {"HELO", CMD_HELO},
    {"LHLO", CMD_EHLO},
    {"MAIL", CMD_MAIL},
    {"RCPT", CMD_RCPT},
    {"DATA", CMD_DATA},
    {"BDAT", CMD_BDAT},
    {"RSET", CMD_RSET},
    {"STARTTLS", CMD_STARTTLS},
    {"AUTH", CMD_AUTH},
    {"X-ANONYMOUSTLS", CMD_STARTTLS},
    {"QUIT", CMD_QUIT},
    {"NOOP", CMD_OTHER},
    {"HELP", CMD_OTHER},
    {"VRFY", CMD_OTHER},
    {"EXPN", CMD_OTHER},
    {"ETRN", CMD_ETRN},
    {"XCLIENT", CMD_XCLIENT},
    {"XFORWARD", CMD_XFORWARD},
    {"TURN", CMD_TURN},
    {"ATRN", CMD_TURN},
    {"BURL", CMD_BURL},
    {"SEND", CMD_MAIL}, /* and the next two: to a terminal (RFC 821 section 3.4) */
    {"SOML", CMD_MAIL},
    {"SAML", CMD_MAIL},
    {"XEXCH50", CMD_OTHER},
};

#define VERBS (sizeof verbs / sizeof verbs[0])

uint8_t
smtp_verb(const char *s, size_t len)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (ascii_is(s, len, verbs[i].word))
			return verbs[i].what;
	}
	return CMD_NONE;
}

uint16_t
smtp_verb_number(const char *s, size_t len)
{
	uint16_t i = 0;
	while (i < VERBS && !ascii_is(s, len, verbs[i].word))
		i++;
	return (uint16_t)(i + 1);
}

const char *
smtp_verb_at(uint16_t number)
{
	return number > 0 && number <= VERBS ? verbs[number - 1].word : "(no command)";
}

bool
smtp_may_become_verb(const char *s, size_t len)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (len <= strlen(verbs[i].word) && strncasecmp(verbs[i].word, s, len) == 0)
			return true;
	}
	return false;
}

void
smtp_path(const char *s, size_t len, const char **out, size_t *out_len)
{
	size_t at = mail_skip_blanks(s, len, 0), end;
	bool quoted = false;
	if (at < len && s[at] == '<') {
		for (end = ++at; end < len && (quoted || s[end] != '>'); end++) {
			if (s[end] == '"')
				quoted = !quoted;
			else if (s[end] == '\\')
				end++;
		}
		if (end > len)
			end = len;
		if (end > at &&
		    s[at] == '@') { /* a source route (RFC 5321 section 4.1.2): of old */
			const char *colon = memchr(s + at, ':', end - at);
			if (colon != NULL)
				at = (size_t)(colon - s) + 1;
		}
	} else {
		end = at + mail_word_len(s + at, len - at);
	}
	*out = s + at;
	*out_len = end - at;
}

bool
smtp_next_word(const char *s, size_t len, size_t *at, const char **word, size_t *n)
{
	*at = mail_skip_blanks(s, len, *at);
	*word = s + *at;
	*n = mail_word_len(s + *at, len - *at);
	*at += *n;
	return *n > 0;
}

bool
smtp_bdat(const char *arg, size_t len, uint64_t *octets, bool *last)
{
	size_t i = 0;
	*octets = 0;
	while (i < len && arg[i] >= '0' && arg[i] <= '9' && *octets < LIMIT_CONTENT_LITERAL)
		*octets = *octets * 10 + (uint64_t)(arg[i++] - '0');
	size_t at = mail_skip_blanks(arg, len, i);
	*last = ascii_is(arg + at, len - at, "LAST");
	return i > 0 && *octets < LIMIT_CONTENT_LITERAL && (at == len || *last);
}

/* A code, and what stands behind it: as far as it is there. */
static enum plausible
plausible_reply(const char *data, size_t len)
{
	static const char *const allowed[] = {"2345", "012345", "0123456789", " -\r"};
	for (size_t i = 0; i < 4; i++) {
		if (i == len)
			return PLAUSIBLE_MAYBE;
		if (data[i] == '\0' || strchr(allowed[i], data[i]) == NULL)
			return PLAUSIBLE_NO;
	}
	return PLAUSIBLE_YES;
}

enum plausible
smtp_plausible(const struct mail_session *s, enum mail_side side, const char *data, size_t len)
{
	static const char *const starts[] = {"MAIL FROM:", "RCPT TO:", "DATA\r\n", "QUIT\r\n",
	    "RSET\r\n", "EHLO ", "HELO ", "LHLO ", "STARTTLS\r\n", "AUTH ", "BDAT ", "NOOP\r\n"};
	enum plausible best = PLAUSIBLE_NO;
	(void)s;
	if (side == MAIL_SERVER)
		return plausible_reply(data, len);
	for (size_t i = 0; i < sizeof starts / sizeof starts[0] && best != PLAUSIBLE_YES; i++) {
		enum plausible p = mail_plausible_word(data, len, starts[i]);
		best = p > best ? p : best;
	}
	return best;
}

/* IANA's "SMTP Service Extensions", and what Postfix and Exchange offer beside these.  At most 32.
 */
static const struct {
	const char *name;
	bool sure; /* nothing else is called so at the head of a line */
} keywords[] = {{"STARTTLS", false}, {"SIZE", true}, {"PIPELINING", true}, {"8BITMIME", true},
    {"HELP", true}, {"DSN", true}, {"AUTH", true}, {"ENHANCEDSTATUSCODES", true},
    {"CHUNKING", true}, {"SMTPUTF8", true}, {"VRFY", true}, {"ETRN", true}, {"EXPN", true},
    {"BINARYMIME", true}, {"DELIVERBY", false}, {"CHECKPOINT", false}, {"ATRN", false},
    {"MTRK", false}, {"SUBMITTER", false}, {"NO-SOLICITING", false}, {"FUTURERELEASE", false},
    {"CONPERM", false}, {"BURL", false}, {"MT-PRIORITY", false}, {"RRVS", false},
    {"REQUIRETLS", false}, {"LIMITS", false}, {"XCLIENT", false}, {"XFORWARD", false},
    {"X-EXPS", false}, {"XEXCH50", false}, {"X-ANONYMOUSTLS", false}};

uint32_t
smtp_keyword(const char *s, size_t len)
{
	static const size_t n = sizeof keywords / sizeof *keywords;
	for (size_t i = 0; i < n; i++) {
		if (ascii_is(s, len, keywords[i].name))
			return (uint32_t)1 << i;
	}
	return 0;
}

uint32_t
smtp_keywords_sure(void)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		bits |= (uint32_t)keywords[i].sure << i;
	return bits;
}

uint32_t
smtp_keywords_tls(void)
{
	static const size_t last = sizeof keywords / sizeof *keywords - 1;
	return 1u | (uint32_t)1 << last; /* STARTTLS and X-ANONYMOUSTLS, as they stand there */
}

const char *
mail_keyword(unsigned bit)
{
	return bit < sizeof keywords / sizeof *keywords ? keywords[bit].name : NULL;
}
