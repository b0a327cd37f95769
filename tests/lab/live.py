#!/usr/bin/env python3
"""postcard at a mirror port, for real: cases that each run in network namespaces of their own.

usage: tests/lab/live.py --list | CASE

  --list     the cases: name, "short" or "long", what it shows
  CASE       run this one

example: sudo tests/lab/live.py real-mail

Needs root, Linux with network namespaces, tcpdump, iproute2; cases with real servers (real-...) also overlayfs and, at
the first run, Debian's package mirror (see lab.py).  POSTCARD names the program, else it is build/postcard.
Exit status: 0 as it should be, 1 not, 2 wrong usage, 77 cannot run here (skipped; the last line says why).
"""
import sys
import time
import traceback

import sensor
import live_interface   # noqa: F401 (they fill cases.ALL)
import live_mail        # noqa: F401
import live_process     # noqa: F401
from cases import ALL


def main():
    if sys.argv[1:] == ["--list"]:
        for name, case in ALL.items():
            print("%s\t%s\t%s" % (name, "long" if case.long else "short", case.note))
        return 0
    if len(sys.argv) != 2 or sys.argv[1] not in ALL:
        print(__doc__.split("usage: ")[1].split("\n")[0], file=sys.stderr)
        return 2
    case = ALL[sys.argv[1]]
    if case.prepare:
        case.prepare()
    sensor.enter(case.tools)
    begun = time.monotonic()
    try:
        said = case.run()
    except sensor.Wrong as e:
        print("WRONG: %s" % e)
        print("  at " + traceback.format_exc().strip().split("\n")[-3].strip())
        return 1
    print("ok, %.1f s%s" % (time.monotonic() - begun, "; " + said if said else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
