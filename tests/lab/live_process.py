"""Cases of live.py: the processes of the sensor, their rights, their end, and signals."""
import json
import os
import signal
import time

from cases import case
from sensor import (WORK, Mail, Process, Sensor, Wire, binary, dig, expect, left_over, skip, slow, wait_until)

WORKER_RULE = "5d0f9a53-6a0e-4d57-9a6e-0d3f5a5bb0c6"


def restarted(s, before, begun, limit_s):
    """Seconds from `begun` until a new worker reads in the place of the one with pid `before`."""
    def new():
        return [p for p in s.workers() if p.pid not in before and p.is_confined()] and s.sockets() >= len(before)
    wait_until(new, limit_s + 3, "a new worker reads")
    took = time.monotonic() - begun
    expect(took < limit_s * slow(), "it took %.2f s", took)
    return took


@case("a worker that is killed is there again within a second; a record and an alert say so")
def killed_worker():
    wire, s = Wire(), Sensor()
    wire.play(Mail("192.0.2.10:48001").frames, 0.001)
    s.wait_for("session", 1)
    times = []
    for round in range(3):
        pids = [p.pid for p in s.workers()]
        begun = time.monotonic()
        os.kill(pids[0], signal.SIGKILL)
        times.append(restarted(s, pids, begun, 1.0))
        wire.play(Mail("192.0.2.10:%d" % (48010 + round)).frames, 0.001)
        s.wait_for("session", 1, source__port=48010 + round, postcard__outcome="cleartext")
        s.wait_for("sensor", round + 1, event__action="worker-died")
    r = s.of("sensor", event__action="worker-died")[0][1]
    expect(dig(r, "postcard.sensor.worker") == 1 and "signal 9" in dig(r, "postcard.sensor.cause"), "%s", r)
    s.wait_for("alert", 1, rule__id=WORKER_RULE)
    summary = s.end()
    expect(dig(summary, "postcard.summary.worker_restarts") == 3, "%s", summary)
    expect(not [p for p in s.everyone() if p.stat()[0] == "Z"], "zombies")
    return "again after %s ms" % ", ".join("%.0f" % (t * 1000) for t in times)


@case("a worker that is stopped is killed, and there again after about a second")
def stopped_worker():
    wire, s = Wire(), Sensor()
    time.sleep(0.3)
    pids = [p.pid for p in s.workers()]
    begun = time.monotonic()
    os.kill(pids[0], signal.SIGSTOP)
    took = restarted(s, pids, begun, 1.5)
    wire.play(Mail("192.0.2.10:48020").frames, 0.001)
    s.wait_for("session", 1, source__port=48020, postcard__outcome="cleartext")
    s.wait_for("sensor", 1, event__action="worker-hung")
    s.wait_for("alert", 1, rule__id=WORKER_RULE)
    s.end()
    return "again after %.0f ms" % (took * 1000)


@case("a packet crashes a worker, another makes it hang: it is there again, and says which it was")
def planted():
    program = os.path.join(os.path.dirname(os.path.realpath(binary())), "tests", "planted", "postcard")
    if not os.path.exists(program):
        skip("%s is not built" % program)
    wire, s, times = Wire(), Sensor(program=program), []
    for n, (subject, action) in enumerate((("postcard: hang here", "worker-hung"), ("postcard: die here", "worker-died"))):
        pids, begun = [p.pid for p in s.workers()], time.monotonic()
        wire.play(Mail("192.0.2.10:%d" % (48030 + n), subject=subject).frames)
        # who spins must have had the processor for half a second before it counts as hanging; others may want it, too
        took = restarted(s, pids, begun, 5.0 if n == 0 else 1.5)
        times.append("%.0f" % (took * 1000))
        s.wait_for("sensor", 1, event__action=action)
        wire.play(Mail("192.0.2.10:%d" % (48040 + n)).frames, 0.001)
        s.wait_for("session", 1, source__port=48040 + n, postcard__outcome="cleartext")
    s.end()
    return "again after %s ms" % ", ".join(times)


@case("an idle sensor's workers are not taken for hanging, nor for lagging behind")
def idle():
    wire = Wire()
    s = Sensor(workers=2)
    pids = [p.pid for p in s.workers()]
    wire.play(Mail("192.0.2.10:48025").frames, 0.001)
    s.wait_for("session", 1)
    time.sleep(3)
    expect(pids == [p.pid for p in s.workers()], "workers were replaced: %s", s.stderr)
    summary = s.end()
    expect(dig(summary, "postcard.summary.lag") < slow() * 2 * 10**9, "%s", summary)


@case("a worker that opens a large buffer, which takes the processor for a while, is not taken for hanging")
def large_buffer():
    with open("/proc/meminfo", encoding="ascii") as f:
        free = dict((line.split(":")[0], int(line.split()[1])) for line in f)["MemAvailable"] >> 10
    if free < 4096:
        skip("4 GB of memory are not free")
    wire = Wire()
    s = Sensor("--buffer", "1536M")
    wire.play(Mail("192.0.2.10:48026").frames, 0.001)
    s.wait_for("session", 1, postcard__outcome="cleartext")
    summary = s.end()
    expect(dig(summary, "postcard.summary.worker_restarts") == 0, "%s", s.stderr)


@case("one of two workers is killed: what the other has open is told whole")
def other_worker():
    wire, s = Wire(), Sensor(workers=2)
    mails = [Mail("192.0.2.%d:48100" % (100 + i), "198.51.100.%d:25" % (50 + 3 * i)) for i in range(16)]
    for m in mails:
        wire.play(m.upto("text"), 0.001)
    time.sleep(0.3)
    pids = [p.pid for p in s.workers()]
    os.kill(pids[0], signal.SIGKILL)
    restarted(s, pids, time.monotonic(), 1.0)
    for m in mails:
        wire.play(m.since("text"), 0.001)
    sessions = s.wait_for("session", 16, 4)
    whole = [r for _, r in sessions if not r["postcard"]["midstream"]]
    late = [r for _, r in sessions if r["postcard"]["midstream"]]
    s.end()
    expect(len(sessions) == 16 and 2 <= len(whole) <= 14, "%d sessions, %d whole", len(sessions), len(whole))
    for r in whole:
        p = r["postcard"]
        expect([p["outcome"], p["messages"], p["gap_bytes"], p["visibility"]] == ["cleartext", 1, 0, "both"], "%s", r)
    return "%d of the other worker's connections whole, %d of the killed one's from their middle on" % (len(whole), len(late))


@case("SIGTERM: open connections are recorded, the end comes within 2 s with status 0, no process is left")
def sigterm():
    wire, s = Wire(), Sensor(workers=2)
    for i in range(8):
        wire.play(Mail("192.0.2.%d:48200" % (100 + i), "198.51.100.%d:25" % (50 + 3 * i)).upto("quit"), 0.001)
    s.wait_for("message", 8)
    status, took = s.stop()
    expect(status == 0, "status %d; said: %s", status, s.stderr)
    expect(not left_over(), "processes are left")
    found = s.of("session", postcard__outcome="cleartext")
    expect(len(found) == 8 and len(s.of("summary")) == 1, "%d sessions, %d summaries", len(found), len(s.of("summary")))
    expect(all(not isinstance(dig(r, "event.end"), type(None)) for _, r in found), "no end")
    s = Sensor()
    wire.play(Mail("192.0.2.10:48201").upto("quit"), 0.001)
    s.wait_for("message", 1)
    again, _ = s.stop(signal.SIGINT)
    expect(again == 0 and len(s.of("session")) == 1, "SIGINT: status %d, %d sessions", again, len(s.of("session")))
    return "%.2f s" % took


@case("the parent is killed: no process is left")
def killed_parent():
    Wire()
    s = Sensor(workers=2)
    s.process.kill()
    s.process.wait()
    begun = time.monotonic()
    wait_until(lambda: not left_over(), 2 * slow(), "no process is left")
    return "all gone after %.0f ms" % ((time.monotonic() - begun) * 1000)


@case("the keeper is killed: the sensor ends, and says so by its status")
def killed_keeper():
    Wire()
    s = Sensor()
    os.kill(s.keeper().pid, signal.SIGKILL)
    status, _ = s.stop(None, 3)
    wait_until(lambda: not left_over(), 2 * slow(), "no process is left")
    expect(status != 0, "exit status 0, though it can watch no longer; said: %s", s.stderr)


RULE = """title: A rule of the test, %s
name: of_the_test
taxonomy: ecs
logsource: {product: postcard, service: message}
detection: {selection: {destination.port: 25}, condition: selection}
level: %s
"""


@case("SIGHUP: rules are read anew, the log is opened anew; a mistake in them changes nothing; nothing is lost")
def sighup():
    rules, out = WORK + "/extra.yml", WORK + "/out.json"

    def write(text):
        with open(rules, "w", encoding="utf-8") as f:
            f.write(text)
    write(RULE % ("first", "low"))
    wire = Wire()
    s = Sensor("--rules-extra", rules, "--out", out)
    sent = []

    def mail():
        sent.append(48300 + len(sent))
        wire.play(Mail("192.0.2.10:%d" % sent[-1]).frames, 0.001)
        s.wait_for("session", 1, source__port=sent[-1])
    mail()
    write(RULE % ("second", "low"))
    os.rename(out, out + ".1")
    mail()
    s.kill(signal.SIGHUP)
    wait_until(lambda: "reloaded: " in s.stderr, 3, "it says that it read the rules")
    wait_until(lambda: os.path.exists(out), 3, "the log is opened anew")
    mail()
    names = {dig(r, "source.port"): dig(r, "rule.name") for _, r in s.of("alert") if "of the test" in str(dig(r, "rule.name"))}
    expect("second" in str([dig(r, "rule.name") for _, r in s.of("alert")]), "the new rule is not used: %s", names)
    write("title: broken\ndetection: [")
    s.kill(signal.SIGHUP)
    wait_until(lambda: "not reloaded" in s.stderr, 3, "it says that it did not")
    mail()
    s.end()
    lines = b"".join(open(p, "rb").read() for p in (out + ".1", out)).splitlines()
    seen = [json.loads(l)["source"]["port"] for l in lines if b'"postcard.session"' in l]
    expect(seen == sent, "--out has sessions %s of %s", seen, sent)
    expect(s.workers() == [] and os.path.getsize(out + ".1") > 0, "nothing in the first file")


@case("--out and standard output have the same records")
def out_file():
    out = WORK + "/out.json"
    wire, s = Wire(), Sensor("--out", out)
    for i in range(5):
        wire.play(Mail("192.0.2.10:%d" % (48400 + i)).frames, 0.001)
    s.wait_for("session", 5)
    s.end()
    with open(out, "rb") as f:
        lines = f.read().splitlines(True)
    expect(lines == s.raw, "%d lines in the file, %d on standard output", len(lines), len(s.raw))
    first = len(lines)
    s = Sensor("--out", out, json_out=False)
    wire.play(Mail("192.0.2.10:48500").frames, 0.001)
    wait_until(lambda: len(open(out, "rb").read().splitlines()) >= first + 2, 3, "records are appended")
    status, _ = s.stop()
    expect(status == 0, "status %d", status)


@case("SIGUSR1 prints counters")
def sigusr1():
    wire, s = Wire(), Sensor()
    wire.play(Mail("192.0.2.10:48600").frames, 0.001)
    s.wait_for("session", 1)
    time.sleep(0.3)
    s.kill(signal.SIGUSR1)
    wait_until(lambda: "mail connections" in s.stderr, 3, "counters")
    lines = {" ".join(l.split()[2:]): l.split()[1] for l in s.said if len(l.split()) > 2 and l.split()[1].isdigit()}
    lines.update({" ".join(l.split()[1:]): l.split()[0] for l in s.said if l.split()[:1] and l.split()[0].isdigit()})
    expect(lines.get("mail connections") == "1", "%s", s.stderr)
    s.end()


def rights(p):
    """What a process may: user, groups, capabilities, no_new_privs, seccomp, core files."""
    return {"uid": set(p.status("Uid")), "gid": set(p.status("Gid")), "groups": p.status("Groups"),
            "caps": {int(p.status(c)[0], 16) for c in ("CapPrm", "CapEff", "CapInh", "CapAmb")},
            "bound": int(p.status("CapBnd")[0], 16), "no_new_privs": p.status("NoNewPrivs"), "seccomp": p.status("Seccomp"),
            "core": [l.split()[4:6] for l in p.read("limits").splitlines() if l.startswith("Max core")]}


NET_RAW, KILL, SETGID, SETUID, CHROOT = 13, 5, 6, 7, 18


@case("no root is left: users, capabilities, seccomp, no_new_privs, file system and descriptors of all processes")
def no_root():
    Wire()
    s = Sensor(workers=2)
    parent, keeper, workers = Process(s.pid), s.keeper(), s.workers()
    r = rights(parent)
    expect("0" not in r["uid"] | r["gid"] and not r["groups"], "the parent is %s", r)
    expect(r["caps"] == {0} and r["no_new_privs"] == ["1"], "the parent may %s", r)
    for w in workers:
        r = rights(w)
        expect("0" not in r["uid"] | r["gid"] and not r["groups"], "a worker is %s", r)
        expect(r["caps"] == {0} and r["bound"] == 0 and r["no_new_privs"] == ["1"], "a worker may %s", r)
        expect(w.is_confined() and r["core"] == [["0", "0"]], "a worker: %s", r)
        root = os.stat("/proc/%d/root" % w.pid)
        expect(not os.listdir("/proc/%d/root/" % w.pid) and root.st_ino != os.stat("/").st_ino, "a worker sees files")
        files = [k for k in w.descriptors().values() if k.startswith("/") and k != "/dev/null" and not k.startswith("/sys/class/net") and
                 not k.startswith("/sys/devices")]
        expect(not files, "a worker has %s open", files)
    r = rights(keeper)
    allowed = sum(1 << c for c in (NET_RAW, KILL, SETGID, SETUID, CHROOT))
    expect(all(c & ~allowed == 0 for c in r["caps"]) and r["bound"] & ~allowed == 0, "the keeper may %s", r)
    s.end()
    return "keeper: capabilities %x" % max(r["caps"])
