/* Taking octets for a record: of any octets comes what a reader finds who asks each value all
 * questions and looks back at all that stand before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/record.h"

#define HEAD   RECORD_HEAD
#define ROUNDS 200000u
#define VALUES 12u /* of one record, at most */

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* The array of objects that f is a member of; FIELDS where it is of none. */
static unsigned
item_of(unsigned f)
{
	for (unsigned i = f; i-- > 0;) {
		size_t n = strlen(field_table[i].name);
		if (field_table[i].type == TYPE_ITEM)
			return strncmp(field_table[i].name, field_table[f].name, n) == 0 &&
				field_table[f].name[n] == '.'
			    ? i
			    : FIELDS;
	}
	return FIELDS;
}

static bool
has_its_size(unsigned f, const uint8_t *p, unsigned len)
{
	switch ((enum field_type)field_table[f].type) {
	case TYPE_STR: return true;
	case TYPE_U64:
	case TYPE_TIME: return len == 8;
	case TYPE_BOOL: return len == 1;
	case TYPE_IP: return len == 17 && (p[0] == 4 || p[0] == 6);
	case TYPE_ITEM: return len == 0;
	}
	return false;
}

/* May a value of f follow those of the fields before it? */
static bool
has_its_place(unsigned f, const uint16_t *before, unsigned n)
{
	const unsigned item = item_of(f);
	bool element = item == FIELDS, beside = false;
	for (unsigned i = 0; i < n; i++) {
		const bool same = strcmp(field_table[before[i]].name, field_table[f].name) == 0;
		if (before[i] != f && same)
			beside = true; /* its twin, wherever it stands */
		if (before[i] == item)
			element = true;
		if (before[i] == f)
			beside = true;
		else if (before[i] == item)
			beside = false;
	}
	return field_table[f].number == NUMBER_MANY || (element && !beside);
}

/* Octets of the values at the front that are a record. */
static uint32_t
sound_octets(const uint8_t *octets, uint32_t len)
{
	struct record_head head;
	uint16_t fields[VALUES + 1];
	uint32_t at = 0;
	for (unsigned n = 0; at + HEAD <= len; n++) {
		memcpy(&head, octets + at, HEAD);
		if (head.field >= FIELDS || head.len > len - at - HEAD ||
		    !has_its_size(head.field, octets + at + HEAD, head.len) ||
		    !has_its_place(head.field, fields, n))
			break;
		fields[n] = head.field;
		at += HEAD + head.len;
	}
	return at;
}

static uint32_t
put_value(uint8_t *to, unsigned f, uint64_t *seed)
{
	static const uint8_t sizes[] = {3, 8, 1, 8, 17, 0};
	struct record_head head = {(uint16_t)f, sizes[field_table[f].type]};
	const uint32_t chance = next_random(seed);
	if (chance % 64 == 0)
		head.len = (uint16_t)(chance >> 6 & 31);
	else if (head.len == 3)
		head.len = (uint16_t)(chance >> 6 & 7);
	memcpy(to, &head, HEAD);
	memset(to + HEAD, 4, head.len);
	if (head.len > 0)
		to[HEAD] = (uint8_t)(chance % 61 == 0 ? chance >> 8 : 4 + (chance >> 8 & 2));
	return HEAD + head.len;
}

static void
assert_index(const struct record *r)
{
	struct record_value v;
	uint32_t first[FIELDS], last[FIELDS];
	memset(first, 0xff, sizeof first);
	memset(last, 0xff, sizeof last);
	for (uint32_t at = 0, begin = 0; record_next(r, &at, &v); begin = at) {
		if (first[v.field] == UINT32_MAX)
			first[v.field] = begin;
		last[v.field] = begin;
	}
	for (unsigned f = 0; f < FIELDS; f++) {
		assert_int_equal(record_has(r, (enum field)f), first[f] != UINT32_MAX);
		if (first[f] == UINT32_MAX)
			continue;
		assert_int_equal(r->first[f], first[f]);
		assert_int_equal(r->last[f], last[f]);
	}
}

/* Few fields, so that they meet: single ones, lists, objects and their members, twins. */
static void
what_is_taken_is_a_record(void **state)
{
	(void)state;
	static const uint16_t some[] = {FIELD_HELO, FIELD_EXPOSED, FIELD_CAPABILITIES,
	    FIELD_MESSAGES, FIELD_MIDSTREAM, FIELD_SOURCE_IP, FIELD_STARTTLS_REPLY,
	    FIELD_STARTTLS_REPLY_WORD, FIELD_HOP, FIELD_HOP_BY, FIELD_HOP_IP,
	    FIELD_EMAIL_ATTACHMENT, FIELD_EMAIL_ATTACHMENT_NAME, FIELD_EMAIL_ATTACHMENT_SIZE};
	static struct record r;
	uint8_t octets[VALUES * (HEAD + 32)];
	uint64_t seed = 1;
	unsigned whole = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const unsigned n = next_random(&seed) % (VALUES + 1);
		uint32_t len = 0, f = 0;
		for (unsigned i = 0; i < n; i++) {
			if (i == 0 || next_random(&seed) % 2 == 0) /* or the same again */
				f = some[next_random(&seed) % (sizeof some / sizeof *some)];
			if (next_random(&seed) % 64 == 0)
				f = next_random(&seed) % FIELDS;
			len += put_value(octets + len, f, &seed);
		}
		if (len > 0 && next_random(&seed) % 16 == 0) /* any octet */
			octets[next_random(&seed) % len] = (uint8_t)next_random(&seed);
		if (len > 0 && next_random(&seed) % 16 == 0)
			len -= next_random(&seed) % len;
		const uint32_t sound = sound_octets(octets, len);
		assert_int_equal(record_take(&r, RECORD_MESSAGE, octets, len), sound == len);
		assert_int_equal(r.len, sound);
		assert_memory_equal(r.data, octets, sound);
		assert_index(&r);
		whole += sound == len;
	}
	assert_in_range(whole, ROUNDS / 8, ROUNDS - ROUNDS / 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_taken_is_a_record)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
