"""Runs postcard in a flood (flood.c) and tells what it took, and what became of the honest connections in it."""
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tools"))
import dialogue  # noqa: E402
import postcard  # noqa: E402

# what records of a connection that was given up half-way may say beside the one that counts; a refusal alone is a failure
PARTS = {"no-mail", "unknown", "tls-failed"}
QUIET_S = 0.06  # a process that took no time for so long has read what there is

HELLO = "S: 220 mx.example.com ESMTP\nC: EHLO client.example.org\nS: 250-mx.example.com\n"
MAIL = """C: MAIL FROM:<alice@example.org>
S: 250 Ok
C: RCPT TO:<bob@example.com>
S: 250 Ok
C: DATA
S: 354 Go
C: Subject: hello
C:
C: honest mail
C: .
S: 250 Ok
C: QUIT
S: 221 Bye
"""
# what honest senders do, each with its server: the outcome that it must have, and the dialogue
HONEST = [
    ("cleartext", "@server 192.0.2.25:25\n" + HELLO + "S: 250 SIZE 1000000\n" + MAIL),
    ("encrypted", "@server 192.0.2.26:25\n" + HELLO + "S: 250 STARTTLS\nC: STARTTLS\nS: 220 Go\n@tls 1.3\n"),
    ("cleartext", "@server 192.0.2.27:25\n" + HELLO + "S: 250 STARTTLS\nC: STARTTLS\nS: 454 Not now\n" + MAIL),
]

Result = collections.namedtuple("Result", "status parts_s end_s worker parent honest right whole wrong mails summary records first errors")


def generator():
    return os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "tests", "fire", "flood")


def dialogues(folder):
    """Compiles the honest connections; returns their files."""
    paths = []
    for i, (_, text) in enumerate(HONEST):
        script = dialogue.parse(text + "\n== expect\n")[0]
        paths.append(os.path.join(folder, "honest%d.pcap" % i))
        dialogue.compile_script(script).write(paths[-1])
    return paths


def cpu_s(pids):
    """Seconds of processor that processes took so far."""
    took = 0
    for pid in pids:
        try:
            with open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
                took += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return took / 1e9


def peak(pid):
    """Octets that a process had at most; 0 where it is gone."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return [int(x) for x in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


class Reader(threading.Thread):
    """Takes the records as they come, and keeps those of the honest and the summary."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.kept, self.counts, self.first = pipe, [], collections.Counter(), {}
        self.start()

    def run(self):
        for line in self.pipe:
            at = line.find(b'"dataset":"postcard.')
            kind = line[at + 20:line.index(b'"', at + 20)].decode()
            self.counts[kind] += 1
            if b'"ip":"10.200.' in line or kind == "summary":
                self.kept.append(line)
            else:
                self.first.setdefault(kind, line)


def run(kind, count, memory="64M", honest=200, rate=500_000, seconds=2, parts=2, options=()):
    """postcard in a flood: see Result.

    status: of postcard; parts_s: processor seconds, parent and worker, of equal parts of the flood; end_s: of what came
    behind it; worker, parent: the most octets each had; honest: connections of honest senders; right: of them, those that
    have a record with the right outcome, and beside it at most some that say nothing (a handshake that was given up early);
    whole: of them, those with one record; wrong: connections with a record that says what did not happen; mails: mail records
    that they have; records: how many of each kind; first: the first of each kind that is not of the honest.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        command = [generator(), kind, "-n", str(count), "-r", str(rate), "-h", str(honest), "-d", str(seconds), "-p", str(parts)]
        flood = subprocess.Popen(command + dialogues(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        p = subprocess.Popen([postcard.binary(), "-r", "-", "--json", "--no-ndpi", "--memory", memory] + list(options),
                             stdin=flood.stdout, stdout=subprocess.PIPE, stderr=errors)
        flood.stdout.close()
        reader, pids, peaks, marks, all_s = Reader(p.stdout), [p.pid], {}, [0.0], 0.0

        def look():
            for pid in [p.pid] + children(p.pid):
                if pid not in pids:
                    pids.append(pid)
                peaks[pid] = max(peaks.get(pid, 0), peak(pid))
        try:
            while flood.returncode is None:
                look()
                pid, status = os.waitpid(flood.pid, os.WNOHANG | os.WUNTRACED)
                if pid and not os.WIFSTOPPED(status):
                    flood.returncode = os.waitstatus_to_exitcode(status)
                    break
                if not pid:
                    time.sleep(0.02)
                    continue
                before = -1.0
                while cpu_s(pids) != before:
                    before = cpu_s(pids)
                    time.sleep(QUIET_S)
                    look()
                marks.append(before)
                flood.send_signal(signal.SIGCONT)
            while p.returncode is None:
                look()
                pid, status, usage = os.wait4(p.pid, os.WNOHANG)
                if pid:
                    p.returncode = os.waitstatus_to_exitcode(status)
                    all_s = usage.ru_utime + usage.ru_stime  # of the workers too, which it waited for
                time.sleep(0.02)
            reader.join()
            p.stdout.close()
        finally:
            for process in (flood, p):
                if process.returncode is None:
                    process.kill()
                    process.wait()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    sessions, mails, summary, wrong = {}, 0, {}, 0
    for line in reader.kept:
        r = json.loads(line)
        kind_of = postcard.dig(r, "event.dataset")
        if kind_of == "postcard.summary":
            summary = r["postcard"]["summary"]
        elif kind_of == "postcard.session":
            sessions.setdefault((r["source"]["ip"], r["source"]["port"]), []).append(r["postcard"]["outcome"])
            # what came behind the end of memory nobody saw
            wrong += r["postcard"].get("closed_by") == "memory" and r["postcard"]["outcome"] in ("no-mail", "tls-failed")
        elif kind_of == "postcard.message":
            mails += 1
    right = whole = 0
    for who in range(honest):
        i = who % len(HONEST)
        ends = ("10.200.%d.%d" % (who >> 8 & 255, who & 255), 40000 + i)
        outcomes, due = sessions.get(ends, []), HONEST[i][0]
        may = PARTS - {"tls-failed"} if due == "encrypted" else PARTS
        right += outcomes.count(due) == 1 and set(outcomes) <= may | {due}
        whole += outcomes == [due]
        wrong += bool(set(outcomes) - may - {due})
    marks = marks[:parts + 1]
    return Result(p.returncode, [b - a for a, b in zip(marks, marks[1:])], max(all_s - marks[-1], 0.0),
                  max([v for k, v in peaks.items() if k != p.pid] or [0]), peaks.get(p.pid, 0), honest, right, whole, wrong, mails, summary,
                  reader.counts, {k: json.loads(v) for k, v in reader.first.items()}, said)


# The floods: how many (connections, frames or pieces) in `make test` and in `make test-long`, and the share of the honest
# that must keep their verdict with a --memory of 64M, 256M and 1G when there are many; of few, all must.  Where 100,000
# connections speak in turn at 500,000 frames a second, 64M hold them for less than the 90 ms between two packets of the honest,
# and who begins when all of them greet is lost.
Row = collections.namedtuple("Row", "few many floor")
ALL = (1, 1, 1)
ROWS = {
    "syn": Row(100_000, 10_000_000, ALL),
    "half-open": Row(60_000, 10_000_000, ALL),
    "one-octet": Row(40_000, 1_000_000, ALL),
    "greeted": Row(40_000, 1_000_000, ALL),
    "half-lines": Row(30_000, 1_000_000, ALL),
    "envelopes": Row(15_000, 300_000, ALL),
    "contents": Row(15_000, 300_000, ALL),
    "hellos": Row(15_000, 300_000, ALL),
    "turns": Row(2_000, 100_000, (0.9, 1, 1)),
    "out-of-order": Row(2_000, 100_000, (0.9, 1, 1)),
    "long-command": Row(1_000_000, 20_000_000, ALL),
    "long-header": Row(1_000_000, 20_000_000, ALL),
    "long-body": Row(1_000_000, 20_000_000, ALL),
    "long-boundary": Row(5_000_000, 100_000_000, ALL),
    "long-reply": Row(1_000_000, 20_000_000, ALL),
    "long-imap": Row(1_000_000, 20_000_000, ALL),
    "long-pop3": Row(1_000_000, 20_000_000, ALL),
    "headers": Row(500_000, 20_000_000, ALL),
    "recipients": Row(100_000, 1_000_000, ALL),
    "multiparts": Row(10_000, 1_000_000, ALL),
    "attached": Row(10_000, 1_000_000, ALL),
    "any": Row(50_000, 4_000_000, ALL),
    "hash-xor": Row(50_000, 4_000_000, ALL),
    "hash-sum": Row(50_000, 4_000_000, ALL),
    "hash-ports": Row(50_000, 4_000_000, ALL),
    "hash-stride": Row(50_000, 4_000_000, ALL),
    "fragments": Row(100_000, 5_000_000, ALL),
    "fragments6": Row(200_000, 10_000_000, ALL),
    "tunnels": Row(50_000, 2_000_000, ALL),
    "labels": Row(50_000, 2_000_000, ALL),
}
SIZES = ("64M", "256M", "1G")


def row(kind, count, memory, r):
    """A result as a row of a table."""
    frames = max(r.summary.get("packets", 1), 1)
    return "| %-13s | %9d | %4s | %3d of %3d | %3d | %d | %9d | %s | %.1f | %.1f |" % (
        kind, count, memory, r.right, r.honest, r.whole, r.wrong, frames,
        " ".join("%.0f" % (s / (frames / len(r.parts_s)) * 1e9) for s in r.parts_s), r.worker / 2**20, r.parent / 2**20)


HEAD = "| flood | of | memory | right | whole | wrong | frames | ns a frame, by parts | worker MiB | parent MiB |\n|" + "---|" * 10


def note(kind, count, memory, r):
    """Adds a row to fire.txt in the build folder."""
    with open(os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "fire.txt"), "a", encoding="utf-8") as f:
        f.write(row(kind, count, memory, r) + "\n")


def main():
    """fire.py [PART OF 1] [KIND...]: the table of what the honest keep, at that part of the full scale (0.1)."""
    part = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
    print(HEAD)
    for kind in sys.argv[2:] or ROWS:
        for memory in SIZES:
            count = int(min(ROWS[kind].many, ROWS[kind].many if memory == SIZES[0] else 1_000_000) * part)
            print(row(kind, count, memory, run(kind, count, memory, parts=4)), flush=True)


if __name__ == "__main__":
    main()
