"""The forms in which a planted secret can cross the wire, or could come out again: for the lab and for the tests."""
import base64
import quopri
import urllib.parse

MIN_BASE64 = 8   # octets of base64 below which a hit says nothing


def base64_inside(octets):
    """What base64 makes of the octets wherever they stand in a longer text: the part that depends on them alone, for each of
    the three places they can begin at."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + octets)
        alone = encoded[-(-8 * shift // 6):8 * (shift + len(octets)) // 6]
        if len(alone) >= MIN_BASE64:
            yield alone


def forms(secret):
    """Raw, quoted as in IMAP and JSON, quoted-printable, UTF-7 and IMAP's variant of it, percent-encoded, base64; as octets."""
    raw = secret.encode()
    out = {raw, raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"'), quopri.encodestring(raw, header=False).rstrip(b"\n"),
           quopri.encodestring(raw, header=True), secret.encode("utf-7"), urllib.parse.quote(secret, safe="").encode(),
           base64.b64encode(raw)}
    out.add(secret.encode("utf-7").replace(b"+", b"&").replace(b"/", b","))
    if not secret.isascii():
        out |= {secret.encode("utf-16-le"), secret.encode("unicode-escape")}
        try:
            out.add(secret.encode("latin-1"))
            out.add(quopri.encodestring(secret.encode("latin-1")).rstrip(b"\n"))
        except UnicodeEncodeError:
            pass
    return out | set(base64_inside(raw))
