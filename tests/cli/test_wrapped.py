"""What stands around a connection is told: tunnels, load balancers, link types that are not known; and what no host takes."""
import os
import random
import struct
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, x) for x in ("tools", "metamorphic")]
import dialogue  # noqa: E402
import frames as F  # noqa: E402
import packets  # noqa: E402
import postcard  # noqa: E402
import transforms as T  # noqa: E402


class Wrapped(unittest.TestCase):
    def report(self, octets, *args):
        with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
            f.write(octets)
            f.flush()
            return postcard.run(postcard.binary(), ["-r", f.name] + list(args))

    def wrapped(self, name, *args):
        return self.report(F.pcap(T.SAME[name](F.segments("pcaps/not-offered.pcap"), random.Random(1))), *args)

    def test_a_tunnel_is_in_record_and_card(self):
        for name, kinds, number in (("VXLAN", ["vxlan"], 42), ("ERSPAN II", ["erspan"], 100), ("GRE", ["gre"], None),
                                    ("fragments in a tunnel", ["vxlan"], 42)):
            s = self.wrapped(name, "--json").of("session")[0]
            tunnel = s["postcard"]["tunnel"]
            self.assertEqual((tunnel["type"], tunnel.get("id")), (kinds, number))
            self.assertTrue(tunnel["source"]["ip"].endswith(".1") and tunnel["destination"]["ip"].endswith(".2"))
            self.assertNotIn("tunnel", self.report(open("pcaps/not-offered.pcap", "rb").read(), "--json").of("session")[0]["postcard"])
        text = self.wrapped("ERSPAN II").stdout.decode()
        self.assertRegex(text, r"Tunnel      erspan 100, \S+\.1 to \S+\.2")

    def test_the_client_behind_a_balancer(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.pcap")
            with open("tests/dialogues/proxy-v1.txt", encoding="utf-8") as f:
                script, _ = dialogue.parse(f.read())
            with open(path, "wb") as f:
                f.write(dialogue.compile_script(script).pcap())
            text = postcard.run(postcard.binary(), ["-r", path]).stdout.decode()
        self.assertIn("Behind it   192.0.2.77", text)

    def test_octets_without_ack_are_nobodys(self):
        """Before each segment of the client one of the same length that its server drops (RFC 9293 section 3.10.7.4)."""
        says = [("S", "220 mx.example.com ESMTP"), ("C", "MAIL FROM:<a@example.org>"), ("S", "250 ok"),
                ("C", "RCPT TO:<b@example.com>"), ("S", "250 ok"), ("C", "DATA"), ("S", "354 go"),
                ("C", "Subject: x\r\n\r\nbody\r\n."), ("S", "250 queued")]
        capture = packets.Capture()
        c = packets.Connection(capture, packets.address("10.0.0.9:40000", 1),
                               packets.address("192.0.2.25:25", 1))
        c.handshake()
        for side, line in says:
            octets = line.encode() + b"\r\n"
            if side == "C":
                c.packet("C", packets.PSH, b"NOOP".ljust(len(octets) - 2) + b"\r\n")
            c.send(side, octets)
        c.close()
        s = self.report(capture.pcap(), "--json").of("session")[0]["postcard"]
        self.assertEqual((s["outcome"], s["messages"]), ("cleartext", 1))
        self.assertNotIn("anomalies", s)

    def test_an_unknown_link_type_is_one_line_and_no_more(self):
        done = self.report(F.pcap([(10**18, b"what is this")] * 5, 147))
        self.assertEqual(done.stderr.decode().count("\n"), 1)
        self.assertIn("5 packets have link type 147", done.stderr.decode())
        self.assertEqual(done.code, 0)

    def test_unknown_link_types_among_others(self):
        """One line for all of them, and what can be read has its records."""
        def block(kind, body):
            body += b"\0" * (-len(body) % 4)
            size = struct.pack("<I", len(body) + 12)
            return struct.pack("<I", kind) + size + body + size
        out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
        out += [block(1, struct.pack("<HHIHHB3xHH", link, 0, 0, 9, 1, 9, 0, 0)) for link in (1, 147, 101, 195)]
        for n, s in enumerate(F.segments("pcaps/not-offered.pcap")):
            packet = F.wire(s)
            for i, octets in ((2, packet) if n % 2 else (0, F.ether(packet)), (1, b"private"), (3, b"802.15.4"))[:n % 4 or 1]:
                out.append(block(6, struct.pack("<IIIII", i, s.ns >> 32, s.ns & 0xFFFFFFFF, len(octets), len(octets)) + octets))
        done = self.report(b"".join(out), "--json")
        self.assertEqual([x["postcard"]["outcome"] for x in done.of("session")], ["cleartext"])
        self.assertRegex(done.stderr.decode(), r"^postcard: \d+ packets have link type 147, and \d+ other ones, which are not "
                         r"known; they were not looked at\n$")


if __name__ == "__main__":
    unittest.main()
