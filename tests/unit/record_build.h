/* For the tests: records written as YAML maps of field names,
 *   {kind: session, at: 60, source.ip: 192.0.2.1, postcard.exposed: [envelope, body]} */
#ifndef POSTCARD_TESTS_RECORD_BUILD_H
#define POSTCARD_TESTS_RECORD_BUILD_H

#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "record/record.h"

#define BUILD_EPOCH_NS 1700000000000000000 /* what `at: 0` is */

/* The time that a value says: seconds after the epoch of the tests. */
static int64_t
build_time(const char *s)
{
	return BUILD_EPOCH_NS + (int64_t)(strtod(s, NULL) * 1e9);
}

static void
build_value(struct record *r, enum field f, struct yaml *y, int node)
{
	const char *s = yaml_text(y, node);
	struct addr a;
	char *end;
	if (s == NULL)
		fail_msg("%s: a value is expected", field_table[f].name);
	switch ((enum field_type)field_table[f].type) {
	case TYPE_STR: record_put_str(r, f, s, strlen(s)); break;
	case TYPE_U64:
		record_put_u64(r, f, strtoull(s, &end, 10));
		assert_true(*s != '\0' && *end == '\0');
		break;
	case TYPE_BOOL:
		assert_true(strcmp(s, "true") == 0 || strcmp(s, "false") == 0);
		record_put_bool(r, f, strcmp(s, "true") == 0);
		break;
	case TYPE_TIME: record_put_time(r, f, build_time(s)); break;
	case TYPE_IP:
		assert_true(addr_parse(s, &a));
		record_put_ip(r, f, &a);
		break;
	case TYPE_ITEM: record_put_item(r, f); break;
	}
}

/* A field of the name whose type takes the value: postcard.starttls.reply is a number or a word. */
static enum field
build_field(const char *name, struct yaml *y, int node)
{
	enum field f = field_by_name(name);
	const char *s = yaml_text(y, node);
	if (f == FIELDS)
		fail_msg("there is no field '%s'", name);
	if (f == FIELD_STARTTLS_REPLY && s != NULL && strspn(s, "0123456789") != strlen(s))
		f = FIELD_STARTTLS_REPLY_WORD;
	return f;
}

/* Builds the record; its packet time. */
static int64_t
build_record(struct record *r, struct yaml *y, int map)
{
	int64_t ns = BUILD_EPOCH_NS;
	enum record_kind kind = RECORD_SESSION;
	int node = yaml_get(y, map, "kind");
	if (node != 0 && strcmp(yaml_text(y, node), "message") == 0)
		kind = RECORD_MESSAGE;
	else if (node != 0 && strcmp(yaml_text(y, node), "sensor") == 0)
		kind = RECORD_SENSOR;
	record_begin(r, kind);
	if ((node = yaml_get(y, map, "at")) != 0)
		ns = build_time(yaml_text(y, node));
	record_put_word(r, FIELD_EVENT_DATASET,
	    kind == RECORD_MESSAGE	? "postcard.message"
		: kind == RECORD_SENSOR ? "postcard.sensor"
					: "postcard.session");
	record_put_time(r, FIELD_TIMESTAMP, ns);
	record_put_time(r, FIELD_EVENT_END, ns);
	for (size_t i = 0; i < yaml_count(y, map); i++) {
		const char *key;
		int key_node, value;
		assert_true(yaml_pair(y, map, i, &key, &key_node, &value));
		if (strcmp(key, "kind") == 0 || strcmp(key, "at") == 0)
			continue;
		if (yaml_kind(y, value) != YAML_LIST) {
			build_value(r, build_field(key, y, value), y, value);
			continue;
		}
		for (size_t k = 0; k < yaml_count(y, value); k++) {
			int item = yaml_item(y, value, k);
			build_value(r, build_field(key, y, item), y, item);
		}
	}
	return ns;
}

/* The same of one line of YAML. */
static int64_t __attribute__((unused)) build_record_of(struct record *r, const char *line)
{
	char error[YAML_ERROR] = "";
	struct yaml *y = yaml_open(line, strlen(line), "record", error);
	if (y == NULL || !yaml_next(y))
		fail_msg("%s: %s", line, error);
	int64_t ns = build_record(r, y, yaml_root(y));
	yaml_close(y);
	return ns;
}

#endif
