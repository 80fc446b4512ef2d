"""`pnfslab client` as a program: its streams, versions, and that Ctrl-C leaves nothing behind."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from lab import Lab, PNFSLAB, wait_until


def processes_with(text):
    """Pids of this test's descendants and of whatever else has the text in its command line or environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if text.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


class Streams(unittest.TestCase):
    def test_like_a_local_command(self):
        with Lab() as lab:
            data = bytes(range(256)) * 64
            done = subprocess.run([PNFSLAB, "client", "--state", lab.state, "--", "sh", "-c",
                                   "cat >/mnt/pnfs/f; echo x >/mnt/pnfs/g; ls /mnt/pnfs; cat /mnt/pnfs/f >&2; exit 3"],
                                  input=data, capture_output=True, timeout=180)
            # One name a line: no terminal there.
            self.assertEqual((done.returncode, done.stdout, done.stderr), (3, b"f\ng\n", data))

    def test_a_mount_without_a_version_falls_back_to_4_1(self):
        with Lab() as lab:
            done = lab.client("grep -o 'vers=4[.0-9]*' /proc/mounts", "--vers", "")
            self.assertEqual(done.stdout, "vers=4.1\n")
            self.assertEqual(done.stderr, "")


class Interrupt(unittest.TestCase):
    def start(self, *words, **environment):
        """A command in a process group of its own; what it starts carries a mark."""
        self.mark = f"PNFSLAB_TEST_MARK={os.getpid()}.{time.monotonic()}"
        name, value = self.mark.split("=")
        return subprocess.Popen([PNFSLAB, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True, env=dict(os.environ, **{name: value}, **environment))

    def networks(self):
        """The guest's network namespaces: all that the marked processes are in, but ours."""
        return {os.readlink(f"/proc/{pid}/ns/net") for pid in processes_with(self.mark)} - \
               {os.readlink("/proc/self/ns/net")}

    def check_gone(self, networks):
        """No process with the mark, and none (a kernel has no such mark) in its network."""
        def left():
            found = processes_with(self.mark)
            for entry in pathlib.Path("/proc").iterdir():
                try:
                    if entry.name.isdigit() and os.readlink(entry / "ns/net") in networks:
                        found.append(int(entry.name))
                except OSError:
                    pass
            return found
        wait_until(lambda: not left(), 10, "the end of all processes")

    def test_client(self):
        with Lab() as lab:
            before = sorted(p.name for p in lab.state.iterdir())
            for send in (lambda p: os.killpg(p.pid, signal.SIGINT), lambda p: p.send_signal(signal.SIGINT),
                         lambda p: p.terminate()):
                client = self.start("client", "--state", lab.state, "--", "sh", "-c",
                                    "echo x >/mnt/pnfs/f; sync; echo up; sleep 1000")
                self.assertEqual(client.stdout.readline(), "up\n")
                networks = self.networks()
                self.assertEqual(len(networks), 1)
                send(client)
                _, said = client.communicate(timeout=30)
                self.assertEqual(client.returncode, 130, said)
                self.check_gone(networks)
            self.assertEqual(sorted(p.name for p in lab.state.iterdir()), before)
            self.assertEqual(lab.client("cat /mnt/pnfs/f").stdout, "x\n")

    def test_quickstart(self):
        # While servers start, while the kernel boots, and while it works.
        for line, seconds in (("starting ds1", 0), ("booting", 0), ("booting", 2)):
            with tempfile.TemporaryDirectory() as folder:
                tour = self.start("quickstart", TMPDIR=folder)
                for said in tour.stderr:
                    if said.startswith(line):
                        break
                time.sleep(seconds)
                networks = self.networks()
                os.killpg(tour.pid, signal.SIGINT)
                _, rest = tour.communicate(timeout=60)
                self.assertEqual(tour.returncode, 130, rest)
                self.check_gone(networks)
                self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
