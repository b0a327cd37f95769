/*
 * Fuzz target: one Received field, as it stands unfolded in a header.
 *
 * What is handed out must lie in the field; no field without its date is readable, but with a
 * cipher that does not encrypt; and white space more or less at its ends changes nothing.
 */
#include "mail/received.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool held)
{
	if (!held)
		abort();
}

static void
check_part(const char *field, size_t size, const char *s, size_t len)
{
	must(len <= size && (len == 0 || (s >= field && s + len <= field + size)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received r, again;
	char *field = malloc(size + 2), *tight = malloc(size > 0 ? size : 1);
	if (field == NULL || tight == NULL || size > 1 << 16) {
		free(field);
		free(tight);
		return 0;
	}
	memcpy(tight, data, size); /* so that what is read behind its end is seen */
	received_parse(tight, size, &r);
	check_part(tight, size, r.from, r.from_len);
	check_part(tight, size, r.by, r.by_len);
	must(memchr(r.with, '\0', sizeof r.with) != NULL);
	must(memchr(r.tls, '\0', sizeof r.tls) != NULL);
	must(r.from_len == 0 || memchr(r.from, '@', r.from_len) == NULL);
	must(r.state <= RECEIVED_LOCAL && received_state_name(r.state) != NULL);
	must(r.ip.family == 0 || r.ip.family == 4 || r.ip.family == 6);
	if (memchr(tight, ';', size) == NULL)
		must(!r.has_time && (r.state != RECEIVED_READABLE || r.tls[0] != '\0'));

	field[0] = ' ';
	memcpy(field + 1, data, size);
	field[size + 1] = '\t';
	received_parse(field, size + 2, &again);
	must(again.state == r.state && again.from_len == r.from_len && again.by_len == r.by_len);
	must(memcmp(&again.ip, &r.ip, sizeof r.ip) == 0 && strcmp(again.with, r.with) == 0);
	must(again.has_time == r.has_time && again.time_ns == r.time_ns);
	free(field);
	free(tight);
	return 0;
}
