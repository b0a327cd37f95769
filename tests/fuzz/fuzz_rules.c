/*
 * Fuzz target: rules, and records that they are asked of.
 *
 * The input is rules in YAML; behind a line of four '#', if there is one, are the octets of a
 * record (as they come through a pipe, so they need not be one).  What is read must be matched
 * twice with the same answer, unless a correlation remembers.
 */
#include <stdlib.h>
#include <string.h>

#include "judge/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const home[] = {"10.0.0.0/8"};
static const char *const partners[] = {"partner.example", "%home_net%"};
static const struct placeholder placeholders[] = {{"home_net", home, 1},
    {"partner_domains", partners, 2}, {"nobody", NULL, 0}};

/* A record with values of every type. */
static void
usual_record(struct record *r, enum record_kind kind)
{
	struct addr a = {.family = 4, .b = {10, 1, 2, 3}};
	record_begin(r, kind);
	record_put_word(r, FIELD_OUTCOME, "cleartext");
	record_put_word(r, FIELD_REASON, "not-offered");
	record_put_word(r, FIELD_HELO, "printer-3.example.net");
	record_put_word(r, FIELD_EXPOSED, "envelope");
	record_put_word(r, FIELD_EXPOSED, "body");
	record_put_ip(r, FIELD_SOURCE_IP, &a);
	record_put_u64(r, FIELD_DESTINATION_PORT, 25);
	record_put_u64(r, FIELD_STARTTLS_REPLY, 454);
	record_put_bool(r, FIELD_STARTTLS_OFFERED, false);
	record_put_time(r, FIELD_EVENT_START, 1700000000000000000);
	record_put_word(r, FIELD_EMAIL_TO, "someone@partner.example");
}

/* The record that the octets are, as far as they are one. */
static void
record_from(struct record *r, const uint8_t *data, size_t size)
{
	(void)record_take(r, size % 2 == 0 ? RECORD_SESSION : RECORD_MESSAGE, data,
	    size < sizeof r->data ? size : sizeof r->data);
}

static void
ask(struct rules *s, const struct record *r)
{
	struct rule_hit first[RULE_HITS], second[RULE_HITS];
	const int64_t ns = 1700000000000000000;
	size_t n = rules_correlate(s, ns, first, rules_match(s, r, ns, first));
	size_t m = rules_correlate(s, ns, second, rules_match(s, r, ns, second)), k = 0;
	for (size_t i = 0; i < n; i++) {
		if (first[i].rule->kind == RULE_CORRELATION)
			continue;
		while (k < m && second[k].rule->kind == RULE_CORRELATION)
			k++;
		if (k == m || second[k].rule != first[i].rule ||
		    second[k].accepted != first[i].accepted)
			abort();
		k++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	char error[YAML_ERROR] = "";
	const uint8_t *mark = memmem(data, size, "\n####\n", 6);
	size_t len = mark != NULL ? (size_t)(mark - data) : size;
	char *text = malloc(len + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	struct rules *s = rules_new(placeholders, 3);
	if (s == NULL)
		abort();
	bool good =
	    rules_read(s, text, len, "fuzz.yml", size % 7 == 0, error) && rules_link(s, error);
	if (good != (error[0] == '\0'))
		abort(); /* a refusal says why */
	free(text);
	if (good) {
		usual_record(&r, RECORD_SESSION);
		ask(s, &r);
		usual_record(&r, RECORD_MESSAGE);
		ask(s, &r);
		if (mark != NULL) {
			record_from(&r, mark + 6, size - len - 6);
			ask(s, &r);
		}
	}
	rules_free(s);
	return 0;
}
