/*
 * What the TLS machine saw, as facts and oddities of the connection.
 *
 * Strict is what RFC 9325 and RFC 8996 are: old versions, weak ciphers, short keys.  Whether that
 * matters on the port is for the rules to say; neither a missing SNI or ALPN nor an anonymous
 * server is judged here.
 *
 * A certificate can be seen up to TLS 1.2.  It is compared with the name that the client asked for
 * (SNI, RFC 6066 section 3), else with those the server gives itself: its greeting's first word,
 * the first word of its reply to EHLO (RFC 5321 section 4.1.1.1).  Where one of these fits, the
 * certificate does.  Addresses and names without a dot are compared with nothing: a resolver may
 * have added to them what the client then looked for.
 */
#include <string.h>

#include "base/text.h"
#include "finding/finding.h"
#include "finding/message.h"
#include "mail/cert.h"

#define DH_MIN 2048u /* bits: RFC 9325 section 4.5 */

/* Octets of a label at s (RFC 1123 section 2.1, and the underscore that some servers have). */
static size_t
label_len(const char *s, size_t len)
{
	static const bool is_label[256] = {
	    ['-'] = true,
	    ['_'] = true,
	    ['0' ... '9'] = true,
	    ['a' ... 'z'] = true,
	    ['A' ... 'Z'] = true,
	};
	size_t n = 0;
	while (n < len && is_label[(uint8_t)s[n]])
		n++;
	return n;
}

/* Where a text begins behind a status, as in "OK [CAPABILITY IMAP4rev1] mail.example.com". */
static size_t
skip_status(const char *s, size_t len)
{
	static const char *const words[] = {"OK ", "PREAUTH "};
	size_t at = 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (ascii_begins(s, len, words[i]))
			at = strlen(words[i]);
	}
	if (at < len && s[at] == '[') {
		const char *close = memchr(s + at, ']', len - at);
		at = close != NULL ? (size_t)(close - s) + 1 : len;
	}
	while (at < len && s[at] == ' ')
		at++;
	return at;
}

size_t
finding_host(const char *s, size_t len, size_t *at)
{
	size_t labels = 0, end = 0, last = 0, start = skip_status(s, len);
	*at = start;
	for (size_t i = start;;) {
		size_t n = label_len(s + i, len - i);
		if (n > 63)
			return 0;
		if (n > 0) {
			last = i;
			end = i + n;
			labels++;
		} else if (labels == 0) {
			return 0;
		}
		i += n;
		if (n > 0 && i < len && s[i] == '.') {
			i++;
			continue;
		}
		if (i < len && s[i] != ' ' && s[i] != '\t')
			return 0;
		break;
	}
	/* "192.0.2.1", "4.2", and the word that ends a sentence: "Ready." */
	bool letter = (s[last] | 0x20) >= 'a' && (s[last] | 0x20) <= 'z';
	return labels > 1 && letter && end - last > 1 && end - start <= 253 ? end - start : 0;
}

static struct tls_facts *
facts_of(struct findings *F, struct finding *f)
{
	if (f->facts == 0)
		f->facts = pool_take(&F->facts);
	return f->facts != 0 ? pool_at(&F->facts, f->facts) : NULL;
}

static uint32_t
keep(struct findings *F, const char *s)
{
	return strings_share(&F->strings, s, strlen(s));
}

/* The last one counts. */
static void
keep_again(struct findings *F, uint32_t *had, const char *s)
{
	strings_drop(&F->strings, *had);
	*had = keep(F, s);
}

struct certificate
certificate_of(const struct findings *F, const struct tls_facts *t)
{
	struct certificate c = {.subject = 0};
	size_t len;
	const char *cell = strings_get(&F->strings, t->certificate, &len);
	memcpy(&c, cell, len);
	return c;
}

/* Compares the certificate with the name that it should have: see above. */
static void
compare_name(struct findings *F, struct finding *f, uint32_t sni, const struct cert_info *info,
    const struct finding_view *v, struct certificate *c)
{
	const uint32_t said[] = {[NAME_FROM_SNI] = sni,
	    [NAME_FROM_GREETING] = f->greeting,
	    [NAME_FROM_EHLO] = f->server_name};
	char name[LIMIT_TEXT + 1] = "";
	bool match = false;
	for (unsigned from = 0; from <= NAME_FROM_EHLO && !match; from++) {
		char host[LIMIT_TEXT + 1];
		size_t len, at;
		const char *s = strings_get(&F->strings, said[from], &len);
		size_t n = finding_host(s, len, &at);
		if (n == 0)
			continue;
		memcpy(host, s + at, n);
		host[n] = '\0';
		match = cert_matches(info, host);
		if (match || name[0] == '\0') {
			memcpy(name, host, n + 1);
			c->name_from = (uint8_t)from;
		}
		if (from == NAME_FROM_SNI)
			break;
	}
	bool unheard =
	    c->name_from != NAME_FROM_SNI && (v->gap || v->midstream || !v->both); /* of another */
	if (name[0] == '\0' || (!match && (info->names_cut || unheard)))
		return;
	c->name = keep(F, name);
	c->name_match = match;
	if (!match)
		finding_add_anomaly(f, ANOMALY_CERT_MISMATCH);
}

static void
certificate_drop(struct findings *F, const struct certificate *c)
{
	const uint32_t strings[] = {c->subject, c->issuer, c->sha256, c->alt_names, c->key_type,
	    c->signature, c->name};
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		strings_drop(&F->strings, strings[i]);
}

static void
take_certificate(struct findings *F, struct finding *f, struct tls_facts *t,
    const struct tls_event *ev, const struct finding_view *v)
{
	const struct cert_info *info =
	    t->certificate == 0 ? cert_read(&F->certs, ev->data, ev->len) : NULL;
	if (info == NULL)
		return;
	struct certificate c = {.subject = keep(F, info->subject),
	    .issuer = keep(F, info->issuer),
	    .sha256 = keep(F, info->sha256),
	    .alt_names = strings_share(&F->strings, info->shown, info->shown_len),
	    .key_type = keep(F, info->key_type),
	    .signature = keep(F, info->signature),
	    .key_bits = info->key_bits,
	    .not_before_ns = info->not_before_ns,
	    .not_after_ns = info->not_after_ns};
	if (info->not_after_ns != 0 && v->ts_ns > info->not_after_ns)
		finding_add_anomaly(f, ANOMALY_CERT_EXPIRED);
	if (v->ts_ns < info->not_before_ns)
		finding_add_anomaly(f, ANOMALY_CERT_NOT_YET_VALID);
	if (info->self_signed)
		finding_add_anomaly(f, ANOMALY_CERT_SELF_SIGNED);
	if (info->weak)
		finding_add_anomaly(f, ANOMALY_CERT_WEAK);
	compare_name(F, f, t->sni, info, v, &c);
	t->certificate = strings_put(&F->strings, &c, sizeof c);
	if (t->certificate == 0)
		certificate_drop(F, &c);
}

/* Fatal, or one that TLS 1.3 knows as such whatever level it claims (RFC 8446 section 6). */
static bool
alert_is_fatal(const struct tls_facts *t, const struct tls_event *ev)
{
	bool closes = ev->alert == 0 || ev->alert == 90 || ev->alert == 112; /* close_notify,
	    user_canceled; unrecognized_name is a warning of servers that go on */
	return ev->alert_level == 2 || (t != NULL && t->version >= 0x0304 && !closes);
}

static void
take_server_hello(struct findings *F, struct finding *f, struct tls_facts *t,
    const struct tls_event *ev)
{
	f->flags |= FINDING_SERVER_HELLO;
	if (ev->version != 0 && ev->version < 0x0303)
		finding_add_anomaly(f, ANOMALY_TLS_VERSION_OLD);
	if (tls_cipher_is_weak(ev->cipher))
		finding_add_anomaly(f, ANOMALY_CIPHER_WEAK);
	if (tls_cipher_is_null(ev->cipher) && ev->version != 0)
		f->flags |= FINDING_UNSEALED;
	if (tls_cipher_is_anonymous(ev->cipher))
		finding_add_anomaly(f, ANOMALY_CIPHER_ANONYMOUS);
	if (t == NULL)
		return;
	t->version = ev->version;
	t->cipher = ev->cipher;
	t->group = ev->group;
	t->resumed = ev->resumed;
	keep_again(F, &t->ja3s, ev->ja3);
	if (t->alpn == 0)
		t->alpn = keep(F, ev->alpn);
}

static void
take_key_exchange(struct finding *f, struct tls_facts *t, const struct tls_event *ev)
{
	if ((ev->dh_bits != 0 && ev->dh_bits < DH_MIN) || tls_group_is_weak(ev->group))
		finding_add_anomaly(f, ANOMALY_KEY_EXCHANGE_WEAK);
	if (t == NULL)
		return;
	t->group = ev->group;
	t->dh_bits = (uint16_t)(ev->dh_bits < UINT16_MAX ? ev->dh_bits : UINT16_MAX);
}

void
finding_take_tls(struct findings *F, struct finding *f, const struct tls_event *ev,
    const struct finding_view *v)
{
	struct tls_facts *t = ev->kind == TLS_EVENT_GARBAGE ? NULL : facts_of(F, f);
	f->flags |= ev->kind == TLS_EVENT_GARBAGE ? 0 : FINDING_TLS_SEEN;
	switch (ev->kind) {
	case TLS_EVENT_CLIENT_HELLO:
		f->flags |= FINDING_HELLO;
		if (t == NULL)
			break;
		if (t->sni == 0)
			t->sni = keep(F, ev->sni);
		keep_again(F, &t->ja3, ev->ja3);
		keep_again(F, &t->ja4, ev->ja4);
		break;
	case TLS_EVENT_SERVER_HELLO: take_server_hello(F, f, t, ev); break;
	case TLS_EVENT_RESUMED:
		if (t != NULL)
			t->resumed = true;
		break;
	case TLS_EVENT_CERTIFICATE:
		if (t != NULL)
			take_certificate(F, f, t, ev, v);
		break;
	case TLS_EVENT_KEY_EXCHANGE: take_key_exchange(f, t, ev); break;
	case TLS_EVENT_ALERT:
		if (alert_is_fatal(t, ev) && !(f->flags & FINDING_ESTABLISHED))
			f->flags |= FINDING_TLS_BROKE;
		if (t != NULL && t->alerts < sizeof t->alert) {
			t->alert_sides |=
			    (uint8_t)((ev->side == TLS_SERVER ? 1u : 0u) << t->alerts);
			t->alert[t->alerts++] = ev->alert;
		}
		break;
	case TLS_EVENT_ESTABLISHED: f->flags |= FINDING_ESTABLISHED; break;
	case TLS_EVENT_MIDSTREAM:
		/* hellos that were not lost were never said: records alone seal nothing */
		if (v->midstream || v->gap || v->headless || !v->both || f->flags & FINDING_LOST)
			f->flags |= FINDING_TLS_MIDSTREAM;
		break;
	case TLS_EVENT_PLAIN:
		f->flags |= FINDING_NULL;
		if (f->exposed == 0)
			f->reason = REASON_NULL_CIPHER;
		break;
	case TLS_EVENT_GARBAGE: break;
	}
}

void
finding_release_tls(struct findings *F, struct finding *f)
{
	if (f->facts == 0)
		return;
	struct tls_facts *t = pool_at(&F->facts, f->facts);
	const struct certificate c = certificate_of(F, t);
	const uint32_t strings[] = {t->sni, t->alpn, t->ja3, t->ja4, t->ja3s, t->certificate};
	certificate_drop(F, &c);
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		strings_drop(&F->strings, strings[i]);
	pool_give(&F->facts, f->facts);
	f->facts = 0;
}
