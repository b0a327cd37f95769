"""Reads a capture's TCP connections and writes what lies beside it: labels, secrets, the table."""
import base64
import ipaddress
import json
import os
import re
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import planted  # noqa: E402


def connections(path):
    """The TCP connections of a pcap (Ethernet), in the order of their first SYN."""
    found, order = {}, []
    with open(path, "rb") as f:
        head = f.read(24)
        assert head[:4] == b"\xd4\xc3\xb2\xa1", "not a little-endian pcap"
        frame = 0
        while True:
            record = f.read(16)
            if len(record) < 16:
                break
            frame += 1
            packet = f.read(struct.unpack("<IIII", record)[2])
            kind = packet[12:14]
            if kind == b"\x08\x00":
                ends = [str(ipaddress.ip_address(packet[26:30])), str(ipaddress.ip_address(packet[30:34]))]
                tcp = packet[14 + (packet[14] & 15) * 4:]
            elif kind == b"\x86\xdd":
                ends = [str(ipaddress.ip_address(packet[22:38])), str(ipaddress.ip_address(packet[38:54]))]
                tcp = packet[54:]
            else:
                continue
            sport, dport = struct.unpack(">HH", tcp[:4])
            source, target = (ends[0], sport), (ends[1], dport)
            key = frozenset((source, target))
            if tcp[13] & 0x12 == 0x02 and key not in found:   # SYN without ACK
                found[key] = {"client": source, "server": target, "first_frame": frame, "frames": 0,
                              "stream": len(order), "data": b""}
                order.append(found[key])
            if key in found:
                found[key]["frames"] += 1
                found[key]["data"] += tcp[(tcp[12] >> 4) * 4:]   # both directions in the order of the capture
    return order


def end_point(end):
    return ("[%s]:%d" if ":" in end[0] else "%s:%d") % end


FIELDS = ["protocol", "client", "server", "seen", "midstream", "gaps", "starttls_offered",
          "starttls_requested",
          "starttls_reply", "tls_client_hello", "implicit_tls", "tls_established", "tls_version",
          "cleartext_messages", "cleartext_envelopes", "mail_from", "rcpt_to", "mail_from_refused",
          "rcpt_to_refused",
          "subjects", "subjects_raw", "auth_clear", "auth_user", "verdict", "verdict_also_ok", "also_ok",
          "expect", "expect_later", "says", "says_of_messages", "first_frame", "frames"]


def make_labels(name, scenario, facts, path):
    """Join what the scenario did (`facts`, in the order it was done) with the connections of the capture."""
    left = connections(path)
    sessions, places = [], []
    for fact in facts:
        same = [c for c in left if c["client"][0] == fact["from_ip"] and c["server"] == fact["to"]]
        if not same:
            raise RuntimeError("%s: no connection %s -> %s in the capture" % (name, fact["from_ip"],
                                                                              end_point(fact["to"])))
        # a fact that may happen several times takes all but those that later facts need
        later = sum(1 for f in facts[facts.index(fact) + 1:] if (f["from_ip"], f["to"]) == (fact["from_ip"],
                                                                                            fact["to"]))
        take = max(1, len(same) - later) if fact["repeat"] else 1
        for connection in same[:take]:
            left.remove(connection)
            label = dict(fact["label"], client=end_point(connection["client"]),
                         server=end_point(connection["server"]),
                         first_frame=connection["first_frame"], frames=connection["frames"])
            sessions.append({k: label[k] for k in FIELDS if k in label})
            places.append(connection)
    if left:
        pairs = [end_point(c["client"]) + " > " + end_point(c["server"]) for c in left]
        raise RuntimeError("%s: connections nobody told of: %s" % (name, ", ".join(pairs)))
    both = sorted(zip(sessions, places), key=lambda pair: pair[1]["first_frame"])
    doc = {"capture": name + ".pcap", "source": "postcard tests/lab", "licence": "Apache-2.0",
           "note": scenario.note,
           "made_with": scenario.software, "sessions": [s for s, _ in both]}
    return doc, [p for _, p in both]


def wire_forms(path, secrets, logins):
    """The secrets, and every form in which one crosses the wire in this capture: in base64 of AUTH, quoted, quoted-printable,
    UTF-7, as a digest."""
    out = list(secrets)
    forms = {}
    for user, password in logins:
        out.append(password)
        forms[base64.b64encode(b"\0%s\0%s" % (user.encode(), password.encode()))] = True
        forms[base64.b64encode(b"%s\0%s\0%s" % (user.encode(), user.encode(), password.encode()))] = True
        forms[base64.b64encode(password.encode())] = True
    data = b"".join(connection["data"] for connection in connections(path))
    out += [form.decode() for form in forms if form in data]
    for secret in secrets + [password for _, password in logins]:
        out += [form.decode() for form in planted.forms(secret) if form.isascii() and b"\n" not in form and form in data]
    for token in set(re.findall(rb"(?m)^[A-Za-z0-9+/]{40,}={0,2}(?=\r?$)", data)):
        try:
            clear = base64.b64decode(token, validate=True)
        except ValueError:
            continue
        # CRAM-MD5: user and digest; DIGEST-MD5; SCRAM: the client's proof
        digest = re.fullmatch(rb"\S+ ([0-9a-f]{32})", clear) or re.search(rb"\bresponse=([0-9a-f]{32})", clear) or \
            re.fullmatch(rb"c=\S+,p=([A-Za-z0-9+/=]+)", clear)
        if digest:
            out += [token.decode(), digest[1].decode()]
        elif any(s.encode() in clear for s in secrets):          # a line of an attachment
            out.append(token.decode())
    out += [digest.decode() for digest in re.findall(rb"(?m)^APOP \S+ ([0-9a-f]{32})", data)]
    return sorted(set(out))


def write_json(doc, path):
    with open(path, "w") as f:
        f.write(json.dumps(doc, indent=1, ensure_ascii=False) + "\n")
    os.chmod(path, 0o644)


def write_index(out):
    """secrets.txt and README.md of the folder, from all the label files in it."""
    docs = []
    for name in sorted(os.listdir(out)):
        if name.endswith(".labels.json"):
            with open(os.path.join(out, name)) as f:
                docs.append(json.load(f))
    secrets = sorted({s for doc in docs for s in doc.get("secrets", [])})
    with open(out + "/secrets.txt", "w") as f:
        f.write("".join(s + "\n" for s in secrets))
    with open(out + "/README.md", "w") as f:
        f.write(INDEX_HEAD)
        for doc in docs:
            verdicts = [s["verdict"] for s in doc["sessions"]]
            counted = ", ".join("%d %s" % (verdicts.count(v), v) for v in dict.fromkeys(verdicts))
            f.write("| %s | %s | %s | %s |\n" % (doc["capture"], doc["note"], counted, doc["made_with"]))


INDEX_HEAD = """# Captures from the lab

Made by `tests/lab/lab.py` from real mail software in network namespaces; this table is written by it too. All names,
addresses, passwords and texts are invented. Beside each capture lies `NAME.labels.json`: what a person would say of each
connection. Labels come from what the scenario did, and were compared with tshark's reading of the packets. Beyond the
fields of the session the labels have:

- `expect`: what one connection by itself shows; `expect_later`: what can only be told by remembering earlier connections;
- `says`: fields of the session's record with what must stand in them (null: the field must be absent); `says_of_messages`:
  the same for the records of its messages, in order;
- `made_with`: the programs; `secrets`: strings that must never come out of postcard, all of them also in `secrets.txt`.

| capture | what it shows | connections | made with |
| --- | --- | --- | --- |
"""
