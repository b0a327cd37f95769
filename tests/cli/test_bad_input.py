"""Wrong usage and wrong files: one clear line on standard error, status 2, nothing else."""
import os
import struct
import tempfile
import unittest

import postcard

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, octets):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def refused(self, args, *words):
        done = postcard.run(postcard.binary(), args)
        err = done.stderr.decode()
        self.assertEqual((done.code, done.stdout), (2, b""), err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("postcard: "), err)
        for w in words:
            self.assertIn(w, err)

    def test_unknown_option(self):
        self.refused(["--jsn", "-r", "pcaps/office.pcap"], "--jsn", "--json")

    @unittest.skipUnless(os.geteuid() == 0, "only root may capture")
    def test_live_set_up(self):
        """What is wrong where a sensor begins: one line, no report of nothing, and no process is left."""
        for more in ([], ["--json"], ["-q"]):
            self.refused(["-i", "nowhere0"] + more, "nowhere0: there is no such interface", "lo")
            self.refused(["-i", "lo", "-i", "nowhere0", "-j", "2"] + more, "nowhere0")
            self.refused(["-i", "lo", "tcp prot 25"] + more, "filter", "syntax error")
            self.refused(["-i", "lo", "--out", "/nowhere/x.json"] + more, "/nowhere/x.json", "No such file")
            self.refused(["-i", "lo", "--syslog", "tcp://"] + more, "syslog", "host")
            self.refused(["-i", "lo", "--metrics", "/nowhere/x"] + more, "/nowhere/x")
        self.refused(["-i", "lo", "-r", "pcaps/office.pcap"], "-r and -i")
        self.refused(["-i", "lo", "--user", "no-such-user"], "no-such-user", "--user")

    def test_option_without_its_argument(self):
        self.refused(["-r"], "-r")

    def test_missing_file(self):
        self.refused(["-r", "/nowhere/x.pcap"], "/nowhere/x.pcap", "no such file")

    def test_one_of_several_missing(self):
        self.refused(["-r", "pcaps/office.pcap", "/nowhere/x.pcap"], "/nowhere/x.pcap")

    def test_folder(self):
        self.refused(["-r", self.folder.name], self.folder.name, "director")

    def test_empty_file(self):
        self.refused(["-r", self.path("e.pcap", b"")], "e.pcap", "empty")

    def test_text_file(self):
        self.refused(["-r", self.path("t.pcap", b"this is no capture at all\n" * 9)], "t.pcap", "not a pcap")

    def test_gzip_of_text(self):
        import gzip
        self.refused(["-r", self.path("t.gz", gzip.compress(b"no capture at all\n" * 9))], "t.gz")

    def test_half_a_header(self):
        self.refused(["-r", self.path("h.pcap", PCAP[:20])], "h.pcap")

    def test_bad_version(self):
        self.refused(["-r", self.path("v.pcap", PCAP[:4] + b"\x09\0\x01\0" + PCAP[8:])], "v.pcap", "version")

    def test_a_check_looks_at_the_captures(self):
        self.refused(["-T", "-r", "pcaps/office.pcap", "/nowhere/x.pcap"], "/nowhere/x.pcap", "no such file")
        self.refused(["-T", "-r", self.path("t.pcap", b"no capture\n" * 9)], "t.pcap", "not a pcap")
        pipe = os.path.join(self.folder.name, "pipe")
        os.mkfifo(pipe)
        for later in ("-", pipe):  # not looked at, nor waited for
            done = postcard.run(postcard.binary(), ["-T", "-r", "pcaps/office.pcap", later])
            self.assertEqual((done.code, done.stderr), (0, b""))

    def test_bad_expression(self):
        self.refused(["-r", "pcaps/office.pcap", "tcp port of call"], "filter", "of")

    def test_bad_network(self):
        self.refused(["-r", "pcaps/office.pcap", "--home-net", "10.0.0.0/33"], "10.0.0.0/33")

    def test_bad_count(self):
        self.refused(["-r", "pcaps/office.pcap", "-c", "many"], "many")

    def test_bad_level(self):
        self.refused(["-r", "pcaps/office.pcap", "--fail-on", "worse"], "worse")

    def test_missing_database_folder(self):
        self.refused(["-r", "pcaps/office.pcap", "--geoip", "/nowhere"], "/nowhere")

    def test_corrupt_database(self):
        self.path("country.mmdb", b"this is no database" * 100)
        self.refused(["-r", "pcaps/office.pcap", "--geoip", self.folder.name], "country.mmdb")

    def test_what_stands_in_the_configuration_has_its_line(self):
        """Also what shows only when it is opened; of the command line nothing needs to be said."""
        for key, value, why in (("geoip", "/nowhere", "/nowhere: No such file"), ("vendors", "/nowhere", "/nowhere: No such file"),
                                ("state", "/nowhere/s.db", "/nowhere/s.db: No such file"), ("rules", "/nowhere", "/nowhere: No such file"),
                                ("rules-extra", "[rules, /nowhere]", "/nowhere: No such file"),
                                ("out", "/nowhere/o", "/nowhere/o: No such file"), ("metrics", "/nowhere/m", "/nowhere/m: the folder"),
                                ("syslog", "['udp://127.0.0.1', 'tls://h?format=xml']", "syslog URL: 'xml' is no format"),
                                ("syslog: udp://127.0.0.1\nspool", "/nowhere/s", "spool /nowhere/s"),
                                ("filter", "tcp prot 25", "the capture filter cannot be used")):
            text = "quiet: yes\n%s: %s\n" % (key, value.replace("[rules,", "[%s," % os.path.abspath("rules/new-domain.yml")))
            path = self.path("c.yml", text.encode())
            line = text.count("\n")
            self.refused(["-r", "pcaps/office.pcap", "--config", path], "postcard: %s:%d: %s" % (path, line, why))
        self.refused(["-r", "pcaps/office.pcap", "--config", path, "--filter", "tcp prot 26"], "postcard: the capture filter")

    @unittest.skipUnless(os.geteuid() == 0, "only root may capture")
    def test_who_may_not_write_is_named(self):
        """A sensor gives up being root before it opens its files."""
        for option in ("--out", "--metrics", "--state"):
            self.refused(["-i", "lo", "--user", "nobody", option, os.path.join(self.folder.name, "x")],
                         "Permission denied (to user nobody: see --user)")

    def test_a_capture_is_not_written_to(self):
        """An option in the wrong place must not cost the evidence."""
        with open("pcaps/office.pcap", "rb") as f:
            octets = f.read()
        path = self.path("a.pcap", octets)
        os.symlink(path, path + ".link")
        for option in ("--out", "--metrics"):
            for name in (path, path + ".link"):
                self.refused(["-r", "pcaps/auth-plain.pcap", path, option, name], name + ": is read; %s needs" % option)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), octets)

    def test_no_argument_shows_the_usage(self):
        done = postcard.run(postcard.binary(), [])
        self.assertEqual((done.code, done.stdout), (2, b""))
        self.assertIn(b"usage: postcard", done.stderr)


if __name__ == "__main__":
    unittest.main()
