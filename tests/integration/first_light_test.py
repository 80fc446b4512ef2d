"""A real Linux kernel through a metadata server and data servers: bytes, places, persistence, identities."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from lab import BIN, PNFSLAB, Lab, run

DRIVER = "pnfs=LAYOUT_NFSV4_1_FILES"


class Quickstart(unittest.TestCase):
    def test_shows_both_profiles(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "result.json"
            done = run("quickstart", "--json", out)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            result = json.loads(out.read_text())
        modern, old = result["modern"], result["dlm-2014"]
        self.assertEqual(modern["pnfs_driver"], "LAYOUT_NFSV4_1_FILES")
        self.assertTrue(modern["checksum_ok"])
        self.assertEqual((modern["ops"]["mds"]["READ"], modern["ops"]["mds"]["WRITE"]), (0, 0))
        for ds in ("ds1", "ds2"):
            self.assertGreater(modern["ops"][ds]["WRITE"], 0)
            self.assertGreater(modern["ops"][ds]["READ"], 0)
        self.assertEqual(old["layoutget_rw_status"], "NFS4ERR_BADIOMODE")
        self.assertEqual(old["application_error"], "EIO")
        self.assertIn("READ", old["reason"].upper())


class Bytes(unittest.TestCase):
    def test_64_mib_through_the_layout_equal_with_and_without_it(self):
        with Lab() as lab:
            written = lab.client("""set -e
                dd if=/dev/urandom of=/tmp/data bs=1M count=64 2>/dev/null
                dd if=/tmp/data of=/mnt/pnfs/big bs=1M conv=fsync 2>/dev/null
                echo 3 >/proc/sys/vm/drop_caches
                md5sum </tmp/data; md5sum </mnt/pnfs/big; grep -o 'pnfs=[A-Z_0-9a-z]*' /proc/self/mountstats""",
                                 "--memory", 512).stdout.split("\n")
            self.assertEqual(written[0], written[1])
            self.assertEqual(written[2], DRIVER)
            plain = lab.client("md5sum </mnt/pnfs/big; grep -o 'pnfs=[^,]*' /proc/self/mountstats", "--no-layouts")
            self.assertEqual(plain.stdout.split("\n")[0], written[0])
            self.assertNotIn(DRIVER, plain.stdout)
            lab.down()
            target = lab.trace("target")
            bytes_by = {}
            for event in target:
                if event.get("op", "").startswith("WRITE"):
                    node = event["client"].rsplit(":", 1)[1]
                    bytes_by[node] = bytes_by.get(node, 0) + event["bytes"]
            size = 64 << 20
            self.assertGreaterEqual(bytes_by["ds1"] + bytes_by["ds2"], size)
            for ds in ("ds1", "ds2"):
                self.assertGreater(bytes_by[ds], size // 4)
            # The MDS writes its catalog and the start of every new extent, never the file's bytes.
            self.assertLess(bytes_by["mds"], size // 8)
            self.assertEqual(lab.ops("mds").get("WRITE", 0), 0)


class Names(unittest.TestCase):
    def test_what_a_file_system_is_asked_for(self):
        with Lab() as lab:
            out = lab.client("""set -e
                cd /mnt/pnfs
                mkdir d; cd d
                echo one >a; ln a b; ln -s a s; mv b c; cat c; readlink s
                stat -c '%h %s %F' a
                truncate -s 100000 a; stat -c %s a; truncate -s 3 a; cat a; echo
                mkdir e; mv a e/f; ls -1 e; rm e/f; rmdir e; ls -1
                chmod 640 c; chown 5:6 c; touch -d @1000000000 c; stat -c '%a %u %g %Y' c
                for i in $(seq 300); do : >n$i; done; ls | grep -c '^n'; rm n*; ls -1
                mkfifo p; stat -c %F p
                cd ..; rm -r d; ls -1""").stdout
            self.assertEqual(out.split("\n"), ["one", "a", "2 4 regular file", "100000", "one", "f", "c", "s",
                                               "640 5 6 1000000000", "300", "c", "s", "fifo", ""])


class Identity(unittest.TestCase):
    def test_two_addresses_of_one_mds_are_one_server_and_a_ds_is_none_of_them(self):
        with Lab() as lab:
            # With the addresses that mount.nfs would look up: the package nfs-common need not be there.
            done = lab.client("""set -e
                mkdir -p /mnt/other
                mount -t nfs4 -o vers=4.1,addr=10.77.1.3,clientaddr=10.77.1.2,port=%d 10.77.1.3:/ /mnt/other
                echo x >/mnt/pnfs/trunk; cat /mnt/other/trunk
                dd if=/dev/zero of=/mnt/pnfs/f bs=64k count=8 conv=fsync 2>/dev/null
                umount /mnt/other""" % lab.base_port, "--second-address", "10.77.1.3", "--kernel-log")
            self.assertIn("x", done.stdout)
            self.assertNotIn("trunking failed", done.stderr)
            lab.down()
            # One client id at the MDS for both mounts; each data server has sessions of its own.
            self.assertEqual(len({e["client"] for e in lab.trace("mds") if e.get("op") == "SEQUENCE"}), 1)
            for ds in ("ds1", "ds2"):
                self.assertGreater(lab.ops(ds).get("CREATE_SESSION", 0), 0)
                self.assertGreater(lab.ops(ds).get("WRITE", 0), 0)
            self.assertEqual(lab.ops("mds").get("WRITE", 0), 0)


if __name__ == "__main__":
    unittest.main()
