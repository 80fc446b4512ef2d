"""`pnfslab fault` on a lab that runs."""
import json
import unittest

from lab import Lab, run


class Faults(unittest.TestCase):
    def rules(self, lab):
        return {r["id"]: r for r in json.loads(run("fault", "list", "--json", "--state", lab.state).stdout)}

    def test_rules_come_and_go_while_the_lab_runs(self):
        with Lab() as lab:
            def add(*words):
                done = run("fault", "add", "--state", lab.state, *words)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout.split()

            self.assertEqual(add("on mds before LAYOUTGET iomode=RW do return BADIOMODE"), ["mds:1"])
            self.assertEqual(add("on", "ds*", "before", "WRITE", "nth=1000", "do", "delay", "2s"), ["ds1:1", "ds2:1"])
            self.assertEqual(add("before scsi.READ(16) nth=1000 do return BUSY"), ["target:1"])
            write = "LC_ALL=C dd if=/dev/zero of=/mnt/pnfs/f bs=64k count=4 conv=fsync"
            done = lab.client(write, check=False)
            self.assertIn("Input/output error", done.stdout + done.stderr)
            rules = self.rules(lab)
            self.assertGreaterEqual(rules["mds:1"]["hits"], 1)
            self.assertEqual(rules["ds1:1"]["hits"], 0)
            self.assertEqual(set(rules), {"mds:1", "ds1:1", "ds2:1", "target:1"})
            self.assertEqual(run("fault", "clear", "mds:1", "--state", lab.state).returncode, 0)
            lab.client(write)
            self.assertEqual(run("fault", "clear", "--state", lab.state).returncode, 0)
            self.assertEqual(self.rules(lab), {})
            hits = [e for e in lab.trace("mds") if e["kind"] == "fault"]
            self.assertTrue(hits)
            self.assertEqual(hits[0]["fault"], "rule 1: on mds before LAYOUTGET iomode=RW do return BADIOMODE")

    def test_a_node_restarts_with_its_rules(self):
        with Lab("--lease-seconds", 5) as lab:
            pid = lab.pids()["ds1"]
            run("fault", "add", "--state", lab.state, "on ds1 before WRITE once do drop request then restart")
            lab.client("timeout 60 dd if=/dev/urandom of=/mnt/pnfs/f bs=64k count=8 conv=fsync 2>/dev/null")
            self.assertEqual(lab.pids()["ds1"], pid)
            self.assertEqual(self.rules(lab)["ds1:1"]["hits"], 1)

    def test_mistakes(self):
        with Lab() as lab:
            done = run("fault", "add", "--state", lab.state, "on mds before LAYOUTGET do retrun IO")
            self.assertEqual(done.returncode, 2)
            self.assertIn("column 28", done.stderr)
            self.assertEqual(run("fault", "add", "--state", lab.state, "on ds9 before WRITE do close").returncode, 1)
            self.assertEqual(run("fault", "clear", "mds:7", "--state", lab.state).returncode, 2)
        points = run("fault", "list", "--points").stdout
        for point in ("LAYOUTGET", "CB_LAYOUTRECALL", "control.GRANT", "block.WRITE", "scsi.WRITE(16)", "connection.CONNECT"):
            self.assertIn(point, points)
        self.assertIn("loga_iomode", run("fault", "list", "--fields").stdout)


if __name__ == "__main__":
    unittest.main()
