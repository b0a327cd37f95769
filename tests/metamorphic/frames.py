"""Captures taken apart into TCP segments, and put together again in every way that a network may.

A Segment is one TCP segment with its time; wire(segment) makes the IP packet.  Checksums are left
zero: the program does not look at them (network cards fill them in behind the capture).
"""
import collections
import gzip
import struct

ETHERNET, RAW, LINUX_SLL, NULL, SLL2, PPP = 1, 101, 113, 0, 276, 9

Segment = collections.namedtuple("Segment", "ns v6 src dst sport dport seq ack flags window options payload")


# ---------------------------------------------------------------------------------------- files in

def _pcap(data):
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}[magic]
    unit = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    link, at = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF, 24
    while at + 16 <= len(data):
        sec, frac, cap, wire = struct.unpack_from(order + "IIII", data, at)
        yield sec * 10**9 + frac * unit, link, data[at + 16:at + 16 + cap], wire
        at += 16 + cap


def _pcapng(data):
    order, links, at = "<", [], 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            size, links = struct.unpack_from(order + "I", data, at + 4)[0], []
        elif kind == 1:
            link, unit, opt = struct.unpack_from(order + "H", data, at + 8)[0], 1000, at + 16
            while opt + 4 <= at + size - 4:
                code, length = struct.unpack_from(order + "HH", data, opt)
                if code == 9:
                    unit = 10**9 // 10**data[opt + 4] if data[opt + 4] < 10 else 1
                if code == 0:
                    break
                opt += 4 + (length + 3) // 4 * 4
            links.append((link, unit))
        elif kind == 6:
            interface, high, low, cap, wire = struct.unpack_from(order + "IIIII", data, at + 8)
            link, unit = links[interface]
            yield (high << 32 | low) * unit, link, data[at + 28:at + 28 + cap], wire
        if size < 12:
            return
        at += size


def frames(path):
    """(ns, link type, captured octets, octets on the wire) of a pcap or pcapng file."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return list(_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data))


def _segment(ns, packet):
    """The Segment in an IP packet; None where there is none, ValueError where it is not whole."""
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        head, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        if packet[9] != 6:
            return None
        if struct.unpack_from("!H", packet, 6)[0] & 0x3FFF or total < head + 20 or len(packet) < total:
            raise ValueError("not whole")
        src, dst, tcp = packet[12:16], packet[16:20], packet[head:total]
    elif packet[0] >> 4 == 6:
        if packet[6] != 6:
            if packet[6] in (0, 43, 44, 60):
                raise ValueError("extension headers")
            return None
        total = struct.unpack_from("!H", packet, 4)[0]
        if total < 20 or len(packet) < 40 + total:
            raise ValueError("not whole")
        src, dst, tcp = packet[8:24], packet[24:40], packet[40:40 + total]
    else:
        return None
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", tcp)
    size = (offset >> 4) * 4
    if size < 20 or size > len(tcp):
        raise ValueError("not whole")
    return Segment(ns, packet[0] >> 4 == 6, src, dst, sport, dport, seq, ack, flags & 0x3F, window, tcp[20:size], tcp[size:])


def segments(path):
    """All TCP segments of a capture; ValueError where one is not whole, or wrapped in what we do not take off."""
    found = []
    for ns, link, data, wire in frames(path):
        if len(data) < wire:
            raise ValueError("cut")
        if link == ETHERNET:
            kind = struct.unpack_from("!H", data, 12)[0] if len(data) > 14 else 0
            if kind in (0x8100, 0x88A8, 0x8847, 0x8864):
                raise ValueError("tagged")
            packet = data[14:] if kind in (0x0800, 0x86DD) else b""
        elif link == LINUX_SLL:
            packet = data[16:]
        elif link in (RAW, 12, 14):
            packet = data
        elif link == NULL:
            packet = data[4:]
        else:
            raise ValueError("link type %d" % link)
        s = _segment(ns, packet)
        if s is not None:
            found.append(s)
    if _contradicts(found):
        raise ValueError("other octets under the same numbers")
    return found


def _contradicts(segs):
    """Do two segments of a connection hold different octets under the same numbers?  Which come to be compared is then a matter of time."""
    octets = {}
    for s in segs:
        way = (s.src, s.sport, s.dst, s.dport)
        if s.flags & 2:  # another connection
            octets[way] = {}
        known = octets.setdefault(way, {})
        for i, octet in enumerate(s.payload):
            if known.setdefault(s.seq + i & 0xFFFFFFFF, octet) != octet:
                return True
    return False


# --------------------------------------------------------------------------------------- packets out

def wire(s):
    """The IP packet of a segment."""
    tcp = struct.pack("!HHIIBBHHH", s.sport, s.dport, s.seq & 0xFFFFFFFF, s.ack & 0xFFFFFFFF,
                      (20 + len(s.options)) // 4 << 4, s.flags, s.window, 0, 0) + s.options + s.payload
    return ip(s.v6, s.src, s.dst, 6, tcp)


def ip(v6, src, dst, proto, payload, ident=0, fragment=0x4000):
    if v6:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + src + dst + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment, 64, proto, 0) + src + dst + payload


def ether(packet, flip=False, head=None):
    """An Ethernet frame; `head` stands between the addresses and the packet (its type included)."""
    macs = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" if not flip else b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
    if head is None:
        head = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0"
    return macs + head + packet


def fragments(packet, size, ident):
    """An IP packet in fragments of at most `size` payload octets (rounded down to eight)."""
    size = max(size // 8 * 8, 8)
    v6 = packet[0] >> 4 == 6
    body = packet[40:] if v6 else packet[20:]
    if len(body) <= size:
        return [packet]
    out = []
    for at in range(0, len(body), size):
        more = at + size < len(body)
        piece = body[at:at + size]
        if v6:
            head = struct.pack("!BBHI", packet[6], 0, at | more, ident)
            out.append(packet[:4] + struct.pack("!HBB", len(piece) + 8, 44, 64) + packet[8:40] + head + piece)
        else:
            out.append(packet[:2] + struct.pack("!HHH", 20 + len(piece), ident & 0xFFFF, at // 8 | (0x2000 if more else 0)) +
                       packet[8:20] + piece)
    return out


def udp(port, payload):
    return struct.pack("!HHHH", 50000 + len(payload) % 1000, port, 8 + len(payload), 0) + payload


def pcap(frames_out, link=ETHERNET, snaplen=0):
    """A file of (ns, octets) in the order given; with `snaplen` each frame is cut to it."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)]
    for ns, octets in frames_out:
        kept = octets[:snaplen] if snaplen else octets
        out.append(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(kept), len(octets)) + kept)
    return b"".join(out)
