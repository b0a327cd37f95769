#!/usr/bin/env python3
"""Counts against the truth, and speed against libpcap's empty read loop, on generated traffic.

usage: bench.py --build FOLDER --data FOLDER [--bytes 1g] [--runs 5] [--seed 1] [--rules 1000] [--peers] [--growth] PROFILE...

Profiles: mail, span, manyflows, lossy, tiny.  Each is generated once (with its truth), then checked:
without loss every count must equal the truth; with loss no session may claim what is not so.  Then
the empty loop, the text report and --json run in turn, and the median of the ratios of paired runs
is shown.  Then the cost of rules: one that never matches, the shipped ones, and those with so many
others, of every kind, beside them.  At the end stands a table of what is aimed at and what was
reached, in Markdown, as the README has it.  --growth shows whether a packet and a flow cost the same
in small captures and in large ones.  The status is 1 where a count differs or a program fails.
"""
import argparse
import collections
import csv
import json
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools")]
sys.dont_write_bytecode = True
import measure  # noqa: E402
import postcard  # noqa: E402

PEERS = {  # name: command for a capture, as one thread, writing nothing
    "ndpiReader": lambda f, d: ["ndpiReader", "-i", f, "-q", "-v", "0"],
    "tcpflow": lambda f, d: ["tcpflow", "-r", f, "-o", d, "-q"],
    "suricata": lambda f, d: ["suricata", "-r", f, "-l", d, "--runmode", "single"],
    "tshark": lambda f, d: ["tshark", "-r", f, "-q"],
}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return "%s, %d CPUs" % (names[0] if names else "unknown CPU", os.cpu_count() or 0)


def timed(command, output=os.devnull):
    """(wall seconds, peak octets of memory) of a run; its status must be 0."""
    with open(output, "wb") as out:
        status, seconds, peak = measure.run(command, out, subprocess.DEVNULL)
    if status != 0:
        raise RuntimeError("%s: status %d" % (" ".join(command), status))
    return seconds, peak


def octets(size):
    return int(size[:-1]) * {"k": 10**3, "m": 10**6, "g": 10**9}[size[-1]] if size[-1] in "kmg" else int(size)


class Traffic:
    """A generated capture and its truth."""

    def __init__(self, a, profile):
        stem = os.path.join(a.data, "%s-%s-%d" % (profile, a.bytes, a.seed))
        self.profile, self.path = profile, stem + ".pcap"
        if not os.path.exists(stem + ".csv.done"):
            size = ["-n", str(a.flows)] if profile == "manyflows" else ["-b", str(octets(a.bytes) // (3 if profile == "tiny" else 1))]
            subprocess.run([os.path.join(a.build, "tests/bench/gen_mail_pcap"), "-p", profile, *size, "-s", str(a.seed),
                            "-o", self.path, "-t", stem + ".json", "-T", stem + ".csv"], check=True)
            open(stem + ".csv.done", "w", encoding="utf-8").close()
        with open(stem + ".json", encoding="utf-8") as f:
            self.truth = json.load(f)
        with open(stem + ".csv", encoding="utf-8", newline="") as f:
            self.sessions = {(r["client"], int(r["cport"])): r for r in csv.DictReader(f)}


def records(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            yield r["event"]["dataset"].split(".")[1], r


def reason_alone(r):
    """The generator draws each connection on its own, so that its servers change their minds: what memory makes of
    them together is set aside."""
    return postcard.alone(postcard.flatten(r)).get("postcard.reason")


def counts(path):
    """What postcard says, by the names of the truth."""
    c = collections.Counter()
    for kind, r in records(path):
        if kind == "message":
            c["cleartext_message_bytes"] += r["postcard"].get("size", 0)
        if kind != "session":
            continue
        p = r["postcard"]
        reason, version = reason_alone(r), r.get("tls", {}).get("version")
        c["smtp_sessions"] += 1
        c["encrypted_sessions"] += p["outcome"] == "encrypted"
        c["cleartext_sessions"] += p["outcome"] == "cleartext"
        c["cleartext_sessions_with_message"] += p["messages"] > 0
        c["cleartext_messages"] += p["messages"]
        c["auth_exposures"] += "credentials" in p.get("exposed", [])
        c["starttls_offered"] += p["starttls"].get("offered", False)
        c["starttls_offered_not_used"] += reason == "not-requested"
        c["starttls_refused"] += reason == "refused"
        c["starttls_stripped"] += reason == "stripped"
        c["tls12"] += version == "1.2"
        c["tls13"] += version == "1.3"
    return c


REASONS = {"not_offered": {"not-offered", "not-asked"}, "offered_unused": {"not-requested"}, "refused": {"refused"},
           "stripped": {"stripped"}, "used": set()}


def false_claims(path, sessions):
    """Lines about claims that are not so; where packets were lost less may be said, and nothing else."""
    wrong = []
    for kind, r in records(path):
        if kind != "session":
            continue
        truth = sessions.get((r["source"]["ip"], r["source"]["port"]))
        p, who = r["postcard"], "%s:%d" % (r["source"]["ip"], r["source"]["port"])
        if truth is None:
            wrong.append(who + ": no such session")
            continue
        if p["outcome"] not in (truth["verdict"], "unknown", "no-mail" if p.get("closed_by") == "end of input" else "unknown"):
            wrong.append("%s: %s is called %s" % (who, truth["verdict"], p["outcome"]))
        reason = reason_alone(r) or "not-visible"
        if reason not in REASONS[truth["starttls"]] | {"not-visible"}:
            wrong.append("%s: reason %s where it is %s" % (who, reason, truth["starttls"]))
        if p["messages"] > int(truth["clear_data"]) + int(truth["clear_bdat"]):
            wrong.append("%s: %d messages of %s" % (who, p["messages"], truth["clear_data"]))
    return wrong


def check(traffic, path):
    if traffic.truth["packets_dropped"]:
        return false_claims(path, traffic.sessions)
    got = counts(path)
    return ["%s: %d, truth %d" % (name, got[name], traffic.truth[name]) for name in got if got[name] != traffic.truth[name]]


def compare(a, traffic):
    """(ratios of text and JSON to the empty loop, seconds of each, peak memory)."""
    null = [os.path.join(a.build, "tests/bench/pcap_null"), traffic.path]
    text = [os.path.join(a.build, "postcard"), "-r", traffic.path]
    out = os.path.join(a.data, "out.json")
    rows, peak = [], 0
    timed(null)  # the file is warm from here on
    for _ in range(a.runs):
        n, _ = timed(null)
        t, memory = timed(text)
        j, _ = timed(text + ["--json"], out)
        rows.append((n, t, j))
        peak = max(peak, memory)
    median = statistics.median
    return {"null": median(r[0] for r in rows), "text": median(r[1] for r in rows), "json": median(r[2] for r in rows),
            "ratio": median(r[1] / r[0] for r in rows), "json_ratio": median(r[2] / r[0] for r in rows), "peak": peak}


# row: (what, profile, how it is measured, to be reached, aimed at, Suricata 7 in one thread, ndpiReader)
GOALS = [("`mail`", "mail", "ratio", 1.2, 0.8, "11.6", "3.3"),
         ("`span`", "span", "ratio", 1.0, 0.6, "6.9", "6.1"),
         ("`span`, `--all-ports`", "span", "all_ports", 1.0, 0.6, "", ""),
         ("`lossy`", "lossy", "ratio", 1.3, 0.9, "8.1", "3.1"),
         ("`tiny`", "tiny", "ratio", 4, 2.5, "31", "23"),
         ("`mail`, `--json` to a file", "mail", "json_ratio", 1.5, 1.0, "", ""),
         ("`tiny`, `--json` to a file", "tiny", "json_ratio", 9, 5, "", ""),
         ("`mail`, `-j 2`: times as fast as `-j 1`", "mail", "two", -1.4, -1.8, "", ""),
         ("`tiny`, `-j 2`: times as fast as `-j 1`", "tiny", "two", -1.4, -1.8, "", ""),
         ("`manyflows`: octets of memory a connection", "manyflows", "octets", 600, 350, "5530", "5680"),
         ("start to end of a capture of one frame, ms", "start", "start", 100, 30, "", "")]


def variants(a, traffic):
    """What else the table asks of a profile: ratios and speeds, each paired with what it is compared to."""
    postcard_, null = os.path.join(a.build, "postcard"), os.path.join(a.build, "tests/bench/pcap_null")
    pairs = {"span": ("all_ports", [null, traffic.path], [postcard_, "-r", traffic.path, "--all-ports"])}
    two = ("two", [postcard_, "-r", traffic.path, "-j", "2"], [postcard_, "-r", traffic.path, "-j", "1"])
    pairs.update(mail=two, tiny=two)
    if traffic.profile not in pairs:
        return {}
    name, base, other = pairs[traffic.profile]
    return {name: statistics.median(timed(other)[0] / timed(base)[0] for _ in range(a.runs))}


def start_ms(a):
    """Milliseconds of a run over a capture of one frame."""
    path = os.path.join(a.data, "one.pcap")
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 0, 0, 60, 60) + bytes(60))
    return statistics.median(timed([os.path.join(a.build, "postcard"), "-r", path])[0] for _ in range(4 * a.runs)) * 1000


def table(measured):
    print("\n| | measured | to reach | aim | Suricata 7 | ndpiReader |\n|---|--:|--:|--:|--:|--:|")
    for what, profile, key, reach, aim, suricata, ndpi in GOALS:
        if key not in measured.get(profile, {}):
            continue
        value = measured[profile][key]
        good = value >= -reach if reach < 0 else value <= reach
        shown = "%.0f" % value if value >= 20 else "%.2f" % value
        print("| %s | %s%s | %g | %g | %s | %s |" % (what, shown, "" if good else " (not reached)", abs(reach), abs(aim), suricata, ndpi))


def growth(a):
    """The cost of a packet and of a flow, in captures of different sizes."""
    generator = os.path.join(a.build, "tests/bench/gen_mail_pcap")
    print("\n  growth        size       ns a packet   octets a flow   us a flow")
    for profile, sizes in (("mail", ["10m", "100m", "1g", "4g"]), ("manyflows", ["1000", "10000", "100000", "1000000"])):
        for size in sizes:
            path, truth = os.path.join(a.data, "growth.pcap"), os.path.join(a.data, "growth.json")
            subprocess.run([generator, "-p", profile, "-n" if profile == "manyflows" else "-b", size, "-o", path, "-t", truth], check=True)
            with open(truth, encoding="utf-8") as f:
                t = json.load(f)
            command = [os.path.join(a.build, "postcard"), "-q", "-r", path]
            timed(command)
            runs = [timed(command) for _ in range(3)]
            seconds, peak = statistics.median(r[0] for r in runs), max(r[1] for r in runs)
            print("  %-10s %9s %14.0f %15d %11.2f" % (profile, size, seconds / t["packets"] * 1e9, peak // t["tcp_flows"],
                                                      seconds / t["tcp_flows"] * 1e6), flush=True)
            os.unlink(path)


RULE = """title: Generated {0}
name: generated_{0}
taxonomy: ecs
logsource: {{product: postcard}}
detection:
  selection: {{{1}}}
  clear: {{postcard.outcome: cleartext}}
  inbound: {{network.direction: inbound}}
  condition: selection and clear and not inbound
level: low
"""
TESTS = ["postcard.helo|endswith: .customer{0}.example", "email.to.address|endswith: ['@d{0}.example', '@e{0}.example']",
         "source.ip|cidr: [10.{1}.0.0/16, 172.16.{1}.0/24]", "email.subject|contains: ['secret {0}', 'offer {0}']",
         "postcard.greeting|contains|all: [host{0}, ESMTP]", "destination.port: {0}",
         "postcard.helo|re: '^mail-{0}-[a-z]+\\.'", "postcard.helo: 'mx*.pool{0}.example.*'",
         "destination.ip: 192.0.2.{1}", "email.from.address|startswith: robot{0}@"]


def rules_cost(a, traffic):
    """(seconds with one rule that never matches, with the shipped ones, with a.rules more), paired, and the ratios of
    the additions to the first."""
    none, many = os.path.join(a.data, "none.yml"), os.path.join(a.data, "many.yml")
    with open(none, "w", encoding="utf-8") as f:
        f.write(RULE.format(0, "destination.port: 1"))
    with open(many, "w", encoding="utf-8") as f:
        f.write("---\n".join(RULE.format(i, TESTS[i % len(TESTS)].format(i, i % 256)) for i in range(a.rules)))
    command = [os.path.join(a.build, "postcard"), "-q", "-r", traffic.path]
    rows = []
    for _ in range(a.runs):
        rows.append([timed(command + more)[0] for more in (["--rules", none], [], ["--rules-extra", many])])
    median = statistics.median
    return [median(r[i] for r in rows) for i in range(3)] + [median((r[i] - r[i - 1]) / r[0] for r in rows) for i in (1, 2)]


def peers(a, traffic, null):
    for name, command in PEERS.items():
        if shutil.which(name) is None:
            continue
        folder = os.path.join(a.data, "peer")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        try:
            seconds, peak = timed(command(traffic.path, folder))
        except RuntimeError as e:
            print("  %s" % e)
            continue
        print("  %-10s %-12s %8s %8.3f %7.1f %8s %7d" % (traffic.profile, name, "", seconds, seconds / null, "", peak >> 20))
        shutil.rmtree(folder, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default="build")
    p.add_argument("--data", default="build/bench-data")
    p.add_argument("--bytes", default="1g")
    p.add_argument("--flows", type=int, default=1_000_000, help="connections of manyflows")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rules", type=int, default=1000, help="rules besides the shipped ones; 0: do not time rules")
    p.add_argument("--peers", action="store_true", help="time other programs, too, where they are installed")
    p.add_argument("--growth", action="store_true", help="show the cost of a packet and of a flow as captures grow")
    p.add_argument("profiles", nargs="+")
    a = p.parse_args()
    os.makedirs(a.data, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("%s; %s of traffic, median of %d paired runs; ratio: wall time to libpcap's empty read loop" % (machine(), a.bytes, a.runs))
    print("  %-10s %-12s %8s %8s %7s %8s %7s  %s" % ("profile", "counts", "empty s", "report s", "ratio", "--json", "peak MB", ""))
    failed, measured = False, {"start": {"start": start_ms(a)}}
    for profile in a.profiles:
        traffic = Traffic(a, profile)
        out = os.path.join(a.data, "check.json")
        timed([os.path.join(a.build, "postcard"), "-r", traffic.path, "--json"], out)
        wrong = check(traffic, out)
        os.unlink(out)
        failed = failed or bool(wrong)
        m = compare(a, traffic)
        flows = traffic.truth["tcp_flows"]
        print("  %-10s %-12s %8.3f %8.3f %7.2f %8.2f %7d  %d octets a flow" % (
            profile, "%d wrong" % len(wrong) if wrong else "as in truth", m["null"], m["text"], m["ratio"], m["json_ratio"],
            m["peak"] >> 20, m["peak"] // max(flows, 1)), flush=True)
        for line in wrong[:10]:
            print("      " + line)
        measured[profile] = dict(m, octets=m["peak"] // max(flows, 1), **variants(a, traffic))
        if a.rules > 0:
            none, shipped, many, more, most = rules_cost(a, traffic)
            print("      rules: %.3f s with none, %.3f s with the shipped ones (%+.0f%%), %.3f s with %d more (%+.0f%%)" % (
                none, shipped, 100 * more, many, a.rules, 100 * most), flush=True)
        if a.peers:
            peers(a, traffic, m["null"])
    table(measured)
    if a.growth:
        growth(a)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
