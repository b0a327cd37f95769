"""The examples of the README do what it says: its files are written, its commands run."""
import os
import re
import shlex
import subprocess
import tempfile
import unittest

import postcard

BLOCK = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.S)
COMMAND = re.compile(r"^    postcard (.*)$", re.M)


class Readme(unittest.TestCase):
    def setUp(self):
        with open("README.md", encoding="utf-8") as f:
            text = f.read()
        start = text.index("## Rules, exceptions, policies")
        self.parts = re.split(r"\n(?=\*\*)", text[start:text.index("\n## ", start)])[1:]
        self.assertEqual([p.split(".**")[0] for p in self.parts],
                         ["**Write a rule", "**Accept a printer", "**Force TLS for a partner"])
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.symlink(os.path.abspath("pcaps"), os.path.join(self.folder, "pcaps"))

    def follow(self, count):
        """What each command of the first `count` parts says, as a reader would go through them."""
        said = []
        for part in self.parts[:count]:
            for name, body in BLOCK.findall(part):
                path = os.path.join(self.folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(body)
            for command in COMMAND.findall(part):
                done = subprocess.run([os.path.abspath(postcard.binary())] + shlex.split(command), cwd=self.folder,
                                      capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, b""), command)
                said.append(done.stdout.decode())
        return said

    def test_write_a_rule(self):
        report, = self.follow(1)
        self.assertRegex(report, r"CRITICAL +The ERP system sent mail in the clear +1 +1\n")
        self.assertIn("scanner.example.com", report.split("Summary")[0])

    def test_accept_a_printer(self):
        report = self.follow(2)[-1]
        self.assertRegex(report, r"Accepted +times\n +Scanner in the hall, to its relay +12\n"
                                 r" +facility@example.com, until 2027-06-30\n")
        self.assertNotIn("scanner.example.com", report.split("Summary")[0])

    def test_force_tls_for_a_partner(self):
        report, checked = self.follow(3)[-2:]
        self.assertRegex(report, r"HIGH +Policy violated: TLS is required +1 +1\n")
        self.assertIn("Policy      violated: example.net requires TLS\n", report)
        self.assertRegex(checked, r"rules +47, and 4 correlations")
        self.assertRegex(checked, r"policies +1\n")

    def test_the_report_shown_is_a_real_one(self):
        """The piece of a report in the README, word for word."""
        with open("README.md", encoding="utf-8") as f:
            shown = f.read().split("`postcard -r pcaps/office.pcap`")[1].split("```\n")[1]
        real = postcard.run(postcard.binary(), ["-r", "pcaps/office.pcap"], env=dict(os.environ, LC_ALL="C.UTF-8", COLUMNS="80"))
        self.assertIn(shown.rstrip("\n"), real.stdout.decode())


if __name__ == "__main__":
    unittest.main()
