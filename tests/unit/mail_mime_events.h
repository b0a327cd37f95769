/*
 * Scans messages and writes what they give, for the tests of src/mail/mime*.c.
 *
 * A message is scanned whole, in every split in two, octet by octet, and every prefix has to give a
 * prefix of the same events.  Inputs stand in buffers of their own size.
 */
#ifndef POSTCARD_TESTS_UNIT_MAIL_MIME_EVENTS_H
#define POSTCARD_TESTS_UNIT_MAIL_MIME_EVENTS_H

#include "base/limits.h"
#include "base/scan.h"
#include "base/text.h"
#include "mail/magic.h"
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mime_pools pools;

/* One line an event: "subject=Hello", "end", "body", "attach 0 type size name[type shown]", "pgp".
 */
static inline void
add_event(struct text *t, const struct mime_event *ev)
{
	static const char *const headers[] = {"subject", "id", "mailer", "agent", "from", "date",
	    "received", "tls-required"};
	static const char *const protections[] = {"plain", "pgp", "smime", "signed", "unknown"};
	switch (ev->kind) {
	case MIME_HEADER:
		text_printf(t, "%s=%.*s\n", headers[ev->header], (int)ev->text_len, ev->text);
		break;
	case MIME_HEADERS_END: text_puts(t, "end\n"); break;
	case MIME_BODY: text_puts(t, "body\n"); break;
	case MIME_ATTACHMENT:
		text_printf(t, "attach %u %s %llu %.*s%s%s%s\n", ev->index, ev->mime_type,
		    (unsigned long long)ev->size, (int)ev->text_len, ev->text,
		    ev->detected != MAGIC_NONE ? "[" : "", magic_type(ev->detected),
		    ev->detected != MAGIC_NONE ? "]" : "");
		break;
	case MIME_PROTECTION: text_printf(t, "%s\n", protections[ev->protection]); break;
	}
}

static inline void
push(uint32_t scan, const void *data, size_t len, struct text *t)
{
	uint8_t *copy = malloc(len + (len == 0));
	if (len > 0)
		memcpy(copy, data, len);
	struct mime_input in = {copy, len, scan_line_mark(copy, len) == len};
	struct mime_event ev;
	while (mime_next(&pools, scan, &in, &ev))
		add_event(t, &ev);
	assert_int_equal(in.len, 0);
	free(copy);
}

static inline void
end(uint32_t scan, struct text *t)
{
	struct mime_event ev;
	while (mime_end(&pools, scan, &ev))
		add_event(t, &ev);
	assert_int_equal(pools.scans.used, 0);
}

static char got[1 << 17];

static inline const char *
scan_split(const char *s, size_t len, size_t first, size_t step)
{
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	assert_int_not_equal(scan, 0);
	push(scan, s, first, &t);
	for (size_t i = first; i < len; i += step)
		push(scan, s + i, len - i < step ? len - i : step, &t);
	end(scan, &t);
	return got;
}

static inline void
check_octets(const char *s, size_t len, const char *want)
{
	assert_string_equal(scan_split(s, len, len, 1), want);
	assert_string_equal(scan_split(s, len, 0, 1), want);
	assert_string_equal(scan_split(s, len, 0, 3), want);
	for (size_t first = 0; first <= len; first++) {
		if (strcmp(scan_split(s, len, first, len), want) != 0) {
			print_message("split at %zu of %zu\n", first, len);
			assert_string_equal(got, want);
		}
	}
	char whole[4096];
	struct text t = text_in(got, sizeof got);
	uint32_t scan = mime_begin(&pools);
	push(scan, s, len, &t);
	assert_true(t.len < sizeof whole);
	memcpy(whole, got, t.len + 1);
	t = text_in(got, sizeof got);
	end(scan, &t);
	for (size_t n = 0; n < len; n++) {
		t = text_in(got, sizeof got);
		scan = mime_begin(&pools);
		push(scan, s, n, &t);
		assert_memory_equal(got, whole, t.len);
		end(scan, &t);
	}
}

/* A message with CRLF, and what it gives. */
static inline void
check(const char *s, const char *want)
{
	check_octets(s, strlen(s), want);
}

/* The same for bare LF; sizes count the octets of the message as it is given. */
static inline void
check_lf(const char *s, const char *want)
{
	char *lf = malloc(strlen(s) + 1);
	size_t n = 0;
	for (; *s != '\0'; s++) {
		if (*s != '\r')
			lf[n++] = *s;
	}
	check_octets(lf, n, want);
	free(lf);
}

#define PARTS(type, first, second)                                                     \
	"Content-Type: " type "; boundary=b\r\n\r\n--b\r\n" first "\r\n--b\r\n" second \
	"\r\n--b--\r\n"

#endif
