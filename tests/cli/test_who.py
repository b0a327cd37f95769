"""Who it is: distance by TTL, the maker of the network card, and what the card and -T say of it."""
import os
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools")]
import dialogue  # noqa: E402
import postcard  # noqa: E402

TABLE = ('Registry,Assignment,Organization Name,Organization Address\r\n'
         'MA-L,002673,"RICOH COMPANY,LTD.",x\r\nMA-L,00000C,"Cisco Systems, Inc",x\r\nMA-L,001B63,"Apple, Inc.",x\r\n')
RICOH, CISCO, APPLE, OWN = (bytes.fromhex(x + "010203") for x in ("002673", "00000c", "001b63", "022673"))


class Who(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.table = self.file("oui.csv", TABLE.encode())

    def file(self, name, octets):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(octets)
        return path

    def capture(self, client, server, helo="app.example.org", name="offered-ignored", router=None):
        """The dialogue with (MAC, TTL) of both; the client's packets go to the MAC `router`."""
        with open("tests/dialogues/%s.txt" % name, encoding="utf-8") as f:
            script, _ = dialogue.parse(f.read().replace("app.example.org", helo))
        cap = dialogue.compile_script(script)
        first = cap.frames[0][1][26:30]  # the client's address: it opens the connection
        frames = []
        for ns, frame in cap.frames:
            from_client = frame[26:30] == first
            (mac, ttl), (peer, _) = (client, server) if from_client else (server, client)
            to = router if from_client and router else peer
            frames.append((ns, to + mac + frame[12:22] + bytes([ttl]) + frame[23:]))
        return self.file("a.pcap", cap.pcap(frames=frames))

    def session(self, path, *args):
        done = postcard.run(postcard.binary(), ["-r", path, "--json", "--vendors", self.table] + list(args))
        self.assertEqual((done.code, done.stderr), (0, b""))
        return done.of("session")[0]["postcard"]

    def test_a_maker_is_named_on_the_link_alone(self):
        s = self.session(self.capture((RICOH, 64), (CISCO, 128)))
        self.assertEqual(s["client"], {"software": "Ricoh", "class": "printer", "because": ["network card: Ricoh"],
                                       "vendor": "RICOH COMPANY,LTD.", "distance": 0})
        self.assertEqual(s["server"], {"vendor": "Cisco Systems, Inc", "distance": 0})
        s = self.session(self.capture((RICOH, 60), (CISCO, 241)))
        self.assertEqual((s["client"], s["server"]), ({"distance": 4}, {"distance": 14}))
        s = self.session(self.capture((OWN, 64), (OWN, 80)))  # given by the machine itself; no usual TTL
        self.assertEqual((s["client"], "server" in s), ({"distance": 0}, False))
        s = self.session(self.capture((RICOH, 64), (CISCO, 128)), "-n")
        self.assertEqual((s["client"], s["server"]), ({"distance": 0}, {"distance": 0}))

    def test_a_side_is_known_by_its_own_packets(self):
        """The client sends to its router, which the server is not."""
        done = postcard.run(postcard.binary(), ["-r", self.capture((RICOH, 64), (APPLE, 64), router=CISCO), "--json",
                                                "--vendors", self.table])
        session = done.of("session")[0]
        self.assertEqual(session["destination"]["mac"], "00-1B-63-01-02-03")
        self.assertEqual(session["postcard"]["server"]["vendor"], "Apple, Inc.")

    def test_the_card_says_it(self):
        path = self.capture((RICOH, 64), (CISCO, 64), "RNP002673010203")
        text = postcard.run(postcard.binary(), ["-r", path, "--vendors", self.table]).stdout.decode()
        self.assertIn("RNP002673010203\n               printer (Ricoh), by its EHLO name and network card\n", text)
        self.assertIn("seems to be a printer or scanner. The server offers TLS", " ".join(text.split()))

    def test_a_table_that_is_none(self):
        path = self.capture((RICOH, 64), (CISCO, 64))
        for table, words in (("/nowhere/oui.csv", "/nowhere/oui.csv: No such file or directory"),
                             (self.file("x.csv", b"x\n"), "x.csv: no table of the IEEE (oui.csv) is in it")):
            for args in (["-r", path], ["-T"]):
                done = postcard.run(postcard.binary(), args + ["--vendors", table])
                self.assertEqual(done.code, 2)
                self.assertIn(words, done.stderr.decode())

    def test_what_is_loaded(self):
        said = postcard.run(postcard.binary(), ["-T", "--vendors", self.table]).stdout.decode()
        self.assertIn("network cards    makers of 3 blocks\n", said)
        said = postcard.run(postcard.binary(), ["-T", "--vendors", self.table, "-n"]).stdout.decode()
        self.assertIn("network cards    no makers are known\n", said)
        config = self.file("p.yml", b"vendors: oui.csv\n")  # from that file's folder
        said = postcard.run(postcard.binary(), ["-T", "--config", config]).stdout.decode()
        self.assertIn("network cards    makers of 3 blocks\n", said)

    def test_no_reason_has_an_address(self):
        with open("tests/dialogues/who-relay.txt", encoding="utf-8") as f:
            script, _ = dialogue.parse(f.read())
        path = self.file("b.pcap", dialogue.compile_script(script).pcap())
        done = postcard.run(postcard.binary(), ["-r", path, "--json", "--reveal"])
        for record in done.records:
            self.assertNotIn("@", str(record.get("postcard", {}).get("client", "")))


if __name__ == "__main__":
    unittest.main()
