/*
 * Private to src/mail: the layer of compression below a session (RFC 4978), where it has one.
 *
 * mail_push gives it the octets; what they hold is read in pieces, in a buffer of the worker, as if
 * it had been pushed.
 */
#ifndef POSTCARD_MAIL_COMPRESS_H
#define POSTCARD_MAIL_COMPRESS_H

#include "mail/protocol.h"

/* Is this side compressed, its next octets being these? */
bool compress_is_on(struct mail *m, struct mail_session *s, enum mail_side side,
    const uint8_t *data, size_t len);

/* Inflates the next piece of the input; false where the input is used up. */
bool compress_next(struct mail *m, struct mail_session *s);

/* Octets of a compressed side were lost: it cannot be read on.  False where it is not compressed.
 */
bool compress_gap(struct mail *m, struct mail_session *s, enum mail_side side);

void compress_release(struct mail *m, struct mail_session *s);

#endif
