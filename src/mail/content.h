/*
 * Private to src/mail: content of a side, up to a dot line or of a counted length.
 *
 * The session (session.c) hands a side's octets here while its mode is MAIL_MODE_DOT or
 * MAIL_MODE_COUNT; octets leave as MAIL_CONTENT, in place, and none are held.
 */
#ifndef POSTCARD_MAIL_CONTENT_H
#define POSTCARD_MAIL_CONTENT_H

#include "mail/protocol.h"

/* Reads on in the input of the side whose it is: takes some of m->data, and may queue events. */
void content_read_dot(struct mail *m, struct mail_session *s);
void content_read_count(struct mail *m, struct mail_session *s);

/* The short way for octets that are content and nothing else, in the midst of a line: true, and *ev
 * is the only event, which is not queued.  Else nothing was done. */
bool content_pass(struct mail *m, struct mail_session *s, enum mail_side side, const uint8_t *data,
    size_t len, struct mail_event *ev);

/* `len` octets of a side that is in the midst of content were lost. */
void content_gap(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len);

/* The connection ended: content of the side that is under way ends with it. */
void content_cut(struct mail *m, struct mail_session *s, enum mail_side side);

#endif
