/* What a policy is, for policy*.c only. */
#ifndef POSTCARD_JUDGE_POLICY_INTERNAL_H
#define POSTCARD_JUDGE_POLICY_INTERNAL_H

#include "base/addr.h"
#include "base/arena.h"
#include "judge/policy.h"

enum policy_wants { WANTS_NONE, WANTS_MAY, WANTS_ENCRYPT, WANTS_VERIFY };
enum policy_source { SOURCE_CONFIG, SOURCE_MTA_STS, SOURCE_POSTFIX, SOURCE_TLSA };

/* Bits of `direction`. */
#define DIRECTION_INBOUND  1u
#define DIRECTION_OUTBOUND 2u
#define DIRECTION_INTERNAL 4u
#define DIRECTION_EXTERNAL 8u
#define DIRECTION_ANY	   31u /* with those that are not known */

#define DIGEST_OCTETS 32u /* of SHA-256 */

/* A certificate that is expected (RFC 6698), as far as it can be compared with what is seen. */
struct expected {
	char hex[2 * DIGEST_OCTETS + 1]; /* SHA-256 of the whole certificate, in small letters */
};

struct policy {
	uint8_t wants;		   /* enum policy_wants */
	uint8_t source;		   /* enum policy_source */
	uint8_t direction;	   /* DIRECTION_* bits */
	bool others;		   /* TLSA: there are records that cannot be compared */
	bool named;		   /* of a peer, with names that its certificate may have */
	int64_t expires_ns;	   /* not used from then on (packet time); INT64_MAX: never */
	const char *about;	   /* the domain or peer, for people */
	struct expected *expected; /* TLSA; in the arena */
	size_t expected_count;
};

/* How a name in an index matches. */
enum match { MATCH_EXACT, MATCH_ONE_LABEL /* *.name, RFC 8461 */, MATCH_BELOW /* any depth */ };

struct entry {
	const char *name; /* in small letters */
	uint8_t match;	  /* enum match */
	uint32_t policy;  /* its number: the first of a configuration wins */
};

struct index {
	struct entry *entry; /* on the heap; sorted by name, then by policy */
	size_t count;
};

struct peer_network {
	struct network network;
	uint32_t policy;
};

struct policies {
	struct arena arena;
	struct policy *policy; /* on the heap */
	size_t count;
	struct index domains;	      /* recipient domains */
	struct index hosts;	      /* peers by name */
	struct index names;	      /* names that servers of a domain may have */
	struct index peer_names;      /* names that a peer's certificate may have */
	struct peer_network *network; /* peers by address; on the heap */
	size_t networks;
};

/* A new policy, zeroed but for what any has; NULL with a message.  Its number is count - 1. */
struct policy *policy_add(struct policies *p, struct yaml *y, int node);

/*
 * Adds a name to an index for the newest policy: "example.com", ".example.com" (all below) or
 * "*.example.com" (all below, or with `one_label` one label).  False where it is no name of ASCII
 * letters or there is no memory: with a message, unless `node` is 0.
 */
bool policy_name(struct policies *p, struct index *x, const char *name, bool one_label,
    struct yaml *y, int node);

/* One entry `import:` of the list: its file, read for the keys of `map`.  False with a message. */
bool policy_import(struct policies *p, struct yaml *y, int map, const char *kind, const char *dir);

/* The texts at `key` of the map: each is a domain of the newest policy.  *count: how many. */
bool policy_domains(struct policies *p, struct yaml *y, int node, bool names_too, size_t *count);

#endif
