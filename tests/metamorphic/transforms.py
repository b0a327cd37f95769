"""What a network and a mirror port may do to a capture.

SAME: the records must be equal but for what necessarily differs.  LESS: octets are missing, so that
records may become less sure, and never another claim.  Each function takes the segments of one
capture and a random generator, and gives [(ns, frame)]; LINKS says which link type the frames have
where it is not Ethernet, SNAP how many octets of each are kept.
"""
import struct

import frames as F

SAME, LESS, LINKS, SNAP = {}, {}, {}, {}
US = 1000


def same(name, link=F.ETHERNET):
    def add(function):
        SAME[name], LINKS[name] = function, link
        return function
    return add


def less(name, snaplen=0):
    def add(function):
        LESS[name], SNAP[name] = function, snaplen
        return function
    return add


def first_end(segs):
    return {frozenset(((s.src, s.sport), (s.dst, s.dport))): s.src for s in reversed(segs)}


def flipped(s, ends):
    return ends[frozenset(((s.src, s.sport), (s.dst, s.dport)))] != s.src


def plain(segs):
    return [(s.ns, F.ether(F.wire(s))) for s in segs]


def each(segs, wrap):
    """wrap(packet, segment, is it the answering side) for each segment."""
    ends = first_end(segs)
    return [(s.ns, wrap(F.wire(s), s, flipped(s, ends))) for s in segs]


# --------------------------------------------------------------------------------------------- TCP

def cut(s, sizes):
    """One segment as several; SYN goes with the first, FIN and PSH with the last."""
    out, at, i = [], 0, 0
    while at < len(s.payload):
        n = sizes(i)
        piece = s.payload[at:at + n]
        flags = s.flags if at + n >= len(s.payload) else s.flags & ~0x09
        if at > 0:
            flags &= ~0x02
        seq = s.seq + at + (1 if s.flags & 2 and at > 0 else 0)
        out.append(s._replace(ns=s.ns + i, seq=seq, flags=flags, payload=piece))
        at, i = at + n, i + 1
    return out or [s]


def resegmented(size):
    def transform(segs, rng):
        return plain([p for s in segs for p in cut(s, lambda i: size)])
    return transform


for _size in (1, 2, 3, 5, 7, 11, 64, 100, 536):
    same("segments of %d" % _size)(resegmented(_size))


@same("segments of random sizes")
def _(segs, rng):
    return plain([p for s in segs for p in cut(s, lambda i: rng.randint(1, 80))])


@same("neighbouring segments joined")
def _(segs, rng):
    out = []
    for s in segs:
        last = out[-1] if out else None
        if (last is not None and (last.src, last.sport, last.dst, last.dport) == (s.src, s.sport, s.dst, s.dport) and
                last.payload and s.payload and last.seq + len(last.payload) == s.seq and last.ack == s.ack and
                not (last.flags | s.flags) & 0x26 and not last.flags & 1 and len(last.payload) < 30000):
            out[-1] = last._replace(payload=last.payload + s.payload, flags=last.flags | s.flags)
        else:
            out.append(s)
    return plain(out)


def shuffled(segs, rng, window, ok):
    """Neighbours change places within a window of time; the times stay in order."""
    order = list(segs)
    for i in range(len(order) - 1):
        j = min(i + rng.randint(0, window), len(order) - 1)
        if order[j].ns - order[i].ns < 10_000_000 and all(ok(order[i], x) and ok(x, order[j]) for x in order[i:j + 1]):
            order[i], order[j] = order[j], order[i]
    times = sorted(s.ns for s in segs)
    return [s._replace(ns=t) for s, t in zip(order, times)]


def quiet(s):
    return s.flags & 0x07 == 0


@same("reordered within each direction")
def _(segs, rng):
    small = [p for s in segs for p in cut(s, lambda i: rng.randint(5, 40))]
    return plain(shuffled(small, rng, 6, lambda a, b: quiet(a) and quiet(b) and (a.src, a.sport) == (b.src, b.sport)))


@same("directions merged out of order")
def _(segs, rng):
    return plain(shuffled(segs, rng, 3, lambda a, b: quiet(a) and quiet(b)))


@same("urgent data")
def _(segs, rng):
    """Urgent octets stay in the stream (RFC 6093 section 3.4): who took them out would read another dialogue than most."""
    out = []
    for s in segs:
        packet = bytearray(F.wire(s._replace(flags=s.flags | 0x20) if s.payload else s))
        if s.payload:
            tcp = 40 if s.v6 else 20
            packet[tcp + 18:tcp + 20] = struct.pack("!H", rng.choice((0, 1, len(s.payload), 65535)))
        out.append((s.ns, F.ether(bytes(packet))))
    return out


@same("each packet twice")
def _(segs, rng):
    return [f for ns, octets in plain(segs) for f in ((ns, octets), (ns + 5 * US, octets))]


@same("some packets again, later")
def _(segs, rng):
    out = plain(segs)
    return sorted(out + [(ns + 2_000_000, octets) for ns, octets in out if rng.random() < 0.3], key=lambda f: f[0])


@same("retransmitted with other boundaries")
def _(segs, rng):
    out, last = [], {}
    for s in segs:
        out.append(s)
        who = (s.src, s.sport, s.dst, s.dport)
        before = last.get(who)
        if before is not None and before.payload and s.payload and before.seq + len(before.payload) == s.seq:
            half = len(before.payload) // 2
            out.append(s._replace(ns=s.ns + US, seq=s.seq - (len(before.payload) - half), flags=s.flags & ~0x07,
                                  payload=before.payload[half:] + s.payload[:len(s.payload) // 2]))
        last[who] = s
    return plain(out)


@same("keep-alives and zero-window probes")
def _(segs, rng):
    out, seen = [], {}
    for s in segs:
        out.append(s)
        who = (s.src, s.sport, s.dst, s.dport)
        if s.payload and quiet(s):
            seen[who] = True
            if rng.random() < 0.5:  # an octet that the other side has already, and may be anything
                out.append(s._replace(ns=s.ns + US, seq=s.seq + len(s.payload) - 1, payload=b"\0"))
            if rng.random() < 0.5:
                out.append(s._replace(ns=s.ns + 2 * US, seq=s.seq + len(s.payload), payload=b"", window=0))
    return plain(out)


@same("sequence numbers that wrap")
def _(segs, rng):
    shift, out = {}, []
    for s in segs:
        for who in ((s.src, s.sport, s.dst), (s.dst, s.dport, s.src)):
            if who not in shift and who[0] == s.src:
                shift[who] = (0xFFFFFFFF - 40 - s.seq) & 0xFFFFFFFF
        a, b = shift.get((s.src, s.sport, s.dst), 0), shift.get((s.dst, s.dport, s.src))
        if b is None:  # the other side has not spoken: its numbers are known from this acknowledgement
            b = shift[(s.dst, s.dport, s.src)] = (0xFFFFFFFF - 40 - s.ack) & 0xFFFFFFFF if s.flags & 0x10 else 0
            if not s.flags & 0x10:
                del shift[(s.dst, s.dport, s.src)]
        out.append(s._replace(seq=s.seq + a, ack=s.ack + b if s.flags & 0x10 else 0))
    return plain(out)


@same("a clock that steps back")
def _(segs, rng):
    return [(ns - rng.choice((0, 0, 0, 30_000_000)), octets) for ns, octets in plain(segs)]


# ---------------------------------------------------------------------------------------------- IP

def fragmented(size, shuffle=False, twice=False):
    def transform(segs, rng):
        out = []
        for n, s in enumerate(segs):
            pieces = F.fragments(F.wire(s), size, n & 0xFFFF)
            pieces *= 2 if twice else 1
            if shuffle:
                rng.shuffle(pieces)
            out += [(s.ns + i, F.ether(p)) for i, p in enumerate(pieces)]
        return out
    return transform


for _size in (8, 24, 256, 576):
    same("fragments of %d" % _size)(fragmented(_size))
same("fragments in any order")(fragmented(64, shuffle=True))
same("fragments twice")(fragmented(64, twice=True))


@same("IPv4 as IPv6")
def _(segs, rng):
    def six(a):
        return a if len(a) == 16 else b"\xfd" + b"\0" * 11 + a
    return plain([s._replace(v6=True, src=six(s.src), dst=six(s.dst)) for s in segs])


@same("IPv6 with extension headers")
def _(segs, rng):
    def wrap(packet, s, answer):
        if not s.v6:
            return F.ether(packet)
        extra = b"\x3c\0\x01\x04\0\0\0\0" + b"\x06\0\x01\x04\0\0\0\0"
        return F.ether(packet[:4] + struct.pack("!HB", len(packet) - 40 + 16, 0) + packet[7:40] + extra + packet[40:])
    return each(segs, wrap)


@same("total length 0, as offloading leaves it")
def _(segs, rng):
    return each(segs, lambda p, s, a: F.ether(p if s.v6 else p[:2] + b"\0\0" + p[4:]))


@same("Ethernet padding and a trailer")
def _(segs, rng):
    return each(segs, lambda p, s, a: F.ether(p) + b"\0" * max(0, 46 - len(p)) + b"\xde\xad\xbe\xef")


# ------------------------------------------------------------------------------- tags, links, tunnels

def kind(packet):
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0"


def head(make):
    """A transform that puts octets between the link addresses and the packet."""
    return lambda segs, rng: each(segs, lambda p, s, a: F.ether(p, a, make(p, a)))


same("VLAN")(head(lambda p, a: b"\x81\0\0\x07" + kind(p)))
same("another VLAN for each direction")(head(lambda p, a: b"\x81\0\0" + (b"\x07" if a else b"\x08") + kind(p)))
same("QinQ")(head(lambda p, a: b"\x88\xa8\0\x07\x81\0\0\x08" + kind(p)))
same("four tags")(head(lambda p, a: b"\x88\xa8\0\x07\x81\0\0\x08\x91\0\0\x09\x81\0\0\x0a" + kind(p)))
same("MPLS")(head(lambda p, a: b"\x88\x47\0\0\x10\x40\0\0\x11\x40"))
same("PPPoE")(head(lambda p, a: b"\x88\x64\x11\0\0\x01" + struct.pack("!H", len(p) + 2) + (b"\0\x57" if p[0] >> 4 == 6 else b"\0\x21")))
same("SNAP")(head(lambda p, a: struct.pack("!H", len(p) + 8) + b"\xaa\xaa\x03\0\0\0" + kind(p) if len(p) < 1400 else kind(p)))
same("MPLS with Ethernet inside")(head(lambda p, a: b"\x88\x47\0\0\x11\x40" + F.ether(b"", a, kind(p))))
same("MPLS with a control word")(head(lambda p, a: b"\x88\x47\0\0\x11\x40\0\0\0\0" + F.ether(b"", a, kind(p))))
same("raw IP", F.RAW)(lambda segs, rng: each(segs, lambda p, s, a: p))
same("Linux cooked", F.LINUX_SLL)(lambda segs, rng: each(segs, lambda p, s, a: b"\0\0\0\x01\0\x06" + b"\x02" * 6 + b"\0\0" + kind(p) + p))
same("Linux cooked, version 2", F.SLL2)(
    lambda segs, rng: each(segs, lambda p, s, a: kind(p) + b"\0\0\0\0\0\x02\0\x01\0\x06" + b"\x02" * 6 + b"\0\0" + p))
same("BSD loopback", F.NULL)(lambda segs, rng: each(segs, lambda p, s, a: (b"\x1e\0\0\0" if s.v6 else b"\x02\0\0\0") + p))
same("PPP", F.PPP)(lambda segs, rng: each(segs, lambda p, s, a: b"\xff\x03" + (b"\0\x57" if s.v6 else b"\0\x21") + p))


def outer(s, answer, v6=False):
    """The ends of the tunnel, in the direction of the segment; each capture has its own."""
    net = s.src[-3:-1]
    a = (b"\x20\x01\x0d\xb8" + b"\xff" * 9 if v6 else b"\xc6") + net
    ends = (a + b"\x01", a + b"\x02")
    return ends[::-1] if answer else ends


def tunnel(proto, make, v6=False, split=0):
    """A transform that wraps each packet in IP; the outer packet is cut in fragments of `split`."""
    def transform(segs, rng):
        ends, out = first_end(segs), []
        for n, s in enumerate(segs):
            answer = flipped(s, ends)
            a, b = outer(s, answer, v6)
            inner = F.wire(s)
            whole = F.ip(v6, a, b, proto(inner) if callable(proto) else proto, make(inner, answer))
            pieces = F.fragments(whole, split, n & 0xFFFF) if split else [whole]
            out += [(s.ns + i, F.ether(p)) for i, p in enumerate(pieces)]
        return out
    return transform


def in_ip(p):
    return 41 if p[0] >> 4 == 6 else 4


def vxlan(p, a):
    return F.udp(4789, b"\x08\0\0\0\0\0\x2a\0" + F.ether(p, a))


same("IP in IPv4")(tunnel(in_ip, lambda p, a: p))
same("IP in IPv6")(tunnel(in_ip, lambda p, a: p, v6=True))
same("GRE")(tunnel(47, lambda p, a: b"\0\0" + kind(p) + p))
same("GRE with checksum, key and number, over IPv6")(tunnel(47, lambda p, a: b"\xb0\0" + kind(p) + b"\0" * 7 + b"\x2a\0\0\0\x01" + p, v6=True))
same("GRE bridging Ethernet")(tunnel(47, lambda p, a: b"\0\0\x65\x58" + F.ether(p, a)))
same("ERSPAN I")(tunnel(47, lambda p, a: b"\0\0\x88\xbe" + F.ether(p, a)))
same("ERSPAN II")(tunnel(47, lambda p, a: b"\x10\0\x88\xbe\0\0\0\x01\x10\x07\0\x64\0\0\0\0" + F.ether(p, a)))
same("ERSPAN III")(tunnel(47, lambda p, a: b"\x10\0\x22\xeb\0\0\0\x01\x20\x07\0\x64" + b"\0" * 8 + F.ether(p, a)))
same("VXLAN")(tunnel(17, vxlan))
same("VXLAN over IPv6 in fragments")(tunnel(17, vxlan, v6=True, split=120))
same("VXLAN-GPE")(tunnel(17, lambda p, a: F.udp(4790, b"\x0c\0\0" + (b"\x02" if p[0] >> 4 == 6 else b"\x01") + b"\0\0\x2a\0" + p)))
same("GENEVE")(tunnel(17, lambda p, a: F.udp(6081, b"\0\0\x65\x58\0\0\x2a\0" + F.ether(p, a))))
same("GENEVE with options, no Ethernet")(tunnel(17, lambda p, a: F.udp(6081, b"\x02\0" + kind(p) + b"\0\0\x2a\0\x01\x08\0\x01\0\0\0\0" + p)))
same("GTP-U")(tunnel(17, lambda p, a: F.udp(2152, b"\x30\xff" + struct.pack("!H", len(p)) + b"\0\0\0\x2a" + p)))
same("GRE in fragments")(tunnel(47, lambda p, a: b"\0\0" + kind(p) + p, split=64))


@same("fragments in a tunnel")
def _(segs, rng):
    ends, out = first_end(segs), []
    for n, s in enumerate(segs):
        a, b = outer(s, flipped(s, ends))
        for i, p in enumerate(F.fragments(F.wire(s), 48, n & 0xFFFF)):
            out.append((s.ns + i, F.ether(F.ip(False, a, b, 17, vxlan(p, False)))))
    return out


# ------------------------------------------------------------------------------------ what is missing

def dropped(share):
    return lambda segs, rng: plain([s for s in segs if rng.random() >= share])


for _share in (1, 5, 20, 60):
    less("%d %% of the packets lost" % _share)(dropped(_share / 100))


@less("one packet lost")
def _(segs, rng):
    i = rng.randrange(len(segs))
    return plain(segs[:i] + segs[i + 1:])


@less("a burst lost")
def _(segs, rng):
    i = rng.randrange(len(segs))
    return plain(segs[:i] + segs[i + rng.randint(2, 12):])


@less("lost and reordered")
def _(segs, rng):
    return plain(shuffled([s for s in segs if rng.random() >= 0.08], rng, 3, lambda a, b: quiet(a) and quiet(b)))


@less("lost octets in small segments")
def _(segs, rng):
    small = [p for s in segs for p in cut(s, lambda i: rng.randint(3, 60))]
    return plain([s for s in small if rng.random() >= 0.04])


@less("fragments lost")
def _(segs, rng):
    return [f for f in fragmented(64)(segs, rng) if rng.random() >= 0.04]


def one_side(answer):
    def transform(segs, rng):
        ends = first_end(segs)
        return plain([s for s in segs if flipped(s, ends) == answer])
    return transform


less("client only")(one_side(False))
less("server only")(one_side(True))

for _where in range(1, 10):
    less("begun in the middle, %d tenths in" % _where)(lambda segs, rng, w=_where: plain(segs[len(segs) * w // 10:]))
    less("ended in the middle, %d tenths in" % _where)(lambda segs, rng, w=_where: plain(segs[:len(segs) * w // 10]))


@less("begun anywhere")
def _(segs, rng):
    return plain(segs[rng.randrange(len(segs)):])


for _snap in (60, 68, 80, 96, 128, 200, 400):
    less("snap length %d" % _snap, _snap)(lambda segs, rng: plain(segs))
