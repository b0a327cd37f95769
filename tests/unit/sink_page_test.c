/* The page: widths, cutting, wrapping, bars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/page.h"

static char *out;
static size_t out_len;

static struct page
page_of(unsigned columns, bool unicode)
{
	return (struct page){.out = open_memstream(&out, &out_len),
	    .columns = columns,
	    .unicode = unicode};
}

static void
expect(struct page *p, const char *want)
{
	page_write(p);
	fclose(p->out);
	assert_string_equal(out, want);
	free(out);
	out = NULL;
}

static void
widths(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		unsigned columns;
	} known[] = {{"", 0}, {"abc", 3}, {"\xc3\xa4", 1},
	    {"a\xcc\x88", 1},		     /* a and a combining diaeresis */
	    {"\xe6\x97\xa5\xe6\x9c\xac", 4}, /* two CJK ideographs */
	    {"\xf0\x9f\x93\xae", 2},	     /* a postbox */
	    {"\xe2\x96\xa0", 1}, {"\xff\xfe", 2}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		assert_int_equal(page_width(known[i].s, strlen(known[i].s)), known[i].columns);
}

static void
cutting(void **state)
{
	(void)state;
	struct page p = page_of(10, true);
	page_put(&p, STYLE_PLAIN, "0123456789");
	page_line(&p);
	page_put(&p, STYLE_PLAIN, "0123456789a");
	page_put(&p, STYLE_PLAIN, "never");
	page_line(&p);
	page_put_middle(&p, STYLE_PLAIN, "0123456789a", 7);
	page_put(&p, STYLE_PLAIN, "xyz");
	page_line(&p);
	page_put_middle(&p, STYLE_PLAIN, "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac", 6);
	page_line(&p);
	expect(&p,
	    "0123456789\n012345678\xe2\x80\xa6\n012\xe2\x80\xa6"
	    "89axyz\n\xe6\x97\xa5\xe2\x80\xa6\xe6\x9c\xac\n");
	p = page_of(8, false);
	page_put(&p, STYLE_PLAIN, "0123456789");
	page_line(&p);
	page_put(&p, STYLE_PLAIN, "\xc3\xa4\xe6\x97\xa5.");
	page_line(&p);
	expect(&p, "012345..\n???.\n");
}

static void
wrapping(void **state)
{
	(void)state;
	struct page p = page_of(12, true);
	page_put(&p, STYLE_PLAIN, "To");
	page_tab(&p, 4);
	page_wrap(&p, STYLE_PLAIN, 4, " one two  three averyverylongword x ");
	page_line(&p);
	expect(&p, "To  one two\n    three\n    ave\xe2\x80\xa6word\n    x\n");
	p = page_of(12, true);
	page_tab(&p, 4);
	page_wrap(&p, STYLE_PLAIN, 4, "");
	page_line(&p);
	assert_int_equal(p.lines, 1);
	expect(&p, "\n"); /* no blanks at the end of a line */
}

static void
bars(void **state)
{
	(void)state;
	struct page p = page_of(20, false);
	page_bar(&p, STYLE_PLAIN, 0, 10);
	page_line(&p);
	page_bar(&p, STYLE_PLAIN, 0.001, 10);
	page_line(&p);
	page_bar(&p, STYLE_PLAIN, 1, 10);
	page_line(&p);
	expect(&p, "\n#\n##########\n");
	p = page_of(20, true);
	page_bar(&p, STYLE_PLAIN, 0.25, 10);
	page_line(&p);
	expect(&p, "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x8c\n");
}

static void
colours(void **state)
{
	(void)state;
	struct page p = page_of(20, false);
	p.colour = true;
	page_put(&p, STYLE_DIM, "From ");
	page_put(&p, STYLE_PLAIN, "a");
	page_put(&p, STYLE_BOLD, "");
	page_line(&p);
	expect(&p, "\x1b[2mFrom\x1b[0m a\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(widths),
	    cmocka_unit_test(cutting),
	    cmocka_unit_test(wrapping),
	    cmocka_unit_test(bars),
	    cmocka_unit_test(colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
