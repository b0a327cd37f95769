"""Files that an enemy chose: rules, configuration, state.  Each is read in bounded time and memory, and refused with a message
that names it, or taken."""
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools"))
import measure  # noqa: E402
import postcard  # noqa: E402

LONG = os.environ.get("POSTCARD_LONG", "") == "1"
MIB = 1 << 20
RULE = """title: Rule %d
name: rule_%d
taxonomy: ecs
logsource: {product: postcard}
detection:
  selection: {%s}
  condition: selection
level: low
"""
CAPTURE = "pcaps/office.pcap"


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, octets):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as f:
            f.write(octets if isinstance(octets, bytes) else octets.encode())
        return path

    def takes(self, args, seconds, memory, status=(0, 2)):
        """Runs it; returns (status, standard output, standard error) if it stayed within bounds."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            code, took, peak = measure.run([postcard.binary()] + args, stdout, stderr)
            stdout.seek(0)
            stderr.seek(0)
            out, err = stdout.read(), stderr.read()
        self.assertIn(code, status, err[-2000:])
        if not postcard.sanitized():
            self.assertLess(took, seconds, args)
            self.assertLess(peak, memory, args)
        return code, out, err

    def refuses(self, args, path, word, seconds=5, memory=300 * MIB):
        code, out, err = self.takes(args, seconds, memory)
        self.assertEqual((code, out), (2, b""))
        self.assertIn(path, err.decode())
        self.assertIn(word, err.decode())
        self.assertLess(len(err), 2000)

    def test_yaml_as_large_as_may_be(self):
        """4 MiB of what costs a parser most for an octet."""
        room = (4 << 20) - 100
        for text in ("[" * room, "{" * room, "- " * (room // 2), "a: [" + "x," * (room // 2) + "]\n", "? " * (room // 2),
                     "a: 'b\n" + "\n" * room, "a: \"" + "\\x41" * (room // 4) + "\"\n", "a: &b [*b, *b]\n" * (room // 15),
                     "---\n" * (room // 4), "a: |\n" + " x\n" * (room // 3), "#" + "\n#" * (room // 2),
                     "".join("k%06d: v\n" % i for i in range(room // 11)), "\u00e4" * (room // 2), " " * room + "x"):
            for option in ("--rules", "--config"):
                code, _, err = self.takes(["-T", option, self.file("x.yml", text)], 20, 700 * MIB)
                self.assertIn(b"x.yml" if code == 2 else b"", err)  # of comments alone, nothing is wrong
                self.assertLess(len(err), 2000)

    def test_yaml_without_an_end(self):
        """A pipe is no file of rules; a device neither."""
        for path in ("/dev/zero", "/dev/stdin"):
            code, _, err = self.takes(["-T", "--rules", path], 10, 200 * MIB)
            self.assertEqual(code, 2, err)

    def test_as_many_rules_as_there_may_be(self):
        each = 2048
        for k in range(8):
            self.file("r%d.yml" % k, "---\n".join(
                RULE % (k * each + i, k * each + i, "postcard.helo|contains: 'x%d.y'" % (k * each + i)) for i in range(each)))
        code, _, err = self.takes(["-T", "--rules", self.folder.name], 60, 700 * MIB)
        self.assertEqual(code, 0, err[-1000:])
        code, out, err = self.takes(["-r", CAPTURE, "--json", "--rules", self.folder.name], 90, 700 * MIB)
        self.assertEqual(code, 0, err[-1000:])
        self.assertNotIn(b'"dataset":"postcard.alert"', out)
        self.file("s.yml", RULE % (99999, 99999, "postcard.helo: x"))
        self.refuses(["-T", "--rules", self.folder.name], "s.yml", "more than 16384 rules", 60, 700 * MIB)

    def test_more_files_than_there_may_be(self):
        for i in range(4097):
            self.file("r%d.yml" % i, b"")
        self.refuses(["-T", "--rules", self.folder.name], self.folder.name, "too many files")

    def test_expressions_that_explode(self):
        """Each gives up at its limit of steps, and the run goes on."""
        hostile = ("^(a|a)*$", "^(([a-z.])+.)+[A-Z]([a-z])+$", "(.*)*x", "(?:.*.*)*=", "^(.+)+$", "(a?){50}a{50}", "(x+x+)+y",
                   "((((((a*)*)*)*)*)*)*b", "[a-z.]*[a-z.]*[a-z.]*[a-z.]*[a-z.]*[a-z.]*!")
        rules = "---\n".join(RULE % (i, i, "postcard.helo|re: '%s'" % h) for i, h in enumerate(hostile * 20))
        code, _, err = self.takes(["-r", CAPTURE, "--json", "--rules", self.file("x.yml", rules)], 30, 300 * MIB)
        self.assertEqual(code, 0, err)

    def test_expressions_that_compile_large(self):
        """Refused, or taken and bounded: never without an end."""
        for h in ("(((a{1,100}){1,100}){1,100}){1,100}", "(?:" * 240 + "a" + ")" * 240, "(" * 240 + "a" + ")*" * 240, "a{65535}",
                  "(?R)*", "(?1)(a(?1)*)", "(?(R)a|b)*", "\\\\p{L}{1,1000}" * 8):
            rule = RULE % (1, 1, "postcard.helo|re: '%s'" % h)
            self.takes(["-r", CAPTURE, "--json", "--rules", self.file("x.yml", rule)], 20, 300 * MIB)

    def test_values_that_multiply(self):
        """windash, base64offset and wide make many of one."""
        many = ", ".join("'-a%d -b -c'" % i for i in range(3000))
        rule = RULE % (1, 1, "postcard.helo|windash|contains: [%s]" % many)
        self.takes(["-T", "--rules", self.file("x.yml", rule)], 20, 300 * MIB)
        many = ", ".join("'a%d'" % i for i in range(70_000))
        self.refuses(["-T", "--rules", self.file("x.yml", RULE % (1, 1, "postcard.helo: [%s]" % many))], "x.yml", ":", 20)

    def test_conditions_that_nest(self):
        for text in ("not " * 2000 + "selection", "(" * 2000 + "selection" + ")" * 2000, "selection and " * 5000 + "selection",
                     "1 of them and " * 5000 + "all of them"):
            rule = (RULE % (1, 1, "postcard.helo: x")).replace("condition: selection", "condition: " + text)
            self.takes(["-T", "--rules", self.file("x.yml", rule)], 10, 300 * MIB)

    def test_correlations_of_correlations(self):
        """A chain of 2,000 of them, and one that names as many rules as it can."""
        head = RULE % (0, 0, "postcard.helo|contains: '.'")
        link = "title: c%d\nname: rule_%d\ncorrelation: {type: event_count, rules: [rule_%d], timespan: 1h, condition: {gte: 1}}\nlevel: low\n"
        chain = "---\n".join([head] + [link % (i, i, i - 1) for i in range(1, 2000)])
        self.takes(["-r", CAPTURE, "--json", "--rules", self.file("x.yml", chain)], 30, 500 * MIB)
        wide = "---\n".join([RULE % (i, i, "postcard.helo|contains: '.'") for i in range(300)] + [
            "title: c\nname: c\ncorrelation: {type: temporal, rules: [%s], timespan: 1h}\nlevel: low\n"
            % ", ".join("rule_%d" % i for i in range(300))])
        self.refuses(["-T", "--rules", self.file("x.yml", wide)], "x.yml", "more than")

    def test_policies_without_end(self):
        self.file("table", "".join("d%d.example encrypt\n" % i for i in range(100_001)))
        config = self.file("p.yml", "policies:\n  - {import: postfix, file: table}\n")
        self.refuses(["-T", "--config", config], config, "more than 100000 policies", 30)

    def test_a_state_file_that_was_damaged(self):
        """It is refused by name, or what can be read of it is used: never a crash, and the verdicts are the same."""
        state = os.path.join(self.folder.name, "x.state")
        base = [postcard.binary(), "-r", CAPTURE, "--json", "--state", state]
        first = subprocess.run(base, capture_output=True, timeout=60, check=True)
        with open(state, "rb") as f:
            good = f.read()

        def outcomes(out):
            found = [r for r in postcard.Done(0, out, b"").records if r["event"]["dataset"] == "postcard.session"]
            return sorted((r["source"]["ip"], r["source"]["port"], r["postcard"]["outcome"]) for r in found)
        want, random_ = outcomes(first.stdout), random.Random(7)
        count, taken, begun = 2000 if LONG else 60, 0, time.monotonic()
        for i in range(count):
            octets = bytearray(good)
            for _ in range(random_.choice((1, 1, 3, 30))):
                at = random_.randrange(len(octets))
                octets[at] = random_.choice((0, 255, octets[at] ^ 1 << random_.randrange(8)))
            if i % 7 == 0:
                del octets[random_.randrange(len(octets)):]
            if i % 11 == 0:
                at = random_.randrange(0, len(octets) + 1, 4096) if len(octets) > 4096 else 0
                octets[at:at + 4096] = random_.randbytes(4096)
            self.file("x.state", bytes(octets))
            for extra in (".state-wal", ".state-shm", ".state-journal"):
                if os.path.exists(state[:-6] + extra):
                    os.remove(state[:-6] + extra)
            p = subprocess.run(base, capture_output=True, timeout=60)
            self.assertIn(p.returncode, (0, 2), (i, p.stderr[-1000:]))
            if p.returncode == 2:
                self.assertIn(state.encode(), p.stderr, i)
                self.assertEqual(p.stdout, b"", i)
            else:
                taken += 1
                self.assertEqual(outcomes(p.stdout), want, i)
        self.assertGreater(taken, 0)
        self.assertLess(time.monotonic() - begun, count * 2)

    def test_a_state_file_with_other_tables(self):
        """Rows that are absurd, and views, triggers and generated columns where tables should be."""
        state = os.path.join(self.folder.name, "x.state")
        base = ["-r", CAPTURE, "--json", "--state", state]
        self.takes(base, 30, 300 * MIB, (0,))
        with open(state, "rb") as f:
            good = f.read()
        with sqlite3.connect(state) as db:
            tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        self.assertTrue(tables)
        for table in tables:
            columns = [r[1] for r in sqlite3.connect(state).execute("PRAGMA table_info(\"%s\")" % table)]
            names = ", ".join('"%s"' % c for c in columns)
            values = ("NULL", "-1", "9223372036854775807", "1e308", "zeroblob(100000)", "'%s'" % ("x" * 70000), "''")
            for script in (["DROP TABLE \"%s\"" % table], ["DELETE FROM \"%s\"" % table] + [
                    "INSERT INTO \"%s\" (%s) VALUES (%s)" % (table, names, ", ".join([v] * len(columns))) for v in values]):
                self.changed(state, good, script)
                self.takes(base, 30, 300 * MIB)

    def test_a_state_file_with_views(self):
        state = os.path.join(self.folder.name, "x.state")
        base = ["-r", CAPTURE, "--json", "--state", state]
        self.takes(base, 30, 300 * MIB, (0,))
        with open(state, "rb") as f:
            good = f.read()
        columns = [r[1] for r in sqlite3.connect(state).execute("PRAGMA table_info(server)")]
        self.changed(state, good, ["DROP TABLE server", "CREATE VIEW server AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
                                   "SELECT x + 1 FROM n) SELECT %s FROM n" % ", ".join("x AS \"%s\"" % c for c in columns)])
        self.takes(base, 30, 300 * MIB, (2,))

    def changed(self, path, good, script):
        """The good file, with statements run on it; what a table does not take, all the better."""
        self.file(os.path.basename(path), good)
        db = sqlite3.connect(path)
        for statement in script:
            try:
                db.execute(statement)
            except sqlite3.Error:
                pass
        db.commit()
        db.close()


class Mutants(unittest.TestCase):
    def test_captures_that_were_damaged(self):
        """Bits, lengths, packets: tests/fuzz/mutate.c under the sanitizers; a find is left in the build folder."""
        replays = os.environ.get("POSTCARD_REPLAYS", "build-san")
        program = os.path.join(replays, "tests", "fuzz", "mutate")
        if not os.path.exists(program):
            self.skipTest(program + " is not built")
        captures = ["pcaps"] + [f for f in (os.environ.get("POSTCARD_SHARED", "../shared/captures"),) if os.path.isdir(f)]
        p = subprocess.run([program, "-n", "100000" if LONG else "3000", "-s", "1", "-o", replays] + captures, capture_output=True,
                           timeout=7200 if LONG else 300)
        self.assertEqual(p.returncode, 0, p.stdout.decode() + p.stderr.decode("utf-8", "replace")[-6000:])


if __name__ == "__main__":
    unittest.main()
