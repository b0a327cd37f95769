/* The command line: see options.h. */
#include "app/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/nearest.h"
#include "base/text.h"
#include "engine/engine.h"

enum { SETTING = TRAIT_SETTING, REPEATS = TRAIT_REPEATS, COMMON = TRAIT_COMMON };

const struct option_info option_table[OPTIONS] = {
#define OPTION(id, letter, name, argument, metavar, traits, group, help, manual)                  \
	[OPTION_##id] = {letter, ARGUMENT_##argument, traits, GROUP_##group, name, metavar, help, \
	    manual},
#include "app/options.def"
#undef OPTION
};

const char *const option_groups[GROUPS] = {
    [GROUP_INPUT] = "What is read",
    [GROUP_OUTPUT] = "What is written",
    [GROUP_JUDGEMENT] = "How it is judged",
    [GROUP_PROCESS] = "How it runs",
    [GROUP_ABOUT] = "Instead of a run",
};

_Static_assert(OPTIONS <= 64, "options.given has a bit for each");

#define NAME_MAX_LEN 32 /* octets of an option's name that are compared with others */

struct parser {
	struct options *o;
	char **word;	    /* the next word of the command line */
	char **end;	    /* one past the last */
	bool files_follow;  /* the words before were -r and its files */
	bool no_options;    /* behind `--` */
	bool in_expression; /* a word of the expression was seen */
	struct text filter; /* the expression so far */
	char *error;
};

static bool fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Always false, for `return fail(...)`. */
static bool
fail(struct parser *p, const char *fmt, ...)
{
	char raw[OPTIONS_ERROR];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	struct text t = text_in(p->error, OPTIONS_ERROR);
	text_add_wire(&t, raw, strlen(raw));
	return false;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The option whose name is most like `name`; NULL where none is like it. */
static const char *
nearest_option(const char *name)
{
	const char *names[OPTIONS];
	size_t n = 0, len = strlen(name);
	for (size_t i = 0; i < OPTIONS; i++) {
		const char *other = option_table[i].name;
		if (option_table[i].help == NULL)
			continue;
		if (len >= 2 && strncmp(name, other, len) == 0)
			return other;
		names[n++] = other;
	}
	size_t best = nearest(name, len, names, n);
	return best < n ? names[best] : NULL;
}

static bool
has_ending(const char *word, const char *ending)
{
	size_t n = strlen(word), e = strlen(ending);
	return n >= e && strcmp(word + n - e, ending) == 0;
}

/* The ending of a capture; digits may follow, as tcpdump -C appends them. */
static bool
is_capture_name(const char *word)
{
	static const char *const endings[] = {".pcap", ".pcapng", ".cap", ".trace"};
	char stem[256];
	size_t n = strlen(word);
	if (has_ending(word, ".gz"))
		return true;
	while (n > 0 && word[n - 1] >= '0' && word[n - 1] <= '9')
		n--;
	size_t from = n > sizeof stem - 1 ? n - (sizeof stem - 1) : 0;
	memcpy(stem, word + from, n - from);
	stem[n - from] = '\0';
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		if (has_ending(stem, endings[i]))
			return true;
	}
	return false;
}

/* Is it a file, for a word behind -r FILE?  A folder is none: "port" may be one by chance. */
static bool
is_file(const char *word)
{
	struct stat st;
	if (strcmp(word, "-") == 0)
		return true;
	if (stat(word, &st) == 0 && !S_ISDIR(st.st_mode))
		return true;
	if (strchr(word, ' ') != NULL)
		return false;
	return strchr(word, '/') != NULL || is_capture_name(word);
}

static void
add_file(struct parser *p, const char *word)
{
	p->o->files[p->o->file_count++] = word;
	p->files_follow = true;
}

static bool
add_expression(struct parser *p, const char *word)
{
	struct stat st;
	if (!p->no_options && is_capture_name(word) && stat(word, &st) == 0) {
		if (p->o->file_count == 0)
			return fail(p, "'%s': to read a capture, write -r %s", word, word);
		return fail(p, "'%s': files are named directly behind -r", word);
	}
	if (!p->in_expression && p->files_follow && !p->no_options)
		p->o->loose_word = word;
	if (p->in_expression)
		text_putc(&p->filter, ' ');
	text_puts(&p->filter, word);
	p->in_expression = true;
	p->files_follow = false;
	return true;
}

/* A number of digits alone, from `least` to `most`. */
static bool
read_number(const char *value, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;
	if (value[0] == '\0' || strlen(value) > 18)
		return false;
	for (const char *s = value; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*out = n;
	return n >= least && n <= most;
}

static bool
set_packets(struct parser *p, const char *value)
{
	return read_number(value, 1, UINT64_MAX, &p->o->packets) ||
	    fail(p, "-c: '%s' is not a number of packets", value);
}

static bool
set_snaplen(struct parser *p, const char *value)
{
	uint64_t n;
	if (!read_number(value, 96, 262144, &n))
		return fail(p, "--snaplen: '%s' is not a number of octets from 96 to 262144",
		    value);
	p->o->snaplen = (uint32_t)n;
	return true;
}

static bool
set_jobs(struct parser *p, const char *value)
{
	uint64_t n;
	if (!read_number(value, 1, LIMIT_WORKERS, &n))
		return fail(p, "--jobs: '%s' is not a number of workers from 1 to %u", value,
		    LIMIT_WORKERS);
	p->o->jobs = (unsigned)n;
	return true;
}

/* "26,10025" */
static bool
set_ports(struct parser *p, const char *value)
{
	for (const char *s = value;; s++) {
		char word[8];
		uint64_t port;
		size_t n = strcspn(s, ",");
		snprintf(word, sizeof word, "%.*s", (int)least(n, sizeof word - 1), s);
		if (n >= sizeof word || !read_number(word, 1, 65535, &port))
			return fail(p, "--ports: '%s' is not a list of ports such as 26,10025",
			    value);
		if (p->o->port_count == LIMIT_PORTS)
			return fail(p, "--ports: more than %u ports; see --all-ports", LIMIT_PORTS);
		p->o->ports[p->o->port_count++] = (uint16_t)port;
		s += n;
		if (*s == '\0')
			return true;
	}
}

/* "512M": octets, at least `least`. */
static bool
set_size(struct parser *p, enum option id, const char *value, uint64_t least_octets, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *name = option_table[id].name;
	uint64_t n = 0;
	const char *s = value;
	for (; *s >= '0' && *s <= '9' && n < UINT64_MAX >> 40; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	const char *unit = *s != '\0' ? strchr(units, ascii_upper(*s)) : NULL;
	bool good = s != value && (*s == '\0' || (unit != NULL && s[1] == '\0'));
	if (good && unit != NULL)
		n <<= 10 * (unit - units + 1);
	if (!good)
		return fail(p, "--%s: '%s' is not a size such as 512M or 2G", name, value);
	if (n < least_octets)
		return fail(p, "--%s: '%s' is too little; at least %lluM are needed", name, value,
		    (unsigned long long)least_octets >> 20);
	*out = n;
	return true;
}

/* What libpcap takes, in an int; less than it was told would not do. */
static bool
set_buffer(struct parser *p, const char *value)
{
	if (!set_size(p, OPTION_BUFFER, value, 1u << 20, &p->o->buffer))
		return false;
	return p->o->buffer <= INT32_MAX ||
	    fail(p, "--buffer: '%s' is too much; 2047M are the most", value);
}

/* Adds to a list of words of at most `max`. */
static bool
add_word(struct parser *p, enum option id, const char **list, size_t *count, size_t max,
    const char *value)
{
	if (*count == max)
		return fail(p, "--%s: more than %zu", option_table[id].name, max);
	list[(*count)++] = value;
	return true;
}

static bool
set_home(struct parser *p, const char *value)
{
	if (p->o->home_count == LIMIT_HOME_NETS)
		return fail(p, "--home-net: more than %u networks", LIMIT_HOME_NETS);
	if (!network_parse(value, &p->o->home[p->o->home_count]))
		return fail(p,
		    "--home-net: '%s' is not a network such as 192.0.2.0/24 or "
		    "2001:db8::/32",
		    value);
	p->o->home_count++;
	return true;
}

static bool
set_fail_on(struct parser *p, const char *value)
{
	p->o->fail_on_cleartext = strcmp(value, "cleartext") == 0;
	p->o->fail_level = level_by_name(value, strlen(value));
	if (!p->o->fail_on_cleartext && p->o->fail_level == LEVEL_NONE)
		return fail(p,
		    "--fail-on: '%s' is none of informational, low, medium, high, "
		    "critical, cleartext",
		    value);
	return true;
}

static uint64_t
bit(enum option id)
{
	return (uint64_t)1 << id;
}

static bool
set_option(struct parser *p, enum option id, const char *value)
{
	struct options *o = p->o;
	o->given |= bit(id);
	switch (id) {
	case OPTION_READ: add_file(p, value); return true;
	case OPTION_PACKETS: return set_packets(p, value);
	case OPTION_INTERFACE:
		return add_word(p, id, o->interfaces, &o->interface_count, LIMIT_LIVE_INTERFACES,
		    value);
	case OPTION_FILTER: o->filter = value; return true;
	case OPTION_PORTS: return set_ports(p, value);
	case OPTION_ALL_PORTS: o->all_ports = true; return true;
	case OPTION_BUFFER: return set_buffer(p, value);
	case OPTION_SNAPLEN: return set_snaplen(p, value);
	case OPTION_NO_PROMISC: o->no_promiscuous = true; return true;
	case OPTION_JOBS: return set_jobs(p, value);
	case OPTION_SINGLE_PROCESS: o->single_process = true; return true;
	case OPTION_USER: o->user = value; return true;
	case OPTION_OUT: o->out = value; return true;
	case OPTION_SYSLOG:
		return add_word(p, id, o->syslog, &o->syslog_count, LIMIT_SYSLOGS, value);
	case OPTION_SPOOL: o->spool = value; return true;
	case OPTION_SPOOL_SIZE: return set_size(p, id, value, 1u << 20, &o->spool_size);
	case OPTION_METRICS: o->metrics = value; return true;
	case OPTION_MEMORY: return set_size(p, id, value, ENGINE_MEMORY_MIN, &o->memory);
	case OPTION_HOME_NET: return set_home(p, value);
	case OPTION_FAIL_ON: return set_fail_on(p, value);
	case OPTION_GEOIP: o->geoip_dir = value; return true;
	case OPTION_VENDORS: o->vendors = value; return true;
	case OPTION_CONFIG: o->config = value; return true;
	case OPTION_STATE: o->state = value; return true;
	case OPTION_RULES:
		return add_word(p, id, o->rules, &o->rules_count, LIMIT_RULE_SOURCES, value);
	case OPTION_RULES_EXTRA:
		return add_word(p, id, o->extra, &o->extra_count, LIMIT_RULE_SOURCES, value);
	case OPTION_TEST: o->test = true; return true;
	case OPTION_JSON: o->json = true; return true;
	case OPTION_QUIET: o->quiet = true; return true;
	case OPTION_VERBOSE: o->verbose++; return true;
	case OPTION_NUMERIC: o->numeric = true; return true;
	case OPTION_REVEAL: o->reveal = true; return true;
	case OPTION_NO_NDPI: o->no_ndpi = true; return true;
	case OPTION_HELP: o->action = ACTION_HELP; return true;
	case OPTION_VERSION: o->action = ACTION_VERSION; return true;
	case OPTION_INTERFACES: o->action = ACTION_INTERFACES; return true;
	case OPTION_FIELDS: o->action = ACTION_FIELDS; return true;
	case OPTION_PRINT_MAN: o->action = ACTION_MAN; return true;
	case OPTION_PRINT_COMPLETION: o->action = ACTION_COMPLETION; return true;
	case OPTIONS: break;
	}
	return true;
}

/* The argument of an option that takes one: what is attached to it, or the next word. */
static const char *
take_argument(struct parser *p, const char *attached)
{
	if (attached != NULL)
		return attached;
	if (p->word == p->end || ((*p->word)[0] == '-' && (*p->word)[1] != '\0'))
		return NULL;
	return *p->word++;
}

static bool
read_long(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_info *info = &option_table[i];
		if (strlen(info->name) != len || strncmp(info->name, word, len) != 0)
			continue;
		if (info->argument == ARGUMENT_NONE) {
			if (equals != NULL)
				return fail(p, "option --%s takes no value", info->name);
			bool good = set_option(p, (enum option)i, "");
			if (i == OPTION_HELP)
				p->o->action = ACTION_HELP_ALL;
			return good;
		}
		const char *value = take_argument(p, equals != NULL ? equals + 1 : NULL);
		if (value == NULL || value[0] == '\0')
			return fail(p, "option --%s needs %s", info->name, info->metavar);
		return set_option(p, (enum option)i, value);
	}
	char name[NAME_MAX_LEN + 1];
	snprintf(name, sizeof name, "%.*s", (int)least(len, NAME_MAX_LEN), word);
	const char *near = nearest_option(name);
	if (near != NULL)
		return fail(p, "unknown option '--%s' (did you mean '--%s'?)", name, near);
	return fail(p, "unknown option '--%s'", name);
}

/* Is it the long name of an option? */
static bool
is_long_name(const char *word)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (option_table[i].help != NULL && strcmp(option_table[i].name, word) == 0)
			return true;
	}
	return false;
}

/* -nvq, -c5, -rfile: letters in one word, the last of which may have its argument attached. */
static bool
read_letters(struct parser *p, const char *word)
{
	if (is_long_name(word)) /* -json is no -j of "son" */
		return fail(p, "unknown option '-%s' (did you mean '--%s'?)", word, word);
	for (const char *s = word; *s != '\0'; s++) {
		size_t i = 0;
		while (i < OPTIONS && (option_table[i].letter == 0 || option_table[i].letter != *s))
			i++;
		if (i == OPTIONS) {
			const char *near = nearest_option(word);
			if (near != NULL)
				return fail(p, "unknown option '-%s' (did you mean '--%s'?)", word,
				    near);
			size_t n = utf8_char((const uint8_t *)s, strlen(s));
			return fail(p, "unknown option '-%.*s'", n > 0 ? (int)n : 1, s);
		}
		if (option_table[i].argument != ARGUMENT_NONE) {
			const char *value = take_argument(p, s[1] != '\0' ? s + 1 : NULL);
			if (value == NULL || value[0] == '\0')
				return fail(p, "option -%c needs %s", *s, option_table[i].metavar);
			return set_option(p, (enum option)i, value);
		}
		if (!set_option(p, (enum option)i, ""))
			return false;
		if (p->o->action != ACTION_REPLAY)
			return true;
	}
	return true;
}

static bool
is_option(const char *word)
{
	char c = word[0] == '-' ? ascii_lower(word[1]) : '\0';
	return c == '-' || c == '?' || (c >= 'a' && c <= 'z');
}

static bool
read_word(struct parser *p)
{
	const char *word = *p->word++;
	if (p->no_options)
		return add_expression(p, word);
	if (strcmp(word, "--") == 0) {
		p->no_options = true;
		p->files_follow = false;
		return true;
	}
	if (p->files_follow && is_file(word)) {
		add_file(p, word);
		return true;
	}
	if (!is_option(word))
		return add_expression(p, word);
	p->files_follow = false;
	return word[1] == '-' ? read_long(p, word + 2) : read_letters(p, word + 1);
}

bool
options_parse(struct options *o, int argc, char **argv, char error[OPTIONS_ERROR])
{
	memset(o, 0, sizeof *o);
	error[0] = '\0';
	struct parser p = {.o = o, .word = argv + 1, .end = argv + argc, .error = error};
	size_t room = 1;
	for (char **w = p.word; w < p.end; w++)
		room += strlen(*w) + 1;
	o->files = calloc((size_t)argc + 1, sizeof *o->files);
	o->expression = malloc(room);
	if (o->files == NULL || o->expression == NULL)
		return fail(&p, "no memory for the options");
	p.filter = text_in(o->expression, room);

	while (p.word < p.end && o->action == ACTION_REPLAY) {
		if (!read_word(&p))
			return false;
	}
	if (o->action == ACTION_REPLAY && o->test)
		o->action = ACTION_TEST;
	if (p.in_expression && o->filter != NULL)
		return fail(&p, "a filter is given twice: --filter and '%s'", o->expression);
	if (p.in_expression) {
		o->filter = o->expression;
		o->given |= bit(OPTION_FILTER);
	}
	return true;
}

bool
options_given(const struct options *o, enum option id)
{
	return (o->given & bit(id)) != 0;
}

bool
options_set(struct options *o, enum option id, const char *value, char error[OPTIONS_ERROR])
{
	struct parser p = {.o = o, .error = error};
	uint64_t given = o->given;
	if (options_given(o, id))
		return true;
	bool good = set_option(&p, id, value);
	o->given = given;
	return good;
}

bool
options_check(const struct options *o, char error[OPTIONS_ERROR])
{
	struct parser p = {.error = error};
	if (o->action != ACTION_REPLAY)
		return true;
	if (o->interface_count > 0 && o->file_count > 0)
		return fail(&p, "-r and -i: read files or watch interfaces, not both at once");
	if (o->interface_count == 0 && o->file_count == 0)
		return fail(&p, "nothing to read: name a capture with -r, or an interface with -i");
	return true;
}

void
options_free(struct options *o)
{
	free(o->files);
	free(o->expression);
	o->files = NULL;
	o->filter = o->expression = NULL;
}
