/* Private to src/mail: the words of SMTP, without any state (RFC 5321 section 4.1, RFC 3030 section
 * 2). */
#ifndef POSTCARD_MAIL_SMTP_SYNTAX_H
#define POSTCARD_MAIL_SMTP_SYNTAX_H

#include "mail/protocol.h"

enum smtp_command {
	CMD_NONE,
	CMD_CONNECT, /* the greeting answers the connection */
	CMD_EHLO,
	CMD_HELO,
	CMD_MAIL,
	CMD_RCPT,
	CMD_DATA,
	CMD_EOD, /* the end of DATA, or the last BDAT */
	CMD_BDAT,
	CMD_BURL,
	CMD_RSET,
	CMD_STARTTLS,
	CMD_AUTH,   /* AUTH, or one of its responses */
	CMD_CANCEL, /* "*" instead of a response */
	CMD_QUIT,
	CMD_ETRN,
	CMD_XCLIENT, /* 220 begins the session anew */
	CMD_XFORWARD,
	CMD_TURN,    /* the sides change places */
	CMD_EMPTY,   /* an empty line: some servers answer it */
	CMD_XEXCH50, /* properties of a mail, binary, behind a 354 (Exchange before 2007) */
	CMD_OTHER,   /* a command that tells nothing of mail */
	CMD_STRANGE, /* no known verb, or not as it is known: its reply tells what it did */
	CMD_FTP,     /* a verb of FTP or IRC, and none of SMTP */
	CMD_LOST,    /* octets of the client were lost: any number of commands; its `first` counts
			the replies that came to them */
};

/* The command that a verb stands for; CMD_NONE where it is none.  Case-blind. */
uint8_t smtp_verb(const char *s, size_t len);

/* A verb as a number from 1 on, that of none above all others, and its name in capitals: "(no
 * command)" for what is none. */
uint16_t smtp_verb_number(const char *s, size_t len);
const char *smtp_verb_at(uint16_t number);

/* Could these octets become a verb when more of the line comes? */
bool smtp_may_become_verb(const char *s, size_t len);

/* The path behind MAIL FROM: or RCPT TO:, without brackets and source route; it points into s. */
void smtp_path(const char *s, size_t len, const char **out, size_t *out_len);

/* The next word from *at on, which moves behind it; false where there is none. */
bool smtp_next_word(const char *s, size_t len, size_t *at, const char **word, size_t *n);

/* The arguments of BDAT: a size, and LAST or nothing.  False where they are not well formed. */
bool smtp_bdat(const char *arg, size_t len, uint64_t *octets, bool *last);

/* Whole commands with their syntax, or a reply code: text of a body hardly looks so.  See struct
 * mail_row. */
enum plausible
smtp_plausible(const struct mail_session *s, enum mail_side side, const char *data, size_t len);

/* The bit of a keyword in the reply to EHLO (see mail_keyword); 0 where it is not registered.
 * Case-blind. */
uint32_t smtp_keyword(const char *s, size_t len);

/* Keywords that prove that a reply is such a list; those that offer TLS. */
uint32_t smtp_keywords_sure(void);
uint32_t smtp_keywords_tls(void);

#endif
