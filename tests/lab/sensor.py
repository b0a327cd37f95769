"""postcard at a mirror port, for the tests: a wire to put packets on, the program at its other end, and what it says.

    inj0 (here) ------- tap0 (in the network namespace "sensor": postcard, and tcpdump beside it)

All of it lives in the namespaces that enter() makes, and is gone with them, however the test ends.
"""
import ctypes
import glob
import ipaddress
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "tools"), os.path.join(ROOT, "tests", "metamorphic")]
sys.dont_write_bytecode = True

import packets                                          # noqa: E402
import postcard                                         # noqa: E402
from network import run                                 # noqa: E402
from postcard import dig                                # noqa: E402,F401

TOOLS = "ip unshare nsenter mount tcpdump".split()
INSIDE = "POSTCARD_SENSOR_INSIDE"
WORK = "/run/sensor"    # what the sensor writes; anybody may write there, for the sensor is soon nobody
MTU = 9000


class Wrong(Exception):
    """The program does not do what it should."""


def skip(why):
    print("lab: skipped: " + why, flush=True)
    sys.exit(77)


def expect(good, text, *values):
    if not good:
        raise Wrong(text % values if values else text)


def binary():
    return os.path.abspath(os.environ.get("POSTCARD", os.path.join(ROOT, "build", "postcard")))


def slow():
    """How much longer things may take: a sanitizer's build is slower."""
    return 4 if postcard.sanitized() else 1


def enter(tools=()):
    """Start this program again as root of namespaces of its own; returns in there."""
    if INSIDE in os.environ:
        run("mount", "-t", "proc", "proc", "/proc")
        if "POSTCARD_LAB_INSIDE" not in os.environ:   # else lab.settle_in does it
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
            os.mkdir("/run/netns")
        os.makedirs(WORK, exist_ok=True)
        os.chmod(WORK, 0o777)
        run("ip", "link", "set", "lo", "up")
        return
    if os.geteuid():
        skip("needs root")
    missing = [tool for tool in TOOLS + list(tools) if not shutil.which(tool)]
    if missing:
        skip("missing programs: " + " ".join(missing))
    command = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child=SIGKILL"]
    if subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode:
        skip("no new namespaces on this machine")
    die_with_parent = lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL)   # PR_SET_PDEATHSIG
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}
    child = subprocess.Popen(command + [sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:],
                             env=dict(environment, **{INSIDE: "1"}), preexec_fn=die_with_parent)
    try:
        sys.exit(child.wait())
    except KeyboardInterrupt:
        child.kill()
        sys.exit(130)


def wait_until(check, seconds, what):
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise Wrong("%s: not so after %.1f s" % (what, seconds))
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------------------- the wire

class Wire:
    """A cable from here to the sensor's machine."""

    def __init__(self, name="tap0", end="inj0"):
        self.name, self.end = name, end
        self.add()

    def add(self):
        if not os.path.exists("/run/netns/sensor"):
            run("ip", "netns", "add", "sensor")
        run("ip", "link", "add", self.end, "type", "veth", "peer", "name", self.name, "netns", "sensor")
        inside("ip", "link", "set", "lo", "up")
        for where, link in (([], self.end), (["ip", "netns", "exec", "sensor"], self.name)):
            # the kernel itself is to say nothing
            run(*where, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/%s/disable_ipv6" % link)
            run(*where, "ip", "link", "set", link, "mtu", MTU, "up")
        for where, link in (([], self.end), (["ip", "netns", "exec", "sensor"], self.name)):
            wait_until(lambda: "state UP" in run(*where, "ip", "link", "show", link), 5, "the link is there")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((self.end, 0))

    def remove(self):
        self.socket.close()
        run("ip", "link", "del", self.end)

    def send(self, octets):
        """Puts a frame on it; returns the time (monotonic) before that."""
        begun = time.monotonic()
        self.socket.send(octets)
        return begun

    def play(self, frames, gap_s=0.0):
        """Frames, (ns, octets) or octets, in order; returns when (monotonic) each went out."""
        times = []
        for frame in frames:
            times.append(self.send(frame if isinstance(frame, bytes) else frame[1]))
            if gap_s:
                time.sleep(gap_s)
        return times


def inside(*command, **options):
    """Runs a command on the sensor's machine."""
    return run("ip", "netns", "exec", "sensor", *command, **options)


def same_clock():
    """Makes the kernel stamp each packet once, on arrival, for all that read it; while the result lives."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, 29, 1)   # SO_TIMESTAMP
    return s


class Tcpdump:
    """Writes what comes to an interface to a file, as postcard's capture would have it: stamps in nanoseconds."""

    def __init__(self, path, interface="tap0", only="", where="sensor"):
        self.path = path
        command = ["ip", "netns", "exec", where] if where else []
        self.process = subprocess.Popen(
            command + ["tcpdump", "-i", interface, "-s", "0", "-U", "--immediate-mode", "-B", "32768", "-n",
                       "--time-stamp-precision=nano", "-Z", "root", "-w", path] + ([only] if only else []),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump does not start")

    def stop(self):
        """(packets written, packets lost)"""
        time.sleep(0.4)   # the last packets
        self.process.send_signal(signal.SIGINT)
        counts = {}
        for line in self.process.communicate()[1].splitlines():
            words = line.split()
            if "packet" in line and words[0].isdigit():
                counts[" ".join(words[1:])] = int(words[0])
        find = lambda what: sum(n for text, n in counts.items() if what in text)
        return find("captured"), find("dropped by kernel")


# --------------------------------------------------------------------------------------------------------- mails

def address(text):
    return packets.address(text, 25)


class Mail:
    """A mail in the clear as frames: `frames` [(octets, what)]; `what` names some of them: syn, 250, fin."""

    def __init__(self, client="192.0.2.10:40001", server="198.51.100.25:25", only=None, vlan=None, subject="Live", body=1,
                 sender="carol@example.com", lose=(), data=True):
        self.client, self.server = address(client), address(server)
        self.capture = packets.Capture()
        self.marks = {}
        c = self.connection = packets.Connection(self.capture, self.client, self.server, vlan, only)
        self.mark("syn", c.handshake)
        turn = lambda side, text, name=None: self.mark(name, lambda: c.send(side, text.encode(), name in lose))
        turn("S", "220 mx.example.org ESMTP\r\n")
        turn("C", "EHLO client.example.com\r\n")
        turn("S", "250-mx.example.org\r\n250 8BITMIME\r\n")
        turn("C", "MAIL FROM:<%s>\r\n" % sender, "mail")
        turn("S", "250 2.1.0 Ok\r\n")
        turn("C", "RCPT TO:<anna@example.org>\r\n")
        turn("S", "250 2.1.5 Ok\r\n")
        if data:
            turn("C", "DATA\r\n")
            turn("S", "354 go on\r\n")
            turn("C", "From: <%s>\r\nTo: <anna@example.org>\r\nSubject: %s\r\n\r\n" % (sender, subject) +
                 "This text is readable.\r\n" * body + ".\r\n", "text")
            turn("S", "250 2.0.0 queued\r\n", "250")
            c.acknowledge("C")
        turn("C", "QUIT\r\n", "quit")
        turn("S", "221 bye\r\n")
        self.mark("fin", c.close)

    def mark(self, name, step):
        if name:
            self.marks[name] = len(self.capture.frames)
        step()

    @property
    def frames(self):
        return [octets for _, octets in self.capture.frames]

    def upto(self, mark):
        return self.frames[:self.marks[mark]]

    def since(self, mark):
        return self.frames[self.marks[mark]:]


def wrap(octets, head=b"", kind=None):
    """The frame's packet behind another head: `head` follows the addresses in the place of the type."""
    return octets[:12] + head + octets[14 if kind is None else 12:]


def ipv4(proto, payload, src="10.9.0.1", dst="10.9.0.2"):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, proto, 0) + \
        ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return head[:10] + struct.pack("!H", packets.checksum(head)) + head[12:] + payload


WRAPS = {   # name: a frame of IPv4 so wrapped
    "VLAN": lambda f: f[:12] + b"\x81\0\0\x07" + f[12:],
    "QinQ": lambda f: f[:12] + b"\x88\xa8\0\x07\x81\0\0\x08" + f[12:],
    "MPLS": lambda f: f[:12] + b"\x88\x47\0\0\x11\x40" + f[14:],
    "PPPoE": lambda f: f[:12] + b"\x88\x64\x11\0\0\x01" + struct.pack("!H", len(f) - 12) + b"\0\x21" + f[14:],
    "GRE": lambda f: f[:14] + ipv4(47, b"\0\0\x08\0" + f[14:]),
    "IPIP": lambda f: f[:14] + ipv4(4, f[14:]),
    "VXLAN": lambda f: f[:14] + ipv4(17, struct.pack("!HHHH", 50007, 4789, 16 + len(f), 0) + b"\x08\0\0\0\0\0\x05\0" + f),
    "GENEVE": lambda f: f[:14] + ipv4(17, struct.pack("!HHHH", 50008, 6081, 16 + len(f), 0) + b"\0\0\x65\x58\0\0\x05\0" + f),
}


# ----------------------------------------------------------------------------------------------------- processes

class Process:
    """What /proc says of a process."""

    def __init__(self, pid):
        self.pid = pid

    def read(self, name):
        try:
            with open("/proc/%d/%s" % (self.pid, name), encoding="utf-8", errors="replace") as f:
                return f.read()
        except (OSError, ValueError):
            return ""

    def stat(self):
        """(state, parent)"""
        words = self.read("stat").rpartition(")")[2].split()
        return (words[0], int(words[1])) if words else ("X", 0)

    def status(self, key):
        for line in self.read("status").splitlines():
            if line.startswith(key + ":"):
                return line.split(":", 1)[1].split()
        return []

    def is_confined(self):
        """Is a worker in its sandbox, and at work?  With a sanitizer there are no restrictions of system calls."""
        return self.status("NoNewPrivs") == ["1"] if postcard.sanitized() else self.status("Seccomp") == ["2"]

    def is_there(self):
        return self.stat()[0] not in "XZ"

    def rss(self):
        """octets"""
        return int((self.status("VmRSS") or ["0"])[0]) * 1024

    def descriptors(self):
        """{number: what it is}"""
        found = {}
        for path in glob.glob("/proc/%d/fd/*" % self.pid):
            try:
                found[int(path.rpartition("/")[2])] = os.readlink(path)
            except OSError:   # closed meanwhile
                pass
        return found


def family(pid):
    """All processes below one, zombies too."""
    below = {}
    for path in glob.glob("/proc/[0-9]*"):
        p = Process(int(path[6:]))
        below.setdefault(p.stat()[1], []).append(p)
    out, todo = [], [pid]
    while todo:
        for p in below.get(todo.pop(), []):
            out.append(p)
            todo.append(p.pid)
    return out


def left_over():
    """Processes of postcard in this namespace that are not dead."""
    found = []
    for path in glob.glob("/proc/[0-9]*"):
        p = Process(int(path[6:]))
        if p.read("comm").startswith("postcard") and p.is_there():
            found.append(p)
    return found


class Sensor:
    """A running postcard.  `lines`: (time it came (monotonic), record) of its standard output."""

    def __init__(self, *options, interfaces=("tap0",), workers=1, json_out=True, rows=None, env=None, program=None):
        command = ["ip", "netns", "exec", "sensor", program or binary()]
        for name in interfaces:
            command += ["-i", name]
        command += ["-j", str(workers)] if workers > 1 else []
        command += (["--json"] if json_out else []) + [str(o) for o in options]
        self.command, self.single = command, "--single-process" in options
        self.workers_wanted = 0 if self.single else workers
        self.lines, self.raw, self.said = [], [], []
        # in the background of a shell SIGINT is ignored, and would be by what is started here
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=dict(os.environ, **(env or {})), cwd=WORK)
        self.pid = self.process.pid
        self.threads = [threading.Thread(target=self.listen, args=(json_out,)), threading.Thread(target=self.hear)]
        for t in self.threads:
            t.daemon = True
            t.start()
        self.wait_ready(len(interfaces) * workers if rows is None else rows)

    def listen(self, parse):
        for line in self.process.stdout:
            now = time.monotonic()
            self.raw.append(line)
            if parse:
                try:
                    self.lines.append((now, json.loads(line)))
                except ValueError:
                    self.said.append("NOT JSON: %r" % line[:200])

    def hear(self):
        for line in self.process.stderr:
            self.said.append(line.decode("utf-8", "replace").rstrip("\n"))

    @property
    def stderr(self):
        return "\n".join(self.said)

    def sockets(self):
        """How many packet sockets read on its machine, tcpdump's not counted."""
        readers = [Process(self.pid)] if self.single else self.workers()
        return sum(1 for p in readers for target in p.descriptors().values() if target in packet_sockets(p.pid))

    def wait_ready(self, rows):
        """Each worker reads from each interface."""
        def ready():
            if self.process.poll() is not None:
                for t in self.threads:
                    t.join(2)
                raise Wrong("%s ended with %d: %s" % (" ".join(self.command[4:]), self.process.returncode, self.stderr))
            return self.sockets() >= rows and len(self.workers()) >= self.workers_wanted
        wait_until(ready, 10 * slow(), "the sensor reads")
        wait_until(lambda: all(p.is_confined() for p in self.workers()), 10 * slow(), "workers are in their sandbox")

    # --- its processes: the parent, whose child is the keeper, whose children are the workers
    def keeper(self):
        children = [p for p in family(self.pid) if p.stat()[1] == self.pid]
        expect(len(children) == 1, "the parent has %d children, not one keeper", len(children))
        return children[0]

    def workers(self):
        """Those that live, the oldest first."""
        return sorted((p for p in family(self.pid) if p.stat()[1] != self.pid and p.is_there()), key=lambda p: p.pid)

    def everyone(self):
        return [Process(self.pid)] + family(self.pid)

    # --- what it says
    def of(self, kind, **fields):
        """[(when it came, record)] of a dataset, with these values (a__b stands for a.b)."""
        wanted = {k.replace("__", "."): v for k, v in fields.items()}
        return [(t, r) for t, r in list(self.lines) if dig(r, "event.dataset") == "postcard." + kind and
                all(dig(r, k) == v for k, v in wanted.items())]

    def wait_for(self, kind, count=1, seconds=3.0, **fields):
        wait_until(lambda: len(self.of(kind, **fields)) >= count, seconds * slow(),
                   "%d records of %s %s (there are: %s; said: %s)" % (count, kind, fields or "", self.tally(), self.stderr[-600:]))
        return self.of(kind, **fields)

    def tally(self):
        out = {}
        for _, r in list(self.lines):
            kind = dig(r, "event.dataset")
            out[kind] = out.get(kind, 0) + 1
        return out

    def kill(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=2.0):
        """Ends it; (status, seconds it took)."""
        begun = time.monotonic()
        if number:
            self.process.send_signal(number)
        try:
            status = self.process.wait(seconds * slow())
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong("no end within %.1f s of signal %s; said: %s" % (seconds, number, self.stderr[-600:]))
        took = time.monotonic() - begun
        for t in self.threads:
            t.join(5)
        return status, took

    def end(self):
        """stop(), and all is as it should be then; the summary's record."""
        status, took = self.stop()
        expect(status == 0, "exit status %d; said: %s", status, self.stderr)
        expect(not left_over(), "processes are left: %s", [p.pid for p in left_over()])
        summary = self.of("summary")
        expect(len(summary) == 1, "%d summaries", len(summary))
        return summary[0][1]


def packet_sockets(pid):
    """{socket:[inode]} of the packet sockets of the machine a process is on, those that are bound and running."""
    found = set()
    for line in Process(pid).read("net/packet").splitlines()[1:]:
        words = line.split()
        if words[5] == "1":   # Running
            found.add("socket:[%s]" % words[8])
    return found


# ------------------------------------------------------------------------------------------------------- records

def of_connections(records, counted=True):
    """Sessions, messages and alerts about them, each as one line, in an order of their own: what must be equal live and
    in replay.  What is left out: the summary, what happened to the sensor itself, and alerts about that; without
    `counted` also how many connections a server had before."""
    out = []
    for r in records:
        kind = dig(r, "event.dataset")
        if kind in ("postcard.summary", "postcard.sensor") or str(dig(r, "source.ip")).startswith("nothing"):
            continue
        if not counted:
            r = dict(r, postcard={k: v for k, v in r["postcard"].items() if k not in ("baseline", "path")})
        key = "%s %s:%s > %s:%s" % (dig(r, "event.start"), dig(r, "source.ip"), dig(r, "source.port"),
                                    dig(r, "destination.ip"), dig(r, "destination.port"))
        out.append((key, kind, json.dumps(r, sort_keys=True)))
    return sorted(out)


def replay(path, *options):
    done = postcard.run(binary(), ["-r", path, "--json"] + list(options))
    expect(done.code == 0 and not done.bad_json, "replay of %s: status %d %s", path, done.code,
           done.stderr.decode("utf-8", "replace"))
    return done.records


def differences(live, again):
    """Lines about what is not the same in two lists of of_connections."""
    a, b = set(live), set(again)
    lines = []
    gone, new = sorted(a - b), sorted(b - a)
    for key, kind, text in gone:
        twin = next((x for x in new if x[:2] == (key, kind)), None)
        if twin is None:
            lines.append("only live: %s %s" % (kind, key))
            continue
        new.remove(twin)
        one, other = postcard.flatten(json.loads(text)), postcard.flatten(json.loads(twin[2]))
        lines.append("%s %s: " % (kind, key) + "; ".join(
            "%s live %s, in replay %s" % (k, one.get(k), other.get(k)) for k in sorted(set(one) | set(other)) if one.get(k) != other.get(k)))
    lines += ["only in replay: %s %s" % x[1::-1] for x in new]
    if not lines and len(live) != len(again):
        lines.append("%d records live, %d in replay" % (len(live), len(again)))
    return lines
