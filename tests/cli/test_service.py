"""What makes a sensor of it: the example configuration, the unit and its kin, the manual, the Debian package."""
import gzip
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import postcard

SERVICE = "src/app/service/"
EXCEPTION = """title: Old printer
logsource: {product: postcard}
filter: {rules: any, selection: {source.ip: 192.0.2.31}, condition: not selection}
postcard: {owner: Ann, reason: no TLS in it, expires: 2027-06-30}
"""


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def need(self, program):
        if not shutil.which(program):
            self.skipTest(program + " is not installed")

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def well(self, *command, **more):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **more)
        self.assertEqual(done.returncode, 0, "%s\n%s" % (" ".join(command), done.stdout.decode()))
        return done.stdout.decode()


class Configuration(Base):
    def check(self, text):
        return postcard.run(postcard.binary(), ["-T", "--config", self.file("postcard.yaml", text)])

    def test_the_example_is_well_as_it_is(self):
        done = self.check(text_of(SERVICE + "postcard.yaml"))
        self.assertEqual((done.code, done.stderr), (0, b""))
        self.assertIn(b"state            none\n", done.stdout)

    def test_the_example_is_well_with_all_that_stands_in_it(self):
        """What is commented out is taken in, on a machine that has what is named."""
        text, count = re.subn(r"(?m)^#(?=\S|  \S)", "", text_of(SERVICE + "postcard.yaml"))
        self.assertGreater(count, 25)
        for folder in ("var/lib/postcard", "var/log/postcard"):
            os.makedirs(os.path.join(self.folder, folder))
        for path in ("/var/lib/postcard", "/var/log/postcard", "/usr/share/postcard/rules"):
            self.assertIn(path, text)
            text = text.replace(path, os.path.join(self.folder, path[1:]))
        shutil.copytree("rules", os.path.join(self.folder, "usr/share/postcard/rules"))
        self.file("rules/exceptions/printer.yml", EXCEPTION)
        text = text.replace("interface: eth1", "interface: lo").replace("user: postcard", "user: root")
        text = re.sub(r"(?m)^(geoip|vendors):.*\n", "", text)  # it would be read
        done = self.check(text)
        self.assertEqual((done.code, done.stderr), (0, b""))
        said = done.stdout.decode()
        for line in (r"rules +\d\d, .* \(from --rules\)", r"exceptions +1", r"policies +2", r"interfaces +lo", r"filter +not host 192.0.2.10",
                     r"syslog +tls://loghost.example.com\n +unix:///dev/log", r"spool +\S+/postcard/spool",
                     r"out +\S+/records.ndjson", r"metrics +\S+/postcard.prom", r"state +\S+/state.db"):
            self.assertRegex(said, r"(?m)^%s$" % line)

    def test_what_is_wrong_has_its_line(self):
        for text, line, *words in (
                ("quiet: no\ninterface: nowhere0\n", 2, "nowhere0: there is no such network interface"),
                ("interface: [lo,\n  nowhere1]\n", 2, "nowhere1: there is no such network interface"),
                ("interface: lo\nout: /nowhere/x\n", 2, "/nowhere/x: the folder /nowhere: No such file or directory"),
                ("syslog:\n  - udp://localhost\n  - localhost\n", 3, "localhost: "),
                ("filter: tcp prt 25\n", 1, "tcp prt 25: "),
                ("metrics: none/m.prom\n", 1, "none: No such file or directory"),
                ("spool: postcard.yaml\n", 1, "postcard.yaml is no folder"),
                ("jobs: 100\n", 1, "'100' is not a number of workers")):
            done = self.check(text)
            self.assertEqual((done.code, done.stdout), (2, b""), text)
            err = done.stderr.decode()
            self.assertEqual(err.count("\n"), 1, err)
            self.assertRegex(err, r"^postcard: %s/postcard\.yaml:%d:" % (re.escape(self.folder), line))
            for w in words:
                self.assertIn(w, err)

    def test_nothing_to_watch_is_said(self):
        done = postcard.run(postcard.binary(), ["--config", SERVICE + "postcard.yaml"])
        self.assertEqual((done.code, done.stdout), (2, b""))
        self.assertIn(b"nothing to read: name a capture with -r, or an interface with -i", done.stderr)

    def test_a_configuration_of_a_sensor_serves_a_replay(self):
        path = self.file("postcard.yaml", "interface: nowhere0\nhome-net: 192.0.2.0/24\nquiet: yes\n")
        done = postcard.run(postcard.binary(), ["-r", "pcaps/office.pcap", "--config", path])
        self.assertEqual((done.code, done.stderr), (0, b""))


class Manual(Base):
    def test_mandoc_finds_no_fault(self):
        self.need("mandoc")
        path = self.file("postcard.1", postcard.run(postcard.binary(), ["--print-man"]).stdout.decode())
        self.well("mandoc", "-Tlint", "-Wwarning", path)
        text = self.well("mandoc", "-Tascii", "-Owidth=78", path)
        text = re.sub(".\b", "", text)
        for section in ("LIVE CAPTURE", "SYSLOG", "SERVICE", "SIGNALS", "FILES", "EXIT STATUS", "EXAMPLES"):
            self.assertIn("\n%s\n" % section, text)

    def test_each_option_is_in_help_and_manual(self):
        manual = postcard.run(postcard.binary(), ["--print-man"]).stdout.decode()
        names = re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", postcard.run(postcard.binary(), ["--help"]).stdout.decode())
        self.assertGreater(len(names), 30)
        self.assertEqual(re.findall(r"(?m)^\.It (?:Fl \w , )?Fl \\-([a-z-]+)", manual), names)


class Unit(Base):
    def test_systemd_takes_the_unit(self):
        self.need("systemd-analyze")
        text = text_of(SERVICE + "postcard.service.in").replace("@SYSCONFDIR@", "/etc")
        path = self.file("postcard.service", text.replace("@BINDIR@", os.path.dirname(os.path.abspath(postcard.binary()))))
        self.assertEqual(self.well("systemd-analyze", "--man=no", "verify", path), "")
        said = self.well("systemd-analyze", "--no-pager", "--offline=true", "--threshold=30", "security", path)
        self.assertRegex(said, r"Overall exposure level for postcard.service: [012]\.\d OK")

    def test_users_and_folders(self):
        self.need("systemd-sysusers")
        if os.geteuid() != 0:
            self.skipTest("needs root")
        os.mkdir(os.path.join(self.folder, "etc"))
        self.file("etc/group", "adm:x:4:\n")
        for tool, kind in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
            more = ["--create"] if kind == "tmpfiles" else []
            self.file("%s.conf" % kind, text_of(SERVICE + "postcard.%s" % kind))
            self.well(tool, "--root=" + self.folder, *more, os.path.join(self.folder, kind + ".conf"))
        users = {line.split(":")[0]: line.split(":") for line in text_of(self.folder + "/etc/passwd").splitlines()}
        self.assertEqual(set(users), {"postcard", "postcard-worker"})
        for user in users.values():
            self.assertEqual(user[6], "/usr/sbin/nologin")
        for folder, mode in (("lib/postcard", 0o750), ("lib/postcard/spool", 0o700), ("log/postcard", 0o750)):
            st = os.stat(os.path.join(self.folder, "var", folder))
            self.assertEqual((st.st_mode & 0o7777, str(st.st_uid)), (mode, users["postcard"][2]))

    def test_the_paths_of_the_program_are_those_of_the_service(self):
        header = text_of("src/app/paths.h")
        self.assertIn('PATHS_LIB    "/var/lib/postcard"', header)
        self.assertIn('PATHS_CONFIG "/etc/postcard/postcard.yaml"', header)
        for name in re.findall(r'PATHS_(?:USER|WORKER) +"([^"]+)"', header):
            self.assertRegex(text_of(SERVICE + "postcard.sysusers"), r"(?m)^u %s " % name)

    def test_logrotate_turns_the_records_over(self):
        """For real, with the folder and the user of this machine in the place of the sensor's."""
        self.need("logrotate")
        if os.geteuid() != 0:
            self.skipTest("needs root")
        text = text_of(SERVICE + "postcard.logrotate")
        self.assertIn("su postcard adm\n\tcreate 0640 postcard adm\n", text)
        text = text.replace("/var/log/postcard", self.folder).replace("postcard adm", "root root")
        records = self.file("records.ndjson", '{"a":1}\n')
        self.well("logrotate", "--force", "--state", os.path.join(self.folder, "state"), self.file("conf", text))
        self.assertEqual(text_of(records + ".1"), '{"a":1}\n')
        self.assertEqual((os.stat(records).st_size, os.stat(records).st_mode & 0o777), (0, 0o640))


class Package(Base):
    """`make deb`: what is in it.  tests/tools/try-deb.sh installs it for real."""

    def test_the_debian_package(self):
        self.need("dpkg-shlibdeps")
        if postcard.sanitized():
            self.skipTest("a sanitizer's build is not packaged")
        build = os.path.relpath(os.environ.get("POSTCARD_BUILD", "build"))
        self.well("make", "-s", "deb", "BUILD=" + build, "DEPS=0", "DEB_VERSION=0.0.1~test-1")
        arch = self.well("dpkg", "--print-architecture").strip()
        package = "%s/postcard_0.0.1~test-1_%s.deb" % (build, arch)
        self.addCleanup(os.remove, package)
        root = os.path.join(self.folder, "root")
        self.well("dpkg-deb", "-R", package, root)
        for path, mode in (("usr/bin/postcard", 0o755), ("usr/lib/systemd/system/postcard.service", 0o644),
                           ("usr/lib/sysusers.d/postcard.conf", 0o644), ("usr/lib/tmpfiles.d/postcard.conf", 0o644),
                           ("etc/logrotate.d/postcard", 0o644), ("etc/postcard/postcard.yaml", 0o644),
                           ("usr/share/man/man1/postcard.1.gz", 0o644), ("usr/share/postcard/rules/spread.yml", 0o644),
                           ("usr/share/bash-completion/completions/postcard", 0o644),
                           ("usr/share/doc/postcard/copyright", 0o644), ("DEBIAN/postinst", 0o755),
                           ("DEBIAN/prerm", 0o755), ("DEBIAN/postrm", 0o755), ("DEBIAN/conffiles", 0o644)):
            self.assertEqual(os.stat(os.path.join(root, path)).st_mode & 0o777, mode, path)
        for path in text_of(root + "/DEBIAN/conffiles").split():
            self.assertTrue(os.path.exists(root + path), path)
        for script in ("postinst", "prerm", "postrm"):
            self.well("sh", "-n", os.path.join(root, "DEBIAN", script))
        control = text_of(root + "/DEBIAN/control")
        self.assertIn("\nVersion: 0.0.1~test-1\n", control)
        self.assertRegex(control, r"\nDepends: libc6 .*libndpi.*libpcap0\.8.*systemd \| systemd-standalone-sysusers")
        self.assertEqual(self.well("bash", "-n", root + "/usr/share/bash-completion/completions/postcard"), "")
        unit = text_of(root + "/usr/lib/systemd/system/postcard.service")
        self.assertIn("\nExecStart=/usr/bin/postcard --config /etc/postcard/postcard.yaml\n", unit)
        self.assertNotIn("@", re.sub("@system-service", "", unit))
        with gzip.open(root + "/usr/share/man/man1/postcard.1.gz", "rt") as f:
            self.assertIn("\n.Sh SERVICE\n", f.read())
        self.well("md5sum", "--quiet", "-c", "DEBIAN/md5sums", cwd=root)
        self.assertIn("postcard ", self.well(root + "/usr/bin/postcard", "--version"))
        if shutil.which("lintian"):
            self.assertNotRegex(self.well("lintian", "--allow-root", "--fail-on", "error", package), r"(?m)^E:")


if __name__ == "__main__":
    unittest.main()
