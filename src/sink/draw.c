/*
 * Drawing a card.  Its order is that of a reader's questions: how bad, what and when; why; whose
 * mail; between which hosts; what exactly could be read; what to do.
 */
#include "sink/draw.h"

#include <string.h>

#include "base/text.h"
#include "sink/words.h"

void
draw_label(struct page *p, const char *label)
{
	page_tab(p, DRAW_LABEL);
	page_put(p, STYLE_DIM, label);
	page_tab(p, DRAW_VALUE);
}

void
draw_row(struct page *p, const char *label, const char *value)
{
	if (value[0] == '\0')
		return;
	draw_label(p, label);
	page_wrap(p, STYLE_PLAIN, DRAW_VALUE, value);
	page_line(p);
}

void
draw_count(struct page *p, unsigned end, uint64_t n)
{
	char cell[32];
	struct text t = text_in(cell, sizeof cell);
	text_add_count(&t, n);
	page_tab(p, end > t.len ? end - (unsigned)t.len : 0);
	page_put(p, n > 0 ? STYLE_PLAIN : STYLE_DIM, cell);
}

void
draw_heading(struct page *p, unsigned end, const char *word)
{
	unsigned width = page_width(word, strlen(word));
	page_tab(p, end > width ? end - width : 0);
	page_put(p, STYLE_DIM, word);
}

/* "mail and credentials", "envelope" */
static void
add_what(struct text *t, const struct card *c)
{
	static const unsigned content =
	    1u << READABLE_HEADERS | 1u << READABLE_BODY | 1u << READABLE_ATTACHMENTS;
	const char *what[2];
	unsigned n = 0;
	if ((c->key.exposed & content) != 0)
		what[n++] = c->mails > 1 ? "Mails" : "Mail";
	else if ((c->key.exposed & 1u << READABLE_ENVELOPE) != 0)
		what[n++] = c->mails > 1 ? "Envelopes" : "Envelope";
	if (c->logins) {
		what[n] = n == 0 ? "Credentials" : "credentials";
		n++;
	}
	for (unsigned i = 0; i < n; i++) {
		text_puts(t, i > 0 ? " and " : "");
		text_puts(t, what[i]);
	}
	text_puts(t, n > 0 ? " in clear" : "In clear");
}

void
draw_number(struct page *p, size_t number, size_t all)
{
	char place[48];
	struct text n = text_in(place, sizeof place);
	text_putc(&n, ' ');
	text_add_count(&n, number);
	text_puts(&n, " of ");
	text_add_count(&n, all);
	text_putc(&n, ' ');

	page_tab(p, 1);
	page_rule(p, STYLE_DIM, p->columns - (unsigned)n.len - 3);
	page_put(p, STYLE_DIM, n.buf);
	page_rule(p, STYLE_DIM, 2);
	page_line(p);
}

static void
draw_head(struct page *p, const struct card *c)
{
	char when[32], what[64];
	struct text t = text_in(when, sizeof when), w = text_in(what, sizeof what);
	if (c->first_ns != 0) {
		words_time(&t, c->first_ns);
		text_puts(&t, " UTC");
	}
	add_what(&w, c);
	if (c->key.level != LEVEL_NONE) {
		bool alarm = p->colour && words_level_style(c->key.level) == STYLE_ALARM;
		char tag[16];
		struct text l = text_in(tag, sizeof tag);
		text_puts(&l, alarm ? " " : "");
		text_puts(&l, words_level_name(c->key.level));
		text_puts(&l, alarm ? " " : "");
		page_tab(p, alarm ? 2 : DRAW_LABEL);
		page_put(p, words_level_style(c->key.level), tag);
		page_tab(p, DRAW_VALUE);
	} else {
		page_tab(p, DRAW_LABEL);
	}
	page_put(p, STYLE_BOLD, what);
	if (p->column + 2 + t.len > p->columns) {
		page_line(p);
		page_tab(p, DRAW_VALUE);
	} else {
		page_tab(p, p->columns - (unsigned)t.len);
	}
	page_put(p, STYLE_DIM, when);
	page_line(p);
	page_line(p);
}

static void
draw_hops(struct page *p, const struct card *c)
{
	char line[CARD_HOPS_LINE];
	struct text t = text_in(line, sizeof line);
	card_hops_say(&c->hops, &t);
	draw_row(p, "Before", line);
}

/* The judge's sentence speaks of one connection; of many, one that counts them is made here. */
static void
draw_why(struct page *p, const struct card *c)
{
	char sentence[200];
	struct text t = text_in(sentence, sizeof sentence);
	bool many = c->connections > 1 || (c->connections == 0 && c->mails > 1);
	if (many) {
		if (c->mails > 0)
			words_count(&t, c->mails, "mail");
		else
			text_puts(&t, c->logins ? "Credentials" : "Envelopes");
		if (c->connections > 1) {
			text_puts(&t, " in ");
			words_count(&t, c->connections, "connection");
		}
		text_puts(&t, c->mails == 1 ? " was readable" : " were readable");
	}
	if (c->key.reason[0] != '\0') {
		text_puts(&t, t.len > 0 ? ": " : "");
		text_puts(&t, words_reason(c->key.reason));
	}
	if (t.len > 0)
		text_putc(&t, '.');
	sentence[0] = ascii_upper(sentence[0]);
	const char *why = !many && c->message[0] != '\0' ? c->message : sentence;
	if (why[0] == '\0')
		return;
	page_tab(p, DRAW_LABEL);
	page_wrap(p, STYLE_PLAIN, DRAW_LABEL, why);
	page_line(p);
	page_line(p);
}

/* The kept values of a list, "and 12 more". */
static void
draw_names(struct page *p, const char *label, const struct names *n)
{
	uint64_t all = distinct_count(&n->all);
	if (n->shown == 0)
		return;
	draw_label(p, label);
	for (uint32_t i = 0; i < n->shown; i++) {
		char item[CARD_NAME + 2];
		struct text t = text_in(item, sizeof item);
		text_puts(&t, n->text[i][0] != '\0' ? n->text[i] : "<>");
		if (i + 1 < n->shown)
			text_putc(&t, ',');
		if (i > 0)
			page_tab(p, p->column + 1);
		if (i > 0 && p->column + page_width(t.buf, t.len) > p->columns) {
			page_line(p);
			page_tab(p, DRAW_VALUE);
		}
		page_wrap(p, STYLE_PLAIN, DRAW_VALUE, item);
	}
	if (all > n->shown) {
		char more[64];
		struct text t = text_in(more, sizeof more);
		text_puts(&t, n->all.estimate ? "and about " : "and ");
		text_add_count(&t, all - n->shown);
		text_puts(&t, " more");
		page_tab(p, p->column + 1);
		page_wrap(p, STYLE_DIM, DRAW_VALUE, more);
	}
	page_line(p);
}

static void
draw_login(struct page *p, const struct card *c)
{
	char line[4 * CARD_NAME];
	struct text t = text_in(line, sizeof line);
	for (uint32_t i = 0; i < c->mechanisms.shown; i++)
		text_printf(&t, "%s%s", i > 0 ? ", " : "", c->mechanisms.text[i]);
	words_add_logins(&t, c->login_shows, c->login_results);
	draw_row(p, "Login", line);
}

static void
draw_mail(struct page *p, const struct card *c)
{
	char line[128];
	struct text t = text_in(line, sizeof line);
	unsigned lines = p->lines;
	draw_names(p, "From", &c->senders);
	draw_names(p, "To", &c->recipients);
	if (c->recipients.shown == 0 && c->recipients_named > 0) {
		words_count(&t, c->recipients_named, "recipient");
		text_puts(&t, c->recipients_named == 1 ? ", refused" : ", all refused");
		draw_row(p, "To", line);
	}
	draw_names(p, "Subject", &c->subjects);
	draw_names(p, "Attached", &c->attachments);
	draw_names(p, "Written by", &c->mailers);
	if (c->logins || c->mechanisms.shown > 0)
		draw_login(p, c);
	if (p->lines > lines)
		page_line(p);
}

static void
draw_side(struct page *p, const char *label, const struct addr *a, unsigned port,
    const struct card_side *side)
{
	char where[ADDR_TEXT + 8], address[ADDR_TEXT], net[CARD_NAME + 32];
	struct text t = text_in(where, sizeof where), n = text_in(net, sizeof net);
	addr_print(a, address);
	text_puts(&t, address[0] != '\0' ? address : "address not known");
	if (port != 0) {
		text_puts(&t, a->family == 6 ? " port " : ":");
		text_add_u64(&t, port);
	}
	draw_label(p, label);
	page_put(p, STYLE_PLAIN, where);
	if (side->name[0] != '\0') {
		unsigned width = page_width(side->name, strlen(side->name));
		if (p->column + 2 + width > p->columns) {
			page_line(p);
			page_tab(p, DRAW_VALUE);
		} else {
			page_tab(p, p->column + 2);
		}
		page_put_middle(p, STYLE_BOLD, side->name, p->columns);
	}
	page_line(p);
	text_puts(&n, side->country);
	if (side->as_number != 0)
		text_printf(&n, "%sAS%llu", n.len > 0 ? ", " : "",
		    (unsigned long long)side->as_number);
	if (side->network[0] != '\0')
		text_printf(&n, "%s%s", n.len > 0 ? " " : "", side->network);
	draw_row(p, "", net);
}

static void
draw_seen(struct page *p, const struct card *c)
{
	char line[200];
	struct text t = text_in(line, sizeof line);
	if (c->connections > 1) {
		words_count(&t, c->connections, "connection");
		text_puts(&t, " from ");
		words_clock(&t, c->first_ns);
		text_puts(&t, " to ");
		if (c->first_ns / 86400000000000 == c->last_ns / 86400000000000)
			words_clock(&t, c->last_ns);
		else
			words_time(&t, c->last_ns);
		text_puts(&t, " (");
		words_duration(&t, (uint64_t)c->last_ns - (uint64_t)c->first_ns);
		text_puts(&t, ")");
	}
	if (c->not_accepted > 0) {
		text_puts(&t, t.len > 0 ? "; " : "");
		if (c->mails > 1) {
			words_count(&t, c->not_accepted, "mail");
			text_putc(&t, ' ');
		}
		text_puts(&t, "not accepted by the server, but readable all the same");
	}
	draw_row(p, "Seen", line);
}

/* "sealed inside (S/MIME): addresses and subject readable" */
static void
draw_sealed(struct page *p, const struct card *c)
{
	char line[128];
	struct text t = text_in(line, sizeof line);
	if (c->sealed == 0)
		return;
	if (c->sealed < c->mails) {
		text_add_count(&t, c->sealed);
		text_puts(&t, " of ");
		words_count(&t, c->mails, "mail");
		text_putc(&t, ' ');
	}
	text_printf(&t, "sealed inside (%s%s%s): addresses and subject readable",
	    c->sealed_smime ? "S/MIME" : "", c->sealed_smime && c->sealed_pgp ? ", " : "",
	    c->sealed_pgp ? "PGP" : "");
	draw_row(p, "", line);
}

static void
draw_readable(struct page *p, const struct card *c)
{
	static const unsigned inside = 1u << READABLE_BODY | 1u << READABLE_ATTACHMENTS;
	unsigned sealed = c->sealed > 0 && c->sealed == c->mails ? inside : 0;
	draw_label(p, "Readable");
	for (unsigned i = 0; i < READABLES; i++) {
		bool is = ((c->key.exposed & ~sealed) >> i & 1) != 0;
		bool shut = (sealed >> i & 1) != 0;
		const char *name = words_readable_name((enum readable)i);
		size_t width = strlen(name) + (shut ? strlen(" sealed") : 0);
		if (p->column > DRAW_VALUE && p->column + 4 + width > p->columns) {
			page_line(p);
			page_tab(p, DRAW_VALUE);
		}
		page_tab(p, p->column + (p->column > DRAW_VALUE ? 2 : 0));
		/* U+25A0, U+25A1 and U+2592: a filled and an empty square, a grey one */
		page_put(p, is ? STYLE_RED : STYLE_DIM,
		    p->unicode ? (is		? "\xe2\x96\xa0"
					 : shut ? "\xe2\x96\x92"
						: "\xe2\x96\xa1")
			       : (is		? "x"
					 : shut ? "="
						: "-"));
		page_tab(p, p->column + 1);
		page_put(p, is ? STYLE_BOLD : STYLE_DIM, name);
		if (shut)
			page_put(p, STYLE_DIM, " sealed");
	}
	page_line(p);
	draw_sealed(p, c);
}

void
draw_card(struct page *p, const struct card *c)
{
	draw_head(p, c);
	draw_why(p, c);
	draw_mail(p, c);
	draw_side(p, "Client", &c->key.client, c->connections > 1 ? 0 : c->client_port, &c->client);
	draw_row(p, "", c->who);
	draw_names(p, "Behind it", &c->behind);
	draw_side(p, "Server", &c->key.server, c->key.port, &c->server);
	draw_names(p, "Tunnel", &c->tunnels);
	draw_hops(p, c);
	draw_seen(p, c);
	page_line(p);
	draw_readable(p, c);
	draw_row(p, "Reason", c->key.reason);
	draw_row(p, "Evidence", c->evidence);
	draw_row(p, "Baseline", c->baseline);
	draw_row(p, "Policy", c->policy);
	draw_row(p, "Accepted", c->accepted);
	if (!c->key.accepted || c->logins)
		draw_row(p, "To do", c->advice);
	page_line(p);
}
