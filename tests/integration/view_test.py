"""`pnfslab inspect`: the view of a volume against what a kernel client sees, while it changes, without servers, and
when the device goes away."""
import errno
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import tempfile
import time
import unittest

from lab import PNFSLAB, Lab, run
from view import View, describe, is_mounted, reassemble
from view_writer import whole

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 30

MAKE = """set -e
cd /mnt/pnfs
dd if=/dev/urandom of=big bs=1M count=9 conv=fsync 2>/dev/null
dd if=/dev/urandom of=odd bs=12345 count=31 conv=fsync 2>/dev/null
dd if=/dev/urandom of=sparse bs=64k count=1 seek=137 conv=fsync 2>/dev/null
dd if=/dev/urandom of=sparse bs=1000 count=1 seek=500 conv=notrunc,fsync 2>/dev/null
truncate -s 20000000 sparse
mkdir -p d/e; echo one >d/one; ln d/one d/e/again; ln -s ../one d/e/link; mkfifo d/pipe; mknod d/null c 1 3
: >empty; chmod 4751 d/one; chown 12:34 odd; touch -d @1234567890 d/one; mkdir many
for i in $(seq 600); do : >many/name$i; done
sync
"""
DESCRIBE = f"""cd {HERE}; exec python3 -c 'import json, view; print(json.dumps(view.describe("/mnt/pnfs")))'"""


def errno_of(action):
    try:
        action()
    except OSError as e:
        return errno.errorcode[e.errno]
    return "OK"


class TheVolume(unittest.TestCase):
    maxDiff = 4000

    def check_stripes(self, view, name):
        path = view / "files" / name
        inode = view / "inodes" / str(os.stat(path).st_ino)
        content = path.read_bytes()
        again, given = reassemble(inode)
        self.assertTrue(again == content, f"{name} differs from its stripes")
        self.assertEqual((inode / "data").read_bytes(), content)
        for stripe in json.loads((inode / "layout.json").read_text())["stripes"]:
            self.assertEqual(os.stat(inode / "stripes" / stripe["name"]).st_size, stripe["size"])
        return given

    def test_everything_as_the_client_sees_it_with_and_without_servers(self):
        with Lab() as lab:
            lab.client(MAKE)
            there = json.loads(lab.client(DESCRIBE).stdout)
            with View("--state", lab.state) as view:
                self.assertEqual(sorted(os.listdir(view.folder)), ["control", "files", "inodes", "live", "volume"])
                self.assertEqual(describe(view / "files"), there)
                for name in ("big", "odd", "sparse"):
                    given = self.check_stripes(view, name)
                    if name == "big":
                        self.assertEqual(sorted(given.values()), [9 << 19, 9 << 19])
                lab.kill("mds", "ds1", "ds2")
                self.assertEqual(describe(view / "files"), there)
                self.assertEqual(errno_of(lambda: open(view / "live/nodes").read()), "EIO")
                self.assertEqual(view.end(), 0, view.errors)
            with View("--state", lab.state) as view:
                self.assertEqual(describe(view / "files"), there)
                for name in ("big", "odd", "sparse"):
                    self.check_stripes(view, name)
                self.check_documents(view)
                self.check_holes(view)
                self.check_nothing_can_be_changed(view)

    def test_files_with_rules_of_their_own(self):
        with Lab("--layout-directory", "/dense unit=8K packing=dense count=4 first=inode-modulo",
                 "--layout-directory", "/wide unit=256K") as lab:
            # The first layout of the volume is one of a file with its own rules.
            for folder in ("dense", "wide", "plain"):
                lab.client(f"mkdir /mnt/pnfs/{folder}; dd if=/dev/urandom of=/mnt/pnfs/{folder}/f bs=1M count=3 conv=fsync")
            with View("--state", lab.state) as view:
                layouts = {}
                for folder in ("dense", "wide", "plain"):
                    given = self.check_stripes(view, f"{folder}/f")
                    self.assertEqual(sum(given.values()), 3 << 20)
                    self.assertGreater(min(given.values()), 0)
                    inode = os.stat(view / "files" / folder / "f").st_ino
                    layouts[folder] = json.loads((view / "inodes" / str(inode) / "layout.json").read_text())
            told = {folder: (layout["packing"], layout["stripe_unit"], len(layout["stripe_indices"]))
                    for folder, layout in layouts.items()}
            self.assertEqual(told, {"dense": ("dense", 8192, 4), "wide": ("sparse", 262144, 2), "plain": ("sparse", 65536, 2)})
            lab.down()
            # What the data servers did is what the view says.
            for folder, layout in layouts.items():
                written = {ds: sum(e.get("bytes", 0) for e in lab.trace(ds)
                                   if e.get("op") == "WRITE" and e.get("fileid") == layout["fileid"]) for ds in ("ds1", "ds2")}
                unit, first, indices = layout["stripe_unit"], layout["first_stripe_index"], layout["stripe_indices"]
                named = dict.fromkeys(written, 0)
                for i in range((3 << 20) // unit):
                    named[layout["servers"][indices[(i + first) % len(indices)]]["name"]] += unit
                self.assertEqual(written, named, folder)

    def check_documents(self, view):
        superblock = json.loads((view / "volume/superblock").read_text())
        self.assertEqual((superblock["node_slots"] >= 2, superblock["owner"]["node"]), (True, "mds"))
        self.assertEqual({n["name"] for n in json.loads((view / "volume/nodes").read_text())}, {"ds1", "ds2"})
        reservations = json.loads((view / "volume/reservations").read_text())
        self.assertEqual(reservations["type"], "Write Exclusive, Registrants Only")
        self.assertIn(superblock["owner"]["key"], reservations["keys"])
        free = json.loads((view / "volume/free").read_text())
        self.assertLess(free["free_bytes"], free["total_bytes"])
        fs = os.statvfs(view.folder)
        self.assertEqual(fs.f_bfree * fs.f_frsize, free["free_bytes"])
        database = sqlite3.connect(f"file:{view / 'volume/catalog.sqlite'}?mode=ro", uri=True)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        inodes = {str(row[0]) for row in database.execute("SELECT fileid FROM inodes")}
        database.close()
        self.assertEqual(set(os.listdir(view / "inodes")), inodes)
        with open(view / "volume/raw", "rb") as raw:
            self.assertEqual(raw.read(8), b"pNFSlabV")
            fileid = os.stat(view / "files/big").st_ino
            first = (view / f"inodes/{fileid}/extents").read_text().splitlines()[1].split()
            raw.seek(int(first[1]))
            self.assertEqual(raw.read(4096), (view / "files/big").read_bytes()[:4096])

    def check_holes(self, view):
        with open(view / "files/sparse", "rb") as f:
            size = os.fstat(f.fileno()).st_size
            # Space is given in pieces of 2 MiB.
            at = os.lseek(f.fileno(), 4 << 20, os.SEEK_DATA)
            self.assertLessEqual(at, 137 * 65536)
            self.assertGreater(at, 4 << 20)
            self.assertLess(os.lseek(f.fileno(), at, os.SEEK_HOLE), size)
            with self.assertRaises(OSError):
                os.lseek(f.fileno(), size - 1, os.SEEK_DATA)
        with tempfile.NamedTemporaryFile() as copy:
            subprocess.run(["cp", "--sparse=always", view / "files/sparse", copy.name], check=True)
            self.assertEqual(pathlib.Path(copy.name).read_bytes(), (view / "files/sparse").read_bytes())

    def check_nothing_can_be_changed(self, view):
        files = view / "files"
        self.assertEqual([errno_of(action) for action in (
            lambda: open(files / "big", "r+"), lambda: open(files / "new", "w"), lambda: os.unlink(files / "big"),
            lambda: os.mkdir(files / "x"), lambda: os.rename(files / "big", files / "small"),
            lambda: os.chmod(files / "big", 0o777), lambda: os.truncate(files / "big", 0),
            lambda: os.symlink("a", files / "b"), lambda: open(view / "volume/raw", "r+"))], ["EROFS"] * 9)

    def test_no_read_is_torn_while_a_client_writes(self):
        # A small volume has a small log, which is full soon: the catalog is checkpointed again and again.
        with Lab("--lun-size", "128M") as lab:
            lab.client("mkdir /mnt/pnfs/w")
            writer = lab.start_client(f"exec python3 {HERE / 'view_writer.py'} /mnt/pnfs/w {SECONDS}")
            with View("--state", lab.state) as view:
                before = generation(view)
                seen = read_on(view, writer)
                self.assertIn("writes", seen["out"], seen["out"] + lab.logs())
                self.assertEqual(seen["torn"], [])
                self.assertGreater(seen["files"], 20)
                self.assertGreater(seen["catalogs"], 3)
                self.assertGreater(seen["lists"], 20)
                self.assertGreaterEqual(generation(view) - before, 2, "no checkpoint came")
                print({k: v for k, v in seen.items() if k != "out"}, "generations", before, generation(view))

    def test_the_device_goes_away_and_comes_back(self):
        with Lab() as lab:
            lab.client("dd if=/dev/urandom of=/mnt/pnfs/f bs=1M count=4 conv=fsync 2>/dev/null")
            with View("--state", lab.state) as view:
                content = (view / "files/f").read_bytes()
                held = open(view / "files/f", "rb", buffering=0)
                lab.kill("target")
                for action in (lambda: held.read(1 << 20), lambda: os.listdir(view / "files"),
                               lambda: os.stat(view / "files/f"), lambda: (view / "volume/raw").read_bytes()):
                    began = time.monotonic()
                    self.assertEqual(errno_of(action), "EIO")
                    self.assertLess(time.monotonic() - began, 20)
                self.assertNotEqual((view / "control/last_error").read_text(), "")
                held.close()
                self.assertEqual(view.end(), 0, view.errors)
                self.assertEqual(len(content), 4 << 20)


def generation(view):
    """Of the catalog's marks, from the LUN itself (common/volume/FORMAT.md): it rises by two with each checkpoint."""
    marks = json.loads((view / "volume/superblock").read_text())["regions"]["marks"]["offset"]
    found = []
    with open(view / "volume/raw", "rb", buffering=0) as raw:
        raw.seek(marks)
        blocks = raw.read(8192)
    for block in (blocks[:4096], blocks[4096:]):
        if block.startswith(b"pNFSlabG"):
            found.append(struct.unpack("<Q", block[8:16])[0])
    return max(found)


def read_on(view, writer):
    """Reads the view until the client has ended. What was read, and what was torn."""
    seen = {"files": 0, "gone": 0, "lists": 0, "catalogs": 0, "torn": [], "out": ""}
    newest = {}
    top = view / "files/w"
    while writer.poll() is None and len(seen["torn"]) < 5:
        try:
            tokens = os.listdir(top / "token")
            if tokens and len(tokens) != 1:
                seen["torn"].append(f"a folder with one file shows {tokens}")
            seen["lists"] += 1
            for name in sorted(os.listdir(top / "files")):
                if name.endswith(".new"):
                    continue
                real, number = whole((top / "files" / name).read_bytes())
                if real != name or number < newest.get(name, 0):
                    seen["torn"].append(f"{name} shows {real} {number}, after {newest.get(name)}")
                newest[name] = number
                seen["files"] += 1
        except FileNotFoundError:
            seen["gone"] += 1
        except OSError as e:
            if e.errno != errno.ESTALE:  # replaced while it was read: said, not shown wrongly
                raise
            seen["gone"] += 1
        except AssertionError as e:
            seen["torn"].append(str(e))
        database = sqlite3.connect(f"file:{view / 'volume/catalog.sqlite'}?mode=ro", uri=True)
        checks = [database.execute("PRAGMA integrity_check").fetchone()[0],
                  database.execute("SELECT count(*) FROM entries WHERE fileid NOT IN (SELECT fileid FROM inodes)").fetchone()[0]]
        database.close()
        if checks != ["ok", 0]:
            seen["torn"].append(f"catalog: {checks}")
        seen["catalogs"] += 1
    seen["out"] = writer.communicate(timeout=120)[0]
    return seen


class Control(unittest.TestCase):
    def test_lines_for_the_servers(self):
        with Lab() as lab, View("--state", lab.state) as view:
            control = view / "control"

            def write(name, line):
                return errno_of(lambda: (control / name).write_text(line))

            def last():
                return (control / "last_error").read_text()

            self.assertEqual(write("pnfs_dlm_device", "/dev/sdb:127.0.0.1,127.0.0.1\n"), "OK")
            self.assertEqual((control / "pnfs_dlm_device").read_text(), "sdb:127.0.0.1,127.0.0.1\n")
            self.assertEqual(write("pnfs_dlm_device", "/dev/sdb:127.0.0.300\n"), "EINVAL")
            self.assertIn("127.0.0.300", last())
            self.assertEqual(write("faults", "on mds before LAYOUTGET do return DELAY\n"), "OK")
            self.assertIn("mds:1 matched 0 hits 0: on mds before LAYOUTGET", (control / "faults").read_text())
            self.assertEqual(write("faults", "on mds before LAYOUTGET do fly\n"), "EINVAL")
            self.assertIn("fly", last())
            self.assertEqual(write("faults", "clear"), "OK")
            self.assertEqual((control / "faults").read_text(), "")
            self.assertEqual(write("recall", "layouts\n"), "OK")
            self.assertEqual(write("recall", "layouts /not/there\n"), "EINVAL")
            self.assertIn("/not/there", last())
            self.assertEqual(write("recall", "everything\n"), "EINVAL")
            self.assertEqual(write("recall", "slots 4\n"), "OK")
            self.assertEqual(write("recall", "slots none\n"), "EINVAL")
            self.assertEqual((control / "grace").read_text(), "none\n")
            self.assertEqual(write("grace", "end\n"), "EINVAL")
            self.assertIn("no grace period", last())
            self.assertEqual(errno_of(lambda: open(control / "new", "w")), "EROFS")
            # live/ is what the commands print.
            for table in ("nodes", "locks", "clients"):
                told = (view / "live" / table).read_text()
                self.assertEqual(told.split("\n")[0], run(table, "--state", lab.state).stdout.split("\n")[0])
                self.assertEqual(json.loads((view / f"live/{table}.json").read_text())["table"], table)
            lab.down()
            self.assertEqual(os.listdir(view / "live"), [])
            self.assertEqual(write("grace", "end\n"), "EIO")


class Users(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_an_ordinary_user_mounts_through_fusermount3(self):
        with Lab() as lab:
            lab.client("echo hello >/mnt/pnfs/f; chmod 600 /mnt/pnfs/f")
            url = lab.status()["target"]["url"]
            folder = tempfile.mkdtemp(prefix="pnfslab-view-")
            os.chown(folder, 65534, 65534)
            user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
            with View("--store", url, before=user, folder=folder) as view:
                read = subprocess.run([*user, "cat", view / "files/f"], capture_output=True, text=True)
                self.assertEqual((read.stdout, read.stderr), ("hello\n", ""))
                self.assertEqual(errno_of(lambda: os.listdir(view / "files")), "EACCES")  # another user, root though

    def test_refusals_are_sentences(self):
        with Lab() as lab:
            done = run("inspect", "/not/there", "--state", lab.state)
            self.assertEqual((done.returncode, "mkdir" in done.stderr), (1, True), done.stderr)
        with tempfile.TemporaryDirectory() as folder:
            done = run("inspect", folder, "--store", "iscsi://127.0.0.1:9/iqn.2026-01.x:y/1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("127.0.0.1:9", done.stderr)
            self.assertFalse(is_mounted(folder))


if __name__ == "__main__":
    unittest.main()
