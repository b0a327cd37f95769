/* Words and numbers for people: levels, outcomes, reasons; sizes, times, counts. */
#ifndef POSTCARD_SINK_WORDS_H
#define POSTCARD_SINK_WORDS_H

#include <stdint.h>

#include "base/text.h"
#include "record/record.h"
#include "sink/page.h"

enum {
	LEVEL_NONE,
	LEVEL_INFORMATIONAL,
	LEVEL_LOW,
	LEVEL_MEDIUM,
	LEVEL_HIGH,
	LEVEL_CRITICAL,
	LEVELS
};

/* What a postcard shows, from the outside in; bits of an "exposed" set, 1 << READABLE_x. */
enum readable {
	READABLE_ENVELOPE,
	READABLE_HEADERS,
	READABLE_BODY,
	READABLE_ATTACHMENTS,
	READABLE_CREDENTIALS,
	READABLES
};

enum {
	OUTCOME_CLEARTEXT,
	OUTCOME_ENCRYPTED,
	OUTCOME_TLS_FAILED,
	OUTCOME_NO_MAIL,
	OUTCOME_UNKNOWN,
	OUTCOMES
};

#define REASONS 8 /* why something was in clear: values of postcard.reason */

/* Rank of the level of that name; LEVEL_NONE for another word. */
int words_level(const char *s, size_t len);
const char *words_level_name(int level); /* in capitals; "" for LEVEL_NONE */
const char *words_level_word(int level); /* in small letters */
enum style words_level_style(int level);

/* The place of the word in the ladder; READABLES for another. */
enum readable words_readable(const char *s, size_t len);
const char *words_readable_name(enum readable r);

/* The place of a word of postcard.auth_result and of postcard.auth_shows among those that are
 * known; 7 for another. */
unsigned words_login_result(const char *s, size_t len);
unsigned words_login_shows(const char *s, size_t len);

/* Adds what logins show, and what became of them, both as sets of 1 << place: " (a token); refused
 * by the server".  Of a password, which needs no word, nothing is said. */
void words_add_logins(struct text *t, unsigned shows, unsigned results);

/* The outcome of that name; OUTCOMES for another word. */
int words_outcome(const char *s, size_t len);
const char *words_outcome_name(int outcome);
enum style words_outcome_style(int outcome);

/* A reason in plain words ("the server offered no TLS"); the word itself where it is not known. */
const char *words_reason(const char *reason);

/* The place of a reason in their list; REASONS for another word. */
int words_reason_of(const char *s, size_t len);
const char *words_reason_name(int reason);

/* "1 mail", "1,234 mails": the plural is `one` with an s. */
void words_count(struct text *t, uint64_t n, const char *one);

/* Octets: "999 B", "1.2 kB", "34 MB". */
void words_size(struct text *t, uint64_t octets);

/* What an attachment is, of the declared type and the one that its octets show (len 0: none): the
 * declared one; both, where it certainly is no such thing: "declared PDF, is a Windows program";
 * the other alone where none is declared. */
void
words_file(struct text *t, const struct record_value *declared, const struct record_value *shown);

/* A length of time: "350 ms", "12 s", "3 min 20 s", "5 h 2 min", "12 d 3 h". */
void words_duration(struct text *t, uint64_t ns);

/* "2026-11-23 13:46:02", UTC; and the time of day alone. */
void words_time(struct text *t, int64_t ns);
void words_clock(struct text *t, int64_t ns);

/* Who accepts what the record is about, and until which day: "ann@example.org, until 2027-06-30".
 */
void words_acceptance(struct text *t, const struct record *r);

/* Between whom it was, "192.0.2.1 to 198.51.100.2" with `arrow` for " to ", and their ports where
 * those are wanted; of what happened to the sensor itself, where: "eth1", "worker 2". */
void words_about(struct text *t, const struct record *r, const char *arrow, bool ports);

/* "25%", "<1%". */
void words_percent(struct text *t, uint64_t part, uint64_t whole);

#endif
