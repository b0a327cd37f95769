#!/usr/bin/env python3
"""Golden dialogues: compiles a readable dialogue into a capture, and checks what postcard says of it.

usage: dialogue.py FILE.txt -o OUT.pcap       only compile
       dialogue.py [-b BINARY] FILE.txt...    compile, run, check; prints the disagreements

A dialogue file:

    # what this shows
    @client 10.0.0.9:40000                 end points; these are the defaults
    @server 192.0.2.25:25
    S: 220 mx.example.com ESMTP            a line; CRLF is added
    C: EHLO printer.example.org
    C> MAIL FROM:<a@b>\\n                   octets with the escapes of Python, nothing added
    == expect
    session.postcard.outcome = no-mail

Lines of one side in succession are one segment, unless a line `--` stands between them.

    @server IP:PORT, @client IP:PORT       of the connection; [2001:db8::1]:25 for IPv6
    @ipv6                                  IPv6 addresses of documentation instead of the defaults
    @vlan N                                an 802.1Q tag on each frame
    @midstream                             the capture begins here: no handshake packets
    @only client|server                    packets of that side alone are captured
    @syn-only, @refused                    a SYN without answer; a SYN answered by RST
    @new-connection [CLIENT-PORT]          ends the connection and begins another (default: port + 1)
    @isn CLIENT SERVER [LOST]              sequence numbers of the next one's SYNs; "13": the packets of its handshake not captured
    @fin SIDE, @rst SIDE                   closes one direction; resets
    @end-without-fin                       the capture ends in the middle
    @wait SECONDS                          nothing for so long
    @open                                  the handshake is now, whenever the first word is said
    @lose                                  the next segment crosses, but is not captured
    @gap SIDE N                            N octets cross that are not captured
    @raw SIDE HEX...                       octets
    @repeat SIDE N TEXT                    TEXT and CRLF, N times
    @deflate SIDE                          what the side says from here on is one raw deflate stream
    @plain SIDE                            and from here on it is not any more
    @tls 1.3 [key=value...]                a whole handshake and some application data;
                                           cipher=c02b sni=NAME cert=good|old|none
    @tls-client-hello [key=value...]       versions=1.3,1.2 sni=NAME alpn=NAME share=N ticket=1 early=1
    @tls-ssl2-hello VERSION                a ClientHello as SSL 2.0 had it
    @tls-server-hello VERSION [cipher=HEX group=HEX session=echo|none retry=1]
    @tls-certificate good|old|made [key=value...]
                                           chain=N most=N (octets a record) side=C; made: cn=NAME issuer=NAME|self
                                           names=A,B,ip:N start=YYYYMMDD end=YYYYMMDD key=rsa|ec bits=N signature=sha1
    @tls-server-done [key=curve-HEX|dhe-BITS|none]
                                           the parameters of the key exchange, and the end of the flight
    @tls-client-key, @tls-ticket, @tls-certificate-request
    @tls-ccs SIDE, @tls-finished SIDE      ChangeCipherSpec; a protected handshake record
    @tls-appdata SIDE N                    a protected record of N octets
    @tls-alert SIDE LEVEL DESCRIPTION      a readable alert
    @tls-alert-protected SIDE              an alert that cannot be read
    @exact                                 not to be tried in other segments (see VARIANTS)

After `== expect` each line is a statement about the records of `--json --reveal`:

    count session = 1                      also message, alert
    session.FIELD = value                  the first session record by start; session[1] the next
    session.FIELD = a, b                   an array, in any order
    message.ARRAY.0.MEMBER = value         of the first object of an array
    session.FIELD has a                    an array has this element
    session.FIELD lacks a
    session.FIELD ~ REGEX                  matches somewhere
    absent session.FIELD
    alerts = TITLE; TITLE                  rule.name of all alerts, in any order; none
    secret WORD                            in no output of any mode, in any form of planted.py
    exit = 0                               the exit status (0 unless said)
"""
import argparse
import base64
import os
import re
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import certbytes  # noqa: E402
import packets  # noqa: E402
import planted  # noqa: E402
import postcard  # noqa: E402
import tlsbytes  # noqa: E402

# The same dialogue in other segments; each must meet the same expectations.
VARIANTS = {
    "as written": packets.Shape(),
    "octet by octet": packets.Shape(piece=1),
    "pieces of 7, pairs swapped": packets.Shape(piece=7, swap=True),
    "each packet twice": packets.Shape(copies=2),
}


class Mistake(Exception):
    """The dialogue file itself is wrong."""


def unescape(text):
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


def options(words):
    return dict(w.split("=", 1) for w in words)


class Compiler:
    def __init__(self, shape):
        self.capture = packets.Capture()
        self.shape = shape
        self.client, self.server = "10.0.0.9:40000", "192.0.2.25:25"
        self.vlan, self.only, self.midstream = None, None, False
        self.connection, self.isn = None, None
        self.side, self.data, self.lose = None, b"", False
        self.records = 0
        self.deflate = {"C": None, "S": None}

    def conn(self):
        if self.connection is None:
            self.connection = packets.Connection(
                self.capture, packets.address(self.client, 40000), packets.address(self.server, 25),
                self.vlan, self.only, self.shape)
            lost = ""
            if self.isn:
                self.connection.seq = {"C": self.isn[0], "S": self.isn[1]}
                lost, self.isn = self.isn[2], None
            if not self.midstream:
                self.connection.handshake(lost)
        return self.connection

    def flush(self):
        if self.data:
            c = self.conn()
            packer = self.deflate[self.side]
            if packer:
                self.data = packer.compress(self.data) + packer.flush(zlib.Z_SYNC_FLUSH)
            c.send(self.side, self.data, self.lose)
            self.lose = False
        self.side, self.data = None, b""

    def say(self, side, octets):
        if side not in ("C", "S"):
            raise Mistake("side is C or S, not %r" % side)
        if side != self.side:
            self.flush()
        self.side = side
        self.data += octets

    def pause(self):
        """What was said is sent and acknowledged."""
        side = self.side
        self.flush()
        if side:
            self.conn().acknowledge("S" if side == "C" else "C")

    def finish(self):
        self.pause()
        if self.connection is not None:
            self.connection.close()
        self.connection, self.midstream, self.only = None, False, None
        self.deflate = {"C": None, "S": None}

    def noise(self):
        self.records += 1
        return "record %d" % self.records

    def directive(self, word, args):
        if word in ("client", "server"):
            setattr(self, word, args[0])
        elif word == "ipv6":
            self.client, self.server = "[2001:db8::9]:40000", "[2001:db8:1::25]:25"
        elif word == "vlan":
            self.vlan = int(args[0])
        elif word == "midstream":
            self.midstream = True
        elif word == "only":
            self.only = {"client": "C", "server": "S"}[args[0]]
        elif word == "syn-only":
            self.midstream = True
            self.conn().packet("C", packets.SYN)
            self.connection.dead = True
        elif word == "refused":
            self.midstream = True
            c = self.conn()
            c.packet("C", packets.SYN)
            c.seq["C"] += 1
            c.seq["S"] = 0
            c.rst("S")
        elif word == "new-connection":
            self.finish()
            host, _, port = self.client.rpartition(":")
            self.client = "%s:%s" % (host, args[0] if args else int(port) + 1)
        elif word == "isn":
            self.isn = (int(args[0]), int(args[1]), args[2] if len(args) > 2 else "")
        elif word == "fin":
            self.pause()
            self.conn().fin(args[0])
        elif word == "rst":
            self.pause()
            self.conn().rst(args[0])
        elif word == "end-without-fin":
            self.pause()
            self.conn().dead = True
        elif word == "wait":
            self.pause()
            self.capture.now += int(float(args[0]) * 1e9)
        elif word == "open":
            self.conn()
        elif word == "lose":
            self.pause()
            self.lose = True
        elif word == "gap":
            self.pause()
            self.conn().send(args[0], b"?" * int(args[1]), lose=True)
        elif word == "raw":
            self.say(args[0], bytes.fromhex("".join(args[1:])))
        elif word == "repeat":
            self.say(args[0], (" ".join(args[2:]).encode() + b"\r\n") * int(args[1]))
        elif word in ("deflate", "plain"):
            self.pause()
            self.deflate[args[0]] = zlib.compressobj(9, zlib.DEFLATED, -15) if word == "deflate" else None
        elif word.startswith("tls"):
            self.tls(word, args)
        elif word != "exact":
            raise Mistake("no such directive: @" + word)

    def tls(self, word, args):
        certificates = {"good": tlsbytes.CERTIFICATE, "old": tlsbytes.OLD_CERTIFICATE, "none": None}
        if word == "tls":
            o = options(args[1:])
            for side, octets in tlsbytes.handshake(args[0], o.get("sni"), int(o["cipher"], 16) if "cipher" in o else None,
                                                   certificates[o.get("cert", "good")]):
                self.say(side, octets)
        elif word == "tls-client-hello":
            o = options(args)
            self.say("C", tlsbytes.client_hello(o.get("sni"), o.get("versions", "1.3,1.2").split(","),
                                                o.get("alpn"), int(o.get("share", 32)), "ticket" in o, "early" in o))
        elif word == "tls-ssl2-hello":
            self.say("C", tlsbytes.ssl2_client_hello(args[0]))
        elif word == "tls-server-hello":
            o = options(args[1:])
            session = {"echo": "session", "none": "", None: "s12"}[o.get("session")]
            self.say("S", tlsbytes.server_hello(args[0], int(o["cipher"], 16) if "cipher" in o else None,
                                                int(o.get("group", "1d"), 16), session, "retry" in o))
        elif word == "tls-certificate":
            o = options(args[1:])
            side, chain, most = o.pop("side", "S"), int(o.pop("chain", 0)), int(o.pop("most", 16384))
            if args[0] == "made":
                o["issuer"] = None if o.get("issuer") == "self" else o.get("issuer", "Example CA")
                o["names"] = [n for n in o.get("names", "").split(",") if n]
                o["bits"] = int(o.get("bits", 2048))
                certificates["made"] = certbytes.make(**o)
            self.say(side, tlsbytes.certificate(certificates[args[0]], chain=chain, most=most))
        elif word == "tls-server-done":
            key = options(args).get("key", "curve-0017")
            self.say("S", (tlsbytes.server_key_exchange(key=key) if key != "none" else b"") + tlsbytes.server_hello_done())
        elif word == "tls-ticket":
            self.say("S", tlsbytes.ticket())
        elif word == "tls-certificate-request":
            self.say("S", tlsbytes.certificate_request())
        elif word == "tls-client-key":
            self.say("C", tlsbytes.client_key_exchange())
        elif word == "tls-ccs":
            self.say(args[0], tlsbytes.ccs())
        elif word == "tls-finished":
            self.say(args[0], tlsbytes.protected(tlsbytes.HANDSHAKE, 40, self.noise()))
        elif word == "tls-appdata":
            self.say(args[0], tlsbytes.protected(tlsbytes.APPDATA, int(args[1]), self.noise()))
        elif word == "tls-alert":
            self.say(args[0], tlsbytes.record(tlsbytes.ALERT, bytes([int(args[1]), int(args[2])])))
        elif word == "tls-alert-protected":
            self.say(args[0], tlsbytes.protected(tlsbytes.ALERT, 26, self.noise()))
        else:
            raise Mistake("no such directive: @" + word)


def parse(text):
    """(lines of the dialogue, statements), each as (line number, text)."""
    script, expect, where = [], [], None
    where = script
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() == "== expect":
            where = expect
        elif line.startswith("#") or (not line.strip() and where is expect) or not line:
            continue
        else:
            where.append((number, line))
    return script, expect


def compile_script(script, shape=None):
    """The capture of a dialogue."""
    c = Compiler(shape or packets.Shape())
    for number, line in script:
        try:
            if line == "--":
                c.pause()
            elif line.startswith("@"):
                words = line[1:].split()
                c.directive(words[0], words[1:])
            elif line[:2] in ("C:", "S:"):
                c.say(line[0], line[3:].encode() + b"\r\n")
            elif line[:2] in ("C>", "S>"):
                c.say(line[0], unescape(line[3:]))
            else:
                raise Mistake("neither C:, S:, C>, S>, -- nor a directive")
        except (Mistake, ValueError, KeyError, IndexError) as e:
            raise Mistake("line %d: %s: %r" % (number, line, e)) from e
    c.finish()
    return c.capture


def shown(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


STATEMENT = re.compile(r"(session|message|alert|summary)(?:\[(\d+)\])?\.([\w.@]+)\s*(=|~|\bhas\b|\blacks\b)\s*(.*)$")


def titles(done):
    """The titles of the rules that made an alert, sorted."""
    return sorted({a["rule"]["name"] for a in done.of("alert")})


def judge(statement, done):
    """None where the statement holds, else what is there instead."""
    count = re.match(r"count (\w+) = (\d+)$", statement)
    if count:
        got = len(done.of(count[1]))
        return None if got == int(count[2]) else "%d of them" % got
    absent = re.match(r"absent (session|message|alert)(?:\[(\d+)\])?\.([\w.]+)$", statement)
    if absent:
        got = done.field(absent[1], int(absent[2] or 0), absent[3])
        return None if got is postcard.ABSENT else shown(got)
    alerts = re.match(r"alerts = (.*)$", statement)
    if alerts:
        got = titles(done)
        wanted = [] if alerts[1] == "none" else sorted(w.strip() for w in alerts[1].split(";"))
        return None if got == wanted else "; ".join(got) or "none"
    code = re.match(r"exit = (\d+)$", statement)
    if code:
        return None if done.code == int(code[1]) else "exit status %d" % done.code
    s = STATEMENT.match(statement)
    if not s:
        raise Mistake("no statement: " + statement)
    kind, index, field, verb, wanted = s[1], int(s[2] or 0), s[3], s[4], s[5].strip()
    got = done.field(kind, index, field)
    if wanted == '""':
        wanted = ""
    values = [shown(v) for v in (got if isinstance(got, list) else [got])]
    if verb == "lacks":
        return None if got is postcard.ABSENT or wanted not in values else ", ".join(values)
    if got is postcard.NO_RECORD or got is postcard.ABSENT:
        return got
    if verb == "has":
        ok = wanted in values
    elif verb == "~":
        ok = any(re.search(wanted, v) for v in values)
    elif isinstance(got, list):
        ok = sorted(values) == sorted(w.strip() for w in wanted.split(",")) or values == [wanted]
    else:
        ok = values[0] == wanted
    return None if ok else ", ".join(values)


def leaks(word, output):
    return any(form in output for form in planted.forms(word))


def check(path, binary, variants=VARIANTS):
    """The disagreements of one dialogue file, as lines; none where all is well."""
    with open(path, encoding="utf-8") as f:
        script, expect = parse(f.read())
    if not expect:
        raise Mistake("no expectations")
    if any(line.strip() == "@exact" for _, line in script):
        variants = {"as written": VARIANTS["as written"]}
    secrets = [line.split(None, 1)[1] for _, line in expect if line.startswith("secret ")]
    statements = [(n, line) for n, line in expect if not line.startswith("secret ")]
    if not any(line.startswith("exit ") for _, line in statements):
        statements.append((0, "exit = 0"))
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in variants.items():
            capture = os.path.join(folder, "dialogue.pcap")
            compile_script(script, shape).write(capture)
            done = postcard.run(binary, ["-r", capture, "--json", "--reveal"])
            if done.code < 0 or done.bad_json:
                wrong.append("%s: status %d, %s\n%s" % (name, done.code, done.bad_json, done.stderr.decode("utf-8", "replace")))
                continue
            for number, statement in statements:
                got = judge(statement, done)
                if got is not None:
                    wrong.append("%s:%d: %s, got: %s  [%s]" % (os.path.basename(path), number, statement, got, name))
            if secrets:
                outputs = [done.stdout, done.stderr]
                for mode in postcard.MODES:
                    other = postcard.run(binary, ["-r", capture] + mode)
                    outputs += [other.stdout, other.stderr]
                for word in secrets:
                    if any(leaks(word, o) for o in outputs):
                        wrong.append("%s: the secret %s is in an output [%s]" % (os.path.basename(path), word, name))
            if wrong:
                break  # the other shapes would say it again
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-b", "--binary", default="./postcard")
    p.add_argument("-o", "--output", help="compile one file into this capture")
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    bad = 0
    for path in a.files:
        try:
            if a.output:
                with open(path, encoding="utf-8") as f:
                    compile_script(parse(f.read())[0]).write(a.output)
                continue
            wrong = check(path, a.binary)
        except Mistake as e:
            wrong = ["%s: %s" % (path, e)]
        bad += bool(wrong)
        print("\n".join(wrong + ["%s  %s" % ("FAILED" if wrong else "ok    ", path)]))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
