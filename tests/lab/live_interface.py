"""Cases of live.py: interfaces, two of them, that go away and come back, that lose packets, that are only listened to."""
import os
import signal
import time

from network import run
from sensor import (WORK, Mail, Sensor, Tcpdump, Wire, dig, expect, inside, slow)
from cases import case


@case("-i twice, one direction each: one connection, seen from both sides")
def two_interfaces():
    one, other = Wire(), Wire("tap1", "inj1")
    s = Sensor(interfaces=("tap0", "tap1"))
    for i in range(20):
        m = Mail("192.0.2.10:%d" % (44000 + i), body=100)
        for octets in m.frames:
            (one if octets[26:30] == b"\xc0\x00\x02\x0a" else other).send(octets)
    found = s.wait_for("session", 20, 4)
    s.end()
    for _, r in found:
        p = r["postcard"]
        expect([p["outcome"], p["visibility"], p["midstream"], p["gap_bytes"], p["messages"]] ==
               ["cleartext", "both", False, 0, 1], "%s", r)
    expect(len(found) == 20, "%d sessions", len(found))


@case("-i any")
def any_interface():
    one, other = Wire(), Wire("tap1", "inj1")
    s = Sensor(interfaces=("any",))
    one.play(Mail("192.0.2.10:44001").frames, 0.001)
    other.play(Mail("192.0.2.10:44002").frames, 0.001)
    inside("ip", "link", "set", "tap1", "down")
    one.play(Mail("192.0.2.10:44003").frames, 0.001)
    for port in (44001, 44002, 44003):
        s.wait_for("session", 1, 3, source__port=port, postcard__outcome="cleartext")
    s.end()


@case("an interface goes down and up: reported, waited for, resumed")
def down_and_up():
    wire, s = Wire(), Sensor()
    wire.play(Mail("192.0.2.10:45001").frames, 0.001)
    s.wait_for("session", 1, source__port=45001)
    inside("ip", "link", "set", "tap0", "down")
    s.wait_for("sensor", 1, 5)
    expect("down" in s.of("sensor")[0][1]["message"], "%s", s.of("sensor"))
    s.wait_for("alert", 1, 3, rule__id="b1a6f0d7-3f0a-4f9c-8d54-c1c4f4b1a0f9")
    inside("ip", "link", "set", "tap0", "up")
    s.wait_for("sensor", 2, 5)
    wire.play(Mail("192.0.2.10:45002").frames, 0.001)
    s.wait_for("session", 1, 3, source__port=45002, postcard__outcome="cleartext")
    summary = s.end()
    expect(dig(summary, "postcard.summary.worker_restarts") == 0, "a worker was restarted")


@case("an interface is deleted and made again: reported, waited for, resumed; what was open is told")
def deleted_and_made():
    wire, s = Wire(), Sensor()
    open_one = Mail("192.0.2.10:45003")
    wire.play(open_one.upto("quit"), 0.001)
    s.wait_for("message", 1, source__port=45003)
    wire.remove()
    s.wait_for("sensor", 1, 5)
    s.wait_for("session", 1, 5, source__port=45003)
    s.wait_for("alert", 1, 3, rule__id="b1a6f0d7-3f0a-4f9c-8d54-c1c4f4b1a0f9")
    time.sleep(1)
    wire.add()
    back = time.monotonic()
    s.wait_for("sensor", 2, 5)
    took = s.of("sensor")[-1][0] - back
    wire.play(Mail("192.0.2.10:45004").frames, 0.001)
    s.wait_for("session", 1, 3, source__port=45004, postcard__outcome="cleartext")
    s.end()
    said = [r["message"] for _, r in s.of("sensor")]
    expect(len(said) < 6, "it says too much: %s", said)
    expect(took < 2 * slow(), "it took %.1f s to come back", took)
    return "back %.1f s after the interface was; said: %s" % (took, " / ".join(said))


@case("one of two interfaces is deleted: the other is watched on, and both once it is back")
def one_of_two_deleted():
    one, other = Wire(), Wire("tap1", "inj1")
    s = Sensor(interfaces=("tap0", "tap1"))
    other.remove()
    s.wait_for("sensor", 1, 5, event__action="interface-gone")
    time.sleep(0.5)
    one.play(Mail("192.0.2.10:45010").frames, 0.001)
    s.wait_for("session", 1, 3, source__port=45010, postcard__outcome="cleartext")
    other.add()
    s.wait_for("sensor", 1, 5, event__action="interface-up")
    one.play(Mail("192.0.2.10:45011").frames, 0.001)
    other.play(Mail("192.0.2.10:45012").frames, 0.001)
    for port in (45011, 45012):
        s.wait_for("session", 1, 3, source__port=port, postcard__outcome="cleartext")
    s.end()


@case("the sensor never sends a packet")
def silent():
    wire = Wire()
    tcpdump = Tcpdump(WORK + "/sent.pcap", wire.end, where=None, only="inbound")
    statistics = lambda: int(inside("cat", "/sys/class/net/tap0/statistics/tx_packets"))
    before = statistics()
    s = Sensor("--state", WORK + "/state.db")
    for i in range(5):
        wire.play(Mail("192.0.2.10:%d" % (46000 + i)).frames, 0.001)
    s.wait_for("session", 5)
    s.kill(signal.SIGHUP)
    os.kill(s.workers()[0].pid, signal.SIGKILL)
    s.wait_for("sensor", 1)
    time.sleep(0.5)
    s.end()
    packets, _ = tcpdump.stop()
    expect(statistics() == before and packets == 0, "%d packets were sent, tcpdump saw %d", statistics() - before, packets)


@case("packets that the kernel drops are counted, told in a record, and alerted")
def drops():
    wire, s = Wire(), Sensor("--buffer", "1M")
    big = Mail("192.0.2.10:47000", body=400)
    time.sleep(1.2)   # a first look at what was lost has been taken
    worker = s.workers()[0]
    worker_pid = worker.pid
    os.kill(worker_pid, signal.SIGSTOP)   # shorter than what counts as hanging
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        wire.play(big.frames)
    os.kill(worker_pid, signal.SIGCONT)
    time.sleep(0.3)
    wire.play(Mail("192.0.2.10:47001").frames, 0.001)
    s.wait_for("session", 1, source__port=47001)
    expect(s.workers()[0].pid == worker_pid, "the worker was killed meanwhile")
    summary = s.end()
    lost = dig(summary, "postcard.summary.drops")
    expect(isinstance(lost, int) and lost > 0, "drops: %s", lost)
    record = s.of("sensor", event__action="packets-lost")
    expect(record, "no record says that packets were lost, though %d of %d were", lost, lost + dig(summary, "postcard.summary.packets"))
    expect(s.of("alert", rule__id="0f9a3f5e-59a4-4e0b-8f1e-54a0b1d7b3c2"), "no alert")
    return "%d of %d packets lost" % (lost, lost + dig(summary, "postcard.summary.packets"))
