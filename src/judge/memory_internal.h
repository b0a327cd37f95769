/*
 * The inside of the memory, for memory_*.c and state.c only.
 *
 * Keys are texts that people can read in the state file.  Every value begins with the time of its
 * last use (by which the stalest entry is given up) and whether the file has it as it is.
 */
#ifndef POSTCARD_JUDGE_MEMORY_INTERNAL_H
#define POSTCARD_JUDGE_MEMORY_INTERNAL_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/map.h"
#include "judge/memory.h"

#define DAY_NS		 (86400 * 1000000000ll)
#define MEMORY_LATEST_NS (INT64_MAX / 2) /* the year 2116; later times are not believed */

/* What a record shows, as far as memory is concerned; texts point into the record. */
struct sighting {
	int64_t start_ns, end_ns;
	struct addr client, server;
	uint16_t port;
	bool message;	    /* one mail; else a connection */
	bool readable;	    /* a mail, or a connection that was cleartext */
	bool encrypted;	    /* a connection that was sealed */
	bool failed;	    /* TLS was tried and did not come up, here */
	bool refused;	    /* the client asked for it, the server said no */
	bool agreed;	    /* the client asked for it, the server said go ahead */
	bool offer_known;   /* a complete list of capabilities was seen */
	bool offered;	    /* TLS was in it */
	bool missing;	    /* it was not, or EHLO was refused */
	bool stripped;	    /* the record shows by itself that the offer was taken away */
	bool mangled;	    /* a keyword was overwritten on the way */
	const char *reason; /* of the record; its octets: */
	size_t reason_len;
	const char *helo; /* what the client calls itself */
	size_t helo_len;
	const char *greeting; /* the server's, whole */
	size_t greeting_len;
	const char *fetched_by; /* IMAP or POP3, as it ends a key; "" where mail is sent */
	const char *id;		/* Community ID */
	size_t id_len;
	const char *alert; /* the first TLS alert */
	size_t alert_len;
	const char *issuer; /* of the server's certificate */
	size_t issuer_len;
	const struct expected *at; /* where the maps have its hosts */
	uint32_t keywords;	   /* hash of the set without STARTTLS; 0: not known */
	uint64_t sketch; /* a bit for each keyword (by its hash): sets differ in about so many */
};

#define KEYWORD_SETS \
	1024u /* whose hashes are at hand: most servers offer one of a few; a power of two */

struct keyword_set {
	uint8_t list[16]; /* keyed hash of the values, as they stand in the record */
	bool taken;
	uint32_t keywords; /* of struct sighting */
	uint64_t sketch;
};

#define KEY_TEXT 160u /* octets of a key of text, NULs behind it */

struct text_key {
	char s[KEY_TEXT];
};

/* An upgrade that failed; by "address CLIENT SERVER", "name CLIENT SERVER", "domain CLIENT DOMAIN",
 * and " imap" or " pop3" behind these where mail is fetched. */
struct failure {
	int64_t last_ns; /* when its connection ended */
	bool dirty;	 /* the state file does not have it so */
	bool refused;	 /* by the server; else the handshake broke off */
	bool gone;	 /* forgotten: TLS came up since */
	uint16_t port;	 /* of the server */
	int64_t start_ns;
	char id[40];	/* Community ID of the connection */
	char alert[64]; /* TLS alert and its side; "" for none */
};

#define SEEN 16u /* peers of each kind that are told apart */

struct seen {
	uint32_t peer; /* hash of an address or network; 0: free */
	uint32_t at_s; /* packet time */
};

/* Who was offered TLS, and who was not. */
struct sights {
	struct seen with[SEEN], without[SEEN];
};

#define VARIANTS 8u /* sets of keywords of one server that are told apart */
#define NETS	 8u /* client networks that saw its offer */

struct variant {
	uint32_t keywords; /* 0: free */
	uint32_t offered, not_offered;
	uint32_t none;
	uint64_t sketch;
	int64_t last_ns;
};

struct server_key {
	struct addr addr;
	uint8_t none;
	uint16_t port;
};

struct server {
	int64_t last_ns;
	bool dirty;
	uint8_t tls_versions; /* bit 0: SSL 3, 1: TLS 1.0 ... 4: TLS 1.3 */
	uint8_t returns;      /* times that a vanished offer was back for the same network */
	uint16_t steady;      /* offers since it last was different */
	int64_t first_ns;
	int64_t last_offered_ns; /* 0: never */
	int64_t since_ns;	 /* when the offer vanished; 0: it has not */
	uint32_t offered, not_offered;
	uint32_t since;		/* connections since then */
	uint32_t since_nets[2]; /* client networks of these */
	uint32_t nets[NETS];	/* that saw the offer; 0: free */
	uint64_t issuer;	/* hash of the issuer of its certificate; 0: not seen */
	uint32_t issuers;	/* times that it changed */
	struct variant variant[VARIANTS];
	struct sights clients; /* networks of clients */
};

struct network_row {
	int64_t last_ns;
	bool dirty;
	struct sights servers;
};

/* When readable mail was seen of a client, or to a domain. */
struct first_seen {
	int64_t last_ns;
	bool dirty;
	int64_t first_ns;
};

/* What a record will ask for.  It was found before the record's turn, so it counts only where it
 * agrees with what the record says then.  Each key is hashed once. */
struct expected {
	struct addr client, net; /* family 0: none */
	struct server_key server;
	struct text_key domain; /* of a mail's first recipient; "": none */
	uint64_t client_hash, net_hash, server_hash, domain_hash;
};

struct memory {
	struct map failures; /* struct text_key -> struct failure */
	struct map servers;  /* struct server_key -> struct server */
	struct map networks; /* struct addr -> struct network_row */
	struct map clients;  /* struct addr -> struct first_seen */
	struct map domains;  /* struct text_key -> struct first_seen */
	uint32_t walk[5];    /* map_stalest, for each of them */
	int64_t first_ns;    /* the earliest record; 0: none yet */
	int64_t now_ns;	     /* the newest */
	struct hash_key key; /* of keyword sets */
	struct keyword_set sets[KEYWORD_SETS];
	struct expected expected; /* of the record that came last */
};

/* The entry of `key` (of that hash, see map_expect) in the map number `which` of the order above,
 * made where it was not there; the stalest goes where there is no room.  NULL where that cannot be.
 */
void *memory_put(struct memory *m, unsigned which, const void *key, uint64_t hash, bool *fresh);

struct map *memory_map(struct memory *m, unsigned which);

/* A hash that is the same in every run (FNV-1a), never 0; blind to case. */
uint32_t memory_hash(const void *octets, size_t len);

/* The /24 or /64 that the address is in. */
struct addr memory_net(const struct addr *a);

/* memory_retry.c: tells the record what failed before it, then learns from it. */
void retry_apply(struct memory *m, struct sighting *s, struct record *r);

/* memory_server.c: the same with what the server used to offer, and to whom.  Is the reason now
 * "stripped"?  That is left to the caller, since s points into the record. */
bool server_apply(struct memory *m, const struct sighting *s, struct record *r);

#endif
