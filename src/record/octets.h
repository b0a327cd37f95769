/*
 * The values of a field as octets: see record.h, which includes this.
 *
 * Inline, because they are asked for of every record.  As everywhere, octets that are no record
 * give nothing.
 */
#ifndef POSTCARD_RECORD_OCTETS_H
#define POSTCARD_RECORD_OCTETS_H

#include <string.h>

/*
 * The values of one field as the octets that stand in the record, for who writes all of them on:
 * record_each without a struct record_value for each, which was half the time of a JSON object.
 * NULL behind the last one.  Whether the octets are a value of the field's type is not looked at.
 */
static inline const uint8_t *
record_octets(const struct record *r, enum field f, uint32_t *at, size_t *len)
{
	uint16_t head[2];
	uint32_t i = *at == 0 ? r->first[f] : *at;
	if (!record_has(r, f) || r->len > sizeof r->data)
		return NULL;
	while (i <= r->last[f] && i + sizeof head <= r->len) {
		memcpy(head, r->data + i, sizeof head);
		if (head[1] > r->len - i - sizeof head)
			return NULL;
		*at = i + (uint32_t)sizeof head + head[1];
		*len = head[1];
		if (head[0] == f)
			return r->data + i + sizeof head;
		i = *at;
	}
	return NULL;
}

/* Has field f that value behind its first one? */
bool record_is_later(const struct record *r, enum field f, const char *s, size_t len);

/* Inline up to the first value, since word and field are literals and most fields have one value:
 * 15 instructions, of which a call was 60. */
static inline bool
record_is(const struct record *r, enum field f, const char *word)
{
	struct record_head head;
	const size_t len = strlen(word);
	const uint32_t at = r->first[f];
	if (!record_has(r, f) || r->len > sizeof r->data || at + sizeof head + len > r->len)
		return false;
	memcpy(&head, r->data + at, sizeof head);
	if (head.len == len && memcmp(r->data + at + sizeof head, word, len) == 0)
		return true;
	return r->last[f] > at && record_is_later(r, f, word, len);
}

/* The octets of a field that the record has, from its first value to its last, as they stand there
 * (with the names of their fields, and whatever was put in between): records are alike in them only
 * where these are equal.  They live as long as the record; NULL where they are no record. */
static inline const uint8_t *
record_span(const struct record *r, enum field f, size_t *len)
{
	uint16_t head[2];
	const uint32_t first = r->first[f], last = r->last[f];
	if (!record_has(r, f) || first > last || r->len > sizeof r->data ||
	    last + sizeof head > r->len)
		return NULL;
	memcpy(head, r->data + last, sizeof head);
	*len = last - first + sizeof head + head[1];
	return head[1] <= r->len - last - sizeof head ? r->data + first : NULL;
}

#endif
