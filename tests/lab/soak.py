#!/usr/bin/env python3
"""postcard under load for a long time, and everything goes wrong around it now and then.

usage: tests/lab/soak.py [SECONDS]      (1200 by default)

Generated mail (tests/bench/gen_mail_pcap, with its truth) is put on a wire in a loop, with fresh addresses of clients in
each round of the first sixth of the time, and with fresh ports from then on, so that what is remembered of clients stops
growing.  Meanwhile a worker is killed now and then, the syslog server goes away (it is killed in the middle of it) and comes
back, the log is rotated and everything is read anew (SIGHUP).  At the end:

- each connection is in the log (--out) exactly once, and as in the truth, but those that were on the wire when a worker was
  killed or not yet started again;
- syslog got each alert of the log, each session and mail at least once, and in the order of the log;
- memory is flat (the last quarter of the time against the second), there are no more descriptors, and no zombies.

POSTCARD_SOAK_PPS: packets a second (4000).  Exit status: 0 as it should be, 1 not, 77 cannot run here.
"""
import collections
import csv
import glob
import json
import os
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

import sensor
from sensor import WORK, Sensor, Wire, dig, expect, family, wait_until

KILL_S, OUTAGE_S, RELOAD_S, SAMPLE_S = 17, 41, 23, 2   # from one to the next
OUTAGE_LASTS_S = 6
# around a kill: what was on the wire then may be missing, and what ended by a reset, which is told a second later,
# of a clock that lags half a second where nothing comes
BEFORE_S, AFTER_S = 2.5, 1.2
RESTART_S = 1.0    # that a new worker takes at most
PORT = 5140


# --------------------------------------------------------------------------------------------- the syslog server

def receive(path):
    """Takes octet-counted messages (RFC 6587) on PORT for ever; adds each to the file, as one line."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(4)
    with open(path, "ab", buffering=0) as f:
        while True:
            connection, _ = listener.accept()
            data = b""
            while True:
                try:
                    more = connection.recv(65536)
                except OSError:
                    break
                if not more:
                    break
                data += more
                while True:
                    size, space, rest = data.partition(b" ")
                    if not space or len(rest) < int(size):
                        break
                    f.write(rest[:int(size)].replace(b"\n", b" ") + b"\n")
                    data = rest[int(size):]
            connection.close()


class Receiver:
    def __init__(self, path):
        self.path, self.process = path, None

    def start(self):
        self.process = subprocess.Popen(["ip", "netns", "exec", "sensor", sys.executable, os.path.abspath(__file__), "--receive",
                                         self.path])

    def kill(self):
        self.process.kill()
        self.process.wait()


# --------------------------------------------------------------------------------------------------- the traffic

class Frame:
    """A frame of the capture, whose client's address and port are changed in each round."""

    def __init__(self, octets, client_is_source, number):
        self.octets, self.number = bytearray(octets), number
        if octets[12:14] == b"\x08\0":
            tcp = 14 + (octets[14] & 15) * 4
            self.at, self.sums = 26 if client_is_source else 30, [tcp + 16, 24]
        else:   # the last octets of an address of IPv6
            tcp = 54
            self.at, self.sums = (22 if client_is_source else 38) + 12, [tcp + 16]
        self.port_at = tcp if client_is_source else tcp + 2
        # the checksums without these octets: RFC 1624
        high, low = struct.unpack_from("!HH", octets, self.at)
        self.bases = [(~struct.unpack_from("!H", octets, at)[0] & 0xFFFF) + (~high & 0xFFFF) + (~low & 0xFFFF) for at in self.sums]
        self.bases[0] += ~struct.unpack_from("!H", octets, self.port_at)[0] & 0xFFFF

    def with_client(self, address, port):
        struct.pack_into("!I", self.octets, self.at, address)
        struct.pack_into("!H", self.octets, self.port_at, port)
        for at, base, more in zip(self.sums, self.bases, (port, 0)):
            total = base + (address >> 16) + (address & 0xFFFF) + more
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            struct.pack_into("!H", self.octets, at, ~total & 0xFFFF)
        return self.octets


class Traffic:
    """A capture with its truth, sent again and again; `sent`: {(client, port): [first, last time, outcome,
    mails, records of mails]}; the addresses of clients are fresh for so many rounds"""

    def __init__(self, wire, pps, fresh):
        stem = WORK + "/traffic"
        subprocess.run([os.path.join(os.path.dirname(sensor.binary()), "tests/bench/gen_mail_pcap"), "-p", "mail", "-b", "16m", "-c", "60",
                        "-s", "5", "--max-message", "60000", "-o", stem + ".pcap", "-t", stem + ".json", "-T", stem + ".csv"],
                       check=True)
        with open(stem + ".csv", encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        # how many records of mails there are to a connection (some are envelopes) the truth does not say
        mails = collections.Counter((dig(r, "source.ip"), dig(r, "source.port")) for r in sensor.replay(stem + ".pcap")
                                    if dig(r, "event.dataset") == "postcard.message")
        self.truth = [(int(r["cport"]), r["verdict"], int(r["clear_data"]) + int(r["clear_bdat"]),
                       mails[(str(sensor.ipaddress.ip_address(r["client"])), int(r["cport"]))]) for r in rows]
        self.fresh = fresh
        ends = {(sensor.ipaddress.ip_address(r["client"]).packed, int(r["cport"])): i for i, r in enumerate(rows)}
        self.frames, self.prefix = [], {}
        for _, _, octets, _ in sensor_frames(stem + ".pcap"):
            v6 = octets[12:14] != b"\x08\0"
            a, b = (octets[22:38], octets[38:54]) if v6 else (octets[26:30], octets[30:34])
            tcp = 54 if v6 else 14 + (octets[14] & 15) * 4
            sport, dport = struct.unpack_from("!HH", octets, tcp)
            source = (a, sport) in ends
            number = ends[(a, sport) if source else (b, dport)]
            if v6:
                self.prefix[number] = (a if source else b)[:12]
            self.frames.append(Frame(octets, source, number))
        self.wire, self.pps, self.round, self.at, self.sent = wire, pps, 0, 0, {}
        self.count, self.begun = 0, time.monotonic()
        self.keys = None

    def address(self, number):
        return 0x0A000001 + self.round % self.fresh * len(self.truth) + number

    def port(self, number):
        return 1024 + (self.truth[number][0] - 1024 + self.round // self.fresh) % 64512

    def step(self, whole=False):
        """Sends what is due; `whole`: and no more than ends the round."""
        due = int((time.monotonic() - self.begun) * self.pps)
        if due - self.count > self.pps:   # it was kept from sending for long: it does not catch up at once
            self.begun += (due - self.count) / self.pps - 0.2
            due = self.count
        while self.count < due:
            if self.at == 0:
                self.keys = {}
            f = self.frames[self.at]
            now = self.wire.send(f.with_client(self.address(f.number), self.port(f.number)))
            if f.number not in self.keys:
                self.keys[f.number] = self.sent[self.key(f.number)] = [now, now] + list(self.truth[f.number][1:])
            else:
                self.keys[f.number][1] = now
            self.count += 1
            self.at += 1
            if self.at == len(self.frames):
                self.at = 0
                self.round += 1
                if whole:
                    return

    def key(self, number):
        octets = self.prefix.get(number, b"") + struct.pack("!I", self.address(number))
        return str(sensor.ipaddress.ip_address(octets)), self.port(number)

    def finish(self):
        """Sends the rest of the round."""
        while self.at != 0:
            self.step(whole=True)
            time.sleep(0.002)


def sensor_frames(path):
    import frames
    return frames.frames(path)


# ------------------------------------------------------------------------------------------------------ the soak

class Watch:
    """What the processes of the sensor hold, over time."""

    def __init__(self, s):
        self.s, self.rows, self.zombies, self.begun = s, [], collections.Counter(), time.monotonic()

    def look(self):
        everyone = family(self.s.pid)
        parent, workers = sensor.Process(self.s.pid), self.s.workers()
        self.rows.append((parent.rss(), sum(p.rss() for p in workers) / max(len(workers), 1), len(parent.descriptors()),
                          sum(len(p.descriptors()) for p in everyone if p.stat()[1] == self.s.pid)))
        now = {p.pid for p in everyone if p.stat()[0] == "Z"}
        for pid in list(self.zombies):
            if pid not in now:
                del self.zombies[pid]
        for pid in now:
            self.zombies[pid] += 1

    def judge(self):
        """(lines about what grew, a text)"""
        wrong, said, n = [], [], len(self.rows)
        if max(self.zombies.values(), default=0) > 2:
            wrong.append("zombies: %s" % dict(self.zombies))
        for column, (what, unit, ratio, margin) in enumerate((("the parent's memory", 1 << 20, 1.1, 4), ("a worker's memory", 1 << 20, 1.15, 8),
                                                            ("the parent's descriptors", 1, 1, 3), ("the keeper's descriptors", 1, 1, 3))):
            values = [r[column] / unit for r in self.rows]
            second, last = statistics.median(values[n // 4:n // 2]), statistics.median(values[3 * n // 4:])
            said.append("%s %.1f -> %.1f" % (what, second, last))
            if last > second * ratio + margin:
                wrong.append("%s grew: %.1f in the second quarter, %.1f in the last" % (what, second, last))
        return wrong, "; ".join(said)


def lines_of(paths):
    for path in paths:
        with open(path, "rb") as f:
            for line in f:
                yield json.loads(line)


def check_log(records, traffic, kills):
    """(lines about what is wrong, connections touched by a kill, mails)"""
    wrong, found, mails = [], collections.defaultdict(list), collections.Counter()
    for r in records:
        kind = dig(r, "event.dataset")
        key = (dig(r, "source.ip"), dig(r, "source.port"))
        if kind == "postcard.session":
            found[key].append(r)
        elif kind == "postcard.message":
            mails[key] += 1
    touched = 0
    for key, (first, last, outcome, count, mail_records) in traffic.sent.items():
        records = found.pop(key, [])
        if any(first < k + AFTER_S and last > k - BEFORE_S for k in kills):
            touched += 1
            if len(records) > 2:
                wrong.append("%s:%d: %d records" % (*key, len(records)))
            continue
        if len(records) != 1:
            wrong.append("%s:%d: %d records, sent %s" % (*key, len(records), when(first, last, kills)))
            continue
        p = records[0]["postcard"]
        if p["outcome"] != outcome or p["messages"] != count or mails[key] != mail_records or p["midstream"] or p["gap_bytes"]:
            wrong.append("%s:%d: %s, %d mails (%d records), midstream %s, gaps %d; truth: %s, %d (%d); sent %s" % (
                *key, p["outcome"], p["messages"], mails[key], p["midstream"], p["gap_bytes"], outcome, count, mail_records, when(first, last, kills)))
    wrong += ["%s:%s was never sent" % key for key in found]
    return wrong, touched


def when(first, last, kills):
    """A connection's time, and the kills before and behind its end."""
    before, behind = max((k for k in kills if k <= last), default=None), min((k for k in kills if k > last), default=None)
    near = " and ".join("%.2f" % (k - START) for k in (before, behind) if k)
    return "%.2f to %.2f s%s" % (first - START, last - START, ", kills at " + near if near else "")


START = 0.0


def check_syslog(records, path):
    """Lines about what is wrong between the records of the log and those that came."""
    def distinct(items):
        return list(collections.OrderedDict.fromkeys(items))
    canonical = lambda r: json.dumps(r, sort_keys=True)
    wanted = distinct(canonical(r) for r in records if dig(r, "event.dataset") != "postcard.summary")
    came, beats = [], 0
    with open(path, "rb") as f:
        for line in f:
            r = json.loads(line[line.index(b"{"):])
            if dig(r, "event.dataset") == "postcard.summary":
                beats += 1
            else:
                came.append(canonical(r))
    first = distinct(came)
    wrong = [] if beats else ["no heartbeat came"]
    missing = set(wanted) - set(first)
    if missing:
        wrong.append("%d of %d records did not come, such as %s" % (len(missing), len(wanted), sorted(missing)[0][:300]))
    if set(first) - set(wanted):
        wrong.append("%d records came that are not in the log" % len(set(first) - set(wanted)))
    if not wrong and first != wanted:
        at = next(i for i, (a, b) in enumerate(zip(first, wanted)) if a != b)
        wrong.append("out of order from record %d on" % at)
    return wrong, "%d records, %d came twice" % (len(wanted), len(came) - len(first))


def soak(seconds):
    global START
    wire = Wire()
    traffic = Traffic(wire, float(os.environ.get("POSTCARD_SOAK_PPS", "4000")), max(seconds // 36, 2))
    out, log = WORK + "/log.json", WORK + "/syslog"
    receiver = Receiver(log)
    receiver.start()
    options = ["-q", "--out", out, "--spool", WORK + "/spool", "--memory", "256M", "--syslog",
               "tcp://127.0.0.1:%d?format=json&records=sessions" % PORT]
    os.mkdir(WORK + "/spool")
    os.chmod(WORK + "/spool", 0o777)
    s = Sensor(*options, workers=2, json_out=False)
    watch, chance = Watch(s), random.Random(1)
    START = traffic.begun = time.monotonic()
    kills, outages, reloads = [], 0, 0
    before, restarts = None, []   # workers at the last kill, until there are two again; seconds that took
    due = {"kill": START + KILL_S, "restart": START, "outage": START + OUTAGE_S, "reload": START + RELOAD_S, "sample": START, "back": None}
    while time.monotonic() - START < seconds:
        traffic.step()
        time.sleep(0.004)
        now = time.monotonic()
        if now >= due["kill"]:
            due["kill"] = now + KILL_S
            workers = s.workers()
            if workers:
                before = [p.pid for p in workers]
                kills.append(time.monotonic())
                os.kill(chance.choice(workers).pid, signal.SIGKILL)
        if before and now >= due["restart"]:
            due["restart"] = now + 0.02
            if sum(p.is_confined() for p in s.workers()) == 2 and [p.pid for p in s.workers()] != before:
                restarts.append(now - kills[-1])
                before = None
        if now >= due["outage"]:
            due["outage"], due["back"] = now + OUTAGE_S, now + OUTAGE_LASTS_S
            outages += 1
            receiver.kill()
        if due["back"] and now >= due["back"]:
            due["back"] = None
            receiver.start()
        if now >= due["reload"]:
            due["reload"] = now + RELOAD_S
            reloads += 1
            os.rename(out, "%s.%03d" % (out, reloads))
            s.kill(signal.SIGHUP)
        if now >= due["sample"]:
            due["sample"] = now + SAMPLE_S
            watch.look()
            expect(s.process.poll() is None, "the sensor ended with %s: %s", s.process.returncode, s.stderr[-500:])
    traffic.finish()
    if due["back"]:
        receiver.start()
    time.sleep(3)
    wrong, memory = watch.judge()
    status, took = s.stop()
    if status != 0 or sensor.left_over():
        wrong.append("exit status %d, left: %s; said: %s" % (status, sensor.left_over(), s.stderr[-500:]))
    files = sorted(glob.glob(out + ".*")) + [out]
    records = list(lines_of(files))
    wrong_log, touched = check_log(records, traffic, kills)
    lost = sum(dig(r, "postcard.summary.drops") for r in records if dig(r, "event.dataset") == "postcard.summary")
    # what could not be delivered before the end is in the spool: the next run delivers it
    alerts = sum(1 for r in records if dig(r, "event.dataset") == "postcard.alert")
    again = Sensor(*options[:1], "--out", "/dev/null", *options[3:], workers=1, json_out=False)
    try:
        wait_until(lambda: not check_syslog(records, log)[0], 20, "the rest of the alerts is delivered")
    except sensor.Wrong:
        pass
    again.stop()
    wrong_syslog, text = check_syslog(records, log)
    if max(restarts, default=0) > RESTART_S or len(restarts) < len(kills) - 1:
        wrong.append("workers were started again after %s s" % ", ".join("%.2f" % r for r in restarts))
    if lost:
        wrong.append("the kernel dropped %d packets: this machine is too slow or too busy for %.0f packets/s" % (lost, traffic.pps))
    wrong += wrong_log[:20] + (["... %d more" % (len(wrong_log) - 20)] if len(wrong_log) > 20 else []) + wrong_syslog
    said = "%d packets, %d connections (%d touched by %d kills, a new worker after at most %.2f s), %d reloads, %d outages; syslog: %s; %s; end after %.2f s" % (
        traffic.count, len(traffic.sent), touched, len(kills), max(restarts, default=0), reloads, outages, text, memory, took)
    expect(alerts > 0 and touched < len(traffic.sent) / 2, "that is no test: %s", said)
    if wrong:
        said += "\nsensor said: " + "\n  ".join(s.said[-15:])
    expect(not wrong, "%s\n%s", said, "\n".join(wrong))
    return said


def main():
    if sys.argv[1:2] == ["--receive"]:
        receive(sys.argv[2])
        return 0
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 1200
    sensor.enter()
    try:
        print("ok, " + soak(seconds))
    except sensor.Wrong as e:
        if "LAB_KEEP" in os.environ:
            subprocess.run(["cp", "-r", WORK, os.environ["LAB_KEEP"]])
        print("WRONG: %s" % e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
