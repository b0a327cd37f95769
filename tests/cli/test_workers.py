"""Worker processes: one and many give the same records; what a run does where one of them dies."""
import glob
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import postcard

OFFICE = "pcaps/office.pcap"
PLANTED = os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "tests", "planted", "postcard")


def run(args, program=None, **kw):
    return postcard.run(program or postcard.binary(), args, **kw)


def but_the_summary(done):
    return [line for line in done.stdout.split(b"\n") if b'"postcard.summary"' not in line]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def children(pid):
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8") as f:
                line = f.read()
        except OSError:
            continue
        if int(line.rpartition(")")[2].split()[1]) == pid:
            found.append(int(line.split()[0]))
    return found


def runs(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    return condition()


def grown(capture, times):
    """A pcap file's frames many times over."""
    return capture[:24] + capture[24:] * times


def frame_of(text, n):
    """A frame of the address pair `n` with that text."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(text), 0, 0, 64, 17, 0, bytes([10, 9, n, 1]), bytes([10, 9, 0, 2]))
    octets = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + struct.pack("!HHHH", 5000, 5001, 8 + len(text), 0) + text
    return struct.pack("<IIII", 1700000000, 0, len(octets), len(octets)) + octets


class Workers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)

    def path(self, name, octets):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def start(self, args, program=None, **kw):
        self.out, self.err = (open(os.path.join(self.folder, name), "w+b") for name in ("out", "err"))
        self.addCleanup(self.out.close)
        self.addCleanup(self.err.close)
        p = subprocess.Popen([program or postcard.binary()] + args, stdin=subprocess.PIPE, stdout=self.out,
                             stderr=self.err, start_new_session=True,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **kw)

        def clean():
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except OSError:
                pass
            p.wait()
            try:
                p.stdin.close()
            except BrokenPipeError:
                pass
        self.addCleanup(clean)
        return p

    def end_of(self, p):
        """Waits for the end of a run, whose input stays open: what it left behind."""
        p.wait(timeout=60)
        self.out.seek(0)
        self.err.seek(0)
        return postcard.Done(p.returncode, self.out.read(), self.err.read())

    def fed(self, args, **kw):
        """A run that has read a capture from standard input, and waits for more; its worker."""
        p = self.start(["-r", "-", "--json"] + args, **kw)
        p.stdin.write(grown(read(OFFICE), 20))
        p.stdin.flush()
        worker = until(lambda: children(p.pid))[0]
        pipe = "/proc/%d/wchan" % worker
        until(lambda: "pipe" in read(pipe).decode() and self.empty(p.stdin.fileno()))
        time.sleep(0.3)
        return p, worker

    @staticmethod
    def empty(fd):
        import fcntl
        import termios
        octets = fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4)
        return struct.unpack("i", octets)[0] == 0

    # ---- one and many ----

    def test_one_and_many_workers_give_the_same_records(self):
        for capture in sorted(glob.glob("pcaps/*.pcap*")):
            single = run(["-r", capture, "--json", "--single-process"])
            for jobs in ("1", "2", "5"):
                done = run(["-r", capture, "--json", "-j", jobs])
                self.assertEqual((done.code, done.stderr), (single.code, single.stderr), capture)
                self.assertEqual(but_the_summary(done), but_the_summary(single), "%s -j %s" % (capture, jobs))

    def test_all_captures_in_one_run(self):
        captures = sorted(glob.glob("pcaps/*.pcap*"))
        single = run(["-r"] + captures + ["--json", "--single-process"])
        for jobs in ("1", "2", "5"):
            done = run(["-r"] + captures + ["--json", "-j", jobs])
            self.assertEqual(but_the_summary(done), but_the_summary(single), jobs)
            counts, expected = dict(done.records[-1]["postcard"]["summary"]), dict(single.records[-1]["postcard"]["summary"])
            for other in ("workers", "worker_waits", "pools"):
                counts.pop(other), expected.pop(other)
            self.assertEqual(counts, expected)

    def test_count_and_damage_are_the_same_for_many(self):
        cut = self.path("cut.pcap", read(OFFICE)[:-7])
        for args in (["-c", "100"], []):
            single = run(["-r", cut, "--json", "--single-process"] + args)
            for jobs in ("1", "3"):
                done = run(["-r", cut, "--json", "-j", jobs] + args)
                self.assertEqual((done.code, done.stderr), (single.code, single.stderr))
                self.assertEqual(but_the_summary(done), but_the_summary(single))
                self.assertEqual(done.records[-1]["postcard"]["summary"]["packets"],
                                 single.records[-1]["postcard"]["summary"]["packets"])

    def test_more_files_than_are_open_at_once(self):
        octets = read("pcaps/not-offered.pcap")
        paths = []
        for i in range(140):  # one a day: they do not overlap
            shifted, at = bytearray(octets), 24
            while at < len(shifted):
                sec, _, length = struct.unpack_from("<III", shifted, at)
                struct.pack_into("<I", shifted, at, sec + i * 86400)
                at += 16 + length
            paths.append(self.path("%03d.pcap" % i, bytes(shifted)))
        single = run(["-r"] + paths + ["--json", "--single-process"])
        self.assertEqual(single.code, 0)
        for jobs in ("1", "2"):
            done = run(["-r"] + paths + ["--json", "-j", jobs])
            self.assertEqual((done.code, done.stderr), (0, b""))
            self.assertEqual(but_the_summary(done), but_the_summary(single))

    # ---- one that dies ----

    def test_nothing_is_opened_late(self):
        """What libraries look up when they are first asked, the sandbox forbids: no worker dies of it, whatever the parent did before."""
        rule = self.path("none.yml", b"title: N\nname: n\ntaxonomy: ecs\nlogsource: {product: postcard}\n"
                                     b"detection: {selection: {destination.port: 1}, condition: selection}\nlevel: low\n")
        for capture in sorted(glob.glob("pcaps/*.pcap*") + glob.glob("../shared/captures/*.pcap") + glob.glob("../shared/captures/nasty/*.pcap*")):
            done = run(["-r", capture, "--json", "--rules", rule])
            self.assertIn(done.code, (0, 2, 3), (capture, done.stderr))

    def test_a_killed_worker_is_told(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            p, worker = self.fed([])
            os.kill(worker, number)
            done = self.end_of(p)
            self.assertEqual(done.code, 4, done.stderr)
            self.assertIn(b"worker 1 died: signal %d" % number, done.stderr)
            self.assertEqual(done.records[-1]["event"]["dataset"], "postcard.summary")
            self.assertIn("worker 1 died", done.records[-1]["postcard"]["summary"]["faults"][0])
            self.assertEqual([r["event"]["action"] for r in done.of("sensor")], ["worker-died"])

    def test_a_worker_has_its_input_and_its_bell(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(os.path.join(self.folder, "manager"))
            _, worker = self.fed([], env=dict(os.environ, NOTIFY_SOCKET=manager.getsockname()))
        folder = "/proc/%d/fd" % worker
        links = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
        if not postcard.sanitized():
            self.assertEqual(sorted(link.split(":")[0] for link in links), ["/dev/null", "/dev/null", "pipe", "pipe"])
        self.assertFalse([link for link in links if link.startswith("socket:")])

    def test_a_worker_ends_with_its_parent(self):
        p, worker = self.fed([])
        os.kill(p.pid, signal.SIGKILL)
        p.wait(timeout=60)
        self.assertFalse(until(lambda: not runs(worker)) is False, "the worker lives on")

    def test_interrupt_of_the_whole_group(self):
        for args in ([], ["--single-process"]):
            p = self.start(["-r", "-", "--json"] + args)
            p.stdin.write(grown(read(OFFICE), 20))
            p.stdin.flush()
            until(lambda: self.empty(p.stdin.fileno()))
            time.sleep(0.5)
            group = p.pid
            os.killpg(group, signal.SIGINT)
            done = self.end_of(p)
            self.assertEqual(done.code, 130, done.stderr)
            self.assertIn(b"ended by signal 2", done.stderr)
            self.assertNotIn(b"died", done.stderr)
            self.assertIn(b'"postcard.summary"', done.stdout)
            with self.assertRaises(ProcessLookupError):
                os.killpg(group, 0)

    def test_termination_of_the_whole_group(self):
        p, _ = self.fed([])
        os.killpg(p.pid, signal.SIGTERM)
        done = self.end_of(p)
        self.assertEqual(done.code, 143, done.stderr)
        self.assertNotIn(b"died", done.stderr)

    def test_too_little_address_space_is_an_error_of_set_up(self):
        if postcard.sanitized():
            self.skipTest("a sanitizer needs address space of its own")
        for kilobytes in (60000, 100000, 200000):
            done = subprocess.run(["sh", "-c", 'ulimit -v %d; exec "$@"' % kilobytes, "sh", postcard.binary(), "-r", OFFICE,
                                   "--json"], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stdout, b"")
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)

    def test_limits_that_are_lower_already(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        # as nobody, who cannot raise a limit
        script = "import os,sys,resource as r; r.setrlimit(r.RLIMIT_NOFILE,(40,40)); os.setgroups([]); os.setgid(65534); os.setuid(65534); " \
                 "os.execv(sys.argv[1], sys.argv[1:])"
        capture = self.path("office.pcap", read(OFFICE))
        program = self.path("postcard", read(postcard.binary()))
        os.chmod(program, 0o755)
        done = subprocess.run(["python3", "-c", script, program, "-r", capture, "--json"], capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    # ---- planted ----

    def planted(self):
        if not os.path.exists(PLANTED):
            self.skipTest("%s is not built" % PLANTED)
        return PLANTED

    def test_a_planted_crash(self):
        program = self.planted()
        octets = read(OFFICE)
        whole = run(["-r", OFFICE, "--json"], program=program)
        self.assertEqual(whole.code, 0)
        seen, lost = set(), 0
        for n in range(12):  # the address pairs fall to one worker or another
            bad = self.path("bad.pcap", octets[:24] + frame_of(b"postcard: die here", n) + octets[24:])
            done = run(["-r", bad, "--json", "-j", "3"], program=program)
            self.assertEqual(done.code, 4, done.stderr)
            died = re.search(rb"worker (\d) died: (.*); what it had open is lost\n", done.stderr)
            self.assertTrue(died, done.stderr)
            if not postcard.sanitized():
                self.assertIn(b"signal 11", died[2])
                self.assertEqual(done.stderr.count(b"\n"), 1)
            seen.add(died[1])
            summary = done.records[-1]["postcard"]["summary"]
            self.assertEqual(len(summary["faults"]), 1)
            self.assertEqual(summary["packets"], 349)
            # the others' records are all there
            one = {(r["source"]["ip"], r["source"]["port"], r["destination"]["ip"]) for r in done.of("session")}
            every = {(r["source"]["ip"], r["source"]["port"], r["destination"]["ip"]) for r in whole.of("session")}
            self.assertTrue(one <= every)
            missing = every - one
            lost += len(missing)
            pairs = lambda rows: {frozenset((a, c)) for a, _, c in rows}  # noqa: E731
            self.assertFalse(pairs(missing) & pairs(one))  # whole address pairs, those of the dead worker
        self.assertGreater(len(seen), 1)
        self.assertGreater(lost, 0)

    def test_a_planted_crash_of_the_only_worker(self):
        octets = read(OFFICE)
        half = octets[:24] + octets[24:] + frame_of(b"postcard: die here", 1)
        done = run(["-r", self.path("bad.pcap", half), "--json"], program=self.planted())
        self.assertEqual(done.code, 4)
        self.assertIn(b"worker 1 died", done.stderr)
        self.assertEqual(done.records[-1]["event"]["dataset"], "postcard.summary")

    def test_a_planted_hang_can_be_interrupted(self):
        octets = read(OFFICE)
        bad = self.path("bad.pcap", octets + frame_of(b"postcard: hang here", 1))
        p = self.start(["-r", bad, "--json"], program=self.planted())
        worker = until(lambda: children(p.pid))[0]
        time.sleep(0.5)
        os.killpg(p.pid, signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(p.poll())  # it waits for the worker's last records
        os.killpg(p.pid, signal.SIGINT)
        p.wait(timeout=60)
        self.assertEqual(p.returncode, -signal.SIGINT)
        until(lambda: not runs(worker))
        self.assertFalse(runs(worker))


if __name__ == "__main__":
    unittest.main()
