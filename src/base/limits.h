/*
 * Every bound of the program, in one place, a sentence each.
 *
 * Hostile input meets these numbers and nothing else: no other file holds a size that an attacker
 * could reach.  Pool sizes are the most of a worker, which --memory makes smaller (engine/sizes.c);
 * they bound address space, and a page of a pool costs memory only once it is used.
 */
#ifndef POSTCARD_BASE_LIMITS_H
#define POSTCARD_BASE_LIMITS_H

/* capture */
#define LIMIT_FRAME	      (4u << 20)  /* octets of one frame; one captured longer is damage */
#define LIMIT_BLOCK	      (16u << 20) /* octets of one pcapng block; a longer one is damage */
#define LIMIT_READ_BUFFER     (1u << 18)  /* octets read from a file at once */
#define LIMIT_INTERFACES      4096u	  /* interfaces of one pcapng section */
#define LIMIT_OPEN_FILES      128u	  /* capture files that may overlap in time */
#define LIMIT_LINK_FILTERS    16u	  /* link types for which one BPF expression is compiled */
#define LIMIT_LIVE_INTERFACES 16u	  /* network interfaces watched at once */
#define LIMIT_PORTS	      64u	  /* ports that may be named as those of mail */
#define LIMIT_FAULTS	      64u /* lines about damaged files that are kept; more are counted */

/* decode */
#define LIMIT_LAYERS	       32u /* headers (tags, labels, tunnels) walked before TCP is given up on */
#define LIMIT_LABELS	       8u /* MPLS labels in one stack */
#define LIMIT_TUNNELS	       4u /* tunnels inside each other that are followed */
#define LIMIT_DATAGRAMS	       1024u /* IP datagrams put together from fragments at once (64 KiB each) */
#define LIMIT_FRAGMENT_S       30u /* s that the fragments of one datagram are waited for */
#define LIMIT_NESTED_DATAGRAMS 2u  /* fragments inside of fragments */
#define LIMIT_IPV6_EXTS	       16u /* IPv6 extension headers walked in one packet */
#define LIMIT_DISTANCE	       32  /* routers that a TTL is believed to have passed */

/* flow and stream */
#define LIMIT_FLOWS	  (8u << 20) /* TCP connections known at once, the ignored ones too */
#define LIMIT_CONNS	  (4u << 20) /* connections followed at once (streams and mail state) */
#define LIMIT_WAITS	  (1u << 20) /* of them waiting for a hole to be filled, or reset just now */
#define LIMIT_DPI_FLOWS	  4096u	     /* of them in which nDPI is being asked */
#define LIMIT_OOO_PAGE	  4096u	     /* octets of one page of out-of-order data */
#define LIMIT_OOO_PAGES	  32768u     /* such pages, of all streams (128 MiB) */
#define LIMIT_OOO_SLOTS	  128u	     /* pages ahead of the next octet in one stream (512 KiB) */
#define LIMIT_OOO_STREAMS 32768u     /* streams that hold out-of-order data at once */
#define LIMIT_GRACE_NS	  50000000   /* ns that a hole the peer acknowledged may still be filled */
#define LIMIT_HOLD_NS                                                                            \
	500000000 /* ns that octets may wait for what their sender had seen; longer than a chain \
		     of graces */
#define LIMIT_RESET_NS \
	1000000000 /* ns in which a connection that goes on shows a reset to be false */
#define LIMIT_IDLE_MAIL_S  900u /* s of silence that end a mail connection */
#define LIMIT_IDLE_OTHER_S 300u /* s of silence after which an ignored connection is forgotten */
#define LIMIT_IDLE_OPEN_S  60u	/* s that a handshake may take */
#define LIMIT_IDLE_GREETING_S                                                                \
	330u /* s that a server may take to greet, and its client to lose patience: RFC 5321 \
		section 4.5.3.2.1 */
#define LIMIT_LINGER_S	  10u	/* s that a closed connection's four numbers are remembered */
#define LIMIT_PROXY	  536u	/* octets of a PROXY header: what fits the least segment */
#define LIMIT_PROBE_BYTES 2048u /* octets of either side looked at to name the protocol */

/* mail */
#define LIMIT_LINE	    2048u  /* octets of a command or reply line kept; the rest is dropped */
#define LIMIT_LINES_HELD    65536u /* partial lines held at once, of all connections */
#define LIMIT_REPLY_LINES   512u   /* lines of one multi-line reply before it is cut */
#define LIMIT_PENDING	    8u	   /* runs of like commands that may await their replies */
#define LIMIT_OPEN_MESSAGES 4u	   /* mail transactions of one connection that await their end */
#define LIMIT_STRING_OCTETS (256u << 20) /* octets of text of each class of sizes */
#define LIMIT_MESSAGES \
	LIMIT_CONNS		  /* mail transactions under way at once: one for each connection */
#define LIMIT_RECIPIENTS     500u /* recipients of one message kept by name; all are counted */
#define LIMIT_TEXT	     255u /* octets of a greeting, host name or address kept */
#define LIMIT_SUBJECT	     4000u  /* octets of a decoded subject kept (1,000 characters) */
#define LIMIT_HEADER	     4096u  /* octets of one unfolded header field kept */
#define LIMIT_MIME_DEPTH     8u	    /* multipart in multipart that is followed */
#define LIMIT_BOUNDARY	     70u    /* octets of a MIME boundary (RFC 2046 section 5.1.1) */
#define LIMIT_ATTACHMENTS    32u    /* attachments of one message kept by name; all are counted */
#define LIMIT_RECEIVED	     32u    /* Received fields of one message that are read */
#define LIMIT_HOPS	     16u    /* of them kept by name as hops; all are counted */
#define LIMIT_PARAM	     1024u  /* octets of one parameter of a MIME header field */
#define LIMIT_PARAM_PIECES   32u    /* pieces of one such parameter (RFC 2231 section 3) */
#define LIMIT_MIME_LINE	     128u   /* octets of a body line that may be a boundary */
#define LIMIT_MAGIC	     300u   /* octets of an attachment that tell its type; decoded */
#define LIMIT_MIME_SCANS     16384u /* messages whose content is under way at once */
#define LIMIT_TLS_HANDSHAKE  16384u /* octets of TLS handshake messages held for one direction */
#define LIMIT_TLS_HANDSHAKES 8192u  /* such buffers at once */
#define LIMIT_CERTS	     64u    /* certificates that are remembered, of all servers */
#define LIMIT_ALT_NAMES	     16u    /* alternative names of a certificate that are shown */
#define LIMIT_CONTENT_LITERAL \
	(1ull << 40) /* octets that one BDAT or literal may announce; 40 bits hold them */

/* mail: lines, answers and compression of IMAP and POP3 */
#define LIMIT_LINE_TAIL	    64u /* octets of its end that are kept of a line longer than LIMIT_LINE */
#define LIMIT_PENDING_IMAP  3u	    /* IMAP commands whose answers are waited for by their tags */
#define LIMIT_PENDING_POP3  56u	    /* POP3 commands that may await their replies */
#define LIMIT_TAG_DOUBTFUL  8u	    /* octets of a tag that is believed where a secret may stand */
#define LIMIT_AGENT_PART    100u    /* octets of a name, and of a version, in IMAP ID */
#define LIMIT_INFLATES	    256u    /* connections whose COMPRESS=DEFLATE is undone at once */
#define LIMIT_INFLATE_ARENA 49152u  /* octets that zlib may have for one direction of them */
#define LIMIT_INFLATE_PIECE 16384u  /* octets that come out of it at once */
#define LIMIT_INFLATE_RATIO 32u	    /* octets that may come out for one that went in, and */
#define LIMIT_INFLATE_SLACK 262144u /* so many more in one direction: else it is given up */

/* record */
#define LIMIT_RECORD 65000u /* octets of one record; what does not fit is left out and said */

/* set-up */
#define LIMIT_YAML	    (4u << 20) /* octets of one YAML file: rules, texts, configuration */
#define LIMIT_YAML_DEPTH    32u	       /* lists and maps inside each other */
#define LIMIT_YAML_PAIRS    1024u      /* of one map */
#define LIMIT_HOME_NETS	    256u       /* networks that may be named as ours */
#define LIMIT_GEO_DATABASES 16u	       /* MaxMind databases open at once */
#define LIMIT_GEO_CACHE	    4096u      /* addresses whose country and network are remembered */
#define LIMIT_ADVICE_ROWS   1024u      /* rows of one of its lists */

#define LIMIT_PLACEHOLDERS 256u /* names that %name% in rules may stand for */

/* who it is */
#define LIMIT_VENDOR_FILE (32u << 20) /* octets of one table of makers of network cards */
#define LIMIT_VENDORS	  262144u     /* rows of such tables */
#define LIMIT_VENDOR_NAME 64u	      /* octets of a maker's name kept */
#define LIMIT_WHO_OPEN	  4096u	      /* connections whose mails told what the client is */

/* rules */
#define LIMIT_RULE_SOURCES  64u		/* folders or files of rules that may be named */
#define LIMIT_RULES	    16384u	/* Sigma documents of all kinds */
#define LIMIT_RULE_FILES    4096u	/* files of one folder of rules */
#define LIMIT_RULE_TEXT	    900u	/* octets of a rule's own sentence or advice */
#define LIMIT_RULE_STEPS    20000u	/* steps of one regular expression on one value */
#define LIMIT_RULE_ATOMS    65536u	/* different tests of values in all rules */
#define LIMIT_GROUPS	    65536u	/* groups that one correlation follows at once */
#define LIMIT_WINDOW	    10000u	/* events that one group of a correlation remembers */
#define LIMIT_WINDOW_VALUES 1000u	/* numbers of which one group of a correlation computes */
#define LIMIT_WINDOW_OCTETS (32u << 20) /* memory of one correlation */

/* policies */
#define LIMIT_POLICIES	   100000u /* forced-TLS policies, imported ones too */
#define LIMIT_POLICY_PEERS 1024u   /* networks of peers in them */

/* memory across connections */
#define LIMIT_FAILURES	       65536u /* keys of failed upgrades, five for each */
#define LIMIT_FAILURE_S	       86400u /* seconds for which one is remembered */
#define LIMIT_FAILURE_DOMAIN_S 900u   /* the same, by the server's domain alone */
#define LIMIT_SERVERS	       16384u /* addresses and ports whose offers are remembered */
#define LIMIT_NETWORKS	       16384u /* client networks (/24, /64) and who offered them TLS */
#define LIMIT_FIRST_SEEN       65536u /* clients, and domains, that had readable mail */
#define LIMIT_SERVER_DAYS      90u    /* after which a server that was not seen is forgotten */
#define LIMIT_FIRST_SEEN_DAYS  400u   /* the same of readable clients and domains */
#define LIMIT_BASELINE_DAYS    30u    /* after which a vanished offer counts as turned off */

/* alerts */
#define LIMIT_ALERTS	     8192u  /* alerts open at once; the most silent one goes */
#define LIMIT_ALERT_RECORD   3000u  /* octets of an alert's record kept for its roll-up */
#define LIMIT_ALERT_EVENTS   32768u /* mails whose connections are not counted once more */
#define LIMIT_ALERT_DAYS     30u    /* days of silence after which an alert is forgotten */
#define LIMIT_ALERT_SEALED   3u	    /* sealed connections in a row that resolve an alert */
#define LIMIT_ALERT_WINDOW_S 3600u  /* of the roll-up, unless the rule says another */

/* workers */
#define LIMIT_WORKERS 64u /* processes that read packets */

/* sinks */
#define LIMIT_SYSLOGS	     8u		/* syslog servers */
#define LIMIT_SYSLOG_MESSAGE 8000u	/* octets of a syslog message; rsyslog cuts behind 8,096 */
#define LIMIT_SYSLOG_UDP     2048u	/* of RFC 5424 over UDP (RFC 5426 section 3.2) */
#define LIMIT_SYSLOG_OLD     1024u	/* of RFC 3164 (its section 4.1) */
#define LIMIT_SYSLOG_VALUE   512u	/* octets of one value in it */
#define LIMIT_SYSLOG_VALUES  10u	/* values of one field in it; how many more is said */
#define LIMIT_SYSLOG_MEMORY  (1u << 20) /* octets of messages on their way to a server */
#define LIMIT_SYSLOG_BACKLOG (256u << 10) /* the same while the spool's disk is full */
/* delivered, but kept should the server be reset: more than Linux lets it leave unread */
#define LIMIT_SYSLOG_DOUBT     (8u << 20)
#define LIMIT_SYSLOG_SEGMENT   (4u << 20) /* octets of one file of a spool */
#define LIMIT_SYSLOG_SEGMENTS  65536u	  /* such files */
#define LIMIT_SYSLOG_ADDRESSES 16u	  /* addresses of a server that are tried */
#define LIMIT_CARDS	       4096u	  /* different cards kept for a report; more are counted */
#define LIMIT_CARD_TEXT	       4096u	  /* octets of a card that is drawn before the end */
#define LIMIT_OPEN_CARDS       4096u /* connections whose mails wait for their session's record */
#define LIMIT_PEERS	       4096u /* addresses of each side that a report sums up; the rest are counted */
#define LIMIT_SENDERS	       3u /* cards that differ by the sender alone; more senders share one */
#define LIMIT_LISTED_RULES     64u  /* rules whose alerts a report lists, a row each */
#define LIMIT_TOP	       10u  /* rows of a "top" table of the report */
#define LIMIT_VIEW_ALERTS      64u  /* alerts that the live view remembers */
#define LIMIT_VIEW_SENDERS     256u /* senders in clear of which it finds the most frequent */
#define LIMIT_VIEW_ROWS	       200u /* lines of a terminal that it draws */
#define LIMIT_METRIC_RULES     512u /* rules, by level, that metrics tell apart; the rest are one */
#define LIMIT_METRIC_ITEMS     64u  /* pools, and outputs, that metrics tell apart */
#define LIMIT_LOG_HELD	       8192u /* octets of messages that wait while a view has the terminal */

#endif
