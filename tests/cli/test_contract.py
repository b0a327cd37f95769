"""What --json prints keeps the contract: names, types, values, masking, and a summary that adds up."""
import functools
import glob
import json
import os
import re
import tempfile
import unittest

import packets
import postcard

COMMON = ["@timestamp", "event.start", "event.end", "event.duration", "event.action", "event.kind", "observer.type",
          "observer.product", "observer.version", "network.transport", "network.type", "network.protocol",
          "network.community_id", "network.direction", "source.ip", "source.port", "source.bytes", "source.packets",
          "destination.ip", "destination.port", "destination.bytes", "destination.packets", "postcard.outcome",
          "postcard.visibility", "postcard.midstream", "postcard.gap_bytes", "postcard.tls_mode",
          "postcard.client_hello", "postcard.messages", "postcard.envelopes"]
VALUES = {
    "postcard.outcome": {"encrypted", "cleartext", "tls-failed", "no-mail", "unknown"},
    "postcard.reason": {"not-offered", "not-requested", "refused", "stripped", "tls-failed", "not-asked", "null-cipher",
                        "not-visible"},
    "postcard.exposed": {"envelope", "headers", "body", "attachments", "credentials"},
    "postcard.tls_mode": {"starttls", "implicit", "none"},
    "postcard.visibility": {"both", "client-only", "server-only"},
    "postcard.tls.name.from": {"sni", "greeting", "ehlo"},
    "postcard.delivered": {"accepted", "rejected", "aborted", "unknown"},
    "postcard.body_protection": {"none", "pgp", "smime", "unknown"},
    "postcard.level": {"informational", "low", "medium", "high", "critical"},
    "network.protocol": {"smtp", "lmtp", "imap", "pop3", "tls", "other"},
    "network.direction": {"inbound", "outbound", "internal", "external", "unknown"},
    "network.type": {"ipv4", "ipv6"},
    "event.dataset": {"postcard.session", "postcard.message", "postcard.alert", "postcard.summary"},
    "event.kind": {"event", "alert", "metric"},
    "event.severity": {1, 3, 5, 7, 9},
    "postcard.level": {"informational", "low", "medium", "high", "critical"},
    "postcard.alert.state": {"new", "repeated", "raised", "resolved"},
    "postcard.baseline.verdict": {"none", "as-before", "gained", "vanished", "pool", "rebuilt"},
    "postcard.policy.verdict": {"violated", "kept", "not-provable"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


@functools.lru_cache(maxsize=None)
def everything():
    """One run over all captures, for all tests: (run, {field: type}, {anomaly})."""
    done = postcard.run(postcard.binary(), ["-r"] + sorted(glob.glob("pcaps/*.pcap")) + ["--json"])
    table = postcard.run(postcard.binary(), ["--fields"]).stdout.decode().split("\n\n")
    rows = [[row.split() for row in part.split("\n")[1:] if row] for part in table]
    return done, {row[0]: row[1] for row in rows[0]}, {row[0] for row in rows[1]}


class Contract(unittest.TestCase):
    def setUp(self):
        self.done, self.fields, self.anomalies = everything()

    def test_every_line_is_json(self):
        self.assertEqual(self.done.code, 0)
        self.assertEqual(self.done.bad_json, "")
        self.assertGreater(len(self.done.records), 100)

    def test_only_fields_that_are_listed_with_their_types(self):
        kinds = {"text": str, "number": int, "bool": bool, "time": str, "address": str}
        for r in self.done.records:
            for name, value in postcard.flatten(r).items():
                self.assertIn(name, self.fields)
                if name == "postcard.starttls.reply":
                    self.assertIsInstance(value, (int, str))
                    continue
                kind = self.fields[name]
                many = kind.endswith("[]")
                self.assertEqual(isinstance(value, list), many, name)
                for x in value if many else [value]:
                    self.assertIs(type(x), kinds[kind.replace("[]", "")], name)
                    if kind == "time":
                        self.assertRegex(x, TIME)

    def test_values(self):
        for r in self.done.records:
            flat = postcard.flatten(r)
            for name, allowed in VALUES.items():
                if name in flat:
                    value = flat[name]
                    self.assertLessEqual(set(value if isinstance(value, list) else [value]), allowed, name)
            self.assertLessEqual(set(flat.get("postcard.anomalies", [])), self.anomalies)

    def test_a_rule_can_ask_for_every_value(self):
        """What a field of text is seen to have is no mistake where a rule asks for it."""
        seen = {}
        for r in self.done.records:
            for name, value in postcard.flatten(r).items():
                if self.fields[name].startswith("text"):
                    seen.setdefault(name, set()).update(map(str, value if isinstance(value, list) else [value]))
        asks = "".join("  %s: %s\n" % (name, json.dumps([re.sub(r"([*?\\])", r"\\\1", v) for v in sorted(values)]))
                       for name, values in sorted(seen.items()))
        self.assertGreater(len(seen), 60)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.yml")
            with open(path, "w", encoding="utf-8") as f:
                f.write("title: t\nstatus: test\ntaxonomy: ecs\nlogsource: {product: postcard, service: session}\n"
                        "detection:\n condition: a\n a:\n" + asks + "level: low\n")
            done = postcard.run(postcard.binary(), ["-T", "--rules", path])
            self.assertEqual((done.code, done.stderr), (0, b""))

    def test_common_fields(self):
        for r in self.done.of("session") + self.done.of("message"):
            flat = postcard.flatten(r)
            missing = [name for name in COMMON if name not in flat]
            self.assertEqual(missing, [], json.dumps(r)[:300])
            self.assertEqual("postcard.reason" in flat, flat["postcard.outcome"] == "cleartext")

    def test_alerts(self):
        """OUTPUT.md: an alert carries all fields of its record, with rule.* and what to do."""
        alerts, severity = self.done.of("alert"), {"informational": 1, "low": 3, "medium": 5, "high": 7, "critical": 9}
        self.assertGreater(len(alerts), 20)
        for r in alerts:
            flat = postcard.flatten(r)
            missing = [name for name in COMMON + ["rule.id", "rule.name", "rule.ruleset", "event.severity", "message",
                                                  "postcard.count", "postcard.alert.state"] if name not in flat]
            self.assertEqual(missing, [], json.dumps(r)[:300])
            self.assertEqual((flat["event.kind"], flat["rule.ruleset"]), ("alert", "postcard"))
            self.assertEqual(flat["event.severity"], severity[flat["postcard.level"]])
            self.assertRegex(flat["rule.id"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
            self.assertRegex(flat["postcard.wireshark"], r"^(ip|ipv6)\.addr == \S+ && ")
            for technique in flat.get("threat.technique.id", []):
                self.assertRegex(technique, r"^T\d{4}(\.\d{3})?$")
            for weakness in flat.get("vulnerability.id", []):
                self.assertRegex(weakness, r"^CWE-\d+$")
        summary = postcard.flatten(self.done.of("summary")[0])
        states = [postcard.flatten(r)["postcard.alert.state"] for r in alerts]
        self.assertEqual(summary["postcard.summary.alerts"], states.count("new") + states.count("raised"))
        self.assertEqual(summary["postcard.summary.resolved"], states.count("resolved"))

    def test_a_message_comes_before_its_session(self):
        over = set()
        for r in self.done.records:
            if r["event"]["dataset"] == "postcard.session":
                over.add(r["network"]["community_id"])
            elif r["event"]["dataset"] == "postcard.message":
                self.assertNotIn(r["network"]["community_id"], over)

    def test_the_summary_adds_up(self):
        last = self.done.records[-1]
        self.assertEqual(last["event"]["dataset"], "postcard.summary")
        self.assertEqual(len(self.done.of("summary")), 1)
        counts = last["postcard"]["summary"]
        sessions = self.done.of("session")
        self.assertEqual(counts["sessions"]["total"], len(sessions))
        for outcome in VALUES["postcard.outcome"]:
            self.assertEqual(counts["sessions"][outcome.replace("-", "_")],
                             sum(s["postcard"]["outcome"] == outcome for s in sessions))
        self.assertEqual(counts["messages"], sum(s["postcard"]["messages"] for s in sessions))

    def test_masked_by_default(self):
        bare = [a for r in self.done.of("message") for a in postcard.flatten(r).get("email.to.address", [])
                if a and not re.match(r"[^@]?\*\*\*(@|$)", a)]
        self.assertEqual(bare, [])
        revealed = postcard.run(postcard.binary(), ["-r", "pcaps/office.pcap", "--json", "--reveal"])
        senders = {a for r in revealed.of("message") for a in postcard.flatten(r)["email.from.address"]}
        self.assertIn("scanner@example.com", senders)
        self.assertNotIn(b"***", revealed.stdout)

    def test_addresses_in_other_texts_are_masked(self):
        """In a greeting, EHLO, a reply to STARTTLS, an X-Mailer, Received and an ID, wherever these are shown; the memory has
        nothing of a mail."""
        capture = packets.Capture()
        c = packets.Connection(capture, packets.address("192.0.2.10:40001", 0), packets.address("198.51.100.25:25", 0))
        c.handshake()
        for side, text in (("S", "220 mx.example.org ESMTP, complaints to postmaster.one@example.org"), ("C", "EHLO anna.six@example.net"),
                           ("S", "250-mx.example.org\r\n250 STARTTLS"), ("C", "STARTTLS"), ("S", "454 no TLS for gina.two@example.org"),
                           ("C", "MAIL FROM:<a.three@example.com>"), ("S", "250 ok"), ("C", "RCPT TO:<b.four@example.org>"), ("S", "250 ok"),
                           ("C", "DATA"), ("S", "354 go"), ("C", "Received: from mail.example.org by bert.eight@example.org with SMTP; Mon, 23 Nov 2026 14:00:02"
                                   " +0100\r\nX-Mailer: Mailer of author.five@example.net\r\n\r\ntext\r\n."),
                           ("S", "250 ok"), ("C", "QUIT"), ("S", "221 bye")):
            c.send(side, text.encode() + b"\r\n")
        c.close()
        c = packets.Connection(capture, packets.address("192.0.2.10:40002", 0), packets.address("198.51.100.25:143", 0))
        c.handshake()
        for side, text in (("S", "* OK ready"), ("C", 'a1 ID ("name" "Thunderbird of dora.seven@example.net")'), ("S", "a1 OK"),
                           ("C", "a2 LOGIN x y"), ("S", "a2 NO no"), ("C", "a3 LOGOUT"), ("S", "a3 OK bye")):
            c.send(side, text.encode() + b"\r\n")
        c.close()
        names = (b"ostmaster.one", b"ina.two", b"nna.six", b"ora.seven", b".three", b".four", b"uthor.five", b"ert.eight")
        with tempfile.TemporaryDirectory() as folder:
            path, state, out = (os.path.join(folder, name) for name in ("c.pcap", "state.db", "out"))
            capture.write(path)
            for mode in ([], ["-v"], ["--json"]):
                done = postcard.run(postcard.binary(), ["-r", path, "--state", state, "--out", out] + mode)
                self.assertEqual(done.code, 0, done.stderr)
                with open(out, "rb") as f:
                    shown = done.stdout + done.stderr + f.read()
                self.assertEqual([n for n in names if n in shown], [])
                for masked in (b"complaints to p***@example.org", b"no TLS for g***@example.org", b"Mailer of a***@example.net",
                               b"a***@example.net", b"Thunderbird of d***@example.net", b"b***@example.org"):
                    self.assertIn(masked, shown)
                os.unlink(out)
            with open(state, "rb") as f:
                kept = f.read()
            self.assertEqual([n for n in names[4:] if n in kept], [])
            revealed = postcard.run(postcard.binary(), ["-r", path, "--json", "--reveal"])
            self.assertEqual([n for n in names if n not in revealed.stdout], [])


if __name__ == "__main__":
    unittest.main()
