/* What the rows of all protocols share: see protocol.h.  Bounded by the line they are given. */
#include "mail/protocol.h"

#include <assert.h>
#include <string.h>

#include "base/scan.h"
#include "base/text.h"

struct mail_event *
mail_emit(struct mail *m, enum mail_event_kind kind, enum mail_side side)
{
	assert(m->q_len < MAIL_QUEUE);
	struct mail_event *ev = &m->queue[m->q_len++];
	m->awake = true;
	*ev = (struct mail_event){.kind = (uint8_t)kind, .side = (uint8_t)side, .text = ""};
	return ev;
}

void
mail_emit_text(struct mail *m, enum mail_event_kind kind, enum mail_side side, const char *s,
    size_t len)
{
	struct mail_event *ev = mail_emit(m, kind, side);
	ev->text = s;
	ev->len = len;
}

void
mail_emit_odd(struct mail *m, enum mail_side side, enum mail_oddity odd)
{
	mail_emit(m, MAIL_ODD, side)->index = (uint16_t)odd;
}

size_t
mail_word_len(const char *s, size_t len)
{
	return scan_either(s, len, ' ', '\t');
}

size_t
mail_skip_blanks(const char *s, size_t len, size_t at)
{
	/* VT and FF too: servers that ask isspace() take a command behind them */
	while (at < len && (s[at] == ' ' || s[at] == '\t' || s[at] == '\v' || s[at] == '\f'))
		at++;
	return at;
}

bool
mail_is_mangled(const char *word, size_t len, const char *keyword, bool *same_length)
{
	size_t n = strlen(keyword), xs = 0, differ = 0;
	*same_length = len == n;
	if (len != n && (len == 0 || ascii_lower(word[0]) != 'x'))
		return false;
	while (xs < len && (word[xs] == 'X' || word[xs] == 'x'))
		xs++;
	/* ASA inspection: all X, or X with a last letter that counts up (field notes 3.2, S1) */
	if (len >= 2 && (xs == len || (xs >= 2 && xs + 1 == len)))
		return true;
	if (len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differ += ascii_lower(word[i]) != ascii_lower(keyword[i]);
	return differ > 0 && differ <= (n < 8 ? 1 : 3); /* short words are alike by chance */
}

enum plausible
mail_plausible_word(const char *s, size_t len, const char *word)
{
	size_t i = 0;
	while (i < len && word[i] != '\0' && ascii_lower(s[i]) == ascii_lower(word[i]))
		i++;
	return word[i] == '\0' ? PLAUSIBLE_YES : i == len ? PLAUSIBLE_MAYBE : PLAUSIBLE_NO;
}

bool
mail_begins_quit(const char *line, size_t len)
{
	return len <= 5 && mail_plausible_word(line, len, "QUIT\r") != PLAUSIBLE_NO;
}

bool
mail_looks_like_text(const uint8_t *s, size_t len)
{
	size_t n = len < 4 ? len : 4;
	for (size_t i = 0; i < n; i++) {
		if ((s[i] < 0x20 || s[i] > 0x7e) && s[i] != '\r' && s[i] != '\n' && s[i] != '\t')
			return false;
	}
	return n > 0;
}

enum plausible
mail_plausible_record(const uint8_t *o, size_t len)
{
	static const uint8_t least[] = {0x14, 3, 0}, most[] = {0x17, 3, 4};
	for (size_t i = 0; i < sizeof least && i < len; i++) {
		if (o[i] < least[i] || o[i] > most[i])
			return PLAUSIBLE_NO;
	}
	return len < 5 ? PLAUSIBLE_MAYBE : tls_looks_like(o, len) ? PLAUSIBLE_YES : PLAUSIBLE_NO;
}

bool
mail_may_start_tls(const uint8_t *o, size_t len)
{
	if (len > 0 && o[0] == 0x80)
		return len < 3 || o[2] == 1;
	return mail_plausible_record(o, len) != PLAUSIBLE_NO;
}

const char *
mail_extension(unsigned ext)
{
	static const char *const names[MAIL_EXTENSIONS] = {
	    [MAIL_EXT_8BITMIME] = "8BITMIME",
	    [MAIL_EXT_BINARYMIME] = "BINARYMIME",
	    [MAIL_EXT_SMTPUTF8] = "SMTPUTF8",
	    [MAIL_EXT_DSN] = "DSN",
	    [MAIL_EXT_CHUNKING] = "CHUNKING",
	    [MAIL_EXT_REQUIRETLS] = "REQUIRETLS",
	    [MAIL_EXT_ETRN] = "ETRN",
	    [MAIL_EXT_XCLIENT] = "XCLIENT",
	    [MAIL_EXT_XFORWARD] = "XFORWARD",
	    [MAIL_EXT_BURL] = "BURL",
	    [MAIL_EXT_COMPRESS] = "COMPRESS",
	};
	return ext < MAIL_EXTENSIONS ? names[ext] : NULL;
}

void
mail_mailbox_begin(struct mail *m, struct mail_session *s)
{
	s->p.mailbox = pool_take(&m->mailboxes);
	for (int side = 0; side < 2 && s->p.mailbox == 0; side++) {
		s->mode[side] = MAIL_MODE_OFF;
		mail_emit(m, MAIL_LOST, (enum mail_side)side);
	}
}

void
mail_mailbox_release(struct mail *m, struct mail_session *s)
{
	pool_give(&m->mailboxes, s->p.mailbox);
	s->p.mailbox = 0;
}
