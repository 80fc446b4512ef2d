"""`pnfslab target show` and `pnfslab bench target`, as a user runs them."""
import json
import os
import shutil
import unittest

from lab import Lab, free_base_port, run, wait_until


class TargetTools(unittest.TestCase):
    def test_show_is_iets_two_views(self):
        with Lab("--data-servers", 1) as lab:
            def show(*words):
                done = run("target", "show", "--state", lab.state, *words)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout
            self.assertRegex(show("volume"), r"^tid:1 name:iqn\S+\n\tlun:1 state:0 iotype:fileio iomode:wb "
                                             r"blocks:\d+ blocksize:512 path:\S+\n$")

            def initiators():
                sessions = json.loads(show("--json"))["session"][0].get("sessions", [])
                return {s["initiator"].rsplit(":", 1)[1] for s in sessions}
            # The views are files that follow a moment later.
            wait_until(lambda: initiators() == {"mds", "ds1"}, 10, "both sessions in the view")
            self.assertRegex(show("session"), r"\tsid:\d+ initiator:iqn\S+:mds\n\t\tcid:0 ip:127.0.0.1 state:active "
                                              r"hd:\S+ dd:\S+\n")
            both = json.loads(show("--json"))
            self.assertEqual([lun["lun"] for lun in both["volume"][0]["luns"]], [1])
            lab.kill("target")
            done = run("target", "show", "--state", lab.state)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the target is gone", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("tgtd"), "tgtd needs the package tgt and root")
    def test_bench_compares_with_tgt(self):
        left = set(os.listdir("/dev/shm"))
        done = run("bench", "target", "--json", "--sizes", "4K,64K", "--depths", "16", "--seconds", 1, "--rounds", 1,
                   "--base-port", free_base_port())
        self.assertEqual(done.returncode, 0, done.stderr)
        points = json.loads(done.stdout)
        self.assertEqual([(p["bytes"], p["depth"]) for p in points], [(4096, 16), (65536, 16)])
        for point in points:
            for side in point["ours"], point["tgt"]:
                self.assertGreater(side["operations_per_s"], 0)
                self.assertGreater(side["target_cpu_us"], 0)
                self.assertGreater(side["initiator_cpu_us"], 0)
        self.assertEqual({n for n in os.listdir("/dev/shm") if n.startswith("pnfslab-bench")} - left, set())
        self.assertEqual(run("bench", "target", "--depths", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main()
