"""`pnfslab up --topology hosts`: every server a machine of its own, faults of the network, nothing left behind; as root
and without any privilege."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from lab import PNFSLAB, Lab, run

CONNECT = """
import socket, sys
s = socket.socket(); s.settimeout(2)
try: s.connect((sys.argv[1], int(sys.argv[2]))); print("open")
except OSError as e: print(type(e).__name__)
"""
CONNECT_OFTEN = """
import socket
opened = 0
for i in range(20):
    s = socket.socket(); s.settimeout(0.4)
    try: s.connect(("172.28.2.11", 2049)); opened += 1
    except OSError: pass
print(opened)
"""
ROUND = "dd if=/dev/urandom of=/tmp/d bs=64k count=32 2>/dev/null && cp /tmp/d /mnt/pnfs/f && sync && " \
        "echo 3 >/proc/sys/vm/drop_caches && cmp /tmp/d /mnt/pnfs/f && echo same"


class HostsLab(Lab):
    """Addresses are the same in every lab; ports need no choosing."""
    def up(self, *more):
        done = run("up", "--state", self.state, "--topology", "hosts", *self.options, *more)
        if done.returncode != 0:
            raise AssertionError(f"up failed: {done.stdout}{done.stderr}{self.logs()}")
        return self

    def net(self, *words):
        done = run("net", "--state", self.state, *words)
        if done.returncode != 0:
            raise AssertionError(f"net {words}: {done.stderr}{self.logs()}")

    def connect(self, host, address, port):
        return run("exec", "--state", self.state, host, "--", "python3", "-c", CONNECT, address, port).stdout.strip()


def namespaces():
    """Network namespaces that some process is in."""
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(os.readlink(entry))
        except OSError:
            pass
    return found


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Hosts(unittest.TestCase):
    def test_a_kernel_client_reaches_each_server_at_its_own_address(self):
        with HostsLab() as lab:
            status = lab.status()
            self.assertEqual(status["topology"], "hosts")
            self.assertEqual((status["mds"]["address"], status["mds"]["port"]), ("172.28.2.10", 2049))
            self.assertEqual([ds["address"] for ds in status["ds"]], ["172.28.2.11", "172.28.2.12"])
            # Two guests at once, each a machine of its own; and another lab beside this one.
            with HostsLab() as other:
                done = lab.client(ROUND.replace("/f", "/f$(hostname)"), "--count", "2")
                self.assertEqual(done.stdout, "same\nsame\n")
                other.client("test ! -e /mnt/pnfs/fclient1")
            self.assertIn("clean", lab.fsck().stdout)
            self.assertEqual(lab.down().returncode, 0)
            for node in ("ds1", "ds2"):
                clients = {e["client"] for e in lab.trace(node) if e.get("op") == "WRITE"}
                self.assertEqual(clients, {"Linux NFSv4.1 client1", "Linux NFSv4.1 client2"}, node)
            self.assertNotIn("WRITE", lab.ops("mds"))

    def test_down_leaves_nothing(self):
        with HostsLab() as lab:
            pids = list(lab.pids().values())
            self.assertEqual(run("exec", "--state", lab.state, "ds1", "--", "sh", "-c", "exit 7").returncode, 7)
            self.assertEqual(run("exec", "--state", lab.state, "ds9", "--", "true").returncode, 1)
            lab.down()
            self.assertEqual([pid for pid in pids if runs(pid)], [])
            self.assertEqual(run("exec", "--state", lab.state, "ds1", "--", "true").returncode, 1)
        # An `up` that fails half way ends the network too.
        with tempfile.TemporaryDirectory() as folder:
            before = namespaces()
            done = run("up", "--state", folder, "--topology", "hosts", "--lun-size", "1M")
            self.assertNotEqual(done.returncode, 0)
            deadline = time.monotonic() + 20
            while namespaces() - before and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertLessEqual(namespaces(), before)

    def test_what_the_network_does_is_seen_and_healed(self):
        with HostsLab() as lab:
            def seen(server="172.28.2.11"):
                return lab.connect("client", server, 2049)
            self.assertEqual(seen(), "open")
            for fault, expected in (("refuse ds1 on nfs", "ConnectionRefusedError"),
                                    ("reset ds1 on nfs", "ConnectionRefusedError"),
                                    ("blackhole ds1 on nfs", "TimeoutError"),
                                    ("partition ds1 on nfs", "OSError|TimeoutError"),
                                    ("partition nfs", "OSError|TimeoutError")):
                lab.net(*fault.split())
                self.assertIn(seen(), expected.split("|"), fault)
                if fault.endswith("ds1 on nfs"):
                    self.assertEqual(seen("172.28.2.12"), "open", f"{fault}: ds2 is another machine")
                lab.net("heal")
                self.assertEqual(seen(), "open", f"after {fault} and heal")
            lab.net("loss", "ds1", "on", "nfs", "50%")
            opened = int(run("exec", "--state", lab.state, "client", "--", "python3", "-c", CONNECT_OFTEN).stdout)
            self.assertTrue(1 <= opened <= 19, f"{opened} of 20 connections")
            # What cannot be is refused with a sentence, and changes nothing.
            done = run("net", "--state", lab.state, "loss", "target", "on", "nfs", "5%")
            self.assertEqual(done.returncode, 2)
            self.assertIn("target is not in the network nfs", done.stderr)

    def test_servers_die_and_start_again(self):
        with HostsLab("--lease-seconds", "5") as lab:
            lab.client("echo one >/mnt/pnfs/f")
            for host in ("ds1", "mds", "target"):
                before = lab.pids()[host]
                lab.net("kill", host)
                self.assertEqual(run("status", "--state", lab.state).returncode, 1)
                lab.net("start", host)
                self.assertNotEqual(lab.pids()[host], before)
                self.assertEqual(run("status", "--state", lab.state).returncode, 0)
            self.assertEqual(lab.client("cat /mnt/pnfs/f; echo two >/mnt/pnfs/g; cat /mnt/pnfs/g").stdout, "one\ntwo\n")
            lab.net("pause", "ds1")
            lab.net("resume", "ds1")

    @unittest.skipUnless(os.geteuid() == 0, "root becomes somebody else")
    def test_without_any_privilege(self):
        folder = tempfile.mkdtemp(prefix="pnfslab-test-")
        os.chmod(folder, 0o777)
        try:
            def as_nobody(*words):
                return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
                                       PNFSLAB, words[0], "--state", f"{folder}/lab", *words[1:]],
                                      capture_output=True, text=True, timeout=180)
            up = as_nobody("up", "--topology", "hosts")
            self.assertEqual(up.returncode, 0, up.stderr)
            try:
                done = as_nobody("client", "--", "sh", "-c", ROUND)
                self.assertEqual((done.returncode, done.stdout), (0, "same\n"), done.stderr)
                self.assertEqual(as_nobody("net", "refuse", "ds1", "on", "nfs").returncode, 0)
                seen = as_nobody("exec", "client", "--", "python3", "-c", CONNECT, "172.28.2.11", "2049")
                self.assertEqual(seen.stdout, "ConnectionRefusedError\n", seen.stderr)
                self.assertIn("clean", as_nobody("fsck").stdout)
            finally:
                down = as_nobody("down")
            self.assertEqual(down.returncode, 0, down.stderr)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    unittest.main()
