"""`pnfslab run` as its users know it: TAP, JUnit, exit codes, what is left behind; and scenarios that can fail."""
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

import captures
from lab import PNFSLAB, free_base_port, run

KILLED = {"net-killed": ["ds1"]}  # nodes that a scenario ends with SIGKILL while they work
SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "testbed" / "scenarios"


def servers_of(base_port):
    """Command lines of server processes that listen at ports of ours."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].split(b"/")[-1].startswith(b"pnfs-") and any(
                w.startswith(b"127.0.0.1:") and base_port <= int(w[10:]) < base_port + 2500 for w in words):
            found.append(b" ".join(words).decode())
    return found


class Runner(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.base_port = free_base_port()

    def tearDown(self):
        self.folder.cleanup()

    def play(self, *words, **more):
        return run("run", "--base-port", self.base_port, *words, env={**os.environ, "TMPDIR": str(self.path)},
                   timeout=900, **more)

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return path

    def test_the_scenario_of_the_seed_and_its_remedies(self):
        junit = self.path / "junit.xml"
        done = self.play("badiomode", "badiomode-modern", "lget-002", "badiomode-unavailable", "modern", "--junit", junit)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:2], ["TAP version 13", "1..5"])
        self.assertEqual(sum(line.startswith("ok ") for line in lines), 5)
        suite = ElementTree.parse(junit).getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("5", "0", "0"))
        self.assertEqual(list(self.path.glob("pnfslab-*")), [], "state folders of scenarios that passed")

    def test_all_that_are_not_slow(self):
        folder = self.path / "captures"
        done = self.play(SCENARIOS, "--capture", folder)
        red = [line for line in done.stdout.splitlines() if line.startswith(("not ok", "#"))]
        self.assertEqual(done.returncode, 0, "\n".join(red) + done.stderr)
        self.check_captures(folder, sum(line.startswith("ok ") and "# SKIP" not in line for line in done.stdout.splitlines()))

    def check_captures(self, folder, played):
        files = sorted(folder.glob("*.pcapng"))
        self.assertEqual(len(files), played)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = [p for ps in pool.map(lambda f: captures.problems(f, f.with_suffix(".jsonl"), KILLED.get(f.stem, ())), files)
                     for p in ps]
        self.assertEqual(found, [])
        # The packet of the seed's riddle says why.
        why = [f for f in captures.frames(folder / "badiomode.pcapng", "-Y", "nfs.status == 10049") if f["frame.comment"]]
        self.assertTrue(why)
        for frame in why:
            self.assertRegex(frame["frame.comment"], r"LAYOUTGET: NFS4ERR_BADIOMODE: .*READ.*\[RFC 8881 15\.1\.10\.1\]")
            self.assertEqual(frame["frame.interface_name"], "mds")
        # A capture that misses a call, and a trace that misses a request, are noticed.
        short = folder / "short.pcapng"
        subprocess.run(["editcap", folder / "modern.pcapng", short, next(
            f["frame.number"] for f in captures.frames(folder / "modern.pcapng", "-Y", "nfs.opcode == 50"))], check=True,
            stderr=subprocess.DEVNULL)
        self.assertTrue(captures.problems(short, folder / "modern.jsonl"))
        lines = (folder / "modern.jsonl").read_text().splitlines()
        call = next(json.loads(line)["xid"] for line in lines if '"op":"LAYOUTGET"' in line)
        fewer = folder / "fewer.jsonl"
        fewer.write_text("\n".join(line for line in lines if f'"xid":{call},' not in line))
        self.assertIn("not in the trace", captures.problems(folder / "modern.pcapng", fewer)[0])

    def test_replays_of_client_bugs(self):
        # On the installed kernel one is known to be red and one to be green; judged as a kernel of one's own the red one is
        # a failure.
        done = self.play("replay-01", "replay-04", "--kernel", "installed")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        red = next(line for line in done.stdout.splitlines() if " replay-01: " in line)
        self.assertTrue(red.startswith("not ok 1 - "), red)
        self.assertIn(" known of Linux 6.1.", red)
        self.assertIn("ok 2 - replay-04", done.stdout)
        done = self.play("replay-01", "--kernel", "/usr/bin/linux.uml")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        # Red for another reason than the bug, which its rule never came to.
        path = self.write("other.scn", "id: other\nbug: a bug\n[faults]\non mds before REMOVE do return IO\n[client]\n"
                          "false\n[expect]\nexit 0\n[kernels]\n6.1 red\n")
        done = self.play(path)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)

    def test_scenarios_without_a_kernel(self):
        # All of them: tests/unit/scenario/operations_test.cpp.
        done = self.play("op-names", "op-unlock", "--self-test")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("not ok", done.stdout)
        self.assertEqual(list(self.path.glob("pnfslab-*")), [], "state folders of scenarios that passed")

    def test_lists_without_playing(self):
        done = run("run", "--list", SCENARIOS)
        self.assertEqual(done.returncode, 0, done.stderr)
        ids = [line.split()[0] for line in done.stdout.splitlines()]
        self.assertIn("lget-003", ids)
        self.assertEqual(len(ids), len(list(SCENARIOS.glob("*.scn"))))

    def test_a_failure_says_what_was_seen_and_where_the_traces_lie(self):
        path = self.write("red.scn", """id: red
title: an expectation that does not hold, and a rule that never acts
[faults]
on mds before REMOVE do return IO
[client]
echo hello >/mnt/pnfs/file
exit 3
[expect]
exit 0
count mds OPEN status=NFS4ERR_ACCESS == 1
""")
        done = self.play(path)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("not ok 1 - red", done.stdout)
        self.assertIn("exit code was 3", done.stdout)
        self.assertIn("red.scn:4: the rule 'on mds before REMOVE do return IO' never acted", done.stdout)
        self.assertIn("mds OPEN status=NFS4_OK", done.stdout)
        folder = next(line for line in done.stdout.splitlines() if line.startswith("# logs and traces: ")).split(": ")[1]
        self.assertTrue((pathlib.Path(folder) / "trace" / "mds.jsonl").stat().st_size > 0)
        self.assertTrue((pathlib.Path(folder) / "log" / "client1.dmesg").exists())
        packets = next(line for line in done.stdout.splitlines() if line.startswith("# packets: ")).split(": ")[1]
        self.assertGreater(pathlib.Path(packets).stat().st_size, 1000)

    def test_what_cannot_be_tested_is_125(self):
        done = self.play("modern", "--kernel", "/bin/false")
        self.assertEqual(done.returncode, 125, done.stdout + done.stderr)
        self.assertIn("could not be tested", done.stdout)

    def test_mistakes_name_their_line(self):
        path = self.write("wrong.scn", "id: wrong\n[faults]\non mds before LAYUTGET do close\n")
        done = self.play(path)
        self.assertEqual(done.returncode, 2)
        self.assertIn("wrong.scn:3: column 15", done.stderr)
        self.assertIn("did you mean LAYOUTGET", done.stderr)

    def test_an_interrupt_leaves_nothing(self):
        path = self.write("long.scn", "id: long\ntitle: sleeps\n[client]\nsleep 100\n[expect]\nexit 0\n")
        child = subprocess.Popen([PNFSLAB, "run", "--base-port", str(self.base_port), str(path)], stdout=subprocess.PIPE,
                                 text=True, env={**os.environ, "TMPDIR": str(self.path)})
        deadline = time.monotonic() + 60
        while len(servers_of(self.base_port)) < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 125, out)
        self.assertIn("not ok 1 - long", out)
        self.assertEqual(servers_of(self.base_port), [])
        self.assertEqual([p for p in self.path.glob("pnfslab-*")], [])

    def test_killed_it_takes_its_servers_with_it(self):
        path = self.write("long.scn", "id: long\ntitle: sleeps\n[client]\nsleep 100\n[expect]\nexit 0\n")
        child = subprocess.Popen([PNFSLAB, "run", "--base-port", str(self.base_port), str(path)],
                                 stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(self.path)})
        deadline = time.monotonic() + 60
        while len(servers_of(self.base_port)) < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(len(servers_of(self.base_port)), 4)
        child.kill()
        child.wait()
        deadline = time.monotonic() + 20
        while servers_of(self.base_port) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(servers_of(self.base_port), [])


if __name__ == "__main__":
    unittest.main()
