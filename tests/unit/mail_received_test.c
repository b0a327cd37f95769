/* Received fields as real software writes them, forged ones, and what is cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/received.h"

#define DATE "; Mon, 23 Nov 2026 14:00:00 +0100 (CET)"
#define WHEN 1795438800ll

struct row {
	const char *field;
	enum received_state state;
	const char *from, *ip, *by, *with, *tls; /* NULL: "" */
};

#define SEALED	 RECEIVED_SEALED
#define READABLE RECEIVED_READABLE
#define LOCAL	 RECEIVED_LOCAL
#define UNKNOWN	 RECEIVED_UNKNOWN

static const struct row rows[] = {
    /* Postfix */
    {"from mail.example.org (mail.example.org [192.0.2.7]) (using TLSv1.3 with cipher "
     "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 "
     "bits) server-digest SHA256) (No client certificate requested) by mx.example.com (Postfix) "
     "with ESMTPS id 4XyZ for <ann@example.com>" DATE,
	SEALED, "mail.example.org", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLSv1.3 TLS_AES_256_GCM_SHA384"},
    {"from mail.example.org (unknown [IPv6:2001:db8::7]) by mx.example.com (Postfix) with ESMTPSA "
     "id 4XyZ" DATE,
	SEALED, "mail.example.org", "2001:db8::7", "mx.example.com", "ESMTPSA", NULL},
    {"from printer (unknown [10.0.0.9]) by mx.example.com (Postfix) with ESMTP id 4XyZ for "
     "<ann@example.com>" DATE,
	READABLE, "printer", "10.0.0.9", "mx.example.com", "ESMTP", NULL},
    {"from printer (unknown [10.0.0.9]) (Authenticated sender: ann) by mx.example.com "
     "(Postfix/Debian) with ESMTPA id 4XyZ" DATE,
	READABLE, "printer", "10.0.0.9", "mx.example.com", "ESMTPA", NULL},
    /* HELO over TLS has no S there, and the comment is not the default */
    {"from printer (unknown [10.0.0.9]) by mx.example.com (Postfix) with SMTP id 4XyZ" DATE,
	UNKNOWN, "printer", "10.0.0.9", "mx.example.com", "SMTP", NULL},
    {"from printer (unknown [10.0.0.9]) (using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 "
     "(256/256 bits)) by mx.example.com (Postfix) with SMTP id 4XyZ" DATE,
	SEALED, "printer", "10.0.0.9", "mx.example.com", "SMTP",
	"TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384"},
    {"from a.example (a.example [192.0.2.7]) (using TLSv1.2 with cipher NULL-SHA256 (0/0 bits)) by "
     "mx.example.com (Postfix) with ESMTPS id 4XyZ" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "ESMTPS", "TLSv1.2 NULL-SHA256"},
    {"by mx.example.com (Postfix, from userid 0) id 4XyZ" DATE, LOCAL, NULL, NULL, "mx.example.com",
	NULL, NULL},
    {"from localhost (localhost [127.0.0.1]) by mx.example.com (Postfix) with ESMTP id 4XyZ" DATE,
	LOCAL, "localhost", "127.0.0.1", "mx.example.com", "ESMTP", NULL},
    {"from mx.example.com ([127.0.0.1]) by localhost (mx.example.com [127.0.0.1]) (amavisd-new, "
     "port 10024) with ESMTP id abc" DATE,
	LOCAL, "mx.example.com", "127.0.0.1", "localhost", "ESMTP", NULL},
    {"from [192.168.1.5] (dsl.example.net [203.0.113.5]) by mx.example.com (Postfix) with ESMTPSA "
     "id 4XyZ" DATE,
	SEALED, "[192.168.1.5]", "203.0.113.5", "mx.example.com", "ESMTPSA", NULL},
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (Postfix) with UTF8SMTPS id 4X" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "UTF8SMTPS", NULL},
    /* Exim */
    {"from a.example.org ([192.0.2.7]) by mx.example.com with esmtps (TLS1.3) tls "
     "TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from <ann@example.org>) id 1qABC-0001Ab-2C for "
     "bob@example.com" DATE,
	SEALED, "a.example.org", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLS1.3 TLS_AES_256_GCM_SHA384"},
    {"from a.example.org ([192.0.2.7]:39412 helo=b.example) by mx.example.com with esmtps "
     "(TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256) (Exim 4.92) (envelope-from <ann@example.org>) id "
     "1qABC-0001Ab-2C" DATE,
	SEALED, "a.example.org", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLS1.2 ECDHE_RSA_AES_256_GCM_SHA384"},
    {"from [192.0.2.7] (port=4711 helo=[127.0.0.1]) by mx.example.com with esmtp (Exim 4.96) "
     "(envelope-from <ann@example.org>) id 1qABC-0001Ab-2C" DATE,
	READABLE, "[192.0.2.7]", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a.example ([192.0.2.7]) by mx.example.com with smtp (Exim 4.96) id 1qABC-1" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "SMTP", NULL},
    {"from ann by mx.example.com with local (Exim 4.96) (envelope-from <ann@mx.example.com>) id "
     "1qABC-0001Ab-2C for bob@example.com" DATE,
	LOCAL, NULL, NULL, "mx.example.com", "LOCAL", NULL},
    {"from ann by mx.example.com with spam-scanned (Exim 4.96) id 1qABC-1" DATE, UNKNOWN, NULL,
	NULL, "mx.example.com", "SPAM-SCANNED", NULL},
    {"from [::1] (helo=localhost) by mx.example.com with esmtp (Exim 4.96) id 1qABC-1" DATE, LOCAL,
	"[::1]", "::1", "mx.example.com", "ESMTP", NULL},
    {"from a.example ([192.0.2.7]) by mx.example.com with esmtpsa  (TLS1.3) tls "
     "TLS_CHACHA20_POLY1305_SHA256 (Exim 4.98) id 1qABC-1" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTPSA",
	"TLS1.3 TLS_CHACHA20_POLY1305_SHA256"},
    /* Exchange */
    {"from A.example.org (2603:10a6:20b:1::5) by B.example.com (2603:10a6:20b:2::7) with Microsoft "
     "SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.7000.1 "
     "via Frontend Transport" DATE,
	SEALED, "A.example.org", "2603:10a6:20b:1::5", "B.example.com", "MICROSOFT SMTP SERVER",
	"TLS1_2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {"from A.example.org (10.1.2.3) by B.example.org (10.1.2.4) with Microsoft SMTP Server (TLS) "
     "id "
     "14.3.513.0" DATE,
	SEALED, "A.example.org", "10.1.2.3", "B.example.org", "MICROSOFT SMTP SERVER", "TLS"},
    {"from A.example.org (10.1.2.3) by B.example.org (10.1.2.4) with Microsoft SMTP Server id "
     "15.1.2507.6 via Frontend Transport" DATE,
	READABLE, "A.example.org", "10.1.2.3", "B.example.org", "MICROSOFT SMTP SERVER", NULL},
    {"from A.example.org ([fe80::1ff:fe23:4567:890a]) by A.example.org "
     "([fe80::1ff:fe23:4567:890a%5]) with mapi id 15.20.7000.001" DATE,
	LOCAL, "A.example.org", "fe80::1ff:fe23:4567:890a", "A.example.org", "MAPI", NULL},
    {"from A.example.org ([fe80::1]) by B.example.org ([fe80::2%3]) with HTTPS" DATE, SEALED,
	"A.example.org", "fe80::1", "B.example.org", "HTTPS", NULL},
    {"from A.example.org (10.1.2.3) by B.example.org with HTTP" DATE, UNKNOWN, "A.example.org",
	"10.1.2.3", "B.example.org", "HTTP", NULL},
    {"from mail pickup service by web1.example.org with Microsoft SMTPSVC" DATE, UNKNOWN, "mail",
	NULL, "web1.example.org", "MICROSOFT", NULL},
    {"from app ([10.1.2.3]) by iis.example.org with Microsoft SMTPSVC(10.0.17763.1)" DATE, UNKNOWN,
	"app", "10.1.2.3", "iis.example.org", "MICROSOFT", NULL},
    /* Gmail */
    {"from mail-ed1-f51.google.com (mail-ed1-f51.google.com. [209.85.208.51]) by mx.google.com "
     "with "
     "ESMTPS id a640c23a62f3a-x for <ann@example.com> (version=TLS1_3 "
     "cipher=TLS_AES_128_GCM_SHA256 bits=128/128)" DATE,
	SEALED, "mail-ed1-f51.google.com", "209.85.208.51", "mx.google.com", "ESMTPS",
	"TLS1_3 TLS_AES_128_GCM_SHA256"},
    {"from a.example (a.example. [192.0.2.7]) by mx.google.com with ESMTP id a640c23a for "
     "<ann@example.com> (version=TLS1_2 cipher=ECDHE-ECDSA-AES128-GCM-SHA256 bits=128/128)" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.google.com", "ESMTP",
	"TLS1_2 ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"from a.example (a.example. [192.0.2.7]) by mx.google.com with ESMTP id a640c23a for "
     "<ann@example.com>" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.google.com", "ESMTP", NULL},
    {"by 2002:a05:6402:1d2a:b0:5c0:1234:abcd with SMTP id dh10csp123456edb" DATE, UNKNOWN, NULL,
	NULL, "2002:a05:6402:1d2a:b0:5c0:1234:abcd", "SMTP", NULL},
    {"by mail-ed1-f51.google.com with SMTP id 4fb4d7f45d1cf-5c9 for <ann@example.com>" DATE,
	UNKNOWN, NULL, NULL, "mail-ed1-f51.google.com", "SMTP", NULL},
    /* OpenSMTPD */
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (OpenSMTPD) with ESMTPS id 1a2b3c4d "
     "(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO) for <ann@example.com>" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLSv1.3 TLS_AES_256_GCM_SHA384"},
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (OpenSMTPD) with SMTP id 1a2b" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "SMTP", NULL},
    {"from localhost (mx.example.com [local]) by mx.example.com (OpenSMTPD) with ESMTPA id 1a2b "
     "for <ann@example.com>" DATE,
	LOCAL, "localhost", NULL, "mx.example.com", "ESMTPA", NULL},
    /* sendmail, and what is made of it */
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (8.17.1.9/8.17.1.9/Debian-2) with "
     "ESMTPS id 4AND0x (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT)" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLSv1.3 TLS_AES_256_GCM_SHA384"},
    {"from a.example (a.example [192.0.2.7] (may be forged)) by mx.example.com (8.14.4/8.14.4) "
     "with "
     "ESMTP id 4AND0x (version=TLSv1/SSLv3 cipher=DHE-RSA-AES256-SHA bits=256 verify=NO)" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTP",
	"TLSv1/SSLv3 DHE-RSA-AES256-SHA"},
    {"from a.example (IDENT:ann@a.example [192.0.2.7]) by mx.example.com (8.17.1/8.17.1) with "
     "ESMTP "
     "id 4AND0x" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"(from ann@localhost) by mx.example.com (8.17.1.9/8.17.1.9/Submit) id 4AND0x" DATE, LOCAL,
	NULL, NULL, "mx.example.com", NULL, NULL},
    {"from pps.filterd (m0123.ppops.net [127.0.0.1]) by mx0a.ppops.net (8.18.1.2/8.18.1.2) with "
     "ESMTP id 4AND0x" DATE,
	LOCAL, "pps.filterd", "127.0.0.1", "mx0a.ppops.net", "ESMTP", NULL},
    /* in its place stands what is neither a version nor a cipher */
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (OpenSMTPD) with ESMTP id 1a2b3c4d "
     "(TLSvX:TLS_AES_256_GCM_SHA384:256:NO)" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (OpenSMTPD) with ESMTP id 1a2b3c4d "
     "(TLSv1x:TLS_AES_256_GCM_SHA384:256:NO)" DATE,
	READABLE, "a.example", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a.example (192.0.2.7) by mx.example.com with (badly-done encrypted) SMTP; 23 Nov 2026 "
     "13:00:00 -0000",
	UNKNOWN, "a.example", "192.0.2.7", "mx.example.com", "SMTP", NULL},
    /* IronPort */
    {"from a.example ([192.0.2.7]) by esa1.example.com with ESMTP/TLS/DHE-RSA-AES256-SHA" DATE,
	SEALED, "a.example", "192.0.2.7", "esa1.example.com", "ESMTP", "DHE-RSA-AES256-SHA"},
    {"from a.example ([192.0.2.7]) by esa1.example.com with ESMTP" DATE, UNKNOWN, "a.example",
	"192.0.2.7", "esa1.example.com", "ESMTP", NULL},
    /* qmail */
    {"(qmail 12345 invoked by uid 0); 23 Nov 2026 13:00:00 -0000", LOCAL, NULL, NULL, NULL, NULL,
	NULL},
    {"(qmail 12345 invoked from network); 23 Nov 2026 13:00:00 -0000", LOCAL, NULL, NULL, NULL,
	NULL, NULL},
    {"(nullmailer pid 4711 invoked by uid 1000)" DATE, LOCAL, NULL, NULL, NULL, NULL, NULL},
    {"from unknown (HELO a.example) (192.0.2.7) by mx.example.com with SMTP; 23 Nov 2026 13:00:00 "
     "-0000",
	UNKNOWN, "unknown", "192.0.2.7", "mx.example.com", "SMTP", NULL},
    {"from unknown (HELO [127.0.0.1]) (ident@192.0.2.7) by mx.example.com with SMTP; 23 Nov 2026 "
     "13:00:00 -0000",
	UNKNOWN, "unknown", "192.0.2.7", "mx.example.com", "SMTP", NULL},
    {"from a.example (192.0.2.7) by mx.example.com with (AES256-SHA encrypted) SMTP; 23 Nov 2026 "
     "13:00:00 -0000",
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "SMTP", "AES256-SHA"},
    {"from a.example (192.0.2.7) by mx.example.com with DHE-RSA-AES256-SHA encrypted SMTP; 23 Nov "
     "2026 13:00:00 -0000",
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "SMTP", "DHE-RSA-AES256-SHA"},
    {"from a.example (10.0.0.3) by mx.example.com with QMQP; 23 Nov 2026 13:00:00 -0000", READABLE,
	"a.example", "10.0.0.3", "mx.example.com", "QMQP", NULL},
    /* Dovecot, Cyrus */
    {"from mx.example.com by store.example.com with LMTP id aBcD (envelope-from <ann@example.org>) "
     "for <bob@example.com>" DATE,
	LOCAL, "mx.example.com", NULL, "store.example.com", "LMTP", NULL},
    {"from mx.example.com ([10.0.0.5]) by store.example.com with LMTP id aBcD for "
     "<bob@example.com>" DATE,
	UNKNOWN, "mx.example.com", "10.0.0.5", "store.example.com", "LMTP", NULL},
    {"from mx.example.com ([10.0.0.5]) by store.example.com with LMTPS id aBcD" DATE, SEALED,
	"mx.example.com", "10.0.0.5", "store.example.com", "LMTPS", NULL},
    {"from mx.example.com ([unix socket]) by mx.example.com (Cyrus 3.8.1-Debian) with LMTPA" DATE,
	LOCAL, "mx.example.com", NULL, "mx.example.com", "LMTPA", NULL},
    /* Courier, Haraka, web mail, fetchmail, Amazon */
    {"from a.example ([::ffff:192.0.2.7]) (TLS: TLSv1.2,256bits,ECDHE-RSA-AES256-GCM-SHA384) by "
     "mx.example.com with ESMTPS id 0000" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384"},
    {"from a.example (a.example [192.0.2.7]) by mx.example.com (Haraka/3.0.3) with ESMTPS id 5B.1 "
     "envelope-from <ann@example.org> (cipher=TLS_AES_256_GCM_SHA384, version=TLSv1.3)" DATE,
	SEALED, "a.example", "192.0.2.7", "mx.example.com", "ESMTPS",
	"TLSv1.3 TLS_AES_256_GCM_SHA384"},
    {"from [203.0.113.5] by web1.example.com via HTTP" DATE, UNKNOWN, "[203.0.113.5]", NULL,
	"web1.example.com", "HTTP", NULL},
    {"from 203.0.113.5 (SquirrelMail authenticated user ann) by web.example.com with HTTP" DATE,
	UNKNOWN, "203.0.113.5", NULL, "web.example.com", "HTTP", NULL},
    {"from pop.example.net [192.0.2.9] by localhost with POP3 (fetchmail-6.4.37 polling "
     "pop.example.net account ann) for <ann@localhost> (single-drop)" DATE,
	UNKNOWN, "pop.example.net", NULL, "localhost", "POP3", NULL},
    {"from 1.us-west-2.compute.internal (1.example.net [192.0.2.9]) by email-smtp.example.com with "
     "SMTP (SimpleEmailService-d-ABC) id xyz" DATE,
	UNKNOWN, "1.us-west-2.compute.internal", "192.0.2.9", "email-smtp.example.com", "SMTP",
	NULL},
    /* forged, or odd */
    {"from x by y with ESMTPS (real.example [203.0.113.9]) by mx.example.com with ESMTP" DATE,
	UNKNOWN, "x", NULL, "mx.example.com", "ESMTPS ESMTP", NULL},
    {"from x (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384) (real.example [203.0.113.9]) by "
     "mx.example.com with ESMTP id 1" DATE,
	UNKNOWN, "x", "203.0.113.9", "mx.example.com", "ESMTP", NULL},
    {"from x (y [127.0.0.1]) (real.example [203.0.113.9]) by mx.example.com (Postfix) with ESMTP "
     "id "
     "1" DATE,
	READABLE, "x", NULL, "mx.example.com", "ESMTP", NULL},
    {"from [127.0.0.1] by mx.example.com with ESMTP id 1" DATE, UNKNOWN, "[127.0.0.1]", NULL,
	"mx.example.com", "ESMTP", NULL},
    {"from tls1.example (TLS1.3 [192.0.2.7]) by mx.example.com (Postfix) with ESMTP id 1" DATE,
	READABLE, "tls1.example", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a (a [192.0.2.7]) by mx.example.com (8.17.1/8.17.1) with ESMTP id 1 (version=NONE "
     "cipher=NONE)" DATE,
	UNKNOWN, "a", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a (a [192.0.2.7]) by mx.example.com (Postfix) with ESMTP id with" DATE, READABLE, "a",
	"192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a (a [192.0.2.7]) by mx.example.com (Postfix (nested (deep) \\) still)) with ESMTP id "
     "1" DATE,
	READABLE, "a", "192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from ann@example.org (a [192.0.2.7]) by mx.example.com with ESMTPS id 1" DATE, SEALED, NULL,
	"192.0.2.7", "mx.example.com", "ESMTPS", NULL},
    {"FROM a (a [192.0.2.7]) BY mx.example.com (Exim 4.96) WITH ESMTP ID 1" DATE, READABLE, "a",
	"192.0.2.7", "mx.example.com", "ESMTP", NULL},
    {"from a (a [192.0.2.7]) by mx.example.com with ESMTPSX id 1" DATE, UNKNOWN, "a", "192.0.2.7",
	"mx.example.com", "ESMTPSX", NULL},
    {"hello world" DATE, UNKNOWN, NULL, NULL, NULL, NULL, NULL},
};

#define ROWS (sizeof rows / sizeof *rows)

static void
expect(const struct row *row, const char *what, const char *got, size_t len, const char *want)
{
	want = want != NULL ? want : "";
	if (len != strlen(want) || memcmp(got, want, len) != 0)
		fail_msg("%s\n%s is \"%.*s\", not \"%s\"", row->field, what, (int)len, got, want);
}

static void
real_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct received r;
		char ip[ADDR_TEXT];
		received_parse(rows[i].field, strlen(rows[i].field), &r);
		expect(&rows[i], "state", received_state_name(r.state),
		    strlen(received_state_name(r.state)), received_state_name(rows[i].state));
		expect(&rows[i], "from", r.from, r.from_len, rows[i].from);
		addr_print(&r.ip, ip);
		expect(&rows[i], "ip", ip, strlen(ip), rows[i].ip);
		expect(&rows[i], "by", r.by, r.by_len, rows[i].by);
		expect(&rows[i], "with", r.with, strlen(r.with), rows[i].with);
		expect(&rows[i], "tls", r.tls, strlen(r.tls), rows[i].tls);
		if (!r.has_time || r.time_ns != WHEN * 1000000000)
			fail_msg("%s\nhas another date", rows[i].field);
	}
}

static void
software_names_itself(void **state)
{
	(void)state;
	static const struct {
		const char *field, *software;
	} cases[] = {
	    {"from a (a [192.0.2.7]) by b (Postfix) with ESMTP id 1" DATE, "Postfix"},
	    {"by b (Postfix, from userid 1000) id 1" DATE, "Postfix"},
	    {"from [192.0.2.7] (helo=a) by b with esmtp (Exim 4.96) id 1" DATE, "Exim"},
	    {"from a (a [192.0.2.7]) by b (OpenSMTPD) with ESMTP id 1" DATE, "OpenSMTPD"},
	    {"from a (a [192.0.2.7]) by b (8.17.1/8.17.1) with ESMTP id 1" DATE, "sendmail"},
	    {"from a (192.0.2.7) by b (192.0.2.8) with Microsoft SMTP Server id 1" DATE,
		"Exchange"},
	    {"from a (a [192.0.2.7]) by b with ESMTP id 1" DATE, NULL},
	    {"from a (a [192.0.2.7]) by b ( \t Postfix ) with ESMTP id 1" DATE, "Postfix"},
	    /* of the sending side a name is no proof */
	    {"from a (Postfix) by b with ESMTP id 1" DATE, NULL},
	    {"from a by b (Postfix) with ESMTP by c (Postfix) id 1" DATE, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct received r;
		received_parse(cases[i].field, strlen(cases[i].field), &r);
		const char *want = cases[i].software;
		if (want == NULL ? r.software != NULL
				 : r.software == NULL || strcmp(r.software, want) != 0)
			fail_msg("%s: %s", cases[i].field,
			    r.software != NULL ? r.software : "none");
	}
}

/* What was cut off may have said TLS: nothing is readable without its date but for a cipher that
 * is none.  And nothing that a prefix calls sealed is called otherwise by more of it, but where
 * two things are said at once. */
static void
every_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		size_t len = strlen(rows[i].field);
		for (size_t n = 0; n <= len; n++) {
			struct received r;
			char *exact = malloc(n + 1); /* so that a sanitizer sees what is behind */
			assert_non_null(exact);
			memcpy(exact, rows[i].field, n);
			char *tight = realloc(exact, n > 0 ? n : 1);
			received_parse(tight, n, &r);
			bool dated = memchr(tight, ';', n) != NULL;
			if (r.state == RECEIVED_READABLE && !dated && strstr(r.tls, "NULL") == NULL)
				fail_msg("readable after %zu octets: %s", n, rows[i].field);
			if (r.state == RECEIVED_READABLE && rows[i].state != RECEIVED_READABLE)
				fail_msg("readable, then not: %s", rows[i].field);
			free(tight);
		}
	}
}

/* Comments without end, nothing but parentheses, NUL, and more than fits. */
static void
hostile(void **state)
{
	(void)state;
	enum { N = 1 << 20 };
	static const char fill[] = "([;\\\0fb,: ";
	struct received r;
	char *s = malloc(N);
	assert_non_null(s);
	for (size_t i = 0; i < sizeof fill - 1; i++) {
		memset(s, fill[i], N);
		received_parse(s, N, &r);
		assert_int_equal(r.state, RECEIVED_UNKNOWN);
		memcpy(s, "from x (y [192.0.2.7]) by z (Exim 4) with ", 42);
		received_parse(s, N, &r);
		assert_int_not_equal(r.state, RECEIVED_SEALED);
	}
	static const char nul[] = "from x (y [127.0.0.1\0]) by z (Postfix) with ESMTP id 1" DATE;
	received_parse(nul, sizeof nul - 1, &r);
	assert_int_equal(r.state, RECEIVED_READABLE);
	assert_int_equal(r.ip.family, 0);
	static const char open[] = "from x (y [192.0.2.7]) by z (Postfix) with ESMTP (id 1" DATE;
	received_parse(open, sizeof open - 1, &r);
	assert_int_equal(r.state, RECEIVED_UNKNOWN);
	assert_false(r.has_time);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_fields),
	    cmocka_unit_test(software_names_itself),
	    cmocka_unit_test(every_prefix),
	    cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
