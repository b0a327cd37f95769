"""Captures that are damaged, split, compressed or piped; what goes where; what the terminal is shown."""
import glob
import gzip
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import postcard

OFFICE = "pcaps/office.pcap"


def run(args, **kw):
    return postcard.run(postcard.binary(), args, **kw)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def frames(capture):
    """(header, [record]) of a little-endian pcap file."""
    at, found = 24, []
    while at < len(capture):
        length = struct.unpack_from("<I", capture, at + 8)[0]
        found.append(capture[at:at + 16 + length])
        at += 16 + length
    return capture[:24], found


class Input(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.whole = run(["-r", OFFICE, "--json"])

    def path(self, name, octets):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def records(self, done):
        return [line for line in done.stdout.split(b"\n") if b"postcard.summary" not in line]

    def test_the_same_input_gives_the_same_bytes(self):
        for mode in postcard.MODES:
            first, second = run(["-r", OFFICE] + mode), run(["-r", OFFICE] + mode)
            self.assertEqual(first.stdout, second.stdout)
            self.assertEqual((first.code, first.stderr), (0, second.stderr))
            self.assertEqual(first.stderr == b"", "-v" not in mode)  # the sizes of the tables

    def test_a_signal_ends_the_wait_for_input(self):
        octets, packed = read(OFFICE), gzip.compress(read(OFFICE))
        for number, sent, mode in ((signal.SIGINT, octets, []), (signal.SIGTERM, octets, []), (signal.SIGTERM, octets[:-7], []),
                                   (signal.SIGINT, packed[:-1000], []), (signal.SIGINT, octets[:-7], ["--single-process"])):
            p = subprocess.Popen([postcard.binary(), "-r", "-", "-q"] + mode, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
            p.stdin.write(sent)
            p.stdin.flush()
            status = "/proc/%d/status" % p.pid
            for _ in range(600):  # until it has its handlers, and waits for more
                time.sleep(0.1)
                with open(status, encoding="utf-8") as f:
                    lines = dict(line.split(":\t", 1) for line in f if ":\t" in line)
                if int(lines["SigCgt"], 16) >> (number - 1) & 1 and lines["State"].startswith("S"):
                    break
            p.send_signal(number)
            p.wait(timeout=60)  # its input is still open
            out, err = p.stdout.read(), p.stderr.read()
            for f in (p.stdin, p.stdout, p.stderr):
                f.close()
            self.assertEqual(p.returncode, 128 + number)
            self.assertRegex(err, rb"^postcard: ended by signal %d after 3\d\d packets; [^\n]*\n$" % number)  # nothing else is wrong
            self.assertIn(b"Summary", out)

    def test_a_signal_ends_the_wait_for_the_first_packet(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for octets, mode in ((0, []), (24, []), (40, ["--single-process"])):
                p = subprocess.Popen([postcard.binary(), "-r", "-", "-q"] + mode, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
                p.stdin.write(read(OFFICE)[:octets])
                p.stdin.flush()
                for _ in range(30):  # not every kernel says it
                    time.sleep(0.1)
                    if b"pipe" in read("/proc/%d/wchan" % p.pid):
                        break
                p.send_signal(number)
                try:
                    p.wait(timeout=60)  # its input is still open
                finally:
                    p.kill()
                    p.stdin.close()
                    out, err = p.stdout.read(), p.stderr.read()
                    p.stdout.close()
                    p.stderr.close()
                self.assertEqual((p.returncode, out, err), (-number, b"", b""))

    def test_nothing_is_kept_back_while_a_pipe_is_waited_for(self):
        with subprocess.Popen([postcard.binary(), "-r", "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as p:
            try:
                os.set_blocking(p.stdout.fileno(), False)
                p.stdin.write(read(OFFICE))
                p.stdin.flush()
                came = b""
                for _ in range(200):
                    time.sleep(0.1)
                    came += p.stdout.read() or b""
                    if came.count(b'"postcard.message"') == self.whole.stdout.count(b'"postcard.message"'):
                        break
                p.stdin.close()  # only now
                os.set_blocking(p.stdout.fileno(), True)
                rest = p.stdout.read()
                p.wait(timeout=60)
            finally:
                p.kill()
        self.assertEqual(came.count(b'"postcard.message"'), self.whole.stdout.count(b'"postcard.message"'))
        self.assertEqual(came + rest, self.whole.stdout)

    def test_a_signal_does_not_wait_for_a_log_server(self):
        """One that takes the connection and says nothing would be waited for 10 s otherwise."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = "tls://127.0.0.1:%d" % server.getsockname()[1]
            p = subprocess.Popen([postcard.binary(), "-q", "-r", "-", "--syslog", url], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            p.stdin.write(read(OFFICE))
            p.stdin.flush()
            server.settimeout(20)
            connection, _ = server.accept()
            time.sleep(1)  # in which alerts are there to wait; where they are not, there is nothing to wait for
            begun = time.monotonic()
            p.send_signal(signal.SIGTERM)
            p.communicate()
            took = time.monotonic() - begun
            connection.close()
        self.assertIn(p.returncode, (2, 128 + signal.SIGTERM))
        self.assertLess(took, 20 if postcard.sanitized() else 5)

    def test_gzip_and_a_pipe_are_the_same(self):
        packed = self.path("o.gz", gzip.compress(read(OFFICE)))
        self.assertEqual(run(["-r", packed, "--json"]).stdout, self.whole.stdout)
        self.assertEqual(run(["-r", "-", "--json"], stdin=read(OFFICE)).stdout, self.whole.stdout)

    def test_rotated_files_in_any_order(self):
        header, packets = frames(read(OFFICE))
        third = len(packets) // 3
        parts = [packets[:third], packets[third:2 * third], packets[2 * third:]]
        names = [self.path("%d.pcap" % i, header + b"".join(p)) for i, p in enumerate(parts)]
        for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
            done = run(["-r"] + [names[i] for i in order] + ["--json"])
            self.assertEqual(self.records(done), self.records(self.whole))

    def test_a_cut_file_is_read_as_far_as_it_goes(self):
        octets = read(OFFICE)
        _, packets = frames(octets)
        for cut in (len(octets) - 5, len(octets) - len(packets[-1]) + 7):
            done = run(["-r", self.path("cut.pcap", octets[:cut]), "--json"])
            self.assertEqual(done.code, 3)
            self.assertEqual(done.stderr.count(b"\n"), 1)
            self.assertIn(b"cut.pcap", done.stderr)
            self.assertIn(b"octet %d" % cut, done.stderr)
            self.assertIn(b"packet %d" % len(packets), done.stderr)
            self.assertGreater(len(done.of("session")), 10)

    def test_absurd_length(self):
        header, packets = frames(read(OFFICE))
        bad = packets[50][:8] + struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF) + packets[50][16:]
        done = run(["-r", self.path("bad.pcap", header + b"".join(packets[:50]) + bad), "--json"])
        self.assertEqual(done.code, 3)
        self.assertIn(b"bad.pcap", done.stderr)

    def test_fail_on(self):
        self.assertEqual(run(["-r", OFFICE, "-q", "--fail-on", "cleartext"]).code, 1)
        self.assertEqual(run(["-r", OFFICE, "-q", "--fail-on", "critical"]).code, 1)
        self.assertEqual(run(["-r", "pcaps/starttls-tls13.pcap", "-q", "--fail-on", "cleartext"]).code, 0)
        self.assertEqual(run(["-r", "pcaps/recipient-refused.pcap", "-q", "--fail-on", "critical"]).code, 0)

    def test_count_and_expression(self):
        done = run(["-r", OFFICE, "--json", "-c", "10"])
        self.assertEqual(done.records[-1]["postcard"]["summary"]["packets"], 10)
        done = run(["-r", OFFICE, "--json", "host", "192.0.2.31"])
        self.assertEqual({r["source"]["ip"] for r in done.of("session")}, {"192.0.2.31"})

    def test_help_fits_a_screen(self):
        done = run(["-h"])
        lines = done.stdout.decode().split("\n")
        self.assertEqual((done.code, done.stderr), (0, b""))
        self.assertLessEqual(len(lines), 25)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_version_and_interfaces(self):
        self.assertIn(b"libpcap", run(["--version"]).stdout)
        self.assertIn(run(["-D"]).code, (0, 2))

    def test_the_report_fits_eighty_columns_and_is_plain_when_piped(self):
        env = dict(os.environ, COLUMNS="80", LC_ALL="C.UTF-8")
        done = run(["-r"] + sorted(glob.glob("pcaps/*.pcap")) + ["-v"], env=env)
        self.assertNotIn(b"\x1b", done.stdout)
        wide = [line for line in done.stdout.decode().split("\n") if len(line) > 80]
        self.assertEqual(wide, [])

    def terminal(self, **env):
        """What a terminal is shown."""
        control, tty = pty.openpty()
        try:
            done = subprocess.Popen([postcard.binary(), "-r", OFFICE], stdout=tty, stderr=subprocess.DEVNULL,
                                    env=dict(os.environ, **dict({"TERM": "xterm", "NO_COLOR": ""}, **env)))
            os.close(tty)
            shown = b""
            while True:
                try:
                    octets = os.read(control, 65536)
                except OSError:
                    break
                if not octets:
                    break
                shown += octets
            self.assertEqual(done.wait(), 0)
            return shown
        finally:
            os.close(control)

    def test_colours_on_a_terminal_only_where_wanted(self):
        try:
            pty.openpty()
        except OSError as e:
            self.skipTest("no pseudo-terminal: %s" % e)
        self.assertIn(b"\x1b[", self.terminal())
        self.assertNotIn(b"\x1b[", self.terminal(NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", self.terminal(TERM="dumb"))

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([postcard.binary(), "-r", OFFICE, "--json"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"No space", done.stderr)

    def test_records_that_are_lost_are_an_error(self):
        """--out on a full disk, and a syslog server that is not there: the summary counts them, the exit status tells."""
        for option, value, name in (("--out", "/dev/full", "/dev/full"), ("--syslog", "unix:///nowhere/log", "unix:///nowhere/log")):
            done = run(["-q", "-r", OFFICE, option, value])
            self.assertEqual(done.code, 2, done.stderr)
            self.assertIn(name.encode(), done.stderr)
            self.assertNotIn(b"standard output", done.stderr)
            self.assertRegex(done.stdout.decode(), "! %s takes nothing now, [0-9]+ records dropped" % name)

    def test_records_on_their_way_are_no_flaw(self):
        path = self.path("o.ndjson", b"")
        done = run(["-q", "-r", OFFICE, "--out", path])
        self.assertEqual((done.code, done.stderr), (0, b""))
        self.assertIn("nothing lost, cut or damaged", done.stdout.decode())
        output, = json.loads(read(path).splitlines()[-1])["postcard"]["summary"]["outputs"]
        self.assertEqual((output["up"], output["waiting"], output["dropped"]), (True, 0, 0))
        self.assertGreater(output["sent"], 0)


if __name__ == "__main__":
    unittest.main()
