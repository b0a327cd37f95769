/* postcard -T: see check.h. */
#include "app/check.h"

#include <string.h>
#include <time.h>

#include "app/run.h"
#include "base/log.h"
#include "base/text.h"

/* "2027-01-31", the last day on which it holds */
static void
print_day(FILE *out, int64_t end_ns)
{
	char day[16];
	struct tm tm;
	time_t t = (time_t)(end_ns / 1000000000) - 1;
	gmtime_r(&t, &tm);
	strftime(day, sizeof day, "%Y-%m-%d", &tm);
	fputs(day, out);
}

static void
print_exception(FILE *out, const struct rule *e)
{
	bool over = e->expires_ns <= (int64_t)time(NULL) * 1000000000;
	fprintf(out, "  accepted       %s (%s, until ", e->title, e->owner);
	print_day(out, e->expires_ns);
	fprintf(out, "%s)\n", over ? ": over, its alerts are back" : "");
}

/* One line a rule: level, kind, title and where it stands. */
static void
print_rule(FILE *out, const struct rule *rule)
{
	static const char *const kinds[] = {"rule", "filter", "correlation"};
	const char *level = rule->kind == RULE_FILTER ? "-"
	    : rule->by_path			      ? "by path"
						      : level_name(rule->level);
	fprintf(out, "  %-14s %-12s %s  (%s:%u)%s\n", level != NULL ? level : "none",
	    kinds[rule->kind], rule->title, rule->file, rule->line,
	    !rule->active      ? "  not active"
		: rule->silent ? "  for correlations only"
			       : "");
}

static const char *
sources(const struct options *o)
{
	if (o->rules_count > 0)
		return "from --rules";
	return o->extra_count > 0 ? "shipped, and from --rules-extra" : "shipped";
}

int
check_show(const struct options *o, struct config *c, FILE *out)
{
	char error[JUDGE_ERROR] = "no memory for the judge";
	unsigned count[3] = {0}, exceptions = 0;
	struct judge *j = judge_new();
	if (j == NULL || !config_judge(c, o, j, error)) {
		log_say("%s", error);
		judge_free(j);
		return STATUS_ERROR;
	}
	const struct rules *s = judge_rules(j);
	for (size_t i = 0; i < rules_count(s); i++) {
		const struct rule *rule = rules_at(s, i);
		exceptions += rule->exception;
		count[rule->kind] += !rule->exception;
	}
	fprintf(out, "configuration    %s\n", o->config != NULL ? o->config : "none");
	fprintf(out, "rules            %u, and %u correlation%s and %u filter%s (%s)\n",
	    count[RULE_DETECTION], count[RULE_CORRELATION], count[RULE_CORRELATION] == 1 ? "" : "s",
	    count[RULE_FILTER], count[RULE_FILTER] == 1 ? "" : "s", sources(o));
	for (size_t i = 0; i < rules_count(s); i++) {
		const struct rule *rule = rules_at(s, i);
		if (o->verbose > 0 ? !rule->exception || !rule->active : !rule->active)
			print_rule(out, rule);
	}
	fprintf(out, "exceptions       %u\n", exceptions);
	for (size_t i = 0; i < rules_count(s); i++) {
		if (rules_at(s, i)->exception)
			print_exception(out, rules_at(s, i));
	}
	fprintf(out, "policies         %zu\n", judge_policies(j));
	fprintf(out, "state            %s\n", o->state != NULL ? o->state : "none");
	judge_free(j);
	return STATUS_DONE;
}
