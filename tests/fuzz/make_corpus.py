#!/usr/bin/env python3
"""Makes seeds for the fuzz targets from our own captures: make_corpus.py (from the project's root).

engine, decode: small captures as fuzz_engine.c and fuzz_decode.c read them, plain and in tunnels and
fragments.  capture: such files, of every kind.  stream, record: a few of each.  session: their dialogues as fuzz_session.c does.
wire: what workers may say, well and ill.  mime: messages of every kind that the scanner tells apart, as fuzz_mime.c reads them.  received: single fields.
cert: certificates of every kind, made by openssl and by certbytes.py.
"""
import base64
import glob
import gzip
import os
import random
import re
import struct
import subprocess
import sys
import zlib

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, x) for x in ("tools", "metamorphic")]
import certbytes  # noqa: E402
import dialogue  # noqa: E402
import frames as F  # noqa: E402
import transforms as T  # noqa: E402


def frames(capture):
    at, last = 24, None
    while at + 16 <= len(capture):
        sec, frac, length = struct.unpack_from("<III", capture, at)
        now = sec * 1000 + frac // 1000
        yield min(max(now - (last if last is not None else now), 0), 248), capture[at + 16:at + 16 + length]
        last, at = now, at + 16 + length


DECODE_LINKS = [1, 101, 113, 276, 0, 108, 228, 229, 9, 50, 51, 104, 105, 127, 219, 239, 12, 14]


def pcapng(frames_in):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHBxxxHH", 9, 1, 9, 0, 0))
    for ns, octets in frames_in:
        out += block(6, struct.pack("<IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(octets), len(octets)) + octets)
    return out


def session(script):
    """What both sides of a dialogue say, in chunks as fuzz_session.c takes them."""
    out, packers = b"", {"C": None, "S": None}
    for _, line in script:
        side, text = line[0], b""
        words = line[1:].split()
        if line[:2] in ("C:", "S:"):
            text = line[3:].encode() + b"\r\n"
        elif line[:2] in ("C>", "S>"):
            text = dialogue.unescape(line[3:])
        elif side == "@" and words[0] in ("deflate", "plain"):
            packers[words[1]] = zlib.compressobj(9, zlib.DEFLATED, -15) if words[0] == "deflate" else None
        elif side == "@" and words[0] == "gap":
            out += bytes([0x40 | (0x80 if words[1] == "S" else 0) | min(int(words[2]) - 1, 31)])
        if text and packers[side]:
            text = packers[side].compress(text) + packers[side].flush(zlib.Z_SYNC_FLUSH)
        for i in range(0, len(text), 30):
            piece = text[i:i + 30]
            out += bytes([(0x80 if side == "S" else 0) | len(piece)]) + piece
    return out


# src/record/common.c: what a record of a connection begins with, of which constants do not cross the pipe
CONSTANTS = ("event.kind", "event.category", "event.type", "event.dataset", "observer.type", "observer.product", "observer.version",
             "network.transport")
VALUES = ("@timestamp", "event.start", "event.end", "event.duration", "network.type", "source.ip", "source.port", "source.bytes", "source.packets",
          "destination.ip", "destination.port", "destination.bytes", "destination.packets", "postcard.midstream", "postcard.gap_bytes")


def record(kind):
    """A record with a value in every field, as src/record/record.c lays it out; kinds 4 and 5: as it crosses the pipe."""
    text, fields = {"postcard.outcome": b"cleartext", "postcard.reason": b"stripped", "event.dataset": b"postcard.session"}, []
    with open("src/record/fields.def", encoding="utf-8") as f:
        for line in f:
            row = re.match(r'FIELD\((\w+), "([^"]+)", (\w+),', line)
            if row:
                fields.append(row.groups()[1:])
    out = bytes([kind, 0])
    rows = list(enumerate(fields))
    if kind >= 4:
        text["network.type"] = b"ipv6"
        first = [next(row for row in rows if row[1][0] == name) for name in VALUES]
        rows = first + [row for row in rows if row[1][0] not in CONSTANTS + VALUES]
    for i, (name, type_) in rows:
        value = {"STR": text.get(name, b"a@b\x1b[31m\xff\n"), "U64": struct.pack("<Q", 7), "BOOL": b"\1", "ITEM": b"",
                 "TIME": struct.pack("<q", 1767607200 * 10**9), "IP": b"\x04\xc0\0\x02\x09" + b"\0" * 12}[type_]
        if not name.startswith("postcard.summary"):
            out += struct.pack("<HH", i, len(value)) + value
    return out


def write(folder, name, octets):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(octets)


def multipart(kind, *parts, **parameters):
    parameters.setdefault("boundary", "b0")
    head = "; ".join('%s="%s"' % (k, v) for k, v in sorted(parameters.items()))
    body = "".join("--%s\n%s\n" % (parameters["boundary"], part) for part in parts)
    return "Content-Type: multipart/%s; %s\n\npreamble\n%s--%s--\n" % (kind, head, body, parameters["boundary"])


def attachment(name):
    return "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n" \
           "Content-Disposition: attachment; %s\n\nJVBERi0xLjQK\n" % name


def messages():
    text = "Content-Type: text/plain\n\nhello\n"
    yield "plain", "Subject: hi\nFrom: a@b\nMessage-ID: <1@x>\n\nbody\n"
    yield "folded", "Subject: =?utf-8?B?Z3LDvG4=?=\n =?iso-8859-1?q?_caf=E9?=\n\tthree\nX-Mailer: m\n\nb\n"
    yield "charsets", "Subject: =?koi8-r?B?8NLJ18XU?= =?gb2312?b?xOO6ww==?= =?x-none?q?=41?=\n\nb\n"
    yield "headers-only", "Subject: no end"
    yield "mixed", "Subject: m\n" + multipart("mixed", text, attachment('filename="a.pdf"'))
    yield "nested", multipart("mixed", multipart("alternative", text, text, boundary="b1"), attachment("filename=x"))
    yield "name-2231", multipart("mixed", attachment("filename*0*=utf-8''%c3%bc; filename*1=b.pdf"))
    yield "message", multipart("mixed", "Content-Type: message/rfc822\n\nSubject: inner\n\ninner body\n")
    yield "smime", 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\n\nMIAG\n'
    yield "smime-signed", multipart("signed", text, attachment('filename="smime.p7s"'), protocol="application/pkcs7-signature")
    yield "pgp-mime", multipart("encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
                                "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\nx\n",
                                protocol="application/pgp-encrypted")
    yield "pgp-inline", "Subject: p\n\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n"
    pgp = "-----BEGIN PGP MESSAGE-----\nVersion: x\n\nhQEMA4v0pXdYIuAAAQf/\n=njUN\n-----END PGP MESSAGE-----\n"
    yield "pgp-whole", "Subject: p\n\n\n" + pgp + "\n"
    yield "pgp-qp", "Content-Transfer-Encoding: quoted-printable\n\n" + pgp.replace("=", "=3D").replace("hQ", "h=\nQ")
    yield "pgp-base64", "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(pgp.encode()).decode()
    yield "pgp-html", multipart("alternative", pgp, "Content-Type: text/html\n\n<pre>" + pgp)
    cms = "Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    for name, octets in [("enveloped", "MIIBnQYJKoZIhvcNAQcDoIIBjjCCAYo="), ("signed", "MIAGCSqGSIb3DQEHAqCAMIACAQE="),
                         ("auth", "MIAGCyqGSIb3DQEJEAEXoIAwgAIBAA==")]:
        yield "cms-" + name, cms + octets + "\n"
    yield "cms-part", multipart("mixed", "\n", cms + "MIIBnQYJKoZIhvcNAQcDoIIBjjCCAYo=\n")
    yield "uuencode", "Subject: u\n\nDear Ann\nbegin 644 a.pdf\n()5!$1BTQ+C<`\n`\nend\nbegin 600 b\n#2&5L\nend\nbye\n"
    yield "uuencode-part", multipart("mixed", "\nbegin 644 a\n#2&5L\n-2&5L", "Content-Transfer-Encoding: x-uuencode\n"
                                     "Content-Type: a/b\n\nbegin 644 a\n#2&5L\nend\n")
    inner = "Subject: inner\n" + multipart("mixed", text, attachment("filename=i.pdf"), boundary="b1")
    yield "message-attached", multipart("mixed", "Content-Type: message/rfc822; name=m.eml\n\n" + inner)
    yield "message-twice", multipart("mixed", "Content-Type: message/rfc822; name=m.eml\n\n"
                                     "Content-Type: message/rfc822; name=n.eml\n\n" + inner)
    yield "digest", multipart("digest", "\n" + inner, "\nSubject: two\n\ntwo\n")
    zip_entry = b"PK\3\4\x14\0\0\0\x08\0\0\0!\0abcd\1\0\0\0\1\0\0\0\x13\0\0\0[Content_Types].xml"
    for name, octets in [("zip", zip_entry), ("pe", b"MZ\x90\0" + b"\0" * 56 + b"\x40\0\0\0PE\0\0"), ("png", b"\x89PNG\r\n\x1a\n"),
                         ("tar", b"a" + b"\0" * 256 + b"ustar"), ("rar", b"Rar!\x1a\7\0\xcf\x90\x73\x80\0"),
                         ("html", b" \n<!doctype html>")]:
        yield "type-" + name, "Content-Type: a/b; name=n\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(octets).decode()
    yield "type-text", "Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
    yield "no-boundary", "Content-Type: multipart/mixed\n\n--\n--x\n"
    yield "deep", "".join("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(12))


def received():
    """The Received fields of the unit test."""
    with open("tests/unit/mail_received_test.c", encoding="utf-8") as f:
        rows = f.read().split("rows[] = {", 1)[1].split("\n};", 1)[0]
    for row in re.findall(r'\{\s*((?:"(?:[^"\\]|\\.)*"\s*)+)(DATE)?', rows):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', row[0])).replace("\\\\", "\\")
        yield text + ("; Mon, 23 Nov 2026 14:00:00 +0100 (CET)" if row[1] else "")


def wire():
    """What a worker may say, as src/engine/wire.h lays it out: (name, octets)."""
    def say(kind, detail, order, body=b""):
        return struct.pack("<IHHQ", len(body), kind, detail, order) + body + b"\0" * (-len(body) % 16)
    body = record(4)[2:]
    end = say(4, 0, 9)
    said = {"records": say(0, 0, 1, body) + say(1, 0, 2) + say(0, 1, 3, body) + say(1, 0, 5) + end,
            "events": b"".join(say(3, n, 0, b"eth0: \x1b[31m\n\xff down") for n in range(5)) + end,
            "kinds": b"".join(say(0, n, n, body) for n in range(6)),
            # 904: struct feed_report, of when this was written
            "status": say(2, 0, 1, b"\xff" * 904) + say(2, 0, 1, b"\0" * 904) + say(2, 0, 2, b"\7" * 904) + end,
            "status-short": say(2, 0, 1, b"\xff" * 900) + end,
            "long": say(0, 0, 1, body + b"\0" * 70000),
            "behind-the-end": end + say(0, 0, 0, body) + end,
            "cut": say(0, 0, 1, body)[:-3]}
    for ordered in range(2):
        for name, octets in said.items():
            yield "%s-%d" % (name, ordered), bytes([ordered, 1 if name == "records" else 0]) + octets
    for name in ("records", "status", "kinds"):  # see fuzz_wire.c
        for flag, how in ((2, "near-the-end"), (4, "told-wrongly")):
            yield "%s-%s" % (name, how), bytes([flag, 1 if name == "records" else 0]) + said[name]
    yield "noise", bytes([1, 3]) + bytes(random.Random(1).randrange(5) for _ in range(2000))


def certificates():
    """(name, certificate): of openssl, whose keys are other ones each time, and of our own writer."""
    for kind, key in (("rsa", ["rsa:2048"]), ("rsa-small", ["rsa:512"]), ("ed25519", ["ed25519"]), ("pss", ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:1024"]),
                      ("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"])):
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", "/dev/null", "-outform", "DER", "-subj",
                               "/C=DE/O=Post/CN=mx.example.com/emailAddress=a@b.c", "-addext",
                               "subjectAltName=DNS:mx.example.com,DNS:*.example.org,IP:2001:db8::1,email:a@b.c"], capture_output=True, check=True)
        yield kind, done.stdout
    many = ["n%03d.example.com" % i for i in range(40)]
    for name, wish in (("many-names", {"names": many}), ("expired", {"start": "20190101", "end": "20200101", "issuer": None}),
                       ("wrong-name", {"names": ["other.example"]}), ("version-1", {"version": 0}), ("negative-serial", {"serial": -70000}),
                       ("huge", {"cn": "x" * 3000, "names": ["y" * 300 + ".example", "z.example"]}), ("weak", {"key": "rsa", "bits": 1024, "signature": "md5"}),
                       ("no-end", {"end": "99991231235959"}), ("before-the-epoch", {"start": "00010101", "end": "19690101"}),
                       ("hostile", {"cn": "a\x1b[2J", "names": ["mx.example.com\\x00.evil", "\\x1b[31m", "*.", "*", "ip:1.2.3.4"]})):
        yield name, certbytes.make(**wish)


def main():
    base = os.path.join("tests", "fuzz", "corpus")
    for path in sorted(glob.glob("pcaps/*.pcap")):
        with open(path, "rb") as f:
            capture = f.read()
        if len(capture) < 5000:
            seed = b"\0" + b"".join(struct.pack("<HB", len(o), ms) + o for ms, o in frames(capture))
            write(os.path.join(base, "engine"), os.path.basename(path)[:-5], seed)
    segs = F.segments("pcaps/not-offered.pcap")[:12] if os.path.exists("pcaps/not-offered.pcap") else []
    for n, (name, transform) in enumerate(sorted(T.SAME.items())):
        out = transform(segs, random.Random(1)) if segs and len(name) < 60 else []
        link = DECODE_LINKS.index(T.LINKS[name])
        if out and not name.startswith("segments of"):
            seed = b"".join(struct.pack("<BBH", link, 0, len(o)) + o for _, o in out[:24])
            write(os.path.join(base, "decode"), "%02d" % n, seed[:6000])
    plain = [(s.ns, F.ether(F.wire(s))) for s in segs]
    small = F.pcap(plain)
    write(os.path.join(base, "capture"), "pcap", small)
    write(os.path.join(base, "capture"), "pcap-cut", F.pcap(plain, snaplen=80))
    write(os.path.join(base, "capture"), "pcap-gz", gzip.compress(small, mtime=0))
    write(os.path.join(base, "capture"), "pcapng", pcapng(plain))
    for name, der in certificates():
        write(os.path.join(base, "cert"), name, b"\x0emx.example.com" + der)
    for kind in range(6):
        write(os.path.join(base, "record"), str(kind), record(kind))
    for name, seed in wire():
        write(os.path.join(base, "wire"), name, seed)
    for seed in range(12):
        r = random.Random(seed)
        steps = b"".join(struct.pack("<BBHBBH", r.choice((10, 11, 8, 9, 25, 24, 72)), r.choice((0, 0, 1, 60)), 512 + r.randrange(600),
                                     r.randrange(80), r.choice((1, 1, 8)), 512 + r.randrange(600)) for _ in range(40))
        write(os.path.join(base, "stream"), "%02d" % seed, steps)
    for seed in range(8):
        r = random.Random(seed)
        steps = []
        for key in range(0, 16, 2):  # family and identification: the fragments of each, out of order
            blocks = r.randrange(2, 9)
            cuts = [(at, r.choice((1, 1, 2))) for at in range(blocks)] + [(blocks, 0)] * r.choice((1, 2))
            r.shuffle(cuts)
            for at, n in cuts:
                more = 8 if n else 0
                steps.append(struct.pack("<BBHHBB", key // 2 | more, r.choice((0, 0, 9)), at, 8 * n if more else r.randrange(1, 9),
                                         r.choice((255, 255, 255, 5)), r.choice((7, 7, 7, 8))))
        if seed % 2:
            r.shuffle(steps)
        write(os.path.join(base, "defrag"), "%02d" % seed, b"".join(steps))
    for path in sorted(glob.glob("tests/dialogues/*.txt")):
        with open(path, encoding="utf-8") as f:
            script, _ = dialogue.parse(f.read())
        protocol = 1 if "110" in str(script[:3]) and "POP" in str(script) else 0
        protocol = 1 if "imap" in path else 2 if "pop3" in path else protocol
        write(os.path.join(base, "session"), os.path.basename(path)[:-4], bytes([protocol]) + session(script)[:6000])
    for n, field in enumerate(received()):
        write(os.path.join(base, "received"), "%02d" % n, field.encode())
    for name, text in messages():
        write(os.path.join(base, "mime"), name, b"\0" + text.replace("\n", "\r\n").encode("latin-1"))
        write(os.path.join(base, "mime"), name + "-cut", b"\x35" + text.encode("latin-1"))


main()
