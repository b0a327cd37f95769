/* The SASL mechanisms (and the login commands of POP3 and IMAP) by name; the rest share the last
 * bit. */
#include <stddef.h>

#include "base/text.h"
#include "finding/message.h"

static const struct mechanism {
	const char *name;
	bool
	    reveals; /* an attempt shows a secret, a token, or a hash that can be guessed offline */
} mechanisms[] = {
    {"PLAIN", true},
    {"LOGIN", true},
    {"CRAM-MD5", true},
    {"DIGEST-MD5", true},
    {"NTLM", true},
    {"XOAUTH2", true},
    {"OAUTHBEARER", true},
    {"SCRAM-SHA-1", true},
    {"SCRAM-SHA-256", true},
    {"SCRAM-SHA-1-PLUS", true},
    {"SCRAM-SHA-256-PLUS", true},
    {"SCRAM-SHA-512", true},
    {"MSN", true},
    {"SRP", true},
    {"OTP", true},
    {"SKEY", true},
    {"USER", true},
    {"APOP", true},
    {"LOGIN-COMMAND", true},
    {"GSSAPI", false},
    {"EXTERNAL", false},
    {"ANONYMOUS", false},
    {"KERBEROS_V4", false},
    {"GSS-SPNEGO", true},
    {"XYMCOOKIE", true},
    {"XYMPKI", false},
    {"SCRAM-SHA-512-PLUS", true},
    {"DIGEST", true},
    {"PASS", true},
    {"OTHER", true},
};

#define COUNT (sizeof mechanisms / sizeof mechanisms[0])
_Static_assert(COUNT <= 32, "a bit for each in finding.auth");

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

bool
auth_reveals(unsigned bit)
{
	return bit < COUNT && mechanisms[bit].reveals;
}
