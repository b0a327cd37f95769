/* The cards of a report: see cards.h. */
#include "sink/cards.h"

#include <stdlib.h>
#include <string.h>

#include "record/read.h"
#include "sink/words.h"

/* The key of a connection whose session has not ended. */
struct connection {
	struct addr client, server;
	uint16_t client_port, server_port;
};

/* Two hosts that a card is about: a connection without the client's port. */
static struct connection
hosts_of(struct connection c)
{
	c.client_port = 0;
	return c;
}

bool
cards_init(struct cards *c, bool reveal)
{
	memset(c, 0, sizeof *c);
	c->reveal = reveal;
	if (map_init(&c->open, "open cards", sizeof(struct connection), sizeof(struct card),
		LIMIT_OPEN_CARDS) &&
	    map_init(&c->filed, "cards", sizeof(struct card_key), sizeof(struct card),
		LIMIT_CARDS) &&
	    map_init(&c->hosts, "hosts with cards", sizeof(struct connection), sizeof(uint64_t),
		LIMIT_CARDS) &&
	    map_init(&c->senders, "senders", sizeof(struct card_key), sizeof(uint32_t),
		LIMIT_CARDS))
		return true;
	cards_free_all(c);
	return false;
}

void
cards_free_all(struct cards *c)
{
	map_free_all(&c->open);
	map_free_all(&c->filed);
	map_free_all(&c->hosts);
	map_free_all(&c->senders);
}

static void
connection_of(struct connection *key, const struct record *r)
{
	memset(key, 0, sizeof *key);
	key->client = record_ip(r, FIELD_SOURCE_IP);
	key->client_port = (uint16_t)record_u64(r, FIELD_SOURCE_PORT, 0);
	key->server = record_ip(r, FIELD_DESTINATION_IP);
	key->server_port = (uint16_t)record_u64(r, FIELD_DESTINATION_PORT, 0);
}

static void
file_card(struct cards *c, const struct card *one)
{
	struct card_key key = one->key;
	bool fresh;
	key.sender = 0;
	uint32_t *senders = map_put(&c->senders, &key, NULL);
	key.sender = one->senders.shown > 0 ? one->senders.hash[0] : 0;
	if (map_find(&c->filed, &key) == NULL && senders != NULL && *senders >= LIMIT_SENDERS)
		key.sender = UINT64_MAX;
	struct card *filed = map_put(&c->filed, &key, &fresh);
	if (filed == NULL) {
		c->left_out += one->connections > 0 ? one->connections : 1;
		return;
	}
	if (fresh && senders != NULL)
		++*senders;
	if (fresh)
		(void)map_put(&c->hosts, &(struct connection){key.client, key.server, 0, key.port},
		    NULL);
	card_merge(filed, one);
	filed->key = key;
}

/* A card is large: it is filed from where it stands, and goes when nobody reads it any more. */
static void
drop_spent(struct cards *c)
{
	if (c->spent != NULL)
		map_remove(&c->open, c->spent);
	c->spent = NULL;
}

/* Is there no card that a connection between these hosts could be filed under, nor room for one? */
static bool
finds_no_room(const struct cards *c, const struct connection *key)
{
	const struct connection hosts = hosts_of(*key);
	return map_count(&c->filed) == LIMIT_CARDS && map_find(&c->hosts, &hosts) == NULL;
}

bool
cards_want(const struct cards *c, const struct record *r)
{
	struct connection key;
	if (r->kind == RECORD_SESSION && !record_is(r, FIELD_OUTCOME, "cleartext"))
		return false;
	if (map_count(&c->filed) < LIMIT_CARDS)
		return true;
	connection_of(&key, r);
	return !finds_no_room(c, &key) || map_find(&c->open, &key) != NULL;
}

void
cards_take_mail(struct cards *c, const struct record *r)
{
	struct connection key;
	drop_spent(c);
	connection_of(&key, r);
	if (finds_no_room(c, &key) && map_find(&c->open, &key) == NULL)
		return; /* its session counts it */
	struct card *open = map_put(&c->open, &key, NULL);
	if (open != NULL) {
		card_take(open, r, c->reveal);
		return;
	}
	memset(&c->one, 0, sizeof c->one);
	card_take(&c->one, r, c->reveal);
	file_card(c, &c->one);
}

const struct card *
cards_take_session(struct cards *c, const struct record *r)
{
	struct connection key;
	struct record_value v;
	bool clear =
	    record_find(r, FIELD_OUTCOME, &v) && words_outcome(v.str, v.len) == OUTCOME_CLEARTEXT;
	drop_spent(c);
	connection_of(&key, r);
	struct card *card = map_find_key(&c->open, &key, &c->spent);
	if (!clear)
		return NULL;
	if (card == NULL && finds_no_room(c, &key)) {
		c->left_out++;
		return card_of_session(&c->one, r, c->reveal) ? &c->one : NULL;
	}
	if (card == NULL) {
		card = &c->one;
		memset(card, 0, sizeof *card);
	}
	card_take(card, r, c->reveal);
	file_card(c, card);
	return card;
}

/* An order in full: the same records give the same report. */
static int
compare(const void *a, const void *b)
{
	const struct card *x = *(const struct card *const *)a, *y = *(const struct card *const *)b;
	if (x->key.level != y->key.level)
		return x->key.level > y->key.level ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	int order = memcmp(&x->key.client, &y->key.client, sizeof x->key.client);
	if (order == 0)
		order = memcmp(&x->key.server, &y->key.server, sizeof x->key.server);
	if (order == 0 && x->client_port != y->client_port)
		order = x->client_port < y->client_port ? -1 : 1;
	/* the map hands cards out in the order in which they were filed */
	return order != 0 ? order : x < y ? -1 : 1;
}

const struct card **
cards_sort(struct cards *c, size_t *n)
{
	const void *key;
	void *value;
	drop_spent(c);
	for (uint32_t at = 0; map_next(&c->open, &at, &key, &value);) {
		file_card(c, value);
		map_remove(&c->open, key);
	}
	*n = 0;
	if (map_count(&c->filed) == 0)
		return NULL;
	const struct card **sorted = malloc(map_count(&c->filed) * sizeof(struct card *));
	if (sorted == NULL)
		return NULL;
	for (uint32_t at = 0; map_next(&c->filed, &at, &key, &value);)
		sorted[(*n)++] = value;
	qsort(sorted, *n, sizeof *sorted, compare);
	return sorted;
}
