/*
 * Syslog: the sink "syslog", which sends alerts (and other records) to a syslog server.
 *
 * Where to: sink_config.url, one of
 *
 *   unix:///dev/log           a local socket (datagrams; a stream where it takes no datagrams)
 *   udp://HOST[:514]          RFC 5426
 *   tcp://HOST[:514]          RFC 6587.  514 and not 601 (the port that IANA gave syslog over TCP),
 *                             since that is where rsyslog, syslog-ng and most others listen
 *   tls://HOST[:6514]         RFC 5425: TLS 1.2 or newer
 *
 * and how: ?NAME=VALUE&NAME=VALUE behind it, values percent-encoded where they need it
 *
 *   format=rfc5424            with structured data [postcard@32473 ...] (unix: rfc3164 by default,
 *                             as local syslog daemons expect and syslog(3) does)
 *          rfc3164            the line of old, with the same pairs behind the sentence
 *          cef                ArcSight's Common Event Format 0, behind a header of RFC 3164
 *          leef               QRadar's LEEF 2.0, behind a header of RFC 3164
 *          json               RFC 5424 whose text is the object of the json sink (ECS)
 *          cee                the same behind the cookie "@cee:"
 *   framing=octets|lf         tcp, tls: counted octets (the default), or lines
 *   facility=mail             or kern, user, daemon, auth, syslog, ..., local0 to local7
 *   level=informational       the least that is sent: low, medium, high, critical
 *   records=alerts|sessions   alerts only (the default), or what happened to the sensor, sessions
 *                             and messages too
 *   heartbeat=600             while a sensor runs, how it stands each so many seconds, whatever the
 *                             level, so that silence is noticed; 0: never
 *   ca=FILE cert=FILE key=FILE  tls: who may have signed the server's certificate (the system's
 *                             list by default), and our own certificate and key, PEM
 *   verify=yes|no             tls: check the certificate and its name (yes)
 *   name=HOST                 tls: the name to check, where it is not HOST
 *
 * Severity: critical is 2 (critical), high 3 (error), medium 4 (warning), low 5 (notice), else 6.
 * CEF and LEEF have event.severity: 1, 3, 5, 7, 9.
 *
 * Every octet that came from the wire is escaped, first as everywhere (text_add_wire: no control
 * characters, valid UTF-8), then as the format wants; a message is one line and at most
 * LIMIT_SYSLOG_MESSAGE octets (rfc5424 over udp 2,048, rfc3164 1,024), cut where it stays valid:
 * values first, then the text.  Private values are masked unless `reveal`.
 *
 * Delivery is at least once, in order.  A message stays here until the peer's TCP has acknowledged
 * it (SIOCOUTQ) or a local daemon has read it; what was not is sent again over the next connection.
 * An acknowledgement says that the peer's kernel has it, not that the server has read it: where a
 * connection ends by a reset, which says that something was not read, the last 8 MiB of the last
 * 10 s are sent again, acknowledged or not.  Over UDP a datagram counts as delivered when no ICMP
 * error came back for 0.2 s, and 32 go in 5 ms at most.  Doubles can be told by meta sequenceId
 * (RFC 5424 section 7.3.1), which counts from 1 in each run.
 *
 * While the server is away, or silent for a second, messages go to the spool (syslog_spool.h): at
 * most `spool_max` octets, what comes beyond is dropped and counted.  Without a folder they wait in
 * memory.
 */
#ifndef POSTCARD_SINK_SYSLOG_H
#define POSTCARD_SINK_SYSLOG_H

#include <stdbool.h>

#include "sink/sink.h"

/* Is that the URL of a syslog server, and can the certificates that it names be read?  False and
 * what is wrong, without secrets, in `error`.  Nothing is resolved, connected to or written. */
bool syslog_check(const char *url, char error[SINK_ERROR]);

#endif
