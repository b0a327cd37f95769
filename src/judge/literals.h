/*
 * Finding many texts in one pass: the automaton of Aho and Corasick ("Efficient string matching",
 * CACM 18(6), 1975), blind to the case of ASCII letters.
 *
 * Time to search is that of one look-up an octet, however many texts there are.
 */
#ifndef POSTCARD_JUDGE_LITERALS_H
#define POSTCARD_JUDGE_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct literal {
	const char *text; /* in any case; the caller's, for as long as the automaton lives */
	uint32_t len;	  /* at least 1 */
	uint32_t tag;	  /* the caller's, handed out by a match */
};

struct literals {
	struct literal *literal; /* those added */
	size_t count;
	uint32_t *next;	  /* nodes x classes: the node after an octet */
	uint32_t *ends;	  /* by node: a literal that ends there, + 1; 0 for none */
	uint32_t *suffix; /* by node: the nearest shorter suffix at which a literal ends */
	uint32_t *same;	  /* by literal: another one of the same text, + 1 */
	uint32_t nodes;
	uint32_t classes;   /* of octets that differ */
	uint8_t class[256]; /* 0: in no literal */
};

/* Adds a literal to a zeroed or growing set; false where there is no memory. */
bool literals_add(struct literals *l, const char *text, uint32_t len, uint32_t tag);

/* Builds the automaton of what was added; false where there is no memory. */
bool literals_build(struct literals *l);

void literals_free(struct literals *l);

/* A search under way. */
struct literal_search {
	const struct literals *set;
	const uint8_t *s;
	size_t len, at;	  /* octets; those read */
	uint32_t node;	  /* of the automaton */
	uint32_t pending; /* node whose ends are being handed out; 0 for none */
	uint32_t literal; /* the next of the same text, + 1 */
};

struct literal_search literals_search(const struct literals *l, const char *s, size_t len);

/* The next place where a literal ends: its tag and where it begins; false at the end. */
bool literals_next(struct literal_search *q, uint32_t *tag, size_t *begin, size_t *end);

#endif
