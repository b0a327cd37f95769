/* What a header says about its body: see mime_part.h. */
#include "mail/mime_part.h"

#include "base/text.h"
#include "mail/mime_words.h"

#include <string.h>

void
mime_part_begin(struct mime_part *part)
{
	part->has_type = part->has_disposition = part->is_attachment = false;
	part->has_encoding = false;
	part->encoding = ENCODING_NONE;
	part->protection = MIME_PLAIN;
	part->boundary_len = 0;
	part->file_len = 0;
	part->type[0] = part->file[0] = '\0';
}

static void
take_file(struct mime_part *part, const char *value, size_t len, const char *parameter)
{
	char buf[LIMIT_TEXT + 1];
	struct text name = text_in(buf, sizeof buf);
	if (!mime_param_text(value, len, parameter, &name))
		return;
	memcpy(part->file, buf, name.len + 1);
	part->file_len = (uint16_t)name.len;
}

/* RFC 1847, RFC 3156 section 4, RFC 8551 section 3.2. */
static enum mime_protection
type_protection(const char *type, const char *value, size_t len)
{
	char word[64];
	size_t n;
	if (strcmp(type, "multipart/signed") == 0)
		return MIME_SIGNED;
	if (strcmp(type, "multipart/encrypted") == 0) {
		n = mime_param_octets(value, len, "protocol", word, sizeof word);
		return ascii_is(word, n, "application/pgp-encrypted") ? MIME_PGP
								      : MIME_PROTECTION_UNKNOWN;
	}
	if (strcmp(type, "application/pkcs7-mime") != 0 &&
	    strcmp(type, "application/x-pkcs7-mime") != 0)
		return MIME_PLAIN;
	n = mime_param_octets(value, len, "smime-type", word, sizeof word);
	if (ascii_is(word, n, "enveloped-data") || ascii_is(word, n, "authenveloped-data"))
		return MIME_SMIME;
	if (ascii_is(word, n, "signed-data") || ascii_is(word, n, "certs-only") ||
	    ascii_is(word, n, "compressed-data"))
		return MIME_SIGNED; /* as readable as if it were signed only */
	return MIME_PROTECTION_UNKNOWN;
}

void
mime_part_type(struct mime_part *part, const char *value, size_t len)
{
	struct text type = text_in(part->type, sizeof part->type);
	if (part->has_type)
		return;
	part->has_type = true;
	mime_value_token(value, len, &type);
	part->protection = (uint8_t)type_protection(part->type, value, len);
	if (strncmp(part->type, "multipart/", 10) == 0) {
		size_t n = mime_param_octets(value, len, "boundary", part->boundary,
		    sizeof part->boundary);
		while (n > 0 && part->boundary[n - 1] == ' ')
			n--;
		part->boundary_len = (uint8_t)n;
	} else if (part->file_len == 0) { /* Content-Disposition names it better */
		take_file(part, value, len, "name");
	}
}

void
mime_part_disposition(struct mime_part *part, const char *value, size_t len)
{
	char word[16];
	struct text disposition = text_in(word, sizeof word);
	if (part->has_disposition)
		return;
	part->has_disposition = true;
	mime_value_token(value, len, &disposition);
	part->is_attachment = strcmp(word, "attachment") == 0;
	take_file(part, value, len, "filename");
}

void
mime_part_encoding(struct mime_part *part, const char *value, size_t len)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} names[] = {
	    {"7bit", ENCODING_NONE},
	    {"8bit", ENCODING_NONE},
	    {"binary", ENCODING_NONE},
	    {"7-bit", ENCODING_NONE},
	    {"8-bit", ENCODING_NONE},
	    {"", ENCODING_NONE},
	    {"base64", ENCODING_BASE64},
	    {"quoted-printable", ENCODING_QP},
	    {"x-uuencode", ENCODING_UU},
	    {"x-uue", ENCODING_UU},
	    {"uuencode", ENCODING_UU},
	};
	char word[32];
	struct text name = text_in(word, sizeof word);
	if (part->has_encoding)
		return;
	part->has_encoding = true;
	part->encoding = ENCODING_OTHER;
	mime_value_token(value, len, &name);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(word, names[i].name) == 0)
			part->encoding = (uint8_t)names[i].encoding;
	}
}

bool
mime_part_is_plain(const struct mime_part *part)
{
	return part->type[0] == '\0' || strcmp(part->type, "text/plain") == 0;
}

bool
mime_part_is_message(const struct mime_part *part)
{
	return strcmp(part->type, "message/rfc822") == 0 ||
	    strcmp(part->type, "message/global") == 0;
}

bool
mime_part_is_text(const struct mime_part *part)
{
	return part->type[0] == '\0' || strncmp(part->type, "text/", 5) == 0;
}

enum mime_leaf
mime_part_leaf(const struct mime_part *part)
{
	static const char *const control[] = {
	    "application/pgp-encrypted",
	    "application/pgp-signature",
	    "application/pkcs7-signature",
	    "application/x-pkcs7-signature",
	};
	if (strncmp(part->type, "multipart/", 10) == 0)
		return LEAF_BODY; /* without a boundary, or too deep */
	for (size_t i = 0; i < sizeof control / sizeof control[0]; i++) {
		if (strcmp(part->type, control[i]) == 0)
			return LEAF_CONTROL;
	}
	if (part->is_attachment || part->file_len > 0)
		return LEAF_ATTACHMENT;
	if (strchr(part->type, '/') == NULL || mime_part_is_text(part) ||
	    strncmp(part->type, "message/", 8) == 0)
		return LEAF_BODY;
	return LEAF_ATTACHMENT;
}
