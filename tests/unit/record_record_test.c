/* Records: what is put comes back, what does not fit is left out, and damaged octets do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/record.h"

static void
what_is_put_comes_back(void **state)
{
	(void)state;
	struct record r;
	struct record_value v;
	struct addr four, six;
	uint32_t at = 0;
	assert_true(addr_parse("192.0.2.1", &four) && addr_parse("2001:db8::1", &six));
	record_begin(&r, RECORD_SESSION);
	record_put_str(&r, FIELD_HELO, "a\0b", 3);
	record_put_word(&r, FIELD_REASON, NULL); /* not known: nothing */
	record_put_u64(&r, FIELD_MESSAGES, UINT64_MAX);
	record_put_bool(&r, FIELD_MIDSTREAM, false);
	record_put_time(&r, FIELD_TIMESTAMP, INT64_MIN);
	record_put_ip(&r, FIELD_SOURCE_IP, &four);
	record_put_ip(&r, FIELD_DESTINATION_IP, &six);
	record_put_item(&r, FIELD_EMAIL_ATTACHMENT);
	record_put_word(&r, FIELD_EXPOSED, "body");
	record_put_word(&r, FIELD_EXPOSED, "headers");
	assert_int_equal(r.cut, 0);

	assert_true(record_next(&r, &at, &v));
	assert_int_equal(v.field, FIELD_HELO);
	assert_int_equal(v.len, 3);
	assert_memory_equal(v.str, "a\0b", 3);
	assert_true(record_next(&r, &at, &v));
	assert_int_equal(v.field, FIELD_MESSAGES);
	assert_true(v.u64 == UINT64_MAX);
	assert_true(record_next(&r, &at, &v));
	assert_int_equal(v.field, FIELD_MIDSTREAM);
	assert_int_equal(v.u64, 0);
	assert_true(record_next(&r, &at, &v));
	assert_true(v.ns == INT64_MIN);
	assert_true(record_next(&r, &at, &v));
	assert_memory_equal(&v.ip, &four, sizeof four);
	assert_true(record_next(&r, &at, &v));
	assert_memory_equal(&v.ip, &six, sizeof six);
	assert_true(record_next(&r, &at, &v));
	assert_int_equal(v.field, FIELD_EMAIL_ATTACHMENT);

	assert_true(record_find(&r, FIELD_EXPOSED, &v));
	assert_memory_equal(v.str, "body", 4);
	assert_true(record_is(&r, FIELD_EXPOSED, "headers"));
	assert_false(record_is(&r, FIELD_EXPOSED, "head"));
	assert_false(record_find(&r, FIELD_REASON, &v));
	record_begin(&r, RECORD_MESSAGE);
	assert_false(record_find(&r, FIELD_HELO, &v));
}

static void
what_does_not_fit_is_left_out(void **state)
{
	(void)state;
	struct record *r = malloc(sizeof *r);
	struct record_value v;
	uint8_t octets[1000] = {0};
	record_begin(r, RECORD_MESSAGE);
	record_say_cut(r);
	assert_int_equal(r->len, 0); /* nothing was left out */
	for (int i = 0; i < 58; i++)
		record_put_str(r, FIELD_EMAIL_TO, octets, sizeof octets);
	assert_int_equal(r->cut, 0);
	record_put_str(r, FIELD_EMAIL_TO, octets, sizeof octets); /* lists leave room */
	assert_int_equal(r->cut, 1);
	for (int i = 0; i < 5; i++)
		record_put_str(r, FIELD_HELO, octets, sizeof octets); /* for what comes last */
	record_put_word(r, FIELD_OUTCOME, "cleartext");
	assert_int_equal(r->cut, 1);
	assert_true(record_is(r, FIELD_OUTCOME, "cleartext"));
	record_say_cut(r);
	assert_true(record_find(r, FIELD_CUT, &v) && v.u64 == 1);
	record_begin(r, RECORD_MESSAGE);
	record_put_str(r, FIELD_HELO, NULL, 0);
	assert_true(record_find(r, FIELD_HELO, &v));
	assert_int_equal(v.len, 0);
	char *most = calloc(1, LIMIT_RECORD);
	record_begin(r, RECORD_MESSAGE);
	record_put_str(r, FIELD_HELO, most, LIMIT_RECORD - 4 - 16);
	assert_int_equal(r->len, LIMIT_RECORD - 16);
	record_put_word(r, FIELD_OUTCOME, "cleartext");
	assert_int_equal(r->cut, 1);
	record_say_cut(r); /* that always fits */
	assert_int_equal(r->len, LIMIT_RECORD - 4);
	free(most);
	free(r);
}

/* Short words are put as others are, and where there is little room. */
static void
short_words(void **state)
{
	(void)state;
	static const struct short_word words[] = {SHORT(""), SHORT("x"), SHORT("fourteen chars"),
	    SHORT("fifteen of them")};
	static struct record a, b;
	static uint8_t octets[LIMIT_RECORD];
	for (uint32_t before = LIMIT_RECORD - 7000; before <= LIMIT_RECORD - 16; before++) {
		for (unsigned i = 0; i < 4; i++) {
			char text[16] = "";
			memcpy(text, words[i].s, words[i].len);
			record_begin(&a, RECORD_SESSION);
			record_put_str(&a, FIELD_HELO, octets, before - 4);
			b = a;
			for (unsigned k = 0; k < 2; k++) {
				const enum field f = k == 0 ? FIELD_EXPOSED : FIELD_REASON;
				record_put_short(&a, f, &words[i]);
				record_put_word(&b, f, text);
			}
			assert_int_equal(a.cut, b.cut);
			assert_int_equal(a.len, b.len);
			assert_memory_equal(a.data + before - 4, b.data + before - 4,
			    a.len - before + 4);
			assert_int_equal(record_has(&a, FIELD_EXPOSED),
			    record_has(&b, FIELD_EXPOSED));
			assert_int_equal(record_is(&a, FIELD_REASON, text),
			    record_is(&b, FIELD_REASON, text));
		}
		before += before < LIMIT_RECORD - 6500 || before > LIMIT_RECORD - 200 ? 0 : 30;
	}
}

static void
damaged_octets(void **state)
{
	(void)state;
	struct record good, r;
	struct record_value v;
	struct addr a;
	assert_true(addr_parse("192.0.2.1", &a));
	record_begin(&good, RECORD_SESSION);
	record_put_u64(&good, FIELD_MESSAGES, 1);
	record_put_ip(&good, FIELD_SOURCE_IP, &a);
	record_put_bool(&good, FIELD_MIDSTREAM, true);
	record_put_time(&good, FIELD_TIMESTAMP, 1);
	record_put_word(&good, FIELD_HELO, "name");
	record_put_item(&good, FIELD_EMAIL_ATTACHMENT);
	for (uint32_t len = 0; len < good.len; len++) {
		r = good;
		r.len = len;
		unsigned n = 0;
		for (uint32_t at = 0; record_next(&r, &at, &v); n++)
			assert_true(at <= len);
		assert_true(n < 6);
	}
	for (uint32_t i = 0; i < good.len; i++) {
		for (int octet = 0; octet < 256; octet++) {
			r = good;
			r.data[i] = (uint8_t)octet;
			for (uint32_t at = 0; record_next(&r, &at, &v);) {
				assert_true(v.field < FIELDS);
				assert_true(
				    v.ip.family == 0 || v.ip.family == 4 || v.ip.family == 6);
				if (field_table[v.field].type == TYPE_STR && v.len > 0)
					assert_true(
					    (const uint8_t *)v.str + v.len <= r.data + r.len);
			}
		}
	}
	r = good;
	r.len = LIMIT_RECORD + 1;
	uint32_t at = 0;
	assert_false(record_next(&r, &at, &v));
	at = UINT32_MAX;
	assert_false(record_next(&good, &at, &v));
}

static bool
equal(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->len == b->len &&
	    memcmp(a->has, b->has, sizeof a->has) == 0 && memcmp(a->data, b->data, a->len) == 0;
}

static void
copies(void **state)
{
	(void)state;
	static struct record r, copy, expected;
	struct record_value v;
	static const uint16_t first_last[] = {FIELD_HELO, FIELD_OUTCOME, FIELD_REASON};
	static const uint16_t all[] = {FIELD_HELO, FIELD_EXPOSED, FIELD_MESSAGES, FIELD_OUTCOME};
	record_begin(&r, RECORD_MESSAGE);
	record_put_word(&r, FIELD_HELO, "name");
	record_put_word(&r, FIELD_EXPOSED, "body");
	record_put_u64(&r, FIELD_MESSAGES, 3);
	record_put_word(&r, FIELD_EXPOSED, "headers");
	record_put_word(&r, FIELD_OUTCOME, "cleartext");

	record_copy_without(&copy, &r, NULL, 0);
	assert_true(equal(&copy, &r));

	record_copy_without(&copy, &r, first_last, 3);
	record_begin(&expected, RECORD_MESSAGE);
	record_put_word(&expected, FIELD_EXPOSED, "body");
	record_put_u64(&expected, FIELD_MESSAGES, 3);
	record_put_word(&expected, FIELD_EXPOSED, "headers");
	assert_true(equal(&copy, &expected));
	assert_false(record_find(&copy, FIELD_HELO, &v));

	record_copy_without(&copy, &r, &(const uint16_t){FIELD_EXPOSED}, 1);
	assert_false(record_is(&copy, FIELD_EXPOSED, "headers"));
	assert_true(record_find(&copy, FIELD_MESSAGES, &v) && v.u64 == 3);
	assert_true(record_is(&copy, FIELD_OUTCOME, "cleartext"));

	record_copy_without(&copy, &r, all, 4);
	assert_int_equal(copy.len, 0);

	/* what was removed is not found, and what is put again is */
	record_remove(&r, FIELD_EXPOSED);
	assert_false(record_find(&r, FIELD_EXPOSED, &v));
	record_put_word(&r, FIELD_EXPOSED, "subject");
	assert_true(record_is(&r, FIELD_EXPOSED, "subject"));
	assert_false(record_is(&r, FIELD_EXPOSED, "body"));
}

static void
arrays_of_objects(void **state)
{
	(void)state;
	static struct record r, copy;
	static const bool values[] = {true, false, true};
	struct record_value v;
	record_begin(&r, RECORD_MESSAGE);
	record_put_bools(&r, FIELD_HOP, FIELD_HOP_TRUSTED, values, 3);
	assert_int_equal(r.len, 0);
	record_put_word(&r, FIELD_HELO, "name");
	for (unsigned i = 0; i < 2; i++) {
		record_put_item(&r, FIELD_HOP);
		record_put_word(&r, FIELD_HOP_BY, "mx");
	}
	record_put_word(&r, FIELD_OUTCOME, "cleartext");
	record_put_bools(&r, FIELD_HOP, FIELD_HOP_TRUSTED, values, 3);
	static const enum field order[] = {FIELD_HELO, FIELD_HOP, FIELD_HOP_TRUSTED, FIELD_HOP_BY,
	    FIELD_HOP, FIELD_HOP_TRUSTED, FIELD_HOP_BY, FIELD_OUTCOME};
	uint32_t at = 0;
	for (unsigned i = 0; i < sizeof order / sizeof *order; i++) {
		assert_true(record_next(&r, &at, &v));
		assert_int_equal(v.field, order[i]);
		if (v.field == FIELD_HOP_TRUSTED)
			assert_int_equal(v.u64, i == 2);
	}
	assert_false(record_next(&r, &at, &v));
	assert_int_equal(at, r.len);
	assert_int_equal(r.cut, 0);
	/* a copy that is to be short has none of it, and all behind it */
	record_copy_open(&copy, &r, 1000);
	assert_false(record_find(&copy, FIELD_HOP, &v));
	assert_false(record_find(&copy, FIELD_HOP_BY, &v));
	assert_true(record_is(&copy, FIELD_HELO, "name"));
	assert_true(record_is(&copy, FIELD_OUTCOME, "cleartext"));
	/* no room for it in a full record: said, and nothing is written behind its end */
	record_put_item(&r, FIELD_HOP);
	while (r.cut == 0)
		record_put_word(&r, FIELD_GREETING, "0123456789012345678901234567890123456789");
	while (r.cut == 1)
		record_put_bool(&r, FIELD_MIDSTREAM, true);
	static const bool three[3] = {true, true, true};
	uint32_t len = r.len;
	record_put_bools(&r, FIELD_HOP, FIELD_HOP_TRUSTED, three, 3);
	assert_int_equal(r.len, len);
	assert_int_equal(r.cut, 2 + 3);
}

/* What a copy has: the values of `r`, one by one, without those of some fields, or of all that name
 * somebody; as many as find room. */
static uint32_t
walk(const struct record *r, const uint16_t *without, unsigned n, uint32_t max, uint8_t *out)
{
	struct record_value v;
	uint32_t len = 0;
	for (uint32_t from = 0, at = 0; record_next(r, &at, &v); from = at) {
		bool left_out = without == NULL &&
		    (field_table[v.field].privacy > PRIVACY_TEXT ||
			v.field == FIELD_EMAIL_X_MAILER);
		for (unsigned i = 0; i < n; i++)
			left_out |= v.field == without[i];
		if (left_out || at - from > max - len)
			continue;
		memcpy(out + len, r->data + from, at - from);
		len += at - from;
	}
	return len;
}

/* Copies are what a walk gives, whatever is left out and however often, and their index is that of
 * their octets. */
static void
copies_are_what_a_walk_gives(void **state)
{
	(void)state;
	static const uint16_t fields[] = {FIELD_HELO, FIELD_EMAIL_TO, FIELD_EXPOSED, FIELD_GREETING,
	    FIELD_EMAIL_FROM, FIELD_OUTCOME, FIELD_EMAIL_SUBJECT, FIELD_REASON};
	enum { COUNT = sizeof fields / sizeof *fields };
	static struct record r, copy, taken;
	static uint8_t want[LIMIT_RECORD];
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		uint16_t without[COUNT];
		unsigned n = 0;
		record_begin(&r, RECORD_MESSAGE);
		for (int i = rand() % (round % 10 == 0 ? 80 : 12); i > 0; i--) {
			enum field f = (enum field)fields[rand() % COUNT];
			if (field_table[f].number == NUMBER_ONE && record_has(&r, f))
				continue; /* twice it would be no record */
			record_put_str(&r, f, "abcdefghijklmnopqrstuvwxyz", (size_t)(rand() % 26));
		}
		for (unsigned i = 0; i < COUNT; i++) {
			if (rand() % 3 == 0)
				without[n++] = fields[i];
		}
		record_copy_without(&copy, &r, without, n);
		assert_int_equal(copy.len, walk(&r, without, n, LIMIT_RECORD, want));
		assert_memory_equal(copy.data, want, copy.len);
		assert_true(record_take(&taken, RECORD_MESSAGE, want, copy.len));
		assert_memory_equal(taken.has, copy.has, sizeof copy.has);
		for (unsigned i = 0; i < COUNT; i++) {
			if (!record_has(&copy, (enum field)fields[i]))
				continue;
			assert_int_equal(copy.first[fields[i]], taken.first[fields[i]]);
			assert_int_equal(copy.last[fields[i]], taken.last[fields[i]]);
		}
		const uint32_t max = (uint32_t)(rand() % 400);
		record_copy_open(&copy, &r, max);
		assert_int_equal(copy.len, walk(&r, NULL, 0, max, want));
		assert_memory_equal(copy.data, want, copy.len);
	}
}

/* What stands behind a value that goes is found where it is now, as a walk finds it. */
static void
removal(void **state)
{
	(void)state;
	static const enum field fields[] = {FIELD_HELO, FIELD_EXPOSED, FIELD_MESSAGES,
	    FIELD_EXPOSED, FIELD_GREETING, FIELD_EXPOSED, FIELD_OUTCOME};
	enum { COUNT = sizeof fields / sizeof *fields };
	static struct record r, taken;
	for (unsigned gone = 0; gone < COUNT; gone++) {
		record_begin(&r, RECORD_SESSION);
		for (unsigned i = 0; i < COUNT; i++) {
			if (fields[i] == FIELD_MESSAGES)
				record_put_u64(&r, fields[i], i);
			else
				record_put_str(&r, fields[i], "abcdefgh", i);
		}
		record_remove(&r, fields[gone]);
		assert_false(record_has(&r, fields[gone]));
		assert_true(record_take(&taken, RECORD_SESSION, r.data, r.len));
		assert_true(equal(&taken, &r));
		assert_memory_equal(taken.has, r.has, sizeof r.has);
		for (unsigned i = 0; i < COUNT; i++) {
			size_t len = 0, span = 0;
			uint32_t at = 0;
			if (fields[i] == fields[gone])
				continue;
			assert_int_equal(r.first[fields[i]], taken.first[fields[i]]);
			assert_int_equal(r.last[fields[i]], taken.last[fields[i]]);
			const uint8_t *first = record_octets(&r, fields[i], &at, &len);
			assert_ptr_equal(record_span(&r, fields[i], &span), first - 4);
			while (record_octets(&r, fields[i], &at, &len) != NULL)
				continue;
			assert_ptr_equal(r.data + at, first - 4 + span);
		}
	}
}

static void
taking_over(void **state)
{
	(void)state;
	static struct record r, taken;
	struct record_value v;
	record_begin(&r, RECORD_SESSION);
	record_put_word(&r, FIELD_HELO, "name");
	uint32_t first = r.len;
	record_put_u64(&r, FIELD_MESSAGES, 3);
	assert_true(record_take(&taken, RECORD_SESSION, r.data, r.len));
	assert_true(equal(&taken, &r));
	for (uint32_t len = 0; len < r.len; len++) { /* cut off: as far as it is a record */
		assert_int_equal(record_take(&taken, RECORD_ALERT, r.data, len),
		    len == 0 || len == first);
		assert_int_equal(taken.len, len < first ? 0 : first);
		assert_int_equal(record_find(&taken, FIELD_HELO, &v), len >= first);
		assert_false(record_find(&taken, FIELD_MESSAGES, &v));
	}
	assert_false(record_take(&taken, RECORD_SESSION, r.data, sizeof r.data + 1));
	assert_int_equal(taken.len, 0);
}

/* A single field that came twice would say one thing here and another there: it is no record. */
static void
nothing_comes_again(void **state)
{
	(void)state;
	static const enum field good[] = {FIELD_EXPOSED, FIELD_EXPOSED, FIELD_HOP, FIELD_HOP_BY,
	    FIELD_HOP, FIELD_HOP_BY, FIELD_EXPOSED, FIELD_HELO, FIELD_HOP_FROM};
	static const enum field bad[] = {FIELD_HELO, FIELD_HOP_BY, FIELD_EMAIL_ATTACHMENT_NAME};
	static struct record r, taken;
	enum { COUNT = sizeof good / sizeof *good };
	for (unsigned i = 0; i <= sizeof bad / sizeof *bad; i++) {
		record_begin(&r, RECORD_SESSION);
		for (unsigned k = 0; k < COUNT; k++) {
			if (field_table[good[k]].type == TYPE_ITEM)
				record_put_item(&r, good[k]);
			else
				record_put_word(&r, good[k], "name");
		}
		uint32_t len = r.len;
		if (i < sizeof bad / sizeof *bad)
			record_put_word(&r, bad[i], "another");
		assert_int_equal(record_take(&taken, RECORD_SESSION, r.data, r.len), r.len == len);
		assert_int_equal(taken.len, len);
	}
	for (unsigned i = 0; i < 2; i++) { /* a number and a word of the same name */
		record_begin(&r, RECORD_SESSION);
		for (unsigned k = 0; k < 2; k++) {
			if (k == i)
				record_put_u64(&r, FIELD_STARTTLS_REPLY, 454);
			else
				record_put_word(&r, FIELD_STARTTLS_REPLY_WORD, "NO");
		}
		assert_false(record_take(&taken, RECORD_SESSION, r.data, r.len));
	}
}

/* Of an element for which there is no room its members find none, either: they would be those of
 * the one before. */
static void
no_member_without_its_element(void **state)
{
	(void)state;
	static struct record r, taken;
	record_begin(&r, RECORD_MESSAGE);
	for (unsigned i = 0; r.cut == 0; i++) {
		record_put_item(&r, FIELD_HOP);
		record_put_word(&r, i % 2 == 0 ? FIELD_HOP_BY : FIELD_HOP_FROM, "some.example");
	}
	for (unsigned i = 0; i < 100; i++) {
		record_put_item(&r, FIELD_HOP);
		record_put_word(&r, i % 2 == 0 ? FIELD_HOP_BY : FIELD_HOP_FROM, "x");
	}
	assert_true(record_take(&taken, RECORD_MESSAGE, r.data, r.len));
}

static void
the_table(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FIELDS; f++) {
		assert_non_null(field_table[f].name);
		assert_true(strlen(field_table[f].meaning) > 0);
		/* masking is for text */
		assert_true(
		    field_table[f].type == TYPE_STR || field_table[f].privacy == PRIVACY_OPEN);
		assert_true(field_by_name(field_table[f].name) <= f);
		assert_int_equal(field_first((enum field)f), field_by_name(field_table[f].name));
	}
	assert_int_equal(field_by_name("postcard.outcome"), FIELD_OUTCOME);
	assert_int_equal(field_by_name("postcard.nothing"), FIELDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_comes_back),
	    cmocka_unit_test(what_does_not_fit_is_left_out),
	    cmocka_unit_test(short_words),
	    cmocka_unit_test(damaged_octets),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(arrays_of_objects),
	    cmocka_unit_test(copies_are_what_a_walk_gives),
	    cmocka_unit_test(removal),
	    cmocka_unit_test(taking_over),
	    cmocka_unit_test(nothing_comes_again),
	    cmocka_unit_test(no_member_without_its_element),
	    cmocka_unit_test(the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
