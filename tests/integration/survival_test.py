"""The volume outlives its servers: an orderly end, and kill -9 of everything while a client writes."""
import time
import unittest

from lab import Lab, run


class Survival(unittest.TestCase):
    def test_files_are_there_after_down_and_up(self):
        lab = Lab()
        try:
            lab.up()
            before = lab.client("""set -e
                mkdir /mnt/pnfs/dir
                dd if=/dev/urandom of=/mnt/pnfs/dir/data bs=1M count=4 conv=fsync 2>/dev/null
                ln -s dir/data /mnt/pnfs/link
                md5sum </mnt/pnfs/dir/data""").stdout
            self.assertEqual(lab.down().returncode, 0)
            lab.up()
            self.assertEqual(lab.client("md5sum </mnt/pnfs/link; ls -1 /mnt/pnfs").stdout, before + "dir\nlink\n")
            done = lab.fsck()
            self.assertEqual(done.returncode, 0, done.stdout)
        finally:
            lab.__exit__(None, None, None)

    def test_what_was_fsynced_survives_kill_9_of_every_process(self):
        # The target's cache is volatile: what nobody flushed dies with it, so a missing flush anywhere is seen here.
        lab = Lab("--cache", "volatile", "--lease-seconds", "5")
        try:
            lab.up()
            writer = lab.start_client("""
                i=0
                while :; do
                  dd if=/dev/urandom of=/tmp/part bs=64k count=4 2>/dev/null
                  dd if=/tmp/part of=/mnt/pnfs/file$i bs=64k conv=fsync 2>/dev/null || exit 1
                  echo "synced file$i $(md5sum </tmp/part | cut -d' ' -f1)"
                  i=$((i + 1))
                done""")
            synced = {}
            for line in writer.stdout:
                words = line.split()
                if len(words) == 3 and words[0] == "synced":
                    synced[words[1]] = words[2]
                if len(synced) == 12:
                    break
            lab.kill()
            time.sleep(0.5)
            writer.kill()
            for line in writer.stdout.read().split("\n"):
                words = line.split()
                if len(words) == 3 and words[0] == "synced":
                    synced[words[1]] = words[2]
            writer.wait()
            writer.stdout.close()
            lab.up()
            checks = "; ".join(f"echo {name} $(md5sum </mnt/pnfs/{name} | cut -d' ' -f1)" for name in synced)
            out = lab.client(checks).stdout.split()
            self.assertEqual(dict(zip(out[::2], out[1::2])), synced)
            done = lab.fsck()
            self.assertEqual(done.returncode, 0, done.stdout)
        finally:
            lab.__exit__(None, None, None)

    def test_a_new_mds_does_not_wait_for_one_that_was_killed_on_the_same_machine(self):
        # It would watch the owner's heartbeat for six seconds if it could not tell that its process is gone, which until
        # somebody has asked for its exit code is a zombie.
        with Lab() as lab:
            self.assertEqual(run("net", "kill", "mds", "--state", lab.state).returncode, 0)
            began = time.monotonic()
            done = run("net", "start", "mds", "--state", lab.state)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    unittest.main()
