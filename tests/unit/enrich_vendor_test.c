/* Makers of network cards: the tables of the IEEE, each prefix of one, and which block counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "enrich/vendor.h"
#include "folder.h"

#define HEAD "Registry,Assignment,Organization Name,Organization Address\r\n"

static struct vendors *vendors;

static void
open_text(const char *text)
{
	char error[ENRICH_ERROR] = "x";
	write_text("oui.csv", text);
	vendors = vendors_open(path_of("oui.csv"), error);
	if (vendors == NULL)
		fail_msg("%s", error);
}

/* "00-26-73-01-02-03"; NULL: nobody. */
static void
expect(const char *mac, const char *name)
{
	uint8_t octets[6];
	for (unsigned i = 0; i < 6; i++)
		octets[i] = (uint8_t)strtoul(mac + 3 * i, NULL, 16);
	const char *found = vendors_look_up(vendors, octets);
	if (name == NULL ? found != NULL : found == NULL || strcmp(found, name) != 0)
		fail_msg("%s: %s", mac, found != NULL ? found : "nobody");
}

static void
rows_are_read(void **state)
{
	(void)state;
	open_text(
	    HEAD "MA-L,002673,\"RICOH COMPANY,LTD.\",\"1, Street\r\n2, \"\"Town\"\"\r\nJP\"\r\n"
		 "MA-L,008077,  Brother   industries ,Nagoya JP\r\n"
		 "MA-L,00000C,\"The \"\"Cisco\"\" Systems, Inc\",x\n"
		 "MA-L,00001B,Last without an end");
	assert_int_equal(vendors_count(vendors), 4);
	expect("00-26-73-01-02-03", "RICOH COMPANY,LTD.");
	expect("00-26-73-FF-FF-FF", "RICOH COMPANY,LTD.");
	expect("00-26-74-00-00-00", NULL);
	expect("00-26-72-FF-FF-FF", NULL);
	expect("00-80-77-00-00-01", "Brother industries");
	expect("00-00-0C-00-00-01", "The \"Cisco\" Systems, Inc");
	expect("00-00-1B-00-00-01", "Last without an end");
	vendors_close(vendors);
}

static void
the_longest_block_counts(void **state)
{
	(void)state;
	open_text(HEAD "MA-S,70B3D5F2F,Thirty-six,x\nMA-L,70B3D5,IEEE Registration Authority,x\n"
		       "MA-M,741AE09,Twenty-eight,x\nMA-L,741AE0,Twenty-four,x\n"
		       "MA-M,741AE0A,Private,\nMA-L,70B3D5,Another,x\n");
	expect("70-B3-D5-F2-F1-23", "Thirty-six");
	expect("70-B3-D5-F2-E1-23", NULL); /* who has the whole of it gave it out in pieces */
	expect("74-1A-E0-91-23-45", "Twenty-eight");
	expect("74-1A-E0-A1-23-45", NULL);
	expect("74-1A-E0-B1-23-45", "Twenty-four");
	vendors_close(vendors);
}

static void
what_is_no_cards_own(void **state)
{
	(void)state;
	open_text(HEAD "MA-L,000000,XEROX CORPORATION,x\nMA-L,020000,Local,x\nMA-L,010000,Group,x\n"
		       "MA-L,FFFFFF,All,x\n");
	expect("00-00-00-00-00-00", NULL); /* a loopback interface's */
	expect("00-00-00-00-00-01", "XEROX CORPORATION");
	expect("02-00-00-00-00-01", NULL);
	expect("01-00-00-00-00-01", NULL);
	expect("FF-FF-FF-FF-FF-FF", NULL);
	vendors_close(vendors);
}

static void
rows_that_are_none(void **state)
{
	(void)state;
	char name[200] = HEAD "MA-L,00001B,";
	memset(name + strlen(name), 'x', 100);
	open_text(HEAD "\n\r\n,\n,,,\nMA-L,00001,Five digits,x\nMA-L,00001G,No digit,x\n"
		       "MA-L,00001b,Lower case,x\nMA-L,0000000000,Ten,x\nMA-L,00001C\n\"\"\"\n\"\n"
		       "MA-L,00001D,\"Bell\x07\xff\",x\n");
	assert_int_equal(vendors_count(vendors), 1);
	expect("00-00-1D-00-00-00", "Bell\\x07\xc3\xbf"); /* safe to show */
	vendors_close(vendors);

	open_text(name);
	name[strlen(HEAD "MA-L,00001B,") + LIMIT_VENDOR_NAME] = '\0';
	expect("00-00-1B-00-00-00", name + strlen(HEAD "MA-L,00001B,"));
	vendors_close(vendors);
}

/* Each beginning of a table is one, or is refused. */
static void
every_prefix(void **state)
{
	(void)state;
	static const char whole[] =
	    HEAD "MA-L,002673,\"RICOH COMPANY,LTD.\",\"1, \"\"x\"\"\r\ny\"\r\n"
		 "MA-M,741AE09,Twenty-eight,x\n";
	char error[ENRICH_ERROR];
	for (size_t len = 0; len < sizeof whole; len++) {
		write_octets("oui.csv", whole, len);
		vendors = vendors_open(path_of("oui.csv"), error);
		/* a row is one as soon as its third field is begun */
		size_t first = (size_t)(strstr(whole, "\"RICOH") - whole);
		size_t second = (size_t)(strstr(whole, "Twenty") - whole);
		size_t n = len < first ? 0 : len < second ? 1 : 2;
		if (n == 0)
			assert_null(vendors);
		else
			assert_int_equal(vendors_count(vendors), n);
		vendors_close(vendors);
	}
}

static void
what_cannot_be_read_is_said(void **state)
{
	(void)state;
	char error[ENRICH_ERROR] = "";
	make_dir("empty");
	assert_null(vendors_open("/nowhere/oui.csv", error));
	assert_string_equal(error, "/nowhere/oui.csv: No such file or directory");
	assert_null(vendors_open(path_of("empty"), error));
	assert_non_null(strstr(error, "/empty: has no table of the IEEE (oui.csv) in it"));
	write_text("x", "not a table\n");
	assert_null(vendors_open(path_of("x"), error));
	assert_non_null(strstr(error, "/x: no table of the IEEE (oui.csv) is in it"));
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	assert_null(vendors_open(path_of("fifo"), error));
	assert_non_null(strstr(error, "/fifo: not a file"));
	write_text("empty/oui.csv", "nothing\n");
	assert_null(vendors_open(path_of("empty"), error));
	assert_non_null(strstr(error, "/empty/oui.csv: no table"));
}

static void
a_folder_has_several(void **state)
{
	(void)state;
	char error[ENRICH_ERROR] = "";
	make_dir("t");
	write_text("t/oui.csv",
	    HEAD "MA-L,00001B,Oui,x\nMA-L,0050C2,IEEE Registration Authority,x\n");
	write_text("t/iab.csv", HEAD "IAB,0050C27D5,Iab,x\n");
	vendors = vendors_open(path_of("t"), error);
	assert_non_null(vendors);
	expect("00-00-1B-00-00-01", "Oui");
	expect("00-50-C2-7D-50-00", "Iab");
	vendors_close(vendors);
	vendors = vendors_open_none();
	assert_int_equal(vendors_count(vendors), 0);
	expect("00-00-1B-00-00-01", NULL);
	vendors_close(vendors);
	vendors_close(NULL);
}

/* Debian's package, where it is installed. */
static void
the_usual_place(void **state)
{
	(void)state;
	char error[ENRICH_ERROR] = "";
	vendors = vendors_open(NULL, error);
	assert_non_null(vendors);
	if (access("/usr/share/ieee-data/oui.csv", R_OK) != 0) {
		vendors_close(vendors);
		skip();
	}
	assert_true(vendors_count(vendors) > 40000);
	expect("00-26-73-01-02-03", "RICOH COMPANY,LTD.");
	expect("00-80-77-01-02-03", "Brother industries, LTD.");
	expect("70-B3-D5-F2-F1-23", "TELEPLATFORMS");
	vendors_close(vendors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FOLDER_TEST(rows_are_read),
	    FOLDER_TEST(the_longest_block_counts),
	    FOLDER_TEST(what_is_no_cards_own),
	    FOLDER_TEST(rows_that_are_none),
	    FOLDER_TEST(every_prefix),
	    FOLDER_TEST(what_cannot_be_read_is_said),
	    FOLDER_TEST(a_folder_has_several),
	    FOLDER_TEST(the_usual_place),
	};
	return cmocka_run_group_tests_name("enrich/vendor", tests, NULL, NULL);
}
