/*
 * Received fields: see received.h.
 *
 * RFC 5321 section 4.4 gives the clauses (from, by, via, with, id, for), RFC 3848 and RFC 6531 the
 * protocols whose S says TLS, RFC 8314 section 4.3 the clause tls.  Most software says TLS in a
 * comment instead, each in its own way: the forms below are those of Postfix, Exim, OpenSMTPD,
 * sendmail (and Proofpoint and Haraka), Exchange, Gmail, IronPort, Courier and qmail with patches.
 *
 * The sending side's name stands in the field too, and with careless software it may hold anything:
 * a clause that comes twice makes the whole field worth nothing, two different addresses are none,
 * and TLS in a comment before "by" is believed of Postfix, which lets no name make one, or where
 * the protocol says the same.
 *
 * That there was no TLS is believed where the software is known to say so when there is: it names
 * itself.  A field without its date was cut, and may have lost what it said of TLS.
 */
#include "mail/received.h"

#include <string.h>

#include "base/lexicon.h"
#include "base/scan.h"
#include "base/text.h"
#include "mail/date.h"

struct slice {
	const char *s;
	size_t len;
};

enum software { OTHER, POSTFIX, EXIM, OPENSMTPD, SENDMAIL };

enum clause { NOTHING, FROM, BY, VIA, WITH, ID, FOR, TLS, CLAUSES };

static const struct literal clause_word[CLAUSES] = {{WORD("")}, {WORD("from")}, {WORD("by")},
    {WORD("via")}, {WORD("with")}, {WORD("id")}, {WORD("for")}, {WORD("tls")}};

/* A field under way. */
struct reading {
	struct received *out;
	struct slice via, protocol;   /* their values */
	struct slice version, cipher; /* of TLS */
	struct addr literal;	      /* the sending side's name, where that is an address */
	unsigned seen;		      /* a bit for each clause */
	enum clause clause;	      /* the last one */
	enum software software;	      /* what the receiving side calls itself */
	bool value_due;		      /* its keyword was read */
	bool begun;		      /* anything was read */
	bool odd;		      /* it says two things at once */
	bool two_addresses;
	bool local;	/* it says that it is no network hop */
	bool sealed;	/* it says TLS */
	bool early;	/* so does a comment before "by" */
	bool doubt;	/* it speaks of TLS in words that are not known */
	bool encrypted; /* the word, behind a cipher in the place of the protocol */
	bool microsoft; /* the words of its protocol go on */
};

/* ---- slices ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	c = ascii_lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool
is(struct slice s, const char *word)
{
	return ascii_is(s.s, s.len, word);
}

static bool
begins(struct slice s, const char *word)
{
	return ascii_begins(s.s, s.len, word);
}

static struct slice
behind(struct slice s, size_t n)
{
	n = n < s.len ? n : s.len;
	return (struct slice){s.s + n, s.len - n};
}

/* The octets of s before the first `stop`, or all. */
static struct slice
until(struct slice s, char stop)
{
	const char *at = s.len > 0 ? memchr(s.s, stop, s.len) : NULL;
	return (struct slice){s.s, at != NULL ? (size_t)(at - s.s) : s.len};
}

/* What ends a word, an atom, a name, or means something in a comment: a bit of each octet, since to
 * search among them for each octet was a fifth of a worker's time for headers. */
#define ENDS_WORD  1u
#define ENDS_ATOM  2u
#define ENDS_NAME  4u
#define IN_COMMENT 8u
static const uint8_t ends[256] = {
    [' '] = ENDS_WORD | ENDS_ATOM | ENDS_NAME,
    ['\t'] = ENDS_WORD | ENDS_ATOM,
    ['\r'] = ENDS_WORD | ENDS_ATOM,
    ['\n'] = ENDS_WORD | ENDS_ATOM,
    ['('] = ENDS_WORD | ENDS_ATOM | IN_COMMENT,
    [')'] = ENDS_WORD | IN_COMMENT,
    ['\\'] = IN_COMMENT,
    [','] = ENDS_WORD | ENDS_NAME,
    [';'] = ENDS_ATOM,
    ['/'] = ENDS_NAME,
};

/* The octets of s before the first that has the bit, or all. */
static struct slice
until_end(struct slice s, unsigned bit)
{
	return (struct slice){s.s, scan_class(s.s, s.len, ends, bit)};
}

/* Takes the next word off `rest`: what stands between white space, commas and parentheses. */
static bool
next_word(struct slice *rest, struct slice *word)
{
	while (rest->len > 0 && ends[(uint8_t)*rest->s] & ENDS_WORD)
		*rest = behind(*rest, 1);
	*word = until_end(*rest, ENDS_WORD);
	*rest = behind(*rest, word->len);
	return word->len > 0;
}

/* ---- addresses ---- */

static bool
address(struct slice s, struct addr *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char buf[ADDR_TEXT];
	if (begins(s, "IPv6:"))
		s = behind(s, 5);
	s = until(s, '%'); /* an interface's name */
	if (s.len == 0 || s.len >= sizeof buf || memchr(s.s, '\0', s.len) != NULL)
		return false;
	memcpy(buf, s.s, s.len);
	buf[s.len] = '\0';
	if (!addr_parse(buf, out))
		return false;
	if (out->family == 6 && memcmp(out->b, mapped, sizeof mapped) == 0)
		*out = addr_v4(out->b + sizeof mapped);
	return true;
}

/* "[192.0.2.1]", "[192.0.2.1]:4711" */
static bool
literal(struct slice s, struct addr *out)
{
	return s.len > 2 && s.s[0] == '[' && address(until(behind(s, 1), ']'), out);
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "ident@192.0.2.1" */
static bool
bare_address(struct slice s, struct addr *out)
{
	struct slice host = until(s, '@');
	if (host.len < s.len)
		s = behind(s, host.len + 1);
	if (address(s, out))
		return true;
	host = until(s, ':');
	return host.len < s.len && address(host, out) && out->family == 4;
}

static void
take_address(struct reading *r, const struct addr *a)
{
	struct addr *ip = &r->out->ip;
	r->two_addresses = r->two_addresses || (ip->family != 0 && memcmp(ip, a, sizeof *a) != 0);
	*ip = *a;
}

/* A comment behind the sending side's name: "host [192.0.2.1]", "[192.0.2.1] helo=name",
 * "192.0.2.1", "HELO name". */
static void
take_tcp_info(struct reading *r, struct slice comment)
{
	struct slice rest = comment, word;
	struct addr a = {0};
	unsigned words = 0;
	bool alone = false;
	if (begins(comment, "HELO") || begins(comment, "EHLO") || begins(comment, "LHLO"))
		return;
	if (is(comment, "[unix socket]")) /* Cyrus */
		r->local = true;
	while (next_word(&rest, &word)) {
		if (is(word, "[local]")) /* OpenSMTPD */
			r->local = true;
		if (literal(word, &a))
			take_address(r, &a);
		alone = words++ == 0 && bare_address(word, &a);
	}
	if (alone && words == 1)
		take_address(r, &a);
}

/* ---- TLS ---- */

/* "TLSv1.3", "TLS1_2", "SSLv3" */
static bool
is_version(struct slice s)
{
	if (!begins(s, "TLS") && !begins(s, "SSL"))
		return false;
	s = behind(s, 3);
	if (begins(s, "v"))
		s = behind(s, 1);
	if (s.len == 0 || !is_digit(*s.s))
		return false;
	for (; s.len > 0; s = behind(s, 1)) {
		if (!is_digit(*s.s) && *s.s != '.' && *s.s != '_')
			return false;
	}
	return true;
}

/* Does one of its names stand for no encryption at all (NULL-SHA256, TLS_RSA_WITH_NULL_SHA)? */
static bool
is_null_cipher(struct slice s)
{
	for (size_t from = 0, i = 0; i <= s.len; i++) {
		if (i < s.len && is_alnum(s.s[i]))
			continue;
		struct slice part = {s.s + from, i - from};
		if (is(part, "NULL") || is(part, "eNULL"))
			return true;
		from = i + 1;
	}
	return false;
}

/* What is said last counts, and what the receiving side says behind its name comes later. */
static void
take_tls(struct reading *r, struct slice version, struct slice cipher)
{
	if (r->seen >> BY & 1)
		r->sealed = true;
	else
		r->early = true;
	r->version = version.len > 0 ? version : r->version;
	r->cipher = cipher.len > 0 ? cipher : r->cipher;
}

/* "version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256": Gmail, sendmail, Exchange, Haraka */
static void
take_pairs(struct reading *r, struct slice comment)
{
	struct slice word, version = {"", 0}, cipher = {"", 0};
	while (next_word(&comment, &word)) {
		if (begins(word, "version="))
			version = behind(word, strlen("version="));
		else if (begins(word, "cipher="))
			cipher = behind(word, strlen("cipher="));
	}
	if (is_version(until(version, '/')))
		take_tls(r, version, cipher);
	else
		r->doubt = true;
}

/* "using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)": Postfix */
static void
take_using(struct reading *r, struct slice comment)
{
	struct slice word[5] = {{"", 0}};
	for (unsigned i = 0; i < 5 && next_word(&comment, &word[i]); i++)
		;
	if (is_version(word[1]))
		take_tls(r, word[1],
		    is(word[2], "with") && is(word[3], "cipher") ? word[4] : (struct slice){"", 0});
}

/* "TLS: TLSv1.2,256bits,AES256-GCM-SHA384": Courier */
static void
take_courier(struct reading *r, struct slice comment)
{
	struct slice word, cipher = {"", 0}, version;
	(void)next_word(&comment, &word);
	if (!next_word(&comment, &version) || !is_version(until(version, '/')))
		return;
	while (next_word(&comment, &word))
		cipher = word;
	take_tls(r, version, cipher);
}

/* "TLS1.3", "TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256", "TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO" */
static bool
take_colons(struct reading *r, struct slice word)
{
	struct slice version = until(word, ':');
	if (!is_version(version))
		return false;
	take_tls(r, version, until(behind(word, version.len + 1), ':'));
	return true;
}

/* Is it a cipher's name, more or less: capitals, digits and marks between them? */
static bool
is_cipher(struct slice s)
{
	bool mark = false;
	for (size_t i = 0; i < s.len; i++) {
		bool here = s.s[i] == '-' || s.s[i] == '_';
		mark = mark || here;
		if (!here && (!is_alnum(s.s[i]) || s.s[i] != ascii_upper(s.s[i])))
			return false;
	}
	return mark;
}

/* A comment of the receiving side about the protocol. */
static void
take_remark(struct reading *r, struct slice comment)
{
	struct slice rest = comment, first, second;
	if (begins(comment, "version=") || begins(comment, "cipher=")) {
		take_pairs(r, comment);
		return;
	}
	if (is(comment, "TLS") || is(comment, "SSL")) { /* Exchange */
		take_tls(r, comment, (struct slice){"", 0});
		return;
	}
	if (!next_word(&rest, &first))
		return;
	bool more = next_word(&rest, &second);
	if (!more && take_colons(r, first))
		return;
	if (more && is(second, "encrypted") && is_cipher(first)) /* qmail with TLS */
		take_tls(r, (struct slice){"", 0}, first);
}

/* ---- who wrote it ---- */

/* "8.17.1.9/8.17.1.9/Debian-2" */
static bool
is_sendmail(struct slice comment)
{
	return begins(comment, "8.") && comment.len > 2 && is_digit(comment.s[2]) &&
	    ascii_find(comment.s, comment.len, "/8.") != NULL;
}

static void
take_software(struct reading *r, struct slice comment)
{
	struct slice name = until_end(comment, ENDS_NAME);
	if (is(name, "Postfix")) {
		r->software = POSTFIX;
		r->local = r->local || ascii_find(comment.s, comment.len, "from userid") != NULL;
	} else if (is(name, "Exim")) {
		r->software = EXIM;
	} else if (is(name, "OpenSMTPD")) {
		r->software = OPENSMTPD;
	} else if (is_sendmail(comment)) {
		r->software = SENDMAIL;
		r->local = r->local || ascii_find(comment.s, comment.len, "/Submit") != NULL;
	}
}

/* Google writes "by mx.google.com" with what it saw of the sending side. */
static bool
is_google(const struct received *out)
{
	static const char *const domains[] = {".google.com", ".gmail.com"};
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		size_t n = strlen(domains[i]);
		if (out->by_len > n && ascii_is(out->by + out->by_len - n, n, domains[i]))
			return out->ip.family != 0;
	}
	return false;
}

/* ---- clauses ---- */

static void
put_with(struct received *out, struct slice s)
{
	size_t had = strlen(out->with);
	struct text t = {out->with, sizeof out->with, had, false};
	text_puts(&t, had > 0 ? " " : "");
	for (size_t i = 0; i < s.len; i++)
		text_putc(&t, ascii_upper(s.s[i]));
}

/* "ESMTPS", "ESMTP/TLS/DHE-RSA-AES256-SHA" (IronPort), "Microsoft SMTP Server" */
static void
take_with(struct reading *r, struct slice s)
{
	const char *tls = ascii_find(s.s, s.len, "/TLS/");
	if (tls != NULL) {
		size_t n = (size_t)(tls - s.s);
		put_with(r->out, (struct slice){s.s, n});
		take_tls(r, (struct slice){"", 0}, behind(s, n + strlen("/TLS/")));
		return;
	}
	r->protocol = s;
	r->microsoft = is(s, "Microsoft");
	put_with(r->out, s);
}

static void
take_value(struct reading *r, struct slice s)
{
	struct received *out = r->out;
	switch (r->clause) {
	case FROM:
		(void)literal(s, &r->literal);
		if (memchr(s.s, '@', s.len) == NULL) {
			out->from = s.s;
			out->from_len = s.len;
		}
		break;
	case BY:
		out->by = s.s;
		out->by_len = s.len;
		break;
	case VIA: r->via = s; break;
	case WITH: take_with(r, s); break;
	case TLS:
		if (begins(s, "TLS_"))
			take_tls(r, (struct slice){"", 0}, s);
		break;
	default: break;
	}
}

/* A word that is no keyword's value. */
static void
take_more(struct reading *r, struct slice s)
{
	if (r->clause != WITH)
		return;
	if (r->microsoft && (is(s, "SMTP") || is(s, "Server"))) {
		put_with(r->out, s);
	} else if (r->encrypted) { /* "with DHE-RSA-AES256-SHA encrypted SMTP": qmail with TLS */
		r->encrypted = false;
		r->out->with[0] = '\0';
		put_with(r->out, s);
	} else if (is(s, "encrypted")) {
		r->encrypted = is_cipher(r->protocol);
		if (r->encrypted)
			take_tls(r, (struct slice){"", 0}, r->protocol);
	}
}

static void
take_atom(struct reading *r, struct slice s)
{
	unsigned c = NOTHING;
	if (r->value_due) {
		r->value_due = false;
		take_value(r, s);
		return;
	}
	for (unsigned i = FROM; i < CLAUSES && c == NOTHING; i++) {
		if (s.len == clause_word[i].len && ascii_equal(s.s, clause_word[i].s, s.len))
			c = i;
	}
	if (c == NOTHING) {
		take_more(r, s);
		return;
	}
	if (c == FROM || c == BY || c == WITH)
		r->odd = r->odd || (r->seen >> c & 1) != 0 || (c == FROM && r->seen != 0);
	r->seen |= 1u << c;
	r->clause = (enum clause)c;
	r->value_due = true;
	r->microsoft = false;
}

static void
take_comment(struct reading *r, struct slice s)
{
	while (s.len > 0 && is_space(*s.s))
		s = behind(s, 1);
	while (s.len > 0 && is_space(s.s[s.len - 1]))
		s.len--;
	if (!r->begun && ascii_find(s.s, s.len, " invoked ") != NULL) /* qmail, nullmailer */
		r->local = true;
	if (begins(s, "using "))
		take_using(r, s);
	else if (begins(s, "TLS: "))
		take_courier(r, s);
	else if (!(r->seen >> BY & 1))
		take_tcp_info(r, s);
	else {
		take_software(r, s);
		take_remark(r, s);
	}
}

/* The comment that begins at s, without its parentheses; what is behind it is left in `rest`. */
static struct slice
comment_of(struct slice s, struct slice *rest)
{
	unsigned depth = 1;
	size_t i = 1;
	for (; i < s.len; i++) {
		i += scan_class(s.s + i, s.len - i, ends, IN_COMMENT);
		if (i == s.len || (s.s[i] == ')' && --depth == 0))
			break;
		depth += s.s[i] == '(';
		i += s.s[i] == '\\';
	}
	i = i < s.len ? i : s.len;
	*rest = behind(s, i + 1);
	return (struct slice){s.s + 1, i - 1};
}

static void
take_clauses(struct reading *r, struct slice rest)
{
	while (rest.len > 0) {
		if (is_space(*rest.s) || *rest.s == ';') {
			rest = behind(rest, 1);
			continue;
		}
		struct slice s = rest;
		if (*rest.s == '(') {
			take_comment(r, comment_of(s, &rest));
		} else {
			s = until_end(rest, ENDS_ATOM);
			rest = behind(rest, s.len);
			take_atom(r, s);
		}
		r->begun = true;
	}
}

/* The date stands behind the last semicolon that is in no comment.  False where there is none. */
static bool
split_date(struct slice all, struct slice *clauses, struct slice *date)
{
	bool found = false;
	*clauses = all;
	for (struct slice rest = all;;) {
		rest = behind(rest, scan_either(rest.s, rest.len, '(', ';'));
		if (rest.len == 0)
			break;
		if (*rest.s == '(') {
			(void)comment_of(rest, &rest);
			continue;
		}
		found = true;
		*clauses = (struct slice){all.s, (size_t)(rest.s - all.s)};
		*date = rest = behind(rest, 1);
	}
	return found;
}

/* ---- what it comes to ---- */

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (word[0] == list[i][0] && strcmp(word, list[i]) == 0)
			return true;
	}
	return false;
}

#define ONE_OF(word, list) is_one_of((word), (list), sizeof(list) / sizeof *(list))

/* Exim's local, local-smtp, local-bsmtp */
static bool
is_local(const char *with)
{
	return strncmp(with, "LOCAL", strlen("LOCAL")) == 0;
}

static bool
says_tls(const struct reading *r)
{
	/* RFC 3848, RFC 6531 section 4.3, Exim's for HELO, web mail, getmail */
	static const char *const sealed[] = {"ESMTPS", "ESMTPSA", "SMTPS", "SMTPSA", "LMTPS",
	    "LMTPSA", "UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTPS", "UTF8LMTPSA", "HTTPS", "POP3S",
	    "IMAPS", "POP3-SSL", "IMAP4-SSL"};
	return r->sealed || ONE_OF(r->out->with, sealed) || (r->early && r->software == POSTFIX);
}

/* What the receiving side is, as far as the field has its way of writing. */
static const char *
software_of(const struct reading *r)
{
	static const char *const names[] = {[OTHER] = NULL,
	    [POSTFIX] = "Postfix",
	    [EXIM] = "Exim",
	    [OPENSMTPD] = "OpenSMTPD",
	    [SENDMAIL] = "sendmail"};
	if (r->odd)
		return NULL;
	if (strcmp(r->out->with, "MICROSOFT SMTP SERVER") == 0 || strcmp(r->out->with, "MAPI") == 0)
		return "Exchange";
	return r->software == OTHER && is_google(r->out) ? "Google" : names[r->software];
}

static enum received_state
state_of(const struct reading *r, bool whole)
{
	static const char *const bare[] = {"SMTP", "ESMTP", "ESMTPA", "ASMTP", "UTF8SMTP",
	    "UTF8SMTPA"};
	static const char *const pipes[] = {"LMTP", "LMTPA", "UTF8LMTP", "UTF8LMTPA"};
	const struct received *out = r->out;
	const char *with = out->with;
	if (r->odd)
		return RECEIVED_UNKNOWN;
	if (r->local || addr_is_loopback(&out->ip) || strcmp(with, "MAPI") == 0 || is_local(with))
		return RECEIVED_LOCAL;
	if (says_tls(r))
		return is_null_cipher(r->cipher) ? RECEIVED_READABLE : RECEIVED_SEALED;
	/* Dovecot leaves the address out where there is none: a socket of the file system */
	if (ONE_OF(with, pipes) && whole && out->ip.family == 0 && r->literal.family == 0 &&
	    !r->two_addresses)
		return RECEIVED_LOCAL;
	if (!whole || r->doubt)
		return RECEIVED_UNKNOWN;
	if (strcmp(with, "MICROSOFT SMTP SERVER") == 0 || strcmp(with, "QMQP") == 0)
		return RECEIVED_READABLE; /* Exchange; what never has TLS */
	if (!ONE_OF(with, bare) || (r->software == OTHER && !is_google(out)))
		return RECEIVED_UNKNOWN;
	/* Postfix has no S for those who said HELO (RFC 3848 is about ESMTP), and the comment only
	 * where it is configured */
	if (r->software == POSTFIX && strcmp(with, "SMTP") == 0)
		return RECEIVED_UNKNOWN;
	return RECEIVED_READABLE;
}

static void
put_tls(struct received *out, struct slice version, struct slice cipher)
{
	struct text t = text_in(out->tls, sizeof out->tls);
	text_add(&t, version.s, version.len);
	text_puts(&t, version.len > 0 && cipher.len > 0 ? " " : "");
	text_add(&t, cipher.s, cipher.len);
}

void
received_parse(const char *s, size_t len, struct received *out)
{
	static const struct slice none = {"", 0};
	struct reading r = {.out = out,
	    .via = none,
	    .protocol = none,
	    .version = none,
	    .cipher = none};
	struct slice clauses, date = {"", 0};
	memset(out, 0, sizeof *out);
	out->from = out->by = "";
	bool whole = split_date((struct slice){s, len}, &clauses, &date);
	take_clauses(&r, clauses);
	out->has_time = whole && mail_date_parse(date.s, date.len, &out->time_ns);
	if (r.software == EXIM && r.literal.family != 0) /* the address that it saw */
		take_address(&r, &r.literal);
	if (r.odd || r.two_addresses)
		memset(&out->ip, 0, sizeof out->ip);
	if (out->with[0] == '\0' && (is(r.via, "HTTP") || is(r.via, "HTTPS")))
		put_with(out, r.via);
	if (is_local(out->with) || (r.software == EXIM && out->ip.family == 0)) {
		/* from a user, not from a host */
		out->from = "";
		out->from_len = 0;
	}
	out->software = software_of(&r);
	out->state = state_of(&r, whole);
	if (says_tls(&r))
		put_tls(out, r.version, r.cipher);
}

const char *
received_state_name(enum received_state state)
{
	static const char *const names[] = {"unknown", "sealed", "readable", "local"};
	return names[state];
}
