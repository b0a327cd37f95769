"""Syslog to real servers, rsyslog and syslog-ng: all transports and formats, outages, a full disk, certificates.

tests/syslog/push.c stands for the sensor: it pushes numbered alerts into the sink as it is told.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools"))
import syslogd  # noqa: E402

PUSH = os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "tests", "syslog", "push")


class Push:
    """The program that pushes, in a dialogue."""

    def __init__(self, url, *options, wrapper=()):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(list(wrapper) + [PUSH] + list(options) + [url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, universal_newlines=True, bufsize=1)
        self.pushed = 0

    def tell(self, command):
        """The counts after a command."""
        self.process.stdin.write(command + "\n")
        line = self.process.stdout.readline()
        if command.startswith("push"):
            self.pushed += int(command.split()[1])
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}

    def close(self):
        """Its exit status."""
        self.process.stdin.close()
        status = self.process.wait(20)
        self.process.stdout.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def said(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")


def numbers(server):
    """The numbers of the alerts that a server wrote, in order."""
    return [int(n) for n in re.findall(r"alert number (\d+) ends here", "\n".join(str(line) for line in server.lines()))]


def without_doubles(sequence):
    seen, out = set(), []
    for n in sequence:
        if n not in seen:
            seen.add(n)
            out.append(n)
    return out


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pc-spool-")
        self.addCleanup(folder.cleanup)
        self.spool = os.path.join(folder.name, "spool")

    def server(self, *arguments, **more):
        s = syslogd.Server(*arguments, **more)
        self.addCleanup(s.clean)
        return s

    def certificates(self, *arguments, **more):
        c = syslogd.Certificates(*arguments, **more)
        self.addCleanup(c.clean)
        return c

    def push(self, url, *options, **more):
        p = Push(url, *options, **more)
        self.addCleanup(lambda: p.process.poll() is None and p.kill())
        self.addCleanup(p.log.close)
        return p

    def wait_numbers(self, server, count, seconds=15):
        syslogd.wait_for(lambda: len(set(numbers(server))) >= count, seconds)
        return numbers(server)

    # ------------------------------------------------------------------------- what arrives

    def arrives(self, kind, transport, framing="octets", tls=None):
        s = self.server(kind, transport, framing=framing, tls=tls).start()
        query = "ca=" + tls.path("ca.pem") if tls else ""
        if tls and tls.client:
            query += "&cert=%s&key=%s" % (tls.path("client.pem"), tls.path("client.key"))
        p = self.push(s.url(query, "localhost" if tls else "127.0.0.1"))
        p.tell("push 2")
        p.tell("nasty")
        p.tell("push 1")
        self.assertEqual(p.tell("drain 8000")["waiting"], 0, p.said())
        self.assertEqual(p.close(), 0)
        self.assertTrue(syslogd.wait_for(lambda: len(s.lines()) >= 4), s.said())
        lines = s.lines()
        self.assertEqual(len(lines), 4, "one line for each message, whatever is in it")
        for i, line in enumerate(lines, 1):
            pri, when, _, app, pid, msgid, data, text = line
            self.assertEqual(pri, "mail.err")
            self.assertEqual(app, "postcard")
            self.assertEqual(pid, str(p.process.pid))
            self.assertIn("alert number %d ends here" % i, text)
            self.assertIn('src="192.0.2.31"', data + text)
            self.assertIn('from="%s***' % ("x" if i == 3 else "s"), data + text)
            self.assertFalse(re.search("[\x00-\x1f\x7f\u202e]", "".join(line)), line)
            if transport != "unix":
                self.assertEqual(msgid, "alert")
                self.assertTrue(when.startswith("2026-11-23T14:31:07.061910"), when)
                self.assertIn('[meta sequenceId="%d"]' % i, data)
        self.assertEqual(p.said(), "")

    def test_rsyslog_local_socket(self):
        self.arrives("rsyslog", "unix")

    def test_rsyslog_udp(self):
        self.arrives("rsyslog", "udp")

    def test_rsyslog_tcp(self):
        self.arrives("rsyslog", "tcp")

    def test_rsyslog_tcp_lines(self):
        self.arrives("rsyslog", "tcp", "lf")

    def test_rsyslog_tls(self):
        self.arrives("rsyslog", "tls", tls=self.certificates())

    def test_rsyslog_tls_client_certificate(self):
        self.arrives("rsyslog", "tls", tls=self.certificates(client=True))

    def test_syslog_ng_local_socket(self):
        self.arrives("syslog-ng", "unix")

    def test_syslog_ng_udp(self):
        self.arrives("syslog-ng", "udp")

    def test_syslog_ng_tcp(self):
        self.arrives("syslog-ng", "tcp")

    def test_syslog_ng_tcp_lines(self):
        self.arrives("syslog-ng", "tcp", "lf")

    def test_syslog_ng_tls(self):
        self.arrives("syslog-ng", "tls", tls=self.certificates())

    def test_syslog_ng_tls_client_certificate(self):
        self.arrives("syslog-ng", "tls", tls=self.certificates(client=True))

    def test_rsyslog_every_format(self):
        s = self.server("rsyslog", "tcp", raw=True).start()
        for i, form in enumerate(("rfc5424", "rfc3164", "cef", "leef", "json", "cee"), 1):
            p = self.push(s.url("format=" + form))
            p.tell("nasty")
            self.assertEqual(p.tell("drain 8000")["waiting"], 0, p.said())
            p.close()
            self.assertTrue(syslogd.wait_for(lambda: len(s.lines()) >= i), s.said())
        lines = s.lines()
        self.assertEqual(len(lines), 6)
        self.assertRegex(lines[0], r"^<19>1 2026-11-23T14:31:07\.061910Z \S+ postcard \d+ alert \[postcard@32473 level=")
        self.assertRegex(lines[1], r"^<19>Nov 23 \d\d:31:07 \S+ postcard\[\d+\]: alert number 1 ends here \[postcard level=")
        self.assertRegex(lines[2], r"^<19>Nov 23 \d\d:31:07 \S+ CEF:0\|postcard\|postcard\|[0-9.]+\|f7cc3fa4-\S+\|x\\\\x0a<13>1")
        # rsyslog shows a tab by its number, as it does by default
        self.assertRegex(lines[3], r"^<19>Nov 23 \d\d:31:07 \S+ LEEF:2\.0\|postcard\|postcard\|[0-9.]+\|f7cc3fa4-[^|]+\|x09\|cat=alert(#011|\t)devTime=")
        for line, cookie in ((lines[4], ""), (lines[5], "@cee: ")):
            head, _, text = line.partition('"] ' + cookie)
            self.assertIn('[meta sequenceId="1', head)
            record = json.loads(text)
            self.assertEqual(record["postcard"]["level"], "high")
            self.assertEqual(record["email"]["from"]["address"], ["x***"])

    # ------------------------------------------------------------------------- outages

    def killed(self, kind, transport, tls=None):
        """Killed at rest, twice; nothing is lost, nothing comes twice."""
        s = self.server(kind, transport, tls=tls).start()
        p = self.push(s.url("ca=" + tls.path("ca.pem") if tls else "", "localhost" if tls else "127.0.0.1"), "--spool", self.spool)
        for _ in range(2):
            p.tell("push 300")
            self.assertEqual(p.tell("drain 15000")["waiting"], 0, p.said())
            self.wait_numbers(s, p.pushed)
            s.kill()
            p.tell("push 300")
            counts = p.tell("run 400")
            self.assertEqual(counts["waiting"], 300, p.said())
            self.assertEqual(counts["up"], 0)
            s.start()
            self.assertEqual(p.tell("drain 20000")["waiting"], 0, p.said())
        p.tell("push 10")
        counts = p.tell("drain 5000")
        self.assertEqual((counts["sent"], counts["waiting"], counts["dropped"], counts["up"]), (p.pushed, 0, 0, 1))
        self.assertEqual(counts["spooled"], 600)
        self.assertEqual(self.wait_numbers(s, p.pushed), list(range(1, p.pushed + 1)), p.said())
        self.assertEqual(p.close(), 0)
        self.assertEqual(p.said().count("messages are kept in the spool"), 2)
        self.assertEqual(p.said().count(": back after "), 2)

    def test_rsyslog_killed_tcp(self):
        self.killed("rsyslog", "tcp")

    def test_rsyslog_killed_tls(self):
        self.killed("rsyslog", "tls", self.certificates())

    def test_rsyslog_killed_udp(self):
        self.killed("rsyslog", "udp")

    def test_rsyslog_killed_local_socket(self):
        self.killed("rsyslog", "unix")

    def test_syslog_ng_killed_tcp(self):
        self.killed("syslog-ng", "tcp")

    def test_syslog_ng_killed_tls(self):
        self.killed("syslog-ng", "tls", self.certificates())

    def ended_under_load(self, kind, transport, tls=None):
        """Ended while messages come: what it had not read comes again, so all of it arrives, in order."""
        s = self.server(kind, transport, tls=tls).start()
        p = self.push(s.url("ca=" + tls.path("ca.pem") if tls else "", "localhost" if tls else "127.0.0.1"), "--spool", self.spool)
        p.tell("push 10")
        p.tell("drain 5000")
        for _ in range(3):
            p.tell("push 4000")
            p.tell("run 15")
            s.kill(signal.SIGTERM)
            p.tell("push 500")
            p.tell("run 200")
            s.start()
        counts = p.tell("drain 30000")
        self.assertEqual((counts["waiting"], counts["dropped"], counts["sent"]), (0, 0, p.pushed), p.said())
        got = self.wait_numbers(s, p.pushed)
        self.assertEqual(without_doubles(got), list(range(1, p.pushed + 1)), p.said())
        self.assertLess(len(got), p.pushed * 4)  # the last ten seconds, each time
        p.close()

    def test_rsyslog_ended_under_load_tcp(self):
        self.ended_under_load("rsyslog", "tcp")

    def test_rsyslog_ended_under_load_tls(self):
        self.ended_under_load("rsyslog", "tls", self.certificates())

    def test_syslog_ng_ended_under_load_tcp(self):
        self.ended_under_load("syslog-ng", "tcp")

    def test_the_sensor_is_killed(self):
        s = self.server("rsyslog", "tcp")
        p = self.push(s.url(), "--spool", self.spool)
        p.tell("push 500")
        p.tell("run 100")
        p.kill()
        s.start()
        p = self.push(s.url(), "--spool", self.spool)
        p.tell("push 1")
        self.assertEqual(p.tell("drain 10000")["waiting"], 0, p.said())
        self.assertEqual(self.wait_numbers(s, 500), list(range(1, 501)) + [1])
        self.assertIn("500 messages of an earlier run are sent first", p.said())

    def full_disk(self, spool, **more):
        """The spool's disk is full during an outage: memory takes what it can, the rest is counted."""
        s = self.server("rsyslog", "tcp")
        p = self.push(s.url(), "--spool", spool, **more)
        counts = p.tell("push 6000")
        counts = p.tell("run 300")
        self.assertGreater(counts["spooled"], 50)
        self.assertGreater(counts["dropped"], 50)
        self.assertEqual(counts["waiting"] + counts["dropped"], 6000)
        kept = counts["waiting"]
        s.start()
        counts = p.tell("drain 20000")
        self.assertEqual((counts["waiting"], counts["sent"]), (0, kept), p.said())
        self.assertEqual(self.wait_numbers(s, kept), list(range(1, kept + 1)))
        p.tell("push 100")
        self.assertEqual(p.tell("drain 5000")["sent"], kept + 100)
        p.close()
        self.assertEqual(p.said().count("the spool cannot be written: "), 1, p.said())
        self.assertEqual(p.said().count("messages were dropped so far"), 1, p.said())
        return p.said()

    def test_full_disk(self):
        folder = tempfile.mkdtemp(prefix="pc-full-")
        self.addCleanup(os.rmdir, folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], stderr=subprocess.DEVNULL, check=False)
        if mounted.returncode:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        self.assertIn("No space left on device", self.full_disk(folder))

    def test_full_disk_by_limit(self):
        self.full_disk(self.spool, wrapper=["sh", "-c", 'ulimit -f 256; exec "$0" "$@"'])

    def test_bound_of_the_spool(self):
        s = self.server("rsyslog", "tcp")
        p = self.push(s.url(), "--spool", self.spool, "--max", "200000")
        counts = p.tell("push 5000")
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(self.spool) for f in files if f.endswith(".spool"))
        self.assertLessEqual(size, 200000)
        self.assertEqual(counts["waiting"] + counts["dropped"], 5000)
        s.start()
        p.tell("drain 10000")
        self.assertEqual(self.wait_numbers(s, counts["waiting"]), list(range(1, counts["waiting"] + 1)))

    # ------------------------------------------------------------------------- certificates

    def refused(self, tls, query, host, want):
        s = self.server("rsyslog", "tls", tls=tls).start()
        p = self.push(s.url(query, host), "--spool", self.spool)
        p.tell("push 5")
        counts = p.tell("run 700")
        self.assertEqual((counts["up"], counts["sent"], counts["waiting"], counts["spooled"]), (0, 0, 5, 5))
        self.assertEqual(p.close(), 0)
        self.assertIn(want, p.said())
        self.assertEqual(numbers(s), [])
        return s

    def test_certificate_of_another_name(self):
        tls = self.certificates("other.example")
        s = self.refused(tls, "ca=" + tls.path("ca.pem"), "localhost",
                         "the server's certificate is refused: hostname mismatch (localhost was expected)")
        # the spool is another URL's; name= says which name is right
        p = self.push(s.url("ca=%s&name=other.example" % tls.path("ca.pem"), "localhost"))
        p.tell("push 1")
        self.assertEqual(p.tell("drain 5000")["sent"], 1, p.said())

    def test_certificate_of_an_address(self):
        tls = self.certificates("127.0.0.1")
        s = self.server("rsyslog", "tls", tls=tls).start()
        p = self.push(s.url("ca=" + tls.path("ca.pem")))
        p.tell("push 1")
        self.assertEqual(p.tell("drain 5000")["sent"], 1, p.said())
        self.refused(tls, "ca=" + tls.path("ca.pem"), "localhost", "hostname mismatch (localhost was expected)")

    def test_certificate_of_an_unknown_authority(self):
        tls, other = self.certificates(), self.certificates()
        self.refused(tls, "ca=" + other.path("ca.pem"), "localhost", "the server's certificate is refused: ")
        s = self.server("rsyslog", "tls", tls=tls).start()
        p = self.push(s.url("verify=no", "localhost"))
        p.tell("push 1")
        self.assertEqual(p.tell("drain 5000")["sent"], 1, p.said())

    def test_client_certificate_is_missing(self):
        tls = self.certificates(client=True)
        s = self.server("syslog-ng", "tls", tls=tls).start()
        p = self.push(s.url("ca=" + tls.path("ca.pem"), "localhost"), "--spool", self.spool)
        p.tell("push 5")
        counts = p.tell("run 700")
        self.assertEqual(counts["up"], 0, p.said())
        p.close()
        self.assertIn("TLS: ", p.said())
        self.assertEqual(numbers(s), [])


if __name__ == "__main__":
    unittest.main()
