#!/usr/bin/env python3
"""The highest rate of packets without loss: postcard at a mirror port, and tcpdump -w /dev/null on the same wire.

usage: tests/lab/bench_live.py [--build DIR] [--bytes 400m] [--buffer 8M] [--steps 5] [-j N]

Generated mail (tests/bench/gen_mail_pcap, with its truth) is put on a veth by tcpreplay at rising rates; by bisection the
highest rate is found at which the kernel dropped nothing and every count is as in the truth.  For tcpdump: at which the
kernel dropped nothing.  Both have the same small buffer, so that it is the rate that counts and not how long it lasts.
Where tcpreplay cannot send faster than a program reads, it says so: the figure is the sender's limit then.

Needs root, network namespaces, tcpreplay, tcpdump.  Exit status: 0, 1 where a count is wrong though nothing was lost,
77 where it cannot run.
"""
import argparse
import importlib.util
import os
import re
import subprocess
import sys
import time

import sensor

# tests/bench/bench.py: the lab has a bench of its own
spec = importlib.util.spec_from_file_location("traffic_bench", os.path.join(sensor.ROOT, "tests", "bench", "bench.py"))
traffic_bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(traffic_bench)

CEILING = 2_000_000   # packets a second: more than one core sends


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default=os.path.join(sensor.ROOT, "build"))
    p.add_argument("--bytes", default="400m", help="of traffic for each trial")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--buffer", default="8M", help="of the kernel, for both")
    p.add_argument("--steps", type=int, default=5, help="of the bisection")
    p.add_argument("-j", "--jobs", type=int, default=1, help="postcard's workers")
    return p.parse_args()


def replay(path, wire, pps):
    """Sends the capture; packets a second that went out."""
    speed = ["--topspeed"] if pps is None else ["--pps", str(int(pps))]
    done = subprocess.run(["tcpreplay", "-i", wire.end, "--preload-pcap", "-q", *speed, path], capture_output=True, text=True)
    found = re.search(r"Rated: .* ([\d.]+) pps", done.stdout + done.stderr)
    failed = re.search(r"Failed packets:\s+(\d+)", done.stdout)
    if done.returncode != 0 or not found or (failed and failed[1] != "0"):
        raise RuntimeError("tcpreplay: " + done.stdout + done.stderr)
    return float(found[1])


def settle(count, quiet_s=0.3):
    """Waits until count() has stood still."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < quiet_s:
        time.sleep(0.05)
        now = count()
        if now != last:
            last, since = now, time.monotonic()


class Postcard:
    name = "postcard"

    def __init__(self, a, traffic, wire):
        self.a, self.traffic, self.wire, self.wrong = a, traffic, wire, []

    def trial(self, pps):
        """(packets a second sent, packets lost)"""
        out = sensor.WORK + "/live.json"
        with open(out, "wb") as f:
            command = ["ip", "netns", "exec", "sensor", sensor.binary(), "-i", "tap0", "--json", "--buffer", self.a.buffer,
                       "-j", str(self.a.jobs)]
            process = subprocess.Popen(command, stdout=f, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        workers = lambda: [p for p in sensor.family(process.pid) if p.is_confined()]
        sensor.wait_until(lambda: len(workers()) == self.a.jobs, 10, "workers run")
        time.sleep(0.3)
        rate = replay(self.traffic.path, self.wire, pps)
        settle(lambda: os.path.getsize(out))
        process.terminate()
        status = process.wait()
        last = [r for kind, r in traffic_bench.records(out) if kind == "summary"]
        if status != 0 or not last:
            raise RuntimeError("postcard: status %d" % status)
        summary = last[0]["postcard"]["summary"]
        lost = summary.get("drops", 0) + summary.get("interface_drops", 0)
        if lost == 0:
            lost = self.traffic.truth["packets"] - summary["packets"]
        if lost == 0:
            self.wrong += ["at %.0f packets/s %s" % (rate, line) for line in traffic_bench.check(self.traffic, out)]
        os.unlink(out)
        return rate, lost


class Tcpdump:
    name = "tcpdump"

    def __init__(self, a, traffic, wire):
        self.a, self.traffic, self.wire, self.wrong = a, traffic, wire, []
        self.kilobytes = int(a.buffer[:-1]) * {"K": 1, "M": 1024}[a.buffer[-1].upper()]

    def trial(self, pps):
        p = subprocess.Popen(["ip", "netns", "exec", "sensor", "tcpdump", "-i", "tap0", "-s", "0", "-B", str(self.kilobytes),
                              "-Z", "root", "-w", "/dev/null"], stderr=subprocess.PIPE, text=True)
        for line in p.stderr:
            if "listening on" in line:
                break
        time.sleep(0.3)
        rate = replay(self.traffic.path, self.wire, pps)
        time.sleep(0.5)
        p.send_signal(2)
        said = p.communicate()[1]
        return rate, int(re.search(r"(\d+) packets? dropped by kernel", said)[1])


def highest(program, steps):
    """(packets a second without loss, was it the sender's limit)"""
    rate, lost = program.trial(None)
    print("    %-9s %8.0f packets/s, as fast as tcpreplay sends: %s" % (program.name, rate, "%d lost" % lost if lost else "nothing lost"),
          flush=True)
    if not lost:
        return rate, True
    good, bad = 0.0, rate
    for _ in range(steps):
        asked = (good + bad) / 2
        rate, lost = program.trial(asked)
        print("    %-9s %8.0f packets/s: %s" % (program.name, rate, "%d lost" % lost if lost else "nothing lost"), flush=True)
        if lost:
            bad = min(bad, asked)
        else:
            good = max(good, min(rate, asked))
            if rate < 0.95 * asked:   # it does not send faster, whatever is asked
                return good, True
    return good, False


def main():
    a = options()
    sensor.enter(["tcpreplay"])
    os.environ.setdefault("POSTCARD", os.path.join(os.path.abspath(a.build), "postcard"))
    a.data = os.path.join(a.build, "bench-data")
    os.makedirs(a.data, exist_ok=True)
    a.flows = 0
    traffic = traffic_bench.Traffic(a, "mail")
    wire = sensor.Wire()
    octets = traffic.truth["file_bytes"] / traffic.truth["packets"]
    print("%s; %d packets of %.0f octets on a veth for each trial, buffer %s, %d step%s" % (
        traffic_bench.machine(), traffic.truth["packets"], octets, a.buffer, a.steps, "" if a.steps == 1 else "s"), flush=True)
    begun, found = time.monotonic(), {}
    wrong = []
    for program in (Tcpdump(a, traffic, wire), Postcard(a, traffic, wire)):
        found[program.name] = highest(program, a.steps)
        wrong += program.wrong
    for name, (rate, limit) in found.items():
        print("  %-9s %8.0f packets/s, %6.0f Mbit/s without loss%s" % (
            name, rate, rate * octets * 8 / 1e6, "; tcpreplay sends no faster: this is its limit" if limit else ""))
    if found["tcpdump"][0] > 0:
        print("  ratio     %8.2f of tcpdump's%s; %.0f s" % (
            found["postcard"][0] / found["tcpdump"][0],
            " (at least one of them is tcpreplay's limit)" if found["postcard"][1] or found["tcpdump"][1] else "",
            time.monotonic() - begun))
    for line in wrong[:20]:
        print("  WRONG: " + line)
    return 1 if wrong or found["postcard"][0] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
