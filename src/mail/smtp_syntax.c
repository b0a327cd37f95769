/* The words of SMTP: see smtp_syntax.h. */
#include "mail/smtp_syntax.h"

#include <string.h>
#include <strings.h>

#include "base/lexicon.h"
#include "base/scan.h"
#include "base/text.h"

static const struct verb {
	struct literal word;
	uint8_t what;
} verbs[] = {
    {{WORD("EHLO")}, CMD_EHLO},
    {{WORD("HELO")}, CMD_HELO},
    {{WORD("LHLO")}, CMD_EHLO},
    {{WORD("MAIL")}, CMD_MAIL},
    {{WORD("RCPT")}, CMD_RCPT},
    {{WORD("DATA")}, CMD_DATA},
    {{WORD("BDAT")}, CMD_BDAT},
    {{WORD("RSET")}, CMD_RSET},
    {{WORD("STARTTLS")}, CMD_STARTTLS},
    {{WORD("AUTH")}, CMD_AUTH},
    {{WORD("X-EXPS")}, CMD_AUTH}, /* as Exchange calls it among its own */
    {{WORD("X-ANONYMOUSTLS")}, CMD_STARTTLS},
    {{WORD("QUIT")}, CMD_QUIT},
    {{WORD("NOOP")}, CMD_OTHER},
    {{WORD("HELP")}, CMD_OTHER},
    {{WORD("VRFY")}, CMD_OTHER},
    {{WORD("EXPN")}, CMD_OTHER},
    {{WORD("ETRN")}, CMD_ETRN},
    {{WORD("XCLIENT")}, CMD_XCLIENT},
    {{WORD("XFORWARD")}, CMD_XFORWARD},
    {{WORD("TURN")}, CMD_TURN},
    {{WORD("ATRN")}, CMD_TURN},
    {{WORD("BURL")}, CMD_BURL},
    {{WORD("SEND")}, CMD_MAIL}, /* and the next two: to a terminal (RFC 821 section 3.4) */
    {{WORD("SOML")}, CMD_MAIL},
    {{WORD("SAML")}, CMD_MAIL},
    {{WORD("XEXCH50")}, CMD_XEXCH50},
    {{WORD("ONEX")}, CMD_OTHER}, /* and the next two: Sendmail's */
    {{WORD("VERB")}, CMD_OTHER},
    {{WORD("XUSR")}, CMD_OTHER},
};

#define VERBS (sizeof verbs / sizeof verbs[0])

static struct lexicon verb_lexicon = {LEXICON(verbs)};

uint8_t
smtp_verb(const char *s, size_t len)
{
	size_t i = lexicon_find(&verb_lexicon, s, len);
	return i < VERBS ? verbs[i].what : (uint8_t)CMD_NONE;
}

uint16_t
smtp_verb_number(const char *s, size_t len)
{
	return (uint16_t)(lexicon_find(&verb_lexicon, s, len) + 1);
}

const char *
smtp_verb_at(uint16_t number)
{
	return number > 0 && number <= VERBS ? verbs[number - 1].word.s : "(no command)";
}

bool
smtp_may_become_verb(const char *s, size_t len)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (len <= verbs[i].word.len && strncasecmp(verbs[i].word.s, s, len) == 0)
			return true;
	}
	return false;
}

/* The end of a path: its '>', unless that is quoted. */
static size_t
path_end(const char *s, size_t len)
{
	const char *close = memchr(s, '>', len);
	size_t end = close != NULL ? (size_t)(close - s) : len;
	bool quoted = false;
	if (scan_either(s, end, '"', '\\') == end) /* as nearly always */
		return end;
	for (end = 0; end < len && (quoted || s[end] != '>'); end++) {
		if (s[end] == '"')
			quoted = !quoted;
		else if (s[end] == '\\')
			end++;
	}
	return end < len ? end : len;
}

void
smtp_path(const char *s, size_t len, const char **out, size_t *out_len)
{
	size_t at = mail_skip_blanks(s, len, 0), end;
	if (at < len && s[at] == '<') {
		at++;
		end = at + path_end(s + at, len - at);
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
 * Nothing else than those of 1 to SURE is called so at the head of a line. */
#define SURE 13u
static const struct literal keywords[] = {{WORD("STARTTLS")}, {WORD("SIZE")}, {WORD("PIPELINING")},
    {WORD("8BITMIME")}, {WORD("HELP")}, {WORD("DSN")}, {WORD("AUTH")},
    {WORD("ENHANCEDSTATUSCODES")}, {WORD("CHUNKING")}, {WORD("SMTPUTF8")}, {WORD("VRFY")},
    {WORD("ETRN")}, {WORD("EXPN")}, {WORD("BINARYMIME")}, {WORD("DELIVERBY")}, {WORD("CHECKPOINT")},
    {WORD("ATRN")}, {WORD("MTRK")}, {WORD("SUBMITTER")}, {WORD("NO-SOLICITING")},
    {WORD("FUTURERELEASE")}, {WORD("CONPERM")}, {WORD("BURL")}, {WORD("MT-PRIORITY")},
    {WORD("RRVS")}, {WORD("REQUIRETLS")}, {WORD("LIMITS")}, {WORD("XCLIENT")}, {WORD("XFORWARD")},
    {WORD("X-EXPS")}, {WORD("XEXCH50")}, {WORD("X-ANONYMOUSTLS")}};

#define KEYWORDS (sizeof keywords / sizeof keywords[0])

static struct lexicon keyword_lexicon = {LEXICON(keywords)};

uint32_t
smtp_keyword(const char *s, size_t len)
{
	size_t i = lexicon_find(&keyword_lexicon, s, len);
	return i < KEYWORDS ? (uint32_t)1 << i : 0;
}

uint32_t
smtp_keywords_sure(void)
{
	return ((uint32_t)2 << SURE) - 2;
}

uint32_t
smtp_keywords_tls(void)
{
	return 1u |
	    (uint32_t)1 << (KEYWORDS - 1); /* STARTTLS and X-ANONYMOUSTLS, as they stand there */
}

const struct literal *
mail_keyword(unsigned bit)
{
	return bit < KEYWORDS ? &keywords[bit] : NULL;
}
