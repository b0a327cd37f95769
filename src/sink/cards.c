/* The cards of a report: see cards.h. */
#include "sink/cards.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "record/read.h"
#include "sink/card_pack.h"
#include "sink/words.h"

/* A card that was filed. */
struct filed {
	const struct card_key *key; /* where the map has it */
	struct card_packed *packed; /* the card; NULL: it was at hand ever since */
	uint32_t place;		    /* at hand, counted from 1; 0: it is packed */
	uint16_t client_port;	    /* of the first connection */
	bool logins;
	int64_t first_ns;
	char *text; /* that was drawn of it, as it is; NULL: none */
	size_t text_len;
};

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
	c->hand = memory_reserve(CARDS_AT_HAND * sizeof *c->hand);
	if (c->hand != NULL &&
	    map_init(&c->open, "open cards", sizeof(struct connection), sizeof(struct card),
		LIMIT_OPEN_CARDS) &&
	    map_init(&c->filed, "cards", sizeof(struct card_key), sizeof(struct filed),
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
	const void *key;
	void *value;
	for (uint32_t at = 0; c->filed.slots != NULL && map_next(&c->filed, &at, &key, &value);) {
		free(((struct filed *)value)->packed);
		free(((struct filed *)value)->text);
	}
	free(c->sorted);
	memory_release(c->hand, CARDS_AT_HAND * sizeof *c->hand);
	c->hand = NULL;
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

/* The card of f, unpacked; one without connections and mails, which card_merge overwrites, where it
 * has none yet.  NULL where there is no memory. */
static struct card *
take_in_hand(struct cards *c, struct filed *f)
{
	if (f->place != 0)
		return &c->hand[f->place - 1];
	uint32_t i = c->next;
	struct card *card = &c->hand[i];
	struct card_packed *p = NULL;
	if (c->owner[i] != NULL) {
		p = card_pack(card, c->owner[i]->packed);
		if (p == NULL)
			return NULL;
		c->owner[i]->packed = p;
		c->owner[i]->place = 0;
		c->undrawn = true;
	}
	free(f->text);
	f->text = NULL;
	if (f->packed != NULL)
		card_unpack(card, p, f->packed);
	else
		card->connections = card->mails = 0;
	c->owner[i] = f;
	f->place = i + 1;
	c->next = (i + 1) % CARDS_AT_HAND;
	return card;
}

/* The card of that key, in hand, which is made where it was not there (*fresh).  NULL where it
 * finds no room. */
static struct card *
filed_card(struct cards *c, const struct card_key *key, bool *fresh)
{
	struct filed *f = map_put(&c->filed, key, fresh);
	if (f == NULL)
		return NULL;
	if (*fresh)
		(void)map_find_key(&c->filed, key, (const void **)&f->key);
	struct card *card = take_in_hand(c, f);
	if (card == NULL && *fresh)
		map_remove(&c->filed, key);
	return card;
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
	struct card *card = filed_card(c, &key, &fresh);
	if (card == NULL) {
		c->left_out += one->connections > 0 ? one->connections : 1;
		return;
	}
	if (fresh && senders != NULL)
		++*senders;
	if (fresh)
		(void)map_put(&c->hosts, &(struct connection){key.client, key.server, 0, key.port},
		    NULL);
	card_merge(card, one);
	card->key = key;
	struct filed *f = c->owner[card - c->hand];
	f->first_ns = card->first_ns;
	f->client_port = card->client_port;
	f->logins = card->logins;
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
cards_want(struct cards *c, const struct record *r)
{
	struct connection key;
	size_t len;
	const char *outcome = record_str(r, FIELD_OUTCOME, &len);
	c->nowhere = NULL;
	if (r->kind == RECORD_SESSION && !word_is(outcome, len, "cleartext"))
		return false;
	if (map_count(&c->filed) < LIMIT_CARDS)
		return true;
	connection_of(&key, r);
	if (!finds_no_room(c, &key) || (map_count(&c->open) > 0 && map_find(&c->open, &key)))
		return true;
	c->nowhere = r;
	return false;
}

/* Was that found out already when it was asked for? */
static bool
is_nowhere(struct cards *c, const struct record *r)
{
	bool nowhere = c->nowhere == r;
	c->nowhere = NULL;
	return nowhere;
}

void
cards_take_mail(struct cards *c, const struct record *r)
{
	struct connection key;
	drop_spent(c);
	if (is_nowhere(c, r))
		return; /* its session counts it */
	connection_of(&key, r);
	if (finds_no_room(c, &key) && (map_count(&c->open) == 0 || !map_find(&c->open, &key)))
		return;
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
	if (is_nowhere(c, r)) {
		c->left_out++;
		return NULL;
	}
	connection_of(&key, r);
	struct card *card =
	    map_count(&c->open) > 0 ? map_find_key(&c->open, &key, &c->spent) : NULL;
	if (!clear)
		return NULL;
	if (card == NULL && finds_no_room(c, &key)) {
		c->left_out++;
		return NULL;
	}
	if (card == NULL) {
		card = &c->one;
		memset(card, 0, sizeof *card);
	}
	card_take(card, r, c->reveal);
	file_card(c, card);
	return card;
}

const struct card *
cards_early(struct cards *c)
{
	const void *key;
	void *value;
	for (uint32_t at = c->walk; map_next(&c->filed, &at, &key, &value); c->walk = at) {
		struct filed *f = value;
		if (f->packed == NULL)
			break; /* at hand ever since, as all behind it */
		if (f->place != 0 || f->text != NULL)
			continue;
		c->walk = at;
		c->early = f;
		card_unpack(&c->one, NULL, f->packed);
		return &c->one;
	}
	c->undrawn = false;
	return NULL;
}

void
cards_keep_text(struct cards *c, const char *text, size_t len)
{
	struct filed *f = c->early;
	c->early = NULL;
	if (len > LIMIT_CARD_TEXT || (f->text = malloc(len + 1)) == NULL)
		return;
	memcpy(f->text, text, len);
	f->text_len = len;
}

/* An order in full: the same records give the same report. */
static int
compare(const void *a, const void *b)
{
	const struct filed *x = *(struct filed *const *)a, *y = *(struct filed *const *)b;
	const struct card_key *p = x->key, *q = y->key;
	if (p->level != q->level)
		return p->level > q->level ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	int order = memcmp(&p->client, &q->client, sizeof p->client);
	if (order == 0)
		order = memcmp(&p->server, &q->server, sizeof p->server);
	if (order == 0 && x->client_port != y->client_port)
		order = x->client_port < y->client_port ? -1 : 1;
	/* the map hands cards out in the order in which they were filed */
	return order != 0 ? order : x < y ? -1 : 1;
}

size_t
cards_sort(struct cards *c, bool accepted)
{
	const void *key;
	void *value;
	size_t n = 0;
	drop_spent(c);
	for (uint32_t at = 0; map_next(&c->open, &at, &key, &value);) {
		file_card(c, value);
		map_remove(&c->open, key);
	}
	c->shown = NULL;
	free(c->sorted);
	c->sorted = malloc((map_count(&c->filed) + 1) * sizeof *c->sorted);
	if (c->sorted == NULL)
		return 0;
	for (uint32_t at = 0; map_next(&c->filed, &at, &key, &value);) {
		struct filed *f = value;
		if (accepted || !f->key->accepted || f->logins)
			c->sorted[n++] = f;
	}
	qsort(c->sorted, n, sizeof *c->sorted, compare);
	c->count = n;
	return n;
}

/* The one behind it is fetched meanwhile. */
static void
expect(const struct cards *c, size_t i)
{
	if (i < c->count && c->sorted[i]->text != NULL)
		card_expect(c->sorted[i]->text);
	else if (i < c->count && c->sorted[i]->packed != NULL)
		card_expect(c->sorted[i]->packed);
}

const char *
cards_sorted_text(const struct cards *c, size_t i, size_t *len)
{
	expect(c, i + 1);
	*len = c->sorted[i]->text_len;
	return c->sorted[i]->text;
}

const struct card *
cards_sorted(struct cards *c, size_t i)
{
	struct filed *f = c->sorted[i];
	expect(c, i + 1);
	if (f->place != 0)
		return &c->hand[f->place - 1];
	card_unpack(&c->one, c->shown, f->packed);
	c->shown = f->packed;
	return &c->one;
}
