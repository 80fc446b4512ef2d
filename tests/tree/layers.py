#!/usr/bin/env python3
"""Who may include whom (ARCHITECTURE.md, "Layers"): reads every #include of the tree and reports those that the table
below does not allow, circles between folders, and third-party headers outside the one folder that owns them."""
import pathlib
import re
import sys

COMMON = {
    "base": set(),
    "io": {"base"},
    "live": {"base", "io"},
    "xdr": {"base"},
    "fault": {"base", "xdr"},
    "trace": {"base", "io", "xdr"},
    "capture": {"base", "io"},
    "rpc": {"base", "io", "xdr", "fault", "trace"},
    "nfs": {"base", "xdr"},
    "session": {"base", "live", "xdr", "nfs"},
    "compound": {"base", "io", "live", "xdr", "nfs", "session", "rpc", "fault", "trace"},
    "block": {"base", "io", "fault"},
    "volume": {"base", "io", "block"},
    "control": {"base", "io", "xdr", "rpc", "fault", "trace"},
    # What every server process has around its server.
    "server": {"base", "io", "live", "trace", "capture", "rpc", "compound", "block", "control"},
}
ALL_COMMON = {"common/" + name for name in COMMON}
ALLOWED = {"common/" + name: {"common/" + d for d in deps} for name, deps in COMMON.items()}
ALLOWED |= {
    "mds": ALL_COMMON,
    "ds": ALL_COMMON,
    "testbed/target": ALL_COMMON - {"common/nfs", "common/session", "common/compound", "common/rpc", "common/control",
                                    "common/volume"},
    "testbed/kernel": {"common/base", "common/io"},
    "testbed/client": {"common/base", "common/io", "common/xdr", "common/rpc", "common/nfs"},
    "testbed/cluster": ALL_COMMON | {"mds", "ds", "testbed/client", "testbed/target"},
    "testbed/inspect": {"common/base", "common/io", "common/block", "common/volume", "common/control", "common/live",
                        "testbed/lab", "testbed/live"},
    "testbed/bench": {"common/base", "common/io", "common/xdr", "common/rpc", "common/nfs", "testbed/client",
                      "testbed/lab"},
    "testbed/report": {"common/base", "common/trace"},
    "testbed/lab": ALL_COMMON | {"testbed/kernel", "testbed/target"},
    "testbed/live": {"common/base", "common/live", "testbed/lab"},
    "testbed/scenario": ALL_COMMON | {"testbed/kernel", "testbed/client", "testbed/cluster", "testbed/lab", "testbed/report"},
    "testbed/cli": ALL_COMMON | {"testbed/kernel", "testbed/lab", "testbed/live", "testbed/inspect", "testbed/scenario",
                                 "testbed/client", "testbed/target", "testbed/bench", "testbed/report"},
}
# Decisions know no I/O: these read no clock, no socket, no Asio.
PURE = ["common/session", "mds/state", "mds/grants", "ds/grants"]
OWNERS = {
    r"<iscsi/": ["common/block"],
    r"<sqlite3": ["common/volume"],
    r"<fuse": ["testbed/inspect"],
    r"<(rpc|tirpc)/": ["common/rpc"],
    r"<CLI/": ["testbed", "common/server"],
    r"<toml\+\+": ["common/base"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<][^">]+[">])')


def room(path):
    """The folder of the table that a path lies in, longest first."""
    for name in sorted(ALLOWED, key=len, reverse=True):
        if path == name or path.startswith(name + "/"):
            return name
    return None


def problems(files):
    """files: {path: text}. Returns a list of sentences."""
    found = []
    for path, text in sorted(files.items()):
        here = room(path)
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            what, at = match.group(1), f"{path}:{number}"
            target = room(what[1:-1]) if what.startswith('"') else None
            if here and target and target != here and target not in ALLOWED[here]:
                found.append(f"{at}: {here} may not include {target}")
            if path.startswith("tests/"):
                continue
            pure = any(path.startswith(p + "/") for p in PURE)
            if pure and ("asio" in what or (target == "common/io")):
                found.append(f"{at}: decisions include no I/O ({what})")
            for pattern, owners in OWNERS.items():
                if re.match(pattern, what) and not any(path.startswith(o + "/") for o in owners):
                    found.append(f"{at}: {what} belongs to {' and '.join(owners)}")
            if here is None and path.split("/")[0] in ("common", "testbed"):
                found.append(f"{at}: {path} lies in no folder of the table in tests/tree/layers.py")
    # Circles between the folders as they are allowed; the table itself must have none.
    seen, stack = set(), []

    def visit(name):
        if name in stack:
            found.append("the table has a circle: " + " -> ".join(stack[stack.index(name):] + [name]))
            return
        if name in seen:
            return
        seen.add(name)
        stack.append(name)
        for nxt in sorted(ALLOWED[name]):
            visit(nxt)
        stack.pop()

    for name in ALLOWED:
        visit(name)
    return found


def self_test():
    bad = {
        "common/xdr/a.hpp": '#include "common/nfs/ops.hpp"\n',
        "common/session/b.cpp": "#include <boost/asio/post.hpp>\n",
        "mds/c.cpp": '#include "ds/ds.hpp"\n',
        "ds/d.cpp": "#include <sqlite3.h>\n",
        "testbed/target/e.cpp": '#include "common/nfs/ops.hpp"\n',
    }
    for path, text in bad.items():
        if not problems({path: text}):
            sys.exit(f"the test does not notice {path}: {text}")
    good = {"mds/ops/op_read.cpp": '#include "common/volume/data_io.hpp"\n#include <vector>\n'}
    if problems(good):
        sys.exit(f"the test complains about what is allowed: {problems(good)}")
    print("5 planted violations found, none in allowed code")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    top = pathlib.Path(sys.argv[1])
    files = {}
    for part in ("common", "mds", "ds", "testbed", "tests"):
        for path in (top / part).rglob("*"):
            if path.suffix in (".cpp", ".hpp", ".h", ".c"):
                files[str(path.relative_to(top))] = path.read_text()
    found = problems(files)
    print("\n".join(found) or f"{len(files)} files, no include out of place")
    sys.exit(1 if found else 0)


main()
