"""The POSIX cases of posix/: through the kernel client alone and by two clients at once, with delegations and without;
and on a local file system, so that what they ask for is POSIX and not ours."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from lab import Lab

RUN = pathlib.Path(__file__).resolve().parent / "posix" / "run.py"
FSX = RUN.with_name("fsx.py")
LEAST = 200
# Two clients at random on one file: half an hour with delegations and half an hour without under --slow, else a moment.
FSX_SECONDS = 1800 if os.environ.get("PNFSLAB_SLOW") == "1" else 3

# What the Linux client gets wrong whatever the server does: it sends a SETATTR of the size that it covers with a write
# delegation under the credential of whoever got the delegation, so that the server cannot see who cuts the file.
WRONG_WITH_DELEGATIONS = ["opening_with_o_trunc_needs_write_permission"]


def failures(text):
    """The lines of cases that failed, and how many passed."""
    lines = text.splitlines()
    return [line for line in lines if line.startswith("not ok")], sum(line.startswith("ok ") for line in lines)


class Cases(unittest.TestCase):
    def check(self, done, least):
        failed, passed = failures(done.stdout)
        self.assertEqual((failed, done.returncode), ([], 0), done.stdout[-2000:] + done.stderr[-2000:])
        self.assertGreaterEqual(passed, least)

    def local(self, folder):
        done = subprocess.run([sys.executable, RUN, folder], capture_output=True, text=True, timeout=300)
        self.check(done, LEAST)

    @unittest.skipUnless(os.geteuid() == 0, "the cases change users")
    def test_on_a_local_file_system(self):
        with tempfile.TemporaryDirectory() as folder:
            self.local(folder)

    @unittest.skipUnless(os.geteuid() == 0, "the cases change users")
    def test_two_processes_on_a_local_file_system(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as sync:
            both = [subprocess.Popen([sys.executable, RUN, folder, role, sync], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for role in "ab"]
            for one in both:
                out, err = one.communicate(timeout=300)
                self.check(subprocess.CompletedProcess([], one.returncode, out, err), 30)

    # Two guests, so that there is something to do for two processors; each does its share of the cases alone.
    def one_client(self, *options, without=()):
        with Lab("--data-servers", 2, *options) as lab:
            script = f"""role=$(hostname | sed 's/client//')
                mkdir /mnt/pnfs/posix$role
                POSIX_SHARE=$role/2 POSIX_WITHOUT="{' '.join(without)}" python3 {RUN} /mnt/pnfs/posix$role"""
            done = lab.client(script, "--count", 2, "--memory", 384, "--timeout", 500, check=False, timeout=600)
            self.check(done, LEAST)
            done = lab.fsck()
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_one_client_with_delegations(self):
        self.one_client(without=WRONG_WITH_DELEGATIONS)

    def test_one_client_without_delegations(self):
        self.one_client("--mds-option=--no-delegations")

    def two_clients(self, *options):
        with Lab("--data-servers", 2, *options) as lab, tempfile.TemporaryDirectory() as sync:
            os.chmod(sync, 0o777)
            script = f"""role=$(hostname | sed 's/client1/a/; s/client2/b/')
                [ $role = b ] || mkdir -p /mnt/pnfs/pairs
                while [ ! -d /mnt/pnfs/pairs ]; do sleep 0.1; done
                python3 {RUN} /mnt/pnfs/pairs $role /mnt/shared &&
                python3 {FSX} /mnt/pnfs $role /mnt/shared {FSX_SECONDS} {os.getpid()}"""
            done = lab.client(script, "--count", 2, "--share", sync, "-o", "actimeo=0", "--memory", 384, "--timeout",
                              FSX_SECONDS + 500, check=False, timeout=FSX_SECONDS + 600)
            self.check(done, 60)  # each of them tells of each case
            self.assertEqual(done.stdout.count(" steps"), 2, done.stdout)
            done = lab.fsck()
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_two_clients_with_delegations(self):
        self.two_clients()

    def test_two_clients_without_delegations(self):
        self.two_clients("--mds-option=--no-delegations")


if __name__ == "__main__":
    unittest.main()
