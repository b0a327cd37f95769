"""Rules, configuration and state as their users meet them: what is loaded, what is refused and how, reloading."""
import glob
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

import postcard

RULE = """title: %s
name: %s
taxonomy: ecs
logsource: {product: postcard}
detection:
  selection: {postcard.outcome: cleartext}
  condition: selection
level: %s
"""
EXCEPTION = """title: Old printer
logsource: {product: postcard}
filter:
  rules: any
  selection: {source.ip: 192.0.2.31}
  condition: not selection
postcard: {owner: Ann, reason: no TLS in it, expires: 2027-06-30}
"""


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def run_it(self, *args):
        return postcard.run(postcard.binary(), args)


class Refused(Base):
    """One line on standard error that begins with file, line and column; status 2; nothing else."""

    def refused(self, args, place, *words):
        for more in (["-T"], ["-r", "pcaps/office.pcap"], ["-r", "pcaps/office.pcap", "--json"]):
            done = self.run_it(*(list(args) + more))
            err = done.stderr.decode()
            self.assertEqual((done.code, done.stdout), (2, b""), err)
            self.assertEqual(err.count("\n"), 1, err)
            self.assertTrue(err.startswith("postcard: " + place), err)
            for w in words:
                self.assertIn(w, err)

    def rule(self, text, where, *words):
        path = self.file("x.yml", text)
        self.refused(["--rules", path], path + where, *words)
        self.refused(["--rules-extra", path], path + where, *words)

    def config(self, text, where, *words):
        path = self.file("postcard.yml", text)
        self.refused(["--config", path], path + where, *words)

    def test_broken_yaml(self):
        self.rule("title: [a\nb: c\n", ":2:")
        self.rule("title: 'a\n", ":")
        self.rule(b"title: \xff\xfe\n", ":")
        self.rule("title: a\ntitle: b\n", ":2:1: ", "'title'", "twice")
        self.rule("&a title: *a\n", ":1:1: ", "anchors and aliases")
        self.rule("title: !!python/name:os.system x\n", ":1:8: ", "tags (!) are not taken")
        self.rule((RULE % ("t", "t", "low")).replace("  selection", "\tselection"), ":6:1: ")

    def test_marks_and_line_ends_of_others(self):
        """A mark of the octet order, CR LF and UTF-16 are no fault."""
        text = RULE % ("t", "t", "low")
        for octets in (b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode(), text.encode("utf-16")):
            done = self.run_it("-T", "--rules", self.file("x.yml", octets))
            self.assertEqual((done.code, done.stderr), (0, b""), octets)

    def test_deep_nesting_and_huge_files(self):
        self.rule("title: " + "[" * 5000, ":1:")
        self.rule("# " + "x" * 5000000 + "\n", ": ", "more than 4194304 octets")

    def test_unknown_field(self):
        self.rule(RULE.replace("outcome", "outcom") % ("t", "t", "low"), ":6:15: ", "'postcard.outcom'",
                  "did you mean 'postcard.outcome'?")

    def test_wrong_values(self):
        self.rule(RULE.replace("cleartext}", "cleartxt}") % ("t", "t", "low"), ":6:33: ", "'cleartxt'",
                  "did you mean 'cleartext'?")
        self.rule(RULE % ("t", "t", "severe"), ":8:8: ", "'severe'")
        self.rule(RULE.replace("selection}", "selection and") % ("t", "t", "low") + "x: y\n", ":9:1: ", "'x'")
        self.rule(RULE.replace("condition: selection", "condition: selecion") % ("t", "t", "low"), ":7:14: ",
                  "did you mean 'selection'?")
        self.rule(RULE.replace("{postcard.outcome: cleartext}", "{postcard.outcome|re: '(a'}") % ("t", "t", "low"), ":6:",
                  "expression")
        self.rule(RULE.replace("{postcard.outcome: cleartext}", "{source.ip|cidr: 10.0.0.0/33}") % ("t", "t", "low"), ":6:",
                  "10.0.0.0/33")
        self.rule(RULE.replace("{postcard.outcome: cleartext}", "{source.ip|cidr|expand: '%%homenet%%'}") % ("t", "t", "low"),
                  ":6:38: ", "%homenet% has no value", "did you mean %home_net%?")

    def test_a_rule_for_other_logs(self):
        self.rule(RULE.replace("postcard}", "windows}") % ("t", "t", "low"), ":4:22: ", "'windows'")

    def test_two_of_one_name(self):
        path = self.file("x.yml", RULE % ("a", "same", "low") + "---\n" + RULE % ("b", "same", "low"))
        self.refused(["--rules", path], path + ":10:1: ", "'same'", path + ":1")

    def test_correlations_in_a_circle(self):
        text = "---\n".join("title: %s\nname: %s\ncorrelation: {type: temporal, rules: [%s], timespan: 1h}\nlevel: low\n"
                            % (a, a, b) for a, b in (("aa", "bb"), ("bb", "aa")))
        self.rule(text, ":1:1: ", "names itself")

    def test_correlations_that_miss_something(self):
        head = RULE % ("e", "event", "low") + "---\ntitle: c\ncorrelation:\n  type: %s\n  rules: [event]\n"
        self.rule(head % "event_count" + "  timespan: 1h\n", ":12:9: ", "'condition' is missing")
        self.rule(head % "event_count" + "  condition: {gte: 2}\n", ":12:3: ", "'timespan' is missing")
        self.rule(head % "value_count" + "  timespan: 1h\n  condition: {gte: 2}\n", ":12:9: ", "whose values?")
        self.rule(head % "value_percentile" + "  timespan: 1h\n  condition: {field: source.bytes, lte: 1}\n", ":12:9: ",
                  "'percentile' is missing")
        self.rule(head % "event_count" + "  timespan: 1h\n  condition: {lte: 2}\n", ":15:14: ", "lower bound")

    def test_an_exception_without_an_end(self):
        folder = os.path.dirname(self.file("exceptions/x.yml", EXCEPTION.replace(", expires: 2027-06-30", "")))
        self.refused(["--rules-extra", self.folder], os.path.join(folder, "x.yml") + ":", "expires")

    def test_an_exception_that_is_a_rule(self):
        folder = os.path.dirname(self.file("exceptions/x.yml", RULE % ("t", "t", "low")))
        self.refused(["--rules-extra", self.folder], os.path.join(folder, "x.yml") + ":", "only filters")

    def test_texts(self):
        path = self.file("texts/advice.yml", "levels: []\n")
        self.refused(["--rules-extra", self.folder], path + ":1:")

    def test_missing_rules(self):
        self.refused(["--rules", "/nowhere/rules"], "/nowhere/rules: ", "No such file")
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        self.refused(["--rules", empty], empty + ": ", "no rules")
        for nothing in ("", "# nothing\n", "---\n---\n"):
            path = self.file("empty.yml", nothing)
            self.refused(["--rules", path], path + ": ", "no rule in it")
            self.refused(["--rules-extra", path], path + ": ", "no rule in it")

    def test_configuration(self):
        self.config("home-nett: 10.0.0.0/8\n", ":1:1: ", "'home-nett'", "did you mean 'home-net'?")
        self.config("home-net: 10.0.0.0/40\n", ":1:11: ", "10.0.0.0/40")
        self.config("json: maybe\n", ":1:7: ")
        self.config("- a\n", ":1:1: ")
        self.config("placeholders: {home_net: 10.0.0.0/8}\n", ":1:16: ", "home-net")
        self.config("quiet: true\n---\nquiet: true\n", ":3:1: ")
        self.refused(["--config", "/nowhere.yml"], "/nowhere.yml: ", "No such file")

    def test_policies(self):
        self.config("policies: {domain: x.example}\n", ":1:11: ")
        self.config("policies:\n  - {domain: x.example, tls: strict}\n", ":2:30: ", "'strict'", "verify")
        self.config("policies:\n  - {domian: x.example, tls: may}\n", ":2:6: ", "did you mean 'domain'?")
        self.config("policies:\n  - {domain: 'x..example', tls: may}\n", ":2:14: ", "x..example")
        self.config("policies:\n  - {import: postfix, file: nowhere}\n", ":2:", "nowhere")
        table = self.file("tls_policy", "# ours\nx.example encrypt\ny.example sometimes\n")
        self.config("policies:\n  - {import: postfix, file: tls_policy}\n", ":2:", table + ":3: ", "sometimes")

    def test_state(self):
        done = self.run_it("-r", "pcaps/office.pcap", "--state", "/nowhere/x.state")
        self.assertEqual((done.code, done.stdout), (2, b""))
        self.assertTrue(done.stderr.startswith(b"postcard: /nowhere/x.state: "), done.stderr)
        path = self.file("x.state", "this is no database, and must stay as it is\n" * 100)
        done = self.run_it("-r", "pcaps/office.pcap", "--state", path)
        self.assertEqual((done.code, done.stdout), (2, b""))
        self.assertIn(path, done.stderr.decode())
        with open(path, "rb") as f:
            self.assertIn(b"must stay as it is", f.read())


class Loaded(Base):
    def test_what_is_loaded(self):
        said = self.run_it("-T").stdout.decode()
        count = len([f for f in os.listdir("rules") if f.endswith(".yml")])
        loaded = re.search(r"^rules +(\d+), and (\d+) correlations and 0 filters \(shipped\)$", said, re.M)
        self.assertGreaterEqual(int(loaded[1]) + int(loaded[2]), count)
        self.assertRegex(said, r"(?m)^configuration +none$")

    def test_rules_that_are_not_active_are_named(self):
        """Deprecated ones, by their status: loaded and asleep, which nobody should have to guess."""
        path = self.file("x.yml", (RULE % ("Old", "old", "low")) + "status: deprecated\n---\n" + RULE % ("New", "new", "low"))
        said = self.run_it("-T", "--rules", path).stdout.decode()
        self.assertRegex(said, r"(?m)^  low +rule +Old  \(.*x.yml:1\)  not active$")
        self.assertNotIn("New", said)
        done = self.run_it("-r", "pcaps/office.pcap", "--json", "--rules", path)
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"New"})

    def test_correlations_of_every_kind(self):
        """In the forms that the specification's own tests have: conditions as maps and as texts, days as 24h."""
        events = "---\n".join(RULE.replace("outcome: cleartext", "count: %d" % i) % (n, n, "low")
                              for i, n in enumerate(("cmd_a", "cmd_b", "cmd_c")))
        whole = "condition: cmd_a AND cmd_b AND cmd_c"
        for kind, rest in (("event_count", "condition: {gte: 100}"), ("temporal", whole), ("temporal", ""),
                           ("temporal_ordered", whole), ("temporal_ordered", ""),
                           ("value_count", "condition: {field: postcard.helo, gte: 100}"),
                           ("value_sum", "condition: {field: source.bytes, gt: 1000000}"),
                           ("value_avg", "condition: {field: source.bytes, gt: 500}"),
                           ("value_min", "condition: {field: source.bytes, lt: 500}"),
                           ("value_max", "condition: {field: source.bytes, gte: 500}"),
                           ("value_median", "condition: {field: source.bytes, gte: 500}"),
                           ("value_percentile", "percentile: 99\n    condition: {field: source.bytes, lte: 1}")):
            text = ("---\ntitle: Recon\ncorrelation:\n    type: %s\n    rules: [cmd_a, cmd_b, cmd_c]\n"
                    "    group-by:\n        - source.ip\n        - postcard.helo\n    timespan: 24h\n    %s\n" % (kind, rest))
            done = self.run_it("-T", "--rules", self.file("x.yml", events + text))
            self.assertEqual((done.code, done.stderr), (0, b""), text)
            self.assertIn(b"rules            3, and 1 correlation and 0 filters", done.stdout)

    def test_rules_replace_and_extra_adds(self):
        mine = self.file("mine/x.yml", RULE % ("My own", "mine", "medium"))
        self.assertIn("rules            1, and 0 correlations", self.run_it("-T", "--rules", mine).stdout.decode())
        both = self.run_it("-T", "-v", "--rules-extra", os.path.dirname(mine)).stdout.decode()
        self.assertRegex(both, r"(?m)^  medium +rule +My own  \(.*mine/x.yml:1\)$")
        self.assertIn("Password or token readable", both)
        done = self.run_it("-r", "pcaps/office.pcap", "--json", "--rules", mine)
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"My own"})
        self.assertEqual({a["postcard"]["level"] for a in done.of("alert")}, {"medium"})
        self.assertEqual({m["postcard"]["level"] for m in done.of("message")}, {"medium"})

    def test_a_folder_of_ones_own_texts(self):
        """The shipped table, with other words for what the client is to do."""
        with open("rules/texts/advice.yml", encoding="utf-8") as f:
            text = f.read()
        i = text.index("\nadvice:")
        self.file("r/texts/advice.yml", text[:i] + "\nadvice:\n  - text: Ring 4711.\n")
        self.file("r/x.yml", RULE % ("t", "t", "high"))
        done = self.run_it("-r", "pcaps/office.pcap", "--json", "--rules", os.path.join(self.folder, "r"))
        self.assertEqual({a["postcard"]["advice"] for a in done.of("alert")}, {"Ring 4711."})

    def test_a_report_makes_what_rules_ask_for(self):
        """Of what no card shows words and makers are left out: not where a rule's key or a text has them."""
        self.file("rules/keyed.yml", """title: Keyed by its words
taxonomy: ecs
logsource: {product: postcard, service: session}
detection:
  selection: {postcard.outcome: encrypted}
  condition: selection
level: medium
postcard: {message: 'sealed by {client}', key: [message]}
""")
        captures = sorted(glob.glob("pcaps/*.pcap*"))
        done = self.run_it("-q", "--rules-extra", self.folder + "/rules", "-r", *captures)
        line = re.search(rb"Keyed by its words.*? (\d+) +(\d+)\n", done.stdout)
        done = self.run_it("--json", "--rules-extra", self.folder + "/rules", "-r", *captures)
        alerts = [a for a in done.of("alert") if a["rule"]["name"] == "Keyed by its words" and a["postcard"]["alert"]["state"] == "new"]
        self.assertGreater(len(alerts), 5)
        self.assertEqual(int(line[1]), len(alerts))

    def test_a_text_that_asks_who(self):
        with open("rules/texts/advice.yml", encoding="utf-8") as f:
            texts = f.read()
        self.assertEqual(texts.count("\nbecause:\n"), 1)
        texts = texts.replace("\nbecause:\n", "\nbecause:\n  - when: {server: Postfix}\n    text: because it is Postfix\n")
        self.file("rules/texts/advice.yml", texts)
        self.file("rules/failed.yml", """title: Failed
taxonomy: ecs
logsource: {product: postcard, service: session}
detection:
  selection: {postcard.outcome: tls-failed}
  condition: selection
level: medium
postcard: {message: 'failed {because}'}
""")
        done = self.run_it("--rules-extra", self.folder + "/rules", "-r", "pcaps/client-rejects-certificate.pcap")
        self.assertIn("failed because it is Postfix", " ".join(done.stdout.decode().split()))

    def test_placeholders(self):
        rule = (RULE % ("t", "t", "low")).replace("postcard.outcome: cleartext", "source.ip|cidr|expand: '%printers%'")
        self.file("x.yml", rule)
        path = self.file("postcard.yml", "rules: x.yml\nplaceholders: {printers: [192.0.2.31, 192.0.2.50/32]}\n")
        done = self.run_it("-r", "pcaps/office.pcap", "--json", "--config", path)
        self.assertEqual({a["source"]["ip"] for a in done.of("alert")}, {"192.0.2.31", "192.0.2.50"})

    def test_the_command_line_goes_before_the_configuration(self):
        path = self.file("postcard.yml", "fail-on: critical\nhome-net: 192.0.2.0/24\njson: true\n")
        done = self.run_it("-r", "pcaps/office.pcap", "--config", path)
        self.assertEqual(done.code, 1)
        self.assertIn(b'"direction":"outbound"', done.stdout)
        done = self.run_it("-r", "pcaps/helo-only.pcap", "--config", path, "--fail-on", "cleartext", "--home-net",
                           "198.51.100.0/24")
        self.assertEqual(done.code, 1)
        self.assertIn(b'"direction":"inbound"', done.stdout)

    def test_exceptions_are_named(self):
        self.file("exceptions/p.yml", EXCEPTION)
        self.file("exceptions/q.yml", EXCEPTION.replace("Old printer", "Older printer").replace("2027-06-30", "2024-01-31"))
        said = self.run_it("-T", "--rules-extra", self.folder).stdout.decode()
        self.assertIn("  accepted       Old printer (Ann, until 2027-06-30)\n", said)
        self.assertIn("  accepted       Older printer (Ann, until 2024-01-31: over, its alerts are back)\n", said)

    def test_what_files_of_others_say_is_safe_to_show(self):
        self.file("exceptions/p.yml", EXCEPTION.replace("Old printer", r'"Old\e[2J\nprinter"'))
        self.file("r.yml", RULE % (r'"New\e[2J\nrule"', "new", "low"))
        said = self.run_it("-T", "-v", "--rules-extra", self.folder).stdout.decode()
        self.assertIn(r"  accepted       Old\x1b[2J\x0aprinter (Ann, until", said)
        self.assertIn(r" New\x1b[2J\x0arule  (", said)
        self.assertNotIn("\x1b", said)

    def test_an_expression_cannot_take_for_ever(self):
        """(a+)+$ against many a's: the expression gives up at its limit, and the run says so."""
        rule = RULE.replace("{postcard.outcome: cleartext}", "{postcard.helo|re: '^([a-z.]+)+$$'}")
        path = self.file("x.yml", rule % ("t", "t", "low"))
        begin = time.monotonic()
        done = self.run_it("-r", "pcaps/office.pcap", "--json", "--rules", path)
        self.assertEqual(done.code, 0)
        self.assertLess(time.monotonic() - begin, 20)


class Reloading(Base):
    """SIGHUP, while a capture comes in by a pipe."""

    FIRST = 400  # octets that hold a packet: it reads by then

    def setUp(self):
        super().setUp()
        with open("pcaps/helo-only.pcap", "rb") as f:
            self.capture = f.read()
        self.path = self.file("x.yml", RULE % ("The first", "one", "low"))

    def wait_for(self, what, true):
        end = time.monotonic() + 60
        while not true():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.01)

    @staticmethod
    def catches(pid):
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            return int(re.search(r"SigCgt:\s*([0-9a-f]+)", f.read())[1], 16) & 1 << signal.SIGHUP - 1

    def replay(self, text, before, more=(), anew=None):
        """Gives it `before` octets of the capture, other rules (or what `anew` does) and SIGHUP, then the rest."""
        said = os.path.join(self.folder, "said")
        with open(said, "wb") as err, \
                subprocess.Popen([postcard.binary(), "-r", "-", "--json", "--rules", self.path] + list(more), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=err) as p:
            p.stdin.write(self.capture[:before])
            p.stdin.flush()
            self.wait_for("it catches the signal", lambda: self.catches(p.pid))
            time.sleep(0.2)
            if anew:
                anew()
            self.file("x.yml", text)
            p.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            p.stdin.write(self.capture[before:self.FIRST + 200])
            p.stdin.flush()
            self.wait_for("it says what it did", lambda: os.path.getsize(said) > 0)
            p.stdin.write(self.capture[self.FIRST + 200:])
            p.stdin.close()
            done = postcard.Done(0, p.stdout.read(), b"")
            self.assertEqual(p.wait(60), 0)
        with open(said, encoding="utf-8") as f:
            return done, f.read()

    def test_good_rules(self):
        done, said = self.replay(RULE % ("The second", "two", "high"), self.FIRST)
        self.assertEqual(said, "postcard: reloaded: 1 rule\n")
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"The second"})

    def test_before_the_first_packet(self):
        done, said = self.replay(RULE % ("The second", "two", "high"), 30)
        self.assertEqual(said, "postcard: reloaded: 1 rule\n")
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"The second"})

    def test_bad_rules(self):
        done, said = self.replay(RULE.replace("outcome", "outcom") % ("The second", "two", "high"), self.FIRST)
        self.assertTrue(said.startswith("postcard: not reloaded, all stays as it was: %s:6:15: " % self.path), said)
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"The first"})

    def test_home_networks(self):
        """What is ours is read anew from the configuration."""
        config = self.file("p.yml", "home-net: 203.0.113.0/24\n")
        directions = []
        for anew in (None, lambda: self.file("p.yml", "home-net: 192.0.2.0/24\n")):
            done, said = self.replay(RULE % ("The first", "one", "low"), self.FIRST, ["--config", config], anew)
            self.assertEqual(said, "postcard: reloaded: 1 rule\n")
            directions.append({r["network"]["direction"] for r in done.of("session")})
        self.assertEqual(directions, [{"external"}, {"outbound"}])

    def test_a_bad_database(self):
        """Databases are read anew, all or nothing: rules stay as they were, too."""
        config = self.file("p.yml", "json: yes\n")
        self.file("geo/country.mmdb", b"this is no database" * 100)
        done, said = self.replay(RULE % ("The second", "two", "high"), self.FIRST, ["--config", config],
                                 lambda: self.file("p.yml", "geoip: geo\n"))
        self.assertTrue(said.startswith("postcard: not reloaded, all stays as it was: "), said)
        self.assertIn("country.mmdb", said)
        self.assertEqual({a["rule"]["name"] for a in done.of("alert")}, {"The first"})


if __name__ == "__main__":
    unittest.main()
