#!/usr/bin/env python3
"""Runs a command and tells what it took: measure.py COMMAND... prints "status seconds octets" to descriptor 3.

A process of its own, and a small one, because the peak memory of a child begins with that of the
parent it was forked from.
"""
import os
import sys
import time


def run(command, stdout, stderr=None):
    """(status, wall seconds, peak octets of memory) of a command, through this file."""
    import subprocess
    read, write = os.pipe()
    p = subprocess.Popen([sys.executable, "-S", "-E", os.path.abspath(__file__)] + command, stdout=stdout, stderr=stderr,
                         stdin=subprocess.DEVNULL, pass_fds=[write], env=dict(os.environ, MEASURE_FD=str(write)))
    os.close(write)
    with os.fdopen(read) as f:
        said = f.read().split()
    p.wait()
    return int(said[0]), float(said[1]), int(said[2])


def main():
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - begun
    os.write(int(os.environ["MEASURE_FD"]),
             b"%d %f %d" % (os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss * 1024))


if __name__ == "__main__":
    main()
