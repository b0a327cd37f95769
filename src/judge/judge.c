/*
 * Judgement: see judge.h.  In each list of the table the first row that matches counts; a record
 * costs a pass over itself and one over the rows.
 */
#include "judge/judge.h"

#include <stdlib.h>
#include <string.h>

#include "judge/table.h"

#define SENTENCE 1024u /* octets of a sentence or advice */

struct judge {
	struct table table;
};

/* rules/advice.yml as the build turned it into numbers */
static const uint8_t embedded[] = {
#include "advice.yml.inc"
};

const char *
judge_table(size_t *len)
{
	*len = sizeof embedded;
	return (const char *)embedded;
}

struct judge *
judge_open(const char *yaml, size_t len, const char *name, char error[JUDGE_ERROR])
{
	struct judge *j = calloc(1, sizeof *j);
	if (j == NULL) {
		struct text t = text_in(error, JUDGE_ERROR);
		text_puts(&t, "no memory for the table of levels and advice");
		return NULL;
	}
	if (!table_read(&j->table, yaml, len, name, error)) {
		judge_free(j);
		return NULL;
	}
	return j;
}

void
judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	table_free(&j->table);
	free(j);
}

static bool
row_matches(const struct row *row, const struct facts *f)
{
	for (unsigned k = 0; k < KEYS; k++) {
		if (row->words[k] != 0 && (row->words[k] & f->words[k]) == 0)
			return false;
	}
	if (row->greetings[0] == NULL)
		return true;
	for (size_t i = 0; i < ROW_GREETINGS && row->greetings[i] != NULL; i++) {
		if (f->greeting_len > 0 &&
		    ascii_find(f->greeting, f->greeting_len, row->greetings[i]) != NULL)
			return true;
	}
	return false;
}

static const struct row *
find_row(const struct judge *j, enum list list, const struct facts *f)
{
	const struct row *row = j->table.rows[list];
	while (!row_matches(row, f)) /* the last one matches: table_read saw to it */
		row++;
	return row;
}

/* The value that the word in braces at `s` names; VALUES where it is none.  *len: octets with the
 * braces. */
static enum value
value_at(const char *s, size_t *len)
{
	for (unsigned v = 0; v < VALUES; v++) {
		size_t n = strlen(value_names[v]);
		if (strncmp(s + 1, value_names[v], n) == 0 && s[1 + n] == '}') {
			*len = n + 2;
			return (enum value)v;
		}
	}
	return VALUES;
}

/* A text of the table with its values filled in; {because} only where `because` is given. */
static void
fill_in(struct text *out, const char *text, const struct facts *f, const char *because)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "{"), len = 1;
		text_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		enum value v = value_at(text, &len);
		if (v == VALUES)
			text_add(out, text, 1);
		else if (v == VALUE_BECAUSE && because != NULL)
			fill_in(out, because, f, NULL);
		else
			facts_add(out, f, v);
		text += len;
	}
}

void
judge_apply(const struct judge *j, struct record *r)
{
	struct facts f;
	char sentence[SENTENCE], advice[SENTENCE];
	if (r->kind != RECORD_MESSAGE &&
	    (r->kind != RECORD_SESSION || !record_is(r, FIELD_OUTCOME, "cleartext")))
		return;
	facts_of(&f, r);

	struct text t = text_in(sentence, sizeof sentence);
	const char *because = find_row(j, LIST_BECAUSE, &f)->text;
	fill_in(&t, find_row(j, LIST_WHY, &f)->text, &f, because);
	struct text a = text_in(advice, sizeof advice);
	fill_in(&a, find_row(j, LIST_ADVICE, &f)->text, &f, NULL);

	enum level level = find_row(j, LIST_LEVELS, &f)->level;
	/* f points into r, which changes from here on */
	record_put_word(r, FIELD_LEVEL, level_name(level));
	record_put_str(r, FIELD_MESSAGE, t.buf, t.len);
	record_put_str(r, FIELD_ADVICE, a.buf, a.len);
}
