/* postcard -T: see check.h. */
#include "app/check.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/paths.h"
#include "app/run.h"
#include "base/log.h"
#include "base/text.h"
#include "capture/capture.h"
#include "capture/filter.h"
#include "enrich/geoip.h"
#include "enrich/vendor.h"
#include "sink/syslog.h"

#define CHECK_PATH 4096 /* octets of a path that is looked at */

struct check {
	const struct options *o;
	const struct config *c;
	struct identity user; /* that a run becomes; uid 0: it stays who it is */
	uid_t uid;	      /* who writes */
	gid_t gid;
	size_t databases; /* of countries */
	size_t vendors;	  /* blocks of network cards whose maker is known */
	bool failed;	  /* something was wrong, and has been said */
};

static void wrong(struct check *k, enum option id, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Says what is wrong with an option's value, and where it stands. */
static void
wrong(struct check *k, enum option id, const char *value, const char *fmt, ...)
{
	char place[CHECK_PATH], cause[1024], line[CHECK_PATH + 1024];
	struct text at = text_in(place, sizeof place), t = text_in(line, sizeof line);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cause, sizeof cause, fmt, ap);
	va_end(ap);
	config_place_add(k->c, id, value, &at);
	text_add_wire(&t, place, strlen(place));
	text_add_wire(&t, value, strlen(value));
	text_puts(&t, ": ");
	text_add_wire(&t, cause, strlen(cause));
	log_say("%s", line);
	k->failed = true;
}

/* Whose rights count: those of the user that root becomes once all is open. */
static void
find_user(struct check *k)
{
	char error[SANDBOX_ERROR];
	k->uid = geteuid();
	k->gid = getegid();
	if (k->o->interface_count == 0)
		return;
	if (!config_identity(k->o, &k->user, error)) {
		wrong(k, OPTION_USER, k->o->user != NULL ? k->o->user : PATHS_USER, "%s", error);
	} else if (k->user.uid != 0) {
		k->uid = k->user.uid;
		k->gid = k->user.gid;
	}
}

/* May the user do that (of 7: read 4, write 2, search 1)? */
static bool
may(const struct check *k, const struct stat *st, mode_t what)
{
	if (k->uid == 0)
		return true;
	if (st->st_uid == k->uid)
		return (st->st_mode >> 6 & what) == what;
	if (st->st_gid == k->gid)
		return (st->st_mode >> 3 & what) == what;
	return (st->st_mode & what) == what;
}

/* The folder that `path` is in. */
static bool
folder_of(const char *path, char out[CHECK_PATH])
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= CHECK_PATH)
		return false;
	memcpy(out, n > 0 ? path : ".", n > 0 ? n : 1);
	out[n > 0 ? n : 1] = '\0';
	return true;
}

static const char *
user_of(const struct check *k)
{
	return k->user.uid != 0 ? k->user.name : "this user";
}

/* Can the user get to that folder at all? */
static bool
reaches(const struct check *k, const char *folder)
{
	char path[CHECK_PATH];
	struct stat st;
	size_t n = strlen(folder);
	if (n >= sizeof path)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (folder[i] != '/')
			continue;
		memcpy(path, folder, i);
		path[i] = '\0';
		if (stat(path, &st) == 0 && !may(k, &st, 1))
			return false;
	}
	return true;
}

/* Can things be made in the folder? */
static bool
takes(struct check *k, enum option id, const char *value, const char *folder)
{
	struct stat st;
	if (stat(folder, &st) != 0)
		wrong(k, id, value, "the folder %s: %s", folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		wrong(k, id, value, "%s is no folder", folder);
	else if (!reaches(k, folder) || !may(k, &st, 3))
		wrong(k, id, value, "%s may not write to the folder %s", user_of(k), folder);
	else
		return true;
	return false;
}

/* A file that is written; `anew`: in its place another may come (logrotate, a replacement). */
static void
check_file(struct check *k, enum option id, const char *path, bool anew)
{
	char folder[CHECK_PATH];
	struct stat st;
	if (path == NULL)
		return;
	bool there = stat(path, &st) == 0;
	if (there && S_ISDIR(st.st_mode))
		wrong(k, id, path, "it is a folder; a file is expected");
	else if (there && (!reaches(k, path) || !may(k, &st, 2)))
		wrong(k, id, path, "%s may not write to it", user_of(k));
	else if ((!there || anew) && folder_of(path, folder))
		takes(k, id, path, folder);
}

/* A folder that is written to, and made where only that is missing. */
static void
check_folder(struct check *k, enum option id, const char *path)
{
	char folder[CHECK_PATH];
	struct stat st;
	if (path == NULL)
		return;
	if (stat(path, &st) == 0 || errno != ENOENT)
		takes(k, id, path, path);
	else if (folder_of(path, folder))
		takes(k, id, path, folder);
}

/* A syslog URL, and the certificates that it names. */
static void
check_syslog(struct check *k, const char *url)
{
	char why[SINK_ERROR];
	if (!syslog_check(url, why))
		wrong(k, OPTION_SYSLOG, url, "%s", why);
}

/* Captures that are files: what comes through a pipe cannot be looked at and read again. */
static void
check_captures(struct check *k)
{
	struct capture_error e;
	for (size_t i = 0; i < k->o->file_count; i++) {
		const char *path = k->o->files[i];
		struct stat st;
		bool there = stat(path, &st) == 0;
		if (strcmp(path, "-") == 0 ||
		    (there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			continue;
		struct capture *c = capture_open_files(&path, 1, NULL, &e);
		if (c == NULL) {
			log_say("%s", e.text);
			k->failed = true;
		}
		capture_close(c);
	}
}

static void
check_input(struct check *k)
{
	const struct options *o = k->o;
	char why[256];
	struct text t = text_in(why, sizeof why);
	check_captures(k);
	for (size_t i = 0; i < o->interface_count; i++) {
		const char *name = o->interfaces[i];
		if (strcmp(name, "any") != 0 && if_nametoindex(name) == 0)
			wrong(k, OPTION_INTERFACE, name,
			    "there is no such network interface ('postcard -D' lists them)");
	}
	if (o->filter == NULL)
		return;
	struct filter *f = filter_new(o->filter, NULL, 0, &t);
	if (f == NULL)
		wrong(k, OPTION_FILTER, o->filter, "%s", why);
	filter_free(f);
}

static void
check_outputs(struct check *k)
{
	const struct options *o = k->o;
	for (size_t i = 0; i < o->syslog_count; i++)
		check_syslog(k, o->syslog[i]);
	check_file(k, OPTION_OUT, o->out, false);
	check_file(k, OPTION_METRICS, o->metrics, true);
	check_file(k, OPTION_STATE, o->state, true);
	check_folder(k, OPTION_SPOOL, o->spool);
}

/* The databases of countries, and the makers of network cards. */
static void
check_databases(struct check *k)
{
	char error[ENRICH_ERROR] = "";
	struct vendors *v = vendors_open(k->o->vendors, error);
	if (v == NULL && k->o->vendors != NULL)
		wrong(k, OPTION_VENDORS, k->o->vendors, "%s", error);
	k->vendors = v != NULL ? vendors_count(v) : 0;
	vendors_close(v);
	if (k->o->geoip_dir == NULL)
		return;
	struct geoip *g = geoip_open(k->o->geoip_dir, error);
	if (g == NULL)
		wrong(k, OPTION_GEOIP, k->o->geoip_dir, "%s", error);
	k->databases = g != NULL ? geoip_databases(g) : 0;
	geoip_close(g);
}

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

/* What a file of rules, which may be somebody else's, says: safe to show. */
static void
print_wire(FILE *out, const char *s)
{
	char shown[1024];
	struct text t = text_in(shown, sizeof shown);
	text_add_wire(&t, s, strlen(s));
	fputs(shown, out);
}

static void
print_exception(FILE *out, const struct rule *e)
{
	bool over = e->expires_ns <= (int64_t)time(NULL) * 1000000000;
	fputs("  accepted       ", out);
	print_wire(out, e->title);
	fputs(" (", out);
	print_wire(out, e->owner);
	fputs(", until ", out);
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
	fprintf(out, "  %-14s %-12s ", level != NULL ? level : "none", kinds[rule->kind]);
	print_wire(out, rule->title);
	fputs("  (", out);
	print_wire(out, rule->file);
	fprintf(out, ":%u)%s\n", rule->line,
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

/* "name             value", where there is one */
static void
print_text(FILE *out, const char *name, const char *value)
{
	if (value != NULL)
		fprintf(out, "%-16s %s\n", name, value);
}

static void
print_list(FILE *out, const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_text(out, i == 0 ? name : "", list[i]);
}

static void
print_rules(FILE *out, const struct options *o, const struct rules *s)
{
	unsigned count[3] = {0}, exceptions = 0;
	for (size_t i = 0; i < rules_count(s); i++) {
		const struct rule *rule = rules_at(s, i);
		exceptions += rule->exception;
		count[rule->kind] += !rule->exception;
	}
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
}

/* What a run reads and writes, as far as it is not a matter of course. */
static void
print_run(FILE *out, const struct options *o, const struct check *k)
{
	print_text(out, "state", o->state != NULL ? o->state : "none");
	if (o->geoip_dir != NULL)
		fprintf(out, "databases        %zu\n", k->databases);
	if (o->numeric || k->vendors == 0)
		fprintf(out, "network cards    no makers are known%s\n",
		    o->numeric ? "" : " (Debian's package ieee-data has them)");
	else
		fprintf(out, "network cards    makers of %zu blocks\n", k->vendors);
	print_list(out, "interfaces", o->interfaces, o->interface_count);
	print_text(out, "filter", o->filter);
	print_text(out, "user", k->user.uid != 0 ? k->user.name : NULL);
	print_text(out, "out", o->out);
	print_list(out, "syslog", o->syslog, o->syslog_count);
	if (o->syslog_count > 0)
		print_text(out, "spool", o->spool);
	print_text(out, "metrics", o->metrics);
}

int
check_show(const struct options *o, struct config *c, FILE *out)
{
	char error[JUDGE_ERROR] = "no memory for the judge";
	struct check k = {.o = o, .c = c};
	struct judge *j = judge_new();
	if (j == NULL || !config_judge(c, o, j, error)) {
		log_say("%s", error);
		judge_free(j);
		return STATUS_ERROR;
	}
	find_user(&k);
	check_input(&k);
	check_outputs(&k);
	check_databases(&k);
	if (!k.failed) {
		print_text(out, "configuration", c->path != NULL ? c->path : "none");
		print_rules(out, o, judge_rules(j));
		fprintf(out, "policies         %zu\n", judge_policies(j));
		print_run(out, o, &k);
	}
	judge_free(j);
	return k.failed ? STATUS_ERROR : STATUS_DONE;
}
