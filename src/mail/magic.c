/*
 * Kinds of files by their first octets: see magic.h.
 *
 * Of the rows, of which there are some two hundred, those are compared that begin with the octet
 * that is there. Formats that take more than octets at a place have a function each, which reads
 * within `len` as everything here does.
 */
#include "mail/magic.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* What people would call kinds of the same sort; bits, for `fits`. */
enum family {
	DOCUMENT = 1,
	IMAGE = 2,
	MEDIA = 4,
	ARCHIVE = 8,
	PROGRAM = 16,
	DATA = 32,
	SEALED = 64,
	MAIL = 128,
	TEXT = 256,
};

#define TEXT_LEAST 16u /* octets that show a text: fewer may be what a loss left of a file */

struct kind {
	const char *type;  /* media type */
	const char *words; /* for people */
	uint16_t family;   /* enum family */
	uint16_t fits;	   /* enum family, a set: what it may be declared as */
};

static const struct kind kinds[MAGICS] = {
    [MAGIC_NONE] = {"", "", 0, 0},
#define TYPE(id, type, family, fits, words) \
	[MAGIC_##id] = {type, words, (uint16_t)(family), (uint16_t)((family) | (fits))},
#define ALIAS(id, type)
#define ROW(id, offset, octets)
#define ROW2(id, offset, octets, offset2, octets2)
#define WEAK(id, offset, octets)
#include "mail/magic.def"
#undef TYPE
#undef ALIAS
};

static const struct {
	const char *type;
	enum magic magic;
} aliases[] = {
#define TYPE(id, type, family, fits, words)
#define ALIAS(id, type) {type, MAGIC_##id},
#include "mail/magic.def"
#undef TYPE
#undef ALIAS
#undef ROW
#undef ROW2
#undef WEAK
};

struct row {
	const char *octets, *octets2;
	uint16_t offset, offset2;
	uint8_t len, len2; /* len2 0: there is no second place */
	uint8_t magic;	   /* enum magic */
	bool weak;	   /* not where all octets are text */
};

static const struct row rows[] = {
#define TYPE(id, type, family, fits, words)
#define ALIAS(id, type)
#define ROW(id, offset, octets)	 {octets, "", offset, 0, sizeof(octets) - 1, 0, MAGIC_##id, false},
#define WEAK(id, offset, octets) {octets, "", offset, 0, sizeof(octets) - 1, 0, MAGIC_##id, true},
#define ROW2(id, offset, octets, offset2, octets2)                                              \
	{octets, octets2, offset, offset2, sizeof(octets) - 1, sizeof(octets2) - 1, MAGIC_##id, \
	    false},
#include "mail/magic.def"
};

static bool
stands(const uint8_t *head, size_t len, size_t offset, const void *octets, size_t n)
{
	return len >= n && offset <= len - n && memcmp(head + offset, octets, n) == 0;
}

/* Are the eight octets at p all of ASCII, and none of them a control? */
static bool
eight_printable(const uint8_t *p)
{
	const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
	uint64_t w;
	memcpy(&w, p, sizeof w);
	return ((w | (w - ones * 0x20)) & high) == 0;
}

/* Is all of it text, in UTF-8? What the end cuts of a character is left out. */
static bool
is_text(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (len - i >= 8 && eight_printable(head + i)) {
			i += 8;
			continue;
		}
		if (head[i] >= 0x20 && head[i] < 0x80) {
			i++;
			continue;
		}
		size_t n = utf8_char(head + i, len - i);
		if (n == 0)
			return i > 0 && len - i < 4 && head[i] >= 0xc2;
		if (head[i] < 0x20 && head[i] != '\t' && head[i] != '\r' && head[i] != '\n' &&
		    head[i] != '\f')
			return false;
		i += n;
	}
	return len > 0;
}

/* ---- ZIP (APPNOTE.TXT section 4.3.7) ---- */

static const struct {
	const char *name; /* of the first entry, or how it begins */
	enum magic magic;
} zip_entries[] = {
    {"[Content_Types].xml", MAGIC_OOXML},
    {"_rels/", MAGIC_OOXML},
    {"docProps/", MAGIC_OOXML},
    {"word/", MAGIC_DOCX},
    {"xl/", MAGIC_XLSX},
    {"ppt/", MAGIC_PPTX},
    {"META-INF/", MAGIC_JAR},
    {"AndroidManifest.xml", MAGIC_APK},
};

static const struct {
	const char *text; /* what the entry "mimetype" holds, or how that begins */
	enum magic magic;
} zip_mimetypes[] = {
    {"application/vnd.oasis.opendocument.text", MAGIC_ODT},
    {"application/vnd.oasis.opendocument.spreadsheet", MAGIC_ODS},
    {"application/vnd.oasis.opendocument.presentation", MAGIC_ODP},
    {"application/vnd.oasis.opendocument.", MAGIC_ODF},
    {"application/epub+zip", MAGIC_EPUB},
};

static enum magic
zip_magic(const uint8_t *head, size_t len)
{
	if (len < 30)
		return MAGIC_ZIP;
	if (head[6] & 1)
		return MAGIC_ZIP_SEALED;
	size_t name = (size_t)head[26] | (size_t)head[27] << 8;
	size_t extra = (size_t)head[28] | (size_t)head[29] << 8;
	for (size_t i = 0; i < sizeof zip_entries / sizeof *zip_entries; i++) {
		size_t n = strlen(zip_entries[i].name);
		if (name >= n && stands(head, len, 30, zip_entries[i].name, n))
			return zip_entries[i].magic;
	}
	if (name != 8 || !stands(head, len, 30, "mimetype", 8))
		return MAGIC_ZIP;
	for (size_t i = 0; i < sizeof zip_mimetypes / sizeof *zip_mimetypes; i++) {
		if (stands(head, len, 38 + extra, zip_mimetypes[i].text,
			strlen(zip_mimetypes[i].text)))
			return zip_mimetypes[i].magic;
	}
	return MAGIC_ZIP;
}

/* ---- DER: CMS (RFC 5652 section 3), PKCS#12 (RFC 7292), X.509 ---- */

/* Steps over the head of a DER or BER element of that tag; false where there is none. */
static bool
der_enter(const uint8_t **p, const uint8_t *end, uint8_t tag)
{
	const uint8_t *at = *p;
	if (end - at < 2 || at[0] != tag)
		return false;
	size_t more = at[1] >= 0x80 ? at[1] & 0x7fu : 0; /* octets of a long length; 0x80: none */
	if (more > 4 || (size_t)(end - at) < 2 + more)
		return false;
	*p = at + 2 + more;
	return true;
}

static enum magic
der_magic(const uint8_t *head, size_t len)
{
	static const struct {
		const char *oid; /* contents of the object identifier */
		uint8_t len;
		enum magic magic;
	} content[] = {
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9, MAGIC_CMS_SIGNED},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 9, MAGIC_CMS_SEALED}, /* enveloped */
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x04", 9, MAGIC_CMS_SEALED}, /* and signed */
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 9, MAGIC_CMS_SEALED}, /* with a known key */
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 11, MAGIC_CMS_SEALED}, /* RFC 5083 */
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 11, MAGIC_CMS_COMPRESSED},
	    {"\x2a\x86\x48\x86\xf7\x0d\x01\x07", 8, MAGIC_CMS_OTHER},
	};
	const uint8_t *p = head, *end = head + len;
	if (!der_enter(&p, end, 0x30))
		return MAGIC_NONE;
	if (end - p >= 4 && memcmp(p, "\x02\x01\x03\x30", 4) == 0)
		return MAGIC_PKCS12;
	const uint8_t *inner = p;
	if (der_enter(&inner, end, 0x30) && end - inner >= 5 &&
	    memcmp(inner, "\xa0\x03\x02\x01", 4) == 0 && inner[4] <= 2)
		return MAGIC_CERTIFICATE; /* TBSCertificate begins with its version */
	if (end - p < 2 || p[0] != 0x06)
		return MAGIC_NONE;
	size_t n = p[1];
	for (size_t i = 0; i < sizeof content / sizeof *content; i++) {
		bool whole = content[i].magic != MAGIC_CMS_OTHER;
		if ((!whole || n == content[i].len) && n >= content[i].len &&
		    stands(p, (size_t)(end - p), 2, content[i].oid, content[i].len))
			return content[i].magic;
	}
	return MAGIC_NONE;
}

/* ---- the rest ---- */

/* PE: "MZ", and where the DOS header says, "PE"; where that is further behind, a header that is no
 * text. */
static bool
is_pe(const uint8_t *head, size_t len)
{
	if (!stands(head, len, 0, "MZ", 2))
		return false;
	if (len < 64)
		return !is_text(head, len);
	size_t at = (size_t)head[60] | (size_t)head[61] << 8 | (size_t)head[62] << 16 |
	    (size_t)head[63] << 24;
	return at < len ? stands(head, len, at, "PE\0\0", at + 4 <= len ? 4 : len - at)
			: !is_text(head, len);
}

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
		s++;
	return s;
}

static enum magic
text_magic(const uint8_t *head, size_t len)
{
	static const char *const html[] = {"<!doctype html", "<html", "<head", "<body", "<script",
	    "<table", "<div", "<meta", "<title"};
	const char *end = (const char *)head + len, *s = skip_space((const char *)head, end);
	if (s == end)
		return MAGIC_NONE;
	for (size_t i = 0; i < sizeof html / sizeof *html; i++) {
		if (ascii_begins(s, (size_t)(end - s), html[i]))
			return MAGIC_HTML;
	}
	if (*s == '<' && ascii_find(s, (size_t)(end - s), "<svg") != NULL)
		return MAGIC_SVG; /* behind a comment */
	return len >= TEXT_LEAST ? MAGIC_PLAIN : MAGIC_NONE;
}

static enum magic
refine(enum magic m, const uint8_t *head, size_t len)
{
	switch (m) {
	case MAGIC_XML:
		if (ascii_find(head, len, "<svg") != NULL)
			return MAGIC_SVG;
		return ascii_find(head, len, "<html") != NULL ? MAGIC_HTML : m;
	case MAGIC_RAR: /* RAR 4: a main header, 0x73, whose flags say that the others are sealed */
		return len > 10 && head[6] == 0 && head[9] == 0x73 && (head[10] & 0x80) != 0
		    ? MAGIC_RAR_SEALED
		    : m;
	default: return m;
	}
}

/* ---- rows ---- */

#define ROWS (sizeof rows / sizeof *rows)

/*
 * Chains of rows, in their order: of those that look at the first octet, one for each value of it;
 * of those that look elsewhere, one.  From 1; 0: no more.
 */
static struct {
	uint8_t first[256], elsewhere, next[ROWS + 1];
	bool built;
} chains;
_Static_assert(ROWS < 255, "a row's number is an octet");

static void
chains_build(void)
{
	for (size_t i = ROWS; i > 0; i--) {
		const struct row *r = &rows[i - 1];
		uint8_t *first =
		    r->offset == 0 ? &chains.first[(uint8_t)r->octets[0]] : &chains.elsewhere;
		chains.next[i] = *first;
		*first = (uint8_t)i;
	}
	chains.built = true;
}

/* The first row that fits; NULL where none does. */
static const struct row *
row_of(const uint8_t *head, size_t len, bool text)
{
	if (!chains.built)
		chains_build();
	for (unsigned a = chains.first[head[0]], b = chains.elsewhere; (a | b) != 0;) {
		unsigned i = a != 0 && (b == 0 || a < b) ? a : b;
		const struct row *r = &rows[i - 1];
		if (i == a)
			a = chains.next[a];
		else
			b = chains.next[b];
		if (r->offset >= len || head[r->offset] != (uint8_t)r->octets[0])
			continue;
		if ((!r->weak || !text) && stands(head, len, r->offset, r->octets, r->len) &&
		    (r->len2 == 0 || stands(head, len, r->offset2, r->octets2, r->len2)))
			return r;
	}
	return NULL;
}

enum magic
magic_of(const uint8_t *head, size_t len)
{
	if (len > LIMIT_MAGIC)
		len = LIMIT_MAGIC;
	if (len == 0)
		return MAGIC_NONE;
	if (stands(head, len, 0, "PK\3\4", 4))
		return zip_magic(head, len);
	if (is_pe(head, len))
		return MAGIC_PE;
	if (head[0] == 0x30) {
		enum magic m = der_magic(head, len);
		if (m != MAGIC_NONE)
			return m;
	}
	bool text = is_text(head, len);
	const struct row *r = row_of(head, len, text);
	if (r != NULL)
		return refine(r->magic, head, len);
	return text ? text_magic(head, len) : MAGIC_NONE;
}

const char *
magic_type(enum magic m)
{
	return kinds[m].type;
}

const char *
magic_words(enum magic m)
{
	return kinds[m].words;
}

bool
magic_is_binary(enum magic m)
{
	return m != MAGIC_NONE && (kinds[m].fits & TEXT) == 0;
}

bool
magic_is_program(enum magic m)
{
	return (kinds[m].family & PROGRAM) != 0;
}

enum magic
magic_named(const char *type, size_t len)
{
	for (unsigned m = MAGIC_NONE + 1; m < MAGICS; m++) {
		if (ascii_is(type, len, kinds[m].type))
			return m;
	}
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
		if (ascii_is(type, len, aliases[i].type))
			return aliases[i].magic;
	}
	return MAGIC_NONE;
}

bool
magic_contradicts(enum magic declared, enum magic shown)
{
	return declared != MAGIC_NONE && shown != MAGIC_NONE &&
	    (kinds[declared].family & kinds[shown].fits) == 0;
}
