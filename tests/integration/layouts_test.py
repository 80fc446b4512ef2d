"""What a Linux kernel makes of striping, of data servers that come and go, and of the personalities."""
import threading
import time
import unittest

from lab import Lab, run

DIRECTORIES = {
    "dense": "packing=dense unit=16K count=3",
    "thru-mds": "commit=mds unit=16K",
    "open-handle": "filehandles=none unit=16K",
    "odd": "unit=12K count=5 first=inode-modulo",
    "small": "unit=4K",
    "dense-mds": "packing=dense commit=mds unit=64K",
}
MAKE = "dd if=/dev/urandom of=/tmp/data bs=100001 count=11 2>/dev/null; set -- $(md5sum </tmp/data); sum=$1"


class Striping(unittest.TestCase):
    def test_every_way_by_directory(self):
        options = [word for name, words in DIRECTORIES.items() for word in ("--layout-directory", f"/{name} {words}")]
        with Lab("--data-servers", 2, *options) as lab:
            names = " ".join(DIRECTORIES)
            lab.client(f"""{MAKE}
                for d in {names}; do
                  mkdir /mnt/pnfs/$d; cat /tmp/data >/mnt/pnfs/$d/file; sync /mnt/pnfs/$d/file || exit 1
                done
                stat -c %i /mnt/pnfs/open-handle/file >/mnt/shared/no-handles
                echo 3 >/proc/sys/vm/drop_caches
                for d in {names}; do
                  set -- $(md5sum </mnt/pnfs/$d/file); [ $1 = $sum ] || {{ echo $d differs; exit 1; }}
                done
                echo $sum >/mnt/pnfs/sum""", "--share", lab.state)
            lab.client(f"""cd /mnt/pnfs; read sum <sum
                for d in {names}; do
                  set -- $(md5sum <$d/file); [ $1 = $sum ] || {{ echo $d differs; exit 1; }}
                done""", "--no-layouts")
            self.assertEqual(lab.fsck().returncode, 0)
            lab.down()
            commits = lab.ops("mds").get("COMMIT", 0)
            self.assertGreaterEqual(commits, 2, "of the two directories whose COMMIT goes through the MDS")
            for ds in ("ds1", "ds2"):
                self.assertGreater(lab.ops(ds).get("WRITE", 0), len(DIRECTORIES))
                self.assertGreater(lab.ops(ds).get("READ", 0), len(DIRECTORIES))
            # Linux 6.1 before 6.1.178 takes no notice of the stripes of a layout without a filehandle for each server:
            # what crosses one is refused (PNFS_IO_HOLE), and it goes to the MDS with it.
            no_handles = int((lab.state / "no-handles").read_text())
            written = sum(e.get("bytes", 0) for e in lab.trace("mds")
                          if e.get("op") == "WRITE" and e.get("fileid") != no_handles)
            self.assertLess(written, 1000, "only `sum` may go through the MDS")


class DataServers(unittest.TestCase):
    def test_they_come_and_go_under_a_client(self):
        with Lab("--data-servers", 2, "--lease-seconds", 20) as lab:
            problem = []

            def change():
                give_up = time.monotonic() + 100
                while not (lab.state / "started").exists() and time.monotonic() < give_up:
                    time.sleep(0.2)
                for words in (("add",), ("drain", "ds1"), ("remove", "ds1")):
                    done = run("ds", *words, "--state", lab.state)
                    if done.returncode != 0:
                        problem.append(f"ds {words}: {done.stderr}")
                        break
                (lab.state / "changed").touch()

            changer = threading.Thread(target=change, daemon=True)
            changer.start()
            # One file stays open, so that its layout is there to be recalled. Beside it one file after the other, until
            # the change is over and two more are done.
            out = lab.client("""i=0; last=0
                exec 3>/mnt/pnfs/held; dd if=/dev/zero bs=64k count=4 conv=fsync 2>/dev/null >&3 || exit 1
                touch /mnt/shared/started
                while [ $last -lt 2 ]; do
                  [ ! -f /mnt/shared/changed ] || last=$((last + 1))
                  dd if=/dev/urandom of=/tmp/part bs=64k count=16 2>/dev/null
                  cat /tmp/part >/mnt/pnfs/f$i && sync /mnt/pnfs/f$i || exit 1
                  echo 3 >/proc/sys/vm/drop_caches
                  cmp /tmp/part /mnt/pnfs/f$i || exit 1
                  i=$((i + 1)); sleep 0.3
                done; echo files $i""", "--share", lab.state, "--timeout", 150, timeout=200).stdout
            changer.join(60)
            self.assertEqual(problem, [])
            self.assertIn("files", out)
            listed = run("ds", "list", "--state", lab.state).stdout
            self.assertNotIn("ds1", listed)
            self.assertIn("ds3", listed)
            lab.down()
            self.assertGreater(lab.ops("ds3").get("WRITE", 0), 0)
            self.assertGreater(lab.ops("ds3").get("READ", 0), 0)
            recalls = [e for e in lab.trace("mds") if e.get("op") == "CB_LAYOUTRECALL"]
            self.assertGreater(len(recalls), 0)
            self.assertEqual(lab.ops("mds").get("WRITE", 0), 0, "the client never fell back to the MDS")


class Personalities(unittest.TestCase):
    def test_local_export_is_one_server_in_both_roles(self):
        with Lab("--data-servers", 1, "--profile", "local-export") as lab:
            lab.client("""set -e
                dd if=/dev/urandom of=/tmp/data bs=64k count=20 2>/dev/null
                cat /tmp/data >/mnt/pnfs/file; sync /mnt/pnfs/file
                echo 3 >/proc/sys/vm/drop_caches
                cmp /tmp/data /mnt/pnfs/file
                grep -q pnfs=LAYOUT_NFSV4_1_FILES /proc/self/mountstats""")
            lab.down()
            mds = lab.ops("mds")
            self.assertGreater(mds.get("LAYOUTGET", 0), 0)
            self.assertGreater(mds.get("WRITE", 0), 0)
            self.assertEqual(lab.ops("ds1").get("WRITE", 0), 0)

    def test_dlm_2014_reads_where_the_line_says(self):
        with Lab("--data-servers", 2, "--profile", "dlm-2014") as lab:
            lab.client("dd if=/dev/urandom of=/mnt/pnfs/file bs=1M count=4 conv=fsync 2>/dev/null", "--no-layouts")
            self.assertEqual(run("dlm-device", "--state", lab.state).stdout, "sdb:127.0.0.1,127.0.0.1\n")
            lab.client("md5sum </mnt/pnfs/file")
            self.assertEqual(run("dlm-device", "/dev/sdb:127.0.0.1", "--state", lab.state).returncode, 0)
            self.assertNotEqual(run("dlm-device", "/dev/sdb:nowhere", "--state", lab.state).returncode, 0)
            rewritten = time.time()
            lab.client("md5sum </mnt/pnfs/file")
            lab.down()

            def reads(node, when):
                return sum(e.get("bytes", 0) for e in lab.trace(node) if e.get("op") == "READ" and when(e["ts"] < rewritten))

            before = {node: reads(node, lambda early: early) for node in ("ds1", "ds2", "mds")}
            after = {node: reads(node, lambda early: not early) for node in ("ds1", "ds2", "mds")}
            # The layout has one filehandle, as it was: what crosses a stripe goes through the MDS (see above).
            self.assertEqual(sum(before.values()), 4 << 20, before)
            self.assertGreater(min(before["ds1"], before["ds2"]), 1 << 20, before)
            self.assertEqual(after, {"ds1": 4 << 20, "ds2": 0, "mds": 0}, "all of it from the only one of the new line")


if __name__ == "__main__":
    unittest.main()
