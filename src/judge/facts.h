/*
 * What the table of levels and advice can ask about a record: a few keys, each with a few words.
 *
 * One pass over the record gives a set of words for each key, and the values that sentences name.
 */
#ifndef POSTCARD_JUDGE_FACTS_H
#define POSTCARD_JUDGE_FACTS_H

#include <stdint.h>

#include "base/text.h"
#include "record/record.h"

enum key {
	KEY_RECORD,	/* session message */
	KEY_PROTOCOL,	/* network.protocol */
	KEY_PORT,	/* the server's port: mx submission implicit imap pop3 lmtp other */
	KEY_REASON,	/* postcard.reason */
	KEY_EXPOSED,	/* postcard.exposed, each of them */
	KEY_CONTENT,	/* some where headers, body or attachments are exposed, else none */
	KEY_SECRET,	/* what the AUTH commands gave away: password token challenge */
	KEY_DIRECTION,	/* network.direction; loopback where both ends are */
	KEY_PROTECTION, /* postcard.body_protection */
	KEY_REPLY,	/* to STARTTLS: was one seen? */
	KEY_CLASS,	/* postcard.client.class; a guess, so that no level may ask for it */
	KEYS
};

#define KEY_WORDS 10u /* words of one key at most */

struct key_info {
	const char *name;
	const char *words[KEY_WORDS]; /* the rest are NULL */
};

extern const struct key_info key_table[KEYS];

/* What a sentence can name, in braces. */
enum value {
	VALUE_CLIENT,	 /* 192.0.2.1 (printer.example.net) */
	VALUE_SERVER,	 /* 198.51.100.1 (mx.example.com) */
	VALUE_PORT,	 /* 25 */
	VALUE_PROTOCOL,	 /* SMTP */
	VALUE_MESSAGES,	 /* 3 mails; of a message: 1 mail for 2 recipients */
	VALUE_ENVELOPES, /* 3 mails */
	VALUE_EXPOSED,	 /* envelope, headers and body */
	VALUE_AUTH,	 /* PLAIN and LOGIN */
	VALUE_REPLY,	 /* 454 */
	VALUE_BECAUSE,	 /* a row of the list `because` */
	VALUE_TLS,	 /* TLS 1.0 with TLS_RSA_WITH_RC4_128_SHA */
	VALUE_DOMAIN,	 /* partner.example: of a policy */
	VALUE_WANTS,	 /* TLS and a certificate of the right name: of a policy */
	VALUE_CAUSE,	 /* the certificate has expired: what broke a policy */
	VALUE_RELATED, /* TLS failed at 13:00:05 UTC on 23 November 2026 (server: handshake_failure)
			*/
	VALUE_BASELINE, /* TLS was offered in 12 of 12 earlier connections, last at ... */
	VALUE_PATH,	/* whose network to look at for a missing offer */
	VALUES
};

extern const char *const value_names[VALUES];

#define FACTS_HOST 128u /* octets of "192.0.2.1 (printer.example.net)" */

struct facts {
	const struct record *record; /* whose facts they are */
	uint32_t words[KEYS]; /* bit i: words[i] of the key holds; of the record, at least one bit
				 for every key but exposed, secret, protection and class */
	uint64_t packed;      /* the same, as condition_holds wants it */
	const char *greeting; /* the server's; lives as long as the record */
	size_t greeting_len;  /* 0: not known */
	const char *helo;     /* the client's name for itself */
	size_t helo_len;      /* 0: not known */
	const char *software[2];  /* what client and server seem to be: guesses */
	size_t software_len[2];	  /* 0: not known */
	struct addr client;	  /* family 0: not known */
	struct addr server;	  /* family 0: not known */
	uint64_t port;		  /* of the server */
	uint64_t messages;	  /* readable messages */
	uint64_t envelopes;	  /* readable envelopes */
	uint64_t recipients;	  /* of a message, not refused; 0: not known */
	uint64_t commands;	  /* RCPT commands of a message, refused ones too */
	uint64_t reply;		  /* to STARTTLS; 0: not known, or a word */
	uint32_t mechanisms;	  /* bit i: mechanism i of facts.c was tried */
	const char *reply_word;	  /* OK NO BAD +OK -ERR */
	size_t reply_word_len;	  /* 0: not known */
	size_t host_len[2];	  /* octets of `host`; 0: not yet needed */
	char host[2][FACTS_HOST]; /* client and server as sentences name them, several times */
};

/*
 * What facts must be, in a form that takes five instructions to compare: the words of all keys
 * stand side by side in one number, each key's with a bit in front that is 0.  Where a word holds
 * that is allowed, adding `fill`, which has all bits of the keys that are asked for, carries into
 * that bit.
 */
struct condition {
	uint64_t allowed; /* words */
	uint64_t fill;
	uint64_t carry; /* the bits in front */
};

/* That of each key one of these words holds; of one without words, nothing. */
struct condition condition_of(const uint32_t words[KEYS]);

static inline bool
condition_holds(const struct condition *c, const struct facts *f)
{
	return (((f->packed & c->allowed) + c->fill) & c->carry) == c->carry;
}

/* Reads the facts; they point into `r`. */
void facts_of(struct facts *f, const struct record *r);

/* Adds the value; VALUE_BECAUSE adds nothing.  Shows no octet from the wire but those of host
 * names. */
void facts_add(struct text *out, struct facts *f, enum value value);

#endif
