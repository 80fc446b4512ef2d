"""Bad input at the command line: one sentence that says what is wrong and what to do, an exit code, nothing left."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from lab import BIN, Lab, free_base_port, run


def processes_of(folder):
    """Pids whose command line names the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pnfslab-test-"))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def refused(self, code, *words, says):
        done = run(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        lines = done.stderr.strip().split("\n")
        sentence = [line for line in lines if not line.startswith("starting ")]
        for word in says if isinstance(says, list) else [says]:
            self.assertIn(word, " ".join(sentence))
        self.assertEqual(processes_of(self.folder), [], "processes are left")
        self.assertFalse((self.folder / "s" / "lab.json").exists())

    def test_wrong_option(self):
        self.refused(2, "up", "--data-severs", "2", says="--data-severs")
        self.refused(2, "up", "--profile", "modren", says="modren")
        self.refused(2, "up", "--data-servers", "0", says="0")

    def test_configuration_file(self):
        config = self.folder / "lab.toml"
        config.write_text("[lab]\n\ndata_servers = \"two\"\n")
        self.refused(2, "up", "--state", self.folder / "s", "--config", config, says=["lab.toml:3", "lab.data_servers"])
        config.write_text("[lab]\nprofil = \"modern\"\n")
        self.refused(2, "up", "--state", self.folder / "s", "--config", config, says=["lab.toml:2", "lab.profil"])
        self.refused(2, "up", "--state", self.folder / "s", "--config", self.folder / "none.toml", says="none.toml")

    def test_port_in_use(self):
        base = free_base_port()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", base + 2))
            taken.listen()
            self.refused(1, "up", "--state", self.folder / "s", "--base-port", base, says=[str(base + 2), "in use"])

    def test_no_target_at_the_url(self):
        base = free_base_port()
        url = f"iscsi://127.0.0.1:{base}/iqn.2026-01.pnfslab:lun0/1"
        self.refused(1, "mkfs", "-j", "2", "-t", "lab:vol0", url, says=f"127.0.0.1:{base}")
        self.refused(1, "up", "--state", self.folder / "s", "--base-port", base, "--store", url, says=f"127.0.0.1:{base}")
        self.refused(2, "mkfs", "iscsi:/nonsense", says="iscsi:")

    def test_nothing_is_up(self):
        for command in (["status"], ["down"], ["client", "--", "true"], ["trace"]):
            done = run(command[0], "--state", self.folder / "none", *command[1:])
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("pnfslab up", done.stderr)

    def test_a_server_that_cannot_begin(self):
        store = ["--store", "iscsi://127.0.0.1:9/iqn.2026-01.pnfslab:x/1", "--listen", "127.0.0.1:9"]
        for server in (["pnfs-mds", *store], ["pnfs-ds", *store, "--mds", "127.0.0.1:9"]):
            for more, code, said in ((["--fault", "on nobody"], 2, "--fault"),
                                     (["--trace", "/nonexistent/t"], 1, "--trace"),
                                     (["--metrics", "192.0.2.1:9"], 2, "--metrics")):
                done = subprocess.run([BIN / server[0], *server[1:], *more], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertTrue(done.stderr.startswith(server[0] + ": ") and said in done.stderr, done.stderr)

    def test_volume_in_use(self):
        with Lab() as lab:
            url = lab.status()["target"]["url"]
            done = run("mkfs", "-j", "2", "-t", "lab:vol0", url)
            self.assertEqual(done.returncode, 1)
            self.assertIn("mds", done.stderr)
            second = subprocess.run([BIN / "pnfs-mds", "--listen", f"127.0.0.1:{free_base_port() + 40}", "--store", url,
                                     "--initiator-name", "iqn.2026-01.pnfslab.node:mds2", "--node", "mds2"],
                                    capture_output=True, text=True, timeout=60)
            self.assertEqual(second.returncode, 1)
            self.assertIn("mds", second.stderr)
            self.assertEqual(lab.client("echo hello >/mnt/pnfs/f; cat /mnt/pnfs/f").stdout, "hello\n")

    def test_second_lab_in_the_same_folder(self):
        with Lab() as lab:
            done = run("up", "--state", lab.state, "--base-port", free_base_port())
            self.assertEqual(done.returncode, 1)
            self.assertIn("pnfslab down", done.stderr)
            self.assertNotIn(0, lab.pids().values())

    def test_every_subcommand_has_help_with_an_example(self):
        top = run("--help").stdout
        names = [line.split()[0] for line in top.split("Subcommands:")[1].strip().split("\n") if line.startswith("  ") and
                 not line.startswith("   ")]
        self.assertGreater(len(names), 6)
        for name in names:
            done = run(name, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example:", done.stdout, name)


if __name__ == "__main__":
    unittest.main()
