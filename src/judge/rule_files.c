/* Where rules come from: see rule_files.h.  Files are read in the order of their names. */
#include "judge/rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "judge/shipped.h"

#define PATH 4096u /* octets of a path */

static bool
fail(char *error, const char *path, const char *cause)
{
	struct text t = text_in(error, YAML_ERROR);
	text_add_wire(&t, path, strlen(path));
	text_puts(&t, ": ");
	text_puts(&t, cause);
	return false;
}

static bool
join(char *out, const char *dir, const char *name, char *error)
{
	size_t n = strlen(dir);
	bool slash = n > 0 && dir[n - 1] == '/';
	return snprintf(out, PATH, "%s%s%s", dir, slash ? "" : "/", name) < (int)PATH ||
	    fail(error, dir, "the path is too long");
}

static bool
read_file(struct rules *s, const char *path, bool exceptions, char *error)
{
	size_t len;
	char *text = file_read(path, LIMIT_YAML, &len, error, YAML_ERROR);
	if (text == NULL)
		return false;
	bool good = rules_read(s, text, len, path, exceptions, error);
	free(text);
	return good;
}

static bool
read_texts(struct table *t, const char *path, char *error)
{
	size_t len;
	struct table new;
	char *text = file_read(path, LIMIT_YAML, &len, error, YAML_ERROR);
	if (text == NULL)
		return false;
	bool good = table_read(&new, text, len, path, error);
	free(text);
	struct table *gone = good ? t : &new;
	table_free(gone);
	if (good)
		*t = new;
	return good;
}

static int
is_yaml(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return e->d_name[0] != '.' && dot != NULL &&
	    (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

/* By octets: the same order everywhere. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files of one folder. */
static bool
read_folder(struct rules *s, const char *dir, bool exceptions, char *error)
{
	struct dirent **names = NULL;
	char path[PATH];
	int n = scandir(dir, &names, is_yaml, by_name);
	if (n < 0)
		return fail(error, dir, strerror(errno));
	bool good = n <= (int)LIMIT_RULE_FILES || fail(error, dir, "too many files");
	for (int i = 0; good && i < n; i++)
		good = join(path, dir, names[i]->d_name, error) &&
		    read_file(s, path, exceptions, error);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return good;
}

/* A folder with what belongs to it, or a single file. */
static bool
read_source(struct rules *s, struct table *t, const char *path, char *error)
{
	char part[PATH];
	struct stat st;
	size_t before = rules_count(s);
	bool texts = false;
	if (stat(path, &st) != 0)
		return fail(error, path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) /* who names a file does not mean one with nothing in it */
		return read_file(s, path, false, error) &&
		    (rules_count(s) > before || fail(error, path, "no rule in it"));
	if (!read_folder(s, path, false, error) || !join(part, path, "exceptions", error))
		return false;
	if (stat(part, &st) == 0 && S_ISDIR(st.st_mode) && !read_folder(s, part, true, error))
		return false;
	if (!join(part, path, "texts/advice.yml", error))
		return false;
	if (stat(part, &st) == 0) {
		texts = true;
		if (!read_texts(t, part, error))
			return false;
	}
	return texts || rules_count(s) > before ||
	    fail(error, path, "no rules in it (*.yml, exceptions/*.yml or texts/advice.yml)");
}

/* All of the shipped files but the texts. */
static bool
read_shipped(struct rules *s, char *error)
{
	const struct shipped *f;
	for (size_t i = 0; (f = shipped_file(i)) != NULL; i++) {
		const char *rest = f->name + strlen("rules/");
		bool exceptions = strncmp(rest, "exceptions/", 11) == 0;
		if (strchr(rest, '/') != NULL && !exceptions)
			continue;
		if (!rules_read(s, f->text, f->len, f->name, exceptions, error))
			return false;
	}
	return true;
}

bool
rule_files_read(struct rules *s, struct table *t, const struct rule_sources *from, char *error)
{
	const struct shipped *texts = shipped_find(SHIPPED_TEXTS);
	error[0] = '\0';
	if (!table_read(t, texts->text, texts->len, texts->name, error))
		return false;
	if (from->rules_count == 0 && !read_shipped(s, error))
		return false;
	for (size_t i = 0; i < from->rules_count; i++) {
		if (!read_source(s, t, from->rules[i], error))
			return false;
	}
	for (size_t i = 0; i < from->extra_count; i++) {
		if (!read_source(s, t, from->extra[i], error))
			return false;
	}
	return rules_link(s, error);
}
