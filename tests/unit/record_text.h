/* For the tests: a record as lines of "name=value", to be looked into. */
#ifndef POSTCARD_TESTS_RECORD_TEXT_H
#define POSTCARD_TESTS_RECORD_TEXT_H

#include <stdio.h>
#include <string.h>

#include "record/record.h"

static const char *
record_text(const struct record *r)
{
	static char buf[65536];
	char ip[ADDR_TEXT];
	size_t n = 1;
	uint32_t at = 0;
	struct record_value v;
	buf[0] = '\n';
	while (record_next(r, &at, &v)) {
		n += (size_t)snprintf(buf + n, sizeof buf - n, "%s=", field_table[v.field].name);
		switch ((enum field_type)field_table[v.field].type) {
		case TYPE_STR:
			n += (size_t)snprintf(buf + n, sizeof buf - n, "%.*s", (int)v.len, v.str);
			break;
		case TYPE_U64:
		case TYPE_BOOL:
			n += (size_t)snprintf(buf + n, sizeof buf - n, "%llu",
			    (unsigned long long)v.u64);
			break;
		case TYPE_TIME:
			n += (size_t)snprintf(buf + n, sizeof buf - n, "%lld", (long long)v.ns);
			break;
		case TYPE_IP:
			n += (size_t)snprintf(buf + n, sizeof buf - n, "%s", addr_print(&v.ip, ip));
			break;
		case TYPE_ITEM: break;
		}
		n += (size_t)snprintf(buf + n, sizeof buf - n, "\n");
		assert_true(n < sizeof buf);
	}
	return buf;
}

/* Are all the lines (each with its LF) in the record? */
__attribute__((unused)) static void
record_expect(const struct record *r, const char *lines)
{
	const char *text = record_text(r);
	while (*lines != '\0') {
		char line[256];
		size_t n = strcspn(lines, "\n");
		assert_true(n + 3 < sizeof line);
		snprintf(line, sizeof line, "\n%.*s\n", (int)n, lines);
		bool absent = line[1] == '!'; /* no such field */
		if (absent)
			snprintf(line, sizeof line, "\n%.*s=", (int)n - 1, lines + 1);
		if ((strstr(text, line) == NULL) != absent) {
			print_error("%s: %s in%s", absent ? "not wanted" : "missing", line + 1,
			    text);
			fail();
		}
		lines += n + (lines[n] == '\n');
	}
}

#endif
