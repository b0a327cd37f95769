/* nDPI, asked for names: packets of a TCP connection in, its answer out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ident/dpi.h"

/* One packet from IP on, of client or server. */
static enum dpi_answer
show(struct dpi *d, struct dpi_flow *f, bool server, uint16_t port, const char *text, bool last,
    char name[32])
{
	static uint32_t seq[2];
	size_t n = strlen(text), size = 40 + n;
	uint8_t *p = calloc(1, size);
	p[0] = 0x45;
	p[3] = (uint8_t)size;
	p[8] = 64;
	p[9] = 6;
	memcpy(p + 12,
	    server ? "\x0a\x00\x00\x02\x0a\x00\x00\x01" : "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	uint16_t ports[2] = {server ? port : 40000, server ? 40000 : port};
	for (int i = 0; i < 2; i++) {
		p[20 + 2 * i] = (uint8_t)(ports[i] >> 8);
		p[21 + 2 * i] = (uint8_t)ports[i];
	}
	p[27] = (uint8_t)seq[server];
	p[32] = 0x50;
	p[33] = 0x18;
	memcpy(p + 40, text, n);
	seq[server] += (uint32_t)n;
	enum dpi_answer a = dpi_packet(d, f, p, (uint32_t)size, 1700000000000000000, last, name);
	free(p);
	return a;
}

static void
names(void **state)
{
	struct dpi *d = *state;
	char name[32] = "x";
	struct dpi_flow *f = dpi_flow_new();
	assert_non_null(f);
	enum dpi_answer a = show(d, f, false, 8080,
	    "GET / HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: x\r\n\r\n", false, name);
	if (a == DPI_MORE)
		a = show(d, f, true, 8080, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true,
		    name);
	assert_int_equal(a, DPI_OTHER);
	assert_non_null(strstr(name, "HTTP"));
	dpi_flow_free(f);
}

static void
mail(void **state)
{
	struct dpi *d = *state;
	char name[32];
	struct dpi_flow *f = dpi_flow_new();
	enum dpi_answer a = show(d, f, true, 2526, "220 mx ESMTP\r\n", false, name);
	if (a == DPI_MORE)
		a = show(d, f, false, 2526, "EHLO me\r\n", false, name);
	if (a == DPI_MORE)
		a = show(d, f, true, 2526, "250-mx\r\n250 SIZE\r\n", false, name);
	if (a == DPI_MORE)
		a = show(d, f, false, 2526, "MAIL FROM:<a@b>\r\n", true, name);
	assert_int_equal(a, DPI_MAIL_SMTP);
	dpi_flow_free(f);
}

static void
noise(void **state)
{
	struct dpi *d = *state;
	char name[32] = "x";
	struct dpi_flow *f = dpi_flow_new();
	uint8_t bad[3] = {0x45, 0, 0};
	/* what is no whole packet is no answer, and must decide in the end */
	assert_int_equal(dpi_packet(d, f, bad, sizeof bad, 1, false, name), DPI_MORE);
	enum dpi_answer a = show(d, f, false, 25, "\x01\x02qqqq\x03", true, name);
	assert_true(a == DPI_UNKNOWN || a == DPI_OTHER);
	assert_non_null(memchr(name, '\0', sizeof name));
	dpi_flow_free(f);
	dpi_flow_free(NULL);
}

static int
set_up(void **state)
{
	*state = dpi_new();
	return *state == NULL || dpi_version()[0] == '\0';
}

static int
tear_down(void **state)
{
	dpi_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(mail),
	    cmocka_unit_test(noise),
	};
	return cmocka_run_group_tests_name("ident/dpi", tests, set_up, tear_down);
}
