/* Masking: what is shown of private values, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/mask.h"

static void
expect(enum field_privacy privacy, const char *value, const char *want)
{
	char buf[512];
	size_t len = strlen(value);
	char *exact = malloc(len > 0 ? len : 1); /* so that a read past the end is seen */
	memcpy(exact, value, len);
	struct text t = text_in(buf, sizeof buf);
	mask_add(&t, privacy, exact, len);
	assert_string_equal(buf, want);
	free(exact);
}

static void
addresses(void **state)
{
	(void)state;
	expect(PRIVACY_ADDRESS, "", "");
	expect(PRIVACY_ADDRESS, "alice@example.org", "a***@example.org");
	expect(PRIVACY_ADDRESS, "<alice@example.org>", "<a***@example.org>");
	expect(PRIVACY_ADDRESS, "a", "a***");
	expect(PRIVACY_ADDRESS, "@", "***@");
	expect(PRIVACY_ADDRESS, "<", "***");
	expect(PRIVACY_ADDRESS, "@example.org", "***@example.org");
	expect(PRIVACY_ADDRESS, "\"alice@home\"@example.org", "\"***@example.org");
	expect(PRIVACY_ADDRESS, "bounce+bob=example.net@example.org", "b***@example.org");
	expect(PRIVACY_ADDRESS, "alice@[192.0.2.1]", "a***@[192.0.2.1]");
	expect(PRIVACY_ADDRESS, "alice@[IPv6:2001:db8::1]", "a***@[IPv6:2001:db8::1]");
	expect(PRIVACY_ADDRESS,
	    "\xc3\xa4rger@b\xc3\xbc"
	    "cher.example",
	    "\xc3\xa4***@b\xc3\xbc"
	    "cher.example");
	expect(PRIVACY_ADDRESS, "\xe4rger@example.org", "\xc3\xa4***@example.org");
	/* malformed: what is no domain is not shown */
	expect(PRIVACY_ADDRESS, "alice@example.org Alice Smith", "a***@example.org***");
	expect(PRIVACY_ADDRESS, "alice@ Alice Smith", "a***@***");
	expect(PRIVACY_ADDRESS, "\x1b[2J@example.org", "\\x1b***@example.org");
}

static void
texts(void **state)
{
	(void)state;
	expect(PRIVACY_TEXT, "", "");
	expect(PRIVACY_TEXT, "mx.example.org ESMTP", "mx.example.org ESMTP");
	expect(PRIVACY_TEXT, "454 no TLS for alice@example.org now",
	    "454 no TLS for a***@example.org now");
	expect(PRIVACY_TEXT, "<alice@example.org>,bob@x (carol.d@y)",
	    "<a***@example.org>,b***@x (c***@y)");
	expect(PRIVACY_TEXT, "mailto:alice@x?cc=bob@y", "mailto:a***@x?cc=b***@y");
	expect(PRIVACY_TEXT, "to \"alice b\"@x, \"c\\\"d\"@y", "to \"***@x, \"***@y");
	expect(PRIVACY_TEXT, "\"@x", "\"@x");
	expect(PRIVACY_TEXT, "say\"@x", "say\"@x");
	expect(PRIVACY_TEXT, "@", "@");
	expect(PRIVACY_TEXT, "a@", "a***@");
	expect(PRIVACY_TEXT, "a@b@c", "a***@b***@c");
	expect(PRIVACY_TEXT, "\x1b[2J\xe4rger@x", "\\x1b[2***@x");
}

static void
users(void **state)
{
	(void)state;
	expect(PRIVACY_USER, "alice", "a***");
	expect(PRIVACY_USER, "HOME\\alice", "H***");
	expect(PRIVACY_USER, "alice@example.org", "a***@example.org");
}

static void
subjects(void **state)
{
	(void)state;
	expect(PRIVACY_SUBJECT, "", "*** (0 characters)");
	expect(PRIVACY_SUBJECT, "secret", "*** (6 characters)");
	expect(PRIVACY_SUBJECT, "secrets", "se*** (7 characters)");
	expect(PRIVACY_SUBJECT, "\xf0\x9f\x93\xae\xc3\xa4 34567",
	    "\xf0\x9f\x93\xae\xc3\xa4*** (8 characters)");
	expect(PRIVACY_SUBJECT, "\xff\xfe\xfd\xfc\xfb\xfa\xf9",
	    "\xc3\xbf\xc3\xbe*** (7 characters)");
}

static void
files(void **state)
{
	(void)state;
	expect(PRIVACY_FILE, "", "***");
	expect(PRIVACY_FILE, "plan.pdf", "p***.pdf");
	expect(PRIVACY_FILE, "\xc3\xa4rger.docx", "\xc3\xa4***.docx");
	expect(PRIVACY_FILE, "noextension", "n***");
	expect(PRIVACY_FILE, "a.pdf", "***.pdf");
	expect(PRIVACY_FILE, ".profile", ".***");
	expect(PRIVACY_FILE, ".vimrc", "***.vimrc");
	expect(PRIVACY_FILE, "tar.archive", "t***");
	expect(PRIVACY_FILE, "plan.of J", "p***");
	expect(PRIVACY_FILE, "x.", "***.");
}

static void
open_values(void **state)
{
	(void)state;
	expect(PRIVACY_OPEN, "alice@example.org\r\n", "alice@example.org\\x0d\\x0a");
}

/* No octets of any kind are read past their end, and the result is valid UTF-8. */
static void
every_octet(void **state)
{
	(void)state;
	for (int privacy = PRIVACY_OPEN; privacy <= PRIVACY_FILE; privacy++) {
		for (int a = 0; a < 256; a++) {
			for (int b = 0; b < 256; b++) {
				char *s = malloc(2), buf[64];
				struct text t = text_in(buf, sizeof buf);
				s[0] = (char)a;
				s[1] = (char)b;
				mask_add(&t, (enum field_privacy)privacy, s, 2);
				free(s);
				for (size_t i = 0; i < t.len;) {
					size_t n = utf8_char((const uint8_t *)buf + i, t.len - i);
					assert_int_not_equal(n, 0);
					i += n;
				}
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(texts),
	    cmocka_unit_test(users),
	    cmocka_unit_test(subjects),
	    cmocka_unit_test(files),
	    cmocka_unit_test(open_values),
	    cmocka_unit_test(every_octet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
