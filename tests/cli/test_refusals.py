"""Every complaint about rules and policies, provoked once: a line that names file and line and says what is wrong."""
import os
import tempfile
import unittest

import postcard

HEAD = "title: t\nname: %s\ntaxonomy: ecs\nlogsource: {product: postcard}\n"
TAIL = "level: low\n"
DETECT = "detection:\n  a: {%s}\n  condition: %s\n"
GOOD = HEAD % "one" + DETECT % ("postcard.outcome: cleartext", "a") + TAIL
OTHER = GOOD.replace("name: one", "name: two")
FILTER = "title: f\nname: fil\nlogsource: {product: postcard}\nfilter:\n%s  a: {source.ip: 192.0.2.1}\n  condition: not a\n" \
         "postcard: {owner: Ann, reason: no TLS, expires: 2027-06-30}\n"
LINK = "title: c\nname: c\ncorrelation: {%s}\nlevel: low\n"
COUNT = "type: event_count, rules: [one], timespan: 1h, "
BOTH = "type: temporal, rules: [one, two], timespan: 1h"
ORDERED = "type: temporal_ordered, rules: [one, two], timespan: 1h"


def detect(selection, condition="a"):
    return HEAD % "one" + DETECT % (selection, condition) + TAIL


def with_line(line):
    return GOOD + line + "\n"


def link(what):
    return GOOD + "---\n" + OTHER + "---\n" + LINK % what


RULES = [
    # conditions
    (detect("postcard.helo: x", "a and"), "a name is expected at its end"),
    (detect("postcard.helo: x", "1 of ("), "a name, a pattern or 'them' is expected"),
    (detect("postcard.helo: x", "1 of b*"), "no name matches the pattern"),
    (detect("postcard.helo: x", "a | count() > 5"), "write a correlation"),
    (detect("postcard.helo: x", "(" * 100 + "a" + ")" * 100), "nested too deeply"),
    (detect("postcard.helo: x", "a and " * 2000 + "a"), "too many"),
    # correlations
    (link(COUNT + "condition: {gte: 2}, tpye: x"), "part of a correlation"),
    (link("rules: [one], timespan: 1h, condition: {gte: 2}"), "'type' is missing"),
    (link("type: event_count, timespan: 1h, condition: {gte: 2}"), "'rules' is missing"),
    (link("type: event_count, rules: [], timespan: 1h, condition: {gte: 2}"), "the names or ids of rules are expected here"),
    (link("type: temporal, rules: [one, one], timespan: 1h"), "stands there twice"),
    (link("type: event_count, rules: [one], timespan: 400d, condition: {gte: 2}"), "longer than a year"),
    (link(COUNT + "condition: {gte: 2}, group-by: []"), "fields are expected here"),
    (link(COUNT + "condition: {gte: 2}, group-by: [%s]" % ", ".join(["source.ip"] * 40)), "more than"),
    (link(COUNT + "condition: {gt: 2, gtr: 3}"), "comparison"),
    (link(COUNT + "condition: {gte: 99999999999999999999}"), "number"),
    (link(COUNT + "condition: {gte: 2, lt: 9, lte: 8}"), "more than two comparisons"),
    (link(COUNT + "condition: {gte: 10001}"), "counts end at"),
    (link(COUNT + "condition: 2"), "a map of comparisons is expected"),
    (link(BOTH + ", condition: {gte: 5}"), "of a temporal correlation only 'gte'"),
    (link(BOTH + ", condition: one"), "is not used by the condition"),
    (link(ORDERED + ", condition: one or two"), "joins rules by 'and' only"),
    (link(BOTH + ", group-by: [w], aliases: {w: {three: source.ip}}"), "rule of this correlation"),
    (link(BOTH + ", group-by: [w], aliases: {w: {one: source.ip}}"), "the alias has no field for the rule"),
    (GOOD + "---\n" + FILTER % "  rules: [one]\n" + "---\n" + LINK % "type: event_count, rules: [fil], timespan: 1h, condition: {gte: 2}",
     "is a filter: events are those of rules"),
    (link(COUNT + "condition: {gte: 2}") + "---\n" + FILTER % "  rules: [c]\n", "is no detection rule"),
    (GOOD + "---\n" + FILTER % "", "'rules' is missing: the rules that the filter is for"),
    (GOOD + "---\n" + FILTER % "  rules: []\n", "the rules that the filter is for are expected"),
    # what a rule has besides
    (GOOD.replace("title: t\n", ""), "'title' is missing"),
    (GOOD.replace("level: low\n", ""), "'level' is missing"),
    (GOOD.replace("taxonomy: ecs\n", ""), "'taxonomy: ecs' is missing"),
    (GOOD.replace("logsource: {product: postcard}\n", ""), "'logsource' is missing"),
    (GOOD.replace("product: postcard", "product: postcard, service: sessions"), "is no service of postcard"),
    (GOOD.replace("product: postcard", "product: postcard, servic: session"), "part of a log source"),
    (with_line("status: finished"), "status"),
    (with_line("tags: {a: b}"), "'tags' is a list"),
    (with_line("tags: [%s]" % ", ".join("attack.t%d" % i for i in range(1000, 1100))), "more than"),
    (with_line("references: {a: b}"), "'references' is a list"),
    (with_line("references: [%s]" % ("x" * 300)), "a reference of more than 256 octets"),
    (with_line("generate: true"), "'generate' is for correlations"),
    (with_line("related: [{id: 929a690e-bef0-4204-a928-ef5e620d6fcc, tpye: similar}]"), "part of a related rule"),
    (with_line("postcard: {level: often}"), "'by-path' is expected here"),
    (with_line("postcard: {advice: %s}" % ("x" * 1000)), "octets"),
    # values
    (detect("postcard.helo: []"), "an empty list matches nothing"),
    (GOOD.replace("condition: a", "condition: []"), "a condition is expected here"),
    (detect("postcard.helo|contains|contains: x"), "stands there twice"),
    (detect("postcard.helo|contains|startswith: x"), "exclude each other"),
    (detect("postcard.helo|contains: ''"), "an empty text is in every text"),
    (detect("postcard.helo|re: '%s'" % ("x" * 5000)), "octets"),
    (detect("postcard.helo|contains: '%s'" % ("x" * 5000)), "octets"),
    (detect("postcard.helo: [x, null]"), "null cannot stand in a list"),
    (detect("postcard.helo|contains: null"), "null goes with no modifier"),
    (detect("postcard.helo: {a: b}"), "a value is expected here, not a map"),
    (GOOD.replace("  a: {postcard.outcome: cleartext}", "  a: [[x]]"), "expected"),
]

POLICIES = [
    ("policies:\n  - {domain: [], tls: may}\n", "a domain or a list of them is expected here"),
    ("policies:\n  - {peer: [], tls: may}\n", "an address, a network or a host's name is expected here"),
    ("policies:\n  - {peer: [%s], tls: may}\n" % ", ".join("10.%d.%d.0/24" % (i >> 8, i & 255) for i in range(1030)), "more than"),
    ("policies:\n  - {import: postfix, file: table, domain: x.example}\n", "the file itself names the domains"),
    ("policies:\n  - {import: postfix, file: table, fetched: 2026-01-01}\n", "'fetched' goes with mta-sts only"),
    ("policies:\n  - {import: postfix, file: table, validated: true}\n", "'validated' goes with tlsa only"),
    ("policies:\n  - {import: postfix, file: '%s'}\n" % ("x" * 5000), "the path is too long"),
    ("policies:\n  - {import: postfix, file: bracket}\n", "']' is missing"),
    ("policies:\n  - {import: postfix, file: long}\n", "too long"),
    ("policies:\n  - {domain: x.example, import: tlsa, file: tlsa, validated: true}\n", "usage, selector and matching type are expected"),
]


class Refusals(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name, text in (("table", "x.example encrypt\n"), ("bracket", "[x.example encrypt\n"),
                           ("long", "x.example encrypt match=%s\n" % ("x" * 70000)),
                           ("tlsa", "_25._tcp.mx.x.example. IN TLSA 3 1\n")):
            self.file(name, text)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def refused(self, option, path, word):
        done = postcard.run(postcard.binary(), ["-T", option, path])
        said = done.stderr.decode()
        self.assertEqual((done.code, done.stdout, said.count("\n")), (2, b"", 1), said)
        self.assertTrue(said.startswith("postcard: " + self.folder), said)
        self.assertIn(word, said)

    def test_rules(self):
        for text, word in RULES:
            with self.subTest(word=word, text=text[:400]):
                self.refused("--rules", self.file("x.yml", text), word)

    def test_policies(self):
        for text, word in POLICIES:
            with self.subTest(word=word, text=text[:200]):
                self.refused("--config", self.file("p.yml", text), word)

    def test_the_good_ones_are_good(self):
        """Else the tests above might be refused for another reason."""
        for text in (GOOD, link(COUNT + "condition: {gte: 2}"), link(BOTH), link(ORDERED), GOOD + "---\n" + FILTER % "  rules: [one]\n"):
            done = postcard.run(postcard.binary(), ["-T", "--rules", self.file("x.yml", text)])
            self.assertEqual((done.code, done.stderr), (0, b""), text)


if __name__ == "__main__":
    unittest.main()
