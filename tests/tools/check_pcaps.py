#!/usr/bin/env python3
"""Compares what postcard says of captures with the labels beside them.

usage: check_pcaps.py [-b BINARY] [--fields a,b] FOLDER_OR_LABELS...

NAME.labels.json stands beside the capture that its "capture" names.  For each session in it the
session record with the same end points is looked up in `--json --reveal` and compared field by
field: verdict, STARTTLS, TLS, envelopes, subjects, mechanisms, and the words of "expect" (what one
connection shows) and "expect_later" (what takes the memory of earlier ones in the capture); and the
fields of records that "says" and "says_of_messages" name, with what must stand in them.
"""
import argparse
import collections
import glob
import ipaddress
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import postcard  # noqa: E402


def dig(record, dotted):
    got = postcard.dig(record, dotted)
    return None if got is postcard.ABSENT else got


def as_list(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def endpoint(text):
    host, _, port = text.rpartition(":")
    return str(ipaddress.ip_address(host.strip("[]"))), int(port)


def addresses(values):
    return sorted(v.strip().strip("<>").lower() for v in values if v.strip().strip("<>"))


def subjects(values):
    return sorted(re.sub(r"\s+", " ", v).strip() for v in values if v and v.strip())


def outcome(verdict):
    return "tls-failed" if verdict == "failed-tls" else verdict


def reason_is(name):
    return lambda s, m: dig(s, "postcard.reason") == name


def reason_if_clear(name):
    return lambda s, m: dig(s, "postcard.outcome") != "cleartext" or dig(s, "postcard.reason") == name


def anomaly(name):
    return lambda s, m: name in as_list(dig(s, "postcard.anomalies"))


def mechanism(name):
    return lambda s, m: name in [x.upper() for x in as_list(dig(s, "postcard.auth"))]


def body(what):
    return lambda s, m: any(dig(x, "postcard.body_protection") == what for x in m)


EXPECT = {  # a word of "expect": what must be true of the session record and its message records
    "server-no-starttls": reason_if_clear("not-offered"),
    "client-ignored-starttls": reason_is("not-requested"),
    "helo-only-client": reason_if_clear("not-asked"),
    "ehlo-refused-helo-fallback": reason_is("not-offered"),
    "starttls-refused-then-clear": reason_is("refused"),
    "starttls-stripped-keyword-mangled": reason_is("stripped"),
    "starttls-stripped": reason_is("stripped"),
    "starttls-vanished": reason_is("stripped"),
    "tls-failed-then-cleartext-retry": reason_is("tls-failed"),
    "sent-in-clear-reason-unknown": reason_is("not-visible"),
    "tls-null-cipher": reason_is("null-cipher"),
    "starttls-220-but-no-tls": anomaly("no-tls-after-220"),
    "auth-plain-in-clear": mechanism("PLAIN"),
    "auth-login-in-clear": mechanism("LOGIN"),
    "auth-cram-md5-in-clear": mechanism("CRAM-MD5"),
    "auth-digest-md5-in-clear": mechanism("DIGEST-MD5"),
    "auth-ntlm-in-clear": mechanism("NTLM"),
    "auth-xoauth2-in-clear": mechanism("XOAUTH2"),
    "imap-login-in-clear": mechanism("LOGIN-COMMAND"),
    "pop3-user-pass-in-clear": mechanism("USER"),
    "auth-offered-in-clear": lambda s, m: "credentials" not in as_list(dig(s, "postcard.exposed")),
    "pgp-mime-body": body("pgp"),
    "pgp-inline-body": body("pgp"),
    "pgp-inline-in-text": body("none"),
    "smime-body": body("smime"),
    "smime-signed-not-encrypted": lambda s, m: not body("smime")(s, m),
    "command-injection-after-starttls": anomaly("starttls-command-injection"),
    "response-injection-after-starttls": anomaly("starttls-response-injection"),
    "requiretls-violated": anomaly("requiretls-in-clear"),
    "implicit-tls": lambda s, m: dig(s, "postcard.tls_mode") == "implicit",
    "lmtp": lambda s, m: dig(s, "network.protocol") == "lmtp",
    "old-tls-version": anomaly("tls-version-old"),
    "weak-cipher": anomaly("cipher-weak"),
    "anonymous-dh": anomaly("cipher-anonymous"),
    "expired-cert": anomaly("certificate-expired"),
    "self-signed-cert": anomaly("certificate-self-signed"),
    "cert-name-mismatch": anomaly("certificate-name-mismatch"),
    "not-smtp": anomaly("non-mail-on-mail-port"),
}


def is_retry(session, messages):
    """All of it was sent in the clear because an earlier connection's TLS failed, and each record names that one."""
    return all(dig(x, "postcard.reason") == "tls-failed" and
               str(dig(x, "postcard.related.community_id")).startswith("1:") for x in [session] + messages)


def has_vanished(session, messages):
    return all(dig(x, "postcard.baseline.verdict") == "vanished" for x in [session] + messages)


EXPECT_LATER = {"starttls-vanished": has_vanished, "tls-failed-then-cleartext-retry": is_retry}


class Comparison:
    """The fields of one session against its label."""

    def __init__(self, label):
        self.label, self.rows, self.count = label, [], 0

    def same(self, field, wanted, got, ok=None):
        if field in (self.label.get("not_visible") or []):
            return
        self.count += 1
        if ok is None:
            ok = wanted == got
        if not ok and not any(self.also(field, x, got) for x in (self.label.get("also_ok") or {}).get(field, [])):
            self.rows.append((field, wanted, got))

    @staticmethod
    def also(field, other, got):
        """Is `got` the other answer that the label allows?"""
        if field == "subjects":
            return subjects(other or []) == got
        if field in ("mail_from", "rcpt_to"):
            return addresses(other or []) == got
        if field == "auth_clear":
            return other is None or str(other).upper() in got
        return other == got or (not other and not got)


def compare(label, session, messages):
    c = Comparison(label)
    wanted, got = outcome(label["verdict"]), dig(session, "postcard.outcome")
    allowed = [wanted] + [outcome(v) for v in label.get("verdict_also_ok") or []]
    c.same("verdict", wanted, got, got in allowed or (wanted == "unknown" and got == "no-mail"))
    protocol = label.get("protocol", "smtp")
    smtp = protocol in ("smtp", "lmtp")
    if protocol != "other" and wanted != "no-mail":
        got = dig(session, "network.protocol")
        c.same("protocol", protocol, got, got == protocol or (protocol == "smtp" and got == "lmtp")
               or (label.get("implicit_tls") and got == "tls"))
    if protocol != "other":
        for field, path in (("starttls_offered", "postcard.starttls.offered"), ("tls_client_hello", "postcard.client_hello")):
            if label.get(field) is not None:
                got = dig(session, path)
                c.same(field, label[field], got if field == "starttls_offered" else bool(got))
        if not label.get("implicit_tls") and label.get("starttls_requested") is not None:
            c.same("starttls_requested", bool(label["starttls_requested"]), bool(dig(session, "postcard.starttls.requested")))
        if label.get("starttls_reply") is not None and smtp:
            c.same("starttls_reply", label["starttls_reply"], dig(session, "postcard.starttls.reply"))
        if label.get("implicit_tls"):
            c.same("implicit_tls", "implicit", dig(session, "postcard.tls_mode"))
        if label.get("tls_established") is not None and wanted != "unknown":
            c.same("tls_established", bool(label["tls_established"]), bool(dig(session, "tls.established")))
    if label.get("tls_version"):
        c.same("tls_version", str(label["tls_version"]), str(dig(session, "tls.version")))
    if smtp and wanted == "cleartext" and not label.get("gaps"):
        for field, path in (("cleartext_messages", "postcard.messages"), ("cleartext_envelopes", "postcard.envelopes")):
            if label.get(field) is not None:
                c.same(field, label[field], dig(session, path) or 0)

        def of_messages(path):
            return [v for m in messages for v in as_list(dig(m, path))]
        if label.get("mail_from"):
            c.same("mail_from", addresses(label["mail_from"]), addresses(of_messages("email.from.address")))
        if label.get("rcpt_to") and len(label["rcpt_to"]) <= 50:
            c.same("rcpt_to", addresses(label["rcpt_to"]), addresses(of_messages("email.to.address")))
        if label.get("subjects"):
            c.same("subjects", subjects(label["subjects"]), subjects(of_messages("email.subject")))
    if label.get("auth_clear") and wanted == "cleartext":
        names = [x.upper() for x in as_list(dig(session, "postcard.auth"))]
        for one in re.split(r"[,/ +]+", ",".join(as_list(label["auth_clear"]))):
            c.same("auth_clear", one.upper(), names, one.upper() in names)
    for key, known in (("expect", EXPECT), ("expect_later", EXPECT_LATER)):
        for word in label.get(key) or []:
            if word not in known:
                c.rows.append((key, "a word that the checker knows", word))
            else:
                c.same(key + ":" + word, True, False, bool(known[word](session, messages)))
    said_of(c, "", label.get("says") or {}, session)
    if "says_of_messages" in label:
        c.same("messages of it", len(label["says_of_messages"]), len(messages))
        for number, (says, message) in enumerate(zip(label["says_of_messages"], messages), 1):
            said_of(c, "message %d: " % number, says, message)
    return c.rows, c.count


def said_of(c, whose, says, record):
    """Fields of a record against the label's word for them; the order in a list does not matter, but in that of hops."""
    for path, wanted in says.items():
        got = dig(record, path)
        if isinstance(wanted, list) and isinstance(got, list) and not path.startswith("postcard.hops"):
            wanted, got = sorted(wanted, key=str), sorted(got, key=str)
        c.same(whose + path, wanted, got)


def ends_of(record):
    try:
        return tuple((str(ipaddress.ip_address(dig(record, s + ".ip"))), int(dig(record, s + ".port"))) for s in ("source", "destination"))
    except (TypeError, ValueError):
        return None


def labels_in(folder):
    return sorted(glob.glob(os.path.join(folder, "**", "*.labels.json"), recursive=True))


def check_one(label_file, binary, totals):
    """[(who, field, wanted, got)] of one capture."""
    with open(label_file, encoding="utf-8") as f:
        doc = json.load(f)
    capture = os.path.join(os.path.dirname(label_file), os.path.basename(doc["capture"]))
    done = postcard.run(binary, ["-r", capture, "--json", "--reveal"])
    wrong = []
    if not 0 <= done.code <= 3:
        totals["crashes"] += 1
        wrong.append(("", "exit", "0 to 3", "%d %s" % (done.code, done.stderr[-2000:].decode("utf-8", "replace"))))
    if done.bad_json:
        wrong.append(("", "json", "valid", done.bad_json))
    sessions, messages = collections.defaultdict(list), collections.defaultdict(list)
    for kind, where in (("session", sessions), ("message", messages)):
        for record in done.of(kind):
            ends = ends_of(record)
            if ends:
                where[frozenset(ends)].append((ends, record))
    pairs = collections.Counter(frozenset((endpoint(s["client"]), endpoint(s["server"]))) for s in doc["sessions"])
    taken = collections.Counter()
    for label in doc["sessions"]:
        client, server = endpoint(label["client"]), endpoint(label["server"])
        pair = frozenset((client, server))
        who = "%s > %s" % (label["client"], label["server"])
        totals["sessions"] += 1
        at = taken[pair]
        taken[pair] += 1
        if at >= len(sessions[pair]):
            totals["fields"] += 1
            # a connection without payload needs no record of its own
            silent = label["verdict"] == "no-mail" and label.get("starttls_offered") is None and not label.get("starttls_requested")
            if not silent and not (label["verdict"] == "unknown" and label.get("protocol") == "other"):
                wrong.append((who, "session", "a record", "none"))
            continue
        ends, record = sessions[pair][at]
        mail = [m for _, m in messages[pair]]
        if pairs[pair] > 1:  # several connections with these end points: the messages of this one's time
            start, end = dig(record, "event.start") or "", dig(record, "event.end") or "~"
            mail = [m for m in mail if start <= (dig(m, "@timestamp") or "") <= end] or mail
        rows, count = compare(label, record, mail)
        if ends[0] != client and label.get("protocol") != "other":
            rows.append(("direction", label["client"], "%s:%d" % ends[0]))
        totals["fields"] += count
        wrong += [(who,) + row for row in rows]
    return [(os.path.basename(capture),) + row for row in wrong]


def check_nasty(capture, binary):
    """A capture without mail that breaks readers: no crash, no hang, no mail."""
    done = postcard.run(binary, ["-r", capture, "--json", "--reveal"])
    wrong = []
    if not 0 <= done.code <= 3:
        wrong.append("status %d %s" % (done.code, done.stderr[-2000:].decode("utf-8", "replace")))
    if done.bad_json:
        wrong.append(done.bad_json)
    for r in done.of("session"):
        if dig(r, "postcard.outcome") not in ("no-mail", "unknown"):
            wrong.append("reported as mail: %s > %s:%s %s" % (dig(r, "source.ip"), dig(r, "destination.ip"),
                                                              dig(r, "destination.port"), dig(r, "postcard.outcome")))
    if done.of("message"):
        wrong.append("%d messages" % len(done.of("message")))
    return wrong


def check(label_files, binary, only=None):
    """(disagreements as lines, a line of totals); `only` names the fields that count."""
    totals, lines, by_field = collections.Counter(), [], collections.Counter()
    for label_file in label_files:
        totals["captures"] += 1
        for name, who, field, wanted, got in check_one(label_file, binary, totals):
            if only is None or field in only:
                by_field[field] += 1
                lines.append("%-40s %s  %s: wanted %r, got %r" % (name, who, field, wanted, got))
    return lines, "%d captures, %d sessions, %d fields compared, %d wrong%s; %d crashes" % (
        totals["captures"], totals["sessions"], totals["fields"], len(lines),
        " (%s)" % ", ".join("%s %d" % x for x in by_field.most_common()) if by_field else "", totals["crashes"])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-b", "--binary", default="./postcard")
    p.add_argument("--fields", help="only these, comma separated")
    p.add_argument("paths", nargs="+")
    a = p.parse_args()
    files = [f for path in a.paths for f in (labels_in(path) if os.path.isdir(path) else [path])]
    lines, totals = check(files, a.binary, a.fields.split(",") if a.fields else None)
    print("\n".join(lines + [totals]))
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
