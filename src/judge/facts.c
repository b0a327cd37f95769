/* The facts of a record that the table asks about: see facts.h. */
#include "judge/facts.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "judge/names.h"
#include "record/read.h"

const struct key_info key_table[KEYS] = {
    [KEY_RECORD] = {"record", {"session", "message"}},
    [KEY_PROTOCOL] = {"protocol", {"smtp", "lmtp", "imap", "pop3", "tls", "other"}},
    [KEY_PORT] = {"port", {"mx", "submission", "implicit", "imap", "pop3", "lmtp", "other"}},
    [KEY_REASON] = {"reason",
	{"not-offered", "not-requested", "refused", "stripped", "tls-failed", "not-asked",
	    "null-cipher", "not-visible"}},
    [KEY_EXPOSED] = {"exposed", {"envelope", "headers", "body", "attachments", "credentials"}},
    [KEY_CONTENT] = {"content", {"none", "some"}},
    [KEY_SECRET] = {"secret", {"password", "token", "challenge", "account"}},
    [KEY_DIRECTION] = {"direction",
	{"inbound", "outbound", "internal", "external", "unknown", "loopback"}},
    [KEY_PROTECTION] = {"protection", {"none", "pgp", "smime", "unknown"}},
    [KEY_REPLY] = {"reply", {"none", "seen"}},
    [KEY_CLASS] = {"class", {"printer", "application", "mail-client", "mta", "monitor"}},
};

enum { RECORD_WORD_SESSION, RECORD_WORD_MESSAGE };
enum { PORT_MX, PORT_SUBMISSION, PORT_IMPLICIT, PORT_IMAP, PORT_POP3, PORT_LMTP, PORT_OTHER };
enum { EXPOSED_HEADERS = 1, EXPOSED_BODY = 2, EXPOSED_ATTACHMENTS = 3 };
enum { CONTENT_NONE, CONTENT_SOME };
enum { REPLY_NONE, REPLY_SEEN };
enum { SECRET_PASSWORD, SECRET_TOKEN, SECRET_CHALLENGE, SECRET_ACCOUNT };
enum { DIRECTION_UNKNOWN = 4, DIRECTION_LOOPBACK = 5 };
enum { PROTOCOL_OTHER = 5 };

const char *const value_names[VALUES] = {
    [VALUE_CLIENT] = "client",
    [VALUE_SERVER] = "server",
    [VALUE_PORT] = "port",
    [VALUE_PROTOCOL] = "protocol",
    [VALUE_MESSAGES] = "messages",
    [VALUE_ENVELOPES] = "envelopes",
    [VALUE_EXPOSED] = "exposed",
    [VALUE_AUTH] = "auth",
    [VALUE_REPLY] = "reply",
    [VALUE_BECAUSE] = "because",
    [VALUE_TLS] = "tls",
    [VALUE_DOMAIN] = "domain",
    [VALUE_WANTS] = "wants",
    [VALUE_CAUSE] = "cause",
    [VALUE_RELATED] = "related",
    [VALUE_BASELINE] = "baseline",
    [VALUE_PATH] = "path",
};

/* The mechanisms that a sentence names; what else a client called one is not repeated. */
static const char *const mechanism_names[] = {
    "PLAIN",
    "LOGIN",
    "USER",
    "PASS",
    "LOGIN-COMMAND",
    "XOAUTH2",
    "OAUTHBEARER",
    "CRAM-MD5",
    "APOP",
    "DIGEST-MD5",
    "DIGEST",
    "NTLM",
    "GSS-SPNEGO",
    "GSSAPI",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "EXTERNAL",
    "OTP",
    "another mechanism",
};

#define MECHANISMS (sizeof mechanism_names / sizeof *mechanism_names)

static uint32_t
bit(unsigned i)
{
	return (uint32_t)1 << i;
}

/* The words of each key, told apart by their length and their first eight octets. */
struct key_words {
	unsigned count;
	struct {
		uint64_t head;
		size_t len;
	} word[KEY_WORDS];
};

static const struct key_words *
words_of(enum key key)
{
	static struct key_words all[KEYS];
	for (unsigned k = 0; all[0].count == 0 && k < KEYS; k++) {
		struct key_words *w = &all[KEYS - 1 - k]; /* the first one last */
		const char *const *words = key_table[KEYS - 1 - k].words;
		for (unsigned i = 0; i < KEY_WORDS && words[i] != NULL; i++) {
			w->word[i].len = strlen(words[i]);
			w->word[i].head = load_word((const uint8_t *)words[i], w->word[i].len);
			w->count = i + 1;
		}
	}
	return &all[key];
}

/* The bit of that word; 0 where the key has no such word. */
static uint32_t
word_bit(enum key key, const char *s, size_t len)
{
	const struct key_words *w = words_of(key);
	const uint64_t head = load_word((const uint8_t *)s, len);
	for (unsigned i = 0; i < w->count; i++) {
		if (w->word[i].head == head && w->word[i].len == len &&
		    (len <= sizeof head || memcmp(key_table[key].words[i], s, len) == 0))
			return bit(i);
	}
	return 0;
}

/* Where the words of each key begin in a packed number; KEYS: where they end. */
static unsigned
place_of(unsigned key)
{
	static uint8_t place[KEYS + 1];
	for (unsigned k = 0; place[KEYS] == 0 && k < KEYS; k++) {
		unsigned n = 0;
		while (n < KEY_WORDS && key_table[k].words[n] != NULL)
			n++;
		place[k + 1] = (uint8_t)(place[k] + n + 1);
	}
	return place[key];
}

struct condition
condition_of(const uint32_t words[KEYS])
{
	struct condition c = {0};
	assert(place_of(KEYS) <= 64);
	for (unsigned k = 0; k < KEYS; k++) {
		unsigned at = place_of(k), carry = place_of(k + 1) - 1;
		if (words[k] == 0)
			continue;
		c.allowed |= (uint64_t)words[k] << at;
		c.fill |= (1ull << carry) - (1ull << at);
		c.carry |= 1ull << carry;
	}
	return c;
}

static unsigned
port_class(uint64_t port)
{
	switch (port) {
	case 25: return PORT_MX;
	case 587: return PORT_SUBMISSION;
	case 465:
	case 993:
	case 995: return PORT_IMPLICIT;
	case 143: return PORT_IMAP;
	case 110: return PORT_POP3;
	case 24: return PORT_LMTP;
	default: return PORT_OTHER;
	}
}

static void
add_mechanism(struct facts *f, const char *s, size_t len)
{
	unsigned i = 0;
	while (i < MECHANISMS - 1 && !ascii_is(s, len, mechanism_names[i]))
		i++;
	f->mechanisms |= bit(i);
}

/* What of a login could be read: the words of postcard.auth_shows. */
static void
add_secret(struct facts *f, const char *s, size_t len)
{
	uint32_t word = word_bit(KEY_SECRET, s, len); /* password, token, account */
	bool challenge = ascii_is(s, len, "digest") || ascii_is(s, len, "unknown");
	f->words[KEY_SECRET] |= challenge ? bit(SECRET_CHALLENGE) : word;
}

static uint32_t
bit_of(const struct record *r, enum field field, enum key key)
{
	size_t len;
	const char *s = record_str(r, field, &len);
	return s != NULL ? word_bit(key, s, len) : 0;
}

static void
take_words(struct facts *f, const struct record *r)
{
	size_t len;
	const uint8_t *s;
	f->words[KEY_PROTOCOL] = bit_of(r, FIELD_NETWORK_PROTOCOL, KEY_PROTOCOL);
	f->words[KEY_REASON] = bit_of(r, FIELD_REASON, KEY_REASON);
	f->words[KEY_DIRECTION] = bit_of(r, FIELD_NETWORK_DIRECTION, KEY_DIRECTION);
	f->words[KEY_PROTECTION] = bit_of(r, FIELD_BODY_PROTECTION, KEY_PROTECTION);
	f->words[KEY_CLASS] = bit_of(r, FIELD_CLIENT_CLASS, KEY_CLASS);
	for (uint32_t at = 0; (s = record_octets(r, FIELD_EXPOSED, &at, &len)) != NULL;)
		f->words[KEY_EXPOSED] |= word_bit(KEY_EXPOSED, (const char *)s, len);
	for (uint32_t at = 0; (s = record_octets(r, FIELD_AUTH, &at, &len)) != NULL;)
		add_mechanism(f, (const char *)s, len);
	for (uint32_t at = 0; (s = record_octets(r, FIELD_AUTH_SHOWS, &at, &len)) != NULL;)
		add_secret(f, (const char *)s, len);
}

static void
take_values(struct facts *f, const struct record *r)
{
	size_t len;
	f->software[0] = record_str(r, FIELD_CLIENT_SOFTWARE, &f->software_len[0]);
	f->software[1] = record_str(r, FIELD_SERVER_SOFTWARE, &f->software_len[1]);
	f->client = record_ip(r, FIELD_SOURCE_IP);
	f->server = record_ip(r, FIELD_DESTINATION_IP);
	f->port = record_u64(r, FIELD_DESTINATION_PORT, 0);
	f->messages = record_u64(r, FIELD_MESSAGES, 0);
	f->envelopes = record_u64(r, FIELD_ENVELOPES, 0);
	f->commands = record_u64(r, FIELD_RECIPIENTS, 0);
	f->reply = record_u64(r, FIELD_STARTTLS_REPLY, 0);
	f->reply_word = record_str(r, FIELD_STARTTLS_REPLY_WORD, &f->reply_word_len);
	f->greeting = record_str(r, FIELD_GREETING, &f->greeting_len);
	f->helo = record_str(r, FIELD_HELO, &f->helo_len);
	for (uint32_t at = 0; record_octets(r, FIELD_EMAIL_TO, &at, &len) != NULL;)
		f->recipients++;
}

void
facts_of(struct facts *f, const struct record *r)
{
	memset(f, 0, offsetof(struct facts, host));
	f->record = r;
	take_words(f, r);
	take_values(f, r);
	if (f->recipients >= LIMIT_RECIPIENTS) /* no more are named */
		f->recipients = f->commands;
	if (f->words[KEY_SECRET] != bit(SECRET_ACCOUNT)) /* it says that there was no more */
		f->words[KEY_SECRET] &= ~bit(SECRET_ACCOUNT);
	bool message = r->kind == RECORD_MESSAGE;
	f->words[KEY_RECORD] = bit(message ? RECORD_WORD_MESSAGE : RECORD_WORD_SESSION);
	f->words[KEY_PORT] = bit(port_class(f->port));
	uint32_t content = bit(EXPOSED_HEADERS) | bit(EXPOSED_BODY) | bit(EXPOSED_ATTACHMENTS);
	bool some = (f->words[KEY_EXPOSED] & content) != 0;
	f->words[KEY_CONTENT] = bit(some ? CONTENT_SOME : CONTENT_NONE);
	bool replied = f->reply > 0 || f->reply_word_len > 0;
	f->words[KEY_REPLY] = bit(replied ? REPLY_SEEN : REPLY_NONE);
	if (f->words[KEY_PROTOCOL] == 0)
		f->words[KEY_PROTOCOL] = bit(PROTOCOL_OTHER);
	if (f->words[KEY_DIRECTION] == 0)
		f->words[KEY_DIRECTION] = bit(DIRECTION_UNKNOWN);
	if (addr_is_loopback(&f->client) && addr_is_loopback(&f->server))
		f->words[KEY_DIRECTION] = bit(DIRECTION_LOOPBACK);
	for (unsigned k = 0; k < KEYS; k++)
		f->packed |= (uint64_t)f->words[k] << place_of(k);
}

_Static_assert(FACTS_HOST > ADDR_TEXT + NAME_MAX_OCTETS + 4, "room for an address and a name");

static size_t
print_host(char host[FACTS_HOST], const struct addr *a, const char *name, size_t len)
{
	char ip[ADDR_TEXT];
	struct text t = text_in(host, FACTS_HOST);
	text_puts(&t, a->family != 0 ? addr_print(a, ip) : "an unknown host");
	if (name_is_host(name, len)) {
		text_puts(&t, " (");
		text_add(&t, name, len);
		text_putc(&t, ')');
	}
	return t.len;
}

static void
add_client(struct text *out, struct facts *f)
{
	if (f->host_len[0] == 0)
		f->host_len[0] = print_host(f->host[0], &f->client, f->helo, f->helo_len);
	text_add(out, f->host[0], f->host_len[0]);
}

static void
add_server(struct text *out, struct facts *f)
{
	const char *name;
	size_t len;
	if (f->host_len[1] == 0) {
		name_of_greeting(f->greeting, f->greeting_len, &name, &len);
		f->host_len[1] = print_host(f->host[1], &f->server, name, len);
	}
	text_add(out, f->host[1], f->host_len[1]);
}

static void
add_mails(struct text *out, uint64_t n)
{
	if (n > 0) {
		text_add_count(out, n);
		text_putc(out, ' ');
	}
	text_puts(out, n > 1 ? "mails" : "mail");
}

static void
add_messages(struct text *out, const struct facts *f)
{
	if (f->words[KEY_RECORD] != bit(RECORD_WORD_MESSAGE)) {
		add_mails(out, f->messages);
		return;
	}
	text_puts(out, "1 mail");
	if (f->recipients > 0) {
		text_puts(out, " for ");
		text_add_count(out, f->recipients);
		text_puts(out, f->recipients == 1 ? " recipient" : " recipients");
	}
}

/* "a", "a and b", "a, b and c": the words whose bits are set. */
static void
add_list(struct text *out, uint32_t bits, const char *const *words)
{
	for (unsigned i = 0; bits != 0; i++) {
		if ((bits & bit(i)) == 0)
			continue;
		bits &= ~bit(i);
		text_puts(out, words[i]);
		if (bits != 0)
			text_puts(out, (bits & (bits - 1)) != 0 ? ", " : " and ");
	}
}

static const char *
protocol_word(uint32_t bits)
{
	static const char *const words[] = {"SMTP", "LMTP", "IMAP", "POP3"};
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
		if ((bits & bit(i)) != 0)
			return words[i];
	}
	return "mail";
}

static void
add_reply(struct text *out, const struct facts *f)
{
	static const char *const words[] = {"OK", "NO", "BAD", "+OK", "-ERR"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (f->reply_word_len > 0 && ascii_is(f->reply_word, f->reply_word_len, words[i])) {
			text_puts(out, words[i]);
			return;
		}
	}
	if (f->reply > 0)
		text_add_u64(out, f->reply);
	else
		text_puts(out, "not seen");
}

static const char *const wants_words[][2] = {{"none", "nothing"},
    {"may", "TLS where it is to be had"}, {"encrypt", "TLS"},
    {"verify", "TLS with a certificate of the right name"}, {NULL, NULL}};

static const char *const cause_words[][2] = {{"cleartext", "it went in the clear"},
    {"name", "the certificate has another name"}, {"expired", "the certificate has expired"},
    {"not-yet-valid", "the certificate is not valid yet"},
    {"self-signed", "the certificate is signed by itself"},
    {"certificate", "the certificate is not the one that was expected"}, {NULL, NULL}};

static const char *const path_words[][2] =
    {{"client", "the client's network: it gets no offer from any server"},
	{"server", "the server: it offers TLS to nobody"},
	{"path", "what is between the two: others get the offer"},
	{NULL, "both networks: too little was seen to tell which"}};

/* A word of ours that the record has, in a sentence: pairs of words; the last is for all others, or
 * has NULLs. */
static void
add_word(struct text *out, const struct record *r, enum field field, const char *const (*words)[2])
{
	struct record_value v = {.len = 0};
	bool known = record_find(r, field, &v);
	while ((*words)[0] != NULL && !(known && ascii_is(v.str, v.len, (*words)[0])))
		words++;
	if ((*words)[1] != NULL)
		text_puts(out, (*words)[1]);
}

static void
add_tls(struct text *out, const struct record *r)
{
	struct record_value v;
	text_puts(out, "TLS");
	if (record_find(r, FIELD_TLS_VERSION, &v)) {
		text_putc(out, ' ');
		text_add(out, v.str, v.len);
	}
	if (record_find(r, FIELD_TLS_CIPHER, &v)) {
		text_puts(out, " with ");
		text_add(out, v.str, v.len);
	}
}

/* The first two domains; they come from the wire, so only what looks like one is repeated. */
static void
add_domains(struct text *out, const struct record *r)
{
	struct record_value v;
	unsigned n = 0, others = 0;
	for (uint32_t at = 0; record_each(r, FIELD_POLICY_DOMAIN, &at, &v);) {
		if (n == 2 || !name_is_host(v.str, v.len)) {
			others++;
			continue;
		}
		text_puts(out, n++ > 0 ? ", " : "");
		text_add(out, v.str, v.len);
	}
	if (others > 0)
		text_printf(out, n > 0 ? " and %u more" : "%u domains", others);
	else if (n == 0)
		text_puts(out, "the peer");
}

/* "13:00:05 UTC on 2026-11-23" */
static void
add_moment(struct text *out, int64_t ns)
{
	char buf[40] = ""; /* "2026-11-23T13:00:05.000000000Z" */
	struct text t = text_in(buf, sizeof buf);
	text_add_time(&t, ns);
	text_add(out, buf + 11, 8);
	text_puts(out, " UTC on ");
	text_add(out, buf, 10);
}

static void
add_related(struct text *out, const struct record *r)
{
	struct record_value v;
	text_puts(out,
	    record_is(r, FIELD_RELATED_OUTCOME, "refused") ? "TLS was refused" : "TLS failed");
	if (record_find(r, FIELD_RELATED_TIME, &v)) {
		text_puts(out, " at ");
		add_moment(out, v.ns);
	}
	if (record_find(r, FIELD_RELATED_ALERT, &v)) {
		text_puts(out, " (");
		text_add(out, v.str, v.len);
		text_putc(out, ')');
	}
}

static void
add_baseline(struct text *out, const struct record *r)
{
	struct record_value v;
	uint64_t with = 0, without = 0;
	if (record_find(r, FIELD_BASELINE_OFFERED, &v))
		with = v.u64;
	if (record_find(r, FIELD_BASELINE_NOT_OFFERED, &v))
		without = v.u64;
	if (with + without == 0) {
		text_puts(out, "this server was not seen before");
		return;
	}
	text_puts(out, "TLS was offered in ");
	text_add_count(out, with);
	text_puts(out, " of ");
	text_add_count(out, with + without);
	text_puts(out, " earlier connections");
	if (record_find(r, FIELD_BASELINE_LAST, &v)) {
		text_puts(out, ", last at ");
		add_moment(out, v.ns);
	}
}

void
facts_add(struct text *out, struct facts *f, enum value value)
{
	switch (value) {
	case VALUE_CLIENT: add_client(out, f); break;
	case VALUE_SERVER: add_server(out, f); break;
	case VALUE_PORT: text_add_u64(out, f->port); break;
	case VALUE_PROTOCOL: text_puts(out, protocol_word(f->words[KEY_PROTOCOL])); break;
	case VALUE_MESSAGES: add_messages(out, f); break;
	case VALUE_ENVELOPES: add_mails(out, f->envelopes); break;
	case VALUE_EXPOSED:
		add_list(out, f->words[KEY_EXPOSED], key_table[KEY_EXPOSED].words);
		break;
	case VALUE_AUTH: add_list(out, f->mechanisms, mechanism_names); break;
	case VALUE_REPLY: add_reply(out, f); break;
	case VALUE_TLS: add_tls(out, f->record); break;
	case VALUE_DOMAIN: add_domains(out, f->record); break;
	case VALUE_WANTS: add_word(out, f->record, FIELD_POLICY_WANTS, wants_words); break;
	case VALUE_CAUSE: add_word(out, f->record, FIELD_POLICY_CAUSE, cause_words); break;
	case VALUE_RELATED: add_related(out, f->record); break;
	case VALUE_BASELINE: add_baseline(out, f->record); break;
	case VALUE_PATH: add_word(out, f->record, FIELD_PATH_SUSPECT, path_words); break;
	case VALUE_BECAUSE:
	case VALUES: break;
	}
}
