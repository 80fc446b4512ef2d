#!/usr/bin/env python3
"""What the operations say they return (the comment at the head of each op file), held against the RFC's table of valid
errors (tests/golden/valid_errors.tsv) and the exceptions that cite their section (tests/golden/error_exceptions.tsv):
  - an error that a header lists is valid for an operation of the file;
  - an error that the file itself returns is listed in its header, and valid;
  - every file with operations lists something.
What operations return through shared code is checked while they run (common/compound/dispatcher.cpp)."""
import pathlib
import re
import sys

FOLDERS = ["mds/ops", "mds/layout/ops", "ds/ops", "common/compound/ops"]
HANDLER = re.compile(r"^(?:io::Task<)?(?:nfs::)?Status>? op_([a-z_]+)\(", re.M)
RETURNED = re.compile(r"(?:fail\(|Status\{|return \{)\s*(?:nfs::)?NFS4ERR_([A-Z0-9_]+)")
WORD = re.compile(r"\b(?:NFS4ERR)?_?([A-Z][A-Z0-9_]+)\b")


def read_pairs(path):
    pairs = {}
    for line in path.read_text().splitlines():
        if line.startswith("#") or "\t" not in line:
            continue
        op, error = line.split("\t")[:2]
        pairs.setdefault(op, set()).add(error.removeprefix("NFS4ERR_"))
    return pairs


def header_of(text):
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line[2:])
    return "\n".join(lines)


def check_file(name, text, valid, known):
    ops = [op.upper() for op in HANDLER.findall(text)]
    if not ops:
        return []
    allowed = set().union(*(valid.get(op, set()) for op in ops), valid.get("*", set()))
    listed = {word for word in WORD.findall(header_of(text)) if word in known and word not in ops}
    problems = [f"{name}: the header lists {error}, which is not valid for {', '.join(ops)}"
                for error in sorted(listed - allowed)]
    returned = set(RETURNED.findall(text))
    problems += [f"{name}: returns {error}, which is not valid for {', '.join(ops)}" for error in sorted(returned - allowed)]
    problems += [f"{name}: returns {error}, which its header does not list" for error in sorted(returned - listed)]
    if not listed:
        problems.append(f"{name}: the header lists no errors")
    return problems


def check(root):
    golden = root / "tests/golden"
    valid = read_pairs(golden / "valid_errors.tsv")
    known = set().union(*valid.values())
    for op, errors in read_pairs(golden / "error_exceptions.tsv").items():
        valid.setdefault(op, set()).update(errors)
        known |= errors
    problems, files = [], 0
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("op_*.cpp")):
            files += 1
            problems += check_file(str(path.relative_to(root)), path.read_text(), valid, known)
    if files < 30:
        problems.append(f"only {files} op files were found")
    return problems


def self_test():
    valid, known = {"LOOKUP": {"NOENT", "ACCESS"}}, {"NOENT", "ACCESS", "BADIOMODE"}
    good = '// LOOKUP. Errors: NOENT.\nStatus op_lookup(C&) { return fail(NFS4ERR_NOENT, "x"); }\nStatus op_lookup(C&) {'
    bad = [('// LOOKUP. Errors: BADIOMODE.\n\nStatus op_lookup(', "header lists BADIOMODE"),
           ('// LOOKUP. Errors: NOENT.\n\nStatus op_lookup() {\n  return fail(NFS4ERR_ACCESS, ', "does not list"),
           ('// LOOKUP. Errors: NOENT.\n\nStatus op_lookup() {\n  return fail(nfs::NFS4ERR_BADIOMODE, ', "not valid for"),
           ('// LOOKUP.\n\nio::Task<Status> op_lookup(', "lists no errors")]
    assert check_file("good", good, valid, known) == [], check_file("good", good, valid, known)
    for text, expected in bad:
        problems = check_file("bad", text, valid, known)
        assert any(expected in p for p in problems), (expected, problems)


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    found = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found) or "op errors: fine")
    sys.exit(1 if found else 0)
