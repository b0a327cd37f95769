#!/usr/bin/env python3
"""The same mail, as a network and a mirror port may show it: the verdicts must survive or say "unknown".

usage: check.py [-b BINARY] [--seed N] [--keep FILE] [--list] [PART of a name] [-- FOLDER...]

All captures of the folders (default: pcaps) whose segments are whole become one, with addresses of
their own each, at the same time; see transforms.py for what is then done to it.
"""
import argparse
import glob
import hashlib
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tools")]
sys.dont_write_bytecode = True
import frames as F  # noqa: E402
import postcard  # noqa: E402
import transforms as T  # noqa: E402

EPOCH_NS = 1767607200 * 10**9
PAUSE_NS = 5 * 10**9  # the longest silence that is kept
MOVES = {  # what may differ between SAME records, by field
    "@timestamp", "event.start", "event.end", "event.duration", "source.bytes", "source.packets", "source.mac",
    "destination.bytes", "destination.packets", "destination.mac", "network.vlan.id", "message",
}
ANCHORS = {"postcard.tunnel.type", "postcard.tunnel.id", "postcard.tunnel.source.ip", "postcard.tunnel.destination.ip"}
BY_ADDRESS = {"network.type", "network.community_id", "source.ip", "destination.ip", "postcard.advice"}


def load(folders):
    """[(name, segments)]: times begin at 0, addresses are told apart by capture; what cannot be taken apart is left out."""
    found, left_out = [], []
    for path in sorted(p for folder in folders for ext in ("pcap", "pcapng") for p in glob.glob(os.path.join(folder, "*." + ext))):
        try:
            segs = F.segments(path)
        except (ValueError, KeyError, IndexError) as e:
            left_out.append("%s (%s)" % (os.path.basename(path), e))
            continue
        if not segs:
            continue
        n, names = len(found), {}

        def other(a):
            i = names.setdefault(a, len(names) + 1)
            net = n.to_bytes(2, "big") + i.to_bytes(1, "big")
            return b"\x0a" + net if len(a) == 4 else b"\xfd" + b"\0" * 12 + net
        now, last, timed = EPOCH_NS, segs[0].ns, []
        for s in segs:  # in the order of the file, without leaps
            now += min(max(s.ns - last, 1000), PAUSE_NS)
            last = s.ns
            timed.append(s._replace(ns=now, src=other(s.src), dst=other(s.dst)))
        found.append((os.path.basename(path), timed))
    return found, left_out


def run(binary, octets, keep=None):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(octets)
        f.flush()
        if keep:
            with open(keep, "wb") as k:
                k.write(octets)
        done = postcard.run(binary, ["-r", f.name, "--json", "--reveal"])
    if not 0 <= done.code <= 2 or done.bad_json:
        raise RuntimeError("status %d %s %s" % (done.code, done.bad_json, done.stderr[-2000:].decode("utf-8", "replace")))
    return done


def make(captures, transform, name, seed, link, snaplen):
    out = []
    for which, segs in captures:
        digest = hashlib.sha256(("%s %s %d" % (which, name, seed)).encode()).digest()
        out += transform(segs, random.Random(digest))
    if name != "a clock that steps back":
        out.sort(key=lambda f: f[0])
    return F.pcap(out, link, snaplen)


def four(r):
    """The last octets of the addresses (they survive the change to IPv6) and the ports."""
    def tail(a):
        if ":" in a:
            import ipaddress
            return ipaddress.ip_address(a).packed[-3:]
        return bytes(int(x) for x in a.split("."))[1:]
    return (tail(r["source"]["ip"]), r["source"]["port"], tail(r["destination"]["ip"]), r["destination"]["port"])


def by_connection(done, kind):
    found = {}
    for r in done.of(kind):
        found.setdefault(four(r), []).append(postcard.alone(postcard.flatten(r)))
    return found


def differences(base, got, name):
    """Lines about records that are not the same."""
    lines = []
    may = MOVES | ANCHORS | (BY_ADDRESS if name == "IPv4 as IPv6" else set())
    for kind in ("session", "message"):
        a, b = by_connection(base, kind), by_connection(got, kind)
        for key in sorted(set(a) | set(b)):
            x, y = a.get(key, []), b.get(key, [])
            if len(x) != len(y):
                lines.append("%s %s: %d records, then %d" % (kind, key, len(x), len(y)))
                continue
            for one, two in zip(x, y):
                for field in sorted(set(one) | set(two)):
                    if field not in may and one.get(field) != two.get(field):
                        lines.append("%s %s %s: %r, then %r" % (kind, key, field, one.get(field), two.get(field)))
    return lines


# what a record with less to see may say, by what the whole capture says; "ends" only where the end is missing
ALLOWED = {
    "encrypted": {"encrypted", "unknown"},
    "cleartext": {"cleartext", "unknown"},
    "tls-failed": {"tls-failed", "unknown"},
    "no-mail": {"no-mail", "unknown"},
    "unknown": {"unknown", "no-mail"},
}


def overclaims(base, got, cut_short, ended):
    """Lines about claims that the whole capture does not bear out."""
    lines = []
    a, b = by_connection(base, "session"), by_connection(got, "session")
    back = {k[2:] + k[:2]: k for k in a}
    for key, records in sorted(b.items()):
        truth = a.get(key) or a.get(back.get(key, ()), [])
        turned = key not in a
        if not truth:
            if any(r["postcard.outcome"] not in ("unknown", "no-mail") for r in records):
                lines.append("%s: a session that the whole capture does not have: %s" % (key, records[0]["postcard.outcome"]))
            continue
        outcomes = {t["postcard.outcome"] for t in truth}
        allowed = set().union(*(ALLOWED[o] for o in outcomes))
        if cut_short:
            allowed.add("no-mail")
        if ended and "cleartext" in outcomes:
            allowed.add("tls-failed")  # what came before the mail
        for r in records:
            said = r["postcard.outcome"]
            late = r.get("postcard.closed_by") in ("end of input", "timeout")
            if late and "cleartext" in outcomes:
                allowed.add("tls-failed")
            if said not in allowed and not (said == "no-mail" and (late or r.get("postcard.midstream"))):
                lines.append("%s: %s, then %s" % (key, "/".join(sorted(outcomes)), said))
            if turned and said not in ("unknown", "no-mail"):
                lines.append("%s: client and server changed places (%s)" % (key, said))
            if len(truth) > 1 or turned:
                continue
            t = truth[0]
            reason = r.get("postcard.reason")
            if (reason, t.get("postcard.reason")) == ("not-offered", "not-asked") and t.get("postcard.starttls.offered") is False:
                continue  # HELO, mail, EHLO: what is left is as true of the rest
            if (reason, t.get("postcard.reason")) == ("not-offered", "refused") and t.get("postcard.starttls.offered") is False:
                continue  # it asked for what was not offered: of the server's side alone the first is all there is
            if reason not in (None, "not-visible", t.get("postcard.reason")) and t.get("postcard.reason") != "not-visible" and t["postcard.outcome"] == "cleartext":
                lines.append("%s: reason %s, then %s" % (key, t.get("postcard.reason"), reason))
            for field in ("postcard.starttls.offered", "postcard.starttls.reply", "tls.version", "tls.cipher"):
                if field in r and field in t and r[field] != t[field] and not cut_short:
                    lines.append("%s: %s %r, then %r" % (key, field, t[field], r[field]))
            if r.get("tls.established") and not t.get("tls.established"):
                lines.append("%s: TLS established out of nothing" % (key,))
            for field in ("postcard.exposed", "postcard.anomalies", "postcard.auth"):
                extra = set(r.get(field) or []) - set(t.get(field) or []) - LOSSY
                if extra:
                    lines.append("%s: %s %s" % (key, field, sorted(extra)))
            for field in ("postcard.helo", "postcard.greeting", "postcard.tls_mode", "postcard.starttls.requested"):
                if field == "postcard.starttls.requested" and (ended or late):
                    continue  # it may be what was still to come
                if field in r and field in t and r[field] not in (t[field], "none", True):
                    lines.append("%s: %s %r, then %r" % (key, field, t.get(field), r[field]))
            if r["postcard.messages"] > t["postcard.messages"] or r["postcard.envelopes"] > t["postcard.envelopes"]:
                lines.append("%s: %d messages and %d envelopes, then %d and %d" % (
                    key, t["postcard.messages"], t["postcard.envelopes"], r["postcard.messages"], r["postcard.envelopes"]))
    return lines


def fates(base, got):
    """Lines about mails of which something else is said to have become, and not that it is unknown."""
    lines, truth = [], by_connection(base, "message")
    for key, messages in sorted(by_connection(got, "message").items()):
        for r in messages:
            of = truth.get(key, [])
            of = [t for t in of if t.get("email.from.address") == r.get("email.from.address")] or of
            fate, allowed = r["postcard.delivered"], {t["postcard.delivered"] for t in of} | {"unknown"}
            if "rejected" in allowed:
                allowed.add("aborted")  # of one side alone, that the client gave it up is all that shows
            if of and fate not in allowed:
                lines.append("%s: mail %s, then %s" % (key, "/".join(sorted(allowed)), fate))
    return lines


LOSSY = {"packet-headers-cut", "compressed"}  # anomalies of the capture itself: what could not be followed for a loss


class Corpus:
    """The captures, and what the program says of them as they are."""

    def __init__(self, folders, binary):
        self.binary = binary
        self.captures, self.left_out = load(folders)
        whole = make(self.captures, lambda segs, rng: T.plain(segs), "", 0, F.ETHERNET, 0)
        self.base = run(binary, whole)

    def check(self, name, seed=1, keep=None):
        """Lines about what is wrong after the transform of that name."""
        transform = T.SAME.get(name) or T.LESS[name]
        link, snaplen = T.LINKS.get(name, F.ETHERNET), T.SNAP.get(name, 0)
        octets = make(self.captures, transform, name, seed, link, snaplen)
        got = run(self.binary, octets, keep)
        if name in T.SAME:
            return differences(self.base, got, name)
        return overclaims(self.base, got, name.startswith(("ended", "begun", "client", "server", "snap")),
                          name.startswith("ended")) + fates(self.base, got)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-b", "--binary", default="./postcard")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rounds", type=int, default=1, help="so many seeds, from --seed on")
    p.add_argument("--keep", help="write the transformed capture there")
    p.add_argument("--list", action="store_true", help="name the transforms")
    p.add_argument("--folder", action="append")
    p.add_argument("part", nargs="?", default="")
    a = p.parse_args()
    names = [n for n in list(T.SAME) + list(T.LESS) if a.part in n]
    if a.list:
        print("\n".join(names))
        return
    corpus = Corpus(a.folder or ["pcaps"], a.binary)
    wrong = 0
    for seed in range(a.seed, a.seed + a.rounds):
        for name in names:
            lines = corpus.check(name, seed, a.keep)
            wrong += bool(lines)
            if lines or a.rounds == 1:
                print("%s %s, seed %d%s" % ("WRONG" if lines else "ok   ", name, seed, "".join("\n      " + x for x in lines[:12])))
    print("%d captures, %d sessions, %d transforms wrong; left out: %s" % (
        len(corpus.captures), len(corpus.base.of("session")), wrong, ", ".join(corpus.left_out) or "none"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
