/* For the tests of live outputs: alerts, sessions and states, made up. */
#ifndef POSTCARD_TESTS_SINK_MADE_H
#define POSTCARD_TESTS_SINK_MADE_H

#include <stdio.h>

#include "record_build.h"
#include "sink/sink.h"

static struct record made; /* large */

static inline const struct record *
make_record(enum record_kind kind, const char *line)
{
	build_record_of(&made, line);
	made.kind = (uint16_t)kind;
	return &made;
}

#define NOT_OFFERED                                                                              \
	"rule.id: 86908824-e17d-4af8-aa15-f402e391b796, rule.name: \"Mail readable: the server " \
	"offered no TLS\", "

static const char made_login[] =
    "{at: 60, postcard.alert.state: new, rule.id: 281d38e5-d5ee-4da5-997b-8ac8b74df7a6, "
    "rule.name: Password or token readable, postcard.level: critical, postcard.count: 1, "
    "source.ip: 192.168.7.15, source.port: 51544, destination.ip: 203.0.113.25, "
    "destination.port: 587, postcard.outcome: cleartext, email.from.address: alice@example.org, "
    "message: \"192.168.7.15 (laptop.example.org) sent a password (PLAIN) and 1 mail to "
    "203.0.113.25 (mail.example.net) in the clear because the server never offered TLS.\", "
    "postcard.advice: \"Change the password, since it may be known. Set the client to require "
    "TLS.\"}";

static const char made_printer[] =
    "{at: 120, postcard.alert.state: new, " NOT_OFFERED
    "postcard.level: medium, postcard.count: 1, source.ip: 10.1.20.31, source.port: 40000, "
    "destination.ip: 10.1.0.25, destination.port: 25, postcard.outcome: cleartext, "
    "message: \"10.1.20.31 (MFP-Hallway-3) sent 1 mail to 10.1.0.25 in the clear.\", "
    "postcard.advice: Turn on STARTTLS in the printer.}";

static const char made_six[] =
    "{at: 180, postcard.alert.state: new, " NOT_OFFERED "postcard.level: high, postcard.count: 1, "
    "source.ip: \"2001:db8:1234:5678:9abc:def0:1234:5678\", source.port: 40001, "
    "destination.ip: \"2001:db8::25\", destination.port: 25, "
    "message: A mail crossed readable.}";

static const char made_repeated[] =
    "{at: 3720, postcard.alert.state: repeated, " NOT_OFFERED
    "postcard.level: medium, postcard.count: 1233, source.ip: 10.1.20.31, source.port: 40000, "
    "destination.ip: 10.1.0.25, destination.port: 25}";

static const char made_worse[] =
    "{at: 3780, postcard.alert.state: raised, " NOT_OFFERED
    "postcard.level: high, postcard.count: 1, source.ip: 10.1.20.31, source.port: 40000, "
    "destination.ip: 10.1.0.25, destination.port: 25, message: It went out of the country.}";

static const char made_resolved[] =
    "{at: 7300, postcard.alert.state: resolved, " NOT_OFFERED
    "postcard.level: high, postcard.count: 3, source.ip: 10.1.20.31, source.port: 40000, "
    "destination.ip: 10.1.0.25, destination.port: 25}";

static const char made_worker[] =
    "{at: 7400, postcard.alert.state: new, rule.id: 0f0ac05e-13f0-4b3a-9d65-8d33a9e7cf00, "
    "rule.name: A worker died, postcard.level: high, postcard.count: 1, "
    "postcard.sensor.worker: 2, postcard.sensor.cause: signal 11 (Segmentation fault), "
    "message: \"Worker 2 died of signal 11 (Segmentation fault) and was started anew.\", "
    "postcard.advice: Send the core file.}";

static const char made_interface[] =
    "{at: 86400, postcard.alert.state: new, rule.name: Interface down, postcard.level: critical, "
    "postcard.count: 1, observer.ingress.interface.name: eth1, postcard.sensor.cause: the "
    "interface is down}";

/* A session in clear of the client 10.0.A.B. */
static inline const struct record *
make_clear(unsigned client, unsigned mails, const char *helo)
{
	char line[300];
	snprintf(line, sizeof line,
	    "{at: 30, source.ip: 10.0.%u.%u, destination.ip: 198.51.100.25, postcard.outcome: "
	    "cleartext, postcard.reason: not-offered, postcard.messages: %u, postcard.helo: %s}",
	    client / 256 % 256, client % 256, mails, helo);
	return make_record(RECORD_SESSION, line);
}

/* The state of a sensor after `second` seconds; `flawed`: with losses. */
static inline const struct record *
make_state(unsigned second, bool flawed)
{
	char line[1400];
	snprintf(line, sizeof line,
	    "{at: %u, observer.version: 0.1.0, observer.ingress.interface.name: eth0, "
	    "postcard.summary.packets: %u, postcard.summary.bytes: %u, "
	    "postcard.summary.sessions.total: %u, postcard.summary.sessions.encrypted: %u, "
	    "postcard.summary.sessions.cleartext: 42, postcard.summary.sessions.tls_failed: 3, "
	    "postcard.summary.sessions.no_mail: 5, postcard.summary.sessions.unknown: 7, "
	    "postcard.summary.workers: 2, postcard.summary.lag: 1500000%s}",
	    second, 12345 * second, 1234567 * second, 1237 + second, 1180 + second,
	    !flawed ? ""
		    : ", postcard.summary.drops: 120, postcard.summary.interface_drops: 3, "
		      "postcard.summary.worker_restarts: 1, "
		      "postcard.summary.sessions_with_gaps: 2, postcard.summary.gap_bytes: 4380, "
		      "postcard.summary.sessions_midstream: 4, "
		      "postcard.summary.sessions_one_sided: 1");
	make_record(RECORD_SUMMARY, line);
	for (unsigned i = 0; i < 2 && flawed; i++) {
		record_put_item(&made, FIELD_SUM_OUTPUT);
		record_put_word(&made, FIELD_SUM_OUTPUT_NAME,
		    i == 0 ? "tls://logs.example.org" : "/var/log/\"post\\card\".json");
		record_put_bool(&made, FIELD_SUM_OUTPUT_UP, i == 1);
		record_put_u64(&made, FIELD_SUM_OUTPUT_SENT, 100 + i);
		record_put_u64(&made, FIELD_SUM_OUTPUT_WAITING, i == 0 ? 12 : 0);
		record_put_u64(&made, FIELD_SUM_OUTPUT_SPOOLED, 0);
		record_put_u64(&made, FIELD_SUM_OUTPUT_DROPPED, 0);
	}
	record_put_item(&made, FIELD_SUM_POOL);
	record_put_word(&made, FIELD_SUM_POOL_NAME, "flows");
	record_put_u64(&made, FIELD_SUM_POOL_USED, 17);
	record_put_u64(&made, FIELD_SUM_POOL_PEAK, 170);
	record_put_u64(&made, FIELD_SUM_POOL_MAX, 8388608);
	record_put_u64(&made, FIELD_SUM_POOL_FULL, 0);
	return &made;
}

#endif
