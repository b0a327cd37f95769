/* Where rules come from: folders that the user names, or the files that the program carries. */
#ifndef POSTCARD_JUDGE_RULE_FILES_H
#define POSTCARD_JUDGE_RULE_FILES_H

#include "judge/rules.h"
#include "judge/table.h"

/*
 * A folder of rules holds
 *
 *   NAME.yml              rules, filters and correlations
 *   exceptions/NAME.yml   filters with owner, reason and end
 *   texts/advice.yml      the table of levels and advice (where it has one)
 */
struct rule_sources {
	const char *const *rules; /* folders or files in the place of the shipped rules */
	size_t rules_count;	  /* 0: the shipped ones */
	const char *const *extra; /* folders or files beside them */
	size_t extra_count;
};

/* Reads all of them into the (empty) set, which is linked then, and into the table.  False with a
 * message in `error` (YAML_ERROR octets). */
bool
rule_files_read(struct rules *s, struct table *t, const struct rule_sources *from, char *error);

#endif
