"""`pnfslab up --topology hosts`: every server a machine of its own, faults of the network, nothing left behind; as root
and without any privilege."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from lab import PNFSLAB, Lab, others_can_reach_us, run, wait_until

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

    def ds(self, *words):
        done = run("ds", *words, "--state", self.state)
        if done.returncode != 0:
            raise AssertionError(f"ds {words}: {done.stderr}{self.logs()}")
        return done.stdout

    def holder(self):
        """The process that holds the network."""
        return json.loads((self.state / "lab.json").read_text())["network"]["pid"]

    def ports(self):
        """Of the bridges: one for each host in each network."""
        listed = run("exec", "--state", self.state, "switch", "--", "python3", "-c",
                     "import socket; print(*(name for _, name in socket.if_nameindex()))").stdout.split()
        return {name for name in listed if "-" in name}

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

    def test_a_data_server_comes_with_a_host_of_its_own(self):
        with HostsLab("--lease-seconds", "20", "--capture") as lab:
            # The client is there first: the new host is plugged into the network that it lives in.
            client = lab.start_client("touch /mnt/shared/started; while [ ! -e /mnt/shared/go ]; do sleep 0.2; done; " +
                                      ROUND, "--share", lab.state)
            try:
                wait_until((lab.state / "started").exists, what="a client that has mounted")
                self.assertEqual(lab.ds("add"), "ds3 at 172.28.2.13:2049\n")
            finally:
                (lab.state / "go").touch()
                out, _ = client.communicate(timeout=180)
            self.assertEqual((client.returncode, out), (0, "same\n"))
            self.assertEqual([ds["address"] for ds in lab.status()["ds"]], ["172.28.2.11", "172.28.2.12", "172.28.2.13"])
            listed = {ds["name"]: ds for ds in json.loads(lab.ds("list", "--json"))}
            self.assertEqual((listed["ds3"]["state"], listed["ds3"]["addresses"]), ("member", "172.28.2.13:2049"))
            self.assertEqual(lab.connect("ds3", "172.28.1.10", 2049), "open")
            for fault, seen in ((("blackhole", "ds3", "on", "nfs"), "TimeoutError"), (("heal",), "open")):
                lab.net(*fault)
                self.assertEqual(lab.connect("client", "172.28.2.13", 2049), seen, fault)
            # Its host outlives it.
            lab.net("kill", "ds3")
            lab.ds("start", "ds3")
            self.assertEqual(lab.client("cp /mnt/pnfs/f /mnt/pnfs/g; sync; cmp /mnt/pnfs/f /mnt/pnfs/g && echo same").stdout,
                             "same\n")
            self.assertTrue((lab.state / "capture" / "ds3.pcapng").exists())
            self.assertEqual(lab.down().returncode, 0)
            self.assertGreater(lab.ops("ds3").get("WRITE", 0), 0)
            self.assertEqual(lab.ops("mds").get("WRITE", 0), 0)

    def test_a_host_goes_with_its_data_server(self):
        with HostsLab("--lease-seconds", "5") as lab:
            lab.ds("add")
            host = os.readlink(f"/proc/{lab.pids()['ds3']}/ns/net")
            self.assertLessEqual({"san-ds3", "nfs-ds3"}, lab.ports())
            # Somebody still runs something there: that must keep neither cables nor names.
            stays = subprocess.Popen([PNFSLAB, "exec", "--state", str(lab.state), "ds3", "--", "sleep", "120"])
            try:
                wait_until(lambda: os.readlink(f"/proc/{stays.pid}/ns/net") == host, what="a process on ds3")
                lab.ds("remove", "ds3")
                done = run("exec", "--state", lab.state, "ds3", "--", "true")
                self.assertEqual(done.returncode, 1)
                self.assertIn("no host 'ds3'", done.stderr)
                self.assertEqual([port for port in lab.ports() if port.endswith("ds3")], [])
                held = {os.readlink(fd) for fd in pathlib.Path(f"/proc/{lab.holder()}/fd").iterdir()}
                self.assertNotIn(host, held)
                # Its number and addresses are free again.
                self.assertEqual(lab.ds("add", "2"), "ds3 at 172.28.2.13:2049\nds4 at 172.28.2.14:2049\n")
            finally:
                stays.kill()
                stays.wait()
            self.assertNotIn(host, namespaces())
            # One of the first may go as well as one that came later.
            lab.ds("drain", "ds1")
            lab.ds("remove", "ds1")
            lab.net("partition", "ds4")
            lab.net("heal")
            self.assertEqual(lab.client(ROUND).stdout, "same\n")
            self.assertEqual(run("status", "--state", lab.state).returncode, 0)
            # One that does not start, here for want of the LUN, leaves no host.
            lab.ds("add")
            lab.net("partition", "san")
            done = run("ds", "add", "--state", lab.state)
            lab.net("heal")
            self.assertEqual(done.returncode, 1)
            self.assertEqual([port for port in lab.ports() if port.endswith("ds5")], [])
            pids = [lab.holder(), *lab.pids().values()]
            self.assertEqual(lab.down().returncode, 0)
            self.assertEqual([pid for pid in pids if runs(pid)], [])
            self.assertEqual(list(lab.state.glob("*.sock")), [])
            for node in ("ds3", "ds4"):
                self.assertGreater(lab.ops(node).get("WRITE", 0), 0, node)

    @unittest.skipUnless(os.geteuid() == 0, "root becomes somebody else")
    @unittest.skipUnless(others_can_reach_us(), "nobody but root can enter the folder of this build")
    def test_without_any_privilege(self):
        folder = tempfile.mkdtemp(prefix="pnfslab-test-")
        os.chmod(folder, 0o777)
        try:
            def as_nobody(*words):
                return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
                                       PNFSLAB, *words], capture_output=True, text=True, timeout=180,
                                      env={**os.environ, "PNFSLAB_STATE": f"{folder}/lab"})
            up = as_nobody("up", "--topology", "hosts")
            self.assertEqual(up.returncode, 0, up.stderr)
            try:
                done = as_nobody("client", "--", "sh", "-c", ROUND)
                self.assertEqual((done.returncode, done.stdout), (0, "same\n"), done.stderr)
                self.assertEqual(as_nobody("net", "refuse", "ds1", "on", "nfs").returncode, 0)
                seen = as_nobody("exec", "client", "--", "python3", "-c", CONNECT, "172.28.2.11", "2049")
                self.assertEqual(seen.stdout, "ConnectionRefusedError\n", seen.stderr)
                added = as_nobody("ds", "add")
                self.assertEqual((added.returncode, added.stdout), (0, "ds3 at 172.28.2.13:2049\n"), added.stderr)
                seen = as_nobody("exec", "client", "--", "python3", "-c", CONNECT, "172.28.2.13", "2049")
                self.assertEqual(seen.stdout, "open\n", seen.stderr)
                removed = as_nobody("ds", "remove", "ds3")
                self.assertEqual(removed.returncode, 0, removed.stderr)
                self.assertEqual(as_nobody("exec", "ds3", "--", "true").returncode, 1)
                self.assertIn("clean", as_nobody("fsck").stdout)
            finally:
                down = as_nobody("down")
            self.assertEqual(down.returncode, 0, down.stderr)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    unittest.main()
