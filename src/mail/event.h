/*
 * The neutral events of a mail session: what every protocol comes down to.
 *
 * Nobody above src/mail knows a protocol; a new one emits these.
 */
#ifndef POSTCARD_MAIL_EVENT_H
#define POSTCARD_MAIL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_event;
struct literal;

enum mail_side { MAIL_CLIENT = 0, MAIL_SERVER = 1 };

enum mail_protocol { MAIL_NONE, MAIL_SMTP, MAIL_IMAP, MAIL_POP3, MAIL_PROTOCOLS };

enum mail_event_kind {
	MAIL_CONFIRMED, /* the dialogue proves that this is the protocol it was taken for */
	MAIL_DENIED,	/* it proves that it is not */
	MAIL_LMTP,	/* it is LMTP (RFC 2033) */
	MAIL_GREETING,	/* text: what the server greeted with; code */
	MAIL_PREAUTH,	/* IMAP: the greeting says the connection is authenticated */
	MAIL_HELO,	/* text: the client's name; flag: it asked for capabilities (EHLO, LHLO) */
	MAIL_ASKED,	/* the client asked for capabilities (CAPABILITY, CAPA) */
	MAIL_OFFER,	/* a complete capability list; flag: STARTTLS (STLS) is in it;
			   keywords */
	MAIL_OFFER_CUT, /* a capability list of which octets were lost; flag: STARTTLS is in what is
			   left */
	MAIL_MANGLED, /* text: a line whose keyword was overwritten; flag: it has STARTTLS's length
		       */
	MAIL_EHLO_REFUSED,     /* code: EHLO was answered with an error */
	MAIL_UPGRADE,	       /* the client asked for TLS */
	MAIL_UPGRADE_REPLY,    /* text: code or word of the answer; code; flag: go ahead */
	MAIL_AUTH,	       /* text: mechanism, upper case */
	MAIL_AUTH_SECRET,      /* an answer by the mechanism last named crossed readable */
	MAIL_AUTH_REPLY,       /* index: enum mail_auth_result */
	MAIL_SENDER,	       /* tx; text: address of MAIL FROM, "" for the null sender */
	MAIL_SENDER_REPLY,     /* tx; flag: accepted */
	MAIL_RECIPIENT,	       /* tx; text: address of RCPT TO */
	MAIL_RECIPIENT_REPLY,  /* tx; index: which recipient, from 0; flag: accepted */
	MAIL_RECIPIENT_RESULT, /* tx; index: which of the accepted recipients, from 0; flag: it has
				  the content (LMTP) */
	MAIL_REQUIRETLS,       /* tx; MAIL FROM carried REQUIRETLS (RFC 8689) */
	MAIL_CONTENT_BEGIN, /* tx; content follows; flag: its octets cannot be seen (server's side
			       only); index: MAIL_CONTENT_BARE or 0 */
	MAIL_CONTENT,	    /* tx; text: octets of it, dots unstuffed; flag: scan_line_mark finds
			       nothing in them */
	MAIL_CONTENT_GAP,   /* tx; len: octets of it that were lost */
	MAIL_CONTENT_END,   /* tx; flag: its end was seen */
	MAIL_RESULT,	    /* tx is over; index: enum mail_result */
	MAIL_EXPOSED,  /* index: MAIL_EXPOSED_* bits that crossed readable outside a transaction */
	MAIL_LOST,     /* octets of lines were; flag: of a server that hands mail out */
	MAIL_UNREAD,   /* octets of TLS that had not come up were lost: it may have been no TLS */
	MAIL_WRAPPED,  /* the client said what is no line: behind a login a layer of SASL's may wrap
			  it (RFC 4422 section 3.7) */
	MAIL_ODD,      /* index: enum mail_oddity */
	MAIL_TLS,      /* tls: what the TLS machine saw */
	MAIL_TLS_OVER, /* plain text goes on after TLS was tried */
	MAIL_USED,     /* index: enum mail_extension that the client made use of */
	MAIL_FORWARDED, /* text: address of the client behind this one (XCLIENT, XFORWARD); none:
			   the server does not believe it */
	MAIL_AGENT,	/* text: what a side says that it is (IMAP ID) */
	MAIL_EVIDENCE,	/* text: the line that decided, or shows tampering; the first one counts */
	MAIL_SERVER_NAME, /* text: what the server calls itself behind its greeting: the first line
			     of its reply to EHLO */
};

enum mail_result {
	MAIL_ACCEPTED,
	MAIL_REJECTED,
	MAIL_ABORTED, /* given up by a command that was seen */
	MAIL_RESULT_UNKNOWN,
	MAIL_ENDED /* its end was not seen, and no more of it can be */
};

enum mail_auth_result { MAIL_AUTH_ACCEPTED, MAIL_AUTH_REFUSED, MAIL_AUTH_CANCELLED };

#define MAIL_CONTENT_BARE 1u /* the protocol gives content no envelope: it is fetched or filed */

#define MAIL_EXPOSED_HEADERS	 1u
#define MAIL_EXPOSED_BODY	 2u
#define MAIL_EXPOSED_ATTACHMENTS 4u

/* Extensions of the protocols that a client can be seen to use. */
enum mail_extension {
	MAIL_EXT_8BITMIME,
	MAIL_EXT_BINARYMIME,
	MAIL_EXT_SMTPUTF8,
	MAIL_EXT_DSN,
	MAIL_EXT_CHUNKING,
	MAIL_EXT_REQUIRETLS,
	MAIL_EXT_ETRN,
	MAIL_EXT_XCLIENT,
	MAIL_EXT_XFORWARD,
	MAIL_EXT_BURL,
	MAIL_EXT_COMPRESS,
	MAIL_EXTENSIONS
};

/* Oddities that a protocol row or the session itself sees; finding gives them their names. */
enum mail_oddity {
	MAIL_ODD_COMMAND_INJECTION,  /* client octets after STARTTLS, before the 220 (CVE-2011-0411)
				      */
	MAIL_ODD_RESPONSE_INJECTION, /* server octets after the 220, before TLS */
	MAIL_ODD_NO_TLS_AFTER_220,   /* the client went on in plain text after the 220 */
	MAIL_ODD_TEXT_AFTER_TLS,     /* plain text where a TLS record was due */
	MAIL_ODD_COMMAND_MASKED,     /* a command was overwritten with X (ASA inspection) */
	MAIL_ODD_BANNER_MASKED,	     /* the greeting was overwritten with * (ASA mask-banner) */
	MAIL_ODD_STARTTLS_DENIED, /* offered, then 500 or 502 to STARTTLS: not what a server does */
	MAIL_ODD_LINE_TOO_LONG,	  /* a line longer than LIMIT_LINE */
	MAIL_ODD_BARE_LF_DOT,	  /* an end-of-data dot in a line that ends in bare LF */
	MAIL_ODD_PIPELINE,	  /* more unanswered commands than are kept: replies not paired */
	MAIL_ODD_PREAUTH,	  /* IMAP PREAUTH: STARTTLS is no longer possible */
	MAIL_ODD_COMPRESSED,  /* COMPRESS DEFLATE: readable to an eavesdropper, not followed on */
	MAIL_ODD_TALKS_FIRST, /* the client did not wait for the greeting */
	MAIL_ODDITIES
};

struct mail_event {
	uint8_t kind;	   /* enum mail_event_kind */
	uint8_t side;	   /* enum mail_side: whose octets led to it */
	bool flag;	   /* see the kind */
	uint8_t tx;	   /* number of the transaction within the connection, wrapping */
	uint16_t code;	   /* SMTP reply code, 0 for none */
	uint16_t index;	   /* see the kind */
	uint32_t keywords; /* MAIL_OFFER of SMTP: a bit for each (mail_keyword) */
	const char
	    *text;  /* octets from the wire, not NUL-terminated; valid until the next mail_next */
	size_t len; /* how many; MAIL_CONTENT_GAP: octets lost */
	const struct tls_event *tls; /* MAIL_TLS; valid until the next mail_next */
};

/* The name of a keyword of SMTP by its bit in MAIL_OFFER; NULL where there is none. */
const struct literal *mail_keyword(unsigned bit);

/* The name of an extension; NULL where there is none. */
const char *mail_extension(unsigned ext);

#endif
