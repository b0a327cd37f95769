#!/usr/bin/env python3
"""Checks the house: floors.py [ROOT]

A file of src/ includes its own folder and lower floors only, by folder and name; the folders and
their floors are those of the Makefile (FLOOR_0, FLOOR_1, ...).  A C file has at most 800 lines, a
header 200.  The top level of the repository holds what it should and nothing else.  Prints each
offence with its line; the status is 1 where there is any.
"""
import os
import re
import subprocess
import sys

LINES = {".c": 800, ".h": 200}
TOP = {"src", "rules", "tests", "pcaps", "Makefile", "README.md", "LICENSE"}


def floors_of(makefile):
    """{folder: floor} as the Makefile says."""
    floors = {}
    with open(makefile, encoding="utf-8") as f:
        for line in f:
            found = re.match(r"FLOOR_(\d)\s*:?=\s*(.*)", line)
            if found:
                floors.update((folder, int(found[1])) for folder in found[2].split())
    return floors


def includes_of(path):
    """[(line number, what is included in quotes)]"""
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if found:
                yield number, found[1]


def offences(root):
    floors = floors_of(os.path.join(root, "Makefile"))
    src = os.path.join(root, "src")
    for folder in sorted(os.listdir(src)):
        if folder not in floors:
            yield "src/%s: no floor of the Makefile has it" % folder
            continue
        for name in sorted(os.listdir(os.path.join(src, folder))):
            if not name.endswith((".c", ".h", ".def")):
                continue
            where = "src/%s/%s" % (folder, name)
            for number, target in includes_of(os.path.join(root, where)):
                other = target.split("/")[0]
                if "/" not in target and target.endswith(".inc"):
                    continue  # made by the build out of rules/
                if other not in floors or not os.path.exists(os.path.join(src, target)):
                    yield "%s:%d: \"%s\" is not a file of src/" % (where, number, target)
                elif other != folder and floors[other] >= floors[folder]:
                    yield "%s:%d: floor %d includes \"%s\" of floor %d" % (
                        where, number, floors[folder], target, floors[other])
    for base, folders, names in os.walk(root):
        folders[:] = sorted(d for d in folders if not d.startswith((".", "build", "__")))
        for name in sorted(names):
            most = LINES.get(os.path.splitext(name)[1])
            path = os.path.join(base, name)
            if most is not None:
                with open(path, "rb") as f:
                    lines = f.read().count(b"\n")
                if lines > most:
                    yield "%s: %d lines, at most %d" % (os.path.relpath(path, root), lines, most)
    listed = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=False)
    for entry in sorted({line.split("/")[0] for line in listed.stdout.splitlines()}):
        if entry not in TOP and not entry.startswith("."):
            yield "%s: not at the top level" % entry


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    found = list(offences(os.path.normpath(root)))
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
