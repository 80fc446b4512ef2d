"""`pnfslab inspect` for tests: mounted in a `with` block, unmounted by SIGTERM, and what a walk over a tree says."""
import hashlib
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile

from lab import PNFSLAB


def is_mounted(folder):
    return any(line.split()[1] == str(folder) for line in pathlib.Path("/proc/self/mounts").read_text().splitlines())


class View:
    def __init__(self, *options, before=(), folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="pnfslab-view-"))
        self.command = [*before, PNFSLAB, "inspect", str(self.folder), *map(str, options)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("showing"):
            self.process.kill()
            raise AssertionError(f"inspect: {line}{self.process.communicate()[1]}")
        return self

    def end(self, timeout=30):
        """SIGTERM; the exit code once nothing is mounted any more."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.errors = self.process.communicate(timeout=timeout)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            subprocess.run(["fusermount3", "-uz", str(self.folder)])
            raise
        if is_mounted(self.folder):
            raise AssertionError(f"{self.folder} is still mounted")
        return self.process.returncode

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __truediv__(self, name):
        return self.folder / name


def describe(top):
    """{path: [type and mode, owner, size, links, mtime, target or digest]} of everything below a folder. Also run in the
    guest, over the mount."""
    found = {}
    for folder, dirs, files in os.walk(top):
        for name in sorted(dirs + files):
            path = os.path.join(folder, name)
            s = os.lstat(path)
            what = None
            if stat.S_ISLNK(s.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(s.st_mode):
                with open(path, "rb") as f:
                    what = hashlib.sha256(f.read()).hexdigest()
            size = None if stat.S_ISDIR(s.st_mode) else s.st_size
            found[os.path.relpath(path, top)] = [oct(s.st_mode), s.st_uid, s.st_gid, size, s.st_nlink, s.st_mtime_ns,
                                                 s.st_rdev, s.st_ino, what]
    return found


def reassemble(inode):
    """The file of inodes/<fileid>, put together from stripes/*, and how many bytes each data server gave. AssertionError
    when a stripe file has bytes of a stripe that is not its own."""
    import json
    layout = json.loads((inode / "layout.json").read_text())
    size = json.loads((inode / "attributes.json").read_text())["size"]
    unit, count = layout["stripe_unit"], len(layout["stripe_indices"])
    whole, given = bytearray(size), {}
    for stripe in layout["stripes"]:
        data = (inode / "stripes" / stripe["name"]).read_bytes()
        given[stripe["name"]] = 0
        at = 0  # in a dense stripe file
        for number in range((size - layout["pattern_offset"] + unit - 1) // unit):
            begin = layout["pattern_offset"] + number * unit
            end = min(begin + unit, size)
            mine = (number + layout["first_stripe_index"]) % count in stripe["stripe_indices"]
            if layout["packing"] == "dense":
                if mine:
                    whole[begin:end] = data[at:at + end - begin]
                    at += unit
            elif mine:
                whole[begin:end] = data[begin:end]
            elif any(data[begin:end]):
                raise AssertionError(f"{stripe['name']} has bytes at {begin}, which are another's")
            given[stripe["name"]] += end - begin if mine else 0
    return bytes(whole), given
