/* The hops before, on a card: see card_hops.h. */
#include "sink/card_hops.h"

#include <string.h>

#include "record/mask.h"
#include "sink/words.h"

#define NAME 48u /* octets of a host's name */

/* A hop while its members come. */
struct one {
	struct record_value from, by; /* their len is 0 where they did not come */
	struct addr ip;
	bool trusted;
	bool open, sealed, readable, local;
};

/* The hops of a mail, the local ones left out. */
struct way {
	unsigned hops, sealed, trusted, readable;
	struct one first; /* the newest of the readable ones */
};

static void
one_end(struct way *w, struct one *h)
{
	if (h->open && !h->local) {
		w->hops++;
		w->sealed += h->sealed;
		w->trusted += h->trusted;
		if (h->readable && w->readable++ == 0)
			w->first = *h;
	}
	*h = (struct one){.open = true};
}

static struct way
way_of(const struct record *r)
{
	struct way w = {.hops = 0};
	struct one h = {.open = false};
	struct record_value v;
	for (uint32_t at = 0; record_next(r, &at, &v);) {
		switch (v.field) {
		case FIELD_HOP: one_end(&w, &h); break;
		case FIELD_HOP_FROM: h.from = v; break;
		case FIELD_HOP_IP: h.ip = v.ip; break;
		case FIELD_HOP_BY: h.by = v; break;
		case FIELD_HOP_TRUSTED: h.trusted = v.u64 != 0; break;
		case FIELD_HOP_STATE:
			h.sealed = ascii_is(v.str, v.len, "sealed");
			h.readable = ascii_is(v.str, v.len, "readable");
			h.local = ascii_is(v.str, v.len, "local");
			break;
		default: break;
		}
	}
	one_end(&w, &h);
	return w;
}

static void
add_name(struct text *t, const struct record_value *v, const struct addr *ip, bool reveal)
{
	char address[ADDR_TEXT];
	char name[NAME + 1];
	struct text masked = text_in(name, sizeof name);
	mask_add(&masked, reveal ? PRIVACY_OPEN : PRIVACY_TEXT, v->str, v->len);
	if (v->len > 0)
		text_add(t, masked.buf, masked.len);
	else
		text_puts(t,
		    ip != NULL && ip->family != 0 ? addr_print(ip, address)
						  : "a host without a name");
}

/* "3 hops, all sealed until this one (by its Received fields, 1 trusted)" */
static void
say_way(const struct way *w, bool sealed, bool readable, bool reveal, struct text *t)
{
	if (sealed) {
		words_count(t, w->hops, "hop");
		text_puts(t,
		    w->hops == 1 ? ", sealed until this one" : ", all sealed until this one");
	} else if (w->readable > 0) {
		text_puts(t, "readable already from ");
		add_name(t, &w->first.from, &w->first.ip, reveal);
		text_puts(t, " to ");
		add_name(t, &w->first.by, NULL, reveal);
		if (w->readable > 1)
			text_printf(t, ", and on %u more", w->readable - 1);
		text_printf(t, " (by its Received fields, that one %strusted)",
		    w->first.trusted ? "" : "not ");
		return;
	} else if (w->sealed < w->hops) {
		text_printf(t, "%u of ", w->sealed);
		words_count(t, w->hops, "hop");
		text_puts(t, " sealed, the rest not told");
	} else {
		words_count(t, w->hops, "hop");
		text_puts(t,
		    readable ? " sealed, an earlier one readable" : " sealed, others not captured");
	}
	text_puts(t, " (by its Received fields, ");
	if (w->trusted > 0 && w->trusted < w->hops)
		text_printf(t, "%u trusted)", w->trusted);
	else
		text_puts(t, w->trusted > 0 ? "trusted)" : "not trusted)");
}

void
card_hops_take(struct card_hops *h, const struct record *r, bool reveal)
{
	struct record_value v;
	if (!record_find(r, FIELD_HOP, &v))
		return;
	struct way w = way_of(r);
	bool told = record_find(r, FIELD_HOPS_SEALED, &v), sealed = told && v.u64 != 0;
	if (w.hops == 0)
		return;
	h->sealed += sealed;
	h->readable += told && !sealed;
	if (h->mails++ == 0 && (w.sealed > 0 || w.readable > 0)) {
		struct text t = text_in(h->line, sizeof h->line);
		say_way(&w, sealed, told && !sealed, reveal, &t);
	}
}

void
card_hops_merge(struct card_hops *into, const struct card_hops *from)
{
	if (into->mails == 0)
		memcpy(into->line, from->line, sizeof into->line);
	into->mails += from->mails;
	into->sealed += from->sealed;
	into->readable += from->readable;
}

void
card_hops_say(const struct card_hops *h, struct text *t)
{
	if (h->mails == 1)
		text_puts(t, h->line);
	if (h->mails <= 1 || h->sealed + h->readable == 0)
		return;
	if (h->sealed > 0) {
		text_add_count(t, h->sealed);
		text_puts(t, " of ");
		words_count(t, h->mails, "mail");
		text_puts(t, " sealed until this hop");
	}
	if (h->readable > 0) {
		text_puts(t, h->sealed > 0 ? ", " : "");
		text_add_count(t, h->readable);
		text_puts(t, " readable before, too");
	}
	text_puts(t, " (by their Received fields)");
}
