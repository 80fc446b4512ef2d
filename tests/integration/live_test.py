"""The state of running servers: each `pnfslab` table against what a kernel client holds at that moment, and metrics."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from lab import Lab, PNFSLAB, run

TABLES = ("nodes", "locks", "clients", "sessions", "opens", "layouts", "devices")
HOLD = """exec python3 -c '
import fcntl, os, time
f = open("/mnt/pnfs/held", "wb+", buffering=0)
f.write(os.urandom(1 << 20)); os.fsync(f.fileno())
fcntl.lockf(f, fcntl.LOCK_EX, 4096, 100)
while True: time.sleep(0.2); os.pwrite(f.fileno(), b"x", 5); os.fsync(f.fileno())'
"""


def table(lab, name, *options):
    done = run(name, "--state", lab.state, "--json", *options)
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Tables(unittest.TestCase):
    def test_what_a_client_holds_is_shown(self):
        # With a write delegation the client would keep its opens and locks to itself.
        with Lab(f"--mds-option=--metrics={free_port()}", "--mds-option=--no-delegations") as lab:
            client = lab.start_client(HOLD)
            try:
                end = time.monotonic() + 120
                while not any(o["kind"] == "lock" for o in table(lab, "opens")["rows"]):
                    self.assertLess(time.monotonic(), end, "the client never came to its lock")
                    time.sleep(0.2)
                self.check_tables(lab)
                self.check_text(lab)
                self.check_top(lab)
                self.check_metrics(lab)
                self.check_a_missing_server(lab)
            finally:
                client.send_signal(signal.SIGTERM)
                client.communicate(timeout=60)

    def check_tables(self, lab):
        opens = {row["kind"]: row for row in table(lab, "opens")["rows"]}
        lock, fileid = opens["lock"], opens["lock"]["fileid"]
        self.assertEqual(lock["ranges"], [{"type": "WRITE", "offset": 100, "length": 4096}])
        client = lock["clientid"]
        self.assertEqual(table(lab, "opens", "--file", fileid + 1)["rows"], [])
        self.assertEqual(table(lab, "opens", "--client", client)["total"], len(opens))
        clients = {row["at"]: row for row in table(lab, "clients")["rows"]}
        self.assertEqual(sorted(clients), ["ds1", "ds2", "mds"])
        self.assertEqual((clients["mds"]["clientid"], clients["mds"]["state"], clients["mds"]["back_channel"]),
                         (client, "active", "up"))
        self.assertEqual((clients["mds"]["locks"], clients["mds"]["layouts"]), (1, 1))
        self.assertTrue(clients["mds"]["address"])
        self.assertIn("mds", {row["at"] for row in table(lab, "sessions")["rows"] if row["clientid"] == client})
        layout = table(lab, "layouts")["rows"][0]
        self.assertEqual((layout["fileid"], layout["iomode"], layout["recall"]), (fileid, "RW", "none"))
        devices = table(lab, "devices")["rows"]
        self.assertEqual({d["deviceid"] for d in devices}, {layout["deviceid"]})
        self.assertEqual([(d["name"], d["stripe_indices"]) for d in devices], [("ds1", [0]), ("ds2", [1])])
        nodes = {row["name"]: row for row in table(lab, "nodes")["rows"]}
        self.assertEqual([nodes[n]["state"] for n in ("mds", "ds1", "ds2")], ["owner", "member", "member"])
        self.assertNotEqual(nodes["ds1"]["key"], nodes["ds2"]["key"])
        grants = table(lab, "locks", "--file", fileid)["rows"]
        self.assertIn(("EX", nodes["ds1"]["node"]), {(g["mode"], g["node"]) for g in grants})
        status = lab.status()
        self.assertEqual((status["mds"]["live"]["locks"], status["mds"]["live"]["grace"]["active"]), (1, False))
        self.assertTrue(status["ds"][0]["live"]["member"])
        self.assertGreaterEqual(status["target"]["live"]["sessions"], 3)

    def check_text(self, lab):
        for name in TABLES:
            done = run(name, "--state", lab.state)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertGreater(len(done.stdout.splitlines()), 1, done.stdout)
            self.assertNotIn("\x1b", done.stdout)
        self.assertRegex(run("nodes", "--state", lab.state).stdout, r"(?s)Membership information.* 1 +member .*ds1")
        self.assertRegex(run("locks", "--state", lab.state).stdout, r"(?s)pnfslab lockspaces\nname +pnfslab:.*members +1 2 .*EX")
        self.assertIn("volume ", run("status", "--state", lab.state).stdout)

    def check_top(self, lab):
        done = run("top", "--state", lab.state, "--json", "--count", 2, "--interval", 1.5)
        looks = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(looks), 2, done.stderr)
        writes = [r for look in looks for r in look["rows"] if r["op"] == "WRITE" and r["at"].startswith("ds")]
        self.assertTrue(writes, looks)
        self.assertGreater(writes[0]["calls_per_s"], 0)
        self.assertIn("ds1", run("top", "--state", lab.state, "--count", 1).stdout)

    def check_metrics(self, lab):
        url = f"http://{lab.options[0].split('=')[-1]}/metrics".replace("//", "//127.0.0.1:")
        with urllib.request.urlopen(url, timeout=10) as answer:
            self.assertIn("application/openmetrics-text; version=1.0.0", answer.headers["Content-Type"])
            text = answer.read().decode()
        self.assertTrue(text.endswith("# EOF\n"))
        sample = re.compile(r'^[a-z_]+\{node="mds"(,[a-z]+="[^"]*")*\} [0-9.]+$')
        for line in text.splitlines():
            self.assertTrue(line.startswith("# ") or sample.match(line), line)
        self.assertIn('pnfslab_locks{node="mds"} 1\n', text)
        self.assertIn('pnfslab_node_up{node="mds",ds="ds1"} 1\n', text)
        self.assertRegex(text, r'pnfslab_operations_total\{node="mds",op="LAYOUTGET"\} [1-9]')
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(url + "x", timeout=10)

    def check_a_missing_server(self, lab):
        pid = lab.pids()["ds2"]
        lab.kill("ds2")
        done = run("clients", "--state", lab.state, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([m["node"] for m in json.loads(done.stdout)["missing"]], ["ds2"])
        self.assertIn("ds2", run("status", "--state", lab.state).stdout)
        self.assertNotEqual(pid, 0)


class CommandLine(unittest.TestCase):
    def test_help_has_an_example(self):
        for name in (*TABLES, "status", "top", "inspect"):
            self.assertIn("Example: ", run(name, "--help").stdout, name)

    def test_without_a_lab_it_says_so(self):
        for name in (*TABLES, "top"):
            done = run(name, "--state", "/nonexistent")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("/nonexistent", done.stderr)

    def test_metrics_are_for_this_machine_only(self):
        with tempfile.NamedTemporaryFile() as lun:
            self.check_loopback(lun.name)

    def check_loopback(self, lun):
        target = ["--file", lun, "--size", "1M", "--listen", "127.0.0.1:0"]
        for program, options in (("pnfs-target", target), ("pnfs-mds", ["--listen", "127.0.0.1:1"]),
                                 ("pnfs-ds", ["--listen", "127.0.0.1:1", "--mds", "127.0.0.1:1"])):
            store = [] if program == "pnfs-target" else ["--store", "iscsi://127.0.0.1:1/iqn.x:y/1"]
            done = subprocess.run([os.path.join(os.path.dirname(PNFSLAB), program), *options, *store, "--metrics",
                                   "0.0.0.0:1234"], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("loopback", done.stderr)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
