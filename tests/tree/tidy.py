#!/usr/bin/env python3
"""House rules that a machine can check: no file above 600 lines, none that names a place of one developer's machine,
no left-over markers, and every test source is in a program."""
import pathlib
import re
import subprocess
import sys

LONGEST = 600
# Longer, each for a reason.
MAY_BE_LONG = {
    "testbed/target/scsi/opcodes.cpp": "one table, the place where a command is entered; the formatter spreads its rows",
}
MARKERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
PLACES = re.compile(r"(/home/\w+|/work/\w+|/root/)")


def tracked(top):
    out = subprocess.run(["git", "-C", str(top), "ls-files"], capture_output=True, text=True)
    if out.returncode != 0:  # an exported tree without git: take what is there
        return [str(p.relative_to(top)) for p in top.rglob("*") if p.is_file() and "build" not in p.parts]
    return out.stdout.splitlines()


def main():
    top = pathlib.Path(sys.argv[1])
    found = []
    for name in tracked(top):
        path = top / name
        if path.suffix not in (".cpp", ".hpp", ".c", ".h", ".py", ".sh", ".md", ".txt", ".toml", ".scn") or \
                not path.exists() or name == "tests/tree/tidy.py":
            continue
        text = path.read_text(errors="replace")
        lines = text.splitlines()
        if path.suffix in (".cpp", ".hpp", ".c", ".h", ".py", ".sh") and \
                len(lines) > LONGEST and name not in MAY_BE_LONG:
            found.append(f"{name}: {len(lines)} lines; split it ({LONGEST} at most)")
        for number, line in enumerate(lines, 1):
            if MARKERS.search(line):
                found.append(f"{name}:{number}: left for later: {line.strip()}")
            if PLACES.search(line):
                found.append(f"{name}:{number}: names a place of one machine: {line.strip()}")
    print("\n".join(found) or "tidy")
    sys.exit(1 if found else 0)


main()
