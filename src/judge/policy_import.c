/*
 * Policies that others keep in files: MTA-STS (RFC 8461 section 3.2), Postfix's
 * smtp_tls_policy_maps as text (postconf(5)), TLSA records as dig prints them (RFC 6698
 * section 2.2).
 *
 * A line that is not understood is an error with file and line: a policy that is left out silently
 * is worse than none.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "judge/policy_internal.h"

/* A file under way. */
struct importer {
	struct policies *p;
	struct yaml *y;	  /* of the configuration: takes the message */
	int map;	  /* of the entry */
	const char *path; /* of the file */
	unsigned line;	  /* from 1 */
	char *rest;	  /* what was not read yet */
};

static bool
complain(struct importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Always false: "file:line: cause" in the place of where the configuration is. */
static bool
complain(struct importer *im, const char *fmt, ...)
{
	char why[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return yaml_fail(im->y, im->map, "%.160s:%u: %s", im->path, im->line, why);
}

/* The next line, without its end; NULL behind the last. */
static char *
next_line(struct importer *im)
{
	char *line = im->rest;
	if (line == NULL || *line == '\0')
		return NULL;
	size_t n = strcspn(line, "\n");
	im->rest = line[n] == '\n' ? line + n + 1 : line + n;
	line[n] = '\0';
	if (n > 0 && line[n - 1] == '\r')
		line[n - 1] = '\0';
	im->line++;
	return line;
}

/* The next word of a line; NULL behind the last. */
static char *
next_word(char **s)
{
	*s += strspn(*s, " \t");
	if (**s == '\0')
		return NULL;
	char *word = *s;
	*s += strcspn(*s, " \t");
	if (**s != '\0')
		*(*s)++ = '\0';
	return word;
}

static bool
name(struct importer *im, struct index *x, const char *s, bool one_label)
{
	/* node 0: its message would name the configuration's line */
	return policy_name(im->p, x, s, one_label, im->y, 0) ||
	    complain(im, "'%.64s' is no domain or host", s);
}

/* ------------------------------------------------------------------------------ MTA-STS */

struct sts {
	bool version, mode, enforce, age;
	uint64_t max_age; /* seconds */
	unsigned mx;
};

static bool
sts_line(struct importer *im, struct sts *s, const char *key, const char *value)
{
	char *end = NULL;
	if (strcmp(key, "version") == 0) {
		s->version = strcmp(value, "STSv1") == 0;
		return s->version || complain(im, "version '%.32s' is not known (STSv1)", value);
	}
	if (strcmp(key, "mode") == 0) {
		s->mode = true;
		s->enforce = strcmp(value, "enforce") == 0;
		return s->enforce || strcmp(value, "testing") == 0 || strcmp(value, "none") == 0 ||
		    complain(im, "mode '%.32s' is none of enforce, testing, none", value);
	}
	if (strcmp(key, "max_age") == 0) {
		s->age = true;
		s->max_age = value[0] >= '0' && value[0] <= '9' ? strtoull(value, &end, 10) : 0;
		return (end != NULL && *end == '\0' && s->max_age <= 31557600) ||
		    complain(im, "max_age '%.32s' is no number of seconds up to a year", value);
	}
	if (strcmp(key, "mx") == 0) {
		s->mx++;
		return name(im, &im->p->names, value, true);
	}
	return true; /* extensions are to be passed over (RFC 8461 section 3.2) */
}

static bool
import_sts(struct importer *im, int domain, int fetched)
{
	struct policy *policy = policy_add(im->p, im->y, im->map);
	struct sts s = {0};
	size_t count;
	int64_t day_ns;
	char *line;
	if (policy == NULL || !policy_domains(im->p, im->y, domain, false, &count))
		return false;
	while ((line = next_line(im)) != NULL) {
		char *colon = strchr(line, ':');
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (colon == NULL)
			return complain(im, "'key: value' is expected");
		*colon = '\0';
		char *value = colon + 1 + strspn(colon + 1, " \t");
		value[strcspn(value, " \t")] = '\0';
		if (!sts_line(im, &s, line, value))
			return false;
	}
	if (!s.version || !s.mode || !s.age || (s.mx == 0 && s.enforce))
		return complain(im, "no whole policy: version, mode, max_age and mx are needed");
	policy = &im->p->policy[im->p->count - 1];
	policy->source = SOURCE_MTA_STS;
	policy->wants = s.enforce ? WANTS_VERIFY : WANTS_MAY;
	if (fetched != 0) {
		if (!yaml_need_day(im->y, fetched, &day_ns))
			return false;
		policy->expires_ns = day_ns + (int64_t)s.max_age * 1000000000;
	}
	return true;
}

/* ------------------------------------------------------------------------------ Postfix */

static const struct {
	const char *word;
	uint8_t wants;
} levels[] = {{"none", WANTS_NONE}, {"may", WANTS_MAY}, {"encrypt", WANTS_ENCRYPT},
    {"dane", WANTS_MAY}, /* mandatory only where there are TLSA records: import these */
    {"dane-only", WANTS_VERIFY}, {"fingerprint", WANTS_VERIFY}, {"verify", WANTS_VERIFY},
    {"secure", WANTS_VERIFY}};

/* The domain or host that the policy is about, or what is below it, as a name of a server. */
static bool
postfix_next_hop(struct importer *im, bool below)
{
	char s[260];
	struct text t = text_in(s, sizeof s);
	text_printf(&t, "%s%s", below ? "." : "", im->p->policy[im->p->count - 1].about);
	return name(im, &im->p->names, s, false);
}

/* match=name:name, where nexthop and dot-nexthop stand for such names, and hostname for any. */
static bool
postfix_names(struct importer *im, char *value, unsigned *count)
{
	char *rest;
	for (char *s = strtok_r(value, ":,|", &rest); s != NULL; s = strtok_r(NULL, ":,|", &rest)) {
		bool below = strcmp(s, "dot-nexthop") == 0;
		if (strcmp(s, "hostname") == 0)
			continue;
		if (!(below || strcmp(s, "nexthop") == 0 ? postfix_next_hop(im, below)
							 : name(im, &im->p->names, s, false)))
			return false;
		(*count)++;
	}
	return true;
}

/* example.com, .example.com, [host] and host:port (services of it, too). */
static bool
postfix_key(struct importer *im, char *key)
{
	bool host = key[0] == '[';
	if (host) {
		char *end = strchr(key, ']');
		if (end == NULL)
			return complain(im, "']' is missing in '%.64s'", key);
		*end = '\0';
		key++;
	} else {
		key[strcspn(key, ":")] = '\0';
	}
	struct network n;
	if (host && network_parse(key, &n))
		return complain(im,
		    "addresses in '[...]' are not supported: name a 'peer' in the configuration");
	if (!name(im, host ? &im->p->hosts : &im->p->domains, key, false))
		return false;
	const struct index *x = host ? &im->p->hosts : &im->p->domains;
	im->p->policy[im->p->count - 1].about = x->entry[x->count - 1].name;
	return true;
}

static bool
postfix_entry(struct importer *im, char *line)
{
	char *key = next_word(&line), *level = next_word(&line), *attribute;
	size_t i = 0, n = sizeof levels / sizeof *levels;
	unsigned names = 0;
	if (level == NULL)
		return complain(im, "a level is expected behind '%.64s'", key);
	while (i < n && strcmp(levels[i].word, level) != 0)
		i++;
	if (i == n)
		return complain(im,
		    "'%.32s' is no level of Postfix (none, may, encrypt, dane, "
		    "dane-only, fingerprint, verify, secure)",
		    level);
	struct policy *policy = policy_add(im->p, im->y, im->map);
	if (policy == NULL)
		return false;
	policy->source = SOURCE_POSTFIX;
	policy->wants = levels[i].wants;
	bool domain = key[0] != '[';
	if (!postfix_key(im, key))
		return false;
	while ((attribute = next_word(&line)) != NULL) {
		if (strncmp(attribute, "match=", 6) == 0 &&
		    !postfix_names(im, attribute + 6, &names))
			return false;
		if (strchr(attribute, '=') == NULL)
			return complain(im, "'%.64s' is no attribute (name=value)", attribute);
	}
	if (!domain || names > 0)
		return true;
	return postfix_next_hop(im, false) && postfix_next_hop(im, true);
}

/* Lines that begin with a blank go on with the one before. */
static bool
import_postfix(struct importer *im)
{
	char *line, *entry = NULL;
	unsigned entry_line = 0;
	char joined[4096];
	struct text t = text_in(joined, sizeof joined);
	for (;;) {
		line = next_line(im);
		bool blank = line != NULL && line[strspn(line, " \t")] == '\0';
		if (line != NULL && (blank || line[0] == '#'))
			continue;
		if (line != NULL && (line[0] == ' ' || line[0] == '\t')) {
			if (entry == NULL)
				return complain(im, "the first line begins with a blank");
			text_puts(&t, line);
			continue;
		}
		if (entry != NULL) {
			unsigned now = im->line;
			im->line = entry_line;
			if (t.cut)
				return complain(im, "the entry is too long");
			if (!postfix_entry(im, joined))
				return false;
			im->line = now;
		}
		if (line == NULL)
			return true;
		t = text_in(joined, sizeof joined);
		text_puts(&t, line);
		entry = joined;
		entry_line = im->line;
	}
}

/* --------------------------------------------------------------------------------- TLSA */

/* "3 1 1 0123..." behind the word TLSA: usage, selector, matching type, and octets in hexadecimal,
 * which may stand in several words. */
static bool
tlsa_data(struct importer *im, char *s, struct expected **list, size_t *count)
{
	unsigned field[3];
	size_t length = 0; /* digits */
	char hex[2 * DIGEST_OCTETS + 1];
	struct text t = text_in(hex, sizeof hex);
	char *word;
	for (unsigned i = 0; i < 3; i++) {
		word = next_word(&s);
		if (word == NULL || word[0] < '0' || word[0] > '9' || word[1] != '\0')
			return complain(im,
			    "usage, selector and matching type are expected behind TLSA");
		field[i] = (unsigned)(word[0] - '0');
	}
	while ((word = next_word(&s)) != NULL) {
		if (strcmp(word, "(") == 0 || strcmp(word, ")") == 0)
			continue;
		if (word[strspn(word, "0123456789abcdefABCDEF")] != '\0')
			return complain(im, "'%.32s' is not hexadecimal", word);
		for (; *word != '\0'; word++, length++)
			text_putc(&t, ascii_lower(*word));
	}
	static const unsigned digits[] = {0, 64, 128}; /* whole data, SHA-256, SHA-512 */
	if (field[0] > 3 || field[1] > 1 || field[2] > 2)
		return complain(im,
		    "usage 0 to 3, selector 0 or 1 and matching type 0 to 2 are known");
	if (length == 0 || length % 2 != 0)
		return complain(im, "the data are no whole octets");
	if (field[2] > 0 && length != digits[field[2]])
		return complain(im, "a SHA-%s has %u hexadecimal digits",
		    field[2] == 1 ? "256" : "512", digits[field[2]]);
	/* only the SHA-256 of the server's own whole certificate is comparable with what is seen */
	bool comparable = field[0] == 3 && field[1] == 0 && field[2] == 1;
	if (!comparable) {
		im->p->policy[im->p->count - 1].others = true;
		return true;
	}
	struct expected *grown = array_room(*list, *count, sizeof *grown);
	if (grown == NULL)
		return complain(im, "no memory");
	*list = grown;
	memcpy((*list)[(*count)++].hex, hex, sizeof hex);
	return true;
}

/* "_25._tcp.mx.example.com. 3600 IN TLSA 3 1 1 0123..." */
static bool
tlsa_line(struct importer *im, char *line, struct expected **list, size_t *count)
{
	line[strcspn(line, ";")] = '\0';
	char *owner = next_word(&line), *word;
	if (owner == NULL)
		return true;
	char *host = strstr(owner, "._tcp.");
	if (owner[0] != '_' || host == NULL)
		return complain(im, "'%.64s' is no owner such as _25._tcp.mx.example.com.", owner);
	do {
		word = next_word(&line);
		if (word == NULL)
			return complain(im, "no TLSA record");
	} while (!ascii_is(word, strlen(word), "TLSA"));
	return name(im, &im->p->names, host + 6, false) && tlsa_data(im, line, list, count);
}

static bool
import_tlsa(struct importer *im, int domain, int validated)
{
	struct policy *policy = policy_add(im->p, im->y, im->map);
	struct expected *list = NULL;
	size_t count = 0, domains;
	bool sure = false, good;
	char *line;
	if (policy == NULL || !policy_domains(im->p, im->y, domain, false, &domains) ||
	    (validated != 0 && !yaml_need_bool(im->y, validated, &sure)))
		return false;
	do {
		line = next_line(im);
		good = line == NULL || tlsa_line(im, line, &list, &count);
	} while (good && line != NULL);
	policy = &im->p->policy[im->p->count - 1];
	policy->source = SOURCE_TLSA;
	/* without DNSSEC they bind nobody (RFC 7672 section 2.1) */
	policy->wants = sure ? WANTS_VERIFY : WANTS_MAY;
	if (good && count > 0) {
		policy->expected = arena_take(&im->p->arena, count * sizeof *list);
		good = policy->expected != NULL || complain(im, "no memory");
		if (good)
			memcpy(policy->expected, list, count * sizeof *list);
		policy->expected_count = good ? count : 0;
	}
	if (good && count == 0 && !policy->others)
		good = complain(im, "no TLSA record in it");
	free(list);
	return good;
}

/* -------------------------------------------------------------------------------- files */

static bool
import_text(struct importer *im, const char *kind)
{
	static const char *const kinds[] = {"mta-sts", "postfix", "tlsa"};
	struct yaml *y = im->y;
	int domain = yaml_get(y, im->map, "domain"), fetched = yaml_get(y, im->map, "fetched");
	int validated = yaml_get(y, im->map, "validated");
	bool sts = strcmp(kind, kinds[0]) == 0, postfix = strcmp(kind, kinds[1]) == 0;
	if (!sts && !postfix && strcmp(kind, kinds[2]) != 0)
		return yaml_unknown(y, yaml_get(y, im->map, "import"), kind, "kind of policies",
		    kinds, 3);
	if (postfix && domain != 0)
		return yaml_fail(y, domain, "the file itself names the domains");
	if (!postfix && domain == 0)
		return yaml_fail(y, im->map, "'domain' is missing: whose policy is it?");
	if (!sts && fetched != 0)
		return yaml_fail(y, fetched, "'fetched' goes with mta-sts only");
	if ((sts || postfix) && validated != 0)
		return yaml_fail(y, validated, "'validated' goes with tlsa only");
	return sts    ? import_sts(im, domain, fetched)
	    : postfix ? import_postfix(im)
		      : import_tlsa(im, domain, validated);
}

bool
policy_import(struct policies *p, struct yaml *y, int map, const char *kind, const char *dir)
{
	static const char *const no[] = {"peer", "tls", "names", "direction"};
	char path[4096], error[YAML_ERROR];
	const char *file;
	size_t len, n = strlen(dir);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		int node = yaml_get(y, map, no[i]);
		if (node != 0)
			return yaml_fail(y, node, "'%s' does not go with 'import'", no[i]);
	}
	int node = yaml_get(y, map, "file");
	if (node == 0)
		return yaml_fail(y, map, "'file' is missing");
	if (!yaml_need_text(y, node, &file))
		return false;
	bool slash = n > 0 && dir[n - 1] == '/';
	if (snprintf(path, sizeof path, "%s%s%s", file[0] == '/' ? "" : dir,
		file[0] == '/' || slash ? "" : "/", file) >= (int)sizeof path)
		return yaml_fail(y, node, "the path is too long");
	char *text = file_read(path, LIMIT_YAML, &len, error, sizeof error);
	if (text == NULL)
		return yaml_fail(y, node, "%s", error);
	struct importer im = {.p = p, .y = y, .map = map, .path = path, .rest = text};
	bool good =
	    memchr(text, '\0', len) == NULL || yaml_fail(y, node, "%.160s: not a text", path);
	good = good && import_text(&im, kind);
	free(text);
	return good;
}
