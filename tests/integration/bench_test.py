"""`pnfslab bench`, as a user runs it: that it measures, not how fast anything is."""
import json
import os
import shutil
import unittest

from lab import free_base_port, run

HAS_GANESHA = os.geteuid() == 0 and shutil.which("ganesha.nfsd") is not None


class Bench(unittest.TestCase):
    def setUp(self):
        self.before = set(os.listdir("/dev/shm"))

    def tearDown(self):
        self.assertEqual({n for n in os.listdir("/dev/shm") if n.startswith("pnfslab-bench")} - self.before, set())

    def measured(self, side):
        for what in ("operations_per_s", "server_cpu_us", "client_cpu_us"):
            self.assertGreater(side[what], 0, side)


class BenchMds(Bench):
    def test_measures_both(self):
        done = run("bench", "mds", "--json", "--operations", 200, "--rounds", 1, "--clients", 20, "--base-port",
                   free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["echo"]["server_cpu_us"], 0)
        self.assertEqual([p["operation"] for p in report["points"]], ["SEQUENCE", "GETATTR", "OPEN+CLOSE"])
        for point in report["points"]:
            self.assertEqual("ganesha" in point, HAS_GANESHA, report["without_ganesha"])
            for side in [point["ours"]] + ([point["ganesha"]] if HAS_GANESHA else []):
                self.measured(side)
        self.assertEqual(report["without_ganesha"] == "", HAS_GANESHA)
        self.assertEqual(report["idle"]["clients"], 20)

    @unittest.skipUnless(os.environ.get("PNFSLAB_SLOW") == "1", "slow: tests/run --slow")
    def test_ten_thousand_clients(self):
        done = run("bench", "mds", "--json", "--operations", 100, "--rounds", 1, "--clients", 10000, "--base-port",
                   free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        idle = json.loads(done.stdout)["idle"]
        self.assertEqual(idle["clients"], 10000)
        self.assertLess(idle["server_kib_each"], 64)

    def test_says_what_is_wrong(self):
        self.assertEqual(run("bench", "mds", "--depth", "0").returncode, 2)
        done = run("bench", "mds", "--folder", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot make a folder in /nowhere", done.stderr)


class BenchData(Bench):
    def test_measures_and_counts(self):
        done = run("bench", "data", "--json", "--file-mib", 16, "--stream-mib", 64, "--small-reads", 200, "--large-reads", 32,
                   "--rounds", 1, "--base-port", free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([(p["bytes"], p["random"]) for p in report["points"]], [(4096, True), (1 << 20, False)])
        for point in report["points"]:
            self.measured(point["ours"])
            self.assertGreater(point["ours"]["target_cpu_us"], 0)
            self.assertEqual("ganesha" in point, HAS_GANESHA, report["without_ganesha"])
            if HAS_GANESHA:
                self.measured(point["ganesha"])
        if shutil.which("iscsi-perf"):
            for what in ("received", "sent", "ours"):
                self.assertGreater(report["floor"][f"{what}_ns_per_byte"], 0)
        # Not a matter of speed: extents come in large pieces, and what a data server knows it does not ask again.
        calls = report["control_calls"]
        self.assertLessEqual(calls["written"], 32)
        self.assertGreater(calls["written"], 0)
        self.assertEqual(calls["read_again"], 0)
        self.assertLessEqual(calls["new_open"], 2)


class BenchTrace(Bench):
    def test_measures_both(self):
        done = run("bench", "trace", "--json", "--operations", 200, "--rounds", 1, "--base-port", free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        points = json.loads(done.stdout)["points"]
        self.assertEqual([p["operation"] for p in points], ["SEQUENCE", "GETATTR", "OPEN+CLOSE"])
        for point in points:
            for side in (point["off"], point["on"]):
                self.assertGreater(side["operations_per_s"], 0)
                self.assertGreater(side["server_cpu_us"], 0)
            self.assertGreater(point["throughput_ratio"], 0)


if __name__ == "__main__":
    unittest.main()
