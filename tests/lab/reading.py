"""The second reading: what the packets say of a connection, put together by tshark, without knowledge of the scenario."""
import re
import struct
import subprocess
import zlib
from email.header import decode_header, make_header

# the command that asks for TLS, and the line that grants it
ASKS = {"smtp": rb"STARTTLS", "imap": rb"\S+ STARTTLS", "pop3": rb"STLS"}
GRANTS = {"smtp": rb"220 [^\r\n]*", "imap": rb"\S+ OK[^\r\n]*", "pop3": rb"\+OK[^\r\n]*"}


def payload(path, stream):
    """The payload of one TCP stream as tshark puts it together: [(from_server, bytes)], one per segment."""
    out = subprocess.run(["tshark", "-r", path, "-q", "-z", "follow,tcp,raw,%d" % stream],
                         stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    return [(line.startswith("\t"), bytes.fromhex(line.strip())) for line in out.splitlines()
            if re.fullmatch(r"\t?[0-9a-f]+", line)]


def tls_versions(path, stream):
    """Version of each ServerHello in a stream (the supported_versions extension wins)."""
    out = subprocess.run(["tshark", "-r", path, "-Y", "tcp.stream==%d and tls.handshake.type==2" % stream,
                          "-T", "fields", "-e",
                          "tls.handshake.version", "-e", "tls.handshake.extensions.supported_version"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    names = {"0x0301": "1.0", "0x0302": "1.1", "0x0303": "1.2", "0x0304": "1.3"}
    return [names.get((line.split("\t")[1:] + [""])[0].split(",")[0] or line.split("\t")[0],
                      line) for line in out.splitlines()]


def tls_records(data):
    """The record types in a byte string that starts with a TLS record."""
    kinds = []
    while len(data) >= 5 and 20 <= data[0] <= 23:
        kinds.append(data[0])
        data = data[5 + struct.unpack(">H", data[3:5])[0]:]
    return kinds


def sealed_by(kinds):
    return 23 in kinds or (20 in kinds and 22 in kinds[kinds.index(20):])


def read_again(path, stream, protocol):
    """The fields of a label, from the bytes of a connection."""
    parts = payload(path, stream)
    client = b"".join(d for s, d in parts if not s)
    server = b"".join(d for s, d in parts if s)
    said = {"starttls_requested": False, "starttls_reply": None, "tls_client_hello": False, "implicit_tls": False,
            "tls_established": False}
    text, replies, tls, tls_server = client, server, b"", b""     # readable and not, of either side
    asked = re.search(rb"(?im)^" + ASKS[protocol] + rb"\r\n", client)
    if client[:2] == b"\x16\x03":
        said["tls_client_hello"] = said["implicit_tls"] = True
        text, replies, tls, tls_server = b"", b"", client, server
    elif asked:
        said["starttls_requested"] = True
        said["starttls_reply"] = answer(parts, asked[0], protocol)
        if client[asked.end():asked.end() + 2] == b"\x16\x03":
            said["tls_client_hello"] = True
            text, tls = client[:asked.end()], client[asked.end():]
            granted = re.search(rb"(?m)^" + GRANTS[protocol] + rb"\r\n(?=[\x14-\x17]\x03|\Z)", server)
            if granted:
                replies, tls_server = server[:granted.end()], server[granted.end():]
    said["tls_established"] = sealed_by(tls_records(tls)) and sealed_by(tls_records(tls_server))
    if said["tls_established"]:
        said["tls_version"] = (tls_versions(path, stream) or [None])[-1]
    said.update({"smtp": read_smtp, "imap": read_imap, "pop3": read_pop3}[protocol](text, replies))
    return said


def answer(parts, command, protocol):
    """The reply to STARTTLS: the first server segment behind the one with the command."""
    asked = False
    for from_server, data in parts:
        if not from_server and command in data:
            asked = True
        elif asked and from_server:
            first = data.split(b"\r\n")[0].decode().split()
            return {"smtp": lambda: int(first[0][:3]), "imap": lambda: first[1], "pop3": lambda: first[0]}[protocol]()


def read_smtp(text, replies):
    said = {"starttls_offered": None}
    if re.search(rb"(?im)^(EHLO|LHLO) ", text) and re.search(rb"(?m)^250-", replies):
        said["starttls_offered"] = bool(re.search(rb"(?im)^250[- ]STARTTLS\b", replies))
    commands, subjects = [], []
    while text:
        line, _, text = text.partition(b"\r\n")
        commands.append(line.decode())
        if line.upper() == b"DATA" and (not replies or b"\n354" in b"\n" + replies):
            body, _, text = (b"\r\n" + text).partition(b"\r\n.\r\n")   # an empty text starts with the dot
            subjects.append(subject_of(body[2:]))
        elif line.upper().startswith(b"BDAT "):
            size = int(line.split()[1])
            body, text = text[:size], text[size:]
            if b"LAST" in line.upper():
                subjects.append(subject_of(body))
    auth = re.findall(r"(?im)^AUTH (\S+)", "\n".join(commands))
    said["mail_from"] = re.findall(r"(?im)^MAIL FROM:<([^>]*)>", "\n".join(commands))
    said["rcpt_to"] = re.findall(r"(?im)^RCPT TO:<([^>]*)>", "\n".join(commands))
    said.update(cleartext_messages=len(subjects), cleartext_envelopes=len(said["mail_from"]), subjects=subjects,
                auth_clear=auth[-1].upper() if auth else None)
    return said


def inflated(text, after):
    """The text with what follows a match of `after` inflated (COMPRESS=DEFLATE)."""
    found = re.search(after, text)
    return text[:found.end()] + zlib.decompressobj(-zlib.MAX_WBITS).decompress(text[found.end():]) if found else text


def read_imap(text, replies):
    compress = re.search(rb"(?im)^(\S+) COMPRESS DEFLATE\r\n", text)
    if compress:
        text = inflated(text, re.escape(compress[0]))
        replies = inflated(replies, rb"(?m)^" + compress[1] + rb" OK [^\r\n]*\r\n")
    bodies, login = [], []
    for said, begin in ((replies, rb"(?:RFC822|BODY\[\]) \{(\d+)\}\r\n"), (text, rb"(?i) APPEND [^\r\n]*\{(\d+)\+?\}\r\n")):
        for size in re.finditer(begin, said):
            bodies.append(said[size.end():size.end() + int(size[1])])
    for one in re.finditer(rb"(?im)^\S+ (?:(LOGIN) |AUTHENTICATE (\S+))", text):
        login.append("LOGIN-COMMAND" if one[1] else one[2].decode().upper())
    lists = re.findall(rb"(?m)^\* (?:OK \[|PREAUTH \[)?CAPABILITY[^\r\n]*", replies)
    return {"starttls_offered": any(b" STARTTLS" in x for x in lists) if lists else None, "cleartext_messages": len(bodies),
            "cleartext_envelopes": 0, "mail_from": [], "rcpt_to": [], "subjects": [subject_of(b) for b in bodies],
            "auth_clear": login[-1] if login else None}


def read_pop3(text, replies):
    bodies = re.findall(rb"(?ms)^\+OK \d+ octets\r\n(.*?\r\n)\.\r\n", replies)
    login = re.findall(r"(?im)^(USER|APOP|AUTH (?=\S)(?:\S+))", text.decode("utf-8", "replace"))
    return {"starttls_offered": b"\r\nSTLS\r\n" in replies if b"CAPA\r\n" in text else None,
            "cleartext_messages": len(bodies), "cleartext_envelopes": 0, "mail_from": [], "rcpt_to": [],
            "subjects": [subject_of(b) for b in bodies],
            "auth_clear": login[-1].split()[-1].upper() if login else None}


def subject_of(body):
    head = re.split(rb"\r?\n\r?\n", body, 1)[0]
    found = re.search(rb"(?im)^Subject:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", head)
    if not found:
        return None
    raw = re.sub(r"\r?\n[ \t]+", " ", found[1].decode("utf-8")).strip()
    return str(make_header(decode_header(raw)))


def check(path, label, stream, secrets):
    """Disagreements between the label and the second reading, as lines of text."""
    bad = []
    everything = b"".join(d for _, d in payload(path, stream))
    if label["verdict"] in ("encrypted", "failed-tls", "no-mail"):
        bad += ["secret %r is readable" % s for s in secrets if s.encode() in everything]
    if not everything:
        return bad
    said = read_again(path, stream, label["protocol"].replace("lmtp", "smtp"))
    wanted = {field: label.get(field) for field in said}
    for field in ("mail_from", "rcpt_to"):
        wanted[field] = sorted(label[field] + label.get(field + "_refused", []))
        said[field] = sorted(said[field])
    return bad + ["%s: label %r, tshark's streams %r" % (field, wanted[field], said[field])
                  for field in said if wanted[field] != said[field]]
