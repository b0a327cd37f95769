"""Judgement end to end on captures of the lab: in one replay, and from the state file in a second run."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import postcard


def labels(name):
    with open("pcaps/%s.labels.json" % name, encoding="utf-8") as f:
        return json.load(f)["sessions"]


def port_of(session):
    return int(session["client"].rsplit(":", 1)[1])


def only(sessions):
    """A filter expression for these connections."""
    return " or ".join("port %d" % port_of(s) for s in sessions)


class Judgement(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def replay(self, name, *more):
        done = postcard.run(postcard.binary(), ["-r", "pcaps/%s.pcap" % name, "--json"] + list(more))
        self.assertEqual((done.code, done.stderr), (0, b""))
        return done

    def in_two_runs(self, name, sessions, first):
        """Replays the first so many connections, then the others in a run of their own that has the state file."""
        state = ["--state", os.path.join(self.folder.name, name + ".state")]
        self.replay(name, *state, only(sessions[:first]))
        return self.replay(name, *state, only(sessions[first:]))

    def both_ways(self, name, first):
        yield self.replay(name)
        yield self.in_two_runs(name, labels(name), first)

    def names(self, done, state="new"):
        return sorted(a["rule"]["name"] for a in done.of("alert") if a["postcard"]["alert"]["state"] == state)

    # ------------------------------------------------------------------------- retry after failure

    def check_retry(self, name, tls_alert):
        sessions = labels(name)
        failed = sum(s["verdict"] == "failed-tls" for s in sessions)
        known = {r["source"]["port"]: r["network"]["community_id"] for r in self.replay(name).of("session")}
        for done in self.both_ways(name, failed):
            message, = done.of("message")
            self.assertEqual(message["source"]["port"], port_of(sessions[-1]))
            self.assertEqual(message["postcard"]["reason"], "tls-failed")
            related = message["postcard"]["related"]
            self.assertEqual(related["community_id"], known[port_of(sessions[failed - 1])])
            self.assertEqual(related["outcome"], "tls-failed")
            self.assertEqual(related.get("tls_alert"), tls_alert)
            self.assertLess(related["time"], message["@timestamp"])
            self.assertIn("Readable after TLS failed or was refused", self.names(done))
            self.assertIn("No TLS came up, then clear text", self.names(done))  # as a correlation sees it

    def test_retry_postfix(self):
        self.check_retry("retry-postfix", "server: handshake_failure")

    def test_retry_exim(self):
        self.check_retry("retry-exim", "server: protocol_version")

    def test_retry_opensmtpd(self):
        self.check_retry("retry-opensmtpd", "server: handshake_failure")

    def test_retry_at_once_behind_a_reset(self):
        self.check_retry("middlebox-garbles", None)

    def test_without_the_memory_it_is_the_client(self):
        """The same retry alone: what one connection shows, and no more."""
        sessions = labels("retry-postfix")
        message, = self.replay("retry-postfix", only(sessions[-1:])).of("message")
        self.assertEqual(message["postcard"]["reason"], "not-requested")
        self.assertNotIn("related", message["postcard"])

    # ------------------------------------------------------------------------------------ stripping

    def test_stripped_by_mask(self):
        done = self.replay("middlebox-masks")
        self.assertEqual(done.field("message", 0, "postcard.reason"), "stripped")
        self.assertEqual(self.names(done), ["TLS stripped: the offer was changed"])
        self.assertEqual(done.field("alert", 0, "postcard.level"), "critical")

    def test_stripped_by_history(self):
        name = "middlebox-comes-and-goes"
        sessions = labels(name)
        self.assertEqual([s["verdict"] for s in sessions[:5]], ["encrypted"] * 4 + ["cleartext"])
        for done in self.both_ways(name, 4):
            message, = done.of("message")
            baseline = message["postcard"]["baseline"]
            self.assertEqual(message["postcard"]["reason"], "stripped")
            self.assertEqual((baseline["verdict"], baseline["confidence"], baseline["offered"]), ("vanished", "high", 4))
            self.assertEqual(self.names(done), ["TLS stripped: a constant offer vanished"])
            self.assertEqual(self.names(done, "resolved"), ["TLS stripped: a constant offer vanished"])
            self.assertEqual((baseline["clients"], baseline["keyword_sets"], baseline["tls_version"]), (1, 1, ["1.3"]))

    def test_the_report_states_the_confidence(self):
        report = postcard.run(postcard.binary(), ["-r", "pcaps/middlebox-comes-and-goes.pcap"]).stdout.decode()
        self.assertIn("TLS was offered in 4 of 4 earlier connections, to 1 network, last at 2026-11-24 02:06:16 UTC; that"
                      " it was removed is of high confidence", " ".join(report.split()))
        report = postcard.run(postcard.binary(), ["-r", "pcaps/not-offered.pcap"]).stdout.decode()
        self.assertIn("Baseline no baseline: this server was not seen before", " ".join(report.split()))

    def test_resolved_in_a_later_run(self):
        """The alert is open in the state file until three sealed connections in a row."""
        name = "middlebox-comes-and-goes"
        sessions = labels(name)[:8]
        self.assertEqual([s["verdict"] for s in sessions[5:]], ["encrypted"] * 3)
        for first in (5, 6, 7):  # some of the three may be those of the first run
            done = self.in_two_runs(name, sessions, first)
            self.assertEqual((self.names(done), self.names(done, "resolved")),
                             ([], ["TLS stripped: a constant offer vanished"]), first)
            os.remove(os.path.join(self.folder.name, name + ".state"))

    def test_first_contact_has_no_baseline(self):
        name = "middlebox-comes-and-goes"
        message, = self.replay(name, only(labels(name)[4:5])).of("message")
        self.assertEqual((message["postcard"]["reason"], message["postcard"]["baseline"]),
                         ("not-offered", {"verdict": "none"}))

    def test_one_earlier_offer_is_no_proof(self):
        for done in self.both_ways("middlebox-deletes", 1):
            message, = done.of("message")
            self.assertEqual(message["postcard"]["reason"], "not-offered")
            self.assertEqual(message["postcard"]["baseline"]["verdict"], "vanished")
            self.assertEqual(message["postcard"]["baseline"]["confidence"], "low")

    # ------------------------------------------------------------------------------------ forced TLS

    def policy(self, line):
        return ["--config", self.file("postcard.yml", "policies:\n  - %s\n" % line)]

    def test_violated_policy(self):
        done = self.replay("office", *self.policy("{domain: example.net, tls: encrypt}"))
        judged = [m["postcard"]["policy"] for m in done.of("message") if "policy" in m["postcard"]]
        self.assertEqual(judged, [{"domain": ["example.net"], "wants": "encrypt", "verdict": "violated",
                                   "source": "config", "cause": "cleartext"}])
        alert, = [a for a in done.of("alert") if a["rule"]["name"].startswith("Policy violated")]
        self.assertIn("example.net", alert["message"])

    def test_policy_of_a_peer_is_kept_or_not(self):
        """Who talks to that server must use TLS: those who did are kept, as encryption is all that is wanted."""
        done = self.replay("office", *self.policy("{peer: 198.51.100.25, tls: encrypt}"))
        verdicts = {}
        for s in done.of("session"):
            verdicts.setdefault(s["source"]["ip"], set()).add(postcard.dig(s, "postcard.policy.verdict"))
        self.assertEqual(verdicts, {"192.0.2.10": {"kept"}, "192.0.2.60": {"kept"}, "192.0.2.31": {"violated"},
                                    "192.0.2.40": {"violated"}, "192.0.2.50": {postcard.ABSENT}})

    def test_verified_tls_cannot_be_proved_by_who_listens(self):
        done = self.replay("starttls-tls13", *self.policy("{peer: 198.51.100.25, tls: verify}"))
        self.assertEqual(done.field("session", 0, "postcard.policy.verdict"), "not-provable")

    def test_a_policy_of_mta_sts(self):
        self.file("sts.txt", "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n")
        line = "{import: mta-sts, file: sts.txt, domain: example.net, fetched: 2026-11-20}"
        done = self.replay("office", *self.policy(line))
        self.assertEqual([m["postcard"]["policy"]["source"] for m in done.of("message") if "policy" in m["postcard"]],
                         ["mta-sts"])
        self.file("sts.txt", "version: STSv1\nmode: testing\nmx: *.example.net\nmax_age: 604800\n")
        done = self.replay("office", *self.policy(line))
        self.assertNotIn("violated", [postcard.dig(m, "postcard.policy.verdict") for m in done.of("message")])

    # ------------------------------------------------------------------------------------- acceptance

    def exception(self, what, until):
        self.file("extra/exceptions/x.yml", """
title: Scanner in the hall
logsource: {product: postcard}
filter:
  rules: any
  selection: {%s}
  condition: not selection
postcard: {owner: Ann, reason: it has no TLS, expires: %s}
""" % (what, until))
        return ["--rules-extra", os.path.join(self.folder.name, "extra")]

    def test_accepted_printer(self):
        """No alert of it, and it is not forgotten: the records say who accepted it, the summary how often."""
        done = self.replay("office", *self.exception("source.ip: 192.0.2.31", "2027-06-30"))
        self.assertNotIn("192.0.2.31", [a["source"]["ip"] for a in done.of("alert")])
        accepted = [m["postcard"]["accepted"] for m in done.of("message") if "accepted" in m["postcard"]]
        self.assertEqual(len(accepted), 12)
        self.assertEqual((accepted[0]["title"], accepted[0]["owner"]), ("Scanner in the hall", "Ann"))
        self.assertGreaterEqual(done.field("summary", 0, "postcard.summary.accepted"), 12)
        report = postcard.run(postcard.binary(), ["-r", "pcaps/office.pcap"] + self.exception("source.ip: 192.0.2.31", "2027-06-30"))
        text = report.stdout.decode()
        self.assertRegex(text, r"Accepted +times\n +Scanner in the hall +Ann, until 2027-06-30 +12\n")

    def test_accepted_by_recipient(self):
        """A connection has no recipients: it is accepted where all its mails are."""
        done = self.replay("office", *self.exception("email.to.address: anna@example.org, source.ip: 192.0.2.31",
                                                     "2027-06-30"))
        self.assertNotIn("192.0.2.31", [a["source"]["ip"] for a in done.of("alert")])
        self.assertEqual({postcard.dig(s, "postcard.accepted.owner") for s in done.of("session")
                          if s["source"]["ip"] == "192.0.2.31"}, {"Ann"})

    def test_acceptance_ends(self):
        """By the time of the packets, 2026-11-23: its last day is one on which it holds."""
        for until, silent in (("2026-11-22", False), ("2026-11-23", True)):
            done = self.replay("office", *self.exception("source.ip: 192.0.2.31", until))
            self.assertEqual("192.0.2.31" in [a["source"]["ip"] for a in done.of("alert")], not silent, until)

    def test_credentials_are_never_silenced(self):
        """192.0.2.40 logs in with a password: its alert stays, lower."""
        plain = [a for a in self.replay("office").of("alert") if a["source"]["ip"] == "192.0.2.40"]
        done = self.replay("office", *self.exception("source.ip: 192.0.2.40", "2027-06-30"))
        left = [a for a in done.of("alert") if a["source"]["ip"] == "192.0.2.40"]
        self.assertIn("Password or token readable", [a["rule"]["name"] for a in plain])
        self.assertEqual([a["rule"]["name"] for a in left], ["Password or token readable"])
        self.assertEqual(left[0]["postcard"]["accepted"]["owner"], "Ann")

    # ----------------------------------------------------------------------------------------- alerts

    def test_a_policy_and_an_exception_in_a_later_run(self):
        """What is violated is one alert in both runs; what is accepted in the second is silent there, and back behind
        its last day."""
        sessions = [s for s in labels("office") if s["client"].startswith("192.0.2.31:")]
        policy = self.policy("{domain: example.org, tls: encrypt}")
        state = ["--state", os.path.join(self.folder.name, "office.state")] + policy
        first = self.replay("office", *state, only(sessions[:5]))
        self.assertEqual(self.names(first), ["Mail readable: the client ignored the offer", "Policy violated: TLS is required"])
        accepted = self.replay("office", *state, *self.exception("source.ip: 192.0.2.31", "2027-06-30"), only(sessions[5:8]))
        self.assertEqual(len(accepted.of("alert")), 0)
        self.assertEqual({m["postcard"]["accepted"]["owner"] for m in accepted.of("message")}, {"Ann"})
        over = self.replay("office", *state, *self.exception("source.ip: 192.0.2.31", "2026-11-22"), only(sessions[8:]))
        self.assertEqual(self.names(over), [])
        self.assertEqual(self.names(over, "repeated"), self.names(first))
        for done in (first, accepted, over):
            self.assertEqual({m["postcard"]["policy"]["verdict"] for m in done.of("message")}, {"violated"})

    def test_an_open_alert_goes_on_in_a_later_run(self):
        """The scanner's mails: one alert in the first run, and counted, not told anew, in the second."""
        sessions = [s for s in labels("office") if s["client"].startswith("192.0.2.31:")]
        state = ["--state", os.path.join(self.folder.name, "office.state")]
        first = self.replay("office", *state, only(sessions[:5]))
        second = self.replay("office", *state, only(sessions[5:]))
        self.assertEqual(self.names(first), ["Mail readable: the client ignored the offer"])
        self.assertEqual(self.names(second), [])
        once = self.replay("office", only(sessions))
        self.assertEqual(self.names(once), self.names(first))

    @unittest.skipUnless(shutil.which("tshark"), "no tshark")
    def test_display_filters(self):
        """Wireshark takes them as they are, and shows packets of that connection and no others."""
        for name in ("office", "ipv6-clear", "three-messages", "retry-postfix", "middlebox-comes-and-goes"):
            for alert in self.replay(name).of("alert"):
                shown = subprocess.run(["tshark", "-r", "pcaps/%s.pcap" % name, "-Y", alert["postcard"]["wireshark"], "-T",
                                        "fields", "-e", "tcp.srcport", "-e", "tcp.dstport"], capture_output=True, check=True)
                ends = {str(alert["source"]["port"]), str(alert["destination"]["port"])}
                packets = [set(line.split("\t")) for line in shown.stdout.decode().splitlines()]
                self.assertGreaterEqual(len(packets), alert["source"]["packets"], alert["postcard"]["wireshark"])
                self.assertEqual([p for p in packets if p != ends], [], alert["postcard"]["wireshark"])

    def test_one_replay_and_two_give_the_same_records(self):
        """Messages, sessions and alerts of the second half, in all their fields: what failed, what was offered, the
        events of correlations and the sealed connections in a row are remembered."""
        for name, first in (("retry-postfix", 2), ("retry-exim", 1), ("middlebox-comes-and-goes", 4),
                            ("middlebox-deletes", 1)):
            sessions = labels(name)
            ports = {port_of(s) for s in sessions[first:]}
            whole, later = self.replay(name), self.in_two_runs(name, sessions, first)
            for kind in ("message", "session", "alert"):
                def told(done, kind=kind):
                    # what is open at the end of a capture ends in the order of a table: which connection was the
                    # third sealed one, and so when an alert was resolved, may differ there
                    return [{k: v for k, v in postcard.flatten(r).items() if k != "@timestamp" or
                             postcard.dig(r, "postcard.alert.state") != "resolved"}
                            for r in done.of(kind) if r["source"]["port"] in ports]
                self.assertEqual(told(whole), told(later), name)


if __name__ == "__main__":
    unittest.main()
