/* Records that are alike are matched once: see rule_memo.h. */
#include "judge/rule_memo.h"

#include <stdlib.h>
#include <string.h>

#include "judge/rule.h"

#define MEMOS	4096u /* a power of two, some ten times as many as there are kinds of records */
#define MATCHES 8u    /* rules that match a record that is kept */
#define OCTETS	1024u /* of all that tells a record apart */
#define FEW	2u    /* tests of a field that cost less than a look at its octets */
#define TRIAL	1024u /* records after which it is asked whether it is worth it */
#define SLEEP	65536u

struct memo {
	uint8_t hash[16]; /* keyed */
	uint32_t matches;
	bool taken;
	uint8_t note; /* the caller's, see rules_note */
	struct rule_match match[MATCHES];
};

static void
set_bit(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= 1ull << i % 64;
}

static bool
has_bit(const uint64_t *bits, unsigned i)
{
	return (bits[i / 64] >> i % 64 & 1) != 0;
}

/* Must the octets of the field be looked at, to answer the atom? */
static bool
needs_octets(const struct atom *a)
{
	return a->kind == ATOM_LITERAL || a->kind == ATOM_GLOB || a->kind == ATOM_REGEX ||
	    a->kind == ATOM_FIELD;
}

/* Of fields that have few tests of other kinds these are noted. */
static void
note_atoms(struct rules *s, const uint16_t *tests)
{
	struct rule_memo *m = &s->memo;
	unsigned n = 0;
	for (unsigned f = 0; f < FIELDS; f++) {
		m->first[f] = (uint16_t)n;
		if (tests[f] > FEW || n + tests[f] > MEMO_ATOMS)
			set_bit(m->octets, f);
		for (size_t i = 0; i < s->atoms && !has_bit(m->octets, f) && tests[f] > 0; i++) {
			if (s->atom[i].field == f && s->atom[i].kind != ATOM_EXISTS)
				m->atom[n++] = (uint32_t)i;
		}
	}
	m->first[FIELDS] = (uint16_t)n;
}

/* What of each field tells records apart.  False where any text may be asked for. */
static bool
choose(struct rules *s)
{
	struct rule_memo *m = &s->memo;
	uint16_t tests[FIELDS] = {0};
	for (size_t i = 0; i < s->atoms; i++) {
		const struct atom *a = &s->atom[i];
		if (a->field == ANY_TEXT)
			return false;
		set_bit(m->asked, a->field);
		if (needs_octets(a))
			set_bit(m->octets, a->field);
		else if (a->kind != ATOM_EXISTS && tests[a->field] <= FEW)
			tests[a->field]++;
		if (a->kind == ATOM_FIELD) {
			set_bit(m->asked, a->other);
			set_bit(m->octets, a->other);
		}
	}
	for (size_t i = 0; i < s->aparts; i++) {
		set_bit(m->asked, s->apart[i]);
		set_bit(m->octets, s->apart[i]);
	}
	note_atoms(s, tests);
	for (unsigned f = 0; f < FIELDS; f++) { /* those of one name are asked together */
		if (has_bit(m->asked, s->canonical[f]))
			set_bit(m->asked, f);
		if (has_bit(m->octets, s->canonical[f]))
			set_bit(m->octets, f);
	}
	return true;
}

bool
rule_memo_build(struct rules *s)
{
	s->match = calloc(s->rules + 1, sizeof *s->match);
	if (s->match == NULL)
		return false;
	if (!choose(s))
		return true; /* it stays without entries */
	hash_key_draw(&s->memo.key);
	s->memo.entry = calloc(MEMOS, sizeof *s->memo.entry);
	return s->memo.entry != NULL;
}

void
rule_memo_free(struct rules *s)
{
	free(s->memo.entry);
	free(s->match);
}

/* Exceptions that held may have ended, or the other way round: nothing is known any more. */
static void
begin_anew(struct rules *s, int64_t now_ns)
{
	struct rule_memo *m = &s->memo;
	memset(m->entry, 0, MEMOS * sizeof *m->entry);
	m->from_ns = INT64_MIN;
	m->until_ns = INT64_MAX;
	for (size_t i = 0; i < s->rules; i++) {
		int64_t end_ns = s->rule[i]->expires_ns;
		if (!s->rule[i]->exception)
			continue;
		if (end_ns <= now_ns && end_ns > m->from_ns)
			m->from_ns = end_ns;
		if (end_ns > now_ns && end_ns < m->until_ns)
			m->until_ns = end_ns;
	}
}

/* What tells the record at hand apart; how many octets, 0 where they are too many to be worth it.
 */
static size_t
identify(struct rules *s, uint8_t out[OCTETS])
{
	const struct record *r = s->view;
	const struct rule_memo *m = &s->memo;
	uint32_t head[2] = {r->kind, 0};
	size_t len = sizeof head;
	for (unsigned word = 0; word < (FIELDS + 63) / 64; word++) {
		uint64_t left = r->has[word] & m->asked[word];
		memcpy(out + len, &left, sizeof left);
		len += sizeof left;
	}
	for (unsigned word = 0; word < (FIELDS + 63) / 64; word++) {
		for (uint64_t left = r->has[word] & m->asked[word]; left != 0; left &= left - 1) {
			unsigned f = word * 64 + (unsigned)__builtin_ctzll(left),
				 c = s->canonical[f];
			for (unsigned i = m->first[c]; i < m->first[c + 1]; i++)
				head[1] |= (uint32_t)rule_ask(s, &s->atom[m->atom[i]]) << i;
			if (!has_bit(m->octets, f))
				continue;
			size_t n;
			const uint8_t *octets = record_span(r, (enum field)f, &n);
			if (octets == NULL || n > OCTETS - len)
				return 0;
			memcpy(out + len, octets, n);
			len += n;
		}
	}
	memcpy(out, head, sizeof head);
	return len;
}

static struct memo *
entry_of(const struct rule_memo *m)
{
	uint64_t place;
	memcpy(&place, m->hash, sizeof place);
	return &m->entry[place % MEMOS];
}

/* Is it worth looking? */
static bool
is_awake(struct rule_memo *m)
{
	if (m->looked == TRIAL) {
		m->asleep = m->found < TRIAL / 4 ? SLEEP : 0;
		m->looked = m->found = 0;
	}
	if (m->asleep == 0)
		return true;
	m->asleep--;
	return false;
}

bool
rule_memo_find(struct rules *s, int64_t now_ns)
{
	struct rule_memo *m = &s->memo;
	uint8_t octets[OCTETS];
	m->open = false;
	m->note = NULL;
	if (m->entry == NULL || !is_awake(m))
		return false;
	if (now_ns < m->from_ns || now_ns >= m->until_ns)
		begin_anew(s, now_ns);
	m->looked++;
	size_t len = identify(s, octets);
	if (len == 0)
		return false;
	hash_octets(&m->key, octets, len, m->hash);
	struct memo *e = entry_of(m);
	m->open = !e->taken || memcmp(e->hash, m->hash, sizeof e->hash) != 0;
	if (m->open)
		return false;
	m->found++;
	m->note = &e->note;
	s->matches = e->matches;
	memcpy(s->match, e->match, e->matches * sizeof *s->match);
	return true;
}

void
rule_memo_keep(struct rules *s)
{
	struct rule_memo *m = &s->memo;
	if (!m->open || s->matches > MATCHES)
		return;
	struct memo *e = entry_of(m);
	e->taken = true;
	e->note = 0;
	m->note = &e->note;
	e->matches = (uint32_t)s->matches;
	memcpy(e->hash, m->hash, sizeof e->hash);
	memcpy(e->match, s->match, s->matches * sizeof *s->match);
}
