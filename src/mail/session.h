/* Private to session.c and content.c: what they do for each other. */
#ifndef POSTCARD_MAIL_SESSION_H
#define POSTCARD_MAIL_SESSION_H

#include "mail/protocol.h"

extern const struct mail_row *const mail_rows[MAIL_PROTOCOLS];

/* ---- session.c ---- */

/* Drops the line under way. */
void mail_drop_line(struct mail *m, struct mail_session *s, enum mail_side side);

/* The same, and what follows may be anything. */
void mail_lose_line(struct mail *m, struct mail_session *s, enum mail_side side);

/* ---- content.c ---- */

/* Reads the input, in MAIL_MODE_DOT and MAIL_MODE_COUNT, until there are events or it is used up.
 */
void mail_read_dot(struct mail *m, struct mail_session *s);
void mail_read_count(struct mail *m, struct mail_session *s);

/* `len` octets were lost in one of these modes. */
void mail_content_lost(struct mail *m, struct mail_session *s, enum mail_side side, uint64_t len);

/* The connection ended: so does content, if any is under way. */
void mail_content_over(struct mail *m, struct mail_session *s, enum mail_side side);

#endif
