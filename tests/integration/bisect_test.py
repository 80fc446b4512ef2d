"""`git bisect run` with `pnfslab run`, as testbed/kernel/BISECT.md shows it: good, bad, and commits that cannot be tried.

The repository's "kernel" is a program that starts the installed User-Mode Linux; the bug is that the files layout driver
is gone, so that scenario `modern` finds no READ and WRITE at the data servers."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from lab import BIN, PNFSLAB, free_base_port, run

GOOD = "#!/bin/sh\nexec /usr/bin/linux.uml \"$@\"\n"
BAD = "#!/bin/sh\nexec /usr/bin/linux.uml \"$@\" modprobe.blacklist=nfs_layout_nfsv41_files\n"
DEAD = "#!/bin/sh\nexit 1\n"
MAKEFILE = "modules: linux\nlinux: source\n\tcp source linux\n\tchmod +x linux\n"
BROKEN = "linux modules: \n\tfalse\n"


class Bisect(unittest.TestCase):
    def test_finds_the_first_bad_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            def git(*words):
                done = subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=folder,
                                      capture_output=True, text=True, timeout=600,
                                      env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                return done.stdout

            git("init", "-q")
            commits = [(GOOD, MAKEFILE), (GOOD, MAKEFILE), (BAD, MAKEFILE), (BAD, BROKEN), (DEAD, MAKEFILE),
                       (BAD, MAKEFILE)]
            for number, (kernel, makefile) in enumerate(commits):
                (pathlib.Path(folder) / "source").write_text(kernel + f"# {number}\n")
                (pathlib.Path(folder) / "Makefile").write_text(makefile)
                git("add", "source", "Makefile")
                git("commit", "-q", "-m", f"commit {number}")
            git("bisect", "start", "HEAD", "HEAD~5")
            said = git("bisect", "run", "sh", "-c", "make -j2 linux modules || exit 125; pnfslab run modern "
                       f"--base-port {free_base_port()} --kernel ./linux --modules /usr/lib/uml/modules")
            first = next(line for line in said.splitlines() if "is the first bad commit" in line).split()[0]
            self.assertEqual(git("log", "-1", "--format=%s", first).strip(), "commit 2", said)
            self.assertIn("not ok 1 - modern", said)

    def test_a_kernel_that_does_not_start_is_no_verdict(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "linux").write_text(DEAD)
            (pathlib.Path(folder) / "linux").chmod(0o755)
            done = run("run", "modern", "--base-port", free_base_port(), "--kernel", "./linux", cwd=folder)
            self.assertEqual(done.returncode, 125, done.stdout + done.stderr)
            self.assertIn("could not be tested", done.stdout)

    def test_a_kernel_without_what_it_needs_is_no_verdict(self):
        with tempfile.TemporaryDirectory() as folder:
            # A build tree with modules, but without the layout driver's.
            tree = pathlib.Path(folder)
            (tree / "linux").write_text(GOOD)
            (tree / "linux").chmod(0o755)
            (tree / "modules.builtin").write_text("kernel/fs/overlayfs/overlay.ko\nkernel/fs/nfs/nfsv4.ko\n")
            done = run("run", "modern", "--base-port", free_base_port(), "--kernel", "./linux", "--modules", ".",
                       cwd=folder)
            self.assertEqual(done.returncode, 125, done.stdout + done.stderr)
            self.assertIn("lacks CONFIG_NFS_V4_1 (CONFIG_PNFS_FILE_LAYOUT)", done.stdout)

    def test_a_build_tree_needs_no_depmod(self):
        # The modules as `make` leaves them: no modules.dep anywhere.
        packaged = next(pathlib.Path("/usr/lib/uml/modules").iterdir())
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            (tree / "linux").write_text(GOOD)
            (tree / "linux").chmod(0o755)
            subprocess.run(["cp", "-r", str(packaged / "kernel" / "fs"), str(packaged / "kernel" / "net"), folder], check=True)
            (tree / "modules.builtin").write_text((packaged / "modules.builtin").read_text()
                                                  if (packaged / "modules.builtin").exists() else "")
            done = run("run", "modern", "--base-port", free_base_port(), "--kernel", "./linux", "--modules", ".",
                       cwd=folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
