/*
 * TLS to a syslog server: see syslog_tls.h.
 *
 * RFC 5425 section 4.2 and 5: the server's certificate must lead to a known authority and name the
 * host (RFC 6125: a DNS name, no wildcard for part of a label; or the address, where the URL has
 * one).  `verify=no` turns both off, and the connection is then safe from listeners only.
 */
#include "sink/syslog_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct syslog_tls_setup {
	SSL_CTX *ctx;
	struct syslog_url url;
};

struct syslog_tls {
	SSL *ssl;
	BIO *in, *out; /* the SSL's: octets from and for the peer */
	const struct syslog_url *url;
	bool up;
	char cause[160];
};

/* A key that wants a pass phrase is refused: nobody is there to type it. */
static int
no_phrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* What OpenSSL says of the last error, without its numbers. */
static const char *
reason(void)
{
	const char *s = ERR_reason_error_string(ERR_peek_last_error());
	return s != NULL ? s : "TLS failed";
}

/* The same of a file; what the system said of it comes first, and last but "system lib". */
static const char *
file_reason(void)
{
	unsigned long first = ERR_peek_error();
	return ERR_SYSTEM_ERROR(first) ? strerror(ERR_GET_REASON(first)) : reason();
}

static bool
file_fails(char error[SINK_ERROR], const char *path, const char *what)
{
	struct text t = text_in(error, SINK_ERROR);
	text_puts(&t, "syslog URL: ");
	text_add_wire(&t, path, strnlen(path, 120));
	text_printf(&t, ": %s: %s", what, file_reason());
	return false;
}

static bool
load_files(SSL_CTX *ctx, const struct syslog_url *u, char error[SINK_ERROR])
{
	const char *key = u->key[0] != '\0' ? u->key : u->cert;
	if (u->ca[0] == '\0')
		(void)SSL_CTX_set_default_verify_paths(ctx);
	else if (SSL_CTX_load_verify_locations(ctx, u->ca, NULL) != 1)
		return file_fails(error, u->ca, "no certificates of an authority");
	if (u->cert[0] == '\0')
		return true;
	if (SSL_CTX_use_certificate_chain_file(ctx, u->cert) != 1)
		return file_fails(error, u->cert, "no certificate");
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return file_fails(error, key, "no private key that goes with the certificate");
	return true;
}

static bool
is_address(const char *name)
{
	unsigned char any[16];
	return inet_pton(AF_INET, name, any) == 1 || inet_pton(AF_INET6, name, any) == 1;
}

static bool
set_up(struct syslog_tls_setup *s, char error[SINK_ERROR])
{
	SSL_CTX *ctx = s->ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		snprintf(error, SINK_ERROR, "syslog: %s", reason());
		return false;
	}
	SSL_CTX_set_default_passwd_cb(ctx, no_phrase);
	SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (!load_files(ctx, &s->url, error))
		return false;
	SSL_CTX_set_verify(ctx, s->url.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!s->url.verify)
		return true;
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int ok = is_address(s->url.name) ? X509_VERIFY_PARAM_set1_ip_asc(p, s->url.name)
					 : X509_VERIFY_PARAM_set1_host(p, s->url.name, 0);
	if (ok != 1)
		snprintf(error, SINK_ERROR, "syslog: the name to check cannot be set");
	return ok == 1;
}

struct syslog_tls_setup *
syslog_tls_setup(const struct syslog_url *u, char error[SINK_ERROR])
{
	struct syslog_tls_setup *s = calloc(1, sizeof *s);
	if (s == NULL) {
		snprintf(error, SINK_ERROR, "no memory for TLS");
		return NULL;
	}
	s->url = *u;
	ERR_clear_error();
	if (!set_up(s, error)) {
		ERR_clear_error();
		syslog_tls_setup_free(s);
		return NULL;
	}
	return s;
}

void
syslog_tls_setup_free(struct syslog_tls_setup *s)
{
	if (s == NULL)
		return;
	SSL_CTX_free(s->ctx);
	free(s);
}

struct syslog_tls *
syslog_tls_new(struct syslog_tls_setup *s)
{
	struct syslog_tls *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->url = &s->url;
	t->ssl = SSL_new(s->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
		SSL_free(t->ssl);
		BIO_free(t->in);
		BIO_free(t->out);
		free(t);
		return NULL;
	}
	BIO_set_mem_eof_return(t->in, -1);
	BIO_set_mem_eof_return(t->out, -1);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	if (!is_address(s->url.name))
		(void)SSL_set_tlsext_host_name(t->ssl, s->url.name);
	return t;
}

void
syslog_tls_free(struct syslog_tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

void
syslog_tls_put(struct syslog_tls *t, const char *octets, size_t len)
{
	(void)BIO_write(t->in, octets, (int)len);
}

static enum syslog_tls_state
failed(struct syslog_tls *t)
{
	long verdict = SSL_get_verify_result(t->ssl);
	struct text c = text_in(t->cause, sizeof t->cause);
	if (t->url->verify && verdict != X509_V_OK)
		text_printf(&c, "the server's certificate is refused: %s (%.64s was expected)",
		    X509_verify_cert_error_string(verdict), t->url->name);
	else
		text_printf(&c, "TLS: %s", reason());
	ERR_clear_error();
	return SYSLOG_TLS_FAILED;
}

enum syslog_tls_state
syslog_tls_go_on(struct syslog_tls *t)
{
	char waste[4096];
	int n;
	ERR_clear_error();
	if (!t->up) {
		n = SSL_do_handshake(t->ssl);
		if (n != 1)
			return SSL_get_error(t->ssl, n) == SSL_ERROR_WANT_READ ? SYSLOG_TLS_WAITS
									       : failed(t);
		t->up = true;
	}
	while ((n = SSL_read(t->ssl, waste, sizeof waste)) > 0)
		;
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ: return SYSLOG_TLS_UP;
	case SSL_ERROR_ZERO_RETURN: return SYSLOG_TLS_CLOSED;
	default: return failed(t);
	}
}

bool
syslog_tls_seal(struct syslog_tls *t, const char *octets, size_t len)
{
	ERR_clear_error();
	if (SSL_write(t->ssl, octets, (int)len) == (int)len)
		return true;
	(void)failed(t);
	return false;
}

size_t
syslog_tls_pending(struct syslog_tls *t)
{
	return BIO_ctrl_pending(t->out);
}

size_t
syslog_tls_take(struct syslog_tls *t, char *out, size_t cap)
{
	int n = BIO_read(t->out, out, (int)cap);
	return n > 0 ? (size_t)n : 0;
}

void
syslog_tls_bye(struct syslog_tls *t)
{
	ERR_clear_error();
	if (t->up)
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const char *
syslog_tls_cause(const struct syslog_tls *t)
{
	return t->cause;
}
