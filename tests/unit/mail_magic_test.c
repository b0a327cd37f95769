/*
 * Kinds of files.  Every sample is told by its octets, in buffers of their own size; every prefix
 * of one is read without a step past its end and never told as another binary kind than the whole.
 */
#include "mail/magic.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(octets, type)                          \
	{                                        \
		octets, sizeof(octets) - 1, type \
	}

/* A local header with those flags and that length of the first name. */
#define ZIP(flags, name_len, name) \
	"PK\3\4\x14\0" flags "\0\x08\0\0\0!\0abcd\1\0\0\0\1\0\0\0" name_len "\0\0" name

static const struct {
	const char *octets;
	size_t len;
	const char *type;
} samples[] = {
    S("%PDF-1.7\n", "application/pdf"),
    S("%!PS-Adobe-3.0", "application/postscript"),
    S("{\\rtf1\\ansi", "application/rtf"),
    S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "application/x-ole-storage"),
    S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    S("\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
    S("GIF89a\1\0", "image/gif"),
    S("II*\0\x08\0\0\0", "image/tiff"),
    S("MM\0*\0\0\0\x08", "image/tiff"),
    S("BM\x36\0\0\0\0\0\0\0\x36\0\0\0", "image/bmp"),
    S("RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
    S("RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    S("RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
    S("\0\0\0\x18"
      "ftypheic",
	"image/heic"),
    S("\0\0\0\x18"
      "ftypqt  ",
	"video/quicktime"),
    S("\0\0\0\x18"
      "ftypisom",
	"video/mp4"),
    S("\0\0\0\x18"
      "ftypM4A ",
	"audio/mp4"),
    S("<svg xmlns=\"http://www.w3.org/2000/svg\">", "image/svg+xml"),
    S("<?xml version=\"1.0\"?>\n<svg>", "image/svg+xml"),
    S("<?xml version=\"1.0\"?>\n<a/>", "application/xml"),
    S("ID3\3\0\0", "audio/mpeg"),
    S("\xff\xfb\x90\x64\0\0", "audio/mpeg"),
    S("OggS\0\2", "application/ogg"),
    S("fLaC\0\0\0\x22", "audio/flac"),
    S("\x1a\x45\xdf\xa3\x9f", "video/x-matroska"),
    S("\x1f\x8b\x08\0", "application/gzip"),
    S("BZh91AY&SY\0", "application/x-bzip2"),
    S("\xfd"
      "7zXZ\0\0",
	"application/x-xz"),
    S("\x28\xb5\x2f\xfd\4", "application/zstd"),
    S("7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
    S("Rar!\x1a\7\1\0\1\2\3\4\x0b\1\5", "application/vnd.rar"),
    S("Rar!\x1a\7\1\0\1\2\3\4\x0b\4\5", "application/vnd.rar; encrypted"),
    S("Rar!\x1a\7\0\xcf\x90\x73\0\0\x0d\0", "application/vnd.rar"),
    S("Rar!\x1a\7\0\xcf\x90\x73\x80\0\x0d\0", "application/vnd.rar; encrypted"),
    S("MSCF\0\0\0\0\1", "application/vnd.ms-cab-compressed"),
    S("\x7f"
      "ELF\2\1\1",
	"application/x-executable"),
    S("\xcf\xfa\xed\xfe\7\0\0\1", "application/x-mach-binary"),
    S("\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7", "application/x-mach-binary"),
    S("\xca\xfe\xba\xbe\0\0\0\x34\0\x1d", "application/java-vm"),
    S("L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\x9b", "application/x-ms-shortcut"),
    S("#!/bin/sh\nrm -rf x\n", "text/x-shellscript"),
    S("@echo off\r\n", "text/x-msdos-batch"),
    S("SQLite format 3\0\x10", "application/vnd.sqlite3"),
    S("-----BEGIN CERTIFICATE-----\n", "application/pkix-cert"),
    S("-----BEGIN RSA PRIVATE KEY-----\n", "application/x-pem-file; private-key"),
    S("-----BEGIN DH PARAMETERS-----\n", "application/x-pem-file"),
    S("-----BEGIN PGP MESSAGE-----\n", "application/pgp-encrypted"),
    S("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "application/pgp-keys"),
    S("-----BEGIN PGP SIGNATURE-----\n", "application/pgp-signature"),
    S("\x78\x9f\x3e\x22\1\0", "application/ms-tnef"),
    S("BEGIN:VCARD\r\nVERSION:3.0\r\n", "text/vcard"),
    S("BEGIN:VCALENDAR\r\n", "text/calendar"),
    S("Received: from a by b\r\n", "message/rfc822"),
    S(" \r\n<!DOCTYPE html>\n<html>", "text/html"),
    S("<HTML><BODY>", "text/html"),
    S("Dear Ann, this is a text.\r\n", "text/plain"),
    S("caf\xc3\xa9 caf\xc3\xa9 caf\xc3\xa9 caf\xc3", "text/plain"), /* the end is cut */
    S("\xff\xfeh\0e\0", "text/plain"),
    /* CMS: lengths of every form */
    S("\x30\x80\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\3\xa0\x80",
	"application/pkcs7-mime; smime-type=enveloped-data"),
    S("\x30\x1a\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\2\xa0\x0d",
	"application/pkcs7-mime; smime-type=signed-data"),
    S("\x30\x82\1\x1a\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\6\xa0\x0d",
	"application/pkcs7-mime; smime-type=enveloped-data"),
    S("\x30\x83\1\0\0\6\x0b\x2a\x86\x48\x86\xf7\x0d\1\x09\x10\1\x17\xa0",
	"application/pkcs7-mime; smime-type=enveloped-data"),
    S("\x30\x80\6\x0b\x2a\x86\x48\x86\xf7\x0d\1\x09\x10\1\x09\xa0",
	"application/pkcs7-mime; smime-type=compressed-data"),
    S("\x30\x80\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\1\xa0\x80", "application/pkcs7-mime"),
    S("\x30\x82\x09\x59\2\1\3\x30\x82", "application/x-pkcs12"),
    S("\x30\x82\3\x0a\x30\x82\1\xf2\xa0\3\2\1\2\2\1\1", "application/pkix-cert"),
    /* ZIP, by its first entry */
    S(ZIP("\0", "\x05\0", "a.txt"), "application/zip"),
    S(ZIP("\1", "\x05\0", "a.txt"), "application/zip; encrypted"),
    S("PK\5\6\0\0", "application/zip"),
    S(ZIP("\0", "\x13\0", "[Content_Types].xml"), "application/vnd.openxmlformats-officedocument"),
    S(ZIP("\0", "\x11\0", "word/document.xml"),
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    S(ZIP("\0", "\x0f\0", "xl/workbook.xml"),
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    S(ZIP("\0", "\x14\0", "ppt/presentation.xml"),
	"application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    S(ZIP("\0", "\x08\0", "mimetypeapplication/vnd.oasis.opendocument.text"),
	"application/vnd.oasis.opendocument.text"),
    S(ZIP("\0", "\x08\0", "mimetypeapplication/vnd.oasis.opendocument.chart"),
	"application/vnd.oasis.opendocument"),
    S(ZIP("\0", "\x08\0", "mimetypeapplication/epub+zip"), "application/epub+zip"),
    S(ZIP("\0", "\x08\0", "mimetypesomething"), "application/zip"),
    S(ZIP("\0", "\x14\0", "META-INF/MANIFEST.MF"), "application/java-archive"),
    S(ZIP("\0", "\4\0", "word/"), "application/zip"), /* the name ends before */
    /* none */
    S("", ""),
    S("\0\0\0\0", ""),
    S("%PDF", ""),
    S("BM is a car maker", "text/plain"),
    S("MZ is a text of an odd kind, and longer than the header of a program is", "text/plain"),
    S("PKZIP is a program", "text/plain"),
    S("short", ""),
    S("\xe9\xe8\xff\1 binary of no kind", ""),
};

static enum magic
magic_copied(const void *octets, size_t len)
{
	uint8_t *p = malloc(len + (len == 0));
	if (len > 0)
		memcpy(p, octets, len);
	enum magic m = magic_of(p, len);
	free(p);
	return m;
}

static void
test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		enum magic m = magic_copied(samples[i].octets, samples[i].len);
		if (strcmp(magic_type(m), samples[i].type) != 0)
			print_message("sample %zu\n", i);
		assert_string_equal(magic_type(m), samples[i].type);
	}
}

static void
test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		enum magic whole = magic_of((const uint8_t *)samples[i].octets, samples[i].len);
		for (size_t n = 0; n < samples[i].len; n++) {
			enum magic m = magic_copied(samples[i].octets, n);
			if (m != MAGIC_NONE && magic_is_binary(m) && magic_is_binary(whole))
				assert_false(magic_contradicts(whole, m)); /* sample i, n */
		}
	}
}

static void
test_far(void **state)
{
	(void)state;
	uint8_t tar[LIMIT_MAGIC] = "folder/a.txt", exe[LIMIT_MAGIC] = "MZ\x90";
	memcpy(tar + 257, "ustar", 5);
	assert_int_equal(magic_copied(tar, sizeof tar), MAGIC_TAR);
	assert_int_equal(magic_copied(tar, 261), MAGIC_NONE);
	uint8_t text[LIMIT_MAGIC + 1]; /* what stands behind that many octets does not count */
	memset(text, 'a', sizeof text);
	assert_int_equal(magic_copied(text, sizeof text), MAGIC_PLAIN);
	text[LIMIT_MAGIC] = '\0';
	assert_int_equal(magic_copied(text, sizeof text), MAGIC_PLAIN);
	text[LIMIT_MAGIC - 1] = '\0';
	assert_int_equal(magic_copied(text, sizeof text), MAGIC_NONE);
	exe[60] = 0xf0;
	assert_int_equal(magic_copied(exe, sizeof exe), MAGIC_NONE); /* DOS, or nothing */
	memcpy(exe + 0xf0, "PE\0\0", 4);
	assert_int_equal(magic_copied(exe, sizeof exe), MAGIC_PE);
	assert_int_equal(magic_copied(exe, 0xf2), MAGIC_PE); /* cut */
	assert_int_equal(magic_copied(exe, 64), MAGIC_PE);
	exe[61] = 8; /* behind what is known */
	assert_int_equal(magic_copied(exe, sizeof exe), MAGIC_PE);
	memset(exe + 60, 0xff, 4);
	assert_int_equal(magic_copied(exe, sizeof exe), MAGIC_PE);
}

static bool
contradicts(const char *declared, const char *shown)
{
	return magic_contradicts(magic_named(declared, strlen(declared)),
	    magic_named(shown, strlen(shown)));
}

static void
test_contradictions(void **state)
{
	(void)state;
	const char *pe = magic_type(MAGIC_PE);
	assert_true(contradicts("application/pdf", pe));
	assert_true(contradicts("image/jpg", pe));
	assert_true(contradicts("text/plain", pe));
	assert_true(contradicts("application/pdf", "application/zip; encrypted") == false);
	assert_true(contradicts("image/png", "application/zip"));
	assert_true(contradicts("image/png", "text/html"));
	assert_true(contradicts("application/pdf", "text/html"));
	assert_false(contradicts("application/x-msdownload", pe));
	assert_false(contradicts("application/octet-stream", pe)); /* declares nothing */
	assert_false(contradicts("application/msword", "application/x-ole-storage"));
	assert_false(contradicts("application/vnd.ms-outlook", "application/x-ole-storage"));
	assert_false(contradicts("application/x-zip-compressed", "application/zip"));
	assert_false(contradicts(magic_type(MAGIC_DOCX), magic_type(MAGIC_OOXML)));
	assert_false(contradicts("application/zip", magic_type(MAGIC_DOCX)));
	assert_false(contradicts("image/svg+xml", "application/xml"));
	assert_false(contradicts("text/csv", "text/plain"));
	assert_false(contradicts("text/plain", "text/x-shellscript"));
	assert_false(contradicts("image/jpeg", "image/png"));
	assert_false(contradicts("", ""));
	assert_true(magic_is_program(MAGIC_PE) && !magic_is_program(MAGIC_PDF));
}

static void
test_names(void **state)
{
	(void)state;
	for (unsigned m = MAGIC_NONE + 1; m < MAGICS; m++) {
		assert_int_equal(magic_named(magic_type(m), strlen(magic_type(m))), m);
		assert_true(magic_words(m)[0] != '\0');
	}
	assert_int_equal(magic_named("image/jpg", 9), MAGIC_JPEG);
	assert_int_equal(magic_named("application/octet-stream", 24), MAGIC_NONE);
	assert_true(MAGICS > 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_prefixes),
	    cmocka_unit_test(test_far),
	    cmocka_unit_test(test_contradictions),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
