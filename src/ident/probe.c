/*
 * The own probe: see probe.h.  Tables of how lines begin; a line that begins like none of them is
 * not mail, unless the port says that it should be.
 */
#include "ident/probe.h"

#include <string.h>

#include "base/scan.h"
#include "base/text.h"

struct start {
	const char *text;
	uint8_t verdict; /* enum probe_verdict */
	bool sure;
	bool server; /* says a server (else a client) */
};

/* How the lines of each side begin.  Case-blind. */
static const struct start starts[] = {
    {"EHLO ", PROBE_SMTP, true, false},
    {"HELO ", PROBE_SMTP, true, false},
    {"LHLO ", PROBE_SMTP, true, false},
    {"MAIL FROM:", PROBE_SMTP, true, false},
    {"RCPT TO:", PROBE_SMTP, true, false},
    {"STARTTLS\r\n", PROBE_SMTP, false, false},
    {"X-ANONYMOUSTLS", PROBE_SMTP, true, false},
    {"220 ", PROBE_SMTP, false, true},
    {"220-", PROBE_SMTP, false, true},
    {"250 2.", PROBE_SMTP, true, true},
    {"250-", PROBE_SMTP, false, true},
    {"250 ", PROBE_SMTP, false, true},
    {"354 ", PROBE_SMTP, false, true},
    {"421 ", PROBE_SMTP, false, true},
    {"554 ", PROBE_SMTP, false, true},
    {"554-", PROBE_SMTP, false, true},
    {"* OK", PROBE_IMAP, true, true},
    {"* PREAUTH", PROBE_IMAP, true, true},
    {"* BYE", PROBE_IMAP, true, true},
    {"* CAPABILITY", PROBE_IMAP, true, true},
    {"+OK", PROBE_POP3, false, true},
    {"CAPA\r\n", PROBE_POP3, false, false},
    {"APOP ", PROBE_POP3, false, false},
    {"STLS\r\n", PROBE_POP3, true, false},
};

/* What only counts where the port promises it. */
static const struct start on_smtp[] = {
    {"HELP", PROBE_SMTP, true, false},
    {"NOOP", PROBE_SMTP, true, false},
    {"QUIT", PROBE_SMTP, true, false},
    {"RSET", PROBE_SMTP, true, false},
    {"DATA\r", PROBE_SMTP, true, false},
    {"AUTH ", PROBE_SMTP, true, false},
    {"BDAT ", PROBE_SMTP, true, false},
    {"VRFY ", PROBE_SMTP, true, false},
    {"EXPN ", PROBE_SMTP, true, false},
};
static const struct start on_pop3[] = {
    {"USER ", PROBE_POP3, true, false},
    {"PASS ", PROBE_POP3, true, false},
    {"AUTH", PROBE_POP3, true, false},
    {"QUIT", PROBE_POP3, true, false},
    {"STAT", PROBE_POP3, true, false},
    {"LIST", PROBE_POP3, true, false},
    {"RETR ", PROBE_POP3, true, false},
    {"UIDL", PROBE_POP3, true, false},
    {"NOOP", PROBE_POP3, true, false},
    {"-ERR", PROBE_POP3, true, true},
    {"TOP ", PROBE_POP3, true, false},
    {"DELE ", PROBE_POP3, true, false},
};

/* Text that other protocols begin with: nothing to ask nDPI about on a port that promises no mail.
 */
static const char *const others[] = {"GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT ",
    "DELETE ", "PATCH ", "PRI * ", "HTTP/", "SSH-", "RTSP/", "SIP/", "INVITE ", "REGISTER ", "RFB ",
    "PROPFIND "};

/* IMAP: a tag, a space, a command (RFC 3501 section 2.2.1). */
static const char *const imap_commands[] = {"CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS",
    "SELECT", "EXAMINE", "NOOP", "LOGOUT", "LIST", "LSUB", "STATUS", "APPEND", "FETCH", "UID", "ID",
    "NAMESPACE", "IDLE", "ENABLE", "SEARCH", "STORE", "CHECK", "CLOSE"};

static const struct start *
find(const struct start *t, size_t n, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (ascii_begins(data, len, t[i].text))
			return &t[i];
	}
	return NULL;
}

static bool
imap_command(const uint8_t *data, size_t len)
{
	const char *s = (const char *)data;
	size_t tag = 0;
	while (tag < len && tag < 16 && s[tag] > ' ' && s[tag] < 0x7f &&
	    strchr("(){%*\"\\+", s[tag]) == NULL)
		tag++;
	if (tag == 0 || tag >= len || s[tag] != ' ')
		return false;
	size_t n = 0, rest = len - tag - 1;
	while (n < rest && s[tag + 1 + n] > ' ')
		n++;
	if (n == rest)
		return false; /* the command may not be complete */
	for (size_t i = 0; i < sizeof imap_commands / sizeof imap_commands[0]; i++) {
		if (ascii_is(s + tag + 1, n, imap_commands[i]))
			return true;
	}
	return false;
}

static bool
is_text(const uint8_t *data, size_t len)
{
	const size_t n = len < 64 ? len : 64;
	for (size_t i = scan_printable(data, n); i < n; i++) {
		if (data[i] >= 0x20
			? data[i] == 0x7f
			: data[i] != '\r' && data[i] != '\n' && data[i] != '\t' && data[i] != 0x1b)
			return false;
	}
	return true;
}

/* Is it a ClientHello of SSL 2.0 that asks for TLS (RFC 5246 appendix E.2), as far as it goes? */
static bool
is_ssl2_hello(const uint8_t *data, size_t len)
{
	return data[0] & 0x80 && (len < 3 || data[2] == 1) && (len < 4 || data[3] == 3) &&
	    (len < 5 || data[4] <= 4);
}

/* Has the greeting a word with FTP in it?  A host that is called so may be one for mail. */
static bool
says_ftp(const uint8_t *data, size_t len)
{
	const char *s = (const char *)data, *end = s + len, *at = s;
	while ((at = ascii_find(at, (size_t)(end - at), "FTP")) != NULL) {
		const char *from = at, *to = at;
		while (from > s && from[-1] > ' ')
			from--;
		while (to < end && to[0] > ' ')
			to++;
		if (memchr(from, '.', (size_t)(to - from)) == NULL)
			return true;
		at = to;
	}
	return false;
}

struct probe_result
probe(const uint8_t *data, size_t len, uint16_t port)
{
	struct probe_result r = {.verdict = PROBE_OTHER};
	bool pop3 = port == 110 || port == 995, imap = port == 143 || port == 993;
	bool smtp = port == 25 || port == 587 || port == 465 || port == 2525 || port == 24;
	bool line = len > 0 && memchr(data, '\n', len) != NULL;
	if (len == 0) {
		r.verdict = PROBE_MORE;
		return r;
	}
	if (data[0] >= 0x14 && data[0] <= 0x17) {
		if (len < 6)
			r.verdict = len < 2 || data[1] == 3 ? PROBE_MORE : PROBE_OTHER;
		else if (data[1] == 3 && data[2] <= 4)
			r.verdict = PROBE_TLS;
		r.from_client = data[0] == 0x16 && len >= 6 && data[5] == 1;
		r.from_server = data[0] == 0x16 && len >= 6 && data[5] == 2;
		return r;
	}
	if (is_ssl2_hello(data, len)) {
		r.verdict = len < 5 ? PROBE_MORE : PROBE_TLS;
		r.from_client = len >= 5;
		return r;
	}
	bool text = is_text(data, len);
	if (!text && !smtp && !pop3 && !imap)
		return r;
	const struct start *s = find(starts, sizeof starts / sizeof starts[0], data, len);
	if (s == NULL && smtp)
		s = find(on_smtp, sizeof on_smtp / sizeof on_smtp[0], data, len);
	if (s == NULL && pop3)
		s = find(on_pop3, sizeof on_pop3 / sizeof on_pop3[0], data, len);
	/* where mail is due, a control octet behind a beginning of mail hides nothing */
	if (!text && s == NULL)
		return r;
	if (s != NULL) {
		/* on the port of another mail protocol the dialogue has to tell */
		r.verdict = (enum probe_verdict)s->verdict;
		r.sure =
		    s->sure || (s->verdict == PROBE_SMTP ? smtp : s->verdict == PROBE_POP3 && pop3);
		r.from_server = s->server;
		r.from_client = !s->server;
		if (s->verdict == PROBE_SMTP && s->server && !line && len < 64) {
			/* the whole line may name SMTP */
			return (struct probe_result){.verdict = PROBE_MORE};
		}
		if (s->verdict == PROBE_SMTP && s->server &&
		    (ascii_find(data, len, "SMTP") != NULL ||
			ascii_find(data, len, "LMTP") != NULL))
			r.sure = true;
		if (s->verdict == PROBE_SMTP && !r.sure && says_ftp(data, len))
			r.verdict = PROBE_OTHER;
		return r;
	}
	if (imap_command(data, len)) {
		r.verdict = PROBE_IMAP;
		r.sure = imap;
		r.from_client = true;
		return r;
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (ascii_begins(data, len, others[i]))
			return r;
	}
	r.verdict = line || len >= 64 ? PROBE_TEXT : PROBE_MORE;
	return r;
}
