#!/usr/bin/env python3
"""Runs libiscsi's conformance suite (iscsi-test-cu) against pnfs-target.

Six logical units, each served by a process of its own, one iscsi-test-cu process per suite: a hook of one test can
stay behind and spoil the next suite otherwise. Every test case must pass on at least one unit, none may fail anywhere.
A case that is left out for a unit has its reason here, beside its name.

usage: target_conformance.py PNFS_TARGET [--keep DIR] [--only SUITE]
"""
import argparse
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

# The scope of `iscsi-test-cu -t ALL` in libiscsi 1.19: a smaller list would let cases disappear unnoticed.
SUITES, CASES = 51, 230
SIZE = "100M"

UNITS = {
    "thin": ["--thin", "--cache", "volatile", "--sanitize-rate", "8M"],
    "thin-4k": ["--thin", "--cache", "volatile", "--block-size", "4096"],
    "thick": ["--cache", "volatile"],
    "removable": ["--removable", "--thin", "--cache", "volatile"],
    "read-only": ["--thin", "--read-only"],
    # Lun parameters of an ietd.conf.
    "blockio": "Type=blockio,IOMode=wb,Thin=Yes",
}

# Another way to the medium, so only what goes there is run.
ONLY = {"blockio": set("CompareAndWrite OrWrite Read10 Read16 Unmap Verify16 Write10 Write12 Write16 WriteAtomic16 "
                       "WriteSame10 WriteSame16 WriteVerify16 iSCSIResiduals MultipathIO ExtendedCopy".split())}

# (unit, suite or case): why it is not run there.
LEFT_OUT = {
    ("thin", "GetLBAStatus.UnmapSingle"):
        "asks for LBA i+1 and wants a descriptor that begins at i+<blocks per physical block>; SBC-3 5.5.3 begins it at "
        "the LBA asked for, so it can only pass where the two sizes are equal: run on thin-4k",
}
LEFT_OUT["removable", "GetLBAStatus.UnmapSingle"] = LEFT_OUT["thin", "GetLBAStatus.UnmapSingle"]
for unit in UNITS:
    if unit != "thin":
        LEFT_OUT[unit, "Sanitize"] = "overwrites the whole unit and waits a minute; once, on thin, is enough"
WRITES = "writes, which a read-only unit refuses: ReadOnly checks that it does"
for suite in ("CompareAndWrite ExtendedCopy OrWrite Unmap Write10 Write12 Write16 WriteAtomic16 WriteSame10 WriteSame16 "
              "WriteVerify10 WriteVerify12 WriteVerify16 iSCSIdatasn MultipathIO GetLBAStatus.UnmapSingle "
              "ProutReserve.AccessEA ProutReserve.AccessWE ProutReserve.AccessEARO ProutReserve.AccessWERO "
              "ProutReserve.AccessEAAR ProutReserve.AccessWEAR ReceiveCopyResults.CopyStatus "
              "iSCSIResiduals.Write10Residuals iSCSIResiduals.Write12Residuals iSCSIResiduals.Write16Residuals "
              "iSCSIResiduals.WriteVerify10Residuals iSCSIResiduals.WriteVerify12Residuals "
              "iSCSIResiduals.WriteVerify16Residuals iSCSITMF").split():
    LEFT_OUT["read-only", suite] = WRITES

# Cases that can pass nowhere, with the reason.
NOT_APPLICABLE = {}


def list_cases():
    lines = subprocess.run(["iscsi-test-cu", "-l"], capture_output=True, text=True, check=True).stdout.split()
    cases = collections.defaultdict(list)
    for line in lines:
        parts = line.split(".")
        if parts[0] == "ALL" and len(parts) == 3:
            cases[parts[1]].append(parts[2])
    return cases


def start(program, unit, folder):
    image = folder / f"{unit}.img"
    with open(image, "wb") as f:
        f.truncate(100 << 20)
    if isinstance(UNITS[unit], str):
        config = folder / f"{unit}.conf"
        config.write_text(f"Target iqn.2026-01.pnfslab:volume\n Lun 1 Path={image},{UNITS[unit]}\n")
        options = ["--config", str(config)]
    else:
        options = ["--file", str(image), "--size", SIZE, *UNITS[unit]]
    process = subprocess.Popen([program, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    match = re.fullmatch(r"listening at (\S+)\n", line)
    if not match:
        process.wait()
        sys.exit(f"pnfs-target for {unit} did not start")
    return process, f"iscsi://{match[1]}/iqn.2026-01.pnfslab:volume/1"


def outcomes_of(suite, output):
    """{case: "passed" | "failed" | "skipped"} of what one run printed."""
    result = {}
    sections = re.split(r"^  Test: (\S+) \.\.\.", output, flags=re.M)
    for name, text in zip(sections[1::2], sections[2::2]):
        # The verdict stands at the beginning of a line, or right behind the dots; "[FAILED]" is a message.
        verdict = re.search(r"^(passed|FAILED)", text, flags=re.M)
        if not verdict or verdict[1] == "FAILED":
            result[f"{suite}.{name}"] = "failed"
        else:
            result[f"{suite}.{name}"] = "skipped" if re.search("SKIPPED|Skipping", text) else "passed"
    return result


def run_suite(unit, suite, names, url, folder):
    flags = ["-d", "-S", "-v"]
    tests = [f"ALL.{suite}"]
    if any((unit, f"{suite}.{n}") in LEFT_OUT for n in names):
        tests = [f"ALL.{suite}.{n}" for n in names if (unit, f"{suite}.{n}") not in LEFT_OUT]
    results = {}
    for test in tests:
        # With two URLs the second session outlives Sanitize.Reservations, which leaves its RESERVE(6) in the way of
        # Sanitize.Reset; with one, the session is made for that case alone.
        urls = [url] if suite == "Sanitize" else [url, url]
        command = ["iscsi-test-cu", *flags, "-t", test, *urls]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=420)
            output = done.stdout
        except subprocess.TimeoutExpired as expired:
            output = (expired.stdout or b"").decode(errors="replace") + "\nTIMED OUT"
        (folder / f"{unit}.{test}.log").write_text(output)
        found = outcomes_of(suite, output)
        expected = names if test == f"ALL.{suite}" else [test.split(".")[2]]
        for name in expected:
            results[f"{suite}.{name}"] = found.get(f"{suite}.{name}", "failed")
    return results


def run_unit(program, unit, cases, folder):
    process, url = start(program, unit, folder)
    results = {}
    try:
        for suite, names in cases.items():
            if (unit, suite) not in LEFT_OUT and suite in ONLY.get(unit, cases):
                results.update(run_suite(unit, suite, names, url, folder))
            if process.poll() is not None:
                results[f"pnfs-target died in {suite}"] = "failed"
                break
    finally:
        process.terminate()
        if process.wait(60) != 0:
            results["pnfs-target exit code"] = "failed"
    return results


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--keep", type=pathlib.Path)
    arguments.add_argument("--only")
    options = arguments.parse_args()
    cases = list_cases()
    if len(cases) != SUITES or sum(map(len, cases.values())) != CASES:
        sys.exit(f"iscsi-test-cu has {len(cases)} suites and {sum(map(len, cases.values()))} cases, "
                 f"expected {SUITES} and {CASES}: adapt this test to it")
    if options.only:
        cases = {options.only: cases[options.only]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(len(UNITS)) as pool:
            runs = {unit: pool.submit(run_unit, options.program, unit, cases, folder) for unit in UNITS}
            results = {unit: run.result() for unit, run in runs.items()}

        bad = 0
        for unit, found in results.items():
            count = collections.Counter(found.values())
            print(f"{unit:10} passed {count['passed']:3}  skipped {count['skipped']:3}  failed {count['failed']:3}")
            for case, verdict in found.items():
                if verdict == "failed":
                    bad += 1
                    print(f"  FAILED {case}")
        for suite, names in cases.items():
            for name in names:
                case = f"{suite}.{name}"
                if any(found.get(case) == "passed" for found in results.values()):
                    continue
                if case in NOT_APPLICABLE:
                    print(f"not applicable: {case}: {NOT_APPLICABLE[case]}")
                else:
                    bad += 1
                    print(f"PASSED NOWHERE {case}")
        for (unit, case), reason in LEFT_OUT.items():
            print(f"left out on {unit}: {case}: {reason}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
