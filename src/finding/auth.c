/*
 * The SASL mechanisms (and the login commands of POP3 and IMAP) by name, and what an eavesdropper
 * has of an attempt; the rest share the last bit.
 *
 * With some the first answer only names the account, and the secret comes with a later one.  What a
 * mechanism shows that is not in the table is not known, and is said so.
 */
#include <stddef.h>

#include "base/text.h"
#include "finding/message.h"

static const struct mechanism {
	const char *name;
	uint8_t shows;	/* enum auth_shows */
	uint8_t answer; /* with which answer of the client, from 1 */
} mechanisms[] = {
    {"PLAIN", AUTH_PASSWORD, 1},
    {"LOGIN", AUTH_PASSWORD, 2},
    {"CRAM-MD5", AUTH_DIGEST, 1},
    {"DIGEST-MD5", AUTH_DIGEST, 1},
    {"NTLM", AUTH_DIGEST, 2},
    {"XOAUTH2", AUTH_TOKEN, 1},
    {"OAUTHBEARER", AUTH_TOKEN, 1},
    {"SCRAM-SHA-1", AUTH_DIGEST, 2},
    {"SCRAM-SHA-256", AUTH_DIGEST, 2},
    {"SCRAM-SHA-1-PLUS", AUTH_DIGEST, 2},
    {"SCRAM-SHA-256-PLUS", AUTH_DIGEST, 2},
    {"SCRAM-SHA-512", AUTH_DIGEST, 2},
    {"MSN", AUTH_DIGEST, 2},
    {"SRP", AUTH_UNKNOWN, 1},
    {"OTP", AUTH_DIGEST, 2},
    {"SKEY", AUTH_DIGEST, 2},
    {"USER", AUTH_PASSWORD, 2}, /* USER, then PASS */
    {"APOP", AUTH_DIGEST, 1},
    {"LOGIN-COMMAND", AUTH_PASSWORD, 2}, /* its two arguments */
    {"GSSAPI", AUTH_NOTHING, 1},
    {"EXTERNAL", AUTH_NOTHING, 1},
    {"ANONYMOUS", AUTH_NOTHING, 1},
    {"KERBEROS_V4", AUTH_NOTHING, 1},
    {"GSS-SPNEGO", AUTH_UNKNOWN, 1}, /* Kerberos or NTLM inside */
    {"XYMCOOKIE", AUTH_TOKEN, 1},
    {"XYMPKI", AUTH_NOTHING, 1},
    {"SCRAM-SHA-512-PLUS", AUTH_DIGEST, 2},
    {"SCRAM-SHA3-512", AUTH_DIGEST, 2},
    {"DIGEST", AUTH_DIGEST, 1},
    {"PASS", AUTH_PASSWORD, 1},
    {"OTHER", AUTH_UNKNOWN, 1},
};

#define COUNT (sizeof mechanisms / sizeof mechanisms[0])
_Static_assert(COUNT <= 32, "a bit for each in notes.auth");

unsigned
auth_bit(const char *name, size_t len)
{
	for (unsigned i = 0; i < COUNT - 1; i++) {
		if (ascii_is(name, len, mechanisms[i].name))
			return i;
	}
	return COUNT - 1;
}

const char *
auth_name(unsigned bit)
{
	return bit < COUNT ? mechanisms[bit].name : NULL;
}

enum auth_shows
auth_shows(unsigned bit, unsigned answers)
{
	const struct mechanism *m = &mechanisms[bit < COUNT ? bit : COUNT - 1];
	return m->shows != AUTH_NOTHING && answers < m->answer ? AUTH_ACCOUNT
							       : (enum auth_shows)m->shows;
}

const char *
auth_shows_name(enum auth_shows shows)
{
	static const char *const names[AUTH_SHOWS] = {
	    [AUTH_PASSWORD] = "password",
	    [AUTH_TOKEN] = "token",
	    [AUTH_DIGEST] = "digest",
	    [AUTH_ACCOUNT] = "account",
	    [AUTH_UNKNOWN] = "unknown",
	    [AUTH_NOTHING] = "nothing",
	};
	return names[shows];
}
