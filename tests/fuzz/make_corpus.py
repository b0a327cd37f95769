#!/usr/bin/env python3
"""Makes seeds for the fuzz targets from our own captures: make_corpus.py (from the project's root).

engine: small captures as fuzz_engine.c reads them.  session: their dialogues as fuzz_session.c does.
mime: messages of every kind that the scanner tells apart, as fuzz_mime.c reads them.
"""
import glob
import os
import struct
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools")]
import dialogue  # noqa: E402


def frames(capture):
    at, last = 24, None
    while at + 16 <= len(capture):
        sec, frac, length = struct.unpack_from("<III", capture, at)
        now = sec * 1000 + frac // 1000
        yield min(max(now - (last if last is not None else now), 0), 248), capture[at + 16:at + 16 + length]
        last, at = now, at + 16 + length


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
    yield "no-boundary", "Content-Type: multipart/mixed\n\n--\n--x\n"
    yield "deep", "".join("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(12))


def main():
    base = os.path.join("tests", "fuzz", "corpus")
    for path in sorted(glob.glob("pcaps/*.pcap")):
        with open(path, "rb") as f:
            capture = f.read()
        if len(capture) < 5000:
            seed = b"\0" + b"".join(struct.pack("<HB", len(o), ms) + o for ms, o in frames(capture))
            write(os.path.join(base, "engine"), os.path.basename(path)[:-5], seed)
    for path in sorted(glob.glob("tests/dialogues/*.txt")):
        with open(path, encoding="utf-8") as f:
            script, _ = dialogue.parse(f.read())
        protocol = 1 if "110" in str(script[:3]) and "POP" in str(script) else 0
        protocol = 1 if "imap" in path else 2 if "pop3" in path else protocol
        seed = bytes([protocol])
        for _, line in script:
            if line[:2] in ("C:", "S:"):
                text = line[3:].encode() + b"\r\n"
                for i in range(0, len(text), 30):
                    piece = text[i:i + 30]
                    seed += bytes([(0x80 if line[0] == "S" else 0) | len(piece)]) + piece
        write(os.path.join(base, "session"), os.path.basename(path)[:-4], seed)
    for name, text in messages():
        write(os.path.join(base, "mime"), name, b"\0" + text.replace("\n", "\r\n").encode("latin-1"))
        write(os.path.join(base, "mime"), name + "-cut", b"\x35" + text.encode("latin-1"))


main()
