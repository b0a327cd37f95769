"""tshark as an oracle: what it says of hellos, certificates and commands is what postcard says.

Compared are all captures in pcaps/, and in ../shared/captures where they are, connection by connection.  tshark
and its libraries take 130 MB, so it is no package that the tests ask for: where it is not installed they are
skipped.  Where both differ and tshark is wrong, KNOWN says why.
"""
import bisect
import collections
import concurrent.futures
import functools
import glob
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import postcard

FIELDS = ["frame.number", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport", "tls.handshake.type",
          "tls.handshake.version", "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite",
          "tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.ja3s", "tls.handshake.random",
          "tls.handshake.extensions_key_share_group", "tls.handshake.server_named_curve", "tls.handshake.p_len",
          "tls.handshake.certificate", "x509af.utcTime", "x509ce.dNSName", "smtp.req.command", "imap.request.command",
          "pop.request.command"]
SHARED = os.environ.get("POSTCARD_SHARED", os.path.join("..", "shared", "captures"))
VERSIONS = {0x0300: "SSLv3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
DISSECTORS = {"smtp": "smtp", "lmtp": "smtp", "imap": "imap", "pop3": "pop"}
STANDARD = {"smtp": {25, 587}, "imap": {143}, "pop": {110}}
RETRY = hashlib.sha256(b"HelloRetryRequest").hexdigest()

# (capture, what): why tshark says something else
ONE_SEGMENT = "commands that come in one segment with the content are all content to tshark"
KNOWN = {(capture, what): ONE_SEGMENT for what in ("MAIL", "RCPT")
         for capture in ("bdat-exim", "retry-exim", "arkime--smtp-moloch-bof", "arkime--smtp-subject-windows",
                         "suricata--bdat-bad-tail-reply-queue", "suricata--bug-7126", "suricata--pipelining")}
KNOWN.update({("tls-null-cipher", what): "tshark reads on inside TLS that does not encrypt; here that is a verdict, null-cipher"
              for what in ("MAIL", "RCPT")})


def frames(capture, decode):
    """tshark's frames with TCP as {field: [values]}."""
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"]
    for port, dissector in sorted(decode):
        command += ["-d", "tcp.port==%d,%s" % (port, dissector)]
    for f in FIELDS:
        command += ["-e", f]
    out = subprocess.run(command, capture_output=True, timeout=120).stdout.decode("utf-8", "replace")
    for line in out.split("\n"):
        values = [v.split(";") if v else [] for v in line.split("\t")]
        if len(values) == len(FIELDS) and values[1]:
            yield dict(zip(FIELDS, values))


def end(frame, side):
    """Address and port, the innermost ones."""
    address = frame["ip." + side] or frame["ipv6." + side]
    return (address[-1] if address else "", int(frame["tcp.%sport" % side][-1]))


class Seen:
    """A connection as tshark has it."""

    def __init__(self):
        self.first, self.captures = None, set()
        self.hello = self.server = None
        self.certificate, self.valid, self.names = None, [], []
        self.group = ""
        self.commands = collections.Counter()


def tshark(captures, decode):
    """{(capture, end points): [Seen]} in the order of the streams, for captures whose ports mean the same.

    To start tshark takes longer than to read a small capture: they are put behind each other.
    """
    with tempfile.TemporaryDirectory() as folder:
        all_ = os.path.join(folder, "all.pcapng")
        subprocess.run(["mergecap", "-a", "-w", all_] + captures, check=True, capture_output=True)
        counts = subprocess.run(["capinfos", "-T", "-r", "-c", "-M"] + captures, check=True, capture_output=True).stdout.decode()
        ends = list(itertools.accumulate(int(line.split("\t")[1]) for line in counts.strip().split("\n")))
        return streams_of(captures, ends, frames(all_, decode))


def streams_of(captures, ends, all_frames):
    """ends: numbers of the last frame of each capture."""
    streams = {}
    for f in all_frames:
        s = streams.setdefault(int(f["tcp.stream"][-1]), Seen())
        s.captures.add(captures[bisect.bisect_left(ends, int(f["frame.number"][0]))])
        s.first = s.first or (end(f, "src"), end(f, "dst"))
        types = [int(t) for t in f["tls.handshake.type"]]
        if 1 in types and s.hello is None:
            s.hello = f
        if 2 in types and s.server is None and (f["tls.handshake.random"] or [""])[0] != RETRY:
            s.server = f
        if f["tls.handshake.certificate"] and s.certificate is None and (s.hello is None or end(f, "src") != end(s.hello, "src")):
            s.certificate = bytes.fromhex(f["tls.handshake.certificate"][0].replace(":", ""))
            s.valid, s.names = f["x509af.utcTime"][:2], f["x509ce.dNSName"]
        group = f["tls.handshake.server_named_curve"] or (f is s.server and f["tls.handshake.extensions_key_share_group"])
        if group:
            s.group = int(group[-1], 0)
        if f["tls.handshake.p_len"]:
            s.group = "DHE of %s octets" % f["tls.handshake.p_len"][0]
        for name in ("smtp.req.command", "imap.request.command", "pop.request.command"):
            for c in f[name]:
                s.commands[c.upper()] += 1
    found = collections.defaultdict(list)
    for number in sorted(streams):
        s = streams[number]
        if len(s.captures) == 1:  # else it was begun in one and went on in another
            found[min(s.captures), tuple(sorted(s.first))].append(s)
    return found


def ours(capture):
    """({end points: [session]}, {end points: [message]}, ports that are none of tshark's) of a capture."""
    done = postcard.run(postcard.binary(), ["-r", capture, "--json", "--reveal"])
    sessions, messages = collections.defaultdict(list), collections.defaultdict(list)
    decode = set()

    def ends(r):
        return tuple(sorted(((r["source"]["ip"], r["source"]["port"]), (r["destination"]["ip"], r["destination"]["port"]))))
    for s in done.of("session"):
        sessions[ends(s)].append(s)
        dissector, port = DISSECTORS.get(s["network"]["protocol"]), s["destination"]["port"]
        if dissector and s["postcard"]["tls_mode"] != "implicit" and port not in STANDARD[dissector]:
            decode.add((port, dissector))
    for m in done.of("message"):
        messages[ends(m)].append(m)
    return sessions, messages, frozenset(decode)


@functools.lru_cache(maxsize=None)
def everything():
    """[(capture, session, its messages, Seen)], of all captures; two processes at a time."""
    paths = sorted(glob.glob("pcaps/*.pcap") + glob.glob(os.path.join(SHARED, "*.pcap*")))
    batches, found = collections.defaultdict(list), []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = dict(zip(paths, pool.map(ours, paths)))
        for number, path in enumerate(paths):
            batches[said[path][2], number % 2].append(path)
        seen = {}
        for part in pool.map(lambda b: tshark(b[1], b[0][0]), batches.items()):
            seen.update(part)
    for path in paths:
        sessions, messages, _ = said[path]
        for key, list_ in sessions.items():
            theirs = seen.get((path, key), [])
            if len(list_) == len(theirs):  # ports that are used again may be told apart otherwise
                found += [(os.path.basename(path).split(".")[0], s, messages[key] if len(list_) == 1 else None, t)
                          for s, t in zip(list_, theirs)]
    return found


def table(path, pattern):
    with open(path, encoding="utf-8") as f:
        return {int(n, 0): name for n, name in re.findall(pattern, f.read(), re.M)}


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Tshark(unittest.TestCase):
    maxDiff = None

    def compare(self, rows):
        """rows: (capture, what, postcard's, tshark's)."""
        wrong, used, asked, compared = [], set(), set(), 0
        for capture, what, ours, theirs in rows:
            compared += 1
            asked.add((capture, what))
            if ours != theirs:
                used.add((capture, what))
                if (capture, what) not in KNOWN:
                    wrong.append("%s: %s: postcard %r, tshark %r" % (capture, what, ours, theirs))
        wrong += ["%s: %s: no difference any more: %s" % (*k, why) for k, why in KNOWN.items() if k in asked - used]
        self.assertEqual(wrong, [])
        return compared

    def test_handshakes(self):
        ciphers = table("src/mail/tls_suites.def", r'^SUITE\((0x\w+), "(\w+)"')
        groups = table("src/mail/tls_names.c", r'^    \{(0x\w{4}), "(\w+)"\}')

        def rows():
            for capture, s, _, t in everything():
                tls = s.get("tls", {})
                client, p = tls.get("client", {}), s["postcard"]
                yield capture, "client hello", p["client_hello"], t.hello is not None
                if t.hello is not None:
                    yield capture, "sni", client.get("server_name"), (t.hello["tls.handshake.extensions_server_name"] or [None])[0]
                    yield capture, "ja3", client.get("ja3"), (t.hello["tls.handshake.ja3"] or [None])[0]
                if t.server is None:
                    yield capture, "version", tls.get("version"), None
                    continue
                f = t.server
                versions = f["tls.handshake.extensions.supported_version"] or f["tls.handshake.version"]
                yield capture, "version", tls.get("version"), VERSIONS[int(versions[0], 0)]
                yield capture, "cipher", tls.get("cipher"), ciphers[int(f["tls.handshake.ciphersuite"][0], 0)]
                yield capture, "ja3s", tls.get("server", {}).get("ja3s"), (f["tls.handshake.ja3s"] or [None])[0]
                group = p.get("tls", {}).get("group")
                if group and group.startswith("DHE-"):
                    group = "DHE of %d octets" % (int(group[4:]) // 8)
                yield capture, "group", group, groups.get(t.group, t.group or None)
        self.assertGreater(self.compare(rows()), 300)

    def test_certificates(self):
        def rows():
            for capture, s, _, t in everything():
                server = s.get("tls", {}).get("server", {})
                ours = server.get("hash", {}).get("sha256")
                yield capture, "certificate", ours, hashlib.sha256(t.certificate).hexdigest() if t.certificate else None
                if not ours or not t.certificate:
                    continue
                yield capture, "validity", [server[x][:19].replace("T", " ") for x in ("not_before", "not_after")], [v[:19] for v in t.valid]
                names = [n for n in server.get("x509", {}).get("alternative_names", []) if not re.fullmatch(r"[\d.]+|.*:.*", n)]
                yield capture, "alternative names", names, t.names[:len(names)] if names else []
        self.assertGreater(self.compare(rows()), 100)

    def test_commands(self):
        def rows():
            for capture, s, messages, t in everything():
                p, n = s["postcard"], t.commands
                kind = s["network"]["protocol"]
                if kind not in DISSECTORS:
                    continue
                yield capture, "tls asked for", bool(p.get("starttls", {}).get("requested", False)), any(n[c] for c in ("STAR", "STARTTLS", "STLS"))
                if kind in ("smtp", "lmtp"):
                    yield capture, "MAIL", p["envelopes"], n["MAIL"]
                    yield capture, "AUTH", bool(p.get("auth")), n["AUTH"] > 0
                    if messages is not None:
                        yield capture, "RCPT", sum(m["postcard"].get("recipients", 0) for m in messages), n["RCPT"]
                else:
                    yield capture, "credentials", bool(p.get("auth")), any(n[c] for c in ("AUTHENTICATE", "LOGIN", "AUTH", "USER", "APOP"))
        self.assertGreater(self.compare(rows()), 200)

    def test_names_of_ciphers(self):
        """All suites that both know have one name."""
        ours = table("src/mail/tls_suites.def", r'^SUITE\((0x\w+), "(\w+)"')
        out = subprocess.run(["tshark", "-G", "values"], capture_output=True, timeout=120).stdout.decode("utf-8", "replace")
        theirs = {int(n): name.strip() for n, name in re.findall(r"^V\ttls\.handshake\.ciphersuite\t(\d+)\t(.*)$", out, re.M)}
        wrong = ["%04x: postcard %s, tshark %s" % (n, ours[n], theirs[n]) for n in sorted(ours) if n in theirs and ours[n] != theirs[n]]
        self.assertGreater(len(set(ours) & set(theirs)), 300)
        self.assertEqual(wrong, [])

    def test_what_is_known_is_so(self):
        """Every row of KNOWN is of a capture that is here, or is one of others."""
        here = {x[0] for x in everything()}
        for capture, what in KNOWN:
            if "--" not in capture:
                self.assertIn(capture, here, what)


if __name__ == "__main__":
    unittest.main()
