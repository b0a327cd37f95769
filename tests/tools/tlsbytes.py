"""TLS records as a wire shows them: real hellos and certificates, protected records of noise.

Nothing is encrypted: what an observer cannot read is pseudo-random, of the right type and length.
"""
import base64
import hashlib
import random
import struct

VERSIONS = {"3.0": 0x0300, "1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
HANDSHAKE, CCS, ALERT, APPDATA = 22, 20, 21, 23

# mx.example.com, issued by another name, valid 2025 to 2035
CERTIFICATE = base64.b64decode("""
MIIBkjCCATigAwIBAgIBAjAKBggqhkjOPQQDAjAtMRYwFAYDVQQKDA1FeGFtcGxlIFRydXN0MRMwEQYDVQQDDApFeGFt
cGxlIENBMB4XDTI1MDEwMTAwMDAwMFoXDTM1MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwObXguZXhhbXBsZS5jb20wWTAT
BgcqhkjOPQIBBggqhkjOPQMBBwNCAATFxiDNMqNqdt23Sar58qrBJ5+gXwmyH4mRPJ/iJ92x+05E1VWsnbpZrYIYPrde
oAwNW4XRd1UeVGppMUjzfTTwo10wWzAZBgNVHREEEjAQgg5teC5leGFtcGxlLmNvbTAdBgNVHQ4EFgQUqY4iscg4CgrH
sWvZEDxw06/Fgg0wHwYDVR0jBBgwFoAUL1q2kP0Ni+sDhBOEVOMi/I8RUAowCgYIKoZIzj0EAwIDSAAwRQIhALCM60BM
yCDLEjPk1T4go1LwUSapg/91l/pXzafhCqzfAiAIrmi+oiKrj6ya7jXgTLP3whGgmgs8hbMEy7vCzymovg==""")

# old.example.net, issued by itself, expired in 2021
OLD_CERTIFICATE = base64.b64decode("""
MIIBGzCBwgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9vbGQuZXhhbXBsZS5uZXQwHhcNMTkwMTAxMDAwMDAwWhcN
MjEwMTAxMDAwMDAwWjAaMRgwFgYDVQQDDA9vbGQuZXhhbXBsZS5uZXQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATU
wg/wCXH5qy7kisj6NG4kr5YLq9C6JyZgODGgrgoez12Z0O6tb3txhEP8wKD7I4WrphOT5arVhwNJn36G8QuAMAoGCCqG
SM49BAMCA0gAMEUCIDok0HvJ6S7noc4UQO1vD/60xGYF7jWTw6SWCVgadSrZAiEAr7s2xF186gK9NHa4nV5iX9C2KEFn
aIUIoeYT5lBQkQk=""")


# SHA-256 of "HelloRetryRequest": the random of one (RFC 8446 section 4.1.3)
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()


def noise(n, seed):
    return random.Random(seed).randbytes(n)


def record(kind, payload, version=0x0303):
    return struct.pack("!BHH", kind, version, len(payload)) + payload


def message(kind, body):
    return struct.pack("!B", kind) + struct.pack("!I", len(body))[1:] + body


def vector(data, width):
    return len(data).to_bytes(width, "big") + data


def extension(kind, data):
    return struct.pack("!H", kind) + vector(data, 2)


def records(kind, payload, most, version=0x0303):
    """The payload in records of at most so many octets."""
    return b"".join(record(kind, payload[at:at + most], version) for at in range(0, len(payload), most))


def client_hello(sni=None, versions=("1.3", "1.2"), alpn=None, key_share=32, ticket=False, early=False):
    """One record with a ClientHello; key_share 1216 makes it as large as a post-quantum one.

    ticket: of TLS 1.2, without a session identifier.  early: it says that data follow at once (TLS 1.3).
    """
    codes = [VERSIONS[v] for v in versions]
    ext = b""
    if sni:
        ext += extension(0, vector(b"\0" + vector(sni.encode(), 2), 2))
    ext += extension(10, vector(struct.pack("!HHH", 29, 23, 24), 2))
    ext += extension(11, b"\x01\0")
    ext += extension(13, vector(struct.pack("!HHHH", 0x0403, 0x0804, 0x0401, 0x0201), 2))
    if alpn:
        ext += extension(16, vector(vector(alpn.encode(), 1), 2))
    if 0x0304 in codes:
        ext += extension(43, vector(b"".join(struct.pack("!H", c) for c in codes), 1))
        group = 29 if key_share == 32 else 4588
        ext += extension(51, vector(struct.pack("!H", group) + vector(noise(key_share, "share"), 2), 2))
    if ticket:
        ext += extension(35, noise(180, "ticket"))
    if early:
        ext += extension(42, b"")
    ciphers = struct.pack("!9H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0x009C, 0x002F)
    legacy = min(max(codes), 0x0303)
    session = vector(noise(32, "session") if 0x0304 in codes else b"", 1)
    body = (struct.pack("!H", legacy) + noise(32, "client") + session + vector(ciphers, 2) + b"\x01\0"
            + vector(ext, 2))
    return record(HANDSHAKE, message(1, body), min(legacy, 0x0301))


def ssl2_client_hello(version="1.0"):
    """As clients of old began: RFC 5246 appendix E.2."""
    body = b"\1" + struct.pack("!HHHH", VERSIONS[version], 9, 0, 16) + b"\0\0\x05\0\0\x0a\0\0\x2f" + noise(16, "ssl2")
    return struct.pack("!H", 0x8000 | len(body)) + body


def server_hello(version="1.3", cipher=None, group=29, session="s12", retry=False):
    """session: what makes its identifier, in TLS 1.2; "session" is that of the client, "" for none."""
    code = VERSIONS[version]
    if cipher is None:
        cipher = 0x1301 if code == 0x0304 else 0xC02B
    ext = b""
    if code == 0x0304:
        share = b"" if retry else vector(noise(1120 if group >> 8 == 0x11 else 32, "s"), 2)
        ext = extension(43, struct.pack("!H", code)) + extension(51, struct.pack("!H", group) + share)
    legacy = min(code, 0x0303)
    if code == 0x0304:
        session = "session"
    body = (struct.pack("!H", legacy) + (RETRY if retry else noise(32, "server"))
            + vector(noise(32, session) if session else b"", 1) + struct.pack("!HB", cipher, 0))
    if ext:
        body += vector(ext, 2)
    return record(HANDSHAKE, message(2, body), legacy)


def certificate(der=CERTIFICATE, version="1.2", chain=0, most=16384):
    """chain: octets of the issuers' certificates behind it."""
    rest = vector(noise(chain, "chain"), 3) if chain else b""
    return records(HANDSHAKE, message(11, vector(vector(der, 3) + rest, 3)), most, min(VERSIONS[version], 0x0303))


def server_key_exchange(version="1.2", key="curve-0017"):
    """key: "curve-HEX" or "dhe-BITS"."""
    kind, _, value = key.partition("-")
    if kind == "dhe":
        prime = (1 << int(value) - 1 | 1).to_bytes((int(value) + 7) // 8, "big")
        body = vector(prime, 2) + vector(b"\2", 2) + vector(noise(len(prime), "ske"), 2)
    else:
        body = b"\3" + bytes.fromhex(value) + vector(b"\4" + noise(64, "ske"), 1)
    return record(HANDSHAKE, message(12, body + b"\4\3" + vector(noise(70, "sig"), 2)), min(VERSIONS[version], 0x0303))


def ticket(version="1.2"):
    return record(HANDSHAKE, message(4, noise(4, "life") + vector(noise(180, "new ticket"), 2)), min(VERSIONS[version], 0x0303))


def certificate_request(version="1.2"):
    return record(HANDSHAKE, message(13, b"\1\1\0\2\4\1\0\0"), min(VERSIONS[version], 0x0303))


def server_hello_done(version="1.2"):
    return record(HANDSHAKE, message(14, b""), min(VERSIONS[version], 0x0303))


def client_key_exchange(version="1.2"):
    return record(HANDSHAKE, message(16, vector(b"\4" + noise(64, "cke"), 1)), min(VERSIONS[version], 0x0303))


def ccs(version=0x0303):
    return record(CCS, b"\1", version)


def protected(kind, size, seed, version=0x0303):
    return record(kind, noise(size, seed), version)


def handshake(version="1.3", sni=None, cipher=None, der=CERTIFICATE):
    """A complete handshake as [(side, octets)], then a little application data both ways."""
    hello = client_hello(sni, ("1.3", "1.2") if version == "1.3" else (version,))
    if version == "1.3":
        return [("C", hello),
                ("S", server_hello("1.3", cipher) + ccs() + protected(APPDATA, 1200, 1) + protected(APPDATA, 74, 2)),
                ("C", ccs() + protected(APPDATA, 69, 3) + protected(APPDATA, 45, 4)),
                ("S", protected(APPDATA, 250, 5) + protected(APPDATA, 180, 6)),
                ("C", protected(APPDATA, 420, 7)), ("S", protected(APPDATA, 60, 8))]
    code = VERSIONS[version]
    flight = server_hello(version, cipher)
    if der is not None:
        flight += certificate(der, version)
    flight += server_key_exchange(version) + server_hello_done(version)
    return [("C", hello), ("S", flight),
            ("C", client_key_exchange(version) + ccs(code) + protected(HANDSHAKE, 40, 1, code)),
            ("S", ccs(code) + protected(HANDSHAKE, 40, 2, code)),
            ("C", protected(APPDATA, 300, 3, code)), ("S", protected(APPDATA, 200, 4, code)),
            ("C", protected(APPDATA, 420, 5, code)), ("S", protected(APPDATA, 60, 6, code))]
