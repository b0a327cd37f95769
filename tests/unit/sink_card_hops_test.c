/* The line of a card about the hops before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/card.h"
#include "sink/card_hops.h"

static struct record record;

/* Hops as letters: s sealed, r readable, l local, u unknown; a capital: trusted.  `sealed` of all:
 * 1, 0, or -1 where it is not said. */
static void
make(const char *hops, int sealed)
{
	record_begin(&record, RECORD_MESSAGE);
	for (unsigned i = 0; hops[i] != '\0'; i++) {
		char from[16], by[16], c = hops[i];
		from[0] = by[0] = '\0';
		bool trusted = c >= 'A' && c <= 'Z';
		c = (char)(c | 0x20);
		strcat(from, "from-");
		strcat(by, "by-");
		from[5] = by[3] = (char)('1' + i);
		from[6] = by[4] = '\0';
		record_put_item(&record, FIELD_HOP);
		record_put_word(&record, FIELD_HOP_FROM, from);
		record_put_word(&record, FIELD_HOP_BY, by);
		record_put_word(&record, FIELD_HOP_STATE,
		    c == 's'	   ? "sealed"
			: c == 'r' ? "readable"
			: c == 'l' ? "local"
				   : "unknown");
		record_put_bool(&record, FIELD_HOP_TRUSTED, trusted);
	}
	if (sealed >= 0)
		record_put_bool(&record, FIELD_HOPS_SEALED, sealed != 0);
}

static void
expect(const struct card_hops *h, const char *want)
{
	char line[CARD_HOPS_LINE];
	struct text t = text_in(line, sizeof line);
	card_hops_say(h, &t);
	assert_string_equal(line, want);
}

static void
one_mail(void **state)
{
	(void)state;
	static const struct {
		const char *hops;
		int sealed;
		const char *line;
	} cases[] = {
	    {"", -1, ""},
	    {"S", 1, "1 hop, sealed until this one (by its Received fields, trusted)"},
	    {"Sss", 1, "3 hops, all sealed until this one (by its Received fields, 1 trusted)"},
	    {"ss", 1, "2 hops, all sealed until this one (by its Received fields, not trusted)"},
	    {"LSsl", 1, "2 hops, all sealed until this one (by its Received fields, 1 trusted)"},
	    {"SRr", 0,
		"readable already from from-2 to by-2, and on 1 more (by its Received fields, that "
		"one trusted)"},
	    {"Sr", 0,
		"readable already from from-2 to by-2 (by its Received fields, that one not "
		"trusted)"},
	    {"SU", -1, "1 of 2 hops sealed, the rest not told (by its Received fields, trusted)"},
	    {"SS", -1, "2 hops sealed, others not captured (by its Received fields, trusted)"},
	    {"SS", 0, "2 hops sealed, an earlier one readable (by its Received fields, trusted)"},
	    {"UU", -1, ""},
	    {"L", -1, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct card_hops h = {.mails = 0};
		make(cases[i].hops, cases[i].sealed);
		card_hops_take(&h, &record, false);
		expect(&h, cases[i].line);
	}
}

static void
several(void **state)
{
	(void)state;
	struct card_hops a = {.mails = 0}, b = {.mails = 0}, none = {.mails = 0};
	make("Ss", 1);
	card_hops_take(&a, &record, false);
	card_hops_merge(&b, &none);
	card_hops_merge(&b, &a);
	expect(&b, "2 hops, all sealed until this one (by its Received fields, 1 trusted)");
	card_hops_merge(&b, &none);
	expect(&b, "2 hops, all sealed until this one (by its Received fields, 1 trusted)");
	card_hops_merge(&b, &a);
	expect(&b, "2 of 2 mails sealed until this hop (by their Received fields)");
	make("R", 0);
	card_hops_take(&b, &record, false);
	expect(&b,
	    "2 of 3 mails sealed until this hop, 1 readable before, too (by their Received "
	    "fields)");
	memset(&b, 0, sizeof b);
	card_hops_take(&b, &record, false);
	card_hops_take(&b, &record, false);
	expect(&b, "2 readable before, too (by their Received fields)");
	memset(&b, 0, sizeof b);
	make("U", -1);
	card_hops_take(&b, &record, false);
	card_hops_take(&b, &record, false);
	expect(&b, "");
}

/* Names come from the wire, and from whoever forged them. */
static void
hostile_names(void **state)
{
	(void)state;
	struct card_hops h = {.mails = 0};
	char name[256], line[CARD_HOPS_LINE];
	memset(name, 0x1b, sizeof name);
	record_begin(&record, RECORD_MESSAGE);
	record_put_word(&record, FIELD_HOP_STATE, "readable"); /* outside any hop: no hop */
	record_put_item(&record, FIELD_HOP);
	record_put_str(&record, FIELD_HOP_FROM, name, sizeof name);
	record_put_str(&record, FIELD_HOP_BY, name, sizeof name);
	record_put_word(&record, FIELD_HOP_STATE, "readable");
	record_put_bool(&record, FIELD_HOPS_SEALED, false);
	card_hops_take(&h, &record, false);
	struct text t = text_in(line, sizeof line);
	card_hops_say(&h, &t);
	assert_memory_equal(line, "readable already from \\x1b", 26);
	assert_null(memchr(line, 0x1b, t.len));
	record_begin(&record, RECORD_MESSAGE);
	record_put_item(&record, FIELD_HOP);
	record_put_word(&record, FIELD_HOP_STATE, "readable");
	record_put_bool(&record, FIELD_HOPS_SEALED, false);
	memset(&h, 0, sizeof h);
	card_hops_take(&h, &record, false);
	expect(&h,
	    "readable already from a host without a name to a host without a name (by its "
	    "Received fields, that one not trusted)");
}

/* A name may be a mail address, which is masked as elsewhere, cut or not. */
static void
addresses(void **state)
{
	(void)state;
	struct card_hops h = {.mails = 0};
	for (unsigned reveal = 0; reveal < 2; reveal++) {
		record_begin(&record, RECORD_MESSAGE);
		record_put_item(&record, FIELD_HOP);
		record_put_word(&record, FIELD_HOP_FROM, "ann@example.com");
		record_put_word(&record, FIELD_HOP_BY,
		    "bert.of.a.name.that.is.longer.than.what.a.card.shows.of.it@example.org");
		record_put_word(&record, FIELD_HOP_STATE, "readable");
		record_put_bool(&record, FIELD_HOPS_SEALED, false);
		memset(&h, 0, sizeof h);
		card_hops_take(&h, &record, reveal != 0);
		expect(&h,
		    reveal ? "readable already from ann@example.com to "
			     "bert.of.a.name.that.is.longer.than.what.a.card.s (by its Received "
			     "fields, that one not trusted)"
			   : "readable already from a***@example.com to b***@example.org (by its "
			     "Received fields, that one not trusted)");
	}
}

/* A card takes them from its mails, and merging adds them. */
static void
on_a_card(void **state)
{
	(void)state;
	static struct card one, all;
	make("Ss", 1);
	card_take(&one, &record, false);
	record.kind = RECORD_SESSION;
	card_take(&one, &record, false);
	assert_int_equal(one.hops.mails, 1);
	card_merge(&all, &one);
	card_merge(&all, &one);
	assert_int_equal(all.hops.mails, 2);
	assert_int_equal(all.hops.sealed, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_mail),
	    cmocka_unit_test(several),
	    cmocka_unit_test(hostile_names),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(on_a_card),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
