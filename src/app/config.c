/* The configuration file: see config.h. */
#include "app/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/paths.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"
#include "enrich/enrich.h"

struct reader {
	struct config *c;
	struct options *o;
	struct yaml *yaml;
	const char *dir; /* folder of the file, with the slash; "" for the working one */
};

static bool
no_memory(struct reader *r)
{
	return yaml_fail(r->yaml, 0, "no memory");
}

/* A copy that lives as long as the configuration; of a path that is relative, with the folder. */
static const char *
keep(struct reader *r, const char *s, bool path)
{
	size_t n = strlen(s), d = path && s[0] != '/' ? strlen(r->dir) : 0;
	char *copy = arena_take(&r->c->arena, d + n + 1);
	if (copy == NULL) {
		no_memory(r);
		return NULL;
	}
	memcpy(copy, r->dir, d);
	memcpy(copy + d, s, n + 1);
	return copy;
}

static bool
set(struct reader *r, enum option id, int node, const char *value)
{
	char error[OPTIONS_ERROR] = "";
	return options_set(r->o, id, value, error) || yaml_fail(r->yaml, node, "%s", error);
}

/* Remembers where a value stands. */
static bool
add_place(struct reader *r, enum option id, int node, const char *value)
{
	struct config_place *p = arena_take(&r->c->arena, sizeof *p);
	if (p == NULL)
		return no_memory(r);
	*p = (struct config_place){r->c->places, id, value, yaml_line(r->yaml, node)};
	r->c->places = p;
	return true;
}

/* yes and no; of an option that may be repeated also how often. */
static bool
read_switch(struct reader *r, enum option id, int node)
{
	bool counts = (option_table[id].traits & TRAIT_REPEATS) != 0, yes = false;
	const char *s = yaml_text(r->yaml, node);
	unsigned times = 0;
	if (counts && s != NULL && s[0] >= '0' && s[0] <= '9' && s[1] == '\0')
		times = (unsigned)(s[0] - '0');
	else if (yaml_need_bool(r->yaml, node, &yes))
		times = yes;
	else
		return false;
	while (times > 0 && set(r, id, node, ""))
		times--;
	return times == 0;
}

/* `interface` says nothing about a replay, but must be well formed. */
static bool
is_left(const struct reader *r, enum option id)
{
	return id == OPTION_INTERFACE && r->o->file_count > 0;
}

static bool
read_option(struct reader *r, enum option id, int node)
{
	const struct option_info *info = &option_table[id];
	struct yaml *y = r->yaml;
	bool list = (info->traits & TRAIT_REPEATS) != 0;
	bool path = info->argument == ARGUMENT_DIR || info->argument == ARGUMENT_FILE;
	if (info->argument == ARGUMENT_NONE)
		return read_switch(r, id, node);
	size_t count = yaml_texts(y, node);
	if (count == 0 || (count > 1 && !list))
		return yaml_fail(y, node,
		    list ? "a value or a list of them is expected here"
			 : "a value is expected here");
	for (size_t i = 0; i < count; i++) {
		int at = yaml_kind(y, node) == YAML_LIST ? yaml_item(y, node, i) : node;
		const char *s = yaml_text_at(y, node, i);
		if (s == NULL || (s = keep(r, s, path)) == NULL || !add_place(r, id, at, s) ||
		    (!is_left(r, id) && !set(r, id, at, s)))
			return false;
	}
	return true;
}

/* Adds a placeholder with room for `count` values; NULL with a message. */
static const char **
add_placeholder(struct reader *r, const char *name, size_t count)
{
	struct config *c = r->c;
	struct placeholder *p = &c->placeholder[c->placeholders];
	const char **values = arena_take(&c->arena, (count + 1) * sizeof *values);
	p->name = keep(r, name, false);
	p->values = values;
	p->count = count;
	if (values == NULL || p->name == NULL) {
		no_memory(r);
		return NULL;
	}
	c->placeholders++;
	return values;
}

static bool
read_placeholders(struct reader *r, int map)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	struct yaml *y = r->yaml;
	if (!yaml_need_map(y, map, "names and their values"))
		return false;
	if (yaml_count(y, map) > LIMIT_PLACEHOLDERS)
		return yaml_fail(y, map, "more than %u placeholders", LIMIT_PLACEHOLDERS);
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *name, *s;
		int name_node, node;
		if (!yaml_pair(y, map, i, &name, &name_node, &node))
			return false;
		if (strcmp(name, "home_net") == 0)
			return yaml_fail(y, name_node,
			    "home_net is what the option home-net says: set that");
		if (name[0] == '\0' || name[strspn(name, letters)] != '\0')
			return yaml_fail(y, name_node,
			    "a name of letters, digits, '_' and '-' is expected here");
		bool empty = yaml_kind(y, node) == YAML_LIST && yaml_count(y, node) == 0;
		size_t count = empty ? 0 : yaml_texts(y, node);
		if (count == 0 && !empty)
			return yaml_fail(y, node, "a value or a list of them is expected here");
		const char **values = add_placeholder(r, name, count);
		if (values == NULL)
			return false;
		for (size_t k = 0; k < count; k++) {
			if ((s = yaml_text_at(y, node, k)) == NULL ||
			    (values[k] = keep(r, s, false)) == NULL)
				return false;
		}
	}
	return true;
}

static bool
read_policies(struct reader *r, int list)
{
	if (r->c->policies == NULL)
		r->c->policies = policies_new();
	if (r->c->policies == NULL)
		return no_memory(r);
	return policies_read(r->c->policies, r->yaml, list, r->dir[0] != '\0' ? r->dir : ".");
}

static bool
read_key(struct reader *r, const char *key, int key_node, int value)
{
	const char *known[OPTIONS + 2];
	size_t n = 0;
	if (strcmp(key, "placeholders") == 0)
		return read_placeholders(r, value);
	if (strcmp(key, "policies") == 0)
		return read_policies(r, value);
	for (unsigned i = 0; i < OPTIONS; i++) {
		if ((option_table[i].traits & TRAIT_SETTING) == 0)
			continue;
		if (strcmp(option_table[i].name, key) == 0)
			return read_option(r, (enum option)i, value);
		known[n++] = option_table[i].name;
	}
	known[n++] = "placeholders";
	known[n++] = "policies";
	return yaml_unknown(r->yaml, key_node, key, "key of the configuration", known, n);
}

static bool
read_file(struct reader *r, const char *path)
{
	struct yaml *y = r->yaml;
	const char *slash = strrchr(path, '/');
	r->dir = arena_copy(&r->c->arena, path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
	if (r->dir == NULL)
		return no_memory(r);
	if (!yaml_next(y))
		return true; /* empty; or a message */
	int root = yaml_root(y);
	if (!yaml_need_map(y, root, "a configuration, key: value,"))
		return false;
	for (size_t i = 0; i < yaml_count(y, root); i++) {
		const char *key;
		int key_node, value;
		if (!yaml_pair(y, root, i, &key, &key_node, &value) ||
		    !read_key(r, key, key_node, value))
			return false;
	}
	return !yaml_next(y) || yaml_fail(y, yaml_root(y), "one document is expected, not two");
}

/* The placeholders that are always there. */
static bool
add_usual(struct reader *r)
{
	struct config *c = r->c;
	struct network nets[LIMIT_HOME_NETS + ENRICH_USUAL_HOMES];
	size_t n = enrich_homes(r->o->home, r->o->home_count, nets);
	const char **values = add_placeholder(r, "home_net", n);
	for (size_t i = 0; values != NULL && i < n; i++) {
		char text[NETWORK_TEXT];
		network_print(&nets[i], text);
		values[i] = keep(r, text, false);
		if (values[i] == NULL)
			return false;
	}
	for (size_t i = 0; i < c->placeholders; i++) {
		if (strcmp(c->placeholder[i].name, "partner_domains") == 0)
			return values != NULL;
	}
	return values != NULL && add_placeholder(r, "partner_domains", 0) != NULL;
}

/* The file to read; NULL: none. */
static const char *
path_of(const struct options *o)
{
	if (o->config != NULL)
		return o->config;
	return o->file_count == 0 && access(PATHS_CONFIG, F_OK) == 0 ? PATHS_CONFIG : NULL;
}

/* A sensor, whose interface stands in the file, has its memory and its spool; not so who looks at
 * an interface by hand, perhaps beside it. */
static void
set_sensor_defaults(struct options *o)
{
	if (o->interface_count == 0 || options_given(o, OPTION_INTERFACE) ||
	    access(PATHS_LIB, F_OK) != 0)
		return;
	if (o->state == NULL)
		o->state = PATHS_STATE;
	if (o->spool == NULL)
		o->spool = PATHS_SPOOL;
}

bool
config_read(struct config *c, struct options *o, char *error)
{
	struct reader r = {.c = c, .o = o, .dir = ""};
	size_t len = 0;
	char *text = NULL;
	memset(c, 0, sizeof *c);
	c->line = *o;
	c->path = path_of(o);
	error[0] = '\0';
	if (c->path != NULL) {
		text = file_read(c->path, LIMIT_YAML, &len, error, YAML_ERROR);
		if (text == NULL)
			return false;
	}
	r.yaml = yaml_open(text != NULL ? text : "", len, c->path != NULL ? c->path : "", error);
	bool good = r.yaml != NULL && (text == NULL || read_file(&r, c->path)) && add_usual(&r) &&
	    error[0] == '\0';
	yaml_close(r.yaml);
	free(text);
	if (good)
		set_sensor_defaults(o);
	return good;
}

bool
config_identity(const struct options *o, struct identity *id, char error[SANDBOX_ERROR])
{
	const char *by_hand = options_given(o, OPTION_INTERFACE) ? getenv("SUDO_USER") : NULL;
	const char *const usual[] = {by_hand, PATHS_USER, PATHS_NOBODY, NULL};
	return identity_find(id, o->user, by_hand != NULL ? usual : usual + 1, error);
}

void
config_line_add(const struct config *c, enum option id, const char *value, struct text *t)
{
	const struct config_place *p = c->places;
	if (value == NULL || options_given(&c->line, id))
		return;
	while (p != NULL && (p->id != id || strcmp(p->value, value) != 0))
		p = p->next;
	if (p != NULL)
		text_printf(t, "%s:%u: ", c->path, p->line);
}

void
config_place_add(const struct config *c, enum option id, const char *value, struct text *t)
{
	size_t before = t->len;
	config_line_add(c, id, value, t);
	if (t->len == before)
		text_printf(t, "--%s: ", option_table[id].name);
}

bool
config_judge(struct config *c, const struct options *o, struct judge *j, char *error)
{
	struct judge_config config = {
	    .from = {o->rules, o->rules_count, o->extra, o->extra_count},
	    .placeholders = c->placeholder,
	    .placeholder_count = c->placeholders,
	    .policies = c->policies,
	};
	if (!judge_load(j, &config, error))
		return false;
	c->policies = NULL;
	return true;
}

void
config_free(struct config *c)
{
	policies_free(c->policies);
	c->policies = NULL;
	arena_free_all(&c->arena);
}
