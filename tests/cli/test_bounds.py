"""Floods: memory stays under --memory, the time is short, and the mail between them keeps its verdict."""
import os
import struct
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, x) for x in ("tools", "metamorphic")]
import frames as F  # noqa: E402
import measure  # noqa: E402
import postcard  # noqa: E402

MEMORY = 64 << 20
EPOCH_NS = 1767607200 * 10**9
CLIENT, SERVER = b"\x0a\0\0\x01", b"\x0a\0\0\x02"


class Line:
    """One mail connection, spoken in turns."""

    def __init__(self, sport=40000):
        self.sport, self.next = sport, [1000, 9000]

    def say(self, side, text, flags=0x18):
        ends = (CLIENT, SERVER, self.sport, 25) if side == 0 else (SERVER, CLIENT, 25, self.sport)
        s = F.Segment(0, False, *ends, self.next[side], self.next[1 - side] if flags != 2 else 0, flags, 512, b"", text)
        self.next[side] += len(text) + (1 if flags & 3 else 0)
        return F.ether(F.wire(s))

    def opening(self):
        return [self.say(0, b"", 2), self.say(1, b"", 0x12), self.say(0, b"", 0x10), self.say(1, b"220 mx ESMTP\r\n"),
                self.say(0, b"EHLO me\r\n"), self.say(1, b"250 mx\r\n")]

    def mail(self, body=b"Subject: x\r\n\r\nbody\r\n"):
        return [self.say(0, b"MAIL FROM:<a@b>\r\n"), self.say(1, b"250 Ok\r\n"), self.say(0, b"RCPT TO:<c@d>\r\n"),
                self.say(1, b"250 Ok\r\n"), self.say(0, b"DATA\r\n"), self.say(1, b"354 Go\r\n"), self.say(0, body + b".\r\n"),
                self.say(1, b"250 Ok\r\n"), self.say(0, b"QUIT\r\n", 0x19), self.say(1, b"221 Bye\r\n", 0x19), self.say(0, b"", 0x10)]


def template(text, flags=2, proto=6):
    s = F.Segment(0, False, CLIENT, SERVER, 40000, 25, 1, 0, flags, 512, b"", text)
    frame = bytearray(F.ether(F.wire(s)))
    frame[23] = proto
    return frame


def each(frame, count, patch):
    """`count` copies of a frame; patch(frame, i) changes it."""
    for i in range(count):
        patch(frame, i)
        yield bytes(frame)


def other_client(frame, i):
    struct.pack_into("!I", frame, 26, 0x0B000000 + i)


def answered(count, texts=()):
    """Connections that are opened and then say nothing, or the texts."""
    syn, ack, back = template(b""), template(b"", 0x10), template(b"", 0x12)
    struct.pack_into("!4s4sHHII", back, 26, SERVER, CLIENT, 25, 40000, 9000, 2)
    struct.pack_into("!II", ack, 38, 2, 9001)
    say = []
    for seq, text in texts:
        t = template(text, 0x18)
        struct.pack_into("!II", t, 38, seq, 9001)
        say.append(t)
    for i in range(count):
        for f in [syn] + [ack] + say:
            other_client(f, i)
        struct.pack_into("!I", back, 30, 0x0B000000 + i)
        yield from (bytes(f) for f in [syn, back, ack] + say)


class Bounds(unittest.TestCase):
    def flood(self, frames, mail=True, seconds=20):
        """Runs a flood between the opening and the mail of one connection; returns what came out."""
        line, out, now = Line(), [], EPOCH_NS
        with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
            f.write(F.pcap([]))
            for part in (line.opening(), frames, line.mail()) if mail else (frames,):
                for octets in part:
                    f.write(struct.pack("<IIII", now // 10**9, now % 10**9 // 1000, len(octets), len(octets)) + octets)
                    now += 20_000
            f.flush()
            data = open(f.name, "r+b")
            data.write(b"\xd4\xc3\xb2\xa1")
            data.close()
            with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
                status, took, peak = measure.run([postcard.binary(), "-r", f.name, "--json", "--no-ndpi", "--memory", "64M"],
                                                 stdout, stderr)
                stdout.seek(0)
                stderr.seek(0)
                out, err = stdout.read(), stderr.read()
        self.assertEqual(status, 0, err[-2000:])
        if not postcard.sanitized():
            self.assertLess(peak, MEMORY)
            self.assertLess(took, seconds)
        done = postcard.Done(0, out, err)
        if mail:
            mine = [s for s in done.of("session") if s["source"]["port"] == 40000 and s["source"]["ip"] == "10.0.0.1"]
            self.assertEqual([(s["postcard"]["outcome"], s["postcard"]["messages"], s["postcard"]["closed_by"]) for s in mine],
                             [("cleartext", 1, "fin")])
        self.assertEqual(done.bad_json, "")
        return done

    def evicted(self, done):
        return postcard.dig(done.of("summary")[0], "postcard.summary.evicted")

    def test_syn_flood(self):
        done = self.flood(each(template(b""), 200_000, other_client))
        self.assertGreater(self.evicted(done), 100_000)

    def test_flood_on_other_ports(self):
        def patch(frame, i):
            other_client(frame, i)
            struct.pack_into("!H", frame, 36, 8080)
        done = self.flood(each(template(b""), 200_000, patch))
        self.assertGreater(self.evicted(done), 100_000)

    def test_half_open_connections(self):
        done = self.flood(answered(100_000))
        self.assertGreater(self.evicted(done), 50_000)

    def test_connections_that_greet_and_stay(self):
        """Each was a session, so each has its record, evicted or not."""
        done = self.flood(answered(60_000, [(2, b"EHLO me\r\n")]), mail=False)
        self.assertGreater(self.evicted(done), 10_000)
        self.assertEqual(len(done.of("session")), 60_000)

    def test_readable_mail_that_is_evicted_is_reported(self):
        """Envelopes crossed in all of them."""
        done = self.flood(answered(60_000, [(2, b"HELO me\r\nMAIL FROM:<a@b>\r\n")]), mail=False)
        self.assertEqual(len(done.of("session")), 60_000)
        self.assertEqual(len(done.of("message")), 60_000)
        self.assertEqual({s["postcard"]["outcome"] for s in done.of("session")}, {"cleartext"})

    def test_octets_out_of_order_without_end(self):
        self.flood(answered(3000, [(5000 + 1400 * k, b"x" * 1400) for k in range(20)]))

    def test_one_stream_out_of_order_without_end(self):
        def patch(frame, i):
            struct.pack_into("!I", frame, 38, 10_000 + 2000 * i)
        self.flood(each(template(b"x" * 1000, 0x18), 60_000, patch), mail=False)

    def test_fragments_without_end(self):
        def patch(frame, i):
            struct.pack_into("!HHH", frame, 18, i & 0xFFFF, 0x2000, 0x4006)
            struct.pack_into("!I", frame, 26, 0x0B000000 + (i >> 16))
        done = self.flood(each(template(b"x" * 980, 0x18), 150_000, patch))
        self.assertEqual(postcard.dig(done.of("summary")[0], "postcard.summary.fragments"), 150_000)

    def endless(self, before, text, count=30_000):
        line = Line(41000)
        frames = line.opening() + [line.say(0, before)] + [line.say(1, b"354 Go\r\n")]
        self.flood(frames + [line.say(0, text) for _ in range(count)])

    def test_a_line_without_end(self):
        self.endless(b"NOOP ", b"x" * 1000)

    def test_a_header_without_end(self):
        self.endless(b"DATA\r\n", b"Subject: x\r\n y\r\n" * 60)

    def test_a_boundary_without_end(self):
        self.endless(b"DATA\r\n", b"--" + b"x" * 998)

    def test_recipients_without_end(self):
        self.endless(b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<someone@example.com>\r\n" * 40, 3000)

    def test_recipients_that_do_not_fit_a_record(self):
        """Not all of them are named, which is said, and the verdict and its level stand."""
        line = Line(41000)
        frames = line.opening() + [line.say(0, b"MAIL FROM:<a@b>\r\n")]
        frames += [line.say(0, b"RCPT TO:<" + b"x" * 220 + b"@example.com>\r\n") for _ in range(450)] + line.mail()[4:]
        message = [m for m in self.flood(frames, mail=False).of("message") if m["postcard"]["recipients"] == 450][0]
        self.assertLess(len(message["email"]["to"]["address"]), 450)
        self.assertGreater(message["postcard"]["cut"], 150)
        self.assertIn(message["postcard"]["level"], ("medium", "high"))
        self.assertIn("sent 1 mail", message["message"])

    def test_commands_without_end(self):
        self.endless(b"", b"NOOP\r\nRSET\r\nVRFY x\r\n" * 60)

    def test_replies_without_end(self):
        line = Line(41000)
        frames = line.opening()
        self.flood(frames + [line.say(1, b"250-x\r\n" * 200) for _ in range(10_000)])


if __name__ == "__main__":
    unittest.main()
