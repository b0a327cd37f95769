"""Certificates as DER (RFC 5280) that say what a test wants.

Their signatures are none, and an RSA key is any odd number: nobody who watches a wire verifies either.
"""
OIDS = {"cn": "55 04 03", "o": "55 04 0a", "san": "55 1d 11",
        "rsa": "2a 86 48 86 f7 0d 01 01 01", "ec": "2a 86 48 ce 3d 02 01", "p256": "2a 86 48 ce 3d 03 01 07",
        "ed25519": "2b 65 70",
        "md5": "2a 86 48 86 f7 0d 01 01 04", "sha1": "2a 86 48 86 f7 0d 01 01 05", "sha256": "2a 86 48 86 f7 0d 01 01 0b"}
# a point on P-256: its generator
POINT = bytes.fromhex("04 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


def sequence(*parts):
    return tlv(0x30, *parts)


def oid(name):
    return tlv(6, bytes.fromhex(OIDS[name]))


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def name(cn, organization=None):
    parts = [("o", organization)] if organization else []
    parts += [("cn", cn)] if cn is not None else []
    return sequence(*(tlv(0x31, sequence(oid(kind), tlv(12, text))) for kind, text in parts))


def moment(text):
    """20260101 or 20260101120000."""
    return tlv(24, (text.ljust(14, "0") + "Z").encode())


def algorithm(kind):
    return sequence(oid(kind), b"\5\0")


def public_key(kind, bits):
    if kind == "rsa":
        key = sequence(integer((1 << bits - 1) | 0xC0FFEE | 1), integer(65537))
        return sequence(algorithm("rsa"), tlv(3, b"\0", key))
    if kind == "ed25519":
        return sequence(sequence(oid("ed25519")), tlv(3, b"\0", bytes(range(32))))
    return sequence(sequence(oid("ec"), oid("p256")), tlv(3, b"\0", POINT))


def general_name(text):
    octets = text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
    if text.startswith("ip:"):
        return tlv(0x87, bytes(int(x) for x in text[3:].split(".")))
    return tlv(0x82, octets)


def make(cn="mx.example.com", issuer="Example CA", names=(), start="20250101", end="20350101", key="ec", bits=2048,
         signature="sha256", version=2, serial=2, extra=b""):
    """names: of subjectAltName, "ip:192.0.2.1" for an address, with Python's escapes."""
    extensions = b""
    if names:
        san = sequence(oid("san"), tlv(4, sequence(*(general_name(n) for n in names))))
        extensions = tlv(0xA3, sequence(san, extra))
    tbs = sequence(tlv(0xA0, integer(version)) if version else b"", integer(serial), algorithm(signature),
                   name((issuer if issuer is not None else cn).encode()), sequence(moment(start), moment(end)),
                   name(cn.encode()), public_key(key, bits), extensions)
    return sequence(tbs, algorithm(signature), tlv(3, b"\0", bytes(64)))
