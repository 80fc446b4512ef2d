"""`pnfslab bench mds`, as a user runs it: that it measures, not how fast anything is."""
import json
import os
import shutil
import unittest

from lab import free_base_port, run

HAS_GANESHA = os.geteuid() == 0 and shutil.which("ganesha.nfsd") is not None


class BenchMds(unittest.TestCase):
    def test_measures_both_and_leaves_nothing(self):
        left = set(os.listdir("/dev/shm"))
        done = run("bench", "mds", "--json", "--operations", 200, "--rounds", 1, "--clients", 20, "--base-port",
                   free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertGreater(report["echo"]["server_cpu_us"], 0)
        self.assertEqual([p["operation"] for p in report["points"]], ["SEQUENCE", "GETATTR", "OPEN+CLOSE"])
        for point in report["points"]:
            self.assertEqual("ganesha" in point, HAS_GANESHA, report["without_ganesha"])
            for side in [point["ours"]] + ([point["ganesha"]] if HAS_GANESHA else []):
                self.assertGreater(side["operations_per_s"], 0)
                self.assertGreater(side["server_cpu_us"], 0)
                self.assertGreater(side["client_cpu_us"], 0)
        self.assertEqual(report["without_ganesha"] == "", HAS_GANESHA)
        self.assertEqual(report["idle"]["clients"], 20)
        self.assertEqual({n for n in os.listdir("/dev/shm") if n.startswith("pnfslab-bench")} - left, set())

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


if __name__ == "__main__":
    unittest.main()
