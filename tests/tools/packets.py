"""Captures made from nothing: Ethernet, IPv4 or IPv6, TCP; pcap and pcapng files.

Only what tests need.  A Connection keeps both sequence numbers and makes correct checksums; a
Capture holds frames with their times (ns since the epoch) and writes them as a file of any kind
that the program reads.
"""
import gzip
import ipaddress
import struct

EPOCH_NS = 1767607200 * 10**9  # 2026-01-05T10:00:00Z
MSS = 1460

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(src, dst, sport, dport, seq, ack, flags, payload, options=b""):
    """A TCP segment in an IP packet; src and dst are ipaddress objects."""
    options += b"\0" * (-len(options) % 4)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                       (20 + len(options)) // 4 << 4, flags, 64240, 0, 0) + options
    length = len(head) + len(payload)
    if src.version == 4:
        pseudo = src.packed + dst.packed + struct.pack("!BBH", 0, 6, length)
    else:
        pseudo = src.packed + dst.packed + struct.pack("!IHBB", length, 0, 0, 6)
    head = head[:16] + struct.pack("!H", checksum(pseudo + head + payload)) + head[18:]
    if src.version == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0) + src.packed + dst.packed
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    else:
        ip = struct.pack("!IHBB", 6 << 28, length, 6, 64) + src.packed + dst.packed
    return ip + head + payload


class Capture:
    """Frames in the order of capture."""

    def __init__(self):
        self.frames = []  # (ns since the epoch, octets on the wire, octets captured)
        self.now = EPOCH_NS

    def add(self, packet, vlan=None, flip=False):
        mac = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" if not flip else b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
        kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
        tag = struct.pack("!HH", 0x8100, vlan) if vlan is not None else b""
        self.frames.append((self.now, mac + tag + struct.pack("!H", kind) + packet))
        self.now += 1_000_000

    def pcap(self, nanoseconds=False, order="<", snaplen=262144, frames=None):
        magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
        out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, 1)]
        for ns, data in self.frames if frames is None else frames:
            out.append(struct.pack(order + "IIII", ns // 10**9, ns % 10**9 // unit,
                                   min(len(data), snaplen), len(data)) + data[:snaplen])
        return b"".join(out)

    def pcapng(self, order="<", resolution=9, frames=None):
        def block(kind, body):
            body += b"\0" * (-len(body) % 4)
            size = struct.pack(order + "I", len(body) + 12)
            return struct.pack(order + "I", kind) + size + body + size
        tsresol = struct.pack(order + "HHB3x", 9, 1, resolution) + struct.pack(order + "HH", 0, 0)
        out = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
               block(1, struct.pack(order + "HHI", 1, 0, 0) + tsresol)]
        for ns, data in self.frames if frames is None else frames:
            ticks = ns // 10**(9 - resolution)
            out.append(block(6, struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF,
                                            len(data), len(data)) + data))
        return b"".join(out)

    def write(self, path):
        data = self.pcap(nanoseconds=True)
        with (gzip.open(path, "wb") if path.endswith(".gz") else open(path, "wb")) as f:
            f.write(data)


class Connection:
    """One TCP connection.  Sides are "C" and "S"; `shape` cuts and repeats segments (see Shape)."""

    def __init__(self, capture, client, server, vlan=None, only=None, shape=None):
        self.capture, self.vlan, self.only = capture, vlan, only
        self.shape = shape or Shape()
        self.ends = {"C": client, "S": server}  # (ipaddress, port)
        self.seq = {"C": 1000, "S": 90000}
        self.acked = {"C": None, "S": None}  # what the side last acknowledged
        self.open = {"C": True, "S": True}
        self.dead = False

    def packet(self, side, flags, payload=b"", options=b"", seq=None, write=True):
        other = "S" if side == "C" else "C"
        if self.only in (None, side) and write:
            (src, sport), (dst, dport) = self.ends[side], self.ends[other]
            ack = self.seq[other] if flags & ACK else 0
            packet = segment(src, dst, sport, dport, self.seq[side] if seq is None else seq, ack,
                             flags, payload, options)
            for _ in range(self.shape.copies):
                self.capture.add(packet, self.vlan, side == "S")
        if flags & ACK:
            self.acked[side] = self.seq[other]

    def handshake(self, lost=""):
        """Opens it; `lost`: the numbers (1 to 3) of the packets that are not captured."""
        mss = struct.pack("!BBH", 2, 4, MSS)
        self.packet("C", SYN, options=mss, write="1" not in lost)
        self.seq["C"] += 1
        self.packet("S", SYN | ACK, options=mss, write="2" not in lost)
        self.seq["S"] += 1
        self.packet("C", ACK, write="3" not in lost)

    def send(self, side, data, lose=False):
        """Sends octets; `lose`: they cross, but the capture does not have them."""
        pieces = self.shape.cut(data)
        base = self.seq[side]
        self.seq[side] += len(data)
        for at, piece in self.shape.order(pieces):
            self.packet(side, ACK | PSH, piece, seq=base + at, write=not lose)

    def acknowledge(self, side):
        """A bare ACK, where the side has something new to acknowledge."""
        other = "S" if side == "C" else "C"
        if self.acked[side] != self.seq[other] and not self.dead:
            self.packet(side, ACK)

    def fin(self, side):
        if self.open[side] and not self.dead:
            self.packet(side, FIN | ACK)
            self.seq[side] += 1
            self.open[side] = False

    def rst(self, side):
        self.packet(side, RST | ACK)
        self.dead = True

    def close(self, first="C"):
        second = "S" if first == "C" else "C"
        if self.dead:
            return
        self.fin(first)
        self.fin(second)
        self.acknowledge(first)
        self.acknowledge(second)
        self.dead = True


class Shape:
    """How data becomes segments: the same octets must give the same records in every shape."""

    def __init__(self, piece=MSS, swap=False, copies=1):
        self.piece, self.swap, self.copies = piece, swap, copies

    def cut(self, data):
        return [(i, data[i:i + self.piece]) for i in range(0, len(data), self.piece)]

    def order(self, pieces):
        if self.swap:  # each pair the wrong way round
            pieces = [p for i in range(0, len(pieces), 2) for p in reversed(pieces[i:i + 2])]
        return pieces


def address(text, default_port):
    """'192.0.2.1:25', '[2001:db8::1]:25' or an address alone."""
    host, port = text, default_port
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = int(rest[1:]) if rest else default_port
    elif text.count(":") == 1:
        host, port = text.split(":")
    return ipaddress.ip_address(host), int(port)
