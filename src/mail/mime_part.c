/* What a header says about its body: see mime_part.h. */
#include "mail/mime_part.h"

#include "base/text.h"
#include "mail/mime_words.h"

#include <string.h>

void
mime_part_begin(struct mime_part *part)
{
	part->has_type = part->has_disposition = part->is_attachment = false;
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
	return ascii_is(word, n, "signed-data") ? MIME_SIGNED : MIME_PROTECTION_UNKNOWN;
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
