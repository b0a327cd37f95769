/*
 * Messages of the TLS handshake for scripts, and how TLS 1.2 and 1.3 begin.  They are whole and
 * right as far as an observer can tell; their keys and certificates are none.
 */
#ifndef POSTCARD_TESTS_TLS_MESSAGES_H
#define POSTCARD_TESTS_TLS_MESSAGES_H

#include "tls_octets.h"

struct hello {
	unsigned version;  /* legacy */
	unsigned id;	   /* first octet of a session identifier of 32; 0 for none */
	unsigned cipher;   /* of a server */
	unsigned selected; /* supported_versions of a server; 0 for none */
	bool psk, retry;
	size_t padding; /* octets of a padding extension; 0 for none */
};

static inline void
put_head(struct bytes *b, const struct hello *h)
{
	static const char retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8"
				    "\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8"
				    "\x33\x9c";
	uint8_t random[32] = {0x17, 0x03, 0x03}, id[32] = {(uint8_t)h->id, 1, 2};
	put_n(b, h->version, 2);
	put(b, h->retry ? (const void *)retry : random, 32);
	put_n(b, h->id != 0 ? 32 : 0, 1);
	put(b, id, h->id != 0 ? 32 : 0);
}

static inline size_t
begin_message(struct bytes *b, unsigned type)
{
	put_n(b, type, 1);
	return open_n(b, 3);
}

/* A ClientHello of two ciphers, for mail.example. */
static inline void
client_hello(struct bytes *b, struct hello h)
{
	static const uint16_t ciphers[] = {0x1301, 0xc02f};
	static uint8_t padding[65000];
	size_t at = begin_message(b, 1), list;
	put_head(b, &h);
	put_list(b, ciphers, 2);
	put(b, "\1\0", 2);
	list = open_n(b, 2);
	put_extension(b, 0, "\0\x0f\0\0\x0cMail.Example", 17);
	if (h.padding > 0)
		put_extension(b, 21, padding, h.padding);
	put_extension(b, 43, "\4\3\4\3\3", 5);
	close_n(b, list, 2);
	close_n(b, at, 3);
}

static inline void
server_hello(struct bytes *b, struct hello h)
{
	size_t at = begin_message(b, 2), list;
	uint8_t v[2] = {(uint8_t)(h.selected >> 8), (uint8_t)h.selected};
	put_head(b, &h);
	put_n(b, h.cipher, 2);
	put_n(b, 0, 1);
	list = open_n(b, 2);
	if (h.selected != 0) {
		put_extension(b, 43, v, 2);
		put_extension(b, 51, "\x11\xec\0\2ab", 6);
	} else {
		put_extension(b, 65281, "\0", 1);
	}
	if (h.psk)
		put_extension(b, 41, "\0\0", 2);
	close_n(b, list, 2);
	close_n(b, at, 3);
}

/* A Certificate message of two certificates, of which the first is "DER:" and noise. */
static inline void
certificate(struct bytes *b, size_t len)
{
	static uint8_t fill[65000];
	size_t at = begin_message(b, 11), list = open_n(b, 3);
	memset(fill, 0x0b, sizeof fill);
	put_n(b, len, 3);
	put(b, "DER:", 4);
	put(b, fill, len - 4);
	put_n(b, 40, 3);
	put(b, fill, 40);
	close_n(b, list, 3);
	close_n(b, at, 3);
}

static inline void
message(struct bytes *b, unsigned type, size_t len)
{
	uint8_t fill[300] = {0};
	size_t at = begin_message(b, type);
	put(b, fill, len);
	close_n(b, at, 3);
}

/* Says the messages in records of at most `most` octets, and forgets them. */
static inline void
flush(struct script *s, enum tls_side side, struct bytes *b, size_t most)
{
	for (size_t at = 0; at < b->len; at += most)
		record(s, side, 22, b->b + at, b->len - at < most ? b->len - at : most);
	b->len = 0;
}

static const struct hello hello_12 = {.version = 0x0303, .id = 7, .cipher = 0xc02f};
static const struct hello hello_13 = {.version = 0x0303,
    .id = 7,
    .cipher = 0x1301,
    .selected = 0x0304};

/* Both hellos of TLS 1.3, the server's CCS and its flight of protected records. */
static inline void
begin_13(struct script *s)
{
	struct bytes *b = calloc(1, sizeof *b);
	client_hello(b, hello_13);
	flush(s, C, b, 16384);
	server_hello(b, hello_13);
	flush(s, S, b, 16384);
	ccs(s, S);
	noise(s, S, 23, 23);
	noise(s, S, 23, 900);
	noise(s, S, 23, 53);
	free(b);
}

/* TLS 1.2 up to the server's ServerHelloDone, in records of at most `most` octets. */
static inline void
begin_12(struct script *s, unsigned cipher, size_t most)
{
	struct bytes *b = calloc(1, sizeof *b);
	struct hello h = hello_12;
	client_hello(b, h);
	flush(s, C, b, most);
	h.cipher = cipher;
	h.id = 9;
	server_hello(b, h);
	certificate(b, 300);
	message(b, 12, 120);
	message(b, 14, 0);
	flush(s, S, b, most);
	message(b, 16, 66);
	flush(s, C, b, most);
	free(b);
}

#endif
