/* Private to src/mail: what the parts of the session (session.c, content.c, compress.c) share. */
#ifndef POSTCARD_MAIL_SESSION_H
#define POSTCARD_MAIL_SESSION_H

#include "mail/protocol.h"

/* The row of the session's protocol. */
const struct mail_row *session_row(const struct mail_session *s);

/* Forgets the unfinished line of a side, and wipes it. */
void session_drop_line(struct mail *m, struct mail_session *s, enum mail_side side);

/* The side's next octets may be anything, in the midst of a line too. */
void session_resync(struct mail *m, struct mail_session *s, enum mail_side side);

#endif
