#!/usr/bin/env python3
"""Makes seeds for the fuzz targets from our own captures: make_corpus.py (from the project's root).

engine: small captures as fuzz_engine.c reads them.  session: their dialogues as fuzz_session.c does.
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


main()
