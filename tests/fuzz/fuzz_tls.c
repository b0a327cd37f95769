/*
 * Fuzz target: the TLS machine, and the certificates that it hands on.
 *
 * The input is a row of pieces: an octet whose lowest bit is the side and whose next one says that
 * the octets are lost, two octets of length, and the octets (of a loss: none).  What the pieces
 * give as they are must be given again when each is pushed octet by octet, unless octets were lost:
 * then the place of a push counts.
 */
#include "base/cursor.h"
#include "base/limits.h"
#include "mail/cert.h"
#include "mail/tls.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
mix(uint64_t *sum, const void *octets, size_t len)
{
	const uint8_t *p = octets;
	for (size_t i = 0; i < len; i++)
		*sum = (*sum ^ p[i]) * 0x100000001b3;
}

static void
mix_event(uint64_t sum[2], const struct tls_event *ev)
{
	if (ev->kind == TLS_EVENT_PLAIN) { /* in pieces, as the pushes are */
		mix(&sum[1], ev->data, ev->len);
		return;
	}
	mix(&sum[0], &ev->kind, sizeof ev->kind);
	mix(&sum[0], &ev->side, sizeof ev->side);
	mix(&sum[0], &ev->version, sizeof ev->version);
	mix(&sum[0], &ev->cipher, sizeof ev->cipher);
	mix(&sum[0], &ev->group, sizeof ev->group);
	mix(&sum[0], &ev->dh_bits, sizeof ev->dh_bits);
	mix(&sum[0], &ev->resumed, sizeof ev->resumed);
	mix(&sum[0], &ev->alert, sizeof ev->alert);
	mix(&sum[0], ev->sni, strlen(ev->sni));
	mix(&sum[0], ev->alpn, strlen(ev->alpn));
	mix(&sum[0], ev->ja3, strlen(ev->ja3));
	mix(&sum[0], ev->ja4, strlen(ev->ja4));
	if (ev->kind == TLS_EVENT_CERTIFICATE) {
		struct cert_info c;
		mix(&sum[0], ev->data, ev->len);
		if (cert_parse(ev->data, ev->len, &c))
			mix(&sum[0], &(bool){cert_matches(&c, "mx.example.org")}, 1);
	}
}

static void
push(struct tls_pools *p, struct tls *t, enum tls_side side, const uint8_t *data, size_t len,
    bool passes, uint64_t sum[2])
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct tls_event ev;
	if (len > 0)
		memcpy(copy, data, len);
	struct tls_input in = {copy, len, side};
	if (passes && len > 0 && tls_pass(t, side, copy, len)) {
		free(copy);
		return;
	}
	while (tls_next(p, t, &in, &ev))
		mix_event(sum, &ev);
	if (in.len != 0 || in.data != copy + len)
		abort();
	free(copy);
}

/* Runs the pieces, each in pushes of `step` octets, those that can the short way where it `passes`
 * them.  True where octets were lost. */
static bool
run(struct tls_pools *p, const uint8_t *data, size_t size, size_t step, bool passes,
    uint64_t sum[2])
{
	struct cursor c = cursor_of(data, size);
	struct tls t;
	bool lost = false;
	memset(&t, 0, sizeof t);
	while (cursor_left(&c) >= 3) {
		uint8_t what = cursor_u8(&c);
		size_t len = cursor_be16(&c);
		enum tls_side side = what & 1 ? TLS_SERVER : TLS_CLIENT;
		if (what & 2) {
			tls_gap(p, &t, side, len);
			lost = true;
			continue;
		}
		len = len < cursor_left(&c) ? len : cursor_left(&c);
		const uint8_t *octets = cursor_take(&c, len);
		for (size_t at = 0; at < len; at += step)
			push(p, &t, side, octets + at, len - at < step ? len - at : step, passes,
			    sum);
	}
	tls_end(p, &t);
	if (p->handshakes.used != 0)
		abort();
	mix(&sum[0], &t.flags, sizeof t.flags);
	for (int side = 0; side < 2; side++)
		mix(&sum[0], &t.half[side].flags, sizeof t.half[side].flags);
	return lost;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_pools pools, none; /* made once; without buffers in the second */
	uint64_t whole[2] = {1, 1}, torn[2] = {1, 1}, poor[2] = {1, 1}, passed[2] = {1, 1};
	if (pools.handshakes.mem == NULL &&
	    (!tls_pools_init(&pools, 2) || !tls_pools_init(&none, 0)))
		abort();
	bool lost = run(&pools, data, size, SIZE_MAX, false, whole);
	(void)run(&pools, data, size, 1, false, torn);
	if (!lost && memcmp(whole, torn, sizeof whole) != 0)
		abort();
	(void)run(&pools, data, size, SIZE_MAX, true, passed);
	if (memcmp(whole, passed, sizeof whole) != 0)
		abort();
	(void)run(&none, data, size, 7, true, poor);
	return 0;
}
