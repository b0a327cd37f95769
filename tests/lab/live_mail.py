"""Cases of live.py: what is seen live is what a replay of the same packets says, and it is seen at once."""
import glob
import os
import shutil
import socket
import threading
import time

import frames as metamorphic_frames
import lab
from cases import case
from network import run
from sensor import (MTU, ROOT, WORK, WRAPS, Mail, Sensor, Tcpdump, Wire, Wrong, dig, differences, expect, of_connections, replay,
                    same_clock, slow)

SCRATCH = "/var/tmp/postcard-lab"
SHORT = """starttls-tls13 offered-ignored auth-login port-2525 clear-on-465 ipv6-clear bdat-exim imap-clear pop3-stls""".split()


# ------------------------------------------------------------------------------------------------- with real servers

def fetch_servers():
    missing = [tool for tool in lab.TOOLS + ["tc"] if not lab.shutil.which(tool)]
    if "POSTCARD_LAB_INSIDE" in os.environ:
        return
    if os.geteuid():
        lab.skip("needs root")
    if missing:
        lab.skip("missing programs: " + " ".join(missing))
    lab.unpack(SCRATCH)
    os.environ["POSTCARD_LAB_INSIDE"] = SCRATCH


def mirror(switch, wire):
    """Copies each frame that enters the switch, from whichever machine, to the wire, as a mirror port does.

    It goes by way of this process: what a TCP socket of the same kernel sent carries a time of its own, and each reader
    of such a frame would stamp it anew, and not as the other one does."""
    plain = switch.host
    run("ip", "link", "add", "mir0", "type", "veth", "peer", "name", "mir1")
    run("ip", "link", "set", "mir0", "mtu", MTU, "up")
    run("ip", "link", "set", "mir1", "mtu", MTU, "up")
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))   # ETH_P_ALL
    ear.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)                            # SO_RCVBUFFORCE
    ear.bind(("mir1", 0))

    def pass_on():
        while True:
            octets, where = ear.recvfrom(65536)
            if where[2] != socket.PACKET_OUTGOING:
                wire.send(octets)
    threading.Thread(target=pass_on, daemon=True).start()

    def host(name, *addresses, **options):
        new = name not in switch.hosts
        h = plain(name, *addresses, **options)
        if new:
            port = "p%d" % (len(switch.hosts) - 1)
            run("tc", "qdisc", "add", "dev", port, "clsact")
            run("tc", "filter", "add", "dev", port, "ingress", "protocol", "all", "u32", "match", "u32", "0", "0",
                "action", "mirred", "egress", "mirror", "dev", "mir0")
        return h
    switch.host = host


def real(names, *options):
    import bench
    import scenarios  # noqa: F401 (fills bench.ALL)
    from network import Switch

    class LiveBench(bench.Bench):
        """Records nothing: the sensor's machine does."""

        def go(self, only=""):
            pass

    lab.settle_in(lab.programs(SCRATCH))
    os.makedirs(WORK, exist_ok=True)
    os.chmod(WORK, 0o777)
    wire, clock = Wire(), same_clock()
    bench.Bench.switch = Switch()
    mirror(bench.Bench.switch, wire)
    table = LiveBench("")
    tcpdump = Tcpdump(WORK + "/all.pcap")
    s = Sensor(*options)
    failed = []
    names = [n for n in names or bench.ALL if not lab.cannot(n)]
    for name in names:
        table = LiveBench("")
        try:
            bench.ALL[name].run(table)
        except Exception as e:  # that servers and clients work is not our question, but it must be known
            failed.append("%s: %s" % (name, e))
        finally:
            table.close()
    return finish(s, tcpdump, clock, len(names), failed)


def finish(s, tcpdump, clock, what, failed=(), counted=True):
    """Ends both, and compares."""
    written, lost = tcpdump.stop()
    summary = s.end()
    clock.close()
    expect(lost == 0, "tcpdump lost %d packets", lost)
    expect(dig(summary, "postcard.summary.drops") in (0, "nothing (the field is absent)"), "packets were lost: %s", summary)
    live = of_connections([r for _, r in s.lines], counted)
    wrong = differences(live, of_connections(replay(tcpdump.path), counted))
    wrong += failed
    if wrong and "LAB_KEEP" in os.environ:
        shutil.copy(tcpdump.path, os.environ["LAB_KEEP"] + ".pcap")
        with open(os.environ["LAB_KEEP"] + ".json", "wb") as f:
            f.write(b"".join(s.raw))
    expect(not wrong, "%d differences\n%s", len(wrong), "\n".join(wrong[:30]))
    expect(len(live) >= what, "only %d records", len(live))
    return "%d packets, %d records live as in replay" % (written, len(live))


@case("some scenarios of real servers and clients, mirrored: live as a replay of tcpdump's file", prepare=fetch_servers)
def real_mail():
    return real(SHORT)


@case("the same with two workers", prepare=fetch_servers, long=True)
def real_mail_two_workers():
    return real(SHORT, "-j", 2)


@case("all scenarios of the lab, mirrored: live as a replay of tcpdump's file", prepare=fetch_servers, long=True)
def real_mail_all():
    return real(None, "--all-ports")


# ------------------------------------------------------------------------------------------------------- injected

def captures():
    """Frames of the captures in pcaps/, Ethernet, as they came; those that do not fit on the wire are left out."""
    out = []
    for path in sorted(glob.glob(os.path.join(ROOT, "pcaps", "*.pcap"))):
        out += [octets for _, link, octets, size in metamorphic_frames.frames(path)
                if link == metamorphic_frames.ETHERNET and len(octets) == size <= MTU + 14]
    return out


def injected(*options):
    wire, clock = Wire(), same_clock()
    tcpdump = Tcpdump(WORK + "/all.pcap")
    s = Sensor(*options)
    for n, octets in enumerate(captures()):
        wire.send(octets)
        if n % 50 == 0:
            time.sleep(0.01)
    time.sleep(0.5)
    # two servers' dozens of connections, years apart, come within a second: which of two that are reset ends first is a
    # matter of microseconds, and what a server had before is counted in that order
    return finish(s, tcpdump, clock, 100, counted=False)


@case("all captures of pcaps/ put on a wire: live as a replay of tcpdump's file")
def injected_captures():
    return injected()


@case("the same with --single-process")
def injected_single_process():
    return injected("--single-process")


@case("a readable mail is reported within a second of its end, without waiting for the connection's")
def at_once():
    wire, s = Wire(), Sensor()
    most = {"message": 0.0, "alert": 0.0}
    for i in range(10):
        m = Mail("192.0.2.10:%d" % (41000 + i), "198.51.100.%d:25" % (30 + i), sender="carol%d@example.com" % i)
        wire.play(m.upto("250"), 0.002)
        time.sleep(0.02 * i)
        sent = wire.play(m.since("250")[:1])[0]
        for kind in most:
            came = s.wait_for(kind, 1, 2, source__port=41000 + i)[0][0]
            most[kind] = max(most[kind], came - sent)
    s.end()
    expect(max(most.values()) < 1.0 * slow(), "it took %.3f s", max(most.values()))
    return "from the server's 250 to the line: message %.0f ms, alert %.0f ms (the longest of 10)" % (
        most["message"] * 1000, most["alert"] * 1000)


@case("mail in VLAN, QinQ, MPLS, PPPoE, GRE, IPIP, VXLAN, GENEVE passes the kernel filter")
def wrapped():
    wire, s = Wire(), Sensor()
    for i, (name, change) in enumerate(WRAPS.items()):
        wire.play([change(f) for f in Mail("192.0.2.%d:41000" % (50 + i)).frames], 0.001)
    missing = []
    for i, name in enumerate(WRAPS):
        try:
            s.wait_for("session", 1, 1.5, source__ip="192.0.2.%d" % (50 + i), postcard__outcome="cleartext")
        except Wrong:
            missing.append(name)
    s.end()
    expect(not missing, "not seen: %s", " ".join(missing))


@case("fragments, and IPv6, pass the kernel filter")
def fragments():
    wire, s = Wire(), Sensor()
    pieces = []
    for n, f in enumerate(Mail("192.0.2.61:41000").frames):
        pieces += [f[:14] + p for p in metamorphic_frames.fragments(f[14:], 64, n)]
    wire.play(pieces, 0.001)
    wire.play(Mail("[2001:db8::61]:41000", "[2001:db8::25]:25").frames, 0.001)
    s.wait_for("session", 1, source__ip="192.0.2.61", postcard__outcome="cleartext")
    s.wait_for("session", 1, source__ip="2001:db8::61", postcard__outcome="cleartext")
    s.end()


def ports_seen(options, ports, expression=()):
    """Which of these ports' mails a sensor reports."""
    s = Sensor(*options, *expression)
    for i, port in enumerate(ports):
        PORT_WIRE.play(Mail("192.0.2.10:%d" % (42000 + port % 1000), "198.51.100.25:%d" % port).frames, 0.0005)
    PORT_WIRE.play(Mail("192.0.2.11:43000", "198.51.100.26:25").frames, 0.0005)
    time.sleep(0.6 * slow())
    s.end()
    return {dig(r, "destination.port") for _, r in s.of("session", destination__ip="198.51.100.25")}, \
        {dig(r, "source.ip") for _, r in s.of("session")}


PORT_WIRE = None


@case("mail on 25, 2525, 26, 465 in the clear; --ports, --all-ports; an expression is added with `and'")
def ports():
    global PORT_WIRE
    PORT_WIRE = Wire()
    got, _ = ports_seen([], [25, 2525, 465, 587, 26, 10025, 5999])
    expect(got == {25, 2525, 465, 587}, "by default, mail is seen on %s", got)
    got, _ = ports_seen(["--ports", "26,10025"], [25, 26, 10025, 5999])
    expect(got == {25, 26, 10025}, "--ports 26,10025: %s", got)
    got, _ = ports_seen(["--all-ports"], [25, 26, 10025, 5999])
    expect(got == {25, 26, 10025, 5999}, "--all-ports: %s", got)
    got, clients = ports_seen([], [25, 2525], ["port 25 or port 5999"])
    expect(got == {25} and clients == {"192.0.2.10", "192.0.2.11"}, "with an expression: %s %s", got, clients)
    got, clients = ports_seen([], [25, 5999], ["host", "192.0.2.10"])
    expect(got == {25} and clients == {"192.0.2.10"}, "with another: %s %s", got, clients)


@case("one direction, gaps and a start that was missed are said, and judged no further than they bear (F20)")
def lossy():
    wire, s = Wire(), Sensor()
    wire.play(Mail("192.0.2.71:41000", only="C").frames, 0.001)
    wire.play(Mail("192.0.2.72:41000", only="S").frames, 0.001)
    wire.play(Mail("192.0.2.73:41000").since("mail"), 0.001)
    wire.play(Mail("192.0.2.74:41000", lose=("text",), body=10).frames, 0.001)
    s.wait_for("session", 1, source__ip="192.0.2.74")
    time.sleep(0.3)
    s.end()   # which ends what one direction alone cannot
    r = {last: s.of("session", source__ip="192.0.2.%d" % last)[0][1] for last in (71, 72, 73, 74)}
    values = lambda last, *names: [dig(r[last], "postcard." + n) for n in names]
    expect(values(71, "visibility", "outcome", "messages") == ["client-only", "cleartext", 1], "client only: %s", r[71])
    expect(values(72, "visibility", "outcome") == ["server-only", "cleartext"], "server only: %s", r[72])
    expect(values(73, "midstream", "outcome") == [True, "cleartext"], "midstream: %s", r[73])
    expect(r[74]["postcard"]["gap_bytes"] > 200 and r[74]["postcard"]["outcome"] == "cleartext", "gap: %s", r[74])
