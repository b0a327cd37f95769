/*
 * Forced-TLS policies: which mail must not go without TLS, and whether what was seen kept to it.
 *
 * Policies come from the configuration and from files that others keep: MTA-STS policies (RFC
 * 8461), Postfix's smtp_tls_policy_maps, TLSA records (RFC 7672).  The first that matches counts,
 * in the order of the configuration.  A passive observer sees what was broken, hardly ever that all
 * was kept: not-provable is a verdict.
 *
 *   policies:
 *     - {domain: partner.example, tls: verify, names: [mx.partner.example], direction: outbound}
 *     - {peer: 192.0.2.0/24, tls: encrypt}
 *     - {import: mta-sts, file: partner.txt, domain: partner.example, fetched: 2026-11-01}
 *     - {import: postfix, file: /etc/postfix/tls_policy}
 *     - {import: tlsa, file: tlsa.txt, domain: partner.example, validated: true}
 *
 * domain   of recipients; ".partner.example" and "*.partner.example" are all domains below
 * peer     client or server: an address, a network, or a host's name (EHLO, greeting, SNI)
 * tls      none, may, encrypt or verify (a certificate of a known authority and the right name)
 * names    that servers of the domain have; by default the domain and what is below it.  Of a peer:
 *          those that a certificate may be for; by default whatever the server calls itself
 */
#ifndef POSTCARD_JUDGE_POLICY_H
#define POSTCARD_JUDGE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "record/record.h"

struct policies;

struct policies *policies_new(void);	/* none yet; NULL where there is no memory */
void policies_free(struct policies *p); /* NULL is allowed */

/*
 * Reads the list under `policies:` of a configuration, and the files that it imports; relative
 * paths are taken from the folder `dir`.  False with a message in y's error (of an imported file
 * with the name and line of that).
 */
bool policies_read(struct policies *p, struct yaml *y, int list, const char *dir);

size_t policies_count(const struct policies *p);

/* Adds postcard.policy.* to a session or message that a policy is about; others stay as they are.
 */
void policies_apply(const struct policies *p, struct record *r);

#endif
