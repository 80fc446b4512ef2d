"""`pnfslab run --client`: something else than a kernel of ours as the client of a scenario, and the in-process cluster as
a CMake package."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from lab import BIN, PNFSLAB, free_base_port, run

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ExternalClient(unittest.TestCase):
    def play(self, *words, **more):
        return run("run", "--base-port", free_base_port(), *words, timeout=300, **more)

    def test_a_machine_that_runs_the_script(self):
        # The machine is a kernel guest that knows nothing of the runner: it mounts by itself what the script says, with
        # the addresses that mount.nfs would look up (the package nfs-common need not be there).
        command = (f"{PNFSLAB} client --state $PNFSLAB_STATE -- sh -c 'sed s/127.0.0.1/10.77.1.1/ $PNFSLAB_SCRIPT"
                   " | sed s/port=/addr=10.77.1.1,clientaddr=10.77.1.2,port=/"
                   " | sed s,/mnt/pnfs,/mnt/again,g | sh'")
        done = self.play("lget-003", "--client", command.replace("$PNFSLAB_SCRIPT", "'$PNFSLAB_SCRIPT'"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("ok 1 - lget-003", done.stdout)
        self.assertIn("# not seen from here: kernel log is clean", done.stdout)

    def test_a_program_that_does_not_do_its_part(self):
        done = self.play("lget-003", "--client", "echo nothing done; exit 3")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("exit code was 3", done.stdout)
        self.assertIn("never acted", done.stdout)

    def test_it_is_told_where_and_what(self):
        done = self.play("lget-003", "--client",
                         "env | grep ^PNFSLAB_; cat; exit 7")
        self.assertEqual(done.returncode, 1)
        for text in ("PNFSLAB_ADDRESS=127.0.0.1", "PNFSLAB_PORT=", "PNFSLAB_SCENARIO=lget-003", "PNFSLAB_CLIENT=1",
                     "PNFSLAB_MOUNT_OPTIONS=vers=4.1,port=", "mount -t nfs4 -o", "oflag=direct"):
            self.assertIn(text, done.stdout)

    def test_by_hand(self):
        done = self.play("lget-003", "--client", "manual", input="4\n")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("mount -t nfs4 -o vers=4.1,port=", done.stdout)
        self.assertIn("dd if=/dev/zero of=/mnt/pnfs/file bs=4k count=8 oflag=direct", done.stdout)
        self.assertIn("exit code was 4", done.stdout)
        self.assertEqual(self.play("lget-003", "--client", "manual", input="").returncode, 125)

    def test_one_that_never_ends(self):
        with tempfile.TemporaryDirectory() as folder:
            scenario = pathlib.Path(folder) / "hangs.scn"
            scenario.write_text("id: hangs\n[lab]\ntimeout-seconds = 2\n[client]\ntrue\n[expect]\nexit 0\n")
            done = self.play(scenario, "--client", "echo begun; sleep 1000")
            self.assertEqual(done.returncode, 125, done.stdout)
            self.assertIn("did not end within 2 s; it said:", done.stdout)


class Package(unittest.TestCase):
    def test_the_example_builds_against_an_installation(self):
        build = BIN.parent
        with tempfile.TemporaryDirectory() as folder:
            def sh(*words, cwd=folder):
                done = subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True, timeout=900)
                self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
                return done.stdout

            sh("cmake", "--build", build, "--target", "pnfslab-cluster")
            sh("cmake", "--install", build, "--component", "cluster", "--prefix", f"{folder}/prefix")
            shutil.copytree(ROOT / "testbed" / "cluster" / "example", f"{folder}/example")
            compiler = next(line.split("=")[1] for line in (build / "CMakeCache.txt").read_text().splitlines()
                            if line.startswith("CMAKE_CXX_COMPILER:"))
            sh("cmake", "-G", "Ninja", "-B", "build", f"-DCMAKE_PREFIX_PATH={folder}/prefix",
               f"-DCMAKE_CXX_COMPILER={compiler}", cwd=f"{folder}/example")
            sh("cmake", "--build", "build", cwd=f"{folder}/example")
            said = sh("build/my_client_test", cwd=f"{folder}/example")
            self.assertIn("ok     its write through a layout gets NFS4ERR_BADIOMODE", said)


if __name__ == "__main__":
    unittest.main()
