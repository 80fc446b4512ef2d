"""What takes minutes on each kernel: scenarios that wait for long timers, and the replays on every kernel that is here."""
import os
import pathlib
import tempfile
import unittest

from lab import free_base_port, run

SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "testbed" / "scenarios"
HOUR = 3600  # a kernel under QEMU without KVM needs ten minutes for the replays on a busy machine


@unittest.skipUnless(os.environ.get("PNFSLAB_SLOW") == "1", "minutes on each kernel: tests/run --slow")
class SlowOnes(unittest.TestCase):
    def play(self, *words):
        with tempfile.TemporaryDirectory() as folder:
            return run("run", "--base-port", free_base_port(), *words, env={**os.environ, "TMPDIR": folder}, timeout=HOUR)

    def test_scenarios_that_wait_for_long_timers(self):
        listed = run("run", "--list", SCENARIOS).stdout.splitlines()
        slow = [line.split()[0] for line in listed if line.split()[1] == "slow"]
        self.assertIn("net-loss", slow)
        done = self.play("--slow", *slow)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("# SKIP", done.stdout)

    def test_every_replay_on_every_kernel_that_is_here(self):
        done = self.play("replays", "--all-kernels")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = [line.split() for line in done.stdout[done.stdout.index("\n\n"):].splitlines()]
        self.assertEqual([row[0] for row in rows if row and row[0].startswith("replay-")],
                         [f"replay-{number:02}" for number in range(1, 13)])


if __name__ == "__main__":
    unittest.main()
