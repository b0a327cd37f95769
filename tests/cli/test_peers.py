"""The 21 cases in which other programs are silent, wrong or lost (Suricata 7.0, nDPI 4.2, tshark 4.0), and exactly what
postcard must say of each: the outcome of every connection, why, what could be read, what a login shows, what was odd, and
which rules make an alert, no more and no less.

The dialogues are files of tests/dialogues; what the others say stands beside each case.
"""
import os
import tempfile
import unittest

import dialogue
import postcard

MAIL = ["envelope", "headers", "body"]
HEAD = ["envelope", "headers"]  # the dialogue's mail has no body
NOT_OFFERED = "Mail readable: the server offered no TLS"
UNSEEN = "Mail readable: why was not captured"
PASSWORD = "Password or token readable"
CHALLENGE = "Login readable: a challenge was answered"


def login(mechanism, shows, result="accepted", reason="not-offered"):
    return {"outcome": "cleartext", "reason": reason, "exposed": ["credentials"], "auth": [mechanism],
            "auth_shows": [shows], "auth_result": [result]}


def mail(reason, exposed=None, *anomalies):
    said = {"outcome": "cleartext", "reason": reason, "exposed": exposed or MAIL}
    if anomalies:
        said["anomalies"] = list(anomalies)
    return said


# number, case; what others say; dialogue, what is said of its connections in order, titles of the alerts
CASES = [
    (1, "cleartext, STARTTLS not offered", "seen by all, and no alert by any",
     "not-offered", [mail("not-offered")], [NOT_OFFERED]),
    (2, "offered, not used", "the same",
     "offered-ignored", [mail("not-requested")], ["Mail readable: the client ignored the offer"]),
    (3, "250-XXXXXXXA, and 500 to STARTTLS", "Suricata: tls rejected; nothing by the others",
     "stripped-then-500", [mail("stripped", HEAD, "keyword-mangled")], ["TLS stripped: the offer was changed"]),
    (4, "454 to STARTTLS, then mail", "Suricata: invalid reply, and is deaf from there on",
     "refused-454", [mail("refused", HEAD)], ["Mail readable: the server refused TLS"]),
    (5, "220, ClientHello, alert; the mail in a second connection", "no link between the two by any",
     "failed-then-clear", [{"outcome": "tls-failed"}, mail("tls-failed")],
     ["TLS failed: mail waits or goes in clear", "Readable after TLS failed or was refused",
      "No TLS came up, then clear text"]),
    (6, "220, and the client goes on in plain text", "nothing by nDPI and tshark",
     "plain-after-220", [mail("tls-failed", HEAD, "no-tls-after-220")],
     ["Mail readable: the TLS handshake failed", "No TLS after the server agreed to it"]),
    (7, "AUTH PLAIN with an initial response", "nothing by Suricata",
     "auth-plain", [dict(login("PLAIN", "password"), exposed=MAIL + ["credentials"])], [PASSWORD, NOT_OFFERED]),
    (8, "AUTH PLAIN without one", "missed by nDPI",
     "auth-plain-challenge", [login("PLAIN", "password")], [PASSWORD]),
    (9, "AUTH LOGIN", "nothing by Suricata",
     "auth-login", [login("LOGIN", "password")], [PASSWORD]),
    (10, "AUTH XOAUTH2", "missed by all",
     "auth-xoauth2", [login("XOAUTH2", "token")], [PASSWORD]),
    (10, "AUTH CRAM-MD5", "missed by all",
     "auth-cram-md5", [login("CRAM-MD5", "digest")], [CHALLENGE]),
    (11, "AUTH in pieces, port 587", "nDPI: SMTPS, encrypted",
     "auth-plain-split", [login("PLAIN", "password", reason="not-requested")], [PASSWORD]),
    (12, "AUTH PLAIN refused by 538", "Suricata: invalid reply, and is deaf from there on",
     "auth-refused-538", [login("PLAIN", "password", "refused")], [PASSWORD]),
    (13, "STARTTLS and RSET in one segment", "Suricata: invalid pipelined sequence",
     "command-injection", [{"outcome": "encrypted", "anomalies": ["starttls-command-injection"]}],
     ["STARTTLS command injection"]),
    (13, "the same, cut anywhere", "",
     "command-injection-split", [{"outcome": "encrypted", "anomalies": ["starttls-command-injection"]}],
     ["STARTTLS command injection"]),
    (14, "220 and more replies behind it", "nothing by any",
     "response-injection", [{"outcome": "encrypted", "anomalies": ["starttls-response-injection"]}],
     ["STARTTLS response injection"]),
    (14, "the same, cut anywhere", "",
     "response-injection-split", [{"outcome": "encrypted", "anomalies": ["starttls-response-injection"]}],
     ["STARTTLS response injection"]),
    (15, "port 2525", "missed by tshark",
     "port-2525", [mail("not-offered")], [NOT_OFFERED]),
    (16, "plain text on port 465", "missed by tshark",
     "port-465-plain", [mail("not-offered")], [NOT_OFFERED]),
    (17, "EHLO refused by 502, then HELO", "Suricata: noise about duplicate fields",
     "ehlo-refused-helo", [mail("not-offered", HEAD)], [NOT_OFFERED]),
    (18, "BDAT", "Suricata: the envelope alone",
     "bdat", [mail("not-offered")], [NOT_OFFERED]),
    (19, "the capture begins in the middle", "missed by Suricata",
     "midstream-at-a-command", [mail("not-visible")], [UNSEEN]),
    (19, "the same, inside a mail: a guess would be a bug", "",
     "midstream-in-data", [{"outcome": "unknown"}], []),
    (20, "the client's side alone", "missed by Suricata",
     "client-only-mail", [mail("not-visible")], [UNSEEN]),
    (21, "IMAP PREAUTH, STARTTLS refused", "missed by Suricata and tshark",
     "imap-preauth-refused", [mail("refused", ["headers", "body"], "imap-preauth")],
     ["Mail readable: the server refused TLS", "IMAP greeting without login"]),
]
SAID = ("outcome", "reason", "exposed", "auth", "auth_shows", "auth_result", "anomalies")


class Peers(unittest.TestCase):
    def test_all_are_there(self):
        self.assertEqual(sorted({case[0] for case in CASES}), list(range(1, 22)))

    def check(self, name, shape, connections, alerts):
        with open("tests/dialogues/%s.txt" % name, encoding="utf-8") as f:
            script, _ = dialogue.parse(f.read())
        exact = any(line.strip() == "@exact" for _, line in script)
        with tempfile.TemporaryDirectory() as folder:
            capture = os.path.join(folder, "peer.pcap")
            dialogue.compile_script(script, None if exact else shape).write(capture)
            done = postcard.run(postcard.binary(), ["-r", capture, "--json"])
        self.assertEqual((done.code, done.stderr), (0, b""))
        got = [{k: s["postcard"][k] for k in SAID if k in s["postcard"]} for s in done.of("session")]
        self.assertEqual(got, connections)
        self.assertEqual(dialogue.titles(done), sorted(alerts))
        # a mail is never said to hold more than its connection, and says why in the same word
        for message in done.of("message"):
            self.assertEqual(message["postcard"]["reason"], connections[-1]["reason"])
            self.assertLessEqual(set(message["postcard"]["exposed"]), set(connections[-1]["exposed"]))


def test_of(number, name, connections, alerts):
    def test(self):
        for shape in dialogue.VARIANTS.values():
            self.check(name, shape, connections, alerts)
    test.__name__ = "test_%02d_%s" % (number, name.replace("-", "_"))
    return test


for number_, case_, others_, name_, connections_, alerts_ in CASES:
    made = test_of(number_, name_, connections_, alerts_)
    made.__doc__ = case_ + (" (%s)" % others_ if others_ else "")
    setattr(Peers, made.__name__, made)


if __name__ == "__main__":
    unittest.main()
