"""Runs postcard and reads what it prints: for the tests."""
import collections
import json
import os
import subprocess

ABSENT = "nothing (the field is absent)"
NO_RECORD = "nothing (there is no such record)"
TIMEOUT_S = 120
CRASH = 99

# a sanitizer's report must not look like one of our exit statuses
os.environ.setdefault("ASAN_OPTIONS", "exitcode=%d:detect_stack_use_after_return=1" % CRASH)
os.environ.setdefault("UBSAN_OPTIONS", "exitcode=%d:print_stacktrace=1" % CRASH)

# every way to print the same capture
MODES = [[], ["--reveal"], ["-v"], ["-v", "-v", "--reveal"], ["-q"], ["-n"], ["--json"]]


def binary():
    """The program under test: named by the runner, else the one that was built last."""
    return os.environ.get("POSTCARD", "./postcard")


def sanitized():
    """Is it a sanitizer's build, which is several times slower?"""
    return os.environ.get("POSTCARD_SANITIZED", "") == "1"


def dig(record, dotted):
    """record["a"]["b"] for "a.b"; of an array of objects, the values of them all."""
    at = record
    for part in dotted.split("."):
        if isinstance(at, list) and part.isdigit():
            if int(part) >= len(at):
                return ABSENT
            at = at[int(part)]
        elif isinstance(at, list):
            at = [x[part] for x in at if isinstance(x, dict) and part in x]
            if not at:
                return ABSENT
        elif isinstance(at, dict) and part in at:
            at = at[part]
        else:
            return ABSENT
    return at


class Done:
    """What a run left behind."""

    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr
        self._records, self.bad_json = None, ""

    @property
    def records(self):
        if self._records is None:
            self._records = []
            for line in self.stdout.decode("utf-8", "surrogateescape").split("\n"):
                if not line:
                    continue
                try:
                    self._records.append(json.loads(line))
                except ValueError as e:
                    self.bad_json = "%s in: %s" % (e, line[:200])
        return self._records

    def of(self, kind):
        """The records of one dataset, sessions by their start, messages and alerts as written."""
        found = [r for r in self.records if dig(r, "event.dataset") == "postcard." + kind]
        if kind == "session":
            found.sort(key=lambda r: str(dig(r, "event.start")))
        return found

    def field(self, kind, index, dotted):
        found = self.of(kind)
        return dig(found[index], dotted) if index < len(found) else NO_RECORD


def run(program, args, stdin=None, env=None, cwd=None, timeout=TIMEOUT_S):
    """Runs the program to its end.  stdin: octets, or None for none at all."""
    try:
        p = subprocess.run([program] + list(args), input=stdin, capture_output=True, timeout=timeout, cwd=cwd,
                           env=env, **({"stdin": subprocess.DEVNULL} if stdin is None else {}))
    except subprocess.TimeoutExpired as e:
        return Done(-1, e.stdout or b"", (e.stderr or b"") + b"\nno end within %d s" % timeout)
    done = Done(p.returncode, p.stdout, p.stderr)
    if "--json" in args:
        done.records  # noqa: B018  (fills bad_json)
    return done


def flatten(record, prefix=""):
    """The dotted names of a record's fields, arrays of objects looked into."""
    names = collections.OrderedDict()
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict):
            names.update(flatten(value, name + "."))
        elif isinstance(value, list) and any(isinstance(x, dict) for x in value):
            for x in value:
                names.update(flatten(x, name + "."))
        else:
            names[name] = value
    return names


# what judgement makes of the connections together: their order and their times decide it
TOGETHER = ("postcard.related.", "postcard.baseline.", "postcard.path.", "postcard.new", "postcard.memory_s",
            "postcard.level", "postcard.advice", "message")


def alone(flat):
    """A flattened record as its connection gives it, without the memory of others."""
    flat = dict(flat)
    if "postcard.related.community_id" in flat or "postcard.related.time" in flat:  # a retry: by itself it ignored the offer
        flat["postcard.reason"] = "not-requested" if flat.get("postcard.starttls.offered") else "not-asked"
    evidence = {"keyword-mangled", "command-masked", "starttls-offered-then-denied"} & set(flat.get("postcard.anomalies", []))
    if flat.get("postcard.baseline.verdict") == "vanished" and flat.get("postcard.reason") == "stripped" and not evidence:
        flat["postcard.reason"] = "not-offered"
    return {k: v for k, v in flat.items() if not k.startswith(TOGETHER)}
